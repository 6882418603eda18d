//! Which changes are there?

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{Label, Symbol, TradingState};

/// A change to the running system. It only names the change; nothing happens by making one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// Stop: no strategy order goes out. The safe direction, so it needs no PIN.
    Halt,
    /// Let everything work again.
    Resume,
    /// Believe a symbol's price after an overnight move.
    Unlock {
        /// The symbol.
        symbol: Symbol,
    },
}

impl Control {
    /// True for what makes things safer and therefore needs no PIN.
    pub const fn is_safe(&self) -> bool {
        match self {
            Self::Halt => true,
            Self::Resume | Self::Unlock { .. } => false,
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halt => f.write_str("/halt"),
            Self::Resume => f.write_str("/resume"),
            Self::Unlock { symbol } => write!(f, "/unlock {symbol}"),
        }
    }
}

/// The state that a preview was shown on, as one text: if it differs when the control is carried out, people decided on something else.
pub fn state_shown(books: impl Iterator<Item = (Label, TradingState, Timestamp)>) -> String {
    books.map(|(name, state, since)| format!("{name} {state} {}", since.ms())).collect::<Vec<_>>().join("; ")
}
