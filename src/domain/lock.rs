//! Why may a symbol not be entered for a while? A lock with its reason and its end, listed by `/locks` and lifted by `/unlock`.

use serde::{Deserialize, Serialize};

use super::{Money, Severity, Symbol};
use crate::clock::Timestamp;

/// Why a book keeps out of a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum LockCause {
    /// Its stop filled a moment ago.
    Cooldown,
    /// Too many stops within the window.
    Stops {
        /// How many.
        count: u64,
    },
    /// Too many losses in a row.
    LosingStreak {
        /// How many.
        count: u64,
    },
    /// Its last trades lost too much together.
    LowProfit {
        /// How many trades.
        trades: u64,
        /// What they came to.
        profit: Money,
    },
    /// Somebody said so.
    Person {
        /// Who.
        person: String,
    },
}

impl LockCause {
    /// How loud it is: a short rest after every stop is there for those who ask, what a symbol's results led to is told.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Cooldown => Severity::Info,
            Self::Stops { .. } | Self::LosingStreak { .. } | Self::LowProfit { .. } | Self::Person { .. } => {
                Severity::Notice
            }
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Cooldown => "cooldown after a stop".to_owned(),
            Self::Stops { count } => format!("{count} stops in a short time"),
            Self::LosingStreak { count } => format!("{count} losses in a row"),
            Self::LowProfit { trades, profit } => format!("its last {trades} trades came to {profit:.2}"),
            Self::Person { person } => format!("{person} blocked it"),
        }
    }
}

/// A book keeps out of a symbol until an instant; what it holds of it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryLock {
    /// Of what.
    pub symbol: Symbol,
    /// Why.
    #[serde(flatten)]
    pub cause: LockCause,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
}
