//! What does every view look at? A read-only store, the time, and the reader's zone.

use std::fmt::Write as _;
use std::path::Path;

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::{AmountError, ChannelKind, Label, Money, Price, Symbol};
use crate::store::{BookRow, Lease, MarkRow, ProgressRow, Reader, StoreError};

use super::ledger::Ledger;

use crate::domain::format::{age, money, price};

/// A bot that has not written for this long that it lives cannot write.
pub(super) const BEAT_MAX_MS: i64 = 15_000;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sum cannot be counted.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// There is nothing to tell of.
    #[error("{0}")]
    Nothing(String),
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// Their name; empty for nobody in particular.
    pub name: String,
    /// The zone their times are shown in where they set no other; the book's own if none.
    pub zone: Option<Tz>,
    /// The books they may see; all if none.
    pub books: Option<Vec<Label>>,
    /// True where others read along who may not see amounts: shares and prices are all that may be told.
    pub hides_amounts: bool,
    /// On which channel they ask; none at the machine itself.
    pub channel: Option<ChannelKind>,
    /// Whose ways they may see, a person's or a group's; everybody's if none.
    pub ways: Option<String>,
}

impl Asker {
    /// True for an owner where nobody else reads along.
    pub(super) fn is_owner(&self) -> bool {
        self.ways.is_none() && !self.name.is_empty()
    }

    /// Whether they may see how this lane is, given as `ana:telegram`.
    pub(super) fn may_see_way(&self, lane: &str) -> bool {
        self.ways.as_deref().is_none_or(|whose| lane.split(':').next() == Some(whose))
    }
}

/// The database, to be read by views. It cannot write: the connection under it is opened read-only.
pub struct Views {
    ledger: Ledger,
    wall: Timestamp,
    running: bool,
}

impl Views {
    /// Opens the database for whoever asks at `wall`.
    ///
    /// # Errors
    /// When there is no database or it cannot be read.
    pub fn open(path: &Path, asker: Asker, wall: Timestamp) -> Result<Self, ViewError> {
        let reader = Reader::open(path)?;
        let zone = reader.preferences(&asker.name)?.zone().or(asker.zone);
        let asker = Asker { zone, ..asker };
        Ok(Self { ledger: Ledger::new(reader, asker), wall, running: Lease::is_taken(path) })
    }

    /// The store, as far as whoever asks may read it.
    pub fn reader(&self) -> &Ledger {
        &self.ledger
    }

    /// Who asks.
    pub fn asker(&self) -> &Asker {
        self.ledger.asker()
    }

    /// Whether a bot runs on the database: it holds the lock as long as it lives.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// How long ago the bot last wrote that it lives, if it ever did.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn beat_age_ms(&self) -> Result<Option<i64>, ViewError> {
        Ok(self.ledger.lease()?.map(|lease| self.wall.since(lease.beat)))
    }

    /// True if the bot lives and has not written that for too long: what it does now is not recorded.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_stuck(&self) -> Result<bool, ViewError> {
        Ok(self.running && self.beat_age_ms()?.is_some_and(|age| age > BEAT_MAX_MS))
    }

    /// The wall clock when this was opened.
    pub fn wall(&self) -> Timestamp {
        self.wall
    }

    /// The zone that times of a book are shown in.
    pub fn zone_of(&self, book: &BookRow) -> Tz {
        self.asker().zone.or_else(|| book.zone.parse().ok()).unwrap_or(Tz::UTC)
    }

    /// The zone that times of no book in particular are shown in: the first book's.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn zone(&self) -> Result<Tz, ViewError> {
        let books = self.ledger.books()?;
        Ok(self.asker().zone.or_else(|| books.first().map(|book| self.zone_of(book))).unwrap_or(Tz::UTC))
    }

    /// Everything that views of books need; an error before the first cycle.
    pub(super) fn scene(&self) -> Result<Scene, ViewError> {
        let progress = self.ledger.progress()?;
        let progress = progress.ok_or_else(|| ViewError::Nothing("nothing has run yet".to_owned()))?;
        let feed = self.ledger.feed_words()?;
        let books = self.ledger.books()?;
        if books.is_empty() {
            return Err(ViewError::Nothing("there is no book here that you may see".to_owned()));
        }
        Ok(Scene { progress, feed, books, marks: self.ledger.marks()? })
    }
}

/// What the books look like at the market's last time.
pub(super) struct Scene {
    /// How far the market's time has come; "now" for recorded and simulated prices.
    pub(super) progress: ProgressRow,
    /// What is traded on, in words.
    pub(super) feed: String,
    /// The books that the asker may see.
    pub(super) books: Vec<BookRow>,
    /// The last prices of what those books watch or hold; of everything for those who may see all books.
    pub(super) marks: Vec<MarkRow>,
}

impl Scene {
    /// The book of this name, or all books.
    pub(super) fn books_named(&self, name: Option<&str>) -> Result<Vec<&BookRow>, ViewError> {
        let wanted = |row: &&BookRow| name.is_none_or(|name| row.book.name.as_str().eq_ignore_ascii_case(name));
        let found: Vec<&BookRow> = self.books.iter().filter(wanted).collect();
        if let (Some(name), true) = (name, found.is_empty()) {
            let known: Vec<&str> = self.books.iter().map(|row| row.book.name.as_str()).collect();
            let name = name.escape_debug();
            return Err(ViewError::Nothing(format!("there is no book \"{name}\": books are {}", known.join(", "))));
        }
        Ok(found)
    }

    /// The last price of a symbol.
    pub(super) fn mark(&self, symbol: Symbol) -> Option<&MarkRow> {
        self.marks.iter().find(|mark| mark.symbol == symbol)
    }

    /// The price a symbol is valued at: while it is locked, the one before.
    pub(super) fn value_price(&self, symbol: Symbol) -> Option<Price> {
        self.mark(symbol).map(|mark| mark.lock.map_or(mark.price, |lock| lock.0))
    }

    /// A symbol's price as it is shown: with its age when it is over two bars old, and in doubt if it is locked.
    pub(super) fn price_words(&self, symbol: Symbol) -> String {
        let Some(mark) = self.mark(symbol) else { return "no price".to_owned() };
        let old = self.progress.market.since(mark.at);
        let mut words = match mark.lock {
            Some((before, _, _)) => format!("{} (locked; last seen {})", price(before), price(mark.price)),
            None => price(mark.price),
        };
        if self.feed.starts_with("sim") {
            words.push_str(" sim");
        }
        if old > 2 * mark.timeframe.ms() {
            let _ = write!(words, " ({} old)", age(old));
        }
        words
    }
}

/// An amount with its currency.
pub(super) fn amount(value: Money, currency: &str) -> String {
    format!("{} {currency}", money(value))
}
