//! What did each month bring? The table of months by years.

use std::collections::BTreeMap;

use chrono::Datelike;
use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::Money;

use super::days::day_of;
use super::moments::finite;

/// One year of the table; each figure is a fraction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct YearRow {
    /// The year.
    pub year: i32,
    /// January to December; none where the curve has no point in the month, or began the month at nothing.
    pub months: [Option<f64>; 12],
    /// The year as a whole, or what the curve has of it.
    pub total: Option<f64>,
}

/// The returns of the months of a curve in order of time: last point of the month over last point before it. The first month
/// begins with the first point. Years without a point are left out.
pub fn monthly_returns(curve: &[(Timestamp, Money)], zone: Tz) -> Vec<YearRow> {
    let Some((_, first)) = curve.first() else { return Vec::new() };
    let mut last_of_month: BTreeMap<(i32, usize), f64> = BTreeMap::new();
    for (at, equity) in curve {
        let day = day_of(*at, zone);
        last_of_month.insert((day.year(), day.month0() as usize), equity.to_f64());
    }
    let mut years: BTreeMap<i32, YearRow> = BTreeMap::new();
    let (mut before, mut year_began) = (first.to_f64(), first.to_f64());
    for ((year, month), end) in last_of_month {
        let row = years.entry(year).or_insert_with(|| {
            year_began = before;
            YearRow { year, months: [None; 12], total: None }
        });
        row.months[month] = change(before, end);
        row.total = change(year_began, end);
        before = end;
    }
    years.into_values().collect()
}

fn change(from: f64, to: f64) -> Option<f64> {
    if from > 0.0 { finite(to / from - 1.0) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;

    fn curve(points: &[(&str, i64)]) -> Vec<(Timestamp, Money)> {
        let at = |text: &str| Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        points.iter().map(|(time, equity)| (at(time), Money::whole(*equity))).collect()
    }

    #[test]
    fn months_follow_the_last_point_before_them() {
        let points = [
            ("2023-11-10T21:00:00Z", 1000),
            ("2023-11-30T21:00:00Z", 1100),
            // Still December in New York.
            ("2024-01-01T02:00:00Z", 990),
            ("2024-02-01T21:00:00Z", 2000),
            ("2024-02-28T21:00:00Z", 1188),
            ("2026-03-02T21:00:00Z", 594),
        ];
        let years = monthly_returns(&curve(&points), chrono_tz::America::New_York);
        assert_eq!(years.iter().map(|row| row.year).collect::<Vec<_>>(), [2023, 2024, 2026]);
        assert!(near(years[0].months[10], 0.1) && near(years[0].months[11], -0.1) && near(years[0].total, -0.01));
        assert!(near(years[1].months[1], 0.2) && near(years[1].total, 0.2));
        assert_eq!(years[1].months[0], None);
        assert!(near(years[2].months[2], -0.5) && near(years[2].total, -0.5));
        let growth: f64 = years.iter().map(|row| 1.0 + row.total.unwrap()).product();
        assert!(near(Some(growth), 0.594));
    }

    #[test]
    fn empty_single_and_ruined_curves() {
        assert_eq!(monthly_returns(&[], Tz::UTC), []);
        assert!(near(monthly_returns(&curve(&[("2024-01-08T00:00:00Z", 5)]), Tz::UTC)[0].total, 0.0));
        let ruined = curve(&[("2024-01-08T00:00:00Z", 5), ("2024-01-09T00:00:00Z", 0), ("2024-02-09T00:00:00Z", 7)]);
        let year = &monthly_returns(&ruined, Tz::UTC)[0];
        assert!(near(year.months[0], -1.0) && near(year.total, 0.4));
        assert_eq!(year.months[1], None);
        let far = [(Timestamp::from_ms(i64::MAX), Money::MAX), (Timestamp::from_ms(i64::MIN), Money::MAX.negated())];
        assert_eq!(monthly_returns(&far, chrono_tz::America::New_York).len(), 1);
    }
}
