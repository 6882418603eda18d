//! What is the largest of the last values? A falling staircase: what a later, larger value hides is forgotten.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::limits::Period;

/// The largest of the last `period` values, in constant time on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved<T>", bound(deserialize = "T: Ord + Deserialize<'de>"))]
pub(super) struct Peaks<T> {
    period: Period,
    /// How many values were taken; the first is number 1.
    seen: u64,
    /// Number and value; numbers rise, values do not.
    steps: VecDeque<(u64, T)>,
}

/// Peaks as they were saved, not yet believed.
#[derive(Deserialize)]
struct Saved<T> {
    period: Period,
    seen: u64,
    steps: VecDeque<(u64, T)>,
}

impl<T: Ord> TryFrom<Saved<T>> for Peaks<T> {
    type Error = &'static str;

    fn try_from(saved: Saved<T>) -> Result<Self, Self::Error> {
        let Saved { period, seen, steps } = saved;
        let oldest = seen.saturating_sub(period.bars() as u64);
        let inside = steps.front().is_none_or(|(number, _)| *number > oldest);
        let newest = steps.back().map_or(0, |(number, _)| *number);
        let falls = steps.iter().zip(steps.iter().skip(1)).all(|(a, b)| a.0 < b.0 && a.1 >= b.1);
        if inside && falls && newest == seen && seen < 1 << 53 {
            Ok(Self { period, seen, steps })
        } else {
            Err("the highest values do not fit their period")
        }
    }
}

impl<T: Ord + Copy> Peaks<T> {
    /// Of nothing yet.
    pub(super) fn new(period: Period) -> Self {
        Self { period, seen: 0, steps: VecDeque::new() }
    }

    /// Takes a value.
    pub(super) fn push(&mut self, value: T) {
        self.seen += 1;
        while self.steps.back().is_some_and(|(_, hidden)| *hidden <= value) {
            self.steps.pop_back();
        }
        self.steps.push_back((self.seen, value));
        if self.steps.front().is_some_and(|(number, _)| number + self.period.bars() as u64 <= self.seen) {
            self.steps.pop_front();
        }
    }

    /// The largest, once `period` values were taken.
    pub(super) fn top(&self) -> Option<T> {
        let (_, top) = self.steps.front()?;
        (self.seen >= self.period.bars() as u64).then_some(*top)
    }

    /// Changes every value, keeping their order.
    pub(super) fn change(&mut self, change: impl Fn(T) -> T) {
        for (_, value) in &mut self.steps {
            *value = change(*value);
        }
    }
}
