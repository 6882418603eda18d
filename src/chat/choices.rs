//! What is answered where something is missing? What could stand there now, as buttons: each stands for the line that chooses it.

use crate::domain::{Button, Message};
use crate::views::{ViewError, Views, held, orders_under_way};

use super::access::may;
use super::actions::{Action, OF_ORDER, OF_SYMBOL, Short, WHOLE};
use super::commands::COMMANDS;
use super::complete::complete;
use super::handle::Inbound;
use super::head::{Head, find};

/// The most buttons below an answer, and in a row of it.
const BUTTONS_MAX: usize = 9;
const ROW: usize = 3;
/// The most letters on a button.
const LABEL_CHARS_MAX: usize = 40;
/// Positions that have a row of their own; of more, each has one button.
const ROWS_MAX: usize = 2;
/// What is offered where nothing can be changed.
const VIEWS: [&str; 6] = ["status", "positions", "orders", "pnl", "risk", "alerts"];

/// What can be chosen after a line that is not whole; none where it is, or where there is nothing to choose.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn choices(inbound: &Inbound, views: &Views) -> Result<Option<Message>, ViewError> {
    let head = Head::of(&inbound.text);
    match &head.short {
        Some(Short::Anything) => return anything(inbound, views),
        Some(Short::Symbol(symbol)) => return of_symbol(inbound, views, symbol),
        Some(Short::Order(id)) => return of_order(inbound, views, id),
        Some(Short::Unknown(_)) => return Ok(None),
        None if inbound.text.trim() == "/" => return anything(inbound, views),
        Some(Short::Command { .. }) | None => {}
    }
    let Some(command) = head.command else { return Ok(None) };
    let Some(param) = command.params.get(head.args.len()).filter(|param| param.needed) else { return Ok(None) };
    let (role, place) = (inbound.person.role, inbound.place);
    let choices = complete(views, (role, place), (command, param), &head.args, "")?;
    if choices.is_empty() {
        return Ok(None);
    }
    let before: Vec<&str> = std::iter::once(command.name).chain(head.args.iter().copied()).collect();
    let line = |value: &str| format!("/{} {value}", before.join(" "));
    let buttons = choices.iter().map(|choice| Button::new(&label(&choice.value), line(&choice.value)));
    let mut lines = vec![format!("{}: {}?", command.usage(), param.help)];
    if choices.len() > BUTTONS_MAX {
        let more: Vec<&str> = choices[BUTTONS_MAX..].iter().map(|choice| choice.value.as_str()).collect();
        lines.push(format!("Or {}", more.join(", ")));
    }
    Ok(Some(told(&lines, &buttons.take(BUTTONS_MAX).collect::<Vec<_>>())))
}

fn label(value: &str) -> String {
    if value.chars().count() <= LABEL_CHARS_MAX {
        return value.to_owned();
    }
    value.chars().take(LABEL_CHARS_MAX - 1).chain(['\u{2026}']).collect()
}

fn told(lines: &[String], buttons: &[Button]) -> Message {
    let rows = buttons.chunks(ROW).map(<[Button]>::to_vec).collect();
    Message { buttons: rows, ..Message::answer(&lines.join("\n")) }
}

/// Those of some actions that whoever asks may do here.
fn allowed<'a>(inbound: &Inbound, actions: &'a [Action]) -> impl Iterator<Item = &'a Action> {
    let (role, place) = (inbound.person.role, inbound.place);
    actions.iter().filter(move |action| find(action.command).is_some_and(|command| may(role, place, command).is_ok()))
}

fn button(before: &str, action: &Action) -> Button {
    let line = format!("#{before}{}", action.name);
    Button::new(&label(&line[1..]), line)
}

/// What can be done now at all: with positions, with all of them, with orders.
fn anything(inbound: &Inbound, views: &Views) -> Result<Option<Message>, ViewError> {
    let (held, orders) = (held(views)?, orders_under_way(views)?);
    let possible = |action: &&Action| match action.name {
        "close-all" => !held.is_empty() || !orders.is_empty(),
        "set-stops" | "take-profits" => !held.is_empty(),
        "cancel-all" => !orders.is_empty(),
        // Whoever buys or sells says what.
        "buy" | "sell" => false,
        _ => true,
    };
    let whole: Vec<Button> = allowed(inbound, &WHOLE).filter(possible).map(|action| button("", action)).collect();
    let of_one: Vec<&Action> = allowed(inbound, &OF_SYMBOL).collect();
    let room = BUTTONS_MAX.saturating_sub(whole.len());
    let mut rest = Vec::new();
    let mut buttons: Vec<Button> = Vec::new();
    if held.len() <= ROWS_MAX {
        let of = |symbol| of_one.iter().take(ROW).map(move |action| button(&format!("{symbol} "), action));
        buttons.extend(held.iter().flat_map(|(symbol, _)| of(symbol)).take(room / ROW * ROW));
    } else if !of_one.is_empty() {
        buttons.extend(held.iter().take(room).map(|(symbol, _)| Button::new(symbol.as_str(), format!("#{symbol}"))));
        rest.extend(held.iter().skip(room).map(|(symbol, _)| format!("#{symbol}")));
    }
    buttons.extend(whole);
    if buttons.is_empty() {
        let (role, place) = (inbound.person.role, inbound.place);
        let views = COMMANDS.iter().filter(|it| VIEWS.contains(&it.name) && !it.group.changes());
        let views = views.filter(|command| may(role, place, command).is_ok());
        buttons.extend(views.map(|command| Button::new(command.name, format!("/{}", command.name))));
    }
    let mut lines = vec!["What now? /help lists everything".to_owned()];
    if !rest.is_empty() {
        lines.push(format!("Or {}", rest.join(", ")));
    }
    Ok(Some(told(&lines, &buttons)))
}

/// What can be done with a position, or with a symbol that is not held.
fn of_symbol(inbound: &Inbound, views: &Views, symbol: &str) -> Result<Option<Message>, ViewError> {
    let is_held = held(views)?.iter().any(|(held, _)| held.as_str().eq_ignore_ascii_case(symbol));
    let symbol = symbol.to_ascii_uppercase();
    let before = format!("{symbol} ");
    let mut buttons: Vec<Button> = Vec::new();
    for action in allowed(inbound, &OF_SYMBOL).filter(|_| is_held) {
        buttons.push(button(&before, action));
        if action.name == "close" {
            buttons.push(Button::new(&format!("{before}close 50%"), format!("#{before}close 50%")));
        }
    }
    Ok((!buttons.is_empty()).then(|| told(&[format!("{symbol}: do what with it?")], &buttons)))
}

/// What can be done with an order.
fn of_order(inbound: &Inbound, views: &Views, id: &str) -> Result<Option<Message>, ViewError> {
    let orders = orders_under_way(views)?;
    let Some((id, symbol)) = orders.into_iter().find(|(order, _)| id.parse().ok() == Some(*order)) else {
        return Ok(None);
    };
    let cancel = allowed(inbound, &OF_ORDER).filter(|action| action.name == "cancel");
    let buttons: Vec<Button> = cancel.map(|action| button(&format!("order-{id} "), action)).collect();
    Ok((!buttons.is_empty()).then(|| told(&[format!("{id}, an order of {symbol}: do what with it?")], &buttons)))
}
