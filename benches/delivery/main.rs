//! How well are messages delivered? The figures R1 to R20 and R22, each with its target: `cargo bench --bench delivery`, or `-- R6 R13` for some.

mod support;
mod rig;
mod chats;
mod counted;
mod timed;
mod lived;
mod far;
mod ways;
mod platforms;
mod talked;

use std::io::Write as _;

/// One figure.
struct Figure {
    name: &'static str,
    about: &'static str,
    target: &'static str,
    measure: fn() -> Measured,
}

/// What came out.
struct Measured {
    value: String,
    met: bool,
}

/// The value in words, and whether it meets the target.
fn measured(value: impl Into<String>, met: bool) -> Measured {
    Measured { value: value.into(), met }
}

/// Takes 24 minutes, so it is measured only where it is named.
const SOAK: Figure = Figure {
    name: "R20",
    about: "24 market hours with faults: memory, sockets",
    target: "under 5 %, flat",
    measure: lived::soak,
};

/// One figure of each of some platforms.
struct PerPlatform {
    name: &'static str,
    about: &'static str,
    target: &'static str,
    measure: fn(&str) -> Measured,
    on: &'static [&'static str],
}

const ALL: &[&str] = &far::NAMES;

const PER_PLATFORM: &[PerPlatform] = &[
    PerPlatform {
        name: "R1",
        about: "lost over 1,000 deaths, all platforms at once",
        target: "0",
        measure: platforms::gone,
        on: ALL,
    },
    PerPlatform { name: "R2", about: "sent twice, no fault", target: "0", measure: platforms::twice, on: ALL },
    PerPlatform {
        name: "R3",
        about: "repeats a death",
        target: "1, marked",
        measure: platforms::repeats,
        on: &["telegram", "email", "ntfy"],
    },
    PerPlatform {
        name: "R3",
        about: "repeats a death",
        target: "0",
        measure: platforms::repeats,
        on: &["discord", "sms"],
    },
    PerPlatform {
        name: "R5",
        about: "429: within the window; later than it",
        target: "0; p99 250 ms",
        measure: platforms::throttled,
        on: &["discord", "sms"],
    },
    PerPlatform {
        name: "R6",
        about: "fact to request received",
        target: "p50 5 ms, p99 25 ms",
        measure: platforms::idle,
        on: ALL,
    },
    PerPlatform {
        name: "R7",
        about: "critical behind 5,000 infos",
        target: "p99 2 s",
        measure: platforms::behind,
        on: &["discord", "email", "sms", "ntfy"],
    },
    PerPlatform {
        name: "R8",
        about: "slower while all others hang",
        target: "5 %",
        measure: platforms::beside,
        on: ALL,
    },
    PerPlatform {
        name: "R9",
        about: "kill -9 to the first waiting message",
        target: "2 s",
        measure: talked::restarted,
        on: &["discord"],
    },
    PerPlatform {
        name: "R11",
        about: "an acknowledgement told",
        target: "2 s",
        measure: platforms::told_of_ack,
        on: &["everywhere"],
    },
    PerPlatform {
        name: "R12",
        about: "commands lost / done twice",
        target: "0 / 0",
        measure: talked::commands,
        on: &["discord", "sms"],
    },
    PerPlatform {
        name: "R13",
        about: "first responses, all else busy",
        target: "under 1.5 s",
        measure: talked::answered,
        on: &["discord"],
    },
    PerPlatform { name: "R18", about: "dead, told on another", target: "60 s", measure: platforms::blind, on: ALL },
];

const FIGURES: &[Figure] = &[
    Figure { name: "R1", about: "lost over 1,000 deaths", target: "0", measure: counted::lost },
    Figure { name: "R2", about: "sent twice of 100,000, no fault", target: "0", measure: counted::twice },
    Figure { name: "R3", about: "repeats a death and lane", target: "1, marked", measure: counted::repeats },
    Figure {
        name: "R4",
        about: "over before anybody was reached",
        target: "100 %, one message",
        measure: counted::short,
    },
    Figure {
        name: "R5",
        about: "429: within the window; later than it",
        target: "0; p99 250 ms",
        measure: timed::throttled,
    },
    Figure { name: "R6", about: "fact to sendMessage received", target: "p50 5 ms, p99 25 ms", measure: timed::idle },
    Figure { name: "R7", about: "critical behind 5,000 infos", target: "p99 2 s", measure: timed::behind },
    Figure { name: "R8", about: "lane A slower while B hangs", target: "5 %", measure: timed::beside },
    Figure { name: "R9", about: "kill -9 to the first waiting message", target: "2 s", measure: lived::restarted },
    Figure { name: "R10", about: "a step of the ladder, off by", target: "1 s", measure: counted::punctual },
    Figure { name: "R11", about: "sends begun after an acknowledgement", target: "0", measure: counted::after_ack },
    Figure { name: "R12", about: "commands lost / done twice", target: "0 / 0", measure: lived::commands },
    Figure { name: "R13", about: "a press answered", target: "under 1.5 s", measure: lived::pressed },
    Figure {
        name: "R15",
        about: "hostile messages that come out valid",
        target: "100 % of 100,000",
        measure: counted::hostile,
    },
    Figure { name: "R17", about: "accounts that add up", target: "always", measure: counted::accounts },
    Figure { name: "R18", about: "a dead way told on another", target: "60 s", measure: counted::blind },
    Figure { name: "R19", about: "quiet hours in every zone over 2 years", target: "0 wrong", measure: counted::quiet },
    Figure { name: "R22", about: "cases of the contest", target: "5 of 5", measure: counted::contest },
];

/// Prints a figure as it came out; whether it was missed.
fn print(name: &str, about: &str, target: &str, Measured { value, met }: &Measured) -> bool {
    let mark = if *met { "" } else { "   MISSED" };
    writeln!(std::io::stdout(), "{name:<12} {about:<44} {value:<48} target {target}{mark}").expect("a terminal");
    !met
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_named = |name: &str| asked.iter().any(|asked| asked == name);
    let is_wanted = |name: &str| asked.is_empty() || is_named(name);
    let mut missed = 0;
    let soak = is_named(SOAK.name).then_some(&SOAK);
    for figure in FIGURES.iter().filter(|figure| is_wanted(figure.name)).chain(soak) {
        missed += usize::from(print(figure.name, figure.about, figure.target, &(figure.measure)()));
    }
    for figure in PER_PLATFORM {
        for platform in figure.on {
            let name = format!("{} {platform}", figure.name);
            if is_wanted(figure.name) || is_named(&name) || is_named(platform) {
                missed += usize::from(print(&name, figure.about, figure.target, &(figure.measure)(platform)));
            }
        }
    }
    writeln!(std::io::stdout(), "{missed} missed").expect("a terminal");
}
