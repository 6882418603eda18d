//! Which changes were shown, confirmed and carried out? And whose PIN is what, as a hash.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;

use super::state::time;
use super::{Reader, Store, StoreError};

/// A change that was shown to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlRow {
    /// Its row.
    pub id: i64,
    /// Who asked.
    pub person: String,
    /// Where.
    pub chat: String,
    /// What, as JSON.
    pub control: String,
    /// The state it was shown on.
    pub shown_on: String,
    /// When it was shown.
    pub shown: Timestamp,
    /// When it is void.
    pub expires: Timestamp,
    /// `shown`, `confirmed`, `done`, `expired` or `void`.
    pub status: String,
    /// What became of it.
    pub result: Option<String>,
}

/// A person's PIN, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRow {
    /// The hash in PHC form.
    pub hash: String,
    /// Wrong tries in a row.
    pub wrong: u32,
    /// Locks so far without a right try between; each doubles the next.
    pub lockouts: u32,
    /// Locked until then.
    pub locked_until: Timestamp,
}

impl Store {
    /// Keeps a change that is shown to somebody, and voids what the same person was shown in the same chat before; its row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn show_control(&self, row: ControlRow) -> Result<i64, StoreError> {
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE controls SET status = 'void' WHERE status = 'shown' AND person = ?1 AND chat = ?2",
                params![row.person, row.chat],
            )?;
            transaction.execute(
                "INSERT INTO controls (person, chat, control, shown_on, shown_ms, expires_ms, status)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![row.person, row.chat, row.control, row.shown_on, row.shown.ms(), row.expires.ms(), row.status],
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Moves a control from one status to another, once; false if it was not in `from` any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn move_control(&self, id: i64, from: &'static str, to: &'static str) -> Result<bool, StoreError> {
        let points = self.points().clone();
        self.write(move |transaction| {
            let moved = transaction
                .execute("UPDATE controls SET status = ?3 WHERE id = ?1 AND status = ?2", params![id, from, to])?;
            points.pass("control: moved")?;
            Ok(moved == 1)
        })
    }

    /// Keeps a person's PIN.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_pin(&self, person: &str, pin: PinRow, now: Timestamp) -> Result<(), StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO pins (person, hash, wrong, lockouts, locked_until_ms, set_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![person, pin.hash, pin.wrong, pin.lockouts, pin.locked_until.ms(), now.ms()],
            )?;
            Ok(())
        })
    }
}

impl Reader {
    /// A control by its row.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn control(&self, id: i64) -> Result<Option<ControlRow>, StoreError> {
        self.find_control("SELECT * FROM controls WHERE id = ?1", [id])
    }

    /// The oldest control that was confirmed and not carried out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn confirmed_control(&self) -> Result<Option<ControlRow>, StoreError> {
        self.find_control("SELECT * FROM controls WHERE status = 'confirmed' ORDER BY id LIMIT 1", [])
    }

    fn find_control(&self, sql: &str, params: impl rusqlite::Params) -> Result<Option<ControlRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let row = statement.query_row(params, |row| {
            Ok(ControlRow {
                id: row.get(0)?,
                person: row.get(1)?,
                chat: row.get(2)?,
                control: row.get(3)?,
                shown_on: row.get(4)?,
                shown: time(row, 5)?,
                expires: time(row, 6)?,
                status: row.get(7)?,
                result: row.get(8)?,
            })
        });
        Ok(row.optional()?)
    }

    /// A person's PIN, if one is set.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pin(&self, person: &str) -> Result<Option<PinRow>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT hash, wrong, lockouts, locked_until_ms FROM pins WHERE person = ?1")?;
        let row = statement.query_row([person], |row| {
            Ok(PinRow { hash: row.get(0)?, wrong: row.get(1)?, lockouts: row.get(2)?, locked_until: time(row, 3)? })
        });
        Ok(row.optional()?)
    }
}
