//! What can be done on Discord? Each act is one call; what became of it is told as it was answered.

use std::sync::{Arc, OnceLock};

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use serenity::builder::{
    AutocompleteChoice, CreateActionRow, CreateAutocompleteResponse, CreateInputText, CreateInteractionResponse,
    CreateInteractionResponseMessage, CreateModal,
};
use serenity::model::application::InputTextStyle;

use crate::domain::Attachment;

use super::discord_answer::DiscordError;
use super::discord_client::{Call, DiscordClient};
use super::discord_update::{Overheard, sent_ms};
use super::render_discord::{Sheet, units_cut};
use super::telegram_client::Answered;

/// Only the reader sees it.
const EPHEMERAL: u64 = 1 << 6;
/// It makes no sound.
const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
/// Choices that a completion shows, and how long each may be.
const CHOICES_MAX: usize = 25;
const CHOICE_UNITS: usize = 100;
/// The longest name of a form, and of a field in one.
const TITLE_UNITS: usize = 45;
/// The longest name of a thread.
const THREAD_UNITS: usize = 100;

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The application.
    pub application: u64,
    /// Its user.
    pub user: u64,
    /// How that is called.
    pub name: String,
}

/// A message that is to be shown.
#[derive(Debug, Default)]
pub struct Dispatch<'a> {
    /// What it says.
    pub sheet: Sheet,
    /// What can be pressed below it.
    pub rows: Vec<CreateActionRow>,
    /// What goes with it.
    pub file: Option<&'a Attachment>,
    /// Without a sound.
    pub silent: bool,
    /// The message that it answers; it is sent all the same if that one is gone.
    pub reply_to: Option<i64>,
    /// A name of at most 25 characters, by which Discord takes it once within some minutes.
    pub nonce: Option<String>,
    /// It can wait: the last call of a window is left to what cannot.
    pub yields: bool,
}

/// A message in a channel, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its number.
    pub id: i64,
    /// When it was sent, in milliseconds since 1970.
    pub sent_ms: i64,
    /// Whose it is.
    pub author: u64,
    /// The title, the text and the footer of its first embed.
    pub title: String,
    /// As above.
    pub description: String,
    /// As above.
    pub footer: String,
}

/// A bot on Discord.
#[derive(Debug, Clone)]
pub struct Discord {
    pub(super) client: DiscordClient,
    pub(super) account: Arc<OnceLock<Account>>,
}

impl Discord {
    /// Acts through this client.
    pub fn new(client: DiscordClient) -> Self {
        Self { client, account: Arc::default() }
    }

    pub(super) fn client(&self) -> &DiscordClient {
        &self.client
    }

    /// Which bot it is, by a hash of its token.
    pub fn bot(&self) -> String {
        self.client.bot()
    }

    /// Says that an answer will come: to its asker alone, or to everybody in the channel.
    ///
    /// # Errors
    /// When the interaction was not answered.
    pub async fn defer(&self, to: &Overheard, ephemeral: bool) -> Result<(), DiscordError> {
        let empty = CreateInteractionResponseMessage::new();
        let message = if ephemeral { empty.ephemeral(true) } else { empty };
        // Nothing but that flag may be said here.
        let mut response = written(&CreateInteractionResponse::Defer(message))?;
        let flags = response["data"]["flags"].take();
        response["data"] = if flags.is_null() { json!({}) } else { json!({ "flags": flags }) };
        self.respond(to, response).await
    }

    /// Takes the press of a button; the message stays as it is until it is changed.
    ///
    /// # Errors
    /// When the interaction was not answered.
    pub async fn defer_update(&self, to: &Overheard) -> Result<(), DiscordError> {
        self.respond(to, json!({ "type": 6 })).await
    }

    /// Asks for a PIN of so many digits in a form whose one field is named `pin`.
    ///
    /// # Errors
    /// When the interaction was not answered.
    pub async fn ask_pin(
        &self,
        to: &Overheard,
        custom_id: &str,
        (title, fields): (&str, &[(&str, &str)]),
        (least, most): (u8, u8),
    ) -> Result<(), DiscordError> {
        let rows = fields.iter().map(|(name, label)| {
            let field = CreateInputText::new(InputTextStyle::Short, units_cut(label, TITLE_UNITS), *name);
            CreateActionRow::InputText(field.min_length(least.into()).max_length(most.into()).required(true))
        });
        let form = CreateModal::new(custom_id, units_cut(title, TITLE_UNITS)).components(rows.collect());
        self.respond(to, written(&CreateInteractionResponse::Modal(form))?).await
    }

    /// Offers what could be typed: what is shown, and what it stands for. At most 25 are shown.
    ///
    /// # Errors
    /// When the interaction was not answered.
    pub async fn offer(&self, to: &Overheard, choices: &[(String, String)]) -> Result<(), DiscordError> {
        let is_whole = |text: &str| !text.is_empty() && text.encode_utf16().count() <= CHOICE_UNITS;
        let fitting = choices.iter().filter(|(shown, value)| !shown.is_empty() && is_whole(value));
        let shown = fitting
            .take(CHOICES_MAX)
            .map(|(shown, value)| AutocompleteChoice::new(units_cut(shown, CHOICE_UNITS), value.as_str()));
        let response = CreateAutocompleteResponse::new().set_choices(shown.collect());
        self.respond(to, written(&CreateInteractionResponse::Autocomplete(response))?).await
    }

    async fn respond(&self, to: &Overheard, response: Value) -> Result<(), DiscordError> {
        let Some(token) = &to.token else {
            return Err(DiscordError::NotSent("words have no first response".to_owned()));
        };
        let path = format!("/interactions/{}/{}/callback", to.id, token.expose_secret());
        let mut call = Call::new(Method::POST, path, "POST /interactions/{}/{}/callback", to.id).with(response);
        (call.lane.exempt, call.at_once, call.secret) = (true, true, Some(token));
        self.client.call(call).await.map(drop)
    }

    /// The answer that was deferred: its message's number.
    ///
    /// # Errors
    /// When it was not shown, or nobody knows: it can be repeated.
    pub async fn answer(&self, token: &SecretString, what: &Dispatch<'_>) -> Result<Answered<i64>, DiscordError> {
        let path = |application| format!("/webhooks/{application}/{}/messages/@original", token.expose_secret());
        let route = "PATCH /webhooks/{}/{}/messages/@original";
        self.by_token(Method::PATCH, path, route, token, what, 0).await
    }

    /// A further message upon an interaction, for its asker alone.
    ///
    /// # Errors
    /// When it was not shown, or nobody knows: a repeat may show it twice.
    pub async fn follow_up(&self, token: &SecretString, what: &Dispatch<'_>) -> Result<Answered<i64>, DiscordError> {
        let path = |application| format!("/webhooks/{application}/{}", token.expose_secret());
        self.by_token(Method::POST, path, "POST /webhooks/{}/{}", token, what, EPHEMERAL).await
    }

    async fn by_token(
        &self,
        method: Method,
        path: impl Fn(u64) -> String,
        route: &'static str,
        token: &SecretString,
        what: &Dispatch<'_>,
        flags: u64,
    ) -> Result<Answered<i64>, DiscordError> {
        let application = self.myself().await?.application;
        let name = what.file.map(file_name);
        // Each token is a webhook of its own.
        let mut hash = [0; 8];
        hash.copy_from_slice(&blake3::hash(token.expose_secret().as_bytes()).as_bytes()[..8]);
        let body = body(what, name.as_deref(), flags);
        let mut call = Call::new(method, path(application), route, u64::from_le_bytes(hash)).with(body);
        (call.lane.exempt, call.secret) = (true, Some(token));
        call.file = what.file.zip(name.as_deref());
        numbered(self.client.call(call).await?)
    }

    /// The channel in which a user is alone with the bot.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open_dm(&self, user: i64) -> Result<i64, DiscordError> {
        let body = json!({ "recipient_id": user.to_string() });
        let call = Call::new(Method::POST, "/users/@me/channels".to_owned(), "POST /users/@me/channels", 0).with(body);
        Ok(numbered(self.client.call(call).await?)?.value)
    }

    /// Sends a message into a channel or a thread: its number.
    ///
    /// # Errors
    /// When it was not taken, or nobody knows: what has a nonce can be repeated.
    pub async fn send(&self, channel: i64, what: &Dispatch<'_>) -> Result<Answered<i64>, DiscordError> {
        let name = what.file.map(file_name);
        let mut body = body(what, name.as_deref(), 0);
        if what.silent {
            body["flags"] = SUPPRESS_NOTIFICATIONS.into();
        }
        if let Some(nonce) = &what.nonce {
            (body["nonce"], body["enforce_nonce"]) = (nonce.as_str().into(), true.into());
        }
        if let Some(message) = what.reply_to {
            body["message_reference"] = json!({ "message_id": message.to_string(), "fail_if_not_exists": false });
        }
        let path = format!("/channels/{channel}/messages");
        let mut call = Call::new(Method::POST, path, "POST /channels/{}/messages", major(channel)).with(body);
        call.file = what.file.zip(name.as_deref());
        call.lane.yields = what.yields;
        numbered(self.client.call(call).await?)
    }

    /// Changes a message of ours.
    ///
    /// # Errors
    /// When it was not changed, or nobody knows.
    pub async fn edit(&self, channel: i64, message: i64, what: &Dispatch<'_>) -> Result<(), DiscordError> {
        let name = what.file.map(file_name);
        let path = format!("/channels/{channel}/messages/{message}");
        let route = "PATCH /channels/{}/messages/{}";
        let mut call = Call::new(Method::PATCH, path, route, major(channel)).with(body(what, name.as_deref(), 0));
        call.file = what.file.zip(name.as_deref());
        self.client.call(call).await.map(drop)
    }

    /// Removes a message of ours.
    ///
    /// # Errors
    /// When it was not removed, or nobody knows.
    pub async fn remove(&self, channel: i64, message: i64) -> Result<(), DiscordError> {
        let path = format!("/channels/{channel}/messages/{message}");
        let call = Call::new(Method::DELETE, path, "DELETE /channels/{}/messages/{}", major(channel));
        self.client.call(call).await.map(drop)
    }

    /// The latest messages in a channel, newest first, at most 50.
    ///
    /// # Errors
    /// When Discord does not say.
    pub async fn latest(&self, channel: i64) -> Result<Vec<Posted>, DiscordError> {
        let path = format!("/channels/{channel}/messages?limit=50");
        let call = Call::new(Method::GET, path, "GET /channels/{}/messages", major(channel));
        let told = self.client.call(call).await?.value;
        let all = told.as_array().ok_or_else(|| DiscordError::Unreadable("no list of messages".to_owned()))?;
        Ok(all.iter().filter_map(posted).collect())
    }

    /// Begins a thread below a message: it has the message's number.
    ///
    /// # Errors
    /// When there is none; [`super::DiscordRefusal::ThreadExists`] where there was one before.
    pub async fn begin_thread(&self, channel: i64, message: i64, name: &str) -> Result<(), DiscordError> {
        let path = format!("/channels/{channel}/messages/{message}/threads");
        let name = units_cut(name, THREAD_UNITS);
        let body = json!({ "name": if name.trim().is_empty() { "…".to_owned() } else { name } });
        let route = "POST /channels/{}/messages/{}/threads";
        let call = Call::new(Method::POST, path, route, major(channel)).with(body);
        self.client.call(call).await.map(drop)
    }

    /// Shows for some seconds that something is being written.
    ///
    /// # Errors
    /// When it was not shown.
    pub async fn typing(&self, channel: i64) -> Result<(), DiscordError> {
        let path = format!("/channels/{channel}/typing");
        let call = Call::new(Method::POST, path, "POST /channels/{}/typing", major(channel)).with(json!({}));
        self.client.call(call).await.map(drop)
    }
}

/// What all messages have in common. Nobody is ever mentioned.
fn body(what: &Dispatch<'_>, file_name: Option<&str>, flags: u64) -> Value {
    let embeds: Vec<Value> = what.sheet.embed(file_name.filter(|_| what.is_picture())).into_iter().collect();
    let mut body = json!({ "embeds": embeds, "components": what.rows, "allowed_mentions": { "parse": [] } });
    if let Some(name) = file_name {
        body["attachments"] = json!([{ "id": "0", "filename": name }]);
    }
    if flags != 0 {
        body["flags"] = flags.into();
    }
    body
}

impl Dispatch<'_> {
    fn is_picture(&self) -> bool {
        self.file.is_some_and(|file| file.kind == crate::domain::AttachmentKind::Picture)
    }
}

/// A file's name with nothing in it that a link to it would have to escape.
fn file_name(file: &Attachment) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = file.name.chars().take(100).map(safe).collect();
    let name = name.trim_matches('.').to_owned();
    if name.is_empty() { "file".to_owned() } else { name }
}

pub(super) fn written(what: &impl serde::Serialize) -> Result<Value, DiscordError> {
    serde_json::to_value(what).map_err(|error| DiscordError::NotSent(error.to_string()))
}

fn major(channel: i64) -> u64 {
    u64::try_from(channel).unwrap_or_default()
}

pub(super) fn id(of: &Value) -> Result<u64, DiscordError> {
    let read = of["id"].as_str().and_then(|id| id.parse().ok());
    read.ok_or_else(|| DiscordError::Unreadable("there is no number in it".to_owned()))
}

fn numbered(answered: Answered<Value>) -> Result<Answered<i64>, DiscordError> {
    let number = id(&answered.value)?;
    Ok(answered.map(|_| i64::try_from(number).unwrap_or(i64::MAX)))
}

fn posted(message: &Value) -> Option<Posted> {
    let number = id(message).ok()?;
    let embed = &message["embeds"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(Posted {
        id: i64::try_from(number).ok()?,
        sent_ms: sent_ms(number),
        author: id(&message["author"]).ok()?,
        title: text(&embed["title"]),
        description: text(&embed["description"]),
        footer: text(&embed["footer"]["text"]),
    })
}
