//! How do we stand, on a phone? Short facts, a line each, the most useful first: a text has as many of them as fit.

use std::collections::BTreeMap;

use crate::domain::format::{counted, money, percent, signed, signed_percent};
use crate::domain::{Money, TradingState};
use crate::portfolio::{drawdown, exposure};
use crate::store::BookRow;

use super::open::{Scene, ViewError, Views, amount};
use super::status::{limit_of, open_risk, state_words, waiting_halts};

/// The answer to `/status` where a line is what is told or left out as a whole.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn status_texted(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    if views.is_stuck()? {
        lines.push("NOTHING IS RECORDED: the store cannot be written".to_owned());
    }
    if !views.is_running() {
        lines.push("The bot is not running".to_owned());
        lines.extend(waiting_halts(views)?);
    }
    match scene.books.as_slice() {
        [book] => {
            lines.push(format!("{} {}", book.book.name, worth_words(book.equity, book.day_start, &book.book.currency)));
            lines.push(format!("{}, {}", state_words(book), held_words(std::slice::from_ref(book))));
            lines.push(fall_words(book));
            lines.extend(market_lines(&scene));
            lines.extend(book_lines(&scene, book));
        }
        books => lines.extend(all_lines(&scene, books)),
    }
    Ok(lines.join("\n"))
}

/// All books at once, then each: first those that do not run.
fn all_lines(scene: &Scene, books: &[BookRow]) -> Vec<String> {
    let sum = sum_words(books);
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for row in books {
        *states.entry(row.state.as_str()).or_default() += 1;
    }
    let states: Vec<String> = states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    let held = held_words(books);
    let mut lines = vec![
        format!("{} books{}", books.len(), sum.as_deref().unwrap_or_default()),
        format!("{}, {held}", states.join(", ")),
    ];
    let mut ordered: Vec<&BookRow> = books.iter().collect();
    ordered.sort_by_key(|row| row.state == TradingState::Running);
    for row in &ordered {
        let state = if row.state == TradingState::Running { String::new() } else { format!(" {}", state_words(row)) };
        let currency = if sum.is_some() { String::new() } else { format!(" {}", row.book.currency) };
        let day = signed_percent(day_of(row).share_of(row.day_start));
        lines.push(format!("{}{state} {}{currency}, today {day}", row.book.name, money(row.equity)));
    }
    lines.extend(market_lines(scene));
    lines.extend(ordered.iter().map(|row| format!("{}: {}", row.book.name, fall_words(row))));
    lines
}

/// What all books are worth together; none where they count in different money.
fn sum_words(books: &[BookRow]) -> Option<String> {
    let currency = &books.first()?.book.currency;
    let sum = |of: fn(&BookRow) -> Money| books.iter().try_fold(Money::ZERO, |sum, row| sum.plus(of(row))).ok();
    let (equity, day_start) = (sum(|row| row.equity)?, sum(|row| row.day_start)?);
    let same = books.iter().all(|row| row.book.currency == *currency);
    same.then(|| format!(", {}", worth_words(equity, day_start, currency)))
}

fn day_of(row: &BookRow) -> Money {
    row.equity.minus(row.day_start).unwrap_or(Money::ZERO)
}

fn worth_words(equity: Money, day_start: Money, currency: &str) -> String {
    let day = equity.minus(day_start).unwrap_or(Money::ZERO);
    format!("{}, today {} ({})", amount(equity, currency), signed(day), signed_percent(day.share_of(day_start)))
}

/// Positions, and those whose stop is missing.
fn held_words(books: &[BookRow]) -> String {
    let held = || books.iter().flat_map(|row| &row.book.positions);
    let bare = held().filter(|held| held.protection.is_none()).count();
    let alarm = if bare > 0 { format!(", {bare} WITHOUT A STOP") } else { String::new() };
    format!("{}{alarm}", counted(held().count() as u64, "position"))
}

fn fall_words(row: &BookRow) -> String {
    let (now, most) = (percent(drawdown(row.peak, row.equity)), percent(limit_of(row, "drawdown_pct")));
    format!("{now} from the peak, limit {most}")
}

/// Prices that are missing or not believed.
fn market_lines(scene: &Scene) -> Vec<String> {
    let count = |is: fn(&crate::store::MarkRow) -> bool| scene.marks.iter().filter(|mark| is(mark)).count();
    let (locked, stale) = (count(|mark| mark.lock.is_some()), count(|mark| mark.stale.is_some()));
    let line = |count, words| (count > 0).then(|| format!("{} {words}", counted(count as u64, "symbol")));
    [line(locked, "locked"), line(stale, "without a price")].into_iter().flatten().collect()
}

/// What else is told of the only book.
fn book_lines(scene: &Scene, row: &BookRow) -> Vec<String> {
    let exposed = exposure(&row.book, |symbol| scene.value_price(symbol)).unwrap_or(Money::ZERO);
    vec![
        format!("exposure {} of {}", percent(exposed.share_of(row.equity)), percent(limit_of(row, "exposure_pct"))),
        format!("open risk {}", amount(open_risk(scene, row), &row.book.currency)),
        format!("loss limit {} a day", percent(limit_of(row, "daily_loss_pct"))),
        format!("cash {}", money(row.book.cash)),
    ]
}
