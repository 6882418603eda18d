//! Relative strength index after Wilder (New Concepts in Technical Trading Systems, 1978).

use crate::domain::Bar;

use super::Indicator;

/// 0 to 100: the share of rises in the smoothed movement of closes. A market that never moved reads 50.
#[derive(Debug, Clone)]
pub struct Rsi {
    period: usize,
    changes: usize,
    last: Option<f64>,
    rise: f64,
    fall: f64,
}

impl Rsi {
    /// Smoothed over `period` changes, at least one.
    pub fn new(period: usize) -> Self {
        Self { period: period.max(1), changes: 0, last: None, rise: 0.0, fall: 0.0 }
    }

    /// The index, once `period` changes were seen.
    pub fn value(&self) -> Option<f64> {
        let moved = self.rise + self.fall;
        (self.changes >= self.period).then(|| if moved > 0.0 { 100.0 * self.rise / moved } else { 50.0 })
    }
}

impl Indicator for Rsi {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let close = bar.close.to_f64();
        if let Some(last) = self.last.replace(close) {
            let (rise, fall) = ((close - last).max(0.0), (last - close).max(0.0));
            let period = self.period as f64;
            self.changes = self.changes.saturating_add(1);
            if self.changes <= self.period {
                self.rise += rise / period;
                self.fall += fall / period;
            } else {
                self.rise = (self.rise * (period - 1.0) + rise) / period;
                self.fall = (self.fall * (period - 1.0) + fall) / period;
            }
        }
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let factor = denominator as f64 / numerator as f64;
        self.last = self.last.map(|last| last * factor);
        self.rise *= factor;
        self.fall *= factor;
    }
}
