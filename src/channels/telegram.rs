//! What can be done in a chat on Telegram? Each act is one call; what became of it is told as it was answered.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use teloxide::payloads::{
    AnswerCallbackQuery, AnswerCallbackQuerySetters, DeleteMessage, DeleteMyCommands, DeleteMyCommandsSetters,
    EditMessageReplyMarkup, EditMessageReplyMarkupSetters, EditMessageText, EditMessageTextSetters, GetMe,
    SendChatAction, SendDocument, SendMessage, SendPhoto, SetMyCommands, SetMyCommandsSetters,
};
use teloxide::requests::Payload;
use teloxide::types::{
    BotCommand, BotCommandScope, CallbackQueryId, ChatAction, ChatId, InlineKeyboardButton, InlineKeyboardMarkup,
    InputFile, LinkPreviewOptions, MessageId, ParseMode, Recipient, ReplyMarkup, ReplyParameters, ThreadId,
};

use super::telegram_answer::{CallError, Refusal};
use super::telegram_client::{Answered, TelegramClient, Upload};

/// How long a call without a file may take.
const CALL: Duration = Duration::from_secs(15);
/// How long a call with a file may take.
const UPLOAD: Duration = Duration::from_mins(1);
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
    pub(super) client: TelegramClient,
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
    /// When it was not removed, or nobody knows; also when it is gone already ([`Refusal::MessageGone`]) or may not be removed
    /// ([`Refusal::Undeletable`]).
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

    /// Takes the menu of commands away.
    ///
    /// # Errors
    /// When it was not taken away.
    pub async fn clear_menu(&self, scope: MenuScope) -> Result<(), CallError> {
        let payload = DeleteMyCommands::new().scope(scope.into());
        self.client.call::<_, IgnoredAny>(&payload, CALL).await.map(drop)
    }

    /// Who the bot is: also shows that the token is right.
    ///
    /// # Errors
    /// When Telegram does not say.
    pub async fn me(&self) -> Result<Answered<Myself>, CallError> {
        self.client.call(&GetMe::new(), CALL).await
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
    fn words_over_a_button_are_cut_at_whole_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc");
        assert_eq!(cut("a😀b", 2), "a");
        assert_eq!(cut("a😀b", 3), "a😀");
    }
}
