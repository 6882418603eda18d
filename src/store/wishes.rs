//! What does somebody want to be told, and what have they seen? Mutes, wishes, acknowledgements, and what buttons stand for.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::domain::{Lane, NoticeId, Treatment};

use super::state::time;
use super::{Reader, StoreError};

/// What somebody said about kinds of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Kinds that are muted, and until when.
    pub mutes: Vec<(String, Timestamp)>,
    /// Kinds and how they are to be told.
    pub treatments: Vec<(String, Treatment)>,
}

/// Who has seen a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Who.
    pub person: String,
    /// On which channel.
    pub channel: String,
    /// When, on the wall clock.
    pub at: Timestamp,
}

impl Reader {
    /// What somebody wants now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn wishes(&self, person: &str, now: Timestamp) -> Result<Wishes, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT kind, until_ms FROM mutes WHERE person = ?1 AND until_ms > ?2 ORDER BY kind")?;
        let mutes = statement
            .query_map(params![person, now.ms()], |row| Ok((row.get(0)?, time(row, 1)?)))?
            .collect::<Result<_, _>>()?;
        let mut statement =
            self.connection().prepare_cached("SELECT kind, treatment FROM wishes WHERE person = ?1 ORDER BY kind")?;
        let rows = statement.query_map([person], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut treatments = Vec::new();
        for row in rows {
            let (kind, treatment) = row?;
            let treatment = treatment.parse().map_err(|why| StoreError::Unreadable { what: "wish", why })?;
            treatments.push((kind, treatment));
        }
        Ok(Wishes { mutes, treatments })
    }

    /// Who has seen a notice first, if anybody has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ack(&self, notice: NoticeId) -> Result<Option<Ack>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT person, channel, at_ms FROM acks WHERE notice = ?1")?;
        let row = statement.query_row([notice.0 as i64], |row| {
            Ok(Ack { person: row.get(0)?, channel: row.get(1)?, at: time(row, 2)? })
        });
        Ok(row.optional()?)
    }

    /// The line that a button stands for, if it was made for this lane.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn button(&self, token: &str, lane: Lane) -> Result<Option<String>, StoreError> {
        let mut statement =
            self.connection().prepare_cached("SELECT line FROM buttons WHERE token = ?1 AND lane = ?2")?;
        Ok(statement.query_row([token, &lane.to_string()], |row| row.get(0)).optional()?)
    }

    /// Where the answer stands that has a button with this line: its lane, and what the channel calls it. Looked for among the newest messages.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn answer_with(&self, line: &str) -> Result<Option<(Lane, String)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT lane, remote FROM outbox WHERE id > (SELECT max(id) FROM outbox) - 1000
             AND task = 'answer' AND remote IS NOT NULL AND instr(body, ?1) > 0 LIMIT 1",
        )?;
        let row =
            statement.query_row([serde_json::to_string(line)?], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)));
        Ok(row.optional()?.and_then(|(lane, remote)| Some((lane.parse().ok()?, remote))))
    }

    /// The notice that was told by a message of a lane, if it told one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notice_of(&self, lane: Lane, remote: &str) -> Result<Option<NoticeId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT notice FROM outbox WHERE lane = ?1 AND remote = ?2 AND task = 'notice' ORDER BY id LIMIT 1",
        )?;
        let row = statement.query_row([&lane.to_string(), remote], |row| super::state::unsigned(row, 0));
        Ok(row.optional()?.map(NoticeId))
    }
}
