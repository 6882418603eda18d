//! Which stretches does a walk-forward train and test on? Lengths as they are typed, laid over the time there is.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, Months, NaiveDate};

use crate::clock::{DAY_MS, Timestamp};

/// The most windows of one walk.
const WINDOWS_MAX: usize = 1_000;

/// A length of time or a number of bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Years and months.
    Months(u32),
    /// Weeks and days.
    Days(u32),
    /// Instants at which bars ended.
    Bars(u32),
}

/// How long to train and how long to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The stretch on which parameters are chosen.
    pub train: Length,
    /// The stretch after it, on which they are run.
    pub test: Length,
}

/// One step of a walk. A bar belongs to a stretch if it ended after its beginning and not after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Where training begins.
    pub train_from: Timestamp,
    /// Where training ends and testing begins.
    pub test_from: Timestamp,
    /// Where testing ends.
    pub test_to: Timestamp,
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{}\" is no length: write it as 2y, 6m, 8w, 120d or 1000b", text.escape_debug());
        let text = text.trim();
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let count: u32 = digits.parse().map_err(|_| wrong())?;
        let scaled = |by: u32| count.checked_mul(by).filter(|count| (1..=1_000_000).contains(count));
        match &text[digits.len()..] {
            "y" => scaled(12).map(Self::Months),
            "m" => scaled(1).map(Self::Months),
            "w" => scaled(7).map(Self::Days),
            "d" => scaled(1).map(Self::Days),
            "b" => scaled(1).map(Self::Bars),
            _ => None,
        }
        .ok_or_else(wrong)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Months(months) if months % 12 == 0 => write!(f, "{}y", months / 12),
            Self::Months(months) => write!(f, "{months}m"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::Bars(bars) => write!(f, "{bars}b"),
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(',');
        let parts = parts.ok_or("write two lengths, the one to train on first, as 2y,6m or 1000b,250b")?;
        let plan = Self { train: parts.0.parse()?, test: parts.1.parse()? };
        if matches!(plan.train, Length::Bars(_)) != matches!(plan.test, Length::Bars(_)) {
            return Err("write both lengths in bars or both in time".to_owned());
        }
        Ok(plan)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.train, self.test)
    }
}

impl Plan {
    /// Lays the windows over these instants, which are in order. Each begins one test later than the one before, so that the
    /// tests follow each other without a gap; the last test may be shorter. `from` is where training may begin, by default
    /// the beginning of the first day. Days are those of UTC.
    ///
    /// # Errors
    /// In words, when the instants are too few for one window, or the tests so short that there are too many.
    pub fn windows(&self, instants: &[Timestamp], from: Option<Timestamp>) -> Result<Vec<Window>, String> {
        let instants = &instants[instants.partition_point(|at| from.is_some_and(|from| *at <= from))..];
        let (Some(first), Some(last)) = (instants.first(), instants.last()) else {
            return Err("there is no bar to train on".to_owned());
        };
        let before_first = first.plus_ms(-1);
        let anchor = from.unwrap_or_else(|| before_first.plus_ms(-before_first.ms().rem_euclid(DAY_MS)));
        let place = |trains: u32, tests: u32| match (self.train, self.test) {
            (Length::Bars(train), Length::Bars(test)) => {
                let bars = u64::from(train) * u64::from(trains) + u64::from(test) * u64::from(tests);
                let index = usize::try_from(bars).unwrap_or(usize::MAX);
                Some(
                    index
                        .checked_sub(1)
                        .map_or(anchor, |last| *instants.get(last).unwrap_or(&Timestamp::from_ms(i64::MAX))),
                )
            }
            _ => self.train.times(trains).and_then(|train| after(anchor, train, self.test.times(tests)?)),
        };
        let mut windows = Vec::new();
        for number in 0.. {
            let begins = place(0, number).zip(place(1, number)).filter(|(_, test)| test < last);
            let Some((train_from, test_from)) = begins else { break };
            let test_to = place(1, number + 1).unwrap_or(*last).min(*last);
            windows.push(Window { train_from, test_from, test_to });
            if windows.len() > WINDOWS_MAX {
                return Err(format!("tests of {} make more than {WINDOWS_MAX} windows; take longer ones", self.test));
            }
        }
        if windows.is_empty() {
            return Err(format!(
                "the bars reach from {first} to {last}, which is too short to train for {} and test after it",
                self.train
            ));
        }
        Ok(windows)
    }
}

impl Length {
    /// So many of it, in months and days; none if that is beyond any calendar.
    fn times(self, count: u32) -> Option<(u32, u64)> {
        match self {
            Self::Months(months) => Some((months.checked_mul(count)?, 0)),
            Self::Days(days) => Some((0, u64::from(days) * u64::from(count))),
            Self::Bars(_) => None,
        }
    }
}

/// An instant moved by months and days. All of them are counted from the same anchor, so that the last of a month stays it.
fn after(anchor: Timestamp, (m1, d1): (u32, u64), (m2, d2): (u32, u64)) -> Option<Timestamp> {
    let date: NaiveDate = anchor.utc().date_naive();
    let moved = date.checked_add_months(Months::new(m1.checked_add(m2)?))?.checked_add_days(Days::new(d1 + d2))?;
    Some(anchor.plus_ms((moved - date).num_days().checked_mul(DAY_MS)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Timestamp {
        let date: NaiveDate = text.parse().expect("a date");
        date.and_time(chrono::NaiveTime::MIN).and_utc().into()
    }

    /// One instant a day, at nine in the evening.
    fn evenings(from: &str, count: i64) -> Vec<Timestamp> {
        (0..count).map(|n| day(from).plus_ms(n * DAY_MS + 21 * DAY_MS / 24)).collect()
    }

    fn plan(text: &str) -> Plan {
        text.parse().expect("a plan")
    }

    #[test]
    fn lengths_are_read_and_told() {
        for (text, want) in [("2y,6m", "2y,6m"), ("18m,4w", "18m,28d"), ("120d, 30d", "120d,30d"), ("12m,1y", "1y,1y")]
        {
            assert_eq!(plan(text).to_string(), want);
        }
        assert_eq!(plan("1000b,250b"), Plan { train: Length::Bars(1000), test: Length::Bars(250) });
        for text in ["", "2y", "2y,", "2y,6", "2y,6h", "0d,5d", "-1d,5d", "2y,100b", "99999999y,1d", "1.5y,1m", "é,1d"]
        {
            assert!(text.parse::<Plan>().is_err(), "{text}");
        }
    }

    #[test]
    fn tests_follow_each_other_without_a_gap_and_the_last_ends_with_the_bars() {
        let instants = evenings("2020-01-31", 250);
        let windows = plan("3m,1m").windows(&instants, None).expect("long enough");
        // Everything is counted from the last of January, so months end at their ends.
        let tests: Vec<String> = windows.iter().map(|it| it.test_from.utc().date_naive().to_string()).collect();
        assert_eq!(tests, ["2020-04-30", "2020-05-31", "2020-06-30", "2020-07-31", "2020-08-31", "2020-09-30"]);
        assert!(windows.windows(2).all(|pair| pair[0].test_to == pair[1].test_from));
        assert_eq!(windows[1].train_from, day("2020-02-29"));
        assert_eq!(windows.last().map(|it| it.test_to), instants.last().copied());
    }

    #[test]
    fn bars_are_counted_and_every_bar_is_tested_once() {
        let instants = evenings("2020-01-01", 100);
        let windows = plan("50b,20b").windows(&instants, None).expect("long enough");
        let count = |from: Timestamp, to: Timestamp| instants.iter().filter(|at| **at > from && **at <= to).count();
        let counts: Vec<_> =
            windows.iter().map(|it| (count(it.train_from, it.test_from), count(it.test_from, it.test_to))).collect();
        assert_eq!(counts, [(50, 20), (50, 20), (50, 10)]);
        let later = plan("50b,20b").windows(&instants, Some(instants[29])).expect("long enough");
        assert_eq!((later.len(), later[0].train_from, later[0].test_from), (1, instants[29], instants[79]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let instants = evenings("2020-01-01", 100);
        let refused = |text: &str, instants: &[Timestamp]| plan(text).windows(instants, None).expect_err("refused");
        assert!(refused("2y,6m", &instants).contains("too short"));
        assert!(refused("100b,1b", &instants).contains("too short"));
        assert!(refused("1d,1d", &[]).contains("no bar"));
        assert!(refused("80000y,1d", &instants).contains("too short"));
        assert!(refused("1d,1d", &evenings("2000-01-01", 2_000)).contains("1000 windows"));
        assert_eq!(plan("99b,1b").windows(&instants, None).map(|windows| windows.len()), Ok(1));
    }
}
