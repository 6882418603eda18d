//! How does what was shown at the desk go on? Rows move from one status to the next, all of them or none, with what is told of it.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;

use super::audit::append;
use super::controls::{add_control, confirmed_by};
use super::{AuditEntry, ControlRow, Reader, Store, StoreError, Told};

/// A row of the controls goes from one status to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub id: i64,
    /// From; a row that is in another status is left as it is.
    pub from: &'static str,
    /// To.
    pub to: &'static str,
    /// Who agreed besides.
    pub second: Option<String>,
    /// What came of it.
    pub result: Option<String>,
    /// What whoever moves it proved who they are by.
    pub factors: Option<&'static str>,
}

impl Move {
    /// From one status to another and nothing else.
    pub fn new(id: i64, from: &'static str, to: &'static str) -> Self {
        Self { id, from, to, second: None, result: None, factors: None }
    }
}

/// A control that nobody was shown.
pub struct Added {
    /// What whoever asks for it may do.
    pub own: ControlRow,
    /// Its row of the audit.
    pub entry: AuditEntry,
    /// What the bot does besides, of which the audit says nothing.
    pub rest: Option<ControlRow>,
}

/// What is done in one transaction.
pub struct Settlement {
    /// If this cannot be done, nothing is.
    pub must: Option<Move>,
    /// These go along where they can.
    pub also: Vec<Move>,
    /// A control that is confirmed by this. Nobody is offered to take it back.
    pub adds: Option<Added>,
    /// The row of the audit, and the control that it confirms.
    pub entry: Option<(AuditEntry, Option<i64>)>,
    /// What is told.
    pub told: Told,
}

impl Store {
    /// Settles what was shown. False if somebody else was faster; else with the row of the control that it adds.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle_control(&self, settlement: Settlement) -> Result<(bool, Option<i64>), StoreError> {
        let Settlement { must, also, adds, entry, told } = settlement;
        let (points, (added, row)) = (self.points().clone(), std::sync::mpsc::channel());
        let done = self.tell(told, move |transaction| {
            if let Some(must) = &must
                && !go(transaction, must)?
            {
                return Ok(false);
            }
            for one in &also {
                go(transaction, one)?;
            }
            points.pass("control: moved")?;
            match &entry {
                Some((entry, Some(control))) => confirmed_by(transaction, *control, entry)?,
                Some((entry, None)) => drop(append(transaction, entry)?),
                None => {}
            }
            if let Some(Added { own, entry, rest }) = &adds {
                // Whoever asks for nothing takes nothing back.
                let add = |row| {
                    let id = add_control(transaction, row)?;
                    transaction.execute("UPDATE controls SET undone = id WHERE id = ?1", [id])?;
                    Ok::<i64, StoreError>(id)
                };
                let id = add(own)?;
                confirmed_by(transaction, id, entry)?;
                rest.as_ref().map(add).transpose()?;
                // Whoever waits for it is there until this is done.
                let _ = added.send(id);
            }
            Ok(true)
        })?;
        Ok((done, row.try_recv().ok()))
    }
}

impl Store {
    /// Voids what people were shown, what waits of theirs and what they confirmed, because of what they lost. What stops trading stays.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn void_controls(&self, people: Vec<String>, result: &'static str, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let open = "status IN ('shown', 'waiting', 'confirmed') AND coalesce(json_extract(control, '$.control'), '') != 'halt'";
            let sql = format!(
                "SELECT c.id, c.chat, coalesce(a.words, c.control), c.status = 'shown' FROM controls c
                 LEFT JOIN audit a ON a.seq = c.audit WHERE c.person = ?1 AND {open}"
            );
            let mut found = transaction.prepare(&sql)?;
            for person in &people {
                let rows = found.query_map([person], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get::<_, bool>(3)?))
                })?;
                for (id, channel, words, is_shown) in rows.collect::<Result<Vec<_>, _>>()? {
                    let sql = "UPDATE controls SET status = 'void', result = ?2 WHERE id = ?1";
                    transaction.execute(sql, params![id, result])?;
                    if !is_shown {
                        let (person, result) = (person.clone(), result.to_owned());
                        append(transaction, &AuditEntry { at: now, person, channel, words, preview: None, result })?;
                    }
                }
            }
            Ok(())
        })
    }
}

impl Reader {
    /// What somebody could confirm in a chat at this instant: what was shown there last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn shown_at(&self, person: &str, chat: &str, at: Timestamp) -> Result<Option<ControlRow>, StoreError> {
        // What needs no confirmation was never shown.
        let which = "person = ?1 AND chat = ?2 AND expires_ms > shown_ms AND ?3 BETWEEN shown_ms AND expires_ms
                     ORDER BY id DESC LIMIT 1";
        self.find_control(which, params![person, chat, at.ms()])
    }

    /// The halt that was made of what this row was to do, as somebody entered the PIN for that.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn halt_instead(&self, row: &ControlRow) -> Result<Option<i64>, StoreError> {
        let sql =
            "SELECT id FROM controls WHERE id > ?1 AND person = ?2 AND chat = ?3 AND undone = id ORDER BY id LIMIT 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row(params![row.id, row.person, row.chat], |row| row.get(0)).optional()?)
    }
}

fn go(transaction: &Transaction<'_>, one: &Move) -> Result<bool, StoreError> {
    let sql = "UPDATE controls SET status = ?3, second = coalesce(?4, second), result = coalesce(?5, result),
                 factors = CASE WHEN ?6 IS NULL THEN factors ELSE ltrim(coalesce(factors, '') || ' ' || ?6) END
               WHERE id = ?1 AND status = ?2";
    let Move { id, from, to, second, result, factors } = one;
    let done = transaction.prepare_cached(sql)?.execute(params![id, from, to, second, result, factors])?;
    Ok(done == 1)
}
