//! Who of a long list is worth a look? Days become figures, filters say who passes, and a score within the list says who is best.
//!
//! All figures are taken from days that are over:
//!
//! - *Volume*: mean of the last 20 days.
//! - *ATR*: average true range after Wilder over 14 days, in units of price.
//! - *Momentum*: return over the last 20 days.
//! - *Relative strength*: the share of the list that a symbol did better than, from 0 to 100; equals count half. Two symbols are
//!   compared over the days that both have, at most 63 (a quarter of a year).
//! - *Score*: the mean of three percentile ranks within the list, of relative strength, momentum and volume, from 0 to 100. Relative
//!   strength is such a rank already.
//!
//! A symbol must exceed every limit; the best of those that do are chosen. A symbol with fewer than 21 days cannot be measured (20
//! returns need 21 closes, and the first day may be a part of one): it stays as it was. While fewer than half of the list are
//! measured, ranks mean little, and everybody stays.

use std::cmp::Reverse;

use crate::domain::{Bar, Manual, Price, Quantity, Ratio, ScreenFilter, ScreenRow, ScreenVerdict, Symbol};
use crate::indicators::{Atr, Indicator};

/// Days below which a symbol is not measured.
pub const SCREEN_DAYS_MIN: usize = MOMENTUM_DAYS + 1;
/// Days of the mean volume.
const VOLUME_DAYS: usize = 20;
/// True ranges of the average.
const ATR_DAYS: usize = 14;
/// Returns of the momentum.
const MOMENTUM_DAYS: usize = 20;
/// The most returns that two symbols are compared over.
const STRENGTH_DAYS: usize = 63;

/// What a symbol must exceed to be chosen, and how many are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenRules {
    /// How many are chosen at most.
    pub top: usize,
    /// Mean volume of a day.
    pub volume_min: Quantity,
    /// Last price.
    pub price_min: Price,
    /// Average true range of a day, in units of price.
    pub atr_min: Price,
    /// Relative strength, from 0 to 100.
    pub strength_min: Ratio,
}

impl Default for ScreenRules {
    fn default() -> Self {
        Self {
            top: 30,
            volume_min: Quantity::whole(1_000_000),
            price_min: Price::whole(10),
            atr_min: Price::whole(1),
            strength_min: Ratio::whole(50),
        }
    }
}

/// A symbol before it is looked at.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The symbol.
    pub symbol: Symbol,
    /// Its last price.
    pub price: Option<Price>,
    /// Its days that are over, oldest first.
    pub days: Vec<Bar>,
    /// True if its prices have stopped.
    pub stopped: bool,
    /// True if it may be entered so far.
    pub watched: bool,
    /// A person's word on it.
    pub manual: Option<Manual>,
}

/// Looks at every symbol; the chosen first, best first. Equal scores rank by relative strength, then by name.
pub fn screen(rules: &ScreenRules, candidates: &[Candidate]) -> Vec<ScreenRow> {
    let mut rows: Vec<ScreenRow> = candidates.iter().map(measure).collect();
    rank(&mut rows, candidates);
    rows.sort_by_key(|row| (Reverse(row.score), Reverse(row.strength), row.symbol));
    let mut place = 0;
    for row in rows.iter_mut().filter(|row| row.score.is_some() && row.verdict == ScreenVerdict::Unmeasured) {
        row.verdict = failure(rules, row).unwrap_or_else(|| {
            place += 1;
            if place > rules.top { ScreenVerdict::Outranked { place } } else { ScreenVerdict::Chosen { place } }
        });
        row.watched = matches!(row.verdict, ScreenVerdict::Chosen { .. }) || row.manual == Some(Manual::Pinned);
    }
    rows.sort_by_key(|row| order(row.verdict));
    rows
}

/// Passed, not passed, not measured.
fn order(verdict: ScreenVerdict) -> u8 {
    match verdict {
        ScreenVerdict::Chosen { .. } => 0,
        ScreenVerdict::Outranked { .. } => 1,
        ScreenVerdict::Failed { .. } => 2,
        ScreenVerdict::Unmeasured => 3,
        ScreenVerdict::Stopped => 4,
        ScreenVerdict::Banned => 5,
    }
}

/// The figures of one symbol alone.
fn measure(candidate: &Candidate) -> ScreenRow {
    let days = &candidate.days;
    let (verdict, watched) = match candidate.manual {
        Some(Manual::Banned) => (ScreenVerdict::Banned, false),
        Some(Manual::Pinned) => (ScreenVerdict::Unmeasured, true),
        None => (ScreenVerdict::Unmeasured, candidate.watched),
    };
    let stopped = candidate.stopped && verdict != ScreenVerdict::Banned;
    ScreenRow {
        symbol: candidate.symbol,
        days: days.len(),
        price: candidate.price,
        volume: mean_volume(days),
        atr: average_range(days),
        strength: None,
        momentum: change(days, MOMENTUM_DAYS.min(days.len().saturating_sub(1))),
        score: None,
        verdict: if stopped { ScreenVerdict::Stopped } else { verdict },
        manual: candidate.manual,
        watched,
    }
}

/// The mean volume of the last days; none without a day.
fn mean_volume(days: &[Bar]) -> Option<Quantity> {
    let last = &days[days.len().saturating_sub(VOLUME_DAYS)..];
    let count = i128::try_from(last.len()).ok().filter(|count| *count > 0)?;
    let sum: i128 = last.iter().map(|day| i128::from(day.volume.units())).sum();
    i64::try_from(sum / count).ok().map(Quantity::from_units)
}

/// The average true range; of two days on, from what there is.
fn average_range(days: &[Bar]) -> Option<Price> {
    let ranges = days.len().saturating_sub(1).min(ATR_DAYS);
    if ranges == 0 {
        return None;
    }
    let mut atr = Atr::new(ranges);
    days.iter().fold(None, |_, day| atr.update(day)).and_then(Price::from_f64)
}

/// The return over the last `span` days; none over no days.
fn change(days: &[Bar], span: usize) -> Option<Ratio> {
    let first = days.len().checked_sub(span + 1).filter(|_| span > 0)?;
    let (first, last) = (days[first].close, days.last()?.close);
    last.minus(first).ok().filter(|_| first > Price::ZERO).map(|change| change.share_of(first))
}

/// Relative strength and score of those that can be measured, if they are enough.
fn rank(rows: &mut [ScreenRow], candidates: &[Candidate]) {
    let measured: Vec<usize> = (0..rows.len())
        .filter(|index| rows[*index].days >= SCREEN_DAYS_MIN && rows[*index].verdict != ScreenVerdict::Stopped)
        .collect();
    let looked = rows.iter().filter(|row| row.verdict != ScreenVerdict::Stopped).count();
    if measured.len() < 2 || measured.len() * 2 < looked {
        return;
    }
    let better = |one: usize, other: usize| {
        let (one, other) = (&candidates[one].days, &candidates[other].days);
        let span = STRENGTH_DAYS.min(one.len().min(other.len()) - 1);
        change(one, span).cmp(&change(other, span))
    };
    let percentile = |one: usize, compare: &dyn Fn(usize, usize) -> std::cmp::Ordering| {
        let others = measured.iter().filter(|other| **other != one);
        // Two points for each that it is better than, one for each that it equals.
        let points: i64 = others.map(|other| compare(one, *other) as i64 + 1).sum();
        let all = 2 * (i64::try_from(measured.len()).unwrap_or(i64::MAX) - 1);
        Ratio::whole(100).scaled(points, all).unwrap_or(Ratio::ZERO)
    };
    let ranks: Vec<[Ratio; 3]> = measured
        .iter()
        .map(|one| {
            [
                percentile(*one, &better),
                percentile(*one, &|one, other| rows[one].momentum.cmp(&rows[other].momentum)),
                percentile(*one, &|one, other| rows[one].volume.cmp(&rows[other].volume)),
            ]
        })
        .collect();
    for (index, [strength, momentum, volume]) in measured.iter().zip(ranks) {
        let sum = strength.plus(momentum).and_then(|sum| sum.plus(volume));
        rows[*index].strength = Some(strength);
        rows[*index].score = sum.and_then(|sum| sum.scaled(1, 3)).ok();
    }
}

/// The first filter that a measured symbol does not pass.
fn failure(rules: &ScreenRules, row: &ScreenRow) -> Option<ScreenVerdict> {
    let plain = |units: Option<i64>| units.map_or(Ratio::ZERO, Ratio::from_units);
    [
        (ScreenFilter::Volume, plain(row.volume.map(Quantity::units)), rules.volume_min.units()),
        (ScreenFilter::Price, plain(row.price.map(Price::units)), rules.price_min.units()),
        (ScreenFilter::Atr, plain(row.atr.map(Price::units)), rules.atr_min.units()),
        (ScreenFilter::Strength, plain(row.strength.map(Ratio::units)), rules.strength_min.units()),
    ]
    .into_iter()
    .map(|(filter, value, limit)| (filter, value, Ratio::from_units(limit)))
    .find(|(_, value, limit)| value <= limit)
    .map(|(filter, value, limit)| ScreenVerdict::Failed { filter, value, limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::story::bar;

    /// Days whose closes go from `first` on by `step`, one above and one below each, at this volume.
    fn candidate(name: &str, count: i64, first: i64, step: i64, volume: i64) -> Candidate {
        let closes = (0..count).map(|day| (first + day * step) as f64);
        let days: Vec<Bar> = closes.map(|close| bar([close, close + 1.0, close - 1.0, close], volume)).collect();
        let price = days.last().map(|day| day.close);
        Candidate { symbol: name.parse().unwrap(), price, days, stopped: false, watched: true, manual: None }
    }

    /// Five symbols, best momentum first and least volume first.
    fn five() -> Vec<Candidate> {
        vec![
            candidate("A", 21, 100, 2, 2_000_000),
            candidate("B", 21, 100, 1, 3_000_000),
            candidate("C", 21, 100, 0, 4_000_000),
            candidate("D", 21, 100, -1, 5_000_000),
            candidate("E", 21, 100, -2, 6_000_000),
        ]
    }

    fn open() -> ScreenRules {
        let (volume_min, price_min, atr_min) = (Quantity::ZERO, Price::ZERO, Price::ZERO);
        ScreenRules { top: 30, volume_min, price_min, atr_min, strength_min: Ratio::whole(-1) }
    }

    fn ratio(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    fn row<'a>(rows: &'a [ScreenRow], name: &str) -> &'a ScreenRow {
        rows.iter().find(|row| row.symbol.as_str() == name).expect("looked at")
    }

    fn watched(rows: &[ScreenRow]) -> Vec<&str> {
        rows.iter().filter(|row| row.watched).map(|row| row.symbol.as_str()).collect()
    }

    #[test]
    fn figures_and_scores_worked_by_hand() {
        let rows = screen(&open(), &five());
        let a = row(&rows, "A");
        assert_eq!((a.days, a.price, a.volume), (21, Some(Price::whole(140)), Some(Quantity::whole(2_000_000))));
        // From the high down to the close before: 1 + 2.
        assert_eq!((a.atr, a.momentum), (Some(Price::whole(3)), Some(ratio("0.4"))));
        assert_eq!(row(&rows, "E").momentum, Some(ratio("-0.4")));
        // Relative strength and momentum rank 100, 75, 50, 25, 0; volume ranks the other way.
        let scores: Vec<(&str, Ratio, Ratio)> = rows
            .iter()
            .map(|row| (row.symbol.as_str(), row.strength.expect("measured"), row.score.expect("measured")))
            .collect();
        let want = [
            ("A", "100", "66.66666667"),
            ("B", "75", "58.33333333"),
            ("C", "50", "50"),
            ("D", "25", "41.66666667"),
            ("E", "0", "33.33333333"),
        ];
        assert_eq!(scores, want.map(|(name, strength, score)| (name, ratio(strength), ratio(score))));
        assert!((0..5).all(|index| rows[index].verdict == ScreenVerdict::Chosen { place: index + 1 }));
    }

    #[test]
    fn each_filter_fails_what_does_not_exceed_it() {
        let usual = ScreenRules::default();
        let of = |verdict: ScreenVerdict| match verdict {
            ScreenVerdict::Failed { filter, value, limit } => format!("{} {value} {limit}", filter.as_str()),
            other => format!("{other:?}"),
        };
        let verdicts = |list: &[Candidate], rules: &ScreenRules| {
            let rows = screen(rules, list);
            list.iter().map(|one| of(row(&rows, one.symbol.as_str()).verdict)).collect::<Vec<_>>()
        };
        let mut list = five();
        list[0].days.iter_mut().for_each(|day| day.volume = Quantity::whole(1_000_000));
        list[1].price = Some(Price::whole(10));
        list[4] = candidate("E", 21, 100, 3, 9_000_000);
        assert_eq!(
            verdicts(&list, &usual),
            [
                "volume 1000000 1000000",
                "price 10 10",
                "relative strength 25 50",
                "relative strength 0 50",
                "Chosen { place: 1 }"
            ]
        );
        let narrow = ScreenRules { atr_min: Price::whole(2), ..open() };
        assert_eq!(verdicts(&five(), &narrow)[..2], ["Chosen { place: 1 }", "ATR 2 2"]);
        list[1].price = None;
        assert_eq!(verdicts(&list, &usual)[1], "price 0 10", "no price exceeds nothing");
    }

    #[test]
    fn the_best_are_chosen_and_pins_and_bans_win() {
        let mut list = five();
        list[0].manual = Some(Manual::Banned);
        list[4].manual = Some(Manual::Pinned);
        let rows = screen(&ScreenRules { top: 2, ..open() }, &list);
        assert_eq!(watched(&rows), ["B", "C", "E"]);
        assert_eq!(row(&rows, "A").verdict, ScreenVerdict::Banned);
        assert!(row(&rows, "A").score.is_some(), "it is measured all the same");
        assert_eq!(row(&rows, "D").verdict, ScreenVerdict::Outranked { place: 3 });
        assert_eq!(row(&rows, "E").verdict, ScreenVerdict::Outranked { place: 4 });
        let rows = screen(&ScreenRules { top: 0, ..open() }, &list);
        assert_eq!(watched(&rows), ["E"]);
    }

    #[test]
    fn equal_scores_rank_by_name_in_any_order_of_the_list() {
        let mut list: Vec<Candidate> = ["D", "B", "A", "C"].map(|name| candidate(name, 30, 50, 1, 5_000_000)).into();
        let rules = ScreenRules { top: 2, strength_min: Ratio::whole(49), ..open() };
        for _ in 0..list.len() {
            let rows = screen(&rules, &list);
            assert_eq!(watched(&rows), ["A", "B"]);
            assert!(rows.iter().all(|row| row.score == Some(Ratio::whole(50))));
            list.rotate_left(1);
        }
    }

    #[test]
    fn with_too_few_days_everybody_stays_and_figures_are_of_what_there_is() {
        let mut list = five();
        for one in &mut list[..3] {
            one.days.drain(..one.days.len() - 5);
        }
        list[1].watched = false;
        let rows = screen(&ScreenRules::default(), &list);
        assert!(rows.iter().all(|row| row.verdict == ScreenVerdict::Unmeasured && row.score.is_none()));
        assert_eq!(watched(&rows), ["A", "C", "D", "E"], "as they were");
        let a = row(&rows, "A");
        assert_eq!((a.days, a.volume, a.atr), (5, Some(Quantity::whole(2_000_000)), Some(Price::whole(3))));
        assert_eq!(a.momentum, Some(Price::whole(8).share_of(Price::whole(132))));
        // From half of the list on the measured are ranked, and only the others stay.
        list.remove(0);
        let rows = screen(&ScreenRules::default(), &list);
        assert_eq!(row(&rows, "D").strength, Some(Ratio::whole(100)), "of two");
        assert_eq!(row(&rows, "C").verdict, ScreenVerdict::Unmeasured);
        assert!(matches!(row(&rows, "E").verdict, ScreenVerdict::Failed { filter: ScreenFilter::Strength, .. }));
        assert_eq!(watched(&rows), ["D", "C"]);
    }

    #[test]
    fn two_symbols_are_compared_over_the_days_that_both_have() {
        // The young one did better than the old one since it exists, and worse than the old one in all.
        let mut old = candidate("OLD", 80, 100, 5, 5_000_000);
        for day in &mut old.days[50..] {
            day.close = Price::whole(345);
        }
        let list = [old, candidate("YOUNG", 25, 100, 1, 5_000_000), candidate("FLAT", 80, 100, 0, 5_000_000)];
        let rows = screen(&open(), &list);
        assert_eq!(row(&rows, "YOUNG").strength, Some(Ratio::whole(100)));
        assert_eq!(row(&rows, "OLD").strength, Some(Ratio::whole(50)));
        assert_eq!(row(&rows, "FLAT").strength, Some(Ratio::ZERO));
    }

    #[test]
    fn nothing_and_absurd_figures_are_answered() {
        assert!(screen(&ScreenRules::default(), &[]).is_empty());
        let mut list = five();
        list[0].days.clear();
        list[1].days.iter_mut().for_each(|day| day.volume = Quantity::MAX);
        list[2].days[0].close = Price::ZERO;
        list[3].days[20].close = Price::MAX;
        list[4].stopped = true;
        let rows = screen(&ScreenRules::default(), &list);
        assert_eq!(row(&rows, "B").volume, Some(Quantity::MAX));
        assert_eq!((row(&rows, "A").volume, row(&rows, "A").momentum, row(&rows, "A").atr), (None, None, None));
        assert_eq!(row(&rows, "C").momentum, None);
        assert_eq!(row(&rows, "E").verdict, ScreenVerdict::Stopped);
        assert!(watched(&rows).contains(&"E"), "it stays as it was");
    }
}
