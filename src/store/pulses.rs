//! When was each part last well? What leaves no other trace in the database says so here.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::Lane;

use super::state::time;
use super::{Reader, Store, StoreError};

/// How a part was when it was looked at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// Which.
    pub part: String,
    /// When it was looked at.
    pub seen: Timestamp,
    /// When it was last well, if it ever was.
    pub well: Option<Timestamp>,
    /// What is wrong with it.
    pub ill: Option<String>,
}

/// How another machine's clock differed from ours when it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    /// The lane that it answered on.
    pub lane: String,
    /// When.
    pub at: Timestamp,
    /// How far it was ahead, in milliseconds.
    pub ms: i64,
}

/// A fact of the journal that tells of work beside the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chore {
    /// When it was noted, on the wall clock.
    pub at: Timestamp,
    /// How loud it is.
    pub severity: String,
}

/// The name that a lane's pulse has.
pub(super) fn lane_part(lane: &str) -> String {
    format!("lane {lane}")
}

/// A part was well at `now`.
pub(super) fn beat(transaction: &Transaction<'_>, part: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO pulses (part, seen_ms, well_ms, ill) VALUES (?1, ?2, ?2, NULL)";
    transaction.prepare_cached(sql)?.execute(params![part, now.ms()])?;
    Ok(())
}

impl Store {
    /// Notes how parts are: each with what is wrong with it, if anything is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_pulses(&self, parts: Vec<(String, Option<String>)>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            for (part, ill) in &parts {
                match ill {
                    None => beat(transaction, part, now)?,
                    Some(ill) => {
                        transaction
                            .prepare_cached(
                                "INSERT INTO pulses (part, seen_ms, well_ms, ill) VALUES (?1, ?2, NULL, ?3)
                                 ON CONFLICT (part) DO UPDATE SET seen_ms = excluded.seen_ms, ill = excluded.ill",
                            )?
                            .execute(params![part, now.ms(), ill])?;
                    }
                }
            }
            Ok(())
        })
    }

    /// Forgets how parts were that leave no other trace: a start looks at what it has.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_pulses(&self) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM pulses WHERE part NOT LIKE 'lane %'", [])?;
            Ok(())
        })
    }
}

impl Reader {
    /// How each part was when it was looked at last; those of lanes tell when something was last taken.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pulses(&self) -> Result<Vec<Pulse>, StoreError> {
        let sql = "SELECT part, seen_ms, well_ms, ill FROM pulses ORDER BY part";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let well = row.get::<_, Option<i64>>(2)?.map(Timestamp::from_ms);
            Ok(Pulse { part: row.get(0)?, seen: time(row, 1)?, well, ill: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When a lane's channel last took something.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_taken(&self, lane: Lane) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT well_ms FROM pulses WHERE part = ?1")?;
        let found =
            statement.query_row([lane_part(&lane.to_string())], |row| row.get::<_, Option<i64>>(0)).optional()?;
        Ok(found.flatten().map(Timestamp::from_ms))
    }

    /// The illnesses that were told and not their ends: which part, and when it was told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_illnesses(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT substr(s.key, 8), j.wall_ms FROM stories s JOIN journal j ON j.seq = s.episode
             WHERE s.open AND s.key LIKE 'health %' ORDER BY 1",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the last cycle was committed, on the wall clock; none if none was, or by a version that did not note it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_commit(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = self.connection().query_row("SELECT wall_ms FROM progress", [], |row| row.get::<_, i64>(0));
        Ok(row.optional()?.filter(|ms| *ms > 0).map(Timestamp::from_ms))
    }

    /// The newest fact of a kind of work beside the engine: `backup_made`, `backup_failed` or `day_audited`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_chore(&self, kind: &str) -> Result<Option<Chore>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT wall_ms, severity FROM journal
             WHERE kind IN ('backup_made', 'backup_failed', 'day_audited') AND kind = ?1 ORDER BY seq DESC LIMIT 1",
        )?;
        let row = statement.query_row([kind], |row| Ok(Chore { at: time(row, 0)?, severity: row.get(1)? }));
        Ok(row.optional()?)
    }

    /// What a channel that tells the time said last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn last_skew(&self) -> Result<Option<Skew>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT o.lane, a.begun_ms, a.skew_ms FROM attempts a JOIN outbox o ON o.id = a.delivery
             WHERE a.skew_ms IS NOT NULL ORDER BY a.begun_ms DESC LIMIT 1",
        )?;
        let row = statement.query_row([], |row| Ok(Skew { lane: row.get(0)?, at: time(row, 1)?, ms: row.get(2)? }));
        Ok(row.optional()?)
    }
}
