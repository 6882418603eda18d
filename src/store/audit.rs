//! Who changed what? An append-only record in which each row carries the hash of the one before.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::AuditId;

use super::history::{JOURNAL, JournalRow};
use super::state::{audit_id, time};
use super::{Reader, Store, StoreError};

/// What a row of the audit says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, on the wall clock.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// Who.
    pub person: String,
    /// Where.
    pub channel: String,
    /// What was asked. Never a PIN.
    pub words: String,
    /// What it was shown to do, as JSON or in words; none where nothing was shown.
    pub preview: Option<String>,
    /// What became of it.
    pub result: String,
}

/// A row of the audit as it stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number: 1, 2, 3 and so on without a gap.
    pub seq: i64,
    /// What it says.
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// The hash of the row before; empty for the first.
    pub previous: String,
    /// Its own hash.
    pub hash: String,
}

/// A row, and what is known of it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFound {
    /// The row.
    pub row: AuditRow,
    /// What came of the change that it confirmed, once that is known.
    pub came: Option<String>,
    /// The row that confirmed the change, if this one says what came of it.
    pub settles: Option<AuditId>,
}

/// Which rows are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditQuery<'a> {
    /// Whose; everybody's where it is none.
    pub person: Option<&'a str>,
    /// From when on.
    pub since: Option<Timestamp>,
    /// Numbers below this one.
    pub before: Option<AuditId>,
    /// How many at the most.
    pub rows_max: u32,
}

/// A row that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    /// Its number.
    pub seq: i64,
    /// What is wrong.
    pub what: &'static str,
}

/// Rows that follow one another, looked at one by one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditChain {
    /// How many there were.
    pub rows: u64,
    /// The hash of the last one; empty before the first.
    pub hash: String,
}

impl AuditChain {
    /// Looks at the next row; what is wrong with it, if anything is.
    pub fn next(&mut self, row: &AuditRow) -> Option<AuditFault> {
        self.rows += 1;
        let fault = |what| Some(AuditFault { seq: row.seq, what });
        if row.seq != self.rows.cast_signed() || row.previous != self.hash {
            return fault(MOVED);
        }
        if row.hash != hash(&row.previous, &row.entry) {
            return fault(CHANGED);
        }
        self.hash.clone_from(&row.hash);
        None
    }

    /// The end of the chain as it is kept beside the rows: `17 3fa8...`; empty before the first row.
    pub fn end(&self) -> String {
        if self.rows == 0 { String::new() } else { format!("{} {}", self.rows, self.hash) }
    }
}

const MOVED: &str = "a row before it is missing or was moved";
const CHANGED: &str = "it was changed";
const CUT: &str = "rows after the last one are missing";

/// A row, as [`audit_row`] reads it.
const ROW: &str = "a.seq, a.at_ms, a.person, a.channel, a.words, a.preview, a.result, a.previous, a.hash";

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let entry = AuditEntry {
        at: time(row, 1)?,
        person: row.get(2)?,
        channel: row.get(3)?,
        words: row.get(4)?,
        preview: row.get(5)?,
        result: row.get(6)?,
    };
    Ok(AuditRow { seq: row.get(0)?, entry, previous: row.get(7)?, hash: row.get(8)? })
}

/// Facts of one row that are shown at the most.
const EVENTS_MAX: u32 = 200;

/// Where the number and hash of the last row are kept, so that rows cut off the end are missed.
const HEAD: &str = "audit_head";

/// Each field is preceded by its length, so that moving a letter from one to the next changes the hash.
fn hash(previous: &str, entry: &AuditEntry) -> String {
    let mut hasher = blake3::Hasher::new();
    let at = entry.at.ms().to_string();
    let fields = [previous, &at, &entry.person, &entry.channel, &entry.words, &entry.result];
    // Rows from before there were previews are hashed as they were then.
    for field in fields.into_iter().chain(entry.preview.as_deref()) {
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
        "INSERT INTO audit (seq, at_ms, person, channel, words, preview, result, previous, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            seq,
            entry.at.ms(),
            entry.person,
            entry.channel,
            entry.words,
            entry.preview,
            entry.result,
            previous,
            own
        ],
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
        self.check_audit(&mut |_, _| ()).map(|(chain, fault)| (chain.rows, fault))
    }

    /// The same; how far the chain is whole. `tick` is told how many rows are done, and of how many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check_audit(
        &self,
        tick: &mut dyn FnMut(usize, usize),
    ) -> Result<(AuditChain, Option<AuditFault>), StoreError> {
        let all: i64 = self.connection().query_row("SELECT count(*) FROM audit", [], |row| row.get(0))?;
        let mut statement = self.connection().prepare(&format!("SELECT {ROW} FROM audit a ORDER BY a.seq"))?;
        let mut rows = statement.query([])?;
        let mut chain = AuditChain::default();
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            // What is not even of its kind any more was changed, too.
            let fault = audit_row(row).map_or(Some(AuditFault { seq, what: CHANGED }), |row| chain.next(&row));
            if fault.is_some() {
                return Ok((chain, fault));
            }
            tick(chain.rows as usize, all.unsigned_abs() as usize);
        }
        let is_cut = self.meta(HEAD)?.unwrap_or_default() != chain.end();
        let fault = is_cut.then(|| AuditFault { seq: chain.rows.cast_signed() + 1, what: CUT });
        Ok((chain, fault))
    }

    /// Every row, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit_rows(&self) -> Result<Vec<AuditRow>, StoreError> {
        let mut statement = self.connection().prepare(&format!("SELECT {ROW} FROM audit a ORDER BY a.seq"))?;
        let rows = statement.query_map([], audit_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The rows that a question is about, newest first. What came of a confirmed change stands in the row that confirmed it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find_audit(&self, query: AuditQuery<'_>) -> Result<Vec<AuditFound>, StoreError> {
        let AuditQuery { person, since, before, rows_max } = query;
        let which = "s.id IS NULL AND (?1 IS NULL OR a.person = ?1) AND a.at_ms >= ?2 AND a.seq < ?3
                     ORDER BY a.seq DESC LIMIT ?4";
        let since = since.map_or(i64::MIN, Timestamp::ms);
        let before = before.map_or(i64::MAX, AuditId::number);
        self.audit_found(which, params![person, since, before, rows_max])
    }

    /// One row.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit_of(&self, id: AuditId) -> Result<Option<AuditFound>, StoreError> {
        Ok(self.audit_found("a.seq = ?1", [id.number()])?.pop())
    }

    fn audit_found(&self, which: &str, params: impl rusqlite::Params) -> Result<Vec<AuditFound>, StoreError> {
        let sql = format!(
            "SELECT {ROW}, b.result, s.audit FROM audit a LEFT JOIN controls c ON c.audit = a.seq
             LEFT JOIN audit b ON b.seq = c.settled AND b.seq > a.seq LEFT JOIN controls s ON s.settled = a.seq WHERE {which}"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params, |row| {
            Ok(AuditFound { row: audit_row(row)?, came: row.get(9)?, settles: audit_id(row, 10)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The facts that come from a row, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn journal_of_audit(&self, id: AuditId) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!("{JOURNAL} WHERE j.audit = ?1 ORDER BY j.seq LIMIT {EVENTS_MAX}");
        self.journal(&sql, [id.number()])
    }
}
