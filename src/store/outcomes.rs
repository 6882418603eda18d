//! What came of orders and signals? Orders that ended with their fills, what signals' prices did later, and each symbol's regime.

use rusqlite::params;

use crate::domain::{EventKind, Label, Order, OrderId, Ratio, SignalId, Symbol, TradeFill};

use super::history::{FILLS, JOURNAL, fill};
use super::state::{parsed, unsigned};
use super::{JournalRow, Reader, StoreError};

/// What is open, as the index of open orders has it.
const OPEN: &str = "('approved', 'working', 'partly_filled')";

/// The entry signals of one strategy of one book.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalsRow {
    /// The book.
    pub book: Label,
    /// The strategy.
    pub strategy: Label,
    /// How many were raised.
    pub raised: u64,
    /// How many of them were measured some bars later.
    pub measured: u64,
    /// How many of those had gone in the signal's direction.
    pub right: u64,
    /// The mean of what the price moved in the signal's direction, as a share; none if nothing was measured.
    pub mean: Option<f64>,
}

impl Reader {
    /// The latest orders of a book that ended, newest first, and how many there are in all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ended_orders(&self, book: Label, rows: u32) -> Result<(Vec<Order>, u64), StoreError> {
        let connection = self.connection();
        let count = format!("SELECT count(*) FROM orders WHERE book = ?1 AND status NOT IN {OPEN}");
        let all = connection.query_row(&count, [book.as_str()], |row| unsigned(row, 0))?;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT body FROM orders WHERE book = ?1 AND status NOT IN {OPEN} ORDER BY id DESC LIMIT ?2"
        ))?;
        let mut found = statement.query(params![book.as_str(), rows])?;
        let mut orders = Vec::new();
        while let Some(row) = found.next()? {
            orders.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
        }
        Ok((orders, all))
    }

    /// The fills of a book's orders from one on, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn fills_from(&self, book: Label, order: OrderId) -> Result<Vec<TradeFill>, StoreError> {
        let sql = format!("{FILLS} WHERE book = ?1 AND \"order\" >= ?2 ORDER BY id");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![book.as_str(), order.0 as i64], fill)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the price of a signal did some bars later, if that was measured: how many bars, and the move in the signal's direction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn measured(&self, symbol: Symbol, id: SignalId) -> Result<Option<(u64, Ratio)>, StoreError> {
        let sql = format!(
            "{JOURNAL} WHERE j.symbol = ?1 AND j.kind = 'signal_measured' AND json_extract(j.body, '$.signal') = ?2"
        );
        let rows = self.journal(&sql, params![symbol.as_str(), id.0 as i64])?;
        Ok(rows.into_iter().find_map(|row| match row.event.kind {
            EventKind::SignalMeasured { bars, outcome, .. } => Some((bars, outcome)),
            _ => None,
        }))
    }

    /// The entry signals of every strategy of every book that raised one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn signals(&self) -> Result<Vec<SignalsRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "WITH seen AS (
               SELECT book, json_extract(body, '$.signal.strategy') AS strategy, NULL AS outcome FROM journal
               WHERE kind = 'signal_raised' AND json_extract(body, '$.signal.action') <> 'exit'
               UNION ALL
               SELECT book, json_extract(body, '$.strategy'), CAST(json_extract(body, '$.outcome') AS REAL) FROM journal
               WHERE kind = 'signal_measured')
             SELECT book, strategy, sum(outcome IS NULL), count(outcome), coalesce(sum(outcome > 0), 0), avg(outcome)
             FROM seen WHERE book IS NOT NULL GROUP BY book, strategy",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(SignalsRow {
                book: parsed(row, 0)?,
                strategy: parsed(row, 1)?,
                raised: unsigned(row, 2)?,
                measured: unsigned(row, 3)?,
                right: unsigned(row, 4)?,
                mean: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The latest change of regime of each symbol in each book, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_regimes(&self) -> Result<Vec<JournalRow>, StoreError> {
        let newest = "SELECT max(seq) FROM journal WHERE kind = 'regime_switched' GROUP BY book, symbol";
        self.journal(&format!("{JOURNAL} WHERE j.seq IN ({newest}) ORDER BY j.seq"), [])
    }
}
