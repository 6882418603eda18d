//! How does the bot show itself? Its name, its commands per scope and language, and its webhook.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::limits;
use super::params::{Params, int_of};
use super::refusal::{Answer, Refusal};
use super::world::World;

#[derive(Debug, Default)]
pub(super) struct Profile {
    /// Commands by scope and language.
    commands: BTreeMap<(String, String), Value>,
    pub(super) webhook: String,
}

const SCOPES: [&str; 7] = [
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
];

impl World {
    pub(super) fn get_me(&self) -> Value {
        let mut me = self.me.json();
        for (right, given) in [
            ("can_join_groups", true),
            ("can_read_all_group_messages", !self.privacy),
            ("supports_inline_queries", false),
            ("can_connect_to_business", false),
            ("has_main_web_app", false),
        ] {
            me[right] = json!(given);
        }
        me
    }

    fn scope(&self, params: &Params) -> Result<(String, String), Refusal> {
        let language = params.text("language_code").unwrap_or_default();
        if !matches!(language.len(), 0 | 2) || !language.chars().all(|c| c.is_ascii_lowercase()) {
            return Err(Refusal::bad("LANG_CODE_INVALID"));
        }
        let Some(scope) = params.get("scope") else { return Ok(("default".to_owned(), language.to_owned())) };
        let cannot = |why: &str| Refusal::bad(format!("can't parse BotCommandScope: {why}"));
        let kind = scope["type"].as_str().ok_or_else(|| cannot("Can't find field \"type\""))?;
        if !SCOPES.contains(&kind) {
            return Err(cannot("Unsupported type specified"));
        }
        let mut key = kind.to_owned();
        if kind.starts_with("chat") {
            let chat = int_of(&scope["chat_id"]).filter(|id| self.chats.contains_key(id));
            key = format!("{key} {}", chat.ok_or_else(|| Refusal::bad("chat not found"))?);
        }
        if kind == "chat_member" {
            let user = int_of(&scope["user_id"]).ok_or_else(|| cannot("Can't find field \"user_id\""))?;
            key = format!("{key} {user}");
        }
        Ok((key, language.to_owned()))
    }

    pub(super) fn set_commands(&mut self, params: &Params) -> Answer {
        let key = self.scope(params)?;
        let expected = || Refusal::bad("expected an Array of BotCommand");
        let commands = params.get("commands").ok_or_else(expected)?;
        check_commands(commands.as_array().ok_or_else(expected)?)?;
        self.profile.commands.insert(key, commands.clone());
        Ok(json!(true))
    }

    pub(super) fn get_commands(&self, params: &Params) -> Answer {
        Ok(self.profile.commands.get(&self.scope(params)?).cloned().unwrap_or_else(|| json!([])))
    }

    pub(super) fn delete_commands(&mut self, params: &Params) -> Answer {
        let key = self.scope(params)?;
        self.profile.commands.remove(&key);
        Ok(json!(true))
    }

    pub(super) fn set_webhook(&mut self, params: &Params) -> Answer {
        let url = params.text("url").unwrap_or_default();
        if !url.is_empty() && !url.starts_with("https://") {
            return Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook"));
        }
        url.clone_into(&mut self.profile.webhook);
        self.queue.turn += 1;
        self.drop_pending(params);
        Ok(json!(true))
    }

    pub(super) fn delete_webhook(&mut self, params: &Params) -> Value {
        self.profile.webhook.clear();
        self.drop_pending(params);
        json!(true)
    }

    fn drop_pending(&mut self, params: &Params) {
        if params.flag("drop_pending_updates") {
            self.queue.clear();
        }
    }

    pub(super) fn webhook_info(&self) -> Value {
        json!({
            "url": self.profile.webhook, "has_custom_certificate": false, "pending_update_count": self.queue.len(),
        })
    }
}

fn check_commands(commands: &[Value]) -> Result<(), Refusal> {
    if commands.len() > limits::COMMANDS {
        return Err(Refusal::bad("BOT_COMMANDS_TOO_MUCH"));
    }
    let mut names = BTreeSet::new();
    for command in commands {
        let cannot = |field: &str| Refusal::bad(format!("can't parse BotCommand: Can't find field \"{field}\""));
        let name = command["command"].as_str().ok_or_else(|| cannot("command"))?;
        let name = name.strip_prefix('/').unwrap_or(name);
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !limits::within(name, limits::COMMAND_NAME) || !name.chars().all(known) {
            return Err(Refusal::bad("BOT_COMMAND_INVALID"));
        }
        let description = command["description"].as_str().ok_or_else(|| cannot("description"))?;
        if !limits::within(description.trim(), limits::COMMAND_DESCRIPTION) {
            return Err(Refusal::bad("BOT_COMMAND_DESCRIPTION_INVALID"));
        }
        if !names.insert(name) {
            return Err(Refusal::bad("BOT_COMMAND_DUPLICATE"));
        }
    }
    Ok(())
}
