//! Which methods are there? From the name in the path to the method, and past the waits that were imposed.

use serde_json::json;

use super::chats::chat_id;
use super::editing::Change;
use super::files::Kind;
use super::flood::Lane;
use super::params::Params;
use super::refusal::{Answer, Refusal};
use super::world::World;

/// The methods in their own spelling. Those that are marked count against the flood limits.
const METHODS: [(&str, bool); 28] = [
    ("getMe", false),
    ("getUpdates", false),
    ("sendMessage", true),
    ("editMessageText", true),
    ("editMessageReplyMarkup", true),
    ("editMessageCaption", true),
    ("editMessageMedia", true),
    ("sendPhoto", true),
    ("sendDocument", true),
    ("sendMediaGroup", true),
    ("answerCallbackQuery", false),
    ("deleteMessage", true),
    ("deleteMessages", true),
    ("setMyCommands", false),
    ("getMyCommands", false),
    ("deleteMyCommands", false),
    ("sendChatAction", false),
    ("getChat", false),
    ("getChatMember", false),
    ("getFile", false),
    ("setMessageReaction", true),
    ("pinChatMessage", true),
    ("createForumTopic", true),
    ("setWebhook", false),
    ("deleteWebhook", false),
    ("getWebhookInfo", false),
    ("logOut", false),
    ("close", false),
];

/// The method in its own spelling; names are matched without case.
pub(super) fn spelled(name: &str) -> Option<&'static str> {
    METHODS.iter().find(|(method, _)| method.eq_ignore_ascii_case(name)).map(|(method, _)| *method)
}

/// Who has to wait with this request when one has to.
pub(super) fn lanes(method: &str, params: &Params) -> Vec<Lane> {
    let counted = METHODS.iter().any(|(name, counted)| *counted && *name == method);
    let mut lanes = vec![Lane::Method(method.to_owned())];
    if counted {
        lanes.push(Lane::Bot);
        lanes.extend(chat_id(params).map(Lane::Chat));
    }
    lanes
}

impl World {
    /// Answers every method but getUpdates, which waits.
    pub(super) fn call(&mut self, method: &str, params: &Params) -> Answer {
        match method {
            "getMe" => Ok(self.get_me()),
            "sendMessage" => self.send_message(params),
            "sendPhoto" => self.send_file(Kind::Photo, "photo", params),
            "sendDocument" => self.send_file(Kind::Document, "document", params),
            "sendMediaGroup" => self.send_album(params),
            "sendChatAction" => self.chat_action(params),
            "editMessageText" => self.edit(Change::Text, params),
            "editMessageCaption" => self.edit(Change::Caption, params),
            "editMessageMedia" => self.edit(Change::Media, params),
            "editMessageReplyMarkup" => self.edit(Change::Markup, params),
            "deleteMessage" => self.delete_message(params),
            "deleteMessages" => self.delete_messages(params),
            "setMessageReaction" => self.react(params),
            "answerCallbackQuery" => self.answer_callback(params),
            "pinChatMessage" => self.pin(params),
            "createForumTopic" => self.create_topic(params),
            "getChat" => self.get_chat(params),
            "getChatMember" => self.get_chat_member(params),
            "getFile" => self.files.get_file(params),
            "setMyCommands" => self.set_commands(params),
            "getMyCommands" => self.get_commands(params),
            "deleteMyCommands" => self.delete_commands(params),
            "setWebhook" => self.set_webhook(params),
            "deleteWebhook" => Ok(self.delete_webhook(params)),
            "getWebhookInfo" => Ok(self.webhook_info()),
            "logOut" | "close" => Ok(json!(true)),
            _ => Err(Refusal::no_method()),
        }
    }
}
