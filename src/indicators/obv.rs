//! On-balance volume after Granville (New Key to Stock Market Profits, 1963).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{Bar, Price, UNITS};

use super::Indicator;
use super::limits::split_price;

/// Volume added on days that rose and taken off on days that fell, exactly; starts with the first volume.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Obv {
    last: Option<Price>,
    /// In units of 1e-8; saved as text, because few readers of JSON keep so many digits.
    #[serde(serialize_with = "as_text", deserialize_with = "from_text")]
    total: i128,
}

impl Obv {
    /// The balance, from the first bar on.
    pub fn value(&self) -> Option<f64> {
        self.last.map(|_| self.total as f64 / UNITS as f64)
    }
}

impl Indicator for Obv {
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let last = self.last.replace(bar.close);
        let volume = i128::from(bar.volume.units());
        match last.map_or(std::cmp::Ordering::Greater, |last| bar.close.cmp(&last)) {
            std::cmp::Ordering::Greater => self.total = self.total.saturating_add(volume),
            std::cmp::Ordering::Less => self.total = self.total.saturating_sub(volume),
            std::cmp::Ordering::Equal => {}
        }
        self.value()
    }

    /// Shares that count as more shares after a split did so before it, too.
    fn rescale(&mut self, numerator: i64, denominator: i64) {
        if numerator <= 0 || denominator <= 0 {
            return;
        }
        self.last = self.last.map(|last| split_price(last, numerator, denominator));
        let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
        let (whole, rest) = (self.total / denominator, self.total % denominator);
        self.total = whole.saturating_mul(numerator).saturating_add(rest * numerator / denominator);
    }
}

fn as_text<S: Serializer>(total: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(total)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}
