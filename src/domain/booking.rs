//! What does holding bring or cost? Money that moves without a fill: dividends, borrowed shares, funding.

use serde::{Deserialize, Serialize};

use super::{Label, Money, Severity, Symbol};
use crate::clock::Timestamp;

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingKind {
    /// A company paid its shareholders; who is short pays.
    Dividend,
    /// Shares that were sold short cost interest.
    Borrow,
    /// Longs and shorts of a perpetual paid each other.
    Funding,
}

impl BookingKind {
    /// All, in the order of tables.
    pub const ALL: [Self; 3] = [Self::Dividend, Self::Borrow, Self::Funding];

    /// How loud a booking of it is: a dividend is news, interest is not.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Dividend => Severity::Notice,
            Self::Borrow | Self::Funding => Severity::Info,
        }
    }

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dividend => "dividend",
            Self::Borrow => "borrow",
            Self::Funding => "funding",
        }
    }
}

/// Money that a position brought in (positive) or cost (negative).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// For which book.
    pub book: Label,
    /// For holding what.
    pub symbol: Symbol,
    /// Why.
    #[serde(rename = "booking")]
    pub kind: BookingKind,
    /// How much, with its sign.
    pub amount: Money,
    /// When, in the market's time.
    pub at: Timestamp,
}
