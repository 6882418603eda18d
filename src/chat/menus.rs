//! How do people find a command? Help and menus, derived from the table.

use crate::domain::{Block, Line, Message, Span};

use super::access::{Role, may};
use super::command::{ArgError, Command, Group};
use super::commands::COMMANDS;
use super::head::find;
use super::params::shown;
use super::parse::{LEAVING, nearest};
use super::seat::Place;

/// The answer to `/start`.
pub fn welcome() -> String {
    [
        "bellwether trades on paper and tells you what it does, here.",
        "Begin with /status and /positions. /why AAPL tells why something was traded, /whynot AAPL why not.",
        "/halt stops trading at once. To let it go on, /resume asks for your PIN.",
        "/help lists everything.",
    ]
    .join("\n")
}

/// The answer to `/help` in columns, for a terminal.
pub fn help() -> String {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(group.title().to_owned());
        for command in COMMANDS.iter().filter(|command| command.group == group) {
            lines.push(format!("  {:<28} {}", command.usage(), command.help));
        }
    }
    lines.push(ending());
    lines.join("\n")
}

/// The same for a chat, whose letters keep no columns: a line a command.
pub fn help_list() -> Message {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(Line(vec![Span::Strong(group.title().to_owned())]));
        let of_group = COMMANDS.iter().filter(|command| command.group == group);
        lines.extend(of_group.map(|command| typed(command, &format!(": {}", command.help))));
        lines.push(Line::default());
    }
    lines.push(ending().into());
    message(lines)
}

fn ending() -> String {
    format!("A bare \"stop\" halts too. /help COMMAND shows an example. {LEAVING}.")
}

/// How a command is typed, its name to be seen first.
fn typed(command: &Command, behind: &str) -> Line {
    let places = shown(command.params);
    let space = if places.is_empty() { "" } else { " " };
    Line(vec![Span::Strong(format!("/{}", command.spoken())), Span::Text(format!("{space}{places}{behind}"))])
}

fn message(lines: Vec<Line>) -> Message {
    Message { blocks: lines.into_iter().map(Block::Line).collect(), ..Message::default() }
}

/// The answer to `/help command`.
///
/// # Errors
/// When there is no such command.
pub fn help_of(name: &str) -> Result<Message, ArgError> {
    let name = name.trim_start_matches('/').to_ascii_lowercase();
    let Some(command) = find(&name) else {
        let near = nearest(&name).map(|near| format!(": did you mean /{near}?")).unwrap_or_default();
        return Err(ArgError::Usage(format!("there is no /{}{near}", name.escape_debug())));
    };
    let example = Line(vec![Span::Text("For example ".to_owned()), Span::Code(command.example.to_owned())]);
    let mut lines = vec![typed(command, ""), command.help.to_owned().into(), example];
    if !command.aliases.is_empty() {
        let others: Vec<String> = command.aliases.iter().map(|alias| format!("/{alias}")).collect();
        lines.push(format!("Also {}", others.join(", ")).into());
    }
    Ok(message(lines))
}

/// Commands that a menu has room for.
const MENU_MAX: usize = 30;

/// The menu of a chat: what somebody of this role may do there. In a group everybody sees the same one, so it shows views alone.
pub fn menu(role: Role, place: Place) -> Vec<(String, String)> {
    let allowed = COMMANDS.iter().filter(|command| may(role, place, command).is_ok());
    // What changes something is found first where there is little room.
    let (controls, others): (Vec<&Command>, Vec<&Command>) = allowed.partition(|command| command.group.changes());
    // One half each: /help lists the rest.
    let controls: Vec<&Command> = controls.into_iter().take(MENU_MAX / 2).collect();
    let shown = others.into_iter().take(MENU_MAX - controls.len()).chain(controls);
    shown.map(|command| (command.name.to_owned(), command.help.to_owned())).collect()
}
