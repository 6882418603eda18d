//! What is on its way on a lane? From the outbox to the channel's receipt, each try marked before it begins.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{Attachment, AttachmentKind, Event, EventKind, Lane, Message, NoticeId, Severity};

use super::state::{time, unsigned};
use super::totals::{count_try, count_unknown};
use super::{Reader, Store, StoreError};

/// A row that was made farther in the future than this can only come from a clock that was set back, and counts as due.
const CLOCK_SLACK_MS: i64 = 60_000;

/// What a delivery is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Tell a fact.
    Notice(Event),
    /// Give an answer, or anything else that tells no fact.
    Answer(Message),
    /// Show the message that told the notice as it stands now.
    Edit(Event),
}

/// A row of a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its row.
    pub id: i64,
    /// The notice's number; 0 for an answer.
    pub notice: NoticeId,
    /// What to do.
    pub task: Task,
    /// How often it was tried before.
    pub attempts: u32,
    /// True if an earlier attempt may have arrived: the message must say so.
    pub repeated: bool,
    /// True if it was put off as its reader wished.
    pub held: bool,
    /// True if it is sent only because nobody acknowledged the notice in time.
    pub unless_acked: bool,
    /// Where the story began that it belongs to.
    pub episode: Option<i64>,
    /// The message that it answers, as the channel calls it.
    pub reply_to: Option<String>,
    /// The message that it is the new text of, as the channel calls it.
    pub edit_of: Option<String>,
    /// Parts of the message that are there already.
    pub parts: u32,
    /// The hash of what it says.
    pub digest: Option<String>,
    /// When it was committed, on the wall clock.
    pub created: Timestamp,
    /// From when on it may be sent by itself. What may be a repeat can go with another message before.
    pub due: Timestamp,
}

impl Delivery {
    /// How loud it is; an answer is as loud as its reader's own question.
    pub fn severity(&self) -> Severity {
        match &self.task {
            Task::Notice(event) | Task::Edit(event) => event.kind.severity(),
            Task::Answer(_) => Severity::Notice,
        }
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The channel took it, under this name, and the clocks differed by so many milliseconds.
    Sent {
        /// What the channel calls the message.
        remote: Option<String>,
        /// How far the channel's clock is ahead, in milliseconds, where it tells.
        skew_ms: Option<i64>,
    },
    /// It will be tried again at this time, because; some parts of it are there.
    Later {
        /// When.
        due: Timestamp,
        /// Why.
        why: String,
        /// Parts that arrived.
        parts: u32,
        /// True if this try may have arrived after all.
        unknown: bool,
    },
    /// The message that it was to change is gone: it is told in a new one.
    Gone {
        /// What the channel called that message.
        remote: String,
    },
    /// It cannot be sent, because.
    Dead(String),
}

/// What is read of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Everything.
    Everything,
    /// What does not wait behind a storm: what is critical, answers, changes of messages.
    Loud,
}

/// A filter's verdict on a row that is not sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The row.
    pub id: i64,
    /// What holds it back.
    pub why: String,
    /// When it is looked at again; never where it is none.
    pub until: Option<Timestamp>,
}

/// One message that is about to be sent: the row that leads it, and those that it tells as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parcel {
    /// The row that is tried.
    pub leader: i64,
    /// The leader's notice.
    pub notice: NoticeId,
    /// The notice whose message is shown anew afterwards, and its story.
    pub refresh: Option<(NoticeId, i64)>,
    /// Rows that are told in the same message.
    pub members: Vec<i64>,
    /// Its buttons: tokens and the lines that they stand for.
    pub buttons: Vec<(String, String)>,
}

impl Store {
    /// Settles what was under way, records verdicts, and marks the next parcel as under way, in one transaction: what a crash leaves as
    /// `sending` is then at most one message a lane. False if a row of the parcel is not to be sent any more, such as when somebody has
    /// acknowledged it meanwhile; nothing is marked then.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn take_up(
        &self,
        lane: Lane,
        settled: Option<(Parcel, Settled)>,
        ruled: Vec<Ruled>,
        next: Option<Parcel>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let points = self.points().clone();
        self.write(move |transaction| {
            if let Some((parcel, outcome)) = settled {
                settle(transaction, &parcel, &outcome, now)?;
                points.pass("outbox: settled, next not taken")?;
            }
            for verdict in &ruled {
                rule(transaction, verdict, now)?;
            }
            let Some(parcel) = next else { return Ok(false) };
            points.pass("outbox: ruled, next not taken")?;
            let taken = mark(transaction, lane, &parcel, now)?;
            points.pass("outbox: taken")?;
            Ok(taken)
        })
    }

    /// After a restart: what was under way has an unknown fate and will be sent once more, marked; what was to be told in the same
    /// message goes with it again. How many messages.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn reclaim_unknown(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |transaction| {
            count_unknown(transaction)?;
            transaction.execute(
                "UPDATE attempts SET outcome = 'unknown', detail = 'the bot died meanwhile' WHERE outcome = 'sending'",
                [],
            )?;
            transaction.execute(
                "UPDATE outbox SET state = 'pending', told_in = NULL, repeated = 1 WHERE state = 'sending' AND told_in IS NOT NULL",
                [],
            )?;
            let edits = "UPDATE outbox SET state = 'pending', due_ms = 0 WHERE state = 'sending' AND task = 'edit'";
            transaction.execute(edits, [])?;
            let reclaimed = transaction
                .execute("UPDATE outbox SET state = 'pending', repeated = 1, due_ms = 0 WHERE state = 'sending'", [])?;
            withdraw_overtaken(transaction, None, now)?;
            Ok(reclaimed)
        })
    }

    /// Gives up what a lane could not send since `before`, up to this severity. The first notice of it, and how many there are.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn give_up(
        &self,
        lane: Lane,
        severity: Severity,
        before: Timestamp,
        why: &str,
        now: Timestamp,
    ) -> Result<Option<(NoticeId, u64)>, StoreError> {
        let (lane, why) = (lane.to_string(), why.to_owned());
        self.write(move |transaction| {
            let found = transaction.query_row(
                "SELECT min(notice), count(*) FROM outbox
                 WHERE lane = ?1 AND state = 'pending' AND task = 'notice' AND priority = ?2 AND max(created_ms, due_ms) < ?3",
                params![lane, priority_of(severity), before.ms()],
                |row| Ok((row.get::<_, Option<i64>>(0)?, unsigned(row, 1)?)),
            )?;
            let (Some(first), count) = found else { return Ok(None) };
            transaction.execute(
                "UPDATE outbox SET state = 'dead', verdict = ?4, settled_ms = ?5
                 WHERE lane = ?1 AND state = 'pending' AND task = 'notice' AND priority = ?2 AND max(created_ms, due_ms) < ?3",
                params![lane, priority_of(severity), before.ms(), why, now.ms()],
            )?;
            Ok(Some((NoticeId(first.unsigned_abs()), count)))
        })
    }
}

fn priority_of(severity: Severity) -> i64 {
    super::outbox::priority(severity)
}

fn settle(transaction: &Transaction<'_>, parcel: &Parcel, outcome: &Settled, now: Timestamp) -> Result<(), StoreError> {
    let mut leader = transaction.prepare_cached(
        "UPDATE outbox SET state = ?2, due_ms = max(due_ms, ?3), verdict = ?4, settled_ms = ?5, remote = coalesce(?6, remote),
           parts = ?7, repeated = repeated OR ?8 WHERE id = ?1",
    )?;
    let at = now.ms();
    let gone = "the message is gone".to_owned();
    let (word, detail, skew) = match outcome {
        Settled::Sent { remote, skew_ms } => {
            leader.execute(params![parcel.leader, "sent", 0, None::<String>, at, remote, 0, false])?;
            if let Some((notice, episode)) = parcel.refresh {
                let lane: String =
                    transaction
                        .query_row("SELECT lane FROM outbox WHERE id = ?1", [parcel.leader], |row| row.get(0))?;
                super::outbox::add_edit(transaction, notice.0 as i64, &lane, Some(episode), now)?;
            }
            ("accepted", None, *skew_ms)
        }
        Settled::Later { due, why, parts, unknown } => {
            // A try at once leaves the time from which the row counts as waiting.
            let due = if *due > now { due.ms() } else { 0 };
            leader.execute(params![parcel.leader, "pending", due, why, at, None::<String>, parts, unknown])?;
            (if *unknown { "unknown" } else { "failed" }, Some(why), None)
        }
        Settled::Gone { remote } => {
            leader.execute(params![parcel.leader, "pending", 0, gone, at, None::<String>, 0, false])?;
            forget_remote(transaction, parcel.leader, remote)?;
            ("failed", Some(&gone), None)
        }
        Settled::Dead(why) => {
            leader.execute(params![parcel.leader, "dead", 0, why, at, None::<String>, 0, false])?;
            ("rejected", Some(why), None)
        }
    };
    transaction
        .prepare_cached(
            "UPDATE attempts SET ended_ms = ?2, outcome = ?3, detail = ?4, skew_ms = ?5
             WHERE delivery = ?1 AND outcome = 'sending'",
        )?
        .execute(params![parcel.leader, at, word, detail, skew])?;
    count_try(transaction, parcel.leader, word, now)?;
    let members = match outcome {
        Settled::Sent { .. } => {
            "UPDATE outbox SET state = 'sent', settled_ms = ?2, verdict = 'told in N' || told_in WHERE id = ?1 AND NOT ?3"
        }
        // They are judged anew: what is told together then may be something else. What may have arrived says so then.
        Settled::Later { .. } | Settled::Gone { .. } | Settled::Dead(_) => {
            "UPDATE outbox SET state = 'pending', told_in = NULL, settled_ms = ?2, repeated = repeated OR ?3 WHERE id = ?1"
        }
    };
    let unknown = matches!(outcome, Settled::Later { unknown: true, .. });
    let mut member = transaction.prepare_cached(members)?;
    for id in &parcel.members {
        member.execute(params![id, at, unknown])?;
    }
    withdraw_overtaken(transaction, Some(parcel.leader), now)?;
    match outcome {
        Settled::Sent { .. } => show_ack(transaction, parcel.leader, now),
        Settled::Later { .. } | Settled::Gone { .. } | Settled::Dead(_) => Ok(()),
    }
}

/// Nothing more is sent that somebody's word, or the end of its story, has overtaken while it was under way: this row, or whatever waits.
fn withdraw_overtaken(transaction: &Transaction<'_>, row: Option<i64>, now: Timestamp) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE outbox SET state = 'skipped', settled_ms = ?1,
               verdict = coalesce((SELECT 'acknowledged by ' || person FROM acks WHERE acks.notice = outbox.notice), 'over before it was due')
             WHERE state = 'pending' AND task = 'notice' AND attempts > 0 AND id BETWEEN coalesce(?2, 0) AND coalesce(?2, 9e18) AND (
               EXISTS (SELECT 1 FROM acks WHERE acks.notice = outbox.notice
                 AND (unless_acked OR lane LIKE replace(acks.person, '_', '\\_') || ':%' ESCAPE '\\'))
               OR (unless_acked AND episode IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM stories WHERE stories.episode = outbox.episode AND open)))",
        )?
        .execute(params![now.ms(), row])?;
    Ok(())
}

/// A message that was under way when somebody acknowledged it says so as well.
fn show_ack(transaction: &Transaction<'_>, leader: i64, now: Timestamp) -> Result<(), StoreError> {
    let row = transaction
        .prepare_cached(
            "SELECT o.notice, o.lane FROM outbox o JOIN acks a ON a.notice = o.notice
             JOIN attempts t ON t.delivery = o.id AND t.attempt = o.attempts
             WHERE o.id = ?1 AND o.task = 'notice' AND a.at_ms >= t.begun_ms",
        )?
        .query_row([leader], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    row.map_or(Ok(()), |(notice, lane)| super::outbox::add_edit(transaction, notice, &lane, None, now))
}

/// A message that is gone can be neither changed nor answered any more.
fn forget_remote(transaction: &Transaction<'_>, leader: i64, remote: &str) -> Result<(), StoreError> {
    transaction.execute("UPDATE outbox SET edit_of = NULL WHERE id = ?1", [leader])?;
    transaction.execute(
        "UPDATE outbox SET remote = NULL WHERE remote = ?2 AND lane = (SELECT lane FROM outbox WHERE id = ?1)",
        params![leader, remote],
    )?;
    Ok(())
}

fn rule(transaction: &Transaction<'_>, verdict: &Ruled, now: Timestamp) -> Result<(), StoreError> {
    match verdict.until {
        Some(until) => transaction
            .prepare_cached("UPDATE outbox SET due_ms = ?2, held = 1, verdict = ?3 WHERE id = ?1 AND state = 'pending'")?
            .execute(params![verdict.id, until.ms(), verdict.why])?,
        None => transaction
            .prepare_cached(
                "UPDATE outbox SET state = 'skipped', verdict = ?2, settled_ms = ?3 WHERE id = ?1 AND state = 'pending'",
            )?
            .execute(params![verdict.id, verdict.why, now.ms()])?,
    };
    Ok(())
}

/// Marks a parcel as under way, if each row of it still waits.
fn mark(transaction: &Transaction<'_>, lane: Lane, parcel: &Parcel, now: Timestamp) -> Result<bool, StoreError> {
    let mut waits = transaction.prepare_cached("SELECT 1 FROM outbox WHERE id = ?1 AND state = 'pending'")?;
    for id in std::iter::once(&parcel.leader).chain(&parcel.members) {
        if !waits.exists([id])? {
            return Ok(false);
        }
    }
    transaction
        .prepare_cached("UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?1")?
        .execute([parcel.leader])?;
    transaction
        .prepare_cached(
            "INSERT INTO attempts (delivery, attempt, begun_ms, outcome)
             SELECT id, attempts, ?2, 'sending' FROM outbox WHERE id = ?1",
        )?
        .execute(params![parcel.leader, now.ms()])?;
    let mut member = transaction.prepare_cached("UPDATE outbox SET state = 'sending', told_in = ?2 WHERE id = ?1")?;
    for id in &parcel.members {
        member.execute(params![id, parcel.notice.0 as i64])?;
    }
    let mut button = transaction
        .prepare_cached("INSERT OR REPLACE INTO buttons (token, lane, line, made_ms) VALUES (?1, ?2, ?3, ?4)")?;
    for (token, line) in &parcel.buttons {
        button.execute(params![token, lane.to_string(), line, now.ms()])?;
    }
    Ok(true)
}

const ROWS: &str =
    "SELECT o.id, o.notice, o.task, o.attempts, o.repeated, o.held, o.unless_acked, o.episode, o.parts, o.digest,
    o.created_ms, o.body, o.file, o.bytes, j.market_ms, j.book, j.body AS fact, o.due_ms, o.reply_to, o.edit_of
  FROM outbox o LEFT JOIN notices n ON n.number = o.notice LEFT JOIN journal j ON j.seq = n.seq";

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let broken = |error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(11, Type::Text, Box::new(error));
    let task: String = row.get(2)?;
    let task = if task == "answer" {
        let body: String = row.get(11)?;
        let mut message: Message = serde_json::from_str(&body).map_err(broken)?;
        if let (Some(name), Some(bytes)) = (row.get::<_, Option<String>>(12)?, row.get::<_, Option<Vec<u8>>>(13)?) {
            let is_picture = name.rsplit('.').next().is_some_and(|end| end.eq_ignore_ascii_case("png"));
            let kind = if is_picture { AttachmentKind::Picture } else { AttachmentKind::Document };
            message.file = Some(Attachment { kind, name, bytes });
        }
        Task::Answer(message)
    } else {
        let body: String = row.get(16)?;
        let kind: EventKind = serde_json::from_str(&body).map_err(broken)?;
        let book: Option<String> = row.get(15)?;
        let event = Event { at: time(row, 14)?, book: book.and_then(|book| book.parse().ok()), kind };
        if task == "edit" { Task::Edit(event) } else { Task::Notice(event) }
    };
    Ok(Delivery {
        id: row.get(0)?,
        notice: NoticeId(unsigned(row, 1)?),
        task,
        attempts: row.get(3)?,
        repeated: row.get(4)?,
        held: row.get(5)?,
        unless_acked: row.get(6)?,
        episode: row.get(7)?,
        parts: row.get(8)?,
        digest: row.get(9)?,
        created: time(row, 10)?,
        due: time(row, 17)?,
        reply_to: row.get(18)?,
        edit_of: row.get(19)?,
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
            Due::Loud => super::outbox::PRIORITY_ANSWER,
        };
        let sql = format!(
            "{ROWS} WHERE o.lane = ?1 AND o.state = 'pending' AND o.priority >= ?4 AND (o.due_ms <= ?2 OR (o.repeated AND NOT o.held) OR (o.created_ms > ?2 + {CLOCK_SLACK_MS} AND NOT o.held))
             ORDER BY o.priority DESC, o.id LIMIT ?3"
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![lane.to_string(), now.ms(), rows_max, least], delivery)?;
        Ok(rows.collect::<Result<_, _>>()?)
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

    /// Every fact of a story, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn story(&self, episode: i64) -> Result<Vec<Event>, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT market_ms, book, body FROM journal WHERE episode = ?1 ORDER BY seq LIMIT 100")?;
        let rows = statement.query_map([episode], |row| {
            let (book, body): (Option<String>, String) = (row.get(1)?, row.get(2)?);
            Ok((time(row, 0)?, book, body))
        })?;
        let mut events = Vec::new();
        for row in rows {
            let (at, book, body) = row?;
            let kind = serde_json::from_str(&body)?;
            events.push(Event { at, book: book.and_then(|book| book.parse().ok()), kind });
        }
        Ok(events)
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
