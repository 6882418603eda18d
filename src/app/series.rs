//! Which bars come of recorded ones? The same, or longer ones with the last as it stands, all in the shares of the newest.

use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{Bar, Instrument, MarketSnapshot, Price, Quantity, Split, Timeframe};
use crate::market::{Aggregator, Feed, Hours};

/// The longest that a market is closed, at most: a weekend between two holidays.
const BREAK_MAX_MS: i64 = 4 * DAY_MS;

/// The bars of one length, oldest first, in the shares of the newest.
pub(super) struct Series {
    /// The length.
    pub(super) timeframe: Timeframe,
    /// The bars.
    pub(super) bars: Vec<Bar>,
    /// True if the last bar is still being gathered.
    pub(super) unfinished: bool,
    /// The shorter bars they are gathered from, if they are.
    pub(super) from: Option<Timeframe>,
    /// When the last bar was known.
    pub(super) at: Timestamp,
    /// Splits that were followed: what was dealt before the instant was dealt in old shares.
    pub(super) splits: Vec<(Timestamp, Split)>,
}

impl Series {
    /// True if it ends so long before `now` that it tells of another time.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        now.since(self.at) > self.timeframe.ms() + BREAK_MAX_MS
    }
}

/// Bars of several lengths that are made of one.
pub(super) struct Gathering {
    base: Timeframe,
    lanes: Vec<Lane>,
    splits: Vec<(Timestamp, Split)>,
    /// When trading in the first bar began, and when the last was known.
    begun: Option<Timestamp>,
    at: Timestamp,
}

struct Lane {
    timeframe: Timeframe,
    bars: Vec<Bar>,
    /// None where the bars are given as they are.
    aggregator: Option<Aggregator>,
}

impl Gathering {
    /// Gathers bars of the wanted lengths from those of `base`, which is none of the longer ones.
    pub(super) fn new(base: Timeframe, wanted: Vec<Timeframe>, instrument: &Instrument) -> Self {
        let lane = |timeframe| Lane {
            timeframe,
            bars: Vec::new(),
            aggregator: (timeframe != base).then(|| Aggregator::new(instrument.class, timeframe)),
        };
        let lanes = wanted.into_iter().map(lane).collect();
        Self { base, lanes, splits: Vec::new(), begun: None, at: Timestamp::default() }
    }

    /// Takes every bar that is known by `until`.
    pub(super) fn read(&mut self, feed: &mut dyn Feed, until: Option<Timestamp>) {
        let mut snapshot = MarketSnapshot::default();
        while feed.next_into(&mut snapshot) && until.is_none_or(|until| snapshot.at <= until) {
            self.at = snapshot.at;
            self.begun = self.begun.or(snapshot.bars.first().map(|seen| seen.opens));
            for split in &snapshot.splits {
                let opens = snapshot.bars.first().map_or(snapshot.at, |seen| seen.opens);
                self.splits.push((opens, *split));
                self.lanes.iter_mut().for_each(|lane| lane.rescale(*split));
            }
            for seen in &snapshot.bars {
                self.lanes.iter_mut().for_each(|lane| lane.take(&seen.bar, snapshot.at));
            }
        }
    }

    /// What came of it; lengths without any bar are left out.
    pub(super) fn finish(self) -> impl Iterator<Item = Series> {
        let Self { base, lanes, splits, begun, at } = self;
        let finish = move |lane: Lane| {
            let Lane { timeframe, mut bars, aggregator } = lane;
            let Some(aggregator) = aggregator else {
                return Series { timeframe, bars, unfinished: false, from: None, at, splits: splits.clone() };
            };
            let rest = aggregator.so_far();
            bars.extend(rest);
            let opens = |bar: &Bar| Hours::of(aggregator.class()).bar_open(timeframe, bar.start);
            // A period that began before the first bar would be told by a part of it.
            if bars.len() > 1 && begun > bars.first().map(opens) {
                bars.remove(0);
            }
            Series { timeframe, bars, unfinished: rest.is_some(), from: Some(base), at, splits: splits.clone() }
        };
        lanes.into_iter().map(finish).filter(|series| !series.bars.is_empty())
    }
}

impl Lane {
    fn take(&mut self, bar: &Bar, at: Timestamp) {
        let Some(aggregator) = &mut self.aggregator else {
            self.bars.push(*bar);
            return;
        };
        self.bars.extend(aggregator.take_due(bar.start));
        aggregator.add(bar);
        self.bars.extend(aggregator.take_due(at));
    }

    /// Tells everything so far in new shares.
    fn rescale(&mut self, split: Split) {
        let (new, old) = (split.numerator, split.denominator);
        for bar in &mut self.bars {
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *price = price.scaled(old, new).unwrap_or(Price::MAX).max(Price::STEP);
            }
            bar.volume = bar.volume.scaled(new, old).unwrap_or(Quantity::MAX);
        }
        if let Some(aggregator) = &mut self.aggregator {
            aggregator.rescale(new, old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SnapshotBar;

    /// Gives bars of one minute from the open of a session on, at these whole prices; a split comes before one of them.
    struct Minutes {
        prices: Vec<i64>,
        next: usize,
        split_before: Option<usize>,
    }

    impl Feed for Minutes {
        fn instruments(&self) -> &[Instrument] {
            &[]
        }

        fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
            snapshot.clear();
            let Some(price) = self.prices.get(self.next).copied().map(Price::whole) else { return false };
            let opens = open().plus_ms(self.next as i64 * 60_000);
            if self.split_before == Some(self.next) {
                snapshot.splits.push(Split { instrument: 0, numerator: 2, denominator: 1 });
            }
            let volume = Quantity::whole(10);
            let bar = Bar { start: opens, open: price, high: price, low: price, close: price, volume };
            let (timeframe, is_finest, is_last) = (Timeframe::M1, true, false);
            snapshot.bars.push(SnapshotBar { instrument: 0, timeframe, bar, opens, is_finest, is_last });
            snapshot.at = opens.plus_ms(60_000);
            self.next += 1;
            true
        }

        fn history_until(&self) -> Timestamp {
            open()
        }
    }

    fn open() -> Timestamp {
        "2024-07-02T13:30:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
    }

    fn gathered(prices: &[i64], split_before: Option<usize>, minutes: i64) -> Vec<Series> {
        let mut feed = Minutes { prices: prices.to_vec(), next: 0, split_before };
        let instrument = Instrument::bare("AAPL".parse().unwrap());
        let mut gathering = Gathering::new(Timeframe::M1, vec![Timeframe::M1, Timeframe::M5], &instrument);
        gathering.read(&mut feed, Some(open().plus_ms(minutes * 60_000)));
        gathering.finish().collect()
    }

    fn closes(series: &Series) -> Vec<String> {
        series.bars.iter().map(|bar| bar.close.to_string()).collect()
    }

    #[test]
    fn the_last_longer_bar_is_told_as_it_stands() {
        let series = gathered(&[1, 2, 3, 4, 5, 6, 7, 8], None, 7);
        assert_eq!(closes(&series[0]), ["1", "2", "3", "4", "5", "6", "7"], "nothing is known later than asked for");
        assert_eq!((closes(&series[1]), series[1].unfinished), (vec!["5".to_owned(), "7".to_owned()], true));
        assert_eq!((series[1].from, series[1].at), (Some(Timeframe::M1), open().plus_ms(7 * 60_000)));
        let series = gathered(&[1, 2, 3, 4, 5], None, 5);
        assert_eq!((closes(&series[1]), series[1].unfinished), (vec!["5".to_owned()], false));
    }

    #[test]
    fn bars_before_a_split_are_told_in_new_shares() {
        for series in gathered(&[80, 80, 80, 80, 80, 80, 40, 41], Some(6), 8) {
            let volume: Quantity = series.bars.iter().fold(Quantity::ZERO, |sum, bar| sum.plus(bar.volume).unwrap());
            assert_eq!((series.bars[0].high, volume), (Price::whole(40), Quantity::whole(6 * 20 + 2 * 10)));
            assert_eq!(series.bars.last().unwrap().high, Price::whole(41));
            assert_eq!(series.splits[0].0, open().plus_ms(6 * 60_000));
        }
    }
}
