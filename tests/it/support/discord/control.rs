//! How does a test script the world? What people do, what goes wrong, and what can be read back.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::commands;
use super::fake::control::{self, Done, Reply};
use super::faults::Fault;
use super::forms::Form;
use super::interactions::Kind;
use super::messages::id_of;
use super::server::Hub;
use super::sessions::Act;
use super::world::{Channel, User, World};

pub(super) async fn control(State(hub): State<Arc<Hub>>, Path(what): Path<String>, body: Bytes) -> Reply {
    control::control(&hub, &what, &body, World::act).await
}

fn number(given: &Value, key: &str) -> Result<u64, String> {
    id_of(&given[key]).ok_or_else(|| format!("{key} is needed"))
}

fn pairs(given: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    given.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

impl World {
    fn act(&mut self, what: &str, given: &Value) -> Done {
        match what {
            "join" => self.join(given),
            "channel" => self.open(given),
            "settings" => self.set(given),
            "fault" => Fault::read(given).map(|fault| {
                self.faults.add(fault);
                json!({})
            }),
            "clear" => {
                self.faults.clear(given["method"].as_str());
                Ok(json!({}))
            }
            "clock" => Ok(self.set_clock(given)),
            "command" => self.type_command(given, None),
            "complete" => self.complete(given),
            "press" => self.press(given),
            "submit" => self.submit(given),
            "write" => self.write(given),
            "delete" => self.vanish(given),
            "event" => {
                let kind = given["t"].as_str().unwrap_or_default().to_owned();
                self.tell(&kind, &given["d"]);
                Ok(json!({}))
            }
            "gateway" => self.move_gateway(given),
            "repeat" => {
                let told = id_of(&given["id"]).and_then(|id| self.interactions.get(&id)).map(|one| one.event.clone());
                told.inspect(|event| self.tell("INTERACTION_CREATE", event))
                    .map(|_| json!({}))
                    .ok_or_else(|| "there is no such interaction".to_owned())
            }
            "seen" => Ok(json!({ "messages": self.seen(
                id_of(&given["channel"]).unwrap_or(0), id_of(&given["user"])) })),
            "interaction" => id_of(&given["id"])
                .and_then(|id| self.interactions.get(&id))
                .map(super::interactions::Interaction::json)
                .ok_or_else(|| "there is no such interaction".to_owned()),
            "state" => Ok(json!({ "identifies": self.sessions.begun(), "invalid": self.rates.invalid(),
                "sessions": self.sessions.all.len(), "now_ms": self.clock.now_ms(),
                "connected": self.sessions.all.values().filter(|one| one.connection.is_some()).count() })),
            other => Err(format!("there is no control {other}")),
        }
    }

    fn join(&mut self, given: &Value) -> Done {
        let id = number(given, "user")?;
        let name = given["name"].as_str().unwrap_or("ana").to_owned();
        let (bot, open) = (given["bot"] == true, given["open"] != false);
        self.users.insert(id, User { id, name, bot, open });
        Ok(json!({ "dm": self.dm(id).to_string() }))
    }

    fn open(&mut self, given: &Value) -> Done {
        let (id, guild) = (number(given, "channel")?, id_of(&given["guild"]).unwrap_or(1));
        self.guilds.entry(guild).or_insert_with(|| "a server".to_owned());
        let channel = self.channels.entry(id).or_insert_with(|| Channel {
            id,
            guild: Some(guild),
            name: "trades".to_owned(),
            ..Channel::default()
        });
        channel.refuses = given["refuses"].as_u64().map(|code| code as u32);
        channel.no_threads = given["no_threads"] == true;
        channel.parent = id_of(&given["parent"]);
        if given["gone"] == true {
            self.channels.remove(&id);
        }
        Ok(json!({}))
    }

    fn set(&mut self, given: &Value) -> Done {
        for (key, value) in given.as_object().into_iter().flatten() {
            let number = value.as_u64().unwrap_or_default();
            match key.as_str() {
                "rates" => self.rates.on = *value == true,
                "limit" => self.rates.limit = number as u32,
                "window_ms" => self.rates.window_ms = number,
                "nonce_ms" => self.nonce_ms = number,
                "old_edits" => self.old_edits = number as u32,
                "heartbeat_ms" => self.sessions.heartbeat_ms = number,
                "mute" => self.sessions.mute = *value == true,
                "close_with" => self.sessions.close_with = value.as_u64().map(|code| code as u16),
                "ignore_resume" => self.sessions.ignore_resume = *value == true,
                "forget" => self.sessions.forget = *value == true,
                other => return Err(format!("there is no setting {other}")),
            }
        }
        Ok(json!({}))
    }

    fn set_clock(&mut self, given: &Value) -> Value {
        if let Some(stopped) = given["stopped"].as_bool() {
            self.clock.stop(stopped);
        }
        self.clock.advance(given["advance_ms"].as_u64().unwrap_or(0));
        if let Some(skew) = given["skew_s"].as_i64() {
            self.clock.skew_s = skew;
        }
        json!({ "now_ms": self.clock.now_ms() })
    }

    /// Where somebody is: a channel, else alone with the bot.
    fn place(&mut self, given: &Value) -> Result<(u64, u64), String> {
        let user = number(given, "user")?;
        if !self.users.contains_key(&user) {
            return Err("nobody of that number joined".to_owned());
        }
        let channel = id_of(&given["channel"]).unwrap_or_else(|| self.dm(user));
        self.channel(channel).map_err(|refusal| refusal.message)?;
        Ok((user, channel))
    }

    fn type_command(&mut self, given: &Value, focused: Option<&str>) -> Done {
        let (user, channel) = self.place(given)?;
        let path: Vec<String> =
            given["path"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        // Those of its server, and those that are everywhere; alone with the bot only those that may be there.
        let mut known = guild.and_then(|guild| self.commands.get(&guild)).cloned().unwrap_or_default();
        let of_dm = |one: &&Value| {
            let told = one["contexts"].as_array().is_none_or(|all| all.iter().any(|context| *context == 1));
            guild.is_some() || told
        };
        known.extend(self.commands.get(&0).into_iter().flatten().filter(of_dm).cloned());
        let data = commands::typed(&known, &path, &pairs(&given["options"]), focused)?;
        let kind = if focused.is_some() { Kind::Completion } else { Kind::Command };
        Ok(json!({ "id": self.interact(kind, user, channel, None, &data).to_string() }))
    }

    fn complete(&mut self, given: &Value) -> Done {
        let focused = given["focused"].as_str().ok_or("focused is needed")?.to_owned();
        self.type_command(given, Some(&focused))
    }

    fn press(&mut self, given: &Value) -> Done {
        let (user, channel) = self.place(given)?;
        let message = number(given, "message")?;
        let found = self.channels.get(&channel).and_then(|place| place.messages.iter().find(|one| one.id == message));
        let found = found.filter(|one| one.only_for.is_none_or(|who| who == user)).ok_or("there is no such message")?;
        let parts = found.json["components"].as_array().into_iter().flatten();
        let mut parts = parts.flat_map(|row| row["components"].as_array().into_iter().flatten());
        let is_it = |part: &&Value| {
            part["custom_id"] == given["custom_id"] || (!given["label"].is_null() && part["label"] == given["label"])
        };
        let id = match parts.find(is_it) {
            Some(part) => part["custom_id"].clone(),
            // Somebody else's client may send whatever it likes.
            None if given["forged"] == true => given["custom_id"].clone(),
            None => return Err("there is no such button".to_owned()),
        };
        let kind = if given["values"].is_array() { 3 } else { 2 };
        let mut data = json!({ "custom_id": id, "component_type": kind });
        if kind == 3 {
            data["values"] = given["values"].clone();
        }
        Ok(json!({ "id": self.interact(Kind::Press, user, channel, Some(message), &data).to_string() }))
    }

    fn submit(&mut self, given: &Value) -> Done {
        let id = number(given, "id")?;
        let shown = self.interactions.get(&id).filter(|one| one.answered.is_some_and(|(kind, _)| kind == 9)).cloned();
        let shown = shown.ok_or("no form is shown")?;
        let rows = shown.shown["components"].as_array().cloned().unwrap_or_default();
        let mut filled = Vec::new();
        for row in rows {
            let field = &row["components"][0];
            let name = field["custom_id"].as_str().unwrap_or_default();
            let value = given["fields"][name].as_str().unwrap_or_default();
            let length = value.encode_utf16().count() as u64;
            let (least, most) =
                (field["min_length"].as_u64().unwrap_or(0), field["max_length"].as_u64().unwrap_or(4_000));
            if length < least || length > most {
                return Err(format!("{name} must have {least} to {most} characters"));
            }
            filled.push(json!({ "type": 1, "components": [{ "type": 4, "custom_id": name, "value": value }] }));
        }
        let data = json!({ "custom_id": shown.shown["custom_id"], "components": filled });
        Ok(json!({ "id": self.interact(Kind::Form, shown.user, shown.channel, shown.source, &data).to_string() }))
    }

    fn write(&mut self, given: &Value) -> Done {
        let (user, channel) = self.place(given)?;
        let form = Form { json: json!({ "content": given["text"] }), files: Vec::new() };
        let reference = given["reply_to"].as_str().map(|id| {
            let kind = i32::from(given["forward"] == true);
            json!({ "type": kind, "message_id": id, "channel_id": channel.to_string() })
        });
        let message = self.post(channel, user, &form, 0, None, reference, None);
        Ok(json!({ "id": message["id"] }))
    }

    fn vanish(&mut self, given: &Value) -> Done {
        let (channel, message) = (number(given, "channel")?, number(given, "message")?);
        let place = self.channels.get_mut(&channel).ok_or("there is no such channel")?;
        place.messages.retain(|one| one.id != message);
        Ok(json!({}))
    }

    fn move_gateway(&mut self, given: &Value) -> Done {
        let act: Act = serde_json::from_value(given.clone()).map_err(|error| error.to_string())?;
        self.sessions.act = Some((self.sessions.connections, act));
        Ok(json!({}))
    }
}
