//! How does a book leave a position because somebody, or a limit of the whole book, says so? Through risk, like every order.

use crate::domain::{Event, EventKind, Money, OrderKind, Proposal, Purpose, RunContext, Symbol, TimeInForce};
use crate::risk::{self, RiskDecision};

use super::desk::Desk;
use super::fills::place;
use super::state::{Counters, Prices};
use super::survey::{look_at, survey};
use super::{CycleError, Outcome};

/// Orders out of one position; nothing if it is leaving already. What risk refuses, it says.
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
    let proposal = Proposal {
        book: desk.name(),
        strategy: held.strategy,
        signal: None,
        symbol,
        side: held.side().opposite(),
        quantity: held.quantity.abs(),
        kind: OrderKind::Market,
        purpose,
        reference: lane.mark().unwrap_or_else(|| held.average_price()),
        risk: Money::ZERO,
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: because.to_owned(),
    };
    let mut situation = survey(desk, prices)?;
    look_at(&mut situation, desk, lane, context);
    let id = counters.order.next();
    let limits = desk.settings.terms_of(symbol).0;
    let kind = match risk::review(proposal, id, context.now, &situation, limits)? {
        RiskDecision::Refused { proposal, refusals } => EventKind::ProposalRefused { proposal, refusals },
        RiskDecision::Approved { request, checks } => {
            counters.order = id;
            let risk::Instruction::Place(order) = request.instruction() else { return Ok(()) };
            let order = order.clone();
            place(desk, request, context, out);
            EventKind::OrderSubmitted { order, checks }
        }
    };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
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
