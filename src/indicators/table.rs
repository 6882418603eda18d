//! Which indicators are there? The columns of `bellwether indicators`, in their order.

use crate::domain::Bar;

use super::{Atr, Ema, Rsi, Sma, TrueRange};

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
    /// Makes it.
    pub build: fn() -> Box<dyn Indicator>,
}

/// All columns, in the order they are printed.
pub const COLUMNS: &[Column] = &[
    Column { name: "sma20", build: || Box::new(Sma::new(20)) },
    Column { name: "ema9", build: || Box::new(Ema::new(9)) },
    Column { name: "ema20", build: || Box::new(Ema::new(20)) },
    Column { name: "ema21", build: || Box::new(Ema::new(21)) },
    Column { name: "ema50", build: || Box::new(Ema::new(50)) },
    Column { name: "ema200", build: || Box::new(Ema::new(200)) },
    Column { name: "rsi14", build: || Box::new(Rsi::new(14)) },
    Column { name: "tr", build: || Box::new(TrueRange::default()) },
    Column { name: "atr14", build: || Box::new(Atr::new(14)) },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{Price, Quantity};

    fn flat(price: i64) -> Bar {
        let price = Price::whole(price);
        Bar { start: Timestamp::from_ms(0), open: price, high: price, low: price, close: price, volume: Quantity::ZERO }
    }

    #[test]
    fn a_market_that_stands_still_gives_plain_numbers() {
        for column in COLUMNS {
            let mut indicator = (column.build)();
            let values: Vec<f64> = (0..400).filter_map(|_| indicator.update(&flat(100))).collect();
            assert!(!values.is_empty() && values.iter().all(|value| value.is_finite()), "{}", column.name);
        }
        assert_eq!((COLUMNS[6].build)().update(&flat(1)), None);
    }

    #[test]
    fn a_split_leaves_every_figure_where_it_would_be() {
        for column in COLUMNS {
            let (mut split, mut whole) = ((column.build)(), (column.build)());
            for step in 0..300i64 {
                let price = 1_000 + step * 37 % 101;
                whole.update(&flat(price));
                split.update(&flat(price * 4));
            }
            split.rescale(4, 1);
            for price in [1_010, 990, 1_005] {
                let (a, b) = (split.update(&flat(price)), whole.update(&flat(price)));
                let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
                assert!((a - b).abs() <= 1e-9 * b.abs(), "{}: {a} {b}", column.name);
            }
        }
    }
}
