//! How is Telegram listened to? A long poll whose updates are in the store before the next one confirms them; presses are answered at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::channels::{CallError, ChatKind, Heard, Polled, PressAnswer, Refusal, RemoteId, Telegram};
use crate::chat::{PadKey, Pads, Pressed, Seats, is_halt, may_be_secret, pad_key};
use crate::clock::{Clock, Timestamp};
use crate::domain::{ChannelKind, EventKind};
use crate::store::{Fate, Reader, Store, StoreError, Update};

use super::errands::Errand;
use super::letter::{Kept, Letter, What, is_command, is_talk};
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
/// The wait before what was heard already is asked for again.
const AGAIN: Duration = Duration::from_millis(500);
/// The longest wait between two polls that failed.
const FAILED_MAX: Duration = Duration::from_secs(15);
/// How long another copy is given to go away, and how seldom it is told that there is one.
const OTHER_COPY: Duration = Duration::from_secs(5);
const COPY_TOLD: Duration = Duration::from_mins(10);
/// After so long without an update what was asked past is forgotten: a week without one, and the numbers begin anew anywhere.
const STALE_MS: i64 = 6 * 86_400_000;
/// Updates in one answer.
const BATCH: u8 = 50;
/// So often an update is asked for alone before it is passed over, and an unreadable answer for many before they are asked for alone.
const ALONE_MAX: u32 = 3;
const TOGETHER_MAX: u32 = 2;
/// Tries to remove a message with a code or, while nothing can be kept, with a PIN; and the wait between them.
const DELETIONS: u32 = 4;
const DELETION_WAIT: Duration = Duration::from_secs(2);

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
    /// When another copy was noticed last, likewise.
    pub(super) copy_ms: Arc<AtomicI64>,
}

impl Shared {
    /// Nothing was heard yet.
    pub(super) fn new(seats: Arc<RwLock<Seats>>) -> Self {
        Self {
            seats,
            pads: Arc::default(),
            secrets: Arc::default(),
            polled_ms: Arc::default(),
            copy_ms: Arc::default(),
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
    pub(super) pressed: RefCell<HashMap<i64, Rest>>,
}

/// What is left to be done about a press. Its token is kept only where that takes it: the tokens of keys, in the order in which they were
/// pressed, are the PIN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// Whoever pressed is looked at. The button stands for nothing that they may know of.
    Who,
    /// What the button stands for.
    Button,
}

/// The chat as prompts and controls know it.
pub(super) fn chat_key(chat: i64) -> String {
    format!("{TELEGRAM}:{chat}")
}

/// Where the polling is.
#[derive(Default)]
struct Polling {
    /// The number of the next update; none before the first.
    place: Option<i64>,
    /// When an update came last; the epoch before the first.
    heard_at: Timestamp,
    /// When the last poll was answered, and when that was noted.
    polled_at: Timestamp,
    noted_at: Timestamp,
    /// Polls in a row that failed.
    failures: u32,
    /// It was told that Telegram cannot be read, and not yet that it can again.
    deaf: bool,
    /// Updates are asked for one by one.
    alone: bool,
    /// The update that cannot be read even alone, and how often it was asked for.
    unread: Option<(i64, u32)>,
    /// When it was told that another copy is running.
    copy_told: Option<Duration>,
}

impl Ears {
    /// Polls until it is stopped.
    pub(super) fn listen(self) {
        let noted = self.last_polled();
        let heard_at = self.last_heard();
        let mut polling = Polling { heard_at, polled_at: noted, noted_at: noted, ..Polling::default() };
        while !self.over.load(Ordering::SeqCst) {
            polling.place = if self.clock.now().since(polling.heard_at) >= STALE_MS {
                None
            } else {
                polling.place.or_else(|| self.place())
            };
            // What cannot be read together is fetched one by one, without a wait: an empty answer ends that.
            let (limit, wait) = if polling.alone { (1, Duration::ZERO) } else { (BATCH, POLL) };
            let polled = self.network.block_on(async {
                tokio::select! {
                    polled = self.telegram.updates(polling.place, limit, wait) => Some(polled),
                    () = self.stop.notified() => None,
                }
            });
            let wait = match polled {
                None => break,
                Some(Ok(answered)) => self.heard(answered.value, answered.skew_ms.unwrap_or(0), &mut polling),
                Some(Err(error)) => self.after(&error, &mut polling),
            };
            self.rest(wait);
        }
    }

    /// Keeps what was heard; how long to wait before the next poll.
    fn heard(&self, polled: Vec<Polled>, skew_ms: i64, polling: &mut Polling) -> Duration {
        let (before, was_empty) = (polling.place, polled.is_empty());
        if let Err(error) = self.keep(polled, polling, skew_ms) {
            // Telegram gives them again: nothing was confirmed.
            tracing::warn!(%error, "updates could not be kept");
            return OTHER_COPY;
        }
        polling.alone = polling.alone && !was_empty;
        (polling.failures, polling.unread) = (0, None);
        if std::mem::take(&mut polling.deaf) {
            tracing::info!("Telegram can be read again");
        }
        polling.polled_at = self.clock.now();
        if polling.polled_at.since(polling.noted_at) >= NOTED_MS {
            polling.noted_at = polling.polled_at;
            self.note_polled(polling.polled_at);
        }
        self.shared.polled_ms.store(self.clock.steady().as_millis() as i64, Ordering::SeqCst);
        // What has no number cannot be confirmed, and comes at once again.
        if was_empty || polling.place != before { Duration::ZERO } else { AGAIN }
    }

    fn place(&self) -> Option<i64> {
        Reader::open(self.store.path()).and_then(|reader| reader.place(TELEGRAM)).ok().flatten()
    }

    /// When an update came last before this start; what comes again is known by its number all the same.
    fn last_heard(&self) -> Timestamp {
        let kept = Reader::open(self.store.path()).and_then(|reader| reader.last_received(TELEGRAM)).ok().flatten();
        kept.unwrap_or(Timestamp::from_ms(0))
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
    fn after(&self, error: &CallError, polling: &mut Polling) -> Duration {
        polling.failures += 1;
        match error {
            CallError::Throttled { retry_after } => (*retry_after).min(THROTTLED_MAX),
            CallError::Refused { kind: Refusal::OtherCopy, .. } => {
                let now = self.clock.steady();
                self.shared.copy_ms.store(now.as_millis() as i64, Ordering::SeqCst);
                if polling.copy_told.is_none_or(|at| now.saturating_sub(at) >= COPY_TOLD) {
                    polling.copy_told = Some(now);
                    (self.alarm)(EventKind::CopyRunning { channel: TELEGRAM.to_owned() });
                }
                OTHER_COPY
            }
            error => {
                if std::mem::replace(&mut polling.deaf, true) {
                    tracing::debug!(%error, failures = polling.failures, "Telegram cannot be read");
                } else {
                    tracing::warn!(%error, "Telegram cannot be read; it is tried again and again");
                }
                if matches!(error, CallError::Unreadable(_)) {
                    self.unreadable(polling);
                }
                Duration::from_millis(500).saturating_mul(1 << polling.failures.min(6)).min(FAILED_MAX)
            }
        }
    }

    /// An answer came whole and could not be read. The updates of a batch are asked for one by one then; one whose number can be read and nothing else, again
    /// and again, is passed over, so that it does not keep the others from being heard.
    fn unreadable(&self, polling: &mut Polling) {
        if !polling.alone {
            polling.alone = polling.failures >= TOGETHER_MAX;
            return;
        }
        let first = self.network.block_on(async {
            tokio::select! {
                first = self.telegram.first_update(polling.place) => first.ok().flatten(),
                () = self.stop.notified() => None,
            }
        });
        let Some(id) = first.filter(|id| polling.place.is_none_or(|place| *id >= place)) else { return };
        let tries = polling.unread.filter(|(known, _)| *known == id).map_or(1, |(_, tries)| tries + 1);
        polling.unread = Some((id, tries));
        if tries < ALONE_MAX {
            return;
        }
        match self.store.take_updates(TELEGRAM, vec![skipped(id)], id + 1, self.clock.now()) {
            Ok(()) => {
                tracing::error!(update_id = id, "an update that cannot be read is passed over");
                (polling.place, polling.unread, polling.failures) = (Some(id + 1), None, 0);
            }
            Err(error) => tracing::warn!(%error, "an update could not be passed over"),
        }
    }

    /// Keeps a batch of updates with the place after them; only then the next poll confirms them.
    fn keep(&self, polled: Vec<Polled>, polling: &mut Polling, skew_ms: i64) -> Result<(), StoreError> {
        let place = polling.place;
        let mut updates = Vec::new();
        let mut next = place;
        for polled in polled {
            let (id, update) = match polled {
                Polled::Heard(heard) if place.is_some_and(|place| heard.update_id < place) => continue,
                Polled::Heard(heard) => (Some(heard.update_id), self.update(*heard, polling.polled_at, skew_ms)?),
                Polled::Unreadable { update_id, .. } => {
                    tracing::warn!(?update_id, "an update of a kind that is not known is passed over");
                    (update_id, update_id.map(skipped))
                }
            };
            next = next.max(id.map(|id| id + 1));
            updates.extend(update);
        }
        if next == place {
            return Ok(());
        }
        let errands: Vec<String> = updates.iter().filter_map(|update| update.errand.clone()).collect();
        if let Err(error) = self.store.take_updates(TELEGRAM, updates, next.unwrap_or_default(), self.clock.now()) {
            // What may be a PIN is not left in the chat only because the disk is full.
            for errand in errands.iter().filter_map(|body| serde_json::from_str(body).ok()) {
                if let Errand::Remove { chat, message, .. } = errand {
                    self.remove(RemoteId { chat, message });
                }
            }
            return Err(error);
        }
        self.pressed.borrow_mut().clear();
        self.store.wake();
        (polling.place, polling.heard_at) = (next, self.clock.now());
        Ok(())
    }

    /// An update as it is kept. A text that may be a PIN or a code is taken out of it, and out of the chat.
    fn update(&self, mut heard: Heard, polled_at: Timestamp, skew_ms: i64) -> Result<Option<Update>, StoreError> {
        let key = heard.update_id.to_string();
        let what = What::of(heard.kind);
        let private = heard.chat_kind == ChatKind::Private;
        // The safe direction is obeyed whatever else is said, in their own words; what else was said may be a PIN. Below a picture, in what
        // is changed and in a group it has to be a command, since people write "stop" of other things there.
        let said_so = is_command(&heard.text) || (private && what == What::Message);
        let halts = said_so && heard.is_own() && is_halt(&heard.text);
        let may_hide = !matches!(what, What::Press) && may_be_secret(&heard.text);
        let secret = may_hide && (private || is_command(&heard.text));
        let known = self.shared.seats().find(ChannelKind::Telegram, heard.user, heard.chat).is_some();
        if is_talk(&heard) && !(known && heard.reply_to.is_some()) {
            return Ok(None);
        }
        let mut fate = Fate::Open;
        let mut errand = None;
        if secret && private && (known || code_in(&heard.text).is_some()) {
            let (user, chat, message) = (heard.user, heard.chat, heard.message_id);
            if known {
                errand = Some(Errand::Remove { user, chat, message }.body());
            } else {
                // A code is worth nothing once it was tried.
                self.remove(RemoteId { chat, message });
            }
            self.shared.keep_secret(&key, SecretString::from(heard.text.clone()));
        }
        if what == What::Press {
            let before = self.pressed.borrow().get(&heard.update_id).copied();
            let rest = match before {
                Some(rest) => rest,
                None => self.pressed(&heard, &key)?,
            };
            self.pressed.borrow_mut().insert(heard.update_id, rest);
            if rest != Rest::Button {
                heard.data.clear();
            }
            fate = if rest == Rest::Nothing { Fate::Handled } else { Fate::Open };
        }
        let kept = match (halts && what != What::Press, secret) {
            (true, _) => Kept::Halts,
            (false, true) => Kept::LeftOut,
            (false, false) => Kept::Whole,
        };
        let sent = heard.sent.map_or(polled_at.ms(), |seconds| seconds * 1000 - skew_ms);
        let text = if halts {
            HALT.to_owned()
        } else if may_hide {
            String::new()
        } else {
            heard.text.chars().take(4_096).collect()
        };
        let body = serde_json::to_string(&Letter::of(heard, kept, sent))?;
        Ok(Some(Update { key, text, body, fate, errand }))
    }

    /// Answers a press at once, since Telegram waits for that. Keys of a pad are taken here and kept nowhere.
    fn pressed(&self, heard: &Heard, key: &str) -> Result<Rest, StoreError> {
        let Some(query) = heard.query_id.clone() else { return Ok(Rest::Nothing) };
        let seat = self.shared.seats().find(ChannelKind::Telegram, heard.user, heard.chat);
        let Some(seat) = seat else {
            // A stranger learns nothing, not even that a button was seen.
            return Ok(Rest::Who);
        };
        let line = Reader::open(self.store.path())?.button(&heard.data, seat.lane)?;
        let Some((id, pressed)) = line.as_deref().and_then(pad_key) else {
            let (words, rest) = if line.is_some() { ("", Rest::Button) } else { ("That button is over", Rest::Who) };
            self.answer(query, words.to_owned());
            return Ok(rest);
        };
        let now = self.clock.now();
        let (words, rest) = match self.shared.pads.press(id, &chat_key(heard.chat), pressed, now) {
            Pressed::Digits(0) => ("PIN: none yet".to_owned(), Rest::Nothing),
            Pressed::Digits(count) => (format!("PIN: {}", "\u{2022} ".repeat(count).trim_end()), Rest::Nothing),
            Pressed::Pin(pin) => {
                self.shared.keep_secret(key, pin);
                ("Checking".to_owned(), Rest::Button)
            }
            Pressed::Left => ("Left as it is".to_owned(), Rest::Button),
            Pressed::Over if pressed == PadKey::Leave => ("Left as it is".to_owned(), Rest::Button),
            // It may have been taken just before the bot was started anew.
            Pressed::Over => ("That prompt is over. If nothing came of it, ask again".to_owned(), Rest::Nothing),
        };
        self.answer(query, words);
        Ok(rest)
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
                    Err(error) => tracing::debug!(%error, "a message that may hold a PIN is not removed yet"),
                }
                tokio::time::sleep(DELETION_WAIT).await;
            }
            tracing::warn!("a message that may hold a PIN could not be removed");
        });
    }
}

/// An update that nobody can read, as it is counted.
fn skipped(id: i64) -> Update {
    Update { key: id.to_string(), text: String::new(), body: String::new(), fate: Fate::Skipped, errand: None }
}
