//! Which books are there, and what would starting, pausing, stopping or resetting one of them do?

use crate::domain::{BookAction, Label, Money, Order, OrderKind, Purpose, TradingState};
use crate::store::BookRow;

use super::open::{Scene, ViewError, Views, amount};
use super::status::{is_parked, only_people_hold, since_words, state_words};
use crate::domain::format::{counted, money, quantity, signed, signed_percent};

/// The answer to `/books`.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn books(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let lines = scene.books.iter().flat_map(|row| {
        let profit = row.equity.minus(row.book.capital).unwrap_or(Money::ZERO);
        [
            format!("{} is {}", row.book.name, state_words(row)),
            format!(
                "  equity {}, {} ({}) since it began with {} · cash {} · {}",
                amount(row.equity, &row.book.currency),
                signed(profit),
                signed_percent(profit.share_of(row.book.capital)),
                money(row.book.capital),
                money(row.book.cash),
                counted(row.book.positions.len() as u64, "position")
            ),
        ]
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// The book that is meant: the one named, or the only one.
pub(super) fn find(scene: &Scene, name: Option<Label>) -> Result<&BookRow, ViewError> {
    let known = || scene.books.iter().map(|row| row.book.name.to_string()).collect::<Vec<_>>().join(", ");
    match (name, &scene.books[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(ViewError::Nothing(format!("which book? There are {}", known()))),
        (Some(name), rows) => rows
            .iter()
            .find(|row| row.book.name == name)
            .ok_or_else(|| ViewError::Nothing(format!("there is no book {name}; there are {}", known()))),
    }
}

/// What `/book` would do, before anybody confirms it, and to which book.
///
/// # Errors
/// When there is no such book, when there is nothing to do, or the store cannot be read.
pub fn book_preview(views: &Views, action: BookAction, name: Option<Label>) -> Result<(Label, String), ViewError> {
    let scene = views.scene()?;
    let row = find(&scene, name)?;
    let book = &row.book;
    let held = counted(book.positions.len() as u64, "position");
    let nothing = |text: String| Err(ViewError::Nothing(text));
    let mut lines = vec![format!("{} is {}{}.", book.name, state_words(row), since_words(row, views.zone_of(row)))];
    match action {
        BookAction::Start if row.state == TradingState::Running => return nothing(format!("{} runs", book.name)),
        BookAction::Start if !is_parked(row) => {
            let back =
                if row.state == TradingState::Halted { "/resume ends that" } else { "it was not paused or stopped" };
            return nothing(format!("{} is {}: {back}", book.name, state_words(row)));
        }
        BookAction::Pause if is_parked(row) => {
            return nothing(format!("{} enters nothing already: it is {}", book.name, state_words(row)));
        }
        BookAction::Start if row.state == TradingState::Halted => {
            lines.push("Start it? It stays halted until /resume.".to_owned());
        }
        BookAction::Start if !only_people_hold(row) => {
            lines.push(
                "Start it? What else keeps it from entering stays: it only leaves until that is over.".to_owned(),
            );
        }
        BookAction::Reset if !book.positions.is_empty() => {
            return nothing(format!("{} holds {held}: /book stop {} closes them first", book.name, book.name));
        }
        BookAction::Start => lines.push("Start it? Strategies may enter and leave again at the next bar.".to_owned()),
        BookAction::Pause if book.positions.is_empty() => lines.push("Pause it? No entries.".to_owned()),
        BookAction::Pause => lines.push(format!("Pause it? No entries; exits and the stops of {held} go on.")),
        BookAction::Stop if book.positions.is_empty() => {
            lines.push("Stop it? Working orders are taken back; it holds nothing.".to_owned());
        }
        BookAction::Stop => {
            lines.push(format!("Stop it? Working orders are taken back and {held} closed at the next bar:"));
            for held in &book.positions {
                let price = scene.value_price(held.symbol).unwrap_or_else(|| held.average_price());
                let profit = held.unrealised_at(price).unwrap_or(Money::ZERO);
                lines.push(format!("  {} {}, {} now", quantity(held.quantity), held.symbol, signed(profit)));
            }
        }
        BookAction::Reset => lines.push(format!(
            "Reset it? It is worth {} and begins anew with {}; its past stays in /trades. The records of its strategies, the day's \
             count and what keeps it out of symbols, by /block too, are forgotten.",
            amount(row.equity, &book.currency),
            amount(book.capital, &book.currency)
        )),
    }
    lines.extend(order_lines(views, action, book.name)?);
    Ok((book.name, lines.join("\n")))
}

/// What becomes of the orders of a book that wait.
fn order_lines(views: &Views, action: BookAction, book: Label) -> Result<Vec<String>, ViewError> {
    let orders = views.reader().open_orders()?.into_iter().filter(|order| order.book == book);
    let (begin, purpose) = match action {
        BookAction::Start => ("Goes out at the next bar all the same", Purpose::Close),
        BookAction::Pause | BookAction::Reset => ("Taken back", Purpose::Entry),
        // What a stop takes back is planned by the engine.
        BookAction::Stop => return Ok(Vec::new()),
    };
    let is_out = |order: &Order| action != BookAction::Start || order.kind == OrderKind::Market;
    let meant = orders.filter(|order| order.purpose == purpose && is_out(order));
    let line = |order: Order| {
        format!("{begin}: {}, {} {} {}", order.id, order.side, quantity(order.remaining()), order.symbol)
    };
    Ok(meant.map(line).collect())
}
