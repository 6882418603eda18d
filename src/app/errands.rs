//! Who does what has to be done in a chat besides messages? A thread that tries until Telegram says that it is done, or never will be.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::channels::{Budget, CallError, MenuScope, Posting, Refusal, RemoteId, Telegram, html};
use crate::clock::Clock;
use crate::domain::{ChannelKind, Message};
use crate::store::{Answer, PutOff, Reader, Store, StoreError};

use super::rounds::rounds;
use super::telegram::{Shared, TELEGRAM};

/// How often what is due is looked for when no bell rings.
const LOOK: Duration = Duration::from_secs(1);
/// The wait after the first try that failed; each further one doubles it.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_mins(5);
/// A call that takes longer is over: others wait behind it. Longer than a connection takes to come about.
const CALL_MAX: Duration = Duration::from_secs(7);
/// Telegram removes nothing that is older than two days, and nobody waits longer for a farewell.
const PATIENCE_MS: i64 = 48 * 3_600_000;

/// Something to be done in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Errand {
    /// A message that may hold a PIN is to be removed.
    Remove {
        /// Who wrote it.
        user: i64,
        /// Where it stands.
        chat: i64,
        /// Its number there.
        message: i32,
    },
    /// A chat is to hear that it is somebody's no more.
    Farewell {
        /// The chat.
        chat: i64,
        /// Whose it was.
        person: String,
    },
    /// A chat that was closed is to be offered no commands.
    ClearMenu {
        /// The chat.
        chat: i64,
    },
}

impl Errand {
    /// As it is kept.
    pub(super) fn body(&self) -> String {
        // Names and numbers always have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How a try ended.
enum Outcome {
    /// There is nothing left to do.
    Done,
    /// It will never be done.
    Never,
    /// Another try, of this, after so long if the service said so.
    Later(PutOff, Option<Duration>),
}

/// Runs errands.
pub(super) struct Runner {
    pub(super) telegram: Telegram,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) network: Handle,
    pub(super) shared: Shared,
    pub(super) stop: Arc<Notify>,
    pub(super) over: Arc<AtomicBool>,
}

impl Runner {
    /// Runs what there is until it is stopped. What is left is tried anew when it is due, also after a restart.
    pub(super) fn run(self) {
        rounds(
            "errands on Telegram",
            &self.store,
            LOOK,
            || self.over.load(Ordering::SeqCst),
            |reader| self.round(reader),
        );
    }

    /// Tries once what is due. Where one try fails nothing else is tried in that chat in this round: the others come sooner.
    fn round(&self, reader: &Reader) -> Result<(), StoreError> {
        let mut failing = HashSet::new();
        for row in reader.due_errands(TELEGRAM, self.clock.now())? {
            if failing.contains(&row.chat) {
                continue;
            }
            let Ok(errand) = serde_json::from_str::<Errand>(&row.body) else {
                tracing::error!(row = row.id, "an errand that nobody can read is left");
                self.store.end_errand(row.id, None, self.clock.now())?;
                continue;
            };
            let Some(outcome) = self.tried(&errand) else { return Ok(()) };
            let now = self.clock.now();
            match outcome {
                Outcome::Done => self.store.end_errand(row.id, None, now)?,
                Outcome::Later(what, wait) if now.since(row.made) < PATIENCE_MS => {
                    let again = AGAIN.saturating_mul(1 << row.tries.min(9)).min(AGAIN_MAX);
                    let wait_ms = wait.unwrap_or(again).as_millis() as i64;
                    self.store.put_off_errand(row.id, what, now.plus_ms(wait_ms))?;
                    failing.insert(row.chat);
                }
                Outcome::Never | Outcome::Later(..) => self.store.end_errand(row.id, self.word_of(&errand), now)?,
            }
        }
        Ok(())
    }

    /// One try; none if it was stopped meanwhile.
    fn tried(&self, errand: &Errand) -> Option<Outcome> {
        self.network.block_on(async {
            tokio::select! {
                outcome = self.attempt(errand) => Some(outcome),
                () = self.stop.notified() => None,
            }
        })
    }

    /// Whether a chat is somebody's, or a group's.
    fn is_known(&self, chat: i64) -> bool {
        let seats = self.shared.seats();
        let of_person = seats.people.iter().any(|(_, accounts)| accounts.iter().any(|account| account.chat == chat));
        of_person || seats.groups.iter().any(|group| group.chat == chat)
    }

    async fn attempt(&self, errand: &Errand) -> Outcome {
        match errand {
            Errand::Remove { chat, message, .. } => {
                outcome(&within(self.telegram.delete(RemoteId { chat: *chat, message: *message })).await)
            }
            Errand::Farewell { chat, person } => {
                if self.is_known(*chat) {
                    // It is somebody's again.
                    return Outcome::Done;
                }
                if let Err(error) = within(self.telegram.clear_menu(MenuScope::Chat(*chat))).await {
                    tracing::debug!(%error, "the menu of a chat that was left stays");
                }
                let words =
                    Message::answer(&format!("This chat is not {person}'s any more: it is told nothing from now on"));
                let text = html(&words, Budget::TEXT).into_iter().next().unwrap_or_default();
                let posting = Posting { chat: *chat, ..Posting::default() };
                let sent = within(self.telegram.send_text(&posting, &text)).await;
                match sent {
                    // Said twice it would be odd, and it may have arrived.
                    Err(CallError::Unknown(_) | CallError::Unreadable(_) | CallError::Refused { .. }) => Outcome::Done,
                    sent => outcome(&sent.map(drop)),
                }
            }
            Errand::ClearMenu { chat } if self.is_known(*chat) => Outcome::Done,
            Errand::ClearMenu { chat } => match within(self.telegram.clear_menu(MenuScope::Chat(*chat))).await {
                // The chat has another number, and under that it is another chat.
                Err(CallError::Migrated { .. }) => Outcome::Done,
                cleared => outcome(&cleared),
            },
        }
    }

    /// What is said where an errand cannot be done: whoever typed a PIN is to know that it still stands there.
    fn word_of(&self, errand: &Errand) -> Option<Answer> {
        let Errand::Remove { user, chat, .. } = errand else { return None };
        let seat = self.shared.seats().find(ChannelKind::Telegram, *user, *chat)?;
        tracing::warn!("a message that may hold a PIN of {} could not be removed", seat.person.name);
        let words = format!(
            "A message of yours that may hold your PIN still stands above: Telegram does not let me remove it.\nRemove it yourself, and change the PIN if it is one: on the machine, \"bellwether pin set {}\"",
            seat.person.name
        );
        Some(Answer::new(seat.lane, Message::answer(&words)))
    }
}

/// What the answer to a call means for the errand.
fn outcome(answer: &Result<(), CallError>) -> Outcome {
    match answer {
        Ok(()) => Outcome::Done,
        Err(CallError::Throttled { retry_after }) => Outcome::Later(PutOff::Chat, Some(*retry_after)),
        Err(CallError::Refused { kind, .. }) => match kind {
            Refusal::MessageGone => Outcome::Done,
            // The chat may be opened again, the token mended.
            Refusal::Blocked | Refusal::ChatGone | Refusal::Unauthorized | Refusal::OtherCopy => {
                Outcome::Later(PutOff::Chat, None)
            }
            Refusal::Undeletable
            | Refusal::BadMarkup
            | Refusal::TooLong
            | Refusal::NotModified
            | Refusal::QueryTooOld
            | Refusal::TopicGone
            | Refusal::Other => Outcome::Never,
        },
        Err(
            CallError::NotSent(_)
            | CallError::Unknown(_)
            | CallError::Unreadable(_)
            | CallError::Server { .. }
            | CallError::Migrated { .. },
        ) => Outcome::Later(PutOff::Errand, None),
    }
}

/// A call that is not waited for any longer than others can.
async fn within<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    let late = |_| CallError::Unknown(format!("no answer within {} s", CALL_MAX.as_secs()));
    tokio::time::timeout(CALL_MAX, call).await.map_err(late)?
}
