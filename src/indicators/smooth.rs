//! How is a series smoothed? The mean of its first values, then a step of fixed weight towards each new one.

use serde::{Deserialize, Serialize};

use super::limits::{Period, bound, bounded};

/// The recurrence under every exponential average here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Smooth {
    period: Period,
    #[serde(deserialize_with = "weight")]
    weight: f64,
    /// Values taken; counted up to the period.
    seen: usize,
    #[serde(deserialize_with = "bounded")]
    value: f64,
}

impl Smooth {
    /// Weight 2 / (period + 1), the usual exponential average.
    pub(super) fn exponential(period: usize) -> Self {
        let period = Period::new(period);
        Self { period, weight: 2.0 / (period.as_f64() + 1.0), seen: 0, value: 0.0 }
    }

    /// Weight 1 / period, after Wilder.
    pub(super) fn wilder(period: usize) -> Self {
        let period = Period::new(period);
        Self { period, weight: 1.0 / period.as_f64(), seen: 0, value: 0.0 }
    }

    /// Takes a finite value.
    #[inline]
    pub(super) fn push(&mut self, value: f64) {
        let weight = if self.seen >= self.period.bars() {
            self.weight
        } else {
            self.seen += 1;
            1.0 / self.seen as f64
        };
        self.value += (value - self.value) * weight;
    }

    /// The average, once `period` values were taken.
    #[inline]
    pub(super) fn value(&self) -> Option<f64> {
        (self.seen >= self.period.bars()).then_some(self.value)
    }

    /// Multiplies what it knows.
    pub(super) fn scale(&mut self, factor: f64) {
        self.value = bound(self.value * factor);
    }
}

fn weight<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let weight = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&weight) { Ok(weight) } else { Err(serde::de::Error::custom("a weight is out of bounds")) }
}
