//! What was asked? Each update of each channel, once, before anything is done about it.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;

use super::state::time;
use super::{Reader, Store, StoreError};

/// One update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Its row.
    pub id: i64,
    /// Where it came from.
    pub channel: String,
    /// Who sent it.
    pub person: String,
    /// What it says. A PIN never comes this way.
    pub text: String,
    /// When it came, on the wall clock.
    pub received: Timestamp,
}

impl Store {
    /// Keeps an update; its row, or none if the channel has brought it before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn receive(
        &self,
        channel: &str,
        update_key: &str,
        person: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let row = [channel, update_key, person, text].map(str::to_owned);
        self.write(move |transaction| {
            let [channel, update_key, person, text] = row;
            let added = transaction.execute(
                "INSERT OR IGNORE INTO inbox (channel, update_key, person, text, received_ms, state) VALUES (?1, ?2, ?3, ?4, ?5, 'new')",
                params![channel, update_key, person, text, now.ms()],
            )?;
            Ok((added > 0).then(|| transaction.last_insert_rowid()))
        })
    }

    /// Keeps a line that is answered as it is typed: it is a record, and never waits for anybody.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note_line(
        &self,
        channel: &str,
        update_key: &str,
        person: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = [channel, update_key, person, text].map(str::to_owned);
        self.write(move |transaction| {
            let [channel, update_key, person, text] = row;
            transaction.execute(
                "INSERT OR IGNORE INTO inbox (channel, update_key, person, text, received_ms, state, answered_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'answered', ?5)",
                params![channel, update_key, person, text, now.ms()],
            )?;
            Ok(())
        })
    }

    /// Keeps the answer to an update.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn answer(&self, id: i64, reply: &str, now: Timestamp) -> Result<(), StoreError> {
        let reply = reply.to_owned();
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE inbox SET state = 'answered', reply = ?2, answered_ms = ?3 WHERE id = ?1",
                params![id, reply, now.ms()],
            )?;
            Ok(())
        })
    }
}

impl Reader {
    /// Updates of a channel that nobody has handled, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unanswered(&self, channel: &str) -> Result<Vec<InboxRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, channel, person, text, received_ms FROM inbox WHERE state = 'new' AND channel = ?1 ORDER BY id LIMIT 100",
        )?;
        let rows = statement.query_map([channel], |row| {
            Ok(InboxRow {
                id: row.get(0)?,
                channel: row.get(1)?,
                person: row.get(2)?,
                text: row.get(3)?,
                received: time(row, 4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The answer to an update, once there is one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reply_to(&self, id: i64) -> Result<Option<String>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT reply FROM inbox WHERE id = ?1 AND state = 'answered'")?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    }
}
