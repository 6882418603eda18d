//! Who changed what? An append-only record in which each row carries the hash of the one before.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;

use super::state::time;
use super::{Reader, Store, StoreError};

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, on the wall clock.
    pub at: Timestamp,
    /// Who.
    pub person: String,
    /// Where.
    pub channel: String,
    /// What was asked. Never a PIN.
    pub words: String,
    /// What became of it.
    pub result: String,
}

/// A row that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    /// Its number.
    pub seq: i64,
    /// What is wrong.
    pub what: &'static str,
}

/// Where the number and hash of the last row are kept, so that rows cut off the end are missed.
const HEAD: &str = "audit_head";

/// Each field is preceded by its length, so that moving a letter from one to the next changes the hash.
fn hash(previous: &str, entry: &AuditEntry) -> String {
    let mut hasher = blake3::Hasher::new();
    let at = entry.at.ms().to_string();
    for field in [previous, &at, &entry.person, &entry.channel, &entry.words, &entry.result] {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Adds a row to the chain; its number.
pub(super) fn append(transaction: &Transaction<'_>, entry: &AuditEntry) -> Result<i64, StoreError> {
    let head = transaction.query_row("SELECT value FROM meta WHERE key = ?1", [HEAD], |row| row.get::<_, String>(0));
    let head = head.optional()?.unwrap_or_default();
    // The chain goes on from its noted end, so that rows cut off before leave a gap for ever.
    let (last, previous) = head.split_once(' ').unwrap_or(("0", ""));
    let seq = last.parse::<i64>().unwrap_or(0) + 1;
    let own = hash(previous, entry);
    transaction.execute(
        "INSERT INTO audit (seq, at_ms, person, channel, words, result, previous, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![seq, entry.at.ms(), entry.person, entry.channel, entry.words, entry.result, previous, own],
    )?;
    transaction
        .execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", params![HEAD, format!("{seq} {own}")])?;
    Ok(seq)
}

impl Store {
    /// Adds a row; its number.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn audit(&self, entry: AuditEntry) -> Result<i64, StoreError> {
        self.write(move |transaction| append(transaction, &entry))
    }
}

impl Reader {
    /// Goes over the whole chain; how many rows there are, and the first that was changed, removed or moved.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn verify_audit(&self) -> Result<(u64, Option<AuditFault>), StoreError> {
        let mut statement = self
            .connection()
            .prepare("SELECT at_ms, person, channel, words, result, seq, previous, hash FROM audit ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let (mut count, mut previous) = (0, String::new());
        while let Some(row) = rows.next()? {
            count += 1;
            let entry = AuditEntry {
                at: time(row, 0)?,
                person: row.get(1)?,
                channel: row.get(2)?,
                words: row.get(3)?,
                result: row.get(4)?,
            };
            let (seq, noted, own): (i64, String, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
            let fault = |what| Some(AuditFault { seq, what });
            if seq != count || noted != previous {
                return Ok((count.unsigned_abs(), fault("a row before it is missing or was moved")));
            }
            if own != hash(&noted, &entry) {
                return Ok((count.unsigned_abs(), fault("it was changed")));
            }
            previous = own;
        }
        let head = self.meta(HEAD)?;
        let end = if count == 0 { String::new() } else { format!("{count} {previous}") };
        let cut = head.unwrap_or_default() != end;
        let fault = cut.then_some(AuditFault { seq: count + 1, what: "rows after the last one are missing" });
        Ok((count.unsigned_abs(), fault))
    }
}
