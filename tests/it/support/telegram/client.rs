//! How does a test talk to the fake? Through plain HTTP, like a bot and like a person.

use std::net::TcpStream;

use serde_json::Value;

use super::fake::client::{self, answer};
use super::world::World;
use super::{TOKEN, start};

pub(crate) type Fake = client::Fake<World>;

/// What a bot hears when a call fails.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rejected {
    /// An answer of Telegram's: its code, its text and its parameters.
    Api { code: u64, description: String, parameters: Value },
    /// No answer that could be read: the connection ended, or the body was not JSON.
    Unknown(String),
}

impl Rejected {
    /// The text of Telegram's answer; nothing where there was none.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Api { description, .. } => description,
            Self::Unknown(_) => "",
        }
    }

    /// The seconds Telegram asks to wait.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Api { parameters, .. } => parameters["retry_after"].as_u64(),
            Self::Unknown(_) => None,
        }
    }
}

impl Fake {
    pub(crate) fn start() -> Self {
        Self { server: start(0, TOKEN).expect("a free port") }
    }

    pub(crate) fn token() -> &'static str {
        TOKEN
    }

    /// Writes a request and does not wait for its answer.
    pub(crate) fn begin(&self, path: &str, kind: &str, body: &[u8]) -> TcpStream {
        self.ask("POST", path, &format!("Content-Type: {kind}\r\n"), body)
    }

    /// A bot's call that is under way: [`Fake::end`] waits for its answer.
    pub(crate) fn begin_call(&self, method: &str, params: &Value) -> TcpStream {
        self.begin(&format!("/bot{TOKEN}/{method}"), "application/json", params.to_string().as_bytes())
    }

    /// Waits for the answer to a bot's call.
    ///
    /// # Errors
    /// Telegram's refusal, or no answer.
    pub(crate) fn end(stream: TcpStream) -> Result<Value, Rejected> {
        let (_, body) = answer(stream).map_err(Rejected::Unknown)?;
        let mut body: Value = serde_json::from_str(&body).map_err(|error| Rejected::Unknown(error.to_string()))?;
        if body["ok"] == true {
            return Ok(body["result"].take());
        }
        let description = body["description"].as_str().unwrap_or_default().to_owned();
        let code = body["error_code"].as_u64().unwrap_or(0);
        Err(Rejected::Api { code, description, parameters: body["parameters"].take() })
    }

    /// Calls a method of the Bot API with JSON.
    ///
    /// # Errors
    /// Telegram's refusal, or no answer.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Result<Value, Rejected> {
        Self::end(self.begin_call(method, params))
    }

    /// Calls a method with a file beside the text fields, as multipart.
    ///
    /// # Errors
    /// Telegram's refusal, or no answer.
    pub(crate) fn upload(&self, method: &str, fields: &Value, field: &str, file: &[u8]) -> Result<Value, Rejected> {
        let mut body = Vec::new();
        for (key, value) in fields.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let part = format!("--part\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{text}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!("--part\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"file.bin\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--part--\r\n");
        Self::end(self.begin(&format!("/bot{TOKEN}/{method}"), "multipart/form-data; boundary=part", &body))
    }

    /// Every request so far, or after the one of this number.
    pub(crate) fn log(&self, since: u64) -> Vec<Value> {
        self.since(since)
    }

    /// The messages a person in the chat sees now.
    pub(crate) fn seen(&self, chat: i64) -> Vec<Value> {
        let (_, body) = answer(self.ask("GET", &format!("/control/chat/{chat}"), "", b"")).expect("an answer");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        body["messages"].as_array().cloned().unwrap_or_default()
    }
}
