//! What would a change do, as people read it before they confirm it? What is taken back and the orders with their estimates first, then how the books stand after.

use chrono_tz::Tz;

use super::format::{money, percent, price, quantity, time};
use super::{BookEffect, OrderKind, PlannedCancel, PlannedOrder, Preview};

/// Lines of one kind, at most; the rest is counted.
const LINES_MAX: usize = 12;

/// A preview in words, with times in this zone.
pub fn preview_words(preview: &Preview, zone: Tz) -> String {
    let notes = preview.notes.iter().map(|note| match note.at {
        Some(at) => note.text.replace("{at}", &time(at, zone)),
        None => note.text.clone(),
    });
    let mut lines = bounded(notes.collect());
    lines.extend(bounded(preview.cancels.iter().map(cancel_line).collect()));
    lines.extend(bounded(preview.orders.iter().map(|order| order_line(preview, order)).collect()));
    lines.extend(bounded(preview.books.iter().flat_map(book_lines).collect()));
    lines.join("\n")
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        lines.truncate(LINES_MAX);
        lines.push(format!("… and {more} more"));
    }
    lines
}

/// `Taken back: O5, buy 10 AAPL, in main`.
fn cancel_line(cancel: &PlannedCancel) -> String {
    let PlannedCancel { order, side, symbol, book, .. } = cancel;
    format!("Taken back: {order}, {side} {} {symbol}, in {book}", quantity(cancel.quantity))
}

/// `Sell 6 AAPL at about 185.20: 1,111.20 USD, fee 0.11`.
fn order_line(preview: &Preview, order: &PlannedOrder) -> String {
    let currency = preview.books.iter().find(|book| book.book == order.book).map_or("", |book| &book.currency);
    let at = match order.kind {
        OrderKind::Limit { price: limit } => format!("limit {}", price(limit)),
        OrderKind::Stop { trigger } => format!("once it reaches {}", price(trigger)),
        OrderKind::StopLimit { trigger, price: limit } => {
            format!("once it reaches {}, limit {}", price(trigger), price(limit))
        }
        OrderKind::Market | OrderKind::Trailing { .. } | OrderKind::Bracket { .. } => {
            format!("at about {}", price(order.price))
        }
    };
    let value = order.quantity.value_at(order.price).map_or_else(|_| "?".to_owned(), money);
    let stop = order.stop.map_or_else(String::new, |stop| format!(", stop at {}", price(stop)));
    let instead = order.replaces.map_or_else(String::new, |order| format!(" instead of what {order} has open"));
    let verb = if order.side == super::Side::Buy { "Buy" } else { "Sell" };
    let (units, symbol, fee) = (quantity(order.quantity), order.symbol, money(order.fee));
    format!("{verb} {units} {symbol} {at}{instead}: {value} {currency}, fee {fee}{stop}")
}

fn book_lines(effect: &BookEffect) -> [String; 2] {
    let limits: Vec<String> =
        effect.limits.iter().map(|limit| format!("{} {} of {}", limit.name, limit.value, limit.limit)).collect();
    [
        format!(
            "{}: cash {}, then {} {}; exposure {}, then {}; open risk {}, then {}",
            effect.book,
            money(effect.cash.before),
            money(effect.cash.after),
            effect.currency,
            percent(effect.exposure.before),
            percent(effect.exposure.after),
            percent(effect.open_risk.before),
            percent(effect.open_risk.after)
        ),
        format!("Limits then: {}", limits.join(", ")),
    ]
}
