//! How is a command named where commands stand below groups, as Discord has them? By its path, of which the table says all.

use super::command::{Command, Group};
use super::commands::COMMANDS;
use super::head::in_two_words;

/// The command that stands at the top as well: nobody in a hurry looks for its group.
pub const AT_TOP: &str = "halt";
/// What may stand before a command within a text, besides a space.
const OPENING: &[char] = &['(', '"', '`'];
/// What may stand behind one.
const CLOSING: &[char] = &[')', '"', '`', '.', ',', ';', ':', '?', '!'];

impl Group {
    /// As it is typed, without the slash.
    pub fn name(self) -> String {
        self.title().to_lowercase()
    }
}

impl Command {
    /// As it is typed below its group: `/control resume`.
    fn path(&self) -> String {
        if self.name == AT_TOP { format!("/{AT_TOP}") } else { format!("/{} {}", self.group.name(), self.name) }
    }
}

/// Our own words with each command that they name under its path: what follows "/resume" in them is no part of it.
pub fn grouped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find('/') {
        let (before, from) = rest.split_at(place);
        out.push_str(before);
        let (word, after) = from.split_at(from.find(char::is_whitespace).unwrap_or(from.len()));
        let name = word.trim_end_matches(CLOSING);
        let begins = out.chars().next_back().is_none_or(|c| c.is_whitespace() || OPENING.contains(&c));
        let next =
            after.strip_prefix(' ').map(|after| &after[..after.find(char::is_whitespace).unwrap_or(after.len())]);
        let next = next.map(|next| next.trim_end_matches(CLOSING));
        let pair =
            name.strip_prefix('/').zip(next).and_then(|(name, next)| Some((in_two_words(COMMANDS, name, next)?, next)));
        rest = after;
        match (pair, named(name)) {
            (Some((command, next)), _) if begins => {
                out.push_str(&command.path());
                rest = &after[1 + next.len()..];
            }
            (_, Some(command)) if begins => out.extend([command.path().as_str(), &word[name.len()..]]),
            _ => out.push_str(word),
        }
    }
    out + rest
}

/// A whole typed line under its path, with what fills its places under their names: `/reasons why of:T17`. Any other line stays as it is.
pub fn grouped_line(line: &str) -> String {
    let (name, words) = line.split_once(' ').unwrap_or((line, ""));
    let (next, after) = words.split_once(' ').unwrap_or((words, ""));
    let pair = name.strip_prefix('/').and_then(|name| in_two_words(COMMANDS, name, next));
    let (Some(command), words) = pair.map_or_else(|| (named(name), words), |command| (Some(command), after)) else {
        return line.to_owned();
    };
    let mut out = command.path();
    for (param, word) in command.params.iter().zip(words.splitn(command.params.len(), ' ')) {
        if !word.is_empty() {
            out.extend([" ", param.name, ":", word]);
        }
    }
    out
}

fn named(typed: &str) -> Option<&'static Command> {
    let name = typed.strip_prefix('/')?;
    COMMANDS.iter().find(|command| command.name == name)
}

#[cfg(test)]
mod tests {
    use crate::chat::head::below;

    use super::*;

    #[test]
    fn texts_name_commands_by_their_paths() {
        for (text, want) in [
            ("/resume lets it go on (/halt)", "/control resume lets it go on (/halt)"),
            ("see /why, \"/risk\" or /limits.", "see /reasons why, \"/risk risk\" or /risk limits."),
            ("\n/status: is it well? Or /p", "\n/portfolio status: is it well? Or /p"),
            (
                "of EUR/USD, on/status or http://status.example/health",
                "of EUR/USD, on/status or http://status.example/health",
            ),
            (
                "/statusbar /status/x /status-x /status.json //status /",
                "/statusbar /status/x /status-x /status.json //status /",
            ),
            ("", ""),
        ] {
            assert_eq!(grouped(text), want);
        }
    }

    #[test]
    fn lines_name_what_fills_their_places() {
        for (line, want) in [
            ("/resume", "/control resume"),
            ("/halt", "/halt"),
            ("/why T17", "/reasons why of:T17"),
            ("/book start main", "/control book action:start book:main"),
            ("/alert AAPL > 200", "/portfolio alert when:AAPL > 200"),
            ("T1_2", "T1_2"),
            ("/nothing of ours", "/nothing of ours"),
        ] {
            assert_eq!(grouped_line(line), want);
        }
    }

    #[test]
    fn every_command_is_found_again_by_its_path() {
        for command in COMMANDS {
            let path = command.path();
            let (group, name) = path[1..].split_once(' ').unwrap_or(("control", AT_TOP));
            assert_eq!(below(group, name).map(|found| found.name), Some(command.name));
        }
        assert!(below("risk", "resume").is_none());
    }
}
