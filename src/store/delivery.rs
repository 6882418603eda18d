//! What is on its way on a lane? From the outbox to the channel's receipt, each try marked before it begins.

use rusqlite::{Row, params};

use crate::clock::Timestamp;
use crate::domain::{Attachment, AttachmentKind, Event, EventKind, Lane, Message, NoticeId, Severity};

use super::history::{JOURNAL, JournalRow};
use super::settle::{mark, rule, settle, withdraw_overtaken};
use super::state::{time, unsigned};
use super::totals::count_unknown;
use super::{Reader, Store, StoreError};

/// A row that was made farther in the future than this can only come from a clock that was set back.
const CLOCK_SLACK_MS: i64 = 60_000;
/// The latest facts that a story is told by.
const STORY_FACTS_MAX: u32 = 99;

/// What a delivery is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Tell a fact.
    Notice(Event),
    /// Give an answer, or anything else that tells no fact.
    Answer(Message),
    /// Show the message that told the notice as it stands now.
    Edit(Event),
    /// Nothing: what the row holds cannot be read, because.
    Broken(String),
}

/// How a row may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// In one message with others, where they belong together.
    Any,
    /// In a message of its own: one that told it with others was refused.
    Alone,
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
    /// Why it waits, as it was recorded last.
    pub verdict: Option<String>,
    /// How it may be told.
    pub manner: Manner,
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
            Task::Answer(_) | Task::Broken(_) => Severity::Notice,
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
        /// How it took the message, where that is not as usual.
        detail: Option<String>,
    },
    /// It did not arrive, and is tried again at this time.
    Later {
        /// When.
        due: Timestamp,
        /// Why it did not.
        why: String,
        /// Parts of it that arrived.
        parts: u32,
    },
    /// It may have arrived: it goes again, marked, but for rows of which that is so a second time.
    Unknown {
        /// When it goes by itself again.
        due: Timestamp,
        /// Why nobody knows.
        why: String,
        /// Parts of it that arrived.
        parts: u32,
        /// Rows that are given up.
        spent: Vec<i64>,
    },
    /// The message that it was to change is gone: it is told in a new one.
    Gone {
        /// What the channel called that message.
        remote: String,
    },
    /// It was refused, and it told several: each is told by itself.
    Apart(String),
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
    /// What follows.
    pub ruling: Ruling,
}

/// What a verdict means for its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It is not sent.
    Skip,
    /// It is put off until then.
    Hold(Timestamp),
    /// It goes as soon as the channel takes more.
    Wait,
    /// It can never be sent.
    GiveUp,
}

/// One message that is about to be sent: the row that leads it, and those that it tells as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parcel {
    /// The row that is tried.
    pub leader: i64,
    /// The leader's notice.
    pub notice: NoticeId,
    /// The notice whose message is shown anew afterwards.
    pub refresh: Option<NoticeId>,
    /// Rows that are told in the same message.
    pub members: Vec<i64>,
    /// True if it is a summary of a storm or a night.
    pub gathered: bool,
    /// Notices of which it says who has seen them.
    pub acked: Vec<NoticeId>,
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

    /// The clock was set back, by so many milliseconds where that is known: what waits for somebody's word waits as long as it was meant to,
    /// and what was put off by a clock that was ahead is judged anew.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restart_waits(&self, lane: Lane, by_ms: Option<i64>, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let lane = lane.to_string();
            if let Some(by_ms) = by_ms {
                transaction.execute(
                    "UPDATE outbox SET due_ms = due_ms - ?2, created_ms = created_ms - ?2
                     WHERE lane = ?1 AND state = 'pending' AND unless_acked AND due_ms > ?3",
                    params![lane, by_ms, now.ms()],
                )?;
            }
            transaction.execute(
                "UPDATE outbox SET due_ms = CASE WHEN held THEN ?2 ELSE ?2 + max(due_ms - created_ms, 0) END, created_ms = ?2, held = 0
                 WHERE lane = ?1 AND state = 'pending' AND created_ms > ?3",
                params![lane, now.ms(), now.plus_ms(CLOCK_SLACK_MS).ms()],
            )?;
            Ok(())
        })
    }

    /// Gives up what a lane could not send since `before`.
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
    ) -> Result<(), StoreError> {
        let (lane, why) = (lane.to_string(), why.to_owned());
        self.write(move |transaction| {
            transaction.execute(
                &format!("UPDATE outbox SET state = 'dead', verdict = ?4, settled_ms = ?5 WHERE {TOO_OLD}"),
                params![lane, priority_of(severity), before.ms(), why, now.ms()],
            )?;
            Ok(())
        })
    }
}

const TOO_OLD: &str =
    "lane = ?1 AND state = 'pending' AND task = 'notice' AND priority = ?2 AND max(created_ms, due_ms) < ?3";

fn priority_of(severity: Severity) -> i64 {
    super::outbox::priority(severity)
}

fn rows_of(index: &str) -> String {
    format!(
        "SELECT o.id, o.notice, o.task, o.attempts, o.repeated, o.held, o.unless_acked, o.episode, o.parts, o.digest,
           o.created_ms, o.body, o.file, o.alone, j.market_ms, j.book, j.body AS fact, o.due_ms, o.reply_to, o.edit_of,
           o.verdict, o.priority
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

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get(0)?,
        notice: NoticeId(unsigned(row, 1)?),
        task: task(row)?,
        attempts: row.get(3)?,
        repeated: row.get(4)?,
        held: row.get(5)?,
        manner: if row.get(13)? { Manner::Alone } else { Manner::Any },
        unless_acked: row.get(6)?,
        episode: row.get(7)?,
        parts: row.get(8)?,
        digest: row.get(9)?,
        created: time(row, 10)?,
        due: time(row, 17)?,
        reply_to: row.get(18)?,
        edit_of: row.get(19)?,
        verdict: row.get(20)?,
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
        // Two walks along two indexes, so that nobody steps over the thousands that a night has held.
        let sql = format!(
            "{} AND o.held = 0 AND (o.due_ms <= ?2 OR o.repeated) UNION ALL {} AND o.held = 1 AND o.due_ms <= ?2
             ORDER BY 22 DESC, 1 LIMIT ?3",
            rows_of("outbox_open"),
            rows_of("outbox_held")
        );
        let mut statement = self.connection().prepare_cached(&sql)?;
        let rows = statement.query_map(params![lane.to_string(), now.ms(), rows_max, least], delivery)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a lane could not send since `before`, as loud as this: the first notice of it, and how many there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn too_old(
        &self,
        lane: Lane,
        severity: Severity,
        before: Timestamp,
    ) -> Result<Option<(NoticeId, u64)>, StoreError> {
        let sql = format!("SELECT min(notice), count(*) FROM outbox WHERE {TOO_OLD}");
        let mut statement = self.connection().prepare_cached(&sql)?;
        let (first, count) = statement
            .query_row(params![lane.to_string(), priority_of(severity), before.ms()], |row| {
                Ok((row.get::<_, Option<i64>>(0)?, unsigned(row, 1)?))
            })?;
        Ok(first.map(|first| (NoticeId(first.unsigned_abs()), count)))
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
