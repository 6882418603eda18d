//! What do the strategies want, and may they? Verdicts become signals, signals become sized proposals, and risk answers.

use crate::domain::{
    AmountError, Bar, CheckResult, Event, EventKind, ExitPlan, Holding, Label, MarketSnapshot, Money, OrderAction,
    OrderKind, Price, Proposal, Purpose, Quantity, RunContext, Side, SignalAction, SignalIntent, Symbol, TimeInForce,
    Timeframe,
};
use crate::indicators::Indicator;
use crate::portfolio::exposure;
use crate::risk::{self, RiskDecision, Situation, size};
use crate::strategy::{Reason, Stay, Verdict};

use super::fills::{end, losses, place};
use super::state::{Counters, Desk, Engine, Lane, Prices};
use super::{CycleError, Outcome};

/// Shows the snapshot's bars to the strategies without asking them anything: for bars before the first decision.
pub(super) fn observe(desk: &mut Desk, prices: Prices<'_>, snapshot: &MarketSnapshot) {
    for_each_run(desk, prices, snapshot, |desk, run, _, bar| {
        let run = &mut desk.runs[run];
        run.atr.update(bar);
        run.brain.observe(bar);
    });
}

/// Shows the snapshot's bars to the strategies and carries out what they want.
pub(super) fn judge(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let mut result = Ok(());
    let mut situation = None;
    for_each_run(desk, prices, snapshot, |desk, index, lane, bar| {
        let run = &mut desk.runs[index];
        run.atr.update(bar);
        run.brain.observe(bar);
        run.judged = context.now;
        if result.is_ok() {
            result = judge_one(desk, index, lane, prices, counters, &mut situation, context, out);
        }
    });
    result
}

/// Calls `act` for each strategy and symbol that has a bar to decide on: its own timeframe's, or the finest.
fn for_each_run(
    desk: &mut Desk,
    prices: Prices<'_>,
    snapshot: &MarketSnapshot,
    mut act: impl FnMut(&mut Desk, usize, &Lane, &Bar),
) {
    let strategies = desk.settings.strategies.len();
    for seen in &snapshot.bars {
        for strategy in 0..strategies {
            let wanted: Option<Timeframe> = desk.settings.strategies[strategy].timeframe;
            if wanted.map_or(seen.is_finest, |timeframe| timeframe == seen.timeframe) {
                act(desk, seen.instrument * strategies + strategy, &prices.lanes[seen.instrument], &seen.bar);
            }
        }
    }
}

/// What a strategy may know about what is held.
fn holding(desk: &Desk, symbol: Symbol, strategy: Label) -> Holding {
    let own_entry = desk.open_order(symbol, Purpose::Entry).map(|order| order.strategy == strategy);
    match desk.book.position(symbol) {
        Some(held) if held.strategy != strategy => Holding::Busy,
        Some(_) if desk.open_order(symbol, Purpose::Exit).is_some() => Holding::Busy,
        Some(_) => Holding::Long,
        None => match own_entry {
            None => Holding::Flat,
            Some(true) => Holding::Long,
            Some(false) => Holding::Busy,
        },
    }
}

#[expect(clippy::too_many_arguments, reason = "one step of judge, which owns all of these")]
fn judge_one(
    desk: &mut Desk,
    index: usize,
    lane: &Lane,
    prices: Prices<'_>,
    counters: &mut Counters,
    situation: &mut Option<Situation>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let strategy = desk.settings.strategies[index % desk.settings.strategies.len()].name;
    let symbol = lane.instrument.symbol;
    let (action, confidence, reason) = match desk.runs[index].brain.judge(holding(desk, symbol, strategy)) {
        Verdict::Stay(stay) => {
            desk.runs[index].stay = Some(stay);
            return Ok(());
        }
        Verdict::Enter { .. } if lane.ended => {
            desk.runs[index].stay = Some(Stay::new("another bar of it follows", 0.0, 1.0));
            return Ok(());
        }
        Verdict::Enter { .. } if !desk.settings.symbols.contains(&symbol) => {
            desk.runs[index].stay = Some(Stay::new("the symbol is on the book's list", 0.0, 1.0));
            return Ok(());
        }
        Verdict::Enter { confidence, reason, .. } => (SignalAction::EnterLong, confidence, reason),
        Verdict::Exit { reason } => (SignalAction::Exit, crate::domain::Ratio::ONE, reason),
    };
    desk.runs[index].stay = None;
    counters.signal = counters.signal.next();
    let Reason { rule, inputs } = reason;
    let timeframe = desk.settings.strategies[index % desk.settings.strategies.len()].timeframe;
    let timeframe = timeframe.or(lane.timeframe).unwrap_or(Timeframe::D1);
    let id = counters.signal;
    let signal = SignalIntent { id, strategy, symbol, timeframe, action, confidence, rule, inputs, at: context.now };
    let kind = EventKind::SignalRaised { signal: signal.clone() };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    let shared = match situation {
        Some(known) => known,
        None => situation.insert(survey(desk, prices)?),
    };
    look_at(shared, desk, lane, context);
    match action {
        SignalAction::EnterLong | SignalAction::EnterShort => {
            let proposal = propose_entry(desk, index, lane, &signal, shared)?;
            put_before_risk(desk, proposal, shared, counters, context, out)
        }
        SignalAction::Exit => leave(desk, lane, &signal, shared, counters, context, out),
    }
}

/// The book's figures that do not depend on the symbol, with working entries counted in.
fn survey(desk: &Desk, prices: Prices<'_>) -> Result<Situation, AmountError> {
    let mut situation = Situation::of_capital(desk.equity);
    situation.state = desk.state;
    situation.free_cash = desk.book.cash;
    situation.exposure = exposure(&desk.book, |symbol| prices.mark(symbol))?;
    situation.positions = desk.book.positions.len() as u64;
    situation.trades_today = desk.day.entries;
    (situation.day_loss, situation.drawdown) = losses(desk);
    for held in &desk.book.positions {
        let price = prices.mark(held.symbol).unwrap_or_else(|| held.average_price());
        situation.add_open_risk(held.quantity, price, held.protection.map(|levels| levels.stop))?;
    }
    for order in desk.orders.iter().filter(|order| order.purpose == Purpose::Entry) {
        let value = order.remaining().value_at(order.reference)?;
        situation.free_cash = situation.free_cash.minus(value)?;
        situation.exposure = situation.exposure.plus(value)?;
        situation.positions += u64::from(desk.book.position(order.symbol).is_none());
        let distance = order.plan.map_or(order.reference, |plan| plan.stop_distance);
        situation.open_risk = situation.open_risk.plus(order.remaining().value_at(distance)?)?;
    }
    Ok(situation)
}

/// Adds the figures of one symbol.
fn look_at(situation: &mut Situation, desk: &Desk, lane: &Lane, context: &RunContext) {
    let held = desk.book.position(lane.instrument.symbol);
    let price = lane.mark().unwrap_or(Price::ZERO);
    situation.held_quantity = held.map_or(Quantity::ZERO, |held| held.quantity);
    situation.held_value = held.and_then(|held| held.value_at(price).ok()).unwrap_or(Money::ZERO);
    situation.bars_missing = lane.bars_missing(context.now);
    situation.last_move = lane.last_move;
    situation.locked = lane.lock.is_some();
    situation.lot = lane.instrument.lot();
}

fn propose_entry(
    desk: &Desk,
    index: usize,
    lane: &Lane,
    signal: &SignalIntent,
    situation: &Situation,
) -> Result<Proposal, CycleError> {
    let limits = &desk.settings.limits;
    let price = lane.last.map_or(Price::ZERO, |bar| bar.close);
    let atr = desk.runs[index].atr.value().and_then(Price::from_f64).filter(|atr| *atr > Price::ZERO);
    let distance = |factor| atr.map(|atr| atr.times(factor)).transpose();
    let stop_distance = distance(limits.stop_atr)?;
    let target_distance = distance(limits.target_atr)?.filter(|distance| *distance > Price::ZERO);
    let trailing = !limits.trailing.is_zero();
    let plan = stop_distance.map(|stop_distance| ExitPlan { stop_distance, target_distance, trailing });
    let stop_distance = stop_distance.unwrap_or(Price::ZERO).min(price);
    let quantity = size(desk.settings.sizing, price, stop_distance, lane.instrument.lot(), situation, limits)?;
    Ok(Proposal {
        book: desk.name(),
        strategy: signal.strategy,
        signal: Some(signal.id),
        symbol: signal.symbol,
        side: Side::Buy,
        quantity,
        kind: OrderKind::Market,
        purpose: Purpose::Entry,
        reference: price,
        risk: quantity.value_at(if plan.is_some() { stop_distance } else { price })?,
        plan,
        tif: TimeInForce::Gtc,
        expires: None,
        because: signal.rule.clone(),
    })
}

fn propose_exit(desk: &Desk, lane: &Lane, signal: &SignalIntent, situation: &Situation) -> Proposal {
    Proposal {
        book: desk.name(),
        strategy: signal.strategy,
        signal: Some(signal.id),
        symbol: signal.symbol,
        side: Side::Sell,
        quantity: situation.held_quantity,
        kind: OrderKind::Market,
        purpose: Purpose::Exit,
        reference: lane.last.map_or(Price::ZERO, |bar| bar.close),
        risk: Money::ZERO,
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: signal.rule.clone(),
    }
}

/// Takes back what is still entering and sells what is held.
fn leave(
    desk: &mut Desk,
    lane: &Lane,
    signal: &SignalIntent,
    situation: &mut Situation,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let entry = desk.open_order(signal.symbol, Purpose::Entry).map(|order| order.id);
    if let Some(entry) = entry.filter(|_| !context.dry_run) {
        out.requests.push(risk::withdraw(entry));
        end(desk, entry, OrderAction::Cancel, "the strategy turned round", context, out)?;
    }
    if situation.held_quantity.is_zero() {
        return Ok(());
    }
    let proposal = propose_exit(desk, lane, signal, situation);
    put_before_risk(desk, proposal, situation, counters, context, out)
}

fn put_before_risk(
    desk: &mut Desk,
    proposal: Proposal,
    situation: &mut Situation,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let counted = (proposal.purpose == Purpose::Entry).then(|| proposal.clone());
    let id = counters.order.next();
    let kind = match risk::review(proposal, id, context.now, situation, &desk.settings.limits)? {
        RiskDecision::Refused { proposal, refusals } => EventKind::ProposalRefused { proposal, refusals },
        RiskDecision::Approved { request, checks } => {
            counters.order = id;
            if let Some(entry) = counted {
                situation.count(&entry)?;
                desk.day.entries += u64::from(!context.dry_run);
                desk.revalue = true;
            }
            let risk::Instruction::Place(order) = request.instruction() else { return Ok(()) };
            let order = order.clone();
            if context.dry_run {
                EventKind::OrderWithheld { order, checks }
            } else {
                place(desk, request, context, out);
                EventKind::OrderSubmitted { order, checks }
            }
        }
    };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

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
                trials.push(try_one(desk, index, lane, &mut situation, context)?);
            }
        }
    }
    Ok(trials)
}

fn try_one(
    desk: &Desk,
    index: usize,
    lane: &Lane,
    situation: &mut Situation,
    context: &RunContext,
) -> Result<Trial, CycleError> {
    let strategy = desk.settings.strategies[index % desk.settings.strategies.len()].name;
    let symbol = lane.instrument.symbol;
    let mut trial =
        Trial { book: desk.name(), strategy, symbol, rule: String::new(), order: None, refusals: Vec::new() };
    let (action, reason) = match desk.runs[index].brain.judge(holding(desk, symbol, strategy)) {
        Verdict::Stay(stay) => {
            trial.rule = format!("not yet: {} ({:.4} against {:.4})", stay.rule, stay.value, stay.limit);
            return Ok(trial);
        }
        Verdict::Enter { reason, .. } => (SignalAction::EnterLong, reason),
        Verdict::Exit { reason } => (SignalAction::Exit, reason),
    };
    trial.rule.clone_from(&reason.rule);
    look_at(situation, desk, lane, context);
    let price = lane.last.map_or(Price::ZERO, |bar| bar.close);
    let signal = SignalIntent {
        id: crate::domain::SignalId::default(),
        strategy,
        symbol,
        timeframe: lane.timeframe.unwrap_or(Timeframe::D1),
        action,
        confidence: crate::domain::Ratio::ONE,
        rule: reason.rule,
        inputs: reason.inputs,
        at: context.now,
    };
    let proposal = match action {
        SignalAction::EnterLong | SignalAction::EnterShort => propose_entry(desk, index, lane, &signal, situation)?,
        SignalAction::Exit => propose_exit(desk, lane, &signal, situation),
    };
    trial.order = Some((proposal.side, proposal.quantity, price));
    let limits = &desk.settings.limits;
    match risk::review(proposal.clone(), crate::domain::OrderId::default(), context.now, situation, limits)? {
        RiskDecision::Refused { refusals, .. } => trial.refusals = refusals,
        RiskDecision::Approved { .. } => situation.count(&proposal)?,
    }
    Ok(trial)
}
