//! Enters when the fast average was not above the slow one and now is; leaves when it is below.
//!
//! The averages are compared as exact sums: two floats that differ in the last bit must not make a trade.

use std::cmp::Ordering;

use crate::indicators::Sma;

use super::cross::{self, Average};
use super::{Param, StrategyKind};

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "sma_cross",
    help: "Enters when the fast moving average crosses above the slow one, leaves when it is below.",
    suits: "Long trends on any bars. In a market that goes sideways it buys high and sells low.",
    enters: "The fast average was not above the slow one a bar ago and is above it now. Short: the other way round.",
    leaves: "The fast average is below the slow one. Short: above.",
    confidence: cross::CONFIDENCE,
    params: &[
        Param::bars("fast", [20, 1, 500], "bars in the fast average"),
        Param::bars("slow", [50, 2, 1000], "bars in the slow average"),
        Param::SHORT,
    ],
    warm_up: |values| values.count("slow") + 1,
    warm_up_help: "the slow average, and one bar to see it crossed",
    build: |values| cross::build::<Sma>("sma_cross", values),
};

impl Average for Sma {
    const WORD: &'static str = "sma";

    fn over(bars: usize) -> Self {
        Self::new(bars)
    }

    #[inline]
    fn level(&self) -> Option<f64> {
        let sum = self.sum()?;
        let sum = if let Ok(sum) = i64::try_from(sum) { sum as f64 } else { wide(sum) };
        Some(sum / (self.period() as i64 * crate::domain::UNITS) as f64)
    }

    #[inline]
    fn against(&self, slow: &Self) -> Option<Ordering> {
        let (fast_sum, slow_sum) = (self.sum()?, slow.sum()?);
        Some((fast_sum * slow.period() as i128).cmp(&(slow_sum * self.period() as i128)))
    }
}

#[cold]
fn wide(sum: i128) -> f64 { sum as f64 }
