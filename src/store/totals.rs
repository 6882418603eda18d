//! How often did it happen? Counts since the database was made, kept in the transaction that makes them true.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use crate::clock::Timestamp;
use crate::domain::{Event, EventKind};

use super::pulses::{beat, lane_part};
use super::{Reader, StoreError};

/// Upper bounds of the classes that times from commit to receipt are counted in, in milliseconds. What takes longer is in none of them.
pub const LATENCY_BOUNDS_MS: [i64; 10] = [50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000];

/// The class of what took longer than all bounds.
const BEYOND: &str = "inf";

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    /// Facts, by kind and severity.
    Events,
    /// Refusals, by check.
    Refusals,
    /// Fills.
    Fills,
    /// Round trips.
    Trades,
    /// Tries that ended, by lane and outcome.
    Attempts,
    /// Messages that were taken, by lane and class of latency.
    Latencies,
    /// The sum of their latencies in milliseconds, by lane.
    LatencySum,
    /// Updates that nobody could read, by channel.
    Unread,
}

impl Total {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Refusals => "refusals",
            Self::Fills => "fills",
            Self::Trades => "trades",
            Self::Attempts => "attempts",
            Self::Latencies => "latencies",
            Self::LatencySum => "latency sum",
            Self::Unread => "updates unread",
        }
    }
}

/// Adds to a total.
pub(super) fn add(transaction: &Transaction<'_>, total: Total, label: &str, by: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO totals (name, label, count) VALUES (?1, ?2, ?3)
             ON CONFLICT (name, label) DO UPDATE SET count = count + excluded.count",
        )?
        .execute(params![total.as_str(), label, by])?;
    Ok(())
}

/// Counts what a batch tells, one write for each kind that is in it.
pub(super) fn add_events<'a>(
    transaction: &Transaction<'_>,
    events: impl Iterator<Item = &'a Event>,
) -> Result<(), StoreError> {
    let mut kinds: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut checks: BTreeMap<&str, i64> = BTreeMap::new();
    // What somebody must not be told of is counted nowhere that they may look.
    for event in events.filter(|event| !event.kind.is_kept_from_some()) {
        *kinds.entry((event.kind.name(), event.kind.severity().as_str())).or_default() += 1;
        if let EventKind::ProposalRefused { refusals, .. } = &event.kind {
            for refusal in refusals {
                *checks.entry(&refusal.check).or_default() += 1;
            }
        }
    }
    for ((kind, severity), count) in kinds {
        add(transaction, Total::Events, &format!("{kind} {severity}"), count)?;
    }
    for (check, count) in checks {
        add(transaction, Total::Refusals, check, count)?;
    }
    Ok(())
}

/// Counts the tries that were under way when the bot died.
pub(super) fn count_unknown(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT o.lane, count(*) FROM outbox o JOIN attempts a ON a.delivery = o.id
         WHERE o.state = 'sending' AND a.outcome = 'sending' GROUP BY o.lane",
    )?;
    let lanes = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    for row in lanes.collect::<Result<Vec<_>, _>>()? {
        add(transaction, Total::Attempts, &format!("{} unknown", row.0), row.1)?;
    }
    Ok(())
}

/// Counts a try that ended, and how long it took from the commit; not where the message was held back on purpose.
pub(super) fn count_try(
    transaction: &Transaction<'_>,
    leader: i64,
    outcome: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (lane, created, prompt): (String, i64, bool) = transaction
        .prepare_cached(
            "SELECT lane, created_ms, task != 'edit' AND NOT held AND NOT unless_acked FROM outbox WHERE id = ?1",
        )?
        .query_row([leader], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    add(transaction, Total::Attempts, &format!("{lane} {outcome}"), 1)?;
    if outcome != "accepted" {
        return Ok(());
    }
    beat(transaction, &lane_part(&lane), now)?;
    if prompt { add_latency(transaction, &lane, now.ms().saturating_sub(created)) } else { Ok(()) }
}

/// Counts a message that the channel took so long after its commit.
fn add_latency(transaction: &Transaction<'_>, lane: &str, ms: i64) -> Result<(), StoreError> {
    let ms = ms.max(0);
    let class = LATENCY_BOUNDS_MS.into_iter().find(|bound| ms <= *bound);
    let class = class.map_or_else(|| BEYOND.to_owned(), |bound| bound.to_string());
    add(transaction, Total::Latencies, &format!("{lane} {class}"), 1)?;
    add(transaction, Total::LatencySum, lane, ms)
}

/// Times from commit to receipt on one lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LatencyTotals {
    /// How many messages are in each class of [`LATENCY_BOUNDS_MS`], and in the one beyond it.
    pub classes: [u64; LATENCY_BOUNDS_MS.len() + 1],
    /// The sum of their times, in milliseconds.
    pub sum_ms: u64,
}

/// All totals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Facts, by kind and severity.
    pub events: Vec<(String, String, u64)>,
    /// Refusals, by check. An order that several checks refuse counts for each.
    pub refusals: Vec<(String, u64)>,
    /// Fills.
    pub fills: u64,
    /// Round trips.
    pub trades: u64,
    /// Tries that ended, by lane and outcome.
    pub attempts: Vec<(String, String, u64)>,
    /// Times from commit to receipt, by lane.
    pub latencies: BTreeMap<String, LatencyTotals>,
    /// Updates that nobody could read and that were passed over, by channel.
    pub unread: Vec<(String, u64)>,
}

impl Totals {
    fn take(&mut self, name: &str, label: &str, count: u64) {
        let is = |total: Total| name == total.as_str();
        let (first, second) = label.rsplit_once(' ').unwrap_or((label, ""));
        if is(Total::Events) {
            self.events.push((first.to_owned(), second.to_owned(), count));
        } else if is(Total::Refusals) {
            self.refusals.push((label.to_owned(), count));
        } else if is(Total::Fills) {
            self.fills = count;
        } else if is(Total::Trades) {
            self.trades = count;
        } else if is(Total::Attempts) {
            self.attempts.push((first.to_owned(), second.to_owned(), count));
        } else if is(Total::Latencies) {
            let class = LATENCY_BOUNDS_MS.iter().position(|bound| bound.to_string() == second);
            let classes = &mut self.latencies.entry(first.to_owned()).or_default().classes;
            classes[class.unwrap_or(LATENCY_BOUNDS_MS.len())] += count;
        } else if is(Total::LatencySum) {
            self.latencies.entry(label.to_owned()).or_default().sum_ms = count;
        } else if is(Total::Unread) {
            self.unread.push((label.to_owned(), count));
        }
    }
}

impl Reader {
    /// How often each thing happened since the database was made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn totals(&self) -> Result<Totals, StoreError> {
        let sql = "SELECT name, label, count FROM totals ORDER BY name, label";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut totals = Totals::default();
        while let Some(row) = rows.next()? {
            let (name, label): (String, String) = (row.get(0)?, row.get(1)?);
            totals.take(&name, &label, super::state::unsigned(row, 2)?);
        }
        Ok(totals)
    }
}
