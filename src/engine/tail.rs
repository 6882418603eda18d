//! What could a bad day cost? What is held now, over the returns of the past.

use crate::domain::{Ratio, Symbol, TailFigures, TailLoss, Timeframe};
use crate::stats::{Confidence, conditional, expected_shortfall, historical, parametric, returns_of};

use super::history::{Closes, History, bars_per_day};
use super::state::Lane;

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
    let few =
        format!("{} {periodly} returns are known ({}), {RETURNS_MIN} are asked for", days.len(), symbol(fewest.lane));
    let per_day = |one: &Weighted<'_>| Some((bars_per_day(frame(one)?, one.lane.instrument.class), frame(one)?));
    let coarsest = held.iter().filter_map(per_day).min_by(|a, b| a.0.total_cmp(&b.0));
    let bars = returns(held, |history| history.closes().collect());
    match coarsest {
        Some((count, timeframe)) if count > 1.0 && bars.len() >= RETURNS_MIN => {
            let basis = format!(
                "one day, guessed from {} returns of {timeframe} bars times the root of {count:.0}: only {few}",
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
