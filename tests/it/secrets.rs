//! PINs and codes that people type: on every channel and at every prompt they stay nowhere.

use std::path::Path;

use bellwether::clock::{Clock, SystemClock};
use bellwether::control::Factors;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::support::Talk;
use crate::support::discord_talking::{ANA as DISCORD_ANA, DiscordBot, PEOPLE as DISCORD_PEOPLE};
use crate::support::talking::{ANA, PEOPLE, PIN, TalkingBot, holds};

const NEW: &str = "605824917";
const DURESS: &str = "739105264";
const WRONG: &str = "918273645";

/// Where both are asked for.
fn both(people: &str) -> String {
    assert_eq!("pin+totp".parse(), Ok(Factors::Both));
    format!("{people}\n[control]\nfactors = {{ owner = \"pin+totp\" }}\n")
}

/// The app whose secret `totp set` shows.
fn app(said: &str) -> (String, Totp) {
    let secret = said.lines().find_map(|line| line.split("type the secret into it: ").nth(1)).expect("a secret");
    let bytes = Secret::try_from_base32(secret.trim()).expect("base 32");
    (secret.trim().to_owned(), Builder::new().with_secret(bytes).with_account_name("ana").build().expect("an app"))
}

/// The code of so many steps from now: each is used once.
fn code(app: &Totp, ahead: i64) -> String {
    let now = SystemClock::new().now().ms() / 1000;
    app.generate((now + 30 * ahead) as u64).to_string()
}

/// Sets PIN, second PIN and app on the machine; the app.
fn set_all(command: impl Fn(&[&str]) -> std::process::Command) -> (String, Totp) {
    let run = |args: &[&str], typed: &[&str]| {
        let mut talk = Talk::start(command(args));
        for line in typed {
            talk.say(line);
        }
        let (exit, said) = talk.end();
        assert_eq!(exit, 0, "{args:?}: {said}");
    };
    run(&["pin", "set", "ana"], &[PIN, PIN]);
    run(&["pin", "duress", "ana"], &[PIN, DURESS, DURESS]);
    let mut talk = Talk::start(command(&["totp", "set", "ana"]));
    talk.say(PIN);
    let said = talk.until("It is shown this once");
    let found = app(&said);
    talk.say(&code(&found.1, -1));
    let (exit, said) = talk.end();
    assert_eq!(exit, 0, "{said}");
    found
}

/// What every table but that of the buttons tells of the keys of pads, row by row: whoever holds the file or a backup can do the same.
fn keys_told(database: &Path) -> Vec<(String, String)> {
    let database = rusqlite::Connection::open(database).expect("opens");
    let rows = |sql: &str| -> Vec<Vec<String>> {
        let mut statement = database.prepare(sql).expect("prepares");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("reads");
        let mut all = Vec::new();
        while let Some(row) = rows.next().expect("reads") {
            let text = |column| match row.get_ref(column).expect("there") {
                rusqlite::types::ValueRef::Text(bytes) | rusqlite::types::ValueRef::Blob(bytes) => {
                    String::from_utf8_lossy(bytes).into_owned()
                }
                _ => String::new(),
            };
            all.push((0..columns).map(text).collect());
        }
        all
    };
    let keys = rows("SELECT token, substr(line, -1) FROM buttons WHERE line GLOB 'pad * [0-9]'");
    assert!(keys.len() >= 10, "a pad was shown: {keys:?}");
    let tables = rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'buttons'");
    let told = tables.into_iter().flatten().map(|table| {
        let found = rows(&format!("SELECT * FROM \"{table}\"")).into_iter().flatten();
        let digits =
            found.flat_map(|text| keys.iter().filter(move |key| text.contains(&key[0])).map(|key| key[1].clone()));
        (table, digits.collect::<String>())
    });
    told.filter(|(_, digits)| !digits.is_empty()).collect()
}

#[track_caller]
fn stays_nowhere(left: &[u8], said: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!holds(left, secret), "{secret} is in a file");
        assert!(!said.contains(secret), "{secret} was said");
    }
}

#[test]
fn on_telegram() {
    let mut life = TalkingBot::new(&both(PEOPLE));
    life.start();
    let (_, app) = set_all(|args| life.command(args));
    let types = |text: &str, part: &str| {
        let after = life.mark();
        life.fake.control("message", &json!({ "from": ANA, "text": text }));
        life.wait_after(after, "deleteMessage", "", 1);
        life.wait_after(after, "editMessageText", part, 1);
    };
    life.ask(ANA, ANA, "/halt", "halted");
    life.ask(ANA, ANA, "/resume", "right behind it the six digits of your app");
    types(&format!("{WRONG}123456"), "wrong PIN or code");
    life.ask(ANA, ANA, "/resume", "Valid for 60 s");
    let first = format!("{PIN}{}", code(&app, 0));
    let after = life.mark();
    types(&first, "Accepted");
    life.wait_after(after, "sendMessage", "running: main", 1);
    let words = |entry: &Value| entry["params"]["text"].as_str().map(str::to_owned);
    let edits = life.wait_after(after, "editMessageText", "Accepted", 1);
    assert_eq!(
        words(&edits[0]).as_deref(),
        Some("Accepted"),
        "and nothing else: what came of it is a message of its own"
    );
    life.ask(ANA, ANA, "/status", "main is running");
    // A new PIN by the pad and typed, step by step.
    let prompt = life.ask(ANA, ANA, "/newpin", "your PIN as it is now and right behind it");
    assert!(prompt["params"]["reply_markup"].is_object(), "a pad: {prompt}");
    let second = format!("{PIN}{}", code(&app, 1));
    let (id, after) = (life.last(ANA)["message_id"].clone(), life.mark());
    for digit in second.chars() {
        life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": digit.to_string() }));
    }
    life.wait_after(after, "answerCallbackQuery", "", second.len());
    life.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": "OK" }));
    life.wait_after(after, "sendMessage", "the new PIN, 4 to 12 digits", 1);
    let after = life.mark();
    types(NEW, "Accepted");
    life.wait_after(after, "sendMessage", "the new PIN once more", 1);
    types(NEW, "Accepted");
    let changed = life.shell(&["pin", "set", "ana"], &format!("{NEW}\n{PIN}\n{PIN}\n"));
    assert!(changed.contains("PIN of ana set"), "the new one holds: {changed}");
    let answers: Vec<Value> = life.fake.log(0).into_iter().filter(|entry| entry["method"] != "getUpdates").collect();
    life.kill();
    let said = Value::from(answers).to_string();
    stays_nowhere(&life.left_behind(), &said, &[PIN, NEW, DURESS, WRONG, &first, &second]);
    assert_eq!(keys_told(&life.shell.path().join("bellwether.db")), [], "what was pressed can be put together again");
}

#[test]
fn on_discord() {
    let mut life = DiscordBot::new(&both(DISCORD_PEOPLE));
    life.start();
    let (_, app) = set_all(|args| life.command(args));
    life.ask(DISCORD_ANA, None, "halt", json!({}), "halted");
    let shown = life.ask(DISCORD_ANA, None, "control resume", json!({}), "right behind it the six digits");
    let pressed = life.press(DISCORD_ANA, &shown, "Confirm");
    life.submit(pressed, &format!("{WRONG}123456"), "wrong PIN or code");
    let shown = life.ask(DISCORD_ANA, None, "control newpin", json!({}), "Confirm asks for your PIN as it is now");
    let pressed = life.press(DISCORD_ANA, &shown, "Confirm");
    assert_eq!(life.first_response(pressed).0, 9, "a form");
    let (after, first) = (life.mark(), format!("{PIN}{}", code(&app, 0)));
    let ask = json!({ "id": pressed.to_string(), "fields": { "pin": first, "new": NEW, "again": NEW } });
    life.fake.control("submit", &ask);
    life.wait_after(after, "edit_original", "Accepted");
    // Under duress: accepted, halted, and nothing else is said.
    let shown = life.ask(DISCORD_ANA, None, "control resume", json!({}), "Valid for 60 s");
    let pressed = life.press(DISCORD_ANA, &shown, "Confirm");
    let second = format!("{DURESS}{}", code(&app, 1));
    let answered = life.submit(pressed, &second, "Accepted").to_string();
    assert!(!answered.contains("running"), "{answered}");
    life.ask(DISCORD_ANA, None, "portfolio status", json!({}), "main is halted");
    let said = Value::from(life.fake.log()).to_string();
    life.kill();
    stays_nowhere(&life.left_behind(), &said, &[PIN, NEW, DURESS, WRONG, &first, &second]);
}

#[test]
fn in_the_terminal_and_the_shell() {
    let shell = crate::support::Shell::new();
    shell.write("bellwether.toml", &both("[[people]]\nname = \"ana\"\n"));
    let (exit, ..) = shell.run(&["run", "--cycles", "5", "--speed", "max", "--no-console"]);
    assert_eq!(exit, 0);
    let (secret, app) = set_all(|args| shell.command(args));
    let mut talk = Talk::start(shell.command(&["run", "--speed", "60"]));
    let mut ask = |line: &str, part: &str| {
        talk.say(line);
        talk.until(part);
    };
    ask("/halt", "halted");
    ask("/resume", "Type your PIN and right behind it the six digits of your app");
    ask(&format!("{WRONG}123456"), "wrong PIN or code");
    ask("/newpin", "Type your PIN as it is now");
    let first = format!("{PIN}{}", code(&app, 0));
    ask(&first, "Type the new PIN, 4 to 12 digits");
    ask(NEW, "Type the new PIN once more");
    ask(NEW, "Accepted");
    ask("/resume", "Type your PIN");
    let second = format!("{DURESS}{}", code(&app, 1));
    ask(&second, "Accepted");
    ask("/status", "main is halted");
    let said = talk.said.clone();
    talk.kill();
    let files = std::fs::read_dir(shell.path()).expect("reads").map(|entry| entry.expect("reads").path());
    let left: Vec<u8> =
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).expect("reads")).collect();
    stays_nowhere(&left, &said, &[PIN, NEW, DURESS, WRONG, &first, &second]);
    assert!(holds(&left, &secret), "the secret of the app is in the database alone");
    // A forgotten PIN, and an app that is switched off.
    let typed = |args: &[&str], lines: &str| {
        let mut talk = Talk::start(shell.command(args));
        lines.lines().for_each(|line| talk.say(line));
        talk.end()
    };
    let forced = typed(&["totp", "off", "ana"], DURESS);
    assert!(typed(&["pin", "set", "ana", "--forgotten"], "917352846\n917352846").1.contains("everybody is told"));
    let own = typed(&["totp", "off", "ana"], "917352846");
    assert!(own.1.trim_end().ends_with("Accepted"), "{own:?}");
    assert_eq!(own, forced, "who was made to do it is answered the same, and the app was there still");
}
