//! Who has seen it? One word stops the ladder, and shows or says itself wherever the notice was told.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{ChannelKind, Lane, NoticeId};

use super::outbox::{PRIORITY_ANSWER, PRIORITY_CRITICAL, Shows, add_edit};
use super::own::note_own;
use super::{Ack, AuditEntry, Points, Reader, Store, StoreError};

/// The word that somebody has seen notices which were told where no message can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The notices, in order.
    pub notices: Vec<NoticeId>,
    /// Who has seen them.
    pub person: String,
    /// On which channel.
    pub channel: String,
    /// When, on the wall clock.
    pub at: Timestamp,
}

impl Store {
    /// Somebody has seen a notice: nobody else is called for it, nothing more of it is sent to them, and the messages that told it say so;
    /// where they cannot be changed, one short message does. False if somebody had said so before. `chat` is where it was said, such as
    /// `telegram:501`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn acknowledge(&self, notice: NoticeId, person: &str, chat: &str, now: Timestamp) -> Result<bool, StoreError> {
        let channel = chat.split(':').next().unwrap_or(chat).to_owned();
        let (person, chat, points) = (person.to_owned(), chat.to_owned(), self.points().clone());
        let done = self.write(move |transaction| {
            let mut lanes: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            let mut first = false;
            for number in told_with(transaction, notice.0 as i64, &person)? {
                if acknowledge_one(transaction, number, (&person, &channel), &points, now)? {
                    first = true;
                    for lane in lanes_told(transaction, number)? {
                        lanes.entry(lane).or_default().push(number);
                    }
                }
            }
            if first {
                let (words, result) = (format!("/ack {notice}"), "acknowledged".to_owned());
                let entry = AuditEntry { at: now, person, channel: chat, words, preview: None, result };
                note_own(transaction, &entry, None)?;
            }
            points.pass("ack: ladder stopped, nobody told")?;
            for (lane, mut notices) in lanes {
                notices.sort_unstable();
                follow_up(transaction, &lane, &notices, now)?;
            }
            Ok(first)
        });
        self.wake();
        done
    }
}

/// The lanes on which a critical notice was told, or may have been told by a try that is not made again. What is under way is looked at when
/// it has ended.
fn lanes_told(transaction: &Transaction<'_>, notice: i64) -> Result<Vec<String>, StoreError> {
    let mut told = transaction.prepare_cached(
        "SELECT DISTINCT lane FROM outbox WHERE notice = ?1 AND task = 'notice' AND priority = ?2
           AND (state = 'sent' OR (state IN ('skipped', 'dead') AND repeated))",
    )?;
    let lanes = told.query_map(params![notice, PRIORITY_CRITICAL], |row| row.get(0))?;
    Ok(lanes.collect::<Result<_, _>>()?)
}

/// Tells a lane who has seen these notices, once, where its channel cannot change the message that told them.
pub(super) fn follow_up(
    transaction: &Transaction<'_>,
    lane: &str,
    notices: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Ok(to), Some(first)) = (lane.parse::<Lane>(), notices.first()) else { return Ok(()) };
    let ack = transaction
        .prepare_cached("SELECT person, channel, at_ms FROM acks WHERE notice = ?1")?
        .query_row([first], |row| {
            Ok(Ack { person: row.get(0)?, channel: row.get(1)?, at: super::state::time(row, 2)? })
        })
        .optional()?;
    let Some(Ack { person, channel, at }) = ack else { return Ok(()) };
    if to.channel.edits() || !is_news(to, &person, &channel) {
        return Ok(());
    }
    // Several that were acknowledged by one word are followed up by one message.
    let known = transaction
        .prepare_cached(
            "SELECT 1 FROM outbox o, json_each(o.body, '$.notices') named
             WHERE o.notice IN (SELECT notice FROM acks WHERE person = ?1 AND at_ms = ?2)
               AND o.task = 'seen' AND o.lane = ?3 AND named.value = ?4",
        )?
        .exists(params![person, at.ms(), lane, first])?;
    if known {
        return Ok(());
    }
    let numbers = notices.iter().map(|notice| NoticeId(notice.unsigned_abs())).collect();
    let body = serde_json::to_string(&FollowUp { notices: numbers, person, channel, at })?;
    transaction
        .prepare_cached(
            "INSERT INTO outbox (notice, lane, priority, state, created_ms, due_ms, task, body)
             VALUES (?1, ?2, ?3, 'pending', ?4, ?4, 'seen', ?5)",
        )?
        .execute(params![first, lane, PRIORITY_ANSWER, now.ms(), body])?;
    Ok(())
}

/// Whether somebody learns from a message on this lane that `person` has seen a notice. Where they said so the answer says it; and a short
/// message costs money, so it is not spent on the phone of whoever knows already.
fn is_news(lane: Lane, person: &str, channel: &str) -> bool {
    let is_theirs = lane.who.as_str() == person;
    !is_theirs || (lane.channel != ChannelKind::Sms && lane.channel.as_str() != channel)
}

impl Reader {
    /// What a channel calls the message in which a notice was told on a lane, by itself or with others.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn message_with(&self, notice: NoticeId, lane: Lane) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT leader.remote FROM outbox told JOIN outbox leader
               ON leader.notice = coalesce(told.told_in, told.notice) AND leader.lane = told.lane
             WHERE told.notice = ?1 AND told.lane = ?2 AND told.task = 'notice'
               AND leader.task = 'notice' AND leader.remote IS NOT NULL ORDER BY leader.id LIMIT 1",
        )?;
        Ok(statement.query_row(params![notice.0 as i64, lane.to_string()], |row| row.get(0)).optional()?)
    }
}

/// The notice, and what is critical in the messages that told it to this person, or may have: whoever has seen one has seen all.
fn told_with(transaction: &Transaction<'_>, notice: i64, person: &str) -> Result<Vec<i64>, StoreError> {
    let with: Vec<i64> = transaction
        .prepare_cached(
            "SELECT DISTINCT other.notice FROM outbox one JOIN outbox other INDEXED BY outbox_episode
               ON other.episode = one.episode AND other.lane = one.lane
             WHERE one.notice = ?1 AND one.task = 'notice' AND one.lane LIKE replace(?2, '_', '\\_') || ':%' ESCAPE '\\'
               AND other.task = 'notice' AND other.priority = ?3 AND other.notice != ?1
               AND ((one.repeated AND other.repeated) OR (one.state = 'sent' AND other.state = 'sent'
                 AND coalesce(other.told_in, other.notice) = coalesce(one.told_in, one.notice)))",
        )?
        .query_map(params![notice, person, PRIORITY_CRITICAL], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(std::iter::once(notice).chain(with).collect())
}

/// Notes that somebody has seen a notice, and stops what was to call others for it. False if that was noted before.
fn acknowledge_one(
    transaction: &Transaction<'_>,
    number: i64,
    (person, channel): (&str, &str),
    points: &Points,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let first = transaction.execute(
        "INSERT OR IGNORE INTO acks (notice, person, channel, at_ms) VALUES (?1, ?2, ?3, ?4)",
        params![number, person, channel, now.ms()],
    )? > 0;
    if !first {
        return Ok(false);
    }
    points.pass("ack: noted, ladder not stopped")?;
    transaction.execute(
        "UPDATE outbox SET state = 'skipped', verdict = 'acknowledged by ' || ?2, settled_ms = ?3
         WHERE notice = ?1 AND state = 'pending' AND task = 'notice' AND (unless_acked OR lane LIKE replace(?2, '_', '\\_') || ':%' ESCAPE '\\')",
        params![number, person, now.ms()],
    )?;
    // Where a message told several notices, its leader's row knows what the channel calls it.
    let told: Vec<(i64, String)> = transaction
        .prepare(
            "SELECT DISTINCT coalesce(told_in, notice), lane FROM outbox
             WHERE notice = ?1 AND task = 'notice' AND (remote IS NOT NULL OR (told_in IS NOT NULL AND state = 'sent'))",
        )?
        .query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (leader, lane) in told {
        add_edit(transaction, leader, &lane, Shows::Ack, now)?;
    }
    Ok(true)
}
