//! How does a test talk to the fake? Through plain HTTP, like a bot and like a person.

use serde_json::{Value, json};

use super::fake::client::{self, answer};
use super::world::World;
use super::{TOKEN, start};

pub(crate) type Fake = client::Fake<World>;

impl Fake {
    pub(crate) fn start() -> Self {
        Self { server: start(0, TOKEN).expect("a free port") }
    }

    pub(crate) fn token() -> &'static str {
        TOKEN
    }

    /// A call of the API, as another bot's library would make it.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let head = format!(
            "Content-Type: application/json\r\nUser-Agent: DiscordBot (test, 1)\r\nAuthorization: Bot {TOKEN}\r\n"
        );
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let stream = self.ask(method, &format!("/api/v10{path}"), &head, body.as_bytes());
        let (status, body) = answer(stream).expect("an answer");
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Somebody joins: the channel in which they are alone with the bot.
    pub(crate) fn join(&self, user: i64) -> i64 {
        number(&self.control("join", &json!({ "user": user }))["dm"])
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.since(0)
    }

    /// Requests of this name so far.
    pub(crate) fn calls(&self, method: &str) -> Vec<Value> {
        self.log().into_iter().filter(|entry| entry["method"] == method).collect()
    }

    /// Waits for requests.
    pub(crate) fn wait(&self, wanted: &Value) -> Vec<Value> {
        self.control("wait", wanted)["entries"].as_array().cloned().unwrap_or_default()
    }

    /// The messages that this person sees in a channel now.
    pub(crate) fn seen(&self, channel: i64, user: i64) -> Vec<Value> {
        let answer = self.control("seen", &json!({ "channel": channel, "user": user }));
        answer["messages"].as_array().cloned().unwrap_or_default()
    }
}

/// A number that came as text.
pub(crate) fn number(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}
