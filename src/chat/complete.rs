//! What could be typed next? Names, symbols, books and numbers that exist now and that whoever asks may see, the likeliest first.

use crate::domain::format::counted;
use crate::domain::{Event, KINDS, Label, Money, NoticeId, OrderId, Symbol, kind_named};
use crate::strategy::{Param as ParamSpec, STRATEGIES, find};
use crate::views::{
    ViewError, Views, about, book_names, book_preview, held, last_messages, last_trades, limit_names, locked,
    open_messages, orders_under_way, own_alerts, scenario_names, strategy_names, symbols, tags_in_use, tags_of,
    unlock_preview,
};

use super::access::{Role, may};
use super::command::Command;
use super::commands::COMMANDS;
use super::params::{Param, What};
use super::seat::Place;
use super::settings::values_of;

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
    pub(super) fn new(value: impl std::fmt::Display, about: &str) -> Self {
        let value = format!("{value}");
        let label = if about.is_empty() { value.clone() } else { format!("{value} · {about}") };
        Self { value, label: label.chars().take(CHOICE_CHARS_MAX).collect() }
    }
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
    let all = match param.what {
        What::Symbol => of_symbols(views)?,
        What::Held => held(views)?.into_iter().map(|(symbol, _)| Choice::new(symbol, "held")).collect(),
        What::HeldOrGroup => of_holdings(views)?,
        What::OpenOrder => of_orders(views)?,
        What::LimitName => limit_names(views)?.into_iter().map(|name| Choice::new(name, "")).collect(),
        What::StrategyName => strategy_names(views)?.iter().map(|(name, when)| Choice::new(name, when)).collect(),
        What::Limit => of_limits(views, before)?,
        What::OfOrder => of_order(views, before)?,
        What::Change => of_changes(views)?,
        What::StrategyKind => STRATEGIES.iter().map(|kind| Choice::new(kind.name, kind.help)).collect(),
        What::ParamName => of_params(before.first().copied(), |param| param.name.to_owned()),
        What::ParamValues => {
            let usual = Choice::new("usual", "each parameter as the table of strategies has it");
            let set = of_params(before.get(1).copied(), |param| format!("{}={}", param.name, param.default));
            std::iter::once(usual).chain(set).collect()
        }
        What::Locked => of_locks(views)?,
        What::Picture => [vec![Choice::new("equity", "what a book was worth over time")], of_symbols(views)?].concat(),
        What::BarsOrBook if before.first().is_some_and(|first| first.eq_ignore_ascii_case("equity")) => {
            of_books(views, &[])?
        }
        What::Book => of_books(views, before)?,
        What::Scenario => {
            let names = scenario_names().map(|(name, title)| Choice::new(name, title));
            names.chain(of_books(views, &[])?).collect()
        }
        What::Reason => of_reasons(views)?,
        What::Noted => [vec![Choice::new("today", "the day")], of_reasons(views)?].concat(),
        What::Tags => of_tags(views, before)?,
        What::Value => values_of(before),
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
        What::Message => last_messages(views)?.iter().map(of_message).collect(),
        What::Open => open_messages(views)?.iter().map(of_message).collect(),
        What::Command => {
            let allowed = COMMANDS.iter().filter(|command| may(role, place, command).is_ok());
            allowed.map(|command| Choice::new(command.name, command.help)).collect()
        }
        What::Condition => of_conditions(views, typed)?,
        what => samples(what).iter().map(|word| Choice::new(word, "")).collect(),
    };
    Ok(likeliest(all, typed))
}

/// Words that stand for any others of their kind; none for what is anybody's choice, or a secret.
fn samples(what: What) -> &'static [&'static str] {
    match what {
        What::OneOf(words) | What::Like(words) => words,
        What::Share => &["25%", "50%", "75%", "100%"],
        What::Amount => &["5", "10", "$500", "2%"],
        What::Level => &["2%", "3%", "5%", "10%"],
        What::When => &["bars", "every 15m", "hourly", "daily 09:30", "weekdays 09:30", "0 9 * * 1-5", "usual"],
        What::Rhythm => &["bars", "5m", "15m", "1h", "1d", "hourly", "daily_09:30"],
        What::BarsOrBook => &["1m", "5m", "15m", "1h", "1d", "1w"],
        What::Off => &["off"],
        What::Until => &["for 30m", "for 2h", "for 1d", "until 16:00", "until tomorrow 09:30", "until friday"],
        What::Mute => &["15m", "1h", "2h", "8h", "24h", "until 16:00", "off"],
        What::Changes => &["since today", "since yesterday", "since monday"],
        _ => &[],
    }
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

/// The parameters of a strategy, each as it is typed.
fn of_params(strategy: Option<&str>, typed: impl Fn(&ParamSpec) -> String) -> Vec<Choice> {
    let kind = strategy.and_then(|name| find(&name.to_ascii_lowercase()));
    let params = kind.map_or(&[][..], |kind| kind.params);
    params.iter().map(|param| Choice::new(typed(param), param.help)).collect()
}

fn of_symbols(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let about = |held| if held { "held" } else { "watched" };
    Ok(symbols(views)?.iter().map(|(symbol, _, held)| Choice::new(symbol, about(*held))).collect())
}

/// What is held, and the groups of it that hold something.
fn of_holdings(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let held = held(views)?;
    let mut all: Vec<Choice> = held.iter().map(|(symbol, _)| Choice::new(symbol, "held")).collect();
    let losers = held.iter().filter(|(_, profit)| *profit < Money::ZERO).count() as u64;
    let winners = held.iter().filter(|(_, profit)| *profit > Money::ZERO).count() as u64;
    let groups = [("losers", losers), ("winners", winners), ("all", held.len() as u64)];
    let groups = groups.into_iter().filter(|(_, count)| *count > 0);
    all.extend(groups.map(|(name, count)| Choice::new(name, &counted(count, "position"))));
    Ok(all)
}

fn of_orders(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let orders = orders_under_way(views)?;
    Ok(orders.iter().map(|(id, symbol)| Choice::new(id, &format!("order of {symbol}"))).collect())
}

/// A limit at the last price of the symbol that was typed before.
fn of_limits(views: &Views, before: &[&str]) -> Result<Vec<Choice>, ViewError> {
    let named = |symbol: &Symbol| before.iter().any(|word| symbol.as_str().eq_ignore_ascii_case(word));
    let found = symbols(views)?.into_iter().find(|(symbol, ..)| named(symbol));
    Ok(found.map(|(_, price, _)| Choice::new(format!("limit {price}"), "the last price")).into_iter().collect())
}

/// The last price for the order that was typed before; nothing once a price stands there.
fn of_order(views: &Views, before: &[&str]) -> Result<Vec<Choice>, ViewError> {
    let orders = orders_under_way(views)?;
    let named = |id: &OrderId| before.first().is_some_and(|word| word.parse().ok() == Some(*id));
    let symbol = orders.iter().find(|(id, _)| named(id)).map(|(_, symbol)| *symbol);
    let marks = symbols(views)?.into_iter().filter(|(one, ..)| Some(*one) == symbol && before.len() == 1);
    Ok(marks.map(|(_, price, _)| Choice::new(format!("price={price}"), "the last price")).collect())
}

/// What could be done with all that is held, and with each.
fn of_changes(views: &Views) -> Result<Vec<Choice>, ViewError> {
    let holdings = of_holdings(views)?;
    Ok(holdings.into_iter().map(|it| Choice::new(format!("close {}", it.value), "")).collect())
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

/// Tags of what was named, to be taken away, and those in use.
fn of_tags(views: &Views, before: &[&str]) -> Result<Vec<Choice>, ViewError> {
    let named = before.first().map(|word| about(views, word)).and_then(Result::ok);
    let own = named.map_or(Ok(Vec::new()), |about| tags_of(views, about))?;
    let taken = own.iter().map(|row| Choice::new(format!("-{}", row.tag), "no more"));
    let is_own = |tag: &Label| own.iter().any(|row| row.tag == *tag);
    let used = tags_in_use(views)?.into_iter().filter(|tag| !is_own(tag)).map(|tag| Choice::new(tag, ""));
    Ok(used.chain(taken).collect())
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
    let of_symbol = |(symbol, price, _): &(Symbol, crate::domain::Price, bool)| {
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
