//! What does trading cost beyond the price? Fees and slippage of a fill, borrowing and funding of what is held.

use crate::domain::{AmountError, Bar, Money, Price, Quantity, Ratio, Side, UNITS};

/// Days in the year of the money market, by which the lenders of US shares count.
const BORROW_YEAR_DAYS: i64 = 360;

/// The cost model of one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// Share of a fill's value that the broker takes.
    pub fee: Ratio,
    /// How much worse a market or stop order fills, as a share of its price.
    pub slippage: Ratio,
    /// How much worse it fills on top of that if it is the whole volume of its bar, as a share of its price: half the volume costs
    /// half of it. The line is Kyle's (Continuous Auctions and Insider Trading, 1985). Zero for none.
    pub impact: Ratio,
    /// Largest share of a bar's volume that fills; the largest ratio there is fills everything, whatever was traded.
    pub volume_share: Ratio,
    /// How long an order is on its way to the market, in milliseconds. Zero: it is there at once.
    pub latency_ms: i64,
}

impl Costs {
    /// The fee of a fill.
    ///
    /// # Errors
    /// When the amount does not fit.
    pub fn fee_of(&self, quantity: Quantity, price: Price) -> Result<Money, AmountError> {
        quantity.value_at(price)?.times(self.fee)
    }

    /// The price after slippage: worse for the side that trades, but never outside the bar. `filled` is all that fills in this bar
    /// at this price and side, of whichever book: they push the price together.
    ///
    /// # Errors
    /// When the price does not fit.
    pub fn slipped(&self, price: Price, side: Side, filled: Quantity, bar: &Bar) -> Result<Price, AmountError> {
        let pushes = !self.impact.is_zero() && bar.volume > Quantity::ZERO;
        let impact = if pushes { self.impact.scaled(filled.units(), bar.volume.units())? } else { Ratio::ZERO };
        let slip = price.times(self.slippage.plus(impact)?)?;
        Ok(match side {
            Side::Buy => price.plus(slip)?.min(bar.high),
            Side::Sell => price.minus(slip)?.max(bar.low),
        })
    }
}

/// What borrowing a short costs: value x yearly rate x days / 360, rounded once. Lenders of US shares count by 360 days and fix the
/// value each day (Interactive Brokers and Webull publish the same formula), so a caller adds up days of different value. The sign
/// of `value` does not matter.
///
/// # Errors
/// When the amount does not fit.
pub fn borrow_cost(value: Money, rate: Ratio, days: u32) -> Result<Money, AmountError> {
    let share = rate.units().checked_mul(i64::from(days)).ok_or(AmountError::Overflow)?;
    value.abs().scaled(share, UNITS * BORROW_YEAR_DAYS)
}

/// What a perpetual position pays at a funding time: value x rate, as exchanges define it (Binance and OKX alike, with the value at
/// the mark price). `value` is negative for a short. Positive is paid and negative received: with a positive rate longs pay shorts.
///
/// # Errors
/// When the amount does not fit.
pub fn funding_payment(value: Money, rate: Ratio) -> Result<Money, AmountError> {
    value.times(rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    const COSTS: Costs = Costs {
        fee: Ratio::from_bps(1),
        slippage: Ratio::from_bps(10),
        impact: Ratio::from_percent(2),
        volume_share: Ratio::ONE,
        latency_ms: 0,
    };

    fn money(text: &str) -> Money {
        text.parse().expect("number")
    }

    #[test]
    fn slippage_grows_with_the_share_of_the_volume_and_ends_at_the_bar() {
        let [open, high, low, close] = [100, 103, 99, 100].map(Price::whole);
        let bar = Bar { start: Timestamp::from_ms(0), open, high, low, close, volume: Quantity::whole(1000) };
        let slipped = |side, filled| {
            COSTS.slipped(open, side, Quantity::whole(filled), &bar).map(|price| price.to_string()).expect("fits")
        };
        // 10 bps, and 2 % of a tenth of the volume.
        assert_eq!((slipped(Side::Buy, 0), slipped(Side::Buy, 100)), ("100.1".to_owned(), "100.3".to_owned()));
        assert_eq!((slipped(Side::Sell, 100), slipped(Side::Sell, 1000)), ("99.7".to_owned(), "99".to_owned()));
        let flat = Bar { volume: Quantity::ZERO, ..bar };
        assert_eq!(COSTS.slipped(open, Side::Buy, Quantity::whole(1), &flat), Ok("100.1".parse().expect("price")));
    }

    #[test]
    fn a_short_pays_for_each_day_of_its_loan() {
        // 10,000 at 8.5 % a year: 850 / 360 a day.
        assert_eq!(borrow_cost(Money::whole(-10_000), "0.085".parse().expect("rate"), 1), Ok(money("2.36111111")));
        assert_eq!(borrow_cost(Money::whole(10_000), "0.085".parse().expect("rate"), 360), Ok(Money::whole(850)));
        assert_eq!(borrow_cost(Money::whole(1), Ratio::MAX, 2), Err(AmountError::Overflow));
    }

    #[test]
    fn longs_pay_shorts_when_the_rate_is_positive() {
        let rate: Ratio = "0.0001".parse().expect("rate");
        assert_eq!(funding_payment(Money::whole(50_000), rate), Ok(Money::whole(5)));
        assert_eq!(funding_payment(Money::whole(-50_000), rate), Ok(Money::whole(-5)));
        assert_eq!(funding_payment(Money::whole(50_000), rate.negated()), Ok(Money::whole(-5)));
    }
}
