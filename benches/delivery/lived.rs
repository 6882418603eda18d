//! The program as people have it: killed, started anew, pressed.

use bellwether::clock::{Clock, SystemClock};
use bellwether::store::Reader;
use serde_json::json;

use crate::rig::percentile;
use crate::support::talking::{ANA, PEOPLE, TalkingBot};
use crate::{Measured, measured};

/// Bots to which commands come, and how many of them at a time.
const BOTS: usize = 12;
const BESIDE: usize = 6;
/// Commands to each, its deaths meanwhile, and how often each command is repeated.
const COMMANDS: usize = 90;
const DEATHS: usize = 85;
const REPEATS: usize = 10;

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

/// Commands to a bot that dies again and again, each of which comes many times: how many were lost, and how many done twice.
fn commanded() -> (usize, usize) {
    let mut bot = TalkingBot::new(PEOPLE);
    bot.fake.control("fault", &json!({ "kind": "duplicate_update", "copies": 1 + REPEATS, "times": 0 }));
    bot.start();
    for number in 0..COMMANDS {
        bot.fake.control("message", &json!({ "from": ANA, "text": format!("/alert BTC-USD > {}", 900_000 + number) }));
        if number < DEATHS {
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
    (COMMANDS - set.len(), all - set.len())
}

pub(crate) fn commands() -> Measured {
    // Most of the time a bot waits for its start, so several die beside each other.
    let of_one = || (0..BOTS / BESIDE).map(|_| commanded()).collect::<Vec<_>>();
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..BESIDE).map(|_| scope.spawn(of_one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("measured")).collect()
    });
    let (lost, twice) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let (commands, deaths) = (BOTS * COMMANDS, BOTS * DEATHS);
    let repeats = commands * REPEATS;
    let told = format!("{lost} / {twice} of {commands}, {deaths} deaths, {repeats} repeats");
    measured(told, lost == 0 && twice == 0)
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

/// How long a look of the soak is, and how many there are: 24 hours of the market at 60 times its pace.
const LOOK_S: u64 = 24;
const LOOKS: usize = 60;

/// Memory in KiB and open files of a process.
fn weight(pid: u32) -> (f64, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a size");
    let memory = line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number");
    (memory, std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count())
}

pub(crate) fn soak() -> Measured {
    let mut bot = TalkingBot::new(PEOPLE);
    bot.fake.control("settings", &json!({ "flood": true }));
    bot.start();
    let mut weights = Vec::new();
    for look in 0..LOOKS {
        let faults = [
            json!({ "kind": "status", "status": 502, "times": 3 }),
            json!({ "kind": "reset_after", "times": 1 }),
            json!({ "kind": "throttle", "retry_after": 3, "times": 1 }),
            json!({ "kind": "cut_json", "times": 1 }),
            json!({ "kind": "hang", "ms": 3_000, "times": 1 }),
            json!({ "kind": "reset_before", "times": 2 }),
        ];
        bot.fake.control("fault", &faults[look % faults.len()]);
        let text = ["/status", "/trades 50", "/deliveries"][look % 3];
        bot.fake.control("message", &json!({ "from": ANA, "text": text }));
        // Nothing of this name is ever called: the wait is what the look lasts.
        bot.fake.try_control("wait", &json!({ "method": "nothing", "timeout_ms": LOOK_S * 1_000 }));
        weights.push(weight(bot.bot.as_ref().expect("it runs").id()));
    }
    bot.ask(ANA, ANA, "/deliveries", "accepted");
    let verified = bot.shell(&["audit", "verify"], "");
    let (settled, end) = (weights[LOOKS / 4], weights[LOOKS - 1]);
    let growth = (end.0 / settled.0 - 1.0) * 100.0;
    let files = end.1 as i64 - settled.1 as i64;
    let words = format!("{growth:+.1} % of {:.0} MiB, {files:+} files, {}", end.0 / 1024.0, verified.trim());
    measured(words, growth < 5.0 && files.abs() <= 3 && bot.fake.violations() == 0)
}
