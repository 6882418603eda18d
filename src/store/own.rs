//! What does somebody change for themselves alone, and how is it taken back? Each change gives the one that undoes it, and both are in the audit.

use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{AlertId, Label, Preference, Preferences, Treatment};

use super::alerts::set_states;
use super::audit::append;
use super::notes::{put_tag, take_tag};
use super::{AuditEntry, Reader, Store, StoreError, TagRow};

/// For how long a change can be taken back, on the wall clock, in milliseconds.
pub const UNDO_MS: i64 = 10 * 60_000;

/// A change that somebody makes for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Own {
    /// A kind of event is not told until then; it is told where it is none.
    Mute {
        /// The kind.
        kind: String,
        /// Until when, on the wall clock.
        until: Option<Timestamp>,
    },
    /// A kind of event is told in another way; as configured where it is none.
    Wish {
        /// The kind.
        kind: String,
        /// How it is told.
        treatment: Option<Treatment>,
    },
    /// Settings get these values; as in the file where it is none.
    Prefer {
        /// Names and values.
        rows: Vec<(String, Option<String>)>,
    },
    /// A note is written.
    Note {
        /// What it is about.
        about: String,
        /// Whoever may see these may read it.
        books: Vec<Label>,
        /// What it says.
        text: String,
    },
    /// A note is taken away, or there again.
    NoteGone {
        /// Its row.
        id: i64,
        /// True if it is taken away.
        gone: bool,
    },
    /// Something is filed under some tags and no more under others.
    Tags {
        /// Tags that it gets.
        put: Vec<TagRow>,
        /// Tags that it loses.
        take: Vec<TagRow>,
    },
    /// Alerts are as they were before they were set or deleted.
    Alerts {
        /// Which, and how they are.
        states: Vec<(AlertId, String)>,
    },
}

/// What came of taking back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBack {
    /// This was taken back.
    Done(String),
    /// This cannot be taken back.
    Never(String),
    /// This is over by itself meanwhile.
    Over(String),
}

impl Store {
    /// Makes a change for its person, with its row of the audit. None if the update that causes it has done so before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn change_own(&self, entry: AuditEntry, what: Own) -> Result<Option<()>, StoreError> {
        self.change(move |transaction| {
            let back = apply(transaction, &entry.person, &what, entry.at)?;
            note_own(transaction, &entry, back.as_ref())
        })
    }

    /// Takes back the last change that somebody made for themselves after `newer_than`, with a row of the audit; none of it where there is
    /// none. What cannot be taken back is passed over by the next try. None if the update that causes it has done so before.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn undo_own(
        &self,
        person: &str,
        channel: &str,
        newer_than: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Option<TakenBack>>, StoreError> {
        let (person, channel) = (person.to_owned(), channel.to_owned());
        self.change(move |transaction| {
            let last = transaction
                .prepare_cached(
                    "SELECT id, words, back FROM own_changes WHERE person = ?1 AND NOT gone AND at_ms > ?2 AND at_ms <= ?3
                     ORDER BY id DESC LIMIT 1",
                )?
                .query_row(params![person, newer_than.ms(), now.ms()], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
                })
                .optional()?;
            let Some((id, words, back)) = last else { return Ok(None) };
            transaction.execute("UPDATE own_changes SET gone = 1 WHERE id = ?1", [id])?;
            let back = back.map(|back| serde_json::from_str::<Own>(&back)).transpose()?;
            let (taken, result) = match back {
                None => (TakenBack::Never(words.clone()), "cannot be taken back"),
                Some(back) => match apply(transaction, &person, &back, now)? {
                    Some(_) => (TakenBack::Done(words.clone()), "taken back"),
                    None => (TakenBack::Over(words.clone()), "over already"),
                },
            };
            let result = format!("{words}: {result}");
            append(
                transaction,
                &AuditEntry { at: now, person, channel, words: "/undo".to_owned(), preview: None, result },
            )?;
            Ok(Some(taken))
        })
    }
}

/// Notes a change with its row of the audit, and what takes it back. Older ones are forgotten: nobody can take them back any more.
pub(super) fn note_own(
    transaction: &Transaction<'_>,
    entry: &AuditEntry,
    back: Option<&Own>,
) -> Result<(), StoreError> {
    append(transaction, entry)?;
    let back = back.map(serde_json::to_string).transpose()?;
    transaction.execute("DELETE FROM own_changes WHERE at_ms < ?1", [entry.at.ms().saturating_sub(UNDO_MS)])?;
    transaction.execute(
        "INSERT INTO own_changes (person, words, back, at_ms) VALUES (?1, ?2, ?3, ?4)",
        params![entry.person, entry.words, back, entry.at.ms()],
    )?;
    Ok(())
}

/// Makes a change; what takes it back, if there was anything to change.
fn apply(transaction: &Transaction<'_>, person: &str, what: &Own, now: Timestamp) -> Result<Option<Own>, StoreError> {
    Ok(match what {
        Own::Mute { kind, until } => Some(mute(transaction, person, kind, *until)?),
        Own::Wish { kind, treatment } => Some(wish(transaction, person, kind, *treatment, now)?),
        Own::Prefer { rows } => Some(prefer(transaction, person, rows, now)?),
        Own::Note { about, books, text } => {
            transaction.execute(
                "INSERT INTO notes (person, about, books, text, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![person, about, serde_json::to_string(books)?, text, now.ms()],
            )?;
            Some(Own::NoteGone { id: transaction.last_insert_rowid(), gone: true })
        }
        Own::NoteGone { id, gone } => {
            let changed = transaction.execute(
                "UPDATE notes SET gone = ?3 WHERE id = ?1 AND person = ?2 AND gone != ?3",
                params![id, person, gone],
            )?;
            (changed > 0).then_some(Own::NoteGone { id: *id, gone: !gone })
        }
        Own::Tags { put, take } => {
            let (mut was_there, mut was_not) = (Vec::new(), Vec::new());
            for tag in take {
                if take_tag(transaction, tag)? {
                    was_there.push(tag.clone());
                }
            }
            for tag in put {
                if put_tag(transaction, tag)? {
                    was_not.push(tag.clone());
                }
            }
            let changed = !was_there.is_empty() || !was_not.is_empty();
            changed.then_some(Own::Tags { put: was_there, take: was_not })
        }
        Own::Alerts { states } => {
            let states = set_states(transaction, person, states)?;
            (!states.is_empty()).then_some(Own::Alerts { states })
        }
    })
}

fn mute(transaction: &Transaction<'_>, person: &str, kind: &str, until: Option<Timestamp>) -> Result<Own, StoreError> {
    let before = transaction
        .query_row("SELECT until_ms FROM mutes WHERE person = ?1 AND kind = ?2", [person, kind], |row| row.get(0))
        .optional()?;
    match until {
        Some(until) => transaction.execute(
            "INSERT OR REPLACE INTO mutes (person, kind, until_ms) VALUES (?1, ?2, ?3)",
            params![person, kind, until.ms()],
        )?,
        None => transaction.execute("DELETE FROM mutes WHERE person = ?1 AND kind = ?2", [person, kind])?,
    };
    Ok(Own::Mute { kind: kind.to_owned(), until: before.map(Timestamp::from_ms) })
}

fn wish(
    transaction: &Transaction<'_>,
    person: &str,
    kind: &str,
    treatment: Option<Treatment>,
    now: Timestamp,
) -> Result<Own, StoreError> {
    let before: Option<String> = transaction
        .query_row("SELECT treatment FROM wishes WHERE person = ?1 AND kind = ?2", [person, kind], |row| row.get(0))
        .optional()?;
    let before = before.map(|text| text.parse()).transpose();
    let before = before.map_err(|why| StoreError::Unreadable { what: "wish", why })?;
    match treatment {
        Some(treatment) => transaction.execute(
            "INSERT OR REPLACE INTO wishes (person, kind, treatment, set_ms) VALUES (?1, ?2, ?3, ?4)",
            params![person, kind, treatment.as_str(), now.ms()],
        )?,
        None => transaction.execute("DELETE FROM wishes WHERE person = ?1 AND kind = ?2", [person, kind])?,
    };
    Ok(Own::Wish { kind: kind.to_owned(), treatment: before })
}

fn prefer(
    transaction: &Transaction<'_>,
    person: &str,
    rows: &[(String, Option<String>)],
    now: Timestamp,
) -> Result<Own, StoreError> {
    let mut before = Vec::new();
    for (key, value) in rows {
        let was: Option<String> = transaction
            .query_row("SELECT value FROM preferences WHERE person = ?1 AND key = ?2", [person, key], |row| row.get(0))
            .optional()?;
        before.push((key.clone(), was));
        match value {
            Some(value) => transaction.execute(
                "INSERT OR REPLACE INTO preferences (person, key, value, at_ms) VALUES (?1, ?2, ?3, ?4)",
                params![person, key, value, now.ms()],
            )?,
            None => transaction.execute("DELETE FROM preferences WHERE person = ?1 AND key = ?2", [person, key])?,
        };
    }
    Ok(Own::Prefer { rows: before })
}

impl Reader {
    /// What somebody set for themselves over the file. A row that this version does not understand counts as none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn preferences(&self, person: &str) -> Result<Preferences, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT key, value FROM preferences WHERE person = ?1 ORDER BY key")?;
        let mut rows = statement.query([person])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
            all.extend(Preference::read(&key, &value));
        }
        Ok(all.into_iter().collect())
    }

    /// When somebody last changed something for themselves that was not taken back since.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_own(&self, person: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT at_ms FROM own_changes WHERE person = ?1 AND NOT gone ORDER BY id DESC LIMIT 1")?;
        Ok(statement.query_row([person], |row| super::state::time(row, 0)).optional()?)
    }
}
