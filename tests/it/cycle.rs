//! What one cycle after the other does with a book: fills inside bars, stops, halts, locks, dry runs.

use bellwether::domain::{EventKind, Money, OrderKind, Price, Purpose, Quantity, Ratio, TradingState};
use bellwether::engine::{DeskSettings, LossAction, SymbolTerms};
use bellwether::strategy::{Values, find};

use crate::support::{Bench, Life, ListFeed, bar_at, flat_bars};

/// A cross of 2 over 4 bars, so that a few bars tell a story.
fn quick(desk: &mut bellwether::engine::DeskSettings) {
    let kind = find("sma_cross").expect("listed");
    let written = [("fast", "2"), ("slow", "4")].map(|(k, v)| (k.to_owned(), v.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &written).expect("in range");
}

/// Twenty bars that fall slowly, so that averages and ranges are warm, then `closes`.
fn after_a_fall(closes: &[i64]) -> Vec<i64> {
    (0..20).map(|n| 120 - n).chain(closes.iter().copied()).collect()
}

fn events(bench: &Bench) -> String {
    bench.reader().journal_text().expect("reads")
}

#[test]
fn an_entry_fills_at_the_next_open_and_gets_its_stop_at_once() {
    let bench = Bench::new();
    let closes = after_a_fall(&[106, 110, 112, 113]);
    bench.live(Life::whole(ListFeed::daily("BTC-USD", flat_bars(&closes)), quick)).expect("runs");
    let fills = bench.reader().fills().expect("reads");
    let signal = closes.iter().rposition(|close| *close == 106).expect("there");
    assert_eq!(fills[0].at, flat_bars(&closes)[signal + 1].start, "filled when the bar after the signal opened");
    let saved = bench.saved();
    let held = &saved.books[0].book.positions[0];
    let guard = saved.orders.iter().find(|order| order.purpose == Purpose::Protect).expect("protected");
    assert_eq!(held.protection.map(|levels| levels.order), Some(guard.id));
    assert_eq!(guard.quantity, held.quantity);
    assert!(saved.books[0].book.balances().expect("fits"));
}

#[test]
fn a_stop_that_is_gapped_over_fills_at_the_open_and_trailing_never_falls() {
    let bench = Bench::new();
    let closes = after_a_fall(&[106, 110, 114, 118]);
    let mut bars = flat_bars(&closes);
    let day = bars.len() as i64;
    bars.push(bar_at(day, [100, 101, 99, 100]));
    bars.push(bar_at(day + 1, [100, 101, 99, 100]));
    bench.live(Life::whole(ListFeed::daily("BTC-USD", bars.clone()), quick)).expect("runs");
    let (trades, _) = bench.reader().trades(10).expect("reads");
    let slipped = Price::whole(100).scaled(9_998, 10_000).expect("fits");
    assert_eq!((trades[0].reason.as_str(), trades[0].exit_price), ("stop", slipped));
    let stops: Vec<Price> = bench
        .reader()
        .journal_of_symbol("BTC-USD".parse().expect("symbol"))
        .expect("reads")
        .iter()
        .rev()
        .filter_map(|row| match row.event.kind {
            EventKind::StopMoved { to, .. } => Some(to),
            _ => None,
        })
        .collect();
    assert!(stops.windows(2).all(|pair| pair[0] < pair[1]) && !stops.is_empty(), "{stops:?}");
}

#[test]
fn no_entry_fills_on_the_last_recorded_bar() {
    let bench = Bench::new();
    let closes = after_a_fall(&[106, 110]);
    bench.live(Life::whole(ListFeed::daily("BTC-USD", flat_bars(&closes)), quick)).expect("runs");
    assert!(bench.reader().fills().expect("reads").is_empty());
    assert!(events(&bench).contains("recorded prices end with this bar"));
}

#[test]
fn a_thin_bar_fills_its_share_and_the_rest_stays_open() {
    let bench = Bench::new();
    let mut bars = flat_bars(&after_a_fall(&[106, 110, 112, 113]));
    for bar in &mut bars {
        bar.volume = Quantity::whole(40);
    }
    let greedy = |desk: &mut DeskSettings| {
        quick(desk);
        desk.limits.set("liquidity_pct", Ratio::whole(1_000)).expect("in range");
    };
    bench.live(Life::whole(ListFeed::daily("BTC-USD", bars), greedy)).expect("runs");
    let fills = bench.reader().fills().expect("reads");
    assert!(fills.len() > 1 && fills.iter().all(|fill| fill.quantity <= Quantity::whole(4)), "{fills:?}");
    let saved = bench.saved();
    let held = saved.books[0].book.positions[0].quantity;
    let guard = saved.orders.iter().find(|order| order.purpose == Purpose::Protect).expect("protected");
    assert_eq!(guard.remaining(), held, "the stop covers all that is held, and no more");
}

#[test]
fn an_overnight_move_of_forty_percent_locks_and_sells_nothing() {
    let bench = Bench::new();
    let mut bars = flat_bars(&after_a_fall(&[106, 110, 114, 118]));
    let day = bars.len() as i64;
    for n in 0..8 {
        bars.push(bar_at(day + n, [59, 60, 58, 59]));
    }
    bench.live(Life::whole(ListFeed::daily("BTC-USD", bars), quick)).expect("runs");
    let saved = bench.saved();
    assert_eq!(saved.books[0].book.positions.len(), 1, "still held");
    assert_eq!(saved.books[0].state, TradingState::Running, "no loss alert");
    assert_eq!(saved.marks[0].lock.map(|lock| lock.0), Some(Price::whole(118)));
    let journal = events(&bench);
    assert_eq!(journal.matches("symbol_locked").count() / 2, 1, "asked once");
    assert!(!journal.contains("daily_loss"), "{journal}");
}

#[test]
fn a_bad_print_locks_for_one_bar_and_lifts_by_itself() {
    let bench = Bench::new();
    let mut bars = flat_bars(&after_a_fall(&[106, 110, 114, 118]));
    let day = bars.len() as i64;
    bars.push(bar_at(day, [236, 237, 117, 118]));
    bars.push(bar_at(day + 1, [118, 119, 117, 118]));
    bench.live(Life::whole(ListFeed::daily("BTC-USD", bars), quick)).expect("runs");
    let journal = events(&bench);
    assert!(journal.contains("symbol_locked") && journal.contains("came_back"), "{journal}");
    assert_eq!(bench.saved().marks[0].lock, None);
}

#[test]
fn the_daily_loss_limit_stops_entries_until_the_next_day() {
    let bench = Bench::new();
    let bars = flat_bars(&after_a_fall(&[106, 110, 114, 118, 122]));
    let tight = |desk: &mut bellwether::engine::DeskSettings| {
        quick(desk);
        desk.zone = chrono_tz::Tz::UTC;
        desk.limits.set("daily_loss_pct", "1".parse().expect("number")).expect("in range");
        desk.limits.set("stop_atr", "20".parse().expect("number")).expect("in range");
        desk.limits.set("risk_per_trade_pct", "20".parse().expect("number")).expect("in range");
        desk.limits.set("open_risk_pct", "100".parse().expect("number")).expect("in range");
        desk.limits.set("position_pct", "100".parse().expect("number")).expect("in range");
        desk.limits.set("exposure_pct", "100".parse().expect("number")).expect("in range");
    };
    let mut bars = bars;
    let day = bars.len() as i64;
    bars.push(bar_at(day, [122, 123, 110, 111]));
    bars.push(bar_at(day + 1, [111, 112, 110, 111]));
    bench.live(Life::whole(ListFeed::daily("BTC-USD", bars), tight)).expect("runs");
    let journal = events(&bench);
    assert!(journal.contains("trading_reduced"), "{journal}");
    assert!(journal.contains("trading_resumed"), "{journal}");
}

#[test]
fn a_dry_run_records_what_it_would_do_and_submits_nothing() {
    let bench = Bench::new();
    let feed = ListFeed::daily("BTC-USD", flat_bars(&after_a_fall(&[106, 110, 112, 113])));
    let life = Life { dry_run: true, ..Life::whole(feed, quick) };
    bench.live(life).expect("runs");
    let journal = events(&bench);
    assert!(journal.contains("order_withheld") && !journal.contains("order_submitted"));
    assert!(bench.reader().fills().expect("reads").is_empty() && bench.saved().orders.is_empty());
}

#[test]
fn what_is_refused_names_every_reason_with_value_and_limit() {
    let bench = Bench::new();
    let closed = |desk: &mut bellwether::engine::DeskSettings| {
        quick(desk);
        desk.limits.set("price_move_pct", "1".parse().expect("number")).expect("in range");
        desk.limits.set("open_risk_pct", "1".parse().expect("number")).expect("in range");
        desk.limits.set("risk_per_trade_pct", "5".parse().expect("number")).expect("in range");
        desk.limits.set("position_pct", "100".parse().expect("number")).expect("in range");
    };
    let feed = ListFeed::daily("BTC-USD", flat_bars(&after_a_fall(&[106, 110, 112])));
    bench.live(Life::whole(feed, closed)).expect("runs");
    let rows = bench.reader().journal_of_symbol("BTC-USD".parse().expect("symbol")).expect("reads");
    let refusals = rows.iter().find_map(|row| match &row.event.kind {
        EventKind::ProposalRefused { refusals, proposal } => {
            assert_eq!(proposal.kind, OrderKind::Market);
            Some(refusals.iter().map(|r| format!("{}: {}, {}", r.check, r.value, r.limit)).collect::<Vec<_>>())
        }
        _ => None,
    });
    let refusals = refusals.expect("refused");
    assert!(refusals.len() >= 2, "{refusals:?}");
    assert!(refusals.iter().any(|line| line.starts_with("price sanity: 5.0 %, at most 1.0 %")), "{refusals:?}");
    assert!(refusals.iter().any(|line| line.starts_with("open risk: ")), "{refusals:?}");
}

/// A book that buys as much as it can and loses it within a day; `change` says what its daily loss limit does.
pub(crate) fn lost_day(action: LossAction, after: &[[i64; 4]]) -> (Bench, impl Fn() -> Life + use<>) {
    let mut bars = flat_bars(&after_a_fall(&[106, 110, 114, 118, 122]));
    let day = bars.len() as i64;
    bars.push(bar_at(day, [122, 123, 110, 111]));
    bars.extend(after.iter().zip(1..).map(|(bar, n)| bar_at(day + n, *bar)));
    let greedy = move |desk: &mut DeskSettings| {
        quick(desk);
        desk.zone = chrono_tz::Tz::UTC;
        desk.daily_loss = action;
        for (key, value) in [
            ("daily_loss_pct", "1"),
            ("stop_atr", "20"),
            ("risk_per_trade_pct", "20"),
            ("open_risk_pct", "100"),
            ("position_pct", "100"),
            ("exposure_pct", "100"),
            ("net_pct", "100"),
        ] {
            desk.limits.set(key, value.parse().expect("number")).expect("in range");
        }
    };
    let lost = day as u64 + 1;
    let life = move || Life::whole(ListFeed::daily("BTC-USD", bars.clone()), greedy);
    let bench = Bench::new();
    bench.live(Life { cycles_max: Some(lost), ..life() }).expect("runs");
    (bench, life)
}

#[test]
fn a_lost_day_may_close_everything() {
    let calm = [[111, 112, 110, 111], [111, 112, 110, 111], [111, 112, 110, 111]];
    let (bench, life) = lost_day(LossAction::Flatten, &calm);
    let saved = bench.saved();
    assert_eq!((saved.books[0].state, saved.books[0].book.positions.len()), (TradingState::Reducing, 1));
    assert!(saved.orders.iter().any(|order| order.purpose == Purpose::Close), "the way out is on order");
    assert!(events(&bench).contains("\"closing\":1"), "and told");
    bench.live(life()).expect("runs");
    let saved = bench.saved();
    assert_eq!((saved.books[0].state, saved.books[0].book.positions.len()), (TradingState::Running, 0));
    let (trades, _) = bench.reader().trades(10).expect("reads");
    assert_eq!(trades[0].reason.as_str(), "closed");
}

/// Set to halt, it halts until somebody resumes; resumed on the same day it still enters nothing before the next.
#[test]
fn a_lost_day_may_halt() {
    let calm = [[111, 112, 110, 111], [111, 112, 110, 111], [111, 112, 110, 111]];
    let (bench, life) = lost_day(LossAction::Halt, &calm);
    let state = |bench: &Bench| bench.saved().books[0].state;
    assert_eq!(state(&bench), TradingState::Halted);
    let preview = bench.confirm("/resume");
    assert!(preview.contains("It is halted (daily loss limit)") && preview.contains("and enter from "), "{preview}");
    bench.live(Life { cycles_max: Some(0), ..life() }).expect("runs");
    assert_eq!(state(&bench), TradingState::Reducing, "no entries on the day that is lost");
    bench.live(Life { cycles_max: Some(1), ..life() }).expect("runs");
    assert_eq!(state(&bench), TradingState::Running, "and on the next it goes on by itself");

    let (bench, life) = lost_day(LossAction::Halt, &calm);
    bench.live(life()).expect("runs");
    assert_eq!(state(&bench), TradingState::Halted, "nobody resumed");
    assert!(bench.confirm("/resume").contains("enter and leave again at the next bar"));
}

/// A pause is no shelter from the day's loss, and outlives both the loss and a halt on top of it.
#[test]
fn a_paused_book_loses_its_day_too_and_stays_paused() {
    let calm = [[111, 112, 110, 111], [111, 112, 110, 111], [111, 112, 110, 111]];
    let before = after_a_fall(&[106, 110, 114, 118, 122]).len() as u64;
    let paused = |action| {
        let (_, life) = lost_day(action, &calm);
        let bench = Bench::new();
        bench.live(Life { cycles_max: Some(before), ..life() }).expect("runs");
        bench.confirm("/book pause");
        bench.live(Life { cycles_max: Some(1), ..life() }).expect("runs");
        (bench, life)
    };
    let (bench, life) = paused(LossAction::Flatten);
    let told = events(&bench);
    assert!(told.contains("\"cause\":\"daily_loss\"") && told.contains("\"closing\":1"), "{told}");
    bench.live(life()).expect("runs");
    let row = &bench.saved().books[0];
    assert_eq!((row.state, row.book.positions.len()), (TradingState::Reducing, 0));
    assert_eq!(events(&bench).matches("\"cause\":\"daily_loss\"").count(), 1, "told once");

    let (bench, life) = paused(LossAction::Halt);
    assert_eq!(bench.saved().books[0].state, TradingState::Halted);
    assert!(bench.confirm("/resume").contains("enter after /book start main"));
    bench.live(Life { cycles_max: Some(2), ..life() }).expect("runs");
    assert_eq!(bench.saved().books[0].state, TradingState::Reducing, "still paused");
    assert!(bench.confirm("/resume").contains("Resume main? It is reducing (paused by owner)"));
    bench.live(life()).expect("runs");
    assert_eq!(bench.saved().books[0].state, TradingState::Running);
}

/// What cannot be closed because its price is in doubt is closed when that is over.
#[test]
fn a_stop_waits_for_a_price_in_doubt() {
    let mut bars = flat_bars(&after_a_fall(&[106, 110, 114, 118]));
    let day = bars.len() as i64;
    bars.extend((0..8).map(|n| bar_at(day + n, [59, 60, 58, 59])));
    let life = |cycles| {
        let whole = Life::whole(ListFeed::daily("BTC-USD", bars.clone()), quick);
        Life { cycles_max: Some(cycles), ..whole }
    };
    let bench = Bench::new();
    bench.live(life(day as u64 + 1)).expect("runs");
    bench.confirm("/book stop");
    bench.live(life(2)).expect("runs");
    assert_eq!(bench.saved().books[0].book.positions.len(), 1, "the price is in doubt");
    bench.confirm("/unlock BTC-USD");
    bench.live(life(3)).expect("runs");
    assert!(bench.saved().books[0].book.positions.is_empty(), "and now it is not");
    assert!(events(&bench).contains("book_stopped"));
}

/// Halted and reducing books fall from their peak alike; a restart must not take one for the other.
#[test]
fn a_book_that_reduces_for_its_drawdown_still_waits_for_a_person_after_a_restart() {
    let calm = [[111, 112, 110, 111], [111, 112, 110, 111]];
    let (bench, life) = lost_day(LossAction::Reduce, &calm);
    let low = |desk: &mut DeskSettings| {
        for (key, value) in [("daily_loss_pct", "100"), ("drawdown_warn_pct", "1"), ("drawdown_reduce_pct", "2")] {
            desk.limits.set(key, value.parse().expect("number")).expect("in range");
        }
    };
    let careful = |cycles| {
        let mut life = Life { cycles_max: Some(cycles), ..life() };
        life.desks.iter_mut().for_each(low);
        life
    };
    bench.live(careful(1)).expect("runs");
    assert!(events(&bench).contains("\"cause\":\"drawdown\""), "{}", events(&bench));
    assert!(bench.confirm("/resume").contains("Resume main?"));
    bench.live(careful(0)).expect("runs");
    assert_eq!(bench.saved().books[0].state, TradingState::Running);
}

#[test]
fn a_symbol_has_costs_of_its_own() {
    let fees = |of_symbol: Option<&str>| -> Vec<Money> {
        let bench = Bench::new();
        let feed = ListFeed::daily("BTC-USD", flat_bars(&after_a_fall(&[106, 110, 112, 113])));
        let own = |desk: &mut DeskSettings| {
            quick(desk);
            let mut limits = desk.limits.clone();
            limits.set("fee_bps", "100".parse().expect("number")).expect("in range");
            let symbol = of_symbol.map(|name| name.parse().expect("symbol"));
            desk.overrides =
                symbol.map(|symbol| SymbolTerms { symbol, limits, sizing: desk.sizing }).into_iter().collect();
        };
        bench.live(Life::whole(feed, own)).expect("runs");
        bench.reader().fills().expect("reads").iter().map(|fill| fill.fee).collect()
    };
    let usual = fees(None);
    assert_eq!(fees(Some("ETH-USD")), usual);
    let dear: Vec<Money> = usual.iter().map(|fee| fee.scaled(100, 1).expect("fits")).collect();
    let close = |(a, b): (&Money, &Money)| a.minus(*b).expect("fits").abs() <= Money::from_units(100);
    let own = fees(Some("BTC-USD"));
    assert!(!own.is_empty() && own.iter().zip(&dear).all(close), "{own:?} {dear:?}");
}
