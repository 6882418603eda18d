//! How far do the last values lie from their mean? Exact integer sums, so that the answer is as good after a million bars.

use serde::{Deserialize, Serialize};

use super::limits::Period;
use super::total::{Total, to_f64};
use super::window::Window;

/// 2^63.
const HALF: f64 = (1u64 << 63) as f64;

/// Sum and sum of squares of a window. Neither is saved: loading adds them up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Window<i64>", into = "Window<i64>")]
pub(super) struct Variance {
    total: Total,
    /// Modulo 2^128, as everything made of it: exact wherever the end result fits.
    squares: i128,
    /// With n values of at most 2^63 / n, n times the sum of squares less the squared sum is at most 2^126.
    limit: u64,
    /// How many values of the window lie beyond it.
    large: usize,
    /// One divided by the period.
    share: f64,
}

impl Variance {
    /// Of nothing yet.
    pub(super) fn new(period: Period) -> Self {
        Window::new(period).into()
    }

    /// How many values it spans.
    #[inline]
    pub(super) const fn period(&self) -> Period {
        self.total.period()
    }

    /// Takes a value.
    #[inline]
    pub(super) fn push(&mut self, value: i64) {
        let oldest = self.total.push(value);
        self.squares = self.squares.wrapping_add(square(value)).wrapping_sub(square(oldest));
        self.large = self.large + self.is_large(value) - self.is_large(oldest);
    }

    /// One if so, zero if not.
    #[inline]
    fn is_large(&self, value: i64) -> usize {
        usize::from(value.unsigned_abs() > self.limit)
    }

    /// The mean in parts of `unit`, once the window is full.
    #[inline]
    pub(super) fn mean(&self, unit: f64) -> Option<f64> {
        self.total.mean(unit)
    }

    /// The standard deviation of the window as a whole population, once it is full.
    #[inline]
    pub(super) fn population(&self) -> Option<f64> {
        Some(self.product()?.sqrt() * self.share)
    }

    /// The standard deviation of what the window is a sample of, once it is full with two or more.
    pub(super) fn sample(&self) -> Option<f64> {
        let count = self.period().as_f64();
        Some((self.product().filter(|_| count > 1.0)? / (count * (count - 1.0))).sqrt())
    }

    /// The number of values times the sum of their squared distances from the mean, once the window is full.
    #[inline]
    fn product(&self) -> Option<f64> {
        let sum = self.total.sum()?;
        if self.large > 0 {
            return Some(self.product_in_two_passes(sum));
        }
        let count = self.period().bars() as i128;
        let product = self.squares.wrapping_mul(count).wrapping_sub(sum.wrapping_mul(sum));
        // In two halves that fit a machine word each.
        let (high, low) = ((product >> 63) as i64, product as i64 & i64::MAX);
        Some(high as f64 * HALF + low as f64)
    }

    #[cold]
    fn product_in_two_passes(&self, sum: i128) -> f64 {
        let mean = to_f64(sum) / self.period().as_f64();
        let squares = self.total.values().iter().map(|value| (*value as f64 - mean) * (*value as f64 - mean));
        squares.sum::<f64>() * self.period().as_f64()
    }

    /// Multiplies every value.
    pub(super) fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.total.rescale(numerator, denominator);
        self.add_up();
    }

    fn add_up(&mut self) {
        let values = self.total.values();
        self.squares = values.iter().fold(0, |sum: i128, value| sum.wrapping_add(square(*value)));
        self.large = values.iter().map(|value| self.is_large(*value)).sum();
    }
}

#[inline]
fn square(value: i64) -> i128 {
    i128::from(value) * i128::from(value)
}

impl From<Window<i64>> for Variance {
    fn from(window: Window<i64>) -> Self {
        let (limit, share) = ((1 << 63) / window.period().bars() as u64, 1.0 / window.period().as_f64());
        let mut variance = Self { total: window.into(), squares: 0, limit, large: 0, share };
        variance.add_up();
        variance
    }
}

impl From<Variance> for Window<i64> {
    fn from(variance: Variance) -> Self {
        variance.total.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deviation_of(values: &[i64]) -> Option<f64> {
        let mut variance = Variance::new(Period::new(4));
        for value in values {
            variance.push(*value);
        }
        variance.population()
    }

    #[test]
    fn it_is_exact_where_sums_of_floats_are_not() {
        assert_eq!(deviation_of(&[1, 2, 3]), None);
        assert_eq!(deviation_of(&[2, 2, 6, 6]), Some(2.0));
        let far = 2_000_000_000_000_000_000;
        assert_eq!(deviation_of(&[far + 2, far + 2, far + 6, far + 6]), Some(2.0));
    }

    #[test]
    fn numbers_too_large_for_it_harm_nothing_once_they_left() {
        let extremes = [i64::MAX, i64::MIN, i64::MAX, i64::MIN];
        let want = 2f64.powi(63);
        assert!((deviation_of(&extremes).expect("full") - want).abs() <= 1e-15 * want);
        assert_eq!(deviation_of(&[extremes, [2, 2, 6, 6]].concat()), Some(2.0));
    }
}
