//! Who is let in on Telegram, and who is not any more: codes, edited files, groups, strangers, another copy, and updates that nobody can read.

use bellwether::domain::{ChannelKind, Lane, NoticeId};
use bellwether::store::Reader;
use serde_json::{Value, json};

use crate::support::talking::{ANA, BO, FAMILY, PEOPLE, PIN, STRANGER, TalkingBot};

/// A third account, nobody's at first.
const CAT: i64 = 503;

fn reader(life: &TalkingBot) -> Reader {
    Reader::open(&life.shell.path().join("bellwether.db")).expect("opens")
}

/// Messages of the bot that a chat shows.
fn told(life: &TalkingBot, chat: i64) -> Vec<String> {
    let people = [ANA, BO, CAT, STRANGER];
    let theirs = |message: &&Value| message["from"].as_i64().is_some_and(|from| !people.contains(&from));
    let seen = life.fake.seen(chat);
    seen.iter().filter(theirs).map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Sends a message that nobody answers; what the chat is told until somebody else's question is answered.
fn unanswered(life: &TalkingBot, from: i64, chat: i64, text: &str, (other, answer): (i64, &str)) -> Vec<String> {
    let before = told(life, chat).len();
    life.fake.control("message", &json!({ "from": from, "chat": chat, "text": text }));
    life.ask(other, other, "/status", answer);
    told(life, chat).split_off(before)
}

fn code_for(life: &TalkingBot, person: &str) -> String {
    // As somebody beside a service has it: the database and the file, and not the token.
    let output = life.shell.command(&["pair", person]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = said.lines().find_map(|line| line.trim().strip_prefix("/pair "));
    code.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

fn pair(life: &TalkingBot, person: &str, from: i64, answer: &str) {
    let code = code_for(life, person);
    life.ask(from, from, &format!("/pair {code}"), answer);
}

#[test]
fn a_pin_is_removed_sooner_or_later_or_its_writer_hears_that_it_stands_there() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let there = |life: &TalkingBot| life.fake.seen(ANA).iter().filter(|message| message["text"] == PIN).count();
    let fault = |kind: &str, times: u32, words: &str| json!({ "kind": kind, "method": "deleteMessage", "times": times, "description": words });
    life.fake.control("fault", &fault("status", 2, ""));
    let after = life.mark();
    life.ask(ANA, ANA, PIN, "Nothing asks for a PIN");
    life.wait_after(after, "deleteMessage", "", 3);
    while there(&life) > 0 {}
    // Refused for good: the writer has to do it.
    life.fake.control("fault", &fault("bad_request", 1, "Bad Request: message can't be deleted"));
    life.ask(ANA, ANA, PIN, "still stands above");
    assert_eq!(there(&life), 1);
    // Not even a restart forgets it.
    life.fake.control("fault", &fault("status", 0, ""));
    let after = life.mark();
    life.ask(ANA, ANA, PIN, "Nothing asks for a PIN");
    life.wait_after(after, "deleteMessage", "", 1);
    life.kill();
    life.fake.control("clear", &json!({ "method": "deleteMessage" }));
    let after = life.mark();
    life.start();
    life.wait_after(after, "deleteMessage", "", 1);
    while reader(&life).open_errands("telegram").expect("reads") > 0 {}
    assert_eq!(there(&life), 1, "the one that was refused");
}

#[test]
fn what_cannot_be_removed_for_one_leaves_nobody_elses_pin_in_the_chat() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let blocked = "Forbidden: bot was blocked by the user";
    let refused =
        json!({ "kind": "bad_request", "method": "deleteMessage", "times": 0, "chat": BO, "description": blocked });
    life.fake.control("fault", &refused);
    for n in 0..100 {
        life.fake.control("message", &json!({ "from": BO, "text": format!("{}", 7000 + n) }));
    }
    while reader(&life).open_errands("telegram").expect("reads") < 100 {}
    let gone = |life: &TalkingBot| {
        let after = life.mark();
        life.fake.control("message", &json!({ "from": ANA, "text": PIN }));
        let ask = json!({ "after": after, "method": "deleteMessage", "chat": ANA, "timeout_ms": 25_000 });
        life.fake.control("wait", &ask);
    };
    gone(&life);
    // Not even where nothing is answered.
    life.fake.control("clear", &json!({ "method": "deleteMessage" }));
    life.fake.control(
        "fault",
        &json!({ "kind": "hang", "method": "deleteMessage", "times": 0, "chat": BO, "effect": false }),
    );
    let after = life.mark();
    life.fake.control("message", &json!({ "from": BO, "text": "7100" }));
    while life.fake.log(after).iter().all(|entry| entry["method"] != "deleteMessage") {}
    gone(&life);
}

#[test]
fn who_is_bound_elsewhere_leaves_a_chat_that_hears_it_and_the_file_does_not_bring_it_back() {
    let mut life = TalkingBot::new(PEOPLE);
    life.fake.control("join", &json!({ "from": CAT, "quiet": true }));
    life.start();
    let after = life.mark();
    pair(&life, "ana", CAT, "Paired: this chat is ana's now");
    life.wait_after(after, "sendMessage", "This chat is not ana's any more", 1);
    assert_eq!(unanswered(&life, ANA, ANA, "/status", (CAT, "main is running")), Vec::<String>::new());
    // Somebody else takes the account: whoever had it has none, whatever the file says of older times.
    pair(&life, "bo", CAT, "this chat is bo's now, and nobody else's. It was ana's before");
    assert_eq!(unanswered(&life, ANA, ANA, "/halt", (CAT, "main is running")), Vec::<String>::new());
    life.ask(CAT, CAT, "/halt", "not for viewers");
    assert_eq!(unanswered(&life, BO, BO, "/status", (CAT, "main is running")), Vec::<String>::new());
    // Taken out of the file, started, put in again: what the file says is newer now.
    life.kill();
    let bo = PEOPLE.find("[[people]]\nname = \"bo\"").expect("there");
    let without_ana = PEOPLE[bo..].replace("ana:telegram", "bo:telegram");
    life.shell.write("bellwether.toml", &format!("[[people]]\nname = \"dan\"\n{without_ana}"));
    life.start();
    life.ask(CAT, CAT, "/status", "main is running");
    life.kill();
    life.shell.write("bellwether.toml", PEOPLE);
    life.start();
    life.ask(ANA, ANA, "/status", "main is running");
}

#[test]
fn what_an_edited_file_takes_away_is_gone_at_once() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.ask(BO, BO, "/status", "main is running");
    let (bo, groups) =
        (PEOPLE.find("[[people]]\nname = \"bo\"").expect("there"), PEOPLE.find("[[groups]]").expect("there"));
    let after = life.mark();
    life.shell.write("bellwether.toml", &format!("{}{}", &PEOPLE[..bo], &PEOPLE[groups..]));
    life.wait_after(after, "sendMessage", "people (what was taken away from them is gone already)", 1);
    assert_eq!(unanswered(&life, BO, BO, "/status", (ANA, "main is running")), Vec::<String>::new());
    assert_eq!(unanswered(&life, BO, FAMILY, "/schedule", (ANA, "main is running")), Vec::<String>::new());
    life.ask(ANA, FAMILY, "/schedule", "main");
    let scope = json!({ "scope": { "type": "chat", "chat_id": BO } });
    while reader(&life).open_errands("telegram").expect("reads") > 0 {}
    assert_eq!(life.fake.call("getMyCommands", &scope).expect("a menu"), json!([]), "who is gone is offered nothing");
}

#[test]
fn one_update_that_nobody_can_read_does_not_keep_the_others_from_being_heard() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.fake.control("update", &json!({ "kind": "message", "body": {}, "padding": 9_000_000 }));
    life.fake.control("update", &json!({ "kind": "kind_from_the_future", "body": { "odd": 1 } }));
    life.ask(ANA, ANA, "/status", "main is running");
    let alone = |entry: &&Value| entry["method"] == "getUpdates" && entry["params"]["limit"] == 1;
    assert!(life.fake.log(0).iter().filter(alone).count() >= 3);
    assert_eq!(reader(&life).totals().expect("reads").unread, [("telegram".to_owned(), 2)]);
}

#[test]
fn whoever_may_change_things_may_say_in_a_group_that_they_have_seen_them() {
    let groups = "[[routes]]\nkinds = [\"trading_halted\"]\nto = [\"family:telegram\"]\n";
    let mut life = TalkingBot::new(&format!("{PEOPLE}{groups}"));
    life.start();
    let after = life.mark();
    life.ask(ANA, ANA, "/halt", "HALTED");
    life.wait_after(after, "sendMessage", "HALTED", 2);
    let alarm = |life: &TalkingBot| {
        let seen = life.fake.seen(FAMILY);
        seen.into_iter().find(|one| one["text"].as_str().is_some_and(|text| text.starts_with("HALTED"))).expect("told")
    };
    let buttons = alarm(&life)["buttons"].clone();
    let labels: Vec<_> = buttons.as_array().into_iter().flatten().filter_map(|row| row.as_array()).flatten().collect();
    assert_eq!(labels.iter().map(|one| one["text"].as_str()).collect::<Vec<_>>(), [Some("Acknowledge")]);
    let press = |from: i64| {
        let id = alarm(&life)["message_id"].clone();
        life.fake.control("press", &json!({ "from": from, "chat": FAMILY, "message_id": id, "text": "Acknowledge" }));
    };
    press(STRANGER);
    let after = life.mark();
    press(BO);
    life.wait_after(after, "sendMessage", "/ack is not for viewers", 1);
    life.ask(BO, FAMILY, "/ack N2", "/ack is not for viewers");
    assert_eq!(reader(&life).ack(NoticeId(2)).expect("reads"), None);
    let after = life.mark();
    press(ANA);
    life.wait_after(after, "editMessageText", "Acknowledged by ana", 2);
    life.ask(ANA, FAMILY, "/ack N2", "N2 was acknowledged by ana");
    life.ask(ANA, FAMILY, "/resume", "not done in a group");
}

#[test]
fn a_group_that_moves_takes_no_message_along_and_a_strange_one_is_not_followed() {
    let (club, moved, strange) = (-300, -1_000_000_000_301_i64, -400);
    let groups = format!(
        "[[groups]]\nname = \"club\"\ntelegram = {club}\n[[routes]]\nkinds = [\"trading_halted\"]\nto = [\"club:telegram\"]\n"
    );
    let mut life = TalkingBot::new(&format!("{PEOPLE}{groups}"));
    for group in [club, strange] {
        life.fake.control("group", &json!({ "chat": group, "title": "club", "from": ANA }));
    }
    life.start();
    let after = life.mark();
    life.ask(ANA, ANA, "/halt", "HALTED");
    life.wait_after(after, "sendMessage", "HALTED", 2);
    life.ask(ANA, ANA, "/status", "halted");
    let lane: Lane = "club:telegram".parse().expect("a lane");
    assert!(reader(&life).remote_of(NoticeId(2), lane).expect("reads").is_some());
    life.fake.control("migrate", &json!({ "chat": strange, "to": -1_000_000_000_401_i64 }));
    life.fake.control("migrate", &json!({ "chat": club, "to": moved }));
    life.ask(ANA, moved, "/schedule", "main");
    assert_eq!(reader(&life).remote_of(NoticeId(2), lane).expect("reads"), None);
    assert_eq!(reader(&life).moved_chat(ChannelKind::Telegram, strange).expect("reads"), None);
    assert_eq!(reader(&life).moved_chat(ChannelKind::Telegram, club).expect("reads"), Some(moved));
    // Nothing is changed there that is somebody else's message now.
    let after = life.mark();
    life.ask(ANA, ANA, "/ack N2", "acknowledged");
    life.wait_after(after, "editMessageText", "Acknowledged by ana", 1);
    life.ask(ANA, moved, "/schedule", "main");
    let edited = |entry: &&Value| entry["method"] == "editMessageText" && entry["params"]["chat_id"] != ANA;
    assert_eq!(life.fake.log(after).iter().filter(edited).count(), 0);
}

#[test]
fn talk_in_a_group_is_nobodys_pin() {
    let mut life = TalkingBot::new(PEOPLE);
    life.fake.control("settings", &json!({ "privacy": false }));
    life.start();
    assert_eq!(unanswered(&life, BO, FAMILY, "call me: 987 654 321", (ANA, "main is running")), Vec::<String>::new());
    assert_eq!(unanswered(&life, BO, FAMILY, "2846", (ANA, "main is running")), Vec::<String>::new());
    life.ask(ANA, FAMILY, "/resume 987654321", "others can read it here");
    let log = life.fake.log(0);
    assert!(log.iter().all(|entry| entry["method"] != "deleteMessage"), "{log:#?}");
    life.kill();
    assert!(!crate::support::talking::holds(&life.left_behind(), "987654321"), "it is kept nowhere all the same");
}

#[test]
fn guessed_codes_are_told_and_answered_alike() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let after = life.mark();
    for number in 2..7 {
        life.fake.control("message", &json!({ "from": STRANGER, "text": format!("/pair AAAA-BBB{number}") }));
    }
    life.wait_after(after, "sendMessage", "5 wrong codes for pairing on telegram by 1 person", 1);
    assert_eq!(told(&life, STRANGER), Vec::<String>::new());
    for _ in 0..7 {
        life.ask(BO, BO, "/pair K7QX-2M9D", "That code is not valid");
    }
    let counted = reader(&life).strangers(ChannelKind::Telegram).expect("reads");
    assert_eq!(counted.iter().map(|(user, messages, _)| (*user, *messages)).collect::<Vec<_>>(), [(STRANGER, 5)]);
    // A code that is too short to be one uses nothing up.
    let code = code_for(&life, "bo");
    for _ in 0..25 {
        life.fake.control("message", &json!({ "from": CAT, "text": "/pair me" }));
    }
    life.ask(CAT, CAT, &format!("/pair {code}"), "Paired: this chat is bo's now");
}

#[test]
fn menus_and_prompts_are_for_those_they_are_meant_for() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.set_pin();
    life.wait("setMyCommands", None, "", 4);
    life.wait("deleteMyCommands", None, "", 2);
    let menu = |scope: Value| {
        let commands = life.fake.call("getMyCommands", &json!({ "scope": scope })).expect("a menu");
        let names = commands.as_array().into_iter().flatten().map(|one| one["command"].as_str().unwrap_or_default());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(menu(json!({ "type": "default" })).is_empty());
    assert!(menu(json!({ "type": "all_private_chats" })).is_empty());
    let groups = menu(json!({ "type": "all_group_chats" }));
    assert!(groups.contains(&"status".to_owned()) && !groups.contains(&"positions".to_owned()), "{groups:?}");
    let controls = ["halt", "resume", "book", "unlock", "mute", "ack"];
    assert!(controls.iter().all(|name| !groups.contains(&(*name).to_owned())), "{groups:?}");
    let own = menu(json!({ "type": "chat", "chat_id": ANA }));
    assert!(own.contains(&"halt".to_owned()) && own.len() <= 30, "{own:?}");
    // A prompt is neither forwarded nor saved; an answer may be.
    life.ask(ANA, ANA, "/halt", "halted");
    assert_eq!(life.last(ANA)["protected"], false);
    let asked = life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    assert_eq!(asked["params"]["protect_content"], true);
}

#[test]
fn what_was_moved_and_not_written_is_not_answered() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let now = life.fake.control("settings", &json!({}))["now_ms"].as_i64().expect("a time") / 1000;
    let place = json!({ "message_id": 9_001, "date": now, "edit_date": now, "location": { "longitude": 1.0, "latitude": 2.0 },
        "chat": { "id": ANA, "type": "private", "first_name": "Ana" },
        "from": { "id": ANA, "is_bot": false, "first_name": "Ana" } });
    life.fake.control("update", &json!({ "kind": "edited_message", "body": place }));
    life.ask(ANA, ANA, "/status", "main is running");
    assert!(told(&life, ANA).iter().all(|text| !text.contains("edited message")), "{:?}", told(&life, ANA));
}

#[test]
fn another_copy_is_told_once_and_is_seen_until_it_is_gone() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    for _ in 0..3 {
        let after = life.mark();
        life.fake.control("fault", &json!({ "kind": "conflict", "method": "getUpdates" }));
        life.fake.control("message", &json!({ "from": ANA, "text": "/less day_closed off" }));
        life.wait_after(after, "sendMessage", "as it is configured", 1);
    }
    let copies = life.fake.log(0).into_iter().filter(|entry| {
        entry["method"] == "sendMessage"
            && entry["params"]["text"].as_str().is_some_and(|text| text.contains("Another copy"))
    });
    assert_eq!(copies.count(), 1);
    while !life.shell(&["health"], "").contains("another copy of the bot reads the same chats") {}
}

#[test]
fn who_opens_the_chat_again_gets_at_once_what_waited() {
    let mut life = TalkingBot::new(&PEOPLE.replace("\"viewer\"", "\"operator\""));
    life.start();
    life.fake.control("join", &json!({ "from": ANA, "action": "block", "quiet": true }));
    life.ask(BO, BO, "/halt", "halted");
    while !life.shell(&["health"], "").contains("lane ana:telegram: NOT WELL, dead") {}
    let after = life.mark();
    life.fake.control("join", &json!({ "from": ANA, "action": "unblock" }));
    let ask = json!({ "after": after, "method": "sendMessage", "chat": ANA, "text_contains": "HALTED", "timeout_ms": 15_000 });
    // A lane that refuses everything rests for half a minute.
    life.fake.control("wait", &ask);
}
