//! How large may the numbers of a figure be? Bounds that hold when one is made and again when one is loaded.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{Price, UNITS};

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

/// A computed level is known to this share of it; prices beyond count as beyond.
const LEVEL_KNOWN: f64 = 1e-14;
/// No price lies nearer than this to another.
const HALF_UNIT: f64 = 0.5 / UNITS as f64;

/// Where a price lies against a level that was computed. One that is as near as the level is known is at it: the last bit of a
/// computed number does not decide.
pub fn against(price: Price, level: f64) -> Ordering {
    let price = price.to_f64();
    let near = (price - level).abs() <= HALF_UNIT.min(level.abs() * LEVEL_KNOWN);
    if near { Ordering::Equal } else { price.total_cmp(&level) }
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
