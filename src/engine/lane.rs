//! What is known of one symbol's prices?

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{Bar, Instrument, Price, Ratio, Timeframe};
use crate::indicators::{Atr, Indicator};
use crate::market::Hours;

use super::history::History;

/// Bars in the average true range that stops are measured in.
pub(super) const ATR_BARS: usize = 14;

/// A price in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The last price that was not in doubt; what the book is valued at meanwhile.
    pub before: Price,
    /// When it was locked.
    pub since: Timestamp,
    /// Sessions that began since.
    pub sessions: u32,
}

/// One symbol's prices.
pub struct Lane {
    /// What it is.
    pub instrument: Instrument,
    /// When its market is open.
    pub hours: Hours,
    /// Its finest bars' length, known from the first bar on.
    pub timeframe: Option<Timeframe>,
    /// Its last finest bar.
    pub last: Option<Bar>,
    /// When trading in that bar began.
    pub last_opens: Timestamp,
    /// When that bar ended.
    pub last_end: Timestamp,
    /// How far that bar's close lay from the one before, without sign.
    pub last_move: Ratio,
    /// The true range of that bar in average true ranges before it; none while there is no average.
    pub stretch: Option<f64>,
    /// The end of the last bar before its last split.
    pub split_after: Option<Timestamp>,
    /// The last close that was not in doubt.
    pub believed: Option<Price>,
    /// Average true range of the finest bars.
    pub atr: Atr,
    /// Its last bars.
    pub history: History,
    /// Its sector, as a number that equal sectors share.
    pub sector: Option<usize>,
    /// True once the recorded prices of it are at their end: none are missing after that.
    pub ended: bool,
    /// Since when prices are missing, if that was noticed.
    pub stale: Option<Timestamp>,
    /// The price is in doubt.
    pub lock: Option<Lock>,
    /// True while nothing may fill on the current snapshot.
    pub suspended: bool,
    /// True if price or lock changed since the last commit.
    pub touched: bool,
}

impl Lane {
    pub(super) fn new(instrument: Instrument, sector: Option<usize>, returns: usize) -> Self {
        Self {
            stretch: None,
            split_after: None,
            believed: None,
            atr: Atr::new(ATR_BARS),
            history: History::new(returns),
            sector,
            hours: Hours::of(instrument.class),
            instrument,
            timeframe: None,
            last: None,
            last_opens: Timestamp::from_ms(i64::MIN),
            last_end: Timestamp::from_ms(i64::MIN),
            last_move: Ratio::ZERO,
            ended: false,
            stale: None,
            lock: None,
            suspended: false,
            touched: false,
        }
    }

    /// Takes a finest bar; one in doubt changes no average.
    pub(super) fn follow(&mut self, bar: &Bar, end: Timestamp) {
        self.last = Some(*bar);
        self.stretch = None;
        if self.suspended {
            return;
        }
        let usual = self.atr.value().filter(|usual| *usual > 0.0);
        let range = self.believed.map(|close| {
            let (top, bottom) = (bar.high.max(close).units(), bar.low.min(close).units());
            Price::from_units(top.saturating_sub(bottom)).to_f64()
        });
        self.stretch = usual.zip(range).map(|(usual, range)| range / usual);
        self.believed = Some(bar.close);
        self.atr.update(bar);
        self.history.push(bar, end);
    }

    /// The finest bar that ended at this very instant.
    pub fn bar_at(&self, now: Timestamp) -> Option<Bar> {
        self.last.filter(|_| self.last_end == now)
    }

    /// The price the book is valued at: the last close, or the last one that was not in doubt.
    pub fn mark(&self) -> Option<Price> {
        self.lock.map(|lock| lock.before).or_else(|| self.last.map(|bar| bar.close))
    }

    /// True after the last bar that there is of it.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.ended && self.last_end < now
    }

    /// How many bars are missing at `now`.
    pub fn bars_missing(&self, now: Timestamp) -> u64 {
        match self.timeframe {
            Some(timeframe) if now.since(self.last_end) > timeframe.ms() => {
                self.hours.bars_between(timeframe, self.last_end, now)
            }
            _ => 0,
        }
    }
}
