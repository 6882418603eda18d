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
        OrderKind::Stop { trigger } => stop(order.side, trigger, bar),
        OrderKind::Bracket { stop: level, target } => stop(order.side, level, bar)
            .or_else(|| target.and_then(|target| limit(order.side, target, bar, FillLeg::Target))),
    }
}

/// A level that was touched and filled only in part goes on at the market, under its own name.
fn triggered_leg(kind: OrderKind) -> FillLeg {
    match kind {
        OrderKind::Market => FillLeg::Market,
        OrderKind::Limit { .. } => FillLeg::Limit,
        OrderKind::Stop { .. } | OrderKind::Bracket { .. } => FillLeg::Stop,
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
