//! What was asked? Each update of each channel, once, before anything is done about it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::clock::Timestamp;

use super::errands::add_errand;
use super::outbox::add_answer;
use super::state::{time, unsigned};
use super::totals::{Total, add};
use super::{Answer, Reader, Store, StoreError, schema_version};

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
    /// What the channel said besides, as JSON.
    pub body: String,
}

/// An update as a channel brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What the channel calls it; the same twice is one.
    pub key: String,
    /// What it says; nothing of what may be a PIN or a code.
    pub text: String,
    /// What the channel said besides, as JSON.
    pub body: String,
    /// What to do with it.
    pub fate: Fate,
    /// What is to be done in its chat until it is over, as JSON.
    pub errand: Option<String>,
}

/// A line that somebody gave, once or again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRow {
    /// Who.
    pub person: String,
    /// What it says.
    pub text: String,
    /// How often.
    pub count: u64,
    /// The first time that is kept.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

/// Where lines come from that a process beside the bot answers by itself.
const BESIDE: &str = "beside";

/// How long whoever notes a line beside the bot waits for the database, in milliseconds: the answer is worth more than its record.
const NOTE_WAIT_MS: u32 = 200;

/// Notes a line that a process beside the bot answers, in a database that is there and of this version.
///
/// # Errors
/// When the database cannot be written now.
pub fn note_beside(path: &Path, key: &str, person: &str, text: &str, now: Timestamp) -> Result<(), StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // What is lost with the power is one line of a statistic.
    connection.execute_batch(&format!("PRAGMA busy_timeout = {NOTE_WAIT_MS}; PRAGMA synchronous = NORMAL"))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == schema_version() {
        connection.execute(NOTE, params![BESIDE, key, person, text, now.ms()])?;
    }
    Ok(())
}

const NOTE: &str = "INSERT OR IGNORE INTO inbox (channel, update_key, person, text, received_ms, state, answered_ms)
                    VALUES (?1, ?2, ?3, ?4, ?5, 'answered', ?5)";

/// What is to be done with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Somebody has to handle it.
    Open,
    /// It was handled as it came.
    Handled,
    /// Nobody can read it: it is counted.
    Skipped,
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
            transaction.execute(NOTE, params![channel, update_key, person, text, now.ms()])?;
            Ok(())
        })
    }

    /// Keeps a channel's updates and where it is to go on reading, in one transaction: what is confirmed to the service is here.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn take_updates(
        &self,
        channel: &'static str,
        updates: Vec<Update>,
        next: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let points = self.points().clone();
        self.write(move |transaction| {
            for update in &updates {
                let added = transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO inbox (channel, update_key, person, text, received_ms, state, body)
                         VALUES (?1, ?2, '', ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        channel,
                        update.key,
                        update.text,
                        now.ms(),
                        if update.fate == Fate::Open { "new" } else { "answered" },
                        update.body
                    ])?;
                if added > 0 && update.fate == Fate::Skipped {
                    add(transaction, Total::Unread, channel, 1)?;
                }
                if let Some(errand) = update.errand.as_ref().filter(|_| added > 0) {
                    add_errand(transaction, channel, errand, now)?;
                }
                points.pass("inbox: update kept, place not")?;
            }
            transaction.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('place ' || ?1, ?2)",
                params![channel, next.to_string()],
            )?;
            Ok(())
        })
    }

    /// Counts what came on a channel and was passed over unread.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn count_unread(&self, channel: &'static str, count: i64) -> Result<(), StoreError> {
        self.write(move |transaction| add(transaction, Total::Unread, channel, count))
    }

    /// An update was handled: keeps by whom it was, and puts the answers on their way.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(&self, id: i64, person: &str, answers: Vec<Answer>, now: Timestamp) -> Result<(), StoreError> {
        let (person, points) = (person.to_owned(), self.points().clone());
        let done = self.write(move |transaction| {
            for answer in &answers {
                add_answer(transaction, answer, now)?;
            }
            points.pass("inbox: answers queued, update open")?;
            transaction.execute(
                "UPDATE inbox SET state = 'answered', person = ?2, answered_ms = ?3 WHERE id = ?1",
                params![id, person, now.ms()],
            )?;
            transaction.execute("DELETE FROM effects WHERE inbox = ?1", [id])?;
            Ok(())
        });
        self.wake();
        done
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
    /// The lines that are kept of people who are known, each with how often somebody gave it. What a process beside the bot puts to it is
    /// left out: it notes the line by itself.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn asked(&self) -> Result<Vec<AskedRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT person, text, count(*), min(received_ms), max(received_ms) FROM inbox
             WHERE person != '' AND text != '' AND channel NOT IN ('shell', 'preview') GROUP BY person, text",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(AskedRow {
                person: row.get(0)?,
                text: row.get(1)?,
                count: unsigned(row, 2)?,
                first: time(row, 3)?,
                last: time(row, 4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Updates of a channel that nobody has handled, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unanswered(&self, channel: &str) -> Result<Vec<InboxRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, channel, person, text, received_ms, body FROM inbox WHERE state = 'new' AND channel = ?1 ORDER BY id LIMIT 100",
        )?;
        let rows = statement.query_map([channel], |row| {
            Ok(InboxRow {
                id: row.get(0)?,
                channel: row.get(1)?,
                person: row.get(2)?,
                text: row.get(3)?,
                received: time(row, 4)?,
                body: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a channel calls an update.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn update_key(&self, id: i64) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT update_key FROM inbox WHERE id = ?1")?;
        Ok(statement.query_row([id], |row| row.get(0)).optional()?)
    }

    /// Where a channel is to be read on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn place(&self, channel: &str) -> Result<Option<i64>, StoreError> {
        Ok(self.meta(&format!("place {channel}"))?.and_then(|place| place.parse().ok()))
    }

    /// When a channel brought an update last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_received(&self, channel: &str) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT received_ms FROM inbox WHERE channel = ?1 ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row([channel], |row| time(row, 0)).optional()?)
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
