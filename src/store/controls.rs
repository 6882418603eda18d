//! Which changes were shown, confirmed and carried out? And whose PIN is what, as a hash.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{AuditId, Did, Label, Trace};

use super::audit::append;
use super::state::{audit_id, time};
use super::{AuditEntry, Reader, Store, StoreError, Told, UNDO_MS};

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
    /// `shown`, `waiting` for a second person, `confirmed`, `claimed` by the engine, `done`, `expired`, `declined` or `void`.
    pub status: String,
    /// What became of it.
    pub result: Option<String>,
    /// The row of the audit that confirmed it.
    pub audit: Option<AuditId>,
    /// Who agreed besides.
    pub second: Option<String>,
    /// What it was confirmed by, and what the second person agreed by: `pin+totp pin`.
    pub factors: Option<String>,
}

/// A halt that was asked for and not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingHalt {
    /// By whom.
    pub person: String,
    /// Of which books; all where it is none.
    pub books: Option<Vec<Label>>,
}

/// A control that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoable {
    /// Its row.
    pub id: i64,
    /// When it was carried out, on the wall clock.
    pub at: Timestamp,
    /// What was typed.
    pub words: String,
    /// What it did.
    pub traces: Vec<Trace>,
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
    /// A right try so many milliseconds after the last wrong one takes wrong ones and locks back. An earlier one takes back none: whoever
    /// was given a PIN for those who are made to enter one must not get tries at the other by it, nor see by the count which it is.
    pub kept_ms: i64,
}

/// A try that was charged and proved to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// When it was charged.
    pub at: Timestamp,
    /// When the last wrong one before it was.
    pub before: Timestamp,
    /// Tries left if it had been wrong.
    pub left: u32,
    /// Until when it was locked by it.
    pub locked: Option<Timestamp>,
    /// The step of the app's code that came with it: it is used by that.
    pub step: Option<i64>,
    /// False for a code that was sent to a phone: who has that alone must not get tries at the PIN by it.
    pub forgives: bool,
}

/// What a person proves who they are by, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Guard {
    /// The hash of the PIN in PHC form; empty where none is set.
    pub hash: String,
    /// That of the PIN for whoever is made to enter one.
    pub duress: Option<String>,
    /// The secret of the app's codes in base 32.
    pub totp: Option<String>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

/// Which of a person's two PINs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// Their own, by the one before.
    Own,
    /// Their own, without the one before: it is not locked, and the other one is gone.
    Anew,
    /// The one for whoever is made to enter one.
    Duress,
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
        /// What it is compared with.
        guard: Guard,
        /// Tries left if this one is wrong.
        left: u32,
        /// Until when it is locked if this one is wrong.
        locked: Option<Timestamp>,
        /// When the last wrong one before it was.
        before: Timestamp,
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
            confirmed_by(transaction, id, &entry)?;
            Ok(id)
        })
    }

    /// Moves a control from one status to another, once; false if it was not in `from` any more.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn move_control(&self, id: i64, from: &'static str, to: &'static str) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let sql = "UPDATE controls SET status = ?3 WHERE id = ?1 AND status = ?2";
            Ok(transaction.execute(sql, params![id, from, to])? == 1)
        })
    }

    /// Keeps one of a person's PINs, with its row of the audit and what is told of it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_pin(
        &self,
        person: &str,
        (kind, hash): (PinKind, String),
        entry: AuditEntry,
        told: Told,
    ) -> Result<(), StoreError> {
        let person = person.to_owned();
        let sql = match kind {
            PinKind::Own => {
                "INSERT INTO pins (person, hash, wrong, lockouts, locked_until_ms, set_ms) VALUES (?1, ?2, 0, 0, 0, ?3)
                 ON CONFLICT (person) DO UPDATE SET hash = ?2, set_ms = ?3"
            }
            PinKind::Anew => {
                "INSERT INTO pins (person, hash, wrong, lockouts, locked_until_ms, set_ms) VALUES (?1, ?2, 0, 0, 0, ?3)
                 ON CONFLICT (person) DO UPDATE SET hash = ?2, duress = NULL, wrong = 0, lockouts = 0, locked_until_ms = 0, set_ms = ?3"
            }
            PinKind::Duress => "UPDATE pins SET duress = ?2, set_ms = ?3 WHERE person = ?1",
        };
        self.tell(told, move |transaction| {
            transaction.execute(sql, params![person, hash, entry.at.ms()])?;
            append(transaction, &entry)?;
            Ok(true)
        })
        .map(drop)
    }

    /// Counts a try at a PIN as wrong, before anybody looks whether it is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn charge_pin(&self, person: &str, now: Timestamp, rules: PinRules) -> Result<Charged, StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            let row = transaction.query_row(
                "SELECT wrong, lockouts, locked_until_ms, hash, duress, secret, wrong_ms FROM pins LEFT JOIN totp USING (person)
                 WHERE person = ?1",
                [&person],
                |row| {
                    let guard = Guard { hash: row.get(3)?, duress: row.get(4)?, totp: row.get(5)? };
                    Ok((guard, row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, time(row, 2)?, time(row, 6)?))
                },
            );
            let Some((guard, wrong, lockouts, locked_until, before)) = row.optional()? else { return Ok(Charged::NoPin) };
            if locked_until > now {
                return Ok(Charged::Locked(locked_until));
            }
            let wrong = wrong + 1;
            let locks = wrong >= rules.wrong_max;
            let locked = locks.then(|| now.plus_ms(rules.lock_ms << lockouts.min(rules.doublings_max)));
            transaction.execute(
                "UPDATE pins SET wrong = ?2, lockouts = ?3, locked_until_ms = ?4, wrong_ms = ?5 WHERE person = ?1",
                params![
                    person,
                    if locks { 0 } else { wrong },
                    lockouts.saturating_add(u32::from(locks)),
                    locked.unwrap_or(locked_until).ms(),
                    now.ms()
                ],
            )?;
            Ok(Charged::Try { guard, left: rules.wrong_max.saturating_sub(wrong), locked, before })
        })
    }

    /// Takes a try back that was charged and proved to be right, with the wrong ones before it where these are old enough, and uses the
    /// step of its code. False if that step or a later one was used before: then it was no right try.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn refund_pin(&self, person: &str, refund: Refund, rules: PinRules) -> Result<bool, StoreError> {
        let person = person.to_owned();
        self.write(move |transaction| {
            let Refund { at, before, left, locked, step, forgives } = refund;
            let use_step = "UPDATE totp SET step = ?2 WHERE person = ?1 AND step < ?2";
            if let Some(step) = step
                && transaction.execute(use_step, params![person, step])? == 0
            {
                return Ok(false);
            }
            // Only as long as nobody tried meanwhile.
            let wrong = if locked.is_some() { 0 } else { rules.wrong_max.saturating_sub(left) };
            let forgive = "UPDATE pins SET wrong = 0, lockouts = 0, locked_until_ms = 0, wrong_ms = ?3
                           WHERE person = ?1 AND wrong_ms = ?2 AND wrong = ?4";
            if forgives
                && at.since(before) >= rules.kept_ms
                && transaction.execute(forgive, params![person, at.ms(), before.ms(), wrong])? == 1
            {
                return Ok(true);
            }
            transaction.execute(
                "UPDATE pins SET wrong = CASE WHEN locked_until_ms = ?2 THEN ?3 ELSE max(wrong - 1, 0) END,
                   lockouts = CASE WHEN locked_until_ms = ?2 THEN max(lockouts - 1, 0) ELSE lockouts END,
                   locked_until_ms = CASE WHEN locked_until_ms = ?2 THEN 0 ELSE locked_until_ms END,
                   wrong_ms = CASE WHEN wrong_ms = ?4 AND wrong = ?6 THEN ?5 ELSE wrong_ms END WHERE person = ?1",
                params![person, locked.map(Timestamp::ms), rules.wrong_max - 1, at.ms(), before.ms(), wrong],
            )?;
            Ok(true)
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
}

pub(super) fn add_control(transaction: &Transaction<'_>, row: &ControlRow) -> Result<i64, StoreError> {
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

/// Notes who confirmed a control; the control knows the row of the audit.
pub(super) fn confirmed_by(transaction: &Transaction<'_>, id: i64, entry: &AuditEntry) -> Result<(), StoreError> {
    let seq = append(transaction, entry)?;
    transaction.execute("UPDATE controls SET audit = ?2 WHERE id = ?1", params![id, seq])?;
    Ok(())
}

impl Reader {
    /// A control by its row.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn control(&self, id: i64) -> Result<Option<ControlRow>, StoreError> {
        self.find_control("id = ?1", [id])
    }

    /// The oldest control that was confirmed and not carried out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn confirmed_control(&self) -> Result<Option<ControlRow>, StoreError> {
        self.find_control("status IN ('confirmed', 'claimed') ORDER BY id LIMIT 1", [])
    }

    /// Halts that were asked for and not carried out, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn waiting_halts(&self) -> Result<Vec<WaitingHalt>, StoreError> {
        let sql = "SELECT person, json_extract(control, '$.books') FROM controls
                   WHERE status IN ('confirmed', 'claimed') AND json_extract(control, '$.control') = 'halt' ORDER BY id";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut halts = Vec::new();
        while let Some(row) = rows.next()? {
            let books: Option<String> = row.get(1)?;
            let books = books.map(|books| serde_json::from_str(&books)).transpose()?;
            halts.push(WaitingHalt { person: row.get(0)?, books });
        }
        Ok(halts)
    }

    pub(super) fn find_control(
        &self,
        which: &str,
        params: impl rusqlite::Params,
    ) -> Result<Option<ControlRow>, StoreError> {
        let sql = format!(
            "SELECT id, person, chat, control, shown_on, shown_ms, expires_ms, status, result, audit, second, factors
             FROM controls WHERE {which}"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
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
                audit: audit_id(row, 9)?,
                second: row.get(10)?,
                factors: row.get(11)?,
            })
        });
        Ok(row.optional()?)
    }

    /// The last control of a person that was carried out since then, can be taken back, and was not: its row, what was typed, and what it did
    /// with everything that filled of its orders.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn undoable_control(&self, person: &str, since: Timestamp) -> Result<Option<Undoable>, StoreError> {
        let sql = "SELECT c.id, c.done_ms, coalesce(a.words, c.control), c.undo FROM controls c LEFT JOIN audit a ON a.seq = c.audit
                   WHERE c.person = ?1 AND c.status = 'done' AND c.done_ms BETWEEN ?2 AND ?3 AND c.undo IS NOT NULL AND c.undone IS NULL
                     AND json_extract(c.control, '$.control') != 'undo'
                   ORDER BY c.done_ms DESC, c.id DESC LIMIT 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        // What a clock that was set back makes out to lie ahead is not young for ever.
        let ends = since.plus_ms(UNDO_MS);
        let row = statement.query_row(params![person, since.ms(), ends.ms()], |row| {
            Ok((row.get::<_, i64>(0)?, time(row, 1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
        });
        let Some((id, at, words, undo)) = row.optional()? else { return Ok(None) };
        let mut traces: Vec<Trace> = serde_json::from_str(&undo)?;
        for trace in &mut traces {
            if let Did::Sent(sent) = &trace.did {
                trace.fills = self.fills_of(sent.order)?;
            }
        }
        Ok(Some(Undoable { id, at, words, traces }))
    }

    /// Whether a person has a PIN.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_pin(&self, person: &str) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT 1 FROM pins WHERE person = ?1 AND hash != ''")?;
        Ok(statement.exists([person])?)
    }

    /// The hash of one of a person's PINs.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pin_hash(&self, person: &str, kind: PinKind) -> Result<Option<String>, StoreError> {
        let sql = match kind {
            PinKind::Own | PinKind::Anew => "SELECT hash FROM pins WHERE person = ?1 AND hash != ''",
            PinKind::Duress => "SELECT duress FROM pins WHERE person = ?1 AND duress IS NOT NULL",
        };
        Ok(self.connection().prepare_cached(sql)?.query_row([person], |row| row.get(0)).optional()?)
    }

    /// How many tries at a person's PIN were wrong, and when the last of them was.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pin_tries(&self, person: &str) -> Result<Option<(u32, Timestamp)>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT wrong, wrong_ms FROM pins WHERE person = ?1")?;
        Ok(statement.query_row([person], |row| Ok((row.get(0)?, time(row, 1)?))).optional()?)
    }

    /// Until when a person's PIN and codes are locked; in the past if they are not. None where there are neither.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pin_locked_until(&self, person: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT locked_until_ms FROM pins WHERE person = ?1")?;
        Ok(statement.query_row([person], |row| time(row, 0)).optional()?)
    }
}
