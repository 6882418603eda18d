//! Killed between any two writes and started again: the same book, and every message once, or twice and marked.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bellwether::clock::Timestamp;
use bellwether::domain::{Instrument, MarketSnapshot, Timeframe};
use bellwether::engine::{DeskSettings, Pace, RunnerError, StrategySettings};
use bellwether::market::{Feed, ReplayFeed, ReplayOptions, ResumeError, SimulatedFeed, SimulatedWithHistory};
use bellwether::store::{Points, Saved, StoreError};
use bellwether::strategy::{STRATEGIES, Selector, Values};

use crate::support::{Bench, Fault, FaultyFeed, Life, ListFeed, flat_bars, quick_cross};

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
    // What strategies remember is saved where a life ends well, which is not the same for both.
    let saved = |bench: &Bench| Saved { brains: None, ..bench.saved() };
    assert_eq!(saved(bench), saved(whole), "{point}");
    assert_eq!(bench.reader().fills().expect("reads"), whole.reader().fills().expect("reads"), "{point}");
    assert!(story(bench) == story(whole), "{point}: the journals differ");
    let counts = bench.reader().lane_counts().expect("reads").remove(0);
    let settled = counts.sent + counts.skipped;
    assert_eq!((counts.accepted, counts.open, counts.dead), (settled, 0, 0), "{point}");
    let mut told: BTreeMap<u64, usize> = BTreeMap::new();
    let mut marked = 0;
    for notice in bench.sink.sent() {
        *told.entry(notice.number.0).or_default() += 1;
        marked += usize::from(notice.lines[0].contains("perhaps a repeat of"));
    }
    assert_eq!(told.len() as u64, counts.sent, "{point}: nothing lost");
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

/// A feed that counts what is asked of it.
struct CountingFeed {
    feed: SimulatedWithHistory,
    given: Arc<AtomicUsize>,
}

impl Feed for CountingFeed {
    fn instruments(&self) -> &[Instrument] {
        self.feed.instruments()
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        self.given.fetch_add(1, Ordering::SeqCst);
        self.feed.next_into(snapshot)
    }

    fn history_until(&self) -> Timestamp {
        self.feed.history_until()
    }

    fn save(&self) -> Option<String> {
        self.feed.save()
    }

    fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        self.feed.resume(saved)
    }
}

/// Every strategy there is, a regime each, and bars of three lengths: all of it is taken up again to the bit, and the past is not read
/// a second time.
#[test]
fn a_restart_reads_only_what_came_after_its_memory() {
    let given = Arc::new(AtomicUsize::new(0));
    let life = |cycles| {
        let longer = [Timeframe::M5, Timeframe::M15];
        let start = SimulatedFeed::history_start(Timeframe::M1, 500, &instruments());
        let feed = SimulatedFeed::new(9, Timeframe::M1, instruments(), start).with_longer(&longer);
        let feed = CountingFeed { feed: SimulatedWithHistory::new(feed), given: given.clone() };
        let all = |desk: &mut DeskSettings| {
            let strategies = STRATEGIES.iter().enumerate().map(|(index, kind)| {
                let values = Values::check(kind.name, kind.params, &[]).expect("defaults");
                let timeframe = [None, Some(Timeframe::M5), Some(Timeframe::M15)][index % 3];
                StrategySettings { timeframe, ..StrategySettings::new(kind.name.parse().expect("name"), kind, values) }
            });
            desk.strategies = strategies.collect();
            desk.selector = Some(Selector::default());
        };
        Life { cycles_max: Some(cycles), ..Life::whole(feed, all) }
    };
    let whole = Bench::new();
    whole.live(life(1_500)).expect("runs");
    let asked = given.swap(0, Ordering::SeqCst);
    let pieces = Bench::new();
    for cycles in [1, 499, 250, 750] {
        pieces.live(life(cycles)).expect("runs");
    }
    assert_eq!(story(&pieces), story(&whole));
    assert_eq!(pieces.saved(), whole.saved(), "the memory too");
    assert!(whole.reader().fills().expect("reads").len() > 4, "something happens");
    assert!(given.load(Ordering::SeqCst) <= asked + 8, "{} of {asked}", given.load(Ordering::SeqCst));
}

#[test]
fn prices_that_changed_since_the_last_run_are_refused() {
    let bench = Bench::new();
    bench.live(Life { cycles_max: Some(20), ..Life::whole(feed(), quick_cross) }).expect("runs");
    let other = FaultyFeed::new(8, instruments(), DAYS, some_faults);
    let error = bench.live(Life::whole(other, quick_cross)).expect_err("another market");
    assert!(error.to_string().contains("have changed"), "{error}");
}

/// A start that ends before its first cycle must not take the first bar for history.
#[test]
fn the_first_bar_is_decided_on_however_often_the_start_is_broken_off() {
    let story_of = |broken_off: usize| {
        let bench = Bench::new();
        let feed = || ListFeed::daily("BTC-USD", flat_bars(&[100, 101, 102, 103, 104]));
        for _ in 0..broken_off {
            bench.live(Life { cycles_max: Some(0), ..Life::whole(feed(), |_| {}) }).expect("runs");
        }
        let finished = bench.live(Life::whole(feed(), |_| {})).expect("runs");
        (finished.cycles, bench.reader().days("main".parse().expect("name"), "").expect("reads"))
    };
    assert_eq!(story_of(0).0, 5);
    assert_eq!(story_of(0), story_of(3));
}

/// The bot asks whether a halved price is right; the answer is a split that somebody puts on file, and starts again.
#[test]
fn a_split_that_is_filed_late_is_followed_and_the_lock_lifted() {
    let folder = tempfile::tempdir().expect("folder");
    let mut rows = String::from("timestamp,open,high,low,close,volume\n");
    let closes: Vec<i64> = (0..20).map(|n| 120 - n).chain([106, 110, 114, 118, 120, 60, 61, 62]).collect();
    let sessions =
        (0i64..).map(|day| chrono::NaiveDate::from_ymd_opt(2019, 1, 2).expect("a day") + chrono::TimeDelta::days(day));
    let hours = bellwether::market::Hours::of(bellwether::domain::AssetClass::UsEquity);
    let mut last = 120;
    for (date, close) in sessions.filter(|date| hours.session_on(*date).is_some()).zip(closes) {
        let open = if close * 2 <= last { close } else { last };
        let (high, low) = (open.max(close) + 1, open.min(close) - 1);
        writeln!(rows, "{date}T00:00:00Z,{open},{high},{low},{close},1000000").expect("grows");
        last = close;
    }
    std::fs::write(folder.path().join("AAPL.1d.csv"), &rows).expect("writes");
    let ex_date = rows.lines().find(|line| line.contains(",60,61,59,60,")).expect("there")[..10].to_owned();
    let feed = || {
        let options = ReplayOptions { path: folder.path().to_owned(), ..ReplayOptions::default() };
        ReplayFeed::open(&options, Timestamp::from_ms(1_800_000_000_000), &mut |_, _| {}).expect("opens")
    };
    let bench = Bench::new();
    bench.live(Life::whole(feed(), quick_cross)).expect("runs");
    let held = |bench: &Bench| bench.saved().books[0].book.positions[0].clone();
    let before = held(&bench);
    assert!(bench.saved().marks[0].lock.is_some(), "it asks");
    std::fs::write(
        folder.path().join("corporate_actions.csv"),
        format!("symbol,ex_date,kind,value\nAAPL,{ex_date},split,2\n"),
    )
    .expect("writes");
    bench.live(Life::whole(feed(), quick_cross)).expect("runs");
    let after = held(&bench);
    assert_eq!(bench.saved().marks[0].lock, None);
    assert_eq!(after.quantity, before.quantity.plus(before.quantity).expect("fits"));
    assert_eq!(after.cost, before.cost);
    let guard = bench.saved().orders.into_iter().find(|order| order.symbol == after.symbol).expect("protected");
    assert_eq!(guard.remaining(), after.quantity);
    assert!(story(&bench).iter().any(|fact| fact.contains("split_applied")));
}

#[test]
fn the_simulated_market_starts_with_its_history() {
    let start = SimulatedFeed::history_start(Timeframe::D1, 60, &instruments());
    assert!(start < SimulatedFeed::START);
    assert_eq!(feed().history_until(), SimulatedFeed::START);
}
