//! How does Telegram run beside the engine? Its lanes, its ears and whoever answers, and what has to change when somebody is paired.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

use crate::channels::{MenuScope, Moved, Target, Telegram, TelegramClient, TelegramLane, http_client};
use crate::chat::{Chat, Place, Role, menu};
use crate::config::{Amounts, Config, Environment, policy};
use crate::domain::{ChannelKind, Lane};
use crate::store::StoreError;

use super::AppError;
use super::around::spawn;
use super::conversation::Conversation;
use super::directory::Directory;
use super::errands::{Errand, Runner};
use super::leading::Leading;
use super::reception::Reception;
use super::talk::waiter;
use super::telegram::{Ears, Shared, TELEGRAM};
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
    /// Who is known, and who is told what.
    pub(super) reception: Reception,
    pub(super) shared: Shared,
    /// Where the lanes lead that are open.
    pub(super) open: Leading<Target>,
}

/// The messenger's threads.
pub(super) struct Running {
    stop: [Arc<Notify>; 2],
    over: Arc<AtomicBool>,
    ears: JoinHandle<()>,
    errands: JoinHandle<()>,
    handler: (Sender<()>, JoinHandle<()>),
    /// When Telegram was polled well last, in milliseconds on the steady clock; zero before that.
    pub(super) polled_ms: Arc<AtomicI64>,
    /// When another copy was noticed last, likewise.
    pub(super) copy_ms: Arc<AtomicI64>,
}

impl Running {
    /// Listens no more, and answers no more.
    pub(super) fn end(self) -> [JoinHandle<()>; 3] {
        self.over.store(true, Ordering::SeqCst);
        for stop in &self.stop {
            stop.notify_one();
        }
        drop(self.handler.0);
        [self.ears, self.handler.1, self.errands]
    }
}

impl Messenger {
    /// Nothing is open yet.
    pub(super) fn new(telegram: Telegram, reception: Reception) -> Self {
        let shared = Shared::new(reception.seats.clone());
        Self { telegram, reception, shared, open: Leading::default() }
    }

    /// Opens the lanes of everybody who is known, and listens.
    pub(super) fn start(self, chat: &Chat) -> Result<Running, AppError> {
        self.refresh()?;
        self.set_menus();
        let (stop, over) = ([Arc::new(Notify::new()), Arc::new(Notify::new())], Arc::new(AtomicBool::new(false)));
        let board = &self.reception.switchboard;
        let ears = Ears {
            telegram: self.telegram.clone(),
            store: board.store.clone(),
            clock: board.clock.clone(),
            network: board.network.clone(),
            shared: self.shared.clone(),
            alarm: board.alarm.clone(),
            stop: stop[0].clone(),
            over: over.clone(),
            pressed: std::cell::RefCell::default(),
        };
        let errands = Runner {
            telegram: self.telegram.clone(),
            store: board.store.clone(),
            clock: board.clock.clone(),
            network: board.network.clone(),
            shared: self.shared.clone(),
            stop: stop[1].clone(),
            over: over.clone(),
        };
        let handler = self.handler(chat);
        let ears = spawn("telegram", move || ears.listen())?;
        let errands = spawn("errands", move || errands.run())?;
        let (stop_handler, stopped) = channel();
        let handler = (stop_handler, spawn("updates", move || handler.serve(&stopped))?);
        let Shared { polled_ms, copy_ms, .. } = self.shared;
        Ok(Running { stop, over, ears, errands, handler, polled_ms, copy_ms })
    }

    fn handler(&self, chat: &Chat) -> Handler {
        let (again, moved, heard, board) = (self.clone(), self.clone(), self.clone(), &self.reception.switchboard);
        Handler {
            talk: Conversation { chat: chat.clone(), wait_for: waiter(chat.clone(), board.clock.clone()) },
            door: self.reception.door(ChannelKind::Telegram, move || again.refresh()),
            store: board.store.clone(),
            clock: board.clock.clone(),
            shared: self.shared.clone(),
            telegram: self.telegram.clone(),
            network: board.network.clone(),
            moved: Arc::new(move |from, to| moved.follow(from, to)),
            heard: Arc::new(move |lane| heard.heard(lane)),
        }
    }

    /// A group has another number. Of one that nobody configured nothing is kept.
    fn follow(&self, from: i64, to: i64) -> Result<(), StoreError> {
        let lanes = self.reception.directory()?.lanes;
        let lanes: Vec<Lane> = lanes.iter().filter(|(_, target)| target.chat == from).map(|(lane, _)| *lane).collect();
        if lanes.is_empty() {
            return Ok(());
        }
        self.reception.switchboard.store.move_chat(ChannelKind::Telegram, from, to, lanes)?;
        self.reception.seat_all().map(drop)
    }

    /// Opens anew what is not the `same` as before, by what holds now.
    pub(super) fn reopen(&self, same: &dyn Fn(Lane) -> bool) -> Result<(), AppError> {
        let before = self.chats();
        self.open.lock().retain(|(lane, _)| same(*lane));
        let opened = self.look_up();
        self.clear_menus(before);
        opened
    }

    /// Everybody who is known has a seat, a lane and a menu from now on, and nobody else has.
    pub(super) fn refresh(&self) -> Result<(), AppError> {
        let _turn = self.reception.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.chats();
        self.look_up()?;
        self.clear_menus(before);
        Ok(())
    }

    /// Where lanes lead now.
    fn chats(&self) -> Vec<i64> {
        let open = self.open.lock();
        open.iter().map(|(_, target)| target.chat).collect()
    }

    /// Nobody is offered commands in a chat that no lane leads to any more.
    fn clear_menus(&self, before: Vec<i64>) {
        let now = self.chats();
        let board = &self.reception.switchboard;
        for chat in before.into_iter().filter(|chat| !now.contains(chat)) {
            let errand = Errand::ClearMenu { chat }.body();
            if let Err(error) = board.store.keep_errand(TELEGRAM, errand, board.clock.now()) {
                tracing::warn!(%error, "the menu of a chat that was closed stays");
            }
        }
    }

    /// Somebody wrote from where a lane leads: they are there again, if they were not.
    fn heard(&self, lane: Lane) {
        if self.reception.switchboard.open.nudge(lane) {
            self.reception.switchboard.store.wake();
        }
    }

    fn look_up(&self) -> Result<(), AppError> {
        let (Directory { lanes, .. }, config) = self.reception.look_up()?;
        self.open.close_all_but(&lanes, &self.reception.switchboard);
        for (lane, target) in lanes {
            if self.open.is_open(lane, &target) {
                continue;
            }
            self.set_menu(&config, lane, target.chat);
            let board = self.clone();
            let moved: Moved = Arc::new(move |from, to| {
                if let Err(error) = board.follow(from, to) {
                    tracing::error!(%error, "a group's new number could not be kept");
                }
            });
            let channel = TelegramLane::new(self.telegram.clone(), target.clone(), moved);
            self.reception.switchboard.connect(Arc::new(channel), policy(&config, lane, self.reception.zone))?;
        }
        Ok(())
    }

    /// The commands that a chat offers.
    fn set_menu(&self, config: &Config, lane: Lane, chat: i64) {
        let person = config.people.iter().find(|one| one.person.name == lane.who.as_str());
        let group = config.groups.iter().find(|one| one.name == lane.who);
        let hides_amounts = group.is_some_and(|group| group.amounts == Amounts::Shares);
        let commands = match person {
            Some(one) if chat > 0 => menu(one.person.role, Place::Private),
            _ => menu(Role::Viewer, Place::Group { name: None, hides_amounts, acks: false }),
        };
        let telegram = self.telegram.clone();
        self.reception.switchboard.network.spawn(async move {
            if let Err(error) = telegram.set_menu(MenuScope::Chat(chat), &commands).await {
                tracing::warn!(%error, "the menu of {lane} was not set");
            }
        });
    }

    /// What strangers are offered: nothing, and in groups what may be looked at there.
    fn set_menus(&self) {
        let telegram = self.telegram.clone();
        let views = menu(Role::Viewer, Place::Group { name: None, hides_amounts: true, acks: false });
        self.reception.switchboard.network.spawn(async move {
            let set = async {
                telegram.clear_menu(MenuScope::Default).await?;
                telegram.clear_menu(MenuScope::Private).await?;
                telegram.set_menu(MenuScope::Groups, &views).await
            };
            if let Err(error) = set.await {
                tracing::warn!(%error, "the menus for everybody were not set");
            }
        });
    }
}
