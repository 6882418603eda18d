//! What proves that it can be stopped, brought back and restored? The facts that tell of it.

use crate::clock::Timestamp;

use super::history::{JOURNAL, JournalRow};
use super::{Reader, StoreError};

/// Where a restored database notes when it was restored, in milliseconds of the wall clock.
pub(super) const RESTORED: &str = "drill_restore";

impl Reader {
    /// Every fact about trading that stopped and went on, and about the bot coming back after it was killed, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_of_states(&self) -> Result<Vec<JournalRow>, StoreError> {
        // The words of the index, so that it is used: the journal may be long, and these are few.
        let kinds = "kind IN ('trading_halted', 'trading_reduced', 'trading_resumed', 'engine_recovered')";
        self.journal(&format!("{JOURNAL} WHERE j.{kinds} ORDER BY j.seq"), [])
    }

    /// When this database was brought back from a copy, on the wall clock, if it ever was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn restored(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.meta(RESTORED)?.and_then(|ms| ms.parse().ok()).map(Timestamp::from_ms))
    }
}
