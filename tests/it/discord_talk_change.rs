//! A change on Discord: a command with completion, a button, a form, and what is answered to each wrong way.

use serde_json::{Value, json};

use crate::support::discord::number;
use crate::support::discord_talking::{ANA, BO, DiscordBot, FAMILY, PEOPLE, PIN};

/// What is offered where somebody types.
fn offered(life: &DiscordBot, user: i64, path: &[&str], options: &Value, focused: &str) -> Vec<String> {
    let ask = json!({ "user": user, "path": path, "options": options, "focused": focused });
    let id = number(&life.fake.control("complete", &ask)["id"]);
    let (kind, after) = life.first_response(id);
    assert_eq!(kind, 8);
    assert!(after < 1_500, "R13: {after} ms");
    let shown = life.interaction(id)["shown"].clone();
    shown.as_array().expect("choices").iter().map(|one| one["value"].as_str().expect("text").to_owned()).collect()
}

fn halted(life: &DiscordBot) {
    life.ask(ANA, None, "halt", json!({}), "halted");
}

#[test]
fn a_change_is_completed_shown_confirmed_by_a_form_and_done_once() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    life.set_pin();
    assert_eq!(offered(&life, ANA, &["control", "book"], &json!({ "action": "pause", "book": "m" }), "book"), ["main"]);
    assert_eq!(offered(&life, BO, &["control", "book"], &json!({ "action": "pause", "book": "" }), "book"), [""; 0]);
    assert_eq!(offered(&life, ANA, &["reasons", "whynot"], &json!({ "symbol": "aap" }), "symbol")[0], "AAPL");
    let shown =
        life.ask(ANA, Some(FAMILY), "control book", json!({ "action": "pause", "book": "main" }), "Valid for 60 s");
    // Whoever else sees the channel sees nothing to press.
    assert_eq!(life.fake.seen(FAMILY, BO).len(), 0);
    let pressed = life.press(ANA, &shown, "Confirm");
    let after = life.mark();
    let answered = life.submit(pressed, PIN, "Accepted").to_string();
    life.wait_after(after, "follow_up", "paused");
    assert!(!answered.contains("paused"), "what came of it is a message of its own: {answered}");
    life.ask(ANA, None, "portfolio books", json!({}), "paused");
    // Twice: there is nothing shown any more.
    let again = life.press(ANA, &shown, "Confirm");
    life.submit(again, PIN, "Not done");
    let pressed = life.press(ANA, &shown, "Leave it");
    assert_eq!(life.first_response(pressed).0, 6);
    life.wait_after(0, "edit_original", "Left as it is");
    let left = life.left_behind();
    assert!(!left.windows(PIN.len()).any(|window| window == PIN.as_bytes()), "a PIN stays nowhere");
    assert!(!left.windows(16).any(|window| window == b"aW50ZXJhY3Rpb24{"), "tokens stay nowhere");
}

#[test]
fn a_wrong_pin_locks_after_five_and_is_told_elsewhere() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    life.set_pin();
    halted(&life);
    for attempt in 1..=5 {
        let shown = life.ask(ANA, None, "control resume", json!({}), "Valid for 60 s");
        let pressed = life.press(ANA, &shown, "Confirm");
        life.submit(pressed, "999999", if attempt < 5 { "Not done" } else { "locked until" });
    }
    life.ask(ANA, None, "control resume", json!({}), "locked until");
    // Cat gets mail.
    let mail = || {
        let folder = life.shell.path().join("mail");
        let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect::<String>()
    };
    while !mail().to_lowercase().contains("pin") {}
}

#[test]
fn what_belongs_to_others_or_is_forged_does_nothing() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    life.set_pin();
    halted(&life);
    let shown = life.ask(ANA, None, "control resume", json!({}), "Valid for 60 s");
    let name = |label: &str| {
        let buttons = shown["components"][0]["components"].as_array().expect("buttons").clone();
        buttons.iter().find(|button| button["label"] == label).expect("there")["custom_id"].clone()
    };
    // Bo sends what Ana's button would send, below an answer of his own.
    let own = life.ask(BO, None, "portfolio status", json!({}), "main is");
    let forged = |custom_id: &Value| {
        let ask = json!({ "user": BO, "message": own["id"], "custom_id": custom_id, "forged": true });
        number(&life.fake.control("press", &ask)["id"])
    };
    life.submit(forged(&name("Confirm")), PIN, "Not done");
    let after = life.mark();
    forged(&json!("0123456789abcdef0123456789abcdef"));
    life.wait_after(after, "edit_original", "That button is over");
    // Ana's prompt is still hers, and goes through in her chat.
    let pressed = life.press(ANA, &shown, "Confirm");
    let after = life.mark();
    life.submit(pressed, PIN, "Accepted");
    life.wait_after(after, "follow_up", "running: main");
}

#[test]
fn what_can_be_pressed_below_a_message_is_done_and_answered_to_its_presser() {
    let mut life = DiscordBot::new(PEOPLE);
    life.start();
    halted(&life);
    life.wait_after(0, "create_message", "HALTED main");
    let alone = life.fake.join(ANA);
    let message = life.fake.seen(alone, ANA).into_iter().find(|one| one.to_string().contains("HALTED main"));
    let message = message.expect("there");
    let after = life.mark();
    let pressed = life.press(ANA, &message, "Acknowledge");
    life.wait_after(after, "edit_original", "acknowledged");
    let answer = life.answer_of(pressed, ANA);
    assert_eq!(answer["flags"].as_u64().map(|flags| flags & 64), Some(64), "{answer}");
    // The message itself says so from then on, and the button does nothing a second time.
    life.wait_after(after, "edit_message", "ana");
    let after = life.mark();
    let name = &message["components"][0]["components"][0]["custom_id"];
    let ask = json!({ "user": ANA, "message": message["id"], "custom_id": name, "forged": true });
    life.fake.control("press", &ask);
    life.wait_after(after, "edit_original", "was acknowledged by ana on discord");
}
