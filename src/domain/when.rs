//! Until when, since when, for how long? Times as people type them, and written back so that they read as the same instant.
//!
//! A day without an hour is meant whole: `until friday` lasts to its end, `since friday` counts from its beginning. What could be several instants
//! is the nearest: the next one for `until`, the last one for `since`.

use chrono::{Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;

use super::format::time;
use crate::clock::{DAY_MS, Timestamp};

/// The longest stretch of time, in days: a year, and a day for leap years.
pub const LONGEST_DAYS: i64 = 366;
/// The same in milliseconds.
pub const LONGEST_MS: i64 = LONGEST_DAYS * DAY_MS;

const MINUTE_MS: i64 = 60_000;
/// The most digits of a number of minutes, hours, days or weeks.
const DIGITS_MAX: usize = 6;
/// Units of a stretch of time, as they are typed.
const UNITS: [(&[&str], i64); 4] = [
    (&["m", "min", "mins", "minute", "minutes"], MINUTE_MS),
    (&["h", "hr", "hrs", "hour", "hours"], 60 * MINUTE_MS),
    (&["d", "day", "days"], DAY_MS),
    (&["w", "week", "weeks"], 7 * DAY_MS),
];
/// What to type.
const UNTIL: &str = "say until 16:00, until tomorrow 9:30, until friday or until 2026-12-01 09:30";
const FOR: &str = "say 30m, 2h, 1d or 1w";
const SINCE: &str = "say since 9:30, since monday, since 2026-11-01 or since 3 days";

/// A time that means nothing; in words for whoever typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WhenError(String);

fn wrong<T>(what: impl Into<String>) -> Result<T, WhenError> {
    Err(WhenError(what.into()))
}

fn shown(word: &str) -> String {
    word.chars().take(24).flat_map(char::escape_debug).collect()
}

/// When something ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// The instant, on a whole minute.
    pub at: Timestamp,
    /// As it was understood: `until today 16:00 EST`.
    pub said: String,
}

impl Until {
    fn at(at: Timestamp, now: Timestamp, zone: Tz) -> Result<Self, WhenError> {
        if at <= now {
            return wrong(format!("that is over: the time is {}", time(now, zone)));
        }
        if at.since(now) > LONGEST_MS + MINUTE_MS {
            return wrong(format!("that is too far: {LONGEST_DAYS} days at the most; the time is {}", time(now, zone)));
        }
        Ok(Self { at, said: until_words(at, now, zone) })
    }
}

/// Takes `for 2h` or `until friday 16:00` out of the arguments of a command, wherever it stands: the other words, and when it ends.
///
/// A first word "for" with no number behind it stays: it is the symbol FOR.
///
/// # Errors
/// When it means no time, is over already, lies more than [`LONGEST_DAYS`] ahead, or is said twice.
pub fn clause<'a>(args: &[&'a str], now: Timestamp, zone: Tz) -> Result<(Vec<&'a str>, Option<Until>), WhenError> {
    let Some(place) = (0..args.len()).find(|place| begins(args, *place)) else { return Ok((args.to_vec(), None)) };
    let after = &args[place + 1..];
    let (until, taken) = if args[place].eq_ignore_ascii_case("for") {
        let (ms, taken) = stretch(after)?;
        (Until::at(minute_after(now.plus_ms(ms)), now, zone)?, taken)
    } else {
        let (moment, taken) = Moment::read(after, now, zone).map_err(|fault| fault.told("until", UNTIL))?;
        (Until::at(moment.next(now, zone)?, now, zone)?, taken)
    };
    let rest = [&args[..place], &after[taken..]].concat();
    if (place..rest.len()).any(|place| begins(&rest, place)) {
        return wrong("say one time: for 2h, or until 16:00");
    }
    Ok((rest, Some(until)))
}

/// When something ends that begins now and lasts as these words say: `2h`, `for 2h`, `until 16:00`.
///
/// # Errors
/// As for [`clause`], and when they say anything else.
pub fn ends(words: &[&str], now: Timestamp, zone: Tz) -> Result<Until, WhenError> {
    let is_bare = words.first().is_some_and(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    let words = if is_bare { [&["for"], words].concat() } else { words.to_vec() };
    match clause(&words, now, zone)? {
        (rest, Some(until)) if rest.is_empty() => Ok(until),
        (rest, _) => {
            let word = rest.first().copied().unwrap_or_default();
            wrong(format!("\"{}\" is no time: {FOR}, or until 16:00", shown(word)))
        }
    }
}

fn begins(args: &[&str], place: usize) -> bool {
    let number = || args.get(place + 1).is_some_and(|next| next.starts_with(|first: char| first.is_ascii_digit()));
    args[place].eq_ignore_ascii_case("until") || (args[place].eq_ignore_ascii_case("for") && (place > 0 || number()))
}

/// The instant of `since monday`, with or without its first word.
///
/// # Errors
/// When the words mean no time, or one that has not come.
pub fn since(args: &[&str], now: Timestamp, zone: Tz) -> Result<Timestamp, WhenError> {
    let args = if args.first().is_some_and(|first| first.eq_ignore_ascii_case("since")) { &args[1..] } else { args };
    let (at, taken) = if let Ok((ms, taken)) = stretch(args) {
        (minute_before(now.plus_ms(-ms)), taken)
    } else {
        let (moment, taken) = Moment::read(args, now, zone).map_err(|fault| fault.told("since", SINCE))?;
        (moment.last(now, zone)?, taken)
    };
    match args[taken..] {
        [] => Ok(at),
        [word, ..] => wrong(format!("\"{}\" is too much: {SINCE}", shown(word))),
    }
}

/// How long `2h`, `90min` or `2h30m` is, in milliseconds.
///
/// # Errors
/// When it is no stretch of time, nothing, or longer than [`LONGEST_DAYS`].
pub fn duration(text: &str) -> Result<i64, WhenError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match stretch(&words)? {
        (ms, taken) if taken == words.len() => Ok(ms),
        _ => wrong(format!("\"{}\" is no stretch of time: {FOR}", shown(text))),
    }
}

/// A stretch of time at the beginning of some words, and how many of them it takes.
fn stretch(words: &[&str]) -> Result<(i64, usize), WhenError> {
    let Some(first) = words.first() else { return wrong(format!("for how long? {FOR}")) };
    let fault = || WhenError(format!("\"{}\" is no stretch of time: {FOR}", shown(first)));
    let (mut sum, mut taken) = (0_i64, 0);
    while let Some(word) = words.get(taken) {
        // "90 min" is one piece in two words.
        let apart = word.bytes().all(|byte| byte.is_ascii_digit());
        let unit = words.get(taken + 1).filter(|_| apart).copied().unwrap_or_default();
        let Some(ms) = pieces(&format!("{word}{unit}")) else { break };
        sum = sum.saturating_add(ms);
        taken += 1 + usize::from(apart);
    }
    match sum {
        _ if taken == 0 => Err(fault()),
        0 => wrong(format!("\"{}\" is no time at all: {FOR}", shown(first))),
        1..=LONGEST_MS => Ok((sum, taken)),
        _ => wrong(format!("that is too long: {LONGEST_DAYS} days at the most")),
    }
}

/// `2h30m` in milliseconds.
fn pieces(text: &str) -> Option<i64> {
    let (mut rest, mut sum) = (text, 0_i64);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
        let end = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let unit = after[..end].to_ascii_lowercase();
        let size = UNITS.iter().find(|(names, _)| names.contains(&unit.as_str()))?.1;
        let count: i64 = digits.parse().ok().filter(|_| digits.len() <= DIGITS_MAX)?;
        sum += count * size;
        rest = &after[end..];
    }
    (!text.is_empty()).then_some(sum)
}

fn minute_before(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.ms().div_euclid(MINUTE_MS) * MINUTE_MS)
}

fn minute_after(at: Timestamp) -> Timestamp {
    minute_before(at.plus_ms(MINUTE_MS - 1))
}

/// `until Fri 2026-11-27 16:00 EST`: reads back as the same instant. Midnight is the end of a day.
pub fn until_words(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    let (mut day, mut hour) = (local.date_naive(), local.format("%H:%M").to_string());
    if hour == "00:00"
        && let Some(before) = day.pred_opt()
    {
        (day, hour) = (before, "24:00".to_owned());
    }
    format!("until {} {hour} {}", day_words(day, now, zone), local.format("%Z"))
}

/// `since Mon 2026-11-23 00:00 EST`: reads back as the same instant.
pub fn since_words(at: Timestamp, now: Timestamp, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    format!("since {} {}", day_words(local.date_naive(), now, zone), local.format("%H:%M %Z"))
}

fn day_words(day: NaiveDate, now: Timestamp, zone: Tz) -> String {
    let today = now.utc().with_timezone(&zone).date_naive();
    match day.signed_duration_since(today).num_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        _ => day.format("%a %Y-%m-%d").to_string(),
    }
}

/// What is at the beginning of some words where a time should be: this word, or nothing.
struct NoMoment<'a>(Option<&'a str>);

impl NoMoment<'_> {
    fn told(self, what: &str, help: &str) -> WhenError {
        WhenError(match self.0 {
            Some(word) => format!("\"{}\" is no time: {help}", shown(word)),
            None => format!("{what} when? {help}"),
        })
    }
}

/// A time as it was typed.
#[derive(Default)]
struct Moment {
    weekday: Option<Weekday>,
    /// Days from today.
    apart: Option<i64>,
    date: Option<NaiveDate>,
    /// Minutes from midnight, up to 24 hours.
    minutes: Option<i64>,
    /// The zone's short name, which tells apart an hour that comes twice.
    zone: Option<String>,
}

impl Moment {
    /// At the beginning of some words, and how many of them it takes.
    fn read<'a>(words: &[&'a str], now: Timestamp, zone: Tz) -> Result<(Self, usize), NoMoment<'a>> {
        let mut moment = Self::default();
        let taken = words.iter().take_while(|word| moment.take(&word.to_ascii_lowercase(), now, zone)).count();
        if taken == 0 { Err(NoMoment(words.first().copied())) } else { Ok((moment, taken)) }
    }

    /// Takes one more word, if it belongs to a time.
    fn take(&mut self, word: &str, now: Timestamp, zone: Tz) -> bool {
        let is_dated = self.date.is_some() || self.apart.is_some();
        if let Ok(weekday) = word.parse::<Weekday>() {
            return !is_dated && self.weekday.replace(weekday).is_none();
        }
        if let Some(apart) = apart(word) {
            return !is_dated && self.weekday.is_none() && self.apart.replace(apart).is_none();
        }
        if let Some(date) = date(word) {
            return !is_dated && self.date.replace(date).is_none();
        }
        if let Some(minutes) = minutes(word) {
            return self.minutes.replace(minutes).is_none();
        }
        let base = self.date.map_or(now, |date| Timestamp::from(date.and_time(NaiveTime::MIN).and_utc()));
        let fits = self.minutes.is_some() && self.zone.is_none() && has_name(zone, word, base);
        if fits {
            self.zone = Some(word.to_owned());
        }
        fits
    }

    /// The first such instant after `now`, or the last one before it where it is over.
    fn next(&self, now: Timestamp, zone: Tz) -> Result<Timestamp, WhenError> {
        let all = self.instants(now, zone, 24 * 60)?;
        let found = all.iter().filter(|at| **at > now).min().or(all.iter().max());
        found.map_or_else(|| wrong(format!("there is no such time: {UNTIL}")), |at| Ok(*at))
    }

    /// The last such instant up to `now`.
    fn last(&self, now: Timestamp, zone: Tz) -> Result<Timestamp, WhenError> {
        let all = self.instants(now, zone, 0)?;
        match all.iter().filter(|at| **at <= now).max() {
            Some(at) => Ok(*at),
            None if all.is_empty() => wrong(format!("there is no such time: {SINCE}")),
            None => wrong(format!("that has not come: the time is {}", time(now, zone))),
        }
    }

    /// Every instant that fits within a week, or on the very date that was typed; `usual` is the minute of the day where no hour was.
    fn instants(&self, now: Timestamp, zone: Tz, usual: i64) -> Result<Vec<Timestamp>, WhenError> {
        let today = now.utc().with_timezone(&zone).date_naive();
        let around = |apart: i64| today.checked_add_signed(TimeDelta::days(apart));
        let mut days: Vec<NaiveDate> = match (self.date, self.apart) {
            (Some(date), _) => vec![date],
            (None, Some(apart)) => around(apart).into_iter().collect(),
            (None, None) => (-8..=8).filter_map(around).collect(),
        };
        days.retain(|day| self.weekday.is_none_or(|weekday| day.weekday() == weekday));
        if let (Some(date), true) = (self.date, days.is_empty()) {
            return wrong(format!("{date} is a {}", date.format("%A")));
        }
        let minutes = TimeDelta::minutes(self.minutes.unwrap_or(usual));
        let local = days.into_iter().filter_map(|day| day.and_time(NaiveTime::MIN).checked_add_signed(minutes));
        let named = |at: &Timestamp| self.zone.as_ref().is_none_or(|name| short_name(*at, zone) == *name);
        Ok(local.flat_map(|local| instants(local, zone)).filter(named).collect())
    }
}

/// The instants at which a clock on the wall shows this: two in the hour that comes twice; where it is skipped, the first one after it.
fn instants(local: NaiveDateTime, zone: Tz) -> Vec<Timestamp> {
    let after = (0..=24 * 60).filter_map(|minutes| local.checked_add_signed(TimeDelta::minutes(minutes)));
    let found = after.map(|local| zone.from_local_datetime(&local)).find(|found| *found != LocalResult::None);
    let all = match found {
        Some(LocalResult::Single(at)) => vec![at],
        Some(LocalResult::Ambiguous(first, second)) => vec![first, second],
        Some(LocalResult::None) | None => Vec::new(),
    };
    all.into_iter().map(|at| Timestamp::from_ms(at.timestamp_millis())).collect()
}

/// The short name of a zone at an instant, in small letters.
fn short_name(at: Timestamp, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%Z").to_string().to_ascii_lowercase()
}

/// Whether a zone bears this short name within a year of an instant.
fn has_name(zone: Tz, name: &str, at: Timestamp) -> bool {
    (-52..=52).any(|weeks| short_name(at.plus_ms(weeks * 7 * DAY_MS), zone) == name)
}

fn apart(word: &str) -> Option<i64> {
    match word {
        "yesterday" => Some(-1),
        "today" => Some(0),
        "tomorrow" => Some(1),
        _ => None,
    }
}

/// `2026-12-01`, or `01.12.2026`, as some read their dates.
fn date(word: &str) -> Option<NaiveDate> {
    let read = |form| NaiveDate::parse_from_str(word, form).ok().filter(|day| day.format(form).to_string() == word);
    read("%Y-%m-%d").or_else(|| read("%d.%m.%Y")).filter(|day| (1970..=9999).contains(&day.year()))
}

/// `16:00`, `9:30`, `4pm`, `4:30pm` or `24:00` in minutes from midnight.
pub(super) fn minutes(word: &str) -> Option<i64> {
    let half = [("am", 0), ("pm", 12)].into_iter().find_map(|(name, hours)| Some((word.strip_suffix(name)?, hours)));
    let (hour, minute) = match half {
        Some((digits, _)) => digits.split_once(':').unwrap_or((digits, "00")),
        None => word.split_once(':')?,
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=2).contains(&hour.len()) || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok().filter(|minute| *minute < 60)?);
    match half {
        Some((_, later)) => (1..=12).contains(&hour).then_some((hour % 12 + later) * 60 + minute),
        None => (hour < 24 || (hour, minute) == (24, 0)).then_some(hour * 60 + minute),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use proptest::prelude::*;

    use super::*;

    /// A Saturday, 10:31 in New York.
    const NOW: &str = "2026-11-21T15:31:00Z";

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().expect("a time"))
    }

    fn read(line: &str, now: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        match clause(&words, at(now), New_York) {
            Ok((rest, until)) => format!("{}|{}", rest.join(" "), until.map(|it| it.said).unwrap_or_default()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_end_of_something_is_said_in_words() {
        for (line, want) in [
            ("AAPL for 2h", "AAPL|until today 12:31 EST"),
            ("for 90 min main", "main|until today 12:01 EST"),
            ("half until 16:00 main", "half main|until today 16:00 EST"),
            ("half UNTIL 4pm", "half|until today 16:00 EST"),
            ("until 9:30", "|until tomorrow 09:30 EST"),
            ("until tomorrow 9:30", "|until tomorrow 09:30 EST"),
            ("until tomorrow", "|until tomorrow 24:00 EST"),
            ("until friday", "|until Fri 2026-11-27 24:00 EST"),
            ("until fri 16:00 est", "|until Fri 2026-11-27 16:00 EST"),
            ("until saturday 10:00", "|until Sat 2026-11-28 10:00 EST"),
            ("until saturday 11:00", "|until today 11:00 EST"),
            ("until 2026-12-01", "|until Tue 2026-12-01 24:00 EST"),
            ("until 01.12.2026 09:30", "|until Tue 2026-12-01 09:30 EST"),
            ("until 2027-07-01 09:30", "|until Thu 2027-07-01 09:30 EDT"),
            ("FOR for 1w", "FOR|until Sat 2026-11-28 10:31 EST"),
            ("FOR", "FOR|"),
            ("AAPL 50%", "AAPL 50%|"),
        ] {
            assert_eq!(read(line, NOW), want, "{line}");
        }
        let ends = |line: &str| ends(&line.split(' ').collect::<Vec<_>>(), at(NOW), New_York).map(|until| until.said);
        for line in ["2h", "for 2h", "until 12:31", "1h 60 min"] {
            assert_eq!(ends(line).as_deref(), Ok("until today 12:31 EST"), "{line}");
        }
        assert_eq!(
            ends("2h main").expect_err("too much").to_string(),
            "\"main\" is no time: say 30m, 2h, 1d or 1w, or until 16:00"
        );
        assert_eq!(
            ends("soon").expect_err("no time").to_string(),
            "\"soon\" is no time: say 30m, 2h, 1d or 1w, or until 16:00"
        );
        // What is no whole minute is rounded up.
        assert_eq!(read("for 1m", "2026-11-21T15:31:00.001Z"), "|until today 10:33 EST");
    }

    #[test]
    fn what_means_no_time_says_what_to_type() {
        for (line, want) in [
            ("AAPL for", "for how long? say 30m, 2h, 1d or 1w"),
            ("AAPL for ever", "\"ever\" is no stretch of time: say 30m, 2h, 1d or 1w"),
            ("for 2x", "\"2x\" is no stretch of time: say 30m, 2h, 1d or 1w"),
            ("for 0h", "\"0h\" is no time at all: say 30m, 2h, 1d or 1w"),
            ("for 367d", "that is too long: 366 days at the most"),
            ("for 99999999999999999999d", "\"99999999999999999999d\" is no stretch of time: say 30m, 2h, 1d or 1w"),
            ("until", &format!("until when? {UNTIL}")),
            ("until noon", &format!("\"noon\" is no time: {UNTIL}")),
            ("until 16", &format!("\"16\" is no time: {UNTIL}")),
            ("until 25:00", &format!("\"25:00\" is no time: {UNTIL}")),
            ("until 16:00 CET", "CET|until today 16:00 EST"),
            ("until today 9:00", "that is over: the time is 2026-11-21 10:31 EST"),
            ("until 2026-11-20", "that is over: the time is 2026-11-21 10:31 EST"),
            ("until 2028-01-01", "that is too far: 366 days at the most; the time is 2026-11-21 10:31 EST"),
            ("until mon 2026-12-01", "2026-12-01 is a Tuesday"),
            ("for 2h until 16:00", "say one time: for 2h, or until 16:00"),
        ] {
            assert_eq!(read(line, NOW), want, "{line}");
        }
    }

    #[test]
    fn clocks_that_are_set_are_understood() {
        // 2026-03-08 02:00 to 03:00 is skipped, 2026-11-01 01:00 to 02:00 comes twice.
        let before = "2026-03-08T05:00:00Z";
        assert_eq!(read("until 02:30", before), "|until today 03:00 EDT");
        assert_eq!(read("for 1d", "2026-03-07T12:00:00Z"), "|until tomorrow 08:00 EDT");
        assert_eq!(read("until 01:30", "2026-11-01T05:00:00Z"), "|until today 01:30 EDT");
        assert_eq!(read("until 01:30", "2026-11-01T05:45:00Z"), "|until today 01:30 EST");
        assert_eq!(read("until 01:30 EST", "2026-11-01T05:00:00Z"), "|until today 01:30 EST");
    }

    #[test]
    fn the_beginning_of_something_is_said_in_words() {
        let read = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let found = since(&words, at(NOW), New_York);
            found.map_or_else(|error| error.to_string(), |found| since_words(found, at(NOW), New_York))
        };
        for (line, want) in [
            ("since monday", "since Mon 2026-11-16 00:00 EST"),
            ("monday", "since Mon 2026-11-16 00:00 EST"),
            ("since saturday", "since today 00:00 EST"),
            ("since yesterday", "since yesterday 00:00 EST"),
            ("since 9:30", "since today 09:30 EST"),
            ("since 11:00", "since yesterday 11:00 EST"),
            ("since 2026-11-01", "since Sun 2026-11-01 00:00 EDT"),
            ("since 2020-11-02", "since Mon 2020-11-02 00:00 EST"),
            ("since 3 days", "since Wed 2026-11-18 10:31 EST"),
            ("since tomorrow", "that has not come: the time is 2026-11-21 10:31 EST"),
            ("since 2026-12-01", "that has not come: the time is 2026-11-21 10:31 EST"),
            ("since", &format!("since when? {SINCE}")),
            ("since ever", &format!("\"ever\" is no time: {SINCE}")),
            ("since monday morning", &format!("\"morning\" is too much: {SINCE}")),
        ] {
            assert_eq!(read(line), want, "{line}");
        }
    }

    #[test]
    fn stretches_are_read() {
        for (text, want) in
            [("2h", 120), ("90min", 90), ("2h30m", 150), ("2h 30m", 150), ("1 Day", 1440), ("1w", 10_080)]
        {
            assert_eq!(duration(text), Ok(want * MINUTE_MS), "{text}");
        }
        for text in ["", "h", "2", "-2h", "1.5h", "2h x", "1y", "\u{663}h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    fn zones() -> impl Strategy<Value = Tz> {
        let names =
            ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"];
        proptest::sample::select(names.map(|name| name.parse().expect("a zone")).to_vec())
    }

    proptest! {
        #[test]
        fn what_is_said_back_reads_as_the_same_instant(zone in zones(), now in 946_684_800_000_i64..4_102_444_800_000, minutes in 1_i64..366 * 1440) {
            let now = Timestamp::from_ms(now);
            let long = format!("{minutes}m");
            let (_, until) = clause(&["for", &long], now, zone).expect("a time");
            let until = until.expect("a time");
            let words: Vec<&str> = until.said.split(' ').collect();
            let again = clause(&words, now, zone).expect("a time");
            prop_assert_eq!(again, (Vec::new(), Some(until.clone())), "{}", until.said);

            let before = since(&[&long], now, zone).expect("a time");
            let said = since_words(before, now, zone);
            let words: Vec<&str> = said.split(' ').collect();
            prop_assert_eq!(since(&words, now, zone), Ok(before), "{}", said);
        }

        #[test]
        fn no_words_make_the_reader_panic(
            zone in zones(),
            wild in "\\PC{0,40}",
            words in proptest::collection::vec("(?i)for|until|since|at|today|mon|friday|[0-9]{1,20}[mhdwx:]?[0-9]{0,3}|[0-9]{4}-[0-9]{2}-[0-9]{2}|EST|am", 0..8),
            now in any::<i64>(),
        ) {
            let now = Timestamp::from_ms(now);
            let wild: Vec<&str> = wild.split(' ').collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            for words in [&wild, &words] {
                let _ = (clause(words, now, zone), since(words, now, zone), duration(&words.join(" ")));
            }
            if let Ok((_, Some(until))) = clause(&words, now, zone) {
                prop_assert!(until.at > now);
            }
            if let Ok(before) = since(&words, now, zone) {
                prop_assert!(before <= now);
            }
        }
    }
}
