//! What did people change over the file? Settings by book, each with who changed it, since when and until when.

use rusqlite::{Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{ChangeEnd, ChangeId, ChangeRow};

use super::state::{audit_id, parsed, time, unsigned};
use super::{Reader, StoreError};

impl Reader {
    /// The changes in force, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn changes(&self) -> Result<Vec<ChangeRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, book, setting, person, audit, since_ms, until_ms FROM changes WHERE ended IS NULL ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            changes.push(ChangeRow {
                id: ChangeId(unsigned(row, 0)?),
                book: parsed(row, 1)?,
                setting: serde_json::from_str(&row.get::<_, String>(2)?)?,
                person: row.get(3)?,
                audit: audit_id(row, 4)?,
                since: time(row, 5)?,
                until: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_ms),
                ended: None,
            });
        }
        Ok(changes)
    }

    /// The last number that was given to a change.
    pub(super) fn last_change(&self) -> Result<ChangeId, StoreError> {
        let last: Option<i64> = self.connection().query_row("SELECT max(id) FROM changes", [], |row| row.get(0))?;
        Ok(ChangeId(last.unwrap_or(0).unsigned_abs()))
    }
}

/// Keeps changes as they are now, new ones and those that ended.
pub(super) fn write_changes(transaction: &Transaction<'_>, changes: &[ChangeRow]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR REPLACE INTO changes (id, book, setting, person, audit, since_ms, until_ms, ended)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for row in changes {
        statement.execute(params![
            row.id.0 as i64,
            row.book.as_str(),
            serde_json::to_string(&row.setting)?,
            row.person,
            row.audit.map(crate::domain::AuditId::number),
            row.since.ms(),
            row.until.map(Timestamp::ms),
            row.ended.map(ChangeEnd::as_str)
        ])?;
    }
    Ok(())
}
