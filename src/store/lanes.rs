//! Which ways to people are dead? Kept, so that a restart tells of none twice.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::domain::Lane;

use super::state::time;
use super::{Reader, Store, StoreError};

/// How a lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneState {
    /// Which.
    pub lane: String,
    /// True if nothing comes through, and others were told so.
    pub dead: bool,
    /// Since when it is like that.
    pub since: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// What it said last.
    pub why: String,
}

impl Store {
    /// Keeps how a lane is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_lane(&self, state: LaneState) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO lanes (lane, dead, since_ms, failures, why) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![state.lane, state.dead, state.since.ms(), state.failures, state.why],
            )?;
            Ok(())
        })
    }

    /// Keeps that a service asked not to be called on a lane for so long, in milliseconds, so that a restart keeps to it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_pause(&self, lane: Lane, wait_ms: i64, now: Timestamp) -> Result<(), StoreError> {
        self.keep_meta(&format!("pause {lane}"), format!("{} {wait_ms}", now.ms()))
    }
}

impl Reader {
    /// How long a service still asks not to be called on a lane, in milliseconds. Zero where the clock cannot tell, since it was set back.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pause_ms(&self, lane: Lane, now: Timestamp) -> Result<i64, StoreError> {
        let kept = self.meta(&format!("pause {lane}"))?;
        let pause = kept.as_deref().and_then(|text| text.split_once(' '));
        let asked =
            pause.and_then(|(at, wait)| Some((Timestamp::from_ms(at.parse().ok()?), wait.parse::<i64>().ok()?)));
        Ok(asked.filter(|(at, _)| *at <= now).map_or(0, |(at, wait_ms)| (wait_ms - now.since(at)).max(0)))
    }

    /// How a lane was when it was looked at last; none if it never failed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lane_state(&self, lane: Lane) -> Result<Option<LaneState>, StoreError> {
        let sql = "SELECT lane, dead, since_ms, failures, why FROM lanes WHERE lane = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row([lane.to_string()], state).optional()?)
    }

    /// How each lane is that ever failed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lane_states(&self) -> Result<Vec<LaneState>, StoreError> {
        let sql = "SELECT lane, dead, since_ms, failures, why FROM lanes ORDER BY lane";
        let mut statement = self.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], state)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn state(row: &rusqlite::Row<'_>) -> rusqlite::Result<LaneState> {
    Ok(LaneState {
        lane: row.get(0)?,
        dead: row.get(1)?,
        since: time(row, 2)?,
        failures: row.get(3)?,
        why: row.get(4)?,
    })
}
