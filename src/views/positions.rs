//! What do we hold?

use crate::domain::{Money, Price};

use super::open::{ViewError, Views, amount};
use crate::domain::format::{age, percent, price, quantity, signed, signed_percent};

/// The answer to `/positions`.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn positions(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in &scene.books {
        let currency = &row.book.currency;
        if row.book.positions.is_empty() {
            lines.push(format!("{} holds nothing · cash {}", row.book.name, amount(row.book.cash, currency)));
        }
        for held in &row.book.positions {
            let now = scene.value_price(held.symbol).unwrap_or_else(|| held.average_price());
            let profit = held.unrealised_at(now).unwrap_or(Money::ZERO);
            let value = held.value_at(now).unwrap_or(Money::ZERO);
            lines.push(format!(
                "{} {} {} {currency} ({}) unrealised, before fees of leaving",
                quantity(held.quantity),
                held.symbol,
                signed(profit),
                signed_percent(profit.share_of(held.cost))
            ));
            lines.push(format!(
                "  bought at {} on average, now {} · {} of equity · held {} · {}",
                price(held.average_price()),
                scene.price_words(held.symbol),
                percent(value.share_of(row.equity)),
                age(scene.progress.market.since(held.opened)),
                held.strategy
            ));
            let levels = held.protection.map_or_else(
                || "  NO STOP: this position is not protected".to_owned(),
                |levels| {
                    let kind = if levels.trail.is_some() { "trailing stop" } else { "stop" };
                    let target = levels.target.map(|target| format!(" · target {}", price(target))).unwrap_or_default();
                    let away = levels.stop.minus(now).unwrap_or(Price::ZERO).share_of(now);
                    format!(
                        "  {kind} {} ({}){target} · order {}",
                        price(levels.stop),
                        signed_percent(away),
                        levels.order
                    )
                },
            );
            lines.push(levels);
        }
    }
    Ok(lines.join("\n"))
}
