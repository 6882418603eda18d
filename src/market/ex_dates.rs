//! What happened to a company's shares since the last bar? Splits, dividends and confirmed moves, where the prices are raw.
//!
//! A bar belongs to days: one, or those of its week. What takes effect on the first of them comes before the bar, like everything
//! since the bar before. A split on a later day falls inside the bar: then its open is told in old shares, its close in new ones, and
//! between its high and its low lies a crash that nobody saw. No price of it fits what is held, so such a bar is left out as a whole
//! ([`mixed`]), and the split comes with the next one. Bars gathered from shorter ones need none of this.

use chrono::NaiveDate;

use super::calendar::day_of;
use super::series::Series;
use super::{Actions, Hours};
use crate::domain::{Bar, Dividend, MarketSnapshot, Price, Split, Symbol, Timeframe};

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
    let days = BarDays { hours: series.hours, timeframe: Some(series.timeframe) };
    let (after, until) = (days.first(before), days.first(bar));
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
    if actions.confirmed_on(symbol, date_of(bar)) {
        snapshot.confirmed.push(instrument);
    }
}

/// The days of a series' bars.
#[derive(Debug, Clone, Copy)]
pub(super) struct BarDays {
    /// Of its market.
    pub(super) hours: Hours,
    /// How long its bars are; none if nobody knows.
    pub(super) timeframe: Option<Timeframe>,
}

impl BarDays {
    /// The first day of a bar: its date, of a week that of its first session.
    pub(super) fn first(self, bar: &Bar) -> NaiveDate {
        match self.timeframe {
            Some(Timeframe::W1) => self.hours.bar_open(Timeframe::W1, bar.start).utc().date_naive(),
            _ => date_of(bar),
        }
    }

    /// The last day of a bar: its date, of a week that of its last session.
    pub(super) fn last(self, bar: &Bar) -> NaiveDate {
        match self.timeframe {
            Some(Timeframe::W1) => self.hours.bar_end(Timeframe::W1, bar.start).plus_ms(-1).utc().date_naive(),
            _ => date_of(bar),
        }
    }

    /// The place of the first bar that begins on a date after the first bar's, or later; and true if the date lies inside the one before.
    fn place(self, bars: &[Bar], date: NaiveDate) -> (usize, bool) {
        let next = bars.partition_point(|bar| self.first(bar) < date);
        let begins = bars.get(next).is_some_and(|bar| self.first(bar) == date);
        (next, !begins && next > 0 && date <= self.last(&bars[next - 1]))
    }

    /// Every split on file from the second day of some bars to the last.
    fn splits<'a>(
        self,
        symbol: Symbol,
        bars: &[Bar],
        actions: &'a Actions,
    ) -> impl DoubleEndedIterator<Item = (NaiveDate, (i64, i64))> + 'a {
        let range = bars.first().zip(bars.last()).map(|(first, last)| (self.first(first), self.last(last)));
        range.into_iter().flat_map(move |(after, until)| actions.splits_between(symbol, after, until))
    }
}

/// The bars that splits on file fall into, by place, each with the first such date: their prices mix old and new shares.
pub(super) fn mixed(symbol: Symbol, bars: &[Bar], days: BarDays, actions: &Actions) -> Vec<(usize, NaiveDate)> {
    let inside = |(date, split)| {
        let (next, is_inside) = days.place(bars, date);
        let bar = bars.get(next.checked_sub(1)?).filter(|_| is_inside)?;
        shows(bar.open, bar.close, split).then_some((next - 1, date))
    };
    let mut found: Vec<_> = days.splits(symbol, bars, actions).filter_map(inside).collect();
    found.dedup_by_key(|(place, _)| *place);
    found
}

/// The date of the last clear split on file that the bars do not show. Up to it the series is adjusted for splits, so what was paid for
/// an old share then fits none of its shares.
pub(super) fn adjusted_until(symbol: Symbol, bars: &[Bar], days: BarDays, actions: &Actions) -> Option<NaiveDate> {
    let is_unseen = |&(date, split): &(NaiveDate, (i64, i64))| {
        let (next, is_inside) = days.place(bars, date);
        let pair = if is_inside {
            bars.get(next - 1).map(|bar| (bar.open, bar.close))
        } else {
            next.checked_sub(1).and_then(|before| Some((bars[before].close, bars.get(next)?.open)))
        };
        is_clear(split) && pair.is_some_and(|(before, after)| !shows(before, after, split))
    };
    days.splits(symbol, bars, actions).rev().find(is_unseen).map(|(date, _)| date)
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
    use crate::domain::{AssetClass, Quantity};
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
        bars(Timeframe::D1, &days.iter().map(|(day, price)| (*day, *price, *price)).collect::<Vec<_>>())
    }

    /// Bars labelled by such days, each with its open and its close.
    fn bars(timeframe: Timeframe, list: &[(i64, i64, i64)]) -> Series {
        let bar = |(day, open, close): &(i64, i64, i64)| {
            let start = Timestamp::from_ms((20_057 + day) * DAY_MS);
            let (open, close) = (Price::whole(*open), Price::whole(*close));
            let (high, low) = (open.max(close), open.min(close));
            Bar { start, open, high, low, close, volume: Quantity::whole(1) }
        };
        Series {
            instrument: 4,
            symbol: "KO".parse().unwrap(),
            timeframe,
            hours: Hours::of(AssetClass::UsEquity),
            is_finest: true,
            bars: Bars::Recorded(Recorded::whole(list.iter().map(bar).collect(), None)),
        }
    }

    /// What becomes known with one bar: splits as new and old shares, then dividends in hundredths.
    type Noted = (Vec<(i64, i64)>, Vec<i64>);

    fn noted(mut series: Series, actions: &Actions) -> Vec<Noted> {
        let mut found = Vec::new();
        if let Bars::Recorded(recorded) = &mut series.bars {
            let days = BarDays { hours: series.hours, timeframe: Some(series.timeframe) };
            recorded.adjusted_until = adjusted_until(series.symbol, &recorded.list, days, actions);
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

    /// What a feed does with a weekly file: the places that it leaves out, the date up to which the rest is adjusted, and what is noted.
    fn weekly(list: &[(i64, i64, i64)], actions: &Actions) -> (Vec<usize>, Option<String>, Vec<Noted>) {
        let mut series = bars(Timeframe::W1, list);
        let days = BarDays { hours: series.hours, timeframe: Some(Timeframe::W1) };
        let mut rest = series.recorded().expect("recorded").list.to_vec();
        let places: Vec<usize> = mixed(series.symbol, &rest, days, actions).iter().map(|(place, _)| *place).collect();
        let before = adjusted_until(series.symbol, &rest, days, actions);
        for place in places.iter().rev() {
            rest.remove(*place);
        }
        let until = adjusted_until(series.symbol, &rest, days, actions);
        assert_eq!(before, until, "what is left out shows its split");
        series.bars = Bars::Recorded(Recorded::whole(rest, until));
        (places, until.map(|date| date.to_string()), noted(series, actions))
    }

    #[test]
    fn a_week_with_a_split_inside_is_left_out_and_the_split_comes_with_the_next() {
        let none = || (Vec::new(), Vec::new());
        let split = |paid: &[i64]| (vec![(2, 1)], paid.to_vec());
        // Wednesday, and a dividend of the day before.
        let wednesday = actions("KO,2024-12-10,dividend,3\nKO,2024-12-11,split,2\nKO,2024-12-12,split,3\n");
        let raw = [(2, 60, 60), (9, 60, 10), (16, 10, 10)];
        assert_eq!(weekly(&raw, &wednesday), (vec![1], None, vec![none(), (vec![(2, 1), (3, 1)], vec![50])]));
        let adjusted = [(2, 60, 60), (9, 60, 60), (16, 60, 60)];
        let until = Some("2024-12-12".to_owned());
        assert_eq!(weekly(&adjusted, &wednesday), (vec![], until, vec![none(), none(), none()]));
        let wednesday = actions("KO,2024-12-11,split,2\n");
        assert_eq!(weekly(&[(9, 60, 30), (16, 30, 30)], &wednesday), (vec![0], None, vec![none()]), "nobody held any");
        assert_eq!(weekly(&[(2, 60, 60), (9, 60, 30)], &wednesday), (vec![1], None, vec![none()]), "none follows");
        let gone = [(2, 60, 60), (16, 30, 30)];
        assert_eq!(weekly(&gone, &wednesday), (vec![], None, vec![none(), split(&[])]), "its week has no bar");
        // Before the first session of a week: a Monday, and a Tuesday after a holiday.
        for (date, list) in [("2024-12-09", [(2, 60, 60), (9, 30, 30)]), ("2025-01-21", [(44, 60, 60), (51, 30, 30)])] {
            let first = actions(&format!("KO,{date},split,2\n"));
            assert_eq!(weekly(&list, &first), (vec![], None, vec![none(), split(&[])]), "{date}");
        }
    }
}
