//! True range after Wilder (New Concepts in Technical Trading Systems, 1978).

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::Indicator;
use super::limits::split_price;

/// How far the price moved in a bar, the gap from the close before included; defined from the second bar on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrueRange {
    last: Option<Price>,
    range: Option<Price>,
}

impl TrueRange {
    /// In units of price.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        self.range.map(Price::to_f64)
    }
}

impl Indicator for TrueRange {
    #[inline]
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        self.range = self.last.replace(bar.close).map(|last| {
            let (top, bottom) = (bar.high.max(last).units(), bar.low.min(last).units());
            Price::from_units(top.saturating_sub(bottom))
        });
        self.value()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        for price in [&mut self.last, &mut self.range].into_iter().flatten() {
            *price = split_price(*price, numerator, denominator);
        }
    }
}
