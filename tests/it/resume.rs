//! A feed that goes on from a saved position gives what a feed that never stopped gives.

use std::fmt::Write;

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::{Instrument, MarketSnapshot, Timeframe};
use bellwether::market::{Feed, ReplayFeed, ReplayOptions, ResumeError, SimulatedFeed, SimulatedWithHistory};
use proptest::prelude::*;
use tempfile::TempDir;

const LONGER: [Timeframe; 5] = [Timeframe::M5, Timeframe::M15, Timeframe::H1, Timeframe::D1, Timeframe::W1];

fn simulated(seed: u64, timeframe: Timeframe, start: Timestamp) -> SimulatedWithHistory {
    let list = ["AAPL", "MSFT", "JPM", "BTC-USD"].map(|symbol| {
        let mut instrument = Instrument::bare(symbol.parse().expect("symbol"));
        instrument.sector = if symbol == "JPM" { "Financials".to_owned() } else { "Technology".to_owned() };
        instrument
    });
    SimulatedWithHistory::new(SimulatedFeed::new(seed, timeframe, list.to_vec(), start).with_longer(&LONGER))
}

/// Minutes of a coin with gaps, days of a share over two splits and two dividends, and its recorded weeks.
fn recorded() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let header = "timestamp,open,high,low,close,volume\n";
    let (mut coin, mut share) = (header.to_owned(), header.to_owned());
    for minute in (0..3_000i64).filter(|minute| minute % 7 != 3 && minute / 200 != 4) {
        let (start, price) = (Timestamp::from_ms(1_719_792_000_000 + minute * 60_000), 100 + minute % 13);
        let _ = writeln!(coin, "{start},{price},{},{},{price},1.5", price + 1, price - 1);
    }
    for day in (0..60i64).filter(|day| day % 7 < 5) {
        let start = Timestamp::from_ms(1_719_792_000_000 + (day - 40) * DAY_MS);
        let price = if day < 17 { 120 } else { 60 } + day % 3;
        let _ = writeln!(share, "{start},{price},{},{},{price},1000", price + 1, price - 1);
    }
    let actions = "symbol,ex_date,kind,value\nAAPL,2024-06-05,dividend,0.5\nAAPL,2024-06-08,split,2\nAAPL,2024-06-20,confirmed,\n\
                   AAPL,2024-06-25,dividend,0.25\n";
    for (name, text) in [("BTC-USD.1m.csv", coin.as_str()), ("AAPL.1d.csv", &share), ("corporate_actions.csv", actions)]
    {
        std::fs::write(folder.path().join(name), text).expect("writes");
    }
    folder
}

fn open(folder: &TempDir, longer: &[Timeframe]) -> ReplayFeed {
    let options = ReplayOptions { path: folder.path().to_owned(), longer: longer.to_vec(), ..ReplayOptions::default() };
    ReplayFeed::open(&options, Timestamp::from_ms(1_800_000_000_000), &mut |_, _| {}).expect("opens")
}

/// The next snapshots, as many as there are up to `most`.
fn next(feed: &mut dyn Feed, most: usize) -> Vec<MarketSnapshot> {
    let mut snapshot = MarketSnapshot::default();
    std::iter::from_fn(|| feed.next_into(&mut snapshot).then(|| snapshot.clone())).take(most).collect()
}

/// Stops after some snapshots, saves, and lets a fresh feed go on: both give the same, and stand at the same place after it.
fn goes_on(mut one: impl Feed, mut fresh: impl Feed, stop: usize, more: usize) -> usize {
    next(&mut one, stop);
    let saved = one.save().expect("keeps a position");
    fresh.resume(&saved).expect("the same prices");
    assert_eq!(fresh.save(), Some(saved));
    let (wanted, found) = (next(&mut one, more), next(&mut fresh, more));
    assert!(wanted == found, "after {stop}");
    assert_eq!(one.save(), fresh.save());
    wanted.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_simulated_market_goes_on(seed in 0u64..1_000, timeframe in 0usize..6, stop in 0usize..4_000) {
        let timeframe = Timeframe::ALL[timeframe];
        let start = SimulatedFeed::START;
        // The feed that goes on may have been started elsewhere.
        let (one, fresh) = (simulated(seed, timeframe, start), simulated(seed, timeframe, start.plus_ms(90 * DAY_MS)));
        prop_assert_eq!(goes_on(one, fresh, stop, 1_000), 1_000);
    }
}

#[test]
fn a_halt_outlasts_a_stop() {
    let list: Vec<Instrument> = (0..100).map(|n| Instrument::bare(format!("S{n}").parse().expect("symbol"))).collect();
    let new = || SimulatedWithHistory::new(SimulatedFeed::new(1, Timeframe::M1, list.clone(), SimulatedFeed::START));
    let all = next(&mut new(), 390);
    let halted = |stop: &usize| all[*stop].bars.len() < list.len();
    let stops: Vec<usize> = (1..all.len()).filter(halted).step_by(7).collect();
    assert!(!stops.is_empty(), "some trading is halted");
    for stop in stops {
        goes_on(new(), new(), stop + 1, 60);
    }
}

#[test]
fn a_replay_goes_on_from_any_place() {
    let folder = recorded();
    let all = next(&mut open(&folder, &LONGER), usize::MAX);
    let count = |what: fn(&MarketSnapshot) -> usize| all.iter().map(what).sum::<usize>();
    assert_eq!(
        (count(|it| it.splits.len()), count(|it| it.dividends.len()), count(|it| it.confirmed.len())),
        (1, 2, 1)
    );
    for stop in (0..60).chain((60..all.len()).step_by(37)).chain([all.len()]) {
        let left = goes_on(open(&folder, &LONGER), open(&folder, &LONGER), stop, usize::MAX);
        assert_eq!(left, all.len() - stop);
    }
}

#[test]
fn bars_that_came_later_are_played_after_a_saved_position() {
    let folder = recorded();
    let mut feed = open(&folder, &LONGER);
    let seen = next(&mut feed, usize::MAX).len();
    let saved = feed.save().expect("keeps a position");
    let path = folder.path().join("BTC-USD.1m.csv");
    let mut rows = std::fs::read_to_string(&path).expect("reads");
    rows.push_str("2024-08-01T00:00:00Z,1,1,1,1,1\n");
    std::fs::write(&path, rows).expect("writes");
    let mut longer = open(&folder, &LONGER);
    longer.resume(&saved).expect("the same up to there");
    let rest = next(&mut longer, usize::MAX);
    assert!(rest.iter().any(|snapshot| snapshot.bars.iter().any(|bar| bar.is_finest)) && rest.len() < seen);
}

/// Every damaged or foreign text is an error, after which the feed gives what it would have given.
#[test]
fn a_position_of_other_prices_is_refused() {
    let folder = recorded();
    let saved_after = |feed: &mut dyn Feed, count| {
        next(feed, count);
        feed.save().expect("keeps a position")
    };
    let replayed = saved_after(&mut open(&folder, &LONGER), 700);
    let made_up = saved_after(&mut simulated(1, Timeframe::M1, SimulatedFeed::START), 700);
    let check = |feed: &mut dyn Feed, saved: &str, is_foreign: bool, what: &str| {
        let before = feed.save();
        let error = feed.resume(saved).expect_err(what);
        assert_eq!(matches!(error, ResumeError::Foreign(_)), is_foreign, "{what}: {error}");
        assert_eq!(feed.save(), before, "{what}");
    };
    for (seed, timeframe, saved) in
        [(2, Timeframe::M1, &made_up), (1, Timeframe::M5, &made_up), (1, Timeframe::M1, &replayed)]
    {
        check(&mut simulated(seed, timeframe, SimulatedFeed::START), saved, true, "another market");
    }
    check(&mut open(&folder, &LONGER), &made_up, true, "a simulated market");
    check(&mut open(&folder, &LONGER[..2]), &replayed, true, "other longer bars");
    for at in (0..made_up.len()).step_by(97) {
        check(&mut simulated(1, Timeframe::M1, SimulatedFeed::START), &made_up[..at], false, "cut");
    }
    for damaged in ["", "x", "{}", "replay-1 0 {}"] {
        check(&mut open(&folder, &LONGER), damaged, false, damaged);
    }
    for (file, from, to, what) in [
        ("BTC-USD.1m.csv", "2024-07-01T00:00:00Z,100,101,99,100,1.5\n", "", "a row was deleted"),
        ("AAPL.1d.csv", ",1000\n", ",1001\n", "the volumes are others"),
        ("corporate_actions.csv", "split,2", "split,3", "an action was changed"),
    ] {
        let changed = recorded();
        let text = std::fs::read_to_string(changed.path().join(file)).expect("reads");
        assert!(text.contains(from));
        std::fs::write(changed.path().join(file), text.replace(from, to)).expect("writes");
        check(&mut open(&changed, &LONGER), &replayed, true, what);
    }
}
