//! How does Telegram run beside the engine? Its lanes, its ears and whoever answers, and what has to change when somebody is paired.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::sync::Notify;

use crate::channels::{MenuScope, Moved, Target, Telegram, TelegramClient, TelegramLane, http_client};
use crate::chat::{Chat, Seats, menu};
use crate::config::{Config, Environment, policy, route_table};
use crate::domain::{ChannelKind, Lane, Routes};
use crate::store::{Reader, StoreError};

use super::AppError;
use super::around::spawn;
use super::directory::Directory;
use super::switchboard::Switchboard;
use super::talk::waiter;
use super::telegram::{Ears, Shared};
use super::updates::Handler;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// A bot on Telegram; none where no token is set.
pub(super) fn telegram(
    environment: &Environment,
    clock: Arc<dyn crate::clock::Clock>,
) -> Result<Option<Telegram>, AppError> {
    let Some(token) = environment.telegram_token.clone() else { return Ok(None) };
    let failed = |error: &dyn std::error::Error| AppError::usage(format!("Telegram cannot be used: {error}"));
    let http = http_client(environment.ca_file.as_deref(), CONNECT).map_err(|error| failed(&error))?;
    let client = TelegramClient::new(environment.telegram_url.clone(), token, http, clock);
    Ok(Some(Telegram::new(client.map_err(|error| failed(&error))?)))
}

/// What the messenger is made of.
#[derive(Clone)]
pub(super) struct Messenger {
    pub(super) telegram: Telegram,
    pub(super) config: Config,
    pub(super) routes: Routes,
    pub(super) switchboard: Switchboard,
    pub(super) shared: Shared,
    /// The lanes of other channels.
    pub(super) others: Vec<Lane>,
    /// The zone of readers who have none.
    pub(super) zone: Tz,
    /// Where the lanes lead that are open.
    pub(super) open: Arc<Mutex<Vec<(Lane, Target)>>>,
}

/// The messenger's threads.
pub(super) struct Running {
    stop: Arc<Notify>,
    over: Arc<AtomicBool>,
    ears: JoinHandle<()>,
    handler: (Sender<()>, JoinHandle<()>),
    /// When Telegram was polled well last, in milliseconds on the steady clock; zero before that.
    pub(super) polled_ms: Arc<AtomicI64>,
}

impl Running {
    /// Listens no more, and answers no more.
    pub(super) fn end(self) -> [JoinHandle<()>; 2] {
        self.over.store(true, Ordering::SeqCst);
        self.stop.notify_one();
        drop(self.handler.0);
        [self.ears, self.handler.1]
    }
}

impl Messenger {
    /// Opens the lanes of everybody who is known, and listens.
    pub(super) fn start(self, chat: &Chat) -> Result<Running, AppError> {
        self.refresh()?;
        let (stop, over) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let board = &self.switchboard;
        let ears = Ears {
            telegram: self.telegram.clone(),
            store: board.store.clone(),
            clock: board.clock.clone(),
            network: board.network.clone(),
            shared: self.shared.clone(),
            alarm: board.alarm.clone(),
            stop: stop.clone(),
            over: over.clone(),
            pressed: std::cell::RefCell::default(),
        };
        let (again, moved) = (self.clone(), self.clone());
        let handler = Handler {
            chat: chat.clone(),
            store: board.store.clone(),
            clock: board.clock.clone(),
            shared: self.shared.clone(),
            telegram: self.telegram.clone(),
            network: board.network.clone(),
            alarm: board.alarm.clone(),
            wait_for: waiter(chat.clone(), board.clock.clone()),
            paired: Arc::new(move || {
                if let Err(error) = again.refresh() {
                    tracing::error!(?error, "who was paired is known only at the next start");
                }
            }),
            moved: Arc::new(move |_, _| moved.look_up()),
            told: std::sync::Mutex::default(),
        };
        let ears = spawn("telegram", move || ears.listen())?;
        let (stop_handler, stopped) = channel();
        let handler = spawn("updates", move || handler.serve(&stopped))?;
        Ok(Running { stop, over, ears, handler: (stop_handler, handler), polled_ms: self.shared.polled_ms })
    }

    fn directory(&self) -> Result<Directory, StoreError> {
        Directory::look_up(&self.config, &Reader::open(self.switchboard.store.path())?)
    }

    /// Who is known is looked up anew.
    fn look_up(&self) {
        match self.directory() {
            Ok(directory) => self.seat(directory.seats),
            Err(error) => tracing::error!(%error, "who is known could not be looked up"),
        }
    }

    fn seat(&self, seats: Seats) {
        *self.shared.seats.write().unwrap_or_else(PoisonError::into_inner) = seats;
    }

    /// Everybody who is known has a seat, a lane and a menu from now on.
    pub(super) fn refresh(&self) -> Result<(), AppError> {
        let Directory { seats, lanes } = self.directory()?;
        let names: Vec<Lane> = self.others.iter().copied().chain(lanes.iter().map(|(lane, _)| *lane)).collect();
        let table = route_table(&self.config, &names);
        self.switchboard.store.keep_routes(&table)?;
        self.routes.set(table);
        self.seat(seats);
        for (lane, target) in lanes {
            if self.is_open(lane, &target) {
                continue;
            }
            self.set_menu(lane, target.chat);
            let board = self.switchboard.clone();
            let moved: Moved = Arc::new(move |from, to| {
                if let Err(error) = board.store.move_chat(ChannelKind::Telegram, from, to) {
                    tracing::error!(%error, "a group's new number could not be kept");
                }
            });
            let channel = TelegramLane::new(self.telegram.clone(), target.clone(), moved);
            self.switchboard.connect(Arc::new(channel), policy(&self.config, lane, self.zone))?;
        }
        Ok(())
    }

    /// Whether a lane leads there already; from now on it does. One that was bound anew leads elsewhere.
    fn is_open(&self, lane: Lane, target: &Target) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let known = open.iter().position(|(known, _)| *known == lane);
        if known.is_some_and(|at| open[at].1 == *target) {
            return true;
        }
        open.retain(|(known, _)| *known != lane);
        open.push((lane, target.clone()));
        false
    }

    /// The commands that a chat offers.
    fn set_menu(&self, lane: Lane, chat: i64) {
        let telegram = self.telegram.clone();
        let person = self.config.people.iter().find(|one| one.person.name == lane.who.as_str());
        let commands = menu(person.map(|one| one.person.role));
        self.switchboard.network.spawn(async move {
            if let Err(error) = telegram.set_menu(MenuScope::Chat(chat), &commands).await {
                tracing::warn!(%error, "the menu of {lane} was not set");
            }
        });
    }
}
