//! How do short bars make a longer one? Gathered one by one, and given when the longer one's time is over.

use serde::{Deserialize, Serialize};

use super::Hours;
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{AssetClass, Bar, Price, Quantity, Timeframe};

/// The epoch was a Thursday; a Monday lies three days before it.
const MONDAY_MS: i64 = -3 * DAY_MS;

/// Gathers the bars of one instrument into longer ones.
///
/// A bar belongs to the period in which it starts. Periods are labelled by their start: full minutes and hours in UTC, so that the
/// first hour of a stock's session is half an hour long; the UTC date, which is the session's date for a stock; for a week
/// its Monday. A period without a bar gives none. The first one holds what there is of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregator {
    class: AssetClass,
    timeframe: Timeframe,
    open: Option<Open>,
    /// Where the last period ends that was given; what belongs before it comes too late.
    given_until: Timestamp,
}

/// A bar that is being gathered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    bar: Bar,
    /// The label of the next period.
    until: Timestamp,
    /// When the market's hours say that it is over.
    due: Timestamp,
}

impl Aggregator {
    /// Gathers bars of this length for an instrument of this class.
    pub const fn new(class: AssetClass, timeframe: Timeframe) -> Self {
        Self { class, timeframe, open: None, given_until: Timestamp::from_ms(i64::MIN) }
    }

    /// The length of the bars that it gives.
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// The class of the instrument, which decides the hours.
    pub const fn class(&self) -> AssetClass {
        self.class
    }

    /// When the bar that is being gathered is known: the end of its period by the market's hours. None while there is none.
    pub fn due(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|open| open.due)
    }

    /// The bar that is being gathered as it stands, not known whole. None while there is none.
    pub fn so_far(&self) -> Option<Bar> {
        self.open.as_ref().map(|open| open.bar)
    }

    /// Adds a shorter bar; they come in the order of time, and what is due by then has been taken. A bar of a period that was
    /// given already changes nothing. The volume stays at the largest quantity where the sum does not fit.
    pub fn add(&mut self, bar: &Bar) {
        if bar.start < self.given_until {
            return;
        }
        match &mut self.open {
            Some(Open { bar: sum, until, .. }) if bar.start < *until => {
                sum.high = sum.high.max(bar.high);
                sum.low = sum.low.min(bar.low);
                sum.close = bar.close;
                sum.volume = sum.volume.plus(bar.volume).unwrap_or(Quantity::MAX);
            }
            open => {
                let (start, until) = period(self.timeframe, bar.start);
                let due = Hours::of(self.class).bar_end(self.timeframe, start);
                *open = Some(Open { bar: Bar { start, ..*bar }, until, due });
            }
        }
    }

    /// Takes the bar whose period is over at `now`, once.
    pub fn take_due(&mut self, now: Timestamp) -> Option<Bar> {
        let open = self.open.take_if(|open| open.due <= now)?;
        self.given_until = open.until;
        Some(open.bar)
    }

    /// Follows a split, `new` shares for `old` ones, in what was gathered so far: prices and volume are told in new shares.
    pub fn rescale(&mut self, new: i64, old: i64) {
        let Some(Open { bar, .. }) = &mut self.open else { return };
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = price.scaled(old, new).unwrap_or(Price::MAX).max(Price::STEP);
        }
        bar.volume = bar.volume.scaled(new, old).unwrap_or(Quantity::MAX);
    }
}

/// The label of the period that an instant belongs to, and the label of the next one.
fn period(timeframe: Timeframe, at: Timestamp) -> (Timestamp, Timestamp) {
    let first = if timeframe == Timeframe::W1 { MONDAY_MS } else { 0 };
    let start = at.plus_ms(-at.plus_ms(-first).ms().rem_euclid(timeframe.ms()));
    (start, start.plus_ms(timeframe.ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        chrono::DateTime::parse_from_rfc3339(&format!("{text}:00Z")).unwrap().to_utc().into()
    }

    /// A bar from open, high, low, close and volume in whole units.
    fn bar(start: &str, [open, high, low, close, volume]: [i64; 5]) -> Bar {
        let [open, high, low, close] = [open, high, low, close].map(Price::whole);
        Bar { start: at(start), open, high, low, close, volume: Quantity::whole(volume) }
    }

    #[test]
    fn periods_are_cut_at_round_times_and_weeks_at_mondays() {
        for (timeframe, label) in [
            (Timeframe::M5, "2024-07-03T14:45"),
            (Timeframe::M15, "2024-07-03T14:45"),
            (Timeframe::H1, "2024-07-03T14:00"),
            (Timeframe::D1, "2024-07-03T00:00"),
            (Timeframe::W1, "2024-07-01T00:00"),
        ] {
            assert_eq!(period(timeframe, at("2024-07-03T14:47")).0, at(label), "{timeframe}");
        }
        assert_eq!(
            period(Timeframe::W1, at("1969-12-28T23:59")).0,
            at("1969-12-22T00:00"),
            "a Sunday before the epoch"
        );
        assert_eq!(period(Timeframe::W1, at("1969-12-29T00:00")).0, at("1969-12-29T00:00"));
        for extreme in [i64::MIN, i64::MAX] {
            let (start, until) = period(Timeframe::W1, Timestamp::from_ms(extreme));
            assert!(start <= until);
        }
    }

    #[test]
    fn a_bar_is_given_once_and_only_when_its_time_is_over() {
        let mut hour = Aggregator::new(AssetClass::UsEquity, Timeframe::H1);
        assert_eq!((hour.due(), hour.take_due(at("2024-07-03T13:31"))), (None, None));
        hour.add(&bar("2024-07-03T13:30", [10, 12, 9, 11, 5]));
        hour.add(&bar("2024-07-03T13:45", [11, 15, 10, 14, 7]));
        assert_eq!(hour.take_due(at("2024-07-03T13:59")), None);
        assert_eq!(hour.due(), Some(at("2024-07-03T14:00")));
        assert_eq!(hour.so_far(), Some(bar("2024-07-03T13:00", [10, 15, 9, 14, 12])));
        assert_eq!(hour.take_due(at("2024-07-03T14:00")), Some(bar("2024-07-03T13:00", [10, 15, 9, 14, 12])));
        assert_eq!((hour.take_due(at("2024-07-03T14:01")), hour.so_far()), (None, None));
        hour.add(&bar("2024-07-03T13:59", [1, 1, 1, 1, 1]));
        assert_eq!(hour.due(), None, "it comes too late");
    }

    #[test]
    fn the_hours_of_the_market_say_when_it_is_over() {
        for (class, timeframe, start, due) in [
            (AssetClass::UsEquity, Timeframe::D1, "2024-07-03T16:59", "2024-07-03T17:00"), // a half day
            (AssetClass::UsEquity, Timeframe::W1, "2024-03-28T00:00", "2024-03-28T20:00"), // before Good Friday
            (AssetClass::UsEquity, Timeframe::H1, "2024-07-02T19:59", "2024-07-02T20:00"),
            (AssetClass::Crypto, Timeframe::D1, "2024-07-03T16:59", "2024-07-04T00:00"),
            (AssetClass::Crypto, Timeframe::W1, "2024-07-03T16:59", "2024-07-08T00:00"),
        ] {
            let mut aggregator = Aggregator::new(class, timeframe);
            aggregator.add(&bar(start, [1, 1, 1, 1, 1]));
            assert_eq!(aggregator.due(), Some(at(due)), "{timeframe} {start}");
        }
    }

    #[test]
    fn a_split_inside_a_week_is_followed() {
        let mut week = Aggregator::new(AssetClass::UsEquity, Timeframe::W1);
        week.add(&bar("2024-07-01T00:00", [70, 84, 63, 77, 10]));
        week.rescale(7, 1);
        week.add(&bar("2024-07-02T00:00", [11, 13, 10, 12, 100]));
        assert_eq!(week.take_due(at("2024-07-05T20:00")), Some(bar("2024-07-01T00:00", [10, 13, 9, 12, 170])));
        week.rescale(7, 1);
        assert_eq!(week.due(), None);
    }

    #[test]
    fn amounts_that_do_not_fit_stay_at_the_largest() {
        let mut day = Aggregator::new(AssetClass::Crypto, Timeframe::D1);
        let mut huge = bar("2024-07-01T00:00", [1, 1, 1, 1, 1]);
        (huge.high, huge.low, huge.volume) = (Price::MAX, Price::STEP, Quantity::MAX);
        day.add(&huge);
        day.add(&huge);
        day.rescale(1, i64::MAX);
        day.rescale(i64::MAX, 1);
        let sum = day.take_due(at("2024-07-02T00:00")).unwrap();
        assert_eq!((sum.volume, sum.fault()), (Quantity::MAX, None));
    }

    #[test]
    fn it_goes_on_from_its_saved_state() {
        let mut week = Aggregator::new(AssetClass::UsEquity, Timeframe::W1);
        week.add(&bar("2024-07-01T00:00", [70, 84, 63, 77, 10]));
        let text = serde_json::to_string(&week).unwrap();
        assert_eq!(serde_json::from_str::<Aggregator>(&text).unwrap(), week);
    }
}
