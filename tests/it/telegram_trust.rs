//! Whom the bot trusts on Telegram: people's own words, what they may by now, and every answer that can be read.

use bellwether::domain::ChannelKind;
use bellwether::store::Reader;
use serde_json::{Value, json};

use crate::support::talking::{ANA, BO, FAMILY, PEOPLE, PIN, STRANGER, TalkingBot, holds};

fn reader(life: &TalkingBot) -> Reader {
    Reader::open(&life.shell.path().join("bellwether.db")).expect("opens")
}

fn told(life: &TalkingBot, chat: i64) -> Vec<String> {
    let people = [ANA, BO, STRANGER];
    let theirs = |message: &&Value| message["from"].as_i64().is_some_and(|from| !people.contains(&from));
    let seen = life.fake.seen(chat);
    seen.iter().filter(theirs).map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn talk_that_begins_with_stop_in_a_group_is_not_answered() {
    let mut life = TalkingBot::new(PEOPLE);
    life.fake.control("settings", &json!({ "privacy": false }));
    life.start();
    life.fake.control("message", &json!({ "from": ANA, "chat": FAMILY, "text": "Stop teasing your sister" }));
    life.ask(ANA, ANA, "/status", "main is running");
    assert_eq!(told(&life, FAMILY), Vec::<String>::new());
}

#[test]
fn a_picture_that_is_passed_on_does_not_halt() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let now = life.fake.control("settings", &json!({}))["now_ms"].as_i64().expect("a time") / 1000;
    let body = json!({ "message_id": 9_001, "date": now,
        "photo": [{ "file_id": "a", "file_unique_id": "b", "file_size": 3, "width": 1, "height": 1 }],
        "caption": "Stop losses surge as markets fall",
        "forward_origin": { "type": "hidden_user", "date": 1_780_000_000, "sender_user_name": "News" },
        "chat": { "id": ANA, "type": "private", "first_name": "Ana" },
        "from": { "id": ANA, "is_bot": false, "first_name": "Ana" } });
    life.fake.control("update", &json!({ "kind": "message", "body": body }));
    let said = life.ask(ANA, ANA, "/status", "main is");
    assert!(said["params"]["text"].as_str().expect("a text").contains("main is running"), "{:?}", told(&life, ANA));
}

#[test]
fn an_old_sentence_that_is_edited_does_not_halt_again() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let now = life.fake.control("settings", &json!({}))["now_ms"].as_i64().expect("a time") / 1000;
    let body = json!({ "message_id": 9_001, "date": now - 20 * 86_400, "edit_date": now, "text": "stop it, please",
        "forward_origin": { "type": "hidden_user", "date": 1_780_000_000, "sender_user_name": "News" },
        "chat": { "id": ANA, "type": "private", "first_name": "Ana" },
        "from": { "id": ANA, "is_bot": false, "first_name": "Ana" } });
    life.fake.control("update", &json!({ "kind": "edited_message", "body": body }));
    let said = life.ask(ANA, ANA, "/status", "main is");
    assert!(said["params"]["text"].as_str().expect("a text").contains("main is running"), "{:?}", told(&life, ANA));
}

#[test]
fn whoever_is_a_viewer_by_now_confirms_nothing() {
    let people = PEOPLE.replace("role = \"viewer\"", "role = \"operator\"");
    let mut life = TalkingBot::new(&people);
    life.start();
    let said = life.shell(&["pin", "set", "bo"], &format!("{PIN}\n{PIN}\n"));
    assert!(said.contains("PIN of bo set"), "{said}");
    life.ask(BO, BO, "/halt", "halted");
    life.ask(BO, BO, "/resume", "Valid for 60 s");
    let after = life.mark();
    life.shell.write("bellwether.toml", PEOPLE);
    life.wait_after(after, "sendMessage", "people (what was taken away from them is gone already)", 1);
    life.ask(BO, BO, "/halt", "not for viewers");
    life.fake.control("message", &json!({ "from": BO, "text": PIN }));
    let said = life.ask(ANA, ANA, "/status", "main is");
    assert!(
        said["params"]["text"].as_str().expect("a text").contains("main is halted"),
        "{said} {:?}",
        told(&life, BO)
    );
}

#[test]
fn a_code_is_kept_nowhere_however_it_is_typed() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    // People add a full stop, leave the dash out, or paste it alone.
    let codes = [
        "K7QX-2M9E.",
        "\"K7QX-2M9F\"",
        "pair K7QX 2M9G",
        "/pair:K7QX-2M9H",
        "/pairK7QX-2M9J",
        "/messages pair K7QX 2M9K",
    ];
    for code in codes {
        life.fake.control("message", &json!({ "from": BO, "text": code }));
    }
    life.ask(ANA, ANA, "/status", "main is running");
    life.kill();
    let left = life.left_behind();
    let kept: Vec<&str> = ["K7QX-2M9E", "K7QX-2M9F", "K7QX 2M9G", "K7QX-2M9H", "K7QX-2M9J", "K7QX 2M9K"]
        .into_iter()
        .filter(|code| holds(&left, code))
        .collect();
    assert_eq!(kept, Vec::<&str>::new());
}

#[test]
fn members_of_a_known_group_who_talk_are_no_burst_of_strangers() {
    let mut life = TalkingBot::new(PEOPLE);
    life.fake.control("settings", &json!({ "privacy": false }));
    life.start();
    for n in 0..12 {
        life.fake.control("message", &json!({ "from": STRANGER, "chat": FAMILY, "text": format!("dear diary {n}") }));
    }
    life.ask(ANA, ANA, "/status", "main is running");
    let counted = reader(&life).strangers(ChannelKind::Telegram).expect("reads");
    let said = told(&life, ANA);
    life.kill();
    let kept = holds(&life.left_behind(), "dear diary 3");
    assert!(counted.is_empty() && !kept, "{counted:?} {kept} {said:#?}");
}

#[test]
fn a_line_that_cuts_some_answers_loses_no_halt() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.ask(ANA, ANA, "/status", "main is running");
    life.kill();
    life.fake.control("message", &json!({ "from": ANA, "text": "/halt" }));
    let cut = json!({ "kind": "cut_json", "method": "getUpdates", "times": 1 });
    let pass = json!({ "kind": "slow", "method": "getUpdates", "times": 1, "bytes": 100_000, "ms": 1 });
    for fault in [&cut, &cut, &cut, &pass, &cut, &pass, &cut, &pass] {
        life.fake.control("fault", fault);
    }
    life.start();
    life.ask(ANA, ANA, "/status", "main is halted");
    assert!(reader(&life).totals().expect("reads").unread.is_empty(), "nothing was passed over");
}
