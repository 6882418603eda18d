//! Is there any use in trying? Waits between two tries, and when a way counts as dead.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::clock::Timestamp;
use crate::store::LaneState;

/// The first wait is at most this; each further failure doubles it.
const RETRY: Duration = Duration::from_secs(1);
/// No wait is longer than this.
const RETRY_MAX: Duration = Duration::from_mins(1);
/// A way that refuses everything is looked at again after this.
const SHUT: Duration = Duration::from_secs(30);
/// So many failures in a row, or failures for so long, make a way dead.
const FAILURES_MAX: u32 = 3;
const FAILING_MS_MAX: i64 = 20_000;
const _: () = assert!(RETRY.as_millis() < RETRY_MAX.as_millis() && SHUT.as_millis() <= RETRY_MAX.as_millis());

/// The breaker of one lane.
#[derive(Debug, Clone)]
pub(super) struct Breaker {
    state: LaneState,
    chance: ChaCha8Rng,
}

impl Breaker {
    /// A breaker that goes on where `state` stopped. The seed decides its waits.
    pub(super) fn new(lane: &str, state: Option<LaneState>, seed: u64) -> Self {
        let well = LaneState {
            lane: lane.to_owned(),
            dead: false,
            since: Timestamp::default(),
            failures: 0,
            why: String::new(),
        };
        Self { state: state.unwrap_or(well), chance: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// How the lane is.
    pub(super) fn state(&self) -> &LaneState {
        &self.state
    }

    /// Something came through. For how long the way was dead, in milliseconds, if it was.
    pub(super) fn succeed(&mut self, now: Timestamp) -> Option<i64> {
        let was = self.state.dead.then(|| now.since(self.state.since).max(0));
        if self.state.failures > 0 || self.state.dead {
            self.state = LaneState { dead: false, since: now, failures: 0, why: String::new(), ..self.state.clone() };
        }
        was
    }

    /// A try failed. How long to rest, by full jitter; and true if the way counts as dead from now on.
    pub(super) fn fail(&mut self, why: &str, now: Timestamp) -> (Duration, bool) {
        // A clock that was set back must not make a way seem well for as long as that.
        if self.state.failures == 0 || self.state.since > now {
            self.state.since = now;
        }
        self.state.failures = self.state.failures.saturating_add(1);
        self.state.why = why.chars().take(200).collect();
        let ceiling = RETRY.saturating_mul(1 << (self.state.failures - 1).min(16)).min(RETRY_MAX);
        let share = f64::from(self.chance.next_u32()) / f64::from(u32::MAX);
        (ceiling.mul_f64(share), self.dies(now, false))
    }

    /// Everything is refused here. How long to rest; true if the way counts as dead from now on.
    pub(super) fn shut(&mut self, why: &str, now: Timestamp) -> (Duration, bool) {
        self.fail(why, now);
        (SHUT, self.dies(now, true))
    }

    fn dies(&mut self, now: Timestamp, at_once: bool) -> bool {
        let failing = self.state.failures >= FAILURES_MAX || now.since(self.state.since) >= FAILING_MS_MAX;
        let dies = !self.state.dead && (at_once || failing);
        self.state.dead |= dies;
        dies
    }
}
