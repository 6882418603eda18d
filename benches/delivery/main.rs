//! How well are messages delivered? The figures R1 to R19, each with its target: `cargo bench --bench delivery`, or `-- R6 R13` for some.

mod support;
mod rig;
mod counted;
mod timed;
mod lived;

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

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut out = std::io::stdout();
    let mut missed = 0;
    let soak = asked.iter().any(|name| name == SOAK.name).then_some(&SOAK);
    let wanted = |figure: &&Figure| asked.is_empty() || asked.iter().any(|name| name == figure.name);
    for figure in FIGURES.iter().filter(wanted).chain(soak) {
        let Figure { name, about, target, measure } = figure;
        let Measured { value, met } = measure();
        missed += usize::from(!met);
        let mark = if met { "" } else { "   MISSED" };
        writeln!(out, "{name:<4} {about:<42} {value:<44} target {target}{mark}").expect("a terminal");
    }
    writeln!(out, "{missed} missed").expect("a terminal");
}
