//! How fast is it, and how much memory does it take? Each figure is measured five times; the table shows the median.
//!
//! `cargo bench` measures all of them, `cargo bench -- replay` those whose name contains a word. A target that is
//! missed is told with its likely cause; it does not fail the run. docs/PERFORMANCE.md says what each figure means.

use std::fmt::Write as _;

mod answers;
mod engine;
mod ground;
mod program;
mod runner;

use ground::Ground;

/// How often each figure is measured.
const REPETITIONS: usize = 5;

/// One figure.
struct Figure {
    /// What it is called on the command line.
    name: &'static str,
    /// What it is.
    what: &'static str,
    /// The unit of the target.
    unit: &'static str,
    /// The most it should be.
    target: fn(&Ground) -> f64,
    /// Measures it once; none where this machine cannot.
    once: fn(&Ground) -> Option<Sample>,
    /// Why it is missed, as far as known.
    cause: &'static str,
}

/// One measurement.
pub(crate) struct Sample {
    /// What is compared with the target.
    pub(crate) value: f64,
    /// What else was seen.
    pub(crate) aside: String,
}

/// All figures, in the order of the table.
const FIGURES: &[Figure] = &[
    Figure {
        name: "start",
        what: "start to first cycle, built-in market, whole process",
        unit: "s",
        target: |_| 0.3,
        once: |ground| Some(program::start(ground)),
        cause: "the commits before the first cycle wait for the disk, some twenty times",
    },
    Figure {
        name: "answers",
        what: "answer to a command, 99th percentile, 250 symbols, a year of trades",
        unit: "ms",
        target: |_| 100.0,
        once: |ground| Some(answers::answers(ground)),
        cause: "a preview or a view reads all trades",
    },
    Figure {
        name: "memory",
        what: "memory at rest, 250 symbols, 500 bars of warm-up each",
        unit: "MiB",
        target: |_| 40.0,
        once: program::memory,
        cause: "not known",
    },
    Figure {
        name: "decide",
        what: "one cycle over 250 symbols, all strategies and indicators, decide only",
        unit: "ms",
        target: |_| 1.0,
        once: |ground| Some(engine::decide(ground)),
        cause: "not known",
    },
    Figure {
        name: "alerts",
        what: "1,010 alerts over 250 symbols looked at after one cycle",
        unit: "ms",
        target: |_| 0.3,
        once: |ground| Some(engine::alerts(ground)),
        cause: "not known",
    },
    Figure {
        name: "indicators",
        what: "one bar into SMA20, EMA20, RSI14, MACD, ATR14 and Bollinger20 together",
        unit: "ns",
        target: |_| 25.0,
        once: |ground| Some(engine::indicators(ground)),
        cause: "a slow or busy processor; nothing here waits for anything else",
    },
    Figure {
        name: "commit",
        what: "the same with its durable commit",
        unit: "ms",
        target: |ground| 15f64.max(2.0 * ground.fsync_ms),
        once: |ground| Some(runner::commit(ground)),
        cause: "a disk that was busier during the cycles than while its fsync was measured",
    },
    Figure {
        name: "message",
        what: "bar closes to message in the terminal channel, 250 symbols, p99",
        unit: "ms",
        target: |_| 100.0,
        once: |ground| Some(runner::message(ground)),
        cause: "each message is a commit of its own, and those of one bar wait for each other",
    },
    Figure {
        name: "replay",
        what: "replay of 1,000,000 one-minute bars at full speed, whole process",
        unit: "s",
        target: |_| 1.5,
        once: |ground| Some(program::replay(ground)),
        cause: "every 1,000 bars wait for an fsync, and the two threads wait for each other in the allocator",
    },
    Figure {
        name: "one",
        what: "backtest of SMA 10/50, 1 x 1,000,000 bars, whole process",
        unit: "s",
        target: |_| 0.6,
        once: |ground| Some(program::one(ground)),
        cause: "a slow or busy processor",
    },
    Figure {
        name: "many",
        what: "the same, 250 x 2,000 bars",
        unit: "s",
        target: |_| 0.4,
        once: |ground| Some(program::many(ground)),
        cause: "a slow or busy processor",
    },
    Figure {
        name: "fifty",
        what: "the same, 50 x 100,000 bars",
        unit: "s",
        target: |_| 2.5,
        once: |ground| Some(program::fifty(ground)),
        cause: "a slow or busy processor",
    },
    Figure {
        name: "peak",
        what: "highest memory of a backtest of 1 x 1,000,000 bars",
        unit: "MiB",
        target: |_| 150.0,
        once: program::peak,
        cause: "not known",
    },
    Figure {
        name: "bars",
        what: "decide alone, a bar of those 50 x 100,000",
        unit: "ns",
        target: |_| 100.0,
        once: |ground| Some(engine::bars(ground)),
        cause: "texts of signals and checks, which are made for each order, and what does not fit into the processor's cache",
    },
    Figure {
        name: "chart",
        what: "a chart of 120 bars, whole process",
        unit: "ms",
        target: |_| 150.0,
        once: |ground| Some(program::chart(ground)),
        cause: "not known",
    },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--bench") {
        return say("nothing measured: \"cargo bench\" does that");
    }
    let wanted = |figure: &&Figure| {
        let mut filters = words.iter().filter(|word| !word.starts_with('-')).peekable();
        filters.peek().is_none() || filters.any(|word| figure.name.contains(word.as_str()))
    };
    let ground = Ground::new();
    let (mut table, mut notes) = (String::new(), String::new());
    row(&mut table, ["figure", "median of 5", "lowest to highest", "target", "met"]);
    row(&mut table, [&"-".repeat(72), &"-".repeat(14), &"-".repeat(20), &"-".repeat(12), "---"]);
    for figure in FIGURES.iter().filter(wanted) {
        measure(figure, &ground, &mut table, &mut notes);
    }
    say(&format!("\n{table}\n{notes}fsync of 8 KiB on this disk: {:.2} ms (median of 50)", ground.fsync_ms));
    say("fresh clone to first cycle is not measured here; this does (target 4 min):");
    say("  git clone . ../fresh && cd ../fresh && time cargo run --release -- run --cycles 1 --speed max < /dev/null");
}

/// Measures one figure and adds its row, and below the table what else there is to say.
fn measure(figure: &Figure, ground: &Ground, table: &mut String, notes: &mut String) {
    let (unit, target) = (figure.unit, (figure.target)(ground));
    let mut samples: Vec<Sample> = (0..REPETITIONS).filter_map(|_| (figure.once)(ground)).collect();
    let limit = format!("{} {unit}", (target * 100.0).round() / 100.0);
    if samples.len() < REPETITIONS {
        return row(table, [figure.what, "-", "-", &limit, "not measured here"]);
    }
    samples.sort_by(|a, b| a.value.total_cmp(&b.value));
    let (low, median, high) = (&samples[0], &samples[REPETITIONS / 2], &samples[REPETITIONS - 1]);
    let met = median.value <= target;
    let shown = format!("{:.3} {unit}", median.value);
    let spread = format!("{:.3} to {:.3}", low.value, high.value);
    row(table, [figure.what, &shown, &spread, &limit, if met { "yes" } else { "NO" }]);
    if !median.aside.is_empty() {
        let _ = writeln!(notes, "{}: {}", figure.name, median.aside);
    }
    if !met {
        let _ = writeln!(notes, "{} missed its target; likely cause: {}", figure.name, figure.cause);
    }
}

fn row(table: &mut String, cells: [&str; 5]) {
    let [what, median, spread, target, met] = cells;
    let _ = writeln!(table, "| {what:<72} | {median:<14} | {spread:<20} | {target:<12} | {met:<3} |");
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(text: &str) {
    println!("{text}");
}
