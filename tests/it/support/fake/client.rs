//! How does a test talk to a fake? Through plain HTTP, like a bot and like a person.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use super::hub::Running;

/// A fake of its own for one test. It ends when this is dropped.
pub(crate) struct Fake<W> {
    pub(crate) server: Running<W>,
}

impl<W> Fake<W> {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server)
    }

    /// Writes a request, with these lines in its head, and does not wait for its answer.
    pub(crate) fn ask(&self, method: &str, path: &str, head: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.to_string()).expect("the fake listens");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: fake\r\nConnection: close\r\n{head}Content-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).expect("written");
        stream
    }

    /// The answer of a control call: its status and its JSON.
    fn controlled(&self, what: &str, body: &Value) -> (u16, Value) {
        let stream = self.ask("POST", &format!("/control/{what}"), "", body.to_string().as_bytes());
        let (status, answer) = answer(stream).expect("an answer");
        (status, serde_json::from_str(&answer).expect("JSON"))
    }

    /// Scripts the world: a call under `/control/` that has to succeed.
    pub(crate) fn control(&self, what: &str, body: &Value) -> Value {
        let (status, answer) = self.controlled(what, body);
        if status != 200 {
            let is_told = |entry: &Value| entry["method"] != "getUpdates" && entry["method"] != "setMyCommands";
            let log: Vec<Value> = self.since(0).into_iter().filter(is_told).collect();
            panic!("{what} {body}: {answer}\nthe log: {log:#?}");
        }
        answer
    }

    /// The same, where it may come to nothing, such as a wait that runs out.
    pub(crate) fn try_control(&self, what: &str, body: &Value) -> Option<Value> {
        let (status, answer) = self.controlled(what, body);
        (status == 200).then_some(answer)
    }

    /// Every request after the one of this number.
    pub(crate) fn since(&self, since: u64) -> Vec<Value> {
        let (_, log) = self.controlled("log", &json!({ "since": since }));
        log.as_array().cloned().unwrap_or_default()
    }

    /// Requests that came inside a window in which the bot had been told to wait.
    pub(crate) fn violations(&self) -> usize {
        self.since(0).iter().filter(|entry| entry["violation"] == true).count()
    }
}

/// Status and body of an answer, or why there is none.
///
/// # Errors
/// The connection ended before the answer did.
pub(crate) fn answer(mut stream: TcpStream) -> Result<(u16, String), String> {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    let _ = stream.shutdown(Shutdown::Both);
    ended.map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    if length.is_none_or(|length: usize| length == body.len()) {
        Ok((status, body.to_owned()))
    } else {
        Err(format!("{} bytes of the body", body.len()))
    }
}
