//! Where does the bot write? Chats with their messages and topics, and whether the bot may write there at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::messages::Message;
use super::params::{Params, int_of};
use super::refusal::Refusal;
use super::world::World;

/// How the bot stands in a chat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Standing {
    /// The person is known and has never written to the bot.
    Unstarted,
    Member,
    Admin,
    Blocked,
    Deactivated,
    Kicked,
    Left,
}

#[derive(Debug)]
pub(super) struct Chat {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) forum: bool,
    /// Names of topics by thread.
    pub(super) topics: BTreeMap<i64, String>,
    pub(super) standing: Standing,
    pub(super) moved_to: Option<i64>,
    pub(super) next: i64,
    pub(super) messages: BTreeMap<i64, Message>,
    pub(super) pinned: BTreeSet<i64>,
    /// Actions shown so far, such as `typing`.
    pub(super) actions: u64,
}

impl Chat {
    pub(super) fn new(id: i64, title: &str, standing: Standing) -> Self {
        Self {
            id,
            title: title.to_owned(),
            forum: false,
            topics: BTreeMap::new(),
            standing,
            moved_to: None,
            next: 1,
            messages: BTreeMap::new(),
            pinned: BTreeSet::new(),
            actions: 0,
        }
    }

    pub(super) fn is_private(&self) -> bool {
        self.id > 0
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.id {
            1.. => "private",
            ..=-1_000_000_000_000 => "supergroup",
            _ => "group",
        }
    }

    /// Gives the message its number and keeps it.
    pub(super) fn add(&mut self, mut message: Message) -> i64 {
        let id = self.next;
        self.next += 1;
        message.id = id;
        self.messages.insert(id, message);
        id
    }

    /// As a person in it sees it now.
    pub(super) fn seen(&self) -> Value {
        let messages: Vec<Value> = self.messages.values().map(Message::seen).collect();
        json!({
            "ok": true,
            "id": self.id,
            "type": self.kind(),
            "title": self.title,
            "forum": self.forum,
            "topics": self.topics,
            "pinned": self.pinned,
            "actions": self.actions,
            "messages": messages,
        })
    }

    fn refusal(&self) -> Option<Refusal> {
        if let Some(to) = self.moved_to {
            return Some(Refusal::migrated(to));
        }
        let why = match self.standing {
            Standing::Member | Standing::Admin => return None,
            Standing::Unstarted => "bot can't initiate conversation with a user",
            Standing::Blocked => "bot was blocked by the user",
            Standing::Deactivated => "user is deactivated",
            Standing::Kicked if self.kind() == "group" => "bot was kicked from the group chat",
            Standing::Kicked => "bot was kicked from the supergroup chat",
            Standing::Left if self.kind() == "group" => "bot is not a member of the group chat",
            Standing::Left => "bot is not a member of the supergroup chat",
        };
        Some(Refusal::forbidden(why))
    }
}

/// The number of the chat in a request, if it is one.
pub(super) fn chat_id(params: &Params) -> Option<i64> {
    params.int("chat_id")
}

impl World {
    pub(super) fn chat_json(&self, chat: &Chat) -> Value {
        let mut json = json!({ "id": chat.id, "type": chat.kind() });
        if chat.is_private() {
            let person = self.person(chat.id);
            json["first_name"] = json!(person.map_or("User", |person| person.first_name.as_str()));
            if let Some(name) = person.and_then(|person| person.username.as_ref()) {
                json["username"] = json!(name);
            }
        } else {
            json["title"] = json!(chat.title);
        }
        if chat.forum {
            json["is_forum"] = json!(true);
        }
        json
    }

    /// The chat of the request, known to the bot.
    ///
    /// # Errors
    /// No chat, or one the bot does not know.
    pub(super) fn known_chat(&self, params: &Params) -> Result<&Chat, Refusal> {
        let given = params.get("chat_id").filter(|given| *given != "");
        let given = given.ok_or_else(|| Refusal::bad("chat_id is empty"))?;
        let not_found = || Refusal::bad("chat not found");
        self.chats.get(&int_of(given).ok_or_else(not_found)?).ok_or_else(not_found)
    }

    /// The chat of the request, if the bot may write there.
    ///
    /// # Errors
    /// What Telegram says where it may not.
    pub(super) fn open_chat(&self, params: &Params) -> Result<&Chat, Refusal> {
        let chat = self.known_chat(params)?;
        chat.refusal().map_or(Ok(chat), Err)
    }

    pub(super) fn get_chat(&self, params: &Params) -> Result<Value, Refusal> {
        let chat = self.known_chat(params)?;
        let mut json = self.chat_json(chat);
        json["accent_color_id"] = json!(0);
        json["max_reaction_count"] = json!(11);
        json["accepted_gift_types"] = json!({
            "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false, "premium_subscription": false,
            "gifts_from_channels": false,
        });
        if !chat.is_private() {
            json["permissions"] = json!({ "can_send_messages": true });
        }
        if let Some(message) = chat.pinned.last().and_then(|id| chat.messages.get(id)) {
            json["pinned_message"] = self.message_json(chat, message);
        }
        Ok(json)
    }

    pub(super) fn get_chat_member(&self, params: &Params) -> Result<Value, Refusal> {
        let chat = self.known_chat(params)?;
        let not_found = || Refusal::bad("PARTICIPANT_ID_INVALID");
        let id = params.int("user_id").ok_or_else(|| Refusal::bad("invalid user_id specified"))?;
        let person = self.person(id).ok_or_else(not_found)?;
        let standing = if id == self.me.id { chat.standing } else { Standing::Member };
        Ok(member_json(&person.json(), standing))
    }

    pub(super) fn create_topic(&mut self, params: &Params) -> Result<Value, Refusal> {
        let chat = self.open_chat(params)?;
        if !chat.forum {
            return Err(Refusal::bad("the chat is not a forum"));
        }
        if chat.standing != Standing::Admin {
            return Err(Refusal::bad("not enough rights to create a topic"));
        }
        let name = params.text("name").unwrap_or_default().to_owned();
        if !super::limits::within(&name, super::limits::TOPIC_NAME) {
            return Err(Refusal::bad("TOPIC_TITLE_EMPTY"));
        }
        let (id, now) = (chat.id, self.clock.now_ms());
        self.flood.spend(id, 1, now)?;
        let chat = self.chats.get_mut(&id).ok_or_else(|| Refusal::bad("chat not found"))?;
        // The topic takes the number of the message that opens it.
        let thread = chat.next;
        chat.next += 1;
        chat.topics.insert(thread, name.clone());
        Ok(json!({ "message_thread_id": thread, "name": name, "icon_color": 7_322_096 }))
    }

    pub(super) fn pin(&mut self, params: &Params) -> Result<Value, Refusal> {
        let chat = self.open_chat(params)?;
        let id = params.int("message_id").ok_or_else(|| Refusal::bad("message identifier is not specified"))?;
        if !chat.messages.contains_key(&id) {
            return Err(Refusal::bad("message to pin not found"));
        }
        if !chat.is_private() && chat.standing != Standing::Admin {
            return Err(Refusal::bad("not enough rights to manage pinned messages in the chat"));
        }
        let (chat_id, now) = (chat.id, self.clock.now_ms());
        self.flood.spend(chat_id, 1, now)?;
        if let Some(chat) = self.chats.get_mut(&chat_id) {
            chat.pinned.insert(id);
        }
        Ok(json!(true))
    }
}

/// A `ChatMember` object.
pub(super) fn member_json(user: &Value, standing: Standing) -> Value {
    match standing {
        Standing::Admin => {
            let mut json = json!({ "status": "administrator", "user": user, "can_be_edited": false });
            for right in [
                "is_anonymous",
                "can_manage_chat",
                "can_delete_messages",
                "can_manage_video_chats",
                "can_restrict_members",
                "can_promote_members",
                "can_change_info",
                "can_invite_users",
                "can_post_stories",
                "can_edit_stories",
                "can_delete_stories",
                "can_pin_messages",
                "can_manage_topics",
            ] {
                json[right] = json!(right != "is_anonymous");
            }
            json
        }
        Standing::Member => json!({ "status": "member", "user": user }),
        Standing::Left => json!({ "status": "left", "user": user }),
        _ => json!({ "status": "kicked", "user": user, "until_date": 0 }),
    }
}
