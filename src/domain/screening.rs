//! Who is worth a look today? What a screener measured, who passed, and why the others did not.

use serde::{Deserialize, Serialize};

use super::{Price, Quantity, Ratio, Symbol};
use crate::clock::Timestamp;

/// What a symbol must exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScreenFilter {
    /// Mean volume of a day.
    Volume,
    /// Last price.
    Price,
    /// Average true range of a day, in units of price.
    Atr,
    /// Relative strength, from 0 to 100.
    Strength,
}

impl ScreenFilter {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Price => "price",
            Self::Atr => "ATR",
            Self::Strength => "relative strength",
        }
    }
}

/// What became of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ScreenVerdict {
    /// It passed every filter and is among the best.
    Chosen {
        /// Its place among those that passed, from 1.
        place: usize,
    },
    /// It passed every filter, and enough others scored higher.
    Outranked {
        /// Its place among those that passed.
        place: usize,
    },
    /// It did not pass.
    Failed {
        /// The first filter that it did not pass.
        filter: ScreenFilter,
        /// What was measured.
        value: Ratio,
        /// What it must exceed.
        limit: Ratio,
    },
    /// Too few days are known, of it or of the list: it stays as it was.
    Unmeasured,
    /// Its prices have stopped: it stays as it was.
    Stopped,
    /// A person banned it.
    Banned,
}

/// A person's word on a symbol, which no screener overrules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manual {
    /// Always watched.
    Pinned,
    /// Never entered.
    Banned,
}

/// One symbol. Figures are from whole days; where there are fewer than they ask for, from what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenRow {
    /// The symbol.
    pub symbol: Symbol,
    /// Days that are known, up to 253.
    pub days: usize,
    /// The last price.
    pub price: Option<Price>,
    /// Mean volume of a day.
    pub volume: Option<Quantity>,
    /// Average true range of a day.
    pub atr: Option<Price>,
    /// Relative strength within the list, from 0 to 100.
    pub strength: Option<Ratio>,
    /// Return over the last days, as a share.
    pub momentum: Option<Ratio>,
    /// What it is ranked by, from 0 to 100.
    pub score: Option<Ratio>,
    /// What became of it.
    pub verdict: ScreenVerdict,
    /// A person's word on it.
    pub manual: Option<Manual>,
    /// Whether it may be entered.
    pub watched: bool,
}

/// One run of a screener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screening {
    /// When it ran, in the market's time.
    pub at: Timestamp,
    /// When it was due.
    pub due: Timestamp,
    /// How many may be chosen.
    pub top: usize,
    /// Days of a symbol below which it is not measured.
    pub days_min: usize,
    /// Every symbol of the list, the chosen first, best first.
    pub rows: Vec<ScreenRow>,
}

impl Screening {
    /// Who was chosen, best first, with the score.
    pub fn chosen(&self) -> Vec<(Symbol, Ratio)> {
        let chosen = |row: &&ScreenRow| matches!(row.verdict, ScreenVerdict::Chosen { .. });
        self.rows.iter().filter(chosen).map(|row| (row.symbol, row.score.unwrap_or(Ratio::ZERO))).collect()
    }

    /// How many stay as they were, because they cannot be measured yet.
    pub fn unmeasured(&self) -> usize {
        self.rows.iter().filter(|row| row.verdict == ScreenVerdict::Unmeasured).count()
    }

    /// True for a symbol that was looked at and may not be entered.
    pub fn leaves_out(&self, symbol: Symbol) -> bool {
        self.rows.iter().any(|row| row.symbol == symbol && !row.watched)
    }

    /// How many may be entered.
    pub fn watched(&self) -> usize {
        self.rows.iter().filter(|row| row.watched).count()
    }
}
