//! How is a method of Telegram called? One POST, one answer, and an honest word for every way in which it can fail.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::RETRY_AFTER;
use reqwest::multipart::{Form, Part};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use teloxide::requests::Payload;

use crate::clock::Clock;

use super::http_client::{AddressError, Reach, base_address, cause, classify, header, read_body, skew_ms};
use super::telegram_answer::{CallError, result_in};

/// Where Telegram is.
const TELEGRAM: &str = "https://api.telegram.org";
/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1 << 20;
/// How much of what a server says is kept, in characters.
const WORDS_MAX: usize = 300;

/// A result and what its call tells about the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The result.
    pub value: T,
    /// How far Telegram's clock is before ours in milliseconds, negative if behind; good to about a second. None where it told no time.
    pub skew_ms: Option<i64>,
    /// From the call to the head of the answer.
    pub latency: Duration,
}

impl<T> Answered<T> {
    /// The same call with another value.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Answered<U> {
        Answered { value: change(self.value), skew_ms: self.skew_ms, latency: self.latency }
    }
}

/// A file that is sent along.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upload<'a> {
    /// The parameter that it stands for, such as `photo`.
    pub field: &'static str,
    /// Its file name.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Calls methods. The token is in every address that is called, so no text that comes out of here holds an address.
#[derive(Clone)]
pub struct TelegramClient {
    base: String,
    token: SecretString,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl TelegramClient {
    /// Calls Telegram, or the server at `base_url` that stands in for it.
    ///
    /// # Errors
    /// When the token or the address cannot be one.
    pub fn new(
        base_url: Option<String>,
        token: SecretString,
        http: reqwest::Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AddressError> {
        let base = base_address(base_url, TELEGRAM, "Telegram")?;
        let not_one = AddressError::Token("the token is not of the form 123456:ABC-def");
        let Some((number, secret)) = token.expose_secret().split_once(':') else { return Err(not_one) };
        let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if number.is_empty() || secret.is_empty() || !letters(number) || !letters(secret) {
            return Err(not_one);
        }
        Ok(Self { base, token, http, clock })
    }

    /// Calls the method of a payload. `A` is what the caller needs of the result; teloxide's own type demands much more of it, and
    /// what was sent stays sent if a part that nobody asked for is odd.
    ///
    /// # Errors
    /// When there is no such result.
    pub async fn call<P, A>(&self, payload: &P, timeout: Duration) -> Result<Answered<A>, CallError>
    where
        P: Payload + Serialize + Sync,
        A: DeserializeOwned,
    {
        self.call_method(P::NAME, payload, ANSWER_MAX, timeout).await
    }

    /// Calls a method by its name, and reads an answer of at most `answer_max` bytes.
    ///
    /// # Errors
    /// When there is no such result.
    pub(super) async fn call_method<A: DeserializeOwned>(
        &self,
        method: &str,
        parameters: &(impl Serialize + Sync),
        answer_max: usize,
        timeout: Duration,
    ) -> Result<Answered<A>, CallError> {
        self.finish(self.post(method).json(parameters).timeout(timeout), answer_max).await
    }

    /// Calls a method by its name, and gives back how the body of its answer begins, at most `bytes` of it.
    ///
    /// # Errors
    /// When there was no answer, or a refusal.
    pub(super) async fn call_beginning(
        &self,
        method: &str,
        parameters: &(impl Serialize + Sync),
        bytes: usize,
        timeout: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let request = self.post(method).json(parameters).timeout(timeout);
        let mut response = request.send().await.map_err(|error| self.without_token(not_answered(&error)))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(CallError::Server { status });
        }
        let mut beginning = Vec::new();
        while beginning.len() < bytes
            && let Some(chunk) = response.chunk().await.map_err(|error| self.without_token(not_answered(&error)))?
        {
            beginning.extend_from_slice(&chunk);
        }
        beginning.truncate(bytes);
        Ok(beginning)
    }

    /// Calls the method of a payload and sends a file with it.
    ///
    /// # Errors
    /// When there is no such result.
    pub(super) async fn call_with_file<P, A>(
        &self,
        payload: &P,
        file: Upload<'_>,
        timeout: Duration,
    ) -> Result<Answered<A>, CallError>
    where
        P: Payload + Serialize + Sync,
        A: DeserializeOwned,
    {
        let parameters = serde_json::to_value(payload).map_err(|error| CallError::NotSent(error.to_string()))?;
        let mut form = Form::new();
        for (name, value) in parameters.as_object().into_iter().flatten().filter(|(name, _)| *name != file.field) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form = form.text(name.clone(), text);
        }
        let part = Part::bytes(file.bytes.to_vec()).file_name(file.name.to_owned());
        let request = self.post(P::NAME).multipart(form.part(file.field, part));
        self.finish(request.timeout(timeout), ANSWER_MAX).await
    }

    fn post(&self, method: &str) -> RequestBuilder {
        self.http.post(format!("{}/bot{}/{method}", self.base, self.token.expose_secret()))
    }

    async fn finish<A: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        answer_max: usize,
    ) -> Result<Answered<A>, CallError> {
        self.answer(request, answer_max).await.map_err(|error| self.without_token(error))
    }

    async fn answer<A: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        answer_max: usize,
    ) -> Result<Answered<A>, CallError> {
        let start = self.clock.steady();
        let response = request.send().await.map_err(|error| not_answered(&error))?;
        let latency = self.clock.steady().saturating_sub(start);
        let skew_ms = skew_ms(&response, self.clock.now());
        let retry_after = header(&response, &RETRY_AFTER);
        let status = response.status().as_u16();
        let body = read_body(response, answer_max).await;
        let value = serde_json::from_value(result_in(status, retry_after.as_deref(), body)?)
            .map_err(|error| CallError::Unreadable(format!("the result is not what was asked for: {error}")))?;
        Ok(Answered { value, skew_ms, latency })
    }

    /// Whoever answers knows the token, since it is in the address, and may repeat it.
    fn without_token(&self, error: CallError) -> CallError {
        let token = self.token.expose_secret();
        // The colon before it may come back in another spelling.
        let secret = token.split_once(':').map_or(token, |(_, secret)| secret);
        let clean = |words: String| words.replace(secret, "<token>").chars().take(WORDS_MAX).collect();
        match error {
            CallError::NotSent(words) => CallError::NotSent(clean(words)),
            CallError::Unknown(words) => CallError::Unknown(clean(words)),
            CallError::Unreadable(words) => CallError::Unreadable(clean(words)),
            CallError::Refused { code, description, kind } => {
                CallError::Refused { code, description: clean(description), kind }
            }
            CallError::Throttled { .. } | CallError::Migrated { .. } | CallError::Server { .. } => error,
        }
    }
}

/// What a call without an answer means.
fn not_answered(error: &reqwest::Error) -> CallError {
    match classify(error) {
        Reach::NotSent => CallError::NotSent(cause(error)),
        Reach::Unknown => CallError::Unknown(cause(error)),
    }
}

impl fmt::Debug for TelegramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramClient").finish_non_exhaustive()
    }
}
