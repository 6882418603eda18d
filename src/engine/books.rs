//! What may a person do with a whole book? Start, pause, stop, reset; each book alone, the others go on.

use crate::control::ShownOn;
use crate::domain::{
    Book, BookAction, Event, EventKind, Label, Money, OrderAction, OrderId, ReduceCause, RunContext, TradingState,
};
use crate::risk::{self, TrackRecord};

use super::close::close_all;
use super::fills::end;
use super::operate::MOVED;
use super::state::{Day, Desk, Engine, StateCause};
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
        BookAction::Start if waits(desk) => {
            desk.stopping = false;
            guard::set_running(desk, Some(person.to_owned()), context, out);
            Ok(format!("{name} is running"))
        }
        BookAction::Start => Ok(format!("{name} was neither paused nor stopped")),
        BookAction::Pause if desk.state != TradingState::Running => Ok(format!("{name} enters nothing already")),
        BookAction::Pause => {
            guard::reduce(desk, ReduceCause::Paused { person: person.to_owned() }, None, context, out)?;
            Ok(format!("{name} is paused: no entries, exits and stops go on"))
        }
        BookAction::Stop => {
            if desk.state != TradingState::Halted {
                guard::reduce(desk, ReduceCause::Stopped { person: person.to_owned() }, None, context, out)?;
            }
            let because = format!("{person} stopped the book");
            let closing = close_all(desk, &because, prices, counters, context, out)?;
            desk.stopping = true;
            watch_stop(desk, context, out);
            Ok(format!("{name} is stopped: {closing} positions are closed at the next bar"))
        }
        BookAction::Reset if !desk.book.positions.is_empty() => Ok(format!("{name} holds something: stop it first")),
        BookAction::Reset => {
            reset(desk, person, context, out)?;
            Ok(format!("{name} begins anew"))
        }
    }
}

/// True for a book that a person paused or stopped.
fn waits(desk: &Desk) -> bool {
    matches!(desk.cause, StateCause::Reduce(ReduceCause::Paused { .. } | ReduceCause::Stopped { .. }))
}

/// Says with which result a stopped book ended, once it holds nothing any more.
pub(super) fn watch_stop(desk: &mut Desk, context: &RunContext, out: &mut Outcome) {
    if !desk.stopping || !desk.book.positions.is_empty() {
        return;
    }
    desk.stopping = false;
    let profit = desk.equity.minus(desk.book.capital).unwrap_or(Money::ZERO);
    let kind = EventKind::BookStopped { equity: desk.equity, profit };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
}

/// Gives a book that holds nothing its capital back, and forgets what it learned from its trades.
fn reset(desk: &mut Desk, person: &str, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    let open: Vec<OrderId> = desk.orders.iter().map(|order| order.id).collect();
    for order in open {
        out.requests.push(risk::withdraw(order));
        end(desk, order, OrderAction::Cancel, "the book begins anew", context, out)?;
    }
    let (equity, capital) = (desk.equity, desk.book.capital);
    desk.book = Book::new(desk.name(), &desk.book.currency.clone(), capital);
    desk.equity = capital;
    desk.peak = capital;
    desk.day = Day { entries: 0, ..Day::containing(context.now, desk.settings.zone, capital) };
    desk.records.fill(TrackRecord::default());
    desk.ended.clear();
    desk.locks.clear();
    desk.drawdown_told = false;
    desk.revalue = true;
    let kind = EventKind::BookReset { equity, capital, person: person.to_owned() };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}
