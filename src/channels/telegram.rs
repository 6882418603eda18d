//! What can be done in a chat on Telegram? Each act is one call; what became of it is told as it was answered.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use teloxide::payloads::{
    AnswerCallbackQuery, AnswerCallbackQuerySetters, DeleteMessage, EditMessageReplyMarkup,
    EditMessageReplyMarkupSetters, EditMessageText, EditMessageTextSetters, GetMe, SendChatAction, SendDocument,
    SendMessage, SendPhoto, SetMyCommands, SetMyCommandsSetters,
};
use teloxide::requests::Payload;
use teloxide::types::{
    BotCommand, BotCommandScope, CallbackQueryId, ChatAction, ChatId, InlineKeyboardButton, InlineKeyboardMarkup,
    InputFile, LinkPreviewOptions, MessageId, ParseMode, Recipient, ReplyMarkup, ReplyParameters, ThreadId, Update,
};

use super::telegram_answer::{CallError, Refusal};
use super::telegram_client::{Answered, TelegramClient, Upload};
use super::telegram_update::{Heard, heard};

/// How long a call without a file may take.
const CALL: Duration = Duration::from_secs(15);
/// How long a call with a file may take.
const UPLOAD: Duration = Duration::from_mins(1);
/// How much longer than asked for an answer with updates may take.
const POLL_SLACK: Duration = Duration::from_secs(10);
/// Updates in one answer.
const POLL_UPDATES: u8 = 50;
/// The longest answer with updates, in bytes. Strangers fill it, and one that is never read would stop the polling for good: 160 KiB
/// are left for each update, several times the longest text in its widest spelling with the longest message that it answers.
const POLL_MAX: usize = 8 << 20;
/// What may be said over a button that was pressed, in UTF-16 units.
const TOAST_MAX: usize = 200;

/// Where a message goes and how it is shown.
#[derive(Debug, Clone, Default)]
pub struct Posting {
    /// The chat.
    pub chat: i64,
    /// The topic in it.
    pub thread: Option<i32>,
    /// Without a sound.
    pub silent: bool,
    /// It can be neither forwarded nor saved.
    pub protect: bool,
    /// The message that it answers; it is sent all the same if that one is gone.
    pub reply_to: Option<i32>,
    /// Rows of buttons.
    pub keys: Vec<Vec<Key>>,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What stands on it.
    pub label: String,
    /// What comes back when it is pressed, 1 to 64 bytes.
    pub data: String,
}

/// A message on Telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RemoteId {
    /// Its chat.
    pub chat: i64,
    /// Its number in the chat.
    pub message: i32,
}

/// What the presser of a button sees.
#[derive(Debug, Clone, Copy)]
pub enum PressAnswer<'a> {
    /// That it was taken.
    Nothing,
    /// Words that pass.
    Toast(&'a str),
    /// Words that must be put away.
    Alert(&'a str),
}

/// For whom a menu of commands is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuScope {
    /// Everybody for whom there is no other.
    Default,
    /// Everybody who talks to the bot alone.
    Private,
    /// All groups.
    Groups,
    /// One chat.
    Chat(i64),
    /// One member of a group.
    Member {
        /// The group.
        chat: i64,
        /// The member.
        user: u64,
    },
}

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Myself {
    /// Its number.
    pub id: i64,
    /// Its user name, without the sign before it.
    pub username: String,
}

/// One update as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Understood.
    Heard(Box<Heard>),
    /// Not understood; the next call may ask for those after it all the same.
    Unreadable {
        /// Its number; none if even that is missing.
        update_id: Option<i64>,
        /// As it came.
        text: String,
    },
}

/// What is needed of a message that was sent.
#[derive(Deserialize)]
struct SentMessage {
    message_id: i32,
    chat: SentChat,
}

#[derive(Deserialize)]
struct SentChat {
    id: i64,
}

impl From<SentMessage> for RemoteId {
    fn from(sent: SentMessage) -> Self {
        Self { chat: sent.chat.id, message: sent.message_id }
    }
}

/// Sets what all messages have in common; teloxide's payloads share fields but no trait.
macro_rules! post {
    ($payload:ident, $to:ident) => {
        $payload.parse_mode = Some(ParseMode::Html);
        $payload.message_thread_id = thread($to.thread);
        $payload.disable_notification = $to.silent.then_some(true);
        $payload.protect_content = $to.protect.then_some(true);
        $payload.reply_parameters = reply($to.reply_to);
        $payload.reply_markup = keyboard(&$to.keys).map(ReplyMarkup::InlineKeyboard);
    };
}

/// A bot on Telegram.
#[derive(Debug, Clone)]
pub struct Telegram {
    client: TelegramClient,
}

impl Telegram {
    /// Acts through this client.
    pub fn new(client: TelegramClient) -> Self {
        Self { client }
    }

    /// Sends text in Telegram's HTML. Links show no preview.
    ///
    /// # Errors
    /// When it was not accepted, or nobody knows.
    pub async fn send_text(&self, to: &Posting, html: &str) -> Result<Answered<RemoteId>, CallError> {
        let mut payload = SendMessage::new(ChatId(to.chat), html);
        payload.link_preview_options = Some(no_preview());
        post!(payload, to);
        Ok(self.client.call::<_, SentMessage>(&payload, CALL).await?.map(RemoteId::from))
    }

    /// Sends a picture with a caption in Telegram's HTML.
    ///
    /// # Errors
    /// When it was not accepted, or nobody knows.
    pub async fn send_picture(
        &self,
        to: &Posting,
        name: &str,
        bytes: &[u8],
        caption: &str,
    ) -> Result<Answered<RemoteId>, CallError> {
        let mut payload = SendPhoto::new(ChatId(to.chat), InputFile::memory(Vec::new()));
        payload.caption = Some(caption.to_owned()).filter(|text| !text.is_empty());
        post!(payload, to);
        self.upload(&payload, Upload { field: "photo", name, bytes }).await
    }

    /// Sends a file with a caption in Telegram's HTML.
    ///
    /// # Errors
    /// When it was not accepted, or nobody knows.
    pub async fn send_document(
        &self,
        to: &Posting,
        name: &str,
        bytes: &[u8],
        caption: &str,
    ) -> Result<Answered<RemoteId>, CallError> {
        let mut payload = SendDocument::new(ChatId(to.chat), InputFile::memory(Vec::new()));
        payload.caption = Some(caption.to_owned()).filter(|text| !text.is_empty());
        post!(payload, to);
        self.upload(&payload, Upload { field: "document", name, bytes }).await
    }

    async fn upload<P>(&self, payload: &P, file: Upload<'_>) -> Result<Answered<RemoteId>, CallError>
    where
        P: Payload + Serialize + Sync,
    {
        Ok(self.client.call_with_file::<_, SentMessage>(payload, file, UPLOAD).await?.map(RemoteId::from))
    }

    /// Changes a message's text and buttons. That it reads so already is no error.
    ///
    /// # Errors
    /// When it was not changed, or nobody knows.
    pub async fn edit_text(&self, message: RemoteId, html: &str, keys: &[Vec<Key>]) -> Result<(), CallError> {
        let mut payload = EditMessageText::new(ChatId(message.chat), MessageId(message.message), html)
            .parse_mode(ParseMode::Html)
            .link_preview_options(no_preview());
        payload.reply_markup = keyboard(keys);
        unless(Refusal::NotModified, self.client.call::<_, IgnoredAny>(&payload, CALL).await)
    }

    /// Changes a message's buttons; none takes them away. That they are so already is no error.
    ///
    /// # Errors
    /// When they were not changed, or nobody knows.
    pub async fn edit_keyboard(&self, message: RemoteId, keys: &[Vec<Key>]) -> Result<(), CallError> {
        let payload = EditMessageReplyMarkup::new(ChatId(message.chat), MessageId(message.message))
            .reply_markup(keyboard(keys).unwrap_or_default());
        unless(Refusal::NotModified, self.client.call::<_, IgnoredAny>(&payload, CALL).await)
    }

    /// Removes a message.
    ///
    /// # Errors
    /// When it was not removed, or nobody knows; also when it is gone already or may not be removed any more
    /// ([`Refusal::MessageGone`] says both, because Telegram does).
    pub async fn delete(&self, message: RemoteId) -> Result<(), CallError> {
        let payload = DeleteMessage::new(ChatId(message.chat), MessageId(message.message));
        self.client.call::<_, IgnoredAny>(&payload, CALL).await.map(drop)
    }

    /// Answers the press of a button. Longer words than 200 UTF-16 units are cut.
    ///
    /// # Errors
    /// When it was not answered; mostly because it is too late.
    pub async fn answer_press(&self, query_id: &str, answer: PressAnswer<'_>) -> Result<(), CallError> {
        let payload = AnswerCallbackQuery::new(CallbackQueryId(query_id.to_owned()));
        let payload = match answer {
            PressAnswer::Nothing => payload,
            PressAnswer::Toast(text) => payload.text(cut(text, TOAST_MAX)),
            PressAnswer::Alert(text) => payload.text(cut(text, TOAST_MAX)).show_alert(true),
        };
        self.client.call::<_, IgnoredAny>(&payload, CALL).await.map(drop)
    }

    /// Shows for about five seconds that something is being written.
    ///
    /// # Errors
    /// When it was not shown.
    pub async fn typing(&self, chat: i64, thread_id: Option<i32>) -> Result<(), CallError> {
        let mut payload = SendChatAction::new(ChatId(chat), ChatAction::Typing);
        payload.message_thread_id = thread(thread_id);
        self.client.call::<_, IgnoredAny>(&payload, CALL).await.map(drop)
    }

    /// Sets the menu of commands: their names with one line about each.
    ///
    /// # Errors
    /// When it was not set.
    pub async fn set_menu(&self, scope: MenuScope, commands: &[(String, String)]) -> Result<(), CallError> {
        let commands = commands.iter().map(|(name, about)| BotCommand::new(name.clone(), about.clone()));
        let payload = SetMyCommands::new(commands).scope(scope.into());
        self.client.call::<_, IgnoredAny>(&payload, CALL).await.map(drop)
    }

    /// Who the bot is: also shows that the token is right.
    ///
    /// # Errors
    /// When Telegram does not say.
    pub async fn me(&self) -> Result<Answered<Myself>, CallError> {
        self.client.call(&GetMe::new(), CALL).await
    }

    /// The updates from number `offset` on, at most 50; without one, all that nobody asked past. Waits up to `wait` for the first.
    /// Asking past an update tells Telegram to forget it: store it before.
    ///
    /// # Errors
    /// When there was no list of updates. It is safe to ask again.
    pub async fn updates(&self, offset: Option<i64>, wait: Duration) -> Result<Answered<Vec<Polled>>, CallError> {
        let mut parameters = json!({
            "timeout": wait.as_secs(),
            "limit": POLL_UPDATES,
            "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
        });
        if let Some(offset) = offset {
            parameters["offset"] = offset.into();
        }
        let timeout = wait.saturating_add(POLL_SLACK);
        let answered = self.client.call_method::<Vec<Value>>("GetUpdates", &parameters, POLL_MAX, timeout).await?;
        Ok(answered.map(|updates| updates.iter().map(polled).collect()))
    }
}

impl From<MenuScope> for BotCommandScope {
    fn from(scope: MenuScope) -> Self {
        let id = |chat| Recipient::Id(ChatId(chat));
        match scope {
            MenuScope::Default => Self::Default,
            MenuScope::Private => Self::AllPrivateChats,
            MenuScope::Groups => Self::AllGroupChats,
            MenuScope::Chat(chat) => Self::Chat { chat_id: id(chat) },
            MenuScope::Member { chat, user } => {
                Self::ChatMember { chat_id: id(chat), user_id: teloxide::types::UserId(user) }
            }
        }
    }
}

/// Each update is read by itself, so that one of them cannot hide the others.
fn polled(update: &Value) -> Polled {
    let update_id = update.get("update_id").and_then(Value::as_i64);
    // From text and not from the value, where teloxide finds no update of any kind.
    let text = update.to_string();
    match serde_json::from_str::<Update>(&text).ok().as_ref().and_then(heard) {
        Some(heard) => Polled::Heard(Box::new(heard)),
        None => Polled::Unreadable { update_id, text },
    }
}

/// Takes one refusal for success.
fn unless(wanted: Refusal, answer: Result<Answered<IgnoredAny>, CallError>) -> Result<(), CallError> {
    match answer {
        Err(CallError::Refused { kind, .. }) if kind == wanted => Ok(()),
        other => other.map(drop),
    }
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

fn thread(id: Option<i32>) -> Option<ThreadId> {
    id.map(|id| ThreadId(MessageId(id)))
}

fn reply(to: Option<i32>) -> Option<ReplyParameters> {
    to.map(|id| ReplyParameters { allow_sending_without_reply: Some(true), ..ReplyParameters::new(MessageId(id)) })
}

fn keyboard(keys: &[Vec<Key>]) -> Option<InlineKeyboardMarkup> {
    let row = |row: &Vec<Key>| -> Vec<InlineKeyboardButton> {
        row.iter().map(|key| InlineKeyboardButton::callback(key.label.clone(), key.data.clone())).collect()
    };
    (!keys.is_empty()).then(|| InlineKeyboardMarkup::new(keys.iter().map(row)))
}

/// The beginning that fits into `max` UTF-16 units.
fn cut(text: &str, max: usize) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= max
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_that_is_not_understood_is_given_back() {
        let unreadable = |update: &Value, id: Option<i64>| match polled(update) {
            Polled::Unreadable { update_id, text } => {
                assert_eq!(update_id, id);
                assert_eq!(serde_json::from_str::<Value>(&text).ok().as_ref(), Some(update));
            }
            Polled::Heard(heard) => panic!("{heard:?}"),
        };
        unreadable(&json!({ "update_id": 5, "message": { "text": 3 } }), Some(5));
        unreadable(&json!({ "update_id": 6, "something_new": {} }), Some(6));
        unreadable(&json!({ "update_id": 1_u64 << 40, "something_new": {} }), Some(1 << 40));
        unreadable(&json!({ "message": {} }), None);
        unreadable(&json!("text"), None);
        // Content of a kind that is newer than teloxide: not a message without words.
        let chat = json!({ "id": 7, "type": "private", "first_name": "Ana" });
        let unknown = json!({ "message_id": 1, "date": 1_790_000_000, "chat": chat, "text": "/stop",
            "forward_origin": { "type": "something_new" } });
        unreadable(&json!({ "update_id": 7, "message": unknown }), Some(7));
        let plain = json!({ "message_id": 1, "date": 1_790_000_000, "chat": chat, "text": "/stop" });
        assert!(
            matches!(polled(&json!({ "update_id": 8, "message": plain })), Polled::Heard(heard) if heard.update_id == 8)
        );
    }

    #[test]
    fn words_over_a_button_are_cut_at_whole_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc");
        assert_eq!(cut("a😀b", 2), "a");
        assert_eq!(cut("a😀b", 3), "a😀");
    }
}
