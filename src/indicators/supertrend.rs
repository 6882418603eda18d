//! Supertrend after Seban: a stop that follows the price at some average true ranges and turns when a close passes it.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::limits::{bound, bounded, split_factor, split_price};
use super::{Atr, Indicator};

/// The stop under a rising market or over a falling one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuperTrend {
    average: Atr,
    #[serde(deserialize_with = "bounded")]
    factor: f64,
    last: Option<Price>,
    stops: Option<Stops>,
}

/// Both stops; the one that is not shown follows, too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stops {
    #[serde(deserialize_with = "bounded")]
    upper: f64,
    #[serde(deserialize_with = "bounded")]
    lower: f64,
    up: bool,
}

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendLevel {
    /// The stop, in units of price.
    pub level: f64,
    /// Whether the market rises; the stop lies below it then.
    pub up: bool,
}

impl SuperTrend {
    /// With an average true range over `period` bars, usually 10, and the stop `factor` of them away, usually 3.
    pub fn new(period: usize, factor: f64) -> Self {
        Self { average: Atr::new(period), factor: bound(factor), last: None, stops: None }
    }

    /// The stop, from the bar after the first `period` on.
    pub fn value(&self) -> Option<TrendLevel> {
        self.stops.map(|stops| TrendLevel { level: if stops.up { stops.lower } else { stops.upper }, up: stops.up })
    }

    /// A stop moves towards the price only, unless the close before lay beyond it.
    fn follow(&self, bar: &Bar, distance: f64) -> Stops {
        let (middle, close) = (f64::midpoint(bar.high.to_f64(), bar.low.to_f64()), bar.close.to_f64());
        let (upper, lower) = (bound(middle + distance), bound(middle - distance));
        let (Some(before), Some(last)) = (self.stops, self.last.map(Price::to_f64)) else {
            return Stops { upper, lower, up: close >= middle };
        };
        let upper = if upper < before.upper || last > before.upper { upper } else { before.upper };
        let lower = if lower > before.lower || last < before.lower { lower } else { before.lower };
        Stops { upper, lower, up: close > if before.up { lower } else { upper } }
    }
}

impl Indicator for SuperTrend {
    /// The stop.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        if let Some(average) = self.average.update(bar) {
            self.stops = Some(self.follow(bar, self.factor * average));
        }
        self.last = Some(bar.close);
        self.value().map(|value| value.level)
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.average.rescale(numerator, denominator);
        self.last = self.last.map(|last| split_price(last, numerator, denominator));
        let factor = split_factor(numerator, denominator);
        self.stops = self.stops.map(|stops| Stops {
            upper: bound(stops.upper * factor),
            lower: bound(stops.lower * factor),
            ..stops
        });
    }
}
