//! What was heard on Discord? Slash commands, completions, presses, forms, and words written to the bot alone, in our own words.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

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

/// An interaction, of which only these parts count: what else comes with it, such as the whole message below which a button stands, may be of a
/// kind that nobody knows yet.
#[derive(Deserialize)]
struct WireInteraction {
    #[serde(rename = "type")]
    kind: u8,
    id: Snowflake,
    token: String,
    channel_id: Snowflake,
    guild_id: Option<Snowflake>,
    channel: Option<WireChannel>,
    /// In a server.
    member: Option<WireMember>,
    /// Alone with the bot.
    user: Option<WireUser>,
    data: WireData,
    message: Option<WireNamed>,
}

#[derive(Deserialize)]
struct WireChannel {
    #[serde(rename = "type", default)]
    kind: u8,
    parent_id: Option<Snowflake>,
}

#[derive(Deserialize)]
struct WireMember {
    user: WireUser,
}

#[derive(Deserialize)]
struct WireUser {
    id: Snowflake,
    #[serde(default)]
    username: String,
    global_name: Option<String>,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct WireNamed {
    id: Snowflake,
}

#[derive(Deserialize)]
struct WireData {
    #[serde(default)]
    name: String,
    #[serde(default)]
    custom_id: String,
    #[serde(default)]
    options: Vec<WireOption>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    components: Vec<WireRow>,
}

#[derive(Deserialize)]
struct WireOption {
    name: String,
    #[serde(rename = "type")]
    kind: u8,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    options: Vec<WireOption>,
    #[serde(default)]
    focused: bool,
}

#[derive(Deserialize)]
struct WireRow {
    #[serde(default)]
    components: Vec<WireField>,
}

#[derive(Deserialize)]
struct WireField {
    #[serde(default)]
    custom_id: String,
    value: Option<String>,
}

/// Words, of which only these parts count.
#[derive(Deserialize)]
struct WireMessage {
    #[serde(rename = "type", default)]
    kind: u8,
    id: Snowflake,
    channel_id: Snowflake,
    author: WireUser,
    webhook_id: Option<Snowflake>,
    #[serde(default)]
    content: String,
    message_reference: Option<WireReference>,
    #[serde(default)]
    message_snapshots: Vec<Value>,
}

#[derive(Deserialize)]
struct WireReference {
    /// 0 for what is answered, which may be left out.
    #[serde(rename = "type", default)]
    kind: u8,
    message_id: Option<Snowflake>,
}

/// A number of Discord's, which comes as text.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Snowflake(u64);

impl TryFrom<String> for Snowflake {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl Snowflake {
    /// Discord's numbers are below 2^63 as long as its clock is right.
    fn number(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

/// Kinds of interactions.
const COMMAND: u8 = 2;
const COMPONENT: u8 = 3;
const COMPLETION: u8 = 4;
const FORM: u8 = 5;
/// Kinds of channels that are threads.
const THREADS: [u8; 3] = [10, 11, 12];
/// Kinds of messages: words, and words in answer to others.
const WORDS: [u8; 2] = [0, 19];
/// Kinds of options that only lead to the command itself.
const BELOW: [u8; 2] = [1, 2];

/// What a gateway's event of this name says; nothing where it is not meant for us.
///
/// # Errors
/// With what is wrong, without any of its text.
pub(super) fn overheard(name: &str, event: &Value) -> Result<Option<Overheard>, String> {
    let unread = |error: serde_json::Error| format!("it lacks what every such event has ({:?})", error.classify());
    match name {
        "INTERACTION_CREATE" => {
            let kind = event["type"].as_u64().unwrap_or_default();
            if !(u64::from(COMMAND)..=u64::from(FORM)).contains(&kind) {
                return Ok(None);
            }
            Ok(of_interaction(WireInteraction::deserialize(event).map_err(unread)?))
        }
        "MESSAGE_CREATE" if event["guild_id"].is_null() => {
            Ok(of_message(WireMessage::deserialize(event).map_err(unread)?))
        }
        _ => Ok(None),
    }
}

fn of_interaction(read: WireInteraction) -> Option<Overheard> {
    let user = read.member.map(|member| member.user).or(read.user)?;
    let what = what_of(read.kind, read.data, read.message)?;
    Some(Overheard {
        id: read.id.0,
        token: Some(SecretString::from(read.token)),
        user: user.id.number(),
        user_words: called(user),
        channel: read.channel_id.number(),
        parent: read
            .channel
            .filter(|channel| THREADS.contains(&channel.kind))
            .and_then(|channel| channel.parent_id)
            .map(Snowflake::number),
        guild: read.guild_id.map(Snowflake::number),
        sent_ms: sent_ms(read.id.0),
        what,
    })
}

fn what_of(kind: u8, data: WireData, message: Option<WireNamed>) -> Option<OverheardKind> {
    match kind {
        COMMAND => {
            let (path, options) = path_of(data);
            Some(OverheardKind::Command { path, options: options.iter().map(written).collect() })
        }
        COMPLETION => {
            let (path, options) = path_of(data);
            let (focused, typed) = options.iter().find(|option| option.focused).map(written)?;
            Some(OverheardKind::Completing { path, options: options.iter().map(written).collect(), focused, typed })
        }
        COMPONENT => {
            let message = message?.id.number();
            Some(OverheardKind::Press { custom_id: data.custom_id, message, values: data.values })
        }
        FORM => {
            let parts = data.components.into_iter().flat_map(|row| row.components);
            let fields = parts.filter_map(|field| Some((field.custom_id, SecretString::from(field.value?))));
            Some(OverheardKind::Submitted { custom_id: data.custom_id, fields: fields.collect() })
        }
        _ => None,
    }
}

fn of_message(message: WireMessage) -> Option<Overheard> {
    // What bots write, ourselves among them, is no order to anybody.
    let is_ours = message.author.bot || message.webhook_id.is_some();
    if is_ours || !WORDS.contains(&message.kind) {
        return None;
    }
    let answers = message.message_reference.as_ref().filter(|to| to.kind == 0);
    let own_words = message.message_snapshots.is_empty() && message.message_reference.is_some() == answers.is_some();
    let reply_to = answers.and_then(|to| to.message_id).map(Snowflake::number);
    Some(Overheard {
        id: message.id.0,
        token: None,
        user: message.author.id.number(),
        user_words: called(message.author),
        channel: message.channel_id.number(),
        parent: None,
        guild: None,
        sent_ms: sent_ms(message.id.0),
        what: OverheardKind::Words { text: message.content, reply_to, own_words },
    })
}

/// The names down to the command itself, and its options.
fn path_of(data: WireData) -> (Vec<String>, Vec<WireOption>) {
    let (mut path, mut options) = (vec![data.name], data.options);
    while options.len() == 1 && BELOW.contains(&options[0].kind) {
        let below = options.remove(0);
        path.push(below.name);
        options = below.options;
    }
    (path, options)
}

fn written(option: &WireOption) -> (String, String) {
    let value = match &option.value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    (option.name.clone(), value)
}

fn called(user: WireUser) -> String {
    user.global_name.unwrap_or(user.username)
}

/// When something with this number came about, in milliseconds since 1970.
pub(super) fn sent_ms(id: u64) -> i64 {
    (id >> 22) as i64 + DISCORD_EPOCH_MS
}
