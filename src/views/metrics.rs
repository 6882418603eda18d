//! What can be drawn over time? Counts, ages and sums for a monitor, without a word for people.

use crate::domain::{RiskFigures, TradingState};
use crate::store::{LATENCY_BOUNDS_MS, LaneCounts, LatencyTotals, Totals};

use super::open::{ViewError, Views};

/// Everything that a monitor reads at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsReport {
    /// Cycles that were committed.
    pub cycles: u64,
    /// What was counted.
    pub totals: Totals,
    /// Each way to a person: those that are configured, and those that were.
    pub lanes: Vec<LaneMetrics>,
    /// Each book.
    pub books: Vec<BookMetrics>,
    /// Seconds since the runner last showed itself.
    pub beat_age_s: Option<f64>,
    /// Seconds since the last cycle was committed.
    pub cycle_age_s: Option<f64>,
    /// True if a bot runs.
    pub running: bool,
}

/// A way to a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LaneMetrics {
    /// Its messages by state; `counts.lane` is its name.
    pub counts: LaneCounts,
    /// Tries that ended, by outcome.
    pub attempts: Vec<(String, u64)>,
    /// Times from commit to receipt.
    pub latency: LatencyTotals,
    /// Seconds that the oldest message waits which could go now; zero if none does.
    pub oldest_s: f64,
    /// True if nothing comes through.
    pub dead: bool,
}

impl LaneMetrics {
    /// Upper bounds of the classes of [`LatencyTotals`] in seconds, without the last, which has none.
    pub fn latency_bounds_s() -> impl Iterator<Item = f64> {
        LATENCY_BOUNDS_MS.into_iter().map(|ms| ms as f64 / 1000.0)
    }
}

/// A book.
#[derive(Debug, Clone, PartialEq)]
pub struct BookMetrics {
    /// Its name.
    pub book: String,
    /// Its currency.
    pub currency: String,
    /// What it is worth.
    pub equity: f64,
    /// What is held, longs and shorts added, over equity; none before the figures are computed.
    pub exposure: Option<f64>,
    /// How far it is below its peak, as a share of the peak.
    pub drawdown: f64,
    /// What it may do.
    pub state: TradingState,
}

/// Reads what a monitor wants to know.
///
/// # Errors
/// When the store cannot be read.
pub fn metrics_report(views: &Views) -> Result<MetricsReport, ViewError> {
    let reader = views.reader();
    let totals = reader.totals()?;
    let seconds = |ms: i64| ms.max(0) as f64 / 1000.0;
    Ok(MetricsReport {
        cycles: reader.progress()?.map_or(0, |progress| progress.cycle.0),
        lanes: lanes(views, &totals)?,
        books: books(views)?,
        beat_age_s: views.beat_age_ms()?.map(seconds),
        cycle_age_s: reader.last_commit()?.map(|last| seconds(views.wall().since(last))),
        running: views.is_running(),
        totals,
    })
}

fn lanes(views: &Views, totals: &Totals) -> Result<Vec<LaneMetrics>, ViewError> {
    let reader = views.reader();
    let mut counts = reader.lane_counts()?;
    for rule in &reader.routes()?.lanes {
        let lane = rule.lane.to_string();
        if counts.iter().all(|known| known.lane != lane) {
            counts.push(LaneCounts { lane, ..LaneCounts::default() });
        }
    }
    let (states, waiting) = (reader.lane_states()?, reader.oldest_waiting(views.wall())?);
    let lane = |counts: LaneCounts| {
        let name = &counts.lane;
        let oldest = waiting.iter().find(|(lane, _)| lane == name);
        let attempts = totals.attempts.iter().filter(|(lane, ..)| lane == name);
        LaneMetrics {
            attempts: attempts.map(|(_, outcome, count)| (outcome.clone(), *count)).collect(),
            latency: totals.latencies.get(name).cloned().unwrap_or_default(),
            oldest_s: oldest.map_or(0.0, |(_, since)| views.wall().since(*since).max(0) as f64 / 1000.0),
            dead: states.iter().any(|state| state.lane == *name && state.dead),
            counts,
        }
    };
    Ok(counts.into_iter().map(lane).collect())
}

fn books(views: &Views) -> Result<Vec<BookMetrics>, ViewError> {
    let mut found = Vec::new();
    for row in views.reader().books()? {
        let figures = views.reader().figures(row.book.name)?;
        let figures = figures.and_then(|stored| serde_json::from_str::<RiskFigures>(&stored.body).ok());
        found.push(BookMetrics {
            book: row.book.name.to_string(),
            currency: row.book.currency.clone(),
            equity: row.equity.to_f64(),
            exposure: figures.map(|figures| figures.leverage.to_f64()),
            drawdown: row.peak.minus(row.equity)?.share_of(row.peak).to_f64().max(0.0),
            state: row.state,
        });
    }
    Ok(found)
}
