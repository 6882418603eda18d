//! What may a lane send now? Its rows, with everything that is needed to put them into words.

use rusqlite::{OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::domain::{
    ALWAYS_BY_SMS, Attachment, AttachmentKind, ChannelKind, Event, EventKind, Lane, Message, NoticeId, Severity,
};

use super::delivery::{TOO_OLD, priority_of};
use super::history::{DURESS, JOURNAL, JournalRow, NOT_DURESS};
use super::state::{time, unsigned};
use super::{Delivery, Due, Manner, Reader, StoreError, Task};

/// The latest facts that a story is told by.
const STORY_FACTS_MAX: u32 = 99;

fn rows_of(index: &str) -> String {
    format!(
        "SELECT o.id, o.notice, o.task, o.attempts, o.repeated, o.held, o.unless_acked, o.episode, o.parts, o.digest,
           o.created_ms, o.body, o.file, o.alone, j.market_ms, j.book, j.body AS fact, o.due_ms, o.reply_to, o.edit_of,
           o.verdict, o.priority, o.told_in
         FROM outbox o INDEXED BY {index} LEFT JOIN notices n ON n.number = o.notice LEFT JOIN journal j ON j.seq = n.seq
         WHERE o.lane = ?1 AND o.state = 'pending' AND o.priority >= ?4"
    )
}

fn task(row: &Row<'_>) -> rusqlite::Result<Task> {
    let broken = |error: &serde_json::Error| Task::Broken(format!("its row cannot be read: {error}"));
    let task: String = row.get(2)?;
    if task == "answer" {
        let body: String = row.get(11)?;
        let mut message: Message = match serde_json::from_str(&body) {
            Ok(message) => message,
            Err(error) => return Ok(broken(&error)),
        };
        if let Some(name) = row.get::<_, Option<String>>(12)? {
            let is_picture = name.rsplit('.').next().is_some_and(|end| end.eq_ignore_ascii_case("png"));
            let kind = if is_picture { AttachmentKind::Picture } else { AttachmentKind::Document };
            // What is in it is read when it goes.
            message.file = Some(Attachment { kind, name, bytes: Vec::new() });
        }
        return Ok(Task::Answer(message));
    }
    if task == "seen" {
        let body: String = row.get(11)?;
        return Ok(serde_json::from_str(&body).map_or_else(|error| broken(&error), Task::Seen));
    }
    let Some(body) = row.get::<_, Option<String>>(16)? else {
        return Ok(Task::Broken("the fact that it tells is gone".to_owned()));
    };
    let kind: EventKind = match serde_json::from_str(&body) {
        Ok(kind) => kind,
        Err(error) => return Ok(broken(&error)),
    };
    let book: Option<String> = row.get(15)?;
    let event = Event { at: time(row, 14)?, book: book.and_then(|book| book.parse().ok()), kind };
    Ok(if task == "edit" { Task::Edit(event) } else { Task::Notice(event) })
}

fn is_drill(task: &Task) -> bool {
    matches!(task, Task::Notice(event) if matches!(event.kind, EventKind::DrillSent { .. }))
}

/// What a short message tells by itself, because it has to come at once.
fn is_urgent(task: &Task, lane: Lane) -> bool {
    lane.channel == ChannelKind::Sms
        && matches!(task, Task::Notice(event) if ALWAYS_BY_SMS.contains(&event.kind.name()))
}

fn delivery(row: &Row<'_>, lane: Lane) -> rusqlite::Result<Delivery> {
    let task = task(row)?;
    // A test message shows how one arrives.
    let is_alone = row.get(13)? || is_drill(&task) || is_urgent(&task, lane);
    Ok(Delivery {
        id: row.get(0)?,
        notice: NoticeId(unsigned(row, 1)?),
        task,
        attempts: row.get(3)?,
        repeated: row.get(4)?,
        held: row.get(5)?,
        manner: if is_alone { Manner::Alone } else { Manner::Any },
        unless_acked: row.get(6)?,
        episode: row.get(7)?,
        parts: row.get(8)?,
        digest: row.get(9)?,
        created: time(row, 10)?,
        due: time(row, 17)?,
        reply_to: row.get(18)?,
        edit_of: row.get(19)?,
        verdict: row.get(20)?,
        told_in: row.get::<_, Option<i64>>(22)?.map(|notice| NoticeId(notice.unsigned_abs())),
    })
}

impl Reader {
    /// What a lane may send now, the loudest and then the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn due(&self, lane: Lane, which: Due, now: Timestamp, rows_max: u32) -> Result<Vec<Delivery>, StoreError> {
        let least = match which {
            Due::Everything => 0,
            // Not only what is critical must not wait for a storm there.
            Due::Loud if lane.channel == ChannelKind::Sms => 0,
            Due::Loud => super::outbox::PRIORITY_ANSWER,
        };
        // Two walks along two indexes, so that nobody steps over the thousands that a night has held.
        let sql = format!(
            "{} AND o.held = 0 AND (o.due_ms <= ?2 OR o.repeated) UNION ALL {} AND o.held = 1 AND o.due_ms <= ?2
             ORDER BY 22 DESC, 1 LIMIT ?3",
            rows_of("outbox_open"),
            rows_of("outbox_held")
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows =
            statement.query_map(params![lane.to_string(), now.ms(), rows_max, least], |row| delivery(row, lane))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a lane could not send since `before`, as loud as this, but for what not everybody may learn of: the first notice of it, and how
    /// many there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn too_old(
        &self,
        lane: Lane,
        severity: Severity,
        before: Timestamp,
    ) -> Result<Option<(NoticeId, u64)>, StoreError> {
        let sql = format!("SELECT min(notice), count(*) FROM outbox WHERE {TOO_OLD} AND {NOT_DURESS}");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let (first, count) = statement
            .query_row(params![lane.to_string(), priority_of(severity), before.ms()], |row| {
                Ok((row.get::<_, Option<i64>>(0)?, unsigned(row, 1)?))
            })?;
        Ok(first.map(|first| (NoticeId(first.unsigned_abs()), count)))
    }

    /// The same of what only some may learn of.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn too_old_duress(
        &self,
        lane: Lane,
        severity: Severity,
        before: Timestamp,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql =
            format!("{JOURNAL} WHERE j.kind IN {DURESS} AND n.number IN (SELECT notice FROM outbox WHERE {TOO_OLD})");
        self.journal(&sql, params![lane.to_string(), priority_of(severity), before.ms()])
    }

    /// The last critical notice that a lane was told after an answer was written.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn overtook(&self, answer: i64, lane: Lane) -> Result<Option<NoticeId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT notice FROM outbox INDEXED BY outbox_critical
             WHERE priority = 4 AND task = 'notice' AND id > ?1 AND lane = ?2 AND state IN ('sent', 'sending')
             ORDER BY id DESC LIMIT 1",
        )?;
        let notice = statement.query_row(params![answer, lane.to_string()], |row| row.get::<_, i64>(0)).optional()?;
        Ok(notice.map(|notice| NoticeId(notice.unsigned_abs())))
    }

    /// What is in the file of an answer.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn file_of(&self, delivery: i64) -> Result<Vec<u8>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT bytes FROM outbox WHERE id = ?1")?;
        Ok(statement.query_row([delivery], |row| row.get::<_, Option<Vec<u8>>>(0))?.unwrap_or_default())
    }

    /// When something of a lane is due next that is not due now.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn next_due(&self, lane: Lane, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT min(due_ms) FROM outbox WHERE lane = ?1 AND state = 'pending' AND due_ms > ?2")?;
        let due: Option<i64> = statement.query_row(params![lane.to_string(), now.ms()], |row| row.get(0))?;
        Ok(due.map(Timestamp::from_ms))
    }

    /// The facts of a story, in order: how it began, and the latest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn story(&self, episode: i64) -> Result<Vec<JournalRow>, StoreError> {
        // An episode is named after its first fact.
        self.journal(
            &format!(
                "{JOURNAL} WHERE j.episode = ?1 AND (j.seq = ?1 OR j.seq IN
                   (SELECT seq FROM journal WHERE episode = ?1 ORDER BY seq DESC LIMIT {STORY_FACTS_MAX}))
                 ORDER BY j.seq"
            ),
            [episode],
        )
    }

    /// The message on a lane that a story's later parts belong to: its notice, and what the channel calls it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn root_of(&self, episode: i64, lane: Lane) -> Result<Option<(NoticeId, String)>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT notice, remote FROM outbox WHERE episode = ?1 AND lane = ?2 AND task = 'notice' AND remote IS NOT NULL
             ORDER BY id LIMIT 1",
        )?;
        let mut rows = statement.query_map(params![episode, lane.to_string()], |row| {
            Ok((NoticeId(unsigned(row, 0)?), row.get::<_, String>(1)?))
        })?;
        Ok(rows.next().transpose()?)
    }

    /// What a channel calls the message that told a notice on a lane.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn remote_of(&self, notice: NoticeId, lane: Lane) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT remote FROM outbox WHERE notice = ?1 AND lane = ?2 AND task = 'notice' AND remote IS NOT NULL ORDER BY id LIMIT 1",
        )?;
        let mut rows = statement.query_map(params![notice.0 as i64, lane.to_string()], |row| row.get(0))?;
        Ok(rows.next().transpose()?)
    }

    /// The notice that a lane told within a while in the same words, if it did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn told_before(&self, lane: Lane, digest: &str, since: Timestamp) -> Result<Option<NoticeId>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT notice FROM outbox WHERE lane = ?1 AND digest = ?2 AND (state = 'sending' OR state = 'sent' AND settled_ms >= ?3)
             ORDER BY id DESC LIMIT 1",
        )?;
        let mut rows = statement
            .query_map(params![lane.to_string(), digest, since.ms()], |row| Ok(NoticeId(unsigned(row, 0)?)))?;
        Ok(rows.next().transpose()?)
    }

    /// The stories that have begun and not ended, by their keys.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_stories(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT key FROM stories WHERE open ORDER BY key")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
