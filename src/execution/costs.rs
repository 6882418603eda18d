//! What does a fill cost beyond its price? Fees and slippage, in basis points.

use crate::domain::{AmountError, Bar, Money, Price, Quantity, Ratio, Side};

/// The cost model of one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// Share of a fill's value that the broker takes.
    pub fee: Ratio,
    /// How much worse a market or stop order fills, as a share of its price.
    pub slippage: Ratio,
    /// Largest share of a bar's volume that fills.
    pub volume_share: Ratio,
}

impl Costs {
    /// The fee of a fill.
    ///
    /// # Errors
    /// When the amount does not fit.
    pub fn fee_of(&self, quantity: Quantity, price: Price) -> Result<Money, AmountError> {
        quantity.value_at(price)?.times(self.fee)
    }

    /// The price after slippage: worse for the side that trades, but never outside the bar.
    ///
    /// # Errors
    /// When the price does not fit.
    pub fn slipped(&self, price: Price, side: Side, bar: &Bar) -> Result<Price, AmountError> {
        let slip = price.times(self.slippage)?;
        Ok(match side {
            Side::Buy => price.plus(slip)?.min(bar.high),
            Side::Sell => price.minus(slip)?.max(bar.low),
        })
    }
}
