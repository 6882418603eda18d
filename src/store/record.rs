//! How is a batch written? In one transaction: what happened, what is held, and who will be told.

use std::sync::Arc;

use rusqlite::{Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{AuditId, Booking, CycleId, Event, Label, Position, RouteTable, Routes, RunId, Symbol};

use super::alerts::write_alerts;
use super::audit::append;
use super::changes::write_changes;
use super::db::in_transaction;
use super::outbox::{Fact, enqueue};
use super::totals::{Total, add, add_events};
use super::{
    AuditEntry, Batch, BookRow, CarriedOut, DayRow, EventRow, FiguresRow, MarkRow, Points, ProgressRow, RunStart,
    Store, StoreError, Ticket,
};

/// What became of a batch.
pub enum Recorded {
    /// It is on the disk.
    Stored,
    /// Nothing of it is.
    Failed {
        /// The batch, to be tried again.
        batch: Box<Batch>,
        /// Why.
        error: StoreError,
    },
}

/// Facts that no cycle makes, and who is told of them.
#[derive(Debug, Clone)]
pub struct Told {
    /// In which run.
    pub run: RunId,
    /// When, on the wall clock.
    pub wall: Timestamp,
    /// What.
    pub events: Vec<Event>,
    /// To whom.
    pub routes: Arc<RouteTable>,
}

impl Store {
    /// Hands a batch to the writer. It is stored with its deliveries in one transaction, or not at all; in the second case it comes
    /// back with the reason, so that nothing is lost.
    pub fn record(&self, batch: Box<Batch>, routes: &Routes) -> Ticket<Recorded> {
        let (points, routes, bell) = (self.points().clone(), routes.now(), self.bell());
        self.begin(move |connection| {
            let stored =
                in_transaction(connection, &points, |transaction| write_batch(transaction, &batch, &routes, &points));
            match stored {
                Ok(()) => {
                    bell.ring();
                    Recorded::Stored
                }
                Err(error) => Recorded::Failed { batch, error },
            }
        })
    }

    /// Stores facts that no cycle made, such as a backup.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn record_events(
        &self,
        run: RunId,
        wall: Timestamp,
        events: Vec<Event>,
        routes: &Routes,
    ) -> Result<(), StoreError> {
        let routes = routes.now();
        self.tell(Told { run, wall, events, routes }, |_| Ok(true)).map(drop)
    }

    /// Does `work` and records what is told of it, in one transaction; nothing where `work` answers that there was nothing to do.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn tell(
        &self,
        told: Told,
        work: impl FnOnce(&Transaction<'_>) -> Result<bool, StoreError> + Send + 'static,
    ) -> Result<bool, StoreError> {
        let points = self.points().clone();
        let stored = self.write(move |transaction| {
            if !work(transaction)? {
                return Ok(false);
            }
            let Told { run, wall, events, routes } = told;
            if events.is_empty() {
                return Ok(true);
            }
            let cycle: Option<i64> = transaction.query_row("SELECT max(cycle) FROM progress", [], |row| row.get(0))?;
            let cycle = CycleId(cycle.unwrap_or(0).unsigned_abs());
            let events = events.into_iter().map(|event| EventRow { cycle, event, audit: None }).collect();
            let batch = Batch { run, wall, events, ..Batch::default() };
            write_batch(transaction, &batch, &routes, &points).map(|()| true)
        });
        self.bell().ring();
        stored
    }

    /// Notes the start of a run; its number.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn start_run(&self, start: RunStart) -> Result<RunId, StoreError> {
        self.write(move |transaction| {
            transaction.execute("UPDATE runs SET outcome = 'found dead' WHERE outcome = 'running'", [])?;
            transaction.execute(
                "INSERT INTO runs (mode, feed, dry_run, started_ms, first_cycle, last_cycle, outcome)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5 - 1, 'running')",
                params![start.mode, start.feed, start.dry_run, start.started.ms(), start.first_cycle.0 as i64],
            )?;
            Ok(RunId(transaction.last_insert_rowid().unsigned_abs()))
        })
    }

    /// Notes the end of a run; `clean` if nothing is left to be told of a crash.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end_run(&self, run: RunId, now: Timestamp, outcome: &'static str, clean: bool) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE runs SET ended_ms = ?2, outcome = ?3 WHERE id = ?1",
                params![run.0 as i64, now.ms(), outcome],
            )?;
            transaction.execute(
                "UPDATE lease SET clean = ?2, beat_ms = CASE WHEN ?2 THEN ?1 ELSE beat_ms END",
                params![now.ms(), clean],
            )?;
            Ok(())
        })
    }

    /// Forgets steps from before `before` on the wall clock.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_steps(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.write(move |transaction| Ok(transaction.execute("DELETE FROM steps WHERE wall_ms < ?1", [before.ms()])?))
    }
}

fn write_batch(
    transaction: &Transaction<'_>,
    batch: &Batch,
    routes: &RouteTable,
    points: &Points,
) -> Result<(), StoreError> {
    points.pass("batch: begin")?;
    write_orders(transaction, batch)?;
    points.pass("batch: orders written")?;
    write_fills(transaction, batch)?;
    points.pass("batch: fills written")?;
    for row in &batch.books {
        write_book(transaction, row)?;
    }
    points.pass("batch: books written")?;
    write_bookings(transaction, &batch.bookings)?;
    write_figures(transaction, &batch.figures)?;
    write_days(transaction, &batch.days)?;
    write_marks(transaction, &batch.marks)?;
    write_steps(transaction, batch)?;
    points.pass("batch: days, marks, steps written")?;
    write_alerts(transaction, &batch.alerts, batch.wall)?;
    write_changes(transaction, &batch.changes)?;
    write_events(transaction, batch, routes, points)?;
    for control in &batch.controls {
        settle_control(transaction, control, batch.wall)?;
    }
    if let Some(progress) = &batch.progress {
        write_progress(transaction, progress, batch)?;
        if let Some(brains) = &batch.brains {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO brains (key, cycle, body) VALUES ('engine', ?1, ?2)")?
                .execute(params![progress.cycle.0 as i64, brains])?;
        }
    }
    points.pass("batch: progress written")
}

/// Something as JSON, in memory that the next one uses again.
fn as_json<'a>(buffer: &'a mut Vec<u8>, what: &impl serde::Serialize) -> Result<&'a str, StoreError> {
    buffer.clear();
    serde_json::to_writer(&mut *buffer, what)?;
    std::str::from_utf8(buffer).map_err(|error| StoreError::Unreadable { what: "record", why: error.to_string() })
}

/// A control that was carried out, with what became of it, in the audit too.
fn settle_control(transaction: &Transaction<'_>, control: &CarriedOut, now: Timestamp) -> Result<(), StoreError> {
    let CarriedOut { id, result, traces, undid } = control;
    let undo = if traces.is_empty() { None } else { Some(serde_json::to_string(traces)?) };
    transaction.execute(
        "UPDATE controls SET status = 'done', result = ?2, undo = ?3, done_ms = ?4 WHERE id = ?1",
        params![id, result, undo, now.ms()],
    )?;
    if let Some(undid) = undid {
        transaction.execute("UPDATE controls SET undone = ?2 WHERE id = ?1", params![undid, id])?;
    }
    let sql =
        "SELECT c.person, c.chat, coalesce(a.words, c.control) FROM controls c LEFT JOIN audit a ON a.seq = c.audit
               WHERE c.id = ?1";
    let (person, channel, words) =
        transaction.query_row(sql, [id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)))?;
    if person.is_empty() {
        // Nobody asked for it, so nobody answers for it.
        return Ok(());
    }
    let entry = AuditEntry { at: now, person, channel, words, preview: None, result: result.clone() };
    let settled = append(transaction, &entry)?;
    transaction.execute("UPDATE controls SET settled = ?2 WHERE id = ?1", params![id, settled])?;
    Ok(())
}

fn write_orders(transaction: &Transaction<'_>, batch: &Batch) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO orders (id, book, symbol, status, updated_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, updated_ms = excluded.updated_ms, body = excluded.body",
    )?;
    // Within one batch only the last form of an order counts.
    let mut last = std::collections::HashMap::with_capacity(batch.orders.len());
    for (index, order) in batch.orders.iter().enumerate() {
        last.insert(order.id, index);
    }
    let mut body = Vec::new();
    for (index, order) in batch.orders.iter().enumerate() {
        if last.get(&order.id) == Some(&index) {
            let body = as_json(&mut body, order)?;
            let (book, symbol) = (order.book.as_str(), order.symbol.as_str());
            statement.execute(params![
                order.id.0 as i64,
                book,
                symbol,
                order.status.as_str(),
                order.updated.ms(),
                body
            ])?;
        }
    }
    Ok(())
}

fn write_fills(transaction: &Transaction<'_>, batch: &Batch) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO fills (id, \"order\", book, symbol, side, quantity, price, fee, slippage, leg, at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for fill in &batch.fills {
        let leg = serde_json::to_value(fill.leg)?;
        statement.execute(params![
            fill.id.0 as i64,
            fill.order.0 as i64,
            fill.book.as_str(),
            fill.symbol.as_str(),
            fill.side.to_string(),
            fill.quantity.units(),
            fill.price.units(),
            fill.fee.units(),
            fill.slippage.units(),
            leg.as_str(),
            fill.at.ms()
        ])?;
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO trades (id, book, symbol, strategy, side, quantity, entry_price, exit_price, opened_ms, closed_ms, fees, profit, reason,
           carried, best, worst)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    for trade in &batch.trades {
        statement.execute(params![
            trade.id.0 as i64,
            trade.book.as_str(),
            trade.symbol.as_str(),
            trade.strategy.as_str(),
            trade.side.to_string(),
            trade.quantity.units(),
            trade.entry_price.units(),
            trade.exit_price.units(),
            trade.opened.ms(),
            trade.closed.ms(),
            trade.fees.units(),
            trade.profit.units(),
            trade.reason.as_str(),
            trade.carried.units(),
            trade.best.units(),
            trade.worst.units()
        ])?;
    }
    let mut statement = transaction.prepare_cached("DELETE FROM trades WHERE id = ?1")?;
    for trade in &batch.reopened {
        statement.execute([trade.0 as i64])?;
    }
    for (total, rows) in [(Total::Fills, batch.fills.len()), (Total::Trades, batch.trades.len())] {
        if rows > 0 {
            add(transaction, total, "", rows as i64)?;
        }
    }
    Ok(())
}

fn write_book(transaction: &Transaction<'_>, row: &BookRow) -> Result<(), StoreError> {
    let book = &row.book;
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO books (name, currency, zone, capital, cash, realised, fees, equity, peak, state, cause, since_ms,
           day, day_ends_ms, day_start, day_entries, day_trades, day_near, limits, carried, memory)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?;
    statement.execute(params![
        book.name.as_str(),
        book.currency,
        row.zone,
        book.capital.units(),
        book.cash.units(),
        book.realised.units(),
        book.fees.units(),
        row.equity.units(),
        row.peak.units(),
        row.state.as_str(),
        row.cause,
        row.since.ms(),
        row.day,
        row.day_ends.ms(),
        row.day_start.units(),
        row.day_entries as i64,
        row.day_trades,
        row.day_near,
        row.limits,
        book.carried.units(),
        row.memory
    ])?;
    transaction.prepare_cached("DELETE FROM positions WHERE book = ?1")?.execute([book.name.as_str()])?;
    for (place, position) in book.positions.iter().enumerate() {
        write_position(transaction, book.name.as_str(), place, position)?;
    }
    Ok(())
}

fn write_position(
    transaction: &Transaction<'_>,
    book: &str,
    place: usize,
    position: &Position,
) -> Result<(), StoreError> {
    let protection = position.protection.map(|levels| serde_json::to_string(&levels)).transpose()?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO positions (book, symbol, place, trade, strategy, quantity, cost, opened_ms, entered, entered_value,
           exited_value, fees, protection, carried, best, worst)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    statement.execute(params![
        book,
        position.symbol.as_str(),
        place as i64,
        position.trade.0 as i64,
        position.strategy.as_str(),
        position.quantity.units(),
        position.cost.units(),
        position.opened.ms(),
        position.entered.units(),
        position.entered_value.units(),
        position.exited_value.units(),
        position.fees.units(),
        protection,
        position.carried.units(),
        position.best.units(),
        position.worst.units()
    ])?;
    Ok(())
}

fn write_bookings(transaction: &Transaction<'_>, bookings: &[Booking]) -> Result<(), StoreError> {
    let mut statement = transaction
        .prepare_cached("INSERT INTO bookings (book, symbol, kind, amount, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for booking in bookings {
        statement.execute(params![
            booking.book.as_str(),
            booking.symbol.as_str(),
            booking.kind.as_str(),
            booking.amount.units(),
            booking.at.ms()
        ])?;
    }
    Ok(())
}

fn write_figures(transaction: &Transaction<'_>, figures: &[FiguresRow]) -> Result<(), StoreError> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO figures (book, at_ms, body) VALUES (?1, ?2, ?3)")?;
    for row in figures {
        statement.execute(params![row.book.as_str(), row.at.ms(), row.body])?;
    }
    Ok(())
}

fn write_days(transaction: &Transaction<'_>, days: &[DayRow]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO days (book, day, part, start, \"end\", realised, fees, trades)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for day in days {
        statement.execute(params![
            day.book.as_str(),
            day.day,
            day.part,
            day.start.units(),
            day.end.units(),
            day.realised.units(),
            day.fees.units(),
            day.trades
        ])?;
    }
    Ok(())
}

fn write_marks(transaction: &Transaction<'_>, marks: &[MarkRow]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO marks (symbol, timeframe, price, at_ms, ended, stale_ms, lock_before, lock_ms, lock_sessions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for mark in marks {
        statement.execute(params![
            mark.symbol.as_str(),
            mark.timeframe.as_str(),
            mark.price.units(),
            mark.at.ms(),
            mark.ended,
            mark.stale.map(Timestamp::ms),
            mark.lock.map(|lock| lock.0.units()),
            mark.lock.map(|lock| lock.1.ms()),
            mark.lock.map(|lock| lock.2)
        ])?;
    }
    Ok(())
}

fn write_steps(transaction: &Transaction<'_>, batch: &Batch) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO steps (cycle, book, strategy, market_ms, wall_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for step in &batch.steps {
        let lines: Vec<_> =
            step.lines.iter().map(|line| (line.symbol.as_str(), line.rule, line.value, line.limit)).collect();
        let body = serde_json::to_string(&lines)?;
        let (book, strategy) = (step.book.as_str(), step.strategy.as_str());
        statement.execute(params![step.cycle.0 as i64, book, strategy, step.at.ms(), batch.wall.ms(), body])?;
    }
    Ok(())
}

fn write_events(
    transaction: &Transaction<'_>,
    batch: &Batch,
    routes: &RouteTable,
    points: &Points,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO journal (cycle, market_ms, wall_ms, run, book, kind, severity, symbol, \"order\", body, audit)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    let mut body = Vec::new();
    for EventRow { cycle, event, audit } in &batch.events {
        let severity = event.kind.severity();
        let symbol = event.kind.symbol();
        statement.execute(params![
            cycle.0 as i64,
            event.at.ms(),
            batch.wall.ms(),
            batch.run.0 as i64,
            event.book.as_ref().map(Label::as_str),
            event.kind.name(),
            severity.as_str(),
            symbol.as_ref().map(Symbol::as_str),
            event.kind.order().map(|order| order.0 as i64),
            as_json(&mut body, &event.kind)?,
            audit.map(AuditId::number)
        ])?;
        points.pass("batch: journal row without its deliveries")?;
        let body = std::str::from_utf8(&body).unwrap_or_default();
        let seq = transaction.last_insert_rowid();
        enqueue(transaction, &Fact { seq, event, body, wall: batch.wall }, routes)?;
    }
    add_events(transaction, batch.events.iter().map(|row| &row.event))
}

fn write_progress(transaction: &Transaction<'_>, progress: &ProgressRow, batch: &Batch) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO progress (one, cycle, market_ms, signal, \"order\", fill, trade, wall_ms)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            progress.cycle.0 as i64,
            progress.market.ms(),
            progress.signal.0 as i64,
            progress.order.0 as i64,
            progress.fill.0 as i64,
            progress.trade.0 as i64,
            batch.wall.ms()
        ])?;
    transaction.prepare_cached("UPDATE runs SET last_cycle = ?2, market_ms = ?3 WHERE id = ?1")?.execute(params![
        batch.run.0 as i64,
        progress.cycle.0 as i64,
        progress.market.ms()
    ])?;
    Ok(())
}
