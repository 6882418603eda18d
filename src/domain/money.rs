//! How is an amount kept exactly? As a whole number of hundred-millionths, with 128 bits in between.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Units in one whole: every exact number here is an integer count of 1e-8.
pub const UNITS: i64 = 100_000_000;
const DECIMALS: u32 = 8;

/// Why a number could not be taken or computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not a decimal number.
    #[error("not a number")]
    NotANumber,
    /// The value does not fit: the largest is about 92 billion.
    #[error("too large: the largest amount is 92,233,720,368.54775807")]
    Overflow,
}

/// Rounds `numerator / denominator` to the nearest integer, ties to even. `denominator` is positive.
const fn divide_half_even(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let rest = numerator.rem_euclid(denominator);
    let twice = rest * 2;
    if twice > denominator || (twice == denominator && quotient % 2 != 0) { quotient + 1 } else { quotient }
}

fn narrow(units: i128) -> Result<i64, AmountError> {
    i64::try_from(units).map_err(|_| AmountError::Overflow)
}

/// Reads a plain or exponent decimal (`-12.5`, `1.25e3`) into units; digits past the eighth are rounded half-even.
fn parse_units(text: &[u8]) -> Result<i64, AmountError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    let mut mantissa: i128 = 0;
    let mut scale: i32 = 0;
    let (mut seen_point, mut seen_digit) = (false, false);
    let mut position = 0;
    while let Some(&byte) = digits.get(position) {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                if mantissa > i128::MAX / 100 {
                    return Err(AmountError::Overflow);
                }
                mantissa = mantissa * 10 + i128::from(byte - b'0');
                scale += i32::from(seen_point);
            }
            b'.' if !seen_point => seen_point = true,
            b'e' | b'E' => break,
            _ => return Err(AmountError::NotANumber),
        }
        position += 1;
    }
    if !seen_digit {
        return Err(AmountError::NotANumber);
    }
    let exponent = match digits.get(position + 1..) {
        None => 0,
        Some(rest) => std::str::from_utf8(rest).ok().and_then(|t| t.parse().ok()).ok_or(AmountError::NotANumber)?,
    };
    let units = shift(mantissa, i32::try_from(DECIMALS).unwrap_or(8).saturating_sub(scale).saturating_add(exponent))?;
    narrow(if negative { -units } else { units })
}

/// `mantissa` times ten to the `power`, rounded half-even.
fn shift(mantissa: i128, power: i32) -> Result<i128, AmountError> {
    if mantissa == 0 {
        return Ok(0);
    }
    let factor = 10i128.checked_pow(power.unsigned_abs());
    match (factor, power >= 0) {
        (Some(factor), true) => mantissa.checked_mul(factor).ok_or(AmountError::Overflow),
        (Some(factor), false) => Ok(divide_half_even(mantissa, factor)),
        (None, true) => Err(AmountError::Overflow),
        (None, false) => Ok(0),
    }
}

fn write_units(units: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let size = units.unsigned_abs();
    let (whole, part) = (size / UNITS.unsigned_abs(), size % UNITS.unsigned_abs());
    let sign = if units < 0 { "-" } else { "" };
    if let Some(precision) = f.precision() {
        let dropped = 10i128.pow(DECIMALS.saturating_sub(u32::try_from(precision).unwrap_or(DECIMALS)));
        let rounded = divide_half_even(i128::from(units).abs(), dropped) * dropped;
        let (whole, part) = (rounded / i128::from(UNITS), rounded % i128::from(UNITS));
        let sign = if rounded == 0 { "" } else { sign };
        let digits = format!("{part:08}");
        return if precision == 0 {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{}", &digits[..precision.min(8)])
        };
    }
    let digits = format!("{part:08}");
    let trimmed = digits.trim_end_matches('0');
    if trimmed.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{trimmed}") }
}

macro_rules! exact {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The smallest step, 1e-8.
            pub const STEP: Self = Self(1);
            /// The largest value that fits.
            pub const MAX: Self = Self(i64::MAX);

            /// From a count of 1e-8.
            pub const fn from_units(units: i64) -> Self {
                Self(units)
            }

            /// As a count of 1e-8.
            pub const fn units(self) -> i64 {
                self.0
            }

            /// From a whole number; stays at the largest value if it does not fit.
            pub const fn whole(number: i64) -> Self {
                Self(number.saturating_mul(UNITS))
            }

            /// Reads a decimal number as it stands in a file or a message.
            ///
            /// # Errors
            /// When the bytes are not a number, or one that does not fit.
            pub fn parse(text: &[u8]) -> Result<Self, AmountError> {
                parse_units(text).map(Self)
            }

            /// Sum.
            ///
            /// # Errors
            /// When the sum does not fit.
            pub fn plus(self, other: Self) -> Result<Self, AmountError> {
                self.0.checked_add(other.0).map(Self).ok_or(AmountError::Overflow)
            }

            /// Difference.
            ///
            /// # Errors
            /// When the difference does not fit.
            pub fn minus(self, other: Self) -> Result<Self, AmountError> {
                self.0.checked_sub(other.0).map(Self).ok_or(AmountError::Overflow)
            }

            /// The opposite sign.
            #[must_use]
            pub const fn negated(self) -> Self {
                Self(self.0.saturating_neg())
            }

            /// Without its sign.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.saturating_abs())
            }

            /// True for exactly zero.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// This times `numerator / denominator`, rounded half-even once.
            ///
            /// # Errors
            /// When the result does not fit, or the denominator is not positive.
            pub fn scaled(self, numerator: i64, denominator: i64) -> Result<Self, AmountError> {
                if denominator <= 0 {
                    return Err(AmountError::Overflow);
                }
                narrow(divide_half_even(i128::from(self.0) * i128::from(numerator), i128::from(denominator))).map(Self)
            }

            /// This times a ratio, rounded half-even once.
            ///
            /// # Errors
            /// When the result does not fit.
            pub fn times(self, ratio: Ratio) -> Result<Self, AmountError> {
                self.scaled(ratio.0, UNITS)
            }

            /// This divided by `whole`; zero where `whole` is zero.
            #[must_use]
            pub fn share_of(self, whole: Self) -> Ratio {
                if whole.0 == 0 {
                    return Ratio::ZERO;
                }
                let numerator = i128::from(self.0) * i128::from(UNITS) * i128::from(whole.0.signum());
                let share = divide_half_even(numerator, i128::from(whole.0).abs());
                Ratio(i64::try_from(share).unwrap_or(if share > 0 { i64::MAX } else { i64::MIN }))
            }

            /// For indicators and statistics, which work in floating point.
            #[expect(clippy::float_arithmetic, reason = "the border to indicators and statistics")]
            pub fn to_f64(self) -> f64 {
                self.0 as f64 / UNITS as f64
            }

            /// The nearest exact value to a floating-point result; none if it is not finite or does not fit.
            #[expect(clippy::float_arithmetic, reason = "the border from indicators and statistics")]
            pub fn from_f64(value: f64) -> Option<Self> {
                let units = (value * UNITS as f64).round_ties_even();
                (units.is_finite() && units.abs() < 9.2e18).then_some(Self(units as i64))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_units(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_units(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = AmountError;

            fn from_str(text: &str) -> Result<Self, AmountError> {
                Self::parse(text.as_bytes())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

exact! {
    /// A price of one unit of something, in the quote currency.
    Price
}
exact! {
    /// How much of something: shares, coins, traded volume. Negative is short.
    Quantity
}
exact! {
    /// An amount of money in the book's currency.
    Money
}
exact! {
    /// A plain number without a unit: 0.03 is three percent.
    Ratio
}

impl Quantity {
    /// What this many cost at `price`: the one rounding of a fill, half-even.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn value_at(self, price: Price) -> Result<Money, AmountError> {
        narrow(divide_half_even(i128::from(self.0) * i128::from(price.0), i128::from(UNITS))).map(Money)
    }

    /// The largest whole number of `lot` within this (towards zero).
    #[must_use]
    pub const fn in_lots(self, lot: Self) -> Self {
        if lot.0 <= 0 { self } else { Self(self.0 - self.0 % lot.0) }
    }
}

impl Money {
    /// How many units this buys at `price`, rounded down to 1e-8; zero where the price is not positive.
    pub fn buys_at(self, price: Price) -> Quantity {
        if price.0 <= 0 {
            return Quantity::ZERO;
        }
        let units = (i128::from(self.0) * i128::from(UNITS)).div_euclid(i128::from(price.0));
        Quantity(i64::try_from(units).unwrap_or(i64::MAX))
    }

    /// The price of one unit when `quantity` of them are worth this; zero where the quantity is zero.
    pub fn per(self, quantity: Quantity) -> Price {
        if quantity.0 == 0 {
            return Price::ZERO;
        }
        let numerator = i128::from(self.0) * i128::from(UNITS) * i128::from(quantity.0.signum());
        let units = divide_half_even(numerator, i128::from(quantity.0).abs());
        Price(i64::try_from(units).unwrap_or(i64::MAX))
    }
}

impl Ratio {
    /// One.
    pub const ONE: Self = Self(UNITS);

    /// From percent, exactly: `from_percent(3)` is 0.03.
    pub const fn from_percent(percent: i64) -> Self {
        Self(percent.saturating_mul(UNITS / 100))
    }

    /// From basis points, exactly: `from_bps(5)` is 0.0005.
    pub const fn from_bps(bps: i64) -> Self {
        Self(bps.saturating_mul(UNITS / 10_000))
    }

    /// The same number times one hundred, for printing: `{:.1}` of it reads as percent.
    #[must_use]
    pub const fn percent(self) -> Self {
        Self(self.0.saturating_mul(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Result<i64, AmountError> {
        Price::parse(text.as_bytes()).map(Price::units)
    }

    #[test]
    fn decimals_are_read_exactly() {
        for (text, want) in [
            ("0", 0),
            ("1", 100_000_000),
            ("-1.5", -150_000_000),
            ("16713.08", 1_671_308_000_000),
            ("1.25e3", 125_000_000_000),
            ("1.6E-05", 1_600),
            ("0.000000005", 0),
            ("0.000000015", 2),
            ("92233720368.54775807", i64::MAX),
            (".5", 50_000_000),
            ("5.", 500_000_000),
        ] {
            assert_eq!(units(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in ["", "-", ".", "NaN", "inf", "1,5", "1e", "1e9x", "0x10", " 1", "1 ", "=1+1", "--1"] {
            assert_eq!(units(text), Err(AmountError::NotANumber), "{text}");
        }
        for text in ["1e308", "92233720368.54775808", "99999999999999999999999999999999999999999999"] {
            assert_eq!(units(text), Err(AmountError::Overflow), "{text}");
        }
    }

    #[test]
    fn ties_round_to_even() {
        let price = Price::from_units(1);
        let half = Quantity::from_units(UNITS / 2);
        assert_eq!(half.value_at(price), Ok(Money::ZERO));
        assert_eq!(half.value_at(Price::from_units(3)), Ok(Money::from_units(2)));
        assert_eq!(half.negated().value_at(Price::from_units(3)), Ok(Money::from_units(-2)));
    }

    #[test]
    fn printing_rounds_without_a_negative_zero() {
        assert_eq!(format!("{:.2}", Money::from_units(-100_000)), "0.00");
        assert_eq!(format!("{:.2}", Money::from_units(-12_345_678_900)), "-123.46");
        assert_eq!(format!("{:.0}", Money::from_units(150_000_000)), "2");
        assert_eq!(format!("{}", Money::from_units(-12_345_000_000)), "-123.45");
    }

    #[test]
    fn a_share_keeps_its_sign() {
        assert_eq!(Money::whole(-3).share_of(Money::whole(4)), Ratio::from_percent(-75));
        assert_eq!(Money::whole(3).share_of(Money::whole(-4)), Ratio::from_percent(-75));
        assert_eq!(Money::whole(3).share_of(Money::ZERO), Ratio::ZERO);
    }
}
