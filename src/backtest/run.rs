//! How is it run? Cycle after cycle as fast as it goes, with nothing stored and nobody told.

use std::ops::ControlFlow;

use crate::domain::{CycleId, MarketSnapshot, Mode, Money, RunContext, RunId};
use crate::engine::{CycleError, DeskSettings, Engine, Outcome, cycle, warm};
use crate::execution::PaperBroker;
use crate::market::Feed;
use crate::strategy::ParamError;

use super::{DeskRan, Ran, close_open};

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

/// What a watcher is shown after each cycle.
pub struct Seen<'a> {
    /// How many cycles there were so far.
    pub cycles: u64,
    /// What became known.
    pub snapshot: &'a MarketSnapshot,
    /// What the cycle did.
    pub out: &'a Outcome,
}

/// Runs the books over the feed to its end, or until `watch` breaks off; then closes in the result what is still open. The
/// result is added to `before`, which is empty at first: so runs over one stretch after another make one result.
///
/// # Errors
/// When a strategy refuses its parameters, or something broke that must hold.
pub fn run(
    feed: &mut dyn Feed,
    desks: Vec<DeskSettings>,
    before: Ran,
    watch: &mut dyn FnMut(&Seen<'_>) -> ControlFlow<()>,
) -> Result<Ran, BacktestError> {
    let mut ran = before;
    let mut engine = Engine::new(feed.instruments(), desks)?;
    engine.counters = ran.counters;
    let mut broker = PaperBroker::new(feed.instruments());
    let history_until = feed.history_until();
    let (mut snapshot, mut out) = (MarketSnapshot::default(), Outcome::default());
    while feed.next_into(&mut snapshot) {
        let context = context(engine.counters.cycle.next(), &snapshot);
        if snapshot.at <= history_until {
            warm(&mut engine, &snapshot, &context)?;
            continue;
        }
        if ran.from.is_none() {
            ran.from = Some(snapshot.at);
            ran.desks = engine.desks.iter().map(|desk| DeskRan::new(desk, snapshot.at.plus_ms(-1))).collect();
        }
        cycle(&mut engine, &mut broker, &snapshot, &context, &mut out)?;
        note(&mut ran, &engine, &snapshot, &out);
        let flow = watch(&Seen { cycles: ran.cycles, snapshot: &snapshot, out: &out });
        out.clear();
        if flow.is_break() {
            break;
        }
    }
    ran.counters = engine.counters;
    for (desk, ran) in engine.desks.iter().zip(&mut ran.desks) {
        ran.settle(desk)?;
        close_open(ran, desk, &engine.lanes)?;
    }
    Ok(ran)
}

/// The context of a cycle of no run in particular.
pub(super) fn context(cycle: CycleId, snapshot: &MarketSnapshot) -> RunContext {
    RunContext {
        run: RunId(0),
        mode: Mode::Paper,
        started: snapshot.at,
        cycle,
        now: snapshot.at,
        cost_budget: Money::ZERO,
        dry_run: false,
    }
}

/// Notes what a cycle did.
fn note(ran: &mut Ran, engine: &Engine, snapshot: &MarketSnapshot, out: &Outcome) {
    ran.cycles += 1;
    ran.to = Some(snapshot.at);
    ran.bars += snapshot.bars.iter().filter(|seen| seen.is_finest).count() as u64;
    let quiet = out.is_empty();
    for (desk, result) in engine.desks.iter().zip(&mut ran.desks) {
        if !quiet {
            result.take(out, snapshot, engine);
        }
        result.count(desk, engine, snapshot, out);
    }
}
