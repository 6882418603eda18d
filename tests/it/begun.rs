//! The program dies after the desk took a PIN and before anybody was answered: nobody is told to ask again for what is done.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::discord_talking::{ANA as DISCORD_ANA, DiscordBot, PEOPLE as DISCORD_PEOPLE};
use crate::support::talking::{ANA, PEOPLE, PIN, TalkingBot};
use crate::support::texting::Texting;
use crate::support::twilio::PHONE;
use crate::support::{Shell, Talk};

const DURESS: &str = "739105264";

fn set_pins(command: impl Fn(&[&str]) -> std::process::Command) {
    for (args, lines) in [(["pin", "set", "ana"], &[PIN, PIN][..]), (["pin", "duress", "ana"], &[PIN, DURESS, DURESS])]
    {
        let mut talk = Talk::start(command(&args));
        for line in lines {
            talk.say(line);
        }
        let (exit, said) = talk.end();
        assert_eq!(exit, 0, "{args:?}: {said}");
    }
}

fn open(shell: &Shell) -> Connection {
    Connection::open(shell.path().join("bellwether.db")).expect("opens")
}

/// What came last on a channel is there as it was before anybody was answered.
fn unanswer(shell: &Shell, channel: &str) {
    let sql =
        "UPDATE inbox SET state = 'new', answered_ms = NULL WHERE id = (SELECT max(id) FROM inbox WHERE channel = ?1)";
    assert_eq!(open(shell).execute(sql, [channel]).expect("stored"), 1);
}

/// What the service was told to show after a mark.
fn told(life: &TalkingBot, after: u64) -> Vec<String> {
    let log = life.fake.log(after);
    let shows = |entry: &&Value| entry["method"] == "sendMessage" || entry["method"] == "editMessageText";
    log.iter().filter(shows).filter_map(|entry| entry["params"]["text"].as_str().map(str::to_owned)).collect()
}

/// Dies before the answer, starts, and looks at what is said then; `follows` is what came of it.
fn relive(life: &mut TalkingBot, follows: Option<&str>) {
    life.kill();
    unanswer(&life.shell, "telegram");
    let after = life.mark();
    life.start();
    life.wait_after(after, "editMessageText", "Accepted", 1);
    if let Some(follows) = follows {
        life.wait_after(after, "sendMessage", follows, 1);
    }
    let state = if follows.is_some() { "main is running" } else { "main is halted" };
    life.ask(ANA, ANA, "/status", state);
    let told = told(life, after);
    for never in ["anew", "sk again", "is over", "Nothing asks"] {
        assert!(!told.iter().any(|text| text.contains(never)), "{never}: {told:#?}");
    }
    assert!(follows.is_some() || !told.iter().any(|text| text.contains("running: main")), "{told:#?}");
}

#[test]
fn on_telegram_what_was_taken_is_accepted_and_nobody_is_told_to_ask_again() {
    let mut life = TalkingBot::new(PEOPLE);
    life.start();
    set_pins(|args| life.command(args));
    let types = |life: &TalkingBot, pin: &str| {
        let after = life.mark();
        life.fake.control("message", &json!({ "from": ANA, "text": pin }));
        life.wait_after(after, "editMessageText", "Accepted", 1);
        after
    };
    life.ask(ANA, ANA, "/halt", "halted");
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let (id, after) = (life.last(ANA)["message_id"].clone(), life.mark());
    for digit in PIN.chars() {
        life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": digit.to_string() }));
    }
    life.wait_after(after, "answerCallbackQuery", "", PIN.len());
    life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": "OK" }));
    life.wait_after(after, "sendMessage", "running: main", 1);
    relive(&mut life, Some("running: main"));

    life.ask(ANA, ANA, "/halt", "halted");
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let after = types(&life, PIN);
    life.wait_after(after, "sendMessage", "running: main", 1);
    relive(&mut life, Some("running: main"));

    // Whoever is made to enter a PIN is answered no differently, and no more is said.
    life.ask(ANA, ANA, "/halt", "halted");
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    types(&life, DURESS);
    relive(&mut life, None);
}

#[test]
fn on_discord_whichever_pin_it_was() {
    let mut life = DiscordBot::new(DISCORD_PEOPLE);
    life.start();
    set_pins(|args| life.command(args));
    let answers = |life: &DiscordBot, after: i64| -> Vec<String> {
        let database = open(&life.shell);
        let sql = "SELECT body FROM outbox WHERE task = 'answer' AND id > ?1 ORDER BY id";
        let mut statement = database.prepare(sql).expect("prepares");
        let rows = statement.query_map([after], |row| row.get::<_, String>(0)).expect("reads");
        rows.map(|row| row.expect("reads")).collect()
    };
    for (pin, follows) in [(PIN, Some("running: main")), (DURESS, None)] {
        life.ask(DISCORD_ANA, None, "halt", json!({}), "halted");
        let shown = life.ask(DISCORD_ANA, None, "control resume", json!({}), "Valid for 60 s");
        let pressed = life.press(DISCORD_ANA, &shown, "Confirm");
        life.submit(pressed, pin, "Accepted");
        life.kill();
        unanswer(&life.shell, "discord");
        let last = open(&life.shell).query_row("SELECT max(id) FROM outbox", [], |row| row.get(0)).expect("reads");
        life.start();
        while !life.reader().unanswered("discord").expect("reads").is_empty() {}
        let said = answers(&life, last);
        assert!(said[0].contains("Accepted"), "{said:?}");
        assert_eq!(said.len(), 1 + usize::from(follows.is_some()), "{said:?}");
        assert!(follows.is_none_or(|follows| said[1].contains(follows)), "{said:?}");
    }
    let state = life.ask(DISCORD_ANA, None, "portfolio status", json!({}), "main is");
    assert!(state.to_string().contains("main is halted"), "{state}");
}

#[test]
fn on_a_phone_however_late_it_starts_again() {
    let mut life = Texting::new();
    life.start();
    life.set_pin();
    for old_ms in [0, 300_000] {
        life.ask(PHONE, "HALT", "HALTED main");
        let asked = life.ask(PHONE, "RESUME", "within 5 min");
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        let code = asked.split(' ').find(is_code).expect("a code");
        let accepted = life.ask(PHONE, code, "Accepted");
        assert!(accepted.contains("running"), "{accepted}");
        life.kill();
        unanswer(&life.shell, "sms");
        // It all happened so long ago.
        let aged = format!(
            "UPDATE inbox SET received_ms = received_ms - {old_ms};
             UPDATE controls SET shown_ms = shown_ms - {old_ms}, expires_ms = expires_ms - {old_ms}"
        );
        open(&life.shell).execute_batch(&aged).expect("aged");
        let before = life.desk.bodies().len();
        life.start();
        life.until(|| life.desk.bodies().len() > before);
        let said = life.desk.bodies()[before..].join("\n");
        assert!(said.contains("Accepted") && said.contains("running") && !said.contains("again"), "{said}");
    }
}
