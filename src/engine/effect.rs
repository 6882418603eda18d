//! How would a book stand if this were done? Estimates of fills, and cash, exposure and open risk before and after.

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, Book, BookEffect, ExitReason, FillId, FillLeg, LimitAfter, Money, Moves, Order, OrderId, OrderKind,
    Price, Proposal, Protection, Purpose, Quantity, Ratio, Side, Symbol, TradeFill, TradeId,
};
use crate::execution::Costs;
use crate::portfolio::{Attribution, Change, apply_fill, equity, reverse};
use crate::risk::{Limits, Situation};

use super::desk::Desk;
use super::fills::{Levels, is_left_over, levels_of};
use super::plan::{PlanError, Step};
use super::state::Prices;
use super::survey::survey_of;
use super::undo::Back;

/// The price that an order would fill at now: the last one with slippage; of a limit order the limit, or the last price where that is
/// better, as a limit lets nothing slip.
///
/// # Errors
/// When there is no price.
pub(super) fn estimate(desk: &Desk, prices: Prices<'_>, proposal: &Proposal) -> Result<Price, PlanError> {
    let last = super::plan::last(prices, proposal.symbol)?;
    let costs = desk.settings.costs_of(proposal.symbol);
    let volume = prices.lane(proposal.symbol).map_or(Quantity::ZERO, |lane| lane.history.average_volume());
    let market = slipped(costs, last, proposal.side, proposal.quantity, volume)?;
    Ok(match (proposal.kind, proposal.side) {
        (OrderKind::Limit { price }, Side::Buy) => price.min(last),
        (OrderKind::Limit { price }, Side::Sell) => price.max(last),
        (OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. }, _) => trigger,
        (OrderKind::Market | OrderKind::Trailing { .. } | OrderKind::Bracket { .. }, _) => market,
    })
}

fn slipped(costs: Costs, price: Price, side: Side, filled: Quantity, volume: Quantity) -> Result<Price, AmountError> {
    let pushes = !costs.impact.is_zero() && volume > Quantity::ZERO;
    let impact = if pushes { costs.impact.scaled(filled.units(), volume.units())? } else { Ratio::ZERO };
    let slip = price.times(costs.slippage.plus(impact)?)?;
    match side {
        Side::Buy => price.plus(slip),
        Side::Sell => price.minus(slip),
    }
}

/// The levels that a position has from this entry on: those that stand, else those of its plan; none of what enters nothing.
pub(super) fn brings(desk: &Desk, proposal: &Proposal, price: Price) -> Result<Option<Levels>, AmountError> {
    if proposal.purpose != Purpose::Entry {
        return Ok(None);
    }
    let held = desk.book.position(proposal.symbol).filter(|held| held.side() == proposal.side);
    match held.and_then(|held| held.protection) {
        Some(levels) => Ok(Some((levels.stop, levels.target, levels.trail))),
        None => proposal.plan.map(|plan| levels_of(plan, proposal.side, price)).transpose(),
    }
}

/// A book as it would be.
struct Then {
    book: Book,
    orders: Vec<Order>,
}

/// How a book stands before and after these steps, as if every order filled at its estimate.
pub(super) fn effect(desk: &Desk, prices: Prices<'_>, steps: &[&Step]) -> Result<BookEffect, PlanError> {
    let mut then = Then { book: desk.book.clone(), orders: desk.orders.clone() };
    let mut symbols = Vec::new();
    for step in steps {
        match step {
            Step::Submit(proposal) => {
                then.fill(desk, prices, proposal)?;
                symbols.push(proposal.symbol);
            }
            Step::Withdraw(order) => then.orders.retain(|open| open.id != *order),
            Step::Replace(order, proposal) => then.replace(*order, proposal),
            Step::Levels(symbol, (stop, target, trail)) => then.protect(*symbol, *stop, *target, *trail),
            Step::BookBack(back) => then.book_back(back)?,
            Step::Pause(_) | Step::Block(_) | Step::State(_) | Step::Locks(..) | Step::Set(_) => {}
        }
    }
    let mark = |symbol| prices.mark(symbol);
    let value = equity(&then.book, mark)?;
    let before = survey_of(desk, (&desk.book, &desk.orders, equity(&desk.book, mark)?), prices)?;
    let after = survey_of(desk, (&then.book, &then.orders, value), prices)?;
    let shares = |of: fn(&Situation) -> Money| Moves {
        before: of(&before).share_of(before.equity),
        after: of(&after).share_of(after.equity),
    };
    Ok(BookEffect {
        book: desk.name(),
        currency: desk.settings.currency.clone(),
        cash: Moves { before: desk.book.cash, after: then.book.cash },
        exposure: shares(|situation| situation.gross),
        open_risk: shares(|situation| situation.open_risk),
        limits: limits_after(desk, &after, &symbols),
    })
}

/// The limits that a trade comes nearer to, and how near.
fn limits_after(desk: &Desk, after: &Situation, symbols: &[Symbol]) -> Vec<LimitAfter> {
    let limits = &desk.settings.limits;
    let percent = |share: Ratio| crate::domain::format::percent(share);
    let row = |name: &str, value: String, limit: String| LimitAfter { name: name.to_owned(), value, limit };
    let mut rows = vec![
        row("exposure", percent(after.gross.share_of(after.equity)), percent(limits.exposure_pct)),
        row("open risk", percent(after.open_risk.share_of(after.equity)), percent(limits.open_risk_pct)),
        row("positions", after.positions.to_string(), Limits::count(limits.positions_max).to_string()),
    ];
    if let [symbol] = symbols {
        let stake = after.stake_in(*symbol).abs().share_of(after.equity);
        let limit = desk.settings.terms_of(*symbol).0.position_pct;
        rows.push(row(&format!("{symbol} of equity"), percent(stake), percent(limit)));
    }
    rows
}

impl Then {
    fn fill(&mut self, desk: &Desk, prices: Prices<'_>, proposal: &Proposal) -> Result<(), PlanError> {
        let price = estimate(desk, prices, proposal)?;
        let fill = TradeFill {
            id: FillId::default(),
            order: OrderId::default(),
            book: desk.name(),
            symbol: proposal.symbol,
            side: proposal.side,
            quantity: proposal.quantity,
            price,
            fee: desk.settings.costs_of(proposal.symbol).fee_of(proposal.quantity, price)?,
            slippage: Money::ZERO,
            leg: FillLeg::Market,
            at: Timestamp::from_ms(0),
        };
        let by = Attribution { strategy: proposal.strategy, trade: TradeId::default(), reason: ExitReason::Closed };
        let change = apply_fill(&mut self.book, &fill, by)?.change;
        if matches!(change, Change::Closed(_) | Change::Flipped(_)) {
            self.orders.retain(|open| !is_left_over(open, &fill));
        }
        if let Some((stop, target, trail)) = brings(desk, proposal, price)?
            && let Some(held) = self.book.position_mut(proposal.symbol)
            && held.protection.is_none()
        {
            held.protection = Some(Protection { stop, target, trail, order: OrderId::default() });
        }
        Ok(())
    }

    fn book_back(&mut self, back: &Back) -> Result<(), PlanError> {
        if let Some(reversal) = reverse(&self.book, back.sent.held.as_ref(), &back.fills)? {
            self.book = reversal.book;
        }
        Ok(())
    }

    fn replace(&mut self, order: OrderId, proposal: &Proposal) {
        if let Some(open) = self.orders.iter_mut().find(|open| open.id == order) {
            open.kind = proposal.kind;
            open.quantity = Quantity::from_units(open.filled.units().saturating_add(proposal.quantity.units()));
            open.reference = proposal.reference;
        }
    }

    fn protect(&mut self, symbol: Symbol, stop: Price, target: Option<Price>, trail: Option<Price>) {
        if let Some(held) = self.book.position_mut(symbol) {
            let order = held.protection.map(|levels| levels.order).unwrap_or_default();
            held.protection = Some(Protection { stop, target, trail, order });
        }
    }
}
