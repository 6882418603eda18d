//! What did people write to trades, orders, messages, symbols and days, and what did they file them under?

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{About, Label};

use super::state::{parsed, time};
use super::{Reader, StoreError};

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRow {
    /// Who wrote it.
    pub person: String,
    /// What it says, as it was typed: text of strangers.
    pub text: String,
    /// When, on the wall clock.
    pub at: Timestamp,
    /// Whoever may see all of these may read it.
    pub books: Vec<Label>,
}

/// That something is filed under a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagRow {
    /// What is filed, as it is typed.
    pub about: String,
    /// Under what.
    pub tag: Label,
    /// Whoever may see all of these may see it.
    pub books: Vec<Label>,
    /// Who did that.
    pub person: String,
    /// When, on the wall clock.
    pub at: Timestamp,
}

/// Files something under a tag; false if it was before.
pub(super) fn put_tag(transaction: &Transaction<'_>, row: &TagRow) -> Result<bool, StoreError> {
    let TagRow { about, tag, books, person, at } = row;
    let books = serde_json::to_string(books)?;
    let added = transaction.execute(
        "INSERT OR IGNORE INTO tags (about, tag, books, person, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![about, tag.as_str(), books, person, at.ms()],
    )?;
    Ok(added > 0)
}

/// Takes something from under a tag; false if it was not there.
pub(super) fn take_tag(transaction: &Transaction<'_>, row: &TagRow) -> Result<bool, StoreError> {
    let books = serde_json::to_string(&row.books)?;
    let taken = transaction.execute(
        "DELETE FROM tags WHERE about = ?1 AND tag = ?2 AND books = ?3",
        params![row.about, row.tag.as_str(), books],
    )?;
    Ok(taken > 0)
}

fn books(row: &Row<'_>, index: usize) -> Result<Vec<Label>, StoreError> {
    let text: String = row.get(index)?;
    Ok(serde_json::from_str(&text)?)
}

impl Reader {
    /// The notes to something, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notes(&self, about: About) -> Result<Vec<NoteRow>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT person, text, at_ms, books FROM notes WHERE about = ?1 AND NOT gone ORDER BY id")?;
        let mut rows = statement.query([about.to_string()])?;
        let mut notes = Vec::new();
        while let Some(row) = rows.next()? {
            notes.push(NoteRow { person: row.get(0)?, text: row.get(1)?, at: time(row, 2)?, books: books(row, 3)? });
        }
        Ok(notes)
    }

    /// What something is filed under, by name; everything that is filed anywhere where it is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn tags(&self, about: Option<About>) -> Result<Vec<TagRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT about, tag, person, at_ms, books FROM tags WHERE ?1 IS NULL OR about = ?1 ORDER BY tag, about",
        )?;
        let mut rows = statement.query([about.map(|about| about.to_string())])?;
        let mut tags = Vec::new();
        while let Some(row) = rows.next()? {
            let (about, tag, person) = (row.get(0)?, parsed(row, 1)?, row.get(2)?);
            tags.push(TagRow { about, tag, person, at: time(row, 3)?, books: books(row, 4)? });
        }
        Ok(tags)
    }
}
