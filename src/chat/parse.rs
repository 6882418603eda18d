//! What does a typed line mean? Text to a row of the table and its arguments, or the nearest thing that exists.

use super::actions::{Action, OF_ORDER, OF_SYMBOL, Short, WHOLE};
use super::command::{ArgError, Command};
use super::commands::COMMANDS;
use super::head::{HALT, Head, find};
use super::params::arity;

/// The longest line that is looked at.
const LINE_CHARS_MAX: usize = 500;
/// What people type who want to leave.
const LEAVE: [&str; 2] = ["quit", "exit"];
/// How to leave.
pub(super) const LEAVING: &str = "Ctrl-C in its terminal ends the bot";
/// How unlike a name may be and still be suggested.
pub(super) const EDITS_MAX: usize = 3;

/// A line that means something.
pub struct Parsed<'a> {
    /// The command.
    pub command: &'static Command,
    /// Its arguments.
    pub args: Vec<&'a str>,
}

/// Reads a line. `/halt`, `/stop` and a bare "stop" or "halt" all stop; everything else begins with a slash.
///
/// # Errors
/// With the nearest command where there is one, or the command's own use.
pub fn parse(line: &str) -> Result<Parsed<'_>, ArgError> {
    let usage = |text: String| Err(ArgError::Usage(text));
    let line = line.trim();
    let head = Head::of(line);
    let is_halt = head.command.is_some_and(|command| command.name == HALT);
    if line.chars().count() > LINE_CHARS_MAX && !is_halt {
        return usage(format!("that is longer than {LINE_CHARS_MAX} characters; commands are short, see /help"));
    }
    if LEAVE.contains(&head.name().unwrap_or(&head.first)) {
        return usage(format!("{LEAVING}; /help lists the commands"));
    }
    let Some(command) = head.command else {
        return usage(head.short.as_ref().map_or_else(|| unknown(&head), unsaid));
    };
    // The safe direction is understood whatever else is said.
    if is_halt {
        return Ok(Parsed { command, args: Vec::new() });
    }
    let (min, max) = arity(command.params);
    if !(min..=max).contains(&head.args.len()) {
        return usage(format!("use {}, for example {}", command.usage(), command.example));
    }
    Ok(Parsed { command, args: head.args })
}

/// The command that a line names and what follows it, whether that fits or not.
pub fn asked(line: &str) -> Option<Parsed<'_>> {
    let head = Head::of(line);
    head.command.map(|command| Parsed { command, args: head.args })
}

/// Whether a line stops trading, however it is said.
pub fn is_halt(line: &str) -> bool {
    asked(line).is_some_and(|asked| asked.command.name == HALT)
}

/// Whether a line is obeyed however old it is: it stops trading, or says that something was seen.
pub fn is_safe(line: &str) -> bool {
    asked(line).is_some_and(|asked| [HALT, "ack"].contains(&asked.command.name))
}

/// What is said of a line with a `#` that names no command.
fn unsaid(short: &Short<'_>) -> String {
    let actions = |before: &str, actions: &[Action]| {
        let all = actions.iter().map(|action| format!("#{before}{}{}", action.name, action.shown));
        all.collect::<Vec<_>>().join(", ")
    };
    match short {
        Short::Unknown(words) => words.clone(),
        Short::Symbol(symbol) => format!("do what with it? {}", actions(&format!("{} ", shown(symbol)), &OF_SYMBOL)),
        Short::Order(id) => format!("do what with it? {}", actions(&format!("order-{} ", shown(id)), &OF_ORDER)),
        Short::Anything | Short::Command { .. } => {
            format!(
                "do what? {}, {}, {}",
                actions("", &WHOLE),
                actions("AAPL ", &OF_SYMBOL),
                actions("order-12 ", &OF_ORDER)
            )
        }
    }
}

fn shown(word: &str) -> String {
    word.chars().take(32).flat_map(char::escape_debug).collect()
}

/// What is said of a line that names no command.
fn unknown(head: &Head<'_>) -> String {
    let Some(name) = head.name() else {
        return match nearest(&head.first) {
            Some(near) if near != "help" => {
                format!("commands begin with a slash: did you mean /{near}? /help lists them")
            }
            _ => "commands begin with a slash; /help lists them".to_owned(),
        };
    };
    let shown = shown(name);
    match nearest(name) {
        Some(near) => format!("there is no /{shown}: did you mean /{}?", near.replace('_', " ")),
        None => format!("there is no /{shown}; /help lists what there is"),
    }
}

/// The name that a mistyped one is most like; none if that changes anything, for nobody is to be led to a halt by a slip.
pub(super) fn nearest(typed: &str) -> Option<&'static str> {
    let near = nearest_of_all(typed)?;
    find(near).is_some_and(|command| !command.group.changes()).then_some(near)
}

fn nearest_of_all(typed: &str) -> Option<&'static str> {
    let typed: String = typed.chars().take(40).collect();
    let names =
        COMMANDS.iter().flat_map(|command| std::iter::once(command.name).chain(command.aliases.iter().copied()));
    if typed.len() > 1
        && let Some(begun) = COMMANDS.iter().find(|command| command.name.starts_with(&typed))
    {
        return Some(begun.name);
    }
    let likely = names.filter(|name| name.len() > 1).map(|name| (strsim::damerau_levenshtein(&typed, name), name));
    let best = likely.min_by_key(|(edits, _)| *edits)?;
    (best.0 <= EDITS_MAX && best.0 < best.1.len().max(2)).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chat::grouped::{grouped, grouped_line};
    use crate::chat::pad::may_be_secret;

    fn read(line: &str) -> String {
        match parse(line) {
            Ok(parsed) => format!("{} {}", parsed.command.name, parsed.args.join(" ")).trim_end().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn lines_mean_what_people_mean() {
        for (line, want) in [
            ("/status", "status"),
            ("  /STATUS  ", "status"),
            ("/status@my_bot", "status"),
            ("/p", "positions"),
            ("/why aapl", "why aapl"),
            ("stop", "halt"),
            ("STOP!", "halt"),
            ("/stop!", "halt"),
            ("stop, please", "halt"),
            ("/stop", "halt"),
            ("stop it now", "halt"),
            ("/halt now", "halt"),
            ("/control halt", "halt"),
            ("/control halt!", "halt"),
            ("/control halt2846", "halt"),
            ("/control stop right now, all of it", "halt"),
            ("/reasons why of:T17", "why T17"),
            ("/Reasons WHY aapl", "why aapl"),
            ("/risk limits", "limits"),
            ("/risk resume", "risk resume"),
            ("/control", "there is no /control; /help lists what there is"),
            ("/pos", "there is no /pos: did you mean /positions?"),
            ("/positons", "there is no /positons: did you mean /positions?"),
            ("hello", "commands begin with a slash; /help lists them"),
            ("help", "commands begin with a slash; /help lists them"),
            ("positions", "commands begin with a slash: did you mean /positions? /help lists them"),
            ("/quit", "Ctrl-C in its terminal ends the bot; /help lists the commands"),
            ("exit", "Ctrl-C in its terminal ends the bot; /help lists the commands"),
            ("/haltt", "there is no /haltt; /help lists what there is"),
            ("/resum", "there is no /resum; /help lists what there is"),
            ("unlok", "commands begin with a slash; /help lists them"),
            ("/frobnicate", "there is no /frobnicate; /help lists what there is"),
            ("/why", "use /why SYMBOL|ORDER|TRADE|MESSAGE, for example /why O1"),
            ("#emergency-stop!", "halt"),
            ("#Emergency-Stop right now", "halt"),
            ("#AAPL clse", "there is no action \"clse\": did you mean close?"),
            ("#emergncy-stop", "there is no action \"emergncy-stop\": did you mean #emergency-stop?"),
            ("/status now", "use /status, for example /status"),
        ] {
            assert_eq!(read(line), want, "{line}");
        }
    }

    #[test]
    fn what_is_safe_is_known_by_its_command() {
        for (line, want) in [
            ("/ack N1", true),
            ("/seen", true),
            ("/messages ack N1", true),
            ("/control stop!", true),
            ("stop", true),
            ("#emergency-stop!", true),
            ("#emergency-stop2846", true),
            ("/acknowledge", false),
            ("/control resume", false),
            ("", false),
        ] {
            assert_eq!(is_safe(line), want, "{line}");
        }
    }

    /// What somebody hostile types: letters of all kinds, what ends or begins something elsewhere, much of it, and words that mean something.
    fn hostile() -> impl Strategy<Value = String> {
        let words = COMMANDS.iter().flat_map(|command| [command.name.to_owned(), format!("/{}", command.example)]);
        let words: Vec<String> =
            words.chain(["#", "/", "stop", "\"", "'", "`", "\\", ":", "@", "price=", "%"].map(str::to_owned)).collect();
        prop_oneof![
            ".{0,80}",
            any::<String>(),
            "[#/@:\"'`=%\\\\\u{0}-\u{1f}\u{200b}-\u{202e} ]{0,40}",
            proptest::collection::vec(prop_oneof![proptest::sample::select(words), ".{0,12}"], 0..8)
                .prop_map(|words| words.concat()),
            ("[#/]?", ".{1,4}", 200_usize..3_000).prop_map(|(first, piece, count)| first + &piece.repeat(count)),
        ]
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in hostile()) {
            for line in [line.clone(), format!("/{line}"), format!("#{line}"), format!("#AAPL {line}"), format!("/help {line}")] {
                let said = match parse(&line) {
                    Ok(parsed) => parsed.args.join(" "),
                    Err(error) => error.to_string(),
                };
                prop_assert!(said.chars().count() <= 2_000, "{}", said.chars().count());
                let _ = (asked(&line).is_some(), is_halt(&line), is_safe(&line));
                let _ = (may_be_secret(&line), grouped(&line), grouped_line(&line));
            }
        }

        #[test]
        fn what_stops_trading_stops_it_whatever_stands_behind(rest in hostile()) {
            for stop in ["/halt ", "stop ", "/control halt ", "#emergency-stop "] {
                let line = format!("{stop}{rest}");
                let is_halt = parse(&line).is_ok_and(|parsed| parsed.command.name == HALT && parsed.args.is_empty());
                prop_assert!(is_halt, "{}", line);
            }
        }
    }
}
