//! Pictures and files on Telegram, as people have them: a chart by command and by button, the trades as a file, and what a group is told.

use serde_json::{Value, json};

use crate::support::talking::{ANA, BO, FAMILY, PEOPLE, TalkingBot};

/// A second book, and a person who may see and change that one alone.
const BOOKS: &str = r#"
[[books]]
name = "main"
[[books]]
name = "zeta"
"#;

/// A market in which something was traded before anybody asks.
fn traded(config: &str) -> TalkingBot {
    let life = TalkingBot::new(config);
    let said = life.shell(&["run", "--no-console", "--speed", "max", "--cycles", "1500"], "");
    assert!(said.contains("1500 cycles"), "{said}");
    life
}

/// What a chat shows of the newest message of this kind.
fn newest(life: &TalkingBot, chat: i64, kind: &str) -> Value {
    let seen = life.fake.seen(chat);
    let of_kind = |message: &&Value| message["media"]["kind"] == kind;
    seen.iter().rev().find(of_kind).unwrap_or_else(|| panic!("no {kind}: {seen:#?}")).clone()
}

#[test]
fn a_command_is_answered_with_a_picture_or_a_file() {
    let mut life = traded(PEOPLE);
    life.start();
    let ask = |method: &str, text: &str, part: &str| {
        let after = life.mark();
        life.fake.control("message", &json!({ "from": ANA, "text": text }));
        life.wait_after(after, method, part, 1);
    };
    ask("sendPhoto", "/chart btc-usd", "BTC-USD 1m");
    let picture = newest(&life, ANA, "photo")["media"].clone();
    assert!(picture["width"].as_u64() >= Some(800) && picture["bytes"].as_u64() > Some(10_000), "{picture}");
    ask("sendPhoto", "/chart BTC-USD 5m", "BTC-USD 5m");
    ask("sendPhoto", "/chart equity", "equity of main");
    ask("sendDocument", "/trades csv", "closed trade");
    let file = newest(&life, ANA, "document")["media"].clone();
    assert_eq!(file["file_name"], "trades.csv");
    assert!(file["bytes"].as_u64() > Some(500), "{file}");
    life.ask(ANA, ANA, "/chart NOSUCH", "NOSUCH is not watched");
    life.ask(ANA, ANA, "/chart BTC-USD 7m", "unknown timeframe");
    life.ask(ANA, FAMILY, "/chart BTC-USD", "is told none");
    life.ask(ANA, FAMILY, "/trades csv", "is told none");
    let shares = life.ask(BO, FAMILY, "/status", "main is running");
    let text = shares["params"]["text"].as_str().expect("text");
    assert!(text.contains("since the start") && !text.contains("USD"), "{text}");
}

/// The button below a notice about a symbol types the command, and the picture comes.
#[test]
fn the_button_of_a_notice_brings_the_picture() {
    let mut life = traded(PEOPLE);
    // Many notices at once come as one, without their buttons: so a little of the market at a time, until one comes alone.
    let of_symbol = |message: &Value| message["buttons"].to_string().contains("Chart");
    let notice = (0..40).find_map(|_| {
        life.shell(&["run", "--no-console", "--speed", "max", "--cycles", "10"], "");
        life.fake.seen(ANA).into_iter().rev().find(of_symbol)
    });
    let notice = notice.expect("a notice about a symbol");
    life.start();
    let after = life.mark();
    life.fake.control("press", &json!({ "from": ANA, "message_id": notice["message_id"], "text": "Chart" }));
    life.wait_after(after, "sendPhoto", "bars to", 1);
}

#[test]
fn an_operator_of_one_book_is_drawn_and_changes_that_one() {
    let people = PEOPLE.replace("role = \"viewer\"", "role = \"operator\"\nbooks = [\"main\"]");
    let mut life = traded(&format!("{BOOKS}{people}"));
    life.start();
    life.ask(BO, BO, "/chart equity zeta", "there is no book \"zeta\"; there are main");
    life.ask(BO, BO, "/halt", "halted main:");
    life.ask(ANA, ANA, "/books", "zeta is running");
    life.ask(BO, BO, "/status", "main is halted");
    let theirs = life.fake.seen(BO).into_iter().filter(|message| message["from"].as_i64() != Some(BO));
    let told: Vec<String> = theirs.map(|message| message["text"].to_string()).collect();
    assert!(told.len() >= 3 && told.iter().all(|text| !text.contains("zeta is")), "{told:?}");
}
