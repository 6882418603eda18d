//! What is odd about bars that are sound in themselves? Jumps, gaps, silence, and days on which nobody could trade.

use chrono::{Days, NaiveDate};

use super::actions::Actions;
use super::csv_file::{BarFile, plural};
use super::ex_dates::{BarDays, adjusted_until, mixed};
use super::problem::{Problem, ProblemKind, Problems, file_name};
use super::session::Hours;
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{AssetClass, Bar, Price, Timeframe};

/// A close that moved by one part in this many is a jump: 25 %.
const JUMP_PART: i128 = 4;
/// Bars without volume that are told one by one; more are told in one line.
const ZERO_VOLUMES_TOLD_MAX: usize = 3;
/// Where the exchange calendar begins: 1998-01-01.
const CALENDAR_START: Timestamp = Timestamp::from_ms(10_227 * DAY_MS);
/// How many bars are looked at to tell the hours of a series.
const HOURS_SAMPLE: usize = 1_000;

/// What is odd about the sound bars of a file: all of it warnings, by line.
pub fn inspect(file: &BarFile, actions: &Actions) -> Vec<Problem> {
    let mut problems = Problems::of(file_name(&file.path));
    let series = Series { file, hours: Hours::of(AssetClass::UsEquity), rhythm: rhythm(file) };
    for index in 0..file.bars.len() {
        if index > 0 {
            series.check_jump(index, actions, &mut problems);
            series.check_gap(index, &mut problems);
        }
        series.check_day(index, &mut problems);
    }
    series.check_volume(&mut problems);
    series.check_splits(actions, &mut problems);
    problems.finish()
}

/// When a series should have bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rhythm {
    /// One for each session of the exchange.
    Daily,
    /// Within the sessions of the exchange, where a minute without a trade has no bar.
    Sessions,
    /// Evenly within a day, with hours that nobody told us.
    WithinDay(i64),
    /// Evenly, always.
    Always(i64),
    /// Nobody knows.
    Unknown,
}

fn rhythm(file: &BarFile) -> Rhythm {
    let Some(spacing) = file.spacing_ms() else { return Rhythm::Unknown };
    match (class(file), file.timeframe) {
        (_, None) if spacing >= DAY_MS => Rhythm::Unknown,
        (AssetClass::Crypto | AssetClass::Perpetual, _) | (_, Some(Timeframe::W1)) => Rhythm::Always(spacing),
        (AssetClass::UsEquity, Some(Timeframe::D1)) => Rhythm::Daily,
        (AssetClass::UsEquity, _) if keeps_new_york_hours(file) => Rhythm::Sessions,
        (AssetClass::UsEquity, _) => Rhythm::WithinDay(spacing),
    }
}

/// The market of a file. A name without timeframe says little, so there the weekends decide: coins trade on them.
fn class(file: &BarFile) -> AssetClass {
    if file.is_named() {
        return file.symbol.map_or(AssetClass::UsEquity, AssetClass::guess);
    }
    let at_weekends = file.bars.iter().filter(|bar| is_weekend(bar.start)).count();
    if at_weekends * 10 > file.bars.len() { AssetClass::Crypto } else { AssetClass::UsEquity }
}

fn is_weekend(at: Timestamp) -> bool {
    // The epoch was a Thursday.
    matches!((at.ms().div_euclid(DAY_MS) + 3).rem_euclid(7), 5 | 6)
}

/// True if at least a third of the bars lie in New York hours: with early and late trading it is two fifths,
/// for what trades around the clock a quarter at most.
fn keeps_new_york_hours(file: &BarFile) -> bool {
    let hours = Hours::of(AssetClass::UsEquity);
    let timeframe = file.timeframe.unwrap_or(Timeframe::M1);
    let step = file.bars.len() / HOURS_SAMPLE + 1;
    let sample = file.bars.iter().step_by(step);
    let inside = sample.clone().filter(|bar| hours.in_session(timeframe, bar.start)).count();
    inside * 3 >= sample.count()
}

fn date_of(bar: &Bar) -> NaiveDate {
    bar.start.utc().date_naive()
}

/// Bars in their order, with what is known of their hours.
struct Series<'a> {
    file: &'a BarFile,
    hours: Hours,
    rhythm: Rhythm,
}

impl Series<'_> {
    fn pair(&self, index: usize) -> (&Bar, &Bar) {
        (&self.file.bars[index - 1], &self.file.bars[index])
    }

    fn days(&self) -> BarDays {
        BarDays { hours: self.hours, timeframe: self.file.timeframe }
    }

    fn check_jump(&self, index: usize, actions: &Actions, problems: &mut Problems) {
        let (before, bar) = self.pair(index);
        if !is_jump(before.close, bar.close, (1, 1)) {
            return;
        }
        let until = date_of(bar);
        if let Some(symbol) = self.file.symbol {
            let days = self.days();
            let mut splits = actions.splits_between(symbol, days.last(before), days.last(bar));
            let is_explained = splits.any(|(_, split)| !is_jump(before.close, bar.close, split));
            if is_explained || actions.confirmed_on(symbol, until) {
                return;
            }
        }
        let (from, to) = (before.close, bar.close);
        let detail = || {
            format!(
                "close {from} -> {to} on {until}: mend it, or enter the split or a confirmed row in {}",
                Actions::FILE_NAME
            )
        };
        problems.add(self.file.line_of(index), ProblemKind::Jump, detail);
    }

    fn check_gap(&self, index: usize, problems: &mut Problems) {
        let (before, bar) = self.pair(index);
        match self.rhythm {
            Rhythm::Daily | Rhythm::Sessions => self.check_sessions(index, problems),
            Rhythm::Always(spacing) => self.check_spacing(index, spacing, problems),
            Rhythm::WithinDay(spacing) if date_of(before) == date_of(bar) => {
                self.check_spacing(index, spacing, problems);
            }
            Rhythm::WithinDay(_) | Rhythm::Unknown => {}
        }
    }

    fn check_spacing(&self, index: usize, spacing: i64, problems: &mut Problems) {
        let (before, bar) = self.pair(index);
        let missing = bar.start.since(before.start) / spacing - 1;
        let rejected = self.file.rejected_between(index - 1, index);
        if missing <= rejected as i64 {
            return;
        }
        let (from, to) = (before.start.plus_ms(spacing), bar.start.plus_ms(-spacing));
        let detail = || format!("{} missing from {from} to {to}", plural(missing as usize, "bar"));
        problems.add(self.file.line_of(index), ProblemKind::MissingBars, detail);
    }

    fn check_sessions(&self, index: usize, problems: &mut Problems) {
        let (before, bar) = self.pair(index);
        // Most bars follow their neighbour at once; the calendar need not be asked.
        if bar.start.since(before.start) <= DAY_MS || bar.start < CALENDAR_START {
            return;
        }
        let last_unjudged = CALENDAR_START.plus_ms(-DAY_MS).max(before.start);
        let (after, until) = (last_unjudged.utc().date_naive(), date_of(bar));
        let missing = self.hours.sessions_between(after, until) as usize;
        if missing <= self.file.rejected_between(index - 1, index) {
            return;
        }
        let session = |date: &NaiveDate| self.hours.session_on(*date).is_some();
        let from = after.iter_days().skip(1).find(session).unwrap_or(after);
        let to = (1..).map_while(|days| until.checked_sub_days(Days::new(days))).find(session).unwrap_or(until);
        let detail = || format!("{} missing from {from} to {to}", plural(missing, "session"));
        problems.add(self.file.line_of(index), ProblemKind::MissingSessions, detail);
    }

    fn check_day(&self, index: usize, problems: &mut Problems) {
        let bar = &self.file.bars[index];
        if self.rhythm != Rhythm::Daily || bar.start < CALENDAR_START {
            return;
        }
        let date = date_of(bar);
        if self.hours.session_on(date).is_none() {
            let detail = || format!("{} was no session of the exchange: the row is left out", date.format("%A %F"));
            problems.add(self.file.line_of(index), ProblemKind::NotASession, detail);
        }
    }

    fn check_splits(&self, actions: &Actions, problems: &mut Problems) {
        let (bars, days) = (&self.file.bars, self.days());
        let Some(symbol) = self.file.symbol else { return };
        for (index, split) in mixed(symbol, bars, days, actions) {
            let detail = || {
                format!(
                    "the split of {split} falls inside this bar, which mixes old and new shares: it is left out. \
                     Use daily bars, from which weekly ones are gathered"
                )
            };
            problems.add(self.file.line_of(index), ProblemKind::SplitInside, detail);
        }
        let Some(split) = adjusted_until(symbol, bars, days, actions) else { return };
        let index = bars.partition_point(|bar| days.last(bar) < split);
        let count =
            actions.dividends_between(symbol, date_of(&bars[0]), split).filter(|(date, _)| *date < split).count();
        if count > 0 {
            let detail = || {
                format!(
                    "the prices are adjusted for the split of {split}: {} before it fit them no more and are left out",
                    plural(count, "dividend")
                )
            };
            problems.add(self.file.line_of(index), ProblemKind::AdjustedPrices, detail);
        }
    }

    fn check_volume(&self, problems: &mut Problems) {
        let silent = |index: &usize| self.file.bars[*index].volume.is_zero();
        let found: Vec<usize> = (0..self.file.bars.len()).filter(silent).collect();
        let Some(first) = found.first() else { return };
        if found.len() > ZERO_VOLUMES_TOLD_MAX {
            let detail =
                || format!("{} without volume, the first at {}", plural(found.len(), "bar"), self.start(*first));
            problems.add(self.file.line_of(*first), ProblemKind::ZeroVolume, detail);
            return;
        }
        for index in found {
            let detail = || format!("nothing was traded at {}", self.start(index));
            problems.add(self.file.line_of(index), ProblemKind::ZeroVolume, detail);
        }
    }

    fn start(&self, index: usize) -> Timestamp {
        self.file.bars[index].start
    }
}

/// True if the price moved by a quarter or more, after each old share became `numerator / denominator` new ones.
fn is_jump(before: Price, after: Price, (numerator, denominator): (i64, i64)) -> bool {
    let before = i128::from(before.units()) * i128::from(denominator);
    let after = i128::from(after.units()) * i128::from(numerator);
    (after - before).abs() * JUMP_PART >= before
}
