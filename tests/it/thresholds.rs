//! Profit is told at its thresholds, once in each direction, and cycles that began late when they have caught up.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use bellwether::domain::{EventKind, Ratio};
use bellwether::engine::{DeskSettings, EngineMessage, Pace};

use crate::alerts::{coin, idle};
use crate::support::{Act, Bench, Holding, Life, ListFeed, bar_at, book_batch, flat_bars};

/// A book that holds fifty coins at 100, half of its 10,000, on these closes.
fn holder(closes: &[i64], change: impl FnOnce(&mut DeskSettings)) -> (Bench, Life) {
    let bench = Bench::new();
    let end = bar_at(1, [1; 4]).start;
    let held = Holding { symbol: "BTC-USD", quantity: 50, entry: 100, stop: Some(30) };
    bench.record(book_batch(end, 5_000, &[held], &[]));
    let bars = flat_bars(&[&[100], closes].concat());
    let life = Life::whole(ListFeed::daily("BTC-USD", bars), |desk| {
        idle(desk);
        change(desk);
    });
    (bench, Life { pace: Pace::Times(1_000_000_000), ..life })
}

fn passed(bench: &Bench) -> Vec<String> {
    let rows = bench.reader().journal_all().expect("reads");
    let of = |row: bellwether::store::JournalRow| match row.event.kind {
        EventKind::PositionPassed { profit, share, level, .. } => {
            Some(format!("position {profit} {} {}", share.percent(), level.percent()))
        }
        EventKind::DayPassed { profit, level, .. } => Some(format!("day {profit} {}", level.percent())),
        _ => None,
    };
    rows.into_iter().filter_map(of).collect()
}

#[test]
fn thresholds_are_told_once_in_each_direction() {
    let (bench, life) = holder(&[104, 106, 104, 107, 112, 99, 94, 93, 96], |_| {});
    bench.live(life).expect("runs");
    let told = passed(&bench);
    let wanted = [
        "day 200 2",
        "position 300 6 5",
        "position 600 12 10",
        "day 250 2",
        "day -650 -6",
        "position -300 -6 -5",
        "day -250 -2",
    ];
    assert_eq!(told, wanted, "{told:?}");

    let (bench, life) = holder(&[104, 106, 112, 94], |desk| {
        for key in ["alert_position_pct", "alert_day_pct"] {
            desk.limits.set(key, Ratio::ZERO).expect("in range");
        }
    });
    bench.live(life).expect("runs");
    assert_eq!(passed(&bench), Vec::<String>::new());
}

#[test]
fn what_was_passed_is_known_after_a_restart() {
    let closes = [106, 104, 107, 112, 99, 94];
    let (whole, life) = holder(&closes, |_| {});
    whole.live(life).expect("runs");
    let (pieces, _) = holder(&closes, |_| {});
    for _ in 0..closes.len() {
        let (_, life) = holder(&closes, |_| {});
        pieces.live(Life { cycles_max: Some(1), ..life }).expect("runs");
    }
    assert!(passed(&whole).len() > 3);
    assert_eq!(passed(&pieces), passed(&whole));
}

/// The machine stood still for an hour, and once for a moment.
#[test]
fn a_cycle_that_begins_late_is_told_when_it_has_caught_up() {
    let bench = Arc::new(Bench::new());
    let late = |ms: i64| -> Act {
        let clock = bench.clock.clone();
        Box::new(move |_| clock.advance(ms))
    };
    let life = coin(&[100; 12]).meanwhile(vec![(4, late(900)), (8, late(3_600_000)), (10, late(2_500))]);
    bench.live(life).expect("runs");
    let told = |bench: &Bench| {
        let rows = bench.reader().journal_all().expect("reads");
        let of = |row: bellwether::store::JournalRow| match row.event.kind {
            EventKind::CyclesMissed { cycles, late_s } => Some((row.cycle.0, cycles, late_s)),
            _ => None,
        };
        rows.into_iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(told(&bench), [(8, 1, 3_600), (10, 1, 3)]);

    let bench = Arc::new(Bench::new());
    let clock = bench.clock.clone();
    let act = move |_: &Sender<EngineMessage>| clock.advance(3_600_000);
    let life = coin(&[100; 12]).meanwhile(vec![(4, Box::new(act))]);
    bench.live(Life { pace: Pace::Max, ..life }).expect("runs");
    assert_eq!(told(&bench), [], "nothing is due at full pace");
}
