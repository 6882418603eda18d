//! Moving average convergence divergence after Appel (The Moving Average Convergence-Divergence Method, 1979).

use serde::{Deserialize, Serialize};

use crate::domain::Bar;

use super::Indicator;
use super::limits::split_factor;
use super::smooth::Smooth;

/// The distance between two exponential averages, and its own average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Macd {
    fast: Smooth,
    slow: Smooth,
    signal: Smooth,
}

/// What the averages say, in units of price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MacdValue {
    /// The fast average less the slow one.
    pub line: f64,
    /// The exponential average of the line, seeded with the mean of its first values.
    pub signal: Option<f64>,
    /// The line less its signal.
    pub histogram: Option<f64>,
}

impl Macd {
    /// Over `fast` and `slow` closes and `signal` lines, usually 12, 26 and 9; each 1 to 100,000.
    pub fn new(fast: usize, slow: usize, signal: usize) -> Self {
        let [fast, slow, signal] = [fast, slow, signal].map(Smooth::exponential);
        Self { fast, slow, signal }
    }

    /// The distance and, `signal` bars later, its average.
    #[inline]
    pub fn value(&self) -> Option<MacdValue> {
        let line = self.fast.value()? - self.slow.value()?;
        let signal = self.signal.value();
        Some(MacdValue { line, signal, histogram: signal.map(|signal| line - signal) })
    }
}

impl Indicator for Macd {
    /// The line.
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let close = bar.close.to_f64();
        self.fast.push(close);
        self.slow.push(close);
        let line = self.fast.value()? - self.slow.value()?;
        self.signal.push(line);
        Some(line)
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        for average in [&mut self.fast, &mut self.slow, &mut self.signal] {
            average.scale(split_factor(numerator, denominator));
        }
    }
}
