//! What does docs/COMMANDS.md say? What the table says, so that it cannot say anything else.

use std::fmt::Write as _;

use crate::domain::when::LONGEST_DAYS;

use super::access::{Role, may};
use super::actions::{Action, OF_ORDER, OF_SYMBOL, WHOLE};
use super::command::{Command, Group, Run};
use super::commands::COMMANDS;
use super::grouped::AT_TOP;
use super::head::find;
use super::seat::Place;

const HOW: &str = "
## How they are typed

The same line means the same on Telegram, in a conversation with the Discord bot, in the terminal and behind `bellwether command`. Discord's own
slash commands stand below their group, as in `/portfolio status`, with `/halt` at the top as well; what is typed in a channel of a Discord server is not
read. A text message knows `STATUS`, `ACK`, `HALT`, `RESUME` and `MENU` ([SMS.md](SMS.md)).

- Capital letters do not matter. A name of two words is typed with a space or with `_`.
- `stop` and `halt` stop trading with and without the slash, whatever stands behind them.
- A command that misses something answers with what could stand there now: buttons on Telegram and Discord, lines to type elsewhere. A bare `/` or `#`
  answers with what can be done now.
- Tab in the terminal and Discord's fields complete names and what stands behind them, with what is possible now.
- A mistyped command is answered with the nearest one, but never with one that changes anything. A mistyped `#` action is answered with the nearest\n  action; nothing is done until you type it.
";

const TIMES: &str = "
## Times

A time stands in words: `for 2h`, `for 90 min`, `for 1d`, `until 16:00`, `until 4pm`, `until tomorrow 9:30`, `until friday`, `until friday 16:00`,
`until 2026-12-01`, `until 2026-12-01 09:30`; back in time `since 9:30`, `since monday`, `since yesterday`, `since 2026-11-01`, `since 3 days`. Where only a
length is asked for, `30m`, `2h30m`, `1d` and `1w` do.

- The nearest one is meant: the next 16:00, the last Monday. A day without an hour lasts to its end, and counts from its beginning.
- Hours are those of your zone. `EST` or `EDT` behind the hour says which one is meant where the clock is set back; an hour that the clock skips is the
  first one after it.
";

/// The whole page.
pub fn manual() -> String {
    let mut page = String::from(
        "# Commands\n\n\
         This page is generated from the table in `src/chat/commands.rs`; a test compares it. Rewrite it with `UPDATE_DOCS=1 cargo test --test it -- docs::`.\n",
    );
    page.push_str(HOW);
    page.push_str(TIMES);
    let _ = writeln!(
        page,
        "- What begins now ends within {LONGEST_DAYS} days. Each answer says the time as it was understood."
    );
    for group in Group::ALL {
        let _ = write!(
            page,
            "\n## {}\n\n| command | what it does | example | also | who | where |\n|---|---|---|---|---|---|\n",
            group.title()
        );
        for command in COMMANDS.iter().filter(|command| command.group == group) {
            page.push_str(&row(command));
        }
    }
    page.push_str(
        "\nA PIN is asked for after the effect was shown. *Yours alone* changes what you are told and nothing else. In a group only what is marked so is \
         answered.\n",
    );
    page.push_str(&short_forms());
    page
}

fn row(command: &Command) -> String {
    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let also: Vec<String> =
        command.aliases.iter().map(|alias| code(&format!("/{}", alias.replace('_', " ")))).collect();
    let (usage, help, example) = (code(&command.usage()), command.help.replace('|', "\\|"), code(command.example));
    format!("| {usage} | {help} | {example} | {} | {} | {} |\n", also.join(", "), who(command), place(command))
}

/// What a viewer is refused when it is carried out: it calls others, or keeps them from being called.
const NOT_FOR_VIEWERS: [&str; 2] = ["ack", "test"];

fn who(command: &Command) -> &'static str {
    match may(Role::Viewer, Place::Private, command) {
        Ok(()) if !NOT_FOR_VIEWERS.contains(&command.name) => "everybody",
        _ => "operators, owners",
    }
}

/// Where it is answered, and what it asks for.
fn place(command: &Command) -> String {
    let asks = match &command.run {
        Run::Control(_) if command.name == AT_TOP => "no PIN",
        Run::Control(_) => "PIN",
        Run::Personal(_) if NOT_FOR_VIEWERS.contains(&command.name) => "",
        Run::Personal(_) => "yours alone",
        _ => "",
    };
    let group = |hides_amounts| Place::Group { name: None, hides_amounts, acks: true };
    let groups = match (may(Role::Owner, group(true), command), may(Role::Owner, group(false), command)) {
        (Ok(()), _) => "in groups too",
        (Err(_), Ok(())) => "in groups that see amounts too",
        (Err(_), Err(_)) => "",
    };
    [asks, groups].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The lines with a `#` whose commands there are.
fn short_forms() -> String {
    let rows = |before: &str, actions: &[Action]| -> Vec<String> {
        let known = actions.iter().filter(|action| find(action.command).is_some());
        let row = |action: &Action| {
            let (line, long) = (format!("#{before}{}{}", action.name, action.shown), action.long(before));
            format!("| `{line}` | `{long}` |\n")
        };
        known.map(row).collect()
    };
    let all = [rows("", &WHOLE), rows("AAPL ", &OF_SYMBOL), rows("order-12 ", &OF_ORDER)].concat().concat();
    format!(
        "\n## Short forms\n\nThey do the same as the commands, ask for the same PIN, and work wherever lines are typed.\n\n| typed | is |\n|---|---|\n{all}"
    )
}
