//! Enters when the fast exponential average was not above the slow one and now is; leaves when it is below.

use std::cmp::Ordering;

use crate::indicators::Ema;

use super::cross::{self, Average};
use super::{Param, StrategyKind, warm_up};

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "ema_cross",
    help: "Enters when the fast exponential average crosses above the slow one, leaves when it is below.",
    suits: "Trends on any bars; it turns sooner than sma_cross and is fooled more often.",
    enters: "The fast average was not above the slow one a bar ago and is above it now. Short: the other way round.",
    leaves: "The fast average is below the slow one. Short: above.",
    confidence: cross::CONFIDENCE,
    params: &[
        Param::bars("fast", [12, 1, 500], "bars that weigh in the fast average"),
        Param::bars("slow", [26, 2, 1000], "bars that weigh in the slow average"),
        Param::SHORT,
    ],
    warm_up: |values| warm_up::exponential(values.count("slow")) + 1,
    warm_up_help: "until what came before weighs less than 1e-9 in the slow average, and one bar to see it crossed",
    ranks: false,
    build: |values| cross::build::<Ema>("ema_cross", values),
};

impl Average for Ema {
    const WORD: &'static str = "ema";

    fn over(bars: usize) -> Self {
        Self::new(bars)
    }

    #[inline]
    fn level(&self) -> Option<f64> {
        self.value()
    }

    #[inline]
    fn against(&self, slow: &Self) -> Option<Ordering> {
        self.value()?.partial_cmp(&slow.value()?)
    }
}

#[cfg(test)]
mod tests {
    use crate::strategy::story::{closes, made, story};

    /// The fast average is the close itself, the slow one goes half the way to it.
    #[test]
    fn it_trades_the_crossings_of_exponential_averages() {
        let mut cross = made("ema_cross", &[("fast", "1"), ("slow", "3"), ("short", "1")]);
        let want = [
            "3 buy at 0.50: ema1 12.0000 rose above ema3 10.0000",
            "4 exit: ema1 9.0000 fell below ema3 9.5000",
            "4 sell at 0.50: ema1 9.0000 fell below ema3 9.5000",
            "7 exit: ema1 12.0000 rose above ema3 10.6875",
            "7 buy at 0.50: ema1 12.0000 rose above ema3 10.6875",
        ];
        assert_eq!(story(&mut *cross, &closes(&[8.0, 8.0, 8.0, 12.0, 9.0, 9.25, 9.375, 12.0])), want);
    }
}
