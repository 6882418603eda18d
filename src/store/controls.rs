//! Which changes were shown, confirmed and carried out? And whose PIN is what, as a hash.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;

use super::audit::append;
use super::state::time;
use super::{AuditEntry, Reader, Store, StoreError};

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

/// When wrong tries lock a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinRules {
    /// Wrong tries in a row that lock it.
    pub wrong_max: u32,
    /// How long the first lock lasts, in milliseconds; each further one doubles it.
    pub lock_ms: i64,
    /// After so many locks it doubles no more.
    pub doublings_max: u32,
}

/// What a try at a PIN may go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charged {
    /// None is set.
    NoPin,
    /// It is locked until then, and the try does not count.
    Locked(Timestamp),
    /// It is counted as wrong until it proves to be right.
    Try {
        /// The hash in PHC form.
        hash: String,
        /// Tries left if this one is wrong.
        left: u32,
        /// Until when it is locked if this one is wrong.
        locked: Option<Timestamp>,
    },
}

impl Store {
    /// Keeps a change that is shown to somebody, and voids what the same person was shown in the same chat before; its row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn show_control(&self, row: ControlRow) -> Result<i64, StoreError> {
        self.write(move |transaction| add_control(transaction, &row))
    }

    /// Keeps a change that is confirmed by being asked for, with its row of the audit; its row. None if the update that causes it has
    /// done so before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn admit_control(&self, row: ControlRow, entry: AuditEntry) -> Result<Option<i64>, StoreError> {
        self.change(move |transaction| {
            let id = add_control(transaction, &row)?;
            append(transaction, &entry)?;
            Ok(id)
        })
    }

    /// Moves a control from one status to another, once, with its row of the audit; false if it was not in `from` any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn move_control(
        &self,
        id: i64,
        from: &'static str,
        to: &'static str,
        entry: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        let points = self.points().clone();
        self.write(move |transaction| {
            let moved = transaction
                .execute("UPDATE controls SET status = ?3 WHERE id = ?1 AND status = ?2", params![id, from, to])?;
            points.pass("control: moved")?;
            if let Some(entry) = entry.filter(|_| moved == 1) {
                append(transaction, &entry)?;
            }
            Ok(moved == 1)
        })
    }

    /// Keeps a person's PIN, with its row of the audit.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_pin(&self, person: &str, hash: String, entry: AuditEntry) -> Result<(), StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO pins (person, hash, wrong, lockouts, locked_until_ms, set_ms)
                 VALUES (?1, ?2, 0, 0, 0, ?3)",
                params![person, hash, entry.at.ms()],
            )?;
            append(transaction, &entry)?;
            Ok(())
        })
    }

    /// Counts a try at a PIN as wrong, before anybody looks whether it is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn charge_pin(&self, person: &str, now: Timestamp, rules: PinRules) -> Result<Charged, StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            let row = transaction.query_row(
                "SELECT hash, wrong, lockouts, locked_until_ms FROM pins WHERE person = ?1",
                [&person],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?, time(row, 3)?)),
            );
            let Some((hash, wrong, lockouts, locked_until)) = row.optional()? else { return Ok(Charged::NoPin) };
            if locked_until > now {
                return Ok(Charged::Locked(locked_until));
            }
            let wrong = wrong + 1;
            let locks = wrong >= rules.wrong_max;
            let locked = locks.then(|| now.plus_ms(rules.lock_ms << lockouts.min(rules.doublings_max)));
            transaction.execute(
                "UPDATE pins SET wrong = ?2, lockouts = ?3, locked_until_ms = ?4 WHERE person = ?1",
                params![
                    person,
                    if locks { 0 } else { wrong },
                    lockouts.saturating_add(u32::from(locks)),
                    locked.unwrap_or(locked_until).ms()
                ],
            )?;
            Ok(Charged::Try { hash, left: rules.wrong_max.saturating_sub(wrong), locked })
        })
    }

    /// Takes a try back that was charged at a PIN and proved to be right as a code. Earlier wrong tries stay: who has the phone alone must
    /// not get tries at the PIN by it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn refund_pin(&self, person: &str, locked: bool, rules: PinRules) -> Result<(), StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE pins SET wrong = CASE WHEN ?2 THEN ?3 ELSE max(wrong - 1, 0) END,
                   lockouts = lockouts - ?2, locked_until_ms = CASE WHEN ?2 THEN 0 ELSE locked_until_ms END WHERE person = ?1",
                params![person, locked, rules.wrong_max - 1],
            )?;
            Ok(())
        })
    }

    /// A change that is shown can be confirmed until then. False if it is not shown any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn extend_control(&self, id: i64, until: Timestamp) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let sql = "UPDATE controls SET expires_ms = ?2 WHERE id = ?1 AND status = 'shown'";
            Ok(transaction.execute(sql, params![id, until.ms()])? == 1)
        })
    }

    /// Forgets the wrong tries at a PIN that proved to be right, if it is still the same.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn clear_pin(&self, person: &str, hash: String) -> Result<(), StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            transaction.execute(
                "UPDATE pins SET wrong = 0, lockouts = 0, locked_until_ms = 0 WHERE person = ?1 AND hash = ?2",
                [person, hash],
            )?;
            Ok(())
        })
    }
}

fn add_control(transaction: &Transaction<'_>, row: &ControlRow) -> Result<i64, StoreError> {
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

    /// Whether a person has a PIN.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_pin(&self, person: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT 1 FROM pins WHERE person = ?1")?;
        Ok(statement.exists([person])?)
    }

    /// Until when a person's PIN is locked; in the past if it is not. None where there is no PIN.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pin_locked_until(&self, person: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT locked_until_ms FROM pins WHERE person = ?1")?;
        Ok(statement.query_row([person], |row| time(row, 0)).optional()?)
    }
}
