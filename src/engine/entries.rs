//! What do the strategies want, and may they? Verdicts become signals, signals become sized proposals, and risk answers.

use crate::domain::{
    Event, EventKind, Holding, MarketSnapshot, OrderAction, Proposal, Purpose, Ratio, RunContext, Side, SignalAction,
    SignalIntent, Timeframe, TradingState,
};
use crate::risk::{self, RiskDecision, Situation, open_risk};
use crate::strategy::{Plan, Reason, Stay, Verdict};

use super::cycle::chain;
use super::desk::{Desk, Refused};
use super::fills::{end, place};
use super::lane::Lane;
use super::observe::observe;
use super::propose::{EntryTerms, propose_entry, propose_exit};
use super::spots::Spot;
use super::state::{Counters, Prices};
use super::survey::{holding, last_price, look_at, look_closer, survey};
use super::{CycleError, Outcome, schedule};

/// Why nothing is done about an entry that was refused on the bar before, too.
const REFUSED_STILL: &str = "what refused it before lets it enter now";

/// Shows the snapshot's bars to the strategies, asks those whose turn it is, and carries out what they want. Who runs per bar goes before
/// who runs by a schedule.
pub(super) fn judge(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    observe(desk, prices, snapshot, context, out);
    desk.look_around(|symbol| prices.place(symbol));
    let mut situation = None;
    let about = |index: usize, strategy| Judge { prices, index, lane: &prices.lanes[index], strategy, context };
    for seen in &snapshot.bars {
        for strategy in 0..desk.settings.strategies.len() {
            let settings = &desk.settings.strategies[strategy];
            if settings.schedule.is_none() && settings.decides_on(seen) {
                about(seen.instrument, strategy).run(desk, counters, &mut situation, out)?;
            }
        }
    }
    for (index, strategy) in schedule::due(desk, prices, context.now) {
        about(index, strategy).run(desk, counters, &mut situation, out)?;
    }
    Ok(())
}

/// One strategy deciding on one symbol.
pub(super) struct Judge<'a> {
    pub(super) prices: Prices<'a>,
    pub(super) index: usize,
    pub(super) lane: &'a Lane,
    pub(super) strategy: usize,
    pub(super) context: &'a RunContext,
}

/// What a strategy asks for, before it is a signal.
pub(super) struct Wanted {
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

/// What comes of a wish, with risk's answer to it. Nothing is changed or told yet.
struct Decision {
    signal: SignalIntent,
    side: Side,
    holds: bool,
    answer: Option<RiskDecision>,
}

impl Decision {
    /// The entry that is refused, if one is.
    fn refused(&self) -> Option<Refused> {
        let Some(RiskDecision::Refused { refusals, .. }) = &self.answer else { return None };
        if self.signal.action == SignalAction::Exit {
            return None;
        }
        let bit = |name: &str| risk::check_names().position(|known| known == name).map_or(0, |place| 1 << place);
        let checks = refusals.iter().fold(0, |all, refusal| all | bit(&refusal.check));
        Some(Refused { side: self.side, checks })
    }
}

impl Judge<'_> {
    /// Asks the strategy and carries out what it wants. One that leaves one side may enter the other on the same bar: it is asked again
    /// as if nothing were held, and the broker fills the entry only after the exit.
    fn run(
        &self,
        desk: &mut Desk,
        counters: &mut Counters,
        situation: &mut Option<Situation>,
        out: &mut Outcome,
    ) -> Result<(), CycleError> {
        desk.due[self.strategy].last = Some(self.context.now);
        let run = self.place(desk);
        desk.runs[run].judged = self.context.now;
        let Some(decision) = self.decide(desk, false, counters, situation, out) else { return Ok(()) };
        let leaves = decision.signal.action == SignalAction::Exit && decision.holds;
        self.carry_out(desk, decision, counters, out)?;
        if leaves
            && desk.is_leaving(self.lane.instrument.symbol)
            && let Some(decision) = self.decide(desk, true, counters, situation, out)
        {
            self.carry_out(desk, decision, counters, out)?;
        }
        Ok(())
    }

    /// Where the strategy's run for this symbol is.
    fn place(&self, desk: &Desk) -> usize {
        self.index * desk.settings.strategies.len() + self.strategy
    }

    /// What the strategy wants; none if nothing, or if it failed. What failed has changed nothing: it is tried once more, on fresh figures,
    /// and told when it fails again, once until it works.
    fn decide(
        &self,
        desk: &mut Desk,
        turning: bool,
        counters: &Counters,
        situation: &mut Option<Situation>,
        out: &mut Outcome,
    ) -> Option<Decision> {
        let run = self.place(desk);
        let mut failed = None;
        for _ in 0..2 {
            let wanted = match self.wish(desk, turning) {
                Ok(wanted) => wanted,
                Err(stay) => {
                    self.works(desk);
                    desk.runs[run].stay = Some(stay).filter(|_| !turning);
                    desk.runs[run].refused = None;
                    return None;
                }
            };
            match self.think(desk, wanted, turning, counters, situation) {
                Ok(decision) => {
                    self.works(desk);
                    let (before, refused) = (desk.runs[run].refused, decision.refused());
                    desk.runs[run].refused = refused;
                    let again = refused.is_some() && refused == before;
                    desk.runs[run].stay = again.then(|| Stay::new(REFUSED_STILL, 0.0, 1.0));
                    return Some(decision).filter(|_| !again);
                }
                Err(error) => failed = Some(error),
            }
            *situation = None;
        }
        if let Some(error) = failed {
            self.fails(desk, &error, out);
            desk.runs[run].stay = Some(Stay::new("the strategy could be run", 0.0, 1.0)).filter(|_| !turning);
        }
        None
    }

    /// Notes that a run failed, and tells it if the one before did not.
    fn fails(&self, desk: &mut Desk, error: &CycleError, out: &mut Outcome) {
        let (strategy, symbol) = (desk.settings.strategies[self.strategy].name, self.lane.instrument.symbol);
        if !desk.failing.contains(&(strategy, symbol)) {
            desk.failing.push((strategy, symbol));
            let kind = EventKind::StrategyFailed { strategy, symbol, error: chain(error) };
            out.tell(self.context.cycle, Event { at: self.context.now, book: Some(desk.name()), kind });
        }
    }

    /// Notes that a run did not fail.
    fn works(&self, desk: &mut Desk) {
        if !desk.failing.is_empty() {
            let own = (desk.settings.strategies[self.strategy].name, self.lane.instrument.symbol);
            desk.failing.retain(|failing| *failing != own);
        }
    }

    /// What the strategy asks for, if it may; else the rule that did not hold. One that is leaving is asked as if nothing were held.
    fn wish(&self, desk: &Desk, turning: bool) -> Result<Wanted, Stay> {
        if !turning {
            return self.wish_at(desk, desk.spots.of(self.index));
        }
        let wanted = Wanted::from(desk.runs[self.place(desk)].brain.judge(Holding::Flat))?;
        if wanted.action == SignalAction::Exit {
            return Err(Stay::new("it is not leaving already", 1.0, 0.0));
        }
        self.permitted(desk, wanted)
    }

    /// What the strategy asks for, if it may, by what the book has of the symbol.
    pub(super) fn wish_at(&self, desk: &Desk, spot: Spot) -> Result<Wanted, Stay> {
        let strategy = desk.settings.strategies[self.strategy].name;
        let held = holding(desk, spot, self.lane.instrument.symbol, strategy);
        let wanted = Wanted::from(desk.runs[self.place(desk)].brain.judge(held))?;
        self.permitted(desk, wanted)
    }

    /// From the wish to risk's answer. Only the figures that the proposals of an instant share are changed. Where the strategy turns
    /// round, risk looks at the book without the position that is leaving.
    fn think(
        &self,
        desk: &Desk,
        wanted: Wanted,
        turning: bool,
        counters: &Counters,
        situation: &mut Option<Situation>,
    ) -> Result<Decision, CycleError> {
        let shared = match situation {
            Some(shared) => shared,
            none => none.insert(survey(desk, self.prices)?),
        };
        look_at(shared, desk, self.lane, self.context);
        if turning {
            self.release(desk, shared)?;
        }
        let holds = !shared.look.held.is_zero();
        let (terms, signal) = self.signal(desk, wanted, counters);
        let proposal = match signal.action {
            SignalAction::EnterLong | SignalAction::EnterShort => {
                look_closer(shared, desk, self.prices, self.lane, terms.side, self.context);
                Some(propose_entry(desk, self.lane, &signal, &terms, shared)?)
            }
            SignalAction::Exit => holds.then(|| propose_exit(desk, self.lane, &signal, shared)),
        };
        let answer = proposal.map(|proposal| ask_risk(desk, proposal, shared, counters, self.context)).transpose()?;
        Ok(Decision { signal, side: terms.side, holds, answer })
    }

    /// Entries that nobody asked for here end as a reason why nothing was done.
    fn permitted(&self, desk: &Desk, wanted: Wanted) -> Result<Wanted, Stay> {
        if wanted.action == SignalAction::Exit {
            return self.may_leave(desk).map(|()| wanted);
        }
        let strategy = &desk.settings.strategies[self.strategy];
        if !strategy.enabled {
            return Err(Stay::new("the strategy is enabled", 0.0, 1.0));
        }
        if !strategy.symbols.is_empty() && !strategy.symbols.contains(&self.lane.instrument.symbol) {
            return Err(Stay::new("the strategy is for this symbol", 0.0, 1.0));
        }
        if self.lane.ended {
            return Err(Stay::new("another bar of it follows", 0.0, 1.0));
        }
        if let Some(rule) = desk.watch.against(self.index) {
            return Err(Stay::new(rule, 0.0, 1.0));
        }
        let wanted_confidence = strategy.min_confidence;
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

    /// What the regime leaves of the usual size; none if it gives this strategy no turn. A strategy that a person added for one symbol is
    /// in no row of the selector and always has its turn.
    fn scale(&self, desk: &Desk) -> Option<Ratio> {
        let Some(selector) = &desk.settings.selector else { return Some(Ratio::ONE) };
        if !desk.settings.strategies[self.strategy].symbols.is_empty() {
            return Some(Ratio::ONE);
        }
        let regime = desk.classifiers.get(self.index)?.regime()?;
        selector.allows(regime, desk.settings.strategies[self.strategy].name)
    }

    /// Tells the signal and does what risk allows. What fails here is no failure of the strategy.
    fn carry_out(
        &self,
        desk: &mut Desk,
        decision: Decision,
        counters: &mut Counters,
        out: &mut Outcome,
    ) -> Result<(), CycleError> {
        let Decision { signal, side, answer, .. } = decision;
        desk.spots.order(self.index);
        counters.signal = signal.id;
        let kind = EventKind::SignalRaised { signal: signal.clone() };
        out.tell(self.context.cycle, Event { at: self.context.now, book: Some(desk.name()), kind });
        if signal.action == SignalAction::Exit {
            take_back_entry(desk, &signal, self.context, out)?;
        } else {
            desk.measure(&signal, side, last_price(self.lane));
        }
        if let Some(answer) = answer {
            act_on(desk, answer, counters, self.context, out);
        }
        Ok(())
    }

    /// The wish as a signal, and the terms of an entry that follows it.
    pub(super) fn signal(&self, desk: &Desk, wanted: Wanted, counters: &Counters) -> (EntryTerms, SignalIntent) {
        let settings = &desk.settings.strategies[self.strategy];
        let terms = EntryTerms {
            side: if wanted.action == SignalAction::EnterShort { Side::Sell } else { Side::Buy },
            plan: wanted.plan,
            strategy: self.strategy,
            atr: desk.runs[self.place(desk)].atr.value(),
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

    /// Takes the position that is about to be left out of the figures.
    fn release(&self, desk: &Desk, situation: &mut Situation) -> Result<(), CycleError> {
        let Some(held) = desk.book.position(self.lane.instrument.symbol) else { return Ok(()) };
        let price = self.lane.mark().unwrap_or_else(|| held.average_price());
        let at_stake = open_risk(held.quantity, price, held.protection.map(|levels| levels.stop))?;
        Ok(situation.release(held.symbol, at_stake)?)
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

/// Asks risk. An entry that it approves is counted in the figures, so that two that each fit cannot together break a limit.
fn ask_risk(
    desk: &Desk,
    proposal: Proposal,
    situation: &mut Situation,
    counters: &Counters,
    context: &RunContext,
) -> Result<RiskDecision, CycleError> {
    let counted = (proposal.purpose == Purpose::Entry).then(|| proposal.clone());
    let limits = desk.settings.terms_of(proposal.symbol).0;
    let answer = risk::review(proposal, counters.order.next(), context.now, situation, limits)?;
    if let (RiskDecision::Approved { .. }, Some(entry)) = (&answer, counted) {
        situation.count(&entry)?;
    }
    Ok(answer)
}

/// Carries risk's answer out.
fn act_on(desk: &mut Desk, answer: RiskDecision, counters: &mut Counters, context: &RunContext, out: &mut Outcome) {
    let kind = match answer {
        RiskDecision::Refused { proposal, refusals } => EventKind::ProposalRefused { proposal, refusals },
        RiskDecision::Approved { request, checks } => {
            let risk::Instruction::Place(order) = request.instruction() else { return };
            let order = order.clone();
            counters.order = order.id;
            if order.purpose == Purpose::Entry {
                desk.day.entries += u64::from(!context.dry_run);
                desk.revalue = true;
            }
            if context.dry_run {
                EventKind::OrderWithheld { order, checks }
            } else {
                place(desk, request, context, out);
                EventKind::OrderSubmitted { order, checks }
            }
        }
    };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
}
