//! How are messages sent, changed, found and threaded?

use serde_json::{Value, json};

use super::forms::Form;
use super::limits;
use super::refusal::{Answer, Refusal};
use super::world::{Channel, ME, Message, World};

const HOUR_MS: u64 = 60 * 60_000;
const SUPPRESS_EMBEDS: u64 = 1 << 2;
const EPHEMERAL: u64 = 1 << 6;
const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;

/// A number in text or as one.
pub(super) fn id_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

impl World {
    /// Whether the bot may write there.
    fn may_write(&self, channel: &Channel) -> Result<(), Refusal> {
        if let Some(code) = channel.refuses {
            let status = if code == 10_003 { 404 } else { 403 };
            return Err(Refusal::new(status, code, "Missing Access"));
        }
        let closed = channel.recipient.and_then(|id| self.users.get(&id)).is_some_and(|user| !user.open);
        if closed { Err(Refusal::new(403, 50_007, "Cannot send messages to this user")) } else { Ok(()) }
    }

    pub(super) fn create(&mut self, channel: u64, form: &Form) -> Answer {
        let body = &form.json;
        self.may_write(self.channel(channel)?)?;
        limits::new_message(body, &form.files)?;
        let flags = body["flags"].as_u64().unwrap_or(0);
        if flags & !(SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS) != 0 {
            return Err(Refusal::form("flags", "These flags cannot be set here."));
        }
        let nonce = match &body["nonce"] {
            Value::Null => None,
            Value::String(text) if text.encode_utf16().count() <= 25 => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => return Err(Refusal::form("nonce", "Must be 25 or fewer in length.")),
        };
        let now = self.clock.now_ms();
        if let Some(nonce) = nonce.as_ref().filter(|_| body["enforce_nonce"] == true) {
            let known = |message: &&Message| {
                message.author == ME
                    && message.nonce.as_ref() == Some(nonce)
                    && now < message.created_ms + self.nonce_ms
            };
            if let Some(first) = self.channel(channel)?.messages.iter().find(known) {
                return Ok(first.json.clone());
            }
        }
        let reference = self.reference(channel, &body["message_reference"])?;
        Ok(self.post(channel, ME, form, flags, nonce, reference, None))
    }

    fn reference(&self, channel: u64, given: &Value) -> Result<Option<Value>, Refusal> {
        let Some(id) = id_of(&given["message_id"]) else { return Ok(None) };
        let there = self.channel(channel)?.messages.iter().any(|message| message.id == id);
        if !there && given["fail_if_not_exists"] != false {
            return Err(Refusal::form("message_reference", "Unknown message"));
        }
        Ok(there.then(|| json!({ "type": 0, "message_id": id.to_string(), "channel_id": channel.to_string() })))
    }

    /// Puts a message there and tells it.
    #[expect(clippy::too_many_arguments, reason = "a message has as many sides")]
    pub(super) fn post(
        &mut self,
        channel: u64,
        author: u64,
        form: &Form,
        flags: u64,
        nonce: Option<String>,
        reference: Option<Value>,
        only_for: Option<u64>,
    ) -> Value {
        let (id, body) = (self.number(), &form.json);
        let list = |value: &Value| if value.is_array() { value.clone() } else { json!([]) };
        let mut message = json!({
            "id": id.to_string(), "channel_id": channel.to_string(), "author": self.users.get(&author).map(super::world::User::json),
            "content": body["content"].as_str().unwrap_or_default(), "timestamp": self.stamp(), "edited_timestamp": null,
            "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [], "pinned": false,
            "type": if reference.is_some() { 19 } else { 0 }, "flags": flags,
            "embeds": list(&body["embeds"]), "components": list(&body["components"]),
            "attachments": self.attachments(form),
        });
        if let Some(nonce) = &nonce {
            message["nonce"] = json!(nonce);
        }
        if let Some(reference) = reference {
            message["message_reference"] = reference;
        }
        if author == ME {
            message["application_id"] = json!(super::world::APPLICATION.to_string());
        }
        let created_ms = self.clock.now_ms();
        let one = Message { id, created_ms, author, nonce, only_for, json: message.clone() };
        let mut told = message.clone();
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.messages.push(one);
            if let Some(guild) = channel.guild {
                told["guild_id"] = json!(guild.to_string());
            }
        }
        if only_for.is_none() {
            self.tell("MESSAGE_CREATE", &told);
        }
        message
    }

    fn attachments(&mut self, form: &Form) -> Value {
        let all: Vec<Value> = form
            .files
            .iter()
            .map(|(name, size)| {
                let id = self.number().to_string();
                let url = format!("http://cdn.invalid/{id}/{name}");
                json!({ "id": id, "filename": name, "size": size, "url": url, "proxy_url": url })
            })
            .collect();
        Value::Array(all)
    }

    /// Changes a message of the bot.
    pub(super) fn change(&mut self, channel: u64, id: u64, form: &Form) -> Answer {
        let now = self.clock.now_ms();
        let place = self.channel(channel)?;
        self.may_write(place)?;
        let found = place.messages.iter().find(|message| message.id == id && message.only_for.is_none());
        let found = found.ok_or_else(|| Refusal::new(404, 10_008, "Unknown Message"))?;
        if found.author != ME {
            return Err(Refusal::new(403, 50_005, "Cannot edit a message authored by another user"));
        }
        limits::message(&form.json, &form.files)?;
        if now >= found.created_ms + HOUR_MS {
            if self.old_edits == 0 {
                let words = "Maximum number of edits to messages older than 1 hour reached. Try again later";
                return Err(Refusal::new(429, 30_046, words));
            }
            self.old_edits -= 1;
        }
        self.rewrite(channel, id, form)
    }

    /// Writes over a message what a form says.
    pub(super) fn rewrite(&mut self, channel: u64, id: u64, form: &Form) -> Answer {
        let (files, stamp) = (self.attachments(form), self.stamp());
        let place = self.channels.get_mut(&channel).ok_or_else(Refusal::not_found)?;
        let message = place.messages.iter_mut().find(|message| message.id == id).ok_or_else(Refusal::not_found)?;
        for key in ["content", "embeds", "components"] {
            if !form.json[key].is_null() {
                message.json[key] = form.json[key].clone();
            }
        }
        if form.json["attachments"].is_array() {
            message.json["attachments"] = files;
        }
        message.json["edited_timestamp"] = json!(stamp);
        Ok(message.json.clone())
    }

    pub(super) fn remove(&mut self, channel: u64, id: u64) -> Answer {
        let gone = Refusal::new(404, 10_008, "Unknown Message");
        let place = self.channels.get_mut(&channel).ok_or_else(Refusal::not_found)?;
        let at = place.messages.iter().position(|message| message.id == id).ok_or(gone)?;
        if place.messages[at].author != ME && place.recipient.is_some() {
            return Err(Refusal::new(403, 50_003, "Cannot execute action on a DM channel"));
        }
        place.messages.remove(at);
        Ok(Value::Null)
    }

    /// The latest, newest first.
    pub(super) fn latest(&self, channel: u64, limit: usize) -> Answer {
        let place = self.channel(channel)?;
        if place.refuses.is_some_and(|code| code == 50_001) {
            return Err(Refusal::new(403, 50_001, "Missing Access"));
        }
        let all = place.messages.iter().rev().filter(|message| message.only_for.is_none());
        Ok(Value::Array(all.take(limit.clamp(1, 100)).map(|message| message.json.clone()).collect()))
    }

    /// Begins a thread below a message.
    pub(super) fn thread(&mut self, channel: u64, message: u64, body: &Value) -> Answer {
        let place = self.channel(channel)?;
        limits::text("name", &body["name"], 1, 100)?;
        if place.recipient.is_some() || place.parent.is_some() {
            return Err(Refusal::new(400, 50_024, "Cannot execute action on this channel type"));
        }
        if place.no_threads {
            return Err(Refusal::new(403, 50_013, "Missing Permissions"));
        }
        if !place.messages.iter().any(|one| one.id == message) {
            return Err(Refusal::new(404, 10_008, "Unknown Message"));
        }
        if self.channels.contains_key(&message) {
            return Err(Refusal::new(400, 160_004, "A thread has already been created for this message"));
        }
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        let (guild, parent) = (place.guild, Some(channel));
        let thread = Channel { id: message, guild, parent, name, ..Channel::default() };
        let json = thread.json(&self.users);
        self.channels.insert(message, thread);
        self.tell("THREAD_CREATE", &json);
        Ok(json)
    }

    pub(super) fn type_there(&self, channel: u64) -> Answer {
        self.may_write(self.channel(channel)?).map(|()| Value::Null)
    }

    /// What somebody sees in a channel.
    pub(super) fn seen(&self, channel: u64, by: Option<u64>) -> Vec<Value> {
        let all = self.channels.get(&channel).into_iter().flat_map(|channel| &channel.messages);
        let sees = |message: &&Message| message.only_for.is_none() || message.only_for == by;
        all.filter(sees).map(|message| message.json.clone()).collect()
    }

    /// A flag that makes an answer visible to one person alone.
    pub(super) fn is_ephemeral(flags: u64) -> bool {
        flags & EPHEMERAL != 0
    }
}
