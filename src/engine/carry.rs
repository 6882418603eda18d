//! What does holding bring or cost? Dividends, interest on borrowed shares, funding of perpetuals and their margin.

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, AssetClass, Booking, BookingKind, Event, EventKind, MarketSnapshot, Money, Purpose, Quantity,
    RunContext, Symbol,
};
use crate::execution::{borrow_cost, funding_payment, initial_margin, maintenance_margin};
use crate::portfolio::apply_carry;

use super::close::close_position;
use super::desk::Desk;
use super::state::{Counters, Prices};
use super::{CycleError, DeskSettings, Outcome};

/// Between two fundings: at 0, 8 and 16 o'clock UTC, as on the large exchanges.
const FUNDING_MS: i64 = 8 * 3_600_000;

/// Books what holding brought or cost up to now. Called before the snapshot's fills are taken: who holds at the opening of the day
/// without the dividend gets it.
pub(super) fn carry(
    desk: &mut Desk,
    prices: Prices<'_>,
    snapshot: &MarketSnapshot,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if !desk.book.positions.is_empty() {
        for dividend in &snapshot.dividends {
            let symbol = prices.lanes[dividend.instrument].instrument.symbol;
            let held = desk.book.position(symbol).map_or(Quantity::ZERO, |held| held.quantity);
            book(desk, symbol, BookingKind::Dividend, held.value_at(dividend.amount_per_share)?, context, out)?;
        }
        fund(desk, prices, context, out)?;
    }
    desk.carried_to = context.now;
    Ok(())
}

/// Pays the lenders of what is sold short, for the days that passed.
pub(super) fn pay_lenders(
    desk: &mut Desk,
    prices: Prices<'_>,
    days: u32,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    for (symbol, quantity) in holdings(desk, prices, |class| class != AssetClass::Perpetual) {
        if quantity < Quantity::ZERO
            && let Some(price) = prices.mark(symbol)
        {
            let rate = desk.settings.terms_of(symbol).0.borrow_pct;
            let cost = borrow_cost(quantity.value_at(price)?, rate, days)?;
            book(desk, symbol, BookingKind::Borrow, cost.negated(), context, out)?;
        }
    }
    Ok(())
}

/// What is held of symbols of certain classes.
fn holdings(desk: &Desk, prices: Prices<'_>, of: impl Fn(AssetClass) -> bool) -> Vec<(Symbol, Quantity)> {
    let held = desk.book.positions.iter().map(|held| (held.symbol, held.quantity));
    held.filter(|(symbol, _)| prices.lane(*symbol).is_some_and(|lane| of(lane.instrument.class))).collect()
}

/// Longs and shorts of perpetuals pay each other at each funding time that passed.
fn fund(desk: &mut Desk, prices: Prices<'_>, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    let times = fundings_between(desk.carried_to, context.now);
    if times == 0 {
        return Ok(());
    }
    for (symbol, quantity) in holdings(desk, prices, |class| class == AssetClass::Perpetual) {
        let Some(price) = prices.mark(symbol) else { continue };
        let rate = desk.settings.terms_of(symbol).0.funding_bps.scaled(times, 1)?;
        let paid = funding_payment(quantity.value_at(price)?, rate)?;
        book(desk, symbol, BookingKind::Funding, paid.negated(), context, out)?;
    }
    Ok(())
}

/// How many funding times lie after one instant and not after another.
fn fundings_between(after: Timestamp, until: Timestamp) -> i64 {
    if after.ms() == i64::MIN { 0 } else { until.ms().div_euclid(FUNDING_MS) - after.ms().div_euclid(FUNDING_MS) }
}

fn book(
    desk: &mut Desk,
    symbol: Symbol,
    kind: BookingKind,
    amount: Money,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    if amount.is_zero() {
        return Ok(());
    }
    apply_carry(&mut desk.book, symbol, amount)?;
    desk.revalue = true;
    let booking = Booking { book: desk.name(), symbol, kind, amount, at: context.now };
    out.bookings.push(booking.clone());
    let kind = EventKind::CarryBooked { booking };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Closes perpetual positions whose margin is used up. Each has its own: what it cost over the leverage, plus what it won or lost since.
pub(super) fn call_margin(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    for (symbol, left, required) in short_of_margin(desk, &desk.settings, prices)? {
        let kind = EventKind::MarginCalled { symbol, left, required };
        out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
        close_position(desk, symbol, Purpose::Liquidate, "its margin is used up", prices, counters, context, out)?;
    }
    Ok(())
}

/// The perpetual positions whose margin is used up by these settings and that are not on their way out, each with what is left of it and
/// what is required.
pub(super) fn short_of_margin(
    desk: &Desk,
    settings: &DeskSettings,
    prices: Prices<'_>,
) -> Result<Vec<(Symbol, Money, Money)>, AmountError> {
    let mut short = Vec::new();
    if !prices.has_perpetuals {
        return Ok(short);
    }
    for (symbol, _) in holdings(desk, prices, |class| class == AssetClass::Perpetual) {
        let (Some(held), Some(price)) = (desk.book.position(symbol), prices.mark(symbol)) else { continue };
        let limits = settings.terms_of(symbol).0;
        let margin = initial_margin(held.cost, limits.leverage_max)?;
        let left = margin.plus(held.unrealised_at(price)?)?.plus(held.carried)?;
        let required = maintenance_margin(held.value_at(price)?, limits.maintenance_pct)?;
        if left < required && !desk.is_leaving(symbol) {
            short.push((symbol, left, required));
        }
    }
    Ok(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn funding_is_due_three_times_a_day() {
        let hour = |hour: i64| Timestamp::from_ms(hour * 3_600_000);
        for (after, until, want) in [(7, 8, 1), (8, 9, 0), (0, 24, 3), (8, 15, 0), (15, 16, 1), (23, 49, 4)] {
            assert_eq!(fundings_between(hour(after), hour(until)), want, "{after} to {until}");
        }
        assert_eq!(fundings_between(Timestamp::from_ms(i64::MIN), hour(9)), 0);
    }
}
