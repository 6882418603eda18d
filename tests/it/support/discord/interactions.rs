//! How are interactions answered? The first response within three seconds and of a kind that fits, then by the token for fifteen minutes.

use serde_json::{Value, json};

use super::forms::Form;
use super::limits;
use super::messages::id_of;
use super::refusal::{Answer, Refusal};
use super::world::{APPLICATION, ME, World};

const FIRST_MS: u64 = 3_000;
const TOKEN_MS: u64 = 15 * 60_000;

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Command,
    Press,
    Completion,
    Form,
}

impl Kind {
    fn number(self) -> u64 {
        match self {
            Self::Command => 2,
            Self::Press => 3,
            Self::Completion => 4,
            Self::Form => 5,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Interaction {
    pub(super) id: u64,
    pub(super) token: String,
    pub(super) kind: Kind,
    pub(super) user: u64,
    pub(super) channel: u64,
    pub(super) created_ms: u64,
    /// The type of the first response, and when it came after the interaction, in milliseconds.
    pub(super) answered: Option<(u64, u64)>,
    /// The message that answers it.
    pub(super) original: Option<u64>,
    /// The message that was pressed.
    pub(super) source: Option<u64>,
    /// The form or the choices that were shown.
    pub(super) shown: Value,
    /// Loading: deferred, and not yet answered.
    pub(super) loading: bool,
    /// What the gateway told of it.
    pub(super) event: Value,
}

impl Interaction {
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(), "user": self.user.to_string(), "channel": self.channel.to_string(),
            "response": self.answered.map(|(kind, _)| kind), "after_ms": self.answered.map(|(_, ms)| ms),
            "original": self.original.map(|id| id.to_string()), "shown": self.shown, "loading": self.loading,
        })
    }
}

impl World {
    /// Somebody does something: its number.
    pub(super) fn interact(&mut self, kind: Kind, user: u64, channel: u64, source: Option<u64>, data: &Value) -> u64 {
        let id = self.number();
        let token = format!("aW50ZXJhY3Rpb24{}-{id}", id % 9973);
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let mut event = json!({
            "id": id.to_string(), "application_id": APPLICATION.to_string(), "type": kind.number(), "token": token,
            "version": 1, "channel_id": channel.to_string(), "data": data, "locale": "en-US", "entitlements": [],
            "authorizing_integration_owners": {}, "attachment_size_limit": 10_485_760,
            "context": i32::from(guild.is_none()), "app_permissions": "2147483647",
        });
        let who = self.users.get(&user).map(super::world::User::json).unwrap_or_default();
        if let Some(place) = self.channels.get(&channel) {
            event["channel"] = place.json(&self.users);
            event["channel"]["permissions"] = json!("2147483647");
        }
        match guild {
            Some(guild) => {
                event["guild_id"] = json!(guild.to_string());
                event["guild"] = json!({ "id": guild.to_string(), "locale": "en-US", "features": [] });
                event["guild_locale"] = json!("en-US");
                event["member"] = json!({ "user": who, "roles": [], "joined_at": self.stamp(), "deaf": false,
                    "mute": false, "flags": 0, "permissions": "2147483647", "nick": null, "avatar": null,
                    "premium_since": null, "pending": false, "communication_disabled_until": null });
            }
            None => event["user"] = who,
        }
        let pressed = source.and_then(|id| self.channels.get(&channel)?.messages.iter().find(|one| one.id == id));
        if let Some(message) = pressed {
            event["message"] = message.json.clone();
        }
        let created_ms = self.clock.now_ms();
        let (answered, original, shown, loading) = (None, None, Value::Null, false);
        let one = Interaction {
            id,
            token,
            kind,
            user,
            channel,
            created_ms,
            answered,
            original,
            source,
            shown,
            loading,
            event: event.clone(),
        };
        self.interactions.insert(id, one);
        self.tell("INTERACTION_CREATE", &event);
        id
    }

    /// The first response.
    pub(super) fn respond(&mut self, id: u64, token: &str, form: &Form) -> Answer {
        let now = self.clock.now_ms();
        let unknown = || Refusal::new(404, 10_062, "Unknown interaction");
        let one = self.interactions.get(&id).filter(|one| one.token == token).cloned().ok_or_else(unknown)?;
        if now > one.created_ms + FIRST_MS {
            return Err(unknown());
        }
        if one.answered.is_some() {
            return Err(Refusal::new(400, 40_060, "Interaction has already been acknowledged."));
        }
        let (kind, data) = (form.json["type"].as_u64().unwrap_or(0), &form.json["data"]);
        let from_component = one.kind == Kind::Press || (one.kind == Kind::Form && one.source.is_some());
        let fits = match kind {
            4 | 5 => one.kind != Kind::Completion,
            6 | 7 => from_component,
            8 => one.kind == Kind::Completion,
            9 => matches!(one.kind, Kind::Command | Kind::Press),
            _ => false,
        };
        if !fits {
            return Err(Refusal::form("type", "This type of response does not fit this interaction."));
        }
        let flags = data["flags"].as_u64().unwrap_or(0);
        let mut shown = (None, Value::Null);
        match kind {
            4 => {
                limits::new_message(data, &form.files)?;
                let form = Form { json: data.clone(), files: form.files.clone() };
                shown.0 = Some(self.show(&one, &form, flags));
            }
            5 => {
                let only_flags = data.as_object().is_none_or(|data| data.keys().all(|key| key == "flags"));
                if !only_flags || (flags != 0 && flags != 64) {
                    return Err(Refusal::form("data", "Only the flag EPHEMERAL may be set here."));
                }
                shown.0 = Some(self.show(&one, &Form { json: json!({}), files: Vec::new() }, flags));
            }
            6 => shown.0 = one.source,
            7 => {
                limits::message(data, &form.files)?;
                shown.0 = one.source;
                let form = Form { json: data.clone(), files: form.files.clone() };
                self.rewrite(one.channel, one.source.unwrap_or(0), &form)?;
            }
            8 => {
                choices(&data["choices"])?;
                shown.1 = data["choices"].clone();
            }
            _ => {
                limits::modal(data)?;
                shown.1 = data.clone();
            }
        }
        if let Some(one) = self.interactions.get_mut(&id) {
            one.answered = Some((kind, now - one.created_ms));
            (one.original, one.shown) = shown;
            one.loading = kind == 5;
        }
        Ok(Value::Null)
    }

    /// What a first response did, for those who ask.
    pub(super) fn response(&self, id: u64) -> Value {
        let Some(one) = self.interactions.get(&id) else { return Value::Null };
        let kind = one.answered.map(|(kind, _)| kind);
        let place = self.channels.get(&one.channel);
        let message = place.and_then(|place| place.messages.iter().find(|message| Some(message.id) == one.original));
        let mut response = json!({
            "interaction": { "id": id.to_string(), "type": one.kind.number(),
                "response_message_id": one.original.map(|id| id.to_string()), "response_message_loading": one.loading,
                "response_message_ephemeral": message.is_some_and(|message| message.only_for.is_some()) },
            "resource": { "type": kind },
        });
        if let Some(message) = message {
            response["resource"]["message"] = message.json.clone();
        }
        response
    }

    fn show(&mut self, one: &Interaction, form: &Form, flags: u64) -> u64 {
        let only_for = Self::is_ephemeral(flags).then_some(one.user);
        let message = self.post(one.channel, ME, form, flags, None, None, only_for);
        id_of(&message["id"]).unwrap_or_default()
    }

    fn by_token(&self, application: u64, token: &str) -> Result<Interaction, Refusal> {
        let unknown = || Refusal::new(404, 10_015, "Unknown Webhook");
        let found = self.interactions.values().find(|one| one.token == token && application == APPLICATION);
        let one = found.ok_or_else(unknown)?;
        if self.clock.now_ms() > one.created_ms + TOKEN_MS {
            return Err(Refusal::new(401, 50_027, "Invalid Webhook Token"));
        }
        if one.answered.is_none() {
            return Err(unknown());
        }
        Ok(one.clone())
    }

    /// Changes the answer.
    pub(super) fn change_original(&mut self, application: u64, token: &str, form: &Form) -> Answer {
        let one = self.by_token(application, token)?;
        let id = one.original.ok_or_else(|| Refusal::new(404, 10_008, "Unknown Message"))?;
        limits::message(&form.json, &form.files)?;
        if let Some(one) = self.interactions.get_mut(&one.id) {
            one.loading = false;
        }
        self.rewrite(one.channel, id, form)
    }

    pub(super) fn original(&self, application: u64, token: &str) -> Answer {
        let one = self.by_token(application, token)?;
        let place = self.channels.get(&one.channel);
        let found = place.and_then(|place| place.messages.iter().find(|message| Some(message.id) == one.original));
        found.map(|message| message.json.clone()).ok_or_else(|| Refusal::new(404, 10_008, "Unknown Message"))
    }

    /// A further message.
    pub(super) fn follow_up(&mut self, application: u64, token: &str, form: &Form) -> Answer {
        let one = self.by_token(application, token)?;
        limits::new_message(&form.json, &form.files)?;
        let flags = form.json["flags"].as_u64().unwrap_or(0);
        if flags & !(64 | 4 | 4096) != 0 {
            return Err(Refusal::form("flags", "These flags cannot be set here."));
        }
        let only_for = Self::is_ephemeral(flags).then_some(one.user);
        if let Some(one) = self.interactions.get_mut(&one.id) {
            one.loading = false;
        }
        Ok(self.post(one.channel, ME, form, flags, None, None, only_for))
    }
}

fn choices(given: &Value) -> Result<(), Refusal> {
    let all = given.as_array().ok_or_else(|| Refusal::form("data.choices", "This field is required"))?;
    if all.len() > 25 {
        return Err(Refusal::form("data.choices", "Must be 25 or fewer in length."));
    }
    for choice in all {
        limits::text("data.choices.name", &choice["name"], 1, 100)?;
        if choice["value"].is_string() {
            limits::text("data.choices.value", &choice["value"], 1, 100)?;
        }
    }
    Ok(())
}
