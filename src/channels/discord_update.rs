//! What was heard on Discord? Slash commands, completions, presses, forms, and words written to the bot alone, in our own words.

use secrecy::SecretString;
use serde_json::Value;
use serenity::model::application::{
    ActionRowComponent, CommandDataOption, CommandDataOptionValue, CommandInteraction, ComponentInteraction,
    ComponentInteractionDataKind, Interaction, ModalInteraction,
};
use serenity::model::channel::{ChannelType, Message, MessageReferenceKind, MessageType, PartialChannel};
use serenity::model::user::User;

/// The first millisecond of Discord's numbers, since 1970.
const DISCORD_EPOCH_MS: i64 = 1_420_070_400_000;

/// Something that was heard on Discord.
#[derive(Debug, Clone)]
pub struct Overheard {
    /// The number of the interaction or the message. No two have the same.
    pub id: u64,
    /// Answers the interaction for 15 minutes. It stays in memory and is never printed; words have none.
    pub token: Option<SecretString>,
    /// Whose it is.
    pub user: i64,
    /// How they are called, for people to read; it proves nothing.
    pub user_words: String,
    /// The channel it came from.
    pub channel: i64,
    /// The channel of the thread that it came from, if it is one.
    pub parent: Option<i64>,
    /// The server of the channel; none where somebody is alone with the bot.
    pub guild: Option<i64>,
    /// When it was sent, in milliseconds since 1970, from its number.
    pub sent_ms: i64,
    /// What it is.
    pub what: OverheardKind,
}

/// What was heard.
#[derive(Debug, Clone)]
pub enum OverheardKind {
    /// A slash command.
    Command {
        /// Its name, below its group where it has one: `risk`, `limits`.
        path: Vec<String>,
        /// Its options with their values.
        options: Vec<(String, String)>,
    },
    /// A slash command that is being typed: what could stand there?
    Completing {
        /// Its name, below its group where it has one.
        path: Vec<String>,
        /// The options that are there, the one being typed too.
        options: Vec<(String, String)>,
        /// The option that is being typed.
        focused: String,
        /// What is there of it.
        typed: String,
    },
    /// A button, or a choice from a menu.
    Press {
        /// What we named the component.
        custom_id: String,
        /// The message below which it stands.
        message: i64,
        /// What was chosen; nothing for a button.
        values: Vec<String>,
    },
    /// A form.
    Submitted {
        /// What we named the form.
        custom_id: String,
        /// Its fields: a PIN may stand in one.
        fields: Vec<(String, SecretString)>,
    },
    /// Words to the bot alone.
    Words {
        /// The words.
        text: String,
        /// The message that they answer.
        reply_to: Option<i64>,
        /// The user wrote them: they are not forwarded.
        own_words: bool,
    },
}

/// What a gateway's event of this name says; nothing where it is not meant for us.
///
/// # Errors
/// With what is wrong, without any of its text.
pub(super) fn overheard(name: &str, event: &Value) -> Result<Option<Overheard>, String> {
    let unread = |error: serde_json::Error| format!("{:?} at {}", error.classify(), error.column());
    match name {
        "INTERACTION_CREATE" => {
            let kind = event["type"].as_u64().unwrap_or_default();
            if !(2..=5).contains(&kind) {
                return Ok(None);
            }
            // From text: what goes through a value loses serenity's order of fields.
            let read: Interaction = serde_json::from_str(&event.to_string()).map_err(unread)?;
            Ok(of_interaction(read))
        }
        "MESSAGE_CREATE" => {
            if !event["guild_id"].is_null() {
                return Ok(None);
            }
            let forwarded = event["message_snapshots"].as_array().is_some_and(|all| !all.is_empty());
            let message: Message = serde_json::from_str(&event.to_string()).map_err(unread)?;
            Ok(of_message(message, forwarded))
        }
        _ => Ok(None),
    }
}

fn of_interaction(read: Interaction) -> Option<Overheard> {
    match read {
        Interaction::Command(command) => {
            let (path, options) = path_of(&command.data.name, &command.data.options);
            let what = OverheardKind::Command { path, options: options.iter().map(written).collect() };
            Some(of_command(command, what))
        }
        Interaction::Autocomplete(command) => {
            let (path, options) = path_of(&command.data.name, &command.data.options);
            let (focused, typed) = options.iter().find_map(|option| match &option.value {
                CommandDataOptionValue::Autocomplete { value, .. } => Some((option.name.clone(), value.clone())),
                _ => None,
            })?;
            let options = options.iter().map(written).collect();
            let what = OverheardKind::Completing { path, options, focused, typed };
            Some(of_command(command, what))
        }
        Interaction::Component(press) => Some(of_press(press)),
        Interaction::Modal(form) => Some(of_form(form)),
        _ => None,
    }
}

fn of_command(command: CommandInteraction, what: OverheardKind) -> Overheard {
    Overheard {
        id: command.id.get(),
        token: Some(SecretString::from(command.token)),
        user: number(command.user.id.get()),
        user_words: called(&command.user),
        channel: number(command.channel_id.get()),
        parent: command.channel.as_ref().and_then(parent),
        guild: command.guild_id.map(|guild| number(guild.get())),
        sent_ms: sent_ms(command.id.get()),
        what,
    }
}

fn of_press(press: ComponentInteraction) -> Overheard {
    let values = match press.data.kind {
        ComponentInteractionDataKind::StringSelect { values } => values,
        _ => Vec::new(),
    };
    Overheard {
        id: press.id.get(),
        token: Some(SecretString::from(press.token)),
        user: number(press.user.id.get()),
        user_words: called(&press.user),
        channel: number(press.channel_id.get()),
        parent: press.channel.as_ref().and_then(parent),
        guild: press.guild_id.map(|guild| number(guild.get())),
        sent_ms: sent_ms(press.id.get()),
        what: OverheardKind::Press { custom_id: press.data.custom_id, message: number(press.message.id.get()), values },
    }
}

fn of_form(form: ModalInteraction) -> Overheard {
    let parts = form.data.components.into_iter().flat_map(|row| row.components);
    let fields = parts.filter_map(|part| match part {
        ActionRowComponent::InputText(text) => Some((text.custom_id, SecretString::from(text.value?))),
        _ => None,
    });
    Overheard {
        id: form.id.get(),
        token: Some(SecretString::from(form.token)),
        user: number(form.user.id.get()),
        user_words: called(&form.user),
        channel: number(form.channel_id.get()),
        parent: form.channel.as_ref().and_then(parent),
        guild: form.guild_id.map(|guild| number(guild.get())),
        sent_ms: sent_ms(form.id.get()),
        what: OverheardKind::Submitted { custom_id: form.data.custom_id, fields: fields.collect() },
    }
}

fn of_message(message: Message, forwarded: bool) -> Option<Overheard> {
    // What bots write, ourselves among them, is no order to anybody.
    let is_ours = message.author.bot || message.webhook_id.is_some();
    if is_ours || !matches!(message.kind, MessageType::Regular | MessageType::InlineReply) {
        return None;
    }
    let reference = message.message_reference;
    let is_reply = |kind| kind == MessageReferenceKind::Default;
    let reply_to = reference.as_ref().filter(|to| is_reply(to.kind)).and_then(|to| to.message_id);
    let own_words = !forwarded && reference.is_none_or(|to| is_reply(to.kind));
    Some(Overheard {
        id: message.id.get(),
        token: None,
        user: number(message.author.id.get()),
        user_words: called(&message.author),
        channel: number(message.channel_id.get()),
        parent: None,
        guild: None,
        sent_ms: sent_ms(message.id.get()),
        what: OverheardKind::Words { text: message.content, reply_to: reply_to.map(|to| number(to.get())), own_words },
    })
}

/// The channel that a thread stands in.
fn parent(channel: &PartialChannel) -> Option<i64> {
    let is_thread =
        matches!(channel.kind, ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread);
    channel.parent_id.filter(|_| is_thread).map(|parent| number(parent.get()))
}

/// The names down to the command itself, and its options.
fn path_of<'a>(name: &str, options: &'a [CommandDataOption]) -> (Vec<String>, &'a [CommandDataOption]) {
    let (mut path, mut options) = (vec![name.to_owned()], options);
    while let [CommandDataOption { name, value, .. }] = options {
        let (CommandDataOptionValue::SubCommand(below) | CommandDataOptionValue::SubCommandGroup(below)) = value else {
            break;
        };
        path.push(name.clone());
        options = below;
    }
    (path, options)
}

fn written(option: &CommandDataOption) -> (String, String) {
    let value = match &option.value {
        CommandDataOptionValue::String(value) | CommandDataOptionValue::Autocomplete { value, .. } => value.clone(),
        CommandDataOptionValue::Boolean(value) => value.to_string(),
        CommandDataOptionValue::Integer(value) => value.to_string(),
        CommandDataOptionValue::Number(value) => value.to_string(),
        CommandDataOptionValue::User(id) => id.to_string(),
        CommandDataOptionValue::Channel(id) => id.to_string(),
        CommandDataOptionValue::Role(id) => id.to_string(),
        _ => String::new(),
    };
    (option.name.clone(), value)
}

fn called(user: &User) -> String {
    user.global_name.clone().unwrap_or_else(|| user.name.clone())
}

/// Discord's numbers are below 2^63 as long as its clock is right.
fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// When something with this number came about, in milliseconds since 1970.
pub(super) fn sent_ms(id: u64) -> i64 {
    (id >> 22) as i64 + DISCORD_EPOCH_MS
}
