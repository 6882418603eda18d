//! What is meant by a word, and what did people write to it? Trades, orders, messages, symbols and days that whoever asks may see.

use chrono::{Days, NaiveDate};

use crate::domain::format::{is_hidden, time};
use crate::domain::{About, Label, Line, NoticeId, OrderId, Span, Symbol, TradeId};
use crate::store::{NoteRow, TagRow};

use super::open::{ViewError, Views};

fn nothing<T>(what: String) -> Result<T, ViewError> {
    Err(ViewError::Nothing(what))
}

/// What a word names: `T17`, `O12`, `N42`, `AAPL`, `today`, `2026-11-21`; a bare number is a trade, or an order where there is no such trade.
///
/// # Errors
/// When it names nothing, or the store cannot be read.
pub fn about(views: &Views, text: &str) -> Result<About, ViewError> {
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let numbered = |letter: char| digits(text.strip_prefix([letter, letter.to_ascii_lowercase()])?);
    if let Some(number) = digits(text) {
        let trade = TradeId(number);
        let is_trade = views.reader().trade(trade)?.is_some();
        return Ok(if is_trade { About::Trade(trade) } else { About::Order(OrderId(number)) });
    }
    if let Some(number) = numbered('T') {
        return Ok(About::Trade(TradeId(number)));
    }
    if let Some(number) = numbered('O') {
        return Ok(About::Order(OrderId(number)));
    }
    if let Some(number) = numbered('N') {
        return Ok(About::Notice(NoticeId(number)));
    }
    if let Some(day) = day(views, text)? {
        return Ok(About::Day(day));
    }
    let symbol: Result<Symbol, _> = text.parse();
    symbol.map_or_else(|error| nothing(error.to_string()), |symbol| Ok(About::Symbol(symbol)))
}

/// A day of the market that has begun.
fn day(views: &Views, text: &str) -> Result<Option<NaiveDate>, ViewError> {
    let word = text.to_ascii_lowercase();
    let typed = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    if typed.is_none() && !["today", "yesterday"].contains(&word.as_str()) {
        return Ok(None);
    }
    let Some(progress) = views.reader().progress()? else { return nothing("nothing has run yet".to_owned()) };
    let today = progress.market.utc().with_timezone(&views.zone()?).date_naive();
    let day = match word.as_str() {
        "today" => today,
        "yesterday" => today.checked_sub_days(Days::new(1)).unwrap_or(today),
        _ => typed.unwrap_or(today),
    };
    if day > today { nothing(format!("the market's day is {today}: {day} is to come")) } else { Ok(Some(day)) }
}

/// The books that something is about, of those that whoever asks may see: whoever may see all of them may read what is written to it.
///
/// # Errors
/// When there is no such thing for whoever asks, or the store cannot be read.
pub fn books_about(views: &Views, about: About) -> Result<Vec<Label>, ViewError> {
    let reader = views.reader();
    let all = || -> Result<Vec<Label>, ViewError> { Ok(reader.books()?.iter().map(|row| row.book.name).collect()) };
    let of_symbol = |symbol| -> Result<Vec<Label>, ViewError> {
        let books = reader.books_of(symbol)?;
        if books.is_empty() { all() } else { Ok(books) }
    };
    match about {
        About::Trade(id) => match reader.trade(id)? {
            Some(trade) => Ok(vec![trade.book]),
            None => nothing(format!("there is no closed trade {id}")),
        },
        About::Order(id) => match reader.order(id)? {
            Some(order) => Ok(vec![order.book]),
            None => nothing(format!("there is no order {id}")),
        },
        About::Notice(id) => match reader.notice(id)? {
            Some(row) => match (row.event.book, row.event.kind.symbol()) {
                (Some(book), _) => Ok(vec![book]),
                (None, Some(symbol)) => of_symbol(symbol),
                (None, None) => all(),
            },
            None => nothing(format!("there is no message {id}")),
        },
        About::Symbol(symbol) => {
            let is_known =
                !reader.books_of(symbol)?.is_empty() || reader.marks()?.iter().any(|mark| mark.symbol == symbol);
            if is_known {
                of_symbol(symbol)
            } else {
                nothing(format!("{symbol} is not watched; /watchlist lists what is watched"))
            }
        }
        About::Day(_) => all(),
    }
}

/// What something is filed under, by name.
///
/// # Errors
/// When the store cannot be read.
pub fn tags_of(views: &Views, about: About) -> Result<Vec<TagRow>, ViewError> {
    Ok(views.reader().tags(Some(about))?)
}

/// The names of some tags, each once: `impatient, breakout`.
pub fn tag_words(tags: &[TagRow]) -> String {
    let mut names: Vec<&str> = tags.iter().map(|row| row.tag.as_str()).collect();
    names.dedup();
    names.join(", ")
}

/// How many notes there are to something.
///
/// # Errors
/// When the store cannot be read.
pub fn count_notes(views: &Views, about: About) -> Result<usize, ViewError> {
    Ok(views.reader().notes(about)?.len())
}

/// All tags in use, by name.
///
/// # Errors
/// When the store cannot be read.
pub fn tags_in_use(views: &Views) -> Result<Vec<Label>, ViewError> {
    let mut all: Vec<Label> = views.reader().tags(None)?.into_iter().map(|row| row.tag).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// A line a note; what people typed stays theirs, so that no channel obeys it.
pub(super) fn note_lines(views: &Views, notes: Vec<NoteRow>) -> Result<Vec<Line>, ViewError> {
    let zone = views.zone()?;
    let line = |note: NoteRow| {
        let NoteRow { person, text, at, .. } = note;
        let text = text.chars().filter(|letter| !is_hidden(*letter)).collect();
        Line(vec![Span::Text(format!("Note of {person}, {}: ", time(at, zone))), Span::Untrusted(text)])
    };
    Ok(notes.into_iter().map(line).collect())
}
