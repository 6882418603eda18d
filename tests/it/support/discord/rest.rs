//! Which call is it? Paths of the API, what each is called here, and what it counts towards.

use serde_json::{Value, json};

use super::commands;
use super::forms::Form;
use super::refusal::{Answer, Refusal};
use super::world::{APPLICATION, ME, World};

/// Names, methods and paths as the published description has them.
const ROUTES: &[(&str, &str, &str)] = &[
    ("me", "GET", "/users/@me"),
    ("user", "GET", "/users/{user_id}"),
    ("application", "GET", "/applications/@me"),
    ("application", "GET", "/oauth2/applications/@me"),
    ("gateway", "GET", "/gateway"),
    ("gateway", "GET", "/gateway/bot"),
    ("open_dm", "POST", "/users/@me/channels"),
    ("channel", "GET", "/channels/{channel_id}"),
    ("create_message", "POST", "/channels/{channel_id}/messages"),
    ("list_messages", "GET", "/channels/{channel_id}/messages"),
    ("get_message", "GET", "/channels/{channel_id}/messages/{message_id}"),
    ("edit_message", "PATCH", "/channels/{channel_id}/messages/{message_id}"),
    ("delete_message", "DELETE", "/channels/{channel_id}/messages/{message_id}"),
    ("thread", "POST", "/channels/{channel_id}/messages/{message_id}/threads"),
    ("typing", "POST", "/channels/{channel_id}/typing"),
    ("callback", "POST", "/interactions/{interaction_id}/{interaction_token}/callback"),
    ("edit_original", "PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"),
    ("get_original", "GET", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"),
    ("follow_up", "POST", "/webhooks/{webhook_id}/{webhook_token}"),
    ("put_commands", "PUT", "/applications/{application_id}/commands"),
    ("get_commands", "GET", "/applications/{application_id}/commands"),
    ("create_command", "POST", "/applications/{application_id}/commands"),
    ("put_commands", "PUT", "/applications/{application_id}/guilds/{guild_id}/commands"),
    ("get_commands", "GET", "/applications/{application_id}/guilds/{guild_id}/commands"),
    ("create_command", "POST", "/applications/{application_id}/guilds/{guild_id}/commands"),
];

/// A call that is known.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) name: &'static str,
    pub(super) http: &'static str,
    pub(super) template: &'static str,
    /// What stands in the braces.
    pub(super) holes: Vec<String>,
}

impl Route {
    pub(super) fn of(http: &str, path: &str) -> Option<Self> {
        let given: Vec<&str> = path.trim_matches('/').split('/').collect();
        ROUTES.iter().find_map(|&(name, method, template)| {
            let wanted: Vec<&str> = template.trim_matches('/').split('/').collect();
            let fits = |(want, have): (&&str, &&str)| want.starts_with('{') && !have.starts_with('@') || want == have;
            if method != http || wanted.len() != given.len() || !wanted.iter().zip(&given).all(fits) {
                return None;
            }
            let holes = wanted.iter().zip(&given).filter(|(want, _)| want.starts_with('{'));
            let holes = holes.map(|(_, have)| (*have).to_owned()).collect();
            Some(Self { name, http: method, template, holes })
        })
    }

    fn number(&self, at: usize) -> Result<u64, Refusal> {
        let read = self.holes.get(at).and_then(|hole| hole.parse().ok());
        read.ok_or_else(|| Refusal::form("id", "Value is not snowflake."))
    }

    pub(super) fn channel(&self) -> Option<u64> {
        self.template.starts_with("/channels/").then(|| self.number(0).ok()).flatten()
    }

    /// What its bucket belongs to: the first number, and for webhooks the token.
    pub(super) fn major(&self) -> u64 {
        let is_webhook = self.template.starts_with("/webhooks/");
        if is_webhook {
            return self.holes[1].bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        }
        let has = ["/channels/", "/interactions/"].iter().any(|before| self.template.starts_with(before));
        if has { self.number(0).unwrap_or(0) } else { 0 }
    }

    /// The token in the path is enough, and the bot's limit does not count it.
    pub(super) fn is_interaction(&self) -> bool {
        self.template.starts_with("/interactions/") || self.template.starts_with("/webhooks/")
    }
}

impl World {
    /// Carries a call out.
    pub(super) fn call(&mut self, route: &Route, query: &str, form: &Form) -> Answer {
        let hole = |at| route.number(at);
        match route.name {
            "me" => Ok(self.users.get(&ME).map(super::world::User::json).unwrap_or_default()),
            "user" => {
                let found = self.users.get(&hole(0)?).map(super::world::User::json);
                found.ok_or_else(|| Refusal::new(404, 10_013, "Unknown User"))
            }
            "application" => Ok(json!({
                "id": APPLICATION.to_string(), "name": "bellwether", "icon": null, "description": "", "flags": 0,
                "bot_public": false, "bot_require_code_grant": false, "verify_key": "00", "summary": "",
                "owner": { "id": "1", "username": "owner", "discriminator": "0", "avatar": null }, "team": null,
            })),
            "gateway" => {
                let left = super::sessions::IDENTIFIES_MAX.saturating_sub(self.sessions.begun());
                Ok(json!({ "url": self.gateway("gateway"), "shards": 1, "session_start_limit": {
                    "total": 1000, "remaining": left, "reset_after": 14_400_000, "max_concurrency": 1 } }))
            }
            "open_dm" => {
                let user = super::messages::id_of(&form.json["recipient_id"]).unwrap_or(0);
                if !self.users.contains_key(&user) || user == ME {
                    return Err(Refusal::new(400, 50_033, "Invalid Recipient(s)"));
                }
                let id = self.dm(user);
                Ok(self.channel(id)?.json(&self.users))
            }
            "channel" => Ok(self.channel(hole(0)?)?.json(&self.users)),
            "create_message" => self.create(hole(0)?, form),
            "list_messages" => {
                let limit = query.split('&').find_map(|pair| pair.strip_prefix("limit=")?.parse().ok());
                self.latest(hole(0)?, limit.unwrap_or(50))
            }
            "get_message" => {
                let (channel, id) = (hole(0)?, hole(1)?);
                let found = self.channel(channel)?.messages.iter().find(|one| one.id == id);
                found.map(|one| one.json.clone()).ok_or_else(|| Refusal::new(404, 10_008, "Unknown Message"))
            }
            "edit_message" => self.change(hole(0)?, hole(1)?, form),
            "delete_message" => self.remove(hole(0)?, hole(1)?),
            "thread" => self.thread(hole(0)?, hole(1)?, &form.json),
            "typing" => self.type_there(hole(0)?),
            "callback" => {
                self.respond(hole(0)?, &route.holes[1], form)?;
                let asked = query
                    .split('&')
                    .any(|pair| pair.eq_ignore_ascii_case("with_response=true") || pair == "with_response=1");
                Ok(if asked { self.response(hole(0)?) } else { Value::Null })
            }
            "edit_original" => self.change_original(hole(0)?, &route.holes[1], form),
            "get_original" => self.original(hole(0)?, &route.holes[1]),
            "follow_up" => self.follow_up(hole(0)?, &route.holes[1], form),
            "put_commands" | "get_commands" | "create_command" => self.commands(route, form),
            _ => Err(Refusal::not_found()),
        }
    }

    fn commands(&mut self, route: &Route, form: &Form) -> Answer {
        if route.number(0)? != APPLICATION {
            return Err(Refusal::new(403, 20_012, "You are not authorized to perform this action on this application"));
        }
        let guild = if route.holes.len() > 1 { route.number(1)? } else { 0 };
        if guild != 0 && !self.guilds.contains_key(&guild) {
            return Err(Refusal::new(403, 50_001, "Missing Access"));
        }
        let mut all = match route.name {
            "put_commands" => form.json.as_array().cloned().unwrap_or_default(),
            _ => self.commands.get(&guild).cloned().unwrap_or_default(),
        };
        match route.name {
            "get_commands" => return Ok(Value::Array(all)),
            "put_commands" => commands::check(&form.json)?,
            _ => {
                all.retain(|one| one["name"] != form.json["name"]);
                all.push(form.json.clone());
                commands::check(&Value::Array(all.clone()))?;
            }
        }
        let version = self.number().to_string();
        for one in &mut all {
            if one["id"].is_null() {
                one["id"] = json!(self.number().to_string());
            }
            one["application_id"] = json!(APPLICATION.to_string());
            one["version"] = json!(version);
            one["type"] = json!(1);
            if one["default_member_permissions"].is_null() {
                one["default_member_permissions"] = Value::Null;
            }
            if guild != 0 {
                one["guild_id"] = json!(guild.to_string());
            }
        }
        self.commands.insert(guild, all.clone());
        if route.name == "create_command" { Ok(all.pop().unwrap_or_default()) } else { Ok(Value::Array(all)) }
    }
}
