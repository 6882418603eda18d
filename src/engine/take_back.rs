//! What happens when a change is taken back? Fills are booked back at the same prices and fees, and books stand as before.

use crate::domain::{Event, EventKind, OrderAction, OrderId, Purpose, RunContext, Standing, TradeFill, TradingState};
use crate::portfolio::reverse;
use crate::risk;

use super::before::levels;
use super::desk::{Day, Desk};
use super::fills::{cover, end, find, guard};
use super::locks::forget_trade;
use super::state::{Counters, Prices};
use super::undo::Back;
use super::{CycleError, Outcome};

/// Books the fills of an order back; in words, what became of it.
pub(super) fn book_back(
    desk: &mut Desk,
    back: &Back,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    let (name, sent) = (desk.name(), &back.sent);
    let entered = Day::containing(sent.at, desk.settings.zone, desk.equity).date;
    if sent.enters && entered == desk.day.date {
        desk.day.entries = desk.day.entries.saturating_sub(1);
    }
    let Some(reversal) = reverse(&desk.book, sent.held.as_ref(), &back.fills)? else {
        return Ok(format!("nothing of {} had filled", sent.order));
    };
    desk.book = reversal.book;
    if let Some(trade) = &reversal.ended {
        forget_trade(desk, trade);
        out.reopened.push(trade.id);
    }
    let mut told = Vec::new();
    for fill in back.fills.iter().rev() {
        counters.fill = counters.fill.next();
        let (side, fee, slippage) = (fill.side.opposite(), fill.fee.negated(), fill.slippage.negated());
        told.push(format!("{side} {} {}", fill.quantity, fill.symbol));
        out.fills.push(TradeFill { id: counters.fill, side, fee, slippage, at: context.now, ..fill.clone() });
    }
    protect_again(desk, back, counters, context, out)?;
    desk.equity = crate::portfolio::equity(&desk.book, |symbol| prices.mark(symbol))?;
    desk.revalue = true;
    Ok(format!("booked back in {name}: {}", told.join(", ")))
}

/// What is held again gets its order with the levels of before; what is not held any more needs none.
fn protect_again(
    desk: &mut Desk,
    back: &Back,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let symbol = back.sent.symbol;
    let Some(held) = desk.book.position(symbol).cloned() else {
        let own = |open: &&crate::domain::Order| open.symbol == symbol && open.purpose == Purpose::Protect;
        let left: Vec<OrderId> = desk.orders.iter().filter(own).map(|open| open.id).collect();
        for order in left {
            out.requests.push(risk::withdraw(order));
            end(desk, order, OrderAction::Cancel, "it was undone", context, out)?;
        }
        return Ok(());
    };
    let at = back.fills.first().map_or_else(|| held.average_price(), |fill| fill.price);
    match (held.protection.filter(|known| find(desk, known.order).is_some()), levels(&held)) {
        (Some(known), _) => cover(desk, &held, known.order, known.stop, context, out),
        (None, Some(was)) => guard(desk, &held, (was.stop, was.target, was.trail), (None, at), counters, context, out),
        (None, None) => Ok(()),
    }
}

/// Puts a book back where it stood; in words, what became of it.
pub(super) fn back_to(desk: &mut Desk, was: Standing, person: &str, context: &RunContext, out: &mut Outcome) -> String {
    let from = desk.state;
    let until = was.parked_until.or(was.breaker_until);
    desk.stand(was.clone());
    let (name, day, positions) = (desk.name(), desk.day_profit(), desk.book.positions.len());
    let kind = match (was.state, was.halt, was.reduce) {
        (TradingState::Halted, Some(cause), _) => EventKind::TradingHalted { cause, cancelled: 0, positions },
        (TradingState::Reducing, _, Some(cause)) => EventKind::TradingReduced { cause, day, until },
        _ => EventKind::TradingResumed { from, person: Some(person.to_owned()) },
    };
    out.tell(context.cycle, Event { at: context.now, book: Some(name), kind });
    format!("{name} is {} again", desk.state)
}
