//! What do short messages cost, and what became of them? Each is paid before it is sent, so that no crash spends more than a day may.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{Lane, Money, NoticeId};

use super::state::unsigned;
use super::{Reader, Store, StoreError};

/// What messages cost, and how much of that a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsRules {
    /// One segment.
    pub per_segment: Money,
    /// The most that a day may cost, in UTC.
    pub per_day: Money,
    /// So many segments of that are kept for what may not go unsaid.
    pub kept: u32,
}

/// A message that is to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsCharge {
    /// The delivery; 0 where no row of the outbox stands for it.
    pub delivery: i64,
    /// The way.
    pub lane: Lane,
    /// How long it is.
    pub segments: u32,
    /// It may use what is kept.
    pub may_not_go_unsaid: bool,
    /// An earlier try was looked for and not found: what was paid for it today pays this one.
    pub looked: bool,
}

/// Whether there was money for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsPaid {
    /// Its row; none where the day's money does not suffice.
    pub id: Option<i64>,
    /// What the day has cost, this message included.
    pub spent: Money,
    /// Some of that is for messages of which nobody knows yet whether they were sent.
    pub is_open: bool,
}

/// A message that the service took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsRow {
    /// The delivery.
    pub delivery: i64,
    /// The notice that it told; none for an answer.
    pub notice: Option<NoticeId>,
    /// The way.
    pub lane: Lane,
    /// What the service says became of it.
    pub state: String,
    /// How far that is on its way.
    pub grade: u32,
    /// What the service answered when it took the message is recorded with the delivery.
    pub is_settled: bool,
}

/// How far a state is on a message's way; none where the service has no such word. Several are the end.
pub fn sms_grade(state: &str) -> Option<u32> {
    Some(match state {
        "accepted" => 1,
        "scheduled" | "queued" => 2,
        "sending" => 3,
        "sent" => 4,
        "delivered" | "undelivered" | "failed" | "read" | "partially_delivered" | "canceled" => 5,
        _ => return None,
    })
}

/// The day that a time belongs to, since 1970 in UTC.
fn day_of(now: Timestamp) -> i64 {
    now.ms().div_euclid(DAY_MS)
}

const SPENT: &str = "SELECT coalesce(sum(cost), 0) FROM sms WHERE day = ?1 AND state != 'returned'";

fn spent(transaction: &Transaction<'_>, day: i64) -> Result<i64, StoreError> {
    Ok(transaction.prepare_cached(SPENT)?.query_row([day], |row| row.get(0))?)
}

/// What a try of a delivery paid on a day whose message has no name: its row, and what it cost. The most is used first.
fn paid_before(transaction: &Transaction<'_>, delivery: i64, day: i64) -> Result<Option<(i64, i64)>, StoreError> {
    let sql =
        "SELECT id, cost FROM sms WHERE delivery = ?1 AND delivery > 0 AND day = ?2 AND sid IS NULL AND state = 'paid'
               ORDER BY cost DESC, id DESC LIMIT 1";
    let found = transaction.prepare_cached(sql)?.query_row([delivery, day], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// Whether a day paid messages without a name that are still being sent.
fn has_open(transaction: &Transaction<'_>, day: i64) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM sms s JOIN outbox o ON o.id = s.delivery
               WHERE s.day = ?1 AND s.sid IS NULL AND s.state = 'paid' AND o.state IN ('pending', 'sending')";
    Ok(transaction.prepare_cached(sql)?.exists([day])?)
}

impl Store {
    /// Pays for a message, if the day's money suffices. Where an earlier try was looked for and not found, its payment counts, and only what
    /// the message costs more is paid.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn pay_sms(&self, charge: SmsCharge, rules: SmsRules, now: Timestamp) -> Result<SmsPaid, StoreError> {
        let per_segment = rules.per_segment.units();
        let cost = per_segment.saturating_mul(i64::from(charge.segments));
        let kept = if charge.may_not_go_unsaid { 0 } else { per_segment.saturating_mul(i64::from(rules.kept)) };
        let most = rules.per_day.units().saturating_sub(kept);
        self.write(move |transaction| {
            let day = day_of(now);
            let before = spent(transaction, day)?;
            let earlier = if charge.looked { paid_before(transaction, charge.delivery, day)? } else { None };
            let more = earlier.map_or(cost, |(_, had)| cost.saturating_sub(had).max(0));
            let after = before.saturating_add(more);
            let paid = |id| SmsPaid { id: Some(id), spent: Money::from_units(after), is_open: false };
            if more > 0 && after > most {
                return Ok(SmsPaid {
                    id: None,
                    spent: Money::from_units(before),
                    is_open: has_open(transaction, day)?,
                });
            }
            if let Some((id, _)) = earlier {
                let sql = "UPDATE sms SET segments = max(segments, ?2), cost = cost + ?3, paid_ms = ?4 WHERE id = ?1";
                transaction.execute(sql, params![id, charge.segments, more, now.ms()])?;
                return Ok(paid(id));
            }
            transaction.execute(
                "INSERT INTO sms (delivery, lane, day, segments, cost, last, paid_ms, state, grade)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'paid', 0)",
                params![
                    charge.delivery,
                    charge.lane.to_string(),
                    day,
                    charge.segments,
                    cost,
                    charge.may_not_go_unsaid,
                    now.ms()
                ],
            )?;
            Ok(paid(transaction.last_insert_rowid()))
        })
    }

    /// The service took a message that was paid, and calls it so.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_sms(&self, id: i64, sid: &str, state: &str) -> Result<(), StoreError> {
        let (sid, state) = (sid.to_owned(), state.to_owned());
        self.write(move |transaction| name(transaction, id, &sid, &state))
    }

    /// What was sent by an earlier try of a delivery is found to have arrived: the last of them that has no name gets it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn found_sms(&self, delivery: i64, sid: &str, state: &str) -> Result<(), StoreError> {
        let (sid, state) = (sid.to_owned(), state.to_owned());
        self.write(move |transaction| {
            let last = "SELECT max(id) FROM sms WHERE delivery = ?1 AND sid IS NULL AND state = 'paid'";
            let id: Option<i64> = transaction.query_row(last, [delivery], |row| row.get(0))?;
            id.map_or(Ok(()), |id| name(transaction, id, &sid, &state))
        })
    }

    /// A message was never sent: its money is there again.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn return_sms(&self, id: i64) -> Result<(), StoreError> {
        self.write(move |transaction| {
            transaction.execute("UPDATE sms SET state = 'returned' WHERE id = ?1 AND state = 'paid'", [id])?;
            Ok(())
        })
    }

    /// What the service says of a message now. False if it had said so, or more, before. A message that it could not deliver is given up,
    /// and who is called next for its fact is called at once.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn move_sms(&self, sid: &str, state: &str, code: Option<u32>, now: Timestamp) -> Result<bool, StoreError> {
        let Some(grade) = sms_grade(state) else { return Ok(false) };
        let (sid, state) = (sid.to_owned(), state.to_owned());
        let moved = self.write(move |transaction| {
            let moved = transaction.execute(
                "UPDATE sms SET state = ?2, grade = ?3, code = coalesce(?4, code), told_ms = ?5 WHERE sid = ?1 AND grade < ?3",
                params![sid, state, grade, code, now.ms()],
            )?;
            if moved > 0 && is_lost(&state) {
                give_up(transaction, &sid, &lost_words(&state, code), now)?;
            }
            Ok(moved > 0)
        });
        self.wake();
        moved
    }

    /// Keeps whether nothing may be sent to a phone.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_opt_out(&self, lane: Lane, is_out: bool, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            if is_out {
                let sql = "INSERT OR IGNORE INTO sms_opt_outs (lane, at_ms) VALUES (?1, ?2)";
                transaction.execute(sql, params![lane.to_string(), now.ms()])?;
            } else {
                transaction.execute("DELETE FROM sms_opt_outs WHERE lane = ?1", [lane.to_string()])?;
            }
            Ok(())
        })
    }
}

/// Whether a state says that a message did not arrive and will not.
pub fn is_lost(state: &str) -> bool {
    matches!(state, "undelivered" | "failed" | "canceled")
}

/// Why a message did not arrive, in words.
pub fn lost_words(state: &str, code: Option<u32>) -> String {
    let code = code.map(|code| format!(", error {code}")).unwrap_or_default();
    format!("the service took it and could not deliver it: {state}{code}")
}

fn name(transaction: &Transaction<'_>, id: i64, sid: &str, state: &str) -> Result<(), StoreError> {
    transaction.execute(
        "UPDATE OR IGNORE sms SET sid = ?2, state = ?3, grade = ?4 WHERE id = ?1 AND sid IS NULL",
        params![id, sid, state, sms_grade(state).unwrap_or(0)],
    )?;
    Ok(())
}

/// The rows that a message told are given up, and the next step of a ladder comes at once.
fn give_up(transaction: &Transaction<'_>, sid: &str, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let told: Option<(i64, String)> = transaction
        .query_row("SELECT id, lane FROM outbox WHERE id = (SELECT delivery FROM sms WHERE sid = ?1)", [sid], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((leader, lane)) = told else { return Ok(()) };
    let notices = "SELECT notice FROM outbox WHERE task = 'notice' AND lane = ?2 AND (id = ?1 OR told_in = (SELECT notice FROM outbox WHERE id = ?1))";
    transaction.execute(
        &format!(
            "UPDATE outbox SET due_ms = ?3 WHERE id IN (
               SELECT id FROM outbox WHERE notice IN ({notices}) AND notice > 0 AND state = 'pending' AND unless_acked AND due_ms > ?3
                 AND due_ms = (SELECT min(due_ms) FROM outbox next WHERE next.notice = outbox.notice AND next.state = 'pending' AND next.unless_acked))"
        ),
        params![leader, lane, now.ms()],
    )?;
    transaction.execute(
        "UPDATE outbox SET state = 'dead', verdict = ?3, settled_ms = ?4
         WHERE state = 'sent' AND lane = ?2 AND (id = ?1 OR (task = 'notice' AND told_in = (SELECT notice FROM outbox WHERE id = ?1)))",
        params![leader, lane, why, now.ms()],
    )?;
    Ok(())
}

impl Reader {
    /// How many answers went to a phone since then and until `now`, and what answers to it cost on the day of `now`; one that waits costs a segment.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sms_answers(
        &self,
        lane: Lane,
        since: Timestamp,
        per_segment: Money,
        now: Timestamp,
    ) -> Result<(u64, Money), StoreError> {
        let sql = "SELECT coalesce(sum(o.created_ms > ?2 AND o.created_ms <= ?5), 0), coalesce(sum(CASE WHEN s.id IS NOT NULL THEN s.cost
                     WHEN o.state IN ('pending', 'sending') THEN ?4 ELSE 0 END), 0)
                   FROM outbox o LEFT JOIN sms s ON s.delivery = o.id AND s.day = ?3 AND s.state != 'returned'
                   WHERE o.lane = ?1 AND o.task = 'answer'";
        let mut statement = self.connection().prepare_cached(sql)?;
        let of = params![lane.to_string(), since.ms(), day_of(now), per_segment.units(), now.ms()];
        Ok(statement.query_row(of, |row| Ok((unsigned(row, 0)?, Money::from_units(row.get(1)?))))?)
    }

    /// A message that the service took under this name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sms(&self, sid: &str) -> Result<Option<SmsRow>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT s.delivery, s.lane, s.state, s.grade, CASE o.task WHEN 'notice' THEN o.notice END, coalesce(o.state, '') != 'sending'
             FROM sms s LEFT JOIN outbox o ON o.id = s.delivery WHERE s.sid = ?1",
        )?;
        let found = statement.query_row([sid], |row| {
            let lane = row.get::<_, String>(1)?.parse().map_err(|error: String| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
            })?;
            let notice = row.get::<_, Option<i64>>(4)?.filter(|notice| *notice > 0);
            Ok(SmsRow {
                delivery: row.get(0)?,
                notice: notice.map(|notice| NoticeId(notice.unsigned_abs())),
                lane,
                state: row.get(2)?,
                grade: row.get(3)?,
                is_settled: row.get(5)?,
            })
        });
        Ok(found.optional()?)
    }

    /// What the service says became of the message of a delivery; none where it took none.
    pub(super) fn sms_state(&self, delivery: i64) -> Result<Option<String>, StoreError> {
        let sql =
            "SELECT state, segments, code FROM sms WHERE delivery = ?1 AND sid IS NOT NULL ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection().prepare_cached(sql)?;
        let found = statement.query_row([delivery], |row| {
            let (state, segments) = (row.get::<_, String>(0)?, unsigned(row, 1)?);
            let code = row.get::<_, Option<u32>>(2)?.map(|code| format!(", error {code}")).unwrap_or_default();
            let segments = if segments == 1 { String::new() } else { format!(" in {segments} segments") };
            Ok(format!("{state}{code}{segments}"))
        });
        Ok(found.optional()?)
    }

    /// When a delivery whose message has no name was tried last.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sms_tried(&self, delivery: i64) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT max(paid_ms) FROM sms WHERE delivery = ?1 AND sid IS NULL AND state = 'paid'";
        let ms: Option<i64> = self.connection().prepare_cached(sql)?.query_row([delivery], |row| row.get(0))?;
        Ok(ms.map(Timestamp::from_ms))
    }

    /// Whether nothing may be sent to the phone of this way.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn is_opted_out(&self, lane: Lane) -> Result<bool, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT 1 FROM sms_opt_outs WHERE lane = ?1")?;
        Ok(statement.exists([lane.to_string()])?)
    }
}
