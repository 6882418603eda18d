//! How does a message get to a program of one's own? As JSON by one POST, signed so that the program can tell who sent it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::Sha256;

use crate::clock::Clock;
use crate::notify::{Abilities, Allowance, Channel, Failure, Post, Receipt, SendError};

use super::delivery_id::delivery_id;
use super::http_client::deliver;
use super::plain;

/// A program takes more than a reader does.
const ALLOWANCE: Allowance = Allowance { burst: 10, refill: Duration::from_millis(200) };

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
        let taken = deliver(request.body(body), self.clock.as_ref()).await?;
        Ok(Receipt { remote: Some(id), skew_ms: taken.skew_ms, detail: None })
    }
}
