//! What may a person do with a whole book? Start, pause, stop, reset; each book alone, the others go on.

use crate::control::ShownOn;
use crate::domain::{
    Book, BookAction, Event, EventKind, Label, Money, OrderAction, OrderId, Purpose, ReduceCause, RunContext, Symbol,
    TradeId, TradingState,
};
use crate::risk::{self, TrackRecord};

use super::close::{close_all, close_position};
use super::desk::{Day, Desk, StateCause};
use super::fills::end;
use super::operate::MOVED;
use super::state::{Counters, Engine, Prices};
use super::{CycleError, Outcome, guard};

/// Carries out what was confirmed; in words, what became of it.
pub(super) fn operate(
    engine: &mut Engine,
    action: BookAction,
    name: Option<Label>,
    shown_on: &ShownOn,
    person: &str,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let (prices, desks, counters) = engine.split();
    let found = match (name, desks) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(name), desks) => desks.iter_mut().find(|desk| desk.name() == name),
    };
    let Some(desk) = found else { return Ok("there is no such book".to_owned()) };
    if !shown_on.has_book(desk.name(), desk.state, desk.since) {
        return Ok(MOVED.to_owned());
    }
    let name = desk.name();
    match action {
        BookAction::Start if desk.parked.is_none() => Ok(format!("{name} was neither paused nor stopped")),
        BookAction::Start => Ok(start(desk, person, context, out)),
        BookAction::Pause if desk.parked.is_some() => Ok(format!("{name} enters nothing already")),
        BookAction::Pause => {
            park(desk, ReduceCause::Paused { person: person.to_owned() }, context, out)?;
            Ok(format!("{name} is paused: no entries, exits and stops go on"))
        }
        BookAction::Stop => {
            park(desk, ReduceCause::Stopped { person: person.to_owned() }, context, out)?;
            let closing = close_all(desk, &stopped_by(person), prices, counters, context, out)?;
            desk.stopping = true;
            watch_stop(desk, prices, counters, context, out)?;
            let left = desk.book.positions.len() - closing;
            let waiting = if left == 0 { String::new() } else { format!(", {left} once the price is believed again") };
            Ok(format!("{name} is stopped: {closing} positions are closed at the next bar{waiting}"))
        }
        BookAction::Reset if !desk.book.positions.is_empty() => Ok(format!("{name} holds something: stop it first")),
        BookAction::Reset => {
            reset(desk, counters.trade, person, context, out)?;
            Ok(format!("{name} begins anew"))
        }
    }
}

/// Keeps a book from entering until a person starts it, whatever else keeps it from that meanwhile.
fn park(desk: &mut Desk, cause: ReduceCause, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    desk.parked = Some(cause.clone());
    if desk.state != TradingState::Halted {
        guard::reduce(desk, cause, None, context, out)?;
    }
    Ok(())
}

fn start(desk: &mut Desk, person: &str, context: &RunContext, out: &mut Outcome) -> String {
    (desk.parked, desk.stopping) = (None, false);
    let name = desk.name();
    if matches!(desk.cause, StateCause::Reduce(ReduceCause::Paused { .. } | ReduceCause::Stopped { .. })) {
        guard::set_running(desk, Some(person.to_owned()), context, out);
        return format!("{name} is running");
    }
    format!("{name} is started, and is {} still: /resume ends that", desk.state)
}

fn stopped_by(person: &str) -> String {
    format!("{person} stopped the book")
}

/// Closes what a stopped book could not close when it was stopped, and says with which result it ended once it holds nothing any more.
pub(super) fn watch_stop(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if !desk.stopping {
        return Ok(());
    }
    let because = match &desk.parked {
        Some(ReduceCause::Stopped { person }) => stopped_by(person),
        _ => "the book was stopped".to_owned(),
    };
    let left: Vec<Symbol> = desk.book.positions.iter().map(|held| held.symbol).collect();
    for symbol in &left {
        if prices.lane(*symbol).is_some_and(|lane| lane.lock.is_none()) {
            close_position(desk, *symbol, Purpose::Close, &because, prices, counters, context, out)?;
        }
    }
    if !left.is_empty() {
        return Ok(());
    }
    desk.stopping = false;
    let profit = desk.equity.minus(desk.book.capital).unwrap_or(Money::ZERO);
    let kind = EventKind::BookStopped { equity: desk.equity, profit };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Gives a book that holds nothing its capital back, and forgets what it learned from its trades.
fn reset(
    desk: &mut Desk,
    last: TradeId,
    person: &str,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let open: Vec<OrderId> = desk.orders.iter().map(|order| order.id).collect();
    for order in open {
        out.requests.push(risk::withdraw(order));
        end(desk, order, OrderAction::Cancel, "the book begins anew", context, out)?;
    }
    out.days.push(guard::day_record(desk));
    let (equity, capital, part) = (desk.equity, desk.book.capital, desk.day.part + 1);
    desk.book = Book::new(desk.name(), &desk.book.currency.clone(), capital);
    desk.equity = capital;
    desk.peak = capital;
    desk.day = Day { part, ..Day::containing(context.now, desk.settings.zone, capital) };
    desk.records.fill(TrackRecord::default());
    desk.ended.clear();
    desk.forgotten = last;
    desk.locks.clear();
    desk.drawdown_told = false;
    desk.revalue = true;
    let kind = EventKind::BookReset { equity, capital, person: person.to_owned() };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}
