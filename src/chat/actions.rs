//! What does a line with a `#` mean? The short form of some commands: what it is about comes first, and what is to be done with it after that.

use super::parse::EDITS_MAX;

/// An action that stands alone or takes what follows: how it is typed, the command that it stands for, and the words that this gets first.
pub(super) struct Action {
    /// As it is typed after the `#`, or after what it is about.
    pub(super) name: &'static str,
    /// The command.
    pub(super) command: &'static str,
    /// What the command gets first.
    words: &'static [&'static str],
    /// What follows, as help shows it.
    pub(super) shown: &'static str,
}

impl Action {
    /// The line with a slash that it stands for, where `before` names what it is about.
    pub(super) fn long(&self, before: &str) -> String {
        let about = before.trim_end().trim_start_matches(ORDER);
        let words = [self.words, &[about]].concat().join(" ");
        format!("/{} {}{}", self.command, words.trim(), self.shown).trim_end().replace("  ", " ")
    }
}

const fn alone(name: &'static str, command: &'static str) -> Action {
    Action { name, command, words: &[], shown: "" }
}

/// What can be done as a whole: `#close-all`, `#buy TSLA 50`.
pub(super) const WHOLE: [Action; 7] = [
    Action { words: &["all"], ..alone("close-all", "close") },
    alone("cancel-all", "cancelall"),
    alone("set-stops", "setstops"),
    alone("take-profits", "taketargets"),
    alone("emergency-stop", "halt"),
    Action { shown: " TSLA 50", ..alone("buy", "buy") },
    Action { shown: " TSLA 50", ..alone("sell", "sell") },
];

/// What can be done with a position: `#AAPL stop 175`.
pub(super) const OF_SYMBOL: [Action; 4] = [
    Action { shown: " [50%]", ..alone("close", "close") },
    Action { shown: " 175", ..alone("stop", "sl") },
    Action { shown: " 185", ..alone("target", "tp") },
    Action { shown: " 2%", ..alone("trailing", "trail") },
];

/// What can be done with an order: `#order-12 cancel`.
pub(super) const OF_ORDER: [Action; 2] =
    [alone("cancel", "cancel"), Action { shown: " price=175 [quantity=10]", ..alone("modify", "modify") }];

/// How orders are named.
const ORDER: &str = "order-";
/// What else stops trading, however hurried.
const STOPS: [&str; 4] = ["emergency", "emergencystop", "stop", "halt"];

/// A line with a `#`, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Short<'a> {
    /// A command with its words.
    Command {
        /// Its name.
        name: &'static str,
        /// The word of the line that named it.
        typed: &'a str,
        /// What it gets.
        args: Vec<&'a str>,
    },
    /// Nothing was said: what could be done?
    Anything,
    /// A position was named, and not what is to be done with it.
    Symbol(&'a str),
    /// An order was named, and not what is to be done with it.
    Order(&'a str),
    /// No action, in words for whoever typed it.
    Unknown(String),
}

/// Reads a line that begins with a `#`; none for any other.
pub(super) fn short(line: &str) -> Option<Short<'_>> {
    let line = line.trim_start().strip_prefix('#')?;
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else { return Some(Short::Anything) };
    let rest: Vec<&str> = words.collect();
    let name = folded(first);
    if STOPS.contains(&name.as_str()) {
        return Some(Short::Command { name: "halt", typed: first, args: rest });
    }
    if let Some(action) = WHOLE.iter().find(|action| action.name == name) {
        let args = action.words.iter().copied().chain(rest).collect();
        return Some(Short::Command { name: action.command, typed: first, args });
    }
    let (about, actions) = match order(first) {
        Some(id) => (id, OF_ORDER.as_slice()),
        None => (first, OF_SYMBOL.as_slice()),
    };
    let Some((typed, args)) = rest.split_first() else {
        return Some(match order(first) {
            Some(id) => Short::Order(id),
            None => near(&name, &WHOLE).map_or(Short::Symbol(first), |near| Short::Unknown(unknown(first, "#", near))),
        });
    };
    let word = folded(typed);
    Some(match actions.iter().find(|action| action.name == word) {
        Some(action) => {
            let args = std::iter::once(about).chain(args.iter().copied()).collect();
            Short::Command { name: action.command, typed, args }
        }
        None => Short::Unknown(near(&word, actions).map_or_else(
            || {
                let known: Vec<String> = actions.iter().map(|it| format!("#{first} {}{}", it.name, it.shown)).collect();
                format!("there is no action \"{}\": use {}", shown(typed), shown_line(&known.join(", ")))
            },
            |near| unknown(typed, "", near),
        )),
    })
}

fn unknown(typed: &str, before: &str, near: &str) -> String {
    format!("there is no action \"{}\": did you mean {before}{near}?", shown(typed))
}

/// The number in `order-12` or `order-O12`.
fn order(word: &str) -> Option<&str> {
    let is_named = word.get(..ORDER.len()).is_some_and(|begin| folded(begin) == ORDER);
    is_named.then(|| &word[ORDER.len()..]).filter(|id| !id.is_empty())
}

/// A word in small letters with one kind of dash, without what a hurry adds behind it.
fn folded(word: &str) -> String {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let end = word.trim_end_matches(|letter: char| !letter.is_alphabetic() && letter != '-').len();
    word[..end].to_owned()
}

/// The action that a mistyped one is most like.
fn near(typed: &str, actions: &[Action]) -> Option<&'static str> {
    let typed: String = typed.chars().take(40).collect();
    let all = actions.iter().map(|action| (strsim::damerau_levenshtein(&typed, action.name), action.name));
    let (edits, name) = all.min_by_key(|(edits, _)| *edits)?;
    (edits <= EDITS_MAX && 2 * edits < name.len()).then_some(name)
}

fn shown(word: &str) -> String {
    word.chars().take(24).flat_map(char::escape_debug).collect()
}

fn shown_line(text: &str) -> String {
    text.chars().take(300).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_lines_stand_for_commands() {
        for (line, want) in [
            ("#AAPL close", "/close AAPL"),
            ("#AAPL close 50%", "/close AAPL 50%"),
            ("#aapl Close!", "/close aapl"),
            ("# AAPL stop 175", "/sl AAPL 175"),
            ("#AAPL target 185", "/tp AAPL 185"),
            ("#AAPL trailing 2%", "/trail AAPL 2%"),
            ("#order-12 cancel", "/cancel 12"),
            ("#Order-O12 cancel", "/cancel O12"),
            ("#order-12 modify price=175 quantity=10", "/modify 12 price=175 quantity=10"),
            ("#close-all", "/close all"),
            ("#close_all", "/close all"),
            ("#cancel-all", "/cancelall"),
            ("#set-stops", "/setstops"),
            ("#take-profits", "/taketargets"),
            ("#emergency-stop", "/halt"),
            ("#EMERGENCY-STOP!!", "/halt"),
            ("#emergency stop now", "/halt stop now"),
            ("#emergency-stop…", "/halt"),
            ("#stop", "/halt"),
            ("#buy TSLA 50", "/buy TSLA 50"),
            ("#sell TSLA 50 limit 180", "/sell TSLA 50 limit 180"),
            ("#", "anything"),
            ("#AAPL", "AAPL?"),
            ("#order-12", "order 12?"),
            ("#order-", "order-?"),
            ("#AAPL clse", "there is no action \"clse\": did you mean close?"),
            (
                "#AAPL frobnicate",
                "there is no action \"frobnicate\": use #AAPL close [50%], #AAPL stop 175, #AAPL target 185, #AAPL trailing 2%",
            ),
            ("#order-12 kancel", "there is no action \"kancel\": did you mean cancel?"),
            ("#emergncy-stop", "there is no action \"emergncy-stop\": did you mean #emergency-stop?"),
            ("#clos-all", "there is no action \"clos-all\": did you mean #close-all?"),
        ] {
            let said = match short(line).expect("a short line") {
                Short::Command { name, args, .. } => format!("/{name} {}", args.join(" ")).trim_end().to_owned(),
                Short::Anything => "anything".to_owned(),
                Short::Symbol(symbol) => format!("{symbol}?"),
                Short::Order(id) => format!("order {id}?"),
                Short::Unknown(words) => words,
            };
            assert_eq!(said, want, "{line}");
        }
        assert_eq!(short("/close AAPL"), None);
    }

    proptest! {
        #[test]
        fn no_short_line_makes_the_reader_panic(line in "\\PC{0,60}", words in "(order-|AAPL|é)[ !#-]{0,2}[a-z0-9=% _-]{0,20}") {
            for line in [format!("#{line}"), format!("#{words}")] {
                let _ = short(&line);
            }
        }
    }
}
