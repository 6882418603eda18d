//! The program as people have it: killed, started anew, pressed.

use bellwether::clock::{Clock, SystemClock};
use bellwether::store::Reader;
use serde_json::json;

use crate::rig::percentile;
use crate::support::talking::{ANA, PEOPLE, TalkingBot};
use crate::{Measured, measured};

/// Deaths while commands come, and commands.
const DEATHS: usize = 60;
const COMMANDS: usize = 90;

pub(crate) fn restarted() -> Measured {
    let clock = SystemClock::new();
    let mut worst = 0.0f64;
    for _ in 0..5 {
        let mut bot = TalkingBot::new(PEOPLE);
        bot.start();
        bot.kill();
        // A message that waits: committed, and nobody is there to carry it.
        bot.shell(&["command", "/test"], "");
        let after = bot.mark();
        let begun = clock.steady();
        bot.spawn();
        bot.wait_after(after, "sendMessage", "DRILL", 1);
        worst = worst.max(clock.steady().saturating_sub(begun).as_secs_f64());
    }
    measured(format!("{worst:.2} s, the worst of 5"), worst <= 2.0)
}

pub(crate) fn commands() -> Measured {
    let mut bot = TalkingBot::new(PEOPLE);
    bot.start();
    for number in 0..COMMANDS {
        bot.fake.control("message", &json!({ "from": ANA, "text": format!("/alert BTC-USD > {}", 900_000 + number) }));
        if number % 3 != 0 {
            let method = ["getUpdates", "sendMessage"][number % 2];
            let after = bot.mark();
            let ask = json!({ "after": after, "method": method, "outcome": "any", "timeout_ms": (number * 7) % 120 });
            bot.fake.try_control("wait", &ask);
            bot.kill();
            bot.start();
        }
    }
    bot.ask(ANA, ANA, "/status", "main");
    bot.kill();
    let reader = Reader::open(&bot.shell.path().join("bellwether.db")).expect("opens");
    let mut set: Vec<String> =
        reader.alerts_of("ana").expect("reads").iter().map(|alert| alert.condition.to_string()).collect();
    let all = set.len();
    set.sort();
    set.dedup();
    let (lost, twice) = (COMMANDS - set.len(), all - set.len());
    measured(format!("{lost} / {twice} of {COMMANDS} over {DEATHS} deaths"), lost == 0 && twice == 0)
}

pub(crate) fn pressed() -> Measured {
    let mut bot = TalkingBot::new(PEOPLE);
    bot.start();
    bot.ask(ANA, ANA, "/halt", "HALTED");
    let seen = bot.fake.seen(ANA);
    let alarm =
        seen.iter().rev().find(|message| message["text"].as_str().is_some_and(|text| text.starts_with("HALTED")));
    let id = alarm.expect("told")["message_id"].clone();
    let clock = SystemClock::new();
    let mut times: Vec<f64> = (0..100)
        .map(|_| {
            let after = bot.mark();
            let begun = clock.steady();
            bot.fake.control("press", &json!({ "from": ANA, "message_id": id, "text": "Positions" }));
            bot.wait_after(after, "answerCallbackQuery", "", 1);
            clock.steady().saturating_sub(begun).as_secs_f64() * 1e3
        })
        .collect();
    let (worst, p50) = (percentile(&mut times, 100), percentile(&mut times, 50));
    measured(format!("p50 {p50:.1} ms, worst {worst:.1} ms of 100"), worst < 1_500.0)
}
