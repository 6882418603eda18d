//! How does a book move with its market? A benchmark for each book, and the beta of each symbol to it.

use std::collections::HashMap;

use crate::clock::DAY_MS;
use crate::domain::{AssetClass, BenchmarkFigures, Ratio, Symbol};
use crate::stats::{beta, joined_returns};

use super::history::Closes;
use super::state::{Desk, Lane, Prices};

/// Returns below which nothing is said of a beta.
const RETURNS_MIN: usize = 20;
/// The symbol that stands for the market of shares.
const SHARES: &str = "SPY";
/// The symbol that stands for the market of coins.
const COINS: &str = "BTC-USD";
/// Days that a mean of symbols goes back at most: room for 253 weeks.
const SPAN_DAYS: usize = 1_800;

/// What a book is compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Benchmark {
    /// What it is.
    name: String,
    /// Its daily closes.
    closes: Closes,
    /// The betas that were asked for.
    betas: HashMap<Symbol, Option<Ratio>>,
    /// What it was made from; it changes whenever a day ends.
    made_from: Option<(i64, usize)>,
}

impl Benchmark {
    /// Makes it anew if a day ended since, or other symbols are watched.
    pub(super) fn refresh(&mut self, desk: &Desk, prices: Prices<'_>) {
        let days = prices.lanes.iter().filter_map(|lane| lane.history.last_day());
        let ended = days.fold(0i64, |sum, day| sum.wrapping_add(day.ms()));
        let watched = (0..prices.lanes.len()).filter(|lane| desk.watches(*lane)).count();
        if self.made_from != Some((ended, watched)) {
            *self = Self { made_from: Some((ended, watched)), ..Self::of(desk, prices) };
        }
    }

    /// The benchmark of a book: SPY if it trades shares, BTC-USD if it trades coins alone, and where the feed has no such symbol
    /// the mean of the book's own shares or coins, equally weighted.
    fn of(desk: &Desk, prices: Prices<'_>) -> Self {
        let watched = prices.lanes.iter().enumerate().filter(|(index, _)| desk.watches(*index)).map(|(_, lane)| lane);
        let watched: Vec<&Lane> = watched.collect();
        let shares: Vec<&Lane> = watched.iter().copied().filter(|lane| is_share(lane)).collect();
        let (known, noun, members) =
            if shares.is_empty() { (COINS, "coins", watched) } else { (SHARES, "shares", shares) };
        if let Some(lane) = known.parse().ok().and_then(|symbol| prices.lane(symbol)) {
            return Self { name: known.to_owned(), closes: lane.history.days().collect(), ..Self::default() };
        }
        let name = format!("the mean of the book's {} {noun}", members.len());
        Self { name, closes: mean_of(&members), ..Self::default() }
    }

    /// The beta of a symbol to it, over the days that both have; none below 20 returns.
    pub(super) fn beta(&mut self, lane: &Lane) -> Option<Ratio> {
        let symbol = lane.instrument.symbol;
        if let Some(known) = self.betas.get(&symbol) {
            return *known;
        }
        let beta = self.measure(lane);
        self.betas.insert(symbol, beta);
        beta
    }

    fn measure(&self, lane: &Lane) -> Option<Ratio> {
        let closes: Closes = lane.history.days().collect();
        let (own, theirs) = joined_returns(&closes, &self.closes)?;
        if own.len() < RETURNS_MIN { None } else { Ratio::from_f64(beta(&own, &theirs)?) }
    }

    /// The beta of a book, which is the sum of its positions' betas by their shares of equity.
    pub(super) fn figures(&self, held: &[(Option<Ratio>, f64)]) -> BenchmarkFigures {
        let returns = self.closes.len().saturating_sub(1);
        let known: Option<Vec<f64>> =
            held.iter().map(|(beta, weight)| Some(beta.as_ref()?.to_f64() * weight)).collect();
        let beta = known.filter(|_| !held.is_empty()).and_then(|parts| Ratio::from_f64(parts.iter().sum()));
        let basis = if held.is_empty() || beta.is_some() {
            format!("{}, {returns} daily returns", self.name)
        } else {
            let few = "daily returns are known, and each position must share";
            format!("{}, of which {returns} {few} {RETURNS_MIN}", self.name)
        };
        BenchmarkFigures { basis, beta }
    }
}

fn is_share(lane: &Lane) -> bool {
    match lane.instrument.class {
        AssetClass::UsEquity => true,
        AssetClass::Crypto | AssetClass::Perpetual => false,
    }
}

/// The level of a basket that holds the same of each symbol every day: it grows by the mean of the returns that ended on the day.
fn mean_of(lanes: &[&Lane]) -> Closes {
    let days = || lanes.iter().flat_map(|lane| lane.history.days()).map(|day| day.0);
    let (Some(oldest), Some(newest)) = (days().min(), days().max()) else { return Vec::new() };
    let mut sums = vec![(0.0, 0u32); SPAN_DAYS];
    for lane in lanes {
        let mut before = None;
        for (at, close) in lane.history.days() {
            let back = usize::try_from(newest.since(at) / DAY_MS).unwrap_or(usize::MAX);
            if let (Some(before), true, Some((sum, count))) = (before.replace(close), close > 0.0, sums.get_mut(back))
                && before > 0.0
            {
                (*sum, *count) = (*sum + close / before - 1.0, *count + 1);
            }
        }
    }
    let mut level = 1.0;
    let mut closes = vec![(oldest, level)];
    for (back, (sum, count)) in sums.into_iter().enumerate().rev().filter(|(_, (_, count))| *count > 0) {
        level *= 1.0 + sum / f64::from(count);
        closes.push((newest.plus_ms(-(back as i64) * DAY_MS), level));
    }
    closes
}
