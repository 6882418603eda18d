//! What did the market do in a stretch of time? One bar: open, high, low, close, volume.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Price, Quantity};
use crate::clock::{DAY_MS, Timestamp};

/// The length of a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timeframe {
    /// One minute.
    #[serde(rename = "1m")]
    M1,
    /// Five minutes.
    #[serde(rename = "5m")]
    M5,
    /// Fifteen minutes.
    #[serde(rename = "15m")]
    M15,
    /// One hour, cut at full hours.
    #[serde(rename = "1h")]
    H1,
    /// One session of a stock, one UTC day of a coin.
    #[serde(rename = "1d")]
    D1,
    /// One week, from Monday.
    #[serde(rename = "1w")]
    W1,
}

impl Timeframe {
    /// All, finest first.
    pub const ALL: [Self; 6] = [Self::M1, Self::M5, Self::M15, Self::H1, Self::D1, Self::W1];

    /// As it is written in file names and options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::H1 => "1h",
            Self::D1 => "1d",
            Self::W1 => "1w",
        }
    }

    /// Its length on the clock, in milliseconds.
    pub const fn ms(self) -> i64 {
        match self {
            Self::M1 => 60_000,
            Self::M5 => 5 * 60_000,
            Self::M15 => 15 * 60_000,
            Self::H1 => 60 * 60_000,
            Self::D1 => DAY_MS,
            Self::W1 => 7 * DAY_MS,
        }
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Timeframe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|timeframe| timeframe.as_str() == text)
            .ok_or_else(|| format!("unknown timeframe \"{}\": use 1m, 5m, 15m, 1h, 1d or 1w", text.escape_debug()))
    }
}

/// Prices and volume of one stretch of time. `start` is its label: a daily bar of a stock is labelled 00:00Z of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// When it begins.
    pub start: Timestamp,
    /// The first price.
    pub open: Price,
    /// The highest price.
    pub high: Price,
    /// The lowest price.
    pub low: Price,
    /// The last price.
    pub close: Price,
    /// How much changed hands.
    pub volume: Quantity,
}

/// What is wrong with a bar in itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarFault {
    /// A price is zero or negative.
    PriceNotPositive,
    /// The volume is negative.
    NegativeVolume,
    /// The high lies below the low.
    HighBelowLow,
    /// The open or the close lies outside low to high.
    OutsideRange,
}

impl Bar {
    /// The first thing that is wrong with this bar, if anything.
    pub fn fault(&self) -> Option<BarFault> {
        if [self.open, self.high, self.low, self.close].iter().any(|price| *price <= Price::ZERO) {
            Some(BarFault::PriceNotPositive)
        } else if self.volume < Quantity::ZERO {
            Some(BarFault::NegativeVolume)
        } else if self.high < self.low {
            Some(BarFault::HighBelowLow)
        } else if self.open > self.high || self.open < self.low || self.close > self.high || self.close < self.low {
            Some(BarFault::OutsideRange)
        } else {
            None
        }
    }
}
