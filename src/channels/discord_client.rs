//! How is Discord's API called? One request, one answer, and an honest word for every way in which it can fail.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderName, RETRY_AFTER, USER_AGENT};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::clock::{Clock, Timestamp};
use crate::domain::Attachment;

use super::discord_answer::{DiscordError, Rates, value_in};
use super::discord_buckets::{Buckets, Held, Lane};
use super::http_client::{AddressError, Reach, base_address, cause, classify, header, read_body, skew_ms};
use super::telegram_client::Answered;

/// Where Discord is.
const DISCORD: &str = "https://discord.com";
/// The version of the API that is spoken.
const API: &str = "/api/v10";
/// Who calls, in the form that Discord asks for.
const AGENT: &str = concat!("DiscordBot (", env!("CARGO_PKG_NAME"), ", ", env!("CARGO_PKG_VERSION"), ")");
/// The longest answer that is read, in bytes: 50 messages with what is in them.
const ANSWER_MAX: usize = 4 << 20;
/// How much of what a server says is kept, in characters.
const WORDS_MAX: usize = 300;
/// How long a call may take, how long one with a file, and how long a first answer to an interaction, which is void after 3 s.
const CALL: Duration = Duration::from_secs(15);
const UPLOAD: Duration = Duration::from_mins(1);
const AT_ONCE: Duration = Duration::from_secs(3);

/// A call.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The path behind the version of the API.
    pub(super) path: String,
    /// What it counts towards.
    pub(super) lane: Lane,
    /// The body.
    pub(super) body: Option<Value>,
    /// A file that goes with it.
    pub(super) file: Option<(&'a Attachment, &'a str)>,
    /// What is in the path or body and must not come back in words.
    pub(super) secret: Option<&'a SecretString>,
    /// It answers an interaction for the first time.
    pub(super) at_once: bool,
}

impl Call<'_> {
    /// A call without a body; `route` is its form, `major` the channel, server or webhook in its path.
    pub(super) fn new(method: Method, path: String, route: &'static str, major: u64) -> Self {
        let lane = Lane { route, major, exempt: false, yields: false };
        Self { method, path, lane, body: None, file: None, secret: None, at_once: false }
    }

    /// The same with a body.
    pub(super) fn with(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

/// Calls Discord with the token of a bot; clones share what is known of its limits.
#[derive(Clone)]
pub struct DiscordClient {
    base: String,
    token: SecretString,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    buckets: Arc<Mutex<Buckets>>,
}

impl DiscordClient {
    /// Calls Discord, or the server at `base_url` that stands in for it. The client must follow no redirect.
    ///
    /// # Errors
    /// When the token or the address cannot be one.
    pub fn new(
        base_url: Option<String>,
        token: SecretString,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AddressError> {
        let base = base_address(base_url, DISCORD, "Discord")?;
        let word = token.expose_secret();
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AddressError::Token("the token of the bot on Discord is not one word"));
        }
        Ok(Self { base, token, http, clock, buckets: Arc::default() })
    }

    /// Which bot it is, by a hash of its token.
    pub(super) fn bot(&self) -> String {
        blake3::hash(self.token.expose_secret().as_bytes()).to_hex()[..16].to_owned()
    }

    /// The clock that everything about Discord goes by.
    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls. Whoever would have to wait is told so at once, and nothing is sent.
    ///
    /// # Errors
    /// When there is no result.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answered<Value>, DiscordError> {
        let entered = self.buckets().enter(&call.lane, self.clock.steady());
        entered.map_err(|held| match held {
            Held::Throttled(retry_after) => DiscordError::Throttled { retry_after },
            Held::Kept(retry_after) => DiscordError::Kept { retry_after },
        })?;
        let place = Place { client: self, lane: &call.lane, is_over: false };
        let (lane, secret) = (call.lane.clone(), call.secret);
        let answered = self.answer(self.request(&call), place, &lane).await;
        answered.map_err(|error| self.without_secrets(error, secret))
    }

    fn request(&self, call: &Call<'_>) -> RequestBuilder {
        let timeout = match (call.at_once, &call.file) {
            (true, _) => AT_ONCE,
            (false, Some(_)) => UPLOAD,
            (false, None) => CALL,
        };
        let request = self.http.request(call.method.clone(), format!("{}{API}{}", self.base, call.path));
        let request = request.timeout(timeout).header(USER_AGENT, AGENT);
        // Whoever answers an interaction shows its token, and that is enough.
        let request = match call.secret {
            Some(_) => request,
            None => request.header(AUTHORIZATION, format!("Bot {}", self.token.expose_secret())),
        };
        match (&call.body, call.file) {
            (None, _) => request,
            (Some(body), None) => request.json(body),
            (Some(body), Some((file, name))) => {
                let part = Part::bytes(file.bytes.clone()).file_name(name.to_owned());
                request.multipart(Form::new().text("payload_json", body.to_string()).part("files[0]", part))
            }
        }
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        mut place: Place<'_>,
        lane: &Lane,
    ) -> Result<Answered<Value>, DiscordError> {
        let start = self.clock.steady();
        let response = request.send().await.map_err(|error| match classify(&error) {
            Reach::NotSent => DiscordError::NotSent(cause(&error)),
            Reach::Unknown => DiscordError::Unknown(cause(&error)),
        })?;
        let arrived = self.clock.steady();
        let skew_ms = skew_ms(&response, self.clock.now());
        let mut rates = rates(&response);
        let status = response.status().as_u16();
        let body = read_body(response, ANSWER_MAX).await;
        if status == 429 {
            rates.global |= body.as_ref().is_ok_and(|body| is_global(body));
        }
        let value = value_in(status, &rates, body);
        let paused = match &value {
            Err(DiscordError::Throttled { retry_after }) => Some(*retry_after),
            _ => None,
        };
        place.is_over = true;
        // A pause is counted from when its body was read, so that none ends too early.
        let now = if paused.is_some() { self.clock.steady() } else { arrived };
        self.buckets().done(lane, Some((status, &rates)), paused, now);
        Ok(Answered { value: value?, skew_ms, latency: arrived.saturating_sub(start) })
    }

    /// Whoever answers may repeat what was sent.
    fn without_secrets(&self, error: DiscordError, secret: Option<&SecretString>) -> DiscordError {
        let clean = |mut words: String| -> String {
            words = words.replace(self.token.expose_secret(), "<token>");
            if let Some(secret) = secret {
                words = words.replace(secret.expose_secret(), "<token>");
            }
            words.chars().take(WORDS_MAX).collect()
        };
        match error {
            DiscordError::NotSent(words) => DiscordError::NotSent(clean(words)),
            DiscordError::Unknown(words) => DiscordError::Unknown(clean(words)),
            DiscordError::Unreadable(words) => DiscordError::Unreadable(clean(words)),
            DiscordError::Refused { status, code, words, kind } => {
                DiscordError::Refused { status, code, words: clean(words), kind }
            }
            DiscordError::Throttled { .. } | DiscordError::Kept { .. } | DiscordError::Server { .. } => error,
        }
    }

    /// The wall clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The place of a call in its bucket: given back even where nobody waits for the answer any more.
struct Place<'a> {
    client: &'a DiscordClient,
    lane: &'a Lane,
    is_over: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let now = self.client.clock.steady();
            self.client.buckets().done(self.lane, None, None, now);
        }
    }
}

fn rates(response: &Response) -> Rates {
    let text = |name: &'static str| header(response, &HeaderName::from_static(name));
    let seconds = |text: String| {
        let seconds: f64 = text.trim().parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    };
    let number = |name| text(name).and_then(|text| text.trim().parse().ok());
    Rates {
        bucket: text("x-ratelimit-bucket"),
        limit: number("x-ratelimit-limit"),
        remaining: number("x-ratelimit-remaining"),
        reset_after: text("x-ratelimit-reset-after").and_then(seconds),
        retry_after: header(response, &RETRY_AFTER).and_then(seconds),
        global: text("x-ratelimit-global").is_some_and(|text| text.eq_ignore_ascii_case("true"))
            || text("x-ratelimit-scope").is_some_and(|text| text.eq_ignore_ascii_case("global")),
        shared: text("x-ratelimit-scope").is_some_and(|text| text.eq_ignore_ascii_case("shared")),
    }
}

fn is_global(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|body| body["global"] == true)
}

impl fmt::Debug for DiscordClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscordClient").finish_non_exhaustive()
    }
}
