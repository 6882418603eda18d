//! What changes an order while it waits? A split of its shares, or a replacement that risk approved.

use crate::clock::Timestamp;
use crate::domain::{AmountError, Order, OrderKind, Price, Quantity, Side};

/// Changes an order for a split: the quantities grow, the levels shrink.
///
/// # Errors
/// When a new quantity or level does not fit.
pub fn split_order(order: &mut Order, new: i64, old: i64) -> Result<(), AmountError> {
    let level = |price: Price| price.scaled(old, new);
    order.kind = match order.kind {
        OrderKind::Market => OrderKind::Market,
        OrderKind::Limit { price } => OrderKind::Limit { price: level(price)? },
        OrderKind::Stop { trigger } => OrderKind::Stop { trigger: level(trigger)? },
        OrderKind::StopLimit { trigger, price } => {
            OrderKind::StopLimit { trigger: level(trigger)?, price: level(price)? }
        }
        OrderKind::Trailing { trigger, distance } => {
            OrderKind::Trailing { trigger: level(trigger)?, distance: level(distance)? }
        }
        OrderKind::Bracket { stop, target } => {
            OrderKind::Bracket { stop: level(stop)?, target: target.map(level).transpose()? }
        }
    };
    // What is left is scaled as the position is, by one rounding: two would leave a crumb that nobody can sell.
    let rest = order.remaining().scaled(new, old)?;
    order.filled = order.filled.scaled(new, old)?;
    order.quantity = order.filled.plus(rest)?;
    order.reference = level(order.reference)?;
    if let Some(plan) = &mut order.plan {
        plan.stop_distance = level(plan.stop_distance)?;
        plan.target_distance = plan.target_distance.map(level).transpose()?;
    }
    Ok(())
}

/// The price by which an order of this kind is counted while it waits: its own level, else the last price when it was approved. Where the
/// market is above a level already, it is the market's: a limit far below it keeps no sale from filling there.
pub fn reference_of(side: Side, kind: OrderKind, last: Price) -> Price {
    match kind {
        OrderKind::Limit { price } if side == Side::Buy => price,
        OrderKind::Limit { price: level } | OrderKind::Stop { trigger: level } => level.max(last),
        OrderKind::Market | OrderKind::StopLimit { .. } | OrderKind::Trailing { .. } | OrderKind::Bracket { .. } => {
            last
        }
    }
}

/// Carries out a replacement: another quantity in all and other levels, under the same number and with the same fills. It was
/// approved anew at `at`, counted by `reference`, so it is on its way again from then; with other levels it has to be triggered again. An
/// order that has filled `quantity` or more is left with nothing to fill: it is to be taken off.
pub fn replace_order(order: &mut Order, quantity: Quantity, kind: OrderKind, reference: Price, at: Timestamp) {
    order.triggered &= kind == order.kind;
    order.quantity = quantity.max(order.filled);
    order.kind = kind;
    order.reference = reference;
    order.created = at;
    order.updated = at;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrderId, OrderStatus, Purpose, TimeInForce};

    fn order() -> Order {
        Order {
            id: OrderId(1),
            book: "main".parse().expect("name"),
            strategy: "test".parse().expect("name"),
            signal: None,
            symbol: "AAPL".parse().expect("symbol"),
            side: Side::Buy,
            kind: OrderKind::StopLimit { trigger: Price::whole(105), price: Price::whole(106) },
            purpose: Purpose::Entry,
            quantity: Quantity::whole(10),
            filled: Quantity::whole(4),
            status: OrderStatus::PartlyFilled,
            triggered: true,
            reference: Price::whole(100),
            plan: None,
            tif: TimeInForce::Gtc,
            expires: None,
            because: String::new(),
            audit: None,
            created: Timestamp::from_ms(1),
            updated: Timestamp::from_ms(1),
        }
    }

    #[test]
    fn a_replacement_is_on_its_way_anew_and_keeps_its_fills() {
        let (mut more, kind) = (order(), OrderKind::Market);
        replace_order(&mut more, Quantity::whole(12), order().kind, Price::whole(100), Timestamp::from_ms(5));
        assert_eq!((more.remaining(), more.created.ms(), more.triggered), (Quantity::whole(8), 5, true));
        let mut other = order();
        replace_order(&mut other, Quantity::whole(3), kind, Price::whole(100), Timestamp::from_ms(5));
        assert_eq!((other.remaining(), other.kind, other.triggered), (Quantity::ZERO, kind, false));
    }

    #[test]
    fn an_order_is_counted_by_its_level_or_by_the_market_above_it() {
        let [last, limit, trigger] = [Price::whole(100), Price::whole(50), Price::whole(105)];
        for (side, kind, counted) in [
            (Side::Buy, OrderKind::Market, 100),
            (Side::Buy, OrderKind::Limit { price: limit }, 50),
            (Side::Buy, OrderKind::Limit { price: trigger }, 105),
            (Side::Sell, OrderKind::Limit { price: trigger }, 105),
            (Side::Sell, OrderKind::Limit { price: limit }, 100),
            (Side::Buy, OrderKind::Stop { trigger }, 105),
            (Side::Buy, OrderKind::Stop { trigger: limit }, 100),
        ] {
            assert_eq!(reference_of(side, kind, last), Price::whole(counted), "{side} {kind:?}");
        }
    }

    #[test]
    fn a_split_turns_every_level_and_quantity() {
        let mut order = order();
        split_order(&mut order, 2, 1).expect("fits");
        assert_eq!(
            order.kind,
            OrderKind::StopLimit { trigger: "52.5".parse().expect("price"), price: Price::whole(53) }
        );
        assert_eq!((order.remaining(), order.reference), (Quantity::whole(12), Price::whole(50)));
    }
}
