//! Which slash commands does Discord offer? The table of commands, grouped so that its limits hold; registered when they changed.

use serde_json::Value;
use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, InteractionContext};
use serenity::model::permissions::Permissions;

use crate::channels::DiscordError;
use crate::chat::{AT_TOP, COMMANDS, Command, Group, Param, What};
use crate::store::Reader;

use super::discord_house::DiscordHouse;

/// What was registered, as it is kept: where, and the hash of it.
const REGISTERED: &str = "discord commands";

/// All slash commands: one for each group of the help, with its commands below it, and `/halt`.
pub(super) fn slash_commands() -> Vec<CreateCommand> {
    let grouped = Group::ALL.into_iter().map(|group| {
        let of_group = COMMANDS.iter().filter(|command| command.group == group);
        let top = shared(CreateCommand::new(group.name()).description(about(group)))
            .set_options(of_group.map(subcommand).collect());
        // Everybody is checked by our own list whatever is shown; what lets trading go on is offered to a server's admins alone unless they say more.
        if group.changes() { top.default_member_permissions(Permissions::empty()) } else { top }
    });
    let halt = COMMANDS.iter().filter(|command| command.name == AT_TOP);
    let halt = halt.map(|halt| shared(CreateCommand::new(halt.name).description(halt.help)));
    grouped.chain(halt).collect()
}

/// In servers and in the conversation with the bot.
fn shared(command: CreateCommand) -> CreateCommand {
    command.contexts(vec![InteractionContext::Guild, InteractionContext::BotDm])
}

const fn about(group: Group) -> &'static str {
    match group {
        Group::Portfolio => "Money, positions, trades, alerts",
        Group::Risk => "What can be lost, and what limits it",
        Group::Reasons => "Why something happened, or did not",
        Group::Attention => "What you are told, and what you have seen",
        Group::Control => "What books may do, and who agrees; the PIN is asked for",
        Group::Orders => "Orders and levels; the PIN is asked for",
        Group::Tuning => "Settings over the file; the PIN is asked for",
        Group::System => "The bot itself",
    }
}

fn subcommand(command: &Command) -> CreateCommandOption {
    CreateCommandOption::new(CommandOptionType::SubCommand, command.name, command.help)
        .set_sub_options(command.params.iter().map(option))
}

fn option(param: &Param) -> CreateCommandOption {
    let option = CreateCommandOption::new(CommandOptionType::String, param.name, param.help).required(param.needed);
    match param.what {
        What::OneOf(words) => words.iter().fold(option, |option, word| option.add_string_choice(*word, *word)),
        What::Code => option,
        _ => option.set_autocomplete(true),
    }
}

/// The command that was given, whatever groups it stands in; none that is not of the table.
pub(super) fn command_of(path: &[String]) -> Option<&'static Command> {
    let name = path.last()?;
    COMMANDS.iter().find(|command| command.name == name)
}

/// What was given in its places, as it is typed: `/chart AAPL 1h`.
pub(super) fn line_of(command: &Command, options: &[(String, String)]) -> String {
    let mut line = format!("/{}", command.name);
    for (_, value) in given(command, options) {
        line.push(' ');
        line.push_str(value.trim());
    }
    line
}

/// What was given, in the order of the table's places.
pub(super) fn given<'a>(command: &'a Command, options: &'a [(String, String)]) -> Vec<(&'a Param, &'a str)> {
    let of = |param: &'a Param| {
        let found = options.iter().find(|(name, value)| name == param.name && !value.trim().is_empty())?;
        Some((param, found.1.as_str()))
    };
    command.params.iter().filter_map(of).collect()
}

impl DiscordHouse {
    /// Sets the slash commands where they are not as the table says.
    pub(super) fn register(&self) {
        let commands = slash_commands();
        let words = serde_json::to_value(&commands).unwrap_or(Value::Null).to_string();
        let place = self.guild.map_or_else(|| "everywhere".to_owned(), |guild| guild.to_string());
        let hash = blake3::hash(words.as_bytes()).to_hex();
        let house = self.clone();
        self.reception.switchboard.network.spawn(async move {
            let set = house.until_done("the slash commands are not set yet", || async {
                let application = house.discord.myself().await?.application;
                let now = format!("{application} {place} {hash}");
                let known = house.kept_commands();
                if known.as_deref() == Some(now.as_str()) {
                    return Ok(None);
                }
                let before = known.as_deref().and_then(|known| place_of(known, application));
                if let Some(before) = before.filter(|before| before.guild() != house.guild) {
                    // The same commands would be there twice.
                    match house.discord.register(before.guild(), &[]).await {
                        // The bot may have left that server, and there is nothing to clear then.
                        Err(DiscordError::Refused { words, .. }) => {
                            tracing::warn!(words, "the slash commands of before are not taken back");
                        }
                        cleared => cleared?,
                    }
                }
                house.discord.register(house.guild, &commands).await?;
                Ok::<_, DiscordError>(Some(now))
            });
            if let Some(Some(now)) = set.await
                && let Err(error) = house.reception.switchboard.store.keep_meta(REGISTERED, now)
            {
                tracing::warn!(%error, "that the slash commands are set is not noted");
            }
        });
    }

    fn kept_commands(&self) -> Option<String> {
        let reader = Reader::open(self.reception.switchboard.store.path()).ok()?;
        reader.meta(REGISTERED).ok().flatten()
    }
}

/// Where commands are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetIn {
    Everywhere,
    Guild(u64),
}

impl SetIn {
    fn guild(self) -> Option<u64> {
        match self {
            Self::Everywhere => None,
            Self::Guild(guild) => Some(guild),
        }
    }
}

/// Where the commands of this application were set before.
fn place_of(kept: &str, application: u64) -> Option<SetIn> {
    let mut words = kept.split(' ');
    if words.next()?.parse() != Ok(application) {
        return None;
    }
    Some(words.next()?.parse().map_or(SetIn::Everywhere, SetIn::Guild))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn words(option: &Value) -> usize {
        let own = ["name", "description", "value"].iter().filter_map(|key| option[*key].as_str()).map(str::len);
        let below = ["options", "choices"].iter().filter_map(|key| option[*key].as_array()).flatten().map(words);
        own.sum::<usize>() + below.sum::<usize>()
    }

    fn check(option: &Value) {
        let (name, about) = (option["name"].as_str().unwrap_or(""), option["description"].as_str().unwrap_or(""));
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        assert!(plain && (1..=32).contains(&name.len()), "{option}");
        assert!((1..=100).contains(&about.encode_utf16().count()), "{option}");
        let below = |key: &str| option[key].as_array().cloned().unwrap_or_default();
        assert!(below("options").len() <= 25 && below("choices").len() <= 25, "{option}");
        let mut names: Vec<String> = below("options").iter().map(|one| one["name"].to_string()).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{option}");
        let needed: Vec<bool> = below("options").iter().map(|one| one["required"] == true).collect();
        assert!(needed.is_sorted_by(|a, b| a >= b), "what is needed comes first: {option}");
        for choice in below("choices") {
            assert!(choice["value"].as_str().is_some_and(|value| (1..=100).contains(&value.len())), "{option}");
        }
        assert!(option["autocomplete"] != true || below("choices").is_empty(), "{option}");
        below("options").iter().for_each(check);
    }

    #[test]
    fn all_commands_are_there_once_and_every_limit_holds() {
        let all = serde_json::to_value(slash_commands()).expect("json");
        let all = all.as_array().expect("a list");
        assert!(all.len() <= 100);
        let mut offered = Vec::new();
        for command in all {
            check(command);
            assert!(words(command) <= 8_000, "{command}");
            assert_eq!(command["contexts"], serde_json::json!([0, 1]));
            let hidden = command["default_member_permissions"] == "0";
            assert_eq!(
                hidden,
                ["control", "orders", "tuning"].contains(&command["name"].as_str().expect("a name")),
                "the safe direction is never hidden: {command}"
            );
            let below = command["options"].as_array().cloned().unwrap_or_default();
            offered.extend(below.iter().map(|one| one["name"].as_str().expect("a name").to_owned()));
        }
        assert!(all.iter().any(|command| command["name"] == AT_TOP));
        offered.sort();
        let mut known: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
        known.sort_unstable();
        assert_eq!(offered, known);
    }

    #[test]
    fn what_was_given_is_what_would_be_typed() {
        let path = |path: &str| path.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let options =
            |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        for (words, given, want) in [
            ("halt", options(&[]), "/halt"),
            ("control halt", options(&[]), "/halt"),
            ("portfolio chart", options(&[("bars", "1h"), ("what", "AAPL")]), "/chart AAPL 1h"),
            ("risk stress", options(&[("book", "main")]), "/stress main"),
            ("portfolio alert", options(&[("when", " AAPL > 200 ")]), "/alert AAPL > 200"),
            ("portfolio pnl", options(&[("other", "x"), ("period", "")]), "/pnl"),
        ] {
            assert_eq!(line_of(command_of(&path(words)).expect("there"), &given), want);
        }
        assert!(command_of(&path("portfolio nothing")).is_none() && command_of(&[]).is_none());
    }

    #[test]
    fn where_commands_were_is_known_for_one_application() {
        assert_eq!(place_of("7 everywhere abc", 7), Some(SetIn::Everywhere));
        assert_eq!(place_of("7 12 abc", 7), Some(SetIn::Guild(12)));
        assert_eq!((place_of("8 12 abc", 7), place_of("", 7)), (None, None));
    }
}
