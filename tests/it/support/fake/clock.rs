//! What time is it at the fake? Its own clock can be stopped and moved, so that hours pass in a test at once.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(crate) struct FakeClock {
    /// Milliseconds since 1970 at `since`.
    base_ms: u64,
    since: Instant,
    stopped: bool,
    /// Seconds by which the dates shown differ from the truth.
    pub(crate) skew_s: i64,
}

#[expect(clippy::disallowed_methods, reason = "a server of its own reads the machine's clock here and nowhere else")]
pub(crate) fn machine() -> (Instant, Duration) {
    (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

impl FakeClock {
    pub(crate) fn new() -> Self {
        let (now, wall) = machine();
        Self { base_ms: wall.as_millis() as u64, since: now, stopped: false, skew_s: 0 }
    }

    /// Milliseconds since 1970 by the fake's clock.
    pub(crate) fn now_ms(&self) -> u64 {
        let passed = if self.stopped { 0 } else { machine().0.duration_since(self.since).as_millis() as u64 };
        self.base_ms + passed
    }

    /// The date as shown, in seconds.
    pub(crate) fn date(&self) -> i64 {
        (self.now_ms() / 1000) as i64 + self.skew_s
    }

    /// Stops the clock, or lets it run on.
    pub(crate) fn stop(&mut self, stopped: bool) {
        self.base_ms = self.now_ms();
        self.since = machine().0;
        self.stopped = stopped;
    }

    pub(crate) fn advance(&mut self, ms: u64) {
        self.base_ms = self.base_ms.saturating_add(ms);
    }
}
