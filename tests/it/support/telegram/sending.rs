//! How does a message get into a chat? Text, photos, documents and albums.

use serde_json::{Value, json};

use super::chats::Chat;
use super::files::{Kind, Media};
use super::keyboard;
use super::limits;
use super::messages::Message;
use super::params::{Params, int_of};
use super::refusal::{Answer, Refusal};
use super::text::{Shown, units};
use super::world::World;

/// The message that is replied to, if there is one.
fn reply(chat: &Chat, params: &Params) -> Result<Option<i64>, Refusal> {
    let given = params.get("reply_parameters");
    if given.is_some_and(|given| !given.is_object()) {
        return Err(Refusal::bad("object expected as reply parameters"));
    }
    let id = given.map_or_else(|| params.int("reply_to_message_id"), |given| int_of(&given["message_id"]));
    let Some(id) = id else { return Ok(None) };
    let other = given.and_then(|given| int_of(&given["chat_id"])).is_some_and(|other| other != chat.id);
    let Some(message) = chat.messages.get(&id).filter(|_| !other) else {
        let without = params.flag("allow_sending_without_reply")
            || given.is_some_and(|given| given["allow_sending_without_reply"] == true);
        return if without { Ok(None) } else { Err(Refusal::bad("message to be replied not found")) };
    };
    match given.and_then(|given| given["quote"].as_str()) {
        Some(quote) if units(quote) > 1024 || !message.shown.text.contains(quote) => {
            Err(Refusal::bad("QUOTE_TEXT_INVALID"))
        }
        _ => Ok(Some(id)),
    }
}

fn thread(chat: &Chat, params: &Params) -> Result<Option<i64>, Refusal> {
    let Some(thread) = params.int("message_thread_id").filter(|thread| *thread != 0) else { return Ok(None) };
    if chat.forum && chat.topics.contains_key(&thread) {
        Ok(Some(thread))
    } else {
        Err(Refusal::bad("message thread not found"))
    }
}

impl World {
    /// A message with everything but its content, and the chat it goes to.
    fn draft(&self, params: &Params) -> Result<(i64, Message), Refusal> {
        let chat = self.open_chat(params)?;
        let mut message = Message::new(self.me.id, Shown::default());
        message.thread = thread(chat, params)?;
        message.reply_to = reply(chat, params)?;
        message.markup = keyboard::read(params, false)?;
        message.keyboard = params.get("reply_markup").filter(|_| message.markup.is_none()).cloned();
        message.silent = params.flag("disable_notification");
        message.protected = params.flag("protect_content");
        message.preview = params.get("link_preview_options").cloned();
        Ok((chat.id, message))
    }

    /// Puts messages into a chat, against its flood limit.
    fn deliver(&mut self, chat: i64, messages: Vec<Message>) -> Result<Vec<Value>, Refusal> {
        let now = self.clock.now_ms();
        self.flood.spend(chat, messages.len(), now)?;
        let ids: Vec<i64> = messages.into_iter().filter_map(|message| self.put(chat, message)).collect();
        let chat = self.chats.get(&chat).ok_or_else(|| Refusal::bad("chat not found"))?;
        let sent = ids.iter().filter_map(|id| chat.messages.get(id));
        Ok(sent.map(|message| self.message_json(chat, message)).collect())
    }

    /// Puts a message into a chat, dated now: its number.
    pub(super) fn put(&mut self, chat: i64, mut message: Message) -> Option<i64> {
        message.sent_ms = self.clock.now_ms();
        if message.date == 0 {
            message.date = self.clock.date();
        }
        Some(self.chats.get_mut(&chat)?.add(message))
    }

    fn deliver_one(&mut self, chat: i64, message: Message) -> Answer {
        Ok(self.deliver(chat, vec![message])?.pop().unwrap_or_default())
    }

    pub(super) fn send_message(&mut self, params: &Params) -> Answer {
        let (chat, mut message) = self.draft(params)?;
        message.shown = limits::message_text(params, false)?;
        self.deliver_one(chat, message)
    }

    pub(super) fn send_file(&mut self, kind: Kind, field: &str, params: &Params) -> Answer {
        let (chat, mut message) = self.draft(params)?;
        message.shown = limits::caption(params)?;
        message.media = Some(self.files.find(kind, field, params.text(field), params)?);
        self.deliver_one(chat, message)
    }

    pub(super) fn send_album(&mut self, params: &Params) -> Answer {
        let (chat, draft) = self.draft(params)?;
        let expected = || Refusal::bad("can't parse media: expected an Array");
        let items = params.get("media").and_then(Value::as_array).ok_or_else(expected)?;
        match items.len() {
            0 => return Err(Refusal::bad("there are no messages to send")),
            count if count < *limits::ALBUM.start() => {
                return Err(Refusal::bad("too few messages to send as an album"));
            }
            count if count > *limits::ALBUM.end() => {
                return Err(Refusal::bad("too many messages to send as an album"));
            }
            _ => {}
        }
        let documents = items.iter().filter(|item| item["type"] == "document").count();
        if documents != 0 && documents != items.len() {
            return Err(Refusal::bad("document can't be mixed with other media types"));
        }
        let album = self.number();
        let mut messages = Vec::new();
        for item in items {
            let (media, shown) = self.input_media(item, params)?;
            messages.push(Message { shown, media: Some(media), album: Some(album.clone()), ..draft.clone() });
        }
        self.deliver(chat, messages).map(Value::Array)
    }

    /// An `InputMedia` object: its file and its caption.
    pub(super) fn input_media(&mut self, item: &Value, params: &Params) -> Result<(Media, Shown), Refusal> {
        let cannot = |why: &str| Refusal::bad(format!("can't parse InputMedia: {why}"));
        let fields = item.as_object().ok_or_else(|| cannot("expected an Object"))?;
        let (kind, field) = match item["type"].as_str() {
            Some("photo") => (Kind::Photo, "photo"),
            Some("document") => (Kind::Document, "document"),
            Some(other) => return Err(cannot(&format!("type \"{other}\" is unsupported"))),
            None => return Err(cannot("Can't find field \"type\"")),
        };
        let given = item["media"].as_str().ok_or_else(|| cannot("media not found"))?;
        let attached = given.strip_prefix("attach://");
        if attached.is_some_and(|name| !params.uploads.contains_key(name)) {
            return Err(cannot("media not found"));
        }
        let caption = limits::caption(&Params { fields: fields.clone(), ..Params::default() })?;
        Ok((self.files.find(kind, field, Some(given), params)?, caption))
    }

    pub(super) fn chat_action(&mut self, params: &Params) -> Answer {
        const ACTIONS: [&str; 11] = [
            "typing",
            "upload_photo",
            "record_video",
            "upload_video",
            "record_voice",
            "upload_voice",
            "upload_document",
            "choose_sticker",
            "find_location",
            "record_video_note",
            "upload_video_note",
        ];
        let chat = self.open_chat(params)?;
        thread(chat, params)?;
        let id = chat.id;
        if !params.text("action").is_some_and(|action| ACTIONS.contains(&action)) {
            return Err(Refusal::bad("wrong parameter action in request"));
        }
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.actions += 1;
        }
        Ok(json!(true))
    }
}
