//! Where do bars come from? Anything that gives one instant after the other.

use std::path::PathBuf;

use crate::clock::Timestamp;
use crate::domain::{Instrument, MarketSnapshot, Symbol};

use super::{ResumeError, SimulatedFeed};

/// A source of bars in the order they became known.
pub trait Feed: Send {
    /// What it has prices of, in the order that snapshots count.
    fn instruments(&self) -> &[Instrument];

    /// Puts the next instant into `snapshot`, which is cleared first; false at the end of recorded data.
    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool;

    /// Up to this instant bars are history: indicators see them, nothing is decided on them.
    fn history_until(&self) -> Timestamp;

    /// Where it stands after the last snapshot that it gave, as one line of text; none if it keeps no position.
    fn save(&self) -> Option<String> {
        None
    }

    /// Goes to where [`Self::save`] was called on a feed of the same prices. What it gives then is what that feed gave next.
    ///
    /// # Errors
    /// When the text is damaged, or was saved by a feed of other prices; nothing changes then.
    fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        let _ = saved;
        Err(ResumeError::Unsupported)
    }
}

/// The simulated market with the history it starts with.
pub struct SimulatedWithHistory {
    feed: SimulatedFeed,
}

impl SimulatedWithHistory {
    /// Wraps a feed that was started early enough.
    pub fn new(feed: SimulatedFeed) -> Self {
        Self { feed }
    }
}

impl Feed for SimulatedWithHistory {
    fn instruments(&self) -> &[Instrument] {
        self.feed.instruments()
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        self.feed.next_into(snapshot);
        true
    }

    fn history_until(&self) -> Timestamp {
        SimulatedFeed::START
    }

    fn save(&self) -> Option<String> {
        self.feed.save()
    }

    fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        self.feed.resume(saved)
    }
}

/// Why recorded prices cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The folder cannot be read.
    #[error("cannot read the folder {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There is no file for a symbol.
    #[error("{} has no prices of {symbol}: a file {symbol}.{timeframe}.csv is missing", folder.display())]
    NoFile {
        /// Where.
        folder: PathBuf,
        /// Of what.
        symbol: Symbol,
        /// The bars wanted, or `TIMEFRAME` for any.
        timeframe: String,
    },
    /// The name of the only file says that it holds something else.
    #[error("{} does not hold {asked}, by its name", file.display())]
    OtherFile {
        /// Which.
        file: PathBuf,
        /// The symbol or the bars wanted.
        asked: String,
    },
    /// There is one file for several symbols.
    #[error("{} is one file, but {symbols} symbols are asked for", file.display())]
    OneFile {
        /// Which.
        file: PathBuf,
        /// How many symbols are wanted.
        symbols: usize,
    },
    /// Files have errors.
    #[error("{} of the price files cannot be trusted:\n{}", files, list.join("\n"))]
    Problems {
        /// How many files.
        files: usize,
        /// The problems, the first of them.
        list: Vec<String>,
    },
    /// There is nothing to replay.
    #[error("no bars in {} between the times asked for", .0.display())]
    Empty(PathBuf),
}
