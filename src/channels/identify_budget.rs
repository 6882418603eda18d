//! May a new session begin on Discord's gateway? Fifty in a day at the most, far below the thousand after which Discord takes the token
//! away, spaced wider the more there were, and counted from one run to the next.

use std::time::Duration;

use crate::clock::{DAY_MS, Timestamp};

/// Sessions that may begin in 24 hours.
const BUDGET: usize = 50;
/// Discord lets one begin every five seconds.
const SPACE_MS: i64 = 5_000;
/// So many within an hour may follow each other that fast.
const QUICK: usize = 3;
const HOUR_MS: i64 = 60 * 60_000;
/// The widest space between two.
const SPACE_MS_MAX: i64 = 10 * 60_000;

/// When sessions began, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IdentifyBudget {
    at: Vec<Timestamp>,
}

/// Whether a session may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Now, and it is counted.
    Now,
    /// Not before so long.
    After(Duration),
    /// The day's are spent: there is room again after so long.
    Spent(Duration),
}

impl IdentifyBudget {
    /// As it was kept; what lies before us was written by a clock that went wrong, and counts as if it were now.
    pub(super) fn kept(at: &[i64], now: Timestamp) -> Self {
        let mut at: Vec<Timestamp> = at.iter().map(|ms| Timestamp::from_ms(*ms).min(now)).collect();
        at.sort();
        Self { at }
    }

    /// To be kept.
    pub(super) fn times(&self) -> Vec<i64> {
        self.at.iter().map(|at| at.ms()).collect()
    }

    /// Whether a session may begin, without taking leave.
    pub(super) fn look(&mut self, now: Timestamp) -> Leave {
        self.at.retain(|at| now.since(*at) < DAY_MS);
        if let Some(first) = self.at.first().filter(|_| self.at.len() >= BUDGET) {
            return Leave::Spent(millis(DAY_MS - now.since(*first)));
        }
        let within_hour = self.at.iter().filter(|at| now.since(**at) < HOUR_MS).count();
        let doublings = within_hour.saturating_sub(QUICK).min(16) as u32;
        let space = SPACE_MS.saturating_mul(1 << doublings).min(SPACE_MS_MAX);
        let wait = self.at.last().map_or(0, |last| last.plus_ms(space).since(now));
        if wait > 0 { Leave::After(millis(wait)) } else { Leave::Now }
    }

    /// Takes leave to begin a session, if it may begin now.
    pub(super) fn take(&mut self, now: Timestamp) -> Leave {
        let leave = self.look(now);
        if leave == Leave::Now {
            self.at.push(now);
        }
        leave
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn fifty_in_a_day_and_each_further_from_the_last() {
        let mut budget = IdentifyBudget::default();
        let (mut now, mut waits) = (at(0), vec![0]);
        while waits.len() <= 50 {
            match budget.take(now) {
                Leave::Now => waits.push(0),
                Leave::After(wait) => {
                    *waits.last_mut().expect("one") += wait.as_secs();
                    now = now.plus_ms(wait.as_millis() as i64);
                }
                Leave::Spent(_) => panic!("{waits:?}"),
            }
        }
        assert_eq!(waits[..7], [0, 5, 5, 5, 10, 20, 40]);
        assert!(waits.iter().all(|wait| *wait <= 600));
        let Leave::Spent(wait) = budget.take(now) else { panic!("a 51st") };
        assert_eq!(wait.as_millis() as i64, DAY_MS - now.ms(), "until the first is a day old");
        assert_eq!(budget.take(at(DAY_MS)), Leave::Now);
    }

    #[test]
    fn it_goes_on_from_one_run_to_the_next_whatever_the_clock_says() {
        let now = at(1_000_000);
        let mut budget = IdentifyBudget::default();
        budget.take(now);
        let mut next = IdentifyBudget::kept(&budget.times(), now.plus_ms(1_000));
        assert_eq!(next.take(now.plus_ms(1_000)), Leave::After(Duration::from_secs(4)));
        assert_eq!(next.times().len(), 1, "what has to wait is not counted");
        let ahead: Vec<i64> = (0..50).map(|_| i64::MAX).collect();
        let mut wrong = IdentifyBudget::kept(&ahead, now);
        assert_eq!(wrong.take(now), Leave::Spent(Duration::from_millis(DAY_MS as u64)), "no longer than a day");
    }
}
