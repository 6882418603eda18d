//! How does a message get to a phone through a push server of one's own? As JSON by one POST to ntfy. Whoever adds a channel can begin here:
//! this is all of one, and docs/ARCHITECTURE.md says what is around it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::domain::{NoticeId, Severity};
use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::delivery_id::delivery_id;
use super::http_client::deliver;
use super::plain;

/// Below what a server takes from one sender unless it is told otherwise: 60 at once, then one in 5 s.
const ALLOWANCE: Allowance = Allowance { burst: 20, refill: Duration::from_secs(5) };
/// The longest text in bytes, counted as JSON writes it: a server takes 4,096, and JSON of twice as much.
const TEXT_MAX: usize = 4_096;
/// A longer first line is no title, in bytes.
const TITLE_MAX: usize = 250;
/// Servers refuse more links below a message.
const LINKS_MAX: usize = 3;
/// The longest name of a topic.
const TOPIC_MAX: usize = 64;

/// One topic of an ntfy server; docs/NTFY.md tells its owner how to get one.
pub struct Ntfy {
    who: String,
    /// With the password or token: the client makes a header of it, and of errors only the cause is told.
    server: Url,
    topic: String,
    timeout: Duration,
    key: [u8; 32],
    http: Client,
    clock: Arc<dyn Clock>,
}

/// What is sent, in the server's own names.
#[derive(Serialize)]
struct Body<'a> {
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    message: String,
    priority: u8,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Value>,
    /// A phone shows the last message of each: a repeat takes the place of the first. Servers before 2.16 pass over it.
    sequence_id: &'a str,
}

impl Ntfy {
    /// Sends what is for `who` to the topic that `url` ends with; each message may take as long as `timeout`. `key` is the database's: names
    /// of deliveries come from it. The client must follow no redirect.
    ///
    /// # Errors
    /// When the address names no topic; never with the address.
    pub fn new(
        url: &str,
        who: String,
        timeout: Duration,
        key: [u8; 32],
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, &'static str> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let mut server = Url::parse(url).map_err(|_| "it is no address")?;
        let topic = server.path().trim_matches('/').to_owned();
        if topic.is_empty() || topic.len() > TOPIC_MAX || !topic.bytes().all(is_name) {
            return Err("it names no topic: write it like https://ntfy.example.org/a-long-random-topic");
        }
        // JSON goes to the server's root and names its topic inside.
        server.set_path("/");
        Ok(Self { who, server, topic, timeout, key, http, clock })
    }

    fn body<'a>(&'a self, post: &'a Post, text: &'a str, id: &'a str) -> Body<'a> {
        let (title, rest) = text.split_once('\n').filter(|(title, _)| title.len() <= TITLE_MAX).unzip();
        let mut tags = vec![post.severity.as_str().to_owned()];
        tags.extend((post.severity == Severity::Critical).then(|| "rotating_light".to_owned()));
        tags.extend(post.number.map(|number| number.to_string()));
        tags.extend(post.book.map(|book| book.to_string()));
        let buttons = post.message.buttons.iter().flatten();
        let links = buttons.filter(|button| button.line.starts_with("https://")).take(LINKS_MAX);
        Body {
            topic: &self.topic,
            title,
            message: cut(rest.unwrap_or(text), post.number),
            priority: priority(post),
            tags,
            actions: links.map(|link| json!({"action": "view", "label": link.label, "url": link.line})).collect(),
            sequence_id: id,
        }
    }
}

/// From 1 to 5; below 3 a phone makes no sound.
fn priority(post: &Post) -> u8 {
    match (post.silent, post.severity) {
        (true, Severity::Info) => 1,
        (true, _) => 2,
        (false, Severity::Info | Severity::Notice) => 3,
        (false, Severity::Warning) => 4,
        (false, Severity::Critical) => 5,
    }
}

/// As much of the text as a message has room for, in whole lines, and where the rest is.
fn cut(text: &str, number: Option<NoticeId>) -> String {
    let written = |letter: char| if "\"\\\n".contains(letter) { 2 } else { letter.len_utf8() };
    let rest = number.map_or_else(|| "\n…".to_owned(), |number| format!("\n… the rest: /trace {number}"));
    let begins = |room: usize| {
        let mut left = room;
        let fits = |(_, letter): &(usize, char)| left.checked_sub(written(*letter)).map(|rest| left = rest).is_some();
        text.char_indices().take_while(fits).last().map_or(0, |(at, letter)| at + letter.len_utf8())
    };
    if begins(TEXT_MAX) == text.len() {
        return text.to_owned();
    }
    let head = &text[..begins(TEXT_MAX - 2 * rest.len())];
    let head = head.rfind('\n').map_or(head, |end| &head[..end]);
    format!("{head}{rest}")
}

#[async_trait]
impl Channel for Ntfy {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: Some(ALLOWANCE) }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let id = delivery_id(&self.key, post, &self.who, self.clock.now());
        let text = plain(&post.message, usize::MAX);
        let request = self.http.post(self.server.clone()).timeout(self.timeout).json(&self.body(post, &text, &id));
        let taken = deliver(request, self.clock.as_ref()).await?;
        // What answers with a page is no ntfy.
        if !taken.answer.is_empty() && !taken.answer.starts_with(b"{") {
            return Err(SendError::Shut("there is no ntfy server at this address".to_owned()).into());
        }
        Ok(Receipt { remote: Some(id), skew_ms: taken.skew_ms, detail: None })
    }
}
