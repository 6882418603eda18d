//! Relative strength index after Wilder (New Concepts in Technical Trading Systems, 1978).

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::Indicator;
use super::limits::{split_factor, split_price};
use super::smooth::Smooth;

/// 0 to 100: the share of rises in the smoothed movement of closes. A market that never moved reads 50.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rsi {
    last: Option<Price>,
    /// Both in units of 1e-8, which cancel out.
    rise: Smooth,
    fall: Smooth,
}

impl Rsi {
    /// Smoothed over `period` changes, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self { last: None, rise: Smooth::wilder(period), fall: Smooth::wilder(period) }
    }

    /// The index, once `period` changes were seen.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        let (rise, fall) = (self.rise.value()?, self.fall.value()?);
        let moved = rise + fall;
        Some(if moved > 0.0 { (100.0 * rise / moved).clamp(0.0, 100.0) } else { 50.0 })
    }
}

impl Indicator for Rsi {
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if let Some(last) = self.last.replace(bar.close) {
            let change = bar.close.units().saturating_sub(last.units()) as f64;
            self.rise.push(change.max(0.0));
            self.fall.push((-change).max(0.0));
        }
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.last = self.last.map(|last| split_price(last, numerator, denominator));
        self.rise.scale(split_factor(numerator, denominator));
        self.fall.scale(split_factor(numerator, denominator));
    }
}
