//! How many calls does Discord take? Buckets by route and major number, fifty a second in all, and few refused ones.

use std::collections::{BTreeMap, VecDeque};

use super::refusal::Refusal;

const GLOBAL_PER_SECOND: usize = 50;
const INVALID_MS: u64 = 10 * 60_000;
pub(super) const INVALID_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    used: u32,
    ends_ms: u64,
    /// Until when requests are forbidden, as told and as kept.
    told_until: u64,
    kept_until: u64,
}

/// What the head of an answer says.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) bucket: String,
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset_ms: u64,
}

#[derive(Debug)]
pub(super) struct Rates {
    pub(super) on: bool,
    /// Calls in a window of a bucket, and its length.
    pub(super) limit: u32,
    pub(super) window_ms: u64,
    windows: BTreeMap<(String, u64), Window>,
    calls: VecDeque<u64>,
    /// Until when all are forbidden.
    barred: Window,
    invalid: VecDeque<u64>,
}

impl Rates {
    pub(super) fn new() -> Self {
        Self {
            on: true,
            limit: 5,
            window_ms: 5_000,
            windows: BTreeMap::new(),
            calls: VecDeque::new(),
            barred: Window::default(),
            invalid: VecDeque::new(),
        }
    }

    /// Takes a call: true where it came too early, and the refusal if there is one.
    pub(super) fn enter(&mut self, name: &str, major: u64, exempt: bool, now: u64) -> (bool, Option<Refusal>) {
        let key = (name.to_owned(), major);
        let window = self.windows.entry(key).or_default();
        let mut violation = now < window.told_until;
        if !exempt {
            violation |= now < self.barred.told_until;
            if now < self.barred.kept_until {
                return (violation, Some(Refusal::too_many(self.barred.kept_until - now, "global")));
            }
        }
        if now < window.kept_until {
            return (violation, Some(Refusal::too_many(window.kept_until - now, "user")));
        }
        if !self.on {
            return (violation, None);
        }
        if !exempt {
            while self.calls.front().is_some_and(|at| at + 1_000 <= now) {
                self.calls.pop_front();
            }
            if let Some(first) = self.calls.front().filter(|_| self.calls.len() >= GLOBAL_PER_SECOND) {
                let until = first + 1_000;
                (self.barred.told_until, self.barred.kept_until) = (until, until);
                return (violation, Some(Refusal::too_many(until - now, "global")));
            }
            self.calls.push_back(now);
        }
        if now >= window.ends_ms {
            (window.used, window.ends_ms) = (0, now + self.window_ms);
        }
        if window.used >= self.limit {
            (window.told_until, window.kept_until) = (window.ends_ms, window.ends_ms);
            return (violation, Some(Refusal::too_many(window.ends_ms - now, "user")));
        }
        window.used += 1;
        (violation, None)
    }

    /// Forbids calls for a time; what is told and what is kept differ where the server lies.
    pub(super) fn impose(&mut self, name: &str, major: u64, global: bool, told_ms: u64, kept_ms: u64, now: u64) {
        let window = if global { &mut self.barred } else { self.windows.entry((name.to_owned(), major)).or_default() };
        (window.told_until, window.kept_until) = (now + told_ms, now + kept_ms);
    }

    pub(super) fn head(&self, name: &str, major: u64, now: u64) -> Option<Head> {
        let window = self.windows.get(&(name.to_owned(), major)).filter(|_| self.on)?;
        Some(Head {
            bucket: format!("bucket-of-{name}"),
            limit: self.limit,
            remaining: self.limit.saturating_sub(window.used),
            reset_ms: window.ends_ms.saturating_sub(now),
        })
    }

    /// Counts an answer that is an invalid request, if it is one.
    pub(super) fn count(&mut self, status: u16, scope: Option<&str>, now: u64) {
        while self.invalid.front().is_some_and(|at| at + INVALID_MS <= now) {
            self.invalid.pop_front();
        }
        if matches!(status, 401 | 403) || (status == 429 && scope != Some("shared")) {
            self.invalid.push_back(now);
        }
    }

    pub(super) fn invalid(&self) -> usize {
        self.invalid.len()
    }
}
