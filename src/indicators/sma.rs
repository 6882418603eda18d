//! Simple moving average, kept as an exact sum so that it never drifts and a crossing can be compared exactly.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price, UNITS};

use super::Indicator;
use super::limits::Period;
use super::total::Total;

/// The mean of the last `period` closes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sma(Total);

impl Sma {
    /// Over `period` closes, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self(Total::new(Period::new(period)))
    }

    /// How many closes it spans.
    pub const fn period(&self) -> usize {
        self.0.period().bars()
    }

    /// Takes a close.
    #[inline]
    pub fn push(&mut self, close: Price) {
        self.0.push(close.units());
    }

    /// The exact sum of the window in units of 1e-8, once it is full.
    pub fn sum(&self) -> Option<i128> {
        self.0.sum()
    }

    /// The mean, once the window is full.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        self.0.mean(UNITS as f64)
    }
}

impl Indicator for Sma {
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.push(bar.close);
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.0.rescale(denominator, numerator);
    }
}
