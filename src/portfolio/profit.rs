//! What is a book worth, and how far did it fall?

use crate::domain::{AmountError, Book, Money, Price, Ratio, Symbol};

/// Cash plus positions at the prices given; a position without a price counts at cost.
///
/// # Errors
/// When the sum does not fit.
pub fn equity(book: &Book, price_of: impl Fn(Symbol) -> Option<Price>) -> Result<Money, AmountError> {
    book.positions.iter().try_fold(book.cash, |sum, position| {
        let value = price_of(position.symbol).map_or(Ok(position.cost), |price| position.value_at(price))?;
        sum.plus(value)
    })
}

/// All positions at the prices given, without sign; a position without a price counts at cost.
///
/// # Errors
/// When the sum does not fit.
pub fn exposure(book: &Book, price_of: impl Fn(Symbol) -> Option<Price>) -> Result<Money, AmountError> {
    book.positions.iter().try_fold(Money::ZERO, |sum, position| {
        let value = price_of(position.symbol).map_or(Ok(position.cost), |price| position.value_at(price))?;
        sum.plus(value.abs())
    })
}

/// How far `now` lies below `peak`, as a share of it; zero above it.
pub fn drawdown(peak: Money, now: Money) -> Ratio {
    loss_share(peak, now)
}

/// The loss from `start` to `now` as a share of `start`; zero in profit.
pub fn loss_share(start: Money, now: Money) -> Ratio {
    start.minus(now).map_or(Ratio::MAX, |loss| loss.max(Money::ZERO).share_of(start))
}
