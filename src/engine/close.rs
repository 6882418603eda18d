//! How does a book leave a position because somebody, or a limit of the whole book, says so? Through risk, like every order.

use crate::domain::{
    Event, EventKind, Money, OrderAction, OrderId, OrderKind, Position, Proposal, Purpose, Quantity, RunContext,
    Symbol, TimeInForce,
};
use crate::risk::{self, RiskDecision};

use super::desk::Desk;
use super::fills::{end, place};
use super::lane::Lane;
use super::state::{Counters, Prices};
use super::survey::{look_at, look_closer, survey};
use super::{CycleError, Outcome};

/// Orders out of one position; nothing if it is leaving already. Other orders that leave it, such as a limit that waits, give way. What risk
/// refuses, it says.
#[expect(clippy::too_many_arguments, reason = "the purpose and its words besides what every step of a cycle takes")]
pub(super) fn close_position(
    desk: &mut Desk,
    symbol: Symbol,
    purpose: Purpose,
    because: &str,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let (Some(held), Some(lane)) = (desk.book.position(symbol), prices.lane(symbol)) else { return Ok(()) };
    if desk.is_leaving(symbol) || context.dry_run {
        return Ok(());
    }
    let proposal = leaving(desk, held, lane, held.quantity.abs(), (purpose, because));
    if let RiskDecision::Approved { .. } = ask(desk, proposal.clone(), prices, counters.order.next(), context)? {
        let others: Vec<OrderId> = desk.ways_out(symbol).map(|order| order.id).collect();
        for order in others {
            out.requests.push(risk::withdraw(order));
            end(desk, order, OrderAction::Cancel, "another order leaves all of it now", context, out)?;
        }
    }
    submit(desk, proposal, prices, counters, context, out).map(|_| ())
}

/// The order that leaves so much of a position at the market.
pub(super) fn leaving(
    desk: &Desk,
    held: &Position,
    lane: &Lane,
    quantity: Quantity,
    (purpose, because): (Purpose, &str),
) -> Proposal {
    Proposal {
        book: desk.name(),
        strategy: held.strategy,
        signal: None,
        symbol: held.symbol,
        side: held.side().opposite(),
        quantity,
        kind: OrderKind::Market,
        purpose,
        reference: lane.mark().unwrap_or_else(|| held.average_price()),
        risk: Money::ZERO,
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: because.to_owned(),
        audit: None,
    }
}

/// Asks risk about an order that no strategy wants, and sends it out if it may; its number. What risk refuses, it says.
pub(super) fn submit(
    desk: &mut Desk,
    proposal: Proposal,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Option<OrderId>, CycleError> {
    let proposal = Proposal { audit: out.audit, ..proposal };
    let id = counters.order.next();
    let enters = proposal.purpose == Purpose::Entry;
    let (kind, placed) = match ask(desk, proposal, prices, id, context)? {
        RiskDecision::Refused { proposal, refusals } => (EventKind::ProposalRefused { proposal, refusals }, None),
        RiskDecision::Approved { request, checks } => {
            let risk::Instruction::Place(order) = request.instruction() else { return Ok(None) };
            counters.order = id;
            let order = order.clone();
            desk.day.entries += u64::from(enters);
            place(desk, request, context, out);
            (EventKind::OrderSubmitted { order, checks }, Some(id))
        }
    };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(placed)
}

/// What risk says of an order as things stand. Nothing changes.
pub(super) fn ask(
    desk: &Desk,
    proposal: Proposal,
    prices: Prices<'_>,
    id: OrderId,
    context: &RunContext,
) -> Result<RiskDecision, CycleError> {
    let mut situation = survey(desk, prices)?;
    if let Some(lane) = prices.lane(proposal.symbol) {
        look_at(&mut situation, desk, lane, context);
        if proposal.purpose == Purpose::Entry {
            look_closer(&mut situation, desk, prices, lane, proposal.side, context);
        }
    }
    let limits = desk.settings.terms_of(proposal.symbol).0;
    Ok(risk::review(proposal, id, context.now, &situation, limits)?)
}

/// Orders out of everything; how many positions are on their way out. Of a price in doubt nothing is sold.
pub(super) fn close_all(
    desk: &mut Desk,
    because: &str,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<usize, CycleError> {
    let held: Vec<Symbol> = desk.book.positions.iter().map(|held| held.symbol).collect();
    for symbol in &held {
        close_position(desk, *symbol, Purpose::Close, because, prices, counters, context, out)?;
    }
    Ok(held.iter().filter(|symbol| desk.is_leaving(**symbol)).count())
}
