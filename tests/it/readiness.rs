//! Whether a book is ready for real money: each rule met and missed, from a store with made-up trades, days and drills.

use bellwether::chat::{Inbound, Person, Reply, Role};
use bellwether::clock::{Clock, DAY_MS, Timestamp};
use bellwether::domain::{
    CycleId, Event, EventKind, ExitReason, HaltCause, Money, Price, Quantity, Ratio, ReduceCause, RunId, Side, Style,
    Trade, TradeId, TradingState,
};
use bellwether::store::{Batch, DayRow, EventRow, Recorded, Store};

use crate::support::{Bench, Life, ListFeed, flat_bars};

/// A book that has lived for two days and traded nothing.
fn quiet() -> Bench {
    let bench = Bench::new();
    bench.live(Life::whole(ListFeed::daily("BTC-USD", flat_bars(&[100, 100])), |_| {})).expect("runs");
    bench
}

fn record(bench: &Bench, batch: Batch) {
    let store = Store::open(&bench.database()).expect("opens");
    let wall = bench.clock.now();
    let stored = store
        .record(Box::new(Batch { run: RunId(1), wall, ..batch }), &bellwether::domain::Routes::default())
        .wait()
        .expect("answered");
    assert!(matches!(stored, Recorded::Stored));
    store.close();
}

/// A trade with this profit.
fn trade(number: u64, profit: i64) -> Trade {
    Trade {
        id: TradeId(1_000 + number),
        book: "main".parse().expect("name"),
        symbol: "BTC-USD".parse().expect("symbol"),
        strategy: "sma_cross".parse().expect("name"),
        side: Side::Buy,
        quantity: Quantity::whole(1),
        entry_price: Price::whole(100),
        exit_price: Price::whole(100 + profit),
        opened: Timestamp::from_ms(0),
        closed: Timestamp::from_ms(DAY_MS),
        fees: Money::ZERO,
        carried: Money::ZERO,
        profit: Money::whole(profit),
        best: Money::ZERO,
        worst: Money::ZERO,
        reason: ExitReason::Signal,
    }
}

/// `count` trades, of which `wins` brought 10 each and the others -10.
fn trades(count: u64, wins: u64) -> Vec<Trade> {
    (0..count).map(|number| trade(number, if number < wins { 10 } else { -10 })).collect()
}

/// Days before the book's own, each from one equity to the next.
fn days(equities: &[i64]) -> Vec<DayRow> {
    let day = |(index, pair): (usize, &[i64])| DayRow {
        book: "main".parse().expect("name"),
        day: format!("2020-01-{:02}", index + 1),
        part: 0,
        start: Money::whole(pair[0]),
        end: Money::whole(pair[1]),
        realised: Money::ZERO,
        fees: Money::ZERO,
        trades: 0,
    };
    equities.windows(2).enumerate().map(day).collect()
}

fn event(book: Option<&str>, kind: EventKind) -> EventRow {
    let book = book.map(|name| name.parse().expect("name"));
    EventRow { cycle: CycleId(1), event: Event { at: Timestamp::from_ms(0), book, kind }, audit: None }
}

fn halted(cause: HaltCause) -> EventKind {
    EventKind::TradingHalted { cause, cancelled: 0, positions: 0 }
}

fn by_hand() -> HaltCause {
    HaltCause::Command { person: "owner".to_owned() }
}

fn resumed() -> EventKind {
    EventKind::TradingResumed { from: TradingState::Halted, person: Some("owner".to_owned()) }
}

fn recovered() -> EventKind {
    EventKind::EngineRecovered { down_s: 5, last_cycle: 1, positions: 0, orders: 0, unknown_deliveries: 0 }
}

fn reduced(cause: ReduceCause) -> EventKind {
    EventKind::TradingReduced { cause, day: Money::ZERO, until: None }
}

fn breaker() -> ReduceCause {
    ReduceCause::Breaker { value: Ratio::whole(7), limit: Ratio::whole(5) }
}

fn restore(bench: &Bench) {
    let copy = bench.folder.path().join("copy.db");
    bellwether::store::backup(&bench.database(), &copy).expect("copies");
    bellwether::store::restore(&copy, &bench.database(), bench.clock.now()).expect("restores");
}

fn said(bench: &Bench) -> Vec<String> {
    let person =
        Person { name: "owner".to_owned(), role: Role::Viewer, zone: None, books: None, style: Style::default() };
    let inbound = Inbound {
        person,
        place: bellwether::chat::Place::Machine,
        chat: "terminal".to_owned(),
        text: "/readiness".to_owned(),
    };
    match bench.chat().handle(&inbound) {
        Reply::Text(text) => text.lines().map(str::to_owned).collect(),
        reply => panic!("{reply:?}"),
    }
}

#[test]
fn a_book_that_did_nothing_may_use_one_percent() {
    let lines = said(&quiet());
    assert_eq!(
        lines[0],
        "main is not ready for real money: 1 of 9 rules are met; whoever begins all the same risks at most 1 % of its capital, because 4 of 4 drills are missing",
        "it never fell"
    );
    assert_eq!(
        lines[1..10],
        [
            "  MISSED  closed trades: 0, wanted at least 300",
            "  MISSED  win rate: -, wanted at least 60.00 %",
            "  MISSED  profit factor: -, wanted at least 1.50",
            "  met  max drawdown: 0.00 %, wanted at most 15.00 %",
            "  MISSED  Sharpe: -, wanted at least 1.00",
            "  MISSED  circuit breaker: not done; set breaker_atr low until it stops entries",
            "  MISSED  emergency stop: not done; /halt, then /resume",
            "  MISSED  restore from backup: not done; \"bellwether backup FILE\", then \"bellwether restore FILE\"",
            "  MISSED  recovery after kill: not done; kill the running bot, then start it again",
        ]
    );
    assert!(lines[10].starts_with("Basis: 0 closed trades after fees, 2 days on "), "{}", lines[10]);
}

#[test]
fn everything_met_allows_everything() {
    let bench = quiet();
    let proofs = vec![
        event(Some("main"), reduced(breaker())),
        event(Some("main"), halted(by_hand())),
        event(Some("main"), resumed()),
        event(None, recovered()),
    ];
    let rising: Vec<i64> = (0..20).map(|day| 10_000 + day * 50 + day % 2 * 10).collect();
    record(&bench, Batch { trades: trades(300, 180), days: days(&rising), events: proofs, ..Batch::default() });
    bench.clock.advance(60_000);
    restore(&bench);
    let lines = said(&bench);
    assert_eq!(lines[0], "main is ready for real money: all 9 rules are met");
    assert_eq!(lines[1], "  met  closed trades: 300, wanted at least 300");
    assert_eq!(lines[2], "  met  win rate: 60.00 %, wanted at least 60.00 %");
    assert_eq!(lines[3], "  met  profit factor: 1.50, wanted at least 1.50");
    assert_eq!(lines[4], "  met  max drawdown: 0.00 %, wanted at most 15.00 %");
    assert!(lines[5].starts_with("  met  Sharpe: "), "{}", lines[5]);
    assert_eq!(lines[6], "  met  circuit breaker: done at 2027-01-15 03:00 EST");
    assert_eq!(lines[7], "  met  emergency stop: done at 2027-01-15 03:00 EST");
    assert_eq!(lines[8], "  met  restore from backup: done at 2027-01-15 03:01 EST");
    assert_eq!(lines[9], "  met  recovery after kill: done at 2027-01-15 03:00 EST");
    assert!(lines[10].contains("300 closed trades after fees, 21 days on "), "{}", lines[10]);
}

#[test]
fn each_figure_is_missed_just_below_its_limit() {
    let bench = quiet();
    // A fall by 15.01 % from 10,000, and no way back up.
    record(&bench, Batch { trades: trades(299, 179), days: days(&[10_000, 8_499, 8_499]), ..Batch::default() });
    let lines = said(&bench);
    assert_eq!(
        lines[1..6],
        [
            "  MISSED  closed trades: 299, wanted at least 300",
            "  MISSED  win rate: 59.87 %, wanted at least 60.00 %",
            "  MISSED  profit factor: 1.49, wanted at least 1.50",
            "  MISSED  max drawdown: 15.01 %, wanted at most 15.00 %",
            lines[5].as_str(),
        ]
    );
    assert!(lines[5].starts_with("  MISSED  Sharpe: -"), "{}", lines[5]);
}

/// A book that began anew goes on from where it was: the fall before it still counts.
#[test]
fn a_reset_hides_no_fall() {
    let bench = quiet();
    let mut rows = days(&[10_000, 9_000, 8_000]);
    rows.extend(days(&[10_000, 9_000, 10_000, 9_000, 9_500]).split_off(2));
    record(&bench, Batch { days: rows, ..Batch::default() });
    assert_eq!(said(&bench)[4], "  MISSED  max drawdown: 28.00 %, wanted at most 15.00 %");
}

/// What looks like a drill and is none.
#[test]
fn only_a_real_drill_counts() {
    let bench = quiet();
    let fell = HaltCause::Drawdown { drawdown: Ratio::from_percent(20), limit: Ratio::from_percent(15) };
    let events = vec![
        event(Some("main"), reduced(ReduceCause::Paused { person: "owner".to_owned() })),
        event(Some("main"), resumed()),
        event(Some("main"), halted(by_hand())),
        event(Some("main"), halted(fell)),
        event(Some("main"), resumed()),
        event(Some("other"), reduced(breaker())),
        event(Some("other"), halted(by_hand())),
        event(Some("other"), resumed()),
    ];
    record(&bench, Batch { events, ..Batch::default() });
    assert!(said(&bench)[0].contains("4 of 4 drills are missing"), "{:?}", said(&bench));
    record(&bench, Batch { events: vec![event(Some("main"), halted(by_hand()))], ..Batch::default() });
    assert!(said(&bench)[0].contains("4 of 4 drills"), "a halt that nobody ended");
    record(&bench, Batch { events: vec![event(Some("main"), resumed())], ..Batch::default() });
    assert!(said(&bench)[0].contains("3 of 4 drills"));
}
