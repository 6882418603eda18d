//! Why did something stop or end? The causes that events name.

use serde::{Deserialize, Serialize};

use super::Ratio;

/// Why a position was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// The strategy's own exit.
    Signal,
    /// The stop.
    Stop,
    /// The profit target.
    Target,
    /// A person, or a limit of the whole book.
    Closed,
    /// A margin call.
    MarginCall,
    /// Recorded prices ended; only a report says so.
    EndOfData,
}

impl ExitReason {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 6] =
        [Self::Signal, Self::Stop, Self::Target, Self::Closed, Self::MarginCall, Self::EndOfData];

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Stop => "stop",
            Self::Target => "target",
            Self::Closed => "closed",
            Self::MarginCall => "margin_call",
            Self::EndOfData => "end_of_data",
        }
    }
}

/// Why trading stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum HaltCause {
    /// Somebody said so.
    Command {
        /// Who.
        person: String,
    },
    /// Something happened that concerns the whole bot; nobody who may change this book said so.
    Precaution,
    /// The day's loss reached its limit, and the book is set to halt for it.
    DailyLoss {
        /// The loss, as a share of the equity at the day's start.
        loss: Ratio,
        /// How large it may be.
        limit: Ratio,
    },
    /// The book fell too far from its peak.
    Drawdown {
        /// How far.
        drawdown: Ratio,
        /// How far it may.
        limit: Ratio,
    },
    /// The store cannot be written.
    StoreTrouble {
        /// What it said.
        error: String,
    },
    /// Something that must always hold did not.
    BrokenInvariant {
        /// What.
        what: String,
    },
}

/// Why entries stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum ReduceCause {
    /// The day's loss reached its limit.
    DailyLoss {
        /// The loss, as a share of the equity at the day's start.
        loss: Ratio,
        /// How large it may be.
        limit: Ratio,
        /// Positions that are closed because of it.
        #[serde(default)]
        closing: usize,
    },
    /// The book fell from its peak, not yet so far that it halts.
    Drawdown {
        /// How far.
        drawdown: Ratio,
        /// At which fall entries stop.
        limit: Ratio,
    },
    /// The market moves far more than usual.
    Breaker {
        /// The mean true range of the last bar, in average true ranges.
        value: Ratio,
        /// What is allowed.
        limit: Ratio,
    },
    /// Somebody paused the book.
    Paused {
        /// Who.
        person: String,
    },
    /// Somebody stopped the book: what it held is closed.
    Stopped {
        /// Who.
        person: String,
    },
}

/// Why a lock was lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LiftReason {
    /// Somebody confirmed the price.
    Command {
        /// Who.
        person: String,
    },
    /// The split, or a person's word, was put on file.
    Filed,
    /// The price came back to where it was: a bad print.
    CameBack,
    /// Nothing is held, and the new level has stood for some sessions.
    StoodFlat {
        /// How many sessions.
        sessions: u32,
    },
}
