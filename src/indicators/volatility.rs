//! Realised volatility: how much the returns of the last bars vary.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::Indicator;
use super::limits::{Period, split_price};
use super::variance::Variance;

/// Steps in a logarithmic return of one: finer than the logarithm itself is known, and exact to add up.
const STEPS: f64 = (1u64 << 56) as f64;

/// The standard deviation of the last `period` logarithmic returns (of a sample: divided by `period - 1`), for one bar.
/// It is not annualised: multiply it by the square root of the bars in a year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RealisedVolatility {
    returns: Variance,
    last: Option<Price>,
}

impl RealisedVolatility {
    /// Over `period` returns, 2 to 100,000.
    pub fn new(period: usize) -> Self {
        Self { returns: Variance::new(Period::new(period.max(2))), last: None }
    }

    /// The deviation, from the bar after the first `period` on.
    pub fn value(&self) -> Option<f64> {
        Some(self.returns.sample()? / STEPS)
    }
}

impl Indicator for RealisedVolatility {
    /// A bar whose close is not positive has no return and is left out.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if bar.close <= Price::ZERO {
            return self.value();
        }
        if let Some(last) = self.last.replace(bar.close).filter(|last| *last > Price::ZERO) {
            let growth = bar.close.units() as f64 / last.units() as f64;
            self.returns.push((libm::log(growth) * STEPS).round_ties_even() as i64);
        }
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.last = self.last.map(|last| split_price(last, numerator, denominator));
    }
}
