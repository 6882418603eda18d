//! What do the last values add up to? An exact integer sum, so that it never drifts.

use serde::{Deserialize, Serialize};

use super::limits::{Period, scaled};
use super::window::Window;

/// The sum of a window. It is not saved: loading adds it up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Window<i64>", into = "Window<i64>")]
pub(super) struct Total {
    window: Window<i64>,
    sum: i128,
}

impl Total {
    /// Of nothing yet.
    pub(super) fn new(period: Period) -> Self {
        Window::new(period).into()
    }

    /// How many values it spans.
    #[inline]
    pub(super) const fn period(&self) -> Period {
        self.window.period()
    }

    /// Takes a value; the one that fell out, zero while the window fills.
    #[inline]
    pub(super) fn push(&mut self, value: i64) -> i64 {
        let oldest = self.window.push(value).unwrap_or(0);
        self.sum += i128::from(value) - i128::from(oldest);
        oldest
    }

    /// What the window holds, not sorted by age.
    pub(super) fn values(&self) -> &[i64] {
        self.window.values()
    }

    /// The sum, once the window is full.
    #[inline]
    pub(super) fn sum(&self) -> Option<i128> {
        self.window.is_full().then_some(self.sum)
    }

    /// The mean in parts of `unit`, once the window is full. Rounded once: where nothing changes it is the value itself.
    #[inline]
    pub(super) fn mean(&self, unit: f64) -> Option<f64> {
        Some(to_f64(self.sum()?) / (self.period().as_f64() * unit))
    }

    /// Multiplies every value.
    pub(super) fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.window.change(|value| scaled(value, numerator, denominator));
        self.sum = add_up(&self.window);
    }
}

impl From<Window<i64>> for Total {
    fn from(window: Window<i64>) -> Self {
        Self { sum: add_up(&window), window }
    }
}

impl From<Total> for Window<i64> {
    fn from(total: Total) -> Self {
        total.window
    }
}

fn add_up(window: &Window<i64>) -> i128 {
    window.values().iter().map(|value| i128::from(*value)).sum()
}

/// The nearest float; quick where the number fits 64 bits, as it nearly always does.
#[inline]
pub(super) fn to_f64(number: i128) -> f64 {
    i64::try_from(number).map_or_else(|_| wide_to_f64(number), |number| number as f64)
}

/// Kept apart, or the compiler does it for every number and then picks.
#[cold]
#[inline(never)]
fn wide_to_f64(number: i128) -> f64 {
    number as f64
}
