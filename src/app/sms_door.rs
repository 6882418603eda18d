//! What does Twilio post? Texts from phones, and what became of ours: proven by their signature, kept once, and answered at once.

use std::sync::Arc;

use crate::channels::{SignedPost, TWILIO_SIGNATURE};
use crate::clock::Clock;
use crate::domain::ChannelKind;
use crate::store::{Store, StoreError, sms_grade};
use crate::web::{PostDoor, Posted, Reply};

use super::phones::{Phones, STATES, TEXTS};
use super::sms_words::{Wish, heard, wish};

/// Texts from phones in the inbox, and what became of ours.
pub(super) const SMS: &str = "sms";
pub(super) const SMS_STATES: &str = "sms status";
/// What Twilio does with a text that came: nothing. What is answered goes out by itself.
const NOTHING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";
const XML: &str = "text/xml; charset=utf-8";

/// What somebody is told at once whose text could not be kept: Twilio brings it no second time.
const LOST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>Not recorded, nothing was done: use another way</Message></Response>";

/// Keeps what a post brings; what is answered.
type Keep = fn(&Phones, &Store, &dyn Clock, &[(String, String)]) -> Result<Reply, StoreError>;

/// The doors that Twilio posts to.
pub(super) fn doors(phones: &Phones, store: &Store, clock: &Arc<dyn Clock>) -> Vec<PostDoor> {
    let door = |path, keep: Keep| {
        let (phones, store, clock) = (phones.clone(), store.clone(), clock.clone());
        PostDoor {
            path,
            page: None,
            take: Arc::new(move |posted| {
                let Some(fields) = genuine(&phones, &posted) else {
                    phones.note_unsigned();
                    return reply(403, "");
                };
                keep(&phones, &store, clock.as_ref(), &fields).unwrap_or_else(|error| {
                    tracing::warn!(%error, "what Twilio brought could not be kept");
                    reply(500, "")
                })
            }),
        }
    };
    vec![door(TEXTS, keep_text as Keep), door(STATES, keep_state)]
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
) -> Result<Reply, StoreError> {
    let (Some(sid), Some(from)) = (field(fields, "MessageSid").filter(|sid| is_sid(sid)), field(fields, "From")) else {
        return Ok(reply(400, ""));
    };
    let Some(seat) = phones.seat_of(from) else {
        store.count_stranger(ChannelKind::Sms, 0, clock.now())?;
        return Ok(reply(200, NOTHING));
    };
    let heard = heard(field(fields, "Body").unwrap_or_default(), field(fields, "OptOutType"));
    if let Some(code) = heard.code {
        phones.keep_secret(sid, code);
    }
    if let Err(error) = store.receive(SMS, sid, &seat.person.name, &heard.words, clock.now()) {
        tracing::error!(%error, "a text could not be kept");
        drop(phones.secret(sid));
        // What asks for nothing gets no answer: two machines must not talk to each other.
        let asks = matches!(wish(&heard.words), Wish::Line(_) | Wish::Menu | Wish::Code | Wish::Nearly);
        return Ok(reply(200, if asks { LOST } else { NOTHING }));
    }
    store.wake();
    Ok(reply(200, NOTHING))
}

/// Keeps what became of a message, once each word of it.
fn keep_state(_: &Phones, store: &Store, clock: &dyn Clock, fields: &[(String, String)]) -> Result<Reply, StoreError> {
    let sid = field(fields, "MessageSid").or_else(|| field(fields, "SmsSid")).filter(|sid| is_sid(sid));
    let state = field(fields, "MessageStatus").or_else(|| field(fields, "SmsStatus"));
    let (Some(sid), Some(state)) = (sid, state) else { return Ok(reply(400, "")) };
    if sms_grade(state).is_none() {
        // A word that nobody here knows changes nothing.
        return Ok(reply(204, ""));
    }
    let code = field(fields, "ErrorCode").and_then(|code| code.parse::<u32>().ok());
    let code = code.map(|code| format!(" {code}")).unwrap_or_default();
    store.receive(SMS_STATES, &format!("{sid} {state}"), "", &format!("{sid} {state}{code}"), clock.now())?;
    store.wake();
    Ok(reply(204, ""))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::config::{Environment, read};
    use crate::store::Points;

    #[test]
    fn whoever_texts_a_word_that_cannot_be_kept_is_told_so() {
        let folder = tempfile::tempdir().expect("folder");
        let (broken, clock) = (Arc::new(AtomicBool::new(false)), Arc::new(ManualClock::at(Timestamp::from_ms(0))));
        let breaks = broken.clone();
        let points = Points::armed(move |_| breaks.load(Ordering::SeqCst));
        let store = Store::open_with(&folder.path().join("a.db"), points).expect("opens");
        let people = "[[people]]\nname = \"ana\"\nrole = \"owner\"\nphone = \"+351912345678\"";
        let config = read(people, None).expect("a configuration");
        let environment = Environment::of(|name| {
            Ok(match name {
                "TWILIO_ACCOUNT_SID" => Some(format!("AC{}", "0".repeat(32))),
                "TWILIO_AUTH_TOKEN" => Some("0".repeat(32)),
                "TWILIO_FROM" => Some("+15005550006".to_owned()),
                _ => None,
            })
        });
        let clock: Arc<dyn Clock> = clock;
        let environment = environment.expect("an environment");
        let phones = Phones::open(&config, &environment, &store, &clock).expect("opens").expect("phones");
        assert!(phones.signed.is_none(), "nobody listens, so nothing comes back");
        broken.store(true, Ordering::SeqCst);
        let told = |number: usize, from: &str, body: &str| {
            let sid = format!("SM{number:032}");
            let fields = [("MessageSid", sid.as_str()), ("From", from), ("Body", body)];
            let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned()));
            keep_text(&phones, &store, clock.as_ref(), &fields).map(|reply| (reply.status, reply.body))
        };
        for (number, body) in ["HALT", "RESUME 123456", "ack 1"].into_iter().enumerate() {
            assert_eq!(told(number, "+351912345678", body).expect("answered"), (200, LOST.to_owned()), "{body}");
        }
        assert!(phones.secret(&format!("SM{:032}", 1)).is_none());
        assert_eq!(told(4, "+351912345678", "call me").expect("answered"), (200, NOTHING.to_owned()));
        assert!(told(5, "+12125550123", "HALT").is_err(), "a stranger hears nothing");
    }
}
