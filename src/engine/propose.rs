//! What exactly would we order? Sized proposals from signals, before risk has seen them.

use crate::clock::Timestamp;
use crate::domain::{ExitPlan, Money, OrderKind, Price, Proposal, Purpose, Ratio, Side, SignalIntent, TimeInForce};
use crate::risk::{Limits, Situation, TrackRecord, Wish, size};
use crate::strategy::Plan;

use super::CycleError;
use super::desk::Desk;
use super::lane::Lane;
use super::survey::last_price;

/// How an entry was asked for, besides the signal itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntryTerms {
    /// Buy to be long, sell to be short.
    pub(super) side: Side,
    /// The strategy's own idea of how to leave.
    pub(super) plan: Plan,
    /// Which of the book's strategies asks.
    pub(super) strategy: usize,
    /// The average true range of the strategy's bars.
    pub(super) atr: Option<f64>,
    /// What the regime leaves of the usual size.
    pub(super) scale: Ratio,
}

/// The order that would open a position.
pub(super) fn propose_entry(
    desk: &Desk,
    lane: &Lane,
    signal: &SignalIntent,
    terms: &EntryTerms,
    situation: &Situation,
) -> Result<Proposal, CycleError> {
    let (limits, sizing) = desk.settings.terms_of(signal.symbol);
    let price = last_price(lane);
    let plan = exit_plan(terms, limits)?;
    let stop_distance = plan.map_or(Price::ZERO, |plan| plan.stop_distance).min(price);
    let record = desk.records.get(terms.strategy).copied().unwrap_or(TrackRecord::default());
    let own = desk.settings.strategies.get(terms.strategy).map_or(Ratio::ONE, |strategy| strategy.risk);
    let share = desk.settings.risk.times(own)?;
    let wish = Wish { symbol: signal.symbol, price, stop_distance, record: &record, scale: terms.scale, share };
    let quantity = size(sizing, wish, situation, limits)?;
    let tif = desk.settings.strategies.get(terms.strategy).map_or(TimeInForce::Gtc, |strategy| strategy.tif);
    Ok(Proposal {
        book: desk.name(),
        strategy: signal.strategy,
        signal: Some(signal.id),
        symbol: signal.symbol,
        side: terms.side,
        quantity,
        kind: OrderKind::Market,
        purpose: Purpose::Entry,
        reference: price,
        risk: quantity.value_at(if plan.is_some() { stop_distance } else { price })?,
        plan,
        tif,
        expires: (tif == TimeInForce::Day).then(|| session_end(lane, signal.at)),
        because: signal.rule.clone(),
        audit: None,
    })
}

/// When an order of the day ends: at the close of the session that is open, else of the next one.
fn session_end(lane: &Lane, now: Timestamp) -> Timestamp {
    lane.hours.session_at(now).unwrap_or_else(|| lane.hours.next_session(now)).close
}

/// Stop and target: the strategy's own distances, else the book's in average true ranges; none where no stop can be planned.
fn exit_plan(terms: &EntryTerms, limits: &Limits) -> Result<Option<ExitPlan>, CycleError> {
    if !limits.stops {
        return Ok(None);
    }
    let positive = |value: Option<f64>| value.and_then(Price::from_f64).filter(|price| *price > Price::ZERO);
    let atr = positive(terms.atr);
    let by_book = |factor| atr.map(|atr| atr.times(factor)).transpose();
    let stop = match positive(terms.plan.stop_distance) {
        Some(own) => Some(own),
        None => by_book(limits.stop_atr)?,
    };
    let target_distance = match positive(terms.plan.target_distance) {
        Some(own) => Some(own),
        None => by_book(limits.target_atr)?.filter(|distance| *distance > Price::ZERO),
    };
    let trailing = terms.plan.trailing.unwrap_or(!limits.trailing.is_zero());
    Ok(stop.map(|stop_distance| ExitPlan { stop_distance, target_distance, trailing }))
}

/// The order that would leave a position because its strategy says so.
pub(super) fn propose_exit(desk: &Desk, lane: &Lane, signal: &SignalIntent, situation: &Situation) -> Proposal {
    let held = situation.look.held;
    Proposal {
        book: desk.name(),
        strategy: signal.strategy,
        signal: Some(signal.id),
        symbol: signal.symbol,
        side: if held.units() < 0 { Side::Buy } else { Side::Sell },
        quantity: held.abs(),
        kind: OrderKind::Market,
        purpose: Purpose::Exit,
        reference: last_price(lane),
        risk: Money::ZERO,
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: signal.rule.clone(),
        audit: None,
    }
}
