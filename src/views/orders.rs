//! What is under way?

use crate::domain::{Order, OrderKind, Purpose};

use super::open::{ViewError, Views};
use crate::domain::format::{price, quantity, time};

/// The answer to `/orders`.
///
/// # Errors
/// When the store cannot be read.
pub fn orders(views: &Views) -> Result<String, ViewError> {
    let open = views.reader().open_orders()?;
    if open.is_empty() {
        return Ok("no open orders".to_owned());
    }
    let zone = views.zone()?;
    let lines: Vec<String> = open
        .iter()
        .map(|order| {
            let filled =
                if order.filled.is_zero() { String::new() } else { format!(" · {} filled", quantity(order.filled)) };
            format!("{}{filled} · {} · since {}", order_words(order), order.strategy, time(order.created, zone))
        })
        .collect();
    Ok(lines.join("\n"))
}

/// An order in words: `O17 sell 12 AAPL, stop 182.30`.
pub(super) fn order_words(order: &Order) -> String {
    let how = match order.kind {
        OrderKind::Market => "at the market".to_owned(),
        OrderKind::Limit { price: level } => format!("limit {}", price(level)),
        OrderKind::Stop { trigger } => format!("stop {}", price(trigger)),
        OrderKind::StopLimit { trigger, price: level } => format!("stop {} limit {}", price(trigger), price(level)),
        OrderKind::Trailing { trigger, distance } => {
            format!("stop {} trailing by {}", price(trigger), price(distance))
        }
        OrderKind::Bracket { stop, target: Some(target) } => {
            format!("stop {} or target {}", price(stop), price(target))
        }
        OrderKind::Bracket { stop, target: None } => format!("stop {}", price(stop)),
    };
    let purpose = match order.purpose {
        Purpose::Entry => "entry",
        Purpose::Exit => "exit",
        Purpose::Protect => "protection",
        Purpose::Close => "close",
        Purpose::Liquidate => "margin call",
    };
    format!("{} {} {} {}, {how} · {purpose}", order.id, order.side, quantity(order.quantity), order.symbol)
}
