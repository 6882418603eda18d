//! How do we stand? One book in five lines.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::{Label, Money, Ratio, ReduceCause, TradingState};
use crate::portfolio::{drawdown, exposure};
use crate::store::BookRow;

use super::open::{Scene, ViewError, Views, amount};
use crate::domain::format::{age, counted, money, percent, price, signed, signed_percent, time};

/// The answer to `/status`.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn status(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    if views.is_stuck()? {
        lines.push(
            "NOTHING IS RECORDED: the bot lives but cannot write its store. What follows is the last that was written"
                .to_owned(),
        );
    }
    for book in &scene.books {
        lines.extend(book_lines(views, &scene, book));
    }
    if !views.is_running() {
        let ago = views.beat_age_ms()?.map(|ms| format!(", last sign of life {} ago", age(ms))).unwrap_or_default();
        lines.push(format!("The bot is not running now{ago}: nothing trades until it is started"));
        lines.extend(waiting_halts(views)?);
    }
    for mark in &scene.marks {
        if let Some((before, since, _)) = mark.lock {
            let zone = views.zone()?;
            lines.push(format!(
                "Locked: {} moved from {} to {} at {}. Nothing trades on it; /unlock {} if the price is right",
                mark.symbol,
                price(before),
                price(mark.price),
                time(since, zone),
                mark.symbol
            ));
        }
        if let Some(since) = mark.stale {
            lines.push(format!("Stale: no price of {} for {}", mark.symbol, age(scene.progress.market.since(since))));
        }
    }
    Ok(lines.join("\n"))
}

fn book_lines(views: &Views, scene: &Scene, row: &BookRow) -> Vec<String> {
    let book = &row.book;
    let currency = &book.currency;
    let limit = |key| limit_of(row, key);
    let zone = views.zone_of(row);
    let day = row.equity.minus(row.day_start).unwrap_or(Money::ZERO);
    let total = row.equity.minus(book.capital).unwrap_or(Money::ZERO);
    let exposed = exposure(book, |symbol| scene.value_price(symbol)).unwrap_or(Money::ZERO);
    let bare = book.positions.iter().filter(|held| held.protection.is_none()).count() as u64;
    let mut lines = vec![
        format!("{} is {}{} · paper · {}", book.name, state_words(row), until_words(views, row), scene.feed),
        format!(
            "Equity {} at last prices, {} ({}) since the start with {} · cash {}",
            amount(row.equity, currency),
            signed(total),
            signed_percent(total.share_of(book.capital)),
            money(book.capital),
            money(book.cash)
        ),
        format!(
            "Today {} {currency} ({}), loss limit {} of the day's start · {} from the peak, limit {}",
            signed(day),
            signed_percent(day.share_of(row.day_start)),
            percent(limit("daily_loss_pct")),
            percent(drawdown(row.peak, row.equity)),
            percent(limit("drawdown_pct"))
        ),
        format!(
            "{} of {:.0} · exposure {} of {} · open risk {} {currency}, {} of {} if every stop fills",
            counted(book.positions.len() as u64, "position"),
            limit("positions_max"),
            percent(exposed.share_of(row.equity)),
            percent(limit("exposure_pct")),
            money(open_risk(scene, row)),
            percent(open_risk(scene, row).share_of(row.equity)),
            percent(limit("open_risk_pct"))
        ),
        format!("Market time {} · cycle {}", time(scene.progress.market, zone), scene.progress.cycle.0),
    ];
    if bare > 0 {
        lines.push(format!("ALARM: {} without a working stop", counted(bare, "position")));
    }
    lines
}

pub(super) fn state_words(row: &BookRow) -> String {
    let cause: serde_json::Value = serde_json::from_str(&row.cause).unwrap_or_default();
    let why = match cause.get("cause").and_then(serde_json::Value::as_str) {
        Some("command") => format!(" (by {})", cause["person"].as_str().unwrap_or("somebody")),
        Some("precaution") => " (by the bot, to be on the safe side)".to_owned(),
        Some("drawdown") => " (drawdown limit, until somebody resumes)".to_owned(),
        Some("breaker") => " (volatility breaker, for a while)".to_owned(),
        Some("paused") => format!(" (paused by {})", cause["person"].as_str().unwrap_or("somebody")),
        Some("stopped") => format!(" (stopped by {})", cause["person"].as_str().unwrap_or("somebody")),
        Some("daily_loss") if row.state == TradingState::Halted => " (daily loss limit)".to_owned(),
        Some("daily_loss") => " (daily loss limit, until the book's next day)".to_owned(),
        Some("store_trouble") => " (the store could not be written)".to_owned(),
        Some("broken_invariant") => " (something impossible happened; see /health)".to_owned(),
        _ => String::new(),
    };
    let beneath = match row.parked().0 {
        Some(ReduceCause::Paused { person }) if cause_name(row) != "paused" => format!(", paused by {person} besides"),
        Some(ReduceCause::Stopped { person }) if cause_name(row) != "stopped" => {
            format!(", stopped by {person} besides")
        }
        _ => String::new(),
    };
    format!("{}{why}{beneath}", row.state)
}

/// Until when a book is paused; nothing of one that nobody paused for a while.
fn until_words(views: &Views, row: &BookRow) -> String {
    row.parked().1.map_or_else(String::new, |until| format!(", the pause until {}", time(until, views.zone_of(row))))
}

/// Since when a book is in its state; nothing of one that was never in another.
pub(super) fn since_words(row: &BookRow, zone: Tz) -> String {
    if row.since == Timestamp::default() { String::new() } else { format!(" since {}", time(row.since, zone)) }
}

/// What goes on working for positions that are held, as the end of a sentence; nothing of none.
fn stops_words(held: usize) -> String {
    match held {
        0 => String::new(),
        1 => "; 1 position keeps its stop".to_owned(),
        held => format!("; {held} positions keep their stops"),
    }
}

/// A limit of a book, by its key.
pub(super) fn limit_of(row: &BookRow, key: &str) -> Ratio {
    let limits: serde_json::Value = serde_json::from_str(&row.limits).unwrap_or_default();
    limits[key].as_str().and_then(|text| text.parse().ok()).unwrap_or(Ratio::ZERO)
}

/// What is lost if every stop fills, from the prices the book is valued at. A position without a stop counts whole.
pub(super) fn open_risk(scene: &Scene, row: &BookRow) -> Money {
    row.book.positions.iter().fold(Money::ZERO, |sum, held| {
        let now = scene.value_price(held.symbol).unwrap_or_else(|| held.average_price());
        let loss = held.protection.map_or_else(
            || held.value_at(now).map(Money::abs),
            |levels| now.minus(levels.stop).and_then(|gap| held.quantity.value_at(gap)),
        );
        sum.plus(loss.unwrap_or(Money::ZERO).max(Money::ZERO)).unwrap_or(Money::MAX)
    })
}

/// Which books `/resume` would let go on, and what that would do, before anybody confirms it.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn resume_preview(views: &Views) -> Result<(Vec<Label>, String), ViewError> {
    let scene = views.scene()?;
    if let Some(halt) = waiting_halts(views)?.first() {
        return Err(ViewError::Nothing(format!("{halt}: the bot is not running, so nothing can be resumed now")));
    }
    let any_halted = scene.books.iter().any(waits_for_a_person);
    // What is halted goes on first; a pause below it is ended by resuming once more.
    let waits = |row: &&BookRow| if any_halted { waits_for_a_person(row) } else { is_paused(row) };
    let waiting: Vec<&BookRow> = scene.books.iter().filter(waits).collect();
    if waiting.is_empty() {
        return Err(ViewError::Nothing(nothing_to_resume(views, &scene)));
    }
    let names = waiting.iter().map(|row| row.book.name).collect();
    let mut lines = Vec::new();
    for row in waiting {
        let zone = views.zone_of(row);
        let day = row.equity.minus(row.day_start).unwrap_or(Money::ZERO);
        lines.push(format!("Resume {}? It is {}{}.", row.book.name, state_words(row), since_words(row, zone)));
        let (may, anew) = if !any_halted && cause_name(row) == "paused" {
            ("enter and leave again at the next bar".to_owned(), String::new())
        } else if !any_halted {
            ("leave only, as before; the pause is over".to_owned(), String::new())
        } else if is_parked(row) {
            (format!("leave again at the next bar, and enter after /book start {}", row.book.name), String::new())
        } else if cause_name(row) == "daily_loss" && is_of_today(row) {
            (format!("leave again at the next bar, and enter from {} on", time(row.day_ends, zone)), String::new())
        } else {
            let anew = amount(row.equity, &row.book.currency);
            let anew = format!("; the fall from the peak is counted anew from {anew}");
            ("enter and leave again at the next bar".to_owned(), anew)
        };
        lines.push(format!("After: strategies may {may}{}.", stops_words(row.book.positions.len())));
        lines.push(format!(
            "Today {} {} ({}), loss limit {}{anew}.",
            signed(day),
            row.book.currency,
            signed_percent(day.share_of(row.day_start)),
            percent(limit_of(row, "daily_loss_pct"))
        ));
    }
    Ok((names, lines.join("\n")))
}

/// Why there is nothing to resume.
fn nothing_to_resume(views: &Views, scene: &Scene) -> String {
    if !views.is_running() {
        return "the bot is not running, so nothing can be resumed now: start it first".to_owned();
    }
    let reducing = scene.books.iter().find(|row| row.state == TradingState::Reducing);
    reducing.map_or_else(
        || "nothing to resume: every book is running".to_owned(),
        |row| {
            let (name, state) = (row.book.name, state_words(row));
            let back = if is_parked(row) {
                format!(": /book start {name} ends that")
            } else {
                " and goes on by itself".to_owned()
            };
            format!("{name} is {state}{back}")
        },
    )
}

/// Halts that are recorded and that no engine carried out, because none runs: `a halt by ana waits for the next start`.
pub(super) fn waiting_halts(views: &Views) -> Result<Vec<String>, ViewError> {
    if views.is_running() {
        return Ok(Vec::new());
    }
    let people = views.reader().waiting_halts()?;
    Ok(people.iter().map(|person| format!("a halt by {person} waits for the next start")).collect())
}

/// True if a book came into its state on the day that it is in now.
fn is_of_today(row: &BookRow) -> bool {
    let zone = row.zone.parse().unwrap_or(Tz::UTC);
    row.since.utc().with_timezone(&zone).date_naive().to_string() == row.day
}

/// Why a book is not running, by its name; empty if it is.
fn cause_name(row: &BookRow) -> String {
    let cause: serde_json::Value = serde_json::from_str(&row.cause).unwrap_or_default();
    cause["cause"].as_str().unwrap_or_default().to_owned()
}

/// True for a book that a person paused or stopped, and nobody started since.
pub(super) fn is_parked(row: &BookRow) -> bool {
    row.parked().0.is_some()
}

/// True for a book that would enter if nobody had paused or stopped it.
pub(super) fn only_people_hold(row: &BookRow) -> bool {
    matches!(cause_name(row).as_str(), "paused" | "stopped")
}

fn is_paused(row: &BookRow) -> bool {
    matches!(row.parked().0, Some(ReduceCause::Paused { .. }))
}

/// True for a book that stands still until somebody resumes.
fn waits_for_a_person(row: &BookRow) -> bool {
    row.state == TradingState::Halted || (row.state == TradingState::Reducing && cause_name(row) == "drawdown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_are_spoken_of_where_there_are_positions() {
        let told = ["", "; 1 position keeps its stop", "; 2 positions keep their stops"];
        assert_eq!([0, 1, 2].map(stops_words), told);
    }
}
