//! Which indicators are there? The columns of `bellwether indicators`, in their order.

use crate::domain::Bar;

use super::{
    Adx, Atr, Bollinger, Donchian, Ema, Macd, Obv, RealisedVolatility, Roc, Rsi, Sma, Stochastic, SuperTrend,
    TrueRange, VolumeSma,
};

/// A figure that is fed bar by bar.
pub trait Indicator: Send {
    /// Takes a bar; the figure, once enough bars were seen. Never NaN, never infinite.
    fn update(&mut self, bar: &Bar) -> Option<f64>;

    /// Follows a split: what was one share is now `numerator / denominator` of one.
    fn rescale(&mut self, numerator: i64, denominator: i64);
}

/// One printed column.
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// What it is, with its unit and how it begins.
    pub help: &'static str,
    /// Makes it.
    pub build: fn() -> Box<dyn Indicator>,
}

/// One number of an indicator that has several.
struct Part<I> {
    whole: I,
    pick: fn(&I) -> Option<f64>,
}

impl<I: Indicator> Indicator for Part<I> {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.whole.update(bar);
        (self.pick)(&self.whole)
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.whole.rescale(numerator, denominator);
    }
}

fn part<I: Indicator + 'static>(whole: I, pick: fn(&I) -> Option<f64>) -> Box<dyn Indicator> {
    Box::new(Part { whole, pick })
}

fn macd(pick: fn(&Macd) -> Option<f64>) -> Box<dyn Indicator> {
    part(Macd::new(12, 26, 9), pick)
}

fn bollinger(pick: fn(&Bollinger) -> Option<f64>) -> Box<dyn Indicator> {
    part(Bollinger::new(20, 2.0), pick)
}

fn stochastic(pick: fn(&Stochastic) -> Option<f64>) -> Box<dyn Indicator> {
    part(Stochastic::new(14, 3, 3), pick)
}

/// All columns, in the order they are printed. The plain and the smoothed stochastic begin with the mean that is made of
/// them, as those who publish them do.
pub const COLUMNS: &[Column] = &[
    Column { name: "sma20", help: "mean of the last 20 closes", build: || Box::new(Sma::new(20)) },
    Column {
        name: "ema9",
        help: "exponential mean of closes, 2 / 10 of the newest; begins as the mean of the first 9",
        build: || Box::new(Ema::new(9)),
    },
    Column { name: "ema20", help: "the same over 20: 2 / 21 of the newest", build: || Box::new(Ema::new(20)) },
    Column { name: "ema21", help: "the same over 21", build: || Box::new(Ema::new(21)) },
    Column { name: "ema50", help: "the same over 50", build: || Box::new(Ema::new(50)) },
    Column { name: "ema200", help: "the same over 200", build: || Box::new(Ema::new(200)) },
    Column {
        name: "rsi14",
        help: "relative strength index, 0 to 100: rises over rises and falls, smoothed by Wilder (1 / 14 of the newest) after the mean of the first 14 changes; 50 if nothing moved",
        build: || Box::new(Rsi::new(14)),
    },
    Column {
        name: "macd_line",
        help: "ema of 12 less ema of 26, each begun as the mean of its first closes",
        build: || macd(|macd| Some(macd.value()?.line)),
    },
    Column {
        name: "macd_signal",
        help: "exponential mean of 9 lines, begun as the mean of the first 9",
        build: || macd(|macd| macd.value()?.signal),
    },
    Column { name: "macd_hist", help: "line less signal", build: || macd(|macd| macd.value()?.histogram) },
    Column {
        name: "tr",
        help: "true range: the widest of high less low, and of both to the close before",
        build: || Box::new(TrueRange::default()),
    },
    Column {
        name: "atr14",
        help: "average true range, smoothed by Wilder (1 / 14 of the newest) after the mean of the first 14",
        build: || Box::new(Atr::new(14)),
    },
    Column {
        name: "bb_upper",
        help: "Bollinger band: mean of 20 closes and 2 standard deviations (of a population)",
        build: || bollinger(|bollinger| Some(bollinger.bands()?.upper)),
    },
    Column {
        name: "bb_middle",
        help: "mean of 20 closes",
        build: || bollinger(|bollinger| Some(bollinger.bands()?.middle)),
    },
    Column {
        name: "bb_lower",
        help: "mean less 2 standard deviations",
        build: || bollinger(|bollinger| Some(bollinger.bands()?.lower)),
    },
    Column {
        name: "stoch_k",
        help: "stochastic, 0 to 100: where the close lies between lowest low and highest high of 14 bars, mean of 3; 50 without a range",
        build: || stochastic(|stochastic| stochastic.d().and(stochastic.k())),
    },
    Column { name: "stoch_d", help: "mean of 3 of those", build: || stochastic(Stochastic::d) },
    Column {
        name: "stoch_fast_k",
        help: "where the close lies in that range, without any mean",
        build: || stochastic(|stochastic| stochastic.k().and(stochastic.fast_k())),
    },
    Column {
        name: "adx14",
        help: "average directional index, 0 to 100, smoothed by Wilder as its parts are",
        build: || Box::new(Adx::new(14)),
    },
    Column {
        name: "plus_di14",
        help: "upward movement over the true range, 0 to 100",
        build: || part(Adx::new(14), Adx::plus),
    },
    Column {
        name: "minus_di14",
        help: "downward movement over the true range, 0 to 100",
        build: || part(Adx::new(14), Adx::minus),
    },
    Column { name: "roc10", help: "change of the close over 10 bars, in percent", build: || Box::new(Roc::new(10)) },
    Column {
        name: "obv",
        help: "volume so far, added on bars that close higher and taken off on bars that close lower; begins with the first volume",
        build: || Box::new(Obv::default()),
    },
    Column {
        name: "donchian_high20",
        help: "highest high of the last 20 bars, with this one",
        build: || part(Donchian::new(20), Donchian::high),
    },
    Column { name: "donchian_low20", help: "lowest low of them", build: || part(Donchian::new(20), Donchian::low) },
    Column {
        name: "supertrend_10_3",
        help: "stop 3 average true ranges (of 10) from the middle of the bar, under a rising market or over a falling one; begins as rising where the close is at the middle or above, and a close at the stop turns a rising market",
        build: || Box::new(SuperTrend::new(10, 3.0)),
    },
    Column {
        name: "supertrend_dir_10_3",
        help: "1 while the market rises, -1 while it falls",
        build: || part(SuperTrend::new(10, 3.0), |trend| trend.value().map(|trend| if trend.up { 1.0 } else { -1.0 })),
    },
    Column { name: "volume_sma20", help: "mean of the last 20 volumes", build: || Box::new(VolumeSma::new(20)) },
    Column {
        name: "volume_ratio20",
        help: "volume over that mean; empty where nothing was traded in all 20 bars",
        build: || part(VolumeSma::new(20), VolumeSma::ratio),
    },
    Column {
        name: "volatility20",
        help: "standard deviation (of a sample) of the last 20 logarithmic returns, for one bar; not scaled to a year",
        build: || Box::new(RealisedVolatility::new(20)),
    },
    Column {
        name: "donchian_middle20",
        help: "half way between highest high and lowest low of 20 bars",
        build: || Box::new(Donchian::new(20)),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{Price, Quantity};

    #[test]
    fn a_market_that_stands_still_gives_plain_numbers() {
        let want = [
            ("rsi14", 50.0),
            ("macd_hist", 0.0),
            ("bb_upper", 50.0),
            ("bb_lower", 50.0),
            ("stoch_d", 50.0),
            ("adx14", 0.0),
            ("plus_di14", 0.0),
            ("roc10", 0.0),
            ("volume_ratio20", 1.0),
            ("volatility20", 0.0),
        ];
        let (price, volume) = (Price::whole(50), Quantity::whole(7));
        let bar = Bar { start: Timestamp::from_ms(0), open: price, high: price, low: price, close: price, volume };
        let mut seen = 0;
        for column in COLUMNS {
            let mut indicator = (column.build)();
            let values: Vec<f64> = (0..400).filter_map(|_| indicator.update(&bar)).collect();
            assert!(!values.is_empty() && values.iter().all(|value| value.is_finite()), "{}", column.name);
            if let Some((_, want)) = want.iter().find(|(name, _)| *name == column.name) {
                assert_eq!(values.last(), Some(want), "{}", column.name);
                seen += 1;
            }
        }
        assert_eq!(seen, want.len());
    }
}
