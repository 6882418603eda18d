//! What would the strategies do now? Asked of everything as it stands; nothing changes.

use crate::domain::{CheckResult, Label, OrderId, Price, Quantity, RunContext, Side, SignalAction, Symbol};
use crate::risk::{self, RiskDecision, Situation};

use super::CycleError;
use super::desk::Desk;
use super::entries::Judge;
use super::propose::{propose_entry, propose_exit};
use super::spots::Spot;
use super::state::{Counters, Engine};
use super::survey::{last_price, look_at, look_closer, survey};

/// What a strategy would do now with one symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The book.
    pub book: Label,
    /// The strategy.
    pub strategy: Label,
    /// The symbol.
    pub symbol: Symbol,
    /// The signal's rule, or the first rule that does not hold.
    pub rule: String,
    /// What it would order: side, quantity and price; none if it stays.
    pub order: Option<(Side, Quantity, Price)>,
    /// Every check that would refuse.
    pub refusals: Vec<CheckResult>,
}

/// Asks every strategy about every symbol as things stand, and changes nothing.
///
/// # Errors
/// When an amount does not fit.
pub fn trial(engine: &Engine, context: &RunContext) -> Result<Vec<Trial>, CycleError> {
    let prices = engine.prices();
    let mut trials = Vec::new();
    for desk in &engine.desks {
        let strategies = desk.settings.strategies.len();
        let mut situation = survey(desk, prices)?;
        for run in 0..desk.runs.len() {
            let (index, strategy) = (run / strategies, run % strategies);
            let lane = &engine.lanes[index];
            if lane.last.is_some() {
                let judge = Judge { prices, index, lane, strategy, context };
                trials.push(try_one(&judge, desk, &mut situation)?);
            }
        }
    }
    Ok(trials)
}

/// Asks one strategy about one symbol, by the rules of a cycle.
fn try_one(judge: &Judge<'_>, desk: &Desk, situation: &mut Situation) -> Result<Trial, CycleError> {
    let (lane, context) = (judge.lane, judge.context);
    let (strategy, symbol) = (desk.settings.strategies[judge.strategy].name, lane.instrument.symbol);
    let mut trial =
        Trial { book: desk.name(), strategy, symbol, rule: String::new(), order: None, refusals: Vec::new() };
    let wanted = match judge.wish_at(desk, Spot::find(&desk.book, symbol)) {
        Ok(wanted) => wanted,
        Err(stay) => {
            trial.rule = format!("not yet: {} ({:.4} against {:.4})", stay.rule, stay.value, stay.limit);
            return Ok(trial);
        }
    };
    let (terms, signal) = judge.signal(desk, wanted, &Counters::default());
    trial.rule.clone_from(&signal.rule);
    look_at(situation, desk, lane, context);
    if signal.action == SignalAction::Exit && situation.look.held.is_zero() {
        return Ok(trial);
    }
    let proposal = if signal.action == SignalAction::Exit {
        propose_exit(desk, lane, &signal, situation)
    } else {
        look_closer(situation, desk, judge.prices, lane, terms.side, context);
        propose_entry(desk, lane, &signal, &terms, situation)?
    };
    trial.order = Some((proposal.side, proposal.quantity, last_price(lane)));
    let limits = desk.settings.terms_of(symbol).0;
    match risk::review(proposal.clone(), OrderId::default(), context.now, situation, limits)? {
        RiskDecision::Refused { refusals, .. } => trial.refusals = refusals,
        RiskDecision::Approved { .. } => situation.count(&proposal)?,
    }
    Ok(trial)
}
