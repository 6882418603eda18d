//! What can be named now? Symbols, books, messages, orders and alerts of whoever asks, for whoever completes what is typed.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Alert, Event, Label, Money, NoticeId, OrderId, Price, Symbol, TradeId};
use crate::stats::scenarios;

use super::limits::settings_of;
use super::open::{ViewError, Views};
use super::schedule::timetable_of;
use super::status::state_words;

/// Messages, orders and trades that are looked back at.
const BACK: u32 = 100;

/// Symbols with their last prices: what is held comes first, the rest by name.
///
/// # Errors
/// When the store cannot be read.
pub fn symbols(views: &Views) -> Result<Vec<(Symbol, Price, bool)>, ViewError> {
    let books = views.reader().books()?;
    let is_held = |symbol| books.iter().any(|row| row.book.position(symbol).is_some());
    let marks = views.reader().marks()?;
    let mut all: Vec<_> = marks.iter().map(|mark| (mark.symbol, mark.price, is_held(mark.symbol))).collect();
    all.sort_by_key(|(symbol, _, held)| (!held, *symbol));
    Ok(all)
}

/// Symbols that are held, by name, each with its open profit in all books together.
///
/// # Errors
/// When the store cannot be read or an amount does not fit.
pub fn held(views: &Views) -> Result<Vec<(Symbol, Money)>, ViewError> {
    let marks = views.reader().marks()?;
    let mut all: BTreeMap<Symbol, Money> = BTreeMap::new();
    for position in views.reader().books()?.iter().flat_map(|row| &row.book.positions) {
        let Some(mark) = marks.iter().find(|mark| mark.symbol == position.symbol) else { continue };
        let sum = all.entry(position.symbol).or_default();
        *sum = sum.plus(position.unrealised_at(mark.price)?)?;
    }
    Ok(all.into_iter().collect())
}

/// The names of limits, as they are written in the configuration.
///
/// # Errors
/// When the store cannot be read.
pub fn limit_names(views: &Views) -> Result<Vec<String>, ViewError> {
    let mut names = BTreeSet::new();
    for row in views.reader().books()? {
        names.extend(settings_of(&row).into_iter().map(|(name, _)| name));
    }
    Ok(names.into_iter().collect())
}

/// The names of strategies, each with when it runs.
///
/// # Errors
/// When the store cannot be read.
pub fn strategy_names(views: &Views) -> Result<Vec<(Label, String)>, ViewError> {
    let mut names = BTreeMap::new();
    for row in views.reader().books()? {
        let rows = timetable_of(&row).into_iter();
        names.extend(rows.map(|one| (one.strategy, one.schedule.unwrap_or_else(|| "at the end of bars".to_owned()))));
    }
    Ok(names.into_iter().collect())
}

/// Symbols that are locked in price or for entries, by name.
///
/// # Errors
/// When the store cannot be read.
pub fn locked(views: &Views) -> Result<Vec<Symbol>, ViewError> {
    let market = views.reader().progress()?.map(|progress| progress.market).unwrap_or_default();
    let doubted = views.reader().marks()?.into_iter().filter(|mark| mark.lock.is_some()).map(|mark| mark.symbol);
    let mut all: Vec<Symbol> = doubted.collect();
    for row in views.reader().books()? {
        all.extend(row.entry_locks().into_iter().filter(|lock| lock.until > market).map(|lock| lock.symbol));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Books, each with how it is.
///
/// # Errors
/// When the store cannot be read.
pub fn book_names(views: &Views) -> Result<Vec<(Label, String)>, ViewError> {
    Ok(views.reader().books()?.iter().map(|row| (row.book.name, state_words(row))).collect())
}

/// The last messages, newest first, with what they told.
///
/// # Errors
/// When the store cannot be read.
pub fn last_messages(views: &Views) -> Result<Vec<(NoticeId, Event)>, ViewError> {
    let rows = views.reader().journal_told(BACK)?;
    Ok(rows.into_iter().rev().filter_map(|row| Some((row.notice?, row.event))).collect())
}

/// Messages that ask whoever asks to be acknowledged, newest first, with what they told.
///
/// # Errors
/// When the store cannot be read.
pub fn open_messages(views: &Views) -> Result<Vec<(NoticeId, Event)>, ViewError> {
    let mut open = Vec::new();
    for notice in views.reader().all_unacknowledged(BACK)? {
        open.extend(views.reader().notice(notice)?.map(|row| (notice, row.event)));
    }
    Ok(open)
}

/// The last closed trades, newest first, and the orders that began them.
///
/// # Errors
/// When the store cannot be read.
pub fn last_trades(views: &Views) -> Result<Vec<(TradeId, Symbol)>, ViewError> {
    let mut trades: Vec<_> = views.reader().trades(BACK)?.0.iter().map(|trade| (trade.id, trade.symbol)).collect();
    trades.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    Ok(trades)
}

/// Orders under way, newest first.
///
/// # Errors
/// When the store cannot be read.
pub fn orders_under_way(views: &Views) -> Result<Vec<(OrderId, Symbol)>, ViewError> {
    let mut orders: Vec<_> = views.reader().open_orders()?.iter().map(|order| (order.id, order.symbol)).collect();
    orders.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
    Ok(orders)
}

/// Alerts of whoever asks that wait.
///
/// # Errors
/// When the store cannot be read.
pub fn own_alerts(views: &Views) -> Result<Vec<Alert>, ViewError> {
    Ok(views.reader().alerts()?)
}

/// The names of bad times of the past, each with its title.
pub fn scenario_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    scenarios().iter().map(|scenario| (scenario.name.as_str(), scenario.title.as_str()))
}
