//! What does the New York Stock Exchange do on a date: stay closed, trade a full day, or stop early?
//!
//! Holidays and half days follow rules, so that a coming year needs no new data; what follows no rule is a line of
//! `data/special_closures.csv`. Years before 1990 get the same rules, which is close but not exact. A delayed opening
//! (2001-09-17, 2002-09-11) or a halt within a session is not told.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Weekday};

/// What the exchange does on a date; the time is New York's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// No trading.
    Closed,
    /// The usual hours.
    Full,
    /// The usual opening, but trading ends at this time.
    Until(NaiveTime),
}

/// The years in which a rule holds, and the day of the year that it names.
type Rule = (RangeInclusive<i32>, Falls);

/// How a rule finds its day.
#[derive(Debug, Clone, Copy)]
enum Falls {
    /// On this month and day, whatever the weekday.
    On(u32, u32),
    /// On this month and day in years that make it this weekday, else not at all.
    OnA(Weekday, u32, u32),
    /// On this month and day; from a Sunday it moves to Monday, on a Saturday it is lost.
    OnOrMonday(u32, u32),
    /// On this month and day; from a Sunday it moves to Monday, from a Saturday to Friday.
    OnOrNearest(u32, u32),
    /// On the one such weekday among the seven days that begin with this month and day.
    First(Weekday, u32, u32),
    /// On the Friday before Easter.
    GoodFriday,
}

/// Days without trading.
const HOLIDAYS: [Rule; 10] = [
    // New Year is not moved to Friday, because that Friday closes the books of the old year.
    (since(i32::MIN), Falls::OnOrMonday(1, 1)),
    // Martin Luther King's birthday.
    (since(1998), Falls::First(Weekday::Mon, 1, 15)),
    // Presidents' day.
    (since(i32::MIN), Falls::First(Weekday::Mon, 2, 15)),
    (since(i32::MIN), Falls::GoodFriday),
    // Memorial day, the last Monday of May.
    (since(i32::MIN), Falls::First(Weekday::Mon, 5, 25)),
    // Juneteenth became a public holiday in June 2021, too late for that year's calendar.
    (since(2022), Falls::OnOrNearest(6, 19)),
    // Independence day.
    (since(i32::MIN), Falls::OnOrNearest(7, 4)),
    // Labor day.
    (since(i32::MIN), Falls::First(Weekday::Mon, 9, 1)),
    // Thanksgiving, the fourth Thursday.
    (since(i32::MIN), Falls::First(Weekday::Thu, 11, 22)),
    // Christmas.
    (since(i32::MIN), Falls::OnOrNearest(12, 25)),
];

/// Days that end early, unless they are holidays.
const HALF_DAYS: [Rule; 7] = [
    // The eve of Independence day. A Friday is missing because it is then the holiday itself.
    (since(1995), Falls::OnA(Weekday::Mon, 7, 3)),
    (since(1995), Falls::OnA(Weekday::Tue, 7, 3)),
    (since(1995), Falls::OnA(Weekday::Thu, 7, 3)),
    // With the holiday on a Thursday, the Friday after it ended early, until 2013 chose the Wednesday before it.
    (1995..=2012, Falls::OnA(Weekday::Fri, 7, 5)),
    (since(2013), Falls::OnA(Weekday::Wed, 7, 3)),
    // The day after Thanksgiving.
    (since(1993), Falls::First(Weekday::Fri, 11, 23)),
    // Christmas Eve.
    (since(1993), Falls::On(12, 24)),
];

/// When a half day ends, in New York.
const HALF_DAY_CLOSE: Option<NaiveTime> = NaiveTime::from_hms_opt(13, 0, 0);
const _: () = assert!(HALF_DAY_CLOSE.is_some());

/// The lines of the table of exceptions: a date with its early close, or with none if it stayed closed.
static SPECIAL: LazyLock<BTreeMap<NaiveDate, Option<NaiveTime>>> = LazyLock::new(|| {
    parse_special(include_str!("../../data/special_closures.csv")).expect("the embedded table is well formed")
});

/// What the exchange does on `date`. Slow (hundreds of nanoseconds): `session.rs` asks once per date.
pub(super) fn plan(date: NaiveDate) -> Plan {
    let listed = |rules: &[Rule]| rules.iter().any(|(years, falls)| years.contains(&date.year()) && falls.on(date));
    if date.weekday().num_days_from_monday() >= 5 || listed(&HOLIDAYS) {
        return Plan::Closed;
    }
    match SPECIAL.get(&date) {
        Some(None) => Plan::Closed,
        Some(Some(close)) => Plan::Until(*close),
        None if listed(&HALF_DAYS) => HALF_DAY_CLOSE.map_or(Plan::Full, Plan::Until),
        None => Plan::Full,
    }
}

impl Falls {
    /// True if the rule names this date.
    fn on(self, date: NaiveDate) -> bool {
        let is_a = |weekday| date.weekday() == weekday;
        match self {
            Self::On(month, day) => is(Some(date), month, day),
            Self::OnA(weekday, month, day) => is_a(weekday) && is(Some(date), month, day),
            Self::OnOrMonday(month, day) => {
                is(Some(date), month, day) || is_a(Weekday::Mon) && is(date.pred_opt(), month, day)
            }
            Self::OnOrNearest(month, day) => {
                Self::OnOrMonday(month, day).on(date) || is_a(Weekday::Fri) && is(date.succ_opt(), month, day)
            }
            Self::First(weekday, month, day) => {
                is_a(weekday) && date.month() == month && (day..day + 7).contains(&date.day())
            }
            Self::GoodFriday => is_a(Weekday::Fri) && good_friday(date.year()) == Some(date),
        }
    }
}

/// True if there is such a date and it has this month and day.
fn is(date: Option<NaiveDate>, month: u32, day: u32) -> bool {
    date.is_some_and(|date| date.month() == month && date.day() == day)
}

/// A rule that still holds.
const fn since(year: i32) -> RangeInclusive<i32> {
    RangeInclusive::new(year, i32::MAX)
}

/// The Friday before Easter, by Oudin's form of the Gregorian computus.
fn good_friday(year: i32) -> Option<NaiveDate> {
    let century = year.div_euclid(100);
    let golden = year.rem_euclid(19);
    let age = (century - century.div_euclid(4) - (8 * century + 13).div_euclid(25) + 19 * golden + 15).rem_euclid(30);
    // Days from 21 March to the full moon of Easter; the last two ages of the moon share a day with their neighbours.
    let full_moon = age - (age / 28) * (1 - (29 / (age + 1)) * ((21 - golden) / 11));
    let weekday = (year + year.div_euclid(4) + full_moon + 2 - century + century.div_euclid(4)).rem_euclid(7);
    // Easter lies `full_moon - weekday` days after 28 March.
    let days = TimeDelta::days(i64::from(full_moon - weekday));
    NaiveDate::from_ymd_opt(year, 3, 26)?.checked_add_signed(days)
}

/// Reads `date,close,reason`; an empty close is a day without trading.
fn parse_special(text: &str) -> Result<BTreeMap<NaiveDate, Option<NaiveTime>>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize::<(NaiveDate, Option<NaiveTime>, String)>()
        .map(|row| row.map(|(date, close, _reason)| (date, close)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_moves_as_the_church_says() {
        for (year, month, day) in [(1818, 3, 20), (1998, 4, 10), (2008, 3, 21), (2024, 3, 29), (2038, 4, 23)] {
            assert_eq!(good_friday(year), NaiveDate::from_ymd_opt(year, month, day), "{year}");
        }
    }

    #[test]
    fn every_exception_falls_on_a_day_that_would_have_been_open() {
        assert!(SPECIAL.len() >= 15);
        for (date, close) in SPECIAL.iter() {
            let listed = HOLIDAYS.iter().any(|(years, falls)| years.contains(&date.year()) && falls.on(*date));
            assert!(!listed && date.weekday().num_days_from_monday() < 5, "{date} needs no exception");
            assert_eq!(plan(*date), close.map_or(Plan::Closed, Plan::Until), "{date}");
        }
    }

    #[test]
    fn a_table_with_a_typing_error_is_refused() {
        assert!(parse_special("date,close,reason\n2001-09-31,,typed wrong\n").is_err());
        assert!(parse_special("date,close,reason\n2001-09-28,25:00,typed wrong\n").is_err());
    }
}
