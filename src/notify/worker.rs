//! Who carries messages? One worker a lane, one message under way, the loudest first.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use crate::clock::{Clock, Timestamp};
use crate::store::{Delivery, Settled, Store, StoreError};

use super::filters::{Verdict, judge};
use super::{Channel, Policy, SendError, notice};

/// The first wait after a failure; each further one doubles it.
const RETRY_MS: i64 = 1_000;
/// The longest wait between two tries.
const RETRY_MS_MAX: i64 = 60_000;
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
    failures: u32,
    resting_until: Duration,
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
        Self {
            store,
            clock,
            channel,
            lane: lane.to_owned(),
            policy,
            zone,
            mark,
            settled: None,
            failures: 0,
            resting_until: Duration::ZERO,
        }
    }

    /// One bounded step: up to `messages_max` messages. Each is marked as under way before it is sent, and settled in the transaction that
    /// takes up the next; a crash in between leaves one message of unknown fate, which the next start repeats with a mark.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tick(&mut self, messages_max: usize) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        if self.clock.steady() < self.resting_until {
            return Ok(tally);
        }
        for _ in 0..messages_max {
            let now = self.clock.now();
            let next = self.store.settle_and_take(&self.lane, self.settled.clone(), now, RETRY_MS_MAX)?;
            self.settled = None;
            let Some(delivery) = next else { break };
            self.store.points().pass("delivery: marked, not sent")?;
            let tried = self.attempt(&delivery, now).await;
            self.store.points().pass("delivery: sent, not settled")?;
            tally.closed = matches!(tried, Tried::Closed);
            let resting = self.note(&delivery, tried, now, &mut tally);
            if resting || tally.closed {
                break;
            }
        }
        if let Some(settled) = self.settled.clone() {
            // Nothing may stay open only because nothing came after it.
            self.store.settle(settled, self.clock.now())?;
            self.settled = None;
        }
        Ok(tally)
    }

    /// Keeps what became of a try for the next transaction; true if the whole lane is to rest. It rests as one, so that what comes later
    /// does not overtake what could not be sent.
    fn note(&mut self, delivery: &Delivery, tried: Tried, now: Timestamp, tally: &mut Tally) -> bool {
        let (outcome, resting) = match tried {
            Tried::Settled(outcome) => (outcome, false),
            Tried::Closed => (Settled::Later(now, "nobody read".to_owned()), false),
            Tried::Unreachable(why) => {
                let wait = RETRY_MS.saturating_mul(1 << self.failures.min(16)).min(RETRY_MS_MAX);
                self.failures = self.failures.saturating_add(1);
                self.resting_until = self.clock.steady() + Duration::from_millis(wait.unsigned_abs());
                (Settled::Later(now, why), true)
            }
        };
        if outcome == Settled::Sent {
            tally.sent += 1;
            self.failures = 0;
        } else {
            tally.unsent += 1;
        }
        self.settled = Some((delivery.id, outcome));
        resting
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> Tried {
        if let Verdict::Skip(why) = judge(delivery, &self.policy, now) {
            return Tried::Settled(Settled::Skipped(why.to_owned()));
        }
        match self.channel.send(&notice(delivery, self.zone, self.mark, now)).await {
            Ok(()) => Tried::Settled(Settled::Sent),
            Err(SendError::Closed) => Tried::Closed,
            Err(SendError::Unreachable(why)) => Tried::Unreachable(why),
            Err(SendError::Rejected(why)) => Tried::Settled(Settled::Dead(why)),
        }
    }
}

/// What became of one try.
enum Tried {
    Settled(Settled),
    Unreachable(String),
    Closed,
}
