//! How did the equity go? Every day's last value and the deepest fall exactly, the rest thinned out for pictures.

use chrono::NaiveDate;

use crate::clock::Timestamp;
use crate::domain::{Money, Ratio};

/// Points that are kept for pictures, at most.
const POINTS_MAX: usize = 4_096;

/// An equity curve of bounded size.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    days: Vec<(Timestamp, Money)>,
    day: Option<NaiveDate>,
    thinned: Vec<(Timestamp, Money)>,
    stride: usize,
    skipped: usize,
    last: Option<(Timestamp, Money)>,
    falls: Falls,
    /// What was known before the last value, which may still be replaced.
    falls_before: Falls,
}

/// The highest value so far and the deepest fall.
#[derive(Debug, Clone, Copy, Default)]
struct Falls {
    peak: Option<(Timestamp, Money)>,
    deepest: Option<Fall>,
}

#[derive(Debug, Clone, Copy)]
struct Fall {
    from: (Timestamp, Money),
    to: (Timestamp, Money),
    depth: Ratio,
}

impl Falls {
    fn watch(&mut self, at: Timestamp, equity: Money) {
        let Some(peak) = self.peak.filter(|(_, most)| equity < *most) else {
            self.peak = Some((at, equity));
            return;
        };
        let depth = peak.1.minus(equity).map_or(Ratio::MAX, |fall| fall.share_of(peak.1));
        if self.deepest.is_none_or(|deepest| depth > deepest.depth) {
            self.deepest = Some(Fall { from: peak, to: (at, equity), depth });
        }
    }
}

impl Curve {
    /// A curve that starts with `equity`.
    pub fn new(at: Timestamp, equity: Money) -> Self {
        let mut curve = Self { stride: 1, ..Self::default() };
        curve.days.push((at, equity));
        curve.add(at, None, equity);
        curve
    }

    /// Takes a value; `day` is the book's day that it belongs to. Values come in order of time.
    pub fn add(&mut self, at: Timestamp, day: Option<NaiveDate>, equity: Money) {
        if day != self.day
            && let Some(last) = self.last
        {
            self.days.push(last);
            self.day = day;
        }
        let moved = self.last.is_none_or(|(_, last)| last != equity);
        self.last = Some((at, equity));
        self.falls_before = self.falls;
        if moved {
            self.falls.watch(at, equity);
        }
        self.skipped += 1;
        if self.skipped >= self.stride {
            self.skipped = 0;
            self.thin(at, equity);
        }
    }

    /// Doubles the distance between points whenever there are too many.
    fn thin(&mut self, at: Timestamp, equity: Money) {
        if self.thinned.len() >= POINTS_MAX {
            let mut index = 0;
            self.thinned.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride *= 2;
        }
        self.thinned.push((at, equity));
    }

    /// The curve: start, every day's last value, peak and trough of the deepest fall, the end, and what fits between.
    pub fn points(&self) -> Vec<(Timestamp, Money)> {
        let fall = self.falls.deepest.iter().flat_map(|fall| [fall.from, fall.to]);
        let mut points: Vec<_> = self.days.iter().chain(&self.thinned).copied().chain(fall).chain(self.last).collect();
        points.sort_by_key(|(at, _)| *at);
        points.dedup_by_key(|(at, _)| *at);
        points
    }

    /// The last value.
    pub fn end(&self) -> Option<(Timestamp, Money)> {
        self.last
    }

    /// Replaces the last value, when what was open is closed by the report. The value that stood there is neither a peak nor
    /// the end of a fall any more.
    pub fn end_with(&mut self, equity: Money) {
        if let Some((at, _)) = self.last {
            self.thinned.retain(|(point, _)| *point != at);
            self.last = Some((at, equity));
            self.falls = self.falls_before;
            self.falls.watch(at, equity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_stays_small_and_keeps_its_days_and_its_deepest_fall() {
        let mut curve = Curve::new(Timestamp::from_ms(0), Money::whole(1_000));
        let day =
            |step: i64| NaiveDate::from_num_days_from_ce_opt(700_000 + i32::try_from(step / 1_000).expect("small"));
        for step in 1..200_000i64 {
            let equity = if step == 77_777 { 400 } else { 1_000 + step % 10 };
            curve.add(Timestamp::from_ms(step), day(step), Money::whole(equity));
        }
        let points = curve.points();
        assert!(points.len() < POINTS_MAX + 300, "{}", points.len());
        assert!(points.contains(&(Timestamp::from_ms(77_777), Money::whole(400))));
        assert!(points.contains(&(Timestamp::from_ms(4_999), Money::whole(1_009))), "the end of a day");
        assert_eq!(points.last(), Some(&(Timestamp::from_ms(199_999), Money::whole(1_009))));
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
    /// The last value is the deepest, or a peak, and is replaced by what the closing of positions left.
    #[test]
    fn a_replaced_end_is_the_end_and_leaves_no_peak_and_no_fall_behind() {
        let at = Timestamp::from_ms;
        for (values, end, wanted) in [
            (&[100, 120, 60][..], 90, &[(0, 100), (1, 120), (2, 90)][..]),
            (&[100, 120, 60], 30, &[(0, 100), (1, 120), (2, 30)]),
            (&[100, 90, 150], 80, &[(0, 100), (1, 90), (2, 80)]),
            (&[100, 40, 150], 140, &[(0, 100), (1, 40), (2, 140)]),
            (&[100, 120, 120], 60, &[(0, 100), (1, 120), (2, 60)]),
        ] {
            let mut curve = Curve::new(at(0), Money::whole(values[0]));
            let day = NaiveDate::from_ymd_opt(2024, 1, 8);
            (1..).zip(&values[1..]).for_each(|(step, value)| curve.add(at(step), day, Money::whole(*value)));
            curve.end_with(Money::whole(end));
            let wanted: Vec<_> = wanted.iter().map(|(step, value)| (at(*step), Money::whole(*value))).collect();
            assert_eq!(curve.points(), wanted, "{values:?} ends with {end}");
            assert_eq!(curve.end(), wanted.last().copied());
            let deepest = curve.falls.deepest.map(|fall| (fall.from, fall.to));
            let by_hand = match end {
                30 | 60 | 90 => Some((wanted[1], wanted[2])),
                80 => Some((wanted[0], wanted[2])),
                _ => Some((wanted[0], wanted[1])),
            };
            assert_eq!(deepest, by_hand, "{values:?} ends with {end}");
        }
    }
}
