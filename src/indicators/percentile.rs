//! Is this number high for its time? Its place among the numbers before it.

use serde::{Deserialize, Serialize};

use super::limits::Period;
use super::window::Window;

/// The share of the `period` numbers before the newest that the newest exceeds.
///
/// It compares with each of them: the place in a moving window cannot be had in constant time, and counting has nothing
/// that could drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Percentile(Window<f64>);

impl Percentile {
    /// Among `period` numbers, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self(Window::new(Period::new(period)))
    }

    /// Takes a number; its share, 0 to 1, once `period` numbers came before it. One that is not finite is left out.
    pub fn push(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let lower = self.0.values().iter().filter(|before| **before < value).count();
        let share = self.0.is_full().then(|| lower as f64 / self.0.period().as_f64());
        self.0.push(value);
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_the_newest_exceeds() {
        let mut percentile = Percentile::new(4);
        let shares = [5.0, 1.0, 3.0, 3.0, 4.0, f64::NAN, 9.0, 0.0, 4.0].map(|value| percentile.push(value));
        let want = [None, None, None, None, Some(0.75), None, Some(1.0), Some(0.0), Some(0.5)];
        assert_eq!(shares, want);
    }
}
