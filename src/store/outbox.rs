//! Who has to be told what, and did it arrive? A row a notice and lane, from the transaction that made the fact to its receipt.

use rusqlite::{OptionalExtension, Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{Event, EventKind, NoticeId, Severity};

use super::state::{time, unsigned};
use super::{Reader, Store, StoreError};

/// A way to one person: a channel and a destination on it. One message is under way on a lane at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneSpec {
    /// Its name, such as `terminal:owner`.
    pub name: String,
    /// What is quieter than this is not told on it.
    pub min: Severity,
}

/// A delivery that was taken up to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its row.
    pub id: i64,
    /// The notice's number.
    pub notice: NoticeId,
    /// The lane.
    pub lane: String,
    /// How often it was tried before.
    pub attempts: u32,
    /// True if an earlier attempt may have arrived: the message must say so.
    pub repeated: bool,
    /// How loud it is.
    pub severity: Severity,
    /// The fact.
    pub event: Event,
    /// When it was committed, on the wall clock.
    pub created: Timestamp,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The channel took it.
    Sent,
    /// It will be tried again at this time, because.
    Later(Timestamp, String),
    /// It will not be sent, because.
    Skipped(String),
    /// It cannot be sent, because.
    Dead(String),
}

/// How many deliveries of a lane are in which state. Accepted = sent + skipped + dead + open, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LaneCounts {
    /// The lane.
    pub lane: String,
    /// All rows.
    pub accepted: u64,
    /// Taken by the channel.
    pub sent: u64,
    /// Held back by a filter.
    pub skipped: u64,
    /// Given up.
    pub dead: u64,
    /// Not settled yet.
    pub open: u64,
}

/// Gives a fact its number and a row for each lane it is loud enough for.
pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    seq: i64,
    severity: Severity,
    lanes: &[LaneSpec],
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction.prepare_cached("INSERT INTO notices (seq) VALUES (?1)")?.execute([seq])?;
    let notice = transaction.last_insert_rowid();
    for lane in lanes.iter().filter(|lane| severity >= lane.min) {
        transaction
            .prepare_cached(
                "INSERT INTO outbox (notice, lane, priority, state, created_ms) VALUES (?1, ?2, ?3, 'pending', ?4)",
            )?
            .execute(params![notice, lane.name, severity as i64, now.ms()])?;
    }
    Ok(())
}

impl Store {
    /// Settles the delivery that was under way and takes up the lane's next one, in one transaction: what a crash leaves as `sending`
    /// is then at most one message a lane. A due time farther off than `wait_max_ms` can only come from a clock that was set, and
    /// counts as due.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle_and_take(
        &self,
        lane: &str,
        settled: Option<(i64, Settled)>,
        now: Timestamp,
        wait_max_ms: i64,
    ) -> Result<Option<Delivery>, StoreError> {
        let (lane, points) = (lane.to_owned(), self.points().clone());
        self.write(move |transaction| {
            if let Some((id, outcome)) = settled {
                settle(transaction, id, &outcome, now)?;
                points.pass("outbox: settled, next not taken")?;
            }
            let next = next_due(transaction, &lane, now, wait_max_ms)?;
            if let Some(delivery) = &next {
                transaction
                    .prepare_cached("UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE id = ?1")?
                    .execute([delivery.id])?;
            }
            points.pass("outbox: taken")?;
            Ok(next)
        })
    }

    /// Settles a delivery without taking up another.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle(&self, settled: (i64, Settled), now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| settle(transaction, settled.0, &settled.1, now))
    }

    /// After a restart: what was under way has an unknown fate and will be sent once more, marked. How many.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn reclaim_unknown(&self) -> Result<usize, StoreError> {
        self.write(|transaction| {
            Ok(transaction
                .execute("UPDATE outbox SET state = 'pending', repeated = 1, due_ms = 0 WHERE state = 'sending'", [])?)
        })
    }
}

fn settle(transaction: &Transaction<'_>, id: i64, outcome: &Settled, now: Timestamp) -> Result<(), StoreError> {
    let (state, due, why) = match outcome {
        Settled::Sent => ("sent", 0, None),
        Settled::Later(due, why) => ("pending", due.ms(), Some(why)),
        Settled::Skipped(why) => ("skipped", 0, Some(why)),
        Settled::Dead(why) => ("dead", 0, Some(why)),
    };
    transaction
        .prepare_cached("UPDATE outbox SET state = ?2, due_ms = ?3, verdict = ?4, settled_ms = ?5 WHERE id = ?1")?
        .execute(params![id, state, due, why, now.ms()])?;
    Ok(())
}

fn next_due(
    transaction: &Transaction<'_>,
    lane: &str,
    now: Timestamp,
    wait_max_ms: i64,
) -> Result<Option<Delivery>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT o.id, o.notice, o.attempts, o.repeated, o.created_ms, j.market_ms, j.book, j.body
         FROM (SELECT * FROM outbox WHERE lane = ?1 AND state = 'pending'
                 AND (due_ms <= ?2 OR due_ms > ?2 + ?3) ORDER BY priority DESC, id LIMIT 1) o
         JOIN notices n ON n.number = o.notice JOIN journal j ON j.seq = n.seq",
    )?;
    let found = statement.query_row(params![lane, now.ms(), wait_max_ms], |row| {
        let book: Option<String> = row.get(6)?;
        let body: String = row.get(7)?;
        let kept = (row.get::<_, i64>(0)?, unsigned(row, 1)?, row.get::<_, u32>(2)?, row.get::<_, bool>(3)?);
        Ok((kept, time(row, 4)?, time(row, 5)?, book, body))
    });
    let Some(((id, notice, attempts, repeated), created, at, book, body)) = found.optional()? else { return Ok(None) };
    let kind: EventKind = serde_json::from_str(&body)?;
    let book = book.and_then(|book| book.parse().ok());
    Ok(Some(Delivery {
        id,
        notice: NoticeId(notice),
        lane: lane.to_owned(),
        attempts,
        repeated,
        severity: kind.severity(),
        event: Event { at, book, kind },
        created,
    }))
}

impl Reader {
    /// The states of all deliveries, by lane.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lane_counts(&self) -> Result<Vec<LaneCounts>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT lane, count(*), sum(state = 'sent'), sum(state = 'skipped'), sum(state = 'dead'),
               sum(state IN ('pending', 'sending')) FROM outbox GROUP BY lane ORDER BY lane",
        )?;
        let rows = statement.query_map([], |row| {
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

    /// Deliveries of a lane that are not settled.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn open_deliveries(&self, lane: &str) -> Result<u64, StoreError> {
        let mut statement = self
            .connection()
            .prepare_cached("SELECT count(*) FROM outbox WHERE lane = ?1 AND state IN ('pending', 'sending')")?;
        Ok(statement.query_row([lane], |row| unsigned(row, 0))?)
    }
}
