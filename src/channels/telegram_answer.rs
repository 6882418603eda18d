//! What did Telegram answer? Its envelope of JSON, and every other way in which a call can end.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::http_client::BodyError;

/// The shortest wait after Telegram asked for one.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest; after it the call is tried again whatever was asked for.
const WAIT_MAX: Duration = Duration::from_hours(1);

/// Why a call brought no result. Each says what may be done next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It never left: try again.
    #[error("could not reach Telegram: {0}")]
    NotSent(String),
    /// Telegram may have done it: a repeat may show it twice.
    #[error("Telegram gave no clear answer: {0}")]
    Unknown(String),
    /// The same, and what came is whole and cannot be read: it would be no other the next time.
    #[error("Telegram's answer cannot be read: {0}")]
    Unreadable(String),
    /// Too many calls: nothing was done; try again after the wait.
    #[error("Telegram asks to wait {} s", retry_after.as_secs())]
    Throttled {
        /// From one second to one hour.
        retry_after: Duration,
    },
    /// The group has another number now: nothing was done; write to the new one.
    #[error("the group has moved to {to}")]
    Migrated {
        /// Its new number.
        to: i64,
    },
    /// The server failed, or somebody on the way answered for it. It says little about whether the call was carried out.
    #[error("Telegram failed with status {status}")]
    Server {
        /// The status, 3xx or 5xx.
        status: u16,
    },
    /// Nothing was done, and the same call will be refused again.
    #[error("Telegram refused ({code}): {description}")]
    Refused {
        /// Its error code.
        code: u16,
        /// Its words; for logs and operators.
        description: String,
        /// What they mean.
        kind: Refusal,
    },
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The user blocked or never started the bot, or the bot may not write there.
    Blocked,
    /// There is no such chat or user.
    ChatGone,
    /// The token is wrong or was revoked.
    Unauthorized,
    /// The text's markup is not valid.
    BadMarkup,
    /// The text, the caption or the file is too large.
    TooLong,
    /// The message looks like that already.
    NotModified,
    /// The message is not there, or may not be changed any more.
    MessageGone,
    /// The message may not be removed, or not any more.
    Undeletable,
    /// The press of a button was answered too late.
    QueryTooOld,
    /// The topic is not there, or is closed.
    TopicGone,
    /// Somebody else takes this bot's updates: another copy of it, or a webhook.
    OtherCopy,
    /// Anything else.
    Other,
}

/// How descriptions begin, in lower case and without "Bad Request: ". They may quote the message further on, so only the beginning
/// counts.
const MEANINGS: &[(&str, Refusal)] = &[
    ("bot was blocked", Refusal::Blocked),
    ("bot was kicked", Refusal::Blocked),
    ("bot can't initiate conversation", Refusal::Blocked),
    ("bot can't send messages to", Refusal::Blocked),
    ("user is deactivated", Refusal::Blocked),
    ("have no rights to send", Refusal::Blocked),
    ("not enough rights to send", Refusal::Blocked),
    ("need administrator rights", Refusal::Blocked),
    ("chat_write_forbidden", Refusal::Blocked),
    ("chat_restricted", Refusal::Blocked),
    ("chat not found", Refusal::ChatGone),
    ("user not found", Refusal::ChatGone),
    ("group is deactivated", Refusal::ChatGone),
    ("the group chat was deleted", Refusal::ChatGone),
    ("peer_id_invalid", Refusal::ChatGone),
    ("can't parse entities", Refusal::BadMarkup),
    ("message is too long", Refusal::TooLong),
    ("message_too_long", Refusal::TooLong),
    ("message caption is too long", Refusal::TooLong),
    ("media_caption_too_long", Refusal::TooLong),
    ("request entity too large", Refusal::TooLong),
    ("message is not modified", Refusal::NotModified),
    ("message_not_modified", Refusal::NotModified),
    ("message to edit not found", Refusal::MessageGone),
    ("message to delete not found", Refusal::MessageGone),
    ("message to be replied not found", Refusal::MessageGone),
    ("message can't be edited", Refusal::MessageGone),
    ("message can't be deleted", Refusal::Undeletable),
    ("message_delete_forbidden", Refusal::Undeletable),
    ("message_id_invalid", Refusal::MessageGone),
    ("query is too old", Refusal::QueryTooOld),
    ("query_id_invalid", Refusal::QueryTooOld),
    ("message thread not found", Refusal::TopicGone),
    ("topic_closed", Refusal::TopicGone),
    ("topic_deleted", Refusal::TopicGone),
    ("topic_id_invalid", Refusal::TopicGone),
    ("terminated by other getupdates", Refusal::OtherCopy),
    ("can't use getupdates method while webhook", Refusal::OtherCopy),
];

impl Refusal {
    /// What a refusal with this code and description means.
    pub fn of(code: u16, description: &str) -> Self {
        let lower = description.to_lowercase();
        let class = ["bad request: ", "forbidden: ", "unauthorized: ", "conflict: "];
        let words = class.iter().find_map(|class| lower.strip_prefix(class)).unwrap_or(&lower);
        if let Some((_, kind)) = MEANINGS.iter().find(|(beginning, _)| words.starts_with(beginning)) {
            return *kind;
        }
        match code {
            // The path holds the token: where Telegram knows none of that form it finds nothing.
            401 | 404 => Self::Unauthorized,
            403 => Self::Blocked,
            409 => Self::OtherCopy,
            413 => Self::TooLong,
            _ => Self::Other,
        }
    }
}

/// Telegram's envelope. Its parts are read leniently: what is odd in one must not hide the others.
#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error_code: Value,
    #[serde(default)]
    description: Value,
    #[serde(default)]
    parameters: Value,
}

/// The result in an answer. `retry_after` is the header of that name; a body that could not be read comes as the words for that.
///
/// # Errors
/// When there is no result, or none to be relied on.
pub(super) fn result_in(
    status: u16,
    retry_after: Option<&str>,
    body: Result<Vec<u8>, BodyError>,
) -> Result<Value, CallError> {
    if (300..400).contains(&status) || status >= 500 {
        return Err(CallError::Server { status });
    }
    let read = body.map_err(|error| (matches!(error, BodyError::TooLong(_)), error.to_string())).and_then(|body| {
        // What ends too early was cut on the way.
        serde_json::from_slice::<Envelope>(&body)
            .map_err(|error| (!error.is_eof(), "the answer is not Telegram's JSON".to_owned()))
    });
    match read {
        Ok(envelope) if envelope.ok && status == 200 => Ok(envelope.result),
        Ok(envelope) => Err(failure(status, retry_after, &envelope)),
        Err(_) if status == 429 => Err(CallError::Throttled { retry_after: wait(&Value::Null, retry_after) }),
        Err((_, words)) if status >= 400 => {
            Err(CallError::Refused { code: status, description: words, kind: Refusal::of(status, "") })
        }
        Err((true, words)) => Err(CallError::Unreadable(words)),
        Err((false, words)) => Err(CallError::Unknown(words)),
    }
}

fn failure(status: u16, retry_after: Option<&str>, envelope: &Envelope) -> CallError {
    if let Some(to) = envelope.parameters.get("migrate_to_chat_id").and_then(Value::as_i64) {
        return CallError::Migrated { to };
    }
    let asked = envelope.parameters.get("retry_after").unwrap_or(&Value::Null);
    let code = envelope.error_code.as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(status);
    if code == 429 || !asked.is_null() {
        return CallError::Throttled { retry_after: wait(asked, retry_after) };
    }
    match code {
        500.. => CallError::Server { status: code },
        400..500 => {
            let description = envelope.description.as_str().unwrap_or_default().to_owned();
            CallError::Refused { code, kind: Refusal::of(code, &description), description }
        }
        _ => CallError::Unknown(format!("status {status} without a result")),
    }
}

/// The wait that is asked for in the body, else in the header, within its bounds.
fn wait(asked: &Value, header: Option<&str>) -> Duration {
    let seconds = asked.as_u64().or_else(|| header.and_then(|text| text.trim().parse().ok())).unwrap_or_default();
    Duration::from_secs(seconds).clamp(WAIT_MIN, WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use teloxide::ApiError;

    use super::*;

    fn told(status: u16, body: &Value) -> Result<Value, CallError> {
        result_in(status, None, Ok(body.to_string().into_bytes()))
    }

    #[test]
    fn what_teloxide_knows_of_is_known_here() {
        for (error, kind) in [
            (ApiError::BotBlocked, Refusal::Blocked),
            (ApiError::UserDeactivated, Refusal::Blocked),
            (ApiError::BotKicked, Refusal::Blocked),
            (ApiError::BotKickedFromSupergroup, Refusal::Blocked),
            (ApiError::BotKickedFromChannel, Refusal::Blocked),
            (ApiError::CantInitiateConversation, Refusal::Blocked),
            (ApiError::CantTalkWithBots, Refusal::Blocked),
            (ApiError::NotEnoughRightsToPostMessages, Refusal::Blocked),
            (ApiError::ChatNotFound, Refusal::ChatGone),
            (ApiError::UserNotFound, Refusal::ChatGone),
            (ApiError::GroupDeactivated, Refusal::ChatGone),
            (ApiError::MessageIsTooLong, Refusal::TooLong),
            (ApiError::EditedMessageIsTooLong, Refusal::TooLong),
            (ApiError::RequestEntityTooLarge, Refusal::TooLong),
            (ApiError::MessageNotModified, Refusal::NotModified),
            (ApiError::MessageToEditNotFound, Refusal::MessageGone),
            (ApiError::MessageToDeleteNotFound, Refusal::MessageGone),
            (ApiError::MessageToReplyNotFound, Refusal::MessageGone),
            (ApiError::MessageCantBeEdited, Refusal::MessageGone),
            (ApiError::MessageCantBeDeleted, Refusal::Undeletable),
            (ApiError::MessageIdInvalid, Refusal::MessageGone),
            (ApiError::InvalidQueryId, Refusal::QueryTooOld),
            (ApiError::TerminatedByOtherGetUpdates, Refusal::OtherCopy),
            (ApiError::CantGetUpdates, Refusal::OtherCopy),
            (ApiError::MessageTextIsEmpty, Refusal::Other),
            (ApiError::ButtonDataInvalid, Refusal::Other),
        ] {
            let description = error.to_string();
            assert_eq!(Refusal::of(400, &description), kind, "{description}");
        }
        assert_eq!(Refusal::of(401, "Unauthorized"), Refusal::Unauthorized);
        assert_eq!(Refusal::of(404, "Not Found"), Refusal::Unauthorized);
    }

    #[test]
    fn text_that_a_description_quotes_decides_nothing() {
        let quoting = "Bad Request: can't parse entities: Unsupported start tag \"chat not found\" at byte offset 3";
        assert_eq!(Refusal::of(400, quoting), Refusal::BadMarkup);
        assert_eq!(Refusal::of(400, "Bad Request: BUTTON bot was blocked"), Refusal::Other);
        let too_old = "Bad Request: query is too old and response timeout expired or query ID is invalid";
        assert_eq!(Refusal::of(400, too_old), Refusal::QueryTooOld);
    }

    #[test]
    fn a_wait_has_bounds_whatever_is_asked_for() {
        let waits = |parameters: Value, header: Option<&str>| {
            let body = json!({ "ok": false, "error_code": 429, "parameters": parameters }).to_string();
            match result_in(429, header, Ok(body.into_bytes())) {
                Err(CallError::Throttled { retry_after }) => retry_after.as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(waits(json!({ "retry_after": 35 }), None), 35);
        assert_eq!(waits(json!({ "retry_after": 0 }), None), 1);
        assert_eq!(waits(json!({ "retry_after": u64::MAX }), None), 3600);
        assert_eq!(waits(json!({ "retry_after": -5 }), None), 1);
        assert_eq!(waits(json!({ "retry_after": "soon" }), Some("7")), 7);
        assert_eq!(waits(Value::Null, Some("12")), 12);
        assert_eq!(waits(Value::Null, Some("Wed, 21 Oct 2026 07:28:00 GMT")), 1);
        assert_eq!(waits(Value::Null, None), 1);
    }

    #[test]
    fn each_envelope_has_its_meaning() {
        assert_eq!(told(200, &json!({ "ok": true, "result": 5 })), Ok(json!(5)));
        let moved = json!({ "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded",
            "parameters": { "migrate_to_chat_id": -1_001_234_567_890_i64 } });
        assert_eq!(told(400, &moved), Err(CallError::Migrated { to: -1_001_234_567_890 }));
        assert_eq!(told(500, &json!({ "ok": true, "result": 5 })), Err(CallError::Server { status: 500 }));
        assert_eq!(told(200, &json!({ "ok": false, "error_code": 502 })), Err(CallError::Server { status: 502 }));
        assert!(matches!(told(200, &json!({ "ok": false })), Err(CallError::Unknown(_))));
        assert!(matches!(told(200, &json!({ "result": 5 })), Err(CallError::Unreadable(_))));
        assert!(matches!(told(204, &json!({ "ok": true, "result": 5 })), Err(CallError::Unknown(_))));
        let odd = json!({ "ok": false, "error_code": "x", "description": 3, "parameters": [] });
        assert!(matches!(told(403, &odd), Err(CallError::Refused { code: 403, kind: Refusal::Blocked, .. })));
        let garbage = |status| result_in(status, None, Ok(b"<html>".to_vec()));
        assert!(matches!(garbage(200), Err(CallError::Unreadable(_))), "it came whole");
        let cut = result_in(200, None, Ok(b"{\"ok\":true,\"result\":[{".to_vec()));
        assert!(matches!(cut, Err(CallError::Unknown(_))), "the next one may come whole: {cut:?}");
        assert!(matches!(garbage(413), Err(CallError::Refused { kind: Refusal::TooLong, .. })));
        assert!(matches!(garbage(429), Err(CallError::Throttled { .. })));
        assert_eq!(garbage(302), Err(CallError::Server { status: 302 }));
        assert_eq!(garbage(502), Err(CallError::Server { status: 502 }));
    }
}
