//! May Discord be called now? Buckets that the heads of its answers describe, fifty calls a second in all, and few refused ones. Nothing
//! sleeps here: who has to wait is told for how long. The limiters of crates count by numbers that are set beforehand; these learn theirs.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::discord_answer::Rates;

/// Calls of the whole bot in one second, but for answers to interactions.
const GLOBAL: usize = 50;
const SECOND: Duration = Duration::from_secs(1);
/// Calls that are answered by 401, 403 or 429 until Discord bars the address, with room to spare: it does at 10,000.
const INVALID_MAX: usize = 9_000;
/// The time in which they are counted.
const INVALID_TIME: Duration = Duration::from_mins(10);
/// Buckets that are remembered before those that are over are forgotten.
const BUCKETS_KEPT: usize = 256;

/// What a call counts towards.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    /// The method and the form of the path, without numbers.
    pub(super) route: &'static str,
    /// The channel, server or webhook in it: each has its own bucket.
    pub(super) major: u64,
    /// It answers an interaction: the limit of the whole bot does not count it.
    pub(super) exempt: bool,
    /// It leaves the last call of a window to what cannot wait.
    pub(super) yields: bool,
}

/// Why a call does not go now, with how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing may go there.
    Throttled(Duration),
    /// One call is left, and it is kept for what cannot wait.
    Kept(Duration),
}

/// One bucket, in one window.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    /// Zero where it is not known.
    limit: u32,
    remaining: u32,
    /// When the next window begins, on the steady clock; unknown before the first answer.
    resets: Option<Duration>,
    under_way: u32,
}

/// Every limit that is known.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// The names of buckets, by routes.
    names: HashMap<&'static str, String>,
    /// By name, or by route before the name is known, and major number.
    windows: HashMap<(String, u64), Bucket>,
    /// When calls went, on the steady clock.
    calls: VecDeque<Duration>,
    /// Until when nothing may go at all.
    barred: Duration,
    /// When calls were refused that count as invalid.
    invalid: VecDeque<Duration>,
}

impl Buckets {
    fn key(&self, lane: &Lane) -> (String, u64) {
        (self.names.get(lane.route).cloned().unwrap_or_else(|| lane.route.to_owned()), lane.major)
    }

    /// Takes a place for a call; [`Buckets::done`] gives it back.
    ///
    /// # Errors
    /// With how long to wait.
    pub(super) fn enter(&mut self, lane: &Lane, now: Duration) -> Result<(), Held> {
        self.look(lane, now).map_err(Held::Throttled)?;
        let bucket = self.windows.entry(self.key(lane)).or_default();
        if let Some(resets) = bucket.resets.filter(|_| lane.yields && bucket.limit > 1 && bucket.remaining <= 1) {
            return Err(Held::Kept(resets.saturating_sub(now)));
        }
        bucket.remaining = bucket.remaining.saturating_sub(1);
        bucket.under_way += 1;
        if !lane.exempt {
            self.calls.push_back(now);
        }
        Ok(())
    }

    /// How long a call has to wait, if it has to.
    fn look(&mut self, lane: &Lane, now: Duration) -> Result<(), Duration> {
        drop_before(&mut self.invalid, now, INVALID_TIME);
        if self.invalid.len() >= INVALID_MAX {
            let wait = self.invalid.front().map_or(INVALID_TIME, |first| (*first + INVALID_TIME).saturating_sub(now));
            tracing::error!("Discord refused {INVALID_MAX} calls in ten minutes: nothing is sent for {wait:?}");
            return Err(wait);
        }
        if !lane.exempt {
            if now < self.barred {
                return Err(self.barred.saturating_sub(now));
            }
            drop_before(&mut self.calls, now, SECOND);
            if let Some(first) = self.calls.front().filter(|_| self.calls.len() >= GLOBAL) {
                return Err((*first + SECOND).saturating_sub(now).max(Duration::from_millis(1)));
            }
        }
        let key = self.key(lane);
        let bucket = self.windows.entry(key).or_insert(Bucket { remaining: u32::MAX, ..Bucket::default() });
        if let Some(resets) = bucket.resets.filter(|resets| now >= *resets) {
            tracing::trace!(route = lane.route, ?resets, "a new window");
            let known = if bucket.limit == 0 { u32::MAX } else { bucket.limit };
            (bucket.resets, bucket.remaining) = (None, known.saturating_sub(bucket.under_way).max(1));
        }
        if bucket.remaining == 0 && bucket.resets.is_none() && bucket.under_way == 0 {
            // No answer told anything: the next one may.
            bucket.remaining = u32::MAX;
        }
        if bucket.remaining == 0 {
            // Without a time the last call of the window is still under way: its answer tells.
            return Err(bucket.resets.map_or(SECOND, |resets| resets.saturating_sub(now)));
        }
        Ok(())
    }

    /// A call is over. Its answer's head is there where it had one; `paused` is the wait of a 429.
    pub(super) fn done(&mut self, lane: &Lane, answer: Option<(u16, &Rates)>, paused: Option<Duration>, now: Duration) {
        let before = self.key(lane);
        let unknown = Bucket { remaining: u32::MAX, ..Bucket::default() };
        let mut bucket = self.windows.get(&before).copied().unwrap_or(unknown);
        bucket.under_way = bucket.under_way.saturating_sub(1);
        let Some((status, rates)) = answer else {
            self.windows.insert(before, bucket);
            return;
        };
        if matches!(status, 401 | 403) || (status == 429 && !rates.shared) {
            self.invalid.push_back(now);
        }
        if let Some(name) = rates.bucket.as_ref().filter(|name| self.names.get(lane.route) != Some(name)) {
            self.names.insert(lane.route, name.clone());
            self.windows.remove(&before);
        }
        let told = rates.remaining.zip(rates.reset_after);
        if let Some((remaining, reset_after)) = told {
            bucket.limit = rates.limit.unwrap_or(bucket.limit).max(1);
            let resets = now + reset_after;
            // An answer that was overtaken knows less than the one before it.
            let is_newer = bucket.resets.is_none_or(|known| resets > known + reset_after / 2);
            let left = remaining.saturating_sub(bucket.under_way);
            bucket.remaining = if is_newer { left } else { bucket.remaining.min(left) };
            bucket.resets = Some(bucket.resets.map_or(resets, |known| known.max(resets)));
        }
        match paused {
            Some(wait) if rates.global => self.barred = self.barred.max(now + wait),
            Some(wait) => (bucket.remaining, bucket.resets) = (0, Some(now + wait)),
            None => {}
        }
        let key = self.key(lane);
        self.windows.insert(key, bucket);
        if self.windows.len() > BUCKETS_KEPT {
            self.windows.retain(|_, bucket| bucket.under_way > 0 || bucket.resets.is_some_and(|resets| resets > now));
        }
    }
}

fn drop_before(stamps: &mut VecDeque<Duration>, now: Duration, time: Duration) {
    while stamps.front().is_some_and(|stamp| *stamp + time <= now) {
        stamps.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: Lane = Lane { route: "POST /channels/{}/messages", major: 7, exempt: false, yields: false };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn rates(remaining: u32, reset_ms: u64) -> Rates {
        let reset_after = Some(ms(reset_ms));
        Rates {
            bucket: Some("abc".to_owned()),
            limit: Some(2),
            remaining: Some(remaining),
            reset_after,
            ..Rates::default()
        }
    }

    #[test]
    fn a_bucket_is_learnt_from_heads_and_kept_by_major_number() {
        let mut buckets = Buckets::default();
        assert_eq!(buckets.enter(&POST, ms(0)), Ok(()));
        buckets.done(&POST, Some((200, &rates(1, 5_000))), None, ms(10));
        assert_eq!(buckets.enter(&POST, ms(20)), Ok(()));
        assert!(buckets.enter(&POST, ms(21)).is_err(), "the last of the window is under way");
        buckets.done(&POST, Some((200, &rates(0, 4_980))), None, ms(30));
        assert_eq!(buckets.enter(&POST, ms(1_010)), Err(Held::Throttled(ms(4_000))));
        let other = Lane { major: 8, ..POST };
        assert_eq!(buckets.enter(&other, ms(1_010)), Ok(()), "another channel");
        assert_eq!(buckets.enter(&POST, ms(5_010)), Ok(()), "the next window");
        assert_eq!(buckets.enter(&POST, ms(5_011)), Ok(()));
        assert!(buckets.enter(&POST, ms(5_012)).is_err());
    }

    #[test]
    fn the_last_call_of_a_window_is_kept_for_what_cannot_wait() {
        let mut buckets = Buckets::default();
        let quiet = Lane { yields: true, ..POST };
        assert_eq!(buckets.enter(&quiet, ms(0)), Ok(()));
        buckets.done(&quiet, Some((200, &rates(1, 5_000))), None, ms(10));
        assert_eq!(buckets.enter(&quiet, ms(1_010)), Err(Held::Kept(ms(4_000))));
        assert_eq!(buckets.enter(&POST, ms(1_010)), Ok(()));
        buckets.done(&POST, Some((200, &rates(0, 3_990))), None, ms(1_020));
        assert_eq!(buckets.enter(&quiet, ms(1_020)), Err(Held::Throttled(ms(3_990))));
        assert_eq!(buckets.enter(&quiet, ms(5_010)), Ok(()), "the next window");
        let one = Rates { limit: Some(1), ..rates(1, 1_000) };
        buckets.done(&quiet, Some((200, &one)), None, ms(6_020));
        assert_eq!(buckets.enter(&quiet, ms(6_020)), Ok(()), "of one call nothing can be kept");
    }

    #[test]
    fn a_pause_is_kept_to_the_millisecond() {
        let mut buckets = Buckets::default();
        buckets.enter(&POST, ms(0)).expect("free");
        buckets.done(&POST, Some((429, &rates(0, 1_337))), Some(ms(1_337)), ms(0));
        assert_eq!(buckets.enter(&POST, ms(1_336)), Err(Held::Throttled(ms(1))));
        assert_eq!(buckets.enter(&POST, ms(1_337)), Ok(()));
        let global = Rates { global: true, ..Rates::default() };
        buckets.done(&POST, Some((429, &global)), Some(ms(500)), ms(2_000));
        let other = Lane { major: 9, ..POST };
        assert_eq!(buckets.enter(&other, ms(2_100)), Err(Held::Throttled(ms(400))), "everybody waits");
        let exempt = Lane { route: "POST /interactions/{}/{}/callback", major: 1, exempt: true, yields: false };
        assert_eq!(buckets.enter(&exempt, ms(2_100)), Ok(()), "but answers to interactions");
        assert_eq!(buckets.enter(&other, ms(2_500)), Ok(()));
    }

    #[test]
    fn fifty_a_second_in_all() {
        let mut buckets = Buckets::default();
        for major in 0..50 {
            assert_eq!(buckets.enter(&Lane { major, ..POST }, ms(0)), Ok(()));
        }
        assert_eq!(buckets.enter(&Lane { major: 50, ..POST }, ms(400)), Err(Held::Throttled(ms(600))));
        assert_eq!(buckets.enter(&Lane { major: 50, ..POST }, ms(1_000)), Ok(()));
    }

    #[test]
    fn refused_calls_are_counted_and_it_falls_silent_in_time() {
        let mut buckets = Buckets::default();
        let shared = Rates { shared: true, ..Rates::default() };
        let lane = Lane { exempt: true, ..POST };
        for call in 0..9_000_u64 {
            assert_eq!(buckets.enter(&lane, ms(call)), Ok(()), "{call}");
            buckets.done(&lane, Some((if call % 2 == 0 { 401 } else { 403 }, &Rates::default())), None, ms(call));
            buckets.done(&lane, Some((429, &shared)), None, ms(call));
        }
        assert_eq!(buckets.enter(&lane, ms(9_000)), Err(Held::Throttled(ms(591_000))));
        assert_eq!(buckets.enter(&lane, INVALID_TIME), Ok(()));
    }

    #[test]
    fn answers_that_tell_nothing_stop_nothing() {
        let mut buckets = Buckets::default();
        let nothing = Rates::default();
        buckets.enter(&POST, ms(0)).expect("free");
        buckets.done(&POST, Some((429, &nothing)), Some(ms(1_000)), ms(0));
        for call in 0..10 {
            assert_eq!(buckets.enter(&POST, ms(1_000 + call)), Ok(()), "{call}");
            buckets.done(&POST, Some((200, &nothing)), None, ms(1_000 + call));
        }
        // It told its rate once, and never again.
        buckets.done(&POST, Some((200, &rates(0, 1_000))), None, ms(2_000));
        for call in 0..10 {
            assert_eq!(buckets.enter(&POST, ms(3_000 + call)), Ok(()), "{call}");
            buckets.done(&POST, Some((200, &nothing)), None, ms(3_000 + call));
        }
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut buckets = Buckets::default();
        for major in 0..10_000 {
            let lane = Lane { major, exempt: true, ..POST };
            buckets.enter(&lane, ms(major)).expect("free");
            buckets.done(&lane, Some((200, &rates(1, 10))), None, ms(major));
        }
        assert!(buckets.windows.len() <= BUCKETS_KEPT + 1, "{}", buckets.windows.len());
    }
}
