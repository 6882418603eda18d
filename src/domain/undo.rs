//! How is a change taken back? What it did to each book, as it is kept beside it.

use serde::{Deserialize, Serialize};

use super::{
    ChangeRow, EntryLock, HaltCause, Label, Money, OrderId, OrderKind, Position, Price, Quantity, ReduceCause, Symbol,
    TradeFill, TradeId, TradingState,
};
use crate::clock::Timestamp;

/// One thing that a change did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Did {
    /// It sent an order out: what waits of it is taken back, what filled is booked back.
    Sent(Sent),
    /// It changed an order that waits.
    Changed {
        /// Which.
        order: OrderId,
        /// How it was.
        was: Terms,
        /// How it made it.
        now: Terms,
    },
    /// It set levels.
    Set {
        /// Of what.
        symbol: Symbol,
        /// The round trip that this was.
        trade: TradeId,
        /// Those before.
        was: Levels,
        /// Those that it set.
        now: Levels,
    },
    /// It changed what the book may do.
    State {
        /// How the book stood.
        was: Box<Standing>,
        /// How it made it stand.
        now: Box<Standing>,
    },
    /// It did this besides, which stays when the rest is taken back.
    Stays {
        /// In words, such as `O5, buy 10 AAPL, is not sent again`.
        what: String,
    },
    /// It changed settings over the file.
    Settings {
        /// The changes that it made.
        made: Vec<ChangeRow>,
        /// Those that it took the place of, or ended.
        ended: Vec<ChangeRow>,
    },
    /// It locked symbols, or let them be entered again.
    Locks {
        /// Locks that it made.
        made: Vec<EntryLock>,
        /// Locks that it lifted.
        lifted: Vec<EntryLock>,
    },
}

/// An order that a change sent out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Which.
    pub order: OrderId,
    /// Of what.
    pub symbol: Symbol,
    /// When.
    pub at: Timestamp,
    /// Whether it counts among the entries of its day.
    pub enters: bool,
    /// What was held of the symbol before.
    pub held: Option<Position>,
    /// The last round trip that had begun.
    pub last_trade: TradeId,
}

/// What an order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// At which price.
    pub kind: OrderKind,
    /// How much, in all.
    pub quantity: Quantity,
}

/// What a book may do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What it may do.
    pub state: TradingState,
    /// Why it is halted.
    pub halt: Option<HaltCause>,
    /// Why it is reducing.
    pub reduce: Option<ReduceCause>,
    /// Since when.
    pub since: Timestamp,
    /// The most that it was worth, from which its fall is counted.
    pub peak: Money,
    /// Who paused or stopped it.
    pub parked: Option<ReduceCause>,
    /// Until when.
    pub parked_until: Option<Timestamp>,
    /// It is stopped, and still holds something.
    pub stopping: bool,
    /// Until when the volatility breaker holds.
    pub breaker_until: Option<Timestamp>,
}

/// The levels of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Where a loss ends.
    pub stop: Price,
    /// Where a profit is taken.
    pub target: Option<Price>,
    /// How far the stop follows.
    pub trail: Option<Price>,
}

/// What a change did to one book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Which.
    pub book: Label,
    /// Round trips up to this one were forgotten by a reset.
    pub forgotten: TradeId,
    /// What.
    #[serde(flatten)]
    pub did: Did,
    /// What filled of the order that it sent out, as far as that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fills: Vec<TradeFill>,
}
