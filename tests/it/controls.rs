//! Orders, stops and pauses by people: what is shown before the PIN, and what becomes of it.

use bellwether::domain::{EventKind, Instrument, OrderKind, Position, Purpose, Symbol, Timeframe};
use bellwether::engine::DeskSettings;
use bellwether::market::{SimulatedFeed, SimulatedWithHistory};
use bellwether::strategy::{Values, find};

use crate::support::{Bench, Life};

const SYMBOLS: [&str; 4] = ["AAPL", "MSFT", "BTC-USD", "ETH-USD"];

fn feed() -> SimulatedWithHistory {
    let list = SYMBOLS.map(|name| Instrument::bare(name.parse().expect("a symbol"))).to_vec();
    let start = SimulatedFeed::history_start(Timeframe::H1, 100, &list);
    SimulatedWithHistory::new(SimulatedFeed::new(11, Timeframe::H1, list, start))
}

/// A book whose strategy never says anything: what is held, a person bought.
fn life(cycles: u64) -> Life {
    Life { cycles_max: Some(cycles), ..Life::whole(feed(), silent) }
}

fn silent(desk: &mut DeskSettings) {
    let kind = find("sma_cross").expect("listed");
    let written =
        [("fast", "499"), ("slow", "500")].map(|(key, value)| (key.to_owned(), value.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &written).expect("in range");
}

const BOUGHT: &str = "BTC-USD";

/// A book in which a person bought some coins.
fn lived() -> Bench {
    let bench = Bench::new();
    bench.live(life(60)).expect("runs");
    let shown = bench.confirm(&format!("/buy {BOUGHT} $1500"));
    assert!(shown.contains(", stop at ") && shown.contains("A new position."), "{shown}");
    bench.live(life(2)).expect("runs");
    let bought = held(&bench).into_iter().next().expect("something is held");
    assert_eq!((bought.strategy.as_str(), bought.protection.is_some()), ("by_hand", true));
    bench
}

fn held(bench: &Bench) -> Vec<Position> {
    bench.saved().books[0].book.positions.clone()
}

fn position(bench: &Bench, symbol: Symbol) -> Option<Position> {
    held(bench).into_iter().find(|held| held.symbol == symbol)
}

/// What became of the last control.
fn result(bench: &Bench) -> String {
    let reader = bench.reader();
    let last = (1..1_000).take_while(|id| reader.control(*id).expect("reads").is_some()).last().expect("one");
    reader.control(last).expect("reads").and_then(|row| row.result).unwrap_or_default()
}

#[test]
fn half_of_a_position_is_closed_as_it_was_shown() {
    let bench = lived();
    let before = held(&bench)[0].clone();
    let shown = bench.confirm(&format!("/close {} 50%", before.symbol.as_str().to_lowercase()));
    assert!(shown.contains(&format!("of {} {} in main?", before.quantity.abs(), before.symbol)), "{shown}");
    assert!(shown.contains("cash ") && shown.contains("Limits then: exposure "), "{shown}");
    bench.live(life(6)).expect("runs");
    assert!(result(&bench).contains("goes out: "), "{}", result(&bench));
    let order = bench.saved().orders.into_iter().find(|order| order.purpose == Purpose::Close);
    assert!(order.is_none(), "it filled at the next bar: {order:?}");
    let after = position(&bench, before.symbol).expect("half is left");
    let half = before.quantity.scaled(1, 2).expect("fits");
    assert!(after.quantity.minus(half).expect("fits").abs() <= half.scaled(1, 50).expect("fits"), "{after:?}");
    let guard = bench.saved().orders.into_iter().find(|order| order.symbol == before.symbol).expect("its stop");
    assert_eq!((guard.purpose, guard.remaining()), (Purpose::Protect, after.quantity.abs()));
}

#[test]
fn levels_are_set_where_a_person_wants_them_and_no_farther_than_the_open_risk_allows() {
    let bench = lived();
    let before = held(&bench)[0].clone();
    let symbol = before.symbol;
    let shown = bench.confirm(&format!("/sl {symbol} 1%"));
    assert!(shown.contains(&format!("Set the stop of {symbol} in main to ")), "{shown}");
    bench.live(life(1)).expect("runs");
    assert!(result(&bench).contains(": stop "), "{}", result(&bench));
    if let Some(after) = position(&bench, symbol) {
        assert_eq!(after.protection.expect("one").trail, None, "a typed stop stands still");
    }
    let wrong = bench.confirm(&format!("/sl {symbol} 9999999"));
    assert!(wrong.contains("a stop of what is held lies below its price"), "{wrong}");
    let nothing = bench.confirm("/sl NVDA 5%");
    assert_eq!(nothing, "NVDA is not held");
}

#[test]
fn a_person_buys_at_a_limit_changes_the_order_and_takes_it_back() {
    let bench = lived();
    let shown = bench.confirm("/buy ETH-USD $100 limit 1");
    assert!(shown.contains("limit 1.0000"), "{shown}");
    bench.live(life(1)).expect("runs");
    let order = bench.saved().orders.into_iter().find(|order| order.purpose == Purpose::Entry).expect("it waits");
    assert_eq!(order.strategy.as_str(), "by_hand");
    bench.confirm(&format!("/modify {} price=2", order.id));
    bench.live(life(1)).expect("runs");
    let changed = bench.saved().orders.into_iter().find(|open| open.id == order.id).expect("it waits");
    assert_eq!(changed.kind, OrderKind::Limit { price: "2".parse().expect("a price") });
    assert!(bench.confirm("/cancelall").contains("Stops and targets stay."));
    bench.live(life(1)).expect("runs");
    assert!(bench.saved().orders.iter().all(|open| open.purpose == Purpose::Protect));
}

#[test]
fn what_is_not_as_it_was_shown_is_not_done() {
    let bench = lived();
    let (id, _) = bench.show("/closeall").expect("shown");
    // The desk's clock stands still, the market moves on: what is held then is not what was shown.
    bench.live(life(100)).expect("runs");
    let before = bench.saved().orders.len();
    bench.agree(id);
    bench.live(life(1)).expect("runs");
    let result = result(&bench);
    assert!(result.starts_with("not done: "), "{result}");
    assert!(bench.saved().orders.len() <= before + 1);
}

#[test]
fn a_pause_ends_by_itself() {
    let bench = lived();
    let until = bench.saved().progress.expect("ran").market.plus_ms(5 * 3_600_000);
    let shown = bench.confirm("/pause for 5h");
    assert!(shown.contains("then it goes on by itself"), "{shown}");
    bench.live(life(1)).expect("runs");
    assert_eq!(bench.saved().books[0].state.as_str(), "reducing");
    bench.live(life(40)).expect("runs");
    assert_eq!(bench.saved().books[0].state.as_str(), "running");
    assert!(bench.saved().books[0].since >= until);
}

#[test]
fn a_pause_is_ended_by_resuming_and_a_block_by_its_time() {
    let bench = lived();
    bench.confirm("/pause");
    bench.live(life(1)).expect("runs");
    let shown = bench.confirm("/resume");
    assert!(shown.starts_with("Resume main? It is reducing (paused by owner)"), "{shown}");
    bench.live(life(1)).expect("runs");
    assert_eq!(bench.saved().books[0].state.as_str(), "running");
    bench.confirm("/block ETH-USD for 3h");
    bench.live(life(1)).expect("runs");
    assert!(bench.confirm("/buy ETH-USD $300").contains("owner blocked it"));
    bench.live(life(5)).expect("runs");
    let ended = |kind: &EventKind| matches!(kind, EventKind::BlockEnded { symbol, .. } if symbol.as_str() == "ETH-USD");
    let told = bench.reader().journal_all().expect("reads").into_iter().filter(|row| ended(&row.event.kind)).count();
    assert_eq!(told, 1, "it is told once");
    assert!(bench.show("/buy ETH-USD $300").is_ok());
}
