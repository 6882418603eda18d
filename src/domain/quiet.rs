//! When is somebody not to be woken? Hours of the day in their own zone, whatever its clock does.

use std::fmt;
use std::str::FromStr;

use chrono::{LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Hours of each day, from one time to another; over midnight where the first is the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quiet {
    /// When they begin.
    pub from: NaiveTime,
    /// When they end.
    pub to: NaiveTime,
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from.format("%H:%M"), self.to.format("%H:%M"))
    }
}

impl FromStr for Quiet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = || text.chars().take(32).flat_map(char::escape_debug).collect::<String>();
        let how = || format!("\"{}\" are no quiet hours: write them like 22:00 to 07:00", shown());
        let (from, to) = text.split_once(" to ").or_else(|| text.split_once('-')).ok_or_else(how)?;
        let (from, to) = (time_of_day(from).ok_or_else(how)?, time_of_day(to).ok_or_else(how)?);
        if from == to {
            return Err(format!("from {0} to {0} is never: use off", from.format("%H:%M")));
        }
        Ok(Self { from, to })
    }
}

impl TryFrom<String> for Quiet {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Quiet> for String {
    fn from(hours: Quiet) -> Self {
        hours.to_string()
    }
}

/// A time of the day, to the minute: `22:00`, `7:30`, `10:30 pm`. None where it is none.
pub fn time_of_day(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    let forms = ["%H:%M", "%I:%M %p", "%I:%M%p"];
    forms.iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())
}

impl Quiet {
    /// When the hours end that it is in now; none outside of them.
    pub fn until(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let time = now.utc().with_timezone(&zone).time();
        let inside = if self.from <= self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        };
        inside.then(|| next_at(self.to, now, zone))
    }
}

/// The next instant after `now` at which clocks in `zone` show `time`. Where they jump over it in spring, the first instant after the
/// jump; where they show it twice in autumn, the first one.
pub fn next_at(time: NaiveTime, now: Timestamp, zone: Tz) -> Timestamp {
    let today = now.utc().with_timezone(&zone).date_naive();
    // A zone may leave a day out, as when an island moves over the date line.
    let days = (0..4).filter_map(|ahead| today.checked_add_signed(TimeDelta::days(ahead)));
    let found = days.map(|day| instant(day, time, zone)).find(|at| *at > now);
    found.unwrap_or_else(|| now.plus_ms(crate::clock::DAY_MS))
}

fn instant(day: NaiveDate, time: NaiveTime, zone: Tz) -> Timestamp {
    let mut local = day.and_time(time);
    // No jump is longer than a day; each has its end on a quarter of an hour or a minute.
    for _ in 0..=24 * 60 {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                return Timestamp::from_ms(at.timestamp_millis());
            }
            LocalResult::None => local += TimeDelta::minutes(1),
        }
    }
    Timestamp::from_ms(zone.from_utc_datetime(&day.and_time(time)).timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_ms(chrono::DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis())
    }

    fn hours(from: &str, to: &str) -> Quiet {
        Quiet { from: from.parse().expect("a time"), to: to.parse().expect("a time") }
    }

    #[test]
    fn a_night_ends_in_the_morning_whatever_the_clock_does() {
        let night = hours("22:00:00", "07:00:00");
        let lisbon = chrono_tz::Europe::Lisbon;
        for (now, until) in [
            ("2026-01-10T21:59:59Z", None),
            ("2026-01-10T22:00:00Z", Some("2026-01-11T07:00:00Z")),
            ("2026-01-11T06:59:59Z", Some("2026-01-11T07:00:00Z")),
            ("2026-01-11T07:00:00Z", None),
            // Clocks go forward at one o'clock on March 29: the morning comes an hour sooner.
            ("2026-03-28T23:00:00Z", Some("2026-03-29T06:00:00Z")),
            // And back at two o'clock on October 25.
            ("2026-10-24T22:00:00Z", Some("2026-10-25T07:00:00Z")),
        ] {
            assert_eq!(night.until(at(now), lisbon), until.map(at), "{now}");
        }
        // An end that does not exist that day: the first instant after the jump.
        let short = hours("00:00:00", "01:30:00");
        assert_eq!(short.until(at("2026-03-29T00:30:00Z"), lisbon), Some(at("2026-03-29T01:00:00Z")));
    }

    #[test]
    fn hours_are_read_as_they_are_written() {
        for (text, want) in [
            ("22:00 to 07:00", "22:00 to 07:00"),
            ("22:30-7:05", "22:30 to 07:05"),
            ("10:00 pm to 7:00 am", "22:00 to 07:00"),
        ] {
            assert_eq!(text.parse::<Quiet>().expect("hours").to_string(), want, "{text}");
        }
        for bad in ["", "22:00", "24:00 to 07:00", "07:00 to 07:00", "x to y", "22:00 to 07:00 to 08:00"] {
            assert!(bad.parse::<Quiet>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hours_that_are_none_are_never() {
        let none = hours("07:00:00", "07:00:00");
        assert_eq!(none.until(at("2026-01-10T07:00:00Z"), Tz::UTC), None);
    }
}
