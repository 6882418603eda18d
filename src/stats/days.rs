//! What was it worth at the end of each day?

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::Money;

/// The day an instant belongs to in a zone. Midnight begins a day, as in the engine.
pub(super) fn day_of(at: Timestamp, zone: Tz) -> NaiveDate {
    at.utc().with_timezone(&zone).date_naive()
}

/// The first point, then the last point of each day; a first day of one point is not repeated.
pub(super) fn daily(curve: &[(Timestamp, Money)], zone: Tz) -> Vec<(Timestamp, f64)> {
    let Some((first, rest)) = curve.split_first() else { return Vec::new() };
    let mut kept = vec![(first.0, first.1.to_f64())];
    let mut open_day = None;
    for (at, equity) in rest {
        let day = day_of(*at, zone);
        let point = (*at, equity.to_f64());
        match kept.last_mut() {
            Some(last) if open_day == Some(day) => *last = point,
            _ => kept.push(point),
        }
        open_day = Some(day);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::New_York;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    }

    #[test]
    fn a_day_ends_at_midnight_of_the_zone() {
        let curve: Vec<_> = [
            ("2024-01-08T14:30:00Z", 100),
            ("2024-01-08T21:00:00Z", 101),
            ("2024-01-09T04:59:59Z", 102),
            ("2024-01-09T05:00:00Z", 103),
            ("2024-01-11T21:00:00Z", 104),
        ]
        .map(|(time, equity)| (at(time), Money::whole(equity)))
        .to_vec();
        let values = |zone| daily(&curve, zone).into_iter().map(|(_, equity)| equity as i64).collect::<Vec<_>>();
        assert_eq!(values(New_York), [100, 102, 103, 104]);
        assert_eq!(values(Tz::UTC), [100, 101, 103, 104]);
        assert_eq!(daily(&curve[..1], Tz::UTC).len(), 1);
        assert_eq!(daily(&[], Tz::UTC).len(), 0);
    }
}
