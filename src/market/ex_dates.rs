//! What happened to a company's shares since the last bar? Splits, dividends and confirmed moves, where the prices are raw.

use chrono::NaiveDate;

use super::Actions;
use super::series::Series;
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{Bar, Dividend, MarketSnapshot, Price, Split, Symbol};

/// A split that changes the price by less than one part in this many is not looked for: an ordinary day would hide it.
const CLEAR_PART: i128 = 4;

/// Adds what took effect after the last bar but one that a recorded series gave, and not after the last one, to the snapshot in
/// which the last one becomes known.
///
/// A split counts only where the prices show it: in a series that is adjusted already, the file's splits have happened.
/// Dividends before its `adjusted_until` are left out. Before the second bar there is nothing to add: nobody held anything.
pub(super) fn note(series: &Series, actions: &Actions, snapshot: &mut MarketSnapshot) {
    let Some(recorded) = series.recorded() else { return };
    let [.., before, bar] = &recorded.list[..recorded.next] else { return };
    if day_of(before.start) == day_of(bar.start) {
        return;
    }
    let (instrument, symbol) = (series.instrument, series.symbol);
    let (after, until) = (date_of(before), date_of(bar));
    let mut splits = Vec::new();
    for (date, (numerator, denominator)) in actions.splits_between(symbol, after, until) {
        if shows(before.close, bar.open, (numerator, denominator)) {
            splits.push((date, numerator, denominator));
            snapshot.splits.push(Split { instrument, numerator, denominator });
        }
    }
    for (date, mut amount_per_share) in actions.dividends_between(symbol, after, until) {
        if recorded.adjusted_until.is_some_and(|adjusted| date < adjusted) {
            continue;
        }
        // What was paid for an old share is paid for the new ones that it became on a later day.
        for (_, new, old) in splits.iter().filter(|(split, ..)| *split > date) {
            amount_per_share = amount_per_share.scaled(*old, *new).unwrap_or(amount_per_share);
        }
        if !amount_per_share.is_zero() {
            snapshot.dividends.push(Dividend { instrument, amount_per_share });
        }
    }
    if actions.confirmed_on(symbol, until) {
        snapshot.confirmed.push(instrument);
    }
}

/// The date of the last clear split on file that the bars do not show, and the place of its first bar. Up to it the series is
/// adjusted for splits, so what was paid for an old share then fits none of its shares.
pub(super) fn adjusted_until(symbol: Symbol, bars: &[Bar], actions: &Actions) -> Option<(usize, NaiveDate)> {
    let (first, last) = (bars.first()?, bars.last()?);
    let unseen = |date: NaiveDate, split| {
        let index = bars.partition_point(|bar| date_of(bar) < date);
        let is_seen = shows(bars[index - 1].close, bars[index].open, split);
        (is_clear(split) && !is_seen).then_some((index, date))
    };
    actions.splits_between(symbol, date_of(first), date_of(last)).rev().find_map(|(date, split)| unseen(date, split))
}

/// True if the price went where the split takes it, rather than stayed where it was.
fn shows(before: Price, open: Price, (numerator, denominator): (i64, i64)) -> bool {
    let gap = |expected: Price| open.minus(expected).map_or(i64::MAX, |gap| gap.abs().units());
    gap(before.scaled(denominator, numerator).unwrap_or(before)) < gap(before)
}

fn is_clear((numerator, denominator): (i64, i64)) -> bool {
    let (new, old) = (i128::from(numerator), i128::from(denominator));
    (new - old).abs() * CLEAR_PART >= old
}

const fn day_of(at: Timestamp) -> i64 {
    at.ms().div_euclid(DAY_MS)
}

fn date_of(bar: &Bar) -> NaiveDate {
    bar.start.utc().date_naive()
}
