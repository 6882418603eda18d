//! How much money must stand behind a position bought on credit, and where does the exchange close it?
//!
//! Isolated margin: each position has its own money and can lose no more than that. The rules are those of the large exchanges for
//! perpetuals margined in the quote currency (Binance, OKX, Bybit), with one maintenance rate instead of their tiers and without
//! the fee of closing.

use crate::domain::{AmountError, Money, Price, Quantity, Ratio, UNITS};

/// What must be put up to open a position: value / leverage.
///
/// # Errors
/// When the leverage is not positive or the amount does not fit.
pub fn initial_margin(value: Money, leverage: Ratio) -> Result<Money, AmountError> {
    value.abs().scaled(UNITS, leverage.units())
}

/// What must be left to keep it: value at the mark price x maintenance rate.
///
/// # Errors
/// When the amount does not fit.
pub fn maintenance_margin(value: Money, rate: Ratio) -> Result<Money, AmountError> {
    value.abs().times(rate)
}

/// The price at which a position is closed by the exchange: where `margin` plus the unrealised profit is down to the maintenance
/// margin. With quantity q (negative for a short), entry price e, margin m and maintenance rate r, that is m + q (p - e) = |q| p r, so
///
/// - for a long p = (q e - m) / (q (1 - r)),
/// - for a short p = (|q| e + m) / (|q| (1 + r)).
///
/// Rounded to the side of the entry: it is the last price, in steps of 1e-8, at which the maintenance margin is still there. None if
/// no price does it: nothing is held, or the margin pays for all of a long.
///
/// # Errors
/// When the rate is not between 0 and 1, or an amount does not fit.
pub fn liquidation_price(
    quantity: Quantity,
    entry: Price,
    margin: Money,
    rate: Ratio,
) -> Result<Option<Price>, AmountError> {
    if rate < Ratio::ZERO || rate >= Ratio::ONE {
        return Err(AmountError::Overflow);
    }
    let held = i128::from(quantity.units());
    if held == 0 {
        return Ok(None);
    }
    let units = i128::from(UNITS);
    // For a long q e - m and q (1 - r); for a short -(|q| e + m) and -|q| (1 + r): the signs cancel in the division.
    let numerator = held * i128::from(entry.units()) - i128::from(margin.units()) * units;
    let denominator = held * (units - i128::from(rate.units()) * held.signum());
    let scaled = numerator.checked_mul(held.signum() * units).ok_or(AmountError::Overflow)?;
    let denominator = denominator.abs();
    let (down, rest) = (scaled.div_euclid(denominator), scaled.rem_euclid(denominator));
    let price = if held > 0 && rest > 0 { down + 1 } else { down };
    let price = i64::try_from(price).map_err(|_| AmountError::Overflow)?;
    Ok((price > 0).then(|| Price::from_units(price)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number<T: std::str::FromStr<Err = AmountError>>(text: &str) -> T {
        text.parse().expect("number")
    }

    #[test]
    fn leverage_divides_the_value_and_the_maintenance_is_a_share_of_it() {
        assert_eq!(initial_margin(Money::whole(15_000), Ratio::whole(50)), Ok(Money::whole(300)));
        assert_eq!(initial_margin(Money::whole(-15_000), number("2.5")), Ok(Money::whole(6_000)));
        assert_eq!(initial_margin(Money::whole(1), Ratio::ZERO), Err(AmountError::Overflow));
        assert_eq!(maintenance_margin(Money::whole(-15_000), Ratio::from_percent(1)), Ok(Money::whole(150)));
    }

    #[test]
    fn a_position_is_closed_where_its_margin_is_used_up() {
        let price = |quantity, margin, rate: &str| {
            liquidation_price(Quantity::whole(quantity), Price::whole(2_000), Money::whole(margin), number(rate))
        };
        // Ten times leverage without maintenance: a tenth away. With 0.5 % of maintenance earlier: 18,000 / 9.95, 22,000 / 10.05.
        assert_eq!(price(10, 2_000, "0"), Ok(Some(Price::whole(1_800))));
        assert_eq!(price(-10, 2_000, "0"), Ok(Some(Price::whole(2_200))));
        assert_eq!(price(10, 2_000, "0.005"), Ok(Some(number("1809.04522614"))));
        assert_eq!(price(-10, 2_000, "0.005"), Ok(Some(number("2189.05472636"))));
        assert_eq!(price(10, 20_000, "0.005"), Ok(None));
        assert_eq!(price(0, 2_000, "0.005"), Ok(None));
        assert_eq!(price(10, 2_000, "1"), Err(AmountError::Overflow));
    }

    proptest! {
        /// At the price the money still is the maintenance margin, one step of the price further it is not. Both are compared exactly.
        #[test]
        fn the_money_left_at_that_price_is_the_maintenance_margin(
            size in 1..1_000_000_000_000i64, short: bool, entry in 1..10_000_000_000_000i64, leverage in 1..125i64, rate in 0..20_000_000i64
        ) {
            let quantity = Quantity::from_units(if short { -size } else { size });
            let (price, rate) = (Price::from_units(entry), Ratio::from_units(rate));
            let margin = initial_margin(quantity.value_at(price).expect("fits"), Ratio::whole(leverage)).expect("fits");
            let Some(closed) = liquidation_price(quantity, price, margin, rate).expect("fits") else { return Ok(()) };
            let surplus = |at: i64| {
                let (held, at, units) = (i128::from(quantity.units()), i128::from(at), i128::from(UNITS));
                let left = i128::from(margin.units()) * units + held * (at - i128::from(entry));
                left * units - held.abs() * at * i128::from(rate.units())
            };
            let towards = if short { 1 } else { -1 };
            prop_assert!(surplus(closed.units()) >= 0);
            prop_assert!(surplus(closed.units() + towards) < 0);
        }
    }
}
