//! Push messages: what a phone is shown, what becomes of a message whatever the server does, and that a run opens the lane.

use std::sync::Arc;
use std::time::Duration;

use bellwether::channels::{Ntfy, http_client};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::domain::{Block, Button, Line, Message, RouteTable, Severity, Span};
use bellwether::notify::{Channel, Post, Receipt, SendError};
use tokio::net::{TcpListener, TcpSocket};

use crate::support::ntfy::{FakeNtfy, Stumble};
use crate::support::{PostOffice, Shell, THEIRS, lane, post, sample, samples, seen, titled};

const LONG: Duration = Duration::from_secs(30);
const TOKEN: &str = ":tk_CANARY";
const CANARY: &str = "CANARY";

fn push(url: &str, timeout: Duration) -> Ntfy {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_ms(1_795_255_200_000)));
    let http = http_client(None, LONG).expect("a client");
    Ntfy::new(url, "ana".to_owned(), timeout, [7; 32], http, clock).expect("a topic")
}

/// What becomes of a message; no error tells a secret.
async fn outcome(ntfy: &Ntfy, post: &Post) -> Result<Receipt, SendError> {
    ntfy.send(post).await.map_err(|failure| {
        let told = format!("{failure} {failure:?}");
        assert!(!told.contains(CANARY) && !told.contains("127.0.0.1"), "{told}");
        failure.what
    })
}

#[tokio::test]
async fn a_phone_shows_the_fact_first_and_is_as_loud_as_it_should_be() {
    let (fake, url) = FakeNtfy::start(TOKEN);
    let ntfy = push(&url, LONG);
    let mut receipts = Vec::new();
    for (delivery, (severity, silent)) in
        Severity::ALL.into_iter().flat_map(|severity| [(severity, false), (severity, true)]).enumerate()
    {
        let one = Post { severity, silent, ..post(delivery as i64, titled("A fact, \u{1f514} \"said\"")) };
        receipts.push(outcome(&ntfy, &one).await.expect("taken").remote);
    }
    let taken = fake.taken();
    assert_eq!(taken.iter().map(|pushed| pushed.priority).collect::<Vec<_>>(), [3, 1, 3, 2, 4, 2, 5, 2]);
    assert_eq!(taken.iter().map(|pushed| pushed.sequence_id.clone()).collect::<Vec<_>>(), receipts);
    assert_eq!(taken[4].title.as_deref(), Some("A fact, \u{1f514} \"said\""));
    assert_eq!((taken[4].message.as_str(), taken[4].topic.as_str()), ("and more", "CANARY-topic"));
    assert_eq!(taken[4].tags, ["warning", "N42", "main"]);
    assert_eq!(taken[6].tags, ["critical", "rotating_light", "N42", "main"]);
    assert!(taken.is_sorted_by_key(|pushed| pushed.at));
    assert_eq!(fake.phone().len(), 8);
}

#[tokio::test]
async fn what_buttons_type_stands_in_the_text_and_links_can_be_opened() {
    let (fake, url) = FakeNtfy::start("");
    let row = vec![Button::new("Acknowledge", "/ack N42"), Button::new("Page", "https://example.org/N42")];
    outcome(&push(&url, LONG), &post(1, titled("A fact").with_buttons(row))).await.expect("taken");
    let links: Vec<Button> =
        (0..9).map(|number| Button::new("Page", format!("https://example.org/{number}"))).collect();
    outcome(&push(&url, LONG), &post(2, titled("A fact").with_buttons(links))).await.expect("taken");
    let taken = fake.taken();
    assert!(taken[0].message.contains("Acknowledge: /ack N42"), "{}", taken[0].message);
    assert_eq!(
        taken[0].actions,
        [serde_json::json!({"action": "view", "label": "Page", "url": "https://example.org/N42"})]
    );
    assert_eq!(taken[1].actions.len(), 3);
}

#[tokio::test]
async fn a_long_text_is_cut_at_the_end_of_a_line_and_says_where_the_rest_is() {
    let (fake, url) = FakeNtfy::start("");
    let ntfy = push(&url, LONG);
    // Around the limit, letters of one to four bytes, and those that JSON writes with two.
    for letter in ["x", "ä", "\u{20ac}", "\u{1f514}", "\"", "\\"] {
        for length in [1, 7, 99, 5_000] {
            for lines in [1, 40, 41, 42, 43, 500] {
                let text = (0..lines).map(|_| letter.repeat(length));
                let message = Message::of_lines(std::iter::once("A fact".to_owned()).chain(text));
                outcome(&ntfy, &post(1, message)).await.expect("taken");
            }
        }
    }
    for pushed in fake.taken() {
        let Some((head, last)) = pushed.message.rsplit_once('\n') else { continue };
        let whole = pushed.message.lines().next().expect("a line");
        assert!(last == whole || last == "\u{2026} the rest: /trace N42", "{last}");
        assert!(head.lines().all(|line| line == whole), "cut in a line: {head}");
    }
    let cut = |message: &str| message.ends_with("N42");
    assert!(fake.taken().iter().any(|pushed| cut(&pushed.message) && pushed.message.len() > 3_900));
    // What has no lines is cut between letters; a title that is too long is no title.
    for block in [Block::Title(Line::from("\u{20ac}".repeat(9_000))), Block::Line(Line::from("\u{20ac}".repeat(200)))] {
        outcome(&ntfy, &post(1, Message { blocks: vec![block], ..Message::default() })).await.expect("taken");
    }
    let taken = fake.taken();
    let [.., long, short] = taken.as_slice() else { panic!("two more") };
    assert!(long.title.is_none() && long.message.starts_with("\u{20ac}\u{20ac}") && cut(&long.message));
    assert!(short.title.is_none() && short.message.len() == 600);
}

#[tokio::test]
async fn every_fact_and_hostile_words_are_taken() {
    // An address writes a password in its own letters; the server gets it as it is.
    let (fake, url) = FakeNtfy::start("ana:CANARY p\u{e4}ss");
    let ntfy = push(&url, LONG);
    let telling = bellwether::notify::Telling::plain(chrono_tz::UTC, "paper");
    let all = samples();
    for (number, event) in all.iter().enumerate() {
        let message = Message { blocks: bellwether::notify::told(event, &telling), ..Message::default() };
        outcome(&ntfy, &post(number as i64, message)).await.expect("taken");
    }
    let words = vec![Span::Text("Said: ".to_owned()), Span::Untrusted(format!("{THEIRS} \"\\\n\0\u{1b}"))];
    let mut hostile = post(9_999, Message { blocks: vec![Block::Title(Line(words))], ..Message::default() });
    (hostile.number, hostile.book) = (None, None);
    outcome(&ntfy, &hostile).await.expect("taken");
    let taken = fake.taken();
    assert_eq!(taken.len(), all.len() + 1);
    assert!(!taken.last().expect("taken").message.contains("@all"));
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let (fake, url) = FakeNtfy::start(TOKEN);
    let ntfy = push(&url, Duration::from_millis(300));
    let asks = |words: &str| (429, vec![("retry-after", words.to_owned())]);
    let page = format!("<html>{CANARY}</html>");
    for ((status, headers), want) in [
        (asks("7"), SendError::Throttled(Duration::from_secs(7))),
        (asks("99999999999"), SendError::Throttled(Duration::from_hours(1))),
        ((429, vec![]), SendError::Throttled(Duration::from_secs(10))),
        ((500, vec![]), SendError::Unreachable("it answered 500 Internal Server Error".to_owned())),
        ((507, vec![]), SendError::Unreachable("it answered 507 Insufficient Storage".to_owned())),
        ((401, vec![]), SendError::Shut("it answered 401 Unauthorized".to_owned())),
        ((403, vec![]), SendError::Shut("it answered 403 Forbidden".to_owned())),
        ((413, vec![]), SendError::Rejected("it answered 413 Payload Too Large".to_owned())),
        ((200, vec![]), SendError::Shut("there is no ntfy server at this address".to_owned())),
    ] {
        fake.script([Stumble::Answer(status, headers, page.clone())]);
        assert_eq!(outcome(&ntfy, &post(1, titled("A fact"))).await, Err(want), "{status}");
    }
    assert_eq!((fake.asked(), fake.taken().len()), (9, 0), "nothing is repeated here");
    fake.script([Stumble::Cut, Stumble::Break, Stumble::Silent]);
    outcome(&ntfy, &post(1, titled("A fact"))).await.expect("its head said so");
    for _ in 0..2 {
        let lost = outcome(&ntfy, &post(1, titled("A fact"))).await;
        assert!(matches!(lost, Err(SendError::Unknown(_))), "{lost:?}");
    }
    outcome(&ntfy, &post(1, titled("A fact, again"))).await.expect("taken");
    assert_eq!((fake.taken().len(), fake.phone().len()), (4, 1), "a repeat takes the place of the first");
    // Bound, so that nobody else gets the port, but not listening.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let url = format!("http://{TOKEN}@{}/{CANARY}", deaf.local_addr().expect("bound"));
    let refused = outcome(&push(&url, LONG), &post(1, titled("A fact"))).await;
    assert!(matches!(refused, Err(SendError::Unreachable(_))), "{refused:?}");
    let closes = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{TOKEN}@{}/{CANARY}", closes.local_addr().expect("bound"));
    tokio::spawn(async move { while closes.accept().await.is_ok() {} });
    let reset = outcome(&push(&url, LONG), &post(1, titled("A fact"))).await;
    assert!(matches!(reset, Err(SendError::Unknown(_))), "{reset:?}");
}

#[test]
fn an_address_without_a_topic_is_refused_without_being_told() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_ms(0)));
    let long = "x".repeat(65);
    for path in ["", "/", "/a/b", "/a%20b", "/a,b", &format!("/{long}")] {
        let http = http_client(None, LONG).expect("a client");
        let url = format!("https://ana:{CANARY}@example.org{path}");
        let refused = Ntfy::new(&url, "ana".to_owned(), LONG, [7; 32], http, clock.clone()).err();
        assert!(refused.expect(path).contains("names no topic"), "{path}");
    }
}

#[test]
fn a_dead_server_is_told_on_another_lane_and_its_messages_wait() {
    let mut office = PostOffice::new(RouteTable::simple(&[lane("ana:ntfy"), lane("bo:telegram")], Severity::Notice));
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{TOKEN}@{}/{CANARY}", port.local_addr().expect("bound"));
    // Nobody listens there from now on.
    drop(port);
    office.plug("ana:ntfy", Arc::new(push(&url, LONG)));
    office.happen([sample("symbol_locked").kind]);
    office.run("ana:ntfy", 60);
    office.run("bo:telegram", 2);
    let told = office.wire("bo:telegram").take().join("\n");
    assert!(told.contains("ana:ntfy") && !told.contains(CANARY) && !told.contains("127.0.0.1"), "{told}");
    assert!(office.counts("ana:ntfy").open > 0);
}

/// The whole program: the first owner is told by push messages, and nothing that is printed holds the token.
#[test]
fn a_run_tells_by_ntfy() {
    let (fake, url) = FakeNtfy::start(TOKEN);
    let shell = Shell::new();
    let people = "[[people]]\nname = \"ana\"\nrole = \"owner\"\n";
    shell.write("bellwether.toml", &format!("{people}[[routes]]\nto = [\"ana:ntfy\"]\n"));
    let mut command = shell.command(&["run", "--no-console", "--speed", "max", "--cycles", "3"]);
    let (code, out, err) = seen(command.env("NTFY_URL", &url).output().expect("starts"));
    assert_eq!(code, 0, "{out}{err}");
    assert!(!format!("{out}{err}").contains(CANARY), "{out}{err}");
    assert!(fake.taken().iter().any(|pushed| pushed.tags.contains(&"N1".to_owned())), "{:?}", fake.taken());
    let mut command = shell.command(&["run", "--no-console", "--speed", "max", "--cycles", "3"]);
    let (code, out, err) = seen(command.env("NTFY_URL", "https://ana:CANARY@example.org").output().expect("starts"));
    assert!(code != 0 && err.contains("NTFY_URL") && err.contains("no topic"), "{code} {out}{err}");
    assert!(!format!("{out}{err}").contains(CANARY), "{out}{err}");
}
