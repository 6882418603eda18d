//! What is on its way on a lane? From the outbox to the channel's receipt, each try marked before it begins.

use rusqlite::params;

use crate::clock::Timestamp;
use crate::domain::{Event, Lane, Message, NoticeId, Severity};

use super::settle::{mark, rule, settle, withdraw_overtaken};
use super::totals::count_unknown;
use super::{FollowUp, Store, StoreError};

/// A row that was made farther in the future than this can only come from a clock that was set back.
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
    /// Say who has seen notices that were told before.
    Seen(FollowUp),
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
    /// The notice that leads the message in which it may have been told already, where that is not its own.
    pub told_in: Option<NoticeId>,
    /// The hash of what it says.
    pub digest: Option<String>,
    /// When it was committed, on the wall clock.
    pub created: Timestamp,
    /// From when on it may be sent by itself. What may be a repeat can go with another message before.
    pub due: Timestamp,
}

impl Delivery {
    /// Whether it may have been told already and leads no message yet.
    pub fn is_early(&self, now: Timestamp) -> bool {
        self.repeated && self.due > now && self.created <= now
    }

    /// How loud it is; an answer is as loud as its reader's own question.
    pub fn severity(&self) -> Severity {
        match &self.task {
            Task::Notice(event) | Task::Edit(event) => event.kind.severity(),
            Task::Answer(_) | Task::Seen(_) | Task::Broken(_) => Severity::Notice,
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
    Apart {
        /// Why.
        why: String,
        /// Parts of it that arrived.
        parts: u32,
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
                "UPDATE outbox SET state = 'pending', repeated = 1 WHERE state = 'sending' AND told_in IS NOT NULL",
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

    /// The clock was set back, by so many milliseconds, or nobody knows by how many: what waits for somebody's word waits as long as it was meant to,
    /// and what was put off by a clock that was ahead is judged anew.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restart_waits(&self, lane: Lane, by_ms: i64, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let lane = lane.to_string();
            transaction.execute(
                "UPDATE outbox SET due_ms = due_ms - ?2, created_ms = created_ms - ?2
                 WHERE lane = ?1 AND state = 'pending' AND unless_acked AND due_ms > ?3",
                params![lane, by_ms, now.ms()],
            )?;
            transaction.execute(
                "UPDATE outbox SET due_ms = ?2 WHERE lane = ?1 AND state = 'pending' AND repeated AND NOT held AND due_ms > ?3",
                params![lane, now.ms(), now.plus_ms(CLOCK_SLACK_MS).ms()],
            )?;
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

pub(super) const TOO_OLD: &str =
    "lane = ?1 AND state = 'pending' AND task = 'notice' AND priority = ?2 AND max(created_ms, due_ms) < ?3";

pub(super) fn priority_of(severity: Severity) -> i64 {
    super::outbox::priority(severity)
}
