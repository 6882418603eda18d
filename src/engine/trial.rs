//! What would the strategies do now? Asked of everything as it stands; nothing changes.

use crate::domain::{
    CheckResult, Label, OrderId, Price, Quantity, Ratio, RunContext, Side, SignalAction, SignalId, SignalIntent,
    Symbol, Timeframe,
};
use crate::risk::{self, RiskDecision, Situation};
use crate::strategy::{Plan, Stay, Verdict};

use super::CycleError;
use super::propose::{EntryTerms, propose_entry, propose_exit};
use super::spots::Spot;
use super::state::{Desk, Engine, Lane, Prices};
use super::survey::{holding, last_price, look_at, look_closer, survey};

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
        for index in 0..desk.runs.len() {
            let lane = &engine.lanes[index / strategies];
            if lane.last.is_some() {
                trials.push(try_one(desk, index, prices, lane, &mut situation, context)?);
            }
        }
    }
    Ok(trials)
}

fn try_one(
    desk: &Desk,
    index: usize,
    prices: Prices<'_>,
    lane: &Lane,
    situation: &mut Situation,
    context: &RunContext,
) -> Result<Trial, CycleError> {
    let strategies = desk.settings.strategies.len();
    let place = index % strategies;
    let strategy = desk.settings.strategies[place].name;
    let symbol = lane.instrument.symbol;
    let mut trial =
        Trial { book: desk.name(), strategy, symbol, rule: String::new(), order: None, refusals: Vec::new() };
    let verdict = match desk.runs[index].brain.judge(holding(desk, Spot::find(&desk.book, symbol), symbol, strategy)) {
        verdict @ Verdict::Enter { .. } => match desk.watch.against(index / strategies) {
            Some(rule) => Verdict::Stay(Stay::new(rule, 0.0, 1.0)),
            None => verdict,
        },
        verdict => verdict,
    };
    let (action, side, reason, plan) = match verdict {
        Verdict::Stay(stay) => {
            trial.rule = format!("not yet: {} ({:.4} against {:.4})", stay.rule, stay.value, stay.limit);
            return Ok(trial);
        }
        Verdict::Enter { side: Side::Buy, reason, plan, .. } => (SignalAction::EnterLong, Side::Buy, reason, plan),
        Verdict::Enter { side: Side::Sell, reason, plan, .. } => (SignalAction::EnterShort, Side::Sell, reason, plan),
        Verdict::Exit { reason } => (SignalAction::Exit, Side::Sell, reason, Plan::default()),
    };
    trial.rule.clone_from(&reason.rule);
    look_at(situation, desk, lane, context);
    let signal = SignalIntent {
        id: SignalId::default(),
        strategy,
        symbol,
        timeframe: lane.timeframe.unwrap_or(Timeframe::D1),
        action,
        confidence: Ratio::ONE,
        rule: reason.rule,
        inputs: reason.inputs,
        at: context.now,
    };
    let proposal = if action == SignalAction::Exit {
        propose_exit(desk, lane, &signal, situation)
    } else {
        let atr = desk.runs[index].atr.value();
        look_closer(situation, desk, prices, lane, side, context);
        let terms = EntryTerms { side, plan, strategy: place, atr, scale: Ratio::ONE };
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
