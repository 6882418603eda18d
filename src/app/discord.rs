//! How is Discord listened to? The gateway on threads of its own; each interaction gets its first response before anything else is done about it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Notify;

use crate::channels::{
    Answers, Discord, DiscordError, DiscordRefusal, Gateway, GatewayEvent, Overheard, OverheardKind,
};
use crate::chat::{Choice, Inbound, Seat, Seats, complete};
use crate::clock::Clock;
use crate::control::{PIN_DIGITS_MIN, TYPED_DIGITS_MAX};
use crate::store::{Fate, Store, StoreError, Update};
use crate::views::Views;

use super::AppError;
use super::discord_commands::{command_of, given};
use super::discord_letter::{left_of, prompt_of, sort};
use super::discord_place::Place;

/// The name of its updates in the inbox.
pub(super) const DISCORD: &str = "discord";
/// Threads that do nothing but listen and give first responses.
const THREADS: usize = 2;
/// How long what could be typed is looked for: an empty list in time is better than one that nobody sees.
const LOOKING: Duration = Duration::from_secs(1);
/// A silence that is shorter than this loses nothing that anybody notices.
const GAP: Duration = Duration::from_secs(3);
/// How long the first interactions of a session wait until it is kept, by which the next life takes it up: they are to be answered in 3 s.
const KEEPING: Duration = Duration::from_secs(1);
/// How long one try to keep what was heard is followed by the next, and how many there are.
const AGAIN: Duration = Duration::from_millis(500);
const TRIES: u32 = 120;

/// The chat as prompts and controls know it.
pub(super) fn room_key(channel: i64) -> String {
    format!("{DISCORD}:{channel}")
}

/// How the gateway is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hearing {
    /// It was not open yet.
    NotYet,
    /// It is open.
    Open,
    /// It was lost then, in milliseconds on the steady clock.
    Lost(i64, String),
    /// It is not opened any more, or not for now.
    Refused(String),
}

/// What is shared with whoever handles what was heard.
#[derive(Clone)]
pub(super) struct Memory {
    /// Everybody who is known.
    pub(super) seats: Arc<RwLock<Seats>>,
    /// PINs, and texts that may be a PIN or a code, by interaction; in memory only.
    secrets: Arc<Mutex<HashMap<String, SecretString>>>,
    /// How the gateway is.
    hearing: Arc<Mutex<Hearing>>,
}

impl Memory {
    /// Nothing was heard yet.
    pub(super) fn new(seats: Arc<RwLock<Seats>>) -> Self {
        Self { seats, secrets: Arc::default(), hearing: Arc::new(Mutex::new(Hearing::NotYet)) }
    }

    /// The seat of whoever was heard; none for strangers.
    pub(super) fn seat(&self, user: i64, channels: &[i64], alone: bool) -> Option<Seat> {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).find_on_discord(user, channels, alone)
    }

    /// What was left out of the inbox, once.
    pub(super) fn secret(&self, key: &str) -> Option<SecretString> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    /// How the gateway is now.
    pub(super) fn hearing(&self) -> Hearing {
        self.hearing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hears(&self, now: Hearing) {
        *self.hearing.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

/// Listens to Discord.
#[derive(Clone)]
pub(super) struct Ears {
    /// With connections of its own: those of the lanes wait for other threads.
    pub(super) discord: Discord,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) memory: Memory,
    pub(super) answers: Answers,
    /// How far it was heard.
    pub(super) place: Place,
    /// Discord was not heard for so long.
    pub(super) gap: Arc<dyn Fn(Duration) + Send + Sync>,
    /// A stranger was seen.
    pub(super) knocked: Arc<dyn Fn(i64) + Send + Sync>,
    /// How far Discord's clock is ahead, in milliseconds, as interactions show that were answered in time.
    pub(super) skew_ms: Arc<AtomicI64>,
}

impl Ears {
    /// Listens until it is stopped, on threads of its own: whatever else the bot does, they are free.
    pub(super) fn listen(self, gateway: Gateway, stop: &Notify) -> Result<(), AppError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(16)
            .thread_name("discord ears")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| AppError::failed(format!("no threads for Discord: {error}")))?;
        runtime.block_on(async {
            let work = tokio::spawn(self.follow(gateway));
            stop.notified().await;
            work.abort();
        });
        // What was heard and is being kept has a moment to get there.
        runtime.shutdown_timeout(GAP);
        Ok(())
    }

    async fn follow(self, mut gateway: Gateway) {
        loop {
            match gateway.next().await {
                GatewayEvent::Overheard(heard) => {
                    let (ears, event) = (self.clone(), self.place.begin());
                    tokio::spawn(async move {
                        let place = ears.place.clone();
                        // What is not in the store is not passed: the next life hears it again.
                        if ears.hear(*heard).await {
                            place.settle(event);
                        }
                    });
                }
                GatewayEvent::Ready { resumed, silent_for } => {
                    tracing::info!(resumed, "Discord is heard");
                    self.memory.hears(Hearing::Open);
                    if tokio::time::timeout(KEEPING, self.place.kept()).await.is_err() {
                        tracing::warn!(
                            "a session of Discord's gateway is not kept yet: what a death swallows now is lost"
                        );
                    }
                    if let Some(silent) = silent_for.filter(|silent| !resumed && *silent >= GAP) {
                        let gap = self.gap.clone();
                        tokio::task::spawn_blocking(move || gap(silent));
                    }
                }
                GatewayEvent::Lost { why } => {
                    tracing::warn!(why, "Discord is not heard; it is tried again and again");
                    self.memory.hears(Hearing::Lost(self.clock.steady().as_millis() as i64, why));
                }
                GatewayEvent::Refused { why, for_good } => {
                    tracing::error!(why, for_good, "Discord is not listened to");
                    self.memory.hears(Hearing::Refused(why));
                    if for_good {
                        return;
                    }
                }
            }
        }
    }

    /// First the response, with nothing read from anywhere but memory; then it is kept for whoever handles it. False if it could not be.
    async fn hear(self, heard: Overheard) -> bool {
        let channels: Vec<i64> = std::iter::once(heard.channel).chain(heard.parent).collect();
        let seat = self.memory.seat(heard.user, &channels, heard.guild.is_none());
        let in_time = match &seat {
            Some(seat) => self.respond(&heard, seat).await,
            // A stranger learns nothing, not even that somebody is there.
            None => false,
        };
        let now = self.clock.now().ms();
        if in_time {
            self.skew_ms.store(heard.sent_ms - now, Ordering::SeqCst);
        }
        let given = if in_time { now } else { heard.sent_ms - self.skew_ms.load(Ordering::SeqCst) };
        match heard.what {
            // Words of a stranger may be a code.
            _ if seat.is_some() => {}
            OverheardKind::Words { .. } | OverheardKind::Command { .. } => {}
            // Each letter that they type is one of these.
            OverheardKind::Completing { .. } => return true,
            OverheardKind::Press { .. } | OverheardKind::Submitted { .. } => {
                let (knocked, user) = (self.knocked.clone(), heard.user);
                tokio::task::spawn_blocking(move || knocked(user));
                return true;
            }
        }
        let kept = tokio::task::spawn_blocking(move || self.keep(heard, given));
        kept.await.unwrap_or_else(|_| {
            tracing::error!("what was heard on Discord could not be kept");
            false
        })
    }

    /// The first response to an interaction; true if it was taken just now, and so in time.
    async fn respond(&self, heard: &Overheard, seat: &Seat) -> bool {
        let response = match &heard.what {
            OverheardKind::Words { .. } => return false,
            OverheardKind::Completing { path, options, focused, typed } => {
                let choices = self.choices(seat, (path, options), (focused, typed)).await;
                self.discord.offer(heard, &choices).await
            }
            OverheardKind::Press { custom_id, .. } if let Some((_, form)) = prompt_of(custom_id) => {
                self.discord.ask_pin(heard, custom_id, form.fields(), (PIN_DIGITS_MIN, TYPED_DIGITS_MAX)).await
            }
            OverheardKind::Press { custom_id, .. } if left_of(custom_id).is_some() => {
                self.discord.defer_update(heard).await
            }
            OverheardKind::Press { .. } | OverheardKind::Command { .. } | OverheardKind::Submitted { .. } => {
                self.discord.defer(heard, true).await
            }
        };
        // An earlier life may have answered it, or an earlier try that nobody heard the end of.
        let is_answered =
            |error: &DiscordError| matches!(error, DiscordError::Refused { kind: DiscordRefusal::AlreadyAnswered, .. });
        let is_fresh = response.is_ok();
        if let Some(error) = response.err().filter(|error| !is_answered(error)) {
            tracing::warn!(%error, "an interaction got no first response");
            return false;
        }
        if let Some(token) = heard.token.clone() {
            self.answers.wait(heard.id, token, self.clock.steady());
        }
        is_fresh
    }

    /// What could be typed there, as far as that is known in time.
    async fn choices(
        &self,
        seat: &Seat,
        (path, options): (&[String], &[(String, String)]),
        (focused, typed): (&str, &str),
    ) -> Vec<(String, String)> {
        let Some(command) = command_of(path) else { return Vec::new() };
        let Some(param) = command.params.iter().find(|param| param.name == focused) else { return Vec::new() };
        let before = given(command, options).into_iter().take_while(|(other, _)| other.name != focused);
        let before: Vec<String> = before.map(|(_, value)| value.to_owned()).collect();
        let (database, now, typed) = (self.store.path().to_owned(), self.clock.now(), typed.to_owned());
        let (person, place) = (seat.person.clone(), seat.place);
        let look = tokio::task::spawn_blocking(move || {
            let inbound = Inbound { person, place, chat: room_key(0), text: String::new() };
            let views = Views::open(&database, inbound.asker(), now)?;
            let before: Vec<&str> = before.iter().map(String::as_str).collect();
            complete(&views, (inbound.person.role, place), (command, param), &before, &typed)
        });
        let found = match tokio::time::timeout(LOOKING, look).await {
            Ok(Ok(Ok(found))) => found,
            Ok(Ok(Err(error))) => {
                tracing::debug!(%error, "nothing can be offered");
                Vec::new()
            }
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        found.into_iter().map(|Choice { value, label }| (label, value)).collect()
    }

    /// Keeps it in the inbox, once. While the disk refuses it is tried again: Discord gives nothing a second time. False if it is not there.
    fn keep(self, heard: Overheard, sent: i64) -> bool {
        let (key, next) = (heard.id.to_string(), heard.id as i64);
        let Some(sorted) = sort(heard, sent) else { return true };
        if let Some(secret) = sorted.secret {
            self.memory.secrets.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), secret);
        }
        let Ok(body) = serde_json::to_string(&sorted.letter) else { return true };
        let update = Update { key: key.clone(), text: sorted.text, body, fate: Fate::Open, errand: None };
        let (_keep, nothing) = std::sync::mpsc::channel::<()>();
        for _ in 0..TRIES {
            match self.store.take_updates(DISCORD, vec![update.clone()], next, self.clock.now()) {
                Ok(()) => {
                    self.store.wake();
                    return true;
                }
                Err(StoreError::Closed) => return false,
                Err(error) => tracing::warn!(%error, "what was heard on Discord waits to be kept"),
            }
            let _ = nothing.recv_timeout(AGAIN);
        }
        self.memory.secret(&key);
        tracing::error!(
            interaction = key,
            "what was heard on Discord is not kept: its place in the stream stays before it"
        );
        false
    }
}
