//! How does a line that is being typed go on? Names, actions and what may stand in their places now, for an editor that completes.

use crate::views::{ViewError, Views, held, orders_under_way};

use super::access::{Role, may};
use super::actions::{OF_ORDER, OF_SYMBOL, WHOLE};
use super::command::Command;
use super::commands::COMMANDS;
use super::complete::{Choice, complete};
use super::head::{Head, find};
use super::seat::Place;

/// How a line could go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    /// The byte at which what is completed begins.
    pub begins: usize,
    /// What could stand there.
    pub choices: Vec<Choice>,
}

/// How this beginning of a line could go on: what whoever types may see and do, and what is possible now.
///
/// # Errors
/// When the store cannot be read.
pub fn typed_so_far(views: &Views, (role, place): (Role, Place), line: &str) -> Result<Typed, ViewError> {
    let last = line.rfind(char::is_whitespace).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let word = &line[last..];
    let is_first = line[..last].trim().is_empty();
    let begun = |choices: Vec<Choice>| {
        let word = word.to_lowercase();
        Typed {
            begins: last,
            choices: choices.into_iter().filter(|it| it.value.to_lowercase().starts_with(&word)).collect(),
        }
    };
    let can = |name: &str| find(name).is_some_and(|command| may(role, place, command).is_ok());
    if is_first && word.starts_with('#') {
        let whole = WHOLE
            .iter()
            .filter(|action| can(action.command))
            .map(|action| Choice::new(format!("#{}", action.name), ""));
        let held = held(views)?.into_iter().map(|(symbol, _)| Choice::new(format!("#{symbol}"), "held"));
        let orders = orders_under_way(views)?;
        let orders = orders.iter().map(|(id, symbol)| Choice::new(format!("#order-{id}"), symbol.as_str()));
        return Ok(begun(held.chain(whole).chain(orders).collect()));
    }
    if is_first {
        let allowed = COMMANDS.iter().filter(|command| may(role, place, command).is_ok());
        return Ok(begun(allowed.map(|command| Choice::new(format!("/{}", command.spoken()), command.help)).collect()));
    }
    let about = line.trim_start().strip_prefix('#').filter(|_| line[..last].split_whitespace().count() == 1);
    if let Some(about) = about.and_then(|line| line.split_whitespace().next())
        && WHOLE.iter().all(|action| action.name != about.to_lowercase())
    {
        let actions =
            if about.to_lowercase().starts_with("order-") { OF_ORDER.as_slice() } else { OF_SYMBOL.as_slice() };
        let actions = actions.iter().filter(|action| can(action.command));
        return Ok(begun(actions.map(|action| Choice::new(action.name, "")).collect()));
    }
    // Only what stands before the last word is whole.
    let head = Head::of(&line[..last]);
    let seconds = second_words(&head, |command| may(role, place, command).is_ok());
    let Some(command) = head.command else { return Ok(begun(seconds)) };
    let mut before = head.args;
    // A place that takes several words begins where the first of them does.
    let many = command.params.iter().position(|param| param.what.words_max() > 1).filter(|place| *place < before.len());
    let whole = line[..last].split_whitespace().count();
    let begins = many.and_then(|place| word_start(line, (whole + place).checked_sub(before.len())?)).unwrap_or(last);
    before.truncate(many.unwrap_or(before.len()));
    let Some(param) = command.params.get(before.len()) else { return Ok(begun(seconds)) };
    let mut choices = begun(seconds).choices;
    choices.extend(complete(views, (role, place), (command, param), &before, &line[begins..])?);
    Ok(Typed { begins, choices })
}

/// What makes the one word that was typed a name of two.
fn second_words(head: &Head<'_>, can: impl Fn(&Command) -> bool) -> Vec<Choice> {
    let Some(first) = head.name().filter(|_| head.args.is_empty() && head.typed.len() == 1) else { return Vec::new() };
    let pairs =
        COMMANDS.iter().filter(|command| can(command)).filter_map(|it| Some((it.name.split_once('_')?, it.help)));
    pairs.filter(|((name, _), _)| *name == first).map(|((_, second), help)| Choice::new(second, help)).collect()
}

/// The byte at which a word of a line begins.
fn word_start(line: &str, word: usize) -> Option<usize> {
    let mut was_space = true;
    let starts = line
        .char_indices()
        .filter(|(_, letter)| std::mem::replace(&mut was_space, letter.is_whitespace()) && !letter.is_whitespace());
    starts.map(|(at, _)| at).nth(word)
}
