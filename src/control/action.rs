//! Which changes are there?

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{BookAction, EntryLock, Label, Symbol, TradingState};

/// A change to the running system. It only names the change; nothing happens by making one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// Stop: no strategy order goes out. The safe direction, so it needs no PIN.
    Halt,
    /// Let everything work again.
    Resume,
    /// Believe a symbol's price after an overnight move, and let books enter it that keep out of it.
    Unlock {
        /// The symbol.
        symbol: Symbol,
    },
    /// Start, pause, stop or reset a book.
    Book {
        /// What to do.
        action: BookAction,
        /// With which; none for the only one.
        book: Option<Label>,
    },
}

impl Control {
    /// True for what makes things safer and therefore needs no PIN.
    pub const fn is_safe(&self) -> bool {
        match self {
            Self::Halt => true,
            Self::Resume | Self::Unlock { .. } | Self::Book { .. } => false,
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halt => f.write_str("/halt"),
            Self::Resume => f.write_str("/resume"),
            Self::Unlock { symbol } => write!(f, "/unlock {symbol}"),
            Self::Book { action, book: None } => write!(f, "/book {}", action.as_str()),
            Self::Book { action, book: Some(book) } => write!(f, "/book {} {book}", action.as_str()),
        }
    }
}

/// A change as it is stored: with the books that it may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    #[serde(flatten)]
    pub(super) control: Control,
    /// All where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) books: Option<Vec<Label>>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.control.fmt(f)?;
        let Some(books) = &self.books else { return Ok(()) };
        let names: Vec<&str> = books.iter().map(Label::as_str).collect();
        write!(f, ", of {} alone", names.join(", "))
    }
}

/// What a preview was shown on, a line a thing: if a line is gone when the control is carried out, people decided on something else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownOn(String);

impl ShownOn {
    /// Nothing in particular.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// How it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A book in this state since then.
    pub fn add_book(&mut self, name: Label, state: TradingState, since: Timestamp) {
        self.0.push_str(&book_line(name, state, since));
    }

    /// A symbol that is locked since then.
    pub fn add_lock(&mut self, symbol: Symbol, since: Timestamp) {
        self.0.push_str(&lock_line(symbol, since));
    }

    /// A symbol that a book keeps out of from one instant to another.
    pub fn add_entry_lock(&mut self, book: Label, lock: &EntryLock) {
        self.0.push_str(&entry_line(book, lock));
    }

    /// Whether a book was shown like this.
    pub fn has_book(&self, name: Label, state: TradingState, since: Timestamp) -> bool {
        self.0.contains(&book_line(name, state, since))
    }

    /// Whether a lock was shown like this.
    pub fn has_lock(&self, symbol: Symbol, since: Timestamp) -> bool {
        self.0.contains(&lock_line(symbol, since))
    }

    /// Whether a book was shown keeping out of a symbol like this.
    pub fn has_entry_lock(&self, book: Label, lock: &EntryLock) -> bool {
        self.0.contains(&entry_line(book, lock))
    }
}

fn entry_line(book: Label, lock: &EntryLock) -> String {
    format!("entry {book} {} {} {}\n", lock.symbol, lock.since.ms(), lock.until.ms())
}

fn book_line(name: Label, state: TradingState, since: Timestamp) -> String {
    format!("book {name} {state} {}\n", since.ms())
}

fn lock_line(symbol: Symbol, since: Timestamp) -> String {
    format!("lock {symbol} {}\n", since.ms())
}
