//! Simple moving average, kept as an exact sum so that it never drifts and a crossing can be compared exactly.

use crate::domain::{Bar, Price, UNITS};

use super::Indicator;

/// The mean of the last `period` closes.
#[derive(Debug, Clone)]
pub struct Sma {
    window: Box<[i64]>,
    next: usize,
    seen: usize,
    sum: i128,
}

impl Sma {
    /// Over `period` closes, at least one.
    pub fn new(period: usize) -> Self {
        Self { window: vec![0; period.max(1)].into_boxed_slice(), next: 0, seen: 0, sum: 0 }
    }

    /// How many closes it spans.
    pub fn period(&self) -> usize {
        self.window.len()
    }

    /// Takes a close.
    pub fn push(&mut self, close: Price) {
        let slot = &mut self.window[self.next];
        self.sum += i128::from(close.units()) - i128::from(*slot);
        *slot = close.units();
        self.next = if self.next + 1 == self.window.len() { 0 } else { self.next + 1 };
        self.seen = (self.seen + 1).min(self.window.len());
    }

    /// The exact sum of the window in units of 1e-8, once it is full.
    pub fn sum(&self) -> Option<i128> {
        (self.seen == self.window.len()).then_some(self.sum)
    }

    /// The mean, once the window is full.
    pub fn value(&self) -> Option<f64> {
        self.sum().map(|sum| sum as f64 / (self.window.len() as f64 * UNITS as f64))
    }
}

impl Indicator for Sma {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.push(bar.close);
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        for close in &mut self.window {
            *close = Price::from_units(*close).scaled(denominator, numerator).unwrap_or(Price::MAX).units();
        }
        self.sum = self.window.iter().map(|close| i128::from(*close)).sum();
    }
}
