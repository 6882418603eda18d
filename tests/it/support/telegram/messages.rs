//! What is a message? Its content, where it stands, and how it looks to a bot and to a person.

use serde_json::{Value, json};

use super::chats::Chat;
use super::files::Media;
use super::text::Shown;
use super::world::World;

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: i64,
    /// The writer's user id.
    pub(super) from: i64,
    /// By the fake's clock, in milliseconds.
    pub(super) sent_ms: u64,
    /// As shown, in seconds.
    pub(super) date: i64,
    pub(super) edited: Option<i64>,
    pub(super) edits: u32,
    /// Text, or the caption where there is media.
    pub(super) shown: Shown,
    pub(super) media: Option<Media>,
    pub(super) markup: Option<Value>,
    /// The whole `reply_markup` as sent, also a keyboard that is not inline.
    pub(super) keyboard: Option<Value>,
    pub(super) reply_to: Option<i64>,
    pub(super) thread: Option<i64>,
    pub(super) silent: bool,
    pub(super) protected: bool,
    pub(super) preview: Option<Value>,
    pub(super) album: Option<String>,
    pub(super) reaction: Option<Value>,
}

impl Message {
    /// A message of this text and writer, with nothing else to it.
    pub(super) fn new(from: i64, shown: Shown) -> Self {
        Self {
            id: 0,
            from,
            sent_ms: 0,
            date: 0,
            edited: None,
            edits: 0,
            shown,
            media: None,
            markup: None,
            keyboard: None,
            reply_to: None,
            thread: None,
            silent: false,
            protected: false,
            preview: None,
            album: None,
            reaction: None,
        }
    }

    /// As a person sees it now.
    pub(super) fn seen(&self) -> Value {
        json!({
            "message_id": self.id,
            "from": self.from,
            "date": self.date,
            "text": self.shown.text,
            "entities": self.shown.entities_json(),
            "media": self.media.as_ref().map(Media::seen),
            "album": self.album,
            "buttons": self.markup.as_ref().map(|markup| markup["inline_keyboard"].clone()),
            "keyboard": self.keyboard,
            "edits": self.edits,
            "reply_to": self.reply_to,
            "thread": self.thread,
            "silent": self.silent,
            "protected": self.protected,
            "link_preview": self.preview,
            "reaction": self.reaction,
        })
    }
}

impl World {
    /// The message as the Bot API shows it.
    pub(super) fn message_json(&self, chat: &Chat, message: &Message) -> Value {
        let mut json = self.bare_json(chat, message);
        if let Some(other) = message.reply_to.and_then(|id| chat.messages.get(&id)) {
            json["reply_to_message"] = self.bare_json(chat, other);
        }
        json
    }

    fn bare_json(&self, chat: &Chat, message: &Message) -> Value {
        let mut json = json!({ "message_id": message.id, "date": message.date, "chat": self.chat_json(chat) });
        if let Some(person) = self.person(message.from) {
            json["from"] = person.json();
        }
        let (text, entities) =
            if message.media.is_some() { ("caption", "caption_entities") } else { ("text", "entities") };
        if !message.shown.text.is_empty() {
            json[text] = json!(message.shown.text);
        }
        if !message.shown.entities.is_empty() {
            json[entities] = message.shown.entities_json();
        }
        if let Some(media) = &message.media {
            json[media.field()] = media.json();
        }
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                json[key] = value;
            }
        };
        set("edit_date", message.edited.map(|date| json!(date)));
        set("reply_markup", message.markup.clone());
        set("media_group_id", message.album.as_ref().map(|album| json!(album)));
        set("message_thread_id", message.thread.map(|thread| json!(thread)));
        set("is_topic_message", message.thread.map(|_| json!(true)));
        set("has_protected_content", message.protected.then_some(Value::Bool(true)));
        set("link_preview_options", message.preview.clone());
        json
    }
}
