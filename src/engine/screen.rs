//! When is a book's list of symbols drawn up anew, and what comes of it? Once a trading day, by the market's time alone.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::{Event, EventKind, Label, RunContext, Screening, Timeframe};
use crate::strategy::{Candidate, SCREEN_DAYS_MIN, ScreenRules, screen};

use super::desk::Desk;
use super::lane::Lane;
use super::state::{Engine, Prices};
use super::watch::Watched;
use super::{Outcome, ScreenerSettings};

/// Days among which the trading day before and after an instant is looked for.
const CLOSED_DAYS_MAX: usize = 14;
/// Quarters of an hour by which a clock may be set forward.
const JUMP_QUARTERS: i64 = 16;

/// A book's list as its screener would draw it up now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// The book.
    pub book: Label,
    /// The zone of its times.
    pub zone: Tz,
    /// What was measured.
    pub screening: Screening,
}

/// What every screener would choose now; nothing changes.
pub fn rankings(engine: &Engine, now: Timestamp) -> Vec<Ranking> {
    let prices = engine.prices();
    let ranked = |desk: &Desk| {
        let ScreenerSettings { rules, .. } = desk.settings.screener?;
        let screening = look(desk, prices, &rules, now, now);
        Some(Ranking { book: desk.name(), zone: desk.settings.zone, screening })
    };
    engine.desks.iter().filter_map(ranked).collect()
}

/// Draws up the list of a book at the first instant at or after the time that its screener is due, once a trading day. A time at
/// which nothing ran is made up for at the next instant, once however many there were.
pub(super) fn screen_if_due(desk: &mut Desk, prices: Prices<'_>, context: &RunContext, out: &mut Outcome) {
    if context.now < desk.screen_due {
        return;
    }
    let Some(ScreenerSettings { at, rules }) = desk.settings.screener else {
        desk.screen_due = Timestamp::from_ms(i64::MAX);
        return;
    };
    let zone = desk.settings.zone;
    let due_on = |date: &NaiveDate| is_trading_day(desk, prices, *date).then(|| instant(*date, at, zone));
    let today = context.now.utc().with_timezone(&zone).date_naive();
    let earlier = std::iter::successors(Some(today), NaiveDate::pred_opt).take(CLOSED_DAYS_MAX);
    let last = earlier.filter_map(|date| due_on(&date)).find(|due| *due <= context.now);
    let later = today.iter_days().take(CLOSED_DAYS_MAX);
    let next = later.filter_map(|date| due_on(&date)).find(|due| *due > context.now);
    desk.screen_due = next.unwrap_or(context.now.plus_ms(1));
    let Some(due) = last.filter(|due| desk.screening.as_ref().is_none_or(|done| done.due < *due)) else { return };
    let screening = look(desk, prices, &rules, context.now, due);
    let (looked, unmeasured) = (screening.rows.len(), screening.unmeasured());
    let kind = EventKind::ScreenerRan { looked, chosen: screening.chosen(), unmeasured };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    desk.watch.choose(&screening);
    desk.screening = Some(screening);
}

/// True if a market of the book's list has a session on that date.
fn is_trading_day(desk: &Desk, prices: Prices<'_>, date: NaiveDate) -> bool {
    let mut lanes = desk.watch.lanes().iter().zip(prices.lanes);
    lanes.any(|(watched, lane)| watched.is_looked_at() && lane.hours.session_on(date).is_some())
}

/// A time of the day in a zone. Where it comes twice the first counts; where it is jumped over, it is later by as many quarters of an
/// hour as it takes.
fn instant(date: NaiveDate, at: NaiveTime, zone: Tz) -> Timestamp {
    let found = (0..JUMP_QUARTERS).find_map(|quarters| {
        let local = date.and_time(at).checked_add_signed(TimeDelta::minutes(15 * quarters))?;
        zone.from_local_datetime(&local).earliest()
    });
    let found = found.map_or_else(|| date.and_time(at).and_utc(), |time| time.to_utc());
    found.into()
}

fn look(desk: &Desk, prices: Prices<'_>, rules: &ScreenRules, now: Timestamp, due: Timestamp) -> Screening {
    let lanes = desk.watch.lanes().iter().zip(prices.lanes).filter(|(watched, _)| watched.is_looked_at());
    let candidates: Vec<Candidate> = lanes.map(|(watched, lane)| candidate(*watched, lane, now)).collect();
    Screening { at: now, due, top: rules.top, days_min: SCREEN_DAYS_MIN, rows: screen(rules, &candidates) }
}

fn candidate(watched: Watched, lane: &Lane, now: Timestamp) -> Candidate {
    Candidate {
        symbol: watched.symbol,
        price: lane.mark(),
        days: lane.history.day_bars(|start| lane.hours.bar_end(Timeframe::D1, start) <= now),
        stopped: lane.ended || lane.stale.is_some(),
        watched: watched.chosen,
        manual: watched.manual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        chrono::DateTime::parse_from_rfc3339(text).expect("an instant").to_utc().into()
    }

    #[test]
    fn a_time_of_the_day_follows_the_clock_of_its_zone() {
        let of = |zone: Tz, date: &str, time: &str| {
            instant(date.parse().expect("a date"), time.parse().expect("a time"), zone).to_string()
        };
        let (new_york, lord_howe) = (Tz::America__New_York, Tz::Australia__Lord_Howe);
        for (zone, date, time, want) in [
            (new_york, "2024-03-08", "09:00:00", "2024-03-08T14:00:00Z"),
            (new_york, "2024-03-11", "09:00:00", "2024-03-11T13:00:00Z"),
            (new_york, "2024-11-04", "09:00:00", "2024-11-04T14:00:00Z"),
            // From 2 to 3 there is nothing; from 1 to 2 everything comes twice.
            (new_york, "2024-03-10", "02:30:00", "2024-03-10T07:00:00Z"),
            (new_york, "2024-11-03", "01:30:00", "2024-11-03T05:30:00Z"),
            (lord_howe, "2024-10-06", "02:10:00", "2024-10-05T15:40:00Z"),
        ] {
            assert_eq!(of(zone, date, time), want, "{zone} {date} {time}");
        }
        let far = instant(NaiveDate::MAX, NaiveTime::MIN, new_york);
        assert!(far > at("9999-01-01T00:00:00Z"));
    }
}
