//! How far do the last values lie from their mean? Exact integer sums, so that the answer is as good after a million bars.

use serde::{Deserialize, Serialize};

use super::limits::{Period, scaled};
use super::total::to_f64;
use super::window::Window;

/// Sum and sum of squares of a window. Neither is saved: loading adds them up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Window<i64>", into = "Window<i64>")]
pub(super) struct Variance {
    window: Window<i64>,
    sum: i128,
    /// Modulo 2^128, as everything made of it: exact wherever the end result fits.
    squares: i128,
    /// How many values of the window are so large that the end result might not fit.
    large: usize,
}

impl Variance {
    /// Of nothing yet.
    pub(super) fn new(period: Period) -> Self {
        Window::new(period).into()
    }

    /// How many values it spans.
    #[inline]
    pub(super) const fn period(&self) -> Period {
        self.window.period()
    }

    /// Takes a value.
    #[inline]
    pub(super) fn push(&mut self, value: i64) {
        let oldest = self.window.push(value);
        self.add(value);
        if let Some(oldest) = oldest {
            self.sum -= i128::from(oldest);
            self.squares = self.squares.wrapping_sub(square(oldest));
            self.large -= usize::from(self.is_large(oldest));
        }
    }

    #[inline]
    fn add(&mut self, value: i64) {
        self.sum += i128::from(value);
        self.squares = self.squares.wrapping_add(square(value));
        self.large += usize::from(self.is_large(value));
    }

    /// With n values of at most 2^63 / n, n times the sum of squares less the squared sum is at most 2^126.
    #[inline]
    fn is_large(&self, value: i64) -> bool {
        value.unsigned_abs().saturating_mul(self.period().bars() as u64) > 1 << 63
    }

    /// The mean, once the window is full.
    #[inline]
    pub(super) fn mean(&self) -> Option<f64> {
        self.window.is_full().then(|| to_f64(self.sum) / self.period().as_f64())
    }

    /// The sum of the squared distances from the mean, once the window is full.
    #[inline]
    pub(super) fn scatter(&self) -> Option<f64> {
        if !self.window.is_full() {
            return None;
        }
        if self.large > 0 {
            return Some(self.scatter_in_two_passes());
        }
        let count = self.period().bars() as i128;
        let product = self.squares.wrapping_mul(count).wrapping_sub(self.sum.wrapping_mul(self.sum));
        Some(to_f64(product) / self.period().as_f64())
    }

    #[cold]
    fn scatter_in_two_passes(&self) -> f64 {
        let mean = to_f64(self.sum) / self.period().as_f64();
        self.window.values().iter().map(|value| (*value as f64 - mean) * (*value as f64 - mean)).sum()
    }

    /// Multiplies every value.
    pub(super) fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.window.change(|value| scaled(value, numerator, denominator));
        self.add_up();
    }

    fn add_up(&mut self) {
        (self.sum, self.squares, self.large) = (0, 0, 0);
        for place in 0..self.window.values().len() {
            self.add(self.window.values()[place]);
        }
    }
}

#[inline]
fn square(value: i64) -> i128 {
    i128::from(value) * i128::from(value)
}

impl From<Window<i64>> for Variance {
    fn from(window: Window<i64>) -> Self {
        let mut variance = Self { window, sum: 0, squares: 0, large: 0 };
        variance.add_up();
        variance
    }
}

impl From<Variance> for Window<i64> {
    fn from(variance: Variance) -> Self {
        variance.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter_of(values: &[i64]) -> Option<f64> {
        let mut variance = Variance::new(Period::new(4));
        for value in values {
            variance.push(*value);
        }
        variance.scatter()
    }

    #[test]
    fn it_is_exact_where_sums_of_floats_are_not() {
        assert_eq!(scatter_of(&[1, 2, 3]), None);
        assert_eq!(scatter_of(&[1, 2, 3, 4]), Some(5.0));
        let far = 1_000_000_000_000_000_000;
        assert_eq!(scatter_of(&[far + 1, far + 2, far + 3, far + 4]), Some(5.0));
    }

    #[test]
    fn numbers_too_large_for_it_harm_nothing_once_they_left() {
        let extremes = [i64::MAX, i64::MIN, i64::MAX, i64::MIN];
        let want = 4.0 * 2f64.powi(126);
        assert!((scatter_of(&extremes).expect("full") - want).abs() <= 1e-15 * want);
        let mut after = extremes.to_vec();
        after.extend([1, 2, 3, 4]);
        assert_eq!(scatter_of(&after), Some(5.0));
    }
}
