//! What becomes of a call to Telegram, whatever the server or the way there does.

use std::collections::VecDeque;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use bellwether::channels::{
    CallError, HeardKind, Key, MenuScope, Polled, Posting, PressAnswer, Refusal, RemoteId, Telegram, TelegramClient,
    http_client,
};
use bellwether::clock::{ManualClock, Timestamp};
use rustls::crypto::CryptoProvider;
use secrecy::SecretString;
use serde_json::{Value, json};
use teloxide::payloads::GetMe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

const TOKEN: &str = "123456:CANARY-0123456789abcdef";
const CANARY: &str = "CANARY";
const LONG: Duration = Duration::from_secs(30);
/// 2026-11-21T10:00:00Z.
const NOW_MS: i64 = 1_795_255_200_000;

#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: Vec::new(), body: body.to_owned() }
}

fn ok(result: &Value) -> Answer {
    answer(200, &json!({ "ok": true, "result": result }).to_string())
}

fn refusal(code: u16, description: &str) -> Answer {
    answer(code, &json!({ "ok": false, "error_code": code, "description": description }).to_string())
}

fn sent(message: i32) -> Answer {
    ok(&json!({ "message_id": message, "chat": { "id": -7 } }))
}

struct Asked {
    method: String,
    content_type: String,
    body: Vec<u8>,
}

impl Asked {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// A server on loopback that gives its answers in order.
#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, Telegram) {
        let server = Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let router = Router::new().fallback(serve).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, Telegram::new(client(&base)))
    }

    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("not poisoned"))
    }
}

async fn serve(
    State(server): State<Server>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let method = uri.path().strip_prefix(&format!("/bot{TOKEN}/")).expect("the token").to_owned();
    let content_type = headers["content-type"].to_str().expect("text").to_owned();
    server.asked.lock().expect("not poisoned").push(Asked { method, content_type, body: body.to_vec() });
    let answer = server.answers.lock().expect("not poisoned").pop_front().expect("one more call than answers");
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| (name.parse().expect("a header's name"), value.parse().expect("a header's value")));
    (StatusCode::from_u16(answer.status).expect("a status"), headers.collect(), answer.body)
}

fn client(base: &str) -> TelegramClient {
    let http = http_client(None, LONG).expect("a client");
    let clock = ManualClock::at(Timestamp::from_ms(NOW_MS));
    TelegramClient::new(Some(base.to_owned()), SecretString::from(TOKEN), http, Arc::new(clock)).expect("an address")
}

/// A server that reads once from each connection, writes `said` and closes; one that says nothing closes at once or never.
async fn raw(said: &'static str, closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 8192]).await;
                let _ = stream.write_all(said.as_bytes()).await;
                while !closes && stream.read(&mut [0; 8192]).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    base
}

fn posting() -> Posting {
    Posting { chat: -7, ..Posting::default() }
}

/// The error of one message, which must not tell the token.
async fn failure(telegram: &Telegram) -> CallError {
    let error = telegram.send_text(&posting(), "hello").await.expect_err("no answer to rely on");
    assert!(!format!("{error} {error:?} {telegram:?}").contains(CANARY), "{error:?}");
    error
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    let cases = [
        (400, "Bad Request: can't parse entities: Can't find end tag", Refusal::BadMarkup),
        (400, "Bad Request: message is too long", Refusal::TooLong),
        (400, "Bad Request: message to be replied not found", Refusal::MessageGone),
        (400, "Bad Request: message thread not found", Refusal::TopicGone),
        (400, "Bad Request: TOPIC_CLOSED", Refusal::TopicGone),
        (400, "Bad Request: chat not found", Refusal::ChatGone),
        (400, "Bad Request: message text is empty", Refusal::Other),
        (401, "Unauthorized", Refusal::Unauthorized),
        (403, "Forbidden: bot was blocked by the user", Refusal::Blocked),
        (403, "Forbidden: something new", Refusal::Blocked),
        (404, "Not Found", Refusal::Unauthorized),
        (409, "Conflict: terminated by other getUpdates request", Refusal::OtherCopy),
    ];
    let (_, telegram) = Server::start(cases.map(|(code, description, _)| refusal(code, description))).await;
    for (code, description, kind) in cases {
        let expected = CallError::Refused { code, description: description.to_owned(), kind };
        assert_eq!(failure(&telegram).await, expected);
    }
}

#[tokio::test]
async fn a_server_that_is_busy_moved_or_broken_is_told_apart() {
    let wait = |parameters: &Value| {
        answer(429, &json!({ "ok": false, "error_code": 429, "parameters": parameters }).to_string())
    };
    let moved = json!({ "ok": false, "error_code": 400, "parameters": { "migrate_to_chat_id": -1_001_i64 } });
    let there = Answer { headers: vec![("location", "http://127.0.0.1:1/")], ..answer(302, "moved") };
    let (server, telegram) = Server::start([
        wait(&json!({ "retry_after": 35 })),
        wait(&json!({})),
        Answer { headers: vec![("retry-after", "9")], ..answer(429, "<html>") },
        answer(400, &moved.to_string()),
        answer(500, "<html>Internal Server Error</html>"),
        refusal(502, "Bad Gateway"),
        there,
    ])
    .await;
    let throttled = |seconds| CallError::Throttled { retry_after: Duration::from_secs(seconds) };
    for expected in [
        throttled(35),
        throttled(1),
        throttled(9),
        CallError::Migrated { to: -1001 },
        CallError::Server { status: 500 },
        CallError::Server { status: 502 },
        CallError::Server { status: 302 },
    ] {
        assert_eq!(failure(&telegram).await, expected);
    }
    assert_eq!(server.asked().len(), 7, "nothing is repeated or followed");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_it_unknown() {
    let echo = format!("{{\"ok\":true,\"result\":\"/bot{TOKEN}/SendMessage\"}}");
    let huge = json!({ "ok": true, "result": "x".repeat(2 << 20) });
    let strange = [
        answer(200, "<html>"),
        answer(200, ""),
        ok(&json!({})),
        ok(&json!(true)),
        answer(200, &echo),
        answer(200, &huge.to_string()),
    ];
    let many = strange.len();
    let (_, telegram) = Server::start(strange).await;
    for _ in 0..many {
        assert!(matches!(failure(&telegram).await, CallError::Unknown(_) | CallError::Unreadable(_)));
    }
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"ok\":true,\"result\":{\"message_id\":5";
    for base in
        [raw("", true).await, raw("HTTP/1.1 2", true).await, raw(cut, true).await, raw("nonsense\r\n\r\n", true).await]
    {
        let error = failure(&Telegram::new(client(&base))).await;
        assert!(matches!(error, CallError::Unknown(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_was_not_sent_and_a_slow_answer_is_unknown() {
    // Bound, so that nobody else gets the port, but not listening.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let refusing = deaf.local_addr().expect("bound");
    let error = failure(&Telegram::new(client(&format!("http://{refusing}")))).await;
    assert!(matches!(&error, CallError::NotSent(words) if !words.contains("127.0.0.1")), "{error:?}");
    let silent = client(&raw("", false).await);
    let error = silent.call::<_, Value>(&GetMe::new(), Duration::from_millis(50)).await.expect_err("no answer");
    assert!(matches!(&error, CallError::Unknown(words) if !words.contains(CANARY)), "{error:?}");
}

#[tokio::test]
async fn whoever_repeats_the_address_does_not_make_us_tell_the_token() {
    let encoded = TOKEN.replace(':', "%3A");
    let (_, telegram) = Server::start([
        refusal(400, &format!("no such path: /bot{TOKEN}/SendMessage")),
        refusal(400, &format!("no such path: /bot{encoded}/SendMessage")),
        refusal(400, &format!("{}{TOKEN}", "x".repeat(290))),
    ])
    .await;
    for _ in 0..3 {
        assert!(matches!(failure(&telegram).await, CallError::Refused { kind: Refusal::Other, .. }));
    }
}

#[tokio::test]
async fn a_message_goes_out_as_it_was_meant_and_its_number_comes_back() {
    let date = Answer { headers: vec![("date", "Sat, 21 Nov 2026 10:00:03 GMT")], ..sent(5) };
    let (server, telegram) = Server::start([date, sent(6)]).await;
    let keys = vec![vec![Key { label: "Sell".to_owned(), data: "t0ken".to_owned() }]];
    let full =
        Posting { chat: -7, thread: Some(40), silent: true, protect: true, reply_to: Some(3), keys: keys.clone() };
    let answered = telegram.send_text(&full, "<b>hello</b>").await.expect("sent");
    assert_eq!((answered.value, answered.skew_ms), (RemoteId { chat: -7, message: 5 }, Some(3000)));
    telegram.send_text(&posting(), "x").await.expect("sent");
    let asked = server.asked();
    assert_eq!(asked[0].method, "SendMessage");
    let expected = json!({
        "chat_id": -7, "text": "<b>hello</b>", "parse_mode": "HTML", "message_thread_id": 40,
        "disable_notification": true, "protect_content": true, "link_preview_options": { "is_disabled": true },
        "reply_parameters": { "message_id": 3, "allow_sending_without_reply": true },
        "reply_markup": { "inline_keyboard": [[{ "text": "Sell", "callback_data": "t0ken" }]] },
    });
    assert_eq!(asked[0].json(), expected);
    let plain = json!({
        "chat_id": -7, "text": "x", "parse_mode": "HTML", "link_preview_options": { "is_disabled": true },
    });
    assert_eq!(asked[1].json(), plain);
}

#[tokio::test]
async fn files_go_out_with_their_bytes_and_parameters() {
    let (server, telegram) = Server::start([sent(5), sent(6)]).await;
    let to = Posting {
        chat: -7,
        reply_to: Some(3),
        keys: vec![vec![Key { label: "A".to_owned(), data: "b".to_owned() }]],
        ..Posting::default()
    };
    let picture = [0x89, b'P', 0, 255, 13, 10];
    telegram.send_picture(&to, "chart.png", &picture, "<i>hello</i>").await.expect("sent");
    telegram.send_document(&posting(), "a\"\r\nb é.csv", b"1,2\n", "").await.expect("sent");
    let asked = server.asked();
    assert_eq!((asked[0].method.as_str(), asked[1].method.as_str()), ("SendPhoto", "SendDocument"));
    assert!(asked[0].content_type.starts_with("multipart/form-data; boundary="));
    let holds = |asked: &Asked, part: &[u8]| asked.body.windows(part.len()).any(|window| window == part);
    let part = |name: &str, value: &str| format!("name=\"{name}\"\r\n\r\n{value}\r\n--").into_bytes();
    assert!(holds(&asked[0], &part("chat_id", "-7")) && holds(&asked[0], &part("caption", "<i>hello</i>")));
    assert!(holds(
        &asked[0],
        &part("reply_markup", "{\"inline_keyboard\":[[{\"callback_data\":\"b\",\"text\":\"A\"}]]}")
    ));
    assert!(holds(&asked[0], b"filename=\"chart.png\"") && holds(&asked[0], &picture));
    let text = String::from_utf8_lossy(&asked[1].body).into_owned();
    assert!(text.contains("1,2\n") && !text.contains("caption") && !text.contains("attach:"), "{text}");
    let names = text.lines().filter(|line| line.contains("filename")).count();
    assert_eq!(names, 1, "{text}");
}

#[tokio::test]
async fn what_is_so_already_is_no_error() {
    let same =
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same";
    let gone = "Bad Request: message to edit not found";
    let (server, telegram) =
        Server::start([ok(&json!({})), refusal(400, same), refusal(400, gone), refusal(400, same), ok(&json!(true))])
            .await;
    let message = RemoteId { chat: -7, message: 5 };
    assert_eq!(telegram.edit_text(message, "x", &[]).await, Ok(()));
    assert_eq!(telegram.edit_text(message, "x", &[]).await, Ok(()));
    let error = telegram.edit_text(message, "x", &[]).await;
    assert!(matches!(error, Err(CallError::Refused { kind: Refusal::MessageGone, .. })));
    assert_eq!(telegram.edit_keyboard(message, &[]).await, Ok(()));
    assert_eq!(telegram.delete(message).await, Ok(()));
    let asked = server.asked();
    let edit = json!({ "chat_id": -7, "message_id": 5, "text": "x", "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true } });
    assert_eq!(asked[0].json(), edit);
    let bare = json!({ "chat_id": -7, "message_id": 5, "reply_markup": { "inline_keyboard": [] } });
    assert_eq!((asked[3].method.as_str(), asked[3].json()), ("EditMessageReplyMarkup", bare));
    assert_eq!(asked[4].json(), json!({ "chat_id": -7, "message_id": 5 }));
}

#[tokio::test]
async fn the_small_calls_say_what_they_mean() {
    let me = ok(&json!({ "id": 99, "is_bot": true, "first_name": "B", "username": "bell_bot" }));
    let done = || ok(&json!(true));
    let (server, telegram) = Server::start([me, done(), done(), done(), done(), done()]).await;
    let myself = telegram.me().await.expect("told").value;
    assert_eq!((myself.id, myself.username.as_str()), (99, "bell_bot"));
    telegram.answer_press("q", PressAnswer::Nothing).await.expect("answered");
    telegram.answer_press("q", PressAnswer::Toast(&"y".repeat(300))).await.expect("answered");
    telegram.answer_press("q", PressAnswer::Alert("no")).await.expect("answered");
    telegram.typing(-7, Some(40)).await.expect("shown");
    let menu = [("status".to_owned(), "How things stand".to_owned())];
    telegram.set_menu(MenuScope::Member { chat: -7, user: 8 }, &menu).await.expect("set");
    let asked: Vec<(String, Value)> =
        server.asked().iter().skip(1).map(|asked| (asked.method.clone(), asked.json())).collect();
    let expected = [
        ("AnswerCallbackQuery", json!({ "callback_query_id": "q" })),
        ("AnswerCallbackQuery", json!({ "callback_query_id": "q", "text": "y".repeat(200) })),
        ("AnswerCallbackQuery", json!({ "callback_query_id": "q", "text": "no", "show_alert": true })),
        ("SendChatAction", json!({ "chat_id": -7, "action": "typing", "message_thread_id": 40 })),
        (
            "SetMyCommands",
            json!({ "commands": [{ "command": "status", "description": "How things stand" }],
                "scope": { "type": "chat_member", "chat_id": -7, "user_id": 8 } }),
        ),
    ];
    assert_eq!(asked, expected.map(|(method, body)| (method.to_owned(), body)));
}

#[tokio::test]
async fn one_odd_update_hides_no_other_and_a_full_answer_is_read() {
    let chat = json!({ "id": 7, "type": "private", "first_name": "Ana" });
    let message = |text: &str| json!({ "message_id": 1, "date": 1, "chat": chat, "text": text });
    let updates = json!([
        { "update_id": 1, "message": message("one") },
        { "update_id": 2, "something_new": {} },
        { "update_id": 3, "message": message("three") },
    ]);
    // Fifty times the longest text, as answers to the longest text, each character in its widest spelling.
    let long = "\u{1F600}".repeat(4096);
    let full: Vec<Value> = (0..50)
        .map(|id| {
            let mut wide = message(&long);
            wide["reply_to_message"] = message(&long);
            json!({ "update_id": id, "message": wide })
        })
        .collect();
    let spelled = json!({ "ok": true, "result": full }).to_string().replace('\u{1F600}', "\\ud83d\\ude00");
    assert!(spelled.len() > 4 << 20);
    let (server, telegram) = Server::start([ok(&updates), answer(200, &spelled)]).await;
    let polled = telegram.updates(None, 50, Duration::from_secs(2)).await.expect("updates").value;
    let heard = |polled: &Polled| match polled {
        Polled::Heard(heard) => (heard.update_id, heard.kind == HeardKind::Message),
        Polled::Unreadable { update_id, .. } => (update_id.expect("a number"), false),
    };
    assert_eq!(polled.iter().map(heard).collect::<Vec<_>>(), [(1, true), (2, false), (3, true)]);
    let polled = telegram.updates(Some(4), 50, Duration::from_secs(2)).await.expect("updates").value;
    assert_eq!(polled.len(), 50);
    let asked = server.asked();
    let allowed = json!(["message", "edited_message", "callback_query", "my_chat_member"]);
    assert_eq!(asked[0].json(), json!({ "timeout": 2, "limit": 50, "allowed_updates": allowed }));
    assert_eq!((asked[1].method.as_str(), &asked[1].json()["offset"]), ("GetUpdates", &json!(4)));
}

#[test]
fn an_address_or_token_that_cannot_be_one_is_refused_without_telling_it() {
    let http = http_client(None, LONG).expect("a client");
    let clock = Arc::new(ManualClock::default());
    let make = |base: Option<&str>, token: &str| {
        let base = base.map(str::to_owned);
        TelegramClient::new(base, SecretString::from(token), http.clone(), clock.clone())
    };
    assert!(make(None, TOKEN).is_ok() && make(Some("http://127.0.0.1:1/some/where/"), TOKEN).is_ok());
    for base in ["", "telegram", "ftp://x", "http://", "https://x/?a=b"] {
        assert!(make(Some(base), TOKEN).is_err(), "{base}");
    }
    for token in ["", "CANARY", ":CANARY", "1:", "1:CANARY/../x", "1:CANARY\n", "1:CANARY?x", "1:CANARY:2"] {
        let error = make(None, token).expect_err("no token");
        assert!(!format!("{error} {error:?}").contains(CANARY));
    }
}

const OWN: &str = "telegram_client::in_a_process_of_its_own";

/// A process in which nobody named a provider of cryptography, and in which all is logged.
#[test]
fn the_factory_needs_no_provider_and_the_log_never_holds_the_token() {
    let program = std::env::current_exe().expect("this test");
    let run = Command::new(program).args(["--ignored", "--exact", OWN, "--nocapture"]).output().expect("run");
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
    assert!(said.contains("starting new connection"), "the client's log is not here: {said}");
    assert!(!said.contains(CANARY), "{said}");
}

#[tokio::test]
#[ignore = "run by the test before it, in a process of its own"]
async fn in_a_process_of_its_own() {
    assert!(CryptoProvider::get_default().is_none());
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(std::io::stderr).init();
    let (_, telegram) = Server::start([sent(5), refusal(400, &format!("/bot{TOKEN}/"))]).await;
    assert!(CryptoProvider::get_default().is_some());
    telegram.send_text(&posting(), "hello").await.expect("sent");
    tracing::info!(?telegram, error = ?failure(&telegram).await, "refused");
    for base in ["http://127.0.0.1:1".to_owned(), raw("", true).await] {
        tracing::info!(error = %failure(&Telegram::new(client(&base))).await, "failed");
    }
}
