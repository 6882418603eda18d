//! May a message go now? A bucket of tokens a lane, of which the last is kept for what is critical. No crate's limiter keeps one back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Allowance;

/// Tokens of one lane, by the steady clock.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    allowance: Allowance,
    /// Time that has gathered; a token is worth `allowance.refill` of it.
    saved: Duration,
    at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn full(allowance: Allowance, now: Duration) -> Self {
        Self { allowance, saved: allowance.refill * allowance.burst, at: now }
    }

    /// How long until a message may go; zero if it may go now. What is not critical leaves one token.
    pub(super) fn wait(&mut self, is_critical: bool, now: Duration) -> Duration {
        let full = self.allowance.refill * self.allowance.burst;
        self.saved = (self.saved + now.saturating_sub(self.at)).min(full);
        self.at = now;
        let tokens = if is_critical || self.allowance.burst < 2 { 1 } else { 2 };
        (self.allowance.refill * tokens).saturating_sub(self.saved)
    }

    /// Takes the token of a message that goes.
    pub(super) fn take(&mut self) {
        self.saved = self.saved.saturating_sub(self.allowance.refill);
    }

    /// The message did not go after all.
    pub(super) fn give_back(&mut self) {
        self.saved += self.allowance.refill;
    }

    /// The service said that it was too much: what was thought to be left is not there.
    pub(super) fn empty(&mut self) {
        self.saved = Duration::ZERO;
    }
}

/// What all lanes of a service have together; clones draw on the same.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Mutex<Bucket>>);

impl Pool {
    /// A full one.
    pub fn full(allowance: Allowance, now: Duration) -> Self {
        Self(Arc::new(Mutex::new(Bucket::full(allowance, now))))
    }

    /// The message did not go after all.
    pub(super) fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).give_back();
    }

    /// Takes a token. How long to wait where there is none; zero if it was taken.
    pub(super) fn take(&self, is_critical: bool, now: Duration) -> Duration {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = bucket.wait(is_critical, now);
        if wait.is_zero() {
            bucket.take();
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_token_is_for_what_is_critical() {
        let secs = Duration::from_secs;
        let mut bucket = Bucket::full(Allowance { burst: 3, refill: secs(1) }, secs(0));
        let mut go = |is_critical, at| {
            let wait = bucket.wait(is_critical, secs(at));
            if wait.is_zero() {
                bucket.take();
            }
            wait
        };
        assert_eq!([go(false, 0), go(false, 0)], [secs(0); 2]);
        assert_eq!(go(false, 0), secs(1), "one is kept back");
        assert_eq!(go(true, 0), secs(0));
        assert_eq!(go(true, 0), secs(1), "there is no more than that");
        assert_eq!(go(false, 1), secs(1));
        assert_eq!(go(false, 100), secs(0));
    }
}
