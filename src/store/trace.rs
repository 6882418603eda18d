//! What became of a message? Each row, each try, and what was not told as such.

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::domain::{ChannelKind, Event, Lane, NoticeId};

use super::history::{JOURNAL, NOT_DURESS};
use super::state::{time, unsigned};
use super::{JournalRow, Reader, StoreError};

/// A row of the outbox with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// The row.
    pub id: i64,
    /// The lane.
    pub lane: String,
    /// `notice`, `answer`, `edit` or `seen`.
    pub task: String,
    /// `pending`, `sending`, `sent`, `skipped` or `dead`.
    pub state: String,
    /// The verdict of a filter, or why it failed.
    pub verdict: Option<String>,
    /// True if it may have arrived twice.
    pub repeated: bool,
    /// True if it was put off as its reader wished.
    pub held: bool,
    /// True if it is sent only if nobody acknowledges the notice.
    pub unless_acked: bool,
    /// What the channel calls the message.
    pub remote: Option<String>,
    /// When it was committed.
    pub created: Timestamp,
    /// From when on it may be sent.
    pub due: Timestamp,
    /// When it was settled.
    pub settled: Option<Timestamp>,
    /// What the service says became of a short message that it took.
    pub service: Option<String>,
    /// Its tries.
    pub attempts: Vec<AttemptRow>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// Counted from 1.
    pub attempt: u32,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// `sending`, `accepted`, `failed`, `unknown` or `rejected`.
    pub outcome: String,
    /// What the channel said.
    pub detail: Option<String>,
    /// How far the channel's clock was ahead, in milliseconds.
    pub skew_ms: Option<i64>,
}

/// A notice that somebody was not told by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedRow {
    /// Its number.
    pub notice: NoticeId,
    /// What happened.
    pub event: Event,
    /// What became of it.
    pub state: String,
    /// Why.
    pub verdict: Option<String>,
}

/// How much of a kind reached somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoiseRow {
    /// The kind.
    pub kind: String,
    /// Messages of it.
    pub told: u64,
    /// Held back.
    pub suppressed: u64,
    /// Acknowledged by somebody.
    pub acked: u64,
}

/// How long tries took on a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatencyRow {
    /// The lane.
    pub lane: String,
    /// From commit to the channel's receipt, in milliseconds, of each message of one try, shortest first.
    pub ms: Vec<i64>,
}

/// A pattern for the lanes of somebody.
fn lanes_of(person: &str, channel: Option<ChannelKind>) -> String {
    format!("{}:{}", person.replace('_', "\\_"), channel.map_or("%", |channel| channel.as_str()))
}

impl Reader {
    /// The fact that a notice tells.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn notice(&self, notice: NoticeId) -> Result<Option<JournalRow>, StoreError> {
        let sql = format!("{JOURNAL} WHERE n.number = ?1");
        Ok(self.journal(&sql, params![notice.0 as i64])?.into_iter().next())
    }

    /// Every row of a notice, with its tries.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn trace(&self, notice: NoticeId) -> Result<Vec<TraceRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT id, lane, task, state, verdict, repeated, unless_acked, remote, created_ms, due_ms, settled_ms, held
             FROM outbox WHERE notice = ?1 ORDER BY id LIMIT 200",
        )?;
        let rows = statement.query_map([notice.0 as i64], |row| {
            Ok(TraceRow {
                id: row.get(0)?,
                lane: row.get(1)?,
                task: row.get(2)?,
                state: row.get(3)?,
                verdict: row.get(4)?,
                repeated: row.get(5)?,
                unless_acked: row.get(6)?,
                remote: row.get(7)?,
                created: time(row, 8)?,
                due: time(row, 9)?,
                settled: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_ms),
                held: row.get(11)?,
                service: None,
                attempts: Vec::new(),
            })
        })?;
        let mut found = rows.collect::<Result<Vec<_>, _>>()?;
        for row in &mut found {
            row.attempts = self.attempts(row.id)?;
            row.service = self.sms_state(row.id)?;
        }
        Ok(found)
    }

    fn attempts(&self, delivery: i64) -> Result<Vec<AttemptRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT attempt, begun_ms, ended_ms, outcome, detail, skew_ms FROM attempts WHERE delivery = ?1 ORDER BY attempt",
        )?;
        let rows = statement.query_map([delivery], |row| {
            Ok(AttemptRow {
                attempt: row.get(0)?,
                begun: time(row, 1)?,
                ended: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_ms),
                outcome: row.get(3)?,
                detail: row.get(4)?,
                skew_ms: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The last notices that did not reach somebody by themselves on this channel, or on any where none is named: held back, told within another message, given up, or
    /// waiting. The newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn missed(
        &self,
        person: &str,
        channel: Option<ChannelKind>,
        rows_max: u32,
    ) -> Result<Vec<MissedRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT o.notice, o.state, o.verdict, j.market_ms, j.book, j.body
             FROM outbox o JOIN notices n ON n.number = o.notice JOIN journal j ON j.seq = n.seq
             WHERE o.task = 'notice' AND o.lane LIKE ?1 ESCAPE '\\' AND (o.state != 'sent' OR o.told_in IS NOT NULL)
               AND NOT EXISTS (SELECT 1 FROM outbox t WHERE t.notice = o.notice AND t.task = 'notice'
                 AND t.lane LIKE ?1 ESCAPE '\\' AND t.state = 'sent' AND t.told_in IS NULL)
             GROUP BY o.notice ORDER BY n.seq DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![lanes_of(person, channel), rows_max], |row| {
            let (book, body): (Option<String>, String) = (row.get(4)?, row.get(5)?);
            Ok((NoticeId(unsigned(row, 0)?), row.get(1)?, row.get(2)?, time(row, 3)?, book, body))
        })?;
        let mut missed = Vec::new();
        for row in rows {
            let (notice, state, verdict, at, book, body) = row?;
            let kind = serde_json::from_str(&body)?;
            let event = Event { at, book: book.and_then(|book| book.parse().ok()), kind };
            missed.push(MissedRow { notice, event, state, verdict });
        }
        Ok(missed)
    }

    /// How much of each kind reached somebody since then on this channel, or on all where none is named, the most first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn noise(
        &self,
        person: &str,
        channel: Option<ChannelKind>,
        since: Timestamp,
    ) -> Result<Vec<NoiseRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT j.kind, sum(o.state = 'sent' AND (o.told_in IS NULL OR o.told_in = o.notice)),
               sum(o.state = 'skipped' OR (o.state = 'sent' AND o.told_in IS NOT NULL AND o.told_in != o.notice)),
               count(DISTINCT a.notice)
             FROM outbox o JOIN notices n ON n.number = o.notice JOIN journal j ON j.seq = n.seq
               LEFT JOIN acks a ON a.notice = o.notice
             WHERE o.task = 'notice' AND o.lane LIKE ?1 ESCAPE '\\' AND o.created_ms >= ?2
             GROUP BY j.kind ORDER BY 2 DESC, 1",
        )?;
        let rows = statement.query_map(params![lanes_of(person, channel), since.ms()], |row| {
            Ok(NoiseRow {
                kind: row.get(0)?,
                told: unsigned(row, 1)?,
                suppressed: unsigned(row, 2)?,
                acked: unsigned(row, 3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// From commit to receipt on each lane, of messages that went at the first try since then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn latencies(&self, since: Timestamp) -> Result<Vec<LatencyRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT o.lane, a.ended_ms - o.created_ms FROM attempts a JOIN outbox o ON o.id = a.delivery
             WHERE a.attempt = 1 AND a.outcome = 'accepted' AND a.begun_ms >= ?1 AND NOT o.held AND NOT o.unless_acked
             ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([since.ms()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        let mut lanes: Vec<LatencyRow> = Vec::new();
        for row in rows {
            let (lane, ms) = row?;
            match lanes.last_mut().filter(|known| known.lane == lane) {
                Some(known) => known.ms.push(ms),
                None => lanes.push(LatencyRow { lane, ms: vec![ms] }),
            }
        }
        Ok(lanes)
    }

    /// Whether a fact of this kind that was committed since then goes to a lane by itself and at once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_told_at_once(&self, lane: Lane, kind: &str, since: Timestamp) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT 1 FROM outbox o JOIN notices n ON n.number = o.notice JOIN journal j ON j.seq = n.seq
             WHERE o.lane = ?1 AND o.task = 'notice' AND o.created_ms >= ?2 AND j.kind = ?3
               AND o.state IN ('pending', 'sending', 'sent') AND NOT o.held AND NOT o.unless_acked",
        )?;
        Ok(statement.exists(params![lane.to_string(), since.ms(), kind])?)
    }

    /// Whether a loud fact of this kind was committed since then.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_happened(&self, kind: &str, since: Timestamp) -> Result<bool, StoreError> {
        // Loud facts have an index of their own, which is found by these words.
        let sql = "SELECT 1 FROM journal WHERE severity IN ('warning', 'critical') AND kind = ?1 AND wall_ms >= ?2";
        Ok(self.connection().prepare_cached(sql)?.exists(params![kind, since.ms()])?)
    }

    /// The commit time of the oldest row of each lane that waits and could go now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn oldest_waiting(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT lane, min(max(created_ms, due_ms)) FROM outbox WHERE state IN ('pending', 'sending') AND due_ms <= ?1
               AND {NOT_DURESS} GROUP BY lane ORDER BY lane"
        ))?;
        let rows = statement.query_map([now.ms()], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The notice told most recently to somebody that wants to be acknowledged and was not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unacknowledged(&self, person: &str) -> Result<Option<NoticeId>, StoreError> {
        Ok(self.all_unacknowledged(person, 1)?.pop())
    }

    /// The same of what was told on one lane.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn unacknowledged_on(&self, lane: Lane) -> Result<Option<NoticeId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT o.notice FROM outbox o WHERE o.task = 'notice' AND o.priority = 4 AND o.state = 'sent' AND o.lane = ?1
               AND NOT EXISTS (SELECT 1 FROM acks a WHERE a.notice = o.notice) ORDER BY o.id DESC LIMIT 1",
        )?;
        let found = statement.query_row([lane.to_string()], |row| unsigned(row, 0).map(NoticeId));
        Ok(found.optional()?)
    }

    /// The critical messages that this person got and nobody has acknowledged, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn all_unacknowledged(&self, person: &str, rows_max: u32) -> Result<Vec<NoticeId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT o.notice FROM outbox o WHERE o.task = 'notice' AND o.priority = 4 AND o.state = 'sent'
               AND o.lane LIKE ?1 || ':%' ESCAPE '\\' AND NOT EXISTS (SELECT 1 FROM acks a WHERE a.notice = o.notice)
             GROUP BY o.notice ORDER BY max(o.id) DESC LIMIT ?2",
        )?;
        let person = person.replace('_', "\\_");
        let rows = statement.query_map(params![person, rows_max], |row| unsigned(row, 0).map(NoticeId))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
