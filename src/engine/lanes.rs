//! Can this price be believed? Splits, locks and missing bars, before anything may fill or decide on a snapshot.

use crate::domain::{
    Event, EventKind, Label, LiftReason, MarketSnapshot, Price, Quantity, Ratio, RunContext, SnapshotBar, Split,
};
use crate::execution::split_order;
use crate::indicators::Indicator;
use crate::portfolio::apply_split;
use crate::risk::Limits;

use super::desk::Desk;
use super::lane::Lock;
use super::state::Engine;
use super::{CycleError, Outcome};

/// A lock lifts by itself when the price is back within this share of where it was.
const CAME_BACK: Ratio = Ratio::from_percent(20);
/// Limits by which a symbol is locked, or its prices count as old, for every book that trades it.
pub(super) const SHARED: &[&str] = &["lock_move_pct", "lock_sessions", "data_age_bars"];

/// Follows a split in prices and strategies.
pub(super) fn rescale(engine: &mut Engine, split: Split) -> Result<(), CycleError> {
    let (new, old) = (split.numerator, split.denominator);
    let lane = &mut engine.lanes[split.instrument];
    if let Some(bar) = &mut lane.last {
        lane.split_after = Some(lane.last_end);
        bar.close = bar.close.scaled(old, new)?;
    }
    if let Some(lock) = &mut lane.lock {
        lock.before = lock.before.scaled(old, new)?;
    }
    lane.believed = lane.believed.map(|close| close.scaled(old, new)).transpose()?;
    lane.atr.rescale(new, old);
    lane.history.rescale(new, old);
    for desk in &mut engine.desks {
        let count = desk.settings.strategies.len();
        for run in &mut desk.runs[split.instrument * count..(split.instrument + 1) * count] {
            run.brain.rescale(new, old);
            run.atr.rescale(new, old);
        }
        if let Some(classifier) = desk.classifiers.get_mut(split.instrument) {
            classifier.rescale(new, old);
        }
    }
    Ok(())
}

/// Follows a split in books and open orders.
pub(super) fn split_books(
    engine: &mut Engine,
    split: Split,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let symbol = engine.lanes[split.instrument].instrument.symbol;
    let (new, old) = (split.numerator, split.denominator);
    for desk in &mut engine.desks {
        apply_split(&mut desk.book, symbol, split)?;
        for measure in desk.measures.iter_mut().filter(|measure| measure.symbol == symbol) {
            measure.price = measure.price.scaled(old, new)?;
        }
        for order in desk.orders.iter_mut().filter(|order| order.symbol == symbol) {
            split_order(order, new, old)?;
            out.orders.push(order.clone());
        }
        if let Some(held) = desk.book.position(symbol) {
            desk.revalue = true;
            let ratio = Ratio::ONE.scaled(new, old)?;
            let kind = EventKind::SplitApplied { symbol, ratio, quantity: held.quantity };
            out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
        }
    }
    Ok(())
}

/// Takes the snapshot's finest bars into the lanes; notices prices that stopped, came back, or moved too far to be believed.
pub(super) fn admit(engine: &mut Engine, snapshot: &MarketSnapshot, context: &RunContext, out: &mut Outcome) {
    for seen in snapshot.bars.iter().filter(|seen| seen.is_finest) {
        let confirmed = snapshot.confirmed.contains(&seen.instrument);
        let limits = LaneLimits::of(engine, seen.instrument);
        admit_bar(engine, seen, confirmed, limits, context, out);
    }
    for index in 0..engine.lanes.len() {
        let lane = &engine.lanes[index];
        if lane.ended || lane.stale.is_some() {
            continue;
        }
        let missing = lane.bars_missing(context.now);
        if missing > 0 && missing >= LaneLimits::of(engine, index).age_bars {
            let lane = &mut engine.lanes[index];
            lane.stale = Some(lane.last_end);
            lane.touched = true;
            let kind = EventKind::FeedStale { symbol: lane.instrument.symbol, since: lane.last_end };
            out.tell(context.cycle, Event { at: context.now, book: None, kind });
        }
    }
}

/// A symbol is shared by all books that trade it, so the limits of the most cautious of these decide over its lock.
#[derive(Clone, Copy)]
struct LaneLimits {
    lock_move: Ratio,
    lock_sessions: u64,
    age_bars: u64,
}

impl LaneLimits {
    /// Of what nobody trades, all books decide.
    fn of(engine: &Engine, lane: usize) -> Self {
        let is_traded = engine.desks.len() > 1 && engine.desks.iter().any(|desk| trades(engine, desk, lane));
        let mut limits = Self { lock_move: Ratio::MAX, lock_sessions: 0, age_bars: u64::MAX };
        for desk in engine.desks.iter().filter(|desk| !is_traded || trades(engine, desk, lane)) {
            let own = &desk.settings.limits;
            limits.lock_move = limits.lock_move.min(if own.enforced { own.lock_move_pct } else { Ratio::MAX });
            limits.lock_sessions = limits.lock_sessions.max(Limits::count(own.lock_sessions));
            limits.age_bars = limits.age_bars.min(Limits::count(own.data_age_bars));
        }
        limits
    }
}

/// Whether a book may enter a lane's symbol, or holds it.
fn trades(engine: &Engine, desk: &Desk, lane: usize) -> bool {
    desk.lists(lane) || desk.book.position(engine.lanes[lane].instrument.symbol).is_some()
}

/// The other books that trade something of what this one trades.
pub(super) fn sharing(engine: &Engine, desk: &Desk) -> impl Iterator<Item = Label> {
    let others = engine.desks.iter().filter(|other| other.name() != desk.name());
    let shares =
        |other: &&Desk| (0..engine.lanes.len()).any(|lane| trades(engine, desk, lane) && trades(engine, other, lane));
    others.filter(shares).map(Desk::name)
}

fn distance(from: Price, to: Price) -> Ratio {
    to.minus(from).map_or(Ratio::MAX, |gap| gap.abs().share_of(from))
}

fn admit_bar(
    engine: &mut Engine,
    seen: &SnapshotBar,
    confirmed: bool,
    limits: LaneLimits,
    context: &RunContext,
    out: &mut Outcome,
) {
    let symbol = engine.lanes[seen.instrument].instrument.symbol;
    // What is held is asked for only where it matters: this runs for every bar.
    let (lanes, desks) = (&mut engine.lanes, &engine.desks);
    let held = || -> i64 {
        desks.iter().filter_map(|desk| desk.book.position(symbol)).map(|held| held.quantity.abs().units()).sum()
    };
    let lane = &mut lanes[seen.instrument];
    let mut tell = |kind| out.tell(context.cycle, Event { at: context.now, book: None, kind });
    let missing = if lane.last.is_some() { lane.bars_missing(context.now).saturating_sub(1) } else { 0 };
    if missing >= limits.age_bars || lane.stale.is_some() {
        let since = lane.stale.take().unwrap_or(lane.last_end);
        tell(EventKind::FeedRecovered { symbol, since, bars_missing: missing });
    }
    let bar = seen.bar;
    let gap = lane.last.filter(|_| !confirmed).map(|last| (last, distance(last.close, bar.open)));
    lane.suspended = lane.lock.is_some();
    if let (Some((last, gap)), None) = (gap, lane.lock)
        && gap >= limits.lock_move
    {
        lane.lock = Some(Lock { before: last.close, since: context.now, sessions: 0 });
        lane.suspended = true;
        let quantity = Quantity::from_units(held());
        tell(EventKind::SymbolLocked { symbol, before: last.close, after: bar.open, quantity });
    }
    let new_session = lane.last.is_none_or(|last| seen.opens.utc().date_naive() != last.start.utc().date_naive());
    lane.last_move = lane.last.map_or(Ratio::ZERO, |last| distance(last.close, bar.close));
    lane.follow(&bar, context.now);
    lane.last_opens = seen.opens;
    lane.last_end = context.now;
    lane.touched = true;
    lane.ended = seen.is_last;
    lane.timeframe = Some(seen.timeframe);
    if let Some(reason) =
        lane.lock.as_mut().and_then(|lock| lift_reason(lock, bar.close, new_session, held() == 0, limits))
    {
        lane.lock = None;
        tell(EventKind::SymbolUnlocked { symbol, reason });
    }
}

/// Why the lock lifts by itself after this bar, if it does.
fn lift_reason(lock: &mut Lock, close: Price, new_session: bool, flat: bool, limits: LaneLimits) -> Option<LiftReason> {
    if distance(lock.before, close) <= CAME_BACK {
        return Some(LiftReason::CameBack);
    }
    lock.sessions += u32::from(new_session);
    let stood = u64::from(lock.sessions) > limits.lock_sessions;
    (flat && stood).then_some(LiftReason::StoodFlat { sessions: lock.sessions - 1 })
}
