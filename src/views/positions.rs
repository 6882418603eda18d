//! What do we hold?

use crate::domain::{Position, Price, Quantity};
use crate::store::BookRow;

use super::measured::Measured;
use super::open::{Scene, ViewError, Views, amount};
use crate::domain::format::{age, carried, percent, price, quantity, signed, signed_percent};

/// The answer to `/positions [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn positions(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in scene.books_named(book)? {
        if row.book.positions.is_empty() {
            let cash = amount(row.book.cash, &row.book.currency);
            lines.push(format!("{} holds nothing · cash {cash}", row.book.name));
        }
        let measured = Measured::of(views, &scene, row)?;
        for held in &row.book.positions {
            lines.extend(position_lines(&scene, row, held));
            lines.extend(measured.as_ref().and_then(|measured| liquidation_line(measured, held)));
        }
    }
    Ok(lines.join("\n"))
}

fn position_lines(scene: &Scene, row: &BookRow, held: &Position) -> Vec<String> {
    let short = held.quantity < Quantity::ZERO;
    let (side, entered) = if short { ("short ", "sold short") } else { ("", "bought") };
    let now = scene.value_price(held.symbol).unwrap_or_else(|| held.average_price());
    let profit = held.unrealised_at(now).unwrap_or_default();
    let value = held.value_at(now).unwrap_or_default();
    vec![
        format!(
            "{side}{} {} {} {} ({}) unrealised, before fees of leaving{}",
            quantity(held.quantity.abs()),
            held.symbol,
            signed(profit),
            row.book.currency,
            signed_percent(profit.share_of(held.cost.abs())),
            carried(held.carried)
        ),
        format!(
            "  {entered} at {} on average, now {} · {} of equity · held {} · {}",
            price(held.average_price()),
            scene.price_words(held.symbol),
            percent(value.abs().share_of(row.equity)),
            age(scene.progress.market.since(held.opened)),
            held.strategy
        ),
        level_line(held, now),
    ]
}

fn level_line(held: &Position, now: Price) -> String {
    let Some(levels) = held.protection else { return "  NO STOP: this position is not protected".to_owned() };
    let kind = if levels.trail.is_some() { "trailing stop" } else { "stop" };
    let target = levels.target.map(|target| format!(" · target {}", price(target))).unwrap_or_default();
    let away = levels.stop.minus(now).unwrap_or(Price::ZERO).share_of(now);
    format!("  {kind} {} ({}){target} · order {}", price(levels.stop), signed_percent(away), levels.order)
}

/// Where the exchange closes a perpetual position, if that was measured for what is held now.
fn liquidation_line(measured: &Measured<'_>, held: &Position) -> Option<String> {
    let one = measured.figures.symbols.iter().find(|one| one.symbol == held.symbol && one.quantity == held.quantity)?;
    let closed = one.liquidation?;
    let away = closed.minus(one.price).unwrap_or(Price::ZERO).share_of(one.price);
    Some(format!("  liquidated at {} ({}), {}", price(closed), signed_percent(away), measured.as_of()))
}
