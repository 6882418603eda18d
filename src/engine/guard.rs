//! Has the book lost too much? Its day, its loss limits and its trading state.

use crate::clock::Timestamp;
use crate::domain::{
    Event, EventKind, HaltCause, MarketSnapshot, OrderAction, OrderId, Purpose, Ratio, ReduceCause, RunContext,
    TradingState,
};
use crate::portfolio::equity;
use crate::risk::{self, Limits};
use crate::store::DayRow;

use super::close::close_all;
use super::desk::{Day, Desk, StateCause};
use super::fills::{end, losses};
use super::state::{Counters, Prices};
use super::{CycleError, LossAction, Outcome, carry};

/// Ends the book's day if the snapshot belongs to a later one. What was lost overnight counts for the new day.
pub(super) fn roll_day(
    desk: &mut Desk,
    prices: Prices<'_>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if context.now < desk.day.ends {
        return Ok(());
    }
    let next = Day::containing(context.now, desk.settings.zone, desk.equity);
    if let Some((last, now)) = desk.day.date.zip(next.date) {
        let days = u32::try_from((now - last).num_days()).unwrap_or(0);
        carry::pay_lenders(desk, prices, days, context, out)?;
        let record = day_record(desk);
        if desk.day.trades > 0 {
            let kind = EventKind::DayClosed {
                day: record.day.clone(),
                profit: desk.day_profit(),
                equity: desk.equity,
                trades: desk.day.trades,
            };
            out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
        }
        out.days.push(record);
    }
    desk.day = next;
    desk.revalue = true;
    match desk.cause {
        StateCause::Reduce(ReduceCause::DailyLoss { .. }) => go_on(desk, None, context, out),
        _ => Ok(()),
    }
}

/// The book's day as it stands.
pub(super) fn day_record(desk: &Desk) -> DayRow {
    DayRow {
        book: desk.name(),
        day: desk.day.date.map_or_else(String::new, |date| date.to_string()),
        part: desk.day.part,
        start: desk.day.start,
        end: desk.equity,
        realised: desk.book.realised,
        fees: desk.book.fees,
        trades: desk.day.trades,
    }
}

/// A limit that the losses of a book have reached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Breach {
    /// It fell so far from its peak that it halts.
    Halts {
        /// How far.
        drawdown: Ratio,
        /// The limit.
        limit: Ratio,
    },
    /// It fell so far that it enters nothing until somebody resumes.
    Reduces {
        /// How far.
        drawdown: Ratio,
        /// The limit.
        limit: Ratio,
    },
    /// The day lost so much that it does what it is set to do then.
    Day {
        /// How much.
        loss: Ratio,
        /// The limit.
        limit: Ratio,
    },
}

/// Which of these limits a day's loss and a fall from the peak reach that the book has not answered yet.
pub(super) fn breach(desk: &Desk, limits: &Limits, (loss, drawdown): (Ratio, Ratio)) -> Option<Breach> {
    let is_halted = desk.state == TradingState::Halted;
    if !limits.enforced {
        None
    } else if drawdown >= limits.drawdown_pct && !is_halted {
        Some(Breach::Halts { drawdown, limit: limits.drawdown_pct })
    } else if is_halted {
        None
    } else if drawdown >= limits.drawdown_reduce_pct && !waits_for_a_person(desk) {
        Some(Breach::Reduces { drawdown, limit: limits.drawdown_reduce_pct })
    } else if loss >= limits.daily_loss_pct && (desk.state == TradingState::Running || !desk.day.loss_told) {
        Some(Breach::Day { loss, limit: limits.daily_loss_pct })
    } else {
        None
    }
}

/// Values the book and compares its losses with their limits.
pub(super) fn watch_losses(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let now = equity(&desk.book, |symbol| prices.mark(symbol))?;
    if now == desk.equity && !desk.revalue {
        return Ok(());
    }
    desk.revalue = false;
    desk.equity = now;
    desk.peak = desk.peak.max(now);
    let limits = &desk.settings.limits;
    if !limits.enforced {
        return Ok(());
    }
    let (day_loss, drawdown) = losses(desk);
    let loss_limit = limits.daily_loss_pct;
    let (warn_at, reduce_at) = (limits.drawdown_warn_pct, limits.drawdown_reduce_pct);
    let breach = breach(desk, limits, (day_loss, drawdown));
    if desk.drawdown_told && drawdown < warn_at {
        desk.drawdown_told = false;
    }
    match breach {
        Some(Breach::Halts { drawdown, limit }) => {
            return halt(desk, HaltCause::Drawdown { drawdown, limit }, context, out);
        }
        Some(Breach::Reduces { drawdown, limit }) => {
            return reduce(desk, ReduceCause::Drawdown { drawdown, limit }, None, context, out);
        }
        Some(Breach::Day { loss, .. }) => return stop_the_day(desk, loss, prices, counters, context, out),
        None if desk.state == TradingState::Halted => return Ok(()),
        None => {}
    }
    if !desk.drawdown_told && drawdown >= warn_at {
        desk.drawdown_told = true;
        let kind = EventKind::DrawdownNear { drawdown, limit: reduce_at };
        out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    }
    // Whoever heard of the limit itself needs not hear that it is near.
    if !desk.day.near_told && !desk.day.loss_told && day_loss >= loss_limit.times(limits.daily_loss_near_pct)? {
        desk.day.near_told = true;
        desk.revalue = true;
        let kind = EventKind::DailyLossNear { day: desk.day_profit(), loss: day_loss, limit: loss_limit };
        out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    }
    Ok(())
}

/// True for a book that is halted, or fell so far that it enters nothing until a person resumes it.
pub(super) fn waits_for_a_person(desk: &Desk) -> bool {
    matches!(desk.cause, StateCause::Halt(_) | StateCause::Reduce(ReduceCause::Drawdown { .. }))
}

/// True for a book that would enter if nobody had paused or stopped it. What else keeps a book from entering goes before that.
pub(super) fn only_people_hold(desk: &Desk) -> bool {
    matches!(desk.cause, StateCause::Reduce(ReduceCause::Paused { .. } | ReduceCause::Stopped { .. }))
}

/// The day's loss reached its limit: the book does what it is set to do then. One that waits for a person goes on waiting.
fn stop_the_day(
    desk: &mut Desk,
    loss: Ratio,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let (limit, until) = (desk.settings.limits.daily_loss_pct, Some(desk.day.ends));
    desk.day.loss_told = true;
    let closing = match desk.settings.daily_loss {
        LossAction::Halt => return halt(desk, HaltCause::DailyLoss { loss, limit }, context, out),
        LossAction::Flatten => close_all(desk, "the day's loss reached its limit", prices, counters, context, out)?,
        LossAction::Reduce => 0,
    };
    let cause = ReduceCause::DailyLoss { loss, limit, closing };
    if !waits_for_a_person(desk) {
        desk.breaker_until = None;
        return reduce(desk, cause, until, context, out);
    }
    let kind = EventKind::TradingReduced { cause, day: desk.day_profit(), until: None };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Stops entries for a while when the book's symbols together move far more than usual, and lets them go on after it.
pub(super) fn watch_market(
    desk: &mut Desk,
    prices: Prices<'_>,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if let Some(until) = desk.breaker_until {
        if context.now >= until {
            desk.breaker_until = None;
            if matches!(desk.cause, StateCause::Reduce(ReduceCause::Breaker { .. })) {
                return go_on(desk, None, context, out);
            }
        }
        return Ok(());
    }
    let would_enter = desk.state == TradingState::Running || only_people_hold(desk);
    if !would_enter || !desk.settings.limits.enforced {
        return Ok(());
    }
    let (mut sum, mut count) = (0.0, 0u32);
    for seen in snapshot.bars.iter().filter(|seen| seen.is_finest) {
        if let Some(stretch) = prices.lanes[seen.instrument].stretch.filter(|_| desk.lists(seen.instrument)) {
            (sum, count) = (sum + stretch, count + 1);
        }
    }
    let limit = desk.settings.limits.breaker_atr;
    let value = Ratio::from_f64(sum / f64::from(count.max(1))).unwrap_or(Ratio::MAX);
    if count == 0 || value < limit {
        return Ok(());
    }
    let until = breaker_end(desk, prices, snapshot, context);
    desk.breaker_until = Some(until);
    reduce(desk, ReduceCause::Breaker { value, limit }, Some(until), context, out)
}

/// When every market that moved has had as many bars as the breaker holds for.
fn breaker_end(desk: &Desk, prices: Prices<'_>, snapshot: &MarketSnapshot, context: &RunContext) -> Timestamp {
    let bars = Limits::count(desk.settings.limits.breaker_bars);
    let mut markets = Vec::new();
    for seen in snapshot.bars.iter().filter(|seen| seen.is_finest && desk.lists(seen.instrument)) {
        let market = (prices.lanes[seen.instrument].hours, seen.timeframe);
        if !markets.contains(&market) {
            markets.push(market);
        }
    }
    let ends = markets.into_iter().map(|(hours, timeframe)| hours.end_of_bars(timeframe, context.now, bars));
    ends.max().unwrap_or(context.now)
}

/// Takes back the open entries; how many there were.
fn cancel_entries(desk: &mut Desk, context: &RunContext, out: &mut Outcome) -> Result<usize, CycleError> {
    let open = desk.orders.iter().filter(|order| order.purpose == Purpose::Entry);
    let doomed: Vec<OrderId> = open.map(|order| order.id).collect();
    for order in &doomed {
        out.requests.push(risk::withdraw(*order));
        end(desk, *order, OrderAction::Cancel, "trading stopped", context, out)?;
    }
    Ok(doomed.len())
}

/// Halts: working entries are cancelled; exits that are out already and protective orders stay.
pub(super) fn halt(
    desk: &mut Desk,
    cause: HaltCause,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if desk.state == TradingState::Halted {
        return Ok(());
    }
    let cancelled = cancel_entries(desk, context, out)?;
    set_state(desk, TradingState::Halted, StateCause::Halt(cause.clone()), context);
    let kind = EventKind::TradingHalted { cause, cancelled, positions: desk.book.positions.len() };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Stops entries; exits and stops go on.
pub(super) fn reduce(
    desk: &mut Desk,
    cause: ReduceCause,
    until: Option<Timestamp>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    cancel_entries(desk, context, out)?;
    set_state(desk, TradingState::Reducing, StateCause::Reduce(cause.clone()), context);
    let kind = EventKind::TradingReduced { cause, day: desk.day_profit(), until };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Ends what kept a book from entering: it enters again, unless somebody paused or stopped it meanwhile or before.
pub(super) fn go_on(
    desk: &mut Desk,
    person: Option<&str>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if waits_for_a_person(desk) {
        // The fall from the peak is counted anew, or it would stop at once again.
        desk.peak = desk.equity;
    }
    if let Some(cause) = desk.parked.clone() {
        return reduce(desk, cause, desk.parked_until, context, out);
    }
    let from = desk.state;
    set_state(desk, TradingState::Running, StateCause::None, context);
    let kind = EventKind::TradingResumed { from, person: person.map(str::to_owned) };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

fn set_state(desk: &mut Desk, state: TradingState, cause: StateCause, context: &RunContext) {
    desk.state = state;
    desk.cause = cause;
    desk.since = context.now;
    desk.revalue = true;
}
