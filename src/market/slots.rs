//! When does each bar begin and end, and how much of a session's trade falls into it?

use std::ops::RangeInclusive;

use chrono::{Datelike, Days, NaiveDate};

use super::session::{Hours, Session};
use super::stamp::midnight;
use crate::clock::Timestamp;
use crate::domain::{AssetClass, Timeframe};

/// Monday 2024-01-08T14:30:00Z, when the New York Stock Exchange opens.
pub(super) const START: Timestamp = Timestamp::from_ms(1_704_724_200_000);

const MINUTE_MS: f64 = 60_000.0;
/// 14:30 UTC, when New York opens in winter.
const WINTER_OPEN_MS: i64 = 870 * 60_000;
/// Longer than the exchange was ever closed since 1998.
const BREAK_DAYS_MAX: usize = 14;
/// The years in which a market can be taken up again.
const YEARS: RangeInclusive<i32> = 1..=9_999;
/// How much more is traded at the ends of a session of shares than in its middle: from 0.5 to 2 times the average.
const ENDS_WEIGHT: f64 = 1.5;

/// The time that one bar covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slot {
    /// What the bar is labelled with.
    pub(super) label: Timestamp,
    /// The first open instant in it.
    pub(super) begin: Timestamp,
    /// When it is over and the bar is known.
    pub(super) end: Timestamp,
    /// Open minutes in it.
    pub(super) minutes: f64,
    /// How much is traded in it, 1 being a usual session.
    pub(super) activity: f64,
    /// How many closed nights lie just before it: 0 inside a session and for what never closes.
    pub(super) nights_before: f64,
    /// How many closed nights lie between its sessions: only weeks have some.
    pub(super) nights_within: f64,
}

/// The slots of one kind of market from a start on, without end.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    class: AssetClass,
    timeframe: Timeframe,
    session: Session,
    /// Where the next slot begins; inside `session`.
    begin: Timestamp,
}

impl Slots {
    /// All slots that end after `start`.
    pub(super) fn after(class: AssetClass, timeframe: Timeframe, start: Timestamp) -> Self {
        let date = start.utc().date_naive();
        let monday = date - Days::new(u64::from(date.weekday().num_days_from_monday()));
        let session = first_session(class, monday);
        let mut slots = Self { class, timeframe, begin: session.open, session };
        loop {
            let here = slots.clone();
            if slots.take_next().end > start {
                return here;
            }
        }
    }

    /// All slots from the one that begins at `begin`; none if nothing is traded then, or in a year that nobody writes.
    pub(super) fn from(class: AssetClass, timeframe: Timeframe, begin: Timestamp) -> Option<Self> {
        let date = begin.utc().date_naive();
        if !YEARS.contains(&date.year()) {
            return None;
        }
        let session = first_session(class, date);
        let is_open = session.open <= begin && begin < session.close;
        is_open.then_some(Self { class, timeframe, session, begin })
    }

    /// The next slot; there always is one.
    pub(super) fn take_next(&mut self) -> Slot {
        match self.timeframe {
            Timeframe::M1 | Timeframe::M5 | Timeframe::M15 | Timeframe::H1 => self.intraday(),
            Timeframe::D1 => self.daily(),
            Timeframe::W1 => self.weekly(),
        }
    }

    /// From `begin` to `end` of the present session.
    fn within_session(&self, label: Timestamp, end: Timestamp) -> Slot {
        let whole = self.session.close.since(self.session.open) as f64;
        let share = |at: Timestamp| traded_by(self.class, at.since(self.session.open) as f64 / whole);
        Slot {
            label,
            begin: self.begin,
            end,
            minutes: end.since(self.begin) as f64 / MINUTE_MS,
            activity: (share(end) - share(self.begin)) * whole / MINUTE_MS / session_minutes(self.class),
            nights_before: if self.begin == self.session.open { nights_before(self.class) } else { 0.0 },
            nights_within: 0.0,
        }
    }

    fn enter_next_session(&mut self) {
        self.session = first_session(self.class, self.session.date + Days::new(1));
        self.begin = self.session.open;
    }

    fn intraday(&mut self) -> Slot {
        // Cut at full hours: the first hour of a session is half an hour long, as in recorded data.
        let length = self.timeframe.ms();
        let label = Timestamp::from_ms(self.begin.ms() - self.begin.ms().rem_euclid(length));
        let end = label.plus_ms(length).min(self.session.close);
        let slot = self.within_session(label, end);
        self.begin = end;
        if end >= self.session.close {
            self.enter_next_session();
        }
        slot
    }

    fn daily(&mut self) -> Slot {
        let slot = self.within_session(midnight(self.session.date), self.session.close);
        self.enter_next_session();
        slot
    }

    fn weekly(&mut self) -> Slot {
        let week = self.session.date.iso_week();
        let monday = self.session.date - Days::new(u64::from(self.session.date.weekday().num_days_from_monday()));
        let mut slot = Slot { label: midnight(monday), ..self.daily() };
        while self.session.date.iso_week() == week {
            let day = self.daily();
            slot.end = day.end;
            slot.minutes += day.minutes;
            slot.activity += day.activity;
            slot.nights_within += day.nights_before;
        }
        slot
    }
}

impl Iterator for Slots {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        Some(self.take_next())
    }
}

/// Minutes of a usual session.
pub(super) const fn session_minutes(class: AssetClass) -> f64 {
    match class {
        AssetClass::UsEquity => 390.0,
        AssetClass::Crypto | AssetClass::Perpetual => 1_440.0,
    }
}

const fn nights_before(class: AssetClass) -> f64 {
    match class {
        AssetClass::UsEquity => 1.0,
        AssetClass::Crypto | AssetClass::Perpetual => 0.0,
    }
}

/// The share of a session's trade that is done when the share `passed` of its time is over, both from 0 to 1.
/// Shares are traded most after the opening and before the close; the curve's slope is a U.
fn traded_by(class: AssetClass, passed: f64) -> f64 {
    match class {
        AssetClass::UsEquity => {
            let from_middle = 2.0 * passed - 1.0;
            let cube = from_middle * from_middle * from_middle;
            passed + ENDS_WEIGHT * ((cube + 1.0) / 6.0 - passed / 3.0)
        }
        AssetClass::Crypto | AssetClass::Perpetual => passed,
    }
}

/// The first session on `from` or after it. The calendar knows the exchange's rules for some centuries only; beyond them
/// every weekday has the hours of a winter's day, because this market never ends.
fn first_session(class: AssetClass, from: NaiveDate) -> Session {
    let hours = Hours::of(class);
    from.iter_days().take(BREAK_DAYS_MAX).find_map(|date| hours.session_on(date)).unwrap_or_else(|| {
        let date = from.iter_days().find(|date| date.weekday().num_days_from_monday() < 5).unwrap_or(from);
        let open = midnight(date).plus_ms(WINTER_OPEN_MS);
        Session { date, open, close: open.plus_ms((session_minutes(class) * MINUTE_MS) as i64) }
    })
}
