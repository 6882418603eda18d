//! Signed JSON to a program of one's own: what is sent, and what becomes of it whatever the program does. And that a run opens the small
//! channels.

use std::collections::VecDeque;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bellwether::channels::{Hook, Webhook, http_client};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::domain::{Block, Line, Message, RouteTable, Severity, Span};
use bellwether::notify::{Channel, Receipt, SendError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use crate::support::{PostOffice, Shell, THEIRS, lane, post, python, sample, seen, titled};

const LONG: Duration = Duration::from_secs(30);
/// 2026-11-21T10:00:00Z.
const NOW_MS: i64 = 1_795_255_200_000;
const SECRET: &str = "CANARY-a-long-random-word";
const CANARY: &str = "CANARY";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_ms(NOW_MS)))
}

type Answer = (u16, Vec<(&'static str, String)>, String);

/// A program on loopback that gives its answers in order, then 200.
#[derive(Clone, Default)]
struct Program {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Program {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, String) {
        let program = Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/{CANARY}?key={CANARY}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(serve).with_state(program.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (program, url)
    }

    fn asked(&self) -> Vec<(HeaderMap, Bytes)> {
        std::mem::take(&mut *self.asked.lock().expect("lock"))
    }
}

async fn serve(State(program): State<Program>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap, String) {
    program.asked.lock().expect("lock").push((headers, body));
    let answer = program.answers.lock().expect("lock").pop_front();
    let (status, headers, body) = answer.unwrap_or((200, Vec::new(), String::new()));
    let headers = headers.into_iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value")));
    (StatusCode::from_u16(status).expect("a status"), headers.collect(), body)
}

fn webhook(url: &str, timeout: Duration, clock: Arc<dyn Clock>) -> Webhook {
    let hook = Hook { url: url.into(), secret: SECRET.into(), timeout, key: [7; 32] };
    Webhook::new("ana".to_owned(), hook, http_client(None, LONG).expect("a client"), clock)
}

/// What becomes of a message; no error tells a secret.
async fn outcome(webhook: &Webhook) -> Result<Receipt, SendError> {
    webhook.send(&post(17, titled("A fact"))).await.map_err(|failure| {
        let told = format!("{failure} {failure:?}");
        assert!(!told.contains(CANARY) && !told.contains("127.0.0.1"), "{told}");
        failure.what
    })
}

/// HMAC-SHA256 by its definition (RFC 2104), for keys of up to 64 bytes.
fn mac(key: &str, words: &[u8]) -> String {
    let pad = |with: u8| -> Vec<u8> {
        (0..64).map(|place| key.as_bytes().get(place).copied().unwrap_or_default() ^ with).collect()
    };
    let inner = Sha256::digest([pad(0x36), words.to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tokio::test]
async fn a_message_is_signed_and_keeps_its_name_on_each_try() {
    let date = |seconds: i64| ("date", httpdate(NOW_MS + seconds * 1000));
    let (program, url) = Program::start([(200, vec![date(5)], String::new()), (204, vec![], "x".repeat(99))]).await;
    let clock = clock();
    let webhook = webhook(&url, LONG, clock.clone());
    let receipt = outcome(&webhook).await.expect("taken");
    assert_eq!(receipt.skew_ms, Some(5_000));
    clock.advance(60_000);
    assert_eq!(outcome(&webhook).await.expect("taken").remote, receipt.remote);
    let words = vec![Span::Text("Said: ".to_owned()), Span::Untrusted(format!("{THEIRS} \"\\\n\u{1f514}"))];
    let mut other = post(18, Message { blocks: vec![Block::Title(Line(words))], ..Message::default() });
    (other.number, other.book, other.silent) = (None, None, true);
    other.reply_to.clone_from(&receipt.remote);
    let further = webhook.send(&other).await.expect("taken");
    assert_ne!(further.remote, receipt.remote);
    let asked = program.asked();
    let bodies: Vec<Value> = asked.iter().map(|(_, body)| serde_json::from_slice(body).expect("JSON")).collect();
    let first = json!({
        "version": 1, "delivery": receipt.remote, "to": "ana", "notice": "N42", "severity": "warning", "book": "main",
        "silent": false, "reply_to": null, "title": "A fact", "text": "A fact\nand more",
    });
    assert_eq!(bodies[..2], [first.clone(), first]);
    assert_eq!(
        (&bodies[2]["notice"], &bodies[2]["book"], &bodies[2]["reply_to"], &bodies[2]["silent"]),
        (&Value::Null, &Value::Null, &json!(receipt.remote), &json!(true))
    );
    let text = bodies[2]["text"].as_str().expect("text");
    assert!(text.contains("Said: <b>x</") && text.contains('\u{1f514}') && !text.contains("@all"), "{text}");
    for ((headers, body), (json, at)) in asked.iter().zip(bodies.iter().zip([0, 60, 60])) {
        let stamp = (NOW_MS / 1000 + at).to_string();
        assert_eq!(headers["x-bellwether-timestamp"], stamp);
        let signed = [stamp.as_bytes(), b".", body].concat();
        assert_eq!(headers["x-bellwether-signature"], format!("sha256={}", mac(SECRET, &signed)));
        assert_eq!(headers["idempotency-key"], json["delivery"].as_str().expect("text"));
        assert_eq!(headers["content-type"], "application/json");
    }
}

/// As HTTP writes a time.
fn httpdate(ms: i64) -> String {
    Timestamp::from_ms(ms).utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let asks = |asked: &str| (429, vec![("retry-after", asked.to_owned())]);
    let by_date = (429, vec![("retry-after", httpdate(NOW_MS + 90_000)), ("date", httpdate(NOW_MS + 60_000))]);
    let throttled = |seconds| SendError::Throttled(Duration::from_secs(seconds));
    let (gone, shut) = (|_| SendError::Unreachable(String::new()), |_| SendError::Shut(String::new()));
    let mut cases = vec![
        (asks("7"), throttled(7)),
        (asks("0"), throttled(1)),
        (asks("99999999999"), throttled(3_600)),
        (asks("-3"), throttled(10)),
        (asks("soon"), throttled(10)),
        ((429, vec![]), throttled(10)),
        (by_date, throttled(30)),
        (asks("Sat, 21 Nov 2020 10:00:00 GMT"), throttled(1)),
    ];
    cases.extend([408, 500, 502, 503, 504, 599].map(|status| ((status, vec![]), gone(status))));
    cases.extend([401, 403, 404, 410, 301, 302, 307, 308].map(|status| ((status, vec![]), shut(status))));
    cases.extend([400, 413, 415, 422].map(|status| ((status, vec![]), SendError::Rejected(String::new()))));
    for ((status, mut headers), want) in cases {
        if status / 100 == 3 {
            headers.push(("location", "/elsewhere".to_owned()));
        }
        // Whoever answers may repeat what is secret.
        let (program, url) = Program::start([(status, headers, format!("{CANARY} {SECRET}"))]).await;
        let clock: Arc<dyn Clock> = clock();
        let found = outcome(&webhook(&url, LONG, clock)).await.expect_err("refused");
        let same = match (&found, &want) {
            (SendError::Throttled(found), SendError::Throttled(want)) => found == want,
            (found, want) => std::mem::discriminant(found) == std::mem::discriminant(want),
        };
        assert!(same, "{status}: {found:?}, not {want:?}");
        assert!(status == 429 || found.to_string().contains(&status.to_string()), "{found}");
        assert_eq!(program.asked().len(), 1, "{status}: no redirect is followed, nothing is repeated");
    }
}

/// A program that reads once from each connection, says `said` and closes, or goes on with `more` until nobody listens.
async fn raw(said: &'static str, more: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/{CANARY}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 8192]).await;
                let _ = stream.write_all(said.as_bytes()).await;
                while !more.is_empty() && stream.write_all(more.as_bytes()).await.is_ok() {}
            });
        }
    });
    url
}

#[tokio::test]
async fn what_may_have_arrived_is_told_from_what_never_left() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let late = format!("http://{}/{CANARY}", silent.local_addr().expect("bound"));
    let found = outcome(&webhook(&late, Duration::from_millis(50), clock())).await;
    assert!(matches!(found, Err(SendError::Unknown(_))), "slower than it may be: {found:?}");
    let found = outcome(&webhook(&raw("", "").await, LONG, clock())).await;
    assert!(matches!(found, Err(SendError::Unknown(_))), "closed without an answer: {found:?}");
    // Bound, so that nobody else gets the port, but not listening.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let url = format!("http://{}/{CANARY}", deaf.local_addr().expect("bound"));
    let found = outcome(&webhook(&url, LONG, clock())).await;
    assert!(matches!(found, Err(SendError::Unreachable(_))), "refused: {found:?}");
    // An answer without an end is read no further than it has to be.
    let endless = raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "0123456789").await;
    assert!(outcome(&webhook(&endless, LONG, clock())).await.is_ok());
    let broken = raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "").await;
    assert!(outcome(&webhook(&broken, LONG, clock())).await.is_ok(), "the head said it");
}

#[tokio::test]
async fn the_lines_of_the_page_tell_what_is_genuine() {
    let Some(python) = python() else { return };
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/WEBHOOK.md")).expect("a page");
    let lines = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(lines.lines().count(), 6);
    let (program, url) = Program::start([]).await;
    outcome(&webhook(&url, LONG, clock())).await.expect("taken");
    let (headers, body) = program.asked().remove(0);
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let (stamp, signature) = (header("x-bellwether-timestamp"), header("x-bellwether-signature"));
    let calls = format!(
        "{lines}\nimport sys\nbody = bytes.fromhex(sys.argv[1])\ntime.time = lambda: {stamp} + float(sys.argv[2])\n\
         names = {{'X-Bellwether-Timestamp': '{stamp}', 'X-Bellwether-Signature': '{signature}'}}\n\
         print(is_genuine('{SECRET}', names, body), is_genuine('other', names, body), is_genuine('{SECRET}', names, body + b' '))"
    );
    let body = body.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    for (later, want) in [("1", "True False False"), ("-400", "False False False"), ("301", "False False False")] {
        let output = Command::new(&python).args(["-c", &calls, &body, later]).output().expect("starts");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), want, "{output:?}");
    }
}

#[test]
fn a_dead_webhook_is_told_on_another_lane_and_its_messages_wait() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:webhook"), lane("bo:telegram")], Severity::Notice));
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/{CANARY}", port.local_addr().expect("bound"));
    // Nobody listens there from now on.
    drop(port);
    office.plug("ana:webhook", Arc::new(webhook(&url, LONG, office.clock.clone())));
    office.happen([sample("symbol_locked").kind]);
    office.run("ana:webhook", 60);
    office.run("bo:telegram", 2);
    let told = office.wire("bo:telegram").take().join("\n");
    assert!(told.contains("ana:webhook") && !told.contains(CANARY) && !told.contains("127.0.0.1"), "{told}");
    assert!(office.counts("ana:webhook").open > 0);
}

/// The whole program: a person with mail and a webhook is told on both.
#[test]
fn a_run_tells_by_mail_and_by_the_webhook() {
    let shell = Shell::new();
    let people = "[[people]]\nname = \"ana\"\nrole = \"owner\"\nemail = \"ana@example.org\"\n";
    shell.write("bellwether.toml", &format!("{people}[[routes]]\nto = [\"ana:email\", \"ana:webhook\"]\n"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/{CANARY}", listener.local_addr().expect("bound"));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = heard.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut request, mut buffer) = (Vec::new(), [0; 8192]);
            while !request.ends_with(b"}") {
                let Ok(read @ 1..) = stream.read(&mut buffer) else { break };
                request.extend_from_slice(&buffer[..read]);
            }
            keep.lock().expect("lock").push(String::from_utf8_lossy(&request).into_owned());
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    let mut command = shell.command(&["run", "--no-console", "--speed", "max", "--cycles", "3"]);
    let output = command.env("WEBHOOK_URL", &url).env("WEBHOOK_SECRET", SECRET).output().expect("starts");
    let (code, out, err) = seen(output);
    assert_eq!(code, 0, "{out}{err}");
    assert!(!format!("{out}{err}").contains(CANARY), "{out}{err}");
    let letters = std::fs::read_dir(shell.path().join("mail")).expect("a folder").count();
    let heard = heard.lock().expect("lock");
    assert!(letters > 0 && heard.len() == letters, "{letters} letters, {heard:?}");
    assert!(heard[0].starts_with(&format!("POST /{CANARY} ")) && heard[0].contains("\"to\":\"ana\""), "{heard:?}");
}
