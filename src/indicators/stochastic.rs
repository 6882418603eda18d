//! Stochastic oscillator after Lane: where the close lies between the lowest low and the highest high.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::limits::{Period, split_price};
use super::total::Total;
use super::{Donchian, Indicator};

/// Steps in one percent: finer than f64 near one hundred, and exact to add up.
const STEPS: f64 = (1u64 << 50) as f64;

/// Percent of the range of the last `period` bars, plain and smoothed twice. Without a range it reads 50.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stochastic {
    range: Donchian,
    close: Price,
    smooth_k: Total,
    smooth_d: Total,
}

impl Stochastic {
    /// Over `period` bars, usually 14, smoothed with simple means of `smooth_k` and then `smooth_d` values, usually 3 and
    /// 3; each 1 to 100,000.
    pub fn new(period: usize, smooth_k: usize, smooth_d: usize) -> Self {
        let [smooth_k, smooth_d] = [smooth_k, smooth_d].map(|bars| Total::new(Period::new(bars)));
        Self { range: Donchian::new(period), close: Price::ZERO, smooth_k, smooth_d }
    }

    /// The plain percentage, 0 to 100, once `period` bars were seen.
    pub fn fast_k(&self) -> Option<f64> {
        let (high, low) = (self.range.high_price()?.units(), self.range.low_price()?.units());
        let (part, whole) = (self.close.units().saturating_sub(low), high.saturating_sub(low));
        Some(if whole > 0 { (100.0 * part as f64 / whole as f64).clamp(0.0, 100.0) } else { 50.0 })
    }

    /// The mean of the last `smooth_k` plain ones, 0 to 100.
    pub fn k(&self) -> Option<f64> {
        self.smooth_k.mean(STEPS)
    }

    /// The mean of the last `smooth_d` smoothed ones, 0 to 100.
    pub fn d(&self) -> Option<f64> {
        self.smooth_d.mean(STEPS)
    }
}

impl Indicator for Stochastic {
    /// The smoothed percentage.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.range.update(bar);
        self.close = bar.close;
        let fast = self.fast_k()?;
        self.smooth_k.push((fast * STEPS).round_ties_even() as i64);
        self.smooth_d.push(self.smooth_k.mean(1.0)?.round_ties_even() as i64);
        self.k()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.range.rescale(numerator, denominator);
        self.close = split_price(self.close, numerator, denominator);
    }
}
