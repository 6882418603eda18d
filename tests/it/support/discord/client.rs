//! How does a test talk to the fake? Through plain HTTP, like a bot and like a person.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::server::Running;
use super::start;

const TOKEN: &str = "TEST.token-of.the-fake";

/// A fake Discord of its own for one test. It ends when this is dropped.
pub(crate) struct Fake {
    server: Running,
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

    fn ask(&self, method: &str, path: &str, head: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.server.to_string()).expect("the fake listens");
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\nContent-Type: application/json\r\n{head}Content-Length: {length}\r\n\r\n{body}"
        )
        .expect("written");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("read");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// A call of the API, as another bot's library would make it.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let head = format!("User-Agent: DiscordBot (test, 1)\r\nAuthorization: Bot {TOKEN}\r\n");
        self.ask(
            method,
            &format!("/api/v10{path}"),
            &head,
            &if body.is_null() { String::new() } else { body.to_string() },
        )
    }

    /// Scripts the world: a call under `/control/` that has to succeed.
    pub(crate) fn control(&self, what: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("POST", &format!("/control/{what}"), "", &body.to_string());
        assert_eq!(
            status,
            200,
            "{what} {body}: {answer}\nthe log: {:#?}",
            if what == "log" { Vec::new() } else { self.log() }
        );
        answer
    }

    /// The same, where it may come to nothing.
    pub(crate) fn try_control(&self, what: &str, body: &Value) -> Option<Value> {
        let (status, answer) = self.ask("POST", &format!("/control/{what}"), "", &body.to_string());
        (status == 200).then_some(answer)
    }

    /// Somebody joins: the channel in which they are alone with the bot.
    pub(crate) fn join(&self, user: i64) -> i64 {
        number(&self.control("join", &json!({ "user": user }))["dm"])
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.control("log", &json!({})).as_array().cloned().unwrap_or_default()
    }

    /// Requests of this name so far.
    pub(crate) fn calls(&self, method: &str) -> Vec<Value> {
        self.log().into_iter().filter(|entry| entry["method"] == method).collect()
    }

    /// Waits for requests.
    pub(crate) fn wait(&self, wanted: &Value) -> Vec<Value> {
        self.control("wait", wanted)["found"].as_array().cloned().unwrap_or_default()
    }

    /// The messages that this person sees in a channel now.
    pub(crate) fn seen(&self, channel: i64, user: i64) -> Vec<Value> {
        let answer = self.control("seen", &json!({ "channel": channel, "user": user }));
        answer["messages"].as_array().cloned().unwrap_or_default()
    }

    /// Requests that came inside a window in which the bot had been told to wait.
    pub(crate) fn violations(&self) -> usize {
        self.log().iter().filter(|entry| entry["violation"] == true).count()
    }
}

/// A number that came as text.
pub(crate) fn number(value: &Value) -> i64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}
