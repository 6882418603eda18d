//! Did it pay to trade at all? A book beside something that was only bought and held.

use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::{DAY_MS, Timestamp};
use crate::domain::Money;

use super::days::{daily, day_of};
use super::returns::observed_periods;
use super::{DrawdownFigures, ReturnFigures, Row, beta, change, correlation, joined_returns, ratio};

/// So much later than the book a benchmark may begin, and so much earlier end, to be compared over all of the book's days.
pub const APART_MAX_MS: i64 = 7 * DAY_MS;

/// A benchmark's figures, and the book's against it. Shares are fractions and losses negative.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Comparison {
    /// Where the stretch begins that is compared: with the book, or with a benchmark that begins more than a week later ...
    pub from: Option<Timestamp>,
    /// ... and where it ends: with the book, or with the last day of a benchmark that ends more than a week earlier.
    pub to: Option<Timestamp>,
    /// Growth of the benchmark from there to there.
    pub total_return: Option<f64>,
    /// Growth of the benchmark a year, over the book's own days.
    pub cagr: Option<f64>,
    /// The benchmark's deepest fall from a peak, over every point of it; 0 if it never fell.
    pub max_drawdown: Option<f64>,
    /// Beta of the book: covariance over variance of the benchmark, of returns over the days that both have.
    pub beta: Option<f64>,
    /// Correlation of these returns.
    pub correlation: Option<f64>,
    /// Total return of the book over the same stretch less that of the benchmark.
    pub excess_return: Option<f64>,
}

impl Comparison {
    /// Compares two curves in order of time over the stretch that both have, give or take a week at its ends. Days are cut in `zone`; the benchmark is valued at
    /// the book's own days, at its last point up to then. `usual` is how many of them usually make a year.
    pub fn measure(own: &[(Timestamp, Money)], benchmark: &[(Timestamp, Money)], usual: f64, zone: Tz) -> Self {
        let own = within(own, benchmark, zone);
        let days = daily(&own, zone);
        let periods_per_year = observed_periods(usual, days.iter().map(|(at, _)| *at), zone);
        let held = benchmark_on(&days, benchmark);
        let figures = ReturnFigures::of_equity(&held, periods_per_year);
        let points: Vec<(Timestamp, f64)> = benchmark.iter().map(|(at, value)| (*at, value.to_f64())).collect();
        let equity: Vec<f64> = days.iter().map(|(_, equity)| *equity).collect();
        let growth = ReturnFigures::of_equity(&equity, periods_per_year).total_return;
        let joined = joined_returns(&by_date(&days, zone), &by_date(&daily(benchmark, zone), zone));
        Self {
            from: own.first().map(|(at, _)| *at),
            to: own.last().map(|(at, _)| *at),
            total_return: figures.total_return,
            cagr: figures.cagr,
            max_drawdown: DrawdownFigures::of(&points).max_drawdown,
            beta: joined.as_ref().and_then(|(own, other)| beta(own, other)),
            correlation: joined.as_ref().and_then(|(own, other)| correlation(own, other)),
            excess_return: growth.zip(figures.total_return).map(|(own, other)| own - other),
        }
    }
}

impl Comparison {
    /// The figures in words, in the order of every table.
    pub fn rows(&self) -> Vec<Row> {
        let row = Row::new;
        vec![
            row("Total return", change(self.total_return), "bought at the first close, no fees, dividends kept"),
            row("Growth a year (CAGR)", change(self.cagr), "over the same days"),
            row("Max drawdown", change(self.max_drawdown), "from the highest value so far, every point"),
            row(
                "Excess return",
                change(self.excess_return),
                "total return of the book over the same days less this one",
            ),
            row("Beta", ratio(self.beta), "of the book against it, returns over days that both have"),
            row("Correlation", ratio(self.correlation), "of these returns"),
        ]
    }
}

/// The stretch of a curve that is compared with another: from what it was worth when the other begins to the end of the other's
/// last day, or to its own ends where the other's are no more than [`APART_MAX_MS`] inside.
fn within(own: &[(Timestamp, Money)], other: &[(Timestamp, Money)], zone: Tz) -> Vec<(Timestamp, Money)> {
    let ([(first, _), .., (last, _)], [begin, .., end]) = (other, own) else { return Vec::new() };
    let (mut own, mut start) = (own, None);
    if end.0.since(*last) > APART_MAX_MS {
        own = &own[..own.partition_point(|(at, _)| day_of(*at, zone) <= day_of(*last, zone))];
    }
    if first.since(begin.0) > APART_MAX_MS {
        let (before, rest) = own.split_at(own.partition_point(|(at, _)| at <= first));
        (own, start) = (rest, before.last().map(|(_, equity)| (*first, *equity)));
    }
    start.into_iter().chain(own.iter().copied()).collect()
}

/// The benchmark's last value up to each of these points; its first before it has one.
fn benchmark_on(points: &[(Timestamp, f64)], benchmark: &[(Timestamp, Money)]) -> Vec<f64> {
    let mut rest = benchmark.iter().peekable();
    let mut last = benchmark.first().map(|(_, value)| value.to_f64());
    let mut values = Vec::with_capacity(points.len());
    for (at, _) in points {
        while let Some((_, value)) = rest.next_if(|(known, _)| known <= at) {
            last = Some(value.to_f64());
        }
        values.extend(last);
    }
    values
}

/// Points that end days, under the day's date, so that markets with different hours meet.
fn by_date(days: &[(Timestamp, f64)], zone: Tz) -> Vec<(Timestamp, f64)> {
    let label = |at: Timestamp| day_of(at, zone).and_time(chrono::NaiveTime::MIN).and_utc().into();
    days.iter().map(|(at, value)| (label(*at), *value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    fn curve(step_ms: i64, values: &[i64]) -> Vec<(Timestamp, Money)> {
        let point = |(row, value): (i64, &i64)| (Timestamp::from_ms(row * step_ms), Money::whole(*value));
        (0..).zip(values).map(point).collect()
    }

    #[test]
    fn a_book_that_moves_twice_as_far_has_a_beta_of_two() {
        let (mut held, mut twice) = (vec![1_000_000_000], vec![1_000_000_000]);
        for day in 0..12i64 {
            let step = [3, -2, 5, -4][day as usize % 4];
            held.push(held[day as usize] * (1000 + step) / 1000);
            twice.push(twice[day as usize] * (1000 + 2 * step) / 1000);
        }
        let got = Comparison::measure(&curve(DAY_MS, &twice), &curve(DAY_MS, &held), 252.0, Tz::UTC);
        let growth = held[12] as f64 / held[0] as f64 - 1.0;
        assert!((got.beta.unwrap() - 2.0).abs() < 1e-6 && (got.correlation.unwrap() - 1.0).abs() < 1e-9, "{got:?}");
        assert!(near(got.total_return, growth));
        assert!(near(got.excess_return, twice[12] as f64 / twice[0] as f64 - 1.0 - growth));
        assert!(near(got.cagr, (1.0 + growth).powf(252.0 / 12.0) - 1.0));
        assert!((got.max_drawdown.unwrap() + 0.004).abs() < 1e-4);
    }

    #[test]
    fn hours_do_not_matter_and_the_last_known_value_counts() {
        // Two values a day against one, and the benchmark ends a day earlier.
        let own = curve(DAY_MS / 2, &[100, 100, 110, 120, 120, 120]);
        let got = Comparison::measure(&own, &curve(DAY_MS, &[100, 105]), 365.0, Tz::UTC);
        assert!(near(got.total_return, 0.05) && near(got.excess_return, 0.2 - 0.05));
        assert_eq!((got.beta, got.correlation), (None, None));
    }

    /// The book doubled before the benchmark began and lost half after it ended: neither is compared.
    #[test]
    fn both_are_measured_over_the_stretch_that_both_have() {
        let own = curve(8 * DAY_MS, &[100, 150, 200, 220, 210, 230, 115, 100]);
        let benchmark = &curve(8 * DAY_MS, &[0, 0, 1_000, 1_010, 1_050, 1_100])[2..];
        let got = Comparison::measure(&own, benchmark, 365.25 / 8.0, Tz::UTC);
        assert_eq!((got.from, got.to), (Some(own[2].0), Some(own[5].0)));
        assert!(near(got.total_return, 0.1) && near(got.excess_return, 230.0 / 200.0 - 1.1));
        assert!(near(got.cagr, 1.1f64.powf(365.25 / 24.0) - 1.0));
        // It begins between two of the book's points: the book's value then is the last one.
        let later: Vec<_> = benchmark.iter().map(|(at, value)| (at.plus_ms(1_000), *value)).collect();
        let got = Comparison::measure(&own, &later, 252.0, Tz::UTC);
        assert_eq!((got.from, got.to), (Some(own[2].0.plus_ms(1_000)), Some(own[5].0)));
        assert!(near(got.excess_return, 230.0 / 200.0 - 1.05), "{got:?}");
        // A few days are no matter.
        let own = curve(DAY_MS, &[100, 110, 120, 130, 140]);
        let got = Comparison::measure(&own, &curve(DAY_MS, &[0, 100, 100, 150])[1..], 365.0, Tz::UTC);
        assert!(near(got.total_return, 0.5) && near(got.excess_return, 0.4 - 0.5));
        assert_eq!((got.from, got.to), (Some(own[0].0), Some(own[4].0)));
    }

    #[test]
    fn nothing_to_compare_is_no_figure() {
        assert_eq!(Comparison::measure(&[], &[], 252.0, Tz::UTC), Comparison::default());
        let own = curve(DAY_MS, &[100, 110]);
        assert_eq!(Comparison::measure(&own, &[], 252.0, Tz::UTC), Comparison::default());
        let ruined = Comparison::measure(&own, &curve(DAY_MS, &[0, 0]), 252.0, Tz::UTC);
        assert_eq!((ruined.total_return, ruined.max_drawdown), (None, None));
    }
}
