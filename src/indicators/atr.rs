//! True range and its average after Wilder (New Concepts in Technical Trading Systems, 1978).

use crate::domain::{Bar, Price};

use super::Indicator;

/// How far the price moved in a bar, the gap from the close before included; defined from the second bar on.
#[derive(Debug, Clone, Default)]
pub struct TrueRange {
    last: Option<Price>,
    value: Option<f64>,
}

impl Indicator for TrueRange {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.value = self.last.replace(bar.close).map(|last| {
            let top = bar.high.max(last).units();
            let bottom = bar.low.min(last).units();
            Price::from_units(top - bottom).to_f64()
        });
        self.value
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.last = self.last.and_then(|last| last.scaled(denominator, numerator).ok());
        self.value = self.value.map(|value| value * denominator as f64 / numerator as f64);
    }
}

/// The average true range: the mean of the first `period` true ranges, then Wilder's smoothing.
#[derive(Debug, Clone)]
pub struct Atr {
    range: TrueRange,
    period: usize,
    seen: usize,
    value: f64,
}

impl Atr {
    /// Smoothed over `period` true ranges, at least one.
    pub fn new(period: usize) -> Self {
        Self { range: TrueRange::default(), period: period.max(1), seen: 0, value: 0.0 }
    }

    /// The average in units of price, from the bar after the first `period` on.
    pub fn value(&self) -> Option<f64> {
        (self.seen >= self.period).then_some(self.value)
    }
}

impl Indicator for Atr {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if let Some(range) = self.range.update(bar) {
            let period = self.period as f64;
            self.seen = self.seen.saturating_add(1);
            if self.seen <= self.period {
                self.value += range / period;
            } else {
                self.value = (self.value * (period - 1.0) + range) / period;
            }
        }
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.range.rescale(numerator, denominator);
        self.value *= denominator as f64 / numerator as f64;
    }
}
