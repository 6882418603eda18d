//! What was told in digests, and what is owed? A place in the journal a person.

use rusqlite::params;

use crate::clock::Timestamp;
use crate::domain::{Event, Label};

use super::history::JOURNAL;
use super::outbox::add_answer;
use super::state::unsigned;
use super::{Answer, Reader, Store, StoreError};

/// Facts of a kind that are read to show some of them.
const SAMPLES_MAX: u32 = 50;
/// Messages that are forgotten in one transaction.
const SLICE: i64 = 500;

impl Store {
    /// Puts a digest on its way, if there is one, and keeps when it was written and up to which fact, in one transaction.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_digest(
        &self,
        who: Label,
        now: Timestamp,
        last_fact: i64,
        digest: Option<Answer>,
    ) -> Result<(), StoreError> {
        let kept = self.write(move |transaction| {
            if let Some(answer) = &digest {
                add_answer(transaction, answer, now)?;
            }
            transaction.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('digest ' || ?1, ?2)",
                params![who.as_str(), format!("{} {last_fact}", now.ms())],
            )?;
            Ok(())
        });
        self.wake();
        kept
    }

    /// Forgets messages, tries, buttons and updates that were settled before then, but for what the latest stories still point at. Slice by
    /// slice, so that nobody waits for it.
    ///
    /// # Errors
    /// When the disk refuses; what was forgotten by then stays so.
    pub fn forget_messages(&self, before: Timestamp) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        loop {
            let gone = self.write(move |transaction| {
                let ids: Vec<i64> = transaction
                    .prepare_cached(
                        "SELECT id FROM outbox WHERE settled_ms < ?1 AND state IN ('sent', 'skipped', 'dead')
                           AND (episode IS NULL OR episode NOT IN (SELECT episode FROM stories WHERE open)) LIMIT ?2",
                    )?
                    .query_map([before.ms(), SLICE], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                let mut attempts = transaction.prepare_cached("DELETE FROM attempts WHERE delivery = ?1")?;
                let mut row = transaction.prepare_cached("DELETE FROM outbox WHERE id = ?1")?;
                for id in &ids {
                    attempts.execute([id])?;
                    row.execute([id])?;
                }
                Ok(ids.len())
            })?;
            forgotten += gone;
            if gone < SLICE as usize {
                break;
            }
        }
        self.write(move |transaction| {
            transaction.execute("DELETE FROM buttons WHERE made_ms < ?1", [before.ms()])?;
            transaction.execute("DELETE FROM inbox WHERE state = 'answered' AND received_ms < ?1", [before.ms()])?;
            transaction.execute("DELETE FROM mutes WHERE until_ms < ?1", [before.ms()])?;
            Ok(())
        })?;
        Ok(forgotten)
    }
}

impl Reader {
    /// When somebody's digest was written last, and up to which fact; none if there was none yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn digest_place(&self, who: Label) -> Result<Option<(Timestamp, i64)>, StoreError> {
        let kept = self.meta(&format!("digest {who}"))?;
        Ok(kept.and_then(|text| {
            let (at, fact) = text.split_once(' ')?;
            Some((Timestamp::from_ms(at.parse().ok()?), fact.parse().ok()?))
        }))
    }

    /// How many facts of a kind came after one and up to another, of these books where some are named, and the last of them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn facts_of(
        &self,
        kind: &str,
        (after, until): (i64, i64),
        books: Option<&[Label]>,
    ) -> Result<(u64, Vec<Event>), StoreError> {
        let books = books.map(|books| books.iter().map(Label::as_str).collect::<Vec<_>>());
        let books = books.map(|books| serde_json::to_string(&books)).transpose()?;
        let which = "j.seq > ?1 AND j.seq <= ?4 AND j.kind = ?2 AND (?3 IS NULL OR j.book IS NULL OR j.book IN (SELECT value FROM json_each(?3)))";
        let count = self.connection().query_row(
            &format!("SELECT count(*) FROM journal j WHERE {which}"),
            params![after, kind, books, until],
            |row| unsigned(row, 0),
        )?;
        let sql = format!("{JOURNAL} WHERE {which} ORDER BY j.seq DESC LIMIT {SAMPLES_MAX}");
        let rows = self.journal(&sql, params![after, kind, books, until])?;
        Ok((count, rows.into_iter().map(|row| row.event).collect()))
    }
}
