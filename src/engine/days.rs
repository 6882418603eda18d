//! What did a symbol do on its last days? One bar a day, gathered from its finest bars.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{Bar, Price, Quantity};

/// Days that are remembered: 252 sessions and the one before them.
const DAYS: usize = 253;

/// A day's bar, saved as six numbers: start, open, high, low, close and volume.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(from = "[i64; 6]", into = "[i64; 6]")]
struct DayBar(Bar);

impl From<[i64; 6]> for DayBar {
    fn from([start, open, high, low, close, volume]: [i64; 6]) -> Self {
        let [open, high, low, close] = [open, high, low, close].map(Price::from_units);
        Self(Bar { start: Timestamp::from_ms(start), open, high, low, close, volume: Quantity::from_units(volume) })
    }
}

impl From<DayBar> for [i64; 6] {
    fn from(DayBar(bar): DayBar) -> Self {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(Price::units);
        [bar.start.ms(), open, high, low, close, bar.volume.units()]
    }
}

impl DayBar {
    fn add(&mut self, bar: &Bar) {
        let sum = &mut self.0;
        sum.high = sum.high.max(bar.high);
        sum.low = sum.low.min(bar.low);
        sum.close = bar.close;
        sum.volume = sum.volume.plus(bar.volume).unwrap_or(Quantity::MAX);
    }

    fn rescale(&mut self, new: i64, old: i64) {
        let bar = &mut self.0;
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = price.scaled(old, new).unwrap_or(Price::MAX).max(Price::STEP);
        }
        bar.volume = bar.volume.scaled(new, old).unwrap_or(Quantity::MAX);
    }

    fn end(&self) -> Timestamp {
        self.0.start.plus_ms(DAY_MS)
    }
}

/// A ring of days. A session of US shares lies within one day of UTC, so that its date names the day for them as for coins. Of a
/// symbol whose finest bars are weeks, these are weeks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Days {
    over: VecDeque<DayBar>,
    today: Option<DayBar>,
    /// Bars that end after this belong to a later day than today.
    ends: i64,
}

impl Days {
    /// No day yet.
    pub(super) const fn new() -> Self {
        Self { over: VecDeque::new(), today: None, ends: i64::MIN }
    }

    /// Takes a bar that ended at `end`.
    #[inline]
    pub(super) fn push(&mut self, bar: &Bar, end: Timestamp) {
        match &mut self.today {
            Some(today) if end.ms() <= self.ends => today.add(bar),
            _ => self.begin(bar, end),
        }
    }

    /// The day that was is over; the day of a bar that ends at `end` begins with it.
    fn begin(&mut self, bar: &Bar, end: Timestamp) {
        if let Some(day) = self.today.take() {
            if self.over.len() == DAYS {
                self.over.pop_front();
            }
            self.over.push_back(day);
        }
        let start = end.ms().saturating_sub(1).div_euclid(DAY_MS).saturating_mul(DAY_MS);
        self.ends = start.saturating_add(DAY_MS);
        self.today = Some(DayBar(Bar { start: Timestamp::from_ms(start), ..*bar }));
    }

    /// Follows a split, `new` shares for `old` ones.
    pub(super) fn rescale(&mut self, new: i64, old: i64) {
        self.over.iter_mut().chain(&mut self.today).for_each(|day| day.rescale(new, old));
    }

    /// True if no more is remembered than there is room for.
    pub(super) fn fits(&self) -> bool {
        self.over.len() <= DAYS
    }

    /// The last close of each of the last 253 days that are over and had a bar, oldest first, each under the end of its day in UTC.
    pub(super) fn closes(&self) -> impl Iterator<Item = (Timestamp, f64)> {
        self.over.iter().map(|day| (day.end(), day.0.close.to_f64()))
    }

    /// The end of the last of them.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.over.back().map(DayBar::end)
    }

    /// The days that are over, oldest first, as bars that start with their date. The last one is among them if `is_over` says so of
    /// its start; else only a later bar tells that it is.
    pub(super) fn bars(&self, is_over: impl FnOnce(Timestamp) -> bool) -> Vec<Bar> {
        let today = self.today.filter(|day| is_over(day.0.start));
        self.over.iter().chain(&today).map(|day| day.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// A bar of an hour that ends `end` hours after the epoch.
    fn hour(days: &mut Days, end: i64, [high, low, close]: [i64; 3]) {
        let [high, low, close] = [high, low, close].map(Price::whole);
        let start = Timestamp::from_ms((end - 1) * HOUR);
        days.push(&Bar { start, open: close, high, low, close, volume: Quantity::whole(10) }, start.plus_ms(HOUR));
    }

    #[test]
    fn a_day_gathers_its_bars_and_is_over_when_the_next_begins() {
        let mut days = Days::new();
        assert!(days.bars(|_| true).is_empty() && days.last().is_none());
        for (end, prices) in [(23, [12, 9, 10]), (24, [11, 8, 9]), (25, [30, 20, 25]), (30, [26, 19, 21])] {
            hour(&mut days, end, prices);
        }
        assert_eq!(days.closes().collect::<Vec<_>>(), [(Timestamp::from_ms(24 * HOUR), 9.0)]);
        assert_eq!(days.bars(|_| false).len(), 1);
        let bars = days.bars(|start| start.ms() == 24 * HOUR);
        let shape = |bar: &Bar| [bar.high, bar.low, bar.close].map(|price| price.units() / Price::whole(1).units());
        assert_eq!(bars.iter().map(shape).collect::<Vec<_>>(), [[12, 8, 9], [30, 19, 21]]);
        assert_eq!((bars[0].start.ms(), bars[0].volume), (0, Quantity::whole(20)));
    }

    #[test]
    fn it_keeps_so_many_and_no_more_follows_splits_and_survives_being_saved() {
        let mut days = Days::new();
        for day in 0..300 {
            hour(&mut days, day * 24 + 1, [40, 20, 30]);
        }
        assert!(days.closes().count() == DAYS && days.fits());
        days.rescale(2, 1);
        let text = serde_json::to_string(&days).expect("written");
        let again: Days = serde_json::from_str(&text).expect("read");
        assert_eq!(again.bars(|_| true), days.bars(|_| true));
        assert_eq!(again.last(), Some(Timestamp::from_ms(299 * DAY_MS)));
        let last = days.bars(|_| true).pop().expect("a day");
        assert_eq!((last.high, last.close, last.volume), (Price::whole(20), Price::whole(15), Quantity::whole(20)));
        days.rescale(i64::MAX, 1);
        days.rescale(1, i64::MAX);
    }
}
