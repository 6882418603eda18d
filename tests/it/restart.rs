//! Killed between any two writes and started again: the same book, and every message once, or twice and marked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bellwether::domain::{Instrument, Timeframe};
use bellwether::engine::{Pace, RunnerError};
use bellwether::market::{Feed, SimulatedFeed};
use bellwether::store::{Points, StoreError};

use crate::support::{Bench, Fault, FaultyFeed, Life, quick_cross};

const DAYS: u64 = 90;

fn instruments() -> Vec<Instrument> {
    ["AAPL", "MSFT", "JPM", "BTC-USD"].map(|symbol| Instrument::bare(symbol.parse().expect("symbol"))).to_vec()
}

/// A symbol falls silent for some days now and then, and once in a while a price is nonsense.
fn some_faults(_: u64, instant: u64, instrument: usize) -> Option<Fault> {
    let turn = instant / 5 + instrument as u64 * 3;
    match (turn % 11, instant % 29 + instrument as u64) {
        (7, _) => Some(Fault::Missing),
        (_, 13) => Some(Fault::BadPrint),
        _ => None,
    }
}

fn feed() -> FaultyFeed {
    FaultyFeed::new(7, instruments(), DAYS, some_faults)
}

fn life(points: Points) -> Life {
    let mut life = Life::whole(feed(), quick_cross);
    life.points = points;
    // Every cycle is a commit of its own, so that there are many places to be killed at.
    life.pace = Pace::Times(1_000_000_000);
    life
}

/// The journal without what tells of starts and stops.
fn story(bench: &Bench) -> Vec<String> {
    let journal = bench.reader().journal_text().expect("reads");
    let facts = journal.lines().filter(|line| !line.contains(" engine_"));
    facts.map(|line| line.split_once(' ').map_or("", |(_, fact)| fact).to_owned()).collect()
}

/// Ends the life at the `at`th passing of the point `name`.
fn kill_at(name: &'static str, at: u64, hits: &Arc<Mutex<BTreeMap<&'static str, u64>>>) -> Points {
    let hits = hits.clone();
    let passed = Mutex::new(0u64);
    Points::armed(move |point| {
        if point != name {
            return false;
        }
        let mut passed = passed.lock().expect("lock");
        *passed += 1;
        let dies = *passed == at;
        if dies {
            *hits.lock().expect("lock").entry(name).or_default() += 1;
        }
        dies
    })
}

const POINTS: &[&str] = &[
    "batch: begin",
    "batch: orders written",
    "batch: fills written",
    "batch: books written",
    "batch: days, marks, steps written",
    "batch: journal row without its deliveries",
    "batch: progress written",
    "commit: before",
    "commit: after",
    "outbox: settled, next not taken",
    "outbox: taken",
    "delivery: marked, not sent",
    "delivery: sent, not settled",
];

#[test]
fn a_kill_between_any_two_writes_changes_nothing_and_loses_nothing() {
    let whole = Bench::new();
    whole.live(life(Points::default())).expect("runs");
    whole.deliver(Points::default()).expect("delivers");
    assert!(whole.reader().fills().expect("reads").len() > 10, "the run is worth killing");

    let hits = Arc::new(Mutex::new(BTreeMap::new()));
    for (index, point) in POINTS.iter().enumerate() {
        for at in [1, 3, 17 + index as u64] {
            let bench = Bench::new();
            let mut crashes = 0;
            // Killed again and again, each time a little later, until it gets through.
            for attempt in 0..40 {
                let points = if attempt < 6 { kill_at(point, at, &hits) } else { Points::default() };
                match bench.live(life(points)) {
                    Ok(finished) if finished.data_ended => {}
                    Ok(finished) => panic!("ended early: {finished:?}"),
                    Err(RunnerError::Store(StoreError::Killed(_))) => crashes += 1,
                    Err(error) => panic!("{error}"),
                }
                let points = if attempt < 6 { kill_at(point, at, &hits) } else { Points::default() };
                match bench.deliver(points) {
                    Ok(_) if attempt >= 6 => break,
                    Ok(_) => {}
                    Err(StoreError::Killed(_)) => crashes += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            same_end(&whole, &bench, crashes, point);
        }
    }
    let hits = hits.lock().expect("lock");
    for point in POINTS {
        eprintln!("{:>4} kills at \"{point}\"", hits.get(point).copied().unwrap_or(0));
        assert!(hits.contains_key(point), "{point} was never hit");
    }
}

fn same_end(whole: &Bench, bench: &Bench, crashes: usize, point: &str) {
    assert_eq!(bench.saved(), whole.saved(), "{point}");
    assert_eq!(bench.reader().fills().expect("reads"), whole.reader().fills().expect("reads"), "{point}");
    assert!(story(bench) == story(whole), "{point}: the journals differ");
    let counts = bench.reader().lane_counts().expect("reads").remove(0);
    assert_eq!((counts.accepted, counts.open, counts.dead), (counts.sent, 0, 0), "{point}");
    let mut told: BTreeMap<u64, usize> = BTreeMap::new();
    let mut marked = 0;
    for notice in bench.sink.sent() {
        *told.entry(notice.number.0).or_default() += 1;
        marked += usize::from(notice.lines[0].starts_with("Possibly a repeat"));
    }
    assert_eq!(told.len() as u64, counts.accepted, "{point}: nothing lost");
    let repeats: usize = told.values().map(|times| times - 1).sum();
    assert!(repeats <= marked && marked <= crashes, "{point}: {repeats} repeats, {marked} marked, {crashes} crashes");
}

#[test]
fn a_run_in_pieces_is_the_run_in_one() {
    let whole = Bench::new();
    whole.live(Life::whole(feed(), quick_cross)).expect("runs");
    let pieces = Bench::new();
    for _ in 0..60 {
        let finished = pieces.live(Life { cycles_max: Some(7), ..Life::whole(feed(), quick_cross) }).expect("runs");
        if finished.data_ended {
            break;
        }
    }
    assert_eq!(pieces.saved(), whole.saved());
    assert_eq!(story(&pieces), story(&whole));
}

#[test]
fn prices_that_changed_since_the_last_run_are_refused() {
    let bench = Bench::new();
    bench.live(Life { cycles_max: Some(20), ..Life::whole(feed(), quick_cross) }).expect("runs");
    let other = FaultyFeed::new(8, instruments(), DAYS, some_faults);
    let error = bench.live(Life::whole(other, quick_cross)).expect_err("another market");
    assert!(error.to_string().contains("have changed"), "{error}");
}

#[test]
fn the_simulated_market_starts_with_its_history() {
    let start = SimulatedFeed::history_start(Timeframe::D1, 60, &instruments());
    assert!(start < SimulatedFeed::START);
    assert_eq!(feed().history_until(), SimulatedFeed::START);
}
