//! Which bars does a picture of a whole run show? So many of each symbol that they can be told apart, neighbours put together.

use crate::clock::Timestamp;
use crate::domain::{Bar, MarketSnapshot, Price, Quantity, Symbol, Timeframe};
use crate::market::Feed;

use super::Ran;

/// The most bars of one picture.
const BARS_MAX: usize = 600;

/// The bars of one symbol over a run.
#[derive(Debug, Clone)]
pub struct CandleBars {
    /// Of what.
    pub symbol: Symbol,
    /// How long one of the feed's bars is.
    pub timeframe: Timeframe,
    /// How many of the feed's bars are in each of these.
    pub each: usize,
    /// The bars, with prices and volumes in shares as they were at the end.
    pub bars: Vec<Bar>,
    /// From which bar on so many new shares stood for so many old ones.
    splits: Vec<(Timestamp, i64, i64)>,
    /// How many are in the last one.
    inside: usize,
}

impl CandleBars {
    /// The finest bars of these symbols from the run's first cycle to its last.
    pub fn collect(feed: &mut dyn Feed, symbols: &[Symbol], ran: &Ran) -> Vec<Self> {
        let (Some(from), Some(to)) = (ran.from, ran.to) else { return Vec::new() };
        let wanted: Vec<Option<usize>> =
            feed.instruments().iter().map(|item| symbols.iter().position(|symbol| *symbol == item.symbol)).collect();
        let mut found: Vec<Option<Self>> = vec![None; symbols.len()];
        let mut snapshot = MarketSnapshot::default();
        while feed.next_into(&mut snapshot) && snapshot.at <= to {
            for seen in snapshot.bars.iter().filter(|seen| seen.is_finest && snapshot.at >= from) {
                let Some(place) = wanted[seen.instrument] else { continue };
                let candles = found[place].get_or_insert_with(|| Self::of(symbols[place], seen.timeframe));
                for split in snapshot.splits.iter().filter(|split| split.instrument == seen.instrument) {
                    candles.split(seen.bar.start, (split.numerator, split.denominator));
                }
                candles.add(&seen.bar);
            }
        }
        found.into_iter().flatten().collect()
    }

    fn of(symbol: Symbol, timeframe: Timeframe) -> Self {
        Self { symbol, timeframe, each: 1, bars: Vec::new(), splits: Vec::new(), inside: 0 }
    }

    /// A price of the bar that is labelled `at`, in shares as they were at the end.
    pub(super) fn in_last_shares(&self, at: Timestamp, price: Price) -> Price {
        let later = self.splits.iter().filter(|(from, ..)| *from > at);
        later.fold(price, |price, (_, new, old)| price.scaled(*old, *new).unwrap_or(price))
    }

    /// True if its prices are not those that were paid at the time.
    pub(super) fn was_split(&self) -> bool {
        !self.splits.is_empty()
    }

    fn split(&mut self, from: Timestamp, (new, old): (i64, i64)) {
        self.splits.push((from, new, old));
        for bar in &mut self.bars {
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *price = price.scaled(old, new).unwrap_or(*price);
            }
            bar.volume = bar.volume.scaled(new, old).unwrap_or(Quantity::MAX);
        }
    }

    fn add(&mut self, bar: &Bar) {
        if let Some(last) = self.bars.last_mut()
            && self.inside < self.each
        {
            *last = together(last, bar);
            self.inside += 1;
            return;
        }
        if self.bars.len() == BARS_MAX {
            // Each of the bars is full, so pairs of them are, too.
            self.bars = self.bars.chunks(2).map(|pair| together(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
            self.each *= 2;
        }
        self.bars.push(*bar);
        self.inside = 1;
    }
}

const _: () = assert!(BARS_MAX.is_multiple_of(2), "pairs are made of all bars");

/// One bar of two that follow each other.
fn together(first: &Bar, next: &Bar) -> Bar {
    Bar {
        start: first.start,
        open: first.open,
        high: first.high.max(next.high),
        low: first.low.min(next.low),
        close: next.close,
        volume: first.volume.plus(next.volume).unwrap_or(Quantity::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn many_bars_become_few_and_nothing_is_lost() {
        let mut candles = CandleBars::of("AAPL".parse().expect("a symbol"), Timeframe::D1);
        for day in 0..5_000i64 {
            let price = |number| Price::whole(100 + number);
            let top = if day == 3_333 { 900 } else { 5 };
            candles.add(&Bar {
                start: Timestamp::from_ms(day),
                open: price(day % 7),
                high: price(top + 5),
                low: price(-5),
                close: price(day % 5),
                volume: Quantity::whole(1),
            });
        }
        assert!(candles.bars.len() <= BARS_MAX && candles.bars.len() > BARS_MAX / 2 && candles.each == 16);
        let volume: i64 = candles.bars.iter().map(|bar| bar.volume.units()).sum();
        assert_eq!(volume, Quantity::whole(5_000).units());
        assert!(candles.bars.iter().enumerate().all(|(place, bar)| bar.start.ms() == place as i64 * 16));
        assert!(
            candles.bars[3_333 / 16].high == Price::whole(1_005)
                && candles.bars.last().expect("one").close == Price::whole(104)
        );
        assert!(candles.bars.iter().all(|bar| bar.fault().is_none()));
    }
    #[test]
    fn what_came_before_a_split_is_told_in_the_new_shares() {
        let mut candles = CandleBars::of("AAPL".parse().expect("a symbol"), Timeframe::D1);
        let bar = |day: i64, price: i64| {
            let [open, high, low, close] = [price; 4].map(Price::whole);
            Bar { start: Timestamp::from_ms(day), open, high, low, close, volume: Quantity::whole(10) }
        };
        candles.add(&bar(1, 70));
        candles.split(Timestamp::from_ms(2), (7, 1));
        candles.add(&bar(2, 11));
        assert_eq!(candles.bars[0], Bar { volume: Quantity::whole(70), ..bar(1, 10) });
        assert_eq!(candles.bars[1], bar(2, 11));
        let told = |day: i64| candles.in_last_shares(Timestamp::from_ms(day), Price::whole(70));
        assert_eq!((told(1), told(2)), (Price::whole(10), Price::whole(70)));
    }
}
