//! What became of a try? A parcel is marked before it begins and settled after it, with everything that told and that is overtaken.

use rusqlite::{Transaction, params};

use crate::clock::Timestamp;
use crate::domain::Lane;

use super::outbox::{Shows, add_edit};
use super::totals::count_try;
use super::{Parcel, Ruled, Ruling, Settled, StoreError};

pub(super) fn settle(
    transaction: &Transaction<'_>,
    parcel: &Parcel,
    outcome: &Settled,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut leader = transaction.prepare_cached(
        "UPDATE outbox SET state = ?2, due_ms = max(due_ms, ?3), verdict = ?4, settled_ms = ?5, remote = coalesce(?6, remote),
           parts = ?7, repeated = repeated OR ?8 WHERE id = ?1",
    )?;
    let at = now.ms();
    let gone = "the message is gone".to_owned();
    let (word, detail, skew) = match outcome {
        Settled::Sent { remote, skew_ms, detail } => {
            leader.execute(params![parcel.leader, "sent", 0, None::<String>, at, remote, 0, false])?;
            if let Some(notice) = parcel.refresh {
                let lane: String =
                    transaction
                        .query_row("SELECT lane FROM outbox WHERE id = ?1", [parcel.leader], |row| row.get(0))?;
                add_edit(transaction, notice.0 as i64, &lane, Shows::Story, now)?;
            }
            ("accepted", detail.as_ref(), *skew_ms)
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
        Settled::Sent { .. } => show_ack(transaction, parcel, now),
        Settled::Later { .. } | Settled::Gone { .. } | Settled::Dead(_) => Ok(()),
    }
}

/// Nothing more is sent that somebody's word, or the end of its story, has overtaken while it was under way: this row, or whatever waits.
pub(super) fn withdraw_overtaken(
    transaction: &Transaction<'_>,
    row: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
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
fn show_ack(transaction: &Transaction<'_>, parcel: &Parcel, now: Timestamp) -> Result<(), StoreError> {
    let (lane, begun_ms): (String, i64) = transaction
        .prepare_cached(
            "SELECT o.lane, t.begun_ms FROM outbox o JOIN attempts t ON t.delivery = o.id AND t.attempt = o.attempts WHERE o.id = ?1",
        )?
        .query_row([parcel.leader], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut acked = transaction.prepare_cached(
        "SELECT 1 FROM outbox o JOIN acks a ON a.notice = o.notice WHERE o.id = ?1 AND o.task = 'notice' AND a.at_ms >= ?2",
    )?;
    for row in std::iter::once(&parcel.leader).chain(&parcel.members) {
        if acked.exists(params![row, begun_ms])? {
            return add_edit(transaction, parcel.notice.0 as i64, &lane, Shows::Ack, now);
        }
    }
    Ok(())
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
        Ruling::Skip => transaction
            .prepare_cached(
                "UPDATE outbox SET state = 'skipped', verdict = ?2, settled_ms = ?3 WHERE id = ?1 AND state = 'pending'",
            )?
            .execute(params![verdict.id, verdict.why, now.ms()])?,
    };
    Ok(())
}

/// Marks a parcel as under way, if each row of it still waits.
pub(super) fn mark(
    transaction: &Transaction<'_>,
    lane: Lane,
    parcel: &Parcel,
    now: Timestamp,
) -> Result<bool, StoreError> {
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
