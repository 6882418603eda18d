//! What is told of a result? The figures of one book, and what else was asked for: one record that table, JSON and page print.

use chrono_tz::Tz;

use crate::domain::{AmountError, Instrument, Money};
use crate::engine::DeskSettings;
use crate::portfolio::Shortfall;
use crate::stats::{
    Bars, MonteCarlo, Performance, PerformanceInput, Row, Shuffle, TradeRecord, WEEKLY_PERIODS, periods_per_year,
    reshuffle,
};

use super::{Asked, Benchmark, Check, DeskRan, Ran, RoundTrip, WalkForward};

/// A result, measured.
pub struct Report<'a> {
    /// What was run.
    pub ran: &'a Ran,
    /// The book.
    pub desk: &'a DeskRan,
    /// Its figures.
    pub figures: Performance,
    /// How it was set up; of a walk, as the first of those to choose from.
    pub settings: &'a DeskSettings,
    /// What was asked for on the command line, if it was.
    pub asked: Asked,
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
    pub fn measure(
        ran: &'a Ran,
        desk: &'a DeskRan,
        settings: &'a DeskSettings,
        instruments: &[Instrument],
    ) -> Result<Self, AmountError> {
        let zone = settings.zone;
        let curve = desk.curve.points();
        let trades: Vec<TradeRecord<'_>> = desk.trips.iter().map(RoundTrip::record).collect();
        let usual = periods_per_year(instruments.iter().map(|item| item.class));
        let figures = Performance::measure(&PerformanceInput {
            curve: &curve,
            trades: &trades,
            bars: Some(Bars { in_market: desk.bars_in_market, total: desk.bars }),
            periods_per_year: usual,
            zone,
        })?;
        let notes = annualised(&figures, usual).into_iter().chain(stopped(desk, zone)).collect();
        Ok(Self {
            ran,
            desk,
            figures,
            settings,
            asked: Asked::default(),
            benchmark: None,
            walk_forward: None,
            monte_carlo: None,
            checks: Vec::new(),
            notes,
        })
    }

    /// What trading cost, of all strategies together; none where the sums do not fit.
    pub fn cost(&self) -> Option<Shortfall> {
        let costs = self.desk.costs.as_ref()?;
        costs.values().try_fold(Shortfall::default(), |sum, one| sum.plus(*one)).ok()
    }

    /// The zone that cuts its days.
    pub(super) fn zone(&self) -> Tz {
        self.settings.zone
    }

    /// The figures in words.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = self.figures.rows();
        rows.push(self.cost_row());
        rows
    }

    /// The closed trades in the order of their entries.
    pub(super) fn trips(&self) -> Vec<&'a RoundTrip> {
        let mut trips: Vec<&RoundTrip> = self.desk.trips.iter().collect();
        trips.sort_by_key(|trip| (trip.entry_bar, trip.exit_bar, trip.trade.symbol));
        trips
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

/// Says how many returns make a year where it is not the usual number of days, nor weeks, which the table tells.
fn annualised(figures: &Performance, usual: f64) -> Option<String> {
    let is = |periods: f64| (figures.periods_per_year - periods).abs() < f64::EPSILON;
    let words = figures.periods_words();
    let told = is(usual) || is(WEEKLY_PERIODS);
    (!told).then(|| {
        format!("there were {words} daily returns a year, not {usual}: figures a year are measured by {words}")
    })
}

/// Says since when a book entered nothing to the end of its run: its figures go on over that time.
fn stopped(desk: &DeskRan, zone: Tz) -> Option<String> {
    let ((since, why), others) = desk.stopped.split_first()?;
    let more = match others.len() {
        0 => String::new(),
        count => format!("; so it ended in {count} more of the stretches"),
    };
    let day = since.utc().with_timezone(&zone).date_naive();
    Some(format!("it entered nothing from {day} to the end: {why}{more}"))
}
