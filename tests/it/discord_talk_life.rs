//! Listening on Discord through deaths and silences: nothing is done twice, what was missed is told, and the first response always comes.

use bellwether::store::Store;
use serde_json::{Value, json};

use crate::support::discord::number;
use crate::support::discord_talking::{ANA, DiscordBot, FAMILY, PEOPLE, PIN};

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

#[test]
fn commands_follow_the_bot_to_another_server() {
    let mut life = DiscordBot::new(PEOPLE);
    life.fake.control("settings", &json!({ "rates": false }));
    // The family's is the first; the other is one in which the bot is as well.
    life.fake.control("channel", &json!({ "channel": "9100", "guild": "2" }));
    let offered = |life: &DiscordBot| {
        ["", "/guilds/1", "/guilds/2"].map(|place| {
            let path = format!("/applications/900000000000000002{place}/commands");
            let (status, all) = life.fake.call("GET", &path, &Value::Null);
            assert_eq!(status, 200);
            all.as_array().expect("a list").len()
        })
    };
    life.start();
    let [all, 0, 0] = offered(&life) else { panic!("they are everywhere") };
    assert!(all > 1);
    // Wherever it goes they are there, and nowhere they are twice.
    for (guild, want) in [(Some(1), [0, all, 0]), (Some(2), [0, 0, all]), (None, [all, 0, 0])] {
        life.kill();
        life.guild = guild;
        life.spawn();
        let place = guild.map_or_else(|| " everywhere ".to_owned(), |guild| format!(" {guild} "));
        let kept = || life.reader().meta("discord commands").expect("reads").unwrap_or_default();
        while !kept().contains(&place) {}
        assert_eq!(offered(&life), want);
    }
    while !life.listens() {}
    life.ask(ANA, Some(FAMILY), "portfolio status", json!({}), "main is");
    assert_eq!(life.fake.calls("put_commands").len(), 7, "one to begin with, and two for each move");
}

/// The PIN is in memory alone; what it has begun is told all the same, wherever the death comes.
#[test]
fn a_form_that_was_taken_before_a_death_tells_its_outcome_after_it() {
    for gets_through in [false, true] {
        let mut life = DiscordBot::new(PEOPLE);
        life.start();
        life.set_pin();
        let shown = life.ask(ANA, None, "control book", json!({ "action": "pause", "book": "main" }), "Valid for 60 s");
        let pressed = life.press(ANA, &shown, "Confirm");
        assert_eq!(life.first_response(pressed).0, 9);
        let database = rusqlite::Connection::open(life.shell.path().join("bellwether.db")).expect("opens");
        database.busy_timeout(std::time::Duration::from_secs(30)).expect("set");
        if gets_through {
            // It is done, and that cannot be written down.
            let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON inbox WHEN NEW.channel = 'discord'
                          BEGIN SELECT RAISE(ABORT, 'nothing is taken'); END";
            database.execute_batch(refuse).expect("made");
        } else {
            // It is done and written down, and nothing can be sent.
            for method in ["edit_original", "create_message"] {
                life.fake.control("fault", &json!({ "kind": "reset_before", "method": method, "times": 0 }));
            }
        }
        life.fake.control("submit", &json!({ "id": pressed.to_string(), "fields": { "pin": PIN } }));
        let tried =
            |part: &str| life.fake.calls("edit_original").iter().any(|call| call["params"].to_string().contains(part));
        let waits =
            || std::fs::read_to_string(life.shell.path().join("log")).expect("reads").contains("could not be handled");
        while !(if gets_through { waits() } else { tried("Accepted") }) {}
        life.kill();
        life.fake.control("clear", &json!({}));
        database.execute_batch("DROP TRIGGER IF EXISTS refuse").expect("gone");
        let after = life.mark();
        life.start();
        life.wait_after(after, "create_message", "main is paused");
        life.ask(ANA, None, "portfolio books", json!({}), "paused");
        let told = life.fake.seen(life.fake.join(ANA), ANA);
        let outcomes = told.iter().filter(|message| message["embeds"].to_string().contains("main is paused"));
        assert_eq!(outcomes.count(), 1, "{told:#?}");
    }
}

/// Discord gives nothing a second time: what the disk does not take is tried until it does, in this life or the next.
#[test]
fn what_the_disk_refuses_for_a_while_is_not_lost() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    let database = rusqlite::Connection::open(life.shell.path().join("bellwether.db")).expect("opens");
    database.busy_timeout(std::time::Duration::from_secs(30)).expect("set");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON inbox WHEN NEW.channel = 'discord'
                  BEGIN SELECT RAISE(ABORT, 'nothing is taken'); END";
    let alert = |life: &DiscordBot, price: u32| {
        let id = life.give(ANA, None, "portfolio alert", json!({ "when": format!("AAPL > {price}") }));
        assert_eq!(life.first_response(id).0, 5, "whatever the disk does");
    };
    let refused = |life: &DiscordBot| {
        let log = || std::fs::read_to_string(life.shell.path().join("log")).expect("reads");
        while !log().contains("waits to be kept") {}
    };
    let alerts = |life: &DiscordBot| life.reader().alerts_of("ana").expect("reads").len();
    database.execute_batch(refuse).expect("made");
    alert(&life, 10_001);
    refused(&life);
    assert_eq!(alerts(&life), 0);
    let after = life.mark();
    database.execute_batch("DROP TRIGGER refuse").expect("gone");
    life.wait_after(after, "edit_original", "AAPL");
    assert_eq!(alerts(&life), 1);
    // And where it dies meanwhile.
    database.execute_batch(refuse).expect("made");
    std::fs::write(life.shell.path().join("log"), "").expect("emptied");
    alert(&life, 10_002);
    refused(&life);
    life.kill();
    database.execute_batch("DROP TRIGGER refuse").expect("gone");
    let after = life.mark();
    life.start();
    life.wait_after(after, "edit_original", "AAPL");
    life.ask(ANA, None, "portfolio status", json!({}), "main is");
    assert_eq!(alerts(&life), 2, "each once");
}
