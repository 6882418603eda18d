//! Rate of change: how far the close lies above the one some bars ago, in percent.

use serde::{Deserialize, Serialize};

use crate::domain::Bar;

use super::Indicator;
use super::limits::{Period, scaled};
use super::window::Window;

/// The change over `period` bars, in percent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Roc {
    closes: Window<i64>,
    /// The newest close and the one `period` bars before it.
    ends: Option<(i64, i64)>,
}

impl Roc {
    /// Over `period` bars, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self { closes: Window::new(Period::new(period)), ends: None }
    }

    /// The change, from the bar after the first `period` on; none against a close that was not positive.
    pub fn value(&self) -> Option<f64> {
        let (now, then) = self.ends.filter(|(_, then)| *then > 0)?;
        Some(100.0 * now.saturating_sub(then) as f64 / then as f64)
    }
}

impl Indicator for Roc {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let now = bar.close.units();
        self.ends = self.closes.push(now).map(|then| (now, then));
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let split = |close| scaled(close, denominator, numerator);
        self.closes.change(split);
        self.ends = self.ends.map(|(now, then)| (split(now), split(then)));
    }
}
