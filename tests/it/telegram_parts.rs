//! A message that is too long for one: each of its parts is sent, refused, and changed as itself.

use std::sync::Arc;
use std::time::Duration;

use bellwether::channels::{Target, Telegram, TelegramClient, TelegramLane, http_client};
use bellwether::clock::SystemClock;
use bellwether::domain::{Block, Message, Severity};
use bellwether::notify::{Channel, Post};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::telegram::Fake;

const OWNER: i64 = 501;

/// A chat of the fake as a lane.
fn lane(fake: &Fake) -> TelegramLane {
    let http = http_client(None, Duration::from_secs(5)).expect("a client");
    let token = SecretString::from(Fake::token());
    let client = TelegramClient::new(Some(fake.url()), token, http, Arc::new(SystemClock::new())).expect("a client");
    let target = Target { chat: OWNER, topics: Vec::new() };
    TelegramLane::new(Telegram::new(client), target, Arc::new(|_, _| {}))
}

/// A message of blocks, three of which fill a part, each of which says what it is.
fn post(letters: &str, edit: Option<String>) -> Post {
    let blocks = letters.chars().map(|letter| Block::Line(letter.to_string().repeat(1_200).into())).collect();
    Post {
        message: Message { blocks, ..Message::default() },
        number: None,
        severity: Severity::Notice,
        kind: None,
        again: None,
        book: None,
        silent: false,
        reply_to: None,
        edit,
        keys: Vec::new(),
        parts_done: 0,
        delivery: 1,
    }
}

/// The letters of each message that the chat shows.
fn shown(fake: &Fake) -> Vec<String> {
    let letters = |message: &Value| {
        let mut letters: Vec<char> = message["text"].as_str().unwrap_or_default().chars().collect();
        letters.retain(char::is_ascii_uppercase);
        letters.dedup();
        letters.into_iter().collect()
    };
    fake.seen(OWNER).iter().map(letters).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_is_refused_and_changed_as_itself() {
    let fake = Fake::start();
    fake.control("settings", &json!({ "flood": false }));
    fake.control("join", &json!({ "from": OWNER, "quiet": true }));
    let lane = lane(&fake);
    let first = lane.send(&post("ABCDEFG", None)).await.expect("sent").remote.expect("a number");
    assert_eq!(shown(&fake), ["ABC", "DEF", "G"]);
    let again = |letters: &str| post(letters, Some(first.clone()));
    lane.send(&again("ABXDEYG")).await.expect("changed");
    assert_eq!(shown(&fake), ["ABX", "DEY", "G"]);
    // It becomes shorter, and longer again.
    lane.send(&again("ABZ")).await.expect("changed");
    assert_eq!(shown(&fake), ["ABZ"]);
    lane.send(&again("ABZDE")).await.expect("changed");
    assert_eq!(shown(&fake), ["ABZ", "DE"]);
    lane.send(&again("ABZDF")).await.expect("changed");
    assert_eq!(shown(&fake), ["ABZ", "DF"]);
    // What Telegram cannot format is said without form, and it is the part that was refused.
    let refused = json!({ "kind": "bad_request", "method": "editMessageText", "description": "Bad Request: can't parse entities: x" });
    fake.control("fault", &refused);
    lane.send(&again("ABZDH")).await.expect("changed");
    assert_eq!(shown(&fake), ["ABZ", "DH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_part_that_is_refused_says_what_the_second_part_says() {
    let fake = Fake::start();
    fake.control("settings", &json!({ "flood": false }));
    fake.control("join", &json!({ "from": OWNER, "quiet": true }));
    let refused = |times: u32| json!({ "kind": "bad_request", "method": "sendMessage", "times": times, "description": "Bad Request: can't parse entities: x" });
    fake.control("fault", &refused(1));
    let lane = lane(&fake);
    lane.send(&post("ABCDE", None)).await.expect("sent");
    assert_eq!(shown(&fake), ["ABC", "DE"]);
    // The second part alone: the first has arrived by an earlier try.
    fake.control("fault", &refused(1));
    lane.send(&Post { parts_done: 1, ..post("ABCDE", None) }).await.expect("sent");
    assert_eq!(shown(&fake), ["ABC", "DE", "DE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_on_is_changed_as_one() {
    let fake = Fake::start();
    fake.control("settings", &json!({ "flood": false }));
    fake.control("join", &json!({ "from": OWNER, "quiet": true }));
    let lane = lane(&fake);
    // The first part of ABCDE is there by a try whose second part failed.
    lane.send(&post("ABC", None)).await.expect("sent");
    let first =
        lane.send(&Post { parts_done: 1, ..post("ABCDE", None) }).await.expect("sent").remote.expect("a number");
    assert_eq!(shown(&fake), ["ABC", "DE"]);
    lane.send(&post("ABXDE", Some(first))).await.expect("changed");
    assert_eq!(shown(&fake), ["ABX", "DE"]);
}
