//! How do we stand, for readers who may not see amounts? Shares alone, a line a book.

use crate::domain::Money;
use crate::domain::format::{percent, signed_percent};
use crate::portfolio::{drawdown, exposure};
use crate::store::BookRow;

use super::open::{Scene, ViewError, Views};
use super::status::{limit_of, state_words};

/// The answer to `/status` where amounts are hidden.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn status_shares(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines: Vec<String> = scene.books.iter().flat_map(|row| book_lines(&scene, row)).collect();
    if !views.is_running() {
        lines.push("The bot is not running now: nothing trades until it is started".to_owned());
    }
    Ok(lines.join("\n"))
}

fn book_lines(scene: &Scene, row: &BookRow) -> [String; 2] {
    let change = |from: Money| signed_percent(row.equity.minus(from).unwrap_or(Money::ZERO).share_of(from));
    let exposed = exposure(&row.book, |symbol| scene.value_price(symbol)).unwrap_or(Money::ZERO);
    [
        format!("{} is {} · paper", row.book.name, state_words(row)),
        format!(
            "  today {} · {} since the start · exposure {} of {} · {} from the peak, limit {}",
            change(row.day_start),
            change(row.book.capital),
            percent(exposed.share_of(row.equity)),
            percent(limit_of(row, "exposure_pct")),
            percent(drawdown(row.peak, row.equity)),
            percent(limit_of(row, "drawdown_pct"))
        ),
    ]
}
