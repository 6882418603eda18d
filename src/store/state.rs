//! Where did we stop? Everything that a restart needs, read back as it was written.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::clock::Timestamp;
use crate::domain::{
    Alert, AuditId, Book, ChangeId, ChangeRow, CycleId, FillId, Label, Money, Order, OrderId, Position, Price,
    Quantity, SignalId, Symbol, Trade, TradeId,
};

use super::{BookRow, MarkRow, ProgressRow, Reader, StoreError};

/// Trades of each book that a restart looks back on.
const TRADES_REMEMBERED: u32 = 500;

/// The engine's part of the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// How far it came; none if no cycle was ever committed.
    pub progress: Option<ProgressRow>,
    /// All books.
    pub books: Vec<BookRow>,
    /// All open orders, oldest first.
    pub orders: Vec<Order>,
    /// The last trades of each book, newest first.
    pub trades: Vec<Trade>,
    /// All last prices.
    pub marks: Vec<MarkRow>,
    /// What strategies and prices remembered when that was last saved.
    pub brains: Option<String>,
    /// The cycle after which recorded prices were last told to be at their end.
    pub finished: Option<CycleId>,
    /// What people want to be told of.
    pub alerts: Vec<Alert>,
    /// What people changed over the file, oldest first.
    pub changes: Vec<ChangeRow>,
    /// The last number given to such a change.
    pub last_change: ChangeId,
}

impl Reader {
    /// Everything that a restart needs.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn saved(&self) -> Result<Saved, StoreError> {
        let finished = self.connection().query_row(
            "SELECT max(cycle) FROM journal WHERE kind = 'replay_finished'",
            [],
            |row| row.get::<_, Option<i64>>(0),
        )?;
        let brains = self.connection().query_row("SELECT body FROM brains WHERE key = 'engine'", [], |row| row.get(0));
        Ok(Saved {
            brains: brains.optional()?,
            progress: self.progress()?,
            books: self.books()?,
            orders: self.open_orders()?,
            trades: self.last_trades(TRADES_REMEMBERED)?,
            marks: self.marks()?,
            finished: finished.map(|cycle| CycleId(cycle.unsigned_abs())),
            alerts: self.open_alerts()?,
            changes: self.changes()?,
            last_change: self.last_change()?,
        })
    }

    /// How far the engine came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn progress(&self) -> Result<Option<ProgressRow>, StoreError> {
        let row = self.connection().query_row(
            "SELECT cycle, market_ms, signal, \"order\", fill, trade FROM progress",
            [],
            |row| {
                Ok(ProgressRow {
                    cycle: CycleId(unsigned(row, 0)?),
                    market: time(row, 1)?,
                    signal: SignalId(unsigned(row, 2)?),
                    order: OrderId(unsigned(row, 3)?),
                    fill: FillId(unsigned(row, 4)?),
                    trade: TradeId(unsigned(row, 5)?),
                })
            },
        );
        Ok(row.optional()?)
    }

    /// All books, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn books(&self) -> Result<Vec<BookRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT name, currency, zone, capital, cash, realised, fees, equity, peak, state, cause, since_ms, day, day_ends_ms,
               day_start, day_entries, day_trades, day_near, limits, carried, memory FROM books ORDER BY name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(BookRow {
                book: Book {
                    name: parsed(row, 0)?,
                    currency: row.get(1)?,
                    capital: Money::from_units(row.get(3)?),
                    cash: Money::from_units(row.get(4)?),
                    realised: Money::from_units(row.get(5)?),
                    fees: Money::from_units(row.get(6)?),
                    carried: Money::from_units(row.get(19)?),
                    positions: Vec::new(),
                },
                zone: row.get(2)?,
                equity: Money::from_units(row.get(7)?),
                peak: Money::from_units(row.get(8)?),
                state: parsed(row, 9)?,
                cause: row.get(10)?,
                since: time(row, 11)?,
                day: row.get(12)?,
                day_ends: time(row, 13)?,
                day_start: Money::from_units(row.get(14)?),
                day_entries: unsigned(row, 15)?,
                day_trades: row.get(16)?,
                day_near: row.get(17)?,
                limits: row.get(18)?,
                memory: row.get(20)?,
            })
        })?;
        let mut books = rows.collect::<Result<Vec<_>, _>>()?;
        for row in &mut books {
            row.book.positions = positions(self.connection(), row.book.name)?;
        }
        Ok(books)
    }

    /// All open orders, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_orders(&self) -> Result<Vec<Order>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT body FROM orders WHERE status IN ('approved', 'working', 'partly_filled') ORDER BY id",
        )?;
        let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
        bodies.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
    }

    /// All last prices, by symbol.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn marks(&self) -> Result<Vec<MarkRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT symbol, timeframe, price, at_ms, stale_ms, lock_before, lock_ms, lock_sessions, ended
             FROM marks ORDER BY symbol",
        )?;
        let rows = statement.query_map([], |row| {
            let before: Option<i64> = row.get(5)?;
            let since: Option<i64> = row.get(6)?;
            let sessions: Option<u32> = row.get(7)?;
            let lock = before
                .zip(since)
                .zip(sessions)
                .map(|((before, since), sessions)| (Price::from_units(before), Timestamp::from_ms(since), sessions));
            Ok(MarkRow {
                symbol: parsed(row, 0)?,
                timeframe: parsed(row, 1)?,
                price: Price::from_units(row.get(2)?),
                at: time(row, 3)?,
                ended: row.get(8)?,
                stale: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_ms),
                lock,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn positions(connection: &Connection, book: Label) -> Result<Vec<Position>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT symbol, trade, strategy, quantity, cost, opened_ms, entered, entered_value, exited_value, fees, protection,
           carried, best, worst
         FROM positions WHERE book = ?1 ORDER BY place",
    )?;
    let rows = statement.query_map([book.as_str()], |row| {
        let protection: Option<String> = row.get(10)?;
        let mut position = Position {
            symbol: parsed::<Symbol>(row, 0)?,
            trade: TradeId(unsigned(row, 1)?),
            strategy: parsed(row, 2)?,
            quantity: Quantity::from_units(row.get(3)?),
            cost: Money::from_units(row.get(4)?),
            opened: time(row, 5)?,
            entered: Quantity::from_units(row.get(6)?),
            entered_value: Money::from_units(row.get(7)?),
            exited_value: Money::from_units(row.get(8)?),
            fees: Money::from_units(row.get(9)?),
            carried: Money::from_units(row.get(11)?),
            best: Price::from_units(row.get(12)?),
            worst: Price::from_units(row.get(13)?),
            protection: None,
        };
        if position.best.is_zero() {
            (position.best, position.worst) = (position.average_price(), position.average_price());
        }
        Ok((position, protection))
    })?;
    rows.map(|row| {
        let (mut position, protection) = row?;
        position.protection = protection.map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(position)
    })
    .collect()
}

/// A count that is never negative.
pub(super) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(i64::unsigned_abs)
}

/// A row of the audit, where one is named.
pub(super) fn audit_id(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<AuditId>> {
    Ok(row.get::<_, Option<i64>>(index)?.and_then(AuditId::stored))
}

/// An instant.
pub(super) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    row.get(index).map(Timestamp::from_ms)
}

/// A text that is one of our own types.
pub(super) fn parsed<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    let text: String = row.get(index)?;
    text.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.to_string().into())
    })
}
