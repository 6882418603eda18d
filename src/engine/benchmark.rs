//! How does a book move with its market? A benchmark for each book, and the beta of each symbol to it.

use std::collections::HashMap;

use crate::clock::DAY_MS;
use crate::domain::format::counted;
use crate::domain::{AssetClass, BenchmarkFigures, Ratio, Symbol, Timeframe};
use crate::stats::{beta, joined_returns};

use super::desk::Desk;
use super::history::Closes;
use super::lane::Lane;
use super::state::Prices;

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
    /// Its closes.
    closes: Closes,
    /// Of how much time each return is: `daily`, or `weekly` where the finest bars are weeks.
    period: &'static str,
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
        let watched = (0..prices.lanes.len()).filter(|lane| desk.lists(*lane)).count();
        if self.made_from != Some((ended, watched)) {
            *self = Self { made_from: Some((ended, watched)), ..Self::of(desk, prices) };
        }
    }

    /// The benchmark of a book: SPY if it trades shares, BTC-USD if it trades coins alone, and where the feed has no such symbol
    /// the mean of the book's own shares or coins, equally weighted.
    fn of(desk: &Desk, prices: Prices<'_>) -> Self {
        let watched = prices.lanes.iter().enumerate().filter(|(index, _)| desk.lists(*index)).map(|(_, lane)| lane);
        let watched: Vec<&Lane> = watched.collect();
        let weekly = watched.iter().any(|lane| lane.timeframe == Some(Timeframe::W1));
        let period = if weekly { "weekly" } else { "daily" };
        let shares: Vec<&Lane> = watched.iter().copied().filter(|lane| is_share(lane)).collect();
        let (known, noun, members) =
            if shares.is_empty() { (COINS, "coins", watched) } else { (SHARES, "shares", shares) };
        if let Some(lane) = known.parse().ok().and_then(|symbol| prices.lane(symbol)) {
            let closes = lane.history.days().collect();
            return Self { name: known.to_owned(), closes, period, ..Self::default() };
        }
        let name = format!("the mean of the book's {} {noun}", members.len());
        Self { name, closes: mean_of(&members), period, ..Self::default() }
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
        let parts: Option<Vec<f64>> =
            held.iter().map(|(beta, weight)| Some(beta.as_ref()?.to_f64() * weight)).collect();
        let beta = parts.filter(|_| !held.is_empty()).and_then(|parts| Ratio::from_f64(parts.iter().sum()));
        let known = counted(returns as u64, &format!("{} return", self.period));
        let basis = if held.is_empty() || beta.is_some() {
            known
        } else {
            format!("{known}, each position must share {RETURNS_MIN}")
        };
        BenchmarkFigures { name: self.name.clone(), basis, beta }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{Bar, Price, Quantity};
    use crate::engine::Engine;
    use crate::engine::figures::tests::idle;

    /// One day after the other, on which each symbol closes as its row says.
    fn engine(rows: &[(&str, Vec<i64>)]) -> Engine {
        let mut engine = idle(&rows.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for (lane, (_, closes)) in rows.iter().enumerate() {
            for (day, close) in (1..).zip(closes) {
                push(&mut engine, lane, day, *close);
            }
        }
        engine
    }

    fn push(engine: &mut Engine, lane: usize, day: i64, close: i64) {
        let price = Price::whole(close);
        let start = Timestamp::from_ms(0);
        let bar = Bar { start, open: price, high: price, low: price, close: price, volume: Quantity::ZERO };
        engine.lanes[lane].history.push(&bar, Timestamp::from_ms(day * DAY_MS));
    }

    fn benchmark(engine: &Engine) -> Benchmark {
        let mut benchmark = Benchmark::default();
        benchmark.refresh(&engine.desks[0], engine.prices());
        benchmark
    }

    fn wave(days: i64) -> Vec<i64> {
        (0..days).map(|day| 1_000 + day * day % 17).collect()
    }

    #[test]
    fn a_book_is_compared_with_the_market_it_trades() {
        let name = |symbols: &[&str]| {
            let rows: Vec<_> = symbols.iter().map(|symbol| (*symbol, wave(30))).collect();
            benchmark(&engine(&rows)).name
        };
        assert_eq!(name(&["AAPL", "SPY", "BTC-USD"]), "SPY");
        assert_eq!(name(&["ETH-USD", "BTC-USD"]), "BTC-USD");
        assert_eq!(name(&["AAPL", "MSFT", "BTC-USD"]), "the mean of the book's 2 shares");
        assert_eq!(name(&["ETH-USD", "SOL-USD"]), "the mean of the book's 2 coins");
    }

    /// One goes up 10 % and 0 %, the other down 20 % and up 50 %; the third is listed a day later.
    #[test]
    fn the_mean_holds_the_same_of_each_every_day() {
        let rows = [("A", vec![100, 110, 110, 1]), ("B", vec![50, 40, 60, 1]), ("C", vec![])];
        let mut engine = engine(&rows);
        for (day, close) in [(2, 10), (3, 12), (4, 1)] {
            push(&mut engine, 2, day, close);
        }
        let closes = benchmark(&engine).closes;
        let wanted = [1.0, 0.95, 0.95 * (1.0 + 0.7 / 3.0)];
        assert_eq!(closes.len(), 3);
        for (number, (close, want)) in (1i64..).zip(closes.iter().zip(wanted)) {
            assert_eq!(close.0, Timestamp::from_ms(number * DAY_MS));
            assert!((close.1 - want).abs() < 1e-12, "{closes:?}");
        }
    }

    #[test]
    fn betas_are_kept_until_a_day_ends() {
        let twice = |close: &i64| close * 2 - 1_000;
        let rows = [("AAPL", wave(30).iter().map(twice).collect()), ("SPY", wave(30)), ("NEW", wave(20))];
        let mut engine = engine(&rows);
        let mut benchmark = benchmark(&engine);
        let beta = benchmark.beta(&engine.lanes[0]).unwrap().to_f64();
        assert!((beta - 2.0).abs() < 0.05, "{beta}");
        // 19 days of it are over.
        assert_eq!(benchmark.beta(&engine.lanes[2]), None);
        let held = [(benchmark.beta(&engine.lanes[0]), 0.5), (benchmark.beta(&engine.lanes[1]), -1.0)];
        let figures = benchmark.figures(&held);
        assert!((figures.beta.unwrap().to_f64() - (beta / 2.0 - 1.0)).abs() < 1e-7);
        assert_eq!((figures.name.as_str(), figures.basis.as_str()), ("SPY", "28 daily returns"));
        let unknown = benchmark.figures(&[(None, 1.0)]);
        assert_eq!(unknown.basis, "28 daily returns, each position must share 20");
        push(&mut engine, 0, 31, 4_000);
        push(&mut engine, 1, 31, 1_000);
        push(&mut engine, 0, 32, 4_000);
        benchmark.refresh(&engine.desks[0], engine.prices());
        assert!(benchmark.betas.is_empty());
        assert_ne!(benchmark.beta(&engine.lanes[0]), Ratio::from_f64(beta));
    }
}
