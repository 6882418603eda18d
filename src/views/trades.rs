//! How did the last trades end?

use super::about::tag_words;
use super::open::{ViewError, Views};
use crate::domain::format::{age, carried, counted, price, quantity, signed, time};
use crate::domain::{About, Side};

/// The answer to `/trades [n]`.
///
/// # Errors
/// When the store cannot be read.
pub fn trades(views: &Views, rows: u32) -> Result<String, ViewError> {
    let (trades, all) = views.reader().trades(rows)?;
    if trades.is_empty() {
        return Ok("no closed trades yet; open positions are in /positions".to_owned());
    }
    let zone = views.zone()?;
    let books = views.reader().books()?;
    let mut lines =
        vec![format!("{}, the last {} newest first; results after fees", counted(all, "closed trade"), trades.len())];
    for trade in &trades {
        let tags = views.reader().tags(Some(About::Trade(trade.id)))?;
        let tagged = if tags.is_empty() { String::new() } else { format!(" · tagged {}", tag_words(&tags)) };
        let currency =
            books.iter().find(|row| row.book.name == trade.book).map_or("", |row| row.book.currency.as_str());
        let side = match trade.side {
            Side::Buy => "",
            Side::Sell => "short ",
        };
        lines.push(format!(
            "{} {side}{} {} {} {currency} · {} to {}{} · by {} · {} after {} · {}{tagged}",
            trade.id,
            quantity(trade.quantity),
            trade.symbol,
            signed(trade.profit),
            price(trade.entry_price),
            price(trade.exit_price),
            carried(trade.carried),
            trade.reason.as_str(),
            time(trade.closed, zone),
            age(trade.closed.since(trade.opened)),
            trade.strategy
        ));
    }
    Ok(lines.join("\n"))
}
