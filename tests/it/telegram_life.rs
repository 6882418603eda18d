//! The program on Telegram, as people have it: started by environment and TOML alone, against a server of another process's making.

use bellwether::store::Reader;
use serde_json::{Value, json};

use crate::support::talking::{ANA, BO, FAMILY, PEOPLE, PIN, STRANGER, TalkingBot, holds};
use crate::support::telegram::Fake;

#[test]
fn strangers_learn_nothing_and_a_code_binds_whoever_has_it() {
    let mut life = TalkingBot::new("[[people]]\nname = \"ana\"\n");
    life.start();
    life.fake.control("message", &json!({ "from": STRANGER, "text": "/status" }));
    life.fake.control("message", &json!({ "from": STRANGER, "text": "/pair AAAA-BBBB" }));
    let said = life.shell(&["pair", "ana"], "");
    let code = said.lines().find_map(|line| line.trim().strip_prefix("/pair ")).expect("a code").to_owned();
    let after = life.mark();
    life.fake.control("message", &json!({ "from": ANA, "text": format!("/pair {}", code.to_lowercase()) }));
    life.wait_after(after, "sendMessage", "Paired: this chat is ana's", 1);
    // The message with the code is removed, and a second use of it does nothing.
    life.wait("deleteMessage", Some(ANA), "", 1);
    life.fake.control("message", &json!({ "from": BO, "text": format!("/pair {code}") }));
    life.ask(ANA, ANA, "/status", "main is running");
    for nobody in [STRANGER, BO] {
        let theirs = life.fake.seen(nobody);
        assert!(theirs.iter().all(|message| message["from"].as_i64() == Some(nobody)), "{theirs:?}");
    }
    let reader = Reader::open(&life.shell.path().join("bellwether.db")).expect("opens");
    let counted = reader.strangers(bellwether::domain::ChannelKind::Telegram).expect("reads");
    assert_eq!(counted.iter().map(|(_, messages, _)| messages).sum::<u64>(), 3);
    assert!(!holds(&life.left_behind(), &code.replace('-', "")), "the code is kept nowhere");
}

/// Prompts for a PIN that a person sees.
fn pads(life: &TalkingBot) -> usize {
    life.fake.seen(ANA).iter().filter(|one| one["text"].as_str().is_some_and(|text| text.contains("Valid for"))).count()
}

#[test]
fn a_pin_that_is_locked_is_not_asked_for() {
    let mut life = TalkingBot::new(&PEOPLE.replace("role = \"owner\"", "zone = \"Asia/Tokyo\""));
    life.start();
    life.set_pin();
    life.ask(ANA, ANA, "/halt", "halted");
    for tries in 1..=5 {
        life.ask(ANA, ANA, "/resume", "Valid for 60 s");
        let after = life.mark();
        life.fake.control("message", &json!({ "from": ANA, "text": "111222" }));
        let want = if tries == 5 { "the PIN is locked until" } else { "wrong PIN" };
        let edit = life.wait_after(after, "editMessageText", want, 1);
        let said = edit[0]["params"]["text"].as_str().expect("text");
        assert_eq!(tries == 5, said.ends_with("JST"), "{said}");
    }
    let refused = life.ask(ANA, ANA, "/resume", "the PIN is locked until")["params"].clone();
    assert!(refused["text"].as_str().is_some_and(|text| text.ends_with("JST")), "{refused}");
    assert!(refused["reply_markup"].is_null(), "no pad: {refused}");
    assert_eq!(pads(&life), 0);
}

#[test]
fn a_change_waits_for_the_pin_which_stays_nowhere() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.set_pin();
    life.ask(ANA, ANA, "/halt", "halted");
    // By the pad: each key is answered, the message changes once, at the end.
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let prompt = life.fake.seen(ANA).into_iter().rev().find(|message| message["buttons"].is_array()).expect("a pad");
    let (id, after) = (prompt["message_id"].clone(), life.mark());
    for digit in PIN.chars() {
        life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": digit.to_string() }));
    }
    life.wait_after(after, "answerCallbackQuery", "", PIN.len());
    life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": "OK" }));
    life.wait_after(after, "editMessageText", "", 1);
    let shown = life.fake.seen(ANA).into_iter().find(|message| message["message_id"] == id).expect("there");
    assert!(shown["text"] == "Accepted" && shown["edits"] == 1, "{shown}");
    life.wait_after(after, "sendMessage", "running: main", 1);
    assert!(shown["buttons"].is_null(), "the pad is gone: {shown}");
    // Typed: the message is removed at once.
    life.ask(ANA, ANA, "/halt", "halted");
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let after = life.mark();
    life.fake.control("message", &json!({ "from": ANA, "text": PIN }));
    life.wait_after(after, "deleteMessage", "", 1);
    life.wait_after(after, "editMessageText", "Accepted", 1);
    life.wait_after(after, "sendMessage", "running: main", 1);
    assert!(life.fake.seen(ANA).iter().all(|message| message["text"] != PIN), "it is gone from the chat");
    assert_eq!(pads(&life), 0, "the prompt says what came of it");
    // A wrong one changes nothing and is told.
    life.ask(ANA, ANA, "/halt", "halted");
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let after = life.mark();
    life.fake.control("message", &json!({ "from": ANA, "text": "111222" }));
    life.wait_after(after, "editMessageText", "wrong PIN; it locks after 4 more. Ask again to go on", 1);
    life.ask(ANA, ANA, "2846", "Nothing asks for a PIN");
    life.ask(ANA, ANA, "/status", "halted");
    // A prompt that another one took the place of says so.
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let after = life.mark();
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    life.wait_after(after, "editMessageText", "That prompt is over", 1);
    assert_eq!(pads(&life), 1);
    life.kill();
    let left = life.left_behind();
    assert!(!holds(&left, PIN) && !holds(&left, "111222"), "a PIN is in a file");
    assert!(!holds(&left, Fake::token().split(':').nth(1).expect("a secret half")), "the token is in a file");
}

#[test]
fn a_group_looks_and_does_no_more_whoever_asks() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.set_pin();
    life.ask(ANA, FAMILY, "/halt", "not done in a group");
    life.ask(ANA, FAMILY, "/positions", "is told none");
    life.ask(ANA, FAMILY, "/mute feed_stale", "about you alone");
    life.ask(BO, FAMILY, "/schedule", "main");
    life.ask(BO, BO, "/halt", "not for viewers");
    let after = life.mark();
    life.fake.control("message", &json!({ "from": STRANGER, "chat": FAMILY, "text": "/schedule" }));
    life.fake.control("message", &json!({ "from": BO, "chat": FAMILY, "text": "what do you think?" }));
    life.ask(ANA, ANA, "/status", "main is running");
    let answered = life.fake.log(after);
    let to_family = |entry: &&Value| entry["method"] == "sendMessage" && entry["params"]["chat_id"] == FAMILY;
    assert_eq!(answered.iter().filter(to_family).count(), 0, "{answered:#?}");
}

#[test]
fn what_is_old_is_not_done_but_a_halt_is() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.kill();
    let now = life.fake.control("settings", &json!({}))["now_ms"].as_i64().expect("a time") / 1000;
    let old = |text: &str| json!({ "from": ANA, "text": text, "date": now - 600 });
    life.fake.control("message", &old("/mute day_closed 2h"));
    life.fake.control("message", &old("/control halt!"));
    let after = life.mark();
    life.start();
    life.wait_after(after, "sendMessage", "10 min ago, so it was not done", 1);
    life.wait_after(after, "sendMessage", "HALTED", 1);
    // An edit is not read again, a forward is nobody's command.
    let written = life.fake.control("message", &json!({ "from": ANA, "text": "/sttus" }));
    let edited = json!({ "from": ANA, "text": "/status", "edited": written["message_id"] });
    let after = life.mark();
    life.fake.control("message", &edited);
    life.wait_after(after, "sendMessage", "An edited message is not read again", 1);
    life.fake
        .control("document", &json!({ "from": ANA, "file_name": "x.csv", "content": "a,b", "caption": "/status" }));
    life.wait_after(after, "sendMessage", "Files are not read here", 1);
}

#[test]
fn a_button_and_a_word_acknowledge_and_the_message_says_so() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.ask(ANA, ANA, "/halt", "HALTED");
    let alarm = |life: &TalkingBot| {
        let seen = life.fake.seen(ANA);
        seen.into_iter()
            .rev()
            .find(|message| message["text"].as_str().is_some_and(|text| text.starts_with("HALTED")))
            .expect("told")
    };
    let (id, after) = (alarm(&life)["message_id"].clone(), life.mark());
    life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": "Acknowledge" }));
    life.wait_after(after, "answerCallbackQuery", "", 1);
    life.wait_after(after, "editMessageText", "Acknowledged by ana on telegram", 1);
    life.ask(ANA, ANA, "/trace N2", "acknowledged by ana");
    // Pressed twice, it says who was first.
    let forged = json!({ "from": ANA, "message_id": id, "data": "0123456789abcdef0123456789abcdef", "forge": true });
    let after = life.mark();
    life.fake.control("press", &forged);
    life.wait_after(after, "answerCallbackQuery", "", 1);
    assert_eq!(life.last(ANA)["from"], life.last(ANA)["from"]);
}

#[test]
fn an_update_that_comes_again_and_again_is_done_once() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.fake.control("fault", &json!({ "kind": "duplicate_update", "method": "getUpdates", "times": 5 }));
    life.fake.control("fault", &json!({ "kind": "repeat_update", "method": "getUpdates", "times": 5 }));
    life.fake.control("fault", &json!({ "kind": "garbage" }));
    for _ in 0..5 {
        life.ask(ANA, ANA, "/less day_closed", "From now on");
        life.ask(ANA, ANA, "/less day_closed off", "as it is configured");
    }
    life.ask(ANA, ANA, "/status", "main is running");
    let log = life.fake.log(0);
    let answers = |text: &str| {
        let said = |entry: &&Value| entry["params"]["text"].as_str().is_some_and(|sent| sent.contains(text));
        log.iter().filter(|entry| entry["method"] == "sendMessage").filter(said).count()
    };
    assert_eq!((answers("From now on"), answers("as it is configured")), (5, 5));
}

#[test]
fn that_telegram_cannot_be_read_is_logged_once() {
    let mut life = TalkingBot::new(PEOPLE);
    life.fake.control("fault", &json!({ "kind": "status", "method": "getUpdates", "times": 3 }));
    life.start();
    life.ask(ANA, ANA, "/less day_closed", "From now on");
    let log = std::fs::read_to_string(life.shell.path().join("log")).expect("a log");
    assert_eq!(log.matches("Telegram cannot be read").count(), 1, "{log}");
}

/// After a week without updates the next number is any.
#[test]
fn who_writes_after_a_week_is_heard_whatever_the_number() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.ask(ANA, ANA, "/status", "main is running");
    life.kill();
    let database = rusqlite::Connection::open(life.shell.path().join("bellwether.db")).expect("opens");
    database.execute("UPDATE inbox SET received_ms = received_ms - ?1", [6 * 86_400_000]).expect("aged");
    life.fake.control("settings", &json!({ "next_update": 4_711 }));
    life.start();
    life.ask(ANA, ANA, "/less day_closed", "From now on");
    let place = Reader::open(&life.shell.path().join("bellwether.db")).expect("opens").place("telegram");
    assert_eq!(place.expect("reads"), Some(4_712));
    // From there on everything is asked past, and done once.
    life.ask(ANA, ANA, "/less day_closed off", "as it is configured");
    let log = life.fake.log(0);
    let said = |entry: &&Value| entry["params"]["text"].as_str().is_some_and(|text| text.contains("From now on"));
    assert_eq!(log.iter().filter(|entry| entry["params"]["offset"] == 4_712).count(), 1);
    assert_eq!(log.iter().filter(|entry| entry["method"] == "sendMessage").filter(said).count(), 1);
}

/// The program dies at any moment while somebody writes: each command is answered, and what it changes is changed once.
#[test]
fn no_command_is_lost_or_done_twice_however_often_the_program_dies() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    let commands = 12;
    for number in 0..commands {
        life.fake.control("message", &json!({ "from": ANA, "text": format!("/alert BTC-USD > {}", 900_000 + number) }));
        if number % 2 == 0 {
            // A different moment each time: after the update is asked for, kept, handled or answered.
            let method = ["getUpdates", "sendMessage", "getUpdates"][number as usize / 2 % 3];
            let after = life.mark();
            let ask = json!({ "after": after, "method": method, "count": 1, "outcome": "any", "timeout_ms": 20 * (number + 1) });
            life.fake.try_control("wait", &ask);
            life.kill();
            life.start();
        }
    }
    life.ask(ANA, ANA, "/status", "main");
    life.kill();
    let reader = Reader::open(&life.shell.path().join("bellwether.db")).expect("opens");
    let alerts = reader.alerts_of("ana").expect("reads");
    let mut levels: Vec<String> = alerts.iter().map(|alert| alert.condition.to_string()).collect();
    levels.sort();
    levels.dedup();
    assert_eq!((alerts.len(), levels.len()), (commands as usize, commands as usize), "{levels:?}");
    assert_eq!(reader.unanswered("telegram").expect("reads"), []);
}

#[test]
fn ways_of_others_are_named_to_owners_alone() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    life.ask(ANA, ANA, "/test", "every way");
    life.wait("sendMessage", Some(ANA), "arrived on 3 of 3 ways", 1);
    let all = life.ask(ANA, ANA, "/deliveries", "accepted")["params"]["text"].to_string();
    for lane in ["ana:telegram", "bo:telegram", "family:telegram"] {
        assert!(all.contains(lane), "{all}");
    }
    let said = |from, chat, text: &str, part: &str| life.ask(from, chat, text, part)["params"]["text"].to_string();
    let report = said(ANA, ANA, "/deliveries", "accepted");
    assert!(report.contains("bo:telegram") && report.contains("family:telegram"), "{report}");
    let seen = life.fake.seen(ANA);
    let mut told = seen.iter().filter_map(|one| one["text"].as_str()?.strip_prefix("Drill ")?.split(' ').next());
    let drill = told.next_back().expect("told").to_owned();
    let own = said(BO, BO, "/deliveries", "accepted") + &said(BO, BO, &format!("/trace {drill}"), "drill_sent");
    assert!(own.contains("bo:telegram") && own.contains("and 2 messages to others"), "{own}");
    assert!(!own.contains("ana:telegram") && !own.contains("family:telegram"), "{own}");
    for chat in [BO, FAMILY] {
        let halted = said(BO, chat, "/route trading_halted", "trading stopped");
        assert!(halted.contains("1 way to others") && !halted.contains("ana:telegram"), "{halted}");
    }
    said(ANA, ANA, "/route trading_halted", "ana:telegram at once");
}
