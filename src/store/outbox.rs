//! Who has to be told what? A row a notice and lane, in the transaction that makes the fact.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{Event, INTERACTION, Lane, Message, NoticeId, RouteTable, Severity, StoryPart};

use super::history::NOT_DURESS;
use super::{Store, StoreError};

/// A message that only shows where its story stands waits for everything that tells something.
const PRIORITY_REFRESH: i64 = 0;
/// Answers, and edits that say who has seen a message, go before warnings and after criticals: somebody waits for them.
pub(super) const PRIORITY_ANSWER: i64 = 3;
/// Nothing goes before what is critical, but for what goes another way.
pub(super) const PRIORITY_CRITICAL: i64 = 4;
/// What answers an interaction goes by its token, past whatever holds its lane up, and the token does not last.
const PRIORITY_INTERACTION: i64 = 5;
/// The first number of those that not everybody may learn of.
const APART: i64 = 1_000_000_000;
/// Characters of the hash that tells whether two facts say the same.
const DIGEST_CHARS: usize = 16;

/// What is quieter comes later.
pub(super) fn priority(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Notice => 1,
        Severity::Warning => 2,
        Severity::Critical => PRIORITY_CRITICAL,
    }
}

/// A fact that was just written to the journal.
pub(super) struct Fact<'a> {
    /// Its place in the journal.
    pub(super) seq: i64,
    /// The fact.
    pub(super) event: &'a Event,
    /// As it is stored.
    pub(super) body: &'a str,
    /// When it is committed, on the wall clock.
    pub(super) wall: Timestamp,
}

/// Finds the fact's story, and gives it a number and a row for each lane that it goes to.
pub(super) fn enqueue(transaction: &Transaction<'_>, fact: &Fact<'_>, routes: &RouteTable) -> Result<(), StoreError> {
    let episode = join_story(transaction, fact)?;
    let severity = fact.event.kind.severity();
    let legs = routes.plan(fact.event);
    if severity == Severity::Info && legs.is_empty() {
        // Told by nobody; but the message that tells its story shows where it stands now.
        return episode.map_or(Ok(()), |episode| refresh(transaction, episode, fact.wall));
    }
    let notice = number(transaction, fact)?;
    // The same words about another book are news.
    let book = fact.event.book.map(|book| book.to_string()).unwrap_or_default();
    let digest = blake3::hash(format!("{book} {}", fact.body).as_bytes()).to_hex();
    for leg in &legs {
        transaction
            .prepare_cached(
                "INSERT INTO outbox (notice, lane, priority, state, created_ms, due_ms, unless_acked, episode, digest)
                 VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                notice,
                leg.lane.to_string(),
                priority(severity),
                fact.wall.ms(),
                fact.wall.plus_ms(leg.after_ms).ms(),
                leg.after_ms > 0,
                episode,
                &digest.as_str()[..DIGEST_CHARS],
            ])?;
    }
    Ok(())
}

/// Gives a fact the next number. What some people must not learn of has numbers of its own, far away: one of the common series that is
/// missing where they look would tell them.
fn number(transaction: &Transaction<'_>, fact: &Fact<'_>) -> Result<i64, StoreError> {
    let (from, until) = if fact.event.kind.is_kept_from_some() { (APART, i64::MAX) } else { (1, APART) };
    transaction
        .prepare_cached(
            "INSERT INTO notices (number, seq) VALUES (coalesce(
               (SELECT number + 1 FROM notices WHERE number >= ?1 AND number < ?3 ORDER BY number DESC LIMIT 1), ?1), ?2)",
        )?
        .execute([from, fact.seq, until])?;
    Ok(transaction.last_insert_rowid())
}

/// Notes which story a fact belongs to; its episode, if it is a part of one that has begun.
fn join_story(transaction: &Transaction<'_>, fact: &Fact<'_>) -> Result<Option<i64>, StoreError> {
    let Some(story) = fact.event.story() else { return Ok(None) };
    let open: Option<i64> = transaction
        .prepare_cached("SELECT episode FROM stories WHERE key = ?1 AND open")?
        .query_row([&story.key], |row| row.get(0))
        .optional()?;
    let episode = match (open, story.part) {
        (Some(episode), _) => episode,
        (None, StoryPart::Begins) => fact.seq,
        (None, StoryPart::GoesOn | StoryPart::Ends) => return Ok(None),
    };
    if open.is_none() || story.part == StoryPart::Ends {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO stories (key, episode, open) VALUES (?1, ?2, ?3)")?
            .execute(params![story.key, episode, story.part != StoryPart::Ends])?;
    }
    transaction
        .prepare_cached("UPDATE journal SET episode = ?2 WHERE seq = ?1")?
        .execute(params![fact.seq, episode])?;
    if story.part == StoryPart::Ends {
        // What was to be told only if nobody cared is over; the end itself is told.
        transaction
            .prepare_cached(
                "UPDATE outbox SET state = 'skipped', verdict = 'over before it was due', settled_ms = ?2
                 WHERE episode = ?1 AND unless_acked AND state = 'pending'",
            )?
            .execute(params![episode, fact.wall.ms()])?;
    }
    Ok(Some(episode))
}

/// Has the message that tells a story say where it stands now, on each lane whose channel can change one.
fn refresh(transaction: &Transaction<'_>, episode: i64, now: Timestamp) -> Result<(), StoreError> {
    let lanes: Vec<(i64, String)> = transaction
        .prepare_cached(
            "SELECT min(notice), lane FROM outbox WHERE episode = ?1 AND task = 'notice' AND remote IS NOT NULL GROUP BY lane",
        )?
        .query_map([episode], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (notice, lane) in lanes {
        add_edit(transaction, notice, &lane, Shows::Story, now)?;
    }
    Ok(())
}

/// Why a message is shown anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// Where its story stands: that can wait.
    Story,
    /// Who has seen it: somebody waits for that.
    Ack,
}

/// Has the message that told `notice` on `lane` be shown anew, once however often it is asked for.
pub(super) fn add_edit(
    transaction: &Transaction<'_>,
    notice: i64,
    lane: &str,
    shows: Shows,
    now: Timestamp,
) -> Result<(), StoreError> {
    let priority = match shows {
        Shows::Story => PRIORITY_REFRESH,
        Shows::Ack => PRIORITY_ANSWER,
    };
    let edits = lane.parse::<Lane>().is_ok_and(|lane| lane.channel.edits());
    if !edits {
        return Ok(());
    }
    let waits = transaction
        .prepare_cached(
            "UPDATE outbox SET priority = max(priority, ?3) WHERE notice = ?1 AND lane = ?2 AND task = 'edit' AND state = 'pending'",
        )?
        .execute(params![notice, lane, priority])?;
    if waits == 0 {
        transaction
            .prepare_cached(
                "INSERT INTO outbox (notice, lane, priority, state, created_ms, due_ms, task, episode)
                 SELECT ?1, ?2, ?3, 'pending', ?4, ?4, 'edit', (SELECT max(episode) FROM outbox WHERE notice = ?1 AND lane = ?2)",
            )?
            .execute(params![notice, lane, priority, now.ms()])?;
    }
    Ok(())
}

/// A message that tells no fact: an answer, a prompt, a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where it goes.
    pub lane: Lane,
    /// What it says.
    pub message: Message,
    /// The message that it answers, as the channel calls it.
    pub reply_to: Option<String>,
    /// The message that it is the new text of, as the channel calls it.
    pub edit_of: Option<String>,
}

impl Answer {
    /// A message of its own.
    pub fn new(lane: Lane, message: Message) -> Self {
        Self { lane, message, reply_to: None, edit_of: None }
    }
}

/// Puts an answer on its way.
pub(super) fn add_answer(transaction: &Transaction<'_>, answer: &Answer, now: Timestamp) -> Result<(), StoreError> {
    let Answer { lane, message, reply_to, edit_of } = answer;
    let file = message.file.as_ref();
    let by_token = reply_to.as_deref().is_some_and(|to| to.starts_with(INTERACTION));
    transaction
        .prepare_cached(
            "INSERT INTO outbox (notice, lane, priority, state, created_ms, due_ms, task, body, file, bytes, reply_to, edit_of)
             VALUES (0, ?1, ?2, 'pending', ?3, ?3, 'answer', ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            lane.to_string(),
            if by_token { PRIORITY_INTERACTION } else { PRIORITY_ANSWER },
            now.ms(),
            serde_json::to_string(message)?,
            file.map(|file| file.name.as_str()),
            file.map(|file| file.bytes.as_slice()),
            reply_to,
            edit_of,
        ])?;
    Ok(())
}

impl Store {
    /// Puts a message on its way that tells no fact.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn post(&self, answer: Answer, now: Timestamp) -> Result<(), StoreError> {
        let posted = self.write(move |transaction| add_answer(transaction, &answer, now));
        self.wake();
        posted
    }

    /// Keeps the routes that hold now, for those who ask and for other processes that have something to tell.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_routes(&self, routes: &RouteTable) -> Result<(), StoreError> {
        self.keep_meta("routes", serde_json::to_string(routes)?)
    }

    /// Lets the ways of people and groups rest who are not configured any more: what waits on them is settled, and counted as held back.
    /// How many. A way that is only switched off for now keeps what waits.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn retire_lanes(&self, configured: &[Lane], now: Timestamp) -> Result<usize, StoreError> {
        let known: Vec<String> = configured.iter().map(Lane::to_string).collect();
        let known = serde_json::to_string(&known)?;
        self.write(move |transaction| {
            Ok(transaction.execute(
                "UPDATE outbox SET state = 'skipped', verdict = 'this way is not configured any more', settled_ms = ?2
                 WHERE state IN ('pending', 'sending') AND lane NOT IN (SELECT value FROM json_each(?1))",
                params![known, now.ms()],
            )?)
        })
    }
}

/// How many deliveries of a lane are in which state. Accepted = delivered + suppressed + dead + pending, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LaneCounts {
    /// The lane.
    pub lane: String,
    /// All notices and answers.
    pub accepted: u64,
    /// Taken by the channel, alone or in another message.
    pub sent: u64,
    /// Held back by a filter, with its cause.
    pub skipped: u64,
    /// Given up.
    pub dead: u64,
    /// Not settled yet.
    pub open: u64,
}

impl super::Reader {
    /// The routes that the bot went by last; none where it never ran.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn routes(&self) -> Result<RouteTable, StoreError> {
        let kept = self.meta("routes")?;
        kept.map_or_else(|| Ok(RouteTable::default()), |text| Ok(serde_json::from_str(&text)?))
    }

    /// The states of all notices and answers, by lane.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lane_counts(&self) -> Result<Vec<LaneCounts>, StoreError> {
        self.lane_counts_without(&[])
    }

    /// The same, as if these notices were not there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lane_counts_without(&self, hidden: &[NoticeId]) -> Result<Vec<LaneCounts>, StoreError> {
        let hidden: Vec<u64> = hidden.iter().map(|notice| notice.0).collect();
        let mut statement = self.connection().prepare_cached(
            "SELECT lane, count(*), sum(state = 'sent'), sum(state = 'skipped'), sum(state = 'dead'),
               sum(state IN ('pending', 'sending')) FROM outbox
             WHERE task != 'edit' AND notice NOT IN (SELECT value FROM json_each(?1)) GROUP BY lane ORDER BY lane",
        )?;
        let unsigned = super::state::unsigned;
        let rows = statement.query_map([serde_json::to_string(&hidden)?], |row| {
            Ok(LaneCounts {
                lane: row.get(0)?,
                accepted: unsigned(row, 1)?,
                sent: unsigned(row, 2)?,
                skipped: unsigned(row, 3)?,
                dead: unsigned(row, 4)?,
                open: unsigned(row, 5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Deliveries of a lane that could be sent at once and are not settled.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_deliveries(&self, lane: Lane, now: Timestamp) -> Result<u64, StoreError> {
        let mut statement = self.connection().prepare_cached(&format!(
            "SELECT count(*) FROM outbox WHERE lane = ?1 AND state IN ('pending', 'sending') AND due_ms <= ?2
               AND {NOT_DURESS}"
        ))?;
        Ok(statement.query_row(params![lane.to_string(), now.ms()], |row| super::state::unsigned(row, 0))?)
    }
}
