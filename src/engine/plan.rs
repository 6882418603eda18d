//! What would a change do, exactly? Steps that can be shown before anybody confirms them, and are carried out only if they still are the
//! same then.

use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::control::{Change, Confirmed, Control};
use crate::domain::{
    AmountError, BookAction, EntryLock, Event, EventKind, Label, LockCause, Note, OrderAction, OrderId, PlannedCancel,
    PlannedLevels, PlannedOrder, Preview, Price, Proposal, Purpose, ReduceCause, RunContext, Standing, Symbol,
};
use crate::risk;

use super::close::submit;
use super::desk::Desk;
use super::effect::{brings, effect, estimate};
use super::fills::{Levels, end};
use super::lane::Lane;
use super::overlay::SetStep;
use super::state::{Counters, Engine, Prices};
use super::undo::Back;
use super::{
    CycleError, Outcome, Reload, advice, books, overlay, plan_close, plan_levels, plan_orders, plan_settings,
    plan_stop, plan_trade, reconfigure, take_back, undo,
};

/// What a change would do.
#[derive(Default)]
pub(super) struct Plan {
    /// As it is shown.
    pub(super) preview: Preview,
    /// What is done, each to the desk of that place.
    pub(super) steps: Vec<(usize, Step)>,
    /// The configuration that is taken.
    pub(super) reload: Option<Reload>,
}

/// One thing that is done to a book.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Send an order out.
    Submit(Proposal),
    /// Take an order back.
    Withdraw(OrderId),
    /// Put this in the place of an order's unfilled rest.
    Replace(OrderId, Proposal),
    /// Set the levels of a position.
    Levels(Symbol, Levels),
    /// Enter nothing, until then if it is given.
    Pause(Option<Timestamp>),
    /// Keep out of a symbol.
    Block(EntryLock),
    /// Book what filled of an order back at the same prices and fees.
    BookBack(Box<Back>),
    /// Put the book back where it stood.
    State(Box<Standing>),
    /// Lift these locks, and put those back.
    Locks(Vec<EntryLock>, Vec<EntryLock>),
    /// Change a setting over the file.
    Set(Box<SetStep>),
}

/// Why nothing is planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not possible now.
    #[error("{0}")]
    Not(String),
    /// Something impossible happened.
    #[error(transparent)]
    Cycle(#[from] CycleError),
}

impl From<AmountError> for PlanError {
    fn from(error: AmountError) -> Self {
        Self::Cycle(error.into())
    }
}

/// Says no.
pub(super) fn not<T>(why: impl Into<String>) -> Result<T, PlanError> {
    Err(PlanError::Not(why.into()))
}

/// Who asks for what.
pub(super) struct Asked<'a> {
    pub(super) change: &'a Change,
    pub(super) person: &'a str,
    pub(super) context: &'a RunContext,
    /// What was shown of it, once it is confirmed.
    pub(super) shown: Option<&'a Preview>,
}

impl Asked<'_> {
    /// The books that it may reach, with their places.
    pub(super) fn desks<'e>(&self, engine: &'e Engine) -> Vec<(usize, &'e Desk)> {
        engine.desks.iter().enumerate().filter(|(_, desk)| self.change.reaches(desk.name())).collect()
    }
}

/// What a change would do now, as it is shown to whoever is to confirm it. Nothing changes.
///
/// # Errors
/// In words when it is not possible.
pub fn preview(engine: &Engine, change: &Change, person: &str, context: &RunContext) -> Result<Preview, PlanError> {
    Ok(plan(engine, &Asked { change, person, context, shown: None })?.preview)
}

/// What a change would do now.
pub(super) fn plan(engine: &Engine, asked: &Asked<'_>) -> Result<Plan, PlanError> {
    if asked.desks(engine).is_empty() {
        return not(no_book(engine, asked));
    }
    let mut plan = match &asked.change.control {
        Control::Close { what, part } => plan_close::close(engine, asked, *what, *part)?,
        Control::Trade { side, symbol, amount, limit } => {
            plan_trade::trade(engine, asked, (*side, *symbol), *amount, *limit)?
        }
        Control::Cancel { order } => plan_orders::cancel(engine, asked, *order)?,
        Control::CancelAll => plan_orders::cancel_all(engine, asked)?,
        Control::Modify { order, price, quantity } => plan_orders::modify(engine, asked, *order, *price, *quantity)?,
        Control::Stop { symbol, level } => plan_levels::stop(engine, asked, *symbol, *level)?,
        Control::Target { symbol, level } => plan_levels::target(engine, asked, *symbol, *level)?,
        Control::Trail { symbol, distance } => plan_levels::trail(engine, asked, *symbol, *distance)?,
        Control::SetStops { distance } => plan_levels::set_stops(engine, asked, *distance)?,
        Control::SetTargets { distance } => plan_levels::set_targets(engine, asked, *distance)?,
        Control::Pause { until } => pause(engine, asked, *until)?,
        Control::Block { symbol, until } => block(engine, asked, *symbol, *until)?,
        Control::Undo { what, traces, .. } => undo::undo(engine, asked, what, traces)?,
        Control::Set { setting, until } => plan_settings::set(engine, asked, setting, *until)?,
        Control::Reload => plan_settings::reload(engine, asked)?,
        Control::Book { action: BookAction::Stop, book: Some(book) } => plan_stop::stop(engine, asked, *book)?,
        Control::Halt | Control::Resume | Control::Unlock { .. } | Control::Book { .. } => {
            return not("the state of books is shown from the store");
        }
    };
    // What only stops trading is possible in a dry run, too: it closes nothing there.
    let stops = matches!(asked.change.control, Control::Book { .. });
    let sends = |step: &Step| step.trades() && step.withdrawn().is_none();
    if asked.context.dry_run && !stops && plan.steps.iter().any(|(_, step)| sends(step)) {
        return not("this is a dry run: nothing is submitted");
    }
    describe(engine, &mut plan)?;
    Ok(plan)
}

impl Step {
    fn trades(&self) -> bool {
        match self {
            Self::Submit(_) | Self::Withdraw(_) | Self::Replace(..) | Self::Levels(..) | Self::BookBack(_) => true,
            Self::Pause(_) | Self::Block(_) | Self::State(_) | Self::Locks(..) | Self::Set(_) => false,
        }
    }

    /// The order that it takes back.
    pub(super) fn withdrawn(&self) -> Option<OrderId> {
        if let Self::Withdraw(order) = self { Some(*order) } else { None }
    }
}

/// Adds to the preview what the steps come to: orders with their estimates, and each book before and after.
fn describe(engine: &Engine, plan: &mut Plan) -> Result<(), PlanError> {
    let prices = engine.prices();
    for (place, step) in &plan.steps {
        let desk = &engine.desks[*place];
        match step {
            Step::Submit(proposal) => plan.preview.orders.push(planned(desk, prices, proposal, None)?),
            Step::Replace(order, proposal) => {
                plan.preview.orders.push(planned(desk, prices, proposal, Some(*order))?);
            }
            Step::Withdraw(order) => {
                let open = desk.orders.iter().find(|open| open.id == *order);
                plan.preview.cancels.extend(open.map(PlannedCancel::from));
            }
            Step::Levels(symbol, (stop, target, trail)) => plan.preview.levels.push(PlannedLevels {
                book: desk.name(),
                symbol: *symbol,
                stop_before: desk.book.position(*symbol).and_then(|held| Some(held.protection?.stop)),
                stop: *stop,
                target: *target,
                trail: *trail,
            }),
            Step::Pause(_) | Step::Block(_) | Step::BookBack(_) | Step::State(_) | Step::Locks(..) | Step::Set(_) => {}
        }
    }
    for (place, desk) in engine.desks.iter().enumerate() {
        let own: Vec<&Step> = plan.steps.iter().filter(|(at, _)| *at == place).map(|(_, step)| step).collect();
        if own.iter().any(|step| step.trades()) {
            plan.preview.books.push(effect(desk, prices, &own)?);
        }
    }
    Ok(())
}

fn planned(
    desk: &Desk,
    prices: Prices<'_>,
    proposal: &Proposal,
    replaces: Option<OrderId>,
) -> Result<PlannedOrder, PlanError> {
    let price = estimate(desk, prices, proposal)?;
    let levels = brings(desk, proposal, price)?;
    Ok(PlannedOrder {
        book: desk.name(),
        symbol: proposal.symbol,
        side: proposal.side,
        quantity: proposal.quantity,
        kind: proposal.kind,
        purpose: proposal.purpose,
        price,
        fee: desk.settings.costs_of(proposal.symbol).fee_of(proposal.quantity, price)?,
        replaces,
        stop: levels.map(|(stop, ..)| stop),
        target: levels.and_then(|(_, target, _)| target),
        trail: levels.and_then(|(.., trail)| trail),
    })
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obeyed {
    /// In words.
    pub words: String,
    /// Whether all of it was done.
    pub done: bool,
}

impl Obeyed {
    pub(super) fn not(words: impl Into<String>) -> Self {
        Self { words: words.into(), done: false }
    }
}

impl From<String> for Obeyed {
    fn from(words: String) -> Self {
        Self { words, done: true }
    }
}

/// Carries out what was confirmed, if it still is what was shown.
pub(super) fn carry_out(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Obeyed, CycleError> {
    let person = confirmed.person();
    let asked = Asked { change: confirmed.change(), person, context, shown: Some(confirmed.preview()) };
    let plan = match plan(engine, &asked) {
        Ok(plan) => plan,
        Err(PlanError::Not(why)) => return Ok(Obeyed::not(format!("not done: {why}"))),
        Err(PlanError::Cycle(error)) => return Err(error),
    };
    if let Some(what) = confirmed.preview().moved(&plan.preview) {
        return Ok(Obeyed::not(format!("not done: {what}; ask again")));
    }
    if let Some(reload) = plan.reload {
        reconfigure(engine, Ok(reload), context, out);
        return Ok("the file is taken as it is now".to_owned().into());
    }
    let set: Vec<usize> =
        plan.steps.iter().filter(|(_, step)| matches!(step, Step::Set(_))).map(|(place, _)| *place).collect();
    let (prices, desks, counters) = engine.split();
    let mut words = Vec::new();
    let (mut done, filled) = (true, out.fills.len());
    let touched: BTreeSet<usize> = plan.steps.iter().map(|(place, _)| *place).collect();
    for (place, step) in plan.steps {
        let taken = take(&mut desks[place], step, person, prices, counters, context, out)?;
        done &= taken.done;
        words.push(taken.words);
    }
    if let Control::Undo { what, .. } = &confirmed.change().control {
        for place in touched {
            let book = desks[place].name();
            let bookings = out.fills[filled..].iter().filter(|fill| fill.book == book).cloned().collect();
            let kind = EventKind::ControlUndone { control: what.clone(), person: person.to_owned(), bookings };
            out.tell(context.cycle, Event { at: context.now, book: Some(book), kind });
        }
    }
    overlay::renew(engine, &set, context, out);
    overlay::settle(engine, context, out);
    Ok(Obeyed { words: words.join("; "), done })
}

/// Takes one step.
fn take(
    desk: &mut Desk,
    step: Step,
    person: &str,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Obeyed, CycleError> {
    let name = desk.name();
    let words = match step {
        Step::Submit(proposal) => {
            let what = format!("{} {} {}", proposal.side, proposal.quantity, proposal.symbol);
            match submit(desk, proposal, prices, counters, context, out)? {
                Some(order) => format!("{order} goes out: {what}, in {name}"),
                None => return Ok(Obeyed::not(format!("risk refused to {what} in {name}; /why says why"))),
            }
        }
        Step::Withdraw(order) => {
            out.requests.push(risk::withdraw(order));
            end(desk, order, OrderAction::Cancel, &format!("{person} took it back"), context, out)?;
            format!("{order} is taken back")
        }
        Step::Replace(order, proposal) => return plan_orders::replace(desk, order, proposal, prices, context, out),
        Step::Levels(symbol, levels) => {
            return plan_levels::set(desk, symbol, levels, person, prices, counters, context, out);
        }
        Step::Pause(until) => {
            books::park(desk, ReduceCause::Paused { person: person.to_owned() }, until, context, out)?;
            format!("{name} is paused: no entries, exits and stops go on")
        }
        Step::BookBack(back) => take_back::book_back(desk, &back, prices, counters, context, out)?,
        Step::State(was) => take_back::back_to(desk, *was, person, context, out),
        Step::Locks(made, lifted) => {
            desk.locks.retain(|lock| !made.contains(lock));
            desk.locks.extend(lifted);
            format!("{name} enters as before")
        }
        Step::Block(lock) => {
            let symbol = lock.symbol;
            desk.locks.retain(|known| known.symbol != symbol || known.until > lock.until);
            desk.locks.push(lock.clone());
            let kind = EventKind::EntryLocked { lock };
            out.tell(context.cycle, Event { at: context.now, book: Some(name), kind });
            format!("{name} keeps out of {symbol}")
        }
        Step::Set(step) => overlay::put(desk, *step, person, counters, context, out),
    };
    Ok(words.into())
}

/// That none of the books is there which are asked for.
fn no_book(engine: &Engine, asked: &Asked<'_>) -> String {
    let known: Vec<&str> = engine.desks.iter().map(|desk| desk.settings.name.as_str()).collect();
    let asked: Vec<&str> = asked.change.books.iter().flatten().map(Label::as_str).collect();
    format!("there is no book \"{}\"; there are {}", asked.join(", "), known.join(", "))
}

fn pause(engine: &Engine, asked: &Asked<'_>, until: Option<Timestamp>) -> Result<Plan, PlanError> {
    check_until(until, asked.context)?;
    let mut plan = Plan::default();
    let mut refused = Vec::new();
    for (place, desk) in asked.desks(engine) {
        if let Some(why) = books::is_paused_for_longer(desk, until) {
            refused.push(why);
            continue;
        }
        let name = desk.name();
        let held = crate::domain::format::counted(desk.book.positions.len() as u64, "position");
        let entries = desk.orders.iter().filter(|order| order.purpose == Purpose::Entry);
        let entries: Vec<String> = entries.map(plan_orders::words).collect();
        let taken_back = match entries.len() {
            0 => String::new(),
            many => format!(", {many} working are taken back ({})", entries.join("; ")),
        };
        let end = if until.is_some() { " until {at}, then it goes on by itself" } else { " until /resume" };
        let text = format!("Pause {name}? No entries{end}{taken_back}; exits and the stops of {held} go on.");
        plan.preview.notes.push(Note { text, at: until });
        plan.preview.notes.extend(advice::too_short(engine.prices(), desk, until, asked.context));
        plan.preview.notes.push(books::standing(desk));
        plan.preview.add_book(name, desk.state, desk.since);
        plan.preview.add_pause(name, desk.parked.as_ref(), desk.parked_until);
        plan.preview.add_entries(&desk.orders);
        plan.steps.push((place, Step::Pause(until)));
    }
    if plan.steps.is_empty() {
        return not(refused.join("; "));
    }
    plan.preview.notes.extend(refused.into_iter().map(Note::from));
    Ok(plan)
}

fn block(engine: &Engine, asked: &Asked<'_>, symbol: Symbol, until: Timestamp) -> Result<Plan, PlanError> {
    check_until(Some(until), asked.context)?;
    let mut plan = Plan::default();
    for (place, desk) in trading(engine, asked, symbol)? {
        let text = format!("Keep {} out of {symbol} until {{at}}? What it holds of it goes on.", desk.name());
        plan.preview.notes.push(Note { text, at: Some(until) });
        plan.preview.notes.extend(advice::too_short(engine.prices(), desk, Some(until), asked.context));
        let cause = LockCause::Person { person: asked.person.to_owned() };
        let by_person = |lock: &&EntryLock| lock.symbol == symbol && matches!(lock.cause, LockCause::Person { .. });
        if let Some(lock) = desk.locks.iter().filter(by_person).find(|lock| lock.until >= until) {
            let end = crate::domain::format::time(lock.until, desk.settings.zone);
            let name = desk.name();
            return not(format!("{name} keeps out of {symbol} until {end} already; /unlock {symbol} ends that"));
        }
        let entries = desk.orders.iter().filter(|order| order.purpose == Purpose::Entry && order.symbol == symbol);
        plan.steps.extend(entries.map(|order| (place, Step::Withdraw(order.id))));
        plan.steps.push((place, Step::Block(EntryLock { symbol, cause, since: asked.context.now, until })));
    }
    Ok(plan)
}

/// An end must lie ahead.
pub(super) fn check_until(until: Option<Timestamp>, context: &RunContext) -> Result<(), PlanError> {
    if until.is_some_and(|until| until <= context.now) {
        return not("that is over already, by the market's time");
    }
    Ok(())
}

/// The one book that is meant where a change fits one alone.
pub(super) fn only<'e>(desks: &[(usize, &'e Desk)], none: &str) -> Result<(usize, &'e Desk), PlanError> {
    match *desks {
        [only] => Ok(only),
        [] => not(none),
        _ => {
            let names: Vec<String> = desks.iter().map(|(_, desk)| desk.name().to_string()).collect();
            not(format!("which book? Say it at the end: {}", names.join(" or ")))
        }
    }
}

/// The books that may be reached and trade a symbol, with their places. Nobody learns here of what other books trade.
pub(super) fn trading<'e>(
    engine: &'e Engine,
    asked: &Asked<'_>,
    symbol: Symbol,
) -> Result<Vec<(usize, &'e Desk)>, PlanError> {
    let trades = |desk: &Desk| {
        let listed = desk.settings.symbols.contains(&symbol) || desk.settings.pins.contains(&symbol);
        listed || desk.book.position(symbol).is_some()
    };
    let desks: Vec<_> = asked.desks(engine).into_iter().filter(|(_, desk)| trades(desk)).collect();
    if desks.is_empty() { not(format!("{symbol} is not traded here; /watchlist lists what is")) } else { Ok(desks) }
}

/// What has no more prices fills nothing any more.
pub(super) fn still_traded(lane: &Lane) -> Result<(), PlanError> {
    if lane.ended { not(format!("no more prices of {} come", lane.instrument.symbol)) } else { Ok(()) }
}

/// What cannot be done of several things that were asked for at once: it is noted, and the others go on.
#[derive(Default)]
pub(super) struct Left(Vec<String>);

impl Left {
    /// What came of trying one of them; none where it is not possible.
    pub(super) fn unless<T>(&mut self, which: &str, tried: Result<T, PlanError>) -> Result<Option<T>, PlanError> {
        match tried {
            Ok(done) => Ok(Some(done)),
            Err(PlanError::Not(why)) => {
                self.0.push(format!("{which}: {why}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The plan, with what is left out of it; `none` where there was nothing to try.
    pub(super) fn noted(self, mut plan: Plan, none: &str) -> Result<Plan, PlanError> {
        if plan.steps.is_empty() {
            return not(if self.0.is_empty() { none.to_owned() } else { self.0.join("; ") });
        }
        plan.preview.notes.splice(0..0, self.words("Left as it is"));
        Ok(plan)
    }

    /// What is left out, a note each, begun with what that means.
    pub(super) fn words(self, begin: &str) -> Vec<Note> {
        self.0.into_iter().map(|why| format!("{begin}, {why}.").into()).collect()
    }
}

/// The last price that is believed.
pub(super) fn last(prices: Prices<'_>, symbol: Symbol) -> Result<Price, PlanError> {
    prices.mark(symbol).map_or_else(|| not(format!("there is no price of {symbol} yet")), Ok)
}
