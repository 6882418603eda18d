//! At which minutes does the New York Stock Exchange trade on a day? Looked up, and worked out a block of days at a time.

use std::sync::OnceLock;

use chrono::{NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::America::New_York;

use super::holidays::{Plan, plan};
use super::stamp::midnight;
use crate::clock::{DAY_MS, Timestamp};

/// When a usual session opens, in New York.
const OPEN: Option<NaiveTime> = NaiveTime::from_hms_opt(9, 30, 0);
/// When a usual session closes, in New York.
const CLOSE: Option<NaiveTime> = NaiveTime::from_hms_opt(16, 0, 0);
const MINUTE_MS: i64 = 60_000;
const _: () = assert!(OPEN.is_some() && CLOSE.is_some());

/// The first year whose sessions are remembered; counts do not look further back. It began on a Monday, so weeks
/// that are counted from its first day are still calendar weeks.
pub(super) const YEAR_FIRST: i32 = 1900;
/// The last year whose sessions are remembered; counts do not look further ahead.
pub(super) const YEAR_LAST: i32 = 2199;
/// The first day of those years, counted from 1970-01-01.
const DAY_FIRST: i64 = -25_567;
/// Days that are worked out together, and how many times that many the years have.
const BLOCK_DAYS: usize = 512;
const BLOCKS: usize = (300 * 365 + 73) / BLOCK_DAYS;
/// What chrono calls 1970-01-01.
const EPOCH_DAY: i64 = 719_163;

/// Opening and closing minute of a session, counted from 00:00 UTC of its date.
#[derive(Debug, Clone, Copy)]
struct Minutes {
    open: u16,
    close: u16,
}

/// Days in order; nothing where there is no session.
type Block = Vec<Option<Minutes>>;

/// Open and close of the session on a day, counted from 1970-01-01. Fast enough to be asked for every bar.
pub(super) fn exchange_session(day: i64) -> Option<(Timestamp, Timestamp)> {
    let Minutes { open, close } = minutes_on(day)?;
    let at = |minute: u16| Timestamp::from_ms(day.saturating_mul(DAY_MS)).plus_ms(i64::from(minute) * MINUTE_MS);
    Some((at(open), at(close)))
}

/// Looked up; worked out with its neighbours the first time a day is asked for.
fn minutes_on(day: i64) -> Option<Minutes> {
    static CALENDAR: [OnceLock<Block>; BLOCKS] = [const { OnceLock::new() }; BLOCKS];
    let place = usize::try_from(day.saturating_sub(DAY_FIRST)).unwrap_or(usize::MAX);
    match CALENDAR.get(place / BLOCK_DAYS) {
        Some(block) => *block.get_or_init(|| work_out_block(day)).get(place % BLOCK_DAYS)?,
        None => work_out(date_at(day)?),
    }
}

/// The block that has this day in it.
fn work_out_block(day: i64) -> Block {
    let days = BLOCK_DAYS as i64;
    let first = day - (day - DAY_FIRST) % days;
    (first..first + days).map(|day| work_out(date_at(day)?)).collect()
}

fn date_at(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(day.saturating_add(EPOCH_DAY)).ok()?)
}

/// Applies the rules of the exchange and the clock changes of New York to one date.
fn work_out(date: NaiveDate) -> Option<Minutes> {
    let close = match plan(date) {
        Plan::Closed => return None,
        Plan::Full => CLOSE?,
        Plan::Until(close) => close,
    };
    Some(Minutes { open: utc_minute(date, OPEN?)?, close: utc_minute(date, close)? })
}

/// The minute of the UTC day at which it is `time` in New York.
fn utc_minute(date: NaiveDate, time: NaiveTime) -> Option<u16> {
    let utc = New_York.from_local_datetime(&date.and_time(time)).earliest()?.naive_utc();
    Some((utc.hour() * 60 + utc.minute()) as u16)
}

/// 16:00 in New York, whether or not there is a session; the clock is never changed at that hour.
pub(super) fn usual_close(date: NaiveDate) -> Timestamp {
    let minute = CLOSE.and_then(|close| utc_minute(date, close));
    midnight(date).plus_ms(minute.map_or(DAY_MS, |minute| i64::from(minute) * MINUTE_MS))
}

/// Days since 1970-01-01.
pub(super) const fn day_of(at: Timestamp) -> i64 {
    at.ms().div_euclid(DAY_MS)
}
