//! What may a person change? Each function here wants a `Confirmed` from the desk, or is the safe direction.

use crate::control::{Confirmed, Control};
use crate::domain::{EntryLock, Event, EventKind, HaltCause, LiftReason, Preview, ReduceCause, RunContext, Symbol};

use super::desk::{Day, Desk, StateCause};
use super::plan::{Obeyed, carry_out};
use super::state::Engine;
use super::{CycleError, Outcome, books, guard};

/// Halts every book.
///
/// # Errors
/// When an order cannot be taken back.
pub fn halt(engine: &mut Engine, cause: &HaltCause, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    engine.desks.iter_mut().try_for_each(|desk| guard::halt(desk, cause.clone(), context, out))
}

/// Carries out what was confirmed, in the books that it may reach.
///
/// # Errors
/// When an order cannot be taken back.
pub fn obey(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Obeyed, CycleError> {
    let change = confirmed.change();
    let words = match &change.control {
        Control::Halt => halt_by_person(engine, confirmed, context, out)?,
        Control::Resume => resume(engine, confirmed, context, out)?,
        Control::Unlock { symbol } => unlock(engine, *symbol, confirmed, context, out),
        Control::Book { book: Some(book), .. } if !change.reaches(*book) => "there is no such book".to_owned(),
        Control::Book { action, book } => books::operate(engine, (*action, *book), confirmed, context, out)?,
        _ => return carry_out(engine, confirmed, context, out),
    };
    Ok(Obeyed { done: !words.starts_with(NOT_DONE), words })
}

fn halt_by_person(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let (change, person) = (confirmed.change(), confirmed.person());
    // What nobody asked for is no word against what somebody said.
    let is_said = !person.is_empty();
    let cause = if is_said { HaltCause::Command { person: person.to_owned() } } else { HaltCause::Precaution };
    let mut halted = Vec::new();
    for desk in engine.desks.iter_mut().filter(|desk| change.reaches(desk.name())) {
        if let StateCause::Halt(known) = &desk.cause {
            // Whoever says so last answers for it: who said so before does not take it back any more. What was shown before, such as a
            // `/resume` that waits for its PIN, counts no more either.
            if is_said && (matches!(known, HaltCause::Command { .. }) || !is_of_today(desk)) {
                desk.cause = StateCause::Halt(cause.clone());
            }
            // The market's time stands still between two bars.
            desk.since = context.now.max(desk.since.plus_ms(1));
        }
        guard::halt(desk, cause.clone(), context, out)?;
        halted.push(desk.name().to_string());
    }
    let which = if halted.len() == engine.desks.len() { String::new() } else { format!(" {}", halted.join(", ")) };
    Ok(format!("halted{which}: no entries, no exits by strategies; stops and targets stay in force"))
}

/// How the words begin of what was not done.
const NOT_DONE: &str = "not done";
pub(super) const MOVED: &str = "not done: things changed after it was shown; ask again";

/// Whether all of this was shown when it was confirmed.
pub(super) fn was_shown(confirmed: &Confirmed, now: &Preview) -> bool {
    now.basis.iter().all(|line| confirmed.preview().basis.contains(line))
}

/// Lets halted books go on, or paused ones where none is halted. A book that lost too much today enters nothing before its next day: if it
/// was halted for that, its strategies may leave again; if it is reducing, it goes on by itself.
fn resume(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let (change, person) = (confirmed.change(), confirmed.person());
    let reached = |desk: &&mut Desk| change.reaches(desk.name());
    let any_halted = engine.desks.iter_mut().filter(reached).any(|desk| guard::waits_for_a_person(desk));
    // What is halted goes on first; a pause below it is ended by resuming once more.
    let waits =
        |desk: &&mut Desk| reached(desk) && if any_halted { guard::waits_for_a_person(desk) } else { is_paused(desk) };
    let mut now = Preview::default();
    for desk in engine.desks.iter_mut().filter(waits) {
        now.add_resume(desk.name());
        now.add_book(desk.name(), desk.state, desk.since);
        now.add_pause(desk.name(), desk.parked.as_ref(), desk.parked_until);
    }
    if !was_shown(confirmed, &now) {
        return Ok(MOVED.to_owned());
    }
    let mut books = Vec::new();
    for desk in engine.desks.iter_mut().filter(waits) {
        if !any_halted {
            books.push(books::start(desk, person, context, out)?);
            continue;
        }
        let name = desk.name();
        let parked =
            desk.parked.as_ref().map_or_else(String::new, |_| format!(" (no entries until /book start {name})"));
        match desk.cause {
            StateCause::Halt(HaltCause::DailyLoss { loss, limit }) if is_of_today(desk) => {
                let (cause, until) = (ReduceCause::DailyLoss { loss, limit, closing: 0 }, Some(desk.day.ends));
                guard::reduce(desk, cause, until, context, out)?;
                books.push(format!("{name} (no entries until its next day){parked}"));
            }
            _ => {
                guard::go_on(desk, Some(person), context, out)?;
                books.push(format!("{name}{parked}"));
            }
        }
    }
    Ok(match books.is_empty() {
        true => "nothing to resume".to_owned(),
        false if any_halted => format!("running: {}", books.join(", ")),
        false => books.join(", "),
    })
}

/// True for a book that somebody paused, which is not the same as stopped: that is ended by starting it alone.
fn is_paused(desk: &Desk) -> bool {
    matches!(desk.parked, Some(ReduceCause::Paused { .. }))
}

/// True if the book came into its state on the day that it is in now.
fn is_of_today(desk: &Desk) -> bool {
    Day::containing(desk.since, desk.settings.zone, desk.equity).date == desk.day.date
}

/// Lifts what keeps a symbol from being traded: the doubt about its price, and the locks of books that do not enter it. All of it must
/// have been shown. A price counts for every book that trades it, so only a change that reaches all of these lifts the doubt.
fn unlock(
    engine: &mut Engine,
    symbol: Symbol,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> String {
    let (change, person) = (confirmed.change(), confirmed.person());
    let Some(index) = engine.lane_of(symbol) else { return format!("{symbol} is not traded here") };
    let in_force = |lock: &&EntryLock| lock.symbol == symbol && lock.until > context.now;
    let trades = |desk: &&Desk| desk.lists(index) || desk.book.position(symbol).is_some();
    let reaches_all = engine.desks.iter().filter(trades).all(|desk| change.reaches(desk.name()));
    // It is lifted only where that was offered; whoever was offered the locks of a book alone gets these alone.
    let mut offered = Preview::default();
    let doubt = engine.lanes[index].lock.filter(|lock| {
        offered.add_lock(symbol, lock.since);
        reaches_all && was_shown(confirmed, &offered)
    });
    let mut now = Preview::default();
    for desk in engine.desks.iter().filter(|desk| change.reaches(desk.name())) {
        desk.locks.iter().filter(in_force).for_each(|lock| now.add_entry_lock(desk.name(), lock));
    }
    if !was_shown(confirmed, &now) {
        return MOVED.to_owned();
    }
    let mut done = Vec::new();
    let mut tell = |book, kind| out.tell(context.cycle, Event { at: context.now, book, kind });
    if doubt.is_some() {
        let lane = &mut engine.lanes[index];
        lane.lock = None;
        lane.touched = true;
        let reason = LiftReason::Command { person: person.to_owned() };
        tell(None, EventKind::SymbolUnlocked { symbol, reason });
        done.push("its price counts again".to_owned());
    }
    for desk in engine.desks.iter_mut().filter(|desk| change.reaches(desk.name())) {
        if desk.locks.iter().any(|lock| in_force(&lock)) {
            desk.locks.retain(|lock| lock.symbol != symbol);
            tell(Some(desk.name()), EventKind::EntryUnlocked { symbol, person: person.to_owned() });
            done.push(format!("{} may enter it again", desk.name()));
        }
    }
    if done.is_empty() { format!("{symbol} is not locked") } else { format!("{symbol} unlocked: {}", done.join("; ")) }
}
