//! How does Discord run beside the engine? Its lanes, its ears and whoever answers, its slash commands, and what was missed.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::{Notify, watch};

use crate::channels::{
    Answers, Discord, DiscordClient, DiscordLane, DiscordPending, DiscordTarget, Gateway, GatewayMemory, http_client,
};
use crate::chat::Chat;
use crate::clock::{Clock, Timestamp};
use crate::config::{Environment, policy};
use crate::domain::{ChannelKind, Lane, Message};
use crate::notify::Channel;
use crate::store::{Answer, Reader, Store};

use super::AppError;
use super::around::spawn;
use super::conversation::Conversation;
use super::directory::{Directory, Room, RoomChannel};
use super::discord::{Ears, Hearing, Memory};
use super::discord_place::{Note, Place};
use super::discord_updates::DiscordHandler;
use super::leading::Leading;
use super::reception::Reception;
use super::talk::waiter;
use super::watch::Probe;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// Between two tries of what has to be done on Discord, first and at the most.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_mins(5);
/// How long conversations may take to be opened where somebody waits for it.
const OPENING: Duration = Duration::from_secs(5);
/// A gateway that is lost for longer is ill.
const LOST_MAX_MS: i64 = 60_000;
/// The gateway's own notes.
const GATEWAY: &str = "discord gateway";

/// A bot on Discord, with connections of its own; none where no token is set.
pub(super) fn discord(environment: &Environment, clock: &Arc<dyn Clock>) -> Result<Option<Discord>, AppError> {
    let Some(token) = environment.discord_token.clone() else { return Ok(None) };
    let failed = |error: &dyn std::error::Error| AppError::usage(format!("Discord cannot be used: {error}"));
    let http = http_client(environment.ca_file.as_deref(), CONNECT).map_err(|error| failed(&error))?;
    let client = DiscordClient::new(environment.discord_url.clone(), token, http, clock.clone());
    Ok(Some(Discord::new(client.map_err(|error| failed(&error))?)))
}

/// Where a lane leads.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Led {
    /// Into a channel.
    There(DiscordTarget),
    /// To this account, once a conversation with it is open.
    Pending(i64),
}

/// What the house is made of.
#[derive(Clone)]
pub(super) struct DiscordHouse {
    pub(super) discord: Discord,
    /// Who is known, and who is told what.
    pub(super) reception: Reception,
    /// The server whose slash commands are set; everywhere if it is none.
    pub(super) guild: Option<u64>,
    answers: Answers,
    /// Where the lanes lead that are open.
    open: Leading<Led>,
    /// Accounts whose conversation is being opened.
    opening: Arc<Mutex<HashSet<i64>>>,
}

/// The house's threads.
pub(super) struct Running {
    stop: Arc<Notify>,
    ears: JoinHandle<()>,
    handler: (Sender<()>, JoinHandle<()>),
    keeper: JoinHandle<()>,
    memory: Memory,
}

impl Running {
    /// Listens no more, and answers no more.
    pub(super) fn end(self) -> [JoinHandle<()>; 3] {
        self.stop.notify_one();
        drop(self.handler.0);
        [self.ears, self.handler.1, self.keeper]
    }

    /// The connection that Discord is heard by.
    pub(super) fn probe(&self, clock: Arc<dyn Clock>) -> Probe {
        let memory = self.memory.clone();
        Probe::new("discord gateway", move || verdict(&memory.hearing(), clock.steady().as_millis() as i64))
    }
}

/// What is wrong with the gateway, if anything is.
fn verdict(hearing: &Hearing, now_ms: i64) -> Result<(), String> {
    match hearing {
        Hearing::Open => Ok(()),
        Hearing::NotYet => Err("Discord is not heard yet".to_owned()),
        Hearing::Lost(since, _) if now_ms - since < LOST_MAX_MS => Ok(()),
        Hearing::Lost(since, why) => Err(format!("Discord is not heard for {} s: {why}", (now_ms - since) / 1000)),
        Hearing::Refused(why) => Err(format!("Discord is not listened to: {why}")),
    }
}

impl DiscordHouse {
    /// Nothing is open yet.
    pub(super) fn new(discord: Discord, reception: Reception, guild: Option<u64>) -> Self {
        let (answers, open, opening) = (Answers::default(), Leading::default(), Arc::default());
        Self { discord, reception, guild, answers, open, opening }
    }

    /// Opens the lanes of everybody who is known, sets the slash commands, and listens by `ears`, which have connections of their own.
    pub(super) fn start(self, chat: &Chat, (ears, token): (Discord, SecretString)) -> Result<Running, AppError> {
        self.refresh()?;
        self.register();
        let board = &self.reception.switchboard;
        let memory = Memory::new(self.reception.seats.clone());
        let (again, heard, told) = (self.clone(), self.clone(), self.clone());
        let door = Arc::new(self.reception.door(ChannelKind::Discord, move || again.refresh()));
        let strangers = door.clone();
        let handler = DiscordHandler {
            talk: Conversation { chat: chat.clone(), wait_for: waiter(chat.clone(), board.clock.clone()) },
            door,
            store: board.store.clone(),
            clock: board.clock.clone(),
            memory: memory.clone(),
            heard: Arc::new(move |lane| heard.heard(lane)),
        };
        let (notes, to_keep) = channel();
        let place = Place::new(notes);
        let kept = place.kept.clone();
        let gateway = Gateway::new(ears.clone(), token, self.memory(place.clone()));
        let ears = Ears {
            discord: ears,
            store: board.store.clone(),
            clock: board.clock.clone(),
            memory: memory.clone(),
            answers: self.answers.clone(),
            place,
            gap: Arc::new(move |silent| told.tell_gap(silent)),
            knocked: Arc::new(move |user| {
                if let Err(error) = strangers.knocked(user, false) {
                    tracing::warn!(%error, "a stranger is not counted");
                }
            }),
            skew_ms: Arc::default(),
        };
        let (stop, store) = (Arc::new(Notify::new()), board.store.clone());
        let stopped = stop.clone();
        let ears = spawn("discord", move || {
            if let Err(error) = ears.listen(gateway, &stopped) {
                tracing::error!(?error, "Discord is not listened to");
            }
        })?;
        // The disk is not waited for where first responses are given.
        let keeper = spawn("discord notes", move || keep_notes(&to_keep, &kept, &store))?;
        let (stop_handler, stopped) = channel();
        let handler = (stop_handler, spawn("discord updates", move || handler.serve(&stopped))?);
        Ok(Running { stop, ears, handler, keeper, memory })
    }

    /// What the gateway remembers from one life to the next.
    fn memory(&self, place: Place) -> GatewayMemory {
        let path = self.reception.switchboard.store.path().to_owned();
        let load = move || Reader::open(&path).and_then(|reader| reader.meta(GATEWAY)).ok().flatten();
        let keep = move |text: &str| place.note(text);
        GatewayMemory { load: Box::new(load), keep: Box::new(keep) }
    }

    /// Somebody wrote from where a lane leads: they are there again, if they were not.
    fn heard(&self, lane: Lane) {
        if self.reception.switchboard.open.nudge(lane) {
            self.reception.switchboard.store.wake();
        }
    }

    /// Everybody who is known has a seat and a lane from now on, and nobody else has.
    pub(super) fn refresh(&self) -> Result<(), AppError> {
        let _turn = self.reception.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_up()
    }

    /// The same, once the conversations with people are open, as far as that takes no longer than somebody waits.
    pub(super) fn open_all(&self) -> Result<(), AppError> {
        let users: Vec<i64> =
            self.reception.directory()?.rooms.into_iter().filter_map(|(_, room)| alone(&room)).collect();
        let network = self.reception.switchboard.network.clone();
        for user in users.into_iter().filter(|user| self.kept_room(*user).is_none()) {
            let opened = async { tokio::time::timeout(OPENING, self.discord.open_dm(user)).await };
            match network.block_on(opened) {
                Ok(Ok(room)) => self.keep_room(user, room),
                Ok(Err(error)) => tracing::warn!(%error, "a conversation on Discord is not open"),
                Err(_) => tracing::warn!("a conversation on Discord is not open: no answer"),
            }
        }
        self.refresh()
    }

    /// Opens anew what is not the `same` as before, by what holds now.
    pub(super) fn reopen(&self, same: &dyn Fn(Lane) -> bool) -> Result<(), AppError> {
        self.open.lock().retain(|(lane, _)| same(*lane));
        self.look_up()
    }

    fn look_up(&self) -> Result<(), AppError> {
        let (Directory { rooms, .. }, config) = self.reception.look_up()?;
        let mut targets = Vec::new();
        for (lane, room) in rooms {
            let led = match room.channel {
                RoomChannel::Number(channel) | RoomChannel::Alone { channel: Some(channel), .. } => Ok(channel),
                RoomChannel::Alone { user, channel: None } => {
                    self.kept_room(user).or_else(|| self.open_later(user)).ok_or(user)
                }
            };
            let target =
                |channel| DiscordTarget { channel, user: room.user, topics: room.topics, threads: room.threads };
            targets.push((lane, led.map_or_else(Led::Pending, |channel| Led::There(target(channel)))));
        }
        self.open.close_all_but(&targets, &self.reception.switchboard);
        for (lane, led) in targets {
            if self.open.is_open(lane, &led) {
                continue;
            }
            let channel: Arc<dyn Channel> = match led {
                Led::Pending(user) => Arc::new(DiscordPending::new(self.discord.clone(), user)),
                Led::There(target) => {
                    let key = self.reception.switchboard.store.naming_key()?;
                    Arc::new(DiscordLane::new(self.discord.clone(), target, self.answers.clone()).named_by(key))
                }
            };
            self.reception.switchboard.connect(channel, policy(&config, lane, self.reception.zone))?;
        }
        Ok(())
    }

    /// The channel in which an account is alone with the bot, as it was opened before.
    fn kept_room(&self, user: i64) -> Option<i64> {
        let reader = Reader::open(self.reception.switchboard.store.path()).ok()?;
        reader.meta(&self.room_of(user)).ok().flatten()?.parse().ok()
    }

    /// Under what that is kept: another bot has a conversation of its own.
    fn room_of(&self, user: i64) -> String {
        format!("discord dm {} {user}", self.discord.bot())
    }

    fn keep_room(&self, user: i64, room: i64) {
        if let Err(error) = self.reception.switchboard.store.keep_meta(&self.room_of(user), room.to_string()) {
            tracing::warn!(%error, "where a conversation on Discord is could not be kept");
        }
    }

    /// Opens a conversation as soon as Discord lets it; the lane follows, and what waits on it. None: it is not there yet.
    fn open_later(&self, user: i64) -> Option<i64> {
        if !self.opening.lock().unwrap_or_else(PoisonError::into_inner).insert(user) {
            return None;
        }
        let house = self.clone();
        self.reception.switchboard.network.spawn(async move {
            let room = house.until_done("a conversation on Discord is not open yet", || house.discord.open_dm(user));
            if let Some(room) = room.await {
                let opened = house.clone();
                // Lanes are opened in turn, which may take a while.
                let done = tokio::task::spawn_blocking(move || {
                    opened.keep_room(user, room);
                    opened.refresh()
                });
                if let Ok(Err(error)) = done.await {
                    tracing::error!(?error, "a lane on Discord is not open");
                }
            }
            house.opening.lock().unwrap_or_else(PoisonError::into_inner).remove(&user);
        });
        None
    }

    /// Tries again and again, ever more seldom; none if the bot ends before.
    pub(super) async fn until_done<T, E: std::fmt::Display, F: Future<Output = Result<T, E>>>(
        &self,
        what: &str,
        act: impl Fn() -> F,
    ) -> Option<T> {
        let board = &self.reception.switchboard;
        let mut wait = AGAIN;
        loop {
            match act().await {
                Ok(done) => return Some(done),
                Err(error) => tracing::warn!(%error, "{what}"),
            }
            tokio::time::sleep(wait).await;
            if board.give_up.load(Ordering::SeqCst) || board.drain.load(Ordering::SeqCst) {
                return None;
            }
            wait = (wait * 2).min(AGAIN_MAX);
        }
    }

    /// Everybody whom Discord reaches is told from when to when it was not heard.
    fn tell_gap(&self, silent: Duration) {
        let board = &self.reception.switchboard;
        let (now, config) = (board.clock.now(), self.reception.config());
        let from = now.plus_ms(-(silent.as_millis() as i64));
        for lane in board.open.names().into_iter().filter(|lane| lane.channel == ChannelKind::Discord) {
            let Some(one) = config.people.iter().find(|one| one.person.name == lane.who.as_str()) else { continue };
            let set = Reader::open(board.store.path()).and_then(|reader| reader.preferences(lane.who.as_str()));
            let set = set.unwrap_or_default().zone();
            let zone = set.or(one.person.zone).unwrap_or(self.reception.zone);
            let answer = Answer::new(lane, Message::answer(&gap_words(from, now, zone)));
            if let Err(error) = board.store.post(answer, now) {
                tracing::warn!(%error, "what may have been missed on Discord is not told");
            }
        }
    }
}

/// The account of a room in which somebody is alone with the bot and whose number nobody knows yet.
fn alone(room: &Room) -> Option<i64> {
    match room.channel {
        RoomChannel::Alone { user, channel: None } => Some(user),
        RoomChannel::Alone { .. } | RoomChannel::Number(_) => None,
    }
}

fn gap_words(from: Timestamp, to: Timestamp, zone: chrono_tz::Tz) -> String {
    let at = |at: Timestamp| at.utc().with_timezone(&zone);
    let (from, to) = (at(from), at(to));
    let begun = if from.date_naive() == to.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    format!(
        "Discord was not heard from {} to {}: a command given then may not have come through; give it again",
        from.format(begun),
        to.format(&format!("{begun} %Z"))
    )
}

/// Keeps the gateway's notes, of many the last.
fn keep_notes(notes: &std::sync::mpsc::Receiver<Note>, kept: &watch::Sender<u64>, store: &Store) {
    while let Ok(note) = notes.recv() {
        let (count, text) = notes.try_iter().last().unwrap_or(note);
        match store.keep_meta(GATEWAY, text) {
            Ok(()) => drop(kept.send_replace(count)),
            Err(error) => tracing::warn!(%error, "where Discord was heard to is not noted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_told_in_its_readers_time() {
        let from = Timestamp::from_ms(1_704_724_260_000);
        let said = gap_words(from, from.plus_ms(47_000), chrono_tz::Tz::America__New_York);
        assert!(said.starts_with("Discord was not heard from 09:31:00 to 09:31:47 EST: a command"), "{said}");
        let said = gap_words(from, from.plus_ms(86_400_000), chrono_tz::Tz::UTC);
        assert!(said.contains("from 2024-01-08 14:31:00 to 2024-01-09 14:31:00 UTC"), "{said}");
    }

    #[test]
    fn a_gateway_is_ill_when_it_stays_lost() {
        let lost = Hearing::Lost(1_000, "closed".to_owned());
        assert_eq!(verdict(&Hearing::Open, 0), Ok(()));
        assert_eq!(verdict(&lost, 60_000), Ok(()));
        assert!(verdict(&lost, 61_001).is_err_and(|what| what.contains("60 s: closed")));
        assert!(verdict(&Hearing::NotYet, 0).is_err());
        assert!(verdict(&Hearing::Refused("the token is wrong".to_owned()), 0).is_err());
    }
}
