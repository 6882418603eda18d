//! How is Telegram listened to? A long poll whose updates are in the store before the next one confirms them; presses are answered at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::channels::{CallError, ChatKind, Heard, HeardKind, Polled, PressAnswer, Refusal, RemoteId, Telegram};
use crate::chat::{PadKey, Pads, Pressed, Seats, is_halt, may_be_secret, pad_key};
use crate::clock::{Clock, Timestamp};
use crate::domain::{ChannelKind, EventKind};
use crate::store::{Reader, Store, StoreError, Update};

use super::pairing::code_in;
use super::switchboard::Alarm;

/// What is kept of a message that stops trading.
const HALT: &str = "/halt";
/// The name of its updates in the inbox.
pub(super) const TELEGRAM: &str = "telegram";
/// How long a poll may wait for something to happen.
const POLL: Duration = Duration::from_secs(25);
/// Where it is noted when it was polled, and how often that is.
const POLLED: &str = "polled telegram";
const NOTED_MS: i64 = 30_000;
/// A poll is put off by at most so much, whatever the service asks: a halt may be waiting.
const THROTTLED_MAX: Duration = Duration::from_secs(30);
/// The longest wait between two polls that failed.
const FAILED_MAX: Duration = Duration::from_secs(15);
/// How long another copy is given to go away.
const OTHER_COPY: Duration = Duration::from_secs(5);
/// Tries to remove a message with a PIN, and the wait between them.
const DELETIONS: u32 = 4;
const DELETION_WAIT: Duration = Duration::from_secs(2);

/// What is known of an update besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Letter {
    /// What it is.
    pub(super) what: What,
    /// The account.
    pub(super) user: i64,
    /// What the account calls itself.
    pub(super) name: String,
    /// The chat.
    pub(super) chat: i64,
    /// True if nobody else reads the chat.
    pub(super) private: bool,
    /// The topic.
    pub(super) thread: Option<i32>,
    /// The message, or the one whose button was pressed.
    pub(super) message: i32,
    /// The message that it answers.
    pub(super) reply_to: Option<i32>,
    /// The token of the button.
    pub(super) token: String,
    /// When it was sent, by our clock. For a press, when the last poll before it was answered: it cannot be older.
    pub(super) sent: i64,
    /// True if its text was left out because it may be a PIN or a code.
    pub(super) secret: bool,
    /// True if it is somebody's own words, said now.
    pub(super) own_words: bool,
}

/// What an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// A message.
    Message,
    /// A message that was changed.
    Edited,
    /// A button.
    Press,
    /// A file or a picture.
    File,
    /// A group got another number.
    Moved {
        /// Its new number.
        to: i64,
    },
    /// The bot was let in, put out, or something that nobody has to answer.
    Other,
}

/// What is shared with whoever handles the updates.
#[derive(Clone)]
pub(super) struct Shared {
    /// Everybody who is known.
    pub(super) seats: Arc<RwLock<Seats>>,
    /// Prompts that wait for a PIN.
    pub(super) pads: Arc<Pads>,
    /// Texts that may be a PIN or a code, by update; in memory only.
    pub(super) secrets: Arc<Mutex<HashMap<String, SecretString>>>,
    /// When Telegram was polled well last, in milliseconds on the steady clock.
    pub(super) polled_ms: Arc<AtomicI64>,
}

impl Shared {
    /// Nobody is known yet.
    pub(super) fn new(seats: Seats) -> Self {
        Self {
            seats: Arc::new(RwLock::new(seats)),
            pads: Arc::default(),
            secrets: Arc::default(),
            polled_ms: Arc::default(),
        }
    }

    /// Who is known now.
    pub(super) fn seats(&self) -> Seats {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text of an update that was left out, once.
    pub(super) fn secret(&self, key: &str) -> Option<SecretString> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    fn keep_secret(&self, key: &str, text: SecretString) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), text);
    }
}

/// Listens to Telegram.
pub(super) struct Ears {
    pub(super) telegram: Telegram,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) network: Handle,
    pub(super) shared: Shared,
    pub(super) alarm: Alarm,
    pub(super) stop: Arc<Notify>,
    pub(super) over: Arc<AtomicBool>,
    /// Presses that were taken and are not stored yet: Telegram gives them again if the store fails.
    pub(super) pressed: RefCell<HashMap<i64, bool>>,
}

/// The chat as prompts and controls know it.
pub(super) fn chat_key(chat: i64) -> String {
    format!("{TELEGRAM}:{chat}")
}

impl Ears {
    /// Polls until it is stopped.
    pub(super) fn listen(self) {
        let mut failures = 0u32;
        let mut other_copy = false;
        let mut place = None;
        let mut polled_at = self.last_polled();
        let mut noted_at = polled_at;
        while !self.over.load(Ordering::SeqCst) {
            if place.is_none() {
                place = self.place();
            }
            let polled = self.network.block_on(async {
                tokio::select! {
                    polled = self.telegram.updates(place, POLL) => Some(polled),
                    () = self.stop.notified() => None,
                }
            });
            let wait = match polled {
                None => break,
                Some(Ok(answered)) => {
                    let skew = answered.skew_ms.unwrap_or(0);
                    match self.keep(answered.value, &mut place, polled_at, skew) {
                        Ok(()) => {
                            (failures, other_copy) = (0, false);
                            polled_at = self.clock.now();
                            if polled_at.since(noted_at) >= NOTED_MS {
                                noted_at = polled_at;
                                self.note_polled(polled_at);
                            }
                            self.shared.polled_ms.store(self.clock.steady().as_millis() as i64, Ordering::SeqCst);
                            Duration::ZERO
                        }
                        Err(error) => {
                            // Telegram gives them again: nothing was confirmed.
                            tracing::warn!(%error, "updates could not be kept");
                            OTHER_COPY
                        }
                    }
                }
                Some(Err(error)) => self.after(&error, &mut failures, &mut other_copy),
            };
            self.rest(wait);
        }
    }

    fn place(&self) -> Option<i64> {
        Reader::open(self.store.path()).and_then(|reader| reader.place(TELEGRAM)).ok().flatten()
    }

    /// When the poll before this start was answered: what was pressed meanwhile may be as old as that.
    fn last_polled(&self) -> Timestamp {
        let kept = Reader::open(self.store.path()).and_then(|reader| reader.meta(POLLED)).ok().flatten();
        Timestamp::from_ms(kept.and_then(|at| at.parse().ok()).unwrap_or(0))
    }

    fn note_polled(&self, at: Timestamp) {
        if let Err(error) = self.store.keep_meta(POLLED, at.ms().to_string()) {
            tracing::debug!(%error, "when Telegram was polled is not noted");
        }
    }

    fn rest(&self, wait: Duration) {
        if !wait.is_zero() {
            self.network.block_on(async {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = self.stop.notified() => {}
                }
            });
        }
    }

    /// How long to wait after a failure, and what is to be told of it.
    fn after(&self, error: &CallError, failures: &mut u32, other_copy: &mut bool) -> Duration {
        *failures += 1;
        match error {
            CallError::Throttled { retry_after } => (*retry_after).min(THROTTLED_MAX),
            CallError::Refused { kind: Refusal::OtherCopy, .. } => {
                if !std::mem::replace(other_copy, true) {
                    (self.alarm)(EventKind::CopyRunning { channel: TELEGRAM.to_owned() });
                }
                OTHER_COPY
            }
            error => {
                tracing::warn!(%error, failures = *failures, "Telegram cannot be read");
                Duration::from_millis(500).saturating_mul(1 << (*failures).min(6)).min(FAILED_MAX)
            }
        }
    }

    /// Keeps a batch of updates with the place after them; only then the next poll confirms them.
    fn keep(
        &self,
        polled: Vec<Polled>,
        place: &mut Option<i64>,
        polled_at: Timestamp,
        skew_ms: i64,
    ) -> Result<(), StoreError> {
        let mut updates = Vec::new();
        let mut next = *place;
        for polled in polled {
            let (id, update) = match polled {
                Polled::Heard(heard) if place.is_some_and(|place| heard.update_id < place) => continue,
                Polled::Heard(heard) => (Some(heard.update_id), self.update(*heard, polled_at, skew_ms)?),
                Polled::Unreadable { update_id, .. } => {
                    tracing::warn!(?update_id, "an update of a kind that is not known");
                    (update_id, None)
                }
            };
            next = next.max(id.map(|id| id + 1));
            updates.extend(update);
        }
        if next == *place {
            return Ok(());
        }
        self.store.take_updates(TELEGRAM, updates, next.unwrap_or_default(), self.clock.now())?;
        self.pressed.borrow_mut().clear();
        self.store.wake();
        *place = next;
        Ok(())
    }

    /// An update as it is kept. A text that may be a PIN or a code is taken out of it, and out of the chat.
    fn update(&self, heard: Heard, polled_at: Timestamp, skew_ms: i64) -> Result<Option<Update>, StoreError> {
        let key = heard.update_id.to_string();
        let what = match heard.kind {
            HeardKind::Message => What::Message,
            HeardKind::Edited => What::Edited,
            HeardKind::Press => What::Press,
            HeardKind::Document | HeardKind::Photo => What::File,
            HeardKind::Migrated { to, .. } => What::Moved { to },
            HeardKind::Joined | HeardKind::Left | HeardKind::Other => What::Other,
        };
        let private = heard.chat_kind == ChatKind::Private;
        // The safe direction is obeyed whatever else is said; what else was said may be a PIN.
        let halts = is_halt(&heard.text);
        let secret = !matches!(what, What::Press) && may_be_secret(&heard.text);
        let mut handled = false;
        let known = self.shared.seats().find(ChannelKind::Telegram, heard.user, heard.chat).is_some();
        if secret && private && (known || code_in(&heard.text).is_some()) {
            self.remove(RemoteId { chat: heard.chat, message: heard.message_id });
            self.shared.keep_secret(&key, SecretString::from(heard.text.clone()));
        }
        if what == What::Press {
            let before = self.pressed.borrow().get(&heard.update_id).copied();
            handled = match before {
                Some(handled) => handled,
                None => self.pressed(&heard, &key)?,
            };
            self.pressed.borrow_mut().insert(heard.update_id, handled);
        }
        let letter = Letter {
            what,
            user: heard.user,
            private,
            own_words: heard.may_command(),
            name: heard.user_words,
            chat: heard.chat,
            thread: heard.thread,
            message: heard.message_id,
            reply_to: heard.reply_to,
            token: heard.data.chars().take(64).collect(),
            sent: heard.sent.map_or(polled_at.ms(), |seconds| seconds * 1000 - skew_ms),
            secret: secret && !halts,
        };
        let text = match (halts, secret) {
            (true, _) => HALT.to_owned(),
            (false, true) => String::new(),
            (false, false) => heard.text.chars().take(4_096).collect(),
        };
        let body = serde_json::to_string(&letter)?;
        Ok(Some(Update { key, text, body, handled }))
    }

    /// Answers a press at once, since Telegram waits for that. Keys of a pad are taken here and kept nowhere; true if nothing is left to
    /// be done.
    fn pressed(&self, heard: &Heard, key: &str) -> Result<bool, StoreError> {
        let Some(query) = heard.query_id.clone() else { return Ok(true) };
        let seat = self.shared.seats().find(ChannelKind::Telegram, heard.user, heard.chat);
        let Some(seat) = seat else {
            // A stranger learns nothing, not even that a button was seen.
            return Ok(false);
        };
        let line = Reader::open(self.store.path())?.button(&heard.data, seat.lane)?;
        let Some((id, pressed)) = line.as_deref().and_then(pad_key) else {
            let words = if line.is_some() { "" } else { "That button is over" };
            self.answer(query, words.to_owned());
            return Ok(false);
        };
        let now = self.clock.now();
        let (words, handled) = match self.shared.pads.press(id, &chat_key(heard.chat), pressed, now) {
            Pressed::Digits(0) => ("PIN: none yet".to_owned(), true),
            Pressed::Digits(count) => (format!("PIN: {}", "\u{2022} ".repeat(count).trim_end()), true),
            Pressed::Pin(pin) => {
                self.shared.keep_secret(key, pin);
                ("Checking".to_owned(), false)
            }
            Pressed::Left => ("Left as it is".to_owned(), false),
            Pressed::Over if pressed == PadKey::Leave => ("Left as it is".to_owned(), false),
            Pressed::Over => ("That prompt is over: ask again".to_owned(), true),
        };
        self.answer(query, words);
        Ok(handled)
    }

    fn answer(&self, query: String, words: String) {
        let telegram = self.telegram.clone();
        self.network.spawn(async move {
            let answer = if words.is_empty() { PressAnswer::Nothing } else { PressAnswer::Toast(&words) };
            if let Err(error) = telegram.answer_press(&query, answer).await {
                tracing::debug!(%error, "a press was not answered");
            }
        });
    }

    /// Removes a message from the chat; it may hold a PIN.
    fn remove(&self, message: RemoteId) {
        let telegram = self.telegram.clone();
        self.network.spawn(async move {
            for _ in 0..DELETIONS {
                match telegram.delete(message).await {
                    Ok(()) | Err(CallError::Refused { .. }) => return,
                    Err(error) => tracing::warn!(%error, "a message that may hold a PIN could not be removed"),
                }
                tokio::time::sleep(DELETION_WAIT).await;
            }
        });
    }
}
