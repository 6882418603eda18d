//! How large may the numbers of a figure be? Bounds that hold when one is made and again when one is loaded.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::Price;

/// Beyond this no computed number goes: above every price in units of 1e-8, far below the end of f64.
const LARGEST: f64 = 1e20;

/// How many bars a figure spans: 1 to 100,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub(super) struct Period(usize);

impl Period {
    const MAX: usize = 100_000;

    /// The nearest that is allowed.
    pub(super) fn new(bars: usize) -> Self {
        Self(bars.clamp(1, Self::MAX))
    }

    /// As a count.
    #[inline]
    pub(super) const fn bars(self) -> usize {
        self.0
    }

    /// As a divisor.
    #[inline]
    pub(super) fn as_f64(self) -> f64 {
        self.0 as f64
    }
}

impl TryFrom<usize> for Period {
    type Error = &'static str;

    fn try_from(bars: usize) -> Result<Self, Self::Error> {
        if Self::new(bars).0 == bars { Ok(Self(bars)) } else { Err("a figure spans 1 to 100000 bars") }
    }
}

impl From<Period> for usize {
    fn from(period: Period) -> Self {
        period.0
    }
}

/// Cut to the bounds; what is not a number becomes zero.
pub(super) fn bound(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(-LARGEST, LARGEST) }
}

/// Where a price lies against a level that was computed. The level is taken to the smallest unit that prices have, so that a close
/// exactly at it is at it, whatever the last bit of the computed number.
pub fn against(price: Price, level: f64) -> Ordering {
    Price::from_f64(level).map_or_else(|| price.to_f64().total_cmp(&level), |level| price.cmp(&level))
}

/// For fields that are loaded: refuses what lies outside the bounds.
pub(super) fn bounded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.abs() <= LARGEST { Ok(value) } else { Err(serde::de::Error::custom("a number is out of bounds")) }
}

/// `units` times `numerator / denominator`, rounded half-even; cut to what fits. A ratio that is not positive changes nothing.
pub(super) fn scaled(units: i64, numerator: i64, denominator: i64) -> i64 {
    if numerator <= 0 || denominator <= 0 {
        return units;
    }
    let cut = if units < 0 { i64::MIN } else { i64::MAX };
    Price::from_units(units).scaled(numerator, denominator).map_or(cut, Price::units)
}

/// A price of the time before `numerator` new shares came for `denominator` old ones.
pub(super) fn split_price(price: Price, numerator: i64, denominator: i64) -> Price {
    Price::from_units(scaled(price.units(), denominator, numerator))
}

/// What the same split does to a number that was computed from prices.
pub(super) fn split_factor(numerator: i64, denominator: i64) -> f64 {
    if numerator <= 0 || denominator <= 0 { 1.0 } else { denominator as f64 / numerator as f64 }
}
