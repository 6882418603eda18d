//! What do the strategies want, and may they? Verdicts become signals, signals become sized proposals, and risk answers.

use crate::domain::{
    Event, EventKind, Holding, MarketSnapshot, OrderAction, Proposal, Purpose, Ratio, RunContext, Side, SignalAction,
    SignalIntent, SnapshotBar, Timeframe, TradingState,
};
use crate::risk::{self, RiskDecision, Situation, open_risk};
use crate::strategy::{Plan, Reason, Stay, Verdict};

use super::fills::{end, place};
use super::observe::observe;
use super::propose::{EntryTerms, propose_entry, propose_exit};
use super::state::{Counters, Desk, Lane, Prices};
use super::survey::{holding, last_price, look_at, look_closer, survey};
use super::{CycleError, Outcome};

/// Shows the snapshot's bars to the strategies and carries out what they want.
pub(super) fn judge(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    observe(desk, prices, snapshot, context, out);
    let mut situation = None;
    for seen in &snapshot.bars {
        for strategy in 0..desk.settings.strategies.len() {
            if desk.settings.strategies[strategy].decides_on(seen) {
                let mut judge = Judge { prices, lane: &prices.lanes[seen.instrument], strategy, seen, context };
                judge.run(desk, counters, &mut situation, out)?;
            }
        }
    }
    Ok(())
}

/// One strategy deciding on one bar.
struct Judge<'a> {
    prices: Prices<'a>,
    lane: &'a Lane,
    strategy: usize,
    seen: &'a SnapshotBar,
    context: &'a RunContext,
}

/// What a strategy asks for, before it is a signal.
struct Wanted {
    action: SignalAction,
    confidence: Ratio,
    reason: Reason,
    plan: Plan,
}

impl Wanted {
    /// A verdict as a wish, or why there is none.
    fn from(verdict: Verdict) -> Result<Self, Stay> {
        match verdict {
            Verdict::Stay(stay) => Err(stay),
            Verdict::Enter { side: Side::Buy, confidence, reason, plan } => {
                Ok(Self { action: SignalAction::EnterLong, confidence, reason, plan })
            }
            Verdict::Enter { side: Side::Sell, confidence, reason, plan } => {
                Ok(Self { action: SignalAction::EnterShort, confidence, reason, plan })
            }
            Verdict::Exit { reason } => {
                Ok(Self { action: SignalAction::Exit, confidence: Ratio::ONE, reason, plan: Plan::default() })
            }
        }
    }
}

impl Judge<'_> {
    fn run(
        &mut self,
        desk: &mut Desk,
        counters: &mut Counters,
        situation: &mut Option<Situation>,
        out: &mut Outcome,
    ) -> Result<(), CycleError> {
        let settings = &desk.settings.strategies[self.strategy];
        let (symbol, name) = (self.lane.instrument.symbol, settings.name);
        let index = self.seen.instrument * desk.settings.strategies.len() + self.strategy;
        let wanted = Wanted::from(desk.runs[index].brain.judge(holding(desk, symbol, name)));
        let run = &mut desk.runs[index];
        run.judged = self.context.now;
        let wanted = match wanted.and_then(|wanted| self.permitted(desk, wanted)) {
            Ok(wanted) => wanted,
            Err(stay) => {
                desk.runs[index].stay = Some(stay);
                return Ok(());
            }
        };
        desk.runs[index].stay = None;
        if situation.is_none() {
            *situation = Some(survey(desk, self.prices)?);
        }
        let Some(shared) = situation.as_mut() else { return Ok(()) };
        look_at(shared, desk, self.lane, self.context);
        let leaves = wanted.action == SignalAction::Exit;
        let held = shared.look.held;
        self.carry_out(desk, index, wanted, shared, counters, out)?;
        if leaves && !held.is_zero() && desk.is_leaving(symbol) {
            self.turn_round(desk, index, shared, counters, out)?;
        }
        Ok(())
    }

    /// Entries that nobody asked for here end as a reason why nothing was done.
    fn permitted(&self, desk: &Desk, wanted: Wanted) -> Result<Wanted, Stay> {
        if wanted.action == SignalAction::Exit {
            return self.may_leave(desk).map(|()| wanted);
        }
        if self.lane.ended {
            return Err(Stay::new("another bar of it follows", 0.0, 1.0));
        }
        if let Some(rule) = desk.watch.against(self.seen.instrument) {
            return Err(Stay::new(rule, 0.0, 1.0));
        }
        let wanted_confidence = desk.settings.strategies[self.strategy].min_confidence;
        if wanted.confidence < wanted_confidence {
            let (has, asks) = (wanted.confidence.to_f64(), wanted_confidence.to_f64());
            return Err(Stay::new("the signal is sure enough", has, asks));
        }
        if self.scale(desk).is_none() {
            return Err(Stay::new("the market's regime has this strategy", 0.0, 1.0));
        }
        Ok(wanted)
    }

    /// A wish to leave holds for as long as its rule does: while nothing of it can be done, it is no signal every bar anew.
    fn may_leave(&self, desk: &Desk) -> Result<(), Stay> {
        if desk.state == TradingState::Halted {
            return Err(Stay::new("it wants to leave, and trading is not halted", 0.0, 1.0));
        }
        if self.lane.lock.is_some() && desk.settings.limits.enforced {
            return Err(Stay::new("it wants to leave, and the price is not in doubt", 0.0, 1.0));
        }
        Ok(())
    }

    /// What the regime leaves of the usual size; none if it gives this strategy no turn.
    fn scale(&self, desk: &Desk) -> Option<Ratio> {
        let Some(selector) = &desk.settings.selector else { return Some(Ratio::ONE) };
        let regime = desk.classifiers.get(self.seen.instrument)?.regime()?;
        selector.allows(regime, desk.settings.strategies[self.strategy].name)
    }

    fn carry_out(
        &self,
        desk: &mut Desk,
        index: usize,
        wanted: Wanted,
        situation: &mut Situation,
        counters: &mut Counters,
        out: &mut Outcome,
    ) -> Result<(), CycleError> {
        let (terms, signal) = self.signal(desk, index, wanted, counters);
        let proposal = match signal.action {
            SignalAction::EnterLong | SignalAction::EnterShort => {
                look_closer(situation, desk, self.prices, self.lane, terms.side, self.context);
                Some(propose_entry(desk, self.lane, &signal, &terms, situation)?)
            }
            SignalAction::Exit if situation.look.held.is_zero() => None,
            SignalAction::Exit => Some(propose_exit(desk, self.lane, &signal, situation)),
        };
        counters.signal = signal.id;
        let kind = EventKind::SignalRaised { signal: signal.clone() };
        out.tell(self.context.cycle, Event { at: self.context.now, book: Some(desk.name()), kind });
        if signal.action == SignalAction::Exit {
            take_back_entry(desk, &signal, self.context, out)?;
        } else {
            desk.measure(&signal, terms.side, last_price(self.lane));
        }
        match proposal {
            Some(proposal) => put_before_risk(desk, proposal, situation, counters, self.context, out),
            None => Ok(()),
        }
    }

    fn signal(&self, desk: &Desk, index: usize, wanted: Wanted, counters: &Counters) -> (EntryTerms, SignalIntent) {
        let settings = &desk.settings.strategies[self.strategy];
        let terms = EntryTerms {
            side: if wanted.action == SignalAction::EnterShort { Side::Sell } else { Side::Buy },
            plan: wanted.plan,
            strategy: self.strategy,
            atr: desk.runs[index].atr.value(),
            scale: self.scale(desk).unwrap_or(Ratio::ONE),
        };
        let signal = SignalIntent {
            id: counters.signal.next(),
            strategy: settings.name,
            symbol: self.lane.instrument.symbol,
            timeframe: settings.timeframe.or(self.lane.timeframe).unwrap_or(Timeframe::D1),
            action: wanted.action,
            confidence: wanted.confidence,
            rule: wanted.reason.rule,
            inputs: wanted.reason.inputs,
            at: self.context.now,
        };
        (terms, signal)
    }

    /// A strategy that leaves one side may enter the other on the same bar: it is asked again as if nothing were held, and risk looks at
    /// the book without the position that is leaving. The broker fills the entry only after the exit.
    fn turn_round(
        &self,
        desk: &mut Desk,
        index: usize,
        situation: &mut Situation,
        counters: &mut Counters,
        out: &mut Outcome,
    ) -> Result<(), CycleError> {
        let verdict = Wanted::from(desk.runs[index].brain.judge(Holding::Flat));
        let Ok(wanted) = verdict.and_then(|wanted| self.permitted(desk, wanted)) else { return Ok(()) };
        if wanted.action == SignalAction::Exit {
            return Ok(());
        }
        let Some(held) = desk.book.position(self.lane.instrument.symbol) else { return Ok(()) };
        let price = self.lane.mark().unwrap_or_else(|| held.average_price());
        let at_stake = open_risk(held.quantity, price, held.protection.map(|levels| levels.stop))?;
        situation.release(held.symbol, at_stake)?;
        self.carry_out(desk, index, wanted, situation, counters, out)
    }
}

/// Takes back what is still entering, because the strategy turned round.
fn take_back_entry(
    desk: &mut Desk,
    signal: &SignalIntent,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let entry = desk.open_order(signal.symbol, Purpose::Entry).map(|order| order.id);
    let Some(entry) = entry.filter(|_| !context.dry_run) else { return Ok(()) };
    out.requests.push(risk::withdraw(entry));
    end(desk, entry, OrderAction::Cancel, "the strategy turned round", context, out)
}

/// Asks risk, and carries its answer out.
pub(super) fn put_before_risk(
    desk: &mut Desk,
    proposal: Proposal,
    situation: &mut Situation,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let counted = (proposal.purpose == Purpose::Entry).then(|| proposal.clone());
    let id = counters.order.next();
    let limits = desk.settings.terms_of(proposal.symbol).0;
    let kind = match risk::review(proposal, id, context.now, situation, limits)? {
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
