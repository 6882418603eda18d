//! A lane on Discord: what is sent arrives once, in parts where it must, where it belongs, and by the token of whoever asked.

use std::sync::Arc;
use std::time::Duration;

use bellwether::channels::{Answers, DiscordLane, DiscordTarget};
use bellwether::clock::{Clock, ManualClock, Timestamp};
use bellwether::domain::{Attachment, AttachmentKind, Block, Button, Message, NoticeId, Severity};
use bellwether::notify::{Channel, Key, Post, SendError};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::discord_client::{ANA, clock, conforms, discord, pass};
use crate::support::discord::{Fake, number};
use crate::support::{post, titled};

const CHANNEL: i64 = 700;

struct Rig {
    fake: Fake,
    clock: Arc<ManualClock>,
    answers: Answers,
}

impl Rig {
    fn new() -> Self {
        let fake = Fake::start();
        fake.control("settings", &json!({ "rates": false }));
        fake.control("channel", &json!({ "channel": CHANNEL }));
        let clock = clock(&fake);
        Self { fake, clock, answers: Answers::default() }
    }

    /// A lane of a bot that was just started.
    fn lane(&self, channel: i64, threads: bool) -> DiscordLane {
        let topics = vec![("side".parse().expect("a name"), 701)];
        let target = DiscordTarget { channel, user: None, topics, threads };
        DiscordLane::new(discord(&self.fake, self.clock.clone()), target, self.answers.clone())
    }

    fn seen(&self, channel: i64) -> Vec<Value> {
        self.fake.seen(channel, ANA)
    }
}

/// A message of blocks, three of which fill a part.
fn long(letters: &str) -> Message {
    let blocks = letters.chars().map(|letter| Block::Line(letter.to_string().repeat(1_200).into())).collect();
    Message { blocks, ..Message::default() }
}

fn letters(message: &Value) -> String {
    let mut letters: Vec<char> = message["embeds"][0]["description"].as_str().unwrap_or_default().chars().collect();
    letters.retain(char::is_ascii_uppercase);
    letters.dedup();
    letters.into_iter().collect()
}

fn shown(rig: &Rig, channel: i64) -> Vec<String> {
    rig.seen(channel).iter().map(letters).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_carries_all_that_belongs_to_it() {
    let rig = Rig::new();
    let lane = rig.lane(CHANNEL, false);
    let message = titled("AAPL closed").with_buttons(vec![Button::new("Why", "/why T1")]);
    let picture = Attachment { kind: AttachmentKind::Picture, name: "a chart.png".to_owned(), bytes: vec![1, 2, 3] };
    let keys = vec![vec![Key { label: "Why".to_owned(), token: "tok".to_owned() }]];
    let message = Message { file: Some(picture), ..message };
    let sent = lane.send(&Post { silent: true, keys, ..post(7, message) }).await.expect("sent");
    let seen = rig.seen(CHANNEL).remove(0);
    assert_eq!(sent.remote.as_deref(), seen["id"].as_str());
    assert_eq!(seen["embeds"][0]["title"], "AAPL closed");
    assert_eq!(seen["embeds"][0]["image"]["url"], "attachment://a_chart.png");
    assert_eq!(seen["components"][0]["components"][0]["custom_id"], "tok");
    assert_eq!(seen["flags"], 4096, "without a sound");
    let asked = rig.fake.calls("create_message").remove(0);
    assert!(asked["params"]["nonce"].as_str().is_some_and(|nonce| nonce.len() <= 25 && nonce.ends_with("-0")));
    assert_eq!(asked["params"]["enforce_nonce"], true);
    assert_eq!(asked["params"]["allowed_mentions"], json!({ "parse": [] }));
    // A reply, and what is answered is gone meanwhile.
    lane.send(&Post { reply_to: sent.remote.clone(), ..post(8, titled("more")) }).await.expect("sent");
    assert_eq!(rig.seen(CHANNEL)[1]["message_reference"]["message_id"], seen["id"]);
    lane.send(&Post { reply_to: Some("12".to_owned()), ..post(9, titled("more")) }).await.expect("sent all the same");
    // The topic of its book.
    rig.fake.control("channel", &json!({ "channel": 701, "parent": CHANNEL.to_string() }));
    let side = Post { book: Some("side".parse().expect("a name")), ..post(10, titled("side")) };
    let there = lane.send(&side).await.expect("sent").remote.expect("a name");
    assert_eq!(there, format!("{}@701", rig.seen(701)[0]["id"].as_str().expect("text")));
    lane.send(&Post { edit: Some(there), ..post(11, titled("aside")) }).await.expect("changed where it is");
    assert_eq!(rig.seen(701)[0]["embeds"][0]["title"], "aside");
    conforms(&rig.fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_is_sent_and_changed_as_itself() {
    let rig = Rig::new();
    let lane = rig.lane(CHANNEL, false);
    let first = lane.send(&post(1, long("ABCDEFG"))).await.expect("sent").remote.expect("a number");
    assert_eq!(shown(&rig, CHANNEL), ["ABC", "DEF", "G"]);
    let again = |letters: &str| Post { edit: Some(first.clone()), ..post(1, long(letters)) };
    for (now, want) in [
        ("ABXDEYG", vec!["ABX", "DEY", "G"]),
        ("ABZ", vec!["ABZ"]),
        ("ABZDE", vec!["ABZ", "DE"]),
        ("ABZDF", vec!["ABZ", "DF"]),
    ] {
        lane.send(&again(now)).await.expect("changed");
        assert_eq!(shown(&rig, CHANNEL), want);
    }
    // The second part fails: the next try goes on there.
    rig.fake.control("fault", &json!({ "kind": "status", "method": "create_message", "times": 1 }));
    let failed = lane.send(&Post { parts_done: 1, ..post(2, long("KLMNO")) }).await.expect_err("failed");
    assert!(matches!(failed.what, SendError::Unreachable(_)) && failed.parts == 1, "{failed:?}");
    lane.send(&Post { parts_done: 1, ..post(2, long("KLMNO")) }).await.expect("sent");
    assert_eq!(shown(&rig, CHANNEL).last().map(String::as_str), Some("NO"));
    conforms(&rig.fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_arrives_once() {
    let rig = Rig::new();
    let born = rig.clock.now();
    rig.fake.control("fault", &json!({ "kind": "reset_after", "method": "create_message" }));
    let failed = rig.lane(CHANNEL, false).send(&post(5, titled("x"))).await.expect_err("no answer");
    assert!(matches!(failed.what, SendError::Unknown(_)), "{failed:?}");
    // A restart within two minutes: it goes again by its name.
    pass(&rig.fake, &rig.clock, Duration::from_secs(110));
    let again = |now: Timestamp| Post { again: Some(now), ..post(5, titled("x (perhaps a repeat of N42)")) };
    let sent = rig.lane(CHANNEL, false).send(&again(born)).await.expect("sent");
    assert_eq!((rig.seen(CHANNEL).len(), sent.detail), (1, None));
    // And long after: it is looked for.
    pass(&rig.fake, &rig.clock, Duration::from_mins(30));
    let found = rig.lane(CHANNEL, false).send(&again(born)).await.expect("found");
    assert_eq!(found.detail.as_deref(), Some("it had arrived"));
    assert_eq!(found.remote, sent.remote);
    assert_eq!((rig.seen(CHANNEL).len(), rig.fake.calls("create_message").len()), (1, 2));
    // What is not there is sent.
    let other = Post { number: Some(bellwether::domain::NoticeId(43)), ..again(born) };
    assert_eq!(rig.lane(CHANNEL, false).send(&Post { delivery: 6, ..other }).await.expect("sent").detail, None);
    assert_eq!(rig.seen(CHANNEL).len(), 2);
    // What is without a number is known by its text, though it says now that it may be a repeat.
    let answer = |more: &str, again| {
        let message = Message::answer(&format!("Equity 10,000.00\n3 trades{more}"));
        Post { number: None, again, delivery: 9, ..post(9, message) }
    };
    rig.lane(CHANNEL, false).send(&answer("", None)).await.expect("sent");
    let since = Some(rig.clock.now());
    pass(&rig.fake, &rig.clock, Duration::from_mins(5));
    let found = rig.lane(CHANNEL, false).send(&answer("\nPerhaps a repeat", since)).await.expect("found");
    assert_eq!(found.detail.as_deref(), Some("it had arrived"));
    conforms(&rig.fake);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_is_no_repeat() {
    let rig = Rig::new();
    rig.lane(CHANNEL, false).named_by([1; 32]).send(&post(1, titled("of yesterday"))).await.expect("sent");
    rig.lane(CHANNEL, false).named_by([2; 32]).send(&post(1, titled("of today"))).await.expect("sent");
    assert_eq!(rig.seen(CHANNEL).len(), 2, "though both are its first delivery");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_may_have_arrived_is_looked_for_as_itself() {
    let rig = Rig::new();
    let born = rig.clock.now();
    let lane = rig.lane(CHANNEL, false);
    lane.send(&post(5, long("ABCDE"))).await.expect("sent");
    let second = number(&rig.seen(CHANNEL)[1]["id"]);
    rig.fake.control("delete", &json!({ "channel": CHANNEL, "message": second }));
    pass(&rig.fake, &rig.clock, Duration::from_mins(30));
    let again = Post { again: Some(born), ..post(5, long("ABCDE")) };
    let found = rig.lane(CHANNEL, false).send(&again).await.expect("sent");
    assert_eq!(found.detail.as_deref(), Some("it had arrived"));
    assert_eq!(shown(&rig, CHANNEL), ["ABC", "DE"], "the part that was missing alone");
    assert_eq!(rig.fake.calls("create_message").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_server_that_did_it_all_the_same_is_found_out() {
    let rig = Rig::new();
    let lane = rig.lane(CHANNEL, false);
    rig.fake.control("fault", &json!({ "kind": "status", "effect": true, "method": "create_message" }));
    let failed = lane.send(&post(5, titled("x"))).await.expect_err("failed");
    assert!(matches!(failed.what, SendError::Unreachable(_)), "{failed:?}");
    pass(&rig.fake, &rig.clock, Duration::from_mins(10));
    let found = lane.send(&post(5, titled("x"))).await.expect("found");
    assert_eq!((rig.seen(CHANNEL).len(), found.detail.as_deref()), (1, Some("it had arrived")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_message_that_discord_takes_now_is_left_to_what_is_critical() {
    let rig = Rig::new();
    rig.fake.control("settings", &json!({ "rates": true }));
    let lane = rig.lane(CHANNEL, false);
    let quiet = |number| Post { severity: Severity::Info, ..post(number, titled("AAPL filled")) };
    for number in 1..=4 {
        lane.send(&quiet(number)).await.expect("taken");
    }
    let held = lane.send(&quiet(5)).await.expect_err("the fifth of five is kept").what;
    assert!(matches!(held, SendError::NotBefore(wait, _) if wait <= Duration::from_secs(5)), "{held}");
    let critical = Post { severity: Severity::Critical, ..post(6, titled("Daily loss limit")) };
    lane.send(&critical).await.expect("taken at once");
    assert_eq!((rig.seen(CHANNEL).len(), rig.fake.calls("create_message").len()), (5, 5), "nothing was refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_stands_in_a_thread() {
    let rig = Rig::new();
    let root =
        rig.lane(CHANNEL, true).send(&post(1, titled("AAPL opened"))).await.expect("sent").remote.expect("a name");
    let next = |delivery, to: &str| Post { reply_to: Some(to.to_owned()), ..post(delivery, titled("stop moved")) };
    let thread: i64 = root.parse().expect("a number");
    let lane = rig.lane(CHANNEL, true);
    let second = lane.send(&next(2, &root)).await.expect("sent").remote.expect("a name");
    assert!(second.ends_with(&format!("@{thread}")), "{second}");
    // Another run finds the thread there, and what answers a part of it goes there, too.
    rig.lane(CHANNEL, true).send(&next(3, &root)).await.expect("sent");
    rig.lane(CHANNEL, true).send(&next(4, &second)).await.expect("sent");
    assert_eq!((rig.seen(CHANNEL).len(), rig.seen(thread).len()), (1, 3));
    // Somebody removed the thread: the channel takes it.
    rig.fake.control("channel", &json!({ "channel": thread, "gone": true }));
    let there = lane.send(&next(5, &root)).await.expect("sent").remote.expect("a name");
    assert!(!there.contains('@'), "{there}");
    // None may be begun: a reply.
    rig.fake.control("channel", &json!({ "channel": CHANNEL, "no_threads": true }));
    let other = lane.send(&post(6, titled("MSFT opened"))).await.expect("sent").remote.expect("a name");
    lane.send(&next(7, &other)).await.expect("sent");
    let last = rig.seen(CHANNEL).pop().expect("a message");
    assert_eq!(last["message_reference"]["message_id"], other.as_str());
    conforms(&rig.fake);
}

/// Threads may be begun more seldom than messages are sent: the channel takes what cannot wait, once, wherever a repeat of it would go.
#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_thread_yet_is_neither_lost_nor_doubled() {
    let rig = Rig::new();
    let throttle = || rig.fake.control("fault", &json!({ "kind": "throttle", "method": "thread", "retry_ms": 50_000 }));
    let lost = || rig.fake.control("fault", &json!({ "kind": "reset_after", "method": "create_message" }));
    let lane = rig.lane(CHANNEL, true);
    let root = lane.send(&post(1, titled("AAPL opened"))).await.expect("sent").remote.expect("a name");
    let next = |delivery: i64, again| Post {
        reply_to: Some(root.clone()),
        number: Some(NoticeId(delivery.unsigned_abs())),
        again,
        ..post(delivery, long("ABCDE"))
    };
    throttle();
    let sent = lane.send(&next(2, None)).await.expect("sent").remote.expect("a name");
    assert!(!sent.contains('@') && rig.seen(CHANNEL).len() == 3, "{sent}");
    assert_eq!(rig.seen(CHANNEL)[1]["message_reference"]["message_id"], root.as_str());
    // It may have arrived there, and threads come again: both in one life, and in the next.
    for (delivery, restarts) in [(3, false), (4, true)] {
        pass(&rig.fake, &rig.clock, Duration::from_secs(51));
        let (born, before) = (Some(rig.clock.now()), rig.seen(CHANNEL).len());
        let lane = rig.lane(CHANNEL, true);
        throttle();
        lost();
        lane.send(&next(delivery, None)).await.expect_err("no answer");
        pass(&rig.fake, &rig.clock, Duration::from_secs(51));
        let lane = if restarts { rig.lane(CHANNEL, true) } else { lane };
        let sent = lane.send(&next(delivery, born)).await.expect("sent").remote.expect("a name");
        assert!(!sent.contains('@'), "{sent}");
        assert_eq!(rig.seen(CHANNEL).len(), before + 2, "both parts, each once");
    }
    // And then it has its thread.
    let sent = rig.lane(CHANNEL, true).send(&next(5, None)).await.expect("sent").remote.expect("a name");
    assert!(sent.ends_with(&format!("@{root}")), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_close_the_way_or_the_message_alone() {
    let rig = Rig::new();
    let ana = rig.fake.join(ANA);
    let lane = rig.lane(ana, false);
    let sent = lane.send(&post(1, titled("x"))).await.expect("sent").remote;
    let edit = |delivery| Post { edit: sent.clone(), ..post(delivery, titled("y")) };
    rig.fake.control("settings", &json!({ "old_edits": 1 }));
    pass(&rig.fake, &rig.clock, Duration::from_hours(2));
    lane.send(&edit(2)).await.expect("changed");
    assert_eq!(lane.send(&edit(3)).await.expect_err("spent").what, SendError::Gone, "it is said anew");
    rig.fake.control("join", &json!({ "user": ANA, "open": false }));
    assert!(matches!(lane.send(&post(4, titled("z"))).await.expect_err("shut").what, SendError::Shut(_)));
    assert!(matches!(lane.probe().await, Some(Err(_))));
    rig.fake.control("join", &json!({ "user": ANA }));
    assert!(matches!(lane.probe().await, Some(Ok(()))));
    rig.fake.control("delete", &json!({ "channel": ana, "message": sent.clone().expect("a name") }));
    assert_eq!(lane.send(&edit(5)).await.expect_err("gone").what, SendError::Gone);
    // A file that is too large is left out, and a form that is refused, too.
    let file = Attachment { kind: AttachmentKind::Document, name: "t.csv".to_owned(), bytes: vec![0; 11 << 20] };
    let sent = lane.send(&post(6, Message { file: Some(file), ..titled("trades") })).await.expect("sent");
    assert!(sent.detail.expect("told").contains("too large"));
    rig.fake
        .control("fault", &json!({ "kind": "refusal", "status": 400, "code": 50035, "message": "Invalid Form Body" }));
    let sent = lane.send(&post(7, titled("odd"))).await.expect("sent");
    assert!(sent.detail.expect("told").contains("as bare text"));
    assert_eq!(rig.seen(ana).pop().expect("a message")["embeds"][0]["description"], "odd\nand more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_one_alone_never_goes_into_a_channel() {
    let rig = Rig::new();
    let ana = rig.fake.join(ANA);
    let target = DiscordTarget { channel: CHANNEL, user: Some(ANA), topics: Vec::new(), threads: false };
    let lane = DiscordLane::new(discord(&rig.fake, rig.clock.clone()), target, rig.answers.clone());
    let to = |delivery, to: &str| Post { reply_to: Some(to.to_owned()), ..post(delivery, titled("Equity")) };
    let sent = lane.send(&to(1, "alone")).await.expect("sent").remote.expect("a name");
    assert!(sent.ends_with(&format!("@{ana}")), "{sent}");
    // Nobody has the token of this one any more.
    lane.send(&to(2, "interaction 77")).await.expect("sent");
    assert_eq!((rig.seen(ana).len(), rig.seen(CHANNEL).len()), (2, 0));
    lane.send(&Post { edit: Some(sent.clone()), ..post(3, long("ABCDE")) }).await.expect("changed");
    assert_eq!((rig.seen(ana).len(), rig.seen(CHANNEL).len()), (3, 0));
    // That they let nobody write to them says nothing about the channel.
    rig.fake.control("join", &json!({ "user": ANA, "open": false }));
    assert_eq!(lane.send(&to(4, "alone")).await.expect_err("shut").what, SendError::Gone);
    let longer = Post { edit: Some(sent), ..post(5, long("ABCDEFGHI")) };
    assert_eq!(lane.send(&longer).await.expect_err("shut").what, SendError::Gone);
    assert_eq!(rig.seen(CHANNEL).len(), 0);
    lane.send(&post(6, titled("for all"))).await.expect("sent");
    assert_eq!(rig.seen(CHANNEL).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_in_a_thread_that_is_gone_is_said_anew() {
    let rig = Rig::new();
    let edit = Post { edit: Some("5@4242".to_owned()), ..post(1, titled("x")) };
    assert_eq!(rig.lane(CHANNEL, true).send(&edit).await.expect_err("gone").what, SendError::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interaction_is_answered_by_its_token_while_that_lasts() {
    let rig = Rig::new();
    let ana = rig.fake.join(ANA);
    rig.fake.call("PUT", "/applications/900000000000000002/commands", &json!([{ "name": "pnl", "description": "x" }]));
    let discord = discord(&rig.fake, rig.clock.clone());
    discord.myself().await.expect("an account");
    let lane = rig.lane(ana, false);
    let ask = || {
        let typed = rig.fake.control("command", &json!({ "user": ANA, "channel": CHANNEL, "path": ["pnl"] }));
        number(&typed["id"]) as u64
    };
    let token = |id: u64| SecretString::from(format!("aW50ZXJhY3Rpb24{}-{id}", id % 9973));
    let defer = |id: u64| {
        let token = token(id);
        let path = format!("/interactions/{id}/{}/callback", secrecy::ExposeSecret::expose_secret(&token));
        let (status, answer) = rig.fake.call("POST", &path, &json!({ "type": 5, "data": { "flags": 64 } }));
        assert_eq!(status, 204, "{answer}");
        rig.answers.wait(id, token, rig.clock.steady());
    };
    let answer = |delivery, id: u64, text: &str| {
        let reply_to = Some(format!("interaction {id}"));
        Post { number: None, reply_to, ..post(delivery, Message::answer(text)) }
    };
    let id = ask();
    defer(id);
    let sent = lane.send(&answer(1, id, "Equity")).await.expect("answered");
    assert_eq!(sent.remote, Some(format!("interaction {id}")));
    lane.send(&answer(2, id, "and more")).await.expect("a message of its own");
    lane.send(&Post { edit: sent.remote, ..answer(3, id, "Equity!") }).await.expect("changed");
    let of_ana: Vec<Value> = rig.seen(CHANNEL).iter().map(|one| one["embeds"][0]["description"].clone()).collect();
    assert_eq!(of_ana, [json!("Equity!"), json!("and more")]);
    assert!(rig.fake.seen(CHANNEL, ANA + 1).is_empty(), "nobody else sees it");
    // A long one comes in parts.
    let id = ask();
    defer(id);
    let parts = Post { reply_to: Some(format!("interaction {id}")), ..post(4, long("ABCDE")) };
    lane.send(&parts).await.expect("answered");
    assert_eq!(shown(&rig, CHANNEL)[2..], ["ABC", "DE"]);
    // Too late, or after a restart: where they are alone.
    let id = ask();
    defer(id);
    pass(&rig.fake, &rig.clock, Duration::from_mins(14));
    let sent = lane.send(&answer(5, id, "late")).await.expect("sent");
    assert_eq!((rig.seen(ana).len(), sent.remote.as_deref()), (1, rig.seen(ana)[0]["id"].as_str()));
    let id = ask();
    rig.answers.wait(id, token(id), rig.clock.steady());
    lane.send(&answer(6, id, "never deferred")).await.expect("sent");
    assert_eq!(rig.seen(ana).len(), 2);
    conforms(&rig.fake);
}
