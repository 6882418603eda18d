//! Which levels would a person's change set on positions?

use crate::control::Level;
use crate::domain::format::price as shown;
use crate::domain::{
    self, CheckResult, Event, EventKind, Money, OrderKind, Position, Price, Protection, Ratio, RunContext, Side, Symbol,
};
use crate::risk;

use super::desk::Desk;
use super::fills::{Levels, find, guard};
use super::plan::{Asked, Left, Obeyed, Plan, PlanError, Step, last, not, only};
use super::plan_trade::widest_range;
use super::state::{Counters, Engine, Prices};
use super::survey::survey;
use super::{CycleError, Outcome};

/// A position, and everything that its levels depend on.
struct Place<'e> {
    index: usize,
    desk: &'e Desk,
    held: &'e Position,
    prices: Prices<'e>,
    price: Price,
}

impl Place<'_> {
    fn levels(&self) -> Option<Protection> {
        let desk = self.desk;
        self.held.protection.filter(|levels| find(desk, levels.order).is_some())
    }

    /// A price this far on the side of the loss, or of the profit.
    fn away(&self, distance: Price, lossward: bool) -> Result<Price, PlanError> {
        let down = (self.held.side() == Side::Buy) == lossward;
        let level = if down { self.price.minus(distance)? } else { self.price.plus(distance)? };
        if level <= Price::ZERO { not(format!("{distance} is more than the whole price")) } else { Ok(level) }
    }

    fn level(&self, level: Level, lossward: bool) -> Result<Price, PlanError> {
        let at = match level {
            Level::Price(price) => price,
            Level::Away(share) => self.away(self.price.times(share)?, lossward)?,
        };
        check_side(self.held, at, self.price, lossward)
    }

    /// The step that sets levels, with what is asked of it.
    fn step(&self, plan: &mut Plan, levels: Levels) -> Result<(), PlanError> {
        let (stop, target, trail) = levels;
        if let Some(why) = self.levels().and_then(|levels| filling(self.desk, levels)) {
            return not(why);
        }
        check_side(self.held, stop, self.price, true)?;
        target.map_or(Ok(stop), |target| check_side(self.held, target, self.price, false))?;
        self.check(stop)?;
        let (symbol, name) = (self.held.symbol, self.desk.name());
        let target_before = self.levels().and_then(|levels| levels.target);
        let target = match (target, target_before) {
            (Some(target), _) => format!(", target {}", shown(target)),
            (None, Some(_)) => " and take its target away".to_owned(),
            (None, None) => String::new(),
        };
        let follows = trail.map_or_else(String::new, |trail| format!(", following {} behind", shown(trail)));
        let was = self.levels().map_or_else(
            || "it has none now".to_owned(),
            |levels| {
                let follows = if levels.trail.is_some() { " and follows the price" } else { "" };
                let target =
                    levels.target.map_or_else(String::new, |target| format!(", the target at {}", shown(target)));
                format!("the stop is at {} now{follows}{target}", shown(levels.stop))
            },
        );
        let text = format!("Set the stop of {symbol} in {name} to {}{follows}{target}? {was}.", shown(stop));
        plan.preview.notes.push(capital_after_question(&text).into());
        plan.steps.push((self.index, Step::Levels(symbol, levels)));
        Ok(())
    }

    /// What is lost more must fit the open risk.
    fn check(&self, stop: Price) -> Result<(), PlanError> {
        match permission(self.desk, self.held, (stop, None), (self.prices, self.price), Money::ZERO)? {
            Ok(_) => Ok(()),
            Err(no) => not(refused(self.desk, &no)),
        }
    }
}

/// Why levels cannot be set any more: a stop that was reached does not stand still for others.
fn filling(desk: &Desk, levels: Protection) -> Option<&'static str> {
    let guard = desk.orders.iter().find(|order| order.id == levels.order)?;
    guard.triggered.then_some("its stop is filling; what is left goes at the market")
}

/// A level, if it lies on its side of the price.
fn check_side(held: &Position, at: Price, price: Price, lossward: bool) -> Result<Price, PlanError> {
    let below = (held.side() == Side::Buy) == lossward;
    let right = if below { at < price } else { at > price };
    if right {
        return Ok(at);
    }
    let (what, where_to) = (if lossward { "stop" } else { "target" }, if below { "below" } else { "above" });
    let side = if held.side() == Side::Buy { "what is held" } else { "a short" };
    not(format!("a {what} of {side} lies {where_to} its price, and {} is at {}", held.symbol, shown(price)))
}

/// Levels that a position had must not be passed by now.
pub(super) fn check_sides(held: &Position, was: domain::Levels, prices: Prices<'_>) -> Result<(), PlanError> {
    let price = last(prices, held.symbol)?;
    check_side(held, was.stop, price, true)?;
    was.target.map_or(Ok(()), |target| check_side(held, target, price, false).map(drop))
}

/// Levels that a position had are allowed as those that a person types are, with `beside` more at risk by others that are put back with
/// them; what is at risk more with these.
pub(super) fn check_back(
    desk: &Desk,
    held: &Position,
    was: domain::Levels,
    prices: Prices<'_>,
    beside: Money,
) -> Result<Money, PlanError> {
    if let Some(why) = held.protection.and_then(|levels| filling(desk, levels)) {
        return not(why);
    }
    check_sides(held, was, prices)?;
    let price = last(prices, held.symbol)?;
    let more = more_risk(held, was.stop, price)?.max(Money::ZERO);
    match permission(desk, held, (was.stop, was.target), (prices, price), beside)? {
        Ok(_) => Ok(beside.plus(more)?),
        Err(no) => not(refused(desk, &no)),
    }
}

fn refused(desk: &Desk, no: &CheckResult) -> String {
    format!("risk refuses it in {}: {}: {}, {}", desk.name(), no.check, no.value, no.wanted())
}

/// How much more is lost at this stop than at the one in force.
fn more_risk(held: &Position, stop: Price, price: Price) -> Result<Money, CycleError> {
    let Some(levels) = held.protection else { return Ok(Money::ZERO) };
    let at_risk = |stop| risk::open_risk(held.quantity, price, Some(stop));
    Ok(at_risk(stop)?.minus(at_risk(levels.stop)?)?)
}

fn capital_after_question(text: &str) -> String {
    let Some((question, rest)) = text.split_once("? ") else { return text.to_owned() };
    let mut letters = rest.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{question}? {first}{}", letters.as_str())
}

/// The one position of a symbol that is meant.
fn held_of<'e>(engine: &'e Engine, asked: &Asked<'_>, symbol: Symbol) -> Result<Place<'e>, PlanError> {
    let holders: Vec<_> =
        asked.desks(engine).into_iter().filter(|(_, desk)| desk.book.position(symbol).is_some()).collect();
    let (place, desk) = only(&holders, &format!("{symbol} is not held"))?;
    let Some(held) = desk.book.position(symbol) else { return not(format!("{symbol} is not held")) };
    let prices = engine.prices();
    Ok(Place { index: place, desk, held, prices, price: last(prices, symbol)? })
}

/// Plans for every position that may be meant. One that nothing can be planned for keeps none of the others.
fn of_each(
    engine: &Engine,
    asked: &Asked<'_>,
    none: &str,
    plan_one: impl Fn(&Place<'_>, &mut Plan) -> Result<(), PlanError>,
) -> Result<Plan, PlanError> {
    let (mut plan, mut left, prices) = (Plan::default(), Left::default(), engine.prices());
    let mut any = false;
    for (index, desk) in asked.desks(engine) {
        for held in &desk.book.positions {
            any = true;
            let symbol = held.symbol;
            let tried = last(prices, symbol).and_then(|price| {
                if prices.lane(symbol).is_some_and(|lane| lane.lock.is_some()) {
                    return not("its price is in doubt");
                }
                plan_one(&Place { index, desk, held, prices, price }, &mut plan)
            });
            left.unless(&format!("{symbol} of {}", desk.name()), tried)?;
        }
    }
    left.noted(plan, if any { none } else { "nothing is held" })
}

/// `/sl`: the stop stands still where it is put.
pub(super) fn stop(engine: &Engine, asked: &Asked<'_>, symbol: Symbol, level: Level) -> Result<Plan, PlanError> {
    let held = held_of(engine, asked, symbol)?;
    let mut plan = Plan::default();
    let stop = held.level(level, true)?;
    held.step(&mut plan, (stop, held.levels().and_then(|levels| levels.target), None))?;
    Ok(plan)
}

/// `/tp`: a target, or none.
pub(super) fn target(
    engine: &Engine,
    asked: &Asked<'_>,
    symbol: Symbol,
    level: Option<Level>,
) -> Result<Plan, PlanError> {
    let held = held_of(engine, asked, symbol)?;
    let Some(levels) = held.levels() else { return not(format!("{symbol} has no stop: set one with /sl first")) };
    if level.is_none() && levels.target.is_none() {
        return not(format!("{symbol} has no target"));
    }
    let target = level.map(|level| held.level(level, false)).transpose()?;
    let mut plan = Plan::default();
    held.step(&mut plan, (levels.stop, target, levels.trail))?;
    Ok(plan)
}

/// `/trail`: the stop follows this far behind the best price from now on.
pub(super) fn trail(engine: &Engine, asked: &Asked<'_>, symbol: Symbol, distance: Level) -> Result<Plan, PlanError> {
    let held = held_of(engine, asked, symbol)?;
    let distance = match distance {
        Level::Price(distance) => distance,
        Level::Away(share) => held.price.times(share)?,
    };
    let stop = held.away(distance, true)?;
    let mut plan = Plan::default();
    held.step(&mut plan, (stop, held.levels().and_then(|levels| levels.target), Some(distance)))?;
    Ok(plan)
}

/// `/setstops`: every position has a stop that is no farther than the distance; one that is nearer stays.
pub(super) fn set_stops(engine: &Engine, asked: &Asked<'_>, distance: Option<Ratio>) -> Result<Plan, PlanError> {
    of_each(engine, asked, "every position has a stop at least as near as that", |held, plan| {
        let Some(distance) = usual(held, distance, |limits| limits.stop_atr)? else {
            return not("no usual distance is known: say how far, as in /setstops 3%");
        };
        let stop = held.away(distance, true)?;
        let levels = held.levels();
        let nearer = |levels: Protection| match held.held.side() {
            Side::Buy => levels.stop >= stop,
            Side::Sell => levels.stop <= stop,
        };
        if levels.is_some_and(nearer) {
            return Ok(());
        }
        let (target, trail) = levels.map_or((None, None), |levels| (levels.target, levels.trail));
        held.step(plan, (stop, target, trail.map(|trail| trail.min(distance))))
    })
}

/// `/taketargets`: every position has a target at the distance; without one said, those that have none get their book's usual.
pub(super) fn set_targets(engine: &Engine, asked: &Asked<'_>, distance: Option<Ratio>) -> Result<Plan, PlanError> {
    of_each(engine, asked, "every position has a target", |held, plan| {
        let Some(levels) = held.levels() else { return not("it has no stop: /setstops first") };
        if distance.is_none() && levels.target.is_some() {
            return Ok(());
        }
        let Some(away) = usual(held, distance, |limits| limits.target_atr)? else {
            return not("no target distance is set: say how far, as in /taketargets 5%");
        };
        held.step(plan, (levels.stop, Some(held.away(away, false)?), levels.trail))
    })
}

/// The distance that is meant: a share of the price, or the book's own in average true ranges; none where that is zero or unknown.
fn usual(
    held: &Place<'_>,
    distance: Option<Ratio>,
    factor: fn(&risk::Limits) -> Ratio,
) -> Result<Option<Price>, PlanError> {
    if let Some(share) = distance {
        return Ok(Some(held.price.times(share)?));
    }
    let symbol = held.held.symbol;
    let range = held.prices.lane(symbol).and_then(|lane| widest_range(held.desk, lane, held.prices));
    let away = range.map(|range| range.times(factor(held.desk.settings.terms_of(symbol).0))).transpose()?;
    Ok(away.filter(|away| *away > Price::ZERO))
}

/// Permission to set the levels of a position's order while `beside` more is put at risk elsewhere, or the check that says no; neither where no order watches levels yet.
fn permission(
    desk: &Desk,
    held: &Position,
    (stop, target): (Price, Option<Price>),
    (prices, price): (Prices<'_>, Price),
    beside: Money,
) -> Result<Result<Option<risk::ExecutionRequest>, CheckResult>, CycleError> {
    let Some(levels) = held.protection else { return Ok(Ok(None)) };
    let Some(order) = desk.orders.iter().find(|order| order.id == levels.order) else { return Ok(Ok(None)) };
    let more = more_risk(held, stop, price)?;
    let more = if more > Money::ZERO { more.plus(beside)? } else { more };
    let (situation, limits) = (survey(desk, prices)?, desk.settings.terms_of(held.symbol).0);
    let kind = OrderKind::Bracket { stop, target };
    Ok(risk::move_levels(order, kind, more, &situation, limits)?.map(Some))
}

/// Sets the levels of a position.
#[expect(clippy::too_many_arguments, reason = "levels and who sets them besides what every step takes")]
pub(super) fn set(
    desk: &mut Desk,
    symbol: Symbol,
    levels: Levels,
    person: &str,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Obeyed, CycleError> {
    let (stop, target, trail) = levels;
    let (Some(held), Some(price)) = (desk.book.position(symbol).cloned(), prices.mark(symbol)) else {
        return Ok(Obeyed::not(format!("{symbol} is not held any more")));
    };
    match permission(desk, &held, (stop, target), (prices, price), Money::ZERO)? {
        Err(no) => return Ok(Obeyed::not(format!("not done: {}", refused(desk, &no)))),
        Ok(None) => guard(desk, &held, levels, (None, price), counters, context, out)?,
        Ok(Some(request)) => {
            if let Some(known) = held.protection
                && let Some(index) = find(desk, known.order)
            {
                let order = &mut desk.orders[index];
                order.kind = OrderKind::Bracket { stop, target };
                order.updated = context.now;
                out.orders.push(order.clone());
                out.requests.push(request);
                let levels = Protection { stop, target, trail, order: known.order };
                desk.book.position_mut(symbol).into_iter().for_each(|held| held.protection = Some(levels));
            }
        }
    }
    desk.revalue = true;
    let kind = EventKind::LevelsSet { symbol, stop, target, trail, person: person.to_owned() };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    let target = target.map_or_else(String::new, |target| format!(", target {}", shown(target)));
    Ok(format!("{symbol} in {}: stop {}{target}", desk.name(), shown(stop)).into())
}
