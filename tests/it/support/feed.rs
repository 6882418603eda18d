//! Feeds for tests: a list of bars, and the simulated market with faults in it.

use std::collections::VecDeque;
use std::sync::mpsc::Sender;

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::{Bar, Instrument, MarketSnapshot, Price, Quantity, SnapshotBar, Timeframe};
use bellwether::engine::EngineMessage;
use bellwether::market::{Feed, ResumeError, SimulatedFeed};

/// Daily bars of some symbols, given day by day.
pub(crate) struct ListFeed {
    instruments: Vec<Instrument>,
    bars: Vec<Vec<Bar>>,
    next: usize,
}

impl ListFeed {
    /// Daily bars of a coin, which has no holidays.
    pub(crate) fn daily(symbol: &str, bars: Vec<Bar>) -> Self {
        Self::of(vec![(Instrument::bare(symbol.parse().expect("symbol")), bars)])
    }

    /// Daily bars of some symbols, of the same days.
    pub(crate) fn of(list: Vec<(Instrument, Vec<Bar>)>) -> Self {
        let (instruments, bars) = list.into_iter().unzip();
        Self { instruments, bars, next: 0 }
    }
}

impl Feed for ListFeed {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        snapshot.clear();
        for (instrument, bars) in self.bars.iter().enumerate() {
            let Some(bar) = bars.get(self.next).copied() else { return false };
            snapshot.at = bar.start.plus_ms(DAY_MS);
            let is_last = self.next + 1 == bars.len();
            let (timeframe, opens) = (Timeframe::D1, bar.start);
            snapshot.bars.push(SnapshotBar { instrument, timeframe, bar, opens, is_finest: true, is_last });
        }
        self.next += 1;
        true
    }

    fn history_until(&self) -> Timestamp {
        Timestamp::from_ms(i64::MIN)
    }

    /// It goes nowhere again, but what was learned of it is kept.
    fn save(&self) -> Option<String> {
        Some("nowhere".to_owned())
    }
}

/// The daily bar number `day`, from open, high, low and close in whole units.
pub(crate) fn bar_at(day: i64, [open, high, low, close]: [i64; 4]) -> Bar {
    Bar {
        start: Timestamp::from_ms(1_600_000_000_000 / DAY_MS * DAY_MS + day * DAY_MS),
        open: Price::whole(open),
        high: Price::whole(high),
        low: Price::whole(low),
        close: Price::whole(close),
        volume: Quantity::whole(1_000_000),
    }
}

/// Bars that swing by one around their closes.
pub(crate) fn flat_bars(closes: &[i64]) -> Vec<Bar> {
    let mut last = closes.first().copied().unwrap_or(100);
    let mut bars = Vec::new();
    for (day, close) in closes.iter().enumerate() {
        let (top, bottom) = (last.max(*close) + 1, last.min(*close) - 1);
        bars.push(bar_at(day as i64, [last, top, bottom, *close]));
        last = *close;
    }
    bars
}

/// What can be wrong with a feed, by symbol and by the number of the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No bar of it.
    Missing,
    /// One bar at three times its price.
    BadPrint,
}

/// The simulated market of an endless number of days, cut after `days`, with faults drawn from the seed.
pub(crate) struct FaultyFeed {
    inner: SimulatedFeed,
    days_left: u64,
    seen: u64,
    fault: fn(u64, u64, usize) -> Option<Fault>,
    seed: u64,
}

impl FaultyFeed {
    /// `fault` is asked for each seed, instant and instrument.
    pub(crate) fn new(
        seed: u64,
        instruments: Vec<Instrument>,
        days: u64,
        fault: fn(u64, u64, usize) -> Option<Fault>,
    ) -> Self {
        Self::with_longer(seed, instruments, days, fault, &[])
    }

    /// The same, with bars of these lengths besides.
    pub(crate) fn with_longer(
        seed: u64,
        instruments: Vec<Instrument>,
        days: u64,
        fault: fn(u64, u64, usize) -> Option<Fault>,
        longer: &[Timeframe],
    ) -> Self {
        let start = SimulatedFeed::history_start(Timeframe::D1, 60, &instruments);
        let inner = SimulatedFeed::new(seed, Timeframe::D1, instruments, start).with_longer(longer);
        Self { inner, days_left: days, seen: 0, fault, seed }
    }
}

impl Feed for FaultyFeed {
    fn instruments(&self) -> &[Instrument] {
        self.inner.instruments()
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        loop {
            self.inner.next_into(snapshot);
            if snapshot.at > SimulatedFeed::START {
                if self.days_left == 0 {
                    return false;
                }
                self.days_left -= 1;
            }
            self.seen += 1;
            let (seed, instant, fault) = (self.seed, self.seen, self.fault);
            snapshot.bars.retain(|bar| !bar.is_finest || fault(seed, instant, bar.instrument) != Some(Fault::Missing));
            for bar in &mut snapshot.bars {
                if fault(seed, instant, bar.instrument) == Some(Fault::BadPrint) {
                    for price in [&mut bar.bar.open, &mut bar.bar.high, &mut bar.bar.low, &mut bar.bar.close] {
                        *price = price.scaled(3, 1).expect("fits");
                    }
                }
            }
            if !snapshot.bars.is_empty() {
                return true;
            }
        }
    }

    fn history_until(&self) -> Timestamp {
        SimulatedFeed::START
    }

    /// It goes nowhere again, but what was learned of it is kept.
    fn save(&self) -> Option<String> {
        Some("nowhere".to_owned())
    }
}

/// What somebody does while the engine runs, with a way to tell it.
pub(crate) type Act = Box<dyn FnOnce(&Sender<EngineMessage>) + Send>;

/// Another feed, and what somebody does at certain instants of it.
pub(crate) struct TellingFeed {
    inner: Box<dyn Feed>,
    queue: Sender<EngineMessage>,
    acts: VecDeque<(u64, Act)>,
    given: u64,
}

impl TellingFeed {
    pub(crate) fn new(inner: Box<dyn Feed>, queue: Sender<EngineMessage>, acts: Vec<(u64, Act)>) -> Self {
        Self { inner, queue, acts: acts.into(), given: 0 }
    }
}

impl Feed for TellingFeed {
    fn instruments(&self) -> &[Instrument] {
        self.inner.instruments()
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        let more = self.inner.next_into(snapshot);
        if more && snapshot.at > self.inner.history_until() {
            self.given += 1;
        }
        while self.acts.front().is_some_and(|(at, _)| *at <= self.given) {
            let (_, act) = self.acts.pop_front().expect("there");
            act(&self.queue);
        }
        more
    }

    fn history_until(&self) -> Timestamp {
        self.inner.history_until()
    }

    fn save(&self) -> Option<String> {
        self.inner.save()
    }

    fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        self.inner.resume(saved)
    }
}
