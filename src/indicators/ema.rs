//! Exponential moving average: seeded with the mean of the first closes, then weighted by 2 / (period + 1).

use crate::domain::Bar;

use super::Indicator;

/// The exponentially weighted mean of all closes.
#[derive(Debug, Clone)]
pub struct Ema {
    period: usize,
    seen: usize,
    seed: f64,
    value: f64,
}

impl Ema {
    /// With the weight of `period` closes, at least one.
    pub fn new(period: usize) -> Self {
        Self { period: period.max(1), seen: 0, seed: 0.0, value: 0.0 }
    }

    /// The mean, from the bar numbered `period` on.
    pub fn value(&self) -> Option<f64> {
        (self.seen >= self.period).then_some(self.value)
    }
}

impl Indicator for Ema {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let close = bar.close.to_f64();
        self.seen = self.seen.saturating_add(1);
        if self.seen <= self.period {
            self.seed += close;
            self.value = self.seed / self.period as f64;
        } else {
            self.value += (close - self.value) * 2.0 / (self.period as f64 + 1.0);
        }
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let factor = denominator as f64 / numerator as f64;
        self.seed *= factor;
        self.value *= factor;
    }
}
