//! What goes into one transaction? The outcomes of some cycles, and the books, prices and days as they stand after them.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::RunId;
use crate::store::{Batch, BookRow, CarriedOut, MarkRow, ProgressRow, StepLine, StepRow};

use super::Outcome;
use super::desk::Desk;
use super::figures::Schedule;
use super::guard::day_record;
use super::state::Engine;

/// Cycles that were decided and not handed to the store.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// What they did.
    pub(super) outcome: Outcome,
    /// How many they are.
    pub(super) cycles: u64,
    /// When the group began, on the steady clock.
    pub(super) begun: Duration,
    /// When the next cycle counts from, on the steady clock.
    pub(super) due: Option<Duration>,
    /// What everything remembers, to be saved with the next batch.
    pub(super) brains: Option<String>,
    /// Controls that were carried out.
    pub(super) controls: Vec<CarriedOut>,
    /// When risk figures are due.
    pub(super) figures: Schedule,
}

impl Group {
    /// Takes everything gathered so far as one batch, at `steady` on the steady clock. Steps and figures are computed for what is waited
    /// for; figures besides, once in a while.
    pub(super) fn batch(
        &mut self,
        engine: &mut Engine,
        run: RunId,
        (wall, steady): (Timestamp, Duration),
        market: Timestamp,
        waited_for: bool,
    ) -> Batch {
        let outcome = std::mem::take(&mut self.outcome);
        let moved = self.cycles > 0 || !outcome.events.is_empty();
        let figures = self.figures.rows(engine, moved, waited_for, market, steady);
        let mut days = outcome.days;
        days.extend(engine.desks.iter().filter(|desk| desk.day.date.is_some()).map(day_record));
        self.cycles = 0;
        let counters = engine.counters;
        Batch {
            run,
            wall,
            events: outcome.events,
            orders: outcome.orders,
            fills: outcome.fills,
            trades: outcome.trades,
            reopened: outcome.reopened,
            bookings: outcome.bookings,
            alerts: outcome.alerts,
            changes: outcome.changes,
            figures,
            brains: self.brains.take(),
            days,
            books: engine.desks.iter().map(book_row).collect(),
            marks: marks(engine),
            steps: if waited_for { steps(engine, market) } else { Vec::new() },
            progress: Some(ProgressRow {
                cycle: counters.cycle,
                market,
                signal: counters.signal,
                order: counters.order,
                fill: counters.fill,
                trade: counters.trade,
            }),
            controls: std::mem::take(&mut self.controls),
        }
    }
}

fn book_row(desk: &Desk) -> BookRow {
    BookRow {
        book: desk.book.clone(),
        zone: desk.settings.zone.name().to_owned(),
        equity: desk.equity,
        peak: desk.peak,
        state: desk.state,
        cause: serde_json::to_string(&desk.cause).unwrap_or_default(),
        since: desk.since,
        day: desk.day.date.map_or_else(String::new, |date| date.to_string()),
        day_ends: desk.day.ends,
        day_start: desk.day.start,
        day_entries: desk.day.entries,
        day_trades: desk.day.trades,
        day_near: desk.day.near_told,
        limits: desk.limits_json.clone(),
        memory: serde_json::to_string(&desk.memory()).unwrap_or_default(),
    }
}

/// Lanes that had a bar, went stale or were unlocked since the last commit.
fn marks(engine: &mut Engine) -> Vec<MarkRow> {
    let mut rows = Vec::new();
    for lane in engine.lanes.iter_mut().filter(|lane| lane.touched) {
        lane.touched = false;
        let (Some(timeframe), Some(last)) = (lane.timeframe, lane.last) else { continue };
        rows.push(MarkRow {
            symbol: lane.instrument.symbol,
            timeframe,
            price: last.close,
            at: lane.last_end,
            ended: lane.ended,
            stale: lane.stale,
            lock: lane.lock.map(|lock| (lock.before, lock.since, lock.sessions)),
        });
    }
    rows
}

/// Why strategies did nothing with the bars of the last cycle.
fn steps(engine: &Engine, market: Timestamp) -> Vec<StepRow> {
    let mut rows = Vec::new();
    for desk in &engine.desks {
        let count = desk.settings.strategies.len();
        for (index, strategy) in desk.settings.strategies.iter().enumerate() {
            let runs = desk.runs.iter().skip(index).step_by(count.max(1)).zip(&engine.lanes);
            let lines: Vec<StepLine> = runs
                .filter(|(run, _)| run.judged == market)
                .map(|(run, lane)| StepLine {
                    symbol: lane.instrument.symbol,
                    rule: run.stay.map(|stay| stay.rule),
                    value: run.stay.map_or(0.0, |stay| stay.value),
                    limit: run.stay.map_or(0.0, |stay| stay.limit),
                })
                .collect();
            if !lines.is_empty() {
                let (cycle, book) = (engine.counters.cycle, desk.name());
                rows.push(StepRow { cycle, at: market, book, strategy: strategy.name, lines });
            }
        }
    }
    rows
}
