//! What is told of a result? The figures of one book, and what else was asked for: one record that table, JSON and page print.

use chrono_tz::Tz;

use crate::domain::{AmountError, Instrument, Money};
use crate::stats::{
    Bars, MonteCarlo, Performance, PerformanceInput, Shuffle, TradeRecord, periods_per_year, reshuffle,
};

use super::{Benchmark, Check, DeskRan, Ran, WalkForward};

/// A result, measured.
pub struct Report<'a> {
    /// What was run.
    pub ran: &'a Ran,
    /// The book.
    pub desk: &'a DeskRan,
    /// Its figures.
    pub figures: Performance,
    /// The zone that cuts its days.
    pub zone: Tz,
    /// Something that was only bought and held.
    pub benchmark: Option<Benchmark>,
    /// How the result was chained from windows; the figures are those of the tests together.
    pub walk_forward: Option<WalkForward>,
    /// The closed trades in other orders.
    pub monte_carlo: Option<MonteCarlo>,
    /// What checks of the result said.
    pub checks: Vec<Check>,
    /// What else should be known.
    pub notes: Vec<String>,
}

impl<'a> Report<'a> {
    /// Measures one book of a run; `instruments` are those it trades.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn measure(ran: &'a Ran, desk: &'a DeskRan, instruments: &[Instrument], zone: Tz) -> Result<Self, AmountError> {
        let curve = desk.curve.points();
        let trades: Vec<TradeRecord<'_>> = desk.trips.iter().map(super::RoundTrip::record).collect();
        let figures = Performance::measure(&PerformanceInput {
            curve: &curve,
            trades: &trades,
            bars: Some(Bars { in_market: desk.bars_in_market, total: desk.bars }),
            periods_per_year: periods_per_year(instruments.iter().map(|item| item.class)),
            zone,
        })?;
        Ok(Self {
            ran,
            desk,
            figures,
            zone,
            benchmark: None,
            walk_forward: None,
            monte_carlo: None,
            checks: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Puts the closed trades into other orders.
    pub fn reshuffle(&mut self, how: Shuffle) {
        let profits: Vec<Money> = self.desk.trips.iter().map(|trip| trip.trade.profit).collect();
        self.monte_carlo = reshuffle(self.desk.book.capital, &profits, how);
        let why = match &self.monte_carlo {
            None => "no Monte-Carlo: it needs two closed trades".to_owned(),
            Some(told) if told.paths < how.paths => {
                format!(
                    "Monte-Carlo: {} orders of the trades instead of {}, which is as many as are tried",
                    told.paths, how.paths
                )
            }
            Some(_) => return,
        };
        self.notes.push(why);
    }

    /// True unless a check failed.
    pub fn is_trusted(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}
