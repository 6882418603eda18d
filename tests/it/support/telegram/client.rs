//! How does a test talk to the fake? Through plain HTTP, like a bot and like a person.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use super::server::Running;
use super::start;

const TOKEN: &str = "123456:TEST-token-of-the-fake";

/// A fake Telegram of its own for one test. It ends when this is dropped.
pub(crate) struct Fake {
    server: Running,
}

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

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server)
    }

    /// Writes a request and does not wait for its answer.
    pub(crate) fn begin(&self, path: &str, kind: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.to_string()).expect("the fake listens");
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("written");
        stream
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
        let body = read(stream).map_err(Rejected::Unknown)?;
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

    /// Scripts the world: a call under `/control/` that has to succeed.
    pub(crate) fn control(&self, what: &str, body: &Value) -> Value {
        let answer = read(self.begin(&format!("/control/{what}"), "application/json", body.to_string().as_bytes()));
        let answer: Value = serde_json::from_str(&answer.expect("an answer")).expect("JSON");
        if answer["ok"] == false {
            let log: Vec<Value> = self
                .log(0)
                .into_iter()
                .filter(|entry| entry["method"] != "getUpdates" && entry["method"] != "setMyCommands")
                .collect();
            panic!("{what} {body}: {answer}\nthe log: {log:#?}");
        }
        answer
    }

    /// The same, where it may come to nothing, such as a wait that runs out.
    pub(crate) fn try_control(&self, what: &str, body: &Value) -> Option<Value> {
        let answer = read(self.begin(&format!("/control/{what}"), "application/json", body.to_string().as_bytes()));
        let answer: Value = serde_json::from_str(&answer.ok()?).ok()?;
        (answer["ok"] != false).then_some(answer)
    }

    /// Every request so far, or after the one of this number.
    pub(crate) fn log(&self, since: u64) -> Vec<Value> {
        let log = self.control(&format!("log?since={since}"), &json!({}));
        log.as_array().cloned().unwrap_or_default()
    }

    /// The messages a person in the chat sees now.
    pub(crate) fn seen(&self, chat: i64) -> Vec<Value> {
        let mut stream = TcpStream::connect(self.server.to_string()).expect("the fake listens");
        write!(stream, "GET /control/chat/{chat} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n\r\n")
            .expect("written");
        let answer: Value = serde_json::from_str(&read(stream).expect("an answer")).expect("JSON");
        answer["messages"].as_array().cloned().unwrap_or_default()
    }

    /// Requests that came inside a window in which the bot had been told to wait.
    pub(crate) fn violations(&self) -> usize {
        self.log(0).iter().filter(|entry| entry["violation"] == true).count()
    }
}

/// The body of an answer, or why there is none.
fn read(mut stream: TcpStream) -> Result<String, String> {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    let _ = stream.shutdown(Shutdown::Both);
    ended.map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    if length == Some(body.len()) { Ok(body.to_owned()) } else { Err(format!("{} bytes of the body", body.len())) }
}
