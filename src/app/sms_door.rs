//! What does Twilio post? Texts from phones, and what became of ours: proven by their signature, kept once, and answered at once.

use std::sync::Arc;

use crate::channels::{SignedPost, TWILIO_SIGNATURE};
use crate::clock::Clock;
use crate::domain::ChannelKind;
use crate::store::{Store, StoreError, sms_grade};
use crate::web::{PostDoor, Posted, Reply};

use super::phones::{Phones, STATES, TEXTS};
use super::sms_words::heard;

/// Texts from phones in the inbox, and what became of ours.
pub(super) const SMS: &str = "sms";
pub(super) const SMS_STATES: &str = "sms status";
/// What Twilio does with a text that came: nothing. What is answered goes out by itself.
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
const XML: &str = "text/xml; charset=utf-8";

/// The doors that Twilio posts to.
pub(super) fn doors(phones: &Phones, store: &Store, clock: &Arc<dyn Clock>) -> Vec<PostDoor> {
    let door = |path, keep: fn(&Phones, &Store, &dyn Clock, &[(String, String)]) -> Result<u16, StoreError>| {
        let (phones, store, clock) = (phones.clone(), store.clone(), clock.clone());
        PostDoor {
            path,
            page: None,
            take: Arc::new(move |posted| {
                let Some(fields) = genuine(&phones, &posted) else {
                    phones.note_unsigned();
                    return reply(403, "");
                };
                match keep(&phones, &store, clock.as_ref(), &fields) {
                    Ok(200) => reply(200, NOTHING),
                    Ok(status) => reply(status, ""),
                    Err(error) => {
                        tracing::warn!(%error, "what Twilio brought could not be kept");
                        reply(500, "")
                    }
                }
            }),
        }
    };
    vec![door(TEXTS, keep_text), door(STATES, keep_state)]
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, content_type: XML, body: body.to_owned() }
}

/// The fields of a post, if Twilio signed it.
fn genuine(phones: &Phones, posted: &Posted) -> Option<Vec<(String, String)>> {
    phones.signed.as_ref()?.fields(SignedPost {
        target: &posted.target,
        signature: posted.header(TWILIO_SIGNATURE)?,
        content_type: posted.header("content-type")?,
        body: &posted.body,
    })
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// A name that Twilio gives a message.
fn is_sid(text: &str) -> bool {
    let rest = text.strip_prefix("SM").or_else(|| text.strip_prefix("MM")).unwrap_or_default();
    rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Keeps what a known phone texts, once. A stranger is counted, and their number is kept nowhere.
fn keep_text(
    phones: &Phones,
    store: &Store,
    clock: &dyn Clock,
    fields: &[(String, String)],
) -> Result<u16, StoreError> {
    let (Some(sid), Some(from)) = (field(fields, "MessageSid").filter(|sid| is_sid(sid)), field(fields, "From")) else {
        return Ok(400);
    };
    let Some(seat) = phones.seat_of(from) else {
        store.count_stranger(ChannelKind::Sms, 0, clock.now())?;
        return Ok(200);
    };
    let heard = heard(field(fields, "Body").unwrap_or_default(), field(fields, "OptOutType"));
    if let Some(code) = heard.code {
        phones.keep_secret(sid, code);
    }
    store.receive(SMS, sid, &seat.person.name, &heard.words, clock.now())?;
    store.wake();
    Ok(200)
}

/// Keeps what became of a message, once each word of it.
fn keep_state(_: &Phones, store: &Store, clock: &dyn Clock, fields: &[(String, String)]) -> Result<u16, StoreError> {
    let sid = field(fields, "MessageSid").or_else(|| field(fields, "SmsSid")).filter(|sid| is_sid(sid));
    let state = field(fields, "MessageStatus").or_else(|| field(fields, "SmsStatus"));
    let (Some(sid), Some(state)) = (sid, state) else { return Ok(400) };
    if sms_grade(state).is_none() {
        // A word that nobody here knows changes nothing.
        return Ok(204);
    }
    let code = field(fields, "ErrorCode").and_then(|code| code.parse::<u32>().ok());
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    store.receive(SMS_STATES, &format!("{sid} {state}"), "", &format!("{sid} {state}{code}"), clock.now())?;
    store.wake();
    Ok(204)
}
