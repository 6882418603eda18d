//! What does one cycle do? Everything between a snapshot and its outcome, without I/O: the same in every mode.

use crate::domain::{
    AmountError, Event, EventKind, HaltCause, MarketSnapshot, Ratio, RunContext, Side, TransitionError,
};
use crate::execution::{BrokerError, PaperBroker, Report};

use super::desk::{Desk, MEASURE_BARS};
use super::state::Engine;
use super::{Outcome, books, carry, entries, fills, guard, lanes, observe, schedule, screen, thresholds};

/// A cycle that could not be finished. It is a bug or an absurd amount, never an everyday matter.
#[derive(Debug, thiserror::Error)]
pub enum CycleError {
    /// An amount does not fit.
    #[error("an amount does not fit")]
    Amount(#[from] AmountError),
    /// An order took a step that the table does not list.
    #[error("an order took an impossible step")]
    Transition(#[from] TransitionError),
    /// The broker did not do as told.
    #[error("the broker did not do as told")]
    Broker(#[from] BrokerError),
}

/// Shows bars from before the first decision: prices and indicators follow, nothing is decided.
///
/// # Errors
/// When an amount does not fit.
pub fn warm(engine: &mut Engine, snapshot: &MarketSnapshot, context: &RunContext) -> Result<(), CycleError> {
    let mut unheard = Outcome::default();
    for split in &snapshot.splits {
        // Books and orders already are what the store says; only prices and indicators have to follow.
        lanes::rescale(engine, *split)?;
    }
    lanes::admit(engine, snapshot, context, &mut unheard);
    let (prices, desks, _) = engine.split();
    for desk in desks {
        observe::observe(desk, prices, snapshot, context, &mut unheard);
        // Firings of the past are over; a symbol whose session was closed then still waits for it.
        schedule::due(desk, prices, context.now);
    }
    Ok(())
}

/// One cycle: splits, locks, fills of what was working, then `decide`, then the broker is told.
///
/// # Errors
/// When something broke that must hold; the desks are halted then, and the outcome says so.
pub fn cycle(
    engine: &mut Engine,
    broker: &mut PaperBroker,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    engine.counters.cycle = context.cycle;
    let mut reports = Vec::new();
    let result = fill_and_decide(engine, broker, snapshot, context, &mut reports, out);
    let told = tell_broker(broker, out);
    result.and(told)
}

fn fill_and_decide(
    engine: &mut Engine,
    broker: &mut PaperBroker,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    reports: &mut Vec<Report>,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    follow(engine, broker, snapshot, context, out)?;
    let (lanes, desks) = (&engine.lanes, &engine.desks);
    let costs = |order: &crate::domain::Order| {
        let desk = desks.iter().find(|desk| desk.name() == order.book).unwrap_or(&desks[0]);
        desk.settings.costs_of(order.symbol)
    };
    let filled = broker.fill(snapshot, costs, |instrument| lanes[instrument].suspended, reports);
    // What the broker did before it failed has happened: the books must know of it.
    decide(engine, snapshot, reports, context, out);
    filled.map_err(CycleError::from)
}

/// Follows splits and prices, before anything may fill on them.
///
/// # Errors
/// When an amount does not fit.
pub fn follow(
    engine: &mut Engine,
    broker: &mut PaperBroker,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    for split in &snapshot.splits {
        lanes::rescale(engine, *split)?;
        lanes::split_books(engine, *split, context, out)?;
        broker.apply_split(*split)?;
    }
    lanes::admit(engine, snapshot, context, out);
    Ok(())
}

fn tell_broker(broker: &mut PaperBroker, out: &mut Outcome) -> Result<(), CycleError> {
    let mut result = Ok(());
    for request in out.requests.drain(..) {
        let told = broker.submit(request).map_err(CycleError::from);
        result = result.and(told);
    }
    result
}

/// Decides on a snapshot: pure and synchronous, (state, inputs, now) to outcome. A desk in which something impossible happened is
/// halted and says so; the others go on.
pub fn decide(
    engine: &mut Engine,
    snapshot: &MarketSnapshot,
    reports: &[Report],
    context: &RunContext,
    out: &mut Outcome,
) {
    let (prices, desks, counters) = engine.split();
    for desk in desks {
        let mut step = || -> Result<(), CycleError> {
            guard::roll_day(desk, prices, context, out)?;
            carry::carry(desk, prices, snapshot, context, out)?;
            fills::take_reports(desk, prices, counters, reports, context, out)?;
            follow_prices(desk, prices, context, out)?;
            guard::watch_losses(desk, prices, counters, context, out)?;
            thresholds::watch_day(desk, context, out);
            books::watch_stop(desk, prices, counters, context, out)?;
            guard::watch_market(desk, prices, snapshot, context, out)?;
            carry::call_margin(desk, prices, counters, context, out)?;
            screen::screen_if_due(desk, prices, context, out);
            entries::judge(desk, prices, counters, snapshot, context, out)
        };
        if let Err(error) = step() {
            let what = chain(&error);
            let halted = guard::halt(desk, HaltCause::BrokenInvariant { what: what.clone() }, context, out);
            if halted.is_err() {
                let kind = EventKind::TradingHalted {
                    cause: HaltCause::BrokenInvariant { what },
                    cancelled: 0,
                    positions: desk.book.positions.len(),
                };
                out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
            }
        }
    }
}

/// An error with its cause, as one line.
pub(super) fn chain(error: &CycleError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Measures what became of entry signals some bars later, whether they were traded or not.
fn measure_signals(desk: &mut Desk, prices: super::state::Prices<'_>, context: &RunContext, out: &mut Outcome) {
    if desk.measures.is_empty() {
        return;
    }
    let book = desk.name();
    desk.measures.retain_mut(|measure| {
        let Some(bar) = prices.lane(measure.symbol).and_then(|lane| lane.bar_at(context.now)) else { return true };
        measure.left = measure.left.saturating_sub(1);
        if measure.left > 0 {
            return true;
        }
        let moved = bar.close.minus(measure.price).map(|moved| moved.share_of(measure.price));
        let outcome =
            moved.map_or(Ratio::ZERO, |moved| if measure.side == Side::Sell { moved.negated() } else { moved });
        let (signal, strategy, symbol) = (measure.signal, measure.strategy, measure.symbol);
        let kind = EventKind::SignalMeasured { signal, strategy, symbol, bars: MEASURE_BARS, outcome };
        out.tell(context.cycle, Event { at: context.now, book: Some(book), kind });
        false
    });
}

/// Lets trailing stops follow, and says which positions have none.
fn follow_prices(
    desk: &mut Desk,
    prices: super::state::Prices<'_>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    measure_signals(desk, prices, context, out);
    for place in 0..desk.book.positions.len() {
        let held = &mut desk.book.positions[place];
        let symbol = held.symbol;
        let believed = prices.lane(symbol).filter(|lane| !lane.suspended);
        if let Some(bar) = believed.and_then(|lane| lane.bar_at(context.now)) {
            held.note_range(bar.high, bar.low);
            fills::trail(desk, place, &bar, context, out)?;
            thresholds::watch_position(desk, place, bar.close, context, out)?;
        }
    }
    fills::alarm_unprotected(desk, context, out);
    Ok(())
}
