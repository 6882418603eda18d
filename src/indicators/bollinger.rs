//! Bollinger bands (Bollinger on Bollinger Bands, 2001).

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, UNITS};

use super::Indicator;
use super::limits::{Period, bound, bounded};
use super::variance::Variance;

/// One unit of a price.
const UNIT: f64 = 1.0 / UNITS as f64;

/// The mean of the last closes, and a band around it as wide as they vary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bollinger {
    closes: Variance,
    #[serde(deserialize_with = "bounded")]
    deviations: f64,
}

/// The bands, in units of price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands {
    /// The mean plus the wanted number of deviations.
    pub upper: f64,
    /// The mean.
    pub middle: f64,
    /// The mean less the wanted number of deviations.
    pub lower: f64,
}

impl Bollinger {
    /// Over `period` closes, 1 to 100,000, and so many standard deviations wide (of a population: divided by `period`).
    pub fn new(period: usize, deviations: f64) -> Self {
        Self { closes: Variance::new(Period::new(period)), deviations: bound(deviations) }
    }

    /// The bands, once the window is full.
    #[inline]
    pub fn bands(&self) -> Option<Bands> {
        let middle = self.closes.mean(UNITS as f64)?;
        let width = self.deviations * self.closes.population()? * UNIT;
        Some(Bands { upper: middle + width, middle, lower: middle - width })
    }
}

impl Indicator for Bollinger {
    /// The middle band.
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.closes.push(bar.close.units());
        self.closes.mean(UNITS as f64)
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.closes.rescale(denominator, numerator);
    }
}
