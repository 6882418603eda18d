//! What changes an order while it waits? A split of its shares, or a replacement that risk approved.

use crate::clock::Timestamp;
use crate::domain::{AmountError, Order, OrderKind, Price, Quantity};

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

/// Carries out a replacement: another quantity in all and other levels, under the same number and with the same fills. It was
/// approved anew at `at`, so it is on its way again from then; with other levels it has to be triggered again. An order that has
/// filled `quantity` or more is left with nothing to fill: it is to be taken off.
pub fn replace_order(order: &mut Order, quantity: Quantity, kind: OrderKind, at: Timestamp) {
    order.triggered &= kind == order.kind;
    order.quantity = quantity.max(order.filled);
    order.kind = kind;
    order.created = at;
    order.updated = at;
}
