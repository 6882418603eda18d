//! What may a person change? Each function here wants a `Confirmed` from the desk, or is the safe direction.

use crate::control::{Confirmed, Control};
use crate::domain::{
    EntryLock, Event, EventKind, HaltCause, LiftReason, ReduceCause, RunContext, Symbol, TradingState,
};

use super::desk::{Day, Desk, StateCause};
use super::state::Engine;
use super::{CycleError, Outcome, books, guard};

/// Halts every book.
///
/// # Errors
/// When an order cannot be taken back.
pub fn halt(engine: &mut Engine, cause: &HaltCause, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    engine.desks.iter_mut().try_for_each(|desk| guard::halt(desk, cause.clone(), context, out))
}

/// Carries out what was confirmed, in the books that it may reach; in words, what became of it.
///
/// # Errors
/// When an order cannot be taken back.
pub fn obey(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let person = confirmed.person();
    match confirmed.control() {
        Control::Halt => {
            let cause = HaltCause::Command { person: person.to_owned() };
            let mut halted = Vec::new();
            for desk in engine.desks.iter_mut().filter(|desk| confirmed.reaches(desk.name())) {
                guard::halt(desk, cause.clone(), context, out)?;
                halted.push(desk.name().to_string());
            }
            let which =
                if halted.len() == engine.desks.len() { String::new() } else { format!(" {}", halted.join(", ")) };
            Ok(format!("halted{which}: no entries, no exits by strategies; stops and targets stay in force"))
        }
        Control::Resume => resume(engine, confirmed, context, out),
        Control::Unlock { symbol } => Ok(unlock(engine, *symbol, confirmed, context, out)),
        Control::Book { book: Some(book), .. } if !confirmed.reaches(*book) => Ok("there is no such book".to_owned()),
        Control::Book { action, book } => {
            books::operate(engine, *action, *book, confirmed.shown_on(), person, context, out)
        }
    }
}

pub(super) const MOVED: &str = "not done: things changed after it was shown; ask again";

/// Lets halted books go on. A book that lost too much today enters nothing before its next day: if it was halted for that, its strategies
/// may leave again; if it is reducing, it goes on by itself.
fn resume(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let (shown_on, person) = (confirmed.shown_on(), confirmed.person());
    let halted = |desk: &&mut Desk| {
        confirmed.reaches(desk.name()) && (desk.state == TradingState::Halted || waits_for_a_person(desk))
    };
    if engine.desks.iter_mut().filter(halted).any(|desk| !shown_on.has_book(desk.name(), desk.state, desk.since)) {
        return Ok(MOVED.to_owned());
    }
    let mut books = Vec::new();
    for desk in engine.desks.iter_mut().filter(halted) {
        if let Some(cause) = desk.parked.clone() {
            desk.peak = desk.equity;
            guard::reduce(desk, cause, None, context, out)?;
            books.push(format!("{} (no entries until /book start {0})", desk.name()));
            continue;
        }
        match desk.cause {
            StateCause::Halt(HaltCause::DailyLoss { loss, limit }) if is_of_today(desk) => {
                let (cause, until) = (ReduceCause::DailyLoss { loss, limit, closing: 0 }, Some(desk.day.ends));
                guard::reduce(desk, cause, until, context, out)?;
                books.push(format!("{} (no entries until its next day)", desk.name()));
            }
            _ => {
                guard::set_running(desk, Some(person.to_owned()), context, out);
                books.push(desk.name().to_string());
            }
        }
    }
    Ok(if books.is_empty() { "nothing to resume".to_owned() } else { format!("running: {}", books.join(", ")) })
}

/// True if the book came into its state on the day that it is in now.
fn is_of_today(desk: &Desk) -> bool {
    Day::containing(desk.since, desk.settings.zone, desk.equity).date == desk.day.date
}

/// True for a book that reduces until somebody resumes.
fn waits_for_a_person(desk: &Desk) -> bool {
    matches!(desk.cause, StateCause::Reduce(ReduceCause::Drawdown { .. }))
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
    let (shown_on, person) = (confirmed.shown_on(), confirmed.person());
    let Some(index) = engine.lane_of(symbol) else { return format!("{symbol} is not traded here") };
    let in_force = |lock: &&EntryLock| lock.symbol == symbol && lock.until > context.now;
    let trades = |desk: &&Desk| desk.settings.symbols.contains(&symbol) || desk.book.position(symbol).is_some();
    let reaches_all = engine.desks.iter().filter(trades).all(|desk| confirmed.reaches(desk.name()));
    let doubt = engine.lanes[index].lock.filter(|_| reaches_all);
    let shown = |desk: &Desk| desk.locks.iter().filter(in_force).all(|lock| shown_on.has_entry_lock(desk.name(), lock));
    let all_shown = engine.desks.iter().filter(|desk| confirmed.reaches(desk.name())).all(shown);
    if doubt.is_some_and(|lock| !shown_on.has_lock(symbol, lock.since)) || !all_shown {
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
    for desk in engine.desks.iter_mut().filter(|desk| confirmed.reaches(desk.name())) {
        if desk.locks.iter().any(|lock| in_force(&lock)) {
            desk.locks.retain(|lock| lock.symbol != symbol);
            tell(Some(desk.name()), EventKind::EntryUnlocked { symbol, person: person.to_owned() });
            done.push(format!("{} may enter it again", desk.name()));
        }
    }
    if done.is_empty() { format!("{symbol} is not locked") } else { format!("{symbol} unlocked: {}", done.join("; ")) }
}
