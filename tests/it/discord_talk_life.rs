//! Listening on Discord through deaths and silences: nothing is done twice, what was missed is told, and the first response always comes.

use bellwether::store::Store;
use serde_json::{Value, json};

use crate::support::discord::number;
use crate::support::discord_talking::{ANA, DiscordBot, PEOPLE};

#[test]
fn no_command_is_done_twice_however_often_the_program_dies() {
    let mut life = DiscordBot::new(PEOPLE);
    let mut given = 0;
    for round in 0..6 {
        life.start();
        for number in 0..4 {
            life.give(
                ANA,
                None,
                "portfolio alert",
                json!({ "when": format!("AAPL > {}", 10_000 + round * 10 + number) }),
            );
            given += 1;
        }
        // Died at while they are heard, kept, handled or answered, wherever that is.
        let after = life.mark();
        if round % 2 == 0 {
            life.wait_after(after.saturating_sub(4), "callback", "");
        }
        life.kill();
    }
    life.start();
    let inbox = || life.reader().unanswered("discord").expect("reads").len();
    life.ask(ANA, None, "portfolio status", json!({}), "main is");
    while inbox() > 0 {}
    let alerts = life.reader().alerts_of("ana").expect("reads");
    let mut conditions: Vec<String> = alerts.iter().map(|alert| alert.condition.to_string()).collect();
    let count = conditions.len();
    conditions.sort();
    conditions.dedup();
    assert_eq!((conditions.len(), count), (given, given), "each is done, and once: {conditions:?}");
}

#[test]
fn what_may_have_been_missed_is_told_once() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    life.ask(ANA, None, "portfolio status", json!({}), "main is running");
    life.kill();
    // It was heard last an hour ago, and its session is forgotten by now.
    let store = Store::open(&life.shell.path().join("bellwether.db")).expect("opens");
    let kept = life.reader().meta("discord gateway").expect("reads").expect("kept");
    let mut kept: Value = serde_json::from_str(&kept).expect("json");
    kept["heard_ms"] = json!(kept["heard_ms"].as_i64().expect("a time") - 3_600_000);
    store.keep_meta("discord gateway", kept.to_string()).expect("kept");
    store.close();
    life.fake.control("settings", &json!({ "forget": true }));
    let after = life.mark();
    life.start();
    life.wait_after(after, "create_message", "Discord was not heard from");
    life.ask(ANA, None, "portfolio status", json!({}), "main is running");
    let told = |part: &str| {
        life.fake.calls("create_message").iter().filter(|call| call["params"].to_string().contains(part)).count()
    };
    // Ana and Bo, each once; the family is no person.
    while told("Discord was not heard from") < 2 {}
    assert_eq!(told("Discord was not heard from"), 2);
}

#[test]
fn the_first_response_comes_in_time_whatever_else_goes_on() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    // Every other call hangs; the lanes' messages pile up behind it.
    life.fake.control("fault", &json!({ "kind": "hang", "method": "create_message", "times": 0 }));
    life.fake.control("write", &json!({ "user": ANA, "text": "/status" }));
    let mut slowest = 0;
    for round in 0..40 {
        let id = if round % 2 == 0 {
            life.give(ANA, None, "portfolio status", json!({}))
        } else {
            let ask = json!({ "user": ANA, "path": ["reasons", "why"], "options": { "of": "A" }, "focused": "of" });
            number(&life.fake.control("complete", &ask)["id"])
        };
        slowest = slowest.max(life.first_response(id).1);
    }
    eprintln!("slowest first response of 40: {slowest} ms");
    assert!(slowest < 1_500, "R13: {slowest} ms");
    life.fake.control("clear", &json!({}));
}

#[test]
fn commands_are_set_when_they_changed_and_not_again() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    assert_eq!(life.fake.calls("put_commands").len(), 1);
    life.kill();
    life.start();
    life.ask(ANA, None, "portfolio status", json!({}), "main is running");
    assert_eq!(life.fake.calls("put_commands").len(), 1, "they are as they were");
    while !life.shell(&["health"]).contains("discord gateway: well") {}
    life.kill();
    let tested = life.shell(&["test", "all"]);
    assert!(tested.contains("ana") && tested.contains("discord"), "{tested}");
}
