//! `bellwether demo`: a day in a minute, here in seconds, with everything in it that it promises.

use serde_json::json;

use crate::support::telegram::Fake;
use crate::support::{Shell, seen};

const ANA: i64 = 501;

/// The numbers of a line.
fn numbers(line: &str) -> Vec<u64> {
    line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn a_day_with_everything_in_it() {
    let (shell, fake) = (Shell::new(), Fake::start());
    fake.control("join", &json!({ "from": ANA, "quiet": true }));
    shell.write("bellwether.toml", "[[people]]\nname = \"ana\"\ntelegram = { user = 501 }\n");
    let mut command = shell.command(&["demo", "--speed", "8"]);
    command.env("TELEGRAM_API_URL", fake.url()).env("TELEGRAM_BOT_TOKEN", Fake::token());
    let (code, out, err) = seen(command.output().expect("starts"));
    assert_eq!(code, 0, "{err}");
    for part in [
        "your chat on Telegram is told too",
        "a day at the market begins",
        "Bought 18 AAPL at 54.06",
        // What falls into so short a night depends on the machine; nights have tests of their own.
        "the quiet hours are over",
        "a channel dies",
        "!! Nothing reaches office:webhook",
        "office:webhook works again",
        "! main near its daily loss limit",
        "!! main reducing: day -103.40, a loss of 1.0 %, limit 1.0 %; 9 positions closed at the next bar",
        "!! HALTED main: by ana",
        "acknowledged: nobody else is called for it",
    ] {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    let is_storm = |line: &&str| line.contains(" messages in ") || line.contains(" messages at once");
    let storms: Vec<&str> = out.lines().filter(is_storm).collect();
    assert!(!storms.is_empty(), "how long one lasts depends on the machine, that there is one does not:\n{out}");
    for part in ["THE LEDGER DOES NOT FIT", "onfiguration"] {
        assert!(!out.contains(part), "{part}: this is a day of its own:\n{out}");
    }
    let counts: Vec<Vec<u64>> = out.lines().filter(|line| line.contains(" accepted = ")).map(numbers).collect();
    assert_eq!(counts.len(), 4, "the terminal, the phone, the office and Telegram:\n{out}");
    for count in counts {
        assert!(count[0] > 20 && count[0] == count[1..].iter().sum::<u64>(), "{count:?}");
    }
    let told = fake.seen(ANA);
    assert!(told.iter().any(|one| one["text"].as_str().unwrap_or_default().contains("HALTED main")), "{told:#?}");
    assert!(fake.log(0).iter().all(|call| call["method"] != "getUpdates"), "what people write is another run's");
    let left: Vec<_> =
        std::fs::read_dir(shell.path()).expect("reads").map(|one| one.expect("reads").file_name()).collect();
    assert_eq!(left, ["bellwether.toml"], "nothing is kept");
}
