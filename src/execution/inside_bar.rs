//! At which price does an order fill inside a bar, if at all? Of a bar's course only the open, which is first, and the close, which
//! is last, have a known place, so the rules are the cautious ones: what helps the order must be certain, what hurts it need only
//! be possible.

use crate::domain::{AmountError, Bar, FillLeg, Order, OrderKind, Price, Side};

/// What an order sees of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    /// True if it is there when the bar opens.
    opens: bool,
    /// The first price it meets.
    first: Price,
    /// The best price for its side that it certainly meets.
    pub(super) best: Price,
    /// The worst price for its side that it may meet.
    worst: Price,
    /// The last price it meets.
    close: Price,
}

impl Sight {
    /// Of an order that is there before the bar: all of it.
    pub(super) fn whole(side: Side, bar: &Bar) -> Self {
        let (best, worst) = match side {
            Side::Buy => (bar.low, bar.high),
            Side::Sell => (bar.high, bar.low),
        };
        Self { opens: true, first: bar.open, best, worst, close: bar.close }
    }

    /// Of an order that arrives when `passed` of the bar's `length` milliseconds are over. Nobody knows the price of that moment: it
    /// is taken to have gone from the open straight towards the extreme that is worse for the order. From there only the close is
    /// certain to follow, but the worse extreme may.
    ///
    /// # Errors
    /// When a price does not fit.
    pub(super) fn from_arrival(side: Side, bar: &Bar, passed: i64, length: i64) -> Result<Self, AmountError> {
        let whole = Self::whole(side, bar);
        let first = bar.open.plus(whole.worst.minus(bar.open)?.scaled(passed, length)?)?;
        let best = if is_good(side, first, bar.close) { first } else { bar.close };
        Ok(Self { opens: false, first, best, ..whole })
    }
}

/// Where an order meets a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    /// The price, before slippage.
    pub(super) price: Price,
    /// Why it fills.
    pub(super) leg: FillLeg,
    /// True if it fills at the bar's open: a market order that is there by then, and a level that was gapped over.
    pub(super) at_open: bool,
    /// The worst price that slippage may lead to, if the order sets one.
    pub(super) limit: Option<Price>,
}

/// Where `order` fills in the bar it sees, by the levels it had before. A level that was gapped over fills at the open; if stop and
/// target both lie inside the bar, the stop fills.
pub(super) fn touch(order: &Order, sight: &Sight) -> Option<Touch> {
    let side = order.side;
    let at_first = |leg| Touch { price: sight.first, leg, at_open: true, limit: None };
    let touch = match order.kind {
        OrderKind::Market => Some(at_first(FillLeg::Market)),
        OrderKind::Limit { price } => limit(side, price, sight, FillLeg::Limit),
        OrderKind::StopLimit { price, .. } if order.triggered => limit(side, price, sight, FillLeg::Limit),
        OrderKind::StopLimit { trigger, price } => stop_limit(side, trigger, price, sight),
        // A stop that was touched and filled only in part goes on at the market, under its own name.
        OrderKind::Stop { .. } | OrderKind::Trailing { .. } | OrderKind::Bracket { .. } if order.triggered => {
            Some(at_first(FillLeg::Stop))
        }
        OrderKind::Stop { trigger } | OrderKind::Trailing { trigger, .. } => stop(side, trigger, sight),
        OrderKind::Bracket { stop: level, target } => {
            let target = target.and_then(|target| limit(side, target, sight, FillLeg::Target));
            // The open comes first: a target that was gapped over is filled before the price can go to the stop.
            target.filter(|target| target.at_open).or_else(|| stop(side, level, sight)).or(target)
        }
    };
    touch.map(|touch| Touch { at_open: touch.at_open && sight.opens, ..touch })
}

/// True if the bar touches the trigger of a stop-limit that waits for it.
pub(super) fn arms(order: &Order, sight: &Sight) -> bool {
    match order.kind {
        OrderKind::StopLimit { trigger, .. } => !order.triggered && stop(order.side, trigger, sight).is_some(),
        OrderKind::Market
        | OrderKind::Limit { .. }
        | OrderKind::Stop { .. }
        | OrderKind::Trailing { .. }
        | OrderKind::Bracket { .. } => false,
    }
}

/// True if `price` is `level` or better for this side.
fn is_good(side: Side, price: Price, level: Price) -> bool {
    match side {
        Side::Buy => price <= level,
        Side::Sell => price >= level,
    }
}

/// `at_open` stands here for the first price that is met.
fn limit(side: Side, level: Price, sight: &Sight, leg: FillLeg) -> Option<Touch> {
    let at_open = is_good(side, sight.first, level);
    let reached = at_open || is_good(side, sight.best, level);
    reached.then_some(Touch { price: if at_open { sight.first } else { level }, leg, at_open, limit: None })
}

fn stop(side: Side, level: Price, sight: &Sight) -> Option<Touch> {
    let at_open = is_good(side.opposite(), sight.first, level);
    let reached = at_open || is_good(side.opposite(), sight.worst, level);
    let price = if at_open { sight.first } else { level };
    reached.then_some(Touch { price, leg: FillLeg::Stop, at_open, limit: None })
}

/// A stop-limit whose trigger was not touched before. Where the limit holds at the moment of the trigger it fills there, as a stop
/// does, but slips no further than the limit. Where it does not hold, as after a gap beyond the limit, the order waits as a limit:
/// after a trigger at the open the whole bar follows; after one inside the bar only the close is certain to.
fn stop_limit(side: Side, trigger: Price, price: Price, sight: &Sight) -> Option<Touch> {
    let touched = stop(side, trigger, sight)?;
    if is_good(side, touched.price, price) {
        return Some(Touch { limit: Some(price), ..touched });
    }
    let rest = if touched.at_open { *sight } else { Sight { first: touched.price, best: sight.close, ..*sight } };
    limit(side, price, &rest, FillLeg::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{OrderId, OrderStatus, Purpose, Quantity, TimeInForce, UNITS};

    fn order(side: Side, kind: OrderKind, triggered: bool) -> Order {
        Order {
            id: OrderId(1),
            book: "main".parse().expect("name"),
            strategy: "test".parse().expect("name"),
            signal: None,
            symbol: "AAPL".parse().expect("symbol"),
            side,
            kind,
            purpose: Purpose::Entry,
            quantity: Quantity::whole(1),
            filled: Quantity::ZERO,
            status: OrderStatus::Working,
            triggered,
            reference: Price::whole(100),
            plan: None,
            tif: TimeInForce::Gtc,
            expires: None,
            because: String::new(),
            audit: None,
            created: Timestamp::from_ms(0),
            updated: Timestamp::from_ms(0),
        }
    }

    fn bar(prices: [i64; 4]) -> Bar {
        let [open, high, low, close] = prices.map(Price::whole);
        Bar { start: Timestamp::from_ms(0), open, high, low, close, volume: Quantity::whole(1) }
    }

    fn found(order: &Order, sight: &Sight) -> Option<(i64, FillLeg, bool)> {
        touch(order, sight).map(|touch| (touch.price.units() / UNITS, touch.leg, touch.at_open))
    }

    use FillLeg::{Limit, Market, Stop, Target};
    use Side::{Buy, Sell};

    /// Side, kind, whether it was triggered before, the bar, and what comes of it.
    type Row = (Side, OrderKind, bool, [i64; 4], Option<(i64, FillLeg, bool)>);

    #[test]
    fn orders_fill_at_their_level_or_at_the_open_that_jumped_over_it() {
        let level = Price::whole;
        let long = OrderKind::Bracket { stop: level(95), target: Some(level(110)) };
        let short = OrderKind::Bracket { stop: level(105), target: Some(level(90)) };
        let (limit, stop) = (OrderKind::Limit { price: level(98) }, OrderKind::Stop { trigger: level(103) });
        let trailing = OrderKind::Trailing { trigger: level(95), distance: level(5) };
        let rows: [Row; 23] = [
            (Buy, OrderKind::Market, false, [100, 101, 99, 100], Some((100, Market, true))),
            (Buy, limit, false, [100, 101, 99, 100], None),
            (Buy, limit, false, [100, 101, 97, 100], Some((98, Limit, false))),
            (Buy, limit, false, [96, 101, 95, 100], Some((96, Limit, true))),
            (Sell, limit, false, [99, 101, 97, 100], Some((99, Limit, true))),
            (Buy, stop, false, [100, 102, 99, 100], None),
            (Buy, stop, false, [100, 104, 99, 100], Some((103, Stop, false))),
            (Buy, stop, false, [105, 106, 104, 105], Some((105, Stop, true))),
            (Buy, stop, true, [99, 100, 98, 99], Some((99, Stop, true))),
            (Sell, trailing, false, [100, 101, 96, 100], None),
            (Sell, trailing, false, [100, 101, 94, 100], Some((95, Stop, false))),
            (Buy, trailing, false, [94, 96, 93, 94], Some((95, Stop, false))),
            (Sell, long, false, [100, 109, 96, 100], None),
            (Sell, long, false, [100, 111, 96, 100], Some((110, Target, false))),
            (Sell, long, false, [100, 111, 94, 100], Some((95, Stop, false))),
            (Sell, long, false, [93, 111, 92, 100], Some((93, Stop, true))),
            (Sell, long, false, [112, 113, 94, 100], Some((112, Target, true))),
            (Buy, short, false, [100, 104, 91, 100], None),
            (Buy, short, false, [100, 104, 89, 100], Some((90, Target, false))),
            (Buy, short, false, [100, 106, 89, 100], Some((105, Stop, false))),
            (Buy, short, false, [107, 108, 89, 100], Some((107, Stop, true))),
            (Buy, short, false, [88, 106, 87, 100], Some((88, Target, true))),
            (Buy, short, true, [100, 101, 99, 100], Some((100, Stop, true))),
        ];
        for (side, kind, triggered, prices, want) in rows {
            let got = found(&order(side, kind, triggered), &Sight::whole(side, &bar(prices)));
            assert_eq!(got, want, "{side} {kind:?} {prices:?}");
        }
    }

    /// The last column says whether the bar triggers it.
    #[test]
    fn a_stop_limit_fills_only_where_its_limit_surely_holds() {
        let kind = |trigger, price| OrderKind::StopLimit { trigger: Price::whole(trigger), price: Price::whole(price) };
        let (usual, rebound) = (kind(95, 93), kind(95, 97));
        let rows: [(Row, bool); 10] = [
            ((Sell, usual, false, [100, 101, 96, 100], None), false),
            ((Sell, usual, false, [100, 101, 94, 100], Some((95, Stop, false))), true),
            ((Sell, usual, false, [94, 96, 90, 91], Some((94, Stop, true))), true),
            // A gap beyond the limit: nothing at the open, and the limit only if the price comes back to it.
            ((Sell, usual, false, [90, 92, 89, 91], None), true),
            ((Sell, usual, false, [90, 94, 89, 91], Some((93, Limit, false))), true),
            // A limit better than the trigger: the high may have come before the low, but the close came after.
            ((Sell, rebound, false, [100, 101, 94, 96], None), true),
            ((Sell, rebound, false, [100, 101, 94, 98], Some((97, Limit, false))), true),
            ((Sell, usual, true, [90, 94, 89, 91], Some((93, Limit, false))), false),
            ((Buy, kind(105, 106), false, [100, 107, 99, 100], Some((105, Stop, false))), true),
            ((Buy, kind(105, 106), false, [108, 109, 107, 108], None), true),
        ];
        for ((side, kind, triggered, prices, want), armed) in rows {
            let (order, sight) = (order(side, kind, triggered), Sight::whole(side, &bar(prices)));
            assert_eq!((found(&order, &sight), arms(&order, &sight)), (want, armed), "{side} {kind:?} {prices:?}");
        }
        let sight = Sight::whole(Sell, &bar([100, 101, 94, 100]));
        assert_eq!(touch(&order(Sell, usual, false), &sight).expect("fills").limit, Some(Price::whole(93)));
    }

    /// A quarter of the bar is over when the order comes: a buyer meets 100 + (108 - 100) / 4, a seller 100 - (100 - 92) / 4.
    #[test]
    fn an_order_that_comes_late_meets_a_worse_price_and_only_what_is_certain_helps_it() {
        let level = Price::whole;
        let limit = |price| OrderKind::Limit { price: level(price) };
        let stop = |price| OrderKind::Stop { trigger: level(price) };
        let long = OrderKind::Bracket { stop: level(93), target: Some(level(101)) };
        let rows: [Row; 11] = [
            (Buy, OrderKind::Market, false, [100, 108, 92, 101], Some((102, Market, false))),
            (Sell, OrderKind::Market, false, [100, 108, 92, 101], Some((98, Market, false))),
            // The low may have come before the order did; the close did not.
            (Buy, limit(95), false, [100, 108, 92, 101], None),
            (Buy, limit(101), false, [100, 108, 92, 101], Some((101, Limit, false))),
            (Buy, limit(105), false, [100, 108, 92, 101], Some((102, Limit, false))),
            (Sell, limit(101), false, [100, 108, 92, 101], Some((101, Limit, false))),
            (Sell, limit(107), false, [100, 108, 92, 101], None),
            // The extreme that hurts may have come after it.
            (Buy, stop(107), false, [100, 108, 92, 101], Some((107, Stop, false))),
            (Buy, stop(101), false, [100, 108, 92, 101], Some((102, Stop, false))),
            (Sell, long, false, [100, 108, 92, 101], Some((93, Stop, false))),
            (Sell, long, false, [100, 108, 94, 101], Some((101, Target, false))),
        ];
        for (side, kind, triggered, prices, want) in rows {
            let sight = Sight::from_arrival(side, &bar(prices), 15_000, 60_000).expect("fits");
            assert_eq!(found(&order(side, kind, triggered), &sight), want, "{side} {kind:?} {prices:?}");
        }
    }
}
