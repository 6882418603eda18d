//! When is a market open, and when is a bar known? Hours, sessions and the ends of bars, per asset class.

use chrono::{Datelike, Days, NaiveDate};

use super::calendar::{YEAR_FIRST, YEAR_LAST, day_of, exchange_session, usual_close};
use super::stamp::midnight;
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{AssetClass, Timeframe};

/// The epoch was a Thursday; weeks of coins are cut four days later, on Mondays.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;
/// Daily bars of stocks before this year are believed on any weekday, so that an inexact rule loses none.
const EXACT_SINCE: i32 = 1998;

const MINUTE_MS: i64 = 60_000;
/// A hundred years, the farthest that anybody looks ahead.
const FAR_MINUTES: i64 = 100 * 366 * 24 * 60;

/// Open and close of one session, as instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The date it is named after, in the time of the market.
    pub date: NaiveDate,
    /// The first instant of trading.
    pub open: Timestamp,
    /// The first instant after trading.
    pub close: Timestamp,
}

/// The hours of one asset class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    class: AssetClass,
}

impl Hours {
    /// The hours that `class` keeps.
    pub const fn of(class: AssetClass) -> Self {
        Self { class }
    }

    /// The session named after `date`, if that date has one. Fast enough to be asked for every bar.
    pub fn session_on(self, date: NaiveDate) -> Option<Session> {
        let (open, close) = self.span(day_of(midnight(date)))?;
        Some(Session { date, open, close })
    }

    /// The session that contains `now`; its close is outside of it.
    pub fn session_at(self, now: Timestamp) -> Option<Session> {
        // New York trades between 13:30 and 21:00 UTC, so the UTC date names the only candidate.
        self.session_on(date_of(now)).filter(|session| session.open <= now && now < session.close)
    }

    /// Open and close of the session on a day, counted from 1970-01-01: the calendar need not be asked for the date.
    fn span(self, day: i64) -> Option<(Timestamp, Timestamp)> {
        match self.class {
            AssetClass::UsEquity => exchange_session(day),
            AssetClass::Crypto | AssetClass::Perpetual => {
                let midnight = Timestamp::from_ms(day.saturating_mul(DAY_MS));
                Some((midnight, midnight.plus_ms(DAY_MS)))
            }
        }
    }

    /// The first session that opens after `now`. Instants that no calendar holds count as the epoch; at the very end
    /// of the calendar the answer is an empty session at `now`.
    pub fn next_session(self, now: Timestamp) -> Session {
        let now = Timestamp::from(now.utc());
        let today = date_of(now);
        today
            .iter_days()
            .filter_map(|date| self.session_on(date))
            .find(|session| session.open > now)
            .unwrap_or(Session { date: today, open: now, close: now })
    }

    /// True while a session runs.
    pub fn is_open(self, now: Timestamp) -> bool {
        self.session_at(now).is_some()
    }

    /// The instant at which the bar labelled `start` is known. A stock's bar never outlasts the session it starts in;
    /// its daily bar ends with the session of that date, its weekly bar with the last session of the seven days.
    pub fn bar_end(self, timeframe: Timeframe, start: Timestamp) -> Timestamp {
        match (self.class, timeframe) {
            (AssetClass::Crypto | AssetClass::Perpetual, Timeframe::D1) => midnight(date_of(start)).plus_ms(DAY_MS),
            (AssetClass::Crypto | AssetClass::Perpetual, _) => start.plus_ms(timeframe.ms()),
            (AssetClass::UsEquity, Timeframe::D1) => {
                self.span(day_of(start)).map_or_else(|| usual_close(date_of(start)), |(_, close)| close)
            }
            // The rules leave a session in every week, so the Friday is used only past the end of the calendar.
            (AssetClass::UsEquity, Timeframe::W1) => {
                let date = date_of(start);
                let friday = || date.checked_add_days(Days::new(4)).unwrap_or(date);
                self.last_session_of_week(date).map_or_else(|| usual_close(friday()), |session| session.close)
            }
            (AssetClass::UsEquity, Timeframe::M1 | Timeframe::M5 | Timeframe::M15 | Timeframe::H1) => {
                let end = start.plus_ms(timeframe.ms());
                match self.span(day_of(start)) {
                    Some((open, close)) if open <= start && start < close => end.min(close),
                    _ => end,
                }
            }
        }
    }

    /// When trading in the bar labelled `start` begins: the label of a stock's day or week is a date, and its first hour
    /// starts at half past. Where there is no session it is `start`.
    pub fn bar_open(self, timeframe: Timeframe, start: Timestamp) -> Timestamp {
        match (self.class, timeframe) {
            (AssetClass::Crypto | AssetClass::Perpetual, _) => start,
            (AssetClass::UsEquity, Timeframe::W1) => {
                let first = date_of(start).iter_days().take(7).find_map(|date| self.session_on(date));
                first.map_or(start, |session| session.open.max(start))
            }
            (AssetClass::UsEquity, _) => self.span(day_of(start)).map_or(start, |(open, _)| open.max(start)),
        }
    }

    /// True if the bar labelled `start` overlaps a session. Daily and weekly bars of stocks before 1998 count on any
    /// weekday, because the holidays of those years are not known exactly.
    pub fn in_session(self, timeframe: Timeframe, start: Timestamp) -> bool {
        let year = || date_of(start).year();
        match (self.class, timeframe) {
            (AssetClass::Crypto | AssetClass::Perpetual, _) => true,
            (AssetClass::UsEquity, Timeframe::D1) if year() < EXACT_SINCE => {
                date_of(start).weekday().num_days_from_monday() < 5
            }
            (AssetClass::UsEquity, Timeframe::D1) => self.span(day_of(start)).is_some(),
            (AssetClass::UsEquity, Timeframe::W1) => {
                year() < EXACT_SINCE || self.last_session_of_week(date_of(start)).is_some()
            }
            (AssetClass::UsEquity, Timeframe::M1 | Timeframe::M5 | Timeframe::M15 | Timeframe::H1) => self
                .span(day_of(start))
                .is_some_and(|(open, close)| start < close && start.plus_ms(timeframe.ms()) > open),
        }
    }

    /// How many bars end later than `after` and not later than `until`. Bars of stocks are those of the regular
    /// session and of the years 1900 to 2199. The work grows with the days between, not with the bars.
    pub fn bars_between(self, timeframe: Timeframe, after: Timestamp, until: Timestamp) -> u64 {
        if until <= after {
            return 0;
        }
        let count = match (self.class, timeframe) {
            (AssetClass::Crypto | AssetClass::Perpetual, _) => {
                let first = if timeframe == Timeframe::W1 { FIRST_MONDAY_MS } else { 0 };
                let ended = |at: Timestamp| at.plus_ms(-first).ms().div_euclid(timeframe.ms());
                ended(until) - ended(after)
            }
            (AssetClass::UsEquity, Timeframe::D1) => {
                let days = dates(date_of(after), date_of(until));
                closes(days.filter_map(|date| self.session_on(date)), after, until)
            }
            (AssetClass::UsEquity, Timeframe::W1) => {
                let mondays = dates(monday_of(date_of(after)), date_of(until)).step_by(7);
                closes(mondays.filter_map(|monday| self.last_session_of_week(monday)), after, until)
            }
            (AssetClass::UsEquity, Timeframe::M1 | Timeframe::M5 | Timeframe::M15 | Timeframe::H1) => {
                dates(date_of(after), date_of(until))
                    .filter_map(|date| self.session_on(date))
                    .map(|session| ended_bars(&session, timeframe, until) - ended_bars(&session, timeframe, after))
                    .sum()
            }
        };
        count.unsigned_abs()
    }

    /// When the last of the next `bars` bars ends that end later than `after`, to the minute. Years of nothing end the search.
    pub fn end_of_bars(self, timeframe: Timeframe, after: Timestamp, bars: u64) -> Timestamp {
        let ended = |minutes: i64| self.bars_between(timeframe, after, after.plus_ms(minutes * MINUTE_MS));
        let shortest = timeframe.ms() / MINUTE_MS * i64::try_from(bars).unwrap_or(i64::MAX).min(FAR_MINUTES);
        let mut enough = shortest.min(FAR_MINUTES);
        while ended(enough) < bars && enough < FAR_MINUTES {
            enough = (enough * 2).min(FAR_MINUTES);
        }
        let mut too_few = 0;
        while enough - too_few > 1 {
            let middle = i64::midpoint(too_few, enough);
            if ended(middle) < bars { too_few = middle } else { enough = middle }
        }
        after.plus_ms(enough * MINUTE_MS)
    }

    /// Number of sessions strictly between two dates; for stocks, within the years 1900 to 2199.
    pub fn sessions_between(self, after: NaiveDate, before: NaiveDate) -> u64 {
        match (self.class, after.succ_opt(), before.pred_opt()) {
            (_, None, _) | (_, _, None) => 0,
            (AssetClass::Crypto | AssetClass::Perpetual, ..) => {
                u64::try_from((before - after).num_days() - 1).unwrap_or(0)
            }
            (AssetClass::UsEquity, Some(first), Some(last)) => {
                dates(first, last).filter(|date| self.session_on(*date).is_some()).count() as u64
            }
        }
    }

    /// The last session of the seven days from `first` on.
    fn last_session_of_week(self, first: NaiveDate) -> Option<Session> {
        (0..7).rev().filter_map(|days| first.checked_add_days(Days::new(days))).find_map(|date| self.session_on(date))
    }
}

/// How many bars of a session have ended at `at`. Bars are cut at round times, and the last one at the close.
fn ended_bars(session: &Session, timeframe: Timeframe, at: Timestamp) -> i64 {
    let before_open = session.open.ms().div_euclid(timeframe.ms());
    if at >= session.close {
        (session.close.ms() - 1).div_euclid(timeframe.ms()) + 1 - before_open
    } else {
        at.max(session.open).ms().div_euclid(timeframe.ms()) - before_open
    }
}

/// How many of these sessions have closed later than `after` and not later than `until`.
fn closes(sessions: impl Iterator<Item = Session>, after: Timestamp, until: Timestamp) -> i64 {
    sessions.filter(|session| session.close > after && session.close <= until).count() as i64
}

/// The dates from `first` to `last`, both included, as far as the calendar remembers.
fn dates(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_yo_opt(YEAR_FIRST, 1).map_or(first, |limit| first.max(limit));
    first.iter_days().take_while(move |date| *date <= last && date.year() <= YEAR_LAST)
}

fn monday_of(date: NaiveDate) -> NaiveDate {
    let past = u64::from(date.weekday().num_days_from_monday());
    date.checked_sub_days(Days::new(past)).unwrap_or(date)
}

fn date_of(at: Timestamp) -> NaiveDate {
    at.utc().date_naive()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use chrono::{DateTime, NaiveTime};

    use super::*;
    use crate::market::holidays::{Plan, plan};

    const STOCKS: Hours = Hours::of(AssetClass::UsEquity);
    const COINS: Hours = Hours::of(AssetClass::Crypto);

    fn at(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(&format!("{text}:00Z")).expect("an instant").to_utc().into()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    /// The goal: rules and exceptions together give exactly the sessions that an independent calendar lists.
    #[test]
    fn bars_ahead_are_those_of_the_hours() {
        for (hours, timeframe, after, bars, end) in [
            // From a Friday's close over a weekend, and from five minutes before it to the next day.
            (STOCKS, Timeframe::D1, "1998-07-10T20:00", 3, "1998-07-15T20:00"),
            (STOCKS, Timeframe::M1, "2024-01-05T20:55", 20, "2024-01-08T14:45"),
            (STOCKS, Timeframe::W1, "2024-01-05T21:00", 1, "2024-01-12T21:00"),
            (COINS, Timeframe::D1, "2024-01-05T00:00", 3, "2024-01-08T00:00"),
            (COINS, Timeframe::M1, "2024-01-05T20:55", 20, "2024-01-05T21:15"),
            (COINS, Timeframe::M1, "2024-01-05T20:55", 0, "2024-01-05T20:55"),
        ] {
            assert_eq!(hours.end_of_bars(timeframe, at(after), bars), at(end), "{timeframe} {after} {bars}");
        }
        let far = STOCKS.end_of_bars(Timeframe::D1, at("2190-01-02T21:00"), 100_000);
        assert!(far > at("2199-12-31T00:00"));
    }

    #[test]
    fn sessions_equal_the_recorded_hours_in_both_directions() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/market/hours/us_equity_sessions.csv");
        if !Path::new(path).exists() {
            eprintln!("skipped: ../shared is absent");
            return;
        }
        let mut recorded = BTreeMap::new();
        for row in csv::Reader::from_path(path).expect("readable").deserialize::<(NaiveDate, String, String, u8)>() {
            let (date, open, close, early) = row.expect("four fields");
            assert_eq!(early == 1, matches!(plan(date), Plan::Until(_)), "{date}");
            recorded.insert(
                date,
                Session { date, open: at(open.trim_end_matches(":00Z")), close: at(close.trim_end_matches(":00Z")) },
            );
        }
        let (first, last) = (day("1998-01-01"), *recorded.keys().last().expect("not empty"));
        for date in dates(first, last) {
            assert_eq!(STOCKS.session_on(date), recorded.get(&date).copied(), "{date}");
        }
        assert_eq!(STOCKS.sessions_between(day("1997-12-31"), last), recorded.len() as u64 - 1);
    }

    #[test]
    fn well_known_dates() {
        let closed = "2001-09-11 2004-06-11 2012-10-29 2022-06-20 2024-03-29 2025-01-09 2027-06-18 2021-12-24";
        assert!(closed.split(' ').all(|date| STOCKS.session_on(day(date)).is_none()));
        let open = "2001-09-17 2021-06-18 2021-12-31 2010-12-31 1997-01-20 2020-02-29";
        let answers: Vec<_> = open.split(' ').map(|date| STOCKS.session_on(day(date)).is_some()).collect();
        assert_eq!(answers, [true, true, true, true, true, false]);
    }

    #[test]
    fn the_opening_follows_the_clock_of_new_york() {
        let hours = |date| STOCKS.session_on(day(date)).map(|session| (session.open, session.close));
        assert_eq!(hours("2024-03-08"), Some((at("2024-03-08T14:30"), at("2024-03-08T21:00"))));
        assert_eq!(hours("2024-03-11"), Some((at("2024-03-11T13:30"), at("2024-03-11T20:00"))));
    }

    #[test]
    fn a_session_holds_its_open_and_not_its_close() {
        assert!(!STOCKS.is_open(at("2024-07-03T13:29")) && STOCKS.is_open(at("2024-07-03T13:30")));
        assert!(STOCKS.is_open(at("2024-07-03T16:59")) && !STOCKS.is_open(at("2024-07-03T17:00")));
        assert_eq!(STOCKS.next_session(at("2024-07-03T13:29")).date, day("2024-07-03"));
        assert_eq!(STOCKS.next_session(at("2024-07-03T13:30")).date, day("2024-07-05"));
        assert_eq!(COINS.session_at(at("2024-07-06T00:00")), COINS.session_on(day("2024-07-06")));
        assert_eq!(COINS.next_session(at("2024-07-06T00:00")).open, at("2024-07-07T00:00"));
    }

    #[test]
    fn a_bar_is_known_when_it_ends_and_no_later_than_the_close() {
        let ends = [
            (STOCKS, Timeframe::H1, "2024-07-03T16:00", "2024-07-03T17:00"), // 12:00 on a half day
            (STOCKS, Timeframe::H1, "2024-07-03T16:30", "2024-07-03T17:00"), // cut at half hours
            (STOCKS, Timeframe::H1, "2024-07-02T13:00", "2024-07-02T14:00"), // 09:00, holds 09:30 to 10:00
            (STOCKS, Timeframe::H1, "2024-07-02T20:30", "2024-07-02T21:30"), // after the close
            (STOCKS, Timeframe::D1, "2024-07-03T00:00", "2024-07-03T17:00"),
            (STOCKS, Timeframe::D1, "2024-07-04T00:00", "2024-07-04T20:00"), // no session
            (STOCKS, Timeframe::W1, "2024-07-01T00:00", "2024-07-05T20:00"),
            (STOCKS, Timeframe::W1, "2024-03-25T00:00", "2024-03-28T20:00"), // Good Friday
            (COINS, Timeframe::D1, "2024-07-04T00:00", "2024-07-05T00:00"),
            (COINS, Timeframe::W1, "2024-07-01T00:00", "2024-07-08T00:00"),
        ];
        for (hours, timeframe, start, end) in ends {
            assert_eq!(hours.bar_end(timeframe, at(start)), at(end), "{timeframe} {start}");
        }
    }

    #[test]
    fn a_bar_opens_with_the_first_session_in_it() {
        let opens = [
            (STOCKS, Timeframe::M1, "2024-07-02T13:31", "2024-07-02T13:31"),
            (STOCKS, Timeframe::H1, "2024-07-02T13:00", "2024-07-02T13:30"),
            (STOCKS, Timeframe::D1, "2024-07-02T00:00", "2024-07-02T13:30"),
            (STOCKS, Timeframe::D1, "2024-07-04T00:00", "2024-07-04T00:00"), // no session
            (STOCKS, Timeframe::W1, "2024-05-27T00:00", "2024-05-28T13:30"), // Memorial day
            (COINS, Timeframe::W1, "2024-05-27T00:00", "2024-05-27T00:00"),
        ];
        for (hours, timeframe, start, open) in opens {
            assert_eq!(hours.bar_open(timeframe, at(start)), at(open), "{timeframe} {start}");
        }
    }

    #[test]
    fn bars_outside_of_sessions_are_told_apart() {
        let inside = |timeframe, start| STOCKS.in_session(timeframe, at(start));
        assert!(inside(Timeframe::H1, "2024-07-02T13:00") && !inside(Timeframe::H1, "2024-07-02T12:00"));
        assert!(inside(Timeframe::M1, "2024-07-03T16:59") && !inside(Timeframe::M1, "2024-07-03T17:00"));
        assert!(!inside(Timeframe::D1, "2024-07-04T00:00") && inside(Timeframe::W1, "2024-07-01T00:00"));
        assert!(inside(Timeframe::D1, "1997-12-25T00:00") && !inside(Timeframe::D1, "1997-12-27T00:00"));
    }

    #[test]
    fn bars_are_counted_over_sessions_only() {
        let counts = [
            (STOCKS, Timeframe::M1, "2024-07-02T20:00", "2024-07-03T13:30", 0),
            (STOCKS, Timeframe::M1, "2024-07-02T00:00", "2024-07-05T23:00", 390 + 210 + 390),
            (STOCKS, Timeframe::H1, "2024-07-02T00:00", "2024-07-03T00:00", 7),
            (STOCKS, Timeframe::D1, "2024-07-02T20:00", "2024-07-03T17:00", 1),
            (STOCKS, Timeframe::D1, "2024-07-03T17:00", "2024-07-05T19:59", 0),
            (STOCKS, Timeframe::D1, "2023-12-31T00:00", "2024-12-31T23:00", 252),
            (STOCKS, Timeframe::W1, "2024-07-05T20:00", "2024-07-12T20:00", 1),
            (STOCKS, Timeframe::W1, "2024-07-07T12:00", "2024-07-12T19:59", 0),
            (COINS, Timeframe::W1, "2024-07-07T23:59", "2024-07-08T00:00", 1),
            (COINS, Timeframe::D1, "2024-07-08T00:00", "2024-07-07T00:00", 0),
        ];
        for (hours, timeframe, after, until, count) in counts {
            assert_eq!(hours.bars_between(timeframe, at(after), at(until)), count, "{timeframe} {after} {until}");
        }
        assert_eq!(STOCKS.sessions_between(day("2024-07-03"), day("2024-07-08")), 1);
        assert_eq!(COINS.sessions_between(day("2024-07-03"), day("2024-07-03")), 0);
    }

    /// The goal: counting agrees with the ends of single bars, wherever a stretch begins and ends.
    #[test]
    fn counts_agree_with_the_ends_of_single_bars() {
        let first = midnight(day("2012-10-22"));
        for (hours, timeframe) in [STOCKS, COINS].into_iter().flat_map(|hours| Timeframe::ALL.map(|t| (hours, t))) {
            let starts = (0..35 * DAY_MS / timeframe.ms()).map(|index| first.plus_ms(index * timeframe.ms()));
            let inside = starts.filter(|start| hours.in_session(timeframe, *start));
            let ends: Vec<_> = inside.map(|start| hours.bar_end(timeframe, start)).collect();
            for step in 0..100 {
                let (after, until) = (first.plus_ms(step * 17_000_000), first.plus_ms(step * 29_000_000));
                let expected = ends.iter().filter(|end| **end > after && **end <= until).count() as u64;
                assert_eq!(hours.bars_between(timeframe, after, until), expected, "{timeframe} {after} {until}");
            }
        }
    }

    #[test]
    fn instants_beyond_the_calendar_do_no_harm() {
        let last = NaiveDate::MAX.and_time(NaiveTime::MIN).and_utc().into();
        for now in [Timestamp::from_ms(i64::MIN), last, Timestamp::from_ms(i64::MAX)] {
            for hours in [STOCKS, COINS] {
                assert!(hours.next_session(now).open >= Timestamp::default());
                for timeframe in Timeframe::ALL {
                    assert!(hours.bar_end(timeframe, now) >= Timestamp::from_ms(now.ms().min(0)));
                    hours.in_session(timeframe, now);
                    hours.bars_between(timeframe, Timestamp::from_ms(i64::MIN), now);
                }
            }
        }
        assert_eq!(STOCKS.sessions_between(NaiveDate::MIN, day("1900-01-03")), 1);
    }
}
