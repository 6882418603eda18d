//! How does a test script the world? What people do, what goes wrong, and what can be read back.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::chats::{Chat, Standing, member_json};
use super::fake::control::{self, Done, Reply, reply};
use super::faults::{Fault, Kind};
use super::files;
use super::keyboard;
use super::messages::Message;
use super::params::Upload;
use super::people::{Person, Press};
use super::server::Hub;
use super::text::Shown;
use super::world::World;

pub(super) async fn control(State(hub): State<Arc<Hub>>, Path(what): Path<String>, body: Bytes) -> Reply {
    control::control(&hub, &what, &body, World::act).await
}

/// What a person in the chat sees now.
pub(super) async fn chat(State(hub): State<Arc<Hub>>, Path(id): Path<i64>) -> Reply {
    let world = hub.lock();
    reply(world.chats.get(&id).map(Chat::seen).ok_or_else(|| format!("there is no chat {id}")))
}

/// The kind and the body of the update for a change of the bot's own standing.
fn standing_update(world: &World, chat: &Chat, by: &Person, before: Standing) -> Value {
    let me = world.me.json();
    json!({
        "chat": world.chat_json(chat),
        "from": by.json(),
        "date": world.clock.date(),
        "old_chat_member": member_json(&me, before),
        "new_chat_member": member_json(&me, chat.standing),
    })
}

impl World {
    fn act(&mut self, what: &str, given: &Value) -> Done {
        match what {
            "message" => self.write(given),
            "document" => self.upload(given, files::Kind::Document),
            "photo" => self.upload(given, files::Kind::Photo),
            "press" => self.press(given),
            "join" => self.join(given),
            "group" => self.group(given),
            "migrate" => self.migrate(given),
            "fault" => self.script(given),
            "update" => self.raw(given),
            "clear" => {
                self.faults.clear(given["method"].as_str());
                Ok(json!({}))
            }
            "settings" => self.set(given),
            "advance" => given["ms"].as_u64().ok_or_else(|| "ms is missing".to_owned()).map(|ms| {
                self.clock.advance(ms);
                json!({ "now_ms": self.clock.now_ms() })
            }),
            _ => Err(format!("there is no control call {what}")),
        }
    }

    /// The person who acts, met; and the chat, which is the private one if none is named.
    fn actor(&mut self, given: &Value) -> Result<(i64, i64), String> {
        let person = Person::from_control(&given["from"]).ok_or("from must be a positive id or a user object")?;
        let id = person.id;
        self.meet(person);
        let chat = given["chat"].as_i64().unwrap_or(id);
        let entry = self.chats.get_mut(&chat).ok_or_else(|| format!("there is no chat {chat}: make it with group"))?;
        // Who writes to a bot has started it.
        if matches!(entry.standing, Standing::Unstarted | Standing::Blocked) && chat == id {
            entry.standing = Standing::Member;
        }
        Ok((id, chat))
    }

    fn written(&mut self, chat: i64, message: Message) -> Done {
        let id = self.put(chat, message).ok_or("no such chat")?;
        let chat = &self.chats[&chat];
        let message = &chat.messages[&id];
        let heard = self.hears(chat, message);
        let body = self.message_json(chat, message);
        let update = if heard { self.tell("message", body) } else { None };
        Ok(json!({ "message_id": id, "update_id": update }))
    }

    /// Privacy mode: in a group where it is no administrator the bot hears commands, its name, and replies to it.
    fn hears(&self, chat: &Chat, message: &Message) -> bool {
        let replied = message.reply_to.and_then(|id| chat.messages.get(&id)).is_some_and(|to| to.from == self.me.id);
        let name = self.me.username.as_deref().unwrap_or_default();
        let named = message.shown.text.starts_with('/') || message.shown.text.contains(&format!("@{name}"));
        chat.is_private() || chat.standing == Standing::Admin || !self.privacy || replied || named
    }

    fn write(&mut self, given: &Value) -> Done {
        let (from, chat) = self.actor(given)?;
        let shown = Shown::plain(given["text"].as_str().ok_or("text is missing")?);
        if let Some(id) = given["edited"].as_i64() {
            let date = self.clock.date();
            let message = self.chats.get_mut(&chat).and_then(|chat| chat.messages.get_mut(&id));
            let message = message.filter(|message| message.from == from).ok_or("no such message of this person")?;
            (message.shown, message.edited) = (shown, Some(date));
            message.edits += 1;
            let chat = &self.chats[&chat];
            let body = self.message_json(chat, &chat.messages[&id]);
            let update = self.tell("edited_message", body);
            return Ok(json!({ "message_id": id, "update_id": update }));
        }
        let mut message = Message::new(from, shown);
        message.date = given["date"].as_i64().unwrap_or(0);
        message.reply_to = given["reply_to"].as_i64();
        message.thread = given["thread"].as_i64();
        self.written(chat, message)
    }

    fn upload(&mut self, given: &Value, kind: files::Kind) -> Done {
        let (from, chat) = self.actor(given)?;
        let text = |key: &str, usual: &str| given[key].as_str().unwrap_or(usual).to_owned();
        let upload = if kind == files::Kind::Photo {
            let side = |key: &str| given[key].as_u64().unwrap_or(64).clamp(1, 2000) as u32;
            let bytes = files::blank_png(side("width"), side("height"));
            Upload { name: "photo.png".to_owned(), mime: "image/png".to_owned(), bytes: bytes.into() }
        } else {
            let content = text("content", "a document");
            Upload { name: text("file_name", "document.txt"), mime: text("mime", "text/plain"), bytes: content.into() }
        };
        let media = self.files.keep(kind, &upload).map_err(|refusal| refusal.description)?;
        let mut message = Message::new(from, Shown::plain(&text("caption", "")));
        message.media = Some(media);
        message.thread = given["thread"].as_i64();
        self.written(chat, message)
    }

    fn press(&mut self, given: &Value) -> Done {
        let (from, chat) = self.actor(given)?;
        let id = given["message_id"].as_i64().ok_or("message_id is missing")?;
        let wanted = given["data"].as_str().or(given["text"].as_str()).ok_or("data or text is missing")?;
        let chat = &self.chats[&chat];
        let message = chat.messages.get(&id).ok_or("no such message")?;
        let found = message.markup.as_ref().and_then(|markup| keyboard::data_of(markup, wanted));
        // An odd client sends whatever data it likes.
        let forged = (given["forge"] == true).then(|| wanted.to_owned());
        let data = found.or(forged).ok_or_else(|| format!("the message has no callback button {wanted}"))?;
        let shown = self.message_json(chat, message);
        let (query, at) = (self.number(), self.clock.now_ms());
        self.presses.insert(query.clone(), Press { at, answered: false });
        let by = self.person(from).map(Person::json);
        let instance = format!("{}", -7_000_000 - given["chat"].as_i64().unwrap_or(from));
        let body = json!({ "id": query, "from": by, "message": shown, "chat_instance": instance, "data": data });
        let update = self.tell("callback_query", body);
        Ok(json!({ "callback_query_id": query, "update_id": update }))
    }

    fn join(&mut self, given: &Value) -> Done {
        let person = Person::from_control(&given["from"]).ok_or("from must be a positive id or a user object")?;
        self.meet(person.clone());
        let id = given["chat"].as_i64().unwrap_or(person.id);
        let action = given["action"].as_str().unwrap_or("start");
        let chat = self.chats.get_mut(&id).ok_or_else(|| format!("there is no chat {id}"))?;
        let before = chat.standing;
        chat.standing = match action {
            "start" | "unblock" | "add" => Standing::Member,
            "know" => Standing::Unstarted,
            "promote" => Standing::Admin,
            "block" => Standing::Blocked,
            "deactivate" => Standing::Deactivated,
            "kick" => Standing::Kicked,
            "leave" => Standing::Left,
            _ => return Err(format!("there is no action {action}")),
        };
        let quiet = given["quiet"] == true || matches!(action, "know" | "deactivate");
        let chat = &self.chats[&id];
        if !quiet && before != chat.standing && before != Standing::Unstarted {
            let body = standing_update(self, chat, &person, before);
            self.tell("my_chat_member", body);
        }
        if action == "start" && !quiet {
            let payload = given["text"].as_str().map_or_else(String::new, |text| format!(" {text}"));
            return self.written(id, Message::new(person.id, Shown::plain(&format!("/start{payload}"))));
        }
        Ok(json!({}))
    }

    fn group(&mut self, given: &Value) -> Done {
        let id = given["chat"].as_i64().filter(|id| *id < 0).ok_or("chat must be a negative id")?;
        let standing = if given["admin"] == true { Standing::Admin } else { Standing::Member };
        let mut chat = Chat::new(id, given["title"].as_str().unwrap_or("Group"), standing);
        chat.forum = given["forum"] == true;
        if chat.forum && chat.kind() != "supergroup" {
            return Err("only a supergroup (-100...) can be a forum".to_owned());
        }
        for name in given["topics"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            chat.next += 1;
            chat.topics.insert(chat.next, name.to_owned());
            chat.next += 1;
        }
        let topics: Map<String, Value> = chat.topics.iter().map(|(id, name)| (name.clone(), json!(id))).collect();
        self.chats.insert(id, chat);
        if let Some(person) = Person::from_control(&given["from"]) {
            self.meet(person.clone());
            let body = standing_update(self, &self.chats[&id], &person, Standing::Left);
            self.tell("my_chat_member", body);
        }
        Ok(json!({ "topics": topics }))
    }

    fn migrate(&mut self, given: &Value) -> Done {
        let (from, to) = (given["chat"].as_i64().unwrap_or(0), given["to"].as_i64().unwrap_or(0));
        let old = self.chats.get_mut(&from).filter(|old| old.kind() == "group").ok_or("chat must be a basic group")?;
        old.moved_to = Some(to);
        let new = Chat::new(to, &old.title, old.standing);
        if new.kind() != "supergroup" {
            return Err("to must be a supergroup (-100...)".to_owned());
        }
        self.chats.insert(to, new);
        for (chat, field, other) in [(from, "migrate_to_chat_id", to), (to, "migrate_from_chat_id", from)] {
            let id = self.put(chat, Message::new(self.me.id, Shown::default())).ok_or("no such chat")?;
            let chat = &self.chats[&chat];
            let mut body = self.message_json(chat, &chat.messages[&id]);
            body[field] = json!(other);
            self.tell("message", body);
        }
        Ok(json!({}))
    }

    fn script(&mut self, given: &Value) -> Done {
        let fault = Fault::read(given)?;
        if fault.own.kind == Some(Kind::Garbage) {
            let body = fault.own.update.clone().unwrap_or_else(|| json!({ "strange": [1, null, { "deep": "thing" }] }));
            let now = self.clock.now_ms();
            let update = self.queue.push_any("kind_from_the_future", body, now);
            return Ok(json!({ "update_id": update }));
        }
        self.faults.add(fault);
        Ok(json!({}))
    }

    /// Any update that Telegram might send, with so many bytes of nothing in it.
    fn raw(&mut self, given: &Value) -> Done {
        let kind = given["kind"].as_str().ok_or("kind is missing")?;
        let mut body = given["body"].clone();
        if let Some(bytes) = given["padding"].as_u64() {
            body["padding"] = json!("x".repeat(bytes as usize));
        }
        let now = self.clock.now_ms();
        Ok(json!({ "update_id": self.queue.push_any(kind, body, now) }))
    }

    fn set(&mut self, given: &Value) -> Done {
        for (key, value) in given.as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                ("flood", Value::Bool(on)) => self.flood.on = *on,
                ("privacy", Value::Bool(on)) => self.privacy = *on,
                ("callback_life_ms", Value::Number(ms)) => self.callback_life_ms = ms.as_u64().unwrap_or(0),
                ("next_update", Value::Number(next)) => self.queue.begin(next.as_i64().unwrap_or(1)),
                ("clock_skew_s", Value::Number(seconds)) => self.clock.skew_s = seconds.as_i64().unwrap_or(0),
                ("clock", Value::String(state)) => self.clock.stop(state == "stopped"),
                _ => return Err(format!("there is no setting {key}: {value}")),
            }
        }
        Ok(json!({ "now_ms": self.clock.now_ms() }))
    }
}
