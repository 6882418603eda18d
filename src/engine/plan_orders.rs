//! Which orders that wait would a person's change take back or replace? And what every change of orders asks: does risk let it, and are
//! these whole lots?

use crate::domain::format::{counted, percent};
use crate::domain::{
    CheckResult, Label, Note, Order, OrderId, OrderKind, Price, Proposal, Purpose, Quantity, RunContext,
};
use crate::execution::{reference_of, replace_order};
use crate::risk::{self, Instruction, RiskDecision};

use super::close::ask;
use super::desk::Desk;
use super::fills::find;
use super::lane::Lane;
use super::plan::{Asked, Obeyed, Plan, PlanError, Step, not, still_traded};
use super::state::{Engine, Prices};
use super::survey::{look_at, look_closer, loss_distance, survey_of};
use super::{CycleError, Outcome};

/// What is said of an order that is withdrawn: it would come back at the end of its queue, at another price.
const FINAL: &str = "That cannot be taken back.";

/// Why an order is there that a person asked for.
pub(super) fn because(asked: &Asked<'_>) -> String {
    format!("{} asked for it: {}", asked.person, asked.change.control)
}

/// Asks risk about an order as things stand: what it refuses is not shown to be confirmed.
pub(super) fn check(
    desk: &Desk,
    proposal: &Proposal,
    prices: Prices<'_>,
    context: &RunContext,
) -> Result<(), PlanError> {
    match ask(desk, proposal.clone(), prices, OrderId::default(), context)? {
        RiskDecision::Approved { .. } => Ok(()),
        RiskDecision::Refused { refusals, .. } => not(refused(desk.name(), &refusals)),
    }
}

fn refused(book: Label, refusals: &[CheckResult]) -> String {
    let why: Vec<String> = refusals.iter().map(|no| format!("{}: {}, {}", no.check, no.value, no.wanted())).collect();
    format!("risk refuses it in {book}: {}", why.join("; "))
}

/// So many whole lots as there are in these units, with a note where that is less.
pub(super) fn whole_lots(lane: &Lane, units: Quantity, notes: &mut Vec<Note>) -> Result<Quantity, PlanError> {
    let (lot, symbol) = (lane.instrument.lot(), lane.instrument.symbol);
    let whole = units.in_lots(lot);
    if whole.is_zero() {
        return not(format!("{units} {symbol} is less than the smallest amount that is traded of it, which is {lot}"));
    }
    if whole != units {
        notes.push(format!("{units} is rounded down to {whole}: {symbol} is traded in lots of {lot}.").into());
    }
    Ok(whole)
}

/// Takes one order back.
pub(super) fn cancel(engine: &Engine, asked: &Asked<'_>, id: OrderId) -> Result<Plan, PlanError> {
    let (place, desk, order) = open_order(engine, asked, id)?;
    if order.purpose == Purpose::Protect {
        return not(format!("{id} protects {}: /sl moves its stop, /close leaves the position", order.symbol));
    }
    let mut plan = Plan::default();
    plan.preview.notes.push(format!("Take {id} back, in {}? {FINAL}", desk.name()).into());
    plan.steps.push((place, Step::Withdraw(id)));
    Ok(plan)
}

/// `O5, buy 10 AAPL`.
pub(super) fn words(order: &Order) -> String {
    let Order { id, side, symbol, .. } = order;
    format!("{id}, {side} {} {symbol}", order.remaining())
}

/// Takes back every order that enters or leaves; what protects positions stays.
pub(super) fn cancel_all(engine: &Engine, asked: &Asked<'_>) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    for (place, desk) in asked.desks(engine) {
        let before = plan.steps.len();
        let doomed = desk.orders.iter().filter(|order| order.purpose != Purpose::Protect);
        plan.steps.extend(doomed.map(|order| (place, Step::Withdraw(order.id))));
        let count = (plan.steps.len() - before) as u64;
        if count > 0 {
            let text = format!("Take {} back, in {}?", counted(count, "order"), desk.name());
            plan.preview.notes.push(text.into());
        }
    }
    if plan.steps.is_empty() {
        return not("no order enters or leaves now; stops and targets are not taken back");
    }
    plan.preview.notes.push(format!("Stops and targets stay. {FINAL}").into());
    Ok(plan)
}

fn open_order<'e>(
    engine: &'e Engine,
    asked: &Asked<'_>,
    id: OrderId,
) -> Result<(usize, &'e Desk, &'e Order), PlanError> {
    let found = asked.desks(engine).into_iter().find_map(|(place, desk)| {
        let order = desk.orders.iter().find(|order| order.id == id)?;
        Some((place, desk, order))
    });
    found.map_or_else(|| not(format!("no order {id} waits; /orders lists those that do")), Ok)
}

/// Changes the level or the quantity of an order that waits.
pub(super) fn modify(
    engine: &Engine,
    asked: &Asked<'_>,
    id: OrderId,
    price: Option<Price>,
    quantity: Option<Quantity>,
) -> Result<Plan, PlanError> {
    let (place, desk, order) = open_order(engine, asked, id)?;
    if order.purpose == Purpose::Protect {
        return not(format!("{id} protects {}: /sl and /tp move its levels", order.symbol));
    }
    let kind = match (order.kind, price) {
        (kind, None) => kind,
        (OrderKind::Limit { .. }, Some(price)) => OrderKind::Limit { price },
        (OrderKind::Stop { .. }, Some(trigger)) => OrderKind::Stop { trigger },
        _ => return not(format!("{id} has no price of its own: /cancel {id} and order anew")),
    };
    let prices = engine.prices();
    let Some(lane) = prices.lane(order.symbol) else { return not(format!("there are no prices of {}", order.symbol)) };
    still_traded(lane)?;
    let mut plan = Plan::default();
    plan.preview.notes.push(format!("Change {} in {}?", words(order), desk.name()).into());
    let quantity = match quantity {
        // What leaves all that is left may be less than a lot.
        Some(all) if order.purpose == Purpose::Entry || !leaves_all(desk, order, all) => {
            whole_lots(lane, all, &mut plan.preview.notes)?
        }
        Some(all) => all,
        None => order.quantity,
    };
    let Some(rest) = quantity.minus(order.filled).ok().filter(|rest| *rest > Quantity::ZERO) else {
        return not(format!("{} of {id} are filled already: /cancel {id} takes back the rest", order.filled));
    };
    if (kind, quantity) == (order.kind, order.quantity) {
        return not(format!("{id} is like that already"));
    }
    let proposal = replacement(desk, order, (kind, rest), prices, asked.context)?;
    plan.steps.push((place, Step::Replace(id, proposal)));
    Ok(plan)
}

fn leaves_all(desk: &Desk, order: &Order, quantity: Quantity) -> bool {
    let held = desk.book.position(order.symbol).map_or(Quantity::ZERO, |held| held.quantity.abs());
    quantity.minus(order.filled).is_ok_and(|rest| rest == held)
}

fn in_place_of(order: &Order, kind: OrderKind, rest: Quantity, last: Price) -> Result<Proposal, PlanError> {
    let reference = reference_of(order.side, kind, last);
    let risk = match order.plan {
        Some(plan) => rest.value_at(plan.stop_distance)?,
        None => rest.value_at(reference)?,
    };
    Ok(Proposal {
        book: order.book,
        strategy: order.strategy,
        signal: order.signal,
        symbol: order.symbol,
        side: order.side,
        quantity: rest,
        kind,
        purpose: order.purpose,
        reference,
        risk,
        plan: order.plan,
        tif: order.tif,
        expires: order.expires,
        because: order.because.clone(),
        audit: order.audit,
    })
}

/// What takes the place of an order's rest, if risk allows it as things stand.
pub(super) fn replacement(
    desk: &Desk,
    order: &Order,
    (kind, rest): (OrderKind, Quantity),
    prices: Prices<'_>,
    context: &RunContext,
) -> Result<Proposal, PlanError> {
    let last = prices.mark(order.symbol).unwrap_or(order.reference);
    let mut proposal = in_place_of(order, kind, rest, last)?;
    let whose = (order.symbol, order.side);
    proposal.risk = rest.value_at(loss_distance(&desk.book, whose, proposal.reference, order.plan)?)?;
    match ask_to_replace(desk, order, proposal.clone(), prices, context)? {
        RiskDecision::Approved { .. } => Ok(proposal),
        RiskDecision::Refused { refusals, .. } => not(refused(desk.name(), &refusals)),
    }
}

/// What risk says of a replacement: what is given up does not count.
fn ask_to_replace(
    desk: &Desk,
    order: &Order,
    proposal: Proposal,
    prices: Prices<'_>,
    context: &RunContext,
) -> Result<RiskDecision, CycleError> {
    let others: Vec<Order> = desk.orders.iter().filter(|open| open.id != order.id).cloned().collect();
    let mut situation = survey_of(desk, (&desk.book, &others, desk.equity), prices)?;
    if let Some(lane) = prices.lane(order.symbol) {
        look_at(&mut situation, desk, lane, context);
        if order.purpose == Purpose::Entry {
            look_closer(&mut situation, desk, prices, lane, order.side, context);
        }
    }
    let limits = desk.settings.terms_of(order.symbol).0;
    Ok(risk::replace(order, proposal, context.now, &situation, limits)?)
}

/// Replaces the rest of an order.
pub(super) fn replace(
    desk: &mut Desk,
    id: OrderId,
    proposal: Proposal,
    prices: Prices<'_>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Obeyed, CycleError> {
    let Some(index) = find(desk, id) else { return Ok(Obeyed::not(format!("{id} is gone"))) };
    let order = desk.orders[index].clone();
    match ask_to_replace(desk, &order, proposal, prices, context)? {
        RiskDecision::Refused { refusals, .. } => Ok(Obeyed::not(refused(desk.name(), &refusals))),
        RiskDecision::Approved { request, .. } => {
            if let Instruction::Replace { quantity, kind, reference, at, .. } = request.instruction() {
                replace_order(&mut desk.orders[index], *quantity, *kind, *reference, *at);
            }
            out.orders.push(desk.orders[index].clone());
            out.requests.push(request);
            desk.revalue = true;
            let order = &desk.orders[index];
            let filled = percent(order.filled.share_of(order.quantity));
            Ok(format!("{id} is changed: {} {} {}, {filled} filled", order.side, order.quantity, order.symbol).into())
        }
    }
}
