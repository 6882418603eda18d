//! Which command does a line name? One answer for whoever reads it, refuses it, hides it or obeys it.

use super::actions::{Short, short};
use super::command::Command;
use super::commands::COMMANDS;

/// The command that is obeyed however it is said.
pub(super) const HALT: &str = "halt";

/// The beginning of a line, and what stands behind it.
pub(super) struct Head<'a> {
    /// The words that name the command, as they were typed.
    pub(super) typed: Vec<&'a str>,
    /// The first word in small letters, without what a hurry adds: "stop!", "stop…", "/halt2846".
    pub(super) first: String,
    /// The command, if there is such a one.
    pub(super) command: Option<&'static Command>,
    /// What follows.
    pub(super) args: Vec<&'a str>,
    /// What a line with a `#` says that names no command.
    pub(super) short: Option<Short<'a>>,
}

impl<'a> Head<'a> {
    /// Of a line: `/halt`, `/stop`, a bare "stop" or "halt", by its path `/control resume`, in two words `/schedule set`, and with a `#`.
    pub(super) fn of(line: &'a str) -> Self {
        if let Some(short) = short(line) {
            return Self::of_short(line, short);
        }
        let mut words = line.split_whitespace();
        let word = words.next().unwrap_or_default();
        let mut head = Self { typed: vec![word], first: neat(word), command: None, args: words.collect(), short: None };
        let is_bare_stop = matches!(head.first.as_str(), "stop" | "halt");
        head.command = if is_bare_stop { find(HALT) } else { head.name().and_then(find) };
        let pair = head.name().zip(head.args.first());
        if let Some(command) = pair.and_then(|(name, next)| in_two_words(COMMANDS, name, next)) {
            head.typed.push(head.args.remove(0));
            head.command = Some(command);
            return head;
        }
        let place = pair.and_then(|(group, name)| below(group, name));
        if let Some(command) = place {
            head.typed.push(head.args.remove(0));
            head.command = Some(command);
            for (param, word) in command.params.iter().zip(&mut head.args) {
                *word = filled(param.name, word);
            }
        }
        head
    }

    fn of_short(line: &'a str, short: Short<'a>) -> Self {
        let first = line.split_whitespace().next().map(neat).unwrap_or_default();
        match short {
            Short::Command { name, typed, args } => {
                Self { typed: vec![typed], first, command: find(name), args, short: None }
            }
            short => Self { typed: vec![line], first, command: None, args: Vec::new(), short: Some(short) },
        }
    }

    /// What was typed behind a slash. In groups, platforms add the bot's own name: `/status@my_bot`.
    pub(super) fn name(&self) -> Option<&str> {
        self.first.strip_prefix('/').map(|name| name.split('@').next().unwrap_or_default())
    }
}

/// The command of this name or alias.
pub(super) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| is_called(command, name))
}

/// The command whose name these two words are: `schedule set` is `schedule_set`.
pub(super) fn in_two_words<'c>(commands: &'c [Command], first: &str, second: &str) -> Option<&'c Command> {
    let second = neat(second);
    let is_pair = |name: &str| name.split_once('_').is_some_and(|pair| pair == (first, second.as_str()));
    commands.iter().find(|command| is_pair(command.name) || command.aliases.iter().any(|alias| is_pair(alias)))
}

/// The command that stands below this group under this name or alias.
pub(super) fn below(group: &str, name: &str) -> Option<&'static Command> {
    let named = |name: &str| COMMANDS.iter().find(|command| command.group.name() == group && is_called(command, name));
    // "/risk" is a command as well, so that what follows it may be the name of a book.
    let hurried = || if find(group).is_none() { named(&neat(name)) } else { None };
    named(&name.to_ascii_lowercase()).or_else(hurried)
}

fn is_called(command: &Command, name: &str) -> bool {
    command.name == name || command.aliases.contains(&name)
}

/// A word in small letters without what is no letter behind it: nobody in a hurry types neatly.
fn neat(word: &str) -> String {
    word.trim_end_matches(|letter: char| !letter.is_alphabetic() && letter != '_').to_ascii_lowercase()
}

/// What fills the place of this name, where the name is typed as well: `of:T17`.
fn filled<'a>(name: &str, word: &'a str) -> &'a str {
    let rest = word.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Run;
    use crate::chat::commands::BARE;
    use crate::chat::handle::Reply;

    #[test]
    fn a_command_is_known_however_it_is_said() {
        for (line, want) in [
            ("/control halt!", "halt"),
            ("/control halt.", "halt"),
            ("/control stop", "halt"),
            ("/control STOP…", "halt"),
            ("/control halt2846", "halt"),
            ("/control@my_bot halt now", "halt now"),
            ("/messages seen N12", "ack N12"),
            ("/risk limits main", "limits main"),
            ("/risk limits2", "risk limits2"),
            ("/risk main", "risk main"),
            ("/reasons why of:T17", "why T17"),
            ("/reasons why symbol:T17", "why symbol:T17"),
            ("/reasons why of:", "why of:"),
            ("/why of:T17", "why of:T17"),
            ("/control book action:start book:main", "book start main"),
            ("/portfolio alert when:AAPL > 200", "alert AAPL > 200"),
            ("#emergency-stop!", "halt"),
            ("#emergency-stop now", "halt now"),
            ("# emergency stop", "halt stop"),
            ("#", "none"),
            ("#AAPL", "none"),
            ("control halt", "none halt"),
            ("/control hat", "none hat"),
            ("/portfolio stop", "none stop"),
            ("", "none "),
        ] {
            let head = Head::of(line);
            let name = head.command.map_or("none", |command| command.name);
            assert_eq!(format!("{name} {}", head.args.join(" ")).trim_end(), want.trim_end(), "{line}");
        }
    }

    #[test]
    fn a_name_may_be_typed_in_two_words() {
        let run = || Run::Text(|_, _| Ok(Reply::Text(String::new())));
        let row = |name, aliases| Command { name, aliases, run: run(), ..BARE };
        let table = [row("schedule", &[]), row("schedule_set", &["timetable_set"]), row("strategy_new", &[])];
        let found = |first, second| in_two_words(&table, first, second).map_or("none", |command| command.name);
        assert_eq!(found("schedule", "set"), "schedule_set");
        assert_eq!(found("schedule", "SET!"), "schedule_set");
        assert_eq!(found("timetable", "set"), "schedule_set");
        assert_eq!(found("strategy", "new"), "strategy_new");
        for (first, second) in [("schedule", "main"), ("schedule", ""), ("", "set"), ("schedule_set", "")] {
            assert_eq!(found(first, second), "none", "{first} {second}");
        }
        assert_eq!(table[1].spoken(), "schedule set");
    }
}
