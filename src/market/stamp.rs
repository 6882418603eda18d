//! Which instant does a text in a file name? One answer or none: a text with two readings is refused.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use crate::clock::{DAY_MS, Timestamp};

/// Epoch numbers from here on count milliseconds; as seconds they would lie beyond the year 5000.
const EPOCH_MS_MIN: u64 = 100_000_000_000;
const EPOCH_DAY: i32 = 719_163;

/// An instant, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// The text says which.
    Sure(Timestamp),
    /// The text has no zone; this is its reading as UTC.
    Zoneless(Timestamp),
}

/// Why a text names no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum StampError {
    /// 01/02/2024 is in January or in February.
    #[error("day and month cannot be told apart: write 2024-01-31")]
    Ambiguous,
    /// 30 February, or 25 o'clock.
    #[error("no calendar or clock shows this")]
    Impossible,
    /// 20240131 is a date or a number of seconds.
    #[error("a date or a number of seconds: write 2024-01-31")]
    Digits,
    /// Anything else.
    #[error("not a time: write 2024-01-31T14:30:00Z or 2024-01-31")]
    Unknown,
}

/// Reads a time: RFC 3339, a date, a date-time without zone, seconds or milliseconds since the epoch.
pub(super) fn parse(text: &[u8]) -> Result<Stamp, StampError> {
    if let Some(at) = utc_seconds(text) {
        return Ok(Stamp::Sure(at));
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return epoch(text, digits);
    }
    if is_ambiguous(text) {
        return Err(StampError::Ambiguous);
    }
    let text = std::str::from_utf8(text).map_err(|_| StampError::Unknown)?;
    zoned(text).or_else(|| zoneless(text)).ok_or_else(|| {
        let looks_right =
            text.len() >= 10 && text.bytes().take(10).enumerate().all(|(at, byte)| is_date_byte(at, byte));
        if looks_right { StampError::Impossible } else { StampError::Unknown }
    })
}

/// A date as it stands in a file: `2024-01-31` and nothing else.
pub(super) fn date(text: &[u8]) -> Option<NaiveDate> {
    if text.len() != 10 || !text.iter().enumerate().all(|(at, byte)| is_date_byte(at, *byte)) {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
    NaiveDate::from_ymd_opt(number(&text[..4]) as i32, number(&text[5..7]), number(&text[8..]))
}

fn is_date_byte(at: usize, byte: u8) -> bool {
    if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() }
}

/// The first instant of a date, in UTC.
pub(super) fn midnight(date: NaiveDate) -> Timestamp {
    Timestamp::from_ms(i64::from(date.num_days_from_ce() - EPOCH_DAY) * DAY_MS)
}

/// The usual form, `2024-01-31T14:30:00Z`, without the detours of a general parser.
fn utc_seconds(text: &[u8]) -> Option<Timestamp> {
    let (day, clock) = text.split_last_chunk()?;
    let passed = clock_ms(clock)?;
    date(day).map(|day| midnight(day).plus_ms(passed))
}

/// The time of a day in the usual form, `T14:30:00Z`, in milliseconds.
pub(super) fn clock_ms(text: &[u8; 10]) -> Option<i64> {
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = text else { return None };
    if ![h1, h2, m1, m2, s1, s2].into_iter().all(u8::is_ascii_digit) {
        return None;
    }
    let two = |tens: &u8, ones: &u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    let (hour, minute, second) = (two(h1, h2), two(m1, m2), two(s1, s2));
    (hour <= 23 && minute <= 59 && second <= 59).then_some(((hour * 60 + minute) * 60 + second) * 1000)
}

fn epoch(text: &[u8], digits: &[u8]) -> Result<Stamp, StampError> {
    let text = std::str::from_utf8(text).map_err(|_| StampError::Unknown)?;
    // As seconds, 20240131 would be a day in August 1970: better no instant than a wrong one.
    let clock = match digits.len() {
        8 => "0000",
        12 => "",
        _ => "no calendar",
    };
    let is_this_era = text.starts_with("19") || text.starts_with("20");
    if is_this_era && NaiveDateTime::parse_from_str(&format!("{text}{clock}"), "%Y%m%d%H%M").is_ok() {
        return Err(StampError::Digits);
    }
    let number: i64 = text.parse().map_err(|_| StampError::Unknown)?;
    let is_seconds = number.unsigned_abs() < EPOCH_MS_MIN;
    Ok(Stamp::Sure(Timestamp::from_ms(if is_seconds { number * 1000 } else { number })))
}

/// Two numbers of one or two digits and a year behind them, with the same mark between.
fn is_ambiguous(text: &[u8]) -> bool {
    let day = text.split(|byte| matches!(byte, b' ' | b'T' | b',')).next().unwrap_or_default();
    let parts: Vec<&[u8]> = day.split(|byte| matches!(byte, b'/' | b'.' | b'-')).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.iter().all(|part| part.iter().all(u8::is_ascii_digit)) && matches!(lengths[..], [1..=2, 1..=2, 2 | 4])
}

fn zoned(text: &str) -> Option<Stamp> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .ok()
        .map(|time| Stamp::Sure(time.to_utc().into()))
}

fn zoneless(text: &str) -> Option<Stamp> {
    if let Some(day) = date(text.as_bytes()) {
        return Some(Stamp::Sure(midnight(day)));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| Stamp::Zoneless(time.and_utc().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_in_many_forms() {
        for text in [
            "1998-01-02T00:00:00Z",
            "1998-01-02",
            "1998-01-01T19:00:00-05:00",
            "1998-01-02 00:00:00+00:00",
            "1998-01-02 05:30:00.000+0530",
            "883699200",
            "883699200000",
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(Stamp::Sure(Timestamp::from_ms(883_699_200_000))), "{text}");
        }
        for text in ["1998-01-02T00:00:00", "1998-01-02 00:00:00.000", "1998-01-02 00:00"] {
            assert_eq!(parse(text.as_bytes()), Ok(Stamp::Zoneless(Timestamp::from_ms(883_699_200_000))), "{text}");
        }
        assert_eq!(parse(b"1969-12-31T23:59:59Z"), Ok(Stamp::Sure(Timestamp::from_ms(-1000))));
    }

    #[test]
    fn what_has_no_single_reading_is_refused() {
        for (text, want) in [
            ("01/02/1998", StampError::Ambiguous),
            ("1/2/98 09:30", StampError::Ambiguous),
            ("31.12.1998", StampError::Ambiguous),
            ("1998-02-30T00:00:00Z", StampError::Impossible),
            ("1998-02-30", StampError::Impossible),
            ("1998-02-03T24:00:00Z", StampError::Impossible),
            ("19980102", StampError::Digits),
            ("199801020930", StampError::Digits),
            ("Jan 2 1998", StampError::Unknown),
            ("99999999999999999999", StampError::Unknown),
            ("=NOW()", StampError::Unknown),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(want), "{text}");
        }
    }
}
