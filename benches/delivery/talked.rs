//! Discord and SMS as people have them: the whole program, killed, started anew, asked and pressed.

use bellwether::clock::{Clock, SystemClock};
use bellwether::domain::{Event, RouteTable, Routes, RunId, Severity};
use bellwether::store::Store;
use serde_json::json;

use crate::rig::percentile;
use crate::support::discord::number;
use crate::support::discord_talking::{ANA, BO, DiscordBot, PEOPLE};
use crate::support::post_office::lane;
use crate::support::sample;
use crate::support::texting::Texting;
use crate::support::twilio::Spoilt;
use crate::{Measured, measured};

/// Bots beside each other to which commands come; commands to each, its deaths meanwhile, and how often each command is repeated.
const BOTS: usize = 8;
const COMMANDS: usize = 135;
const DEATHS: usize = 128;
const REPEATS: usize = 10;

/// R9.
pub(crate) fn restarted(_: &str) -> Measured {
    let clock = SystemClock::new();
    let mut worst = 0.0f64;
    for _ in 0..5 {
        let mut bot = DiscordBot::new(PEOPLE);
        bot.start();
        bot.kill();
        // A message that waits: committed, and nobody is there to carry it.
        bot.shell(&["command", "/test"]);
        let after = bot.mark();
        let begun = clock.steady();
        bot.spawn();
        bot.wait_after(after, "create_message", "DRILL");
        worst = worst.max(clock.steady().saturating_sub(begun).as_secs_f64());
    }
    measured(format!("{worst:.2} s, the worst of 5"), worst <= 2.0)
}

/// What became of commands.
struct Done {
    /// Whoever gave these was told that they are done.
    promised: usize,
    lost: usize,
    twice: usize,
}

/// Slash commands to a bot that dies again and again, each of which comes several times.
fn by_slash() -> Done {
    let mut bot = DiscordBot::new(PEOPLE);
    // Nobody repeats an interaction as often, and what a life heard of limits the next one does not know.
    bot.fake.control("settings", &json!({ "rates": false }));
    bot.start();
    let mut given = Vec::new();
    for place in 0..COMMANDS {
        let id = bot.give(ANA, None, "portfolio alert", json!({ "when": format!("AAPL > {}", 900_000 + place) }));
        given.push(id);
        for _ in 0..REPEATS {
            bot.fake.control("repeat", &json!({ "id": id.to_string() }));
        }
        if place < DEATHS {
            // Nothing of this name is ever called: dies at while the command is heard, kept, handled or answered.
            let ask = json!({ "method": "nothing", "timeout_ms": place * 7 % 100 });
            bot.fake.try_control("wait", &ask);
            bot.kill();
            bot.start();
        }
    }
    bot.ask(ANA, None, "portfolio status", json!({}), "main is");
    while !bot.reader().unanswered("discord").expect("reads").is_empty() {}
    let alerts = bot.reader().alerts_of("ana").expect("reads");
    let mut set: Vec<String> = alerts.iter().map(|alert| alert.condition.to_string()).collect();
    let all = set.len();
    set.sort();
    set.dedup();
    // Who got no first response in time sees that it failed; the others were promised that it is done.
    let promised = given.into_iter().filter(|id| bot.interaction(*id)["response"].is_u64()).count();
    Done { promised, lost: promised.saturating_sub(set.len()), twice: all - set.len() }
}

/// As many texts of one phone are answered in an hour.
const ANSWERS: usize = 10;

fn phone(place: usize) -> String {
    format!("+3519123457{place:02}")
}

/// As many people as it takes to be answered every time.
fn texters() -> String {
    let person = |place| format!("[[people]]\nname = \"p{place}\"\nrole = \"viewer\"\nphone = \"{}\"\n", phone(place));
    let people: String = (0..COMMANDS.div_ceil(ANSWERS)).map(person).collect();
    format!("[[people]]\nname = \"ana\"\nrole = \"owner\"\nemail = \"ana@example.org\"\n{people}[sms]\nper_day = 100\n")
}

/// Texts to a bot that dies again and again, each of which is posted several times; each is answered by a text of its own.
fn by_text() -> Done {
    let mut bot = Texting::new();
    bot.shell.write("bellwether.toml", &texters());
    bot.start();
    for place in 0..COMMANDS {
        let text = bot.desk.text(&phone(place / ANSWERS), "MENU", Spoilt::No);
        // What is not taken is posted again.
        while text.go().is_none_or(|(status, _)| status != 200) {}
        if place < DEATHS {
            // As long as it takes to start a program, so often.
            (0..place % 4).for_each(|_| drop(bot.said(&["--version"])));
            bot.kill();
            bot.start();
        }
        (0..REPEATS).for_each(|_| assert_eq!(text.go().expect("an answer").0, 200));
    }
    let is_open = |bot: &Texting| bot.reader().lane_counts().expect("reads").iter().any(|counts| counts.open > 0);
    while !bot.reader().unanswered("sms").expect("reads").is_empty() || is_open(&bot) {
        bot.said(&["--version"]);
    }
    let answers = bot.desk.bodies().iter().filter(|body| body.contains("Never STOP")).count();
    Done { promised: COMMANDS, lost: COMMANDS.saturating_sub(answers), twice: answers.saturating_sub(COMMANDS) }
}

/// R12.
pub(crate) fn commands(name: &str) -> Measured {
    let of_one = if name == "sms" { by_text } else { by_slash };
    let counts: Vec<Done> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..BOTS).map(|_| scope.spawn(of_one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("measured")).collect()
    });
    let sum = |of: fn(&Done) -> usize| counts.iter().map(of).sum::<usize>();
    let (promised, lost, twice) = (sum(|one| one.promised), sum(|one| one.lost), sum(|one| one.twice));
    let (deaths, repeats) = (BOTS * DEATHS, BOTS * COMMANDS * REPEATS);
    let told = format!("{lost} / {twice} of {promised}, {deaths} deaths, {repeats} repeats");
    measured(told, lost == 0 && twice == 0)
}

/// A bot for whose lanes 5,000 infos wait as it starts.
fn busy() -> DiscordBot {
    let mut bot = DiscordBot::new(&PEOPLE.replace("min = \"notice\"", "min = \"info\""));
    bot.start();
    bot.set_pin();
    bot.kill();
    let store = Store::open(&bot.shell.path().join("bellwether.db")).expect("opens");
    let now = SystemClock::new().now();
    let book = Some("main".parse().expect("a name"));
    let infos = vec![Event { at: now, book, kind: sample("order_submitted").kind }; 5_000];
    let table = RouteTable::simple(&["ana:discord", "cat:email"].map(lane), Severity::Info);
    store.record_events(RunId(1), now, infos, &Routes::new(table)).expect("stored");
    store.close();
    bot.start();
    bot
}

/// R13.
pub(crate) fn answered(_: &str) -> Measured {
    let bot = busy();
    let mut times: [Vec<f64>; 3] = Default::default();
    bot.ask(ANA, None, "halt", json!({}), "alted");
    let shown = bot.ask(ANA, None, "control resume", json!({}), "Valid for 60 s");
    for round in 0..100 {
        if round % 4 == 0 {
            bot.give(BO, None, "portfolio chart", json!({ "what": "AAPL" }));
        }
        let command = bot.give(ANA, None, "portfolio status", json!({}));
        let ask = json!({ "user": ANA, "path": ["reasons", "why"], "options": { "of": "A" }, "focused": "of" });
        let completion = number(&bot.fake.control("complete", &ask)["id"]);
        let press = bot.press(ANA, &shown, "Confirm");
        for (times, (id, wanted)) in times.iter_mut().zip([(command, 5), (press, 9), (completion, 8)]) {
            let (kind, after) = bot.first_response(id);
            assert_eq!(kind, wanted);
            times.push(after as f64);
        }
    }
    let worst = times.each_mut().map(|times| percentile(times, 100));
    let words = format!("worst {:.0} ms, press {:.0} ms, completion {:.0} ms", worst[0], worst[1], worst[2]);
    measured(words, worst.iter().all(|worst| *worst < 1_500.0))
}
