//! What would a change do, as people read it before they confirm it? What is taken back and the orders with their estimates first, then how the books stand after.

use chrono_tz::Tz;

use super::format::{counted, money, percent, price, quantity, time};
use super::{AmountError, BookEffect, Money, Note, OrderKind, PlannedCancel, PlannedOrder, Preview, Price, Side};

/// Orders that have a line each, at most; of those beyond is said which they are and what they come to. What is asked is never cut.
const LINES_MAX: usize = 12;

/// A preview in words, with times in this zone.
pub fn preview_words(preview: &Preview, zone: Tz) -> String {
    let Preview { notes, cancels, orders, books, .. } = preview;
    let note = |note: &Note| match note.at {
        Some(at) => note.text.replace("{at}", &time(at, zone)),
        None => note.text.clone(),
    };
    let mut lines: Vec<String> = notes.iter().map(note).collect();
    let (each, beyond) = cancels.split_at(cancels.len().min(LINES_MAX));
    lines.extend(each.iter().map(cancel_line));
    lines.extend(more_cancels(beyond));
    let (each, beyond) = orders.split_at(orders.len().min(LINES_MAX));
    lines.extend(each.iter().map(|order| order_line(preview, order)));
    lines.extend(books.iter().filter_map(|effect| more_orders(effect, beyond)));
    lines.extend(books.iter().flat_map(book_lines));
    lines.join("\n")
}

/// `Taken back as well, 3 more: O5, O6, O7`.
fn more_cancels(beyond: &[PlannedCancel]) -> Option<String> {
    let ids: Vec<String> = beyond.iter().map(|cancel| cancel.order.to_string()).collect();
    (!ids.is_empty()).then(|| format!("Taken back as well, {} more: {}", ids.len(), ids.join(", ")))
}

/// `13 more orders in main: AAPL, MSFT; 1,200.00 USD bought, 3,400.00 USD sold, fees 4.60`.
fn more_orders(effect: &BookEffect, beyond: &[PlannedOrder]) -> Option<String> {
    let own: Vec<&PlannedOrder> = beyond.iter().filter(|order| order.book == effect.book).collect();
    let value = |side| {
        let of_side = own.iter().filter(|order| order.side == side);
        sum(of_side.map(|order| order.quantity.value_at(order.price)))
    };
    let (bought, sold) = (value(Side::Buy), value(Side::Sell));
    let fees = sum(own.iter().map(|order| Ok(order.fee)));
    let symbols: Vec<&str> = own.iter().map(|order| order.symbol.as_str()).collect();
    let (count, currency, list) = (own.len(), &effect.currency, symbols.join(", "));
    (count > 0).then(|| {
        let orders = counted(count as u64, "more order");
        format!("{orders} in {}: {list}; {bought} {currency} bought, {sold} {currency} sold, fees {fees}", effect.book)
    })
}

fn sum(mut amounts: impl Iterator<Item = Result<Money, AmountError>>) -> String {
    let sum = amounts.try_fold(Money::ZERO, |sum, amount| sum.plus(amount?));
    sum.map_or_else(|_| "?".to_owned(), money)
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
    let part = |what: &str, level: Option<Price>| level.map_or_else(String::new, |at| format!("{what} {}", price(at)));
    let follows = if order.trail.is_some() { " behind" } else { "" };
    let levels = [
        part(", stop at", order.stop),
        part(", following", order.trail),
        follows.to_owned(),
        part(", target", order.target),
    ];
    let stop = levels.concat();
    let instead = order.replaces.map_or_else(String::new, |order| format!(" instead of what {order} has open"));
    let verb = if order.side == Side::Buy { "Buy" } else { "Sell" };
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
