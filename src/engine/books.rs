//! What may a person do with a whole book? Start, pause, stop, reset; each book alone, the others go on.

use crate::clock::Timestamp;
use crate::control::Confirmed;
use crate::domain::format::time;
use crate::domain::{
    Book, BookAction, Event, EventKind, Label, LockCause, Money, Note, OrderAction, OrderId, Preview, Purpose,
    ReduceCause, RunContext, Symbol, TradeId, TradingState,
};
use crate::risk::{self, TrackRecord};

use super::close::{close_all, close_position};
use super::desk::{Day, Desk, StateCause};
use super::fills::end;
use super::operate::{MOVED, was_shown};
use super::plan::{Asked, PlanError, plan};
use super::state::{Counters, Engine, Prices};
use super::{CycleError, Outcome, guard};

/// Carries out what was confirmed; in words, what became of it.
pub(super) fn operate(
    engine: &mut Engine,
    (action, name): (BookAction, Option<Label>),
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let person = confirmed.person();
    if let (BookAction::Stop, Some(why)) = (action, stop_moved(engine, confirmed, context)?) {
        return Ok(format!("not done: {why}; ask again"));
    }
    let (prices, desks, counters) = engine.split();
    let found = match (name, desks) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(name), desks) => desks.iter_mut().find(|desk| desk.name() == name),
    };
    let Some(desk) = found else { return Ok("there is no such book".to_owned()) };
    let mut now = Preview::default();
    now.add_book(desk.name(), desk.state, desk.since);
    now.add_pause(desk.name(), desk.parked.as_ref(), desk.parked_until);
    if matches!(action, BookAction::Pause | BookAction::Reset) {
        now.add_entries(&desk.orders);
    }
    if !was_shown(confirmed, &now) {
        return Ok(MOVED.to_owned());
    }
    let name = desk.name();
    match action {
        BookAction::Start if desk.parked.is_none() => Ok(format!("{name} was neither paused nor stopped")),
        BookAction::Start => start(desk, person, context, out),
        BookAction::Pause if desk.parked.is_some() => Ok(format!("{name} enters nothing already")),
        BookAction::Pause => {
            park(desk, ReduceCause::Paused { person: person.to_owned() }, None, context, out)?;
            Ok(format!("{name} is paused: no entries, exits and stops go on"))
        }
        BookAction::Stop => {
            park(desk, ReduceCause::Stopped { person: person.to_owned() }, None, context, out)?;
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

/// What stopping would do otherwise than was shown, in words.
fn stop_moved(engine: &Engine, confirmed: &Confirmed, context: &RunContext) -> Result<Option<String>, CycleError> {
    let shown = confirmed.preview();
    let asked = Asked { change: confirmed.change(), person: confirmed.person(), context, shown: Some(shown) };
    match plan(engine, &asked) {
        Ok(plan) => Ok(shown.moved(&plan.preview)),
        Err(PlanError::Not(why)) => Ok(Some(why)),
        Err(PlanError::Cycle(error)) => Err(error),
    }
}

/// Keeps a book from entering until then, or until a person starts it. What keeps it from that already is not touched: the pause is
/// noted beneath it, and holds from when that ends.
pub(super) fn park(
    desk: &mut Desk,
    cause: ReduceCause,
    until: Option<Timestamp>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    (desk.parked, desk.parked_until) = (Some(cause.clone()), until);
    if desk.state == TradingState::Running || guard::only_people_hold(desk) {
        guard::reduce(desk, cause, until, context, out)?;
    }
    Ok(())
}

/// Ends the pauses whose time is over.
pub(super) fn end_pauses(engine: &mut Engine, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    let over = |desk: &&mut Desk| desk.parked_until.is_some_and(|until| until <= context.now);
    engine.desks.iter_mut().filter(over).try_for_each(|desk| unpark(desk, None, context, out))
}

/// Whether the time of a block is over that a person set.
pub(super) fn has_over_block(desk: &Desk, now: Timestamp) -> bool {
    desk.locks.iter().any(|lock| lock.until <= now && matches!(lock.cause, LockCause::Person { .. }))
}

/// Ends the blocks whose time is over, and says so.
pub(super) fn end_blocks(engine: &mut Engine, context: &RunContext, out: &mut Outcome) {
    for desk in &mut engine.desks {
        let book = desk.name();
        desk.locks.retain(|lock| {
            let LockCause::Person { person } = &lock.cause else { return true };
            if lock.until > context.now {
                return true;
            }
            let kind = EventKind::BlockEnded { symbol: lock.symbol, person: person.clone() };
            out.tell(context.cycle, Event { at: context.now, book: Some(book), kind });
            false
        });
    }
}

/// Ends what a person paused or stopped; the book enters again if nothing else keeps it from that.
fn unpark(desk: &mut Desk, person: Option<&str>, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    (desk.parked, desk.parked_until, desk.stopping) = (None, None, false);
    if guard::only_people_hold(desk) { guard::go_on(desk, person, context, out) } else { Ok(()) }
}

pub(super) fn start(
    desk: &mut Desk,
    person: &str,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    unpark(desk, Some(person), context, out)?;
    let (name, state) = (desk.name(), desk.state);
    let end = match desk.cause {
        StateCause::None => return Ok(format!("{name} is running")),
        StateCause::Reduce(ReduceCause::DailyLoss { .. }) => "for the day's loss, until its next day",
        StateCause::Reduce(ReduceCause::Breaker { .. }) => "by the volatility breaker, for a while",
        StateCause::Halt(_) | StateCause::Reduce(_) => "/resume ends that",
    };
    Ok(format!("{name} is started, and is {state} still: {end}"))
}

/// Why a pause would not keep a book from entering for longer than it is kept from it already, in words; none if it would.
pub(super) fn is_paused_for_longer(desk: &Desk, until: Option<Timestamp>) -> Option<String> {
    let name = desk.name();
    match (&desk.parked, desk.parked_until) {
        (None, _) => None,
        (Some(ReduceCause::Paused { .. }), Some(end)) if until.is_none_or(|until| until > end) => None,
        (Some(ReduceCause::Paused { person }), end) => {
            let end = end.map_or("until somebody resumes it".to_owned(), |end| {
                format!("until {}", time(end, desk.settings.zone))
            });
            Some(format!("{name} is paused by {person} already, {end}: /pause only prolongs that, /resume ends it"))
        }
        (Some(_), _) => Some(format!("{name} is stopped: it enters nothing until /book start {name}")),
    }
}

/// How a book stands before somebody pauses it.
pub(super) fn standing(desk: &Desk) -> Note {
    let name = desk.name();
    let beneath = "; that goes before the pause, and does not end with it";
    let (text, at) = match &desk.cause {
        StateCause::None => (format!("Now {name} is running."), None),
        StateCause::Halt(_) => (format!("Now {name} is halted{beneath}."), None),
        StateCause::Reduce(ReduceCause::DailyLoss { .. }) => {
            (format!("Now {name} enters nothing for the day's loss, until {{at}}{beneath}."), Some(desk.day.ends))
        }
        StateCause::Reduce(ReduceCause::Drawdown { .. }) => {
            (format!("Now {name} enters nothing for its fall from the peak, until /resume{beneath}."), None)
        }
        StateCause::Reduce(ReduceCause::Breaker { .. }) => {
            let end = if desk.breaker_until.is_some() { ", until {at}" } else { "" };
            (format!("Now {name} enters nothing by the volatility breaker{end}{beneath}."), desk.breaker_until)
        }
        StateCause::Reduce(ReduceCause::Paused { person } | ReduceCause::Stopped { person }) => {
            let end = if desk.parked_until.is_some() { " until {at}" } else { "" };
            (format!("Now {name} is paused by {person}{end}."), desk.parked_until)
        }
    };
    Note { text, at }
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
