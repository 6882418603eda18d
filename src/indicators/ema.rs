//! Exponential moving average: seeded with the mean of the first closes, then weighted by 2 / (period + 1).

use serde::{Deserialize, Serialize};

use crate::domain::Bar;

use super::Indicator;
use super::limits::{bound, split_factor};
use super::smooth::Smooth;

/// The exponentially weighted mean of all closes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ema(Smooth);

impl Ema {
    /// With the weight of `period` closes, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self(Smooth::exponential(period))
    }

    /// Takes a number that need not be a close. One that is not finite is left out; beyond 1e20 it counts as 1e20.
    pub fn push(&mut self, value: f64) {
        if value.is_finite() {
            self.0.push(bound(value));
        }
    }

    /// The mean, from the bar numbered `period` on.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        self.0.value()
    }
}

impl Indicator for Ema {
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.0.push(bar.close.to_f64());
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.0.scale(split_factor(numerator, denominator));
    }
}
