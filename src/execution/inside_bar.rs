//! At which price does an order fill inside a bar, if at all? Only its open, high and low are known, so the rules are the cautious ones.

use crate::domain::{Bar, FillLeg, Order, OrderKind, Price, Side};

/// Where an order meets a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// The price, before slippage.
    pub price: Price,
    /// Why it fills.
    pub leg: FillLeg,
    /// True if it fills at the bar's open: always for a market order, and where a level was gapped over.
    pub at_open: bool,
}

/// Where `order` fills in `bar`, by the levels it had before the bar. A level that was gapped over fills at the open; if stop and
/// target both lie inside the bar, the stop fills.
pub fn touch(order: &Order, bar: &Bar) -> Option<Touch> {
    match order.kind {
        _ if order.triggered => Some(Touch { price: bar.open, leg: triggered_leg(order.kind), at_open: true }),
        OrderKind::Market => Some(Touch { price: bar.open, leg: FillLeg::Market, at_open: true }),
        OrderKind::Limit { price } => limit(order.side, price, bar, FillLeg::Limit),
        OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. } | OrderKind::Trailing { trigger, .. } => {
            stop(order.side, trigger, bar)
        }
        OrderKind::Bracket { stop: level, target } => {
            let target = target.and_then(|target| limit(order.side, target, bar, FillLeg::Target));
            // The open comes first: a target that was gapped over is filled before the price can fall to the stop.
            target.filter(|target| target.at_open).or_else(|| stop(order.side, level, bar)).or(target)
        }
    }
}

/// A level that was touched and filled only in part goes on at the market, under its own name.
fn triggered_leg(kind: OrderKind) -> FillLeg {
    match kind {
        OrderKind::Market => FillLeg::Market,
        OrderKind::Limit { .. } => FillLeg::Limit,
        OrderKind::Stop { .. }
        | OrderKind::StopLimit { .. }
        | OrderKind::Trailing { .. }
        | OrderKind::Bracket { .. } => FillLeg::Stop,
    }
}

fn limit(side: Side, level: Price, bar: &Bar, leg: FillLeg) -> Option<Touch> {
    let (better_open, reached) = match side {
        Side::Buy => (bar.open <= level, bar.low <= level),
        Side::Sell => (bar.open >= level, bar.high >= level),
    };
    let at_open = better_open;
    reached.then_some(Touch { price: if at_open { bar.open } else { level }, leg, at_open })
}

fn stop(side: Side, level: Price, bar: &Bar) -> Option<Touch> {
    let (gapped, reached) = match side {
        Side::Buy => (bar.open >= level, bar.high >= level),
        Side::Sell => (bar.open <= level, bar.low <= level),
    };
    reached.then_some(Touch { price: if gapped { bar.open } else { level }, leg: FillLeg::Stop, at_open: gapped })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{OrderId, OrderStatus, Purpose, Quantity, TimeInForce};

    fn met(side: Side, kind: OrderKind, [open, high, low, close]: [i64; 4]) -> Option<(i64, FillLeg)> {
        let order = Order {
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
            triggered: false,
            reference: Price::whole(100),
            plan: None,
            tif: TimeInForce::Gtc,
            expires: None,
            because: String::new(),
            created: Timestamp::from_ms(0),
            updated: Timestamp::from_ms(0),
        };
        let [open, high, low, close] = [open, high, low, close].map(Price::whole);
        let bar = Bar { start: Timestamp::from_ms(0), open, high, low, close, volume: Quantity::whole(1) };
        touch(&order, &bar).map(|touch| (touch.price.units() / crate::domain::UNITS, touch.leg))
    }

    #[test]
    fn orders_fill_at_their_level_or_at_the_open_that_jumped_over_it() {
        let level = Price::whole;
        let bracket = OrderKind::Bracket { stop: level(95), target: Some(level(110)) };
        let (limit, stop) = (OrderKind::Limit { price: level(98) }, OrderKind::Stop { trigger: level(103) });
        for (side, kind, bar, want) in [
            (Side::Buy, OrderKind::Market, [100, 101, 99, 100], Some((100, FillLeg::Market))),
            (Side::Buy, limit, [100, 101, 99, 100], None),
            (Side::Buy, limit, [100, 101, 97, 100], Some((98, FillLeg::Limit))),
            (Side::Buy, limit, [96, 101, 95, 100], Some((96, FillLeg::Limit))),
            (Side::Buy, stop, [100, 102, 99, 100], None),
            (Side::Buy, stop, [100, 104, 99, 100], Some((103, FillLeg::Stop))),
            (Side::Buy, stop, [105, 106, 104, 105], Some((105, FillLeg::Stop))),
            (Side::Sell, bracket, [100, 109, 96, 100], None),
            (Side::Sell, bracket, [100, 111, 96, 100], Some((110, FillLeg::Target))),
            (Side::Sell, bracket, [100, 111, 94, 100], Some((95, FillLeg::Stop))),
            (Side::Sell, bracket, [93, 111, 92, 100], Some((93, FillLeg::Stop))),
            (Side::Sell, bracket, [112, 113, 94, 100], Some((112, FillLeg::Target))),
        ] {
            assert_eq!(met(side, kind, bar), want, "{kind:?} {bar:?}");
        }
    }
}
