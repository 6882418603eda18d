//! What became of a try? A parcel is marked before it begins and settled after it, with everything that told and that is overtaken.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{Lane, NoticeId};

use super::acks::follow_up;
use super::outbox::{PRIORITY_CRITICAL, Shows, add_edit};
use super::state::unsigned;
use super::totals::count_try;
use super::{Parcel, Ruled, Ruling, Settled, StoreError};

/// Every row of it, the leader first.
fn rows(parcel: &Parcel) -> impl Iterator<Item = &i64> {
    std::iter::once(&parcel.leader).chain(&parcel.members)
}

pub(super) fn settle(
    transaction: &Transaction<'_>,
    parcel: &Parcel,
    outcome: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let gone = "the message is gone".to_owned();
    let (word, detail, skew_ms) = match outcome {
        Settled::Sent { skew_ms, detail, .. } => ("accepted", detail.as_ref(), *skew_ms),
        Settled::Later { why, .. } => ("failed", Some(why), None),
        Settled::Unknown { why, .. } => ("unknown", Some(why), None),
        Settled::Gone { .. } => ("failed", Some(&gone), None),
        Settled::Apart { why, .. } | Settled::Dead(why) => ("rejected", Some(why), None),
    };
    transaction
        .prepare_cached(
            "UPDATE attempts SET ended_ms = ?2, outcome = ?3, detail = ?4, skew_ms = ?5
             WHERE delivery = ?1 AND outcome = 'sending'",
        )?
        .execute(params![parcel.leader, now.ms(), word, detail, skew_ms])?;
    count_try(transaction, parcel.leader, word, now)?;
    match outcome {
        Settled::Sent { remote, .. } => sent(transaction, parcel, remote.as_deref(), now),
        Settled::Later { due, why, parts } => {
            again(transaction, parcel, (*due, *parts), why, now)?;
            withdraw(transaction, parcel, now)
        }
        Settled::Unknown { due, why, parts, spent } => {
            let mut marked = transaction.prepare_cached("UPDATE outbox SET repeated = 1 WHERE id = ?1")?;
            for id in rows(parcel) {
                marked.execute([id])?;
            }
            again(transaction, parcel, (*due, *parts), why, now)?;
            for id in spent {
                die(transaction, *id, &format!("{why}, twice"), now)?;
            }
            withdraw(transaction, parcel, now)
        }
        Settled::Gone { remote } => {
            again(transaction, parcel, (now, 0), &gone, now)?;
            forget_remote(transaction, parcel.leader, remote)?;
            withdraw(transaction, parcel, now)
        }
        Settled::Apart { why, parts } => {
            again(transaction, parcel, (now, *parts), why, now)?;
            let mut alone = transaction.prepare_cached("UPDATE outbox SET alone = 1, told_in = NULL WHERE id = ?1")?;
            for id in rows(parcel) {
                alone.execute([id])?;
            }
            withdraw(transaction, parcel, now)
        }
        Settled::Dead(why) => {
            again(transaction, parcel, (now, 0), why, now)?;
            die(transaction, parcel.leader, why, now)?;
            withdraw(transaction, parcel, now)
        }
    }
}

fn sent(
    transaction: &Transaction<'_>,
    parcel: &Parcel,
    remote: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The row that leads a summary is one among others in it.
    transaction
        .prepare_cached(
            "UPDATE outbox SET state = 'sent', verdict = NULL, settled_ms = ?2, remote = coalesce(?3, remote), parts = 0,
               told_in = CASE WHEN ?4 THEN notice END WHERE id = ?1",
        )?
        .execute(params![parcel.leader, now.ms(), remote, parcel.gathered])?;
    let mut member = transaction.prepare_cached(
        "UPDATE outbox SET state = 'sent', settled_ms = ?2, verdict = 'told in N' || told_in WHERE id = ?1",
    )?;
    for id in &parcel.members {
        member.execute(params![id, now.ms()])?;
    }
    if remote.is_some() {
        show_rest(transaction, parcel.leader, now)?;
    }
    if let Some(notice) = parcel.refresh {
        let sql = "SELECT lane FROM outbox WHERE id = ?1";
        let lane: String = transaction.query_row(sql, [parcel.leader], |row| row.get(0))?;
        add_edit(transaction, notice.0 as i64, &lane, Shows::Story, now)?;
    }
    show_ack(transaction, parcel, now)
}

/// Its rows wait again, each by itself: what is told together then may be something else. What may have arrived keeps with what it was told.
fn again(
    transaction: &Transaction<'_>,
    parcel: &Parcel,
    (due, parts): (Timestamp, u32),
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    // A try at once leaves the time from which a row counts as waiting.
    let due = if due > now { due.ms() } else { 0 };
    let mut row = transaction.prepare_cached(
        "UPDATE outbox SET state = 'pending', told_in = CASE WHEN repeated THEN told_in END, due_ms = max(due_ms, ?2), verdict = ?3,
           settled_ms = ?4, parts = ?5 WHERE id = ?1",
    )?;
    for id in rows(parcel) {
        row.execute(params![id, due, why, now.ms(), parts])?;
    }
    Ok(())
}

fn die(transaction: &Transaction<'_>, id: i64, why: &str, now: Timestamp) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE outbox SET state = 'dead', verdict = ?2, settled_ms = ?3 WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![id, why, now.ms()])?;
    Ok(())
}

fn withdraw(transaction: &Transaction<'_>, parcel: &Parcel, now: Timestamp) -> Result<(), StoreError> {
    rows(parcel).try_for_each(|id| withdraw_overtaken(transaction, Some(*id), now))
}

/// Nothing more is sent that somebody's word, or the end of its story, has overtaken while it was under way: this row, or whatever waits.
pub(super) fn withdraw_overtaken(
    transaction: &Transaction<'_>,
    row: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut withdrawn = transaction
        .prepare_cached(
            "UPDATE outbox SET state = 'skipped', settled_ms = ?1,
               verdict = coalesce((SELECT 'acknowledged by ' || person FROM acks WHERE acks.notice = outbox.notice), 'over before it was due')
             WHERE state = 'pending' AND task = 'notice' AND id BETWEEN coalesce(?2, 0) AND coalesce(?2, 9e18) AND (
               EXISTS (SELECT 1 FROM acks WHERE acks.notice = outbox.notice
                 AND (unless_acked OR lane LIKE replace(acks.person, '_', '\\_') || ':%' ESCAPE '\\'))
               OR (unless_acked AND episode IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM stories WHERE stories.episode = outbox.episode AND open)
                 AND (SELECT seq FROM notices WHERE number = outbox.notice)
                   < (SELECT max(seq) FROM journal WHERE journal.episode = outbox.episode)))
             RETURNING lane, notice, repeated AND priority = ?3",
        )?;
    let rows = withdrawn.query_map(params![now.ms(), row, PRIORITY_CRITICAL], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
    })?;
    // Whoever may have been told of it hears that somebody has it.
    for (lane, notice, may_be_there) in rows.collect::<Result<Vec<_>, _>>()? {
        if may_be_there {
            follow_up(transaction, &lane, &[notice], now)?;
        }
    }
    Ok(())
}

/// A message that was put together before somebody acknowledged what it tells says so as well; where it cannot be changed, another does.
fn show_ack(transaction: &Transaction<'_>, parcel: &Parcel, now: Timestamp) -> Result<(), StoreError> {
    let mut acked = transaction.prepare_cached(
        "SELECT o.notice, o.lane, o.priority = ?2 FROM outbox o JOIN acks a ON a.notice = o.notice WHERE o.id = ?1 AND o.task = 'notice'",
    )?;
    let (mut unsaid, mut at) = (Vec::new(), None);
    for id in rows(parcel).filter(|_| !parcel.gathered) {
        let found = acked.query_row(params![id, PRIORITY_CRITICAL], |row| {
            Ok((NoticeId(unsigned(row, 0)?), row.get::<_, String>(1)?, row.get::<_, bool>(2)?))
        });
        if let Some((notice, lane, is_critical)) = found.optional()?
            && !parcel.acked.contains(&notice)
        {
            unsaid.extend(is_critical.then_some(notice.0 as i64));
            at = Some(lane);
        }
    }
    let Some(lane) = at else { return Ok(()) };
    add_edit(transaction, parcel.notice.0 as i64, &lane, Shows::Ack, now)?;
    unsaid.sort_unstable();
    follow_up(transaction, &lane, &unsaid, now)
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

pub(super) fn rule(transaction: &Transaction<'_>, verdict: &Ruled, now: Timestamp) -> Result<(), StoreError> {
    match verdict.ruling {
        Ruling::Wait => transaction
            .prepare_cached("UPDATE outbox SET verdict = ?2 WHERE id = ?1 AND state = 'pending'")?
            .execute(params![verdict.id, verdict.why])?,
        Ruling::Hold(until) => transaction
            .prepare_cached("UPDATE outbox SET due_ms = ?2, held = 1, verdict = ?3 WHERE id = ?1 AND state = 'pending'")?
            .execute(params![verdict.id, until.ms(), verdict.why])?,
        Ruling::GiveUp => {
            die(transaction, verdict.id, &verdict.why, now)?;
            return Ok(());
        }
        Ruling::Skip => transaction
            .prepare_cached(
                "UPDATE outbox SET state = 'skipped', verdict = ?2, settled_ms = ?3 WHERE id = ?1 AND state = 'pending'",
            )?
            .execute(params![verdict.id, verdict.why, now.ms()])?,
    };
    match verdict.ruling {
        Ruling::Skip | Ruling::Hold(_) => show_story(transaction, verdict.id, now),
        Ruling::Wait | Ruling::GiveUp => Ok(()),
    }
}

/// A story's first message shows at once what was held or skipped of it while it waited.
fn show_rest(transaction: &Transaction<'_>, leader: i64, now: Timestamp) -> Result<(), StoreError> {
    let root = transaction
        .prepare_cached(
            "SELECT root.notice, root.lane FROM outbox root WHERE root.id = ?1 AND root.task = 'notice' AND root.episode IS NOT NULL
               AND EXISTS (SELECT 1 FROM outbox later WHERE later.episode = root.episode AND later.lane = root.lane
                 AND later.id > root.id AND later.task = 'notice'
                 AND (later.state = 'skipped' OR (later.state = 'pending' AND later.held)))
               AND NOT EXISTS (SELECT 1 FROM outbox first WHERE first.episode = root.episode AND first.lane = root.lane
                 AND first.id < root.id AND first.remote IS NOT NULL)",
        )?
        .query_row([leader], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    root.map_or(Ok(()), |(notice, lane)| add_edit(transaction, notice, &lane, Shows::Story, now))
}

/// What is not told by itself, or only later, shows all the same in the message that tells its story.
fn show_story(transaction: &Transaction<'_>, id: i64, now: Timestamp) -> Result<(), StoreError> {
    let root = transaction
        .prepare_cached(
            "SELECT min(root.notice), root.lane FROM outbox row JOIN outbox root ON root.episode = row.episode AND root.lane = row.lane
             WHERE row.id = ?1 AND root.task = 'notice' AND root.remote IS NOT NULL GROUP BY root.lane",
        )?
        .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    root.map_or(Ok(()), |(notice, lane)| add_edit(transaction, notice, &lane, Shows::Story, now))
}

/// Marks a parcel as under way, if each row of it still waits.
pub(super) fn mark(
    transaction: &Transaction<'_>,
    lane: Lane,
    parcel: &Parcel,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut waits = transaction.prepare_cached("SELECT 1 FROM outbox WHERE id = ?1 AND state = 'pending'")?;
    for id in rows(parcel) {
        if !waits.exists([id])? {
            return Ok(false);
        }
    }
    transaction
        .prepare_cached("UPDATE outbox SET state = 'sending', told_in = NULL, attempts = attempts + 1 WHERE id = ?1")?
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
