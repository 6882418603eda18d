//! Each stretch of cycles is made again from its prices and compared with the ledger: the proof, and that it can fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};

use bellwether::domain::{EventKind, Instrument, Timeframe};
use bellwether::engine::{DeskSettings, EngineMessage, Pace, Stretch};
use bellwether::market::{SimulatedFeed, SimulatedWithHistory};
use bellwether::store::{JournalRow, Points};

use crate::support::{Bench, Life, quick_cross};

fn instruments() -> Vec<Instrument> {
    ["AAPL", "MSFT", "JPM", "XOM"].map(|name| Instrument::bare(name.parse().expect("symbol"))).to_vec()
}

/// Three days of minutes at a pace at which every cycle is a commit; what was handed to the auditor.
fn days(bench: &Bench, control: Option<&str>) -> Vec<Stretch> {
    let (sender, stretches) = channel();
    let feed = || {
        let start = SimulatedFeed::history_start(Timeframe::M1, 300, &instruments());
        SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::M1, instruments(), start))
    };
    let busy = |desk: &mut DeskSettings| {
        quick_cross(desk);
        desk.limits.set("cooldown_bars", "0".parse().expect("number")).expect("in range");
    };
    let life = |cycles| Life {
        cycles_max: Some(cycles),
        pace: Pace::Times(1_000_000_000),
        auditor: Some(sender.clone()),
        ..Life::whole(feed(), busy)
    };
    bench.live(life(500)).expect("runs");
    if let Some(control) = control {
        bench.confirm(control);
    }
    bench.live(life(670)).expect("runs");
    drop(sender);
    stretches.into_iter().collect()
}

fn journal(bench: &Bench, stretch: &Stretch) -> Vec<JournalRow> {
    bench.reader().journal_of_cycles(stretch.after(), stretch.until()).expect("reads")
}

#[test]
fn every_day_is_made_again_to_the_last_fact() {
    let bench = Bench::new();
    let (mut orders_made, mut fills_made) = (0, 0);
    let stretches = days(&bench, None);
    assert!(stretches.len() >= 3, "{} stretches", stretches.len());
    for stretch in &stretches {
        let EventKind::DayAudited { day, cycles, orders, fills, differences } =
            stretch.audit(&journal(&bench, stretch))
        else {
            panic!("an audit")
        };
        assert_eq!(differences, Vec::<String>::new(), "{day}");
        assert_eq!(cycles, stretch.snapshots.len() as u64);
        orders_made += orders;
        fills_made += fills;
    }
    assert!(orders_made > 20 && fills_made > 20, "{orders_made} orders, {fills_made} fills: the proof is of something");
}

/// A fact that was changed, lost or made up afterwards is found and named with its cycle.
#[test]
fn a_ledger_that_was_touched_is_found_out() {
    let bench = Bench::new();
    let stretches = days(&bench, None);
    let stretch = stretches.iter().find(|stretch| {
        journal(&bench, stretch).iter().any(|row| matches!(row.event.kind, EventKind::OrderFilled { .. }))
    });
    let stretch = stretch.expect("something filled");
    let rows = journal(&bench, stretch);
    let place = rows.iter().position(|row| matches!(row.event.kind, EventKind::OrderFilled { .. })).expect("there");
    let audited = |rows: &[JournalRow]| match stretch.audit(rows) {
        EventKind::DayAudited { differences, .. } => differences,
        other => panic!("{other:?}"),
    };

    let mut dearer = rows.clone();
    if let EventKind::OrderFilled { fill, .. } = &mut dearer[place].event.kind {
        fill.fee = fill.fee.plus(bellwether::domain::Money::STEP).expect("fits");
    }
    let cycle = rows[place].cycle.0;
    let symbol = rows[place].event.kind.symbol().expect("of a symbol");
    assert_eq!(audited(&dearer), [format!("cycle {cycle}: another order_filled {symbol}")]);

    let mut lost = rows.clone();
    lost.remove(place);
    assert!(
        audited(&lost)[0].starts_with(&format!("cycle {cycle}: order_filled {symbol} instead of ")),
        "{:?}",
        audited(&lost)
    );
    let mut twice = rows.clone();
    twice.insert(place, rows[place].clone());
    assert_eq!(audited(&twice).len(), 1);
}

/// What a person did lies between two stretches, so that each is made of prices alone.
#[test]
fn a_person_between_two_stretches_spoils_neither() {
    let bench = Bench::new();
    for stretch in days(&bench, Some("/book pause main")) {
        let EventKind::DayAudited { differences, .. } = stretch.audit(&journal(&bench, &stretch)) else {
            panic!("an audit")
        };
        assert_eq!(differences, Vec::<String>::new());
    }
    assert_eq!(bench.saved().books[0].state, bellwether::domain::TradingState::Reducing);
}

/// Settings that people changed are part of what a stretch begins with, and end between two.
#[test]
fn settings_that_people_changed_are_made_again() {
    for control in ["/setrisk half for 3h", "/limit positions_max 1", "/disable sma_cross for 2h"] {
        let bench = Bench::new();
        let stretches = days(&bench, Some(control));
        let with_change = stretches.iter().filter(|stretch| !stretch.saved.changes.is_empty()).count();
        assert!(with_change > 0, "{control}: of {} stretches", stretches.len());
        for stretch in stretches {
            let EventKind::DayAudited { differences, .. } = stretch.audit(&journal(&bench, &stretch)) else {
                panic!("an audit")
            };
            assert_eq!(differences, Vec::<String>::new(), "{control}");
        }
    }
}

/// A stretch begins with a commit of its own, after the feed gave the next bars. Whoever dies then has them again.
#[test]
fn a_death_at_the_start_of_a_stretch_loses_no_bar() {
    let life = |cycles| {
        let start = SimulatedFeed::history_start(Timeframe::M1, 300, &instruments());
        let feed = SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::M1, instruments(), start));
        // Nobody listens, and the stretches are begun all the same.
        let auditor = Some(channel().0);
        let pace = Pace::Times(1_000_000_000);
        Life { cycles_max: Some(cycles), pace, auditor, ..Life::whole(feed, quick_cross) }
    };
    let whole = Bench::new();
    whole.live(life(20)).expect("runs");
    for commits in 1..6 {
        let bench = Bench::new();
        let left = AtomicU64::new(commits);
        let points = Points::armed(move |point| point == "commit: after" && left.fetch_sub(1, Ordering::SeqCst) == 1);
        bench.live(Life { points, ..life(20) }).expect_err("killed");
        let done = bench.saved().progress.map_or(0, |progress| progress.cycle.0);
        bench.live(life(20 - done)).expect("runs");
        assert_eq!(bench.saved(), whole.saved(), "killed after commit {commits}");
    }
}

/// What a person does carries the number of the cycle before it, and is none of what that cycle decided, however late the audit looks.
#[test]
fn a_person_in_the_middle_of_a_day_is_no_difference() {
    let bench = Arc::new(Bench::new());
    let (sender, stretches) = channel();
    let start = SimulatedFeed::history_start(Timeframe::M1, 300, &instruments());
    let feed = SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::M1, instruments(), start));
    let asked = bench.clone();
    let pause = move |queue: &Sender<EngineMessage>| {
        asked.confirm("/book pause main");
        queue.send(EngineMessage::Look).expect("the engine runs");
    };
    let life = Life::whole(feed, quick_cross).meanwhile(vec![(120, Box::new(pause))]);
    let (cycles_max, pace, auditor) = (Some(500), Pace::Times(1_000_000_000), Some(sender));
    bench.live(Life { cycles_max, pace, auditor, ..life }).expect("runs");
    let told: Vec<_> = stretches.iter().map(|stretch| stretch.audit(&journal(&bench, &stretch))).collect();
    let paused = |kind: &EventKind| matches!(kind, EventKind::TradingReduced { .. });
    let rows = bench.reader().journal_all().expect("reads");
    assert!(told.len() >= 2 && rows.iter().any(|row| paused(&row.event.kind)), "{told:?}");
    for kind in told {
        let EventKind::DayAudited { differences, .. } = kind else { panic!("an audit") };
        assert_eq!(differences, Vec::<String>::new());
    }
}
