//! What could be typed next? Names, symbols, books and numbers that exist now and that whoever asks may see, the likeliest first.

use crate::domain::{Event, KINDS, NoticeId, kind_named};
use crate::views::{
    ViewError, Views, book_names, book_preview, last_messages, last_trades, locked, open_messages, orders_under_way,
    own_alerts, scenario_names, symbols, unlock_preview,
};

use super::access::{Role, may};
use super::command::Command;
use super::commands::COMMANDS;
use super::params::{Param, What};
use super::seat::Place;

/// The most that is offered at once.
pub const CHOICES_MAX: usize = 25;
/// The longest choice, and the longest words beside it, in characters.
const CHOICE_CHARS_MAX: usize = 100;
/// How like a choice must be to what was typed where it holds none of it.
const LIKENESS_MIN: f64 = 0.75;

/// Something that could stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is typed by choosing it.
    pub value: String,
    /// The same with what it is, for whoever chooses.
    pub label: String,
}

impl Choice {
    fn new(value: impl std::fmt::Display, about: &str) -> Self {
        let value = format!("{value}");
        let label = if about.is_empty() { value.clone() } else { format!("{value} · {about}") };
        Self { value, label: label.chars().take(CHOICE_CHARS_MAX).collect() }
    }
}

/// Every name with its help, as the terminal completes it.
pub fn completions() -> Vec<(String, &'static str)> {
    COMMANDS.iter().map(|command| (format!("/{}", command.name), command.help)).collect()
}

/// What could stand in a place of a command where `typed` stands so far and `before` in the places before it. Only what is possible now, and what
/// whoever asks may see and do there.
///
/// # Errors
/// When the store cannot be read.
pub fn complete(
    views: &Views,
    (role, place): (Role, Place),
    (command, param): (&Command, &Param),
    before: &[&str],
    typed: &str,
) -> Result<Vec<Choice>, ViewError> {
    // A viewer may not keep others from being called.
    if may(role, place, command).is_err() || (param.what == What::Open && role == Role::Viewer) {
        return Ok(Vec::new());
    }
    let fixed = |words: &[&str]| words.iter().map(|word| Choice::new(word, "")).collect();
    let all = match param.what {
        What::Symbol => of_symbols(views)?,
        What::Locked => of_locks(views)?,
        What::Picture => [vec![Choice::new("equity", "what a book was worth over time")], of_symbols(views)?].concat(),
        What::BarsOrBook if before.first().is_some_and(|first| first.eq_ignore_ascii_case("equity")) => {
            of_books(views, &[])?
        }
        What::BarsOrBook => fixed(&["1m", "5m", "15m", "1h", "1d", "1w"]),
        What::Book => of_books(views, before)?,
        What::Scenario => {
            let names = scenario_names().map(|(name, title)| Choice::new(name, title));
            names.chain(of_books(views, &[])?).collect()
        }
        What::Reason => of_reasons(views)?,
        What::Kind => of_kinds(false),
        What::Patient => of_kinds(true),
        What::PatientOrMessage => {
            let can_wait = |event: &Event| KINDS.iter().any(|kind| kind.can_wait && kind.name == event.kind.name());
            let told = last_messages(views)?.into_iter().filter(|(_, event)| can_wait(event)).take(CHOICES_MAX / 3);
            told.map(|told| of_message(&told)).chain(of_kinds(true)).collect()
        }
        What::Off if before.first().is_some_and(|first| kind_named(&first.to_ascii_lowercase()).is_none()) => {
            Vec::new()
        }
        What::Off => fixed(&["off"]),
        What::Message => last_messages(views)?.iter().map(of_message).collect(),
        What::Open => open_messages(views)?.iter().map(of_message).collect(),
        What::Command => {
            let allowed = COMMANDS.iter().filter(|command| may(role, place, command).is_ok());
            allowed.map(|command| Choice::new(command.name, command.help)).collect()
        }
        What::OneOf(words) | What::Like(words) => fixed(words),
        What::Condition => of_conditions(views, typed)?,
        What::Code => Vec::new(),
    };
    Ok(likeliest(all, typed))
}

/// Those that are like what was typed, the likest first; among equals those that came first.
fn likeliest(all: Vec<Choice>, typed: &str) -> Vec<Choice> {
    let typed = typed.trim().to_lowercase();
    let mut ranked: Vec<(u32, Choice)> =
        all.into_iter().filter_map(|choice| Some((rank(&choice, &typed)?, choice))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut seen = std::collections::HashSet::new();
    let fit = ranked.into_iter().map(|(_, choice)| choice);
    let fit = fit.filter(|choice| (1..=CHOICE_CHARS_MAX).contains(&choice.value.encode_utf16().count()));
    fit.filter(|choice| seen.insert(choice.value.clone())).take(CHOICES_MAX).collect()
}

/// How far a choice is from what was typed in small letters; none if it is something else.
fn rank(choice: &Choice, typed: &str) -> Option<u32> {
    let (value, label) = (choice.value.to_lowercase(), choice.label.to_lowercase());
    if typed.is_empty() || value == typed {
        return Some(0);
    }
    if value.starts_with(typed) {
        return Some(1);
    }
    if value.contains(typed) {
        return Some(2);
    }
    if label.contains(typed) {
        return Some(3);
    }
    (typed.chars().count() > 2 && strsim::jaro_winkler(&value, typed) >= LIKENESS_MIN).then_some(4)
}

fn of_symbols(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let about = |held| if held { "held" } else { "watched" };
    Ok(symbols(views)?.iter().map(|(symbol, _, held)| Choice::new(symbol, about(*held))).collect())
}

/// Locks that whoever asks can lift.
fn of_locks(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let all = locked(views)?;
    Ok(all.into_iter().filter(|symbol| unlock_preview(views, *symbol).is_ok()).map(|it| Choice::new(it, "")).collect())
}

/// Books; after what is to be done with one, those with which it can be done now.
fn of_books(views: &Views, before: &[&str]) -> Result<Vec<Choice>, ViewError> {
    let action = before.first().and_then(|word| word.to_ascii_lowercase().parse().ok());
    let mut books = book_names(views)?;
    if let Some(action) = action {
        books.retain(|(name, _)| book_preview(views, action, Some(*name)).is_ok());
    }
    Ok(books.iter().map(|(name, state)| Choice::new(name, state)).collect())
}

fn of_kinds(can_wait: bool) -> Vec<Choice> {
    let kinds = KINDS.iter().filter(|kind| kind.can_wait || !can_wait);
    kinds.map(|kind| Choice::new(kind.name, kind.about)).collect()
}

fn of_message((notice, event): &(NoticeId, Event)) -> Choice {
    let symbol = event.kind.symbol().map(|symbol| format!(" {symbol}")).unwrap_or_default();
    Choice::new(notice, &format!("{}{symbol}", event.kind.name().replace('_', " ")))
}

/// What is held, orders under way, the last trades, what else is watched, messages of an order or a symbol.
fn of_reasons(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let (held, watched): (Vec<_>, Vec<_>) = symbols(views)?.into_iter().partition(|(.., held)| *held);
    let mut all: Vec<Choice> = held.iter().map(|(symbol, ..)| Choice::new(symbol, "held")).collect();
    let orders = orders_under_way(views)?;
    all.extend(orders.iter().take(5).map(|(id, symbol)| Choice::new(id, &format!("order of {symbol}"))));
    let trades = last_trades(views)?;
    all.extend(trades.iter().take(5).map(|(id, symbol)| Choice::new(id, &format!("trade of {symbol}"))));
    all.extend(watched.iter().map(|(symbol, ..)| Choice::new(symbol, "watched")));
    all.extend(orders.iter().skip(5).map(|(id, symbol)| Choice::new(id, &format!("order of {symbol}"))));
    all.extend(trades.iter().skip(5).map(|(id, symbol)| Choice::new(id, &format!("trade of {symbol}"))));
    let messages = last_messages(views)?;
    let of_something =
        messages.iter().filter(|(_, event)| event.kind.order().is_some() || event.kind.symbol().is_some());
    all.extend(of_something.map(of_message));
    Ok(all)
}

/// Whole conditions on the symbol that is typed, or a first one on each; alerts that wait, to be deleted.
fn of_conditions(views: &Views, typed: &str) -> Result<Vec<Choice>, ViewError> {
    let first = typed.split_whitespace().next().unwrap_or_default().to_lowercase();
    let alerts = own_alerts(views)?;
    let forget = alerts.iter().map(|alert| Choice::new(format!("delete {}", alert.id), &alert.condition.to_string()));
    let mut forget: Vec<Choice> = forget.collect();
    if forget.len() > 1 {
        forget.push(Choice::new("delete all", "every alert of yours"));
    }
    if !first.is_empty() && ["delete", "remove"].iter().any(|word| word.starts_with(&first)) {
        return Ok(forget);
    }
    let symbols = symbols(views)?;
    let of_symbol = |(symbol, price, _): &(crate::domain::Symbol, crate::domain::Price, bool)| {
        let now = format!("now at {price}");
        [
            Choice::new(format!("{symbol} > {price}"), &now),
            Choice::new(format!("{symbol} < {price}"), &now),
            Choice::new(format!("{symbol} rsi < 30"), "fell much, in bars of its own"),
            Choice::new(format!("{symbol} rsi > 70"), "rose much, in bars of its own"),
        ]
    };
    if let Some(named) = symbols.iter().find(|(symbol, ..)| symbol.as_str().eq_ignore_ascii_case(&first)) {
        return Ok(of_symbol(named).into());
    }
    let book = book_names(views)?.first().map(|(name, _)| format!("{name} day < -2%"));
    let books = book.into_iter().map(|line| Choice::new(line, "a bad day"));
    Ok(symbols.iter().map(|one| of_symbol(one)[0].clone()).chain(books).chain(forget).collect())
}
