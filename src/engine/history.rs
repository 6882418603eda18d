//! How did a symbol move lately? Its last bars' closes and volumes, and the closes of its last days, for checks and figures that
//! compare symbols or ask for an average.

use std::cell::OnceCell;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{AssetClass, Bar, Quantity, Ratio, Timeframe};
use crate::stats::{correlation, correlation_of_scaled, deviation, returns_of, scaled_for_correlation};

use super::days::Days;

/// Bars in the average volume that liquidity is measured against.
const VOLUME_BARS: usize = 20;
/// Returns that two symbols must share before their correlation counts.
pub(super) const SHARED_MIN: usize = 20;
/// Hours that a US share trades in a year: 252 sessions of six and a half hours.
const EQUITY_HOURS: f64 = 252.0 * 6.5;
/// Sessions of a US share in a year.
const EQUITY_DAYS: f64 = 252.0;

/// A stream of prices in order of time.
pub(super) type Closes = Vec<(Timestamp, f64)>;

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Point {
    end: Timestamp,
    close: f64,
    volume: i64,
}

/// A ring of the last finest bars, and the last days.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct History {
    ring: Box<[Point]>,
    next: usize,
    seen: usize,
    days: Days,
    /// The returns, scaled for correlations; made when they are first asked for after a bar.
    #[serde(skip)]
    scaled: OnceCell<Option<Vec<f64>>>,
}

impl History {
    /// Remembers the closes that `returns` returns need.
    pub fn new(returns: usize) -> Self {
        let size = returns.max(VOLUME_BARS) + 1;
        let ring = vec![Point::default(); size].into_boxed_slice();
        Self { ring, next: 0, seen: 0, days: Days::new(), scaled: OnceCell::new() }
    }

    /// Takes a bar that ended at `end`.
    pub fn push(&mut self, bar: &Bar, end: Timestamp) {
        self.days.push(bar, end);
        self.put(Point { end, close: bar.close.to_f64(), volume: bar.volume.units() });
    }

    fn put(&mut self, point: Point) {
        self.ring[self.next] = point;
        self.next = if self.next + 1 == self.ring.len() { 0 } else { self.next + 1 };
        self.seen = (self.seen + 1).min(self.ring.len());
        self.scaled = OnceCell::new();
    }

    /// Remembers the closes that `returns` returns need from now on. Of what it has, the latest stay; more come with the next bars.
    pub(super) fn resize(&mut self, returns: usize) {
        let mut other = Self::new(returns);
        if other.ring.len() != self.ring.len() {
            self.points().for_each(|point| other.put(*point));
            other.days = std::mem::replace(&mut self.days, Days::new());
            *self = other;
        }
    }

    /// Follows a split.
    pub fn rescale(&mut self, numerator: i64, denominator: i64) {
        let factor = denominator as f64 / numerator as f64;
        for point in &mut self.ring {
            point.close *= factor;
            point.volume = (point.volume as f64 / factor) as i64;
        }
        self.days.rescale(numerator, denominator);
        self.scaled = OnceCell::new();
    }

    /// The last close of each of the last 253 days that are over and had a bar, oldest first, each under the end of its day in UTC.
    /// Of a symbol whose finest bars are weeks, these are weeks.
    pub fn days(&self) -> impl Iterator<Item = (Timestamp, f64)> {
        self.days.closes()
    }

    /// The last of them.
    pub fn last_day(&self) -> Option<Timestamp> {
        self.days.last()
    }

    /// The same days as bars that start with their date, and the last day if `is_over` says so of its start.
    pub fn day_bars(&self, is_over: impl FnOnce(Timestamp) -> bool) -> Vec<Bar> {
        self.days.bars(is_over)
    }

    /// The closes of the last finest bars, oldest first, each under the end of its bar.
    pub fn closes(&self) -> impl Iterator<Item = (Timestamp, f64)> {
        self.points().map(|point| (point.end, point.close))
    }

    /// The most returns of finest bars that it remembers.
    pub fn window(&self) -> usize {
        self.ring.len() - 1
    }

    /// True for a memory of the same size, with its places inside it: what was saved can be taken up in the other's stead.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let size = self.ring.len();
        size == other.ring.len() && self.next < size && self.seen <= size && self.days.fits()
    }

    /// Oldest first.
    fn points(&self) -> impl Iterator<Item = &Point> {
        let start = (self.next + self.ring.len() - self.seen) % self.ring.len();
        (0..self.seen).map(move |index| &self.ring[(start + index) % self.ring.len()])
    }

    /// The mean volume of the last 20 bars, or of those there are.
    pub fn average_volume(&self) -> Quantity {
        let skip = self.seen.saturating_sub(VOLUME_BARS);
        let (sum, count) = self
            .points()
            .skip(skip)
            .fold((0i128, 0i128), |(sum, count), point| (sum + i128::from(point.volume), count + 1));
        Quantity::from_units(i64::try_from(sum / count.max(1)).unwrap_or(i64::MAX))
    }

    /// Correlation of the returns that both symbols made between the same instants (Pearson); none with fewer than 20 of them, or where one
    /// did not move.
    pub fn correlation(&self, other: &Self) -> Option<f64> {
        if self.has_instants_of(other) {
            return Some(correlation_of_scaled(self.scaled()?, other.scaled()?));
        }
        let mut others = other.points().peekable();
        let mut shared: Vec<(f64, f64)> = Vec::with_capacity(self.seen);
        for point in self.points() {
            while others.next_if(|candidate| candidate.end < point.end).is_some() {}
            if let Some(twin) = others.next_if(|candidate| candidate.end == point.end) {
                shared.push((point.close, twin.close));
            }
        }
        if shared.len() <= SHARED_MIN {
            return None;
        }
        let (own, theirs): (Vec<f64>, Vec<f64>) = shared.into_iter().unzip();
        correlation(&returns_of(&own)?, &returns_of(&theirs)?)
    }

    /// True if both have bars of the very same instants, as nearly all symbols of a market have; they need not be joined.
    fn has_instants_of(&self, other: &Self) -> bool {
        let place = |history: &Self| (history.ring.len(), history.next, history.seen);
        place(self) == place(other) && self.ring.iter().zip(&other.ring).all(|(own, theirs)| own.end == theirs.end)
    }

    /// Its returns, scaled for correlations; none with fewer than 20.
    fn scaled(&self) -> Option<&[f64]> {
        let make = || {
            let closes: Vec<f64> = self.points().map(|point| point.close).collect();
            let returns = returns_of(&closes).filter(|returns| returns.len() >= SHARED_MIN)?;
            scaled_for_correlation(&returns)
        };
        self.scaled.get_or_init(make).as_deref()
    }

    /// Standard deviation of the returns, on a year of such bars; none with fewer than 20.
    pub fn yearly_volatility(&self, timeframe: Timeframe, class: AssetClass) -> Option<Ratio> {
        let closes: Vec<f64> = self.points().map(|point| point.close).collect();
        let returns = returns_of(&closes).filter(|returns| returns.len() >= SHARED_MIN)?;
        Ratio::from_f64(deviation(&returns)? * libm::sqrt(bars_per_year(timeframe, class)))
    }
}

/// How many bars of this length a symbol has in a year.
fn bars_per_year(timeframe: Timeframe, class: AssetClass) -> f64 {
    let hours = timeframe.ms() as f64 / 3_600_000.0;
    match (class, timeframe) {
        (AssetClass::UsEquity, Timeframe::W1) => EQUITY_DAYS / 5.0,
        (AssetClass::UsEquity, Timeframe::D1) => EQUITY_DAYS,
        (AssetClass::UsEquity, _) => EQUITY_HOURS / hours,
        (AssetClass::Crypto | AssetClass::Perpetual, _) => 365.0 * 24.0 / hours,
    }
}

/// How many bars of this length a symbol has in a day that is not cut short; less than one of weeks.
pub(super) fn bars_per_day(timeframe: Timeframe, class: AssetClass) -> f64 {
    let days = match class {
        AssetClass::UsEquity => EQUITY_DAYS,
        AssetClass::Crypto | AssetClass::Perpetual => 365.0,
    };
    bars_per_year(timeframe, class) / days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::DAY_MS;
    use crate::domain::Price;

    fn history(closes: &[i64], shift: i64) -> History {
        let mut history = History::new(120);
        for (index, close) in closes.iter().enumerate() {
            let price = Price::whole(*close);
            let (start, volume) = (Timestamp::from_ms(0), Quantity::whole(*close));
            let bar = Bar { start, open: price, high: price, low: price, close: price, volume };
            history.push(&bar, Timestamp::from_ms(index as i64 + shift));
        }
        history
    }

    #[test]
    fn only_returns_of_the_same_instants_are_compared() {
        let up_down: Vec<i64> = (0..60).map(|index| 1_000 + index % 7 * 10).collect();
        let mirrored: Vec<i64> = up_down.iter().map(|close| 2_000_000 / close).collect();
        let (a, b) = (history(&up_down, 0), history(&mirrored, 0));
        assert!(a.correlation(&a).expect("enough") > 0.999_999);
        assert!(a.correlation(&b).expect("enough") < -0.95);
        // 40 instants later only 20 closes are shared: too few returns.
        assert_eq!(a.correlation(&history(&up_down, 40)), None);
        assert_eq!(a.correlation(&history(&[5; 60], 0)), None);
    }

    #[test]
    fn what_is_remembered_survives_another_size() {
        let closes: Vec<i64> = (1..=300).collect();
        let (mut grown, wide) = (history(&closes, 0), history(&closes, 0));
        grown.resize(200);
        assert_eq!(grown.points().count(), 121);
        assert!(grown.points().map(|point| point.close).eq((180..=300).map(f64::from)));
        grown.resize(120);
        assert!(grown.points().map(|point| point.end).eq(wide.points().map(|point| point.end)) && grown.is_like(&wide));
        grown.resize(0);
        assert!(grown.points().map(|point| point.close).eq((280..=300).map(f64::from)));
    }

    #[test]
    fn averages_are_over_the_last_twenty_bars() {
        let volumes: Vec<i64> = (1..=200).collect();
        assert_eq!(history(&volumes, 0).average_volume(), Quantity::from_units(19_050_000_000));
        assert_eq!(history(&[4, 6], 0).average_volume(), Quantity::whole(5));
        assert_eq!(History::new(0).average_volume(), Quantity::ZERO);
        assert_eq!(history(&[7; 30], 0).yearly_volatility(Timeframe::D1, AssetClass::UsEquity), Some(Ratio::ZERO));
    }

    /// Three bars a day, the last of which ends at midnight and still belongs to the day.
    #[test]
    fn a_day_is_remembered_by_its_last_close_once_it_is_over() {
        let mut history = History::new(0);
        for bar in 1..=3 * 300 {
            let (start, price) = (Timestamp::from_ms(0), Price::whole(bar));
            let bar_of = Bar { start, open: price, high: price, low: price, close: price, volume: Quantity::whole(1) };
            history.push(&bar_of, Timestamp::from_ms(bar * DAY_MS / 3));
        }
        // Day 300 is not over: 299 are, and the last 253 of them are kept.
        let days: Vec<_> = history.days().collect();
        assert_eq!((days.len(), days[0]), (253, (Timestamp::from_ms(47 * DAY_MS), 141.0)));
        assert_eq!(days[252], (Timestamp::from_ms(299 * DAY_MS), 897.0));
        history.rescale(3, 1);
        assert_eq!(history.days().last().map(|day| day.1), Some(299.0));
    }
}
