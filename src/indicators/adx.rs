//! Average directional index after Wilder (New Concepts in Technical Trading Systems, 1978).

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Price};

use super::limits::{Period, bound, bounded, split_factor, split_price};
use super::smooth::Smooth;
use super::{Indicator, TrueRange};

/// How strongly the price moves in one direction, and how much of its range was movement up and movement down.
///
/// The sums of movement and range are Wilder's: the first `period - 1` bars are added up, after that each bar adds itself
/// and takes off one part in `period`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adx {
    period: Period,
    /// Bars after the first; counted up to the period.
    seen: usize,
    /// High and low of the bar before.
    last: Option<(Price, Price)>,
    true_range: TrueRange,
    #[serde(deserialize_with = "bounded")]
    range: f64,
    #[serde(deserialize_with = "bounded")]
    rise: f64,
    #[serde(deserialize_with = "bounded")]
    fall: f64,
    index: Smooth,
}

impl Adx {
    /// Over `period` bars, 1 to 100,000.
    pub fn new(period: usize) -> Self {
        Self {
            period: Period::new(period),
            seen: 0,
            last: None,
            true_range: TrueRange::default(),
            range: 0.0,
            rise: 0.0,
            fall: 0.0,
            index: Smooth::wilder(period),
        }
    }

    /// The index, 0 to 100, from the bar after the first `2 * period - 1` on.
    pub fn adx(&self) -> Option<f64> {
        self.index.value()
    }

    /// Movement up in percent of the range, from the bar after the first `period` on.
    pub fn plus(&self) -> Option<f64> {
        self.share(self.rise)
    }

    /// Movement down in percent of the range, from the bar after the first `period` on.
    pub fn minus(&self) -> Option<f64> {
        self.share(self.fall)
    }

    /// A market without any range moves in no direction.
    fn share(&self, movement: f64) -> Option<f64> {
        let share = if self.range > 0.0 { (100.0 * movement / self.range).clamp(0.0, 100.0) } else { 0.0 };
        (self.seen >= self.period.bars()).then_some(share)
    }

    fn add(&mut self, range: f64, rise: f64, fall: f64) {
        let period = self.period.as_f64();
        if self.seen < self.period.bars() {
            self.seen += 1;
        }
        let smoothed = self.seen >= self.period.bars();
        for (sum, value) in [(&mut self.range, range), (&mut self.rise, rise), (&mut self.fall, fall)] {
            *sum += if smoothed { value - *sum / period } else { value };
        }
    }
}

impl Indicator for Adx {
    /// The index.
    fn update(&mut self, bar: &Bar) -> Option<f64> {
        let range = self.true_range.update(bar);
        let (Some((high, low)), Some(range)) = (self.last.replace((bar.high, bar.low)), range) else { return None };
        // In floats, like everyone who publishes it: exact differences would call some ties that rounding decides here.
        let (up, down) = (bar.high.to_f64() - high.to_f64(), low.to_f64() - bar.low.to_f64());
        let [rise, fall] = [(up, down), (down, up)].map(|(one, other)| if one > other { one.max(0.0) } else { 0.0 });
        self.add(range, rise, fall);
        if let (Some(plus), Some(minus)) = (self.plus(), self.minus()) {
            let moved = plus + minus;
            self.index.push(if moved > 0.0 { 100.0 * (plus - minus).abs() / moved } else { 0.0 });
        }
        self.adx()
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.true_range.rescale(numerator, denominator);
        let split = |price| split_price(price, numerator, denominator);
        self.last = self.last.map(|(high, low)| (split(high), split(low)));
        for sum in [&mut self.range, &mut self.rise, &mut self.fall] {
            *sum = bound(*sum * split_factor(numerator, denominator));
        }
    }
}
