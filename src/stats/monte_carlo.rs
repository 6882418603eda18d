//! Was it luck? The same trades in many other orders: how the equity might have gone, and how far it might have fallen.
//!
//! Every order ends at the same equity, because the same profits are added up. What differs is the way, above all the drawdown.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;

use crate::domain::Money;

/// The most orders that are tried.
const PATHS_MAX: usize = 10_000;
/// The most trades drawn in all; with more trades than this over the orders wanted, fewer orders are tried.
const DRAWS_MAX: usize = 100_000_000;
/// The most places at which bands are told; with more trades they are spread evenly.
const PLACES_MAX: usize = 1_000;
/// So many equities are kept at once. For more of them the same orders are drawn again.
const CELLS_MAX: usize = 2_500_000;

const _: () = assert!(CELLS_MAX >= PATHS_MAX && DRAWS_MAX >= PATHS_MAX);

/// How to reshuffle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shuffle {
    /// How many orders to try, up to 10,000.
    pub paths: usize,
    /// The same seed gives the same orders.
    pub seed: u64,
    /// The drawdown whose chance is asked for, as a negative share such as -0.2; none asks for no chance.
    pub limit: Option<f64>,
}

/// Where the equity stood after so many trades: the share of orders below each figure is in its name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bands {
    /// Trades closed so far.
    pub trades: usize,
    /// 5 % of the orders stood lower.
    pub p05: f64,
    /// 25 % stood lower.
    pub p25: f64,
    /// Half stood lower.
    pub p50: f64,
    /// 75 % stood lower.
    pub p75: f64,
    /// 95 % stood lower.
    pub p95: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonteCarlo {
    /// How many orders were tried.
    pub paths: usize,
    /// How many trades each had.
    pub trades: usize,
    /// The seed they came from.
    pub seed: u64,
    /// After each trade, or at a thousand places if there are more trades.
    pub bands: Vec<Bands>,
    /// The max drawdown of the middle order, as a negative share.
    pub drawdown_median: f64,
    /// One order in twenty fell further than this, as a negative share.
    pub drawdown_95: f64,
    /// The drawdown that was asked about, if one was.
    pub limit: Option<f64>,
    /// The share of orders that fell further than it.
    pub chance_beyond: Option<f64>,
}

/// Adds the profits of closed trades to `start` in many random orders. Drawdowns are those between closed trades, from the highest
/// equity so far. None below two trades or without equity at the start. The same input gives the same figures to the bit.
pub fn reshuffle(start: Money, profits: &[Money], how: Shuffle) -> Option<MonteCarlo> {
    if profits.len() < 2 || start <= Money::ZERO || how.limit.is_some_and(|limit| !limit.is_finite()) {
        return None;
    }
    let paths = how.paths.min(PATHS_MAX).min(DRAWS_MAX / profits.len()).max(1);
    let deck = Deck { start: start.to_f64(), profits: profits.iter().map(|profit| profit.to_f64()).collect(), how };
    let places = places(profits.len());
    let mut drawdowns = deck.drawdowns(paths);
    let bands = places.chunks(CELLS_MAX / paths).flat_map(|places| deck.bands(paths, places)).collect();
    drawdowns.sort_unstable_by(f64::total_cmp);
    let beyond = |limit: f64| drawdowns.partition_point(|depth| *depth < limit) as f64 / paths as f64;
    Some(MonteCarlo {
        paths,
        trades: profits.len(),
        seed: how.seed,
        bands,
        drawdown_median: quantile(&drawdowns, 50),
        drawdown_95: quantile(&drawdowns, 5),
        limit: how.limit,
        chance_beyond: how.limit.map(beyond),
    })
}

/// The profits that are shuffled.
struct Deck {
    start: f64,
    profits: Vec<f64>,
    how: Shuffle,
}

impl Deck {
    /// Walks one order and shows the equity after each of its first `trades` trades. Each order has a stream of its own, so that it
    /// can be walked again, as far as is needed.
    fn walk(&self, path: usize, trades: usize, scratch: &mut [f64], mut see: impl FnMut(usize, f64)) {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.how.seed.to_le_bytes());
        let mut chance = ChaCha8Rng::from_seed(key);
        chance.set_stream(path as u64);
        scratch.copy_from_slice(&self.profits);
        let mut equity = self.start;
        for trade in 0..trades {
            // A number below `left`; the bias of taking the high half is below one in a million.
            let left = (scratch.len() - trade) as u64;
            let drawn = (u64::from(chance.next_u32()) * left) >> 32;
            scratch.swap(trade, trade + drawn as usize);
            equity += scratch[trade];
            see(trade + 1, equity);
        }
    }

    /// The max drawdown of each order.
    fn drawdowns(&self, paths: usize) -> Vec<f64> {
        let mut scratch = self.profits.clone();
        let depth = |path| {
            let (mut peak, mut deepest) = (self.start, 0.0f64);
            self.walk(path, self.profits.len(), &mut scratch, |_, equity| {
                peak = peak.max(equity);
                deepest = deepest.min(equity / peak - 1.0);
            });
            deepest
        };
        (0..paths).map(depth).collect()
    }

    /// The bands at these places, which are in order.
    fn bands(&self, paths: usize, places: &[usize]) -> Vec<Bands> {
        let mut cells = vec![0.0; paths * places.len()];
        let mut scratch = self.profits.clone();
        for path in 0..paths {
            // The equities of one place lie side by side.
            let mut cell = path;
            let mut wanted = places.iter().peekable();
            self.walk(path, places.last().copied().unwrap_or(0), &mut scratch, |trades, equity| {
                if wanted.next_if(|place| **place == trades).is_some() {
                    cells[cell] = equity;
                    cell += paths;
                }
            });
        }
        places.iter().zip(cells.chunks_mut(paths)).map(|(trades, column)| bands_of(*trades, column)).collect()
    }
}

fn bands_of(trades: usize, equities: &mut [f64]) -> Bands {
    equities.sort_unstable_by(f64::total_cmp);
    let at = |percent| quantile(equities, percent);
    Bands { trades, p05: at(5), p25: at(25), p50: at(50), p75: at(75), p95: at(95) }
}

/// Linear between the two rows that the percentile lies between; `sorted` is not empty.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let place = (sorted.len() - 1) * percent;
    let (row, rest) = (place / 100, (place % 100) as f64 / 100.0);
    let low = sorted[row];
    low + (sorted.get(row + 1).copied().unwrap_or(low) - low) * rest
}

/// After how many trades bands are told; the last trade is always one.
fn places(trades: usize) -> Vec<usize> {
    let count = trades.min(PLACES_MAX);
    (1..=count).map(|place| (place as u128 * trades as u128 / count as u128) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    fn run(profits: &[i64], paths: usize, seed: u64) -> Option<MonteCarlo> {
        let profits: Vec<Money> = profits.iter().map(|profit| Money::whole(*profit)).collect();
        reshuffle(Money::whole(100), &profits, Shuffle { paths, seed, limit: Some(-0.45) })
    }

    /// +50, -50 and -50 have three orders, which fall from 150 to 50, from 100 to 50, and from 100 to nothing.
    #[test]
    fn all_orders_come_equally_often() {
        let got = run(&[50, -50, -50], 10_000, 1).unwrap();
        assert!(near(Some(got.drawdown_median), -2.0 / 3.0) && near(Some(got.drawdown_95), -1.0));
        assert!(near(got.chance_beyond, 1.0));
        let first = got.bands[0];
        assert!(near(Some(first.p05), 50.0) && near(Some(first.p50), 50.0) && near(Some(first.p75), 150.0));
        let last = got.bands[2];
        assert!(near(Some(last.p05), 50.0) && near(Some(last.p95), 50.0) && last.trades == 3);
        let profits = [Money::whole(50), Money::whole(-50), Money::whole(-50)];
        for (limit, share) in [(-0.6, 2.0 / 3.0), (-0.9, 1.0 / 3.0), (-1.0, 0.0)] {
            let how = Shuffle { paths: 10_000, seed: 2, limit: Some(limit) };
            let got = reshuffle(Money::whole(100), &profits, how).unwrap().chance_beyond.unwrap();
            assert!((got - share).abs() < 0.02, "{limit}: {got}");
        }
    }

    #[test]
    fn a_seed_fixes_every_figure() {
        let profits: Vec<i64> = (-40..45).collect();
        assert_eq!(run(&profits, 500, 7), run(&profits, 500, 7));
        assert_ne!(run(&profits, 500, 7).unwrap().bands, run(&profits, 500, 8).unwrap().bands);
    }

    #[test]
    fn bands_lie_in_order_and_blocks_do_not_matter() {
        // 1,200 trades need more than one block of cells, and more places than there are.
        let profits: Vec<i64> = (0..1_200).map(|trade| trade * 37 % 11 - 5).collect();
        let got = run(&profits, 2_600, 3).unwrap();
        assert_eq!((got.bands.len(), got.bands[0].trades, got.bands[999].trades), (1_000, 1, 1_200));
        assert!(got.bands.windows(2).all(|pair| pair[0].trades < pair[1].trades));
        for bands in &got.bands {
            assert!(
                bands.p05 <= bands.p25 && bands.p25 <= bands.p50 && bands.p50 <= bands.p75 && bands.p75 <= bands.p95
            );
        }
        let end = 100.0 + profits.iter().sum::<i64>() as f64;
        assert!(near(Some(got.bands[999].p05), end) && near(Some(got.bands[999].p95), end));
        assert!(got.drawdown_95 <= got.drawdown_median && got.drawdown_median < 0.0);
    }

    #[test]
    fn too_little_or_hostile_input() {
        assert_eq!((run(&[], 10, 1), run(&[5], 10, 1)), (None, None));
        assert_eq!(run(&[5, 5], 0, 1).map(|got| got.paths), Some(1));
        assert_eq!(run(&[5, 5], usize::MAX, 1).map(|got| (got.paths, got.drawdown_95 as i64)), Some((10_000, 0)));
        let how = Shuffle { paths: 5, seed: u64::MAX, limit: Some(f64::NAN) };
        assert_eq!(reshuffle(Money::whole(1), &[Money::STEP; 3], how), None);
        assert_eq!(reshuffle(Money::ZERO, &[Money::STEP; 3], Shuffle { limit: Some(-0.1), ..how }), None);
        let got = reshuffle(Money::whole(1), &[Money::STEP; 3], Shuffle { limit: None, ..how }).unwrap();
        assert_eq!((got.limit, got.chance_beyond), (None, None));
        let wild = [Money::MAX, Money::MAX.negated(), Money::MAX, Money::ZERO];
        let got = reshuffle(Money::STEP, &wild, Shuffle { limit: Some(-0.1), ..how }).unwrap();
        assert!(got.drawdown_95.is_finite() && got.bands.iter().all(|bands| bands.p95.is_finite()));
    }
}
