//! How does a text get to a phone? By Twilio's REST API: one POST a message, a look whether it arrived, and an honest word for each failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clock::{Clock, Timestamp};

use super::http_client::{Reach, cause, classify, pause, read_body, skew_ms};

/// Where Twilio is.
const TWILIO: &str = "https://api.twilio.com";
/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1 << 20;
/// Messages that are looked through for one, newest first.
const PAGE: &str = "200";
/// How much earlier than asked for a message may have been made: the clocks differ.
const SKEW_MS: i64 = 120_000;
/// What stands before each text of a trial account.
pub(super) const TRIAL: &str = "Sent from your Twilio trial account - ";
/// So long is a pause where its length is not told.
const PAUSE: Duration = Duration::from_secs(1);

/// An account and the sender of its messages.
#[derive(Clone)]
pub struct TwilioAccess {
    /// The account's number.
    pub sid: String,
    /// Its token.
    pub token: SecretString,
    /// A phone, or a messaging service.
    pub from: SecretString,
    /// The server, where it is not Twilio's own.
    pub url: Option<String>,
}

/// A message that is to go out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) to: &'a SecretString,
    pub(super) body: &'a str,
    /// How long it may wait at the service, in seconds.
    pub(super) valid_s: u32,
    /// Where the service tells what becomes of it.
    pub(super) callback: Option<&'a str>,
}

/// A message as Twilio knows it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Known {
    pub(super) sid: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    direction: Option<String>,
    #[serde(default)]
    date_created: Option<String>,
    #[serde(default)]
    pub(super) error_code: Option<u32>,
}

impl Known {
    /// Whether it went to the phone, not before then.
    fn is_sent_since(&self, since: Timestamp) -> bool {
        let made = self.date_created.as_deref().and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let late_enough = made.is_some_and(|made| Timestamp::from(made.to_utc()) >= since.plus_ms(-SKEW_MS));
        late_enough && self.direction.as_deref().is_some_and(|way| way.starts_with("outbound"))
    }
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Known>,
}

#[derive(Deserialize)]
struct Account {
    status: String,
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    code: u32,
}

/// Why a call brought nothing. None of them holds a number of a phone: what Twilio says may, so only its codes are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TwilioError {
    /// It never left.
    #[error("{0}")]
    NotSent(String),
    /// It may have been done.
    #[error("{0}")]
    Unknown(String),
    /// It was not done: the service asks for a pause.
    #[error("it asks for a pause")]
    Throttled(Duration),
    /// It was not done, and will not be.
    #[error("{}", refusal_words(*.status, *.code))]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// Twilio's own number of it, 0 where it told none.
        code: u32,
    },
}

/// Refusals whose cause is known, in words for whoever has to mend it.
const REFUSALS: &[(u32, &str)] = &[
    (20003, "Twilio does not take the account or its token: copy both from the console"),
    (20404, "Twilio knows no such account"),
    (21211, "the phone's number is not valid"),
    (21408, "the account may not send to that country: switch it on under Messaging, Geo permissions"),
    (21606, "the sender cannot send short messages to that phone"),
    (21608, "a trial account sends only to phones that are verified in the console"),
    (21610, "they texted STOP, so the carrier refuses everything: send START from that phone"),
    (21612, "that phone cannot be reached from this sender"),
    (21614, "that number is not a mobile phone"),
    (21617, "the text is too long"),
    (21659, "the sender does not belong to the account"),
    (30034, "the sender is not registered for messages to US phones (A2P 10DLC)"),
];

fn refusal_words(status: u16, code: u32) -> String {
    match REFUSALS.iter().find(|(known, _)| *known == code) {
        Some((code, words)) => format!("{words} (error {code})"),
        None if code > 0 => format!("Twilio answered {status}, error {code}"),
        None => format!("Twilio answered {status}"),
    }
}

/// An answer, and how far Twilio's clock is before ours in milliseconds where it told.
pub(super) type Told<T> = (T, Option<i64>);

/// Calls Twilio.
#[derive(Clone)]
pub struct Twilio {
    access: TwilioAccess,
    http: Client,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    /// It was seen to be a trial account.
    is_trial: Arc<AtomicBool>,
}

impl Twilio {
    /// Calls Twilio for this account; each call takes `timeout` at the most. The client must follow no redirect.
    pub fn new(access: TwilioAccess, http: Client, timeout: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { access, http, timeout, clock, is_trial: Arc::default() }
    }

    fn address(&self, rest: &str) -> String {
        let base = self.access.url.as_deref().unwrap_or(TWILIO).trim_end_matches('/');
        format!("{base}/2010-04-01/Accounts/{}{rest}", self.access.sid)
    }

    /// Sends a message.
    pub(super) async fn send(&self, message: Outgoing<'_>) -> Result<Told<Known>, TwilioError> {
        let from = self.access.from.expose_secret();
        let sender = if from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let valid = message.valid_s.to_string();
        let mut fields = vec![
            ("To", message.to.expose_secret()),
            (sender, from),
            ("Body", message.body),
            ("ValidityPeriod", valid.as_str()),
            ("SmartEncoded", "true"),
        ];
        fields.extend(message.callback.map(|url| ("StatusCallback", url)));
        let request = self.http.post(self.address("/Messages.json"));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form(&fields));
        let told: Told<Known> = self.call(request, 201).await?;
        if told.0.body.as_ref().is_some_and(|body| body.starts_with(TRIAL)) {
            self.is_trial.store(true, Ordering::SeqCst);
        }
        Ok(told)
    }

    /// What the service puts before each text, as far as that is known: what it took before shows it.
    pub(super) fn before(&self) -> &'static str {
        if self.is_trial.load(Ordering::SeqCst) { TRIAL } else { "" }
    }

    /// The newest message to a phone since then that `is_it`.
    pub(super) async fn find(
        &self,
        to: &SecretString,
        since: Timestamp,
        is_it: impl Fn(&Known) -> bool,
    ) -> Result<Option<Known>, TwilioError> {
        let day = since.plus_ms(-SKEW_MS).utc().format("%Y-%m-%d").to_string();
        // What waits in Twilio's queue was not sent on any day, so a look at the days alone may miss it.
        for days in [Some(("DateSent>", day.as_str())), None] {
            let fields: Vec<_> = [("To", to.expose_secret()), ("PageSize", PAGE)].into_iter().chain(days).collect();
            let address = format!("{}?{}", self.address("/Messages.json"), form(&fields));
            let (page, _): Told<Page> = self.call(self.http.get(address), 200).await?;
            if let Some(found) = page.messages.into_iter().find(|known| known.is_sent_since(since) && is_it(known)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What the account is: `active`, `suspended` or `closed`.
    pub(super) async fn account(&self) -> Result<String, TwilioError> {
        let (account, _): Told<Account> = self.call(self.http.get(self.address(".json")), 200).await?;
        Ok(account.status)
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder, want: u16) -> Result<Told<T>, TwilioError> {
        let request = request.basic_auth(&self.access.sid, Some(self.access.token.expose_secret()));
        let response = request.timeout(self.timeout).send().await.map_err(|error| match classify(&error) {
            Reach::NotSent => TwilioError::NotSent(cause(&error)),
            Reach::Unknown => TwilioError::Unknown(cause(&error)),
        })?;
        let now = self.clock.now();
        let skew_ms = skew_ms(&response, now);
        let status = response.status().as_u16();
        if status != want {
            return Err(refused(response, now.plus_ms(skew_ms.unwrap_or(0))).await);
        }
        let body = read_body(response, ANSWER_MAX).await.map_err(|error| TwilioError::Unknown(error.to_string()))?;
        let known = serde_json::from_slice(&body);
        // What serde says of it may repeat a number.
        known.map(|known| (known, skew_ms)).map_err(|_| TwilioError::Unknown("the answer cannot be read".to_owned()))
    }
}

/// What an answer means that is not the one that was hoped for. What failed inside may have been done; what was refused was not.
async fn refused(response: Response, server_now: Timestamp) -> TwilioError {
    let status = response.status().as_u16();
    let pause = pause(&response, server_now, PAUSE);
    let body = read_body(response, ANSWER_MAX).await.unwrap_or_default();
    let Refusal { code } = serde_json::from_slice(&body).unwrap_or_default();
    match (status, code) {
        // The sender's queue is full: at one segment a second it takes a while until there is room.
        (_, 21611) => TwilioError::Throttled(pause.max(Duration::from_mins(1))),
        (429, _) | (_, 20429) => TwilioError::Throttled(pause),
        (200..300 | 408 | 500.., _) => TwilioError::Unknown(format!("Twilio answered {status}")),
        _ => TwilioError::Refused { status, code },
    }
}

/// Fields as a form or a query is written.
fn form(fields: &[(&str, &str)]) -> String {
    let mut url = Url::parse("form:/").expect("an address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

/// The fields of a form, decoded, in their order.
pub(super) fn fields_of(form: &[u8]) -> Vec<(String, String)> {
    let Ok(mut url) = Url::parse("form:/") else { return Vec::new() };
    let Ok(form) = std::str::from_utf8(form) else { return Vec::new() };
    url.set_query(Some(form));
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_as_it_was() {
        let fields = [("To", "+351 9&1=2%"), ("Body", "a\nb \u{1f514} \"'<>#?;\u{7}"), ("Empty", "")];
        let text = form(&fields);
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        let back = fields_of(text.as_bytes());
        assert_eq!(back, fields.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(
            fields_of(b"a=b+c&a=%2B#x"),
            [("a", "b c"), ("a", "+#x")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert!(fields_of(&[0xff]).is_empty());
    }

    #[test]
    fn a_refusal_tells_what_to_mend() {
        assert!(TwilioError::Refused { status: 400, code: 21610 }.to_string().contains("START"));
        assert_eq!(TwilioError::Refused { status: 400, code: 7 }.to_string(), "Twilio answered 400, error 7");
        assert_eq!(TwilioError::Refused { status: 404, code: 0 }.to_string(), "Twilio answered 404");
    }
}
