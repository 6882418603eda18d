//! What were the last values? A ring of fixed length; the newest pushes out the oldest.

use serde::{Deserialize, Serialize};

use super::limits::Period;

/// The last `period` values, in no order that matters outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved<T>")]
pub(super) struct Window<T> {
    period: Period,
    /// Where the next value goes: the end while it fills, then the oldest value.
    next: usize,
    values: Vec<T>,
}

/// A window as it was saved, not yet believed.
#[derive(Deserialize)]
struct Saved<T> {
    period: Period,
    next: usize,
    values: Vec<T>,
}

impl<T> TryFrom<Saved<T>> for Window<T> {
    type Error = &'static str;

    fn try_from(saved: Saved<T>) -> Result<Self, Self::Error> {
        let (count, bars) = (saved.values.len(), saved.period.bars());
        if count > bars || saved.next >= bars || (count < bars && saved.next != count) {
            return Err("a window does not fit its period");
        }
        Ok(Self { period: saved.period, next: saved.next, values: saved.values })
    }
}

impl<T: Copy> Window<T> {
    /// Empty.
    pub(super) fn new(period: Period) -> Self {
        Self { period, next: 0, values: Vec::with_capacity(period.bars()) }
    }

    /// How many values it holds when full.
    #[inline]
    pub(super) const fn period(&self) -> Period {
        self.period
    }

    /// Takes a value; the one that fell out.
    #[inline]
    pub(super) fn push(&mut self, value: T) -> Option<T> {
        let place = self.next;
        self.next = if place + 1 == self.period.bars() { 0 } else { place + 1 };
        if let Some(oldest) = self.values.get_mut(place) {
            return Some(std::mem::replace(oldest, value));
        }
        self.values.push(value);
        None
    }

    /// Whether as many values were seen as it holds.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.values.len() == self.period.bars()
    }

    /// What it holds, not sorted by age.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    /// Changes every value.
    pub(super) fn change(&mut self, change: impl Fn(T) -> T) {
        for value in &mut self.values {
            *value = change(*value);
        }
    }
}
