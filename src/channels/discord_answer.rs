//! What did Discord answer? Its codes, its rate limits, and every other way in which a call can end.

use std::time::Duration;

use serde_json::Value;

use crate::notify::SendError;

use super::http_client::{BodyError, never_left};

/// The shortest wait after Discord asked for one.
const WAIT_MIN: Duration = Duration::from_millis(50);
/// The wait where it asked for one and did not say for how long.
const WAIT_UNTOLD: Duration = Duration::from_secs(1);
/// The longest; after it the call is tried again whatever was asked for.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Why a call brought no result. Each says what may be done next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscordError {
    /// It never left: try again.
    #[error("could not reach Discord: {0}")]
    NotSent(String),
    /// Discord may have done it. What carries a nonce can be repeated for some minutes.
    #[error("Discord gave no clear answer: {0}")]
    Unknown(String),
    /// The same, and what came is whole and cannot be read: it would be no other the next time.
    #[error("Discord's answer cannot be read: {0}")]
    Unreadable(String),
    /// Too many calls: nothing was done, or nothing was sent at all; try again after the wait.
    #[error("Discord asks to wait {} s", retry_after.as_secs_f64().ceil())]
    Throttled {
        /// At most one hour.
        retry_after: Duration,
    },
    /// The last call of this window is kept for what cannot wait: nothing was sent.
    #[error("the last message that Discord takes now is kept for what is critical")]
    Kept {
        /// How long until there are more.
        retry_after: Duration,
    },
    /// The server failed, or somebody on the way answered for it. It says little about whether the call was carried out.
    #[error("Discord failed with status {status}")]
    Server {
        /// The status, 3xx or 5xx.
        status: u16,
    },
    /// Nothing was done, and the same call will be refused again.
    #[error("Discord refused ({code}): {words}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// Discord's own code; zero where it gave none.
        code: u32,
        /// Its words; for logs and operators.
        words: String,
        /// What they mean.
        kind: DiscordRefusal,
    },
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscordRefusal {
    /// The token is wrong or was reset.
    Unauthorized,
    /// There is no such channel, or no such user.
    ChannelGone,
    /// The bot cannot see the channel, or lacks a permission in it.
    Forbidden,
    /// The user takes no messages from the bot: they share no server, or the user blocked it.
    Closed,
    /// The message is not there, or is not the bot's.
    MessageGone,
    /// The interaction is too old, or its token is not valid any more.
    InteractionGone,
    /// The interaction has its first response already.
    AlreadyAnswered,
    /// Messages older than an hour may not be changed any more for a while.
    EditsSpent,
    /// There is a thread below that message already.
    ThreadExists,
    /// The thread is locked, or threads cannot be made there.
    NoThread,
    /// A field is not as Discord wants it.
    BadForm,
    /// Files or text are too large.
    TooLarge,
    /// Anything else.
    Other,
}

/// Discord's codes and what they mean.
const MEANINGS: &[(u32, DiscordRefusal)] = &[
    (10_003, DiscordRefusal::ChannelGone),
    (10_004, DiscordRefusal::ChannelGone),
    (10_008, DiscordRefusal::MessageGone),
    (10_013, DiscordRefusal::ChannelGone),
    (10_015, DiscordRefusal::InteractionGone),
    (10_062, DiscordRefusal::InteractionGone),
    (30_046, DiscordRefusal::EditsSpent),
    (40_001, DiscordRefusal::Unauthorized),
    (40_002, DiscordRefusal::Forbidden),
    (40_005, DiscordRefusal::TooLarge),
    (40_060, DiscordRefusal::AlreadyAnswered),
    (50_001, DiscordRefusal::Forbidden),
    (50_005, DiscordRefusal::MessageGone),
    (50_007, DiscordRefusal::Closed),
    (50_013, DiscordRefusal::Forbidden),
    (50_014, DiscordRefusal::Unauthorized),
    (50_024, DiscordRefusal::NoThread),
    (50_027, DiscordRefusal::InteractionGone),
    (50_035, DiscordRefusal::BadForm),
    (50_045, DiscordRefusal::TooLarge),
    (50_083, DiscordRefusal::NoThread),
    (50_278, DiscordRefusal::Closed),
    (160_002, DiscordRefusal::Forbidden),
    (160_004, DiscordRefusal::ThreadExists),
    (160_005, DiscordRefusal::NoThread),
    (160_006, DiscordRefusal::NoThread),
];

impl DiscordRefusal {
    /// What a refusal with this status and code means.
    pub fn of(status: u16, code: u32) -> Self {
        if let Some((_, kind)) = MEANINGS.iter().find(|(known, _)| *known == code) {
            return *kind;
        }
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::ChannelGone,
            413 => Self::TooLarge,
            _ => Self::Other,
        }
    }
}

/// What the head of an answer says about rates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rates {
    /// The bucket's name.
    pub(super) bucket: Option<String>,
    /// How many calls a window takes.
    pub(super) limit: Option<u32>,
    /// How many more this one takes.
    pub(super) remaining: Option<u32>,
    /// How long this one lasts.
    pub(super) reset_after: Option<Duration>,
    /// The whole seconds that `Retry-After` asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The pause is for every call.
    pub(super) global: bool,
    /// The limit is shared with others: running into it is no fault of ours.
    pub(super) shared: bool,
}

/// The value in an answer, null where its body is empty.
///
/// # Errors
/// When there is none, or none to be relied on.
pub(super) fn value_in(status: u16, rates: &Rates, body: Result<Vec<u8>, BodyError>) -> Result<Value, DiscordError> {
    if (300..400).contains(&status) || status >= 500 {
        return Err(DiscordError::Server { status });
    }
    let read = body.map_err(|error| (matches!(error, BodyError::TooLong(_)), error.to_string())).and_then(|body| {
        if body.is_empty() && status == 204 {
            return Ok(Value::Null);
        }
        // What ends too early was cut on the way.
        serde_json::from_slice(&body).map_err(|error| (!error.is_eof(), "the answer is not Discord's JSON".to_owned()))
    });
    match (status, read) {
        (200..300, Ok(value)) => Ok(value),
        (200..300, Err((true, words))) => Err(DiscordError::Unreadable(words)),
        (200..300, Err((false, words))) => Err(DiscordError::Unknown(words)),
        (400.., read) => Err(refused(status, rates, &read.unwrap_or_default())),
        (_, _) => Err(DiscordError::Unknown(format!("status {status} without a result"))),
    }
}

fn refused(status: u16, rates: &Rates, body: &Value) -> DiscordError {
    let code = body["code"].as_u64().and_then(|code| u32::try_from(code).ok()).unwrap_or_default();
    let kind = DiscordRefusal::of(status, code);
    // A cap on edits comes as 429 without being a rate of calls.
    if status == 429 && kind != DiscordRefusal::EditsSpent {
        return DiscordError::Throttled { retry_after: wait(&body["retry_after"], rates) };
    }
    let told = body["message"].as_str().map_or_else(|| format!("status {status}"), str::to_owned);
    let words = faults(&body["errors"]).map_or(told.clone(), |at| format!("{told}: {at}"));
    DiscordError::Refused { status, code, words, kind }
}

/// The first fault in a form, with the way to the field: `embeds.0.title: Must be 256 or fewer in length.`
fn faults(errors: &Value) -> Option<String> {
    let mut path = Vec::new();
    let mut at = errors.as_object()?;
    loop {
        if let Some(first) = at.get("_errors").and_then(|list| list.get(0)) {
            return Some(format!("{}: {}", path.join("."), first["message"].as_str().unwrap_or_default()));
        }
        let (name, next) = at.iter().next()?;
        path.push(name.as_str());
        at = next.as_object()?;
    }
}

/// The wait that is asked for in the body, to the millisecond, else in the head.
fn wait(asked: &Value, rates: &Rates) -> Duration {
    let exact = asked.as_f64().filter(|seconds| *seconds > 0.0).map(|seconds| seconds.min(WAIT_MAX.as_secs_f64()));
    let told = exact.map(Duration::from_secs_f64).or(rates.retry_after).or(rates.reset_after);
    told.filter(|wait| !wait.is_zero()).unwrap_or(WAIT_UNTOLD).clamp(WAIT_MIN, WAIT_MAX)
}

/// What is to be done about an error.
pub(super) fn failed(error: DiscordError) -> SendError {
    let words = error.to_string();
    match error {
        DiscordError::NotSent(cause) => never_left(cause),
        DiscordError::Unknown(cause) | DiscordError::Unreadable(cause) => SendError::Unknown(cause),
        DiscordError::Server { .. } => SendError::Unreachable(words),
        DiscordError::Throttled { retry_after } => SendError::Throttled(retry_after),
        DiscordError::Kept { retry_after } => SendError::NotBefore(retry_after, words),
        DiscordError::Refused { kind, words, .. } => match kind {
            DiscordRefusal::Unauthorized
            | DiscordRefusal::ChannelGone
            | DiscordRefusal::Forbidden
            | DiscordRefusal::Closed => SendError::Shut(words),
            // What may not be changed any more is said anew.
            DiscordRefusal::MessageGone | DiscordRefusal::EditsSpent => SendError::Gone,
            DiscordRefusal::InteractionGone
            | DiscordRefusal::AlreadyAnswered
            | DiscordRefusal::ThreadExists
            | DiscordRefusal::NoThread
            | DiscordRefusal::BadForm
            | DiscordRefusal::TooLarge
            | DiscordRefusal::Other => SendError::Rejected(words),
        },
    }
}

/// The same at a place that is not the lane's own: where it takes nothing, the lane may well do.
pub(super) fn elsewhere(error: DiscordError) -> SendError {
    match &error {
        DiscordError::Refused {
            kind:
                DiscordRefusal::ChannelGone | DiscordRefusal::Forbidden | DiscordRefusal::NoThread | DiscordRefusal::Closed,
            words,
            ..
        } => {
            tracing::info!(words, "a place beside a lane's own takes nothing");
            SendError::Gone
        }
        _ => failed(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: u16, body: &Value) -> Result<Value, DiscordError> {
        value_in(status, &Rates::default(), Ok(body.to_string().into_bytes()))
    }

    #[test]
    fn each_code_has_its_meaning() {
        for (status, code, kind) in [
            (404, 10_003, DiscordRefusal::ChannelGone),
            (403, 50_001, DiscordRefusal::Forbidden),
            (403, 50_007, DiscordRefusal::Closed),
            (403, 50_013, DiscordRefusal::Forbidden),
            (400, 50_035, DiscordRefusal::BadForm),
            (401, 0, DiscordRefusal::Unauthorized),
            (403, 0, DiscordRefusal::Forbidden),
            (404, 0, DiscordRefusal::ChannelGone),
            (400, 40_060, DiscordRefusal::AlreadyAnswered),
            (404, 10_062, DiscordRefusal::InteractionGone),
            (404, 10_008, DiscordRefusal::MessageGone),
            (404, 10_015, DiscordRefusal::InteractionGone),
            (429, 30_046, DiscordRefusal::EditsSpent),
            (400, 160_004, DiscordRefusal::ThreadExists),
            (413, 0, DiscordRefusal::TooLarge),
            (400, 999_999, DiscordRefusal::Other),
        ] {
            let body = json!({ "code": code, "message": "words" });
            match told(status, &body) {
                Err(DiscordError::Refused { kind: found, .. }) => assert_eq!(found, kind, "{status} {code}"),
                other => panic!("{status} {code}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_wait_is_taken_to_the_millisecond_and_has_bounds() {
        let waits = |asked: Value, header: Option<u64>| {
            let rates = Rates { retry_after: header.map(Duration::from_secs), ..Rates::default() };
            let body = json!({ "message": "You are being rate limited.", "retry_after": asked, "global": false });
            match value_in(429, &rates, Ok(body.to_string().into_bytes())) {
                Err(DiscordError::Throttled { retry_after }) => retry_after.as_millis(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(waits(json!(1.337), Some(2)), 1_337);
        assert_eq!(waits(json!(0.001), None), 50);
        assert_eq!(waits(json!(64), None), 64_000);
        assert_eq!(waits(json!(1e300), None), 3_600_000);
        assert_eq!(waits(json!(-5), Some(7)), 7_000);
        assert_eq!(waits(Value::Null, Some(0)), 1_000);
        assert_eq!(waits(json!("soon"), None), 1_000);
        let page = value_in(429, &Rates::default(), Ok(b"<html>".to_vec()));
        assert_eq!(page, Err(DiscordError::Throttled { retry_after: WAIT_UNTOLD }), "somebody before Discord");
    }

    #[test]
    fn what_is_wrong_with_a_form_is_named() {
        let body = json!({ "code": 50035, "message": "Invalid Form Body", "errors": { "embeds": { "0": { "title": {
            "_errors": [{ "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer in length." }] } } } } });
        let Err(error) = told(400, &body) else { panic!("no refusal") };
        let said = "Discord refused (50035): Invalid Form Body: embeds.0.title: Must be 256 or fewer in length.";
        assert_eq!(error.to_string(), said);
        let odd = json!({ "code": "x", "message": 3, "errors": [] });
        assert!(matches!(told(403, &odd), Err(DiscordError::Refused { code: 0, .. })));
    }

    #[test]
    fn what_is_no_answer_of_discords_is_told_apart() {
        let bytes = |status, text: &str| value_in(status, &Rates::default(), Ok(text.as_bytes().to_vec()));
        assert_eq!(bytes(200, "{\"id\":\"1\"}"), Ok(json!({ "id": "1" })));
        assert_eq!(bytes(204, ""), Ok(Value::Null));
        assert!(matches!(bytes(200, "<html>"), Err(DiscordError::Unreadable(_))), "it came whole");
        assert!(matches!(bytes(200, "{\"id\":\"1"), Err(DiscordError::Unknown(_))), "it was cut");
        assert!(matches!(bytes(200, ""), Err(DiscordError::Unknown(_))));
        assert_eq!(bytes(502, "<html>"), Err(DiscordError::Server { status: 502 }));
        assert_eq!(bytes(301, ""), Err(DiscordError::Server { status: 301 }));
        assert!(matches!(bytes(404, "<html>"), Err(DiscordError::Refused { code: 0, .. })));
    }
}
