//! What the paper broker does with an order over several bars: parts, time in force, replacement, latency, several books.

use bellwether::clock::Timestamp;
use bellwether::domain::{
    ExitPlan, Money, Order, OrderId, OrderKind, Price, Proposal, Purpose, Quantity, Ratio, Side, TimeInForce,
};
use bellwether::execution::Costs;
use bellwether::risk::{Limits, RiskDecision, Situation, amend, replace, take_up_again, withdraw};

use crate::support::{FREE, Floor, order};

use Side::{Buy, Sell};
use TimeInForce::{Day, Fok, Ioc};

const TENTH: Costs = Costs { volume_share: Ratio::from_percent(10), ..FREE };
const NOTHING: [&str; 0] = [];

fn limit(price: i64) -> OrderKind {
    OrderKind::Limit { price: Price::whole(price) }
}

fn in_force(tif: TimeInForce, order: Order) -> Order {
    Order { tif, ..order }
}

fn in_book(book: &str, order: Order) -> Order {
    Order { book: book.parse().expect("name"), ..order }
}

fn protecting(side: Side, kind: OrderKind) -> Order {
    Order { purpose: Purpose::Protect, ..order(1, side, kind, 10) }
}

#[test]
fn a_large_order_fills_in_parts_and_what_was_filled_stays_when_it_is_taken_back() {
    let mut floor = Floor::new();
    floor.place(order(1, Buy, OrderKind::Market, 25));
    assert_eq!(floor.minute_at(TENTH, [100, 101, 99, 100], 109), ["O1 10 at 100, more to come"]);
    assert_eq!(floor.minute_at(TENTH, [101, 102, 100, 101], 0), NOTHING);
    assert_eq!(floor.minute_at(TENTH, [102, 103, 101, 102], 70), ["O1 7 at 102, more to come"]);
    floor.tell(withdraw(OrderId(1)));
    assert_eq!(floor.minute_at(TENTH, [102, 103, 101, 102], 1000), NOTHING);
    assert_eq!(floor.orders[0].remaining(), Quantity::whole(8));
}

#[test]
fn an_order_of_the_day_ends_with_its_session() {
    let mut floor = Floor::new();
    let expires = Some(Timestamp::from_ms(120_000));
    floor.place(Order { expires, ..in_force(Day, order(1, Buy, limit(95), 10)) });
    assert_eq!(floor.minute([100, 101, 99, 100], 100), NOTHING);
    // The last bar of its session can still fill it; what is left ends with it.
    assert_eq!(floor.minute([100, 101, 94, 100], 4), ["O1 4 at 95, more to come", "O1 ended: the session ended"]);
    // One that finds its session over ends before it can fill.
    floor.place(Order { expires, ..in_force(Day, order(2, Buy, OrderKind::Market, 10)) });
    assert_eq!(floor.minute([100, 101, 94, 100], 100), ["O2 ended: the session ended"]);
}

#[test]
fn what_may_not_wait_fills_on_its_first_bar_or_not() {
    let now = |tif, kind, quantity, volume| {
        let mut floor = Floor::new();
        floor.place(in_force(tif, order(1, Buy, kind, quantity)));
        floor.minute([100, 101, 99, 100], volume)
    };
    let rest = "O1 ended: the rest could not be filled at once";
    let whole = "O1 ended: it could not be filled whole at once";
    assert_eq!(now(Ioc, OrderKind::Market, 10, 100), ["O1 10 at 100"]);
    assert_eq!(now(Ioc, OrderKind::Market, 10, 4), ["O1 4 at 100, more to come", rest]);
    assert_eq!(now(Ioc, limit(98), 10, 100), [rest]);
    assert_eq!(now(Fok, OrderKind::Market, 10, 10), ["O1 10 at 100"]);
    assert_eq!(now(Fok, OrderKind::Market, 10, 9), [whole]);
    assert_eq!(now(Fok, limit(98), 10, 100), [whole]);
}

#[test]
fn a_stop_limit_waits_as_a_limit_after_a_gap() {
    let mut floor = Floor::new();
    let kind = OrderKind::StopLimit { trigger: Price::whole(95), price: Price::whole(94) };
    floor.place(protecting(Sell, kind));
    assert_eq!(floor.minute([90, 92, 89, 91], 100), ["O1 triggered"]);
    assert_eq!(floor.minute([96, 97, 95, 96], 100), ["O1 10 at 96"]);
    // Slippage never takes it past its limit.
    let slippery = Costs { slippage: Ratio::from_percent(3), ..FREE };
    let mut floor = Floor::new();
    floor.place(protecting(Sell, kind));
    assert_eq!(floor.minute_at(slippery, [100, 101, 80, 81], 100), ["O1 10 at 94"]);
}

#[test]
fn a_trailing_stop_follows_after_the_check_on_both_sides() {
    let mut floor = Floor::new();
    let trailing = |trigger| OrderKind::Trailing { trigger: Price::whole(trigger), distance: Price::whole(5) };
    floor.place(protecting(Sell, trailing(95)));
    // The low of 97 would touch the stop that the high of this bar makes; it comes into force after the bar.
    assert_eq!(floor.minute([100, 104, 97, 103], 100), ["O1 follows to 99"]);
    assert_eq!(floor.minute([103, 103, 100, 101], 100), NOTHING);
    assert_eq!(floor.minute([101, 110, 98, 109], 100), ["O1 10 at 99"]);
    floor.place(Order { id: OrderId(2), ..protecting(Buy, trailing(105)) });
    assert_eq!(floor.minute([100, 103, 96, 97], 100), ["O2 follows to 101"]);
    assert_eq!(floor.minute([97, 102, 96, 97], 100), ["O2 10 at 101"]);
}

#[test]
fn a_bracket_of_a_short_ends_at_one_level_and_its_stop_only_falls() {
    let mut floor = Floor::new();
    let kind = OrderKind::Bracket { stop: Price::whole(105), target: Some(Price::whole(90)) };
    floor.place(protecting(Buy, kind));
    assert!(amend(&floor.orders[0], Quantity::whole(10), Price::whole(106)).is_none());
    floor.tell(amend(&floor.orders[0], Quantity::whole(10), Price::whole(103)).expect("it falls"));
    assert_eq!(floor.minute([100, 104, 99, 100], 4), ["O1 4 at 103, more to come"]);
    assert_eq!(floor.minute([100, 100, 85, 90], 100), ["O1 6 at 100"]);
}

/// Asks risk for another rest at another level.
fn replacement(order: &Order, rest: i64, kind: OrderKind, at: i64) -> bellwether::risk::ExecutionRequest {
    let proposal = Proposal {
        book: order.book,
        strategy: order.strategy,
        signal: None,
        symbol: order.symbol,
        side: order.side,
        quantity: Quantity::whole(rest),
        kind,
        purpose: order.purpose,
        reference: order.reference,
        risk: Money::ZERO,
        plan: Some(ExitPlan { stop_distance: Price::whole(5), target_distance: None, trailing: false }),
        tif: order.tif,
        expires: None,
        because: String::new(),
        audit: None,
    };
    let situation = Situation::of_capital(Money::whole(1_000_000));
    match replace(order, proposal, Timestamp::from_ms(at), &situation, &Limits::default()).expect("fits") {
        RiskDecision::Approved { request, .. } => request,
        RiskDecision::Refused { refusals, .. } => panic!("{refusals:?}"),
    }
}

#[test]
fn a_replaced_order_keeps_its_number_its_place_and_its_fills() {
    let mut floor = Floor::new();
    floor.place(order(1, Buy, limit(98), 10));
    floor.place(order(2, Buy, limit(97), 10));
    assert_eq!(floor.minute([100, 101, 98, 100], 4), ["O1 4 at 98, more to come"]);
    floor.tell(replacement(&floor.orders[0], 8, limit(97), 60_000));
    assert_eq!(floor.orders[0].quantity, Quantity::whole(12));
    assert_eq!(floor.minute([100, 101, 97, 100], 10), ["O1 8 at 97", "O2 2 at 97, more to come"]);
    // More was filled meanwhile than the replacement asks for: nothing of it is left.
    let stale = Order { filled: Quantity::ZERO, ..floor.orders[1].clone() };
    floor.tell(replacement(&stale, 1, limit(99), 120_000));
    assert_eq!(floor.minute([100, 101, 90, 100], 100), NOTHING);
}

#[test]
fn a_replaced_level_has_to_be_touched_again() {
    let mut floor = Floor::new();
    let stop = |trigger| OrderKind::Stop { trigger: Price::whole(trigger) };
    floor.place(order(1, Buy, stop(105), 10));
    assert_eq!(floor.minute([100, 106, 99, 100], 4), ["O1 4 at 105, more to come"]);
    floor.tell(replacement(&floor.orders[0], 6, stop(110), 60_000));
    assert_eq!(floor.minute([100, 106, 99, 100], 100), NOTHING);
    assert_eq!(floor.minute([100, 111, 99, 100], 100), ["O1 6 at 110"]);
}

#[test]
fn an_order_on_its_way_meets_the_bar_late_and_at_a_worse_price() {
    let late = |latency_ms| Costs { latency_ms, ..FREE };
    let first = |latency_ms, kind| {
        let mut floor = Floor::new();
        floor.place(order(1, Buy, kind, 10));
        floor.minute_at(late(latency_ms), [100, 108, 92, 104], 100)
    };
    assert_eq!(first(0, OrderKind::Market), ["O1 10 at 100"]);
    assert_eq!(first(15_000, OrderKind::Market), ["O1 10 at 102"]);
    assert_eq!(first(59_999, OrderKind::Market), ["O1 10 at 107.99986667"]);
    assert_eq!(first(60_000, OrderKind::Market), NOTHING);
    assert_eq!(first(15_000, limit(95)), NOTHING);
    // Made while the bar ran, by a schedule or a person: what was before that it cannot have.
    let mut floor = Floor::new();
    let created = Timestamp::from_ms(15_000);
    floor.place(Order { created, ..order(1, Buy, OrderKind::Market, 10) });
    assert_eq!(floor.minute([100, 108, 92, 104], 100), ["O1 10 at 102"]);
    let mut floor = Floor::new();
    floor.place(in_force(Ioc, order(1, Buy, OrderKind::Market, 10)));
    assert_eq!(floor.minute_at(late(60_000), [100, 108, 92, 104], 100), NOTHING);
    assert_eq!(floor.minute_at(late(60_000), [103, 108, 92, 104], 100), ["O1 10 at 103"]);
}

#[test]
fn books_that_meet_a_bar_at_one_price_share_it_and_pay_the_same() {
    let pushing = Costs { impact: Ratio::from_percent(10), volume_share: Ratio::from_percent(10), ..FREE };
    let mut floor = Floor::new();
    floor.place(in_book("first", order(1, Buy, OrderKind::Market, 60)));
    floor.place(in_book("second", order(2, Buy, OrderKind::Market, 30)));
    floor.place(in_book("first", order(3, Buy, OrderKind::Market, 30)));
    // 90 and 30 are wanted, 30 is there: 22.5 and 7.5, and the odd share goes to the first. 30 of 300 make 1 %.
    assert_eq!(
        floor.minute_at(pushing, [100, 110, 90, 100], 300),
        ["O1 23 at 101, more to come", "O2 7 at 101, more to come"]
    );
    // A seller of the same bar takes from the same volume, but pushes the price the other way.
    floor.place(in_book("third", order(4, Sell, OrderKind::Market, 9)));
    let reports = floor.minute_at(pushing, [100, 110, 90, 100], 1_000);
    assert_eq!(reports, ["O1 37 at 100.9", "O2 23 at 100.9", "O3 30 at 100.9", "O4 9 at 99.91"]);
}

#[test]
fn what_fills_at_the_open_comes_before_what_is_touched_later() {
    let mut floor = Floor::new();
    floor.place(order(1, Buy, limit(98), 10));
    floor.place(order(2, Buy, OrderKind::Market, 10));
    assert_eq!(floor.minute([100, 101, 97, 98], 12), ["O2 10 at 100", "O1 2 at 98, more to come"]);
}

#[test]
fn what_one_order_leaves_of_a_position_the_others_cannot_leave_again() {
    let mut floor = Floor::new();
    let kind = OrderKind::Bracket { stop: Price::whole(90), target: None };
    floor.place(protecting(Sell, kind));
    floor.place(Order { purpose: Purpose::Exit, ..order(2, Sell, OrderKind::Market, 10) });
    assert_eq!(floor.minute([100, 101, 99, 100], 4), ["O2 4 at 100, more to come", "O1 reduced to 6"]);
    let reports = floor.minute([100, 101, 85, 100], 100);
    assert_eq!(reports, ["O2 6 at 100", "O1 reduced to 0", "O1 ended: the position is gone"]);
}

/// The sale of the second book has its part when the first book's purchase comes to its turn, but it has not filled yet: what it
/// leaves of the position, the purchase behind it cannot leave again.
#[test]
fn a_part_that_is_yet_to_fill_holds_back_the_rest_of_its_book() {
    let mut floor = Floor::new();
    let leaves = |id, side| Order { purpose: Purpose::Exit, ..order(id, side, OrderKind::Market, 10) };
    floor.place(in_book("first", leaves(1, Sell)));
    floor.place(in_book("first", order(2, Buy, OrderKind::Market, 10)));
    floor.place(in_book("second", leaves(3, Sell)));
    floor.place(in_book("second", Order { quantity: Quantity::whole(12), ..leaves(4, Buy) }));
    let reports = floor.minute([100, 101, 99, 100], 100);
    assert_eq!(reports, ["O1 10 at 100", "O2 10 at 100", "O3 10 at 100", "O4 reduced to 2", "O4 2 at 100"]);
}

#[test]
fn books_that_meet_a_bar_at_different_prices_come_in_turn() {
    let mut floor = Floor::new();
    floor.place(in_book("first", order(1, Buy, limit(97), 10)));
    floor.place(in_book("second", order(2, Buy, limit(98), 10)));
    let reports = floor.minute([100, 101, 96, 100], 14);
    assert_eq!(reports, ["O1 10 at 97", "O2 4 at 98, more to come"]);
}

#[test]
fn no_order_overtakes_an_older_one_of_its_book() {
    let mut floor = Floor::new();
    floor.place(order(1, Buy, OrderKind::Market, 10));
    floor.place(order(2, Sell, OrderKind::Market, 10));
    floor.place(order(3, Buy, OrderKind::Market, 10));
    let reports = floor.minute([100, 101, 99, 100], 25);
    assert_eq!(reports, ["O1 10 at 100", "O2 10 at 100", "O3 5 at 100, more to come"]);
    // The part of another book that shares with the first is not taken away by the third.
    let mut floor = Floor::new();
    floor.place(order(1, Buy, OrderKind::Market, 10));
    floor.place(order(2, Sell, OrderKind::Market, 10));
    floor.place(order(3, Buy, OrderKind::Market, 10));
    floor.place(in_book("second", order(4, Buy, OrderKind::Market, 10)));
    let reports = floor.minute([100, 101, 99, 100], 25);
    assert_eq!(reports, ["O1 10 at 100", "O2 5 at 100, more to come", "O4 10 at 100"]);
}

#[test]
fn all_or_nothing_does_not_hold_up_the_other_book() {
    let mut floor = Floor::new();
    floor.place(in_book("first", in_force(Fok, order(1, Buy, OrderKind::Market, 60))));
    floor.place(in_book("second", order(2, Buy, OrderKind::Market, 60)));
    let reports = floor.minute([100, 110, 90, 100], 80);
    assert_eq!(reports, ["O2 60 at 100", "O1 ended: it could not be filled whole at once"]);
}

#[test]
fn an_amount_that_does_not_fit_stops_one_order_and_no_other() {
    let mut floor = Floor::new();
    floor.place(Order { quantity: Quantity::MAX, ..in_book("vast", order(1, Buy, OrderKind::Market, 1)) });
    floor.place(order(2, Buy, OrderKind::Market, 10));
    let snapshot = bellwether::domain::MarketSnapshot {
        at: Timestamp::from_ms(60_000),
        bars: vec![crate::support::share_bar(0, [100, 101, 99, 100], i64::MAX)],
        ..bellwether::domain::MarketSnapshot::default()
    };
    let mut reports = Vec::new();
    let error = floor.broker.fill(&snapshot, |_| FREE, |_| false, &mut reports).expect_err("it does not fit");
    assert_eq!(error.to_string(), "an amount of order O1 does not fit");
    assert!(take_up_again(floor.orders[1].clone()).is_some() && reports.len() == 1, "{reports:?}");
}
