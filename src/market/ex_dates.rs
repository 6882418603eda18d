//! What happened to a company's shares since the last bar? Splits, dividends and confirmed moves, where the prices are raw.

use chrono::NaiveDate;

use super::Actions;
use super::calendar::day_of;
use super::series::Series;
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
    let [.., before, bar] = recorded.given() else { return };
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

fn date_of(bar: &Bar) -> NaiveDate {
    bar.start.utc().date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY_MS, Timestamp};
    use crate::domain::{AssetClass, Quantity, Timeframe};
    use crate::market::Hours;
    use crate::market::series::{Bars, Recorded};

    fn actions(rows: &str) -> Actions {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Actions::FILE_NAME);
        std::fs::write(&path, format!("symbol,ex_date,kind,value\n{rows}")).unwrap();
        let (actions, problems) = Actions::read(&path);
        assert_eq!(problems, []);
        actions
    }

    /// Days of December 2024, each at one price.
    fn series(days: &[(i64, i64)]) -> Series {
        let bar = |(day, price): &(i64, i64)| {
            let (start, price) = (Timestamp::from_ms((20_057 + day) * DAY_MS), Price::whole(*price));
            Bar { start, open: price, high: price, low: price, close: price, volume: Quantity::whole(1) }
        };
        Series {
            instrument: 4,
            symbol: "KO".parse().unwrap(),
            timeframe: Timeframe::D1,
            hours: Hours::of(AssetClass::UsEquity),
            is_finest: true,
            bars: Bars::Recorded(Recorded::whole(days.iter().map(bar).collect(), None)),
        }
    }

    /// What becomes known with one bar: splits as new and old shares, then dividends in hundredths.
    type Noted = (Vec<(i64, i64)>, Vec<i64>);

    fn noted(mut series: Series, actions: &Actions) -> Vec<Noted> {
        let mut found = Vec::new();
        if let Bars::Recorded(recorded) = &mut series.bars {
            recorded.adjusted_until = adjusted_until(series.symbol, &recorded.list, actions).map(|(_, date)| date);
        }
        while series.take(Timestamp::from_ms(i64::MAX)).is_some() {
            let mut snapshot = MarketSnapshot::default();
            note(&series, actions, &mut snapshot);
            assert!(snapshot.dividends.iter().all(|paid| paid.instrument == 4));
            let splits = snapshot.splits.iter().map(|split| (split.numerator, split.denominator));
            let paid = snapshot.dividends.iter().map(|paid| paid.amount_per_share.units() / 1_000_000);
            found.push((splits.collect(), paid.collect()));
        }
        found
    }

    #[test]
    fn dividends_come_with_the_first_bar_of_their_date_or_after_it() {
        let actions = actions(
            "KO,2024-11-01,dividend,9\nKO,2024-12-02,dividend,8\nKO,2024-12-03,dividend,0.48\nKO,2024-12-05,dividend,0.5\n\
             KO,2024-12-06,dividend,0\nPEP,2024-12-03,dividend,7\nKO,2025-01-02,dividend,6\n",
        );
        let found = noted(series(&[(2, 60), (3, 60), (4, 60), (7, 60)]), &actions);
        let none = || (Vec::new(), Vec::new());
        assert_eq!(found, [none(), (vec![], vec![48]), none(), (vec![], vec![50])]);
    }

    #[test]
    fn dividends_are_told_for_the_shares_after_the_splits_that_come_with_them() {
        let actions = actions("KO,2024-12-03,dividend,3\nKO,2024-12-04,split,2\nKO,2024-12-05,dividend,1\n");
        let (splits, paid) = (vec![(2, 1)], vec![150, 100]);
        assert_eq!(noted(series(&[(2, 60), (6, 30)]), &actions)[1], (splits, paid));
    }

    #[test]
    fn prices_that_are_adjusted_for_a_split_get_no_dividends_of_old_shares() {
        let actions = actions(
            "KO,2024-12-03,dividend,3\nKO,2024-12-04,split,2\nKO,2024-12-05,dividend,1\nKO,2024-12-06,split,1.01\n",
        );
        let days = |after| series(&[(2, 60), (3, 60), (4, after), (5, after), (6, after)]);
        let none = || (Vec::new(), Vec::new());
        let adjusted = noted(days(60), &actions);
        assert_eq!(adjusted, [none(), none(), none(), (vec![], vec![100]), none()]);
        let raw = noted(days(30), &actions);
        assert_eq!(raw, [none(), (vec![], vec![300]), (vec![(2, 1)], vec![]), (vec![], vec![100]), none()]);
    }
}
