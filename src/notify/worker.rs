//! Who carries messages? One worker a lane, one message under way, the loudest first.

use std::sync::Arc;

use chrono_tz::Tz;

use crate::clock::{Clock, Timestamp};
use crate::store::{Delivery, Settled, Store, StoreError};

use super::{Channel, Policy, SendError, Verdict, judge, notice};

/// The first wait after a failure; each further one doubles it.
const RETRY_MS: i64 = 1_000;
/// The longest wait between two tries.
const RETRY_MS_MAX: i64 = 60_000;
/// Tries after which a message is given up.
const ATTEMPTS_MAX: u32 = 12;
const _: () = assert!(RETRY_MS < RETRY_MS_MAX);

/// What one step of a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Messages that the channel took.
    pub sent: usize,
    /// Messages that were held back, put off or given up.
    pub unsent: usize,
    /// True if the channel is closed for the rest of this run.
    pub closed: bool,
}

/// Carries one lane's messages.
pub struct Worker {
    store: Store,
    clock: Arc<dyn Clock>,
    channel: Arc<dyn Channel>,
    lane: String,
    policy: Policy,
    zone: Tz,
    /// How the prices are marked: `paper`, or `sim` where even the market is made up.
    mark: &'static str,
    settled: Option<(i64, Settled)>,
}

impl Worker {
    /// A worker for a lane.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        channel: Arc<dyn Channel>,
        lane: &str,
        policy: Policy,
        zone: Tz,
        mark: &'static str,
    ) -> Self {
        Self { store, clock, channel, lane: lane.to_owned(), policy, zone, mark, settled: None }
    }

    /// One bounded step: up to `messages_max` messages. Each is marked as under way before it is sent, and settled in the transaction that
    /// takes up the next; a crash in between leaves one message of unknown fate, which the next start repeats with a mark.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tick(&mut self, messages_max: usize) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        for _ in 0..messages_max {
            let now = self.clock.now();
            let next = self.store.settle_and_take(&self.lane, self.settled.clone(), now, RETRY_MS_MAX)?;
            self.settled = None;
            let Some(delivery) = next else { break };
            self.store.points().pass("delivery: marked, not sent")?;
            let outcome = self.attempt(&delivery, now).await;
            self.store.points().pass("delivery: sent, not settled")?;
            tally.closed = outcome.is_none();
            if outcome == Some(Settled::Sent) {
                tally.sent += 1;
            } else {
                tally.unsent += 1;
            }
            let kept = || Settled::Later(now, "nobody read".to_owned());
            self.settled = Some((delivery.id, outcome.unwrap_or_else(kept)));
            if tally.closed {
                break;
            }
        }
        if let Some(settled) = self.settled.take() {
            // Nothing may stay open only because nothing came after it.
            self.store.settle(settled, self.clock.now())?;
        }
        Ok(tally)
    }

    /// What became of one try; none if the channel is closed.
    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> Option<Settled> {
        if let Verdict::Skip(why) = judge(delivery, &self.policy, now) {
            return Some(Settled::Skipped(why.to_owned()));
        }
        Some(match self.channel.send(&notice(delivery, self.zone, self.mark, now)).await {
            Ok(()) => Settled::Sent,
            Err(SendError::Closed) => return None,
            Err(SendError::Unreachable(why)) if delivery.attempts < ATTEMPTS_MAX => {
                let wait = RETRY_MS.saturating_mul(1 << delivery.attempts.min(16)).min(RETRY_MS_MAX);
                Settled::Later(now.plus_ms(wait), why)
            }
            Err(SendError::Unreachable(why) | SendError::Rejected(why)) => Settled::Dead(why),
        })
    }
}
