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
    warm_up_help: "the slow average, and one bar to see it crossed; how sure it is depends on a smoothed range, which \
        settles later",
    ranks: false,
    build: |values| cross::build::<Sma>("sma_cross", values),
};

impl Average for Sma {
    const WORD: &'static str = "sma";

    fn over(bars: usize) -> Self {
        Self::new(bars)
    }

    #[inline]
    fn level(&self) -> Option<f64> {
        self.value()
    }

    #[inline]
    fn against(&self, slow: &Self) -> Option<Ordering> {
        let (fast_sum, slow_sum) = (self.sum()?, slow.sum()?);
        Some((fast_sum * slow.period() as i128).cmp(&(slow_sum * self.period() as i128)))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Holding;
    use crate::strategy::story::{closes, made, stay, watch};

    /// In floats the mean of these is 0.20000000000000004, and the last close would lie below it.
    #[test]
    fn averages_are_compared_exactly() {
        let mut cross = made("sma_cross", &[("fast", "1"), ("slow", "3")]);
        watch(&mut *cross, &closes(&[0.2, 0.1, 0.3, 0.2]));
        assert_eq!(stay(&*cross, Holding::Long).rule, "the fast average is below the slow one");
        assert_eq!(stay(&*cross, Holding::Short).rule, "the fast average is above the slow one");
    }
}
