//! What is so at Twilio? The messages, who takes none, what goes wrong next, and everything that was asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};

use super::limits::segments;

/// Words by which a carrier ends messages, and lets them come again.
const STOPS: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const STARTS: [&str; 2] = ["START", "UNSTOP"];

/// What a trial account's texts begin with.
const TRIAL: &str = "Sent from your Twilio trial account - ";

/// The fields of a form, decoded, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(pub(super) Vec<(String, String)>);

impl Form {
    /// Decodes a form strictly: what is not in its alphabet is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let pair = |part: &str| {
            let (key, value) = part.split_once('=')?;
            Some((decoded(key)?, decoded(value)?))
        };
        if text.is_empty() {
            return Some(Self::default());
        }
        text.split('&').map(pair).collect::<Option<_>>().map(Self)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// A name that is there more than once.
    pub(super) fn twice(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        self.names().find(|name| !seen.insert(*name))
    }

    pub(super) fn json(&self) -> Value {
        self.0.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<serde_json::Map<_, _>>().into()
    }
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut left) = (Vec::new(), text.bytes());
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex = [left.next()?, left.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            byte if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) => byte,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}

/// What goes wrong with the next requests.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Fault {
    /// A reset, and nothing was done.
    ResetBefore,
    /// It was done, and then a reset instead of the answer.
    ResetAfter,
    /// No answer ever; it was done or not.
    Hang {
        /// Whether it was done.
        done: bool,
    },
    /// An HTTP status with an HTML body; it was done or not.
    Status {
        /// Which.
        status: u16,
        /// Whether it was done.
        done: bool,
    },
    /// It was done, and half of the answer comes.
    CutJson,
    /// It was done, and the answer comes a few bytes at a time.
    Slow,
    /// 429, with the seconds that are told, if any are.
    Throttle {
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// A refusal with this number.
    Refuse {
        /// The status of HTTP.
        status: u16,
        /// The number.
        code: u32,
    },
}

/// A message as Twilio keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) sid: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) body: String,
    pub(crate) segments: usize,
    pub(crate) status: String,
    pub(crate) valid_s: Option<u32>,
    pub(crate) callback: Option<String>,
    pub(crate) made_ms: i64,
    pub(crate) code: Option<u32>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) form: Value,
    pub(crate) status: u16,
    /// When it had come.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at it"))]
    pub(crate) at: Instant,
}

pub(crate) struct World {
    pub(super) sid: String,
    pub(super) token: String,
    pub(super) account: String,
    pub(super) messages: Vec<Sent>,
    pub(super) opted_out: BTreeSet<String>,
    /// Phones that are refused, each with the number of why.
    pub(super) refusals: BTreeMap<String, u32>,
    pub(super) queue_max: usize,
    /// It takes no message, without a word that says so.
    pub(super) deaf: bool,
    /// It is a trial account.
    pub(super) trial: bool,
    pub(super) faults: VecDeque<Fault>,
    pub(super) asked: Vec<Asked>,
    /// The time, where it is not the machine's.
    pub(super) now_ms: Option<i64>,
    /// What is signed, and where it is really posted to.
    pub(super) public: String,
    pub(super) deliver_to: String,
    /// What becomes of a message by itself.
    pub(super) fates: Vec<String>,
    counter: u64,
}

#[expect(clippy::disallowed_methods, reason = "a server of its own reads the machine's clock here and nowhere else")]
fn machine_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as i64
}

impl World {
    pub(super) fn new(sid: &str, token: &str) -> Self {
        Self {
            sid: sid.to_owned(),
            token: token.to_owned(),
            account: "active".to_owned(),
            messages: Vec::new(),
            opted_out: BTreeSet::new(),
            refusals: BTreeMap::new(),
            queue_max: 36_000,
            deaf: false,
            trial: false,
            faults: VecDeque::new(),
            asked: Vec::new(),
            now_ms: None,
            public: String::new(),
            deliver_to: String::new(),
            fates: Vec::new(),
            counter: 0,
        }
    }

    pub(super) fn now(&self) -> i64 {
        self.now_ms.unwrap_or_else(machine_ms)
    }

    /// A name that was never given.
    pub(super) fn name(&mut self) -> String {
        self.counter += 1;
        format!("SM{:032x}", self.counter)
    }

    /// Takes a message that is within the limits.
    pub(super) fn take(&mut self, form: &Form) -> Sent {
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let body = if self.trial { format!("{TRIAL}{}", text("Body")) } else { text("Body") };
        let from = form.get("From").or(form.get("MessagingServiceSid")).unwrap_or_default().to_owned();
        let sent = Sent {
            sid: self.name(),
            to: text("To"),
            from,
            segments: segments(&body),
            body,
            status: "queued".to_owned(),
            valid_s: form.get("ValidityPeriod").and_then(|valid| valid.parse().ok()),
            callback: form.get("StatusCallback").map(str::to_owned),
            made_ms: self.now(),
            code: None,
        };
        self.messages.push(sent.clone());
        sent
    }

    /// A phone texts: what the carrier makes of it.
    pub(super) fn carrier(&mut self, from: &str, body: &str) -> Option<&'static str> {
        let word = body.trim().to_ascii_uppercase();
        if STOPS.contains(&word.as_str()) {
            self.opted_out.insert(from.to_owned());
            Some("STOP")
        } else if STARTS.contains(&word.as_str()) {
            self.opted_out.remove(from);
            Some("START")
        } else {
            (word == "HELP" || word == "INFO").then_some("HELP")
        }
    }

    pub(super) fn json(&self, sent: &Sent) -> Value {
        let date = |ms: i64| {
            let at = chrono::DateTime::from_timestamp_millis(ms).unwrap_or_default();
            at.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
        };
        let is_out = sent.status != "queued" && sent.status != "accepted";
        json!({
            "account_sid": self.sid, "api_version": "2010-04-01", "body": sent.body, "sid": sent.sid, "status": sent.status,
            "date_created": date(sent.made_ms), "date_updated": date(sent.made_ms),
            "date_sent": is_out.then(|| date(sent.made_ms)), "direction": "outbound-api",
            "validity_period": sent.valid_s, "error_code": sent.code, "error_message": null, "from": sent.from, "to": sent.to, "messaging_service_sid": null,
            "num_media": "0", "num_segments": sent.segments.to_string(), "price": null, "price_unit": "USD",
            "subresource_uris": {}, "uri": format!("/2010-04-01/Accounts/{}/Messages/{}.json", self.sid, sent.sid),
        })
    }
}
