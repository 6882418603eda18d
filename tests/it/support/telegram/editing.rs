//! What can still be changed? Edits, deletions, reactions and the answers to pressed buttons.

use serde_json::{Value, json};

use super::chats::Standing;
use super::keyboard;
use super::limits;
use super::messages::Message;
use super::params::{Params, int_of};
use super::refusal::{Answer, Refusal};
use super::text::units;
use super::world::World;

/// What an edit changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    Text,
    Caption,
    Media,
    Markup,
}

const NOT_MODIFIED: &str = "message is not modified: specified new message content and reply markup are exactly the same \
    as a current content and reply markup of the message";

impl World {
    fn own_message(&self, params: &Params) -> Result<(i64, Message), Refusal> {
        let chat = self.open_chat(params)?;
        let id = params.int("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
        let message = chat.messages.get(&id).ok_or_else(|| Refusal::bad("message to edit not found"))?;
        if message.from != self.me.id {
            return Err(Refusal::bad("message can't be edited"));
        }
        Ok((chat.id, message.clone()))
    }

    pub(super) fn edit(&mut self, change: Change, params: &Params) -> Answer {
        let (chat, mut message) = self.own_message(params)?;
        let before = message.clone();
        message.markup = keyboard::read(params, true)?;
        match change {
            Change::Text if message.media.is_some() => {
                return Err(Refusal::bad("there is no text in the message to edit"));
            }
            Change::Text => {
                message.shown = limits::message_text(params, true)?;
                message.preview = params.get("link_preview_options").cloned();
            }
            Change::Caption if message.media.is_none() => {
                return Err(Refusal::bad("there is no caption in the message to edit"));
            }
            Change::Caption => message.shown = limits::caption(params)?,
            Change::Media => {
                let item = params.get("media").ok_or_else(|| Refusal::bad("media is not specified"))?;
                let (media, shown) = self.input_media(&item.clone(), params)?;
                (message.media, message.shown) = (Some(media), shown);
            }
            Change::Markup => {}
        }
        let same_file = match (&before.media, &message.media) {
            (Some(old), Some(new)) => old.same_file(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if same_file && before.shown == message.shown && before.markup == message.markup {
            return Err(Refusal::bad(NOT_MODIFIED));
        }
        let now = self.clock.now_ms();
        self.flood.spend(chat, 1, now)?;
        message.edited = Some(self.clock.date());
        message.edits += 1;
        let chat = self.chats.get_mut(&chat).ok_or_else(|| Refusal::bad("chat not found"))?;
        let (id, number) = (chat.id, message.id);
        chat.messages.insert(number, message);
        let chat = &self.chats[&id];
        Ok(self.message_json(chat, &chat.messages[&number]))
    }

    fn can_delete(&self, chat: i64, id: i64) -> Result<(), Refusal> {
        let chat = &self.chats[&chat];
        let message = chat.messages.get(&id).ok_or_else(|| Refusal::bad("message to delete not found"))?;
        let young = self.clock.now_ms() < message.sent_ms + limits::DELETE_WITHIN_MS;
        let allowed = message.from == self.me.id || chat.is_private() || chat.standing == Standing::Admin;
        if young && allowed { Ok(()) } else { Err(Refusal::bad("message can't be deleted")) }
    }

    pub(super) fn delete_message(&mut self, params: &Params) -> Answer {
        let chat = self.open_chat(params)?.id;
        let id = params.int("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
        self.can_delete(chat, id)?;
        self.remove(chat, &[id])
    }

    /// Several at once: those that are not there are passed over.
    pub(super) fn delete_messages(&mut self, params: &Params) -> Answer {
        let chat = self.open_chat(params)?.id;
        let given = params.get("message_ids").and_then(Value::as_array);
        let given = given.ok_or_else(|| Refusal::bad("message identifiers are not specified"))?;
        if given.len() > limits::DELETED_AT_ONCE {
            return Err(Refusal::bad("too many message identifiers specified"));
        }
        if given.is_empty() {
            return Err(Refusal::bad("message identifiers are not specified"));
        }
        let mut ids = Vec::new();
        for id in given {
            let id = int_of(id).ok_or_else(|| Refusal::bad("message identifier must be a Number"))?;
            if self.chats[&chat].messages.contains_key(&id) {
                self.can_delete(chat, id)?;
                ids.push(id);
            }
        }
        self.remove(chat, &ids)
    }

    fn remove(&mut self, chat: i64, ids: &[i64]) -> Answer {
        let now = self.clock.now_ms();
        self.flood.spend(chat, 1, now)?;
        if let Some(chat) = self.chats.get_mut(&chat) {
            for id in ids {
                chat.messages.remove(id);
                chat.pinned.remove(id);
            }
        }
        Ok(json!(true))
    }

    pub(super) fn react(&mut self, params: &Params) -> Answer {
        const EMOJI: &str = "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡";
        let chat = self.open_chat(params)?;
        let id = params.int("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
        if !chat.messages.contains_key(&id) {
            return Err(Refusal::bad("message to react not found"));
        }
        let reactions = params.get("reaction").and_then(Value::as_array).cloned().unwrap_or_default();
        let known = |reaction: &Value| {
            let emoji = reaction["emoji"].as_str().unwrap_or_default().trim_end_matches('\u{fe0f}');
            reaction["type"] == "emoji" && !emoji.is_empty() && EMOJI.contains(emoji)
        };
        if reactions.len() > 1 || !reactions.iter().all(known) {
            return Err(Refusal::bad("REACTION_INVALID"));
        }
        let (chat, now) = (chat.id, self.clock.now_ms());
        self.flood.spend(chat, 1, now)?;
        if let Some(message) = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id)) {
            message.reaction = (!reactions.is_empty()).then_some(Value::Array(reactions));
        }
        Ok(json!(true))
    }

    pub(super) fn answer_callback(&mut self, params: &Params) -> Answer {
        if units(params.text("text").unwrap_or_default()) > limits::CALLBACK_ANSWER {
            return Err(Refusal::bad("MESSAGE_TOO_LONG"));
        }
        let now = self.clock.now_ms();
        let life = self.callback_life_ms;
        let too_old = || Refusal::bad("query is too old and response timeout expired or query ID is invalid");
        let press = self.presses.get_mut(params.text("callback_query_id").unwrap_or_default()).ok_or_else(too_old)?;
        if press.answered || now > press.at + life {
            return Err(too_old());
        }
        press.answered = true;
        Ok(json!(true))
    }
}
