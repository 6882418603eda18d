//! How do we go on after a stop, or a crash? Books and orders come from the store, prices and indicators from the feed.

use chrono::NaiveDate;

use crate::clock::Timestamp;
use crate::domain::{Label, Symbol, TradingState};
use crate::execution::{BrokerError, PaperBroker};
use crate::risk;
use crate::store::{BookRow, MarkRow, ProgressRow, Saved};

use super::desk::{Desk, StateCause};
use super::lane::Lock;
use super::overlay;
use super::state::{Counters, Engine};

/// What was taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resumed {
    /// How far the last commit had come.
    pub progress: ProgressRow,
    /// Positions.
    pub positions: usize,
    /// Orders that were at the broker.
    pub orders: usize,
}

/// Why the store's books cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum RestoreBooksError {
    /// A book with money in it is gone from the configuration.
    #[error("book {0} is in the database with positions or orders, but not in the configuration")]
    BookMissing(Label),
    /// Something is held that the feed has no prices of.
    #[error("book {book} holds {symbol}, which the feed has no prices of")]
    NoPrices {
        /// The book.
        book: Label,
        /// The symbol.
        symbol: Symbol,
    },
    /// A stored state cannot be understood.
    #[error("the stored state of book {0} cannot be read")]
    State(Label),
    /// The prices are not those that were decided on.
    #[error("prices of {symbol} have changed: at {at} they ended at {stored}, now at {found}")]
    PricesChanged {
        /// The symbol.
        symbol: Symbol,
        /// When.
        at: Timestamp,
        /// What was stored.
        stored: String,
        /// What the feed says now.
        found: String,
    },
    /// The broker refused an order.
    #[error("an order could not be taken up again")]
    Broker(#[from] BrokerError),
}

/// Puts books, orders and counters back, and hands open orders to the broker again. Orders and their results are committed together, so
/// on paper none can be in flight: what the ledger calls open is what the broker must hold.
///
/// # Errors
/// When books and configuration, or books and feed, do not fit together.
pub fn restore(engine: &mut Engine, broker: &mut PaperBroker, saved: &Saved) -> Result<Resumed, RestoreBooksError> {
    let Some(progress) = saved.progress else { return Ok(Resumed::default()) };
    let ProgressRow { cycle, signal, order, fill, trade, .. } = progress;
    engine.counters = Counters { cycle, signal, order, fill, trade, change: saved.last_change };
    overlay::take_up(engine, &saved.changes);
    let mut resumed = Resumed { progress, ..Resumed::default() };
    for row in &saved.books {
        let name = row.book.name;
        let in_use = !row.book.positions.is_empty() || saved.orders.iter().any(|order| order.book == name);
        let lanes: Vec<Symbol> = engine.lanes.iter().map(|lane| lane.instrument.symbol).collect();
        if let Some(held) = row.book.positions.iter().find(|held| !lanes.contains(&held.symbol)) {
            return Err(RestoreBooksError::NoPrices { book: name, symbol: held.symbol });
        }
        match engine.desks.iter_mut().find(|desk| desk.name() == name) {
            Some(desk) => restore_desk(desk, row)?,
            None if in_use => return Err(RestoreBooksError::BookMissing(name)),
            None => {}
        }
        resumed.positions += row.book.positions.len();
    }
    for trade in saved.trades.iter().rev() {
        let own = |desk: &&mut Desk| desk.name() == trade.book && trade.id > desk.forgotten;
        if let Some(desk) = engine.desks.iter_mut().find(own) {
            desk.ended.push_back(trade.into());
        }
    }
    for order in &saved.orders {
        let Some(desk) = engine.desks.iter_mut().find(|desk| desk.name() == order.book) else { continue };
        if let Some(request) = risk::take_up_again(order.clone()) {
            broker.submit(request)?;
            desk.orders.push(order.clone());
            resumed.orders += 1;
        }
    }
    Ok(resumed)
}

fn restore_desk(desk: &mut Desk, row: &BookRow) -> Result<(), RestoreBooksError> {
    desk.book = row.book.clone();
    desk.state = row.state;
    let cause = match row.state {
        TradingState::Running => Ok(StateCause::None),
        TradingState::Halted => serde_json::from_str(&row.cause).map(StateCause::Halt),
        TradingState::Reducing => serde_json::from_str(&row.cause).map(StateCause::Reduce),
    };
    desk.cause = cause.map_err(|_| RestoreBooksError::State(row.book.name))?;
    desk.since = row.since;
    desk.equity = row.equity;
    desk.peak = row.peak;
    desk.day.date = NaiveDate::parse_from_str(&row.day, "%Y-%m-%d").ok();
    desk.day.ends = row.day_ends;
    desk.day.start = row.day_start;
    desk.day.entries = row.day_entries;
    desk.day.trades = row.day_trades;
    desk.day.near_told = row.day_near;
    desk.recall(serde_json::from_str(&row.memory).map_err(|_| RestoreBooksError::State(row.book.name))?);
    desk.revalue = true;
    Ok(())
}

/// After the history was shown: locks and stale marks are what the store says, and the prices must be those that were stored.
///
/// # Errors
/// When the feed tells another history than before.
pub fn restore_marks(engine: &mut Engine, marks: &[MarkRow]) -> Result<(), RestoreBooksError> {
    for lane in &mut engine.lanes {
        lane.lock = None;
        lane.suspended = false;
        lane.stale = None;
    }
    for mark in marks {
        let Some(index) = engine.lane_of(mark.symbol) else { continue };
        let lane = &mut engine.lanes[index];
        lane.lock = mark.lock.map(|(before, since, sessions)| Lock { before, since, sessions });
        lane.stale = mark.stale;
        // A symbol that was off the list for a while has bars after its last mark; those were nobody's business.
        let found = lane.last.map(|bar| bar.close);
        let same = lane.last_end > mark.at || (lane.last_end == mark.at && found == Some(mark.price));
        if !same {
            let found = found.map_or_else(|| "no price".to_owned(), |price| format!("{price} at {}", lane.last_end));
            let (symbol, at, stored) = (mark.symbol, mark.at, mark.price.to_string());
            return Err(RestoreBooksError::PricesChanged { symbol, at, stored, found });
        }
    }
    Ok(())
}
