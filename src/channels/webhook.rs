//! How does a message get to a program of one's own? As JSON by one POST, signed so that the program can tell who sent it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{CONTENT_TYPE, DATE};
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::Sha256;

use crate::clock::{Clock, Timestamp};
use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::delivery_id::delivery_id;
use super::http_client::{Reach, cause, classify, header, read_body, retry_after, skew_ms};
use super::plain;

/// A program takes more than a reader does.
const ALLOWANCE: Allowance = Allowance { burst: 10, refill: Duration::from_millis(200) };
/// How much of an answer is read, in bytes, so that its connection can be used again. Nothing in it counts.
const ANSWER_MAX: usize = 1 << 16;
/// A pause that is asked for is at least this long, and this long where its length is not told.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(10);
/// After this a message is tried again whatever was asked for.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// Where messages go.
pub struct Hook {
    /// The address; whoever knows it may use it.
    pub url: SecretString,
    /// What they are signed with.
    pub secret: SecretString,
    /// How long a message may take altogether.
    pub timeout: Duration,
    /// The database's key, from which deliveries get their names.
    pub key: [u8; 32],
}

/// An address that takes signed JSON; docs/WEBHOOK.md tells its owner how.
pub struct Webhook {
    who: String,
    hook: Hook,
    http: Client,
    clock: Arc<dyn Clock>,
}

/// What is sent, as documented; fields are added but never changed within a version.
#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    delivery: &'a str,
    to: &'a str,
    notice: Option<String>,
    severity: &'a str,
    book: Option<String>,
    silent: bool,
    reply_to: Option<&'a str>,
    title: String,
    text: String,
}

impl Webhook {
    /// Sends what is for `who`. The client must follow no redirect: it would take the message to somebody else.
    pub fn new(who: String, hook: Hook, http: Client, clock: Arc<dyn Clock>) -> Self {
        Self { who, hook, http, clock }
    }

    fn body(&self, post: &Post, id: &str) -> Result<Vec<u8>, SendError> {
        let text = plain(&post.message, usize::MAX);
        let body = Body {
            version: 1,
            delivery: id,
            to: &self.who,
            notice: post.number.map(|number| number.to_string()),
            severity: post.severity.as_str(),
            book: post.book.map(|book| book.to_string()),
            silent: post.silent,
            reply_to: post.reply_to.as_deref(),
            title: text.lines().next().unwrap_or_default().to_owned(),
            text,
        };
        serde_json::to_vec(&body).map_err(|error| SendError::Rejected(error.to_string()))
    }

    /// The HMAC of the time, a point and the body.
    fn signature(&self, stamp: &str, body: &[u8]) -> String {
        let key = self.hook.secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(&[stamp.as_bytes(), b".", body].concat());
        let mut words = "sha256=".to_owned();
        for byte in mac.finalize().into_bytes() {
            let _ = write!(words, "{byte:02x}");
        }
        words
    }
}

#[async_trait]
impl Channel for Webhook {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: Some(ALLOWANCE) }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let now = self.clock.now();
        let id = delivery_id(&self.hook.key, post, &self.who, now);
        let body = self.body(post, &id)?;
        let stamp = now.ms().div_euclid(1000).to_string();
        let request = self.http.post(self.hook.url.expose_secret()).timeout(self.hook.timeout);
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", &id)
            .header("X-Bellwether-Timestamp", &stamp)
            .header("X-Bellwether-Signature", self.signature(&stamp, &body));
        let response = request.body(body).send().await.map_err(|error| match classify(&error) {
            Reach::NotSent => SendError::Unreachable(cause(&error)),
            Reach::Unknown => SendError::Unknown(cause(&error)),
        })?;
        let now = self.clock.now();
        let skew_ms = header(&response, &DATE).and_then(|date| skew_ms(&date, now));
        let outcome = judged(&response, now.plus_ms(skew_ms.unwrap_or(0)));
        // Whatever it says, it may repeat the address: none of it is told.
        drop(read_body(response, ANSWER_MAX).await);
        outcome?;
        Ok(Receipt { remote: Some(id), skew_ms, detail: None })
    }
}

/// What the status means; `server_now` is the time as the server knows it.
fn judged(response: &Response, server_now: Timestamp) -> Result<(), SendError> {
    let status = response.status();
    let words = format!("it answered {status}");
    match status.as_u16() {
        200..300 => Ok(()),
        429 => {
            let asked = retry_after(response, server_now).unwrap_or(PAUSE);
            Err(SendError::Throttled(asked.clamp(PAUSE_MIN, PAUSE_MAX)))
        }
        300..=399 => Err(SendError::Shut(format!("{words}; redirects are not followed, so set the last address"))),
        401 | 403 | 404 | 410 => Err(SendError::Shut(words)),
        408 | 500.. => Err(SendError::Unreachable(words)),
        _ => Err(SendError::Rejected(words)),
    }
}
