//! Did it pay to trade at all? A book beside something that was only bought and held.

use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::Money;

use super::days::{daily, day_of};
use super::{DrawdownFigures, ReturnFigures, Row, beta, change, correlation, joined_returns, ratio};

/// A benchmark's figures, and the book's against it. Shares are fractions and losses negative.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Comparison {
    /// Growth of the benchmark from the first point to the last.
    pub total_return: Option<f64>,
    /// Growth of the benchmark a year, over the book's own days.
    pub cagr: Option<f64>,
    /// The benchmark's deepest fall from a peak, over every point of it; 0 if it never fell.
    pub max_drawdown: Option<f64>,
    /// Beta of the book: covariance over variance of the benchmark, of returns over the days that both have.
    pub beta: Option<f64>,
    /// Correlation of these returns.
    pub correlation: Option<f64>,
    /// Total return of the book less that of the benchmark.
    pub excess_return: Option<f64>,
}

impl Comparison {
    /// Compares two curves in order of time that start together with the same amount. Days are cut in `zone`; the benchmark
    /// is valued at the book's own days, at its last point up to then.
    pub fn measure(
        own: &[(Timestamp, Money)],
        benchmark: &[(Timestamp, Money)],
        periods_per_year: f64,
        zone: Tz,
    ) -> Self {
        let days = daily(own, zone);
        let held = benchmark_on(&days, benchmark);
        let figures = ReturnFigures::of_equity(&held, periods_per_year);
        let points: Vec<(Timestamp, f64)> = benchmark.iter().map(|(at, value)| (*at, value.to_f64())).collect();
        let equity: Vec<f64> = days.iter().map(|(_, equity)| *equity).collect();
        let growth = ReturnFigures::of_equity(&equity, periods_per_year).total_return;
        let joined = joined_returns(&by_date(&days, zone), &by_date(&daily(benchmark, zone), zone));
        Self {
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
            row("Growth a year (CAGR)", change(self.cagr), "over the book's days"),
            row("Max drawdown", change(self.max_drawdown), "from the highest value so far, every point"),
            row("Excess return", change(self.excess_return), "total return of the book less this one"),
            row("Beta", ratio(self.beta), "of the book against it, daily returns"),
            row("Correlation", ratio(self.correlation), "daily returns"),
        ]
    }
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
    use crate::clock::DAY_MS;
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

    #[test]
    fn nothing_to_compare_is_no_figure() {
        assert_eq!(Comparison::measure(&[], &[], 252.0, Tz::UTC), Comparison::default());
        let own = curve(DAY_MS, &[100, 110]);
        assert_eq!(Comparison::measure(&own, &[], 252.0, Tz::UTC), Comparison::default());
        let ruined = Comparison::measure(&own, &curve(DAY_MS, &[0, 0]), 252.0, Tz::UTC);
        assert_eq!((ruined.total_return, ruined.max_drawdown), (None, None));
    }
}
