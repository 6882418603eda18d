//! How is it run? Cycle after cycle as fast as it goes, with nothing stored and nobody told.

use crate::clock::Timestamp;
use crate::domain::{CycleId, MarketSnapshot, Mode, Money, RunContext, RunId};
use crate::engine::{CycleError, DeskSettings, Engine, Outcome, cycle, warm};
use crate::execution::PaperBroker;
use crate::market::Feed;
use crate::strategy::ParamError;

use super::{DeskRan, Ran, close_open};

/// Cycles between two looks at the progress.
const PROGRESS_CYCLES: u64 = 4_096;

/// Why a backtest could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// A strategy refuses its parameters.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// A cycle could not be finished.
    #[error("a cycle could not be finished")]
    Cycle(#[from] CycleError),
    /// An amount of the report does not fit.
    #[error("an amount of the result does not fit")]
    Amount(#[from] crate::domain::AmountError),
}

/// Runs the books over the feed to its end, then closes in the report what is still open. `progress` hears the market's time now and
/// then.
///
/// # Errors
/// When a strategy refuses its parameters, or something broke that must hold.
pub fn run(
    feed: &mut dyn Feed,
    desks: Vec<DeskSettings>,
    progress: &mut dyn FnMut(Timestamp),
) -> Result<Ran, BacktestError> {
    let mut engine = Engine::new(feed.instruments(), desks)?;
    let mut broker = PaperBroker::new(feed.instruments());
    let history_until = feed.history_until();
    let (mut snapshot, mut out) = (MarketSnapshot::default(), Outcome::default());
    let mut ran = Ran { desks: Vec::new(), bars: 0, cycles: 0, from: None, to: None };
    while feed.next_into(&mut snapshot) {
        let context = context(ran.cycles + 1, snapshot.at);
        if snapshot.at <= history_until {
            warm(&mut engine, &snapshot, &context)?;
            continue;
        }
        if ran.from.is_none() {
            ran.from = Some(snapshot.at);
            ran.desks = engine.desks.iter().map(|desk| DeskRan::new(desk, snapshot.at.plus_ms(-1))).collect();
        }
        cycle(&mut engine, &mut broker, &snapshot, &context, &mut out)?;
        note(&mut ran, &engine, &snapshot, &mut out);
        if ran.cycles.is_multiple_of(PROGRESS_CYCLES) {
            progress(snapshot.at);
        }
    }
    for (desk, ran) in engine.desks.iter().zip(&mut ran.desks) {
        ran.book = desk.book.clone();
        ran.equity = desk.equity;
        close_open(ran, desk, &engine.lanes)?;
    }
    Ok(ran)
}

fn context(cycle: u64, now: Timestamp) -> RunContext {
    RunContext {
        run: RunId(0),
        mode: Mode::Paper,
        started: now,
        cycle: CycleId(cycle),
        now,
        cost_budget: Money::ZERO,
        dry_run: false,
    }
}

/// Notes what a cycle did.
fn note(ran: &mut Ran, engine: &Engine, snapshot: &MarketSnapshot, out: &mut Outcome) {
    ran.cycles += 1;
    ran.to = Some(snapshot.at);
    ran.bars += snapshot.bars.iter().filter(|seen| seen.is_finest).count() as u64;
    let quiet = out.is_empty();
    for (desk, result) in engine.desks.iter().zip(&mut ran.desks) {
        if !quiet {
            result.take(out, snapshot, |symbol| engine.lane_of(symbol));
        }
        let had_a_bar =
            |symbol| engine.lane_of(symbol).and_then(|lane| engine.lanes[lane].bar_at(snapshot.at)).is_some();
        result.bars_in_market += desk.book.positions.iter().filter(|held| had_a_bar(held.symbol)).count() as u64;
        result.curve.add(snapshot.at, desk.day.date, desk.equity);
    }
    if !quiet {
        out.clear();
    }
}
