//! Several books side by side: each with its own money, and with a person who starts, pauses, stops and resets it.

use bellwether::domain::{
    EventKind, FillId, Instrument, Label, Money, OrderId, Purpose, Ratio, TradeFill, TradingState,
};
use bellwether::engine::{DeskSettings, StrategySettings};
use bellwether::strategy::{Values, find};

use crate::chat::said;
use crate::support::{Bench, Fault, FaultyFeed, Life, ListFeed, flat_bars, quick_cross};

const CUT: u64 = 80;

fn feed() -> FaultyFeed {
    let instruments = ["AAPL", "MSFT", "JPM", "BTC-USD"].map(|name| Instrument::bare(name.parse().expect("symbol")));
    FaultyFeed::new(5, instruments.to_vec(), 160, |_, _, _| None::<Fault>)
}

/// Two books on the same prices: one crosses quickly, the other is set alike and has half the money.
fn life() -> Life {
    Life::whole(feed(), quick_cross).with_book("small", |desk| {
        quick_cross(desk);
        desk.capital = Money::whole(5_000);
    })
}

fn until_the_cut() -> Life {
    Life { cycles_max: Some(CUT), ..life() }
}

fn name(text: &str) -> Label {
    text.parse().expect("a name")
}

fn fills_of(bench: &Bench, book: &str) -> Vec<TradeFill> {
    let fills = bench.reader().fills().expect("reads");
    // Numbers are given out over all books.
    fills
        .into_iter()
        .filter(|fill| fill.book == name(book))
        .map(|fill| TradeFill { id: FillId::default(), order: OrderId::default(), ..fill })
        .collect()
}

fn kinds(bench: &Bench, book: &str) -> Vec<EventKind> {
    let rows = bench.reader().journal_all().expect("reads");
    rows.into_iter().filter(|row| row.event.book == Some(name(book))).map(|row| row.event.kind).collect()
}

/// A stopped book is flat by the next bar of each symbol and says with which result; the other book never notices.
#[test]
fn a_stopped_book_is_closed_within_a_cycle_and_the_other_trades_on() {
    let alone = Bench::new();
    alone.live(life()).expect("runs");
    let bench = Bench::new();
    bench.live(until_the_cut()).expect("runs");
    let held =
        bench.saved().books.iter().find(|row| row.book.name == name("small")).expect("there").book.positions.len();
    assert!(held > 0, "the story needs something to close");
    let preview = bench.confirm("/book stop small");
    assert!(preview.starts_with("small is running.\nStop it?"), "it never was in another state: {preview}");
    assert!(preview.contains(&format!("{held} position")), "{preview}");
    // Shares and coins have their next bars at different instants, over a weekend some cycles later.
    bench.live(Life { cycles_max: Some(10), ..life() }).expect("runs");

    let row = bench.saved().books.into_iter().find(|row| row.book.name == name("small")).expect("there");
    assert_eq!((row.book.positions.len(), row.state), (0, TradingState::Reducing));
    let told = kinds(&bench, "small").into_iter().find_map(|kind| match kind {
        EventKind::BookStopped { equity, profit } => Some((equity, profit)),
        _ => None,
    });
    let (equity, profit) = told.expect("told");
    assert_eq!((equity, Ok(profit)), (row.equity, row.equity.minus(Money::whole(5_000))));
    assert_eq!(row.equity, row.book.cash, "nothing is held");

    bench.live(life()).expect("runs");
    let entries = bench.reader().fills().expect("reads").into_iter().filter(|fill| fill.book == name("small")).count();
    assert_eq!(entries, fills_of(&bench, "small").len());
    assert_eq!(fills_of(&bench, "main"), fills_of(&alone, "main"), "the other book is what it would have been");
    assert!(fills_of(&bench, "small").len() < fills_of(&alone, "small").len(), "nothing was entered after the stop");
    assert!(bench.saved().orders.iter().all(|order| order.book == name("main")));
}

/// A paused book enters nothing and leaves what it holds; started again it enters.
#[test]
fn a_paused_book_only_leaves() {
    let bench = Bench::new();
    bench.live(until_the_cut()).expect("runs");
    bench.confirm("/book pause main");
    let before = fills_of(&bench, "main").len();
    bench.live(Life { cycles_max: Some(60), ..life() }).expect("runs");
    let paused = kinds(&bench, "main");
    let from = paused.iter().position(|kind| matches!(kind, EventKind::TradingReduced { .. })).expect("told");
    let entry =
        |kind: &EventKind| matches!(kind, EventKind::OrderSubmitted { order, .. } if order.purpose == Purpose::Entry);
    let entered = paused[from..].iter().any(entry);
    assert!(!entered && fills_of(&bench, "main").len() > before, "exits go on");
    let preview = bench.confirm("/book start main");
    assert!(preview.starts_with("main is reducing (paused by owner) since 20"), "{preview}");
    assert!(preview.contains("Start it?"), "{preview}");
    bench.live(life()).expect("runs");
    assert_eq!(bench.saved().books[0].state, TradingState::Running);
    let after = &kinds(&bench, "main")[paused.len()..];
    assert!(after.iter().any(entry), "it enters again");
}

/// What wants in on every bar and may not is told once, over a restart too; once it may, it enters.
#[test]
fn a_wish_that_is_refused_again_and_again_is_told_once() {
    let rising: Vec<i64> = (0..80).map(|day| 100 + day).collect();
    let life = |cycles| {
        let momentum = |desk: &mut DeskSettings| {
            let kind = find("momentum").expect("in the table");
            let set = [("period".to_owned(), Ratio::whole(5))];
            let values = Values::check(kind.name, kind.params, &set).expect("in range");
            desk.strategies = vec![StrategySettings::new(name("momentum"), kind, values)];
        };
        let whole = Life::whole(ListFeed::daily("BTC-USD", flat_bars(&rising)), momentum);
        Life { cycles_max: Some(cycles), ..whole }
    };
    let bench = Bench::new();
    bench.live(life(2)).expect("runs");
    bench.confirm("/book pause");
    let counted = |wanted: fn(&EventKind) -> bool| kinds(&bench, "main").iter().filter(|kind| wanted(kind)).count();
    // At first it has no stop to plan, either: other reasons are told anew.
    for cycles in [25, 20] {
        bench.live(life(cycles)).expect("runs");
        assert_eq!(counted(|kind| matches!(kind, EventKind::ProposalRefused { .. })), 2);
        assert_eq!(counted(|kind| matches!(kind, EventKind::SignalRaised { .. })), 2);
    }
    let why = said(&bench, "/whynot BTC-USD");
    assert!(why.contains("what refused it before lets it enter now") && why.contains("trading state"), "{why}");
    bench.confirm("/book start");
    bench.live(life(5)).expect("runs");
    assert_eq!(bench.saved().books[0].book.positions.len(), 1);
}

/// A book is reset only when it holds nothing; then it has its capital and an empty record, and its trades stay.
#[test]
fn a_reset_book_begins_anew_and_keeps_its_past() {
    let bench = Bench::new();
    bench.live(until_the_cut()).expect("runs");
    assert!(bench.confirm("/book reset small").contains("closes them first"));
    bench.confirm("/book stop small");
    bench.live(Life { cycles_max: Some(10), ..life() }).expect("runs");
    let trades = bench.reader().trades(1_000).expect("reads").1;
    let days = |bench: &Bench| bench.reader().days(name("small"), "").expect("reads");
    let before = days(&bench);
    assert!(bench.confirm("/book reset small").contains("begins anew with 5,000.00 USD"));
    bench.live(Life { cycles_max: Some(1), ..life() }).expect("runs");
    let row = bench.saved().books.into_iter().find(|row| row.book.name == name("small")).expect("there");
    assert_eq!((row.book.cash, row.equity, row.peak), (Money::whole(5_000), Money::whole(5_000), Money::whole(5_000)));
    assert!(row.book.balances().expect("fits"));
    assert_eq!(bench.reader().trades(1_000).expect("reads").1, trades);
    let after = days(&bench);
    assert_eq!(after[..before.len()], before, "what the day brought before the reset stays");
    assert!(after[before.len()..].iter().all(|day| day.start == Money::whole(5_000)) && after.len() > before.len());
    let results = after.iter().map(|day| day.end.minus(day.start).expect("fits"));
    let sum = results.fold(Money::ZERO, |sum, result| sum.plus(result).expect("fits"));
    let told = said(&bench, "/pnl all");
    assert!(told.contains(&format!("small {} USD", bellwether::domain::format::signed(sum))), "{told} {sum}");
    assert!(told.contains("0.00 of it since the book began anew on ") && told.contains(" with 5,000.00"), "{told}");
    bench.confirm("/book start small");
    bench.live(life()).expect("runs");
    let row = bench.saved().books.into_iter().find(|row| row.book.name == name("small")).expect("there");
    assert!(row.book.balances().expect("fits") && row.book.cash != Money::whole(5_000), "it trades again");
}

/// Which book is meant must be said where there are several.
#[test]
fn a_control_without_a_name_is_for_the_only_book() {
    let bench = Bench::new();
    bench.live(until_the_cut()).expect("runs");
    assert_eq!(bench.confirm("/book pause"), "which book? There are main, small");
    assert_eq!(bench.confirm("/book pause big"), "there is no book big; there are main, small");
    assert!(bench.confirm("/book sell main").contains("use start, pause, stop or reset"));
}
