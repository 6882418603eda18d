//! How is a change of a person taken back? All that it did, or nothing; and nothing that came since, from anybody, is lost by it.

use crate::domain::format::price as shown;
use crate::domain::{
    Book, Did, EntryLock, HaltCause, Levels, Money, Order, OrderId, Purpose, Quantity, ReduceCause, RunContext, Sent,
    Side, Standing, Symbol, Terms, Trace, TradeFill, TradeId, TradingState,
};
use crate::portfolio::{Reversal, equity, reverse};

use super::before::{levels, terms};
use super::desk::{Day, Desk, StateCause};
use super::fills::find;
use super::plan::{Asked, Plan, PlanError, Step, not};
use super::state::{Engine, Prices};
use super::survey::survey_of;
use super::{plan_levels, plan_orders, plan_settings};

/// An order that a change sent out, and what filled of it.
#[derive(Debug, Clone)]
pub(super) struct Back {
    pub(super) sent: Sent,
    pub(super) fills: Vec<TradeFill>,
}

/// A book that something is taken back in.
struct Scene<'e> {
    place: usize,
    desk: &'e Desk,
    prices: Prices<'e>,
    context: &'e RunContext,
    /// The book without what is taken back already.
    book: Book,
    /// How much more is lost if every stop fills, by the levels that are put back already.
    risk: Money,
}

/// Plans how everything that a change did is taken back: all of it, or nothing.
pub(super) fn undo(engine: &Engine, asked: &Asked<'_>, what: &str, traces: &[Trace]) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    plan.preview.notes.push(format!("Take back {what}?").into());
    let mut scenes: Vec<Scene<'_>> = asked.desks(engine).into_iter().map(|at| Scene::of(engine, at, asked)).collect();
    for trace in traces {
        let Some(scene) = scenes.iter_mut().find(|scene| scene.desk.name() == trace.book) else {
            return not(format!("book {} is not yours, or gone", trace.book));
        };
        if scene.desk.forgotten != trace.forgotten {
            return not(format!("{} began anew since", trace.book));
        }
        scene.step_back(trace, &mut plan)?;
    }
    if plan.steps.is_empty() { not(format!("there is nothing left of {what} to take back")) } else { Ok(plan) }
}

impl<'e> Scene<'e> {
    fn of(engine: &'e Engine, (place, desk): (usize, &'e Desk), asked: &Asked<'e>) -> Self {
        let (prices, context) = (engine.prices(), asked.context);
        Self { place, desk, prices, context, book: desk.book.clone(), risk: Money::ZERO }
    }

    fn step_back(&mut self, trace: &Trace, plan: &mut Plan) -> Result<(), PlanError> {
        match &trace.did {
            Did::Sent(sent) => self.back_from_order(sent, &trace.fills, plan),
            Did::Changed { order, was, now } => self.back_to_terms(*order, *was, *now, plan),
            Did::Set { symbol, trade, was, now } => self.back_to_levels((*symbol, *trade), *was, *now, plan),
            Did::State { was, now } => self.back_to_state(was, now, plan),
            Did::Locks { made, lifted } => self.back_to_locks(made, lifted, plan),
            Did::Stays { what } => {
                plan.preview.notes.push(format!("In {}, {what}.", self.desk.name()).into());
                Ok(())
            }
            Did::Settings { made, ended } => {
                plan_settings::back((self.place, self.desk), self.prices, (made, ended), self.context, plan)
            }
        }
    }

    /// What waits of an order is taken back, what filled is booked back, if nothing else happened to its symbol since.
    fn back_from_order(&mut self, sent: &Sent, fills: &[TradeFill], plan: &mut Plan) -> Result<(), PlanError> {
        let (desk, name, Sent { order, symbol, .. }) = (self.desk, self.desk.name(), sent);
        let waits = find(desk, *order).map(|index| &desk.orders[index]);
        let filled = Quantity::from_units(fills.iter().map(|fill| fill.quantity.units()).sum());
        if let Some(open) = waits {
            if open.filled != filled {
                return not(format!("{order} filled a moment ago: ask again"));
            }
            plan.preview.notes.push(format!("Take back what waits of {order}: {} {symbol}.", open.remaining()).into());
            plan.steps.push((self.place, Step::Withdraw(*order)));
        } else if fills.is_empty() {
            let traded = |held: Option<&crate::domain::Position>| held.map(|held| (held.trade, held.quantity));
            if traded(sent.held.as_ref()) != traded(desk.book.position(*symbol)) {
                return not(format!("{symbol} of {name} was traded since, and {order} may have a part in that"));
            }
            return Ok(());
        }
        if !fills.is_empty() {
            self.book_back(sent, fills, plan)?;
        }
        let back = Back { sent: sent.clone(), fills: fills.to_vec() };
        plan.steps.push((self.place, Step::BookBack(Box::new(back))));
        Ok(())
    }

    fn book_back(&mut self, sent: &Sent, fills: &[TradeFill], plan: &mut Plan) -> Result<(), PlanError> {
        let (desk, name, Sent { order, symbol, .. }) = (self.desk, self.desk.name(), sent);
        let waits = |open: &&Order| open.symbol == *symbol && open.purpose != Purpose::Protect && open.id != *order;
        if let Some(other) = desk.orders.iter().find(waits) {
            return not(format!("{} of {symbol} waits in {name}: /cancel {0} first", other.id));
        }
        let date = |fill: &TradeFill| Day::containing(fill.at, desk.settings.zone, Money::ZERO).date;
        if fills.iter().any(|fill| date(fill) != desk.day.date) {
            return not(format!("{order} filled on a day of {name} that is over; /close or /buy instead"));
        }
        let split = self.prices.lane(*symbol).and_then(|lane| lane.split_after);
        let is_split = fills.iter().any(|fill| split.is_some_and(|after| fill.at <= after));
        let reversal = reverse(&self.book, sent.held.as_ref(), fills)?;
        let Some(reversal) = reversal.filter(|reversal| !is_split && is_last(desk, sent, reversal)) else {
            return not(format!(
                "{symbol} of {name} was traded since, or brought or cost something, so {order} cannot be booked back; \
                 /close or /buy instead"
            ));
        };
        self.can_hold(sent, &reversal.book)?;
        for fill in fills {
            let verb = if fill.side == Side::Buy { "Give back" } else { "Take back" };
            let text = format!(
                "{verb} {} {symbol} at {}, fee {:.2} returned, in {name}.",
                fill.quantity, fill.price, fill.fee
            );
            plan.preview.notes.push(text.into());
        }
        if let Some(trade) = &reversal.ended {
            plan.preview
                .notes
                .push(format!("Its result of {:.2} counts no more: {symbol} goes on.", trade.profit).into());
        }
        if desk.state != TradingState::Running {
            plan.preview.notes.push(format!("{name} is {} now.", desk.state).into());
        }
        let held = desk.book.position(*symbol);
        let (trade, quantity) = held.map_or_else(Default::default, |held| (held.trade, held.quantity));
        plan.preview.basis.push(format!("held {name} {symbol} {quantity} in {trade} by {order} of {}", fills.len()));
        self.book = reversal.book;
        Ok(())
    }

    /// What is held again must have its money, and its levels must not be passed already.
    fn can_hold(&self, sent: &Sent, then: &Book) -> Result<(), PlanError> {
        let (desk, name, symbol) = (self.desk, self.desk.name(), sent.symbol);
        let held = |book: &Book| book.position(symbol).map_or(Quantity::ZERO, |held| held.quantity.abs());
        if held(then) > held(&self.book)
            && let Some(why) = closed_for(desk, self.prices, symbol)
        {
            return not(format!("{why}, so {} is not booked back", sent.order));
        }
        let survey = |book: &Book| {
            let value = equity(book, |symbol| self.prices.mark(symbol))?;
            survey_of(desk, (book, &desk.orders, value), self.prices)
        };
        let (now, then_stands) = (survey(&self.book)?, survey(then)?);
        let leverage = desk.settings.terms_of(symbol).0.leverage_max;
        if then_stands.gross > now.gross && then_stands.buying_power(leverage) < Money::ZERO {
            return not(format!("the money that {symbol} took is in use since, in {name}"));
        }
        let again = then.position(symbol).filter(|_| self.book.position(symbol).is_none());
        match again.and_then(|held| Some((held, levels(held)?))) {
            Some((held, levels)) => plan_levels::check_sides(held, levels, self.prices),
            None => Ok(()),
        }
    }

    fn back_to_terms(&self, id: OrderId, was: Terms, now: Terms, plan: &mut Plan) -> Result<(), PlanError> {
        let (desk, name) = (self.desk, self.desk.name());
        let Some(index) = find(desk, id) else { return not(format!("{id} is gone since")) };
        let order = &desk.orders[index];
        if terms(order) != now {
            return not(format!("{id} is changed otherwise since"));
        }
        let rest = was.quantity.minus(order.filled)?;
        if rest <= Quantity::ZERO {
            return not(format!("{id} filled more since than it was for"));
        }
        let proposal = plan_orders::replacement(desk, order, (was.kind, rest), self.prices, self.context)?;
        plan.preview.notes.push(format!("{id} is as it was before, in {name}.").into());
        plan.preview.basis.push(format!("order {name} {id} {:?} {}", now.kind, now.quantity));
        plan.steps.push((self.place, Step::Replace(id, proposal)));
        Ok(())
    }

    fn back_to_levels(
        &mut self,
        (symbol, trade): (Symbol, TradeId),
        was: Levels,
        now: Levels,
        plan: &mut Plan,
    ) -> Result<(), PlanError> {
        let (desk, name) = (self.desk, self.desk.name());
        let held = desk.book.position(symbol).filter(|held| held.trade == trade);
        let Some((held, stands)) = held.and_then(|held| Some((held, levels(held)?))) else {
            return not(format!("{symbol} of {name} was left since"));
        };
        // A stop that follows has gone on since; what a person typed stands still.
        let follows = now.trail.is_some() && (stands.stop.units() - now.stop.units()) * held.side().sign() >= 0;
        let expected = Levels { stop: if follows { stands.stop } else { now.stop }, ..now };
        if stands != expected {
            return not(format!("the levels of {symbol} in {name} are others since"));
        }
        self.risk = plan_levels::check_back(desk, held, was, self.prices, self.risk)?;
        let target = was.target.map_or_else(|| ", no target".to_owned(), |level| format!(", target {}", shown(level)));
        let follow = was.trail.map_or_else(String::new, |trail| format!(", following {} behind", shown(trail)));
        let text = format!("The stop of {symbol} in {name} lies at {} again{follow}{target}.", shown(was.stop));
        plan.preview.notes.push(text.into());
        let basis = Levels { stop: if follows { now.stop } else { stands.stop }, ..stands };
        plan.preview.basis.push(format!("levels {name} {symbol} in {trade} {basis:?}"));
        plan.steps.push((self.place, Step::Levels(symbol, (was.stop, was.target, was.trail))));
        Ok(())
    }

    fn back_to_state(&self, was: &Standing, now: &Standing, plan: &mut Plan) -> Result<(), PlanError> {
        let (desk, name) = (self.desk, self.desk.name());
        let stands = desk.standing();
        // A stop that has sold everything is over by itself; a peak is the market's.
        let expected = Standing { peak: stands.peak, stopping: now.stopping && stands.stopping, ..now.clone() };
        if stands != expected {
            return not(format!("{name} is in another state since"));
        }
        let day = Day::containing(was.since, desk.settings.zone, Money::ZERO).date;
        if matches!(was.reduce, Some(ReduceCause::DailyLoss { .. })) && day != desk.day.date {
            return not(format!("{name} was {} for a day that is over", was.state));
        }
        let again = if was.state == desk.state { "stays" } else { "is again" };
        plan.preview.notes.push(format!("{name} {again} {}, and what paused it is as before.", was.state).into());
        if was.state != TradingState::Running {
            let known: Vec<OrderId> = plan.steps.iter().filter_map(|(_, step)| step.withdrawn()).collect();
            for open in desk.orders.iter().filter(|open| open.purpose == Purpose::Entry && !known.contains(&open.id)) {
                let text = format!("Take back {}: {} {}.", open.id, open.remaining(), open.symbol);
                plan.preview.notes.push(text.into());
                plan.steps.push((self.place, Step::Withdraw(open.id)));
            }
        }
        plan.preview.add_book(name, desk.state, desk.since);
        plan.preview.add_pause(name, desk.parked.as_ref(), desk.parked_until);
        plan.steps.push((self.place, Step::State(Box::new(was.clone()))));
        Ok(())
    }

    fn back_to_locks(&self, made: &[EntryLock], lifted: &[EntryLock], plan: &mut Plan) -> Result<(), PlanError> {
        let (desk, name, now) = (self.desk, self.desk.name(), self.context.now);
        let holds = |lock: &&EntryLock| lock.until > now;
        if let Some(gone) = made.iter().find(|lock| !holds(lock) || !desk.locks.contains(lock)) {
            return not(format!("what keeps {name} out of {} is over or another since", gone.symbol));
        }
        let again: Vec<EntryLock> = lifted.iter().filter(holds).cloned().collect();
        if made.is_empty() && again.is_empty() {
            return Ok(());
        }
        let note = |lock: &EntryLock, text: String| crate::domain::Note { text, at: Some(lock.until) };
        for lock in made {
            let text = format!("{name} may enter {} again, which it kept out of until {{at}}.", lock.symbol);
            plan.preview.notes.push(note(lock, text));
            plan.preview.add_entry_lock(name, lock);
        }
        for lock in &again {
            let text = format!("{name} keeps out of {} until {{at}} again: {}.", lock.symbol, lock.cause.words());
            plan.preview.notes.push(note(lock, text));
        }
        plan.steps.push((self.place, Step::Locks(made.to_vec(), again)));
        Ok(())
    }
}

/// Why a book is not to hold more of a symbol than it does, in words.
fn closed_for(desk: &Desk, prices: Prices<'_>, symbol: Symbol) -> Option<String> {
    let name = desk.name();
    match (&desk.parked, &desk.cause) {
        (Some(ReduceCause::Stopped { .. }), _) => Some(format!("{name} is stopped since")),
        (_, StateCause::Reduce(ReduceCause::DailyLoss { .. }) | StateCause::Halt(HaltCause::DailyLoss { .. })) => {
            Some(format!("the day's loss of {name} reached its limit"))
        }
        _ if prices.lane(symbol).is_some_and(|lane| lane.lock.is_some()) => {
            Some(format!("the price of {symbol} is in doubt"))
        }
        _ => None,
    }
}

/// Whether no other round trip of the symbol began or ended since.
fn is_last(desk: &Desk, sent: &Sent, reversal: &Reversal) -> bool {
    let last = desk.ended.iter().rev().find(|ended| ended.symbol == sent.symbol);
    match (&reversal.ended, last) {
        (Some(trade), Some(last)) => last.trade == trade.id && last.profit == trade.profit,
        (Some(_), None) => false,
        (None, Some(last)) => last.trade <= sent.last_trade,
        (None, None) => true,
    }
}
