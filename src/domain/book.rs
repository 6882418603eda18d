//! What do we have? A book: cash, positions at cost, what was realised, what was paid in fees.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AmountError, ExitReason, Label, Money, OrderId, Price, Quantity, Side, Symbol, TradeId};
use crate::clock::Timestamp;

/// What opened a position that no strategy did: a person.
pub const BY_HAND: &str = "by_hand";

/// What a book may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradingState {
    /// Everything.
    Running,
    /// No entries; exits and stops work.
    Reducing,
    /// No strategy order goes out; stops and targets stay in force.
    Halted,
}

impl TradingState {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Reducing => "reducing",
            Self::Halted => "halted",
        }
    }
}

impl fmt::Display for TradingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TradingState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Running, Self::Reducing, Self::Halted]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("unknown trading state \"{text}\""))
    }
}

/// What a person may do with a whole book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookAction {
    /// Let it enter again after it was paused or stopped.
    Start,
    /// No entries; exits and stops go on.
    Pause,
    /// Close everything and enter nothing.
    Stop,
    /// Begin anew with the capital.
    Reset,
}

impl BookAction {
    /// All, in the order of help.
    pub const ALL: [Self; 4] = [Self::Start, Self::Pause, Self::Stop, Self::Reset];

    /// As it is typed and stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Stop => "stop",
            Self::Reset => "reset",
        }
    }
}

impl FromStr for BookAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|action| action.as_str() == text);
        found.ok_or_else(|| {
            format!("\"{}\" is nothing to do with a book: use start, pause, stop or reset", text.escape_debug())
        })
    }
}

/// The levels that end a position, and the order that watches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Where a loss ends.
    pub stop: Price,
    /// Where a profit is taken, if anywhere.
    pub target: Option<Price>,
    /// How far the stop follows behind the best price; none if it stands still.
    pub trail: Option<Price>,
    /// The broker's order.
    pub order: OrderId,
}

/// What is held of one symbol, from the first fill until it is flat again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The round trip it is part of.
    pub trade: TradeId,
    /// Of what.
    pub symbol: Symbol,
    /// Who opened it.
    pub strategy: Label,
    /// How much; negative is short.
    pub quantity: Quantity,
    /// What it cost, by average cost; negative for a short, whose sale brought money in.
    pub cost: Money,
    /// When it was opened.
    pub opened: Timestamp,
    /// How much was taken in all since it was flat, and for how much.
    pub entered: Quantity,
    /// The value of what was taken.
    pub entered_value: Money,
    /// The value of what was given back.
    pub exited_value: Money,
    /// Fees since it was flat.
    pub fees: Money,
    /// Dividends, borrowing costs and funding since it was flat.
    pub carried: Money,
    /// The price that was best for it since it was flat.
    pub best: Price,
    /// The price that was worst for it since it was flat.
    pub worst: Price,
    /// The levels in force; none is an alarm.
    pub protection: Option<Protection>,
}

impl Position {
    /// What it is worth at `price`; negative for a short.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn value_at(&self, price: Price) -> Result<Money, AmountError> {
        self.quantity.value_at(price)
    }

    /// Profit that is not realised, at `price`, before the fees of leaving.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn unrealised_at(&self, price: Price) -> Result<Money, AmountError> {
        self.value_at(price)?.minus(self.cost)
    }

    /// The average price it was entered at.
    pub fn average_price(&self) -> Price {
        self.cost.per(self.quantity)
    }

    /// Notes how far the price went while it was held.
    pub fn note_range(&mut self, high: Price, low: Price) {
        let (good, bad) = if self.quantity < Quantity::ZERO { (low, high) } else { (high, low) };
        let better = (good > self.best) == (self.quantity > Quantity::ZERO);
        let worse = (bad < self.worst) == (self.quantity > Quantity::ZERO);
        self.best = if better { good } else { self.best };
        self.worst = if worse { bad } else { self.worst };
    }

    /// The side that enlarges it.
    pub fn side(&self) -> Side {
        if self.quantity < Quantity::ZERO { Side::Sell } else { Side::Buy }
    }
}

/// One portfolio with its own money. Cash + positions at cost = capital + realised + carried - fees, to the last unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Its name.
    pub name: Label,
    /// Its one currency.
    pub currency: String,
    /// What it started with.
    pub capital: Money,
    /// What is not invested.
    pub cash: Money,
    /// Result of everything sold, before fees.
    pub realised: Money,
    /// All fees paid.
    pub fees: Money,
    /// All dividends, borrowing costs and funding.
    pub carried: Money,
    /// What is held, in the order it was opened.
    pub positions: Vec<Position>,
}

impl Book {
    /// A book that has only its capital.
    pub fn new(name: Label, currency: &str, capital: Money) -> Self {
        Self {
            name,
            currency: currency.to_owned(),
            capital,
            cash: capital,
            realised: Money::ZERO,
            fees: Money::ZERO,
            carried: Money::ZERO,
            positions: Vec::new(),
        }
    }

    /// What is held of a symbol.
    pub fn position(&self, symbol: Symbol) -> Option<&Position> {
        self.positions.iter().find(|position| position.symbol == symbol)
    }

    /// What is held of a symbol, to change it.
    pub fn position_mut(&mut self, symbol: Symbol) -> Option<&mut Position> {
        self.positions.iter_mut().find(|position| position.symbol == symbol)
    }

    /// All positions at cost.
    ///
    /// # Errors
    /// When the sum does not fit.
    pub fn at_cost(&self) -> Result<Money, AmountError> {
        self.positions.iter().try_fold(Money::ZERO, |sum, position| sum.plus(position.cost))
    }

    /// True if cash + positions at cost = capital + realised + carried - fees.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn balances(&self) -> Result<bool, AmountError> {
        let have = self.cash.plus(self.at_cost()?)?;
        let owed = self.capital.plus(self.realised)?.plus(self.carried)?.minus(self.fees)?;
        Ok(have == owed)
    }
}

/// What a strategy may know about what is held of its symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Nothing, and no entry is on its way.
    Flat,
    /// A position that rises with the price.
    Long,
    /// A position that rises when the price falls.
    Short,
    /// An entry or an exit is on its way: no new wish now.
    Busy,
}

/// A finished round trip from flat to flat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Its number.
    pub id: TradeId,
    /// In which book.
    pub book: Label,
    /// Of what.
    pub symbol: Symbol,
    /// By which strategy.
    pub strategy: Label,
    /// The side of the entry.
    pub side: Side,
    /// How much was entered in all.
    pub quantity: Quantity,
    /// Average price of entering.
    pub entry_price: Price,
    /// Average price of leaving.
    pub exit_price: Price,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was flat again.
    pub closed: Timestamp,
    /// All fees of it.
    pub fees: Money,
    /// Dividends, borrowing costs and funding of it.
    #[serde(default)]
    pub carried: Money,
    /// Result after fees and what it carried.
    pub profit: Money,
    /// What the price would have brought at its best, before fees.
    #[serde(default)]
    pub best: Money,
    /// What the price would have cost at its worst, before fees; negative is a loss.
    #[serde(default)]
    pub worst: Money,
    /// Why it ended.
    pub reason: ExitReason,
}
