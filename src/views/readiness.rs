//! Has a book earned real money, and how much of it? Each rule with what was measured, from the ledger alone.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::{EventKind, HaltCause, Label, Money, ReduceCause, Trade, TradingState};
use crate::stats::{
    Drill, Evidence, Performance, PerformanceInput, Readiness, TradeRecord, periods_per_year, readiness as held_against,
};
use crate::store::{BookRow, DayRow, JournalRow};

use super::books::find;
use super::open::{ViewError, Views};
use crate::domain::format::{counted, time};

/// The answer to `/readiness [BOOK]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn readiness(views: &Views, book: Option<Label>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let rows: Vec<&BookRow> = match book {
        Some(_) => vec![find(&scene, book)?],
        None => scene.books.iter().collect(),
    };
    let states = views.reader().journal_of_states()?;
    let restored = views.reader().restored()?;
    let (trades, _) = views.reader().trades(u32::MAX)?;
    let mut lines = Vec::new();
    for row in rows {
        let name = row.book.name;
        let drills = drills(&states, restored, name);
        let trades: Vec<&Trade> = trades.iter().filter(|trade| trade.book == name).collect();
        lines.extend(book_lines(views, row, &trades, &drills, &scene.feed)?);
    }
    Ok(lines.join("\n"))
}

/// How ready a book is, as rules that are met of all, and the share of its capital in percent that this allows.
pub(super) fn stage(views: &Views, row: &BookRow) -> Result<(usize, usize, u8), ViewError> {
    let drills = drills(&views.reader().journal_of_states()?, views.reader().restored()?, row.book.name);
    let (trades, _) = views.reader().trades(u32::MAX)?;
    let trades: Vec<&Trade> = trades.iter().filter(|trade| trade.book == row.book.name).collect();
    let (_, verdict) = judged(views, row, &trades, &drills)?;
    let met = verdict.rules.iter().filter(|rule| rule.met).count();
    Ok((met, verdict.rules.len(), verdict.capital_pct))
}

/// Each drill that was done, with when it last was, on the wall clock.
type Done = Vec<(Drill, Timestamp)>;

fn drills(states: &[JournalRow], restored: Option<Timestamp>, book: Label) -> Done {
    let mut done: Done = restored.map(|at| (Drill::Restore, at)).into_iter().collect();
    let mut note = |drill: Drill, at: Timestamp| {
        done.retain(|known| known.0 != drill);
        done.push((drill, at));
    };
    let mut halted_by_hand = false;
    for row in states.iter().filter(|row| row.event.book.is_none_or(|of| of == book)) {
        match &row.event.kind {
            EventKind::EngineRecovered { .. } => note(Drill::Recovery, row.wall),
            EventKind::TradingReduced { cause: ReduceCause::Breaker { .. }, .. } => {
                note(Drill::CircuitBreaker, row.wall);
            }
            EventKind::TradingHalted { cause, .. } => halted_by_hand = matches!(cause, HaltCause::Command { .. }),
            EventKind::TradingResumed { from: TradingState::Halted, .. } if halted_by_hand => {
                halted_by_hand = false;
                note(Drill::EmergencyStop, row.wall);
            }
            _ => {}
        }
    }
    done
}

/// What a book did, held against the rules.
fn judged(
    views: &Views,
    row: &BookRow,
    trades: &[&Trade],
    drills: &Done,
) -> Result<(Performance, Readiness), ViewError> {
    let name = row.book.name;
    let days = views.reader().days(name, "")?;
    let classes = views.reader().watchlist(name)?.1.into_iter().map(|item| item.class);
    let periods = periods_per_year(classes);
    let records: Vec<TradeRecord<'_>> = trades.iter().map(|trade| TradeRecord::from(*trade)).collect();
    let book_zone = row.zone.parse().unwrap_or(Tz::UTC);
    let (curve, bars) = (curve(&days, book_zone), None);
    let input = PerformanceInput { curve: &curve, trades: &records, bars, periods_per_year: periods, zone: book_zone };
    let measured = Performance::measure(&input)
        .map_err(|error| ViewError::Nothing(format!("the figures of {name} cannot be added up: {error}")))?;
    let verdict = held_against(&Evidence {
        trades: measured.closed.trades,
        win_rate: measured.closed.win_rate,
        profit_factor: measured.closed.profit_factor,
        max_drawdown: measured.max_drawdown,
        sharpe: measured.returns.sharpe,
        drills: drills.iter().map(|done| done.0).collect(),
    });
    Ok((measured, verdict))
}

fn book_lines(
    views: &Views,
    row: &BookRow,
    trades: &[&Trade],
    drills: &Done,
    feed: &str,
) -> Result<Vec<String>, ViewError> {
    let (name, zone) = (row.book.name, views.zone_of(row));
    let days = views.reader().days(name, "")?;
    let (measured, verdict) = judged(views, row, trades, drills)?;
    let (met, all) = (verdict.rules.iter().filter(|rule| rule.met).count(), verdict.rules.len());
    let (pct, because) = (verdict.capital_pct, &verdict.because);
    let mut lines = vec![if met == all {
        format!("{name} is ready for real money: all {all} rules are met")
    } else {
        format!(
            "{name} is not ready for real money: {met} of {all} rules are met; whoever begins all the same risks at most {pct} % of its capital, because {because}"
        )
    }];
    for rule in &verdict.rules {
        let met = if rule.met { "met" } else { "MISSED" };
        let drill = Drill::ALL.into_iter().find(|drill| drill.as_str() == rule.name);
        lines.push(match drill {
            None => format!("  {met}  {}: {}, wanted {}", rule.name, rule.value, rule.wanted),
            Some(drill) => match drills.iter().find(|done| done.0 == drill) {
                Some((_, at)) => format!("  {met}  {}: done at {}", rule.name, time(*at, zone)),
                None => format!("  {met}  {}: not done; {}", rule.name, how_to(drill)),
            },
        });
    }
    lines.push(format!(
        "Basis: {} after fees, {} on {feed}; drawdown from day to day, Sharpe over {} returns a year without interest",
        counted(trades.len() as u64, "closed trade"),
        counted(days.iter().filter(|day| day.part == 0).count() as u64, "day"),
        measured.periods_words()
    ));
    Ok(lines)
}

/// What to do for a drill.
fn how_to(drill: Drill) -> &'static str {
    match drill {
        Drill::CircuitBreaker => "set breaker_atr low until it stops entries",
        Drill::EmergencyStop => "/halt, then /resume",
        Drill::Restore => "\"bellwether backup FILE\", then \"bellwether restore FILE\"",
        Drill::Recovery => "kill the running bot, then start it again",
    }
}

/// Equity at the end of each day, from each day's own change: a book that began anew goes on from where it was, so that a reset hides
/// no fall.
fn curve(days: &[DayRow], zone: Tz) -> Vec<(Timestamp, Money)> {
    let Some(first) = days.first() else { return Vec::new() };
    let begun = noon(&first.day, zone).map(|at| at.plus_ms(-1));
    let mut value = first.start.to_f64();
    let mut curve: Vec<(Timestamp, Money)> = begun.map(|at| (at, first.start)).into_iter().collect();
    for day in days {
        if day.start > Money::ZERO {
            value *= day.end.to_f64() / day.start.to_f64();
        }
        let Some(point) = noon(&day.day, zone).zip(Money::from_f64(value)) else { continue };
        // A reset cuts a day in two: the later part tells how it ended.
        match curve.last_mut().filter(|last| last.0 == point.0) {
            Some(last) => *last = point,
            None => curve.push(point),
        }
    }
    curve
}

/// Noon of a day such as `2026-11-20`.
fn noon(day: &str, zone: Tz) -> Option<Timestamp> {
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    let noon = date.and_time(NaiveTime::MIN) + TimeDelta::hours(12);
    Some(zone.from_local_datetime(&noon).earliest().map_or_else(|| noon.and_utc(), |at| at.to_utc()).into())
}
