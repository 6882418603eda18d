//! Average true range after Wilder (New Concepts in Technical Trading Systems, 1978).

use serde::{Deserialize, Serialize};

use crate::domain::Bar;

use super::limits::split_factor;
use super::smooth::Smooth;
use super::{Indicator, TrueRange};

/// The average true range: the mean of the first `period` true ranges, then Wilder's smoothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Atr {
    range: TrueRange,
    average: Smooth,
}

impl Atr {
    /// Smoothed over `period` true ranges, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self { range: TrueRange::default(), average: Smooth::wilder(period) }
    }

    /// The average in units of price, from the bar after the first `period` on.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        self.average.value()
    }
}

impl Indicator for Atr {
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if let Some(range) = self.range.update(bar) {
            self.average.push(range);
        }
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.range.rescale(numerator, denominator);
        self.average.scale(split_factor(numerator, denominator));
    }
}
