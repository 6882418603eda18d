//! Donchian channel: the highest high and the lowest low of the last bars.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::Indicator;
use super::limits::{Period, split_price};
use super::peaks::Peaks;

/// The range of the last `period` bars, the newest included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Donchian {
    highs: Peaks<Price>,
    lows: Peaks<Reverse<Price>>,
}

impl Donchian {
    /// Over `period` bars, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        let period = Period::new(period);
        Self { highs: Peaks::new(period), lows: Peaks::new(period) }
    }

    /// The highest high, exactly, once `period` bars were seen.
    pub fn high_price(&self) -> Option<Price> {
        self.highs.top()
    }

    /// The lowest low, exactly, once `period` bars were seen.
    pub fn low_price(&self) -> Option<Price> {
        self.lows.top().map(|Reverse(low)| low)
    }

    /// The highest high.
    pub fn high(&self) -> Option<f64> {
        self.high_price().map(Price::to_f64)
    }

    /// The lowest low.
    pub fn low(&self) -> Option<f64> {
        self.low_price().map(Price::to_f64)
    }

    /// Half way between the two.
    pub fn middle(&self) -> Option<f64> {
        Some(f64::midpoint(self.high()?, self.low()?))
    }
}

impl Indicator for Donchian {
    /// The middle.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.highs.push(bar.high);
        self.lows.push(Reverse(bar.low));
        self.middle()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.highs.change(|high| split_price(high, numerator, denominator));
        self.lows.change(|Reverse(low)| Reverse(split_price(low, numerator, denominator)));
    }
}
