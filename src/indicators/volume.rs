//! How busy is the market? The average volume, and the newest volume against it.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Quantity, UNITS};

use super::Indicator;
use super::limits::{Period, scaled};
use super::total::Total;

/// The mean of the last `period` volumes, the newest included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeSma {
    volumes: Total,
    last: Quantity,
}

impl VolumeSma {
    /// Over `period` bars, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self { volumes: Total::new(Period::new(period)), last: Quantity::ZERO }
    }

    /// The mean, once the window is full.
    pub fn value(&self) -> Option<f64> {
        self.volumes.mean(UNITS as f64)
    }

    /// The newest volume in parts of the mean: 1 is as usual. None where nothing was traded in the whole window.
    pub fn ratio(&self) -> Option<f64> {
        let mean = self.volumes.mean(1.0).filter(|mean| *mean > 0.0)?;
        Some(self.last.units() as f64 / mean)
    }
}

impl Indicator for VolumeSma {
    /// The mean.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.volumes.push(bar.volume.units());
        self.last = bar.volume;
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.volumes.rescale(numerator, denominator);
        self.last = Quantity::from_units(scaled(self.last.units(), numerator, denominator));
    }
}
