//! What is known at an instant? The bars that ended by then, and nothing later.

use serde::{Deserialize, Serialize};

use super::{Bar, Price, Timeframe};
use crate::clock::Timestamp;

/// One bar that became known. `instrument` counts in the order of the feed's instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotBar {
    /// Which instrument, as an index into the feed's list.
    pub instrument: usize,
    /// The bar's length.
    pub timeframe: Timeframe,
    /// The bar.
    pub bar: Bar,
    /// When trading in it began: its start, or the opening of the session for a bar that is labelled by its day.
    pub opens: Timestamp,
    /// True for the instrument's finest timeframe: this bar drives fills, stops and profit.
    pub is_finest: bool,
    /// True if recorded data of this instrument end here: no entry is filled on it.
    pub is_last: bool,
}

/// Shares were divided: each old one became `numerator / denominator` new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Which instrument.
    pub instrument: usize,
    /// New shares ...
    pub numerator: i64,
    /// ... per old ones.
    pub denominator: i64,
}

/// A company pays its shareholders: whoever held shares before the snapshot's bars began is paid for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dividend {
    /// Which instrument.
    pub instrument: usize,
    /// What one share is paid, counted in shares as they are after the snapshot's splits.
    pub amount_per_share: Price,
}

/// Everything that became known at one instant. Bars are sorted by instrument, finest timeframe first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MarketSnapshot {
    /// The instant.
    pub at: Timestamp,
    /// The bars that ended at it.
    pub bars: Vec<SnapshotBar>,
    /// Splits that took effect before these bars.
    pub splits: Vec<Split>,
    /// Dividends that fell due before these bars. They move no price that was seen before: indicators see the fall.
    pub dividends: Vec<Dividend>,
    /// Instruments whose overnight move a person has confirmed as real, so that it locks nothing.
    pub confirmed: Vec<usize>,
}

impl MarketSnapshot {
    /// Empties it for the next instant, keeping its memory.
    pub fn clear(&mut self) {
        self.bars.clear();
        self.splits.clear();
        self.dividends.clear();
        self.confirmed.clear();
    }
}
