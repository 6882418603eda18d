//! Which commands are there? Help, menus, completion and the parser are derived from this table; its order is their order.

use super::command::{Command, Group, Run};
use super::handle::Reply;
use super::params::{Param, What};

use super::table_controls::CONTROLS;
use super::table_people::PEOPLE;
use super::table_tuning::TUNING;
use super::table_views::VIEWS;

pub(super) const BOOK: Param = Param::perhaps("book", "book", What::Book, "One book alone");
pub(super) const KIND: Param = Param::needed("kind", "KIND", What::Patient, "The kind of message");
pub(super) const UNTIL: Param = Param::perhaps("time", "for 2h|until 16:00", What::Until, "Until it ends by itself");
pub(super) const HELD: Param = Param::needed("symbol", "SYMBOL", What::Held, "What is held");
pub(super) const LEVEL: Param = Param::needed("level", "175|3%", What::Level, "A price, or a distance");
/// What is bought or sold.
pub(super) const TRADE: &[Param] = &[
    WATCHED,
    Param::perhaps(
        "amount",
        "5|$500|2%",
        What::Amount,
        "Units, money, a share of equity or of what it leaves; the book's rule if none",
    ),
    Param::perhaps("limit", "limit PRICE", What::Limit, "The worst acceptable price; at the market if none"),
    BOOK,
];
pub(super) const SETTINGS: &[&str] = &["zone", "quiet", "digest", "numbers", "dates", "hours", "usual"];
pub(super) const NOTED: Param =
    Param::needed("about", "TRADE|ORDER|SYMBOL|MESSAGE|today", What::Noted, "What was traded, a number, or a day");
pub(super) const WAITS: Param = Param::needed("change", "NUMBER", What::Like(&[]), "The number that the message tells");
pub(super) const STRATEGY: Param = Param::needed("strategy", "STRATEGY", What::StrategyName, "Which strategy");
pub(super) const WATCHED: Param = Param::needed("symbol", "SYMBOL", What::Symbol, "The symbol");

/// A command without arguments and other names.
pub(super) const BARE: Command = Command {
    name: "",
    aliases: &[],
    group: Group::System,
    params: &[],
    help: "",
    example: "",
    run: Run::Text(|_, _| Ok(Reply::Text(String::new()))),
};

/// A command that may name a book.
pub(super) const OF_A_BOOK: Command = Command { params: &[BOOK], ..BARE };

/// Every command.
pub const COMMANDS: &[Command] = &joined::<{ VIEWS.len() + PEOPLE.len() + CONTROLS.len() + TUNING.len() }>();

/// The tables one behind the other.
const fn joined<const COUNT: usize>() -> [Command; COUNT] {
    let tables = [VIEWS, CONTROLS, TUNING, PEOPLE];
    let mut all = [BARE; COUNT];
    let (mut table, mut row, mut place) = (0, 0, 0);
    while table < tables.len() {
        if row == tables[table].len() {
            (table, row) = (table + 1, 0);
        } else {
            all[place] = tables[table][row];
            (row, place) = (row + 1, place + 1);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Telegram: 100 commands, [a-z0-9_]{1,32}, description 256. Discord: 100, 32, description 100.
    #[test]
    fn every_command_fits_both_platforms_and_names_are_used_once() {
        assert!(COMMANDS.len() <= 100);
        let mut names = Vec::new();
        for Command { name, aliases, help, example, .. } in COMMANDS {
            let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            assert!(plain && (1..=32).contains(&name.len()), "{name}");
            assert!((1..=100).contains(&help.chars().count()), "{name}: {help}");
            assert!(
                example.replacen(' ', "_", 1).starts_with(&format!("/{name}"))
                    || example.starts_with(&format!("/{name}")),
                "{name}: {example}"
            );
            names.push(*name);
            names.extend(*aliases);
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
