//! What could a bad day cost? What is held now, over the returns of the past.

use crate::domain::format::counted;
use crate::domain::{Ratio, Symbol, TailFigures, TailLoss, Timeframe};
use crate::stats::{Confidence, conditional, expected_shortfall, historical, parametric, returns_of};

use super::history::{Closes, History, bars_per_day};
use super::lane::Lane;

/// Returns below which nothing is said of a bad day: one in twenty is the least that 95 % can see.
const RETURNS_MIN: usize = 20;
/// The same for 99 %.
const RETURNS_MIN_99: usize = 100;
/// Something held, with its share of equity; negative for a short.
pub(super) struct Weighted<'a> {
    /// Its prices.
    pub(super) lane: &'a Lane,
    /// Its share.
    pub(super) weight: f64,
}

/// What a bad day costs: what these positions would have made on each past day, and the worst of it. While too few days are known,
/// the finest bars are taken instead and scaled to a day.
pub(super) fn tail(held: &[Weighted<'_>]) -> TailFigures {
    let Some(fewest) = held.iter().min_by_key(|one| one.lane.history.days().count()) else {
        return TailFigures { basis: "nothing is held".to_owned(), losses: Vec::new() };
    };
    let frame = |one: &Weighted<'_>| one.lane.timeframe;
    let (period, periodly) =
        if held.iter().any(|one| frame(one) == Some(Timeframe::W1)) { ("week", "weekly") } else { ("day", "daily") };
    let days = returns(held, |history| history.days().collect());
    if days.len() >= RETURNS_MIN {
        let basis = format!("one {period}, {} {periodly} returns", days.len());
        return TailFigures { basis, losses: losses(&days, 1.0) };
    }
    let known = counted(days.len() as u64, &format!("{periodly} return"));
    let few = format!("{known} known of {}, {RETURNS_MIN} asked for", symbol(fewest.lane));
    let per_day = |one: &Weighted<'_>| Some((bars_per_day(frame(one)?, one.lane.instrument.class), frame(one)?));
    let coarsest = held.iter().filter_map(per_day).min_by(|a, b| a.0.total_cmp(&b.0));
    let bars = returns(held, |history| history.closes().collect());
    match coarsest {
        Some((count, timeframe)) if count > 1.0 && bars.len() >= RETURNS_MIN => {
            let basis = format!(
                "one day, guessed from {} returns of {timeframe} bars times the root of {count:.0}: {few}",
                bars.len()
            );
            TailFigures { basis, losses: losses(&bars, libm::sqrt(count)) }
        }
        _ => TailFigures { basis: format!("too few returns: {few}"), losses: Vec::new() },
    }
}

fn symbol(lane: &Lane) -> Symbol {
    lane.instrument.symbol
}

/// The losses of each confidence that there are enough returns for.
fn losses(returns: &[f64], factor: f64) -> Vec<TailLoss> {
    let known = [(95, Confidence::P95, RETURNS_MIN), (99, Confidence::P99, RETURNS_MIN_99)];
    let scaled = |loss: Option<f64>| Ratio::from_f64(loss? * factor);
    known
        .into_iter()
        .filter(|(_, _, least)| returns.len() >= *least)
        .map(|(percent, confidence, _)| TailLoss {
            confidence: percent,
            historical: scaled(historical(returns, confidence)),
            parametric: scaled(parametric(returns, confidence)),
            shortfall: scaled(conditional(returns, confidence)),
            parametric_shortfall: scaled(expected_shortfall(returns, confidence)),
        })
        .collect()
}

/// What these positions would have made from one time that all prices have to the next, as shares of equity.
fn returns(held: &[Weighted<'_>], series: impl Fn(&History) -> Closes) -> Vec<f64> {
    let streams: Vec<Closes> = held.iter().map(|one| series(&one.lane.history)).collect();
    let columns = joined(&streams);
    let mut sums = vec![0.0; columns.first().map_or(0, |column| column.len().saturating_sub(1))];
    for (one, column) in held.iter().zip(&columns) {
        let Some(changes) = returns_of(column) else { return Vec::new() };
        for (sum, change) in sums.iter_mut().zip(changes) {
            *sum += one.weight * change;
        }
    }
    sums
}

/// The prices of each stream at the times that all have. Times only rise.
fn joined(streams: &[Closes]) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::new(); streams.len()];
    let mut places = vec![0; streams.len()];
    for (at, _) in streams.first().map_or(&[][..], Vec::as_slice) {
        let mut everywhere = true;
        for (place, stream) in places.iter_mut().zip(streams) {
            while stream.get(*place).is_some_and(|found| found.0 < *at) {
                *place += 1;
            }
            everywhere &= stream.get(*place).is_some_and(|found| found.0 == *at);
        }
        if everywhere {
            for ((column, stream), place) in columns.iter_mut().zip(streams).zip(&places) {
                column.push(stream[*place].1);
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY_MS, Timestamp};
    use crate::domain::{AssetClass, Bar, Price, Quantity};
    use crate::engine::figures::tests::idle;

    const MINUTE_MS: i64 = 60_000;

    /// Lanes of these symbols, whose bar number `n` ends at `n` times the step in `every` and closes as told; a share has none at
    /// weekends.
    fn lanes(symbols: &[&str], timeframe: Timeframe, every: i64, closes: &[i64]) -> Vec<Lane> {
        let mut lanes = idle(symbols).lanes;
        for lane in &mut lanes {
            lane.timeframe = Some(timeframe);
            for (number, close) in (1i64..).zip(closes) {
                // 1970-01-01 was a Thursday: days 3 and 4 of each week from there are Saturday and Sunday.
                let weekend = matches!((number * every - 1) / DAY_MS % 7, 2 | 3);
                if lane.instrument.class == AssetClass::Crypto || !weekend {
                    let (start, price) = (Timestamp::from_ms(0), Price::whole(*close));
                    let bar = Bar { start, open: price, high: price, low: price, close: price, volume: Quantity::ZERO };
                    lane.history.push(&bar, Timestamp::from_ms(number * every));
                }
            }
        }
        lanes
    }

    fn tail_of(lanes: &[Lane]) -> TailFigures {
        tail(&lanes.iter().map(|lane| Weighted { lane, weight: 0.5 }).collect::<Vec<_>>())
    }

    #[test]
    fn a_share_and_a_coin_are_compared_over_the_days_of_both() {
        let closes: Vec<i64> = (0..43).map(|day| 1_000 + day * day % 17).collect();
        let both = lanes(&["AAPL", "BTC-USD"], Timeframe::D1, DAY_MS, &closes);
        // 42 days are over, 30 of them days of shares: 29 returns, and both move alike.
        let figures = tail_of(&both);
        assert_eq!(figures.basis, "one day, 29 daily returns");
        let share = lanes(&["AAPL"], Timeframe::D1, DAY_MS, &closes);
        let alone = tail(&[Weighted { lane: &share[0], weight: 1.0 }]);
        assert_eq!(figures.losses, alone.losses);
        // For 99 % a hundred returns are asked for.
        assert_eq!(figures.losses.iter().map(|loss| loss.confidence).collect::<Vec<_>>(), [95]);
    }

    #[test]
    fn while_days_are_few_bars_are_scaled_to_a_day_and_it_is_said() {
        let closes: Vec<i64> = (0..101).map(|minute| 1_000 + minute * minute % 17).collect();
        let few = tail_of(&lanes(&["AAPL"], Timeframe::M1, MINUTE_MS, &closes));
        assert_eq!(
            few.basis,
            "one day, guessed from 100 returns of 1m bars times the root of 390: 0 daily returns known of AAPL, 20 asked for"
        );
        let mut returns: Vec<f64> =
            closes.windows(2).map(|pair| 0.5 * (pair[1] as f64 / pair[0] as f64 - 1.0)).collect();
        returns.sort_by(f64::total_cmp);
        // The 5th percentile of 100 returns lies at row 4.95.
        let want = (returns[4] + 0.95 * (returns[5] - returns[4])) * 390f64.sqrt();
        assert!((few.losses[0].historical.unwrap().to_f64() - want).abs() < 1e-7, "{few:?}");
        assert_eq!(few.losses.len(), 2);
    }

    #[test]
    fn of_too_little_nothing_is_said() {
        let none = tail_of(&lanes(&["AAPL"], Timeframe::M1, MINUTE_MS, &[100; 9]));
        assert_eq!(none.basis, "too few returns: 0 daily returns known of AAPL, 20 asked for");
        assert!(none.losses.is_empty());
        assert_eq!(tail(&[]).basis, "nothing is held");
        let weeks = tail_of(&lanes(&["BTC-USD"], Timeframe::W1, 7 * DAY_MS, &[100; 30]));
        assert_eq!(weeks.basis, "one week, 28 weekly returns");
    }
}
