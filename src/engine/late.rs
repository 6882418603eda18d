//! Does the engine keep up with the market? Cycles that begin too late are gathered and told together.

use std::time::Duration;

use crate::domain::{Event, EventKind, Timeframe};

use super::Pace;
use super::runner::Runner;

/// How long late cycles are gathered at the most.
const GATHER_MS: u128 = 10 * 60_000;
/// A cycle may be this late however short its bars are: work that took a moment is made up for within it.
const SLACK_MS: u64 = 1_000;

/// Cycles that began late and were not told.
#[derive(Debug, Default)]
pub(super) struct Late {
    cycles: u64,
    most_ms: u64,
    since: Duration,
}

impl Late {
    /// Takes a cycle that begins at `now`, so late, where more than `allowed_ms` counts; what is to be told, once it is in time again or
    /// ten minutes after the first that was not.
    fn note(&mut self, late_ms: u64, allowed_ms: u64, now: Duration) -> Option<EventKind> {
        if late_ms > allowed_ms {
            if self.cycles == 0 {
                self.since = now;
            }
            self.cycles += 1;
            self.most_ms = self.most_ms.max(late_ms);
            if now.saturating_sub(self.since).as_millis() < GATHER_MS {
                return None;
            }
        }
        let Self { cycles, most_ms, .. } = std::mem::take(self);
        let seconds = i64::try_from(most_ms / 1_000).unwrap_or(i64::MAX);
        (cycles > 0).then_some(EventKind::CyclesMissed { cycles, late_s: seconds })
    }
}

impl Runner {
    /// Notes how late the next cycle begins. At full pace nothing is due.
    pub(super) fn note_late(&mut self, late_ms: u64) {
        if self.options.pace == Pace::Max {
            return;
        }
        let finest = self.engine.lanes.iter().filter_map(|lane| lane.timeframe).min();
        let bar_ms = self.options.pace.wait_ms(finest.map_or(0, Timeframe::ms));
        if let Some(kind) = self.late.note(late_ms, bar_ms.max(SLACK_MS), self.clock.steady()) {
            self.group.outcome.tell(self.engine.counters.cycle, Event { at: self.market, book: None, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_cycles_are_told_together() {
        let mut late = Late::default();
        let mut note = |late_ms, at_s| late.note(late_ms, 1_000, Duration::from_secs(at_s));
        assert_eq!((note(1_000, 1), note(1_001, 2), note(5_400, 3)), (None, None, None));
        assert_eq!(note(0, 4), Some(EventKind::CyclesMissed { cycles: 2, late_s: 5 }));
        assert_eq!(note(0, 5), None);
        // It never catches up: every ten minutes.
        assert_eq!((note(2_000, 100), note(3_000, 699)), (None, None));
        assert_eq!(note(2_500, 700), Some(EventKind::CyclesMissed { cycles: 3, late_s: 3 }));
        assert_eq!((note(2_000, 701), note(2_000, 1_300)), (None, None));
        assert_eq!(note(2_000, 1_301), Some(EventKind::CyclesMissed { cycles: 3, late_s: 2 }));
    }
}
