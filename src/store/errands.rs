//! What is still to be done in a chat besides messages? Errands that outlive a restart: each stays until somebody says that it is over.

use rusqlite::{Transaction, params};

use crate::clock::Timestamp;

use super::outbox::add_answer;
use super::state::time;
use super::{Answer, Reader, Store, StoreError};

/// Errands that are read at once.
const READ_MAX: u32 = 100;

/// Something that is to be done on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Its row.
    pub id: i64,
    /// What it is, as JSON. Whoever runs it knows the form.
    pub body: String,
    /// When it arose, on the wall clock.
    pub made: Timestamp,
}

/// Keeps an errand.
pub(super) fn add_errand(
    transaction: &Transaction<'_>,
    channel: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO errands (channel, body, made_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![channel, body, now.ms()])?;
    Ok(())
}

impl Store {
    /// Keeps an errand until it is over.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_errand(&self, channel: &'static str, body: String, now: Timestamp) -> Result<(), StoreError> {
        let kept = self.write(move |transaction| add_errand(transaction, channel, &body, now));
        self.wake();
        kept
    }

    /// An errand is over; what is to be said of it goes on its way in the same transaction.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn end_errand(&self, id: i64, told: Option<Answer>, now: Timestamp) -> Result<(), StoreError> {
        let is_told = told.is_some();
        self.write(move |transaction| {
            let was_open = transaction.execute("DELETE FROM errands WHERE id = ?1", [id])? > 0;
            match told {
                Some(told) if was_open => add_answer(transaction, &told, now),
                _ => Ok(()),
            }
        })?;
        if is_told {
            self.wake();
        }
        Ok(())
    }
}

impl Reader {
    /// What is still to be done on a channel, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn errands(&self, channel: &str) -> Result<Vec<Errand>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT id, body, made_ms FROM errands WHERE channel = ?1 ORDER BY id LIMIT ?2")?;
        let rows = statement.query_map(params![channel, READ_MAX], |row| {
            Ok(Errand { id: row.get(0)?, body: row.get(1)?, made: time(row, 2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
