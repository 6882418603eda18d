//! How does a message get to a phone, and is it paid? Paid first, sent once, and looked for where nobody knows whether it arrived.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use crate::clock::{Clock, Timestamp};
use crate::domain::{Lane, Severity};
use crate::notify::{Abilities, Allowance, Channel, Failure, HAD_ARRIVED, Post, Receipt, SendError, SmsBudget};

use super::gsm::segments;
use super::http_client::never_left;
use super::render_sms::{SmsForm, short_text};
use super::twilio::{Known, Outgoing, TRIAL, Twilio, TwilioError};

/// A long code takes a segment a second. What is quiet is gathered sooner: each message costs.
const ALLOWANCE: Allowance = Allowance { burst: 3, refill: std::time::Duration::from_secs(2) };
/// How long a message may wait at the service, in seconds: an alert that comes hours late is worse than one that is told elsewhere.
const VALID_S: u32 = 300;
const VALID_CRITICAL_S: u32 = 900;
/// Lines below a text that another try of it may not have: that it is late, what overtook it, that it may be a repeat.
const LATER_LINES_MAX: usize = 3;
/// The service may not show a message for so long after it was sent, in milliseconds.
const SHOWN_MS: i64 = 10_000;
/// What stands in a text for a code that is kept nowhere.
pub const CODE_HERE: &str = "(code)";
/// What stands there once the code does not count any more.
const CODE_OVER: &str = "(over: ask again)";

/// A code that is shown once, on one phone. It is in no message that is stored: the text gets it as it is sent.
#[derive(Clone, Default)]
pub struct CodeSlot(Arc<Mutex<Option<(SecretString, Timestamp)>>>);

impl CodeSlot {
    /// The code that the next text shows, until then.
    pub fn put(&self, code: SecretString, until: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((code, until));
    }

    fn now(&self, now: Timestamp) -> Option<SecretString> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().filter(|(_, until)| now < *until).map(|(code, _)| code.clone())
    }
}

/// Where a lane leads.
#[derive(Clone)]
pub struct SmsTarget {
    /// The lane.
    pub lane: Lane,
    /// The phone, as E.164 writes it.
    pub to: SecretString,
    /// Where the service tells what becomes of messages, if it can; then what is answered is heard as well.
    pub callback: Option<String>,
}

/// Somebody's phone as a channel.
pub struct SmsLane {
    twilio: Twilio,
    target: SmsTarget,
    budget: SmsBudget,
    code: CodeSlot,
    clock: Arc<dyn Clock>,
}

impl SmsLane {
    /// Sends to this phone, as far as there is money.
    pub fn new(twilio: Twilio, target: SmsTarget, budget: SmsBudget, code: CodeSlot, clock: Arc<dyn Clock>) -> Self {
        Self { twilio, target, budget, code, clock }
    }

    /// The text of a message; a code that it is to show is put in.
    fn text(&self, post: &Post, one_segment: bool, before: &'static str) -> String {
        let is_answer = post.number.is_none();
        // Whoever is to send a code back reads what it does.
        let whole = is_answer && post.message.plain_lines().iter().any(|line| line.contains(CODE_HERE));
        let one_segment = one_segment || (is_answer && !whole);
        let text = short_text(post, SmsForm { one_segment, whole, answers: self.target.callback.is_some(), before });
        if whole {
            let code = self.code.now(self.clock.now());
            let shown = code.as_ref().map_or(CODE_OVER, |code| code.expose_secret());
            return text.replace(CODE_HERE, shown);
        }
        text
    }

    /// What was tried a moment ago and is not found may be shown later. What is critical does not wait for that.
    fn wait_until_shown(&self, post: &Post) -> Result<(), SendError> {
        let tried = self.budget.tried(post.delivery).filter(|_| post.severity != Severity::Critical);
        let passed = tried.map(|tried| self.clock.now().since(tried));
        match passed.filter(|passed| (0..SHOWN_MS).contains(passed)) {
            Some(passed) => {
                let wait = std::time::Duration::from_millis((SHOWN_MS - passed).unsigned_abs());
                Err(SendError::NotBefore(wait, "nobody knows yet whether it arrived".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// The message as an earlier try sent it, if it arrived. A notice is known by its number, an answer by its text, without what is only
    /// said of a later try.
    async fn arrived(&self, post: &Post, since: Timestamp) -> Result<Option<Known>, SendError> {
        let number = post.number.map(|number| format!("{number} "));
        let mut texts = Vec::new();
        let mut earlier = post.clone();
        for _ in 0..=LATER_LINES_MAX {
            texts.extend(["", TRIAL].map(|before| self.text(&earlier, false, before)));
            earlier.message.blocks.pop();
        }
        let is_it = |known: &Known| {
            let body = known.body.as_deref().unwrap_or_default();
            let body = body.strip_prefix(TRIAL).unwrap_or(body);
            let same = number.as_ref().map_or_else(
                || texts.iter().any(|text| !text.is_empty() && text == body),
                |number| body.starts_with(number.as_str()),
            );
            same && !self.budget.is_others(post.delivery, &known.sid)
                && !matches!(known.status.as_str(), "failed" | "undelivered" | "canceled")
        };
        self.twilio.find(&self.target.to, since, is_it).await.map_err(|error| match looked(error) {
            // Nothing was sent by looking.
            SendError::Unknown(why) => SendError::Unreachable(why),
            other => other,
        })
    }
}

/// What a failed call means for the way.
fn looked(error: TwilioError) -> SendError {
    let words = error.to_string();
    match error {
        TwilioError::NotSent(cause) => never_left(cause),
        TwilioError::Unknown(cause) => SendError::Unknown(cause),
        TwilioError::Throttled(wait) => SendError::Throttled(wait),
        // The text is refused, the way is not.
        TwilioError::Refused { status: 400, code: 0 | 21602 | 21605 | 21617 } => SendError::Rejected(words),
        TwilioError::Refused { .. } => SendError::Shut(words),
    }
}

#[async_trait]
impl Channel for SmsLane {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: true, allowance: Some(ALLOWANCE) }
    }

    /// The account is asked for, and whether somebody texted that they want nothing more.
    async fn probe(&self) -> Option<Result<(), Failure>> {
        if self.budget.is_opted_out(self.target.lane) {
            let words = TwilioError::Refused { status: 400, code: 21610 }.to_string();
            return Some(Err(SendError::Shut(words).into()));
        }
        Some(match self.twilio.account().await {
            Ok(status) if status == "active" => Ok(()),
            Ok(_) => Err(SendError::Shut("the account at Twilio is not active".to_owned()).into()),
            Err(error) => Err(looked(error).into()),
        })
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if let Some(since) = post.again {
            if let Some(known) = self.arrived(post, since).await? {
                self.budget.found(post.delivery, &known.sid, &known.status);
                let detail = Some(HAD_ARRIVED.to_owned());
                return Ok(Receipt { remote: Some(known.sid), skew_ms: None, detail });
            }
            self.wait_until_shown(post)?;
        }
        let lane = self.target.lane;
        let before = self.twilio.before();
        let text = self.text(post, false, before);
        let grant = self.budget.pay(lane, post, segments(&format!("{before}{text}")))?;
        let text = if grant.is_last { self.text(post, true, before) } else { text };
        let valid_s = if post.severity == Severity::Critical { VALID_CRITICAL_S } else { VALID_S };
        let callback = self.target.callback.as_deref();
        let sent = self.twilio.send(Outgoing { to: &self.target.to, body: &text, valid_s, callback }).await;
        match sent {
            Ok((Known { error_code: Some(code), .. }, _)) => {
                self.budget.unsent(grant);
                Err(looked(TwilioError::Refused { status: 201, code }).into())
            }
            Ok((known, skew_ms)) => {
                if self.budget.is_opted_out(lane) {
                    self.budget.keep_opt_out(lane, false);
                }
                self.budget.sent(grant, &known.sid, &known.status);
                Ok(Receipt { remote: Some(known.sid), skew_ms, detail: None })
            }
            Err(error) => {
                // What may have been sent stays paid.
                if !matches!(error, TwilioError::Unknown(_)) {
                    self.budget.unsent(grant);
                }
                if matches!(error, TwilioError::Refused { code: 21610, .. }) {
                    self.budget.keep_opt_out(lane, true);
                }
                Err(looked(error).into())
            }
        }
    }
}
