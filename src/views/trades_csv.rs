//! How do trades leave for other programs? A CSV file with the columns of a backtest's, and the book of each.

use std::fmt::Write as _;

use crate::domain::format::counted;
use crate::domain::{Attachment, AttachmentKind, Message, Side, Trade};

use super::open::{ViewError, Views};

/// The most trades of one file, the newest of all: some megabytes.
const TRADES_MAX: u32 = 50_000;
const HEADER: &str = "symbol,side,entry_time,exit_time,units,entry_price,exit_price,fees,profit,strategy,exit_reason,carried,mae,mfe,book";

/// The answer to `/trades csv`: every closed trade, the oldest first. Times are instants in UTC.
///
/// # Errors
/// When there are no trades yet, or the store cannot be read.
pub fn trades_csv(views: &Views) -> Result<Message, ViewError> {
    let (trades, all) = views.reader().trades(TRADES_MAX)?;
    if trades.is_empty() {
        return Err(ViewError::Nothing("no closed trades yet; open positions are in /positions".to_owned()));
    }
    let mut text = format!("{HEADER}\n");
    for trade in trades.iter().rev() {
        row(&mut text, trade);
    }
    let newest = if all > trades.len() as u64 { format!("the newest {} of ", trades.len()) } else { String::new() };
    let words = format!("{newest}{}; results after fees, times in UTC", counted(all, "closed trade"));
    let file = Attachment { kind: AttachmentKind::Document, name: "trades.csv".to_owned(), bytes: text.into_bytes() };
    Ok(Message { file: Some(file), ..Message::answer(&words) })
}

fn row(text: &mut String, trade: &Trade) {
    let side = match trade.side {
        Side::Buy => "long",
        Side::Sell => "short",
    };
    let Trade { opened, closed, quantity, entry_price, exit_price, fees, profit, carried, worst, best, .. } = trade;
    let (symbol, strategy) = (cell(trade.symbol.as_str()), cell(trade.strategy.as_str()));
    let (reason, book) = (cell(trade.reason.as_str()), cell(trade.book.as_str()));
    let _ = writeln!(
        text,
        "{symbol},{side},{opened},{closed},{quantity},{entry_price},{exit_price},{fees},{profit},{strategy},{reason},{carried},{worst},\
         {best},{book}"
    );
}

/// A cell of text that no program takes for a formula, and that stays one cell. What begins like a formula, or with the mark that says
/// so, has a `'` before it.
pub fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_formula_and_one_cell() {
        for (text, want) in [
            ("AAPL", "AAPL"),
            ("=1+1", "'=1+1"),
            ("-x", "'-x"),
            ("+x", "'+x"),
            ("@x", "'@x"),
            ("'=x", "''=x"),
            ("a,b", "\"a,b\""),
            ("=\"x\"", "\"'=\"\"x\"\"\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), want);
        }
    }
}
