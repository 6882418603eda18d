//! What is a market like? Four regimes; the rules that tell them apart are in `strategy`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a market is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Moves much more than it did lately.
    Volatile,
    /// Goes one way.
    Trend,
    /// Moves much less than it did lately, and not one way.
    Calm,
    /// None of these: it swings about a level.
    Range,
}

impl Regime {
    /// All of them, in the order in which their rules are asked; the first that holds decides.
    pub const ALL: [Self; 4] = [Self::Volatile, Self::Trend, Self::Calm, Self::Range];

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Volatile => "volatile",
            Self::Trend => "trend",
            Self::Calm => "calm",
            Self::Range => "range",
        }
    }
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Regime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|regime| regime.as_str() == text);
        found.ok_or_else(|| format!("unknown regime \"{}\": use volatile, trend, calm or range", text.escape_debug()))
    }
}
