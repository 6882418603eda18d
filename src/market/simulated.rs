//! What does the market do when nobody gives us one? Anything plausible, for ever, and the same again for the same seed.
//!
//! A return is the sum of three parts: what the market, the sector and the symbol itself did. Shares and coins are two
//! markets, because they have different hours. Each thing that moves has its own stream of chance (see `noise`), so that
//! a symbol's bars depend on the seed, the start and the timeframe, and not on which other symbols are watched.
//!
//! Bars of every timeframe are drawn directly, with the variance of the time they cover. Adding up minutes would make a
//! year of daily bars cost 98,000 steps per symbol instead of 252. The price of it: markets of two timeframes are of the
//! same kind but have not the same history. Longer bars beside its own are gathered from them, so that they agree.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::regime::MarketRegime;
use super::slots::{self, Slots};
use super::walk::{Market, MarketState, Path, PathState};
use super::{Aggregator, Hours, ResumeError, position};
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{AssetClass, Instrument, MarketSnapshot, SnapshotBar, Timeframe};

const WEEK_MS: i64 = 7 * DAY_MS;
/// How many weeks `history_start` looks back at most.
const HISTORY_WEEKS_MAX: i64 = 2_048;

/// Marks saved positions; a new number where their form or the market changes.
const KIND: &str = "simulated-1";

/// A market without files: bars of any instruments, made up from a seed, without end.
#[derive(Debug)]
pub struct SimulatedFeed {
    seed: u64,
    timeframe: Timeframe,
    instruments: Vec<Instrument>,
    markets: Vec<Market>,
    paths: Vec<Path>,
    /// Of each instrument as many as of every other.
    gathered: Vec<Aggregator>,
}

/// What is saved of its position.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    /// A hash of the seed and everything else that the market depends on.
    of: String,
    markets: Vec<MarketState>,
    paths: Vec<PathState>,
    gathered: Vec<Aggregator>,
}

impl SimulatedFeed {
    /// Where a run begins unless told otherwise: Monday 2024-01-08T14:30:00Z, when the New York Stock Exchange opens.
    /// No halt begins before it, so that history has all its bars.
    pub const START: Timestamp = slots::START;

    /// A market from `start` on: its first bars are the first that end after it. Any seed is as good as another.
    pub fn new(seed: u64, timeframe: Timeframe, instruments: Vec<Instrument>, start: Timestamp) -> Self {
        let mut markets: Vec<Market> = AssetClass::ALL
            .into_iter()
            .filter(|class| instruments.iter().any(|instrument| instrument.class == *class))
            .map(|class| Market::new(seed, timeframe, class, start))
            .collect();
        let paths = instruments.iter().map(|instrument| Path::new(seed, timeframe, instrument, &mut markets)).collect();
        Self { seed, timeframe, instruments, markets, paths, gathered: Vec::new() }
    }

    /// The same market, which gives longer bars of every instrument too, gathered from its own. Timeframes that are not
    /// longer than its own change nothing.
    #[must_use]
    pub fn with_longer(mut self, longer: &[Timeframe]) -> Self {
        let longer: BTreeSet<Timeframe> = longer.iter().copied().filter(|longer| *longer > self.timeframe).collect();
        let each = |instrument: &Instrument| {
            let class = instrument.class;
            longer.iter().map(|timeframe| Aggregator::new(class, *timeframe)).collect::<Vec<_>>()
        };
        self.gathered = self.instruments.iter().flat_map(each).collect();
        self
    }

    /// What it has bars of, in the order that snapshots count them.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The length of its own bars.
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// The mood at the end of the last bars: of the shares' market if there are shares, else of the coins'. Calm
    /// without any instrument.
    pub fn regime(&self) -> MarketRegime {
        self.markets.first().map_or(MarketRegime::Calm, Market::regime)
    }

    /// Puts the next instant at which at least one bar ends into `snapshot`, which it empties first. Bars are sorted by
    /// instrument and become known when they end: daily and weekly ones at the close of their last session, which for
    /// coins is midnight UTC. It never ends; without any instrument the snapshot stays empty.
    pub fn next_into(&mut self, snapshot: &mut MarketSnapshot) {
        snapshot.clear();
        // More than one round only where every symbol that had a bar to give is halted.
        while snapshot.bars.is_empty() {
            let Some(at) = self.markets.iter().map(Market::next_end).min() else { return };
            snapshot.at = at;
            for market in &mut self.markets {
                market.step_if_due(at);
            }
            for instrument in 0..self.paths.len() {
                self.step(instrument, snapshot);
            }
        }
    }

    /// The bars of one instrument that end now, the shortest first.
    fn step(&mut self, instrument: usize, snapshot: &mut MarketSnapshot) {
        let path = &mut self.paths[instrument];
        let market = &self.markets[path.market];
        let each = self.gathered.len() / self.instruments.len();
        let gathered = &mut self.gathered[instrument * each..(instrument + 1) * each];
        if let Some(step) = &market.step
            && let Some(bar) = path.next_bar(step, market.sector_move(path))
        {
            for aggregator in &mut *gathered {
                aggregator.add(&bar);
            }
            let (timeframe, opens) = (self.timeframe, step.slot.begin);
            let (is_finest, is_last) = (true, false);
            snapshot.bars.push(SnapshotBar { instrument, timeframe, bar, opens, is_finest, is_last });
        }
        for aggregator in gathered {
            let Some(bar) = aggregator.take_due(snapshot.at) else { continue };
            let timeframe = aggregator.timeframe();
            let opens = Hours::of(aggregator.class()).bar_open(timeframe, bar.start);
            let (is_finest, is_last) = (false, false);
            snapshot.bars.push(SnapshotBar { instrument, timeframe, bar, opens, is_finest, is_last });
        }
    }

    /// Where it stands after the last snapshot; see [`super::Feed::save`].
    pub fn save(&self) -> Option<String> {
        let saved = Saved {
            of: self.fingerprint(),
            markets: self.markets.iter().map(Market::state).collect(),
            paths: self.paths.iter().map(Path::state).collect(),
            gathered: self.gathered.clone(),
        };
        position::write(KIND, &saved)
    }

    /// Goes to where the same market stood, whatever its own start was.
    ///
    /// # Errors
    /// When the text is damaged, or was saved by another market; nothing changes then.
    pub fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        let Saved { of, markets, paths, gathered } = position::read(KIND, saved)?;
        if of != self.fingerprint() {
            let what = "it has another seed, watchlist, timeframe or list of longer bars".to_owned();
            return Err(ResumeError::Foreign(what));
        }
        let counts = (markets.len(), paths.len(), gathered.len());
        let is_whole = counts == (self.markets.len(), self.paths.len(), self.gathered.len());
        if !is_whole || !self.markets.iter().zip(&markets).all(|(market, state)| market.fits(state)) {
            return Err(ResumeError::Damaged);
        }
        self.markets.iter_mut().zip(&markets).for_each(|(market, state)| market.go_to(state));
        self.paths.iter_mut().zip(&paths).for_each(|(path, state)| path.go_to(state));
        self.gathered = gathered;
        Ok(())
    }

    /// Changes with everything that its bars depend on but the start.
    fn fingerprint(&self) -> String {
        let mut text = format!("{} {}", self.seed, self.timeframe);
        for Instrument { symbol, class, sector, .. } in &self.instruments {
            let _ = write!(text, "\n{symbol} {class} {sector}");
        }
        let own = self.gathered.len().checked_div(self.instruments.len()).unwrap_or_default();
        for aggregator in &self.gathered[..own] {
            let _ = write!(text, "\n{}", aggregator.timeframe());
        }
        position::check(&text)
    }

    /// The latest start from which every one of `instruments` has at least `bars` bars that are known at [`Self::START`].
    /// Looks back 2,048 weeks (39 years) at most.
    pub fn history_start(timeframe: Timeframe, bars: usize, instruments: &[Instrument]) -> Timestamp {
        AssetClass::ALL
            .into_iter()
            .filter(|class| instruments.iter().any(|instrument| instrument.class == *class))
            .map(|class| history_start_of(class, timeframe, bars))
            .min()
            .unwrap_or(Self::START)
    }
}

fn history_start_of(class: AssetClass, timeframe: Timeframe, bars: usize) -> Timestamp {
    let mut weeks = 1;
    loop {
        let from = slots::START.plus_ms(-weeks * WEEK_MS);
        let known = || Slots::after(class, timeframe, from).take_while(|slot| slot.end <= slots::START);
        let count = known().count();
        if count >= bars || weeks >= HISTORY_WEEKS_MAX {
            let begin = known().nth(count.saturating_sub(bars)).map(|slot| slot.begin);
            return begin.unwrap_or(slots::START);
        }
        weeks *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Price;

    fn shares(symbols: &[(&str, &str)]) -> Vec<Instrument> {
        let instrument = |(symbol, sector): &(&str, &str)| {
            let mut instrument = Instrument::bare(symbol.parse().unwrap());
            (*sector).clone_into(&mut instrument.sector);
            instrument
        };
        symbols.iter().map(instrument).collect()
    }

    fn tech() -> Vec<Instrument> {
        shares(&[("AAPL", "Technology"), ("MSFT", "Technology"), ("JPM", "Financials"), ("BTC-USD", "Coins")])
    }

    /// The next `snapshots` of a market, and every mood that was seen at their ends.
    fn run(
        seed: u64,
        timeframe: Timeframe,
        list: Vec<Instrument>,
        count: usize,
    ) -> (Vec<SnapshotBar>, Vec<MarketRegime>) {
        let mut feed = SimulatedFeed::new(seed, timeframe, list, SimulatedFeed::START);
        let (mut snapshot, mut bars, mut moods) = (MarketSnapshot::default(), Vec::new(), Vec::new());
        for _ in 0..count {
            let before = snapshot.at;
            feed.next_into(&mut snapshot);
            assert!(snapshot.at > before && snapshot.bars.is_sorted_by_key(|bar| bar.instrument));
            bars.extend_from_slice(&snapshot.bars);
            if !moods.contains(&feed.regime()) {
                moods.push(feed.regime());
            }
        }
        (bars, moods)
    }

    /// Logarithmic returns by label, of those labels at which every instrument has a bar.
    fn returns(bars: &[SnapshotBar], instruments: usize) -> Vec<Vec<f64>> {
        let mut closes = vec![Vec::new(); instruments];
        for at_once in bars.chunk_by(|a, b| a.bar.start == b.bar.start).filter(|at_once| at_once.len() == instruments) {
            for bar in at_once {
                closes[bar.instrument].push(libm::log(bar.bar.close.to_f64()));
            }
        }
        closes.iter().map(|closes| closes.windows(2).map(|pair| pair[1] - pair[0]).collect()).collect()
    }

    fn moment(a: &[f64], b: &[f64]) -> f64 {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (mean_a, mean_b) = (mean(a), mean(b));
        a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / a.len().min(b.len()) as f64
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        moment(a, b) / (moment(a, a) * moment(b, b)).sqrt()
    }

    fn kurtosis(a: &[f64]) -> f64 {
        let squares: Vec<f64> = a.iter().map(|a| a * a).collect();
        squares.iter().map(|s| s * s).sum::<f64>() / a.len() as f64 / (moment(a, a) * moment(a, a))
    }

    /// What makes it look like a market, measured on minutes of twenty days and on days of eight years.
    #[test]
    fn returns_look_like_those_of_a_market() {
        for (timeframe, count, per_year) in [(Timeframe::M1, 7_800, 98_280.0), (Timeframe::D1, 2_000, 252.0)] {
            for seed in 1..=3 {
                let list = shares(&[("AAPL", "Technology"), ("MSFT", "Technology"), ("JPM", "Financials")]);
                let (bars, moods) = run(seed, timeframe, list, count);
                assert_eq!(moods.len(), MarketRegime::ALL.len(), "{timeframe} {seed}");
                let returns = returns(&bars, 3);
                for of_one in &returns {
                    let sizes: Vec<f64> = of_one.iter().map(|r| r.abs()).collect();
                    let clustering = correlation(&sizes[1..], &sizes[..sizes.len() - 1]);
                    let volatility = (moment(of_one, of_one) * per_year).sqrt();
                    assert!(kurtosis(of_one) > 4.0, "{timeframe} {seed}: {}", kurtosis(of_one));
                    assert!(clustering > 0.1, "{timeframe} {seed}: {clustering}");
                    assert!((0.1..0.9).contains(&volatility), "{timeframe} {seed}: {volatility}");
                }
                let (inside, across) = (correlation(&returns[0], &returns[1]), correlation(&returns[0], &returns[2]));
                assert!((0.3..0.8).contains(&inside), "{timeframe} {seed}: {inside}");
                assert!(across < inside, "{timeframe} {seed}: {across} {inside}");
            }
        }
    }

    /// Runs for centuries, so that prices reach both ends of their range.
    #[test]
    fn bars_are_always_valid() {
        for (timeframe, count) in [(Timeframe::M1, 5_000), (Timeframe::H1, 5_000), (Timeframe::W1, 20_000)] {
            for SnapshotBar { bar, .. } in run(7, timeframe, tech(), count).0 {
                assert_eq!(bar.fault(), None, "{bar:?}");
                assert!(bar.low.to_f64() >= 0.5 && bar.volume.units() > 0, "{bar:?}");
            }
        }
    }

    #[test]
    fn a_symbol_does_not_depend_on_the_others() {
        for timeframe in Timeframe::ALL {
            let (among_others, _) = run(3, timeframe, tech(), 2_000);
            let (alone, _) = run(3, timeframe, shares(&[("MSFT", "Technology")]), 300);
            let picked = among_others.iter().filter(|bar| bar.instrument == 1).map(|bar| bar.bar);
            assert!(picked.zip(alone.iter().map(|bar| bar.bar)).all(|(a, b)| a == b), "{timeframe}");
        }
    }

    /// The literal was computed on Linux on x86-64; every platform must come to the same bits.
    #[test]
    fn a_seed_is_the_same_market_everywhere() {
        let mut hasher = blake3::Hasher::new();
        for timeframe in Timeframe::ALL {
            for SnapshotBar { bar, .. } in run(1, timeframe, tech(), 1_000).0 {
                let prices = [bar.open, bar.high, bar.low, bar.close].map(Price::units);
                for number in prices.into_iter().chain([bar.start.ms(), bar.volume.units()]) {
                    hasher.update(&number.to_le_bytes());
                }
            }
        }
        assert_eq!(hasher.finalize().to_hex().as_str()[..16], *"2f220a1e46708418");
    }

    #[test]
    fn history_has_as_many_bars_as_asked_for() {
        for (timeframe, wanted) in Timeframe::ALL.into_iter().flat_map(|t| [(t, 0), (t, 1), (t, 250)]) {
            let start = SimulatedFeed::history_start(timeframe, wanted, &tech());
            let mut feed = SimulatedFeed::new(5, timeframe, tech(), start);
            let (mut snapshot, mut counts) = (MarketSnapshot::default(), [0; 4]);
            feed.next_into(&mut snapshot);
            while snapshot.at <= SimulatedFeed::START {
                snapshot.bars.iter().for_each(|bar| counts[bar.instrument] += 1);
                feed.next_into(&mut snapshot);
            }
            assert_eq!(counts.iter().min(), Some(&wanted), "{timeframe} {counts:?}");
        }
    }
}
