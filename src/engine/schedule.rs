//! When is a strategy asked? At the end of each of its bars, or at the times of a cron expression, by the market's time alone.

use chrono_tz::Tz;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::TimetableRow;
use crate::market::Hours;

use super::StrategySettings;
use super::desk::Desk;
use super::lane::Lane;
use super::state::Prices;

/// An instant from which on every schedule must fire at least once.
const LONG_AGO: Timestamp = Timestamp::from_ms(946_684_800_000);

/// A cron expression in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    zone: Tz,
    cron: Cron,
}

impl Schedule {
    /// Reads minute, hour, day of the month, month and weekday, such as `0 9 * * 1-5`, or a name such as `@daily`.
    ///
    /// A fixed time that the clock jumps over in spring fires when the jump is over, one that comes twice in autumn fires once.
    ///
    /// # Errors
    /// In words, when it cannot be read or never fires.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let refused = |why: &str| {
            let text = text.escape_debug();
            format!(
                "\"{text}\" is no schedule: {why}; write minute, hour, day, month and weekday, such as \"0 9 * * 1-5\""
            )
        };
        let cron = parser.parse(text).map_err(|error| match error {
            CronError::EmptyPattern | CronError::InvalidPattern(_) => refused("it has not five fields"),
            CronError::ComponentError(why) | CronError::IllegalCharacters(why) => refused(why.trim_end_matches('.')),
            other => refused(&other.to_string()),
        })?;
        let schedule = Self { text: text.trim().to_owned(), zone, cron };
        if schedule.next_after(LONG_AGO).is_none() {
            return Err(refused("no such day ever comes"));
        }
        Ok(schedule)
    }

    /// As it was written, with its zone: `0 9 * * 1 America/New_York`.
    pub fn written(&self) -> String {
        format!("{} {}", self.text, self.zone)
    }

    /// The first time after `after` at which it fires, if there is one in the years that a calendar holds.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&after.utc().with_timezone(&self.zone), false).ok()?;
        Some(Timestamp::from_ms(next.timestamp_millis())).filter(|next| *next > after)
    }

    /// In English, with its zone: `at 09:00, on Monday (America/New_York)`.
    pub fn words(&self) -> String {
        let said = self.cron.describe().trim_end_matches('.').to_owned();
        let said = said.strip_prefix("At every").map_or(said.clone(), |rest| format!("every{rest}"));
        let mut letters = said.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        format!("{}{} ({})", first.map(String::from).unwrap_or_default(), letters.as_str(), self.zone)
    }
}

/// When a strategy of a book runs next, and which symbols it is still to be asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When its schedule fires next; none if it has none, before the first instant, and if it never fires again.
    pub next: Option<Timestamp>,
    /// When it last was asked about any symbol.
    pub last: Option<Timestamp>,
    /// True once `next` is known.
    begun: bool,
    /// The lanes that it is to be asked about as soon as their session is open.
    waiting: Vec<usize>,
}

impl Due {
    /// Takes up what was due when it was saved. When it last ran is known better by now.
    pub(super) fn go_on_from(&mut self, saved: Self) {
        *self = Self { last: self.last, ..saved };
    }

    /// Notes that everything up to `now` lies behind: only what fires later counts.
    pub(super) fn begin_after(&mut self, schedule: Option<&Schedule>, now: Timestamp) {
        self.begun = true;
        self.waiting.clear();
        self.next = schedule.and_then(|schedule| schedule.next_after(now));
    }

    /// Moves to `now`; true if the schedule fired since the instant before. However often it fired, it counts once.
    fn fires(&mut self, schedule: &Schedule, now: Timestamp) -> bool {
        if !self.begun {
            self.begin_after(Some(schedule), now.plus_ms(-1));
        }
        let fired = self.next.is_some_and(|next| next <= now);
        if fired {
            self.next = schedule.next_after(now);
        }
        fired
    }
}

/// Which lanes the scheduled strategies of a book are asked about at `now`, as lane and strategy: each lane that has had a bar, at the
/// first instant at or after a firing at which its session is open. It is told every instant, also those of the history.
pub(super) fn due(desk: &mut Desk, prices: Prices<'_>, now: Timestamp) -> Vec<(usize, usize)> {
    let mut asked = Vec::new();
    for (place, strategy) in desk.settings.strategies.iter().enumerate() {
        let Some(schedule) = &strategy.schedule else { continue };
        let due = &mut desk.due[place];
        if due.fires(schedule, now) {
            due.waiting = (0..prices.lanes.len()).filter(|lane| prices.lanes[*lane].last.is_some()).collect();
        }
        due.waiting.retain(|lane| {
            let ask = strategy.outside_session || is_open(prices.lanes[*lane].hours, now);
            if ask && !is_over(&prices.lanes[*lane], now) {
                asked.push((*lane, place));
            }
            !ask
        });
    }
    asked.sort_unstable();
    asked
}

/// True while a session runs and at its close, where its last bar is known.
fn is_open(hours: Hours, now: Timestamp) -> bool {
    hours.is_open(now) || hours.is_open(now.plus_ms(-1))
}

/// True once the last recorded bar of a lane lies in the past.
fn is_over(lane: &Lane, now: Timestamp) -> bool {
    lane.ended && lane.last_end < now
}

/// What `/schedule` shows of a strategy.
pub(super) fn timetable_row(strategy: &StrategySettings, due: &Due) -> TimetableRow {
    TimetableRow {
        strategy: strategy.name,
        timeframe: strategy.timeframe,
        schedule: strategy.schedule.as_ref().map(Schedule::words),
        outside_session: strategy.outside_session,
        next: due.next,
        last: due.last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        Schedule::parse(text, Tz::America__New_York).expect("a schedule")
    }

    #[test]
    fn schedules_are_said_in_english_with_their_zone() {
        for (text, want) in [
            ("0 9 * * 1", "at 09:00, on Monday (America/New_York)"),
            (" */15  * * * * ", "every 15 minutes (America/New_York)"),
            ("* * * * *", "every minute (America/New_York)"),
            ("0 16 L * *", "at 16:00, on the last day of the month (America/New_York)"),
        ] {
            assert_eq!(schedule(text).words(), want);
        }
        assert_eq!(schedule(" 0 9 * * 1 ").written(), "0 9 * * 1 America/New_York");
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        for (text, want) in [
            ("", "it has not five fields"),
            ("0 0 9 * * 1", "it has not five fields"),
            ("0 25 * * *", "Number out of bounds"),
            ("0 9 * * funday", "illegal character"),
            ("0 0 31 4,6,9,11 *", "no such day ever comes"),
        ] {
            let error = Schedule::parse(text, Tz::UTC).expect_err("refused");
            assert!(error.contains(want) && error.contains("0 9 * * 1-5"), "{error}");
        }
    }

    /// Far from every calendar there is no next time, rather than one in the past.
    #[test]
    fn the_next_time_is_later_or_there_is_none() {
        for ms in [i64::MIN, -9_000_000_000_000_000, -1, 0, 95_617_584_000_000, 9_000_000_000_000_000, i64::MAX] {
            let after = Timestamp::from_ms(ms);
            assert!(schedule("0 9 * * *").next_after(after).is_none_or(|next| next > after), "{ms}");
        }
        let nine = Timestamp::from_ms(1_795_183_200_000); // 2026-11-20 09:00 in New York
        assert_eq!(schedule("0 9 * * *").next_after(nine.plus_ms(-1)), Some(nine));
        assert_eq!(schedule("0 9 * * *").next_after(nine), Some(nine.plus_ms(86_400_000)));
    }
}
