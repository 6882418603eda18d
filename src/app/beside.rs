//! What runs beside the engine? Lanes, Telegram, the inbox, the watch, the night's work: each a thread that the run starts and ends.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::chat::{Chat, ChatParts};
use crate::config::{Config, GroupConfig, dead_ends, policy, route_table};
use crate::control::ChangeDesk;
use crate::domain::{ChannelKind, Label, Lane, RouteTable, Routes, RunId};
use crate::engine::{Emergency, EngineMessage, Stretch};
use crate::web::Parts;

use super::around::{Around, Flags, Helper, LAST_WORDS, spawn, watch_signals};
use super::digest::Digests;
use super::directory::Directory;
use super::discord_house::{self, DiscordHouse};
use super::drill_chat::driller;
use super::guests::{Guests, Stage};
use super::heartbeat::Heartbeat;
use super::messenger::{self, Messenger};
use super::night::Night;
use super::reception::{self, Reception, There};
use super::reload::{Revoke, Watch};
use super::sms::SmsHandler;
use super::switchboard::{Alarm, OpenLanes, Switchboard};
use super::talk::{self, Terminal};
use super::watch::{self, Probe, WatchParts};
use super::{AppError, auditor, monitor};

use super::run::{OWNER, Run, say};

/// Who listens to people.
struct Talkers {
    messenger: Option<messenger::Running>,
    house: Option<discord_house::Running>,
    /// Takes away from people what a configuration does not grant.
    revoke: Option<Revoke>,
}

impl Run<'_> {
    /// The lane of whoever sits at the terminal.
    pub(super) fn terminal_lane(&self) -> Lane {
        let who = self.owner().name.parse().unwrap_or_else(|_| OWNER.parse::<Label>().expect("a name"));
        Lane { who, channel: ChannelKind::Terminal }
    }

    /// The lanes of channels that need no pairing.
    pub(super) fn other_lanes(&self) -> Vec<Lane> {
        let guests = self.guests.iter().flat_map(Guests::lanes);
        let terminal = (!self.args.no_console).then(|| self.terminal_lane());
        terminal.into_iter().chain(self.channels.iter().map(|(lane, _)| *lane)).chain(guests).collect()
    }

    /// Every lane that there could be for those who are configured.
    pub(super) fn possible_lanes(&self) -> Vec<Lane> {
        let people = self.config.people.iter().filter_map(|one| one.person.name.parse().ok());
        let of_people = people.flat_map(|who: Label| ChannelKind::ALL.map(|channel| Lane { who, channel }));
        let of_groups = self.config.groups.iter().map(GroupConfig::lane);
        let terminal = self.terminal_lane();
        of_people.chain(of_groups).chain(self.other_lanes()).chain([terminal]).collect()
    }

    /// Who is told what. Which routes lead nowhere yet is said at once: nobody would miss what does not come.
    pub(super) fn routes(&self) -> Result<RouteTable, AppError> {
        let mut lanes = self.other_lanes();
        lanes.extend(self.there().lanes(&Directory::look_up(self.config, &self.reader)?));
        for end in dead_ends(self.config, self.environment, &lanes) {
            tracing::warn!("{end}");
        }
        Ok(route_table(self.config, &lanes))
    }

    pub(super) fn chat(
        &self,
        desk: &ChangeDesk,
        queue: &Sender<EngineMessage>,
        (run, routes): (RunId, Routes),
    ) -> Chat {
        let wake = queue.clone();
        let hears = self.phones.as_ref().is_some_and(|phones| phones.signed.is_some());
        Chat::new(ChatParts {
            database: self.store.path().to_owned(),
            store: self.store.clone(),
            desk: desk.clone(),
            clock: self.clock.clone(),
            ask: talk::asker(queue.clone(), self.store.path().to_owned(), self.clock.clone()),
            preview: talk::previewer(queue.clone()),
            wake: Arc::new(move || {
                // Where no engine runs any more there is nobody to wake.
                let _ = wake.send(EngineMessage::Look);
            }),
            drill: driller(self.store.clone(), self.clock.clone(), (run, hears), routes),
        })
    }

    /// Starts everything that runs beside the engine.
    pub(super) fn surround(
        &self,
        terminal: Option<Terminal>,
        chat: &Chat,
        queue: Sender<EngineMessage>,
        run: RunId,
        routes: Routes,
        (mark, alarm, open, config): (&'static str, Alarm, OpenLanes, Arc<Mutex<Config>>),
    ) -> Result<Around, AppError> {
        let flags = Flags::default();
        let stopped = watch_signals(queue.clone())?;
        if let Some(phones) = &self.phones {
            phones.alarm_by(&alarm);
        }
        let over = terminal.as_ref().filter(|terminal| terminal.is_person).map(|terminal| terminal.over.clone());
        let switchboard = Switchboard {
            store: self.store.clone(),
            clock: self.clock.clone(),
            network: self.network.handle().clone(),
            mark,
            key: self.store.button_key()?,
            alarm,
            drain: flags.drain.clone(),
            give_up: flags.give_up.clone(),
            open,
        };
        if let Some(terminal) = &terminal {
            let policy = policy(self.config, self.terminal_lane(), self.zone());
            switchboard.connect(Arc::new(terminal.console.clone()), policy)?;
        }
        for (lane, channel) in &self.channels {
            switchboard.connect(channel.clone(), policy(self.config, *lane, self.zone()))?;
        }
        let stage = || Stage {
            store: self.store.clone(),
            routes: routes.clone(),
            chat: chat.clone(),
            queue: queue.clone(),
            run,
        };
        let guest = self.guests.as_ref().map(|guests| guests.welcome(&switchboard, stage())).transpose()?;
        let reception = self.reception(&switchboard, routes.clone(), config.clone());
        let Talkers { messenger, house, revoke } = self.talkers(reception, chat)?;
        let listen = |terminal| self.keyboard(terminal, queue.clone(), flags.ended.clone(), stopped.clone());
        let keyboard = terminal.map(listen).transpose()?;
        let digests = self.digests(&routes, mark, config)?;
        let night = self.night(run, routes)?;
        let inbox = self.inbox(chat, queue)?;
        let watch = self.watch(&switchboard, messenger.as_ref(), house.as_ref())?;
        let texts = self.texts(chat, &switchboard)?;
        let helpers = [night, inbox, watch, digests].into_iter().chain(guest).chain(texts).collect();
        Ok(Around { flags, stopped, over, switchboard, messenger, house, revoke, keyboard, helpers })
    }

    /// Listens to whoever sits at the terminal.
    fn keyboard(
        &self,
        terminal: Terminal,
        queue: Sender<EngineMessage>,
        ended: Arc<AtomicBool>,
        stopped: Arc<AtomicBool>,
    ) -> Result<JoinHandle<()>, AppError> {
        let store = self.store.clone();
        spawn("terminal", move || {
            // Nothing can be answered before the first facts are committed, or after there can be none.
            while !ended.load(Ordering::SeqCst) && store.wait_for_facts(0, LAST_WORDS / 20) == 0 {}
            terminal.run(&queue, &stopped);
        })
    }

    /// Where there is a bot that people talk with.
    fn there(&self) -> There {
        There { telegram: self.telegram.is_some(), discord: self.discord.is_some() }
    }

    fn reception(&self, switchboard: &Switchboard, routes: Routes, config: Arc<Mutex<Config>>) -> Reception {
        Reception::new(switchboard.clone(), (config, routes), self.other_lanes(), self.zone(), self.there())
    }

    /// Opens the lanes on which people talk, and listens there; in a demonstration nobody is listened to.
    fn talkers(&self, reception: Reception, chat: &Chat) -> Result<Talkers, AppError> {
        let messenger = self.telegram.clone().map(|telegram| Messenger::new(telegram, reception.clone()));
        let guild = self.environment.discord_guild;
        let house = self.discord.clone().map(|discord| DiscordHouse::new(discord, reception.clone(), guild));
        if self.guests.is_some() {
            messenger.map(|messenger| messenger.refresh()).transpose()?;
            house.map(|house| house.refresh()).transpose()?;
            return Ok(Talkers { messenger: None, house: None, revoke: None });
        }
        let revoke = reception::revoke(reception, messenger.clone(), house.clone(), self.channels.clone());
        let ears = discord_house::discord(self.environment, &self.clock)?.zip(self.environment.discord_token.clone());
        Ok(Talkers {
            messenger: messenger.map(|messenger| messenger.start(chat)).transpose()?,
            house: house.zip(ears).map(|(house, ears)| house.start(chat, ears)).transpose()?,
            revoke: Some(revoke),
        })
    }

    /// The first book's zone.
    pub(super) fn zone(&self) -> chrono_tz::Tz {
        self.config.books.first().map_or(chrono_tz::Tz::UTC, |book| book.desk.zone)
    }

    pub(super) fn auditor(
        &self,
        stretches: Receiver<Stretch>,
        run: RunId,
        routes: Routes,
    ) -> Result<JoinHandle<()>, AppError> {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        spawn("auditor", move || auditor::serve(&stretches, &store, &clock, run, &routes))
    }

    pub(super) fn digests(
        &self,
        routes: &Routes,
        mark: &'static str,
        config: Arc<Mutex<Config>>,
    ) -> Result<Helper, AppError> {
        let (stop, stopped) = channel();
        let digests = Digests {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config,
            routes: routes.clone(),
            zone: self.zone(),
            mark,
        };
        Ok((stop, spawn("digests", move || digests.watch(&stopped))?))
    }

    pub(super) fn night(&self, run: RunId, routes: Routes) -> Result<Helper, AppError> {
        let (stop, stopped) = channel();
        let night = Night {
            store: self.store.clone(),
            clock: self.clock.clone(),
            zone: self.zone(),
            routes,
            run,
            keep: self.config.backups_keep,
            steps_days: self.config.steps_days,
        };
        Ok((stop, spawn("night", move || night.watch(&stopped))?))
    }

    /// The watch over all parts, and the port that monitors ask on. What only a channel can see comes as a further probe.
    pub(super) fn watch(
        &self,
        switchboard: &Switchboard,
        messenger: Option<&messenger::Running>,
        house: Option<&discord_house::Running>,
    ) -> Result<Helper, AppError> {
        let network = self.network.handle();
        let mut probes = vec![Probe::disk(self.store.path())];
        probes.extend(messenger.map(|messenger| {
            let since = |at: Arc<AtomicI64>| {
                let clock = self.clock.clone();
                // Zero stands for never.
                let last = move || u64::try_from(at.load(Ordering::SeqCst)).ok().filter(|ms| *ms > 0);
                move || Some(clock.steady().saturating_sub(Duration::from_millis(last()?)))
            };
            Probe::telegram(since(messenger.polled_ms.clone()), since(messenger.copy_ms.clone()))
        }));
        probes.extend(house.map(|house| house.probe(self.clock.clone())));
        let doors = self.doors()?;
        let server = self.environment.http_listen.and_then(|listen| {
            let parts = Parts { database: self.store.path().to_owned(), clock: self.clock.clone(), doors };
            let (server, probe) = monitor::open(listen, self.environment.http_token.as_ref(), parts, network);
            probes.push(probe);
            server
        });
        let heartbeat = self.environment.heartbeat_url.as_ref();
        let heartbeat =
            heartbeat.map(|url| Heartbeat::new(url.clone(), self.environment.ca_file.as_deref())).transpose();
        let parts = WatchParts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            network: network.clone(),
            alarm: switchboard.alarm.clone(),
            pace: self.pace(),
            probes,
            heartbeat: heartbeat.map_err(|error| AppError::usage(format!("HEARTBEAT_URL: {error}")))?,
        };
        watch::start(parts, server)
    }

    /// Who is not in the configuration is reached nowhere, and no code that they used counts any more.
    pub(super) fn forget_who_is_gone(&self) -> Result<(), AppError> {
        self.store.retire_lanes(&self.possible_lanes(), self.clock.now())?;
        let names = self.config.persons().map(|person| person.name.clone()).collect();
        for gone in self.store.forget_addresses(names)? {
            tracing::warn!("{gone} is not in the configuration: what a code has bound for them is forgotten");
        }
        Ok(())
    }

    /// Looks after the configuration from now on. A demonstration has no file that could change.
    pub(super) fn look_after_file(
        &self,
        watch: Watch,
        queue: Sender<EngineMessage>,
        around: &mut Around,
    ) -> Result<(), AppError> {
        if self.guests.is_none() {
            let (stop, stopped) = channel();
            let (talkers, phones) = (around.revoke.clone(), self.phones.clone());
            let board = around.switchboard.clone();
            let revoke: Revoke = Arc::new(move |read| {
                if let Some(revoke) = &talkers {
                    revoke(read);
                }
                for lane in phones.iter().flat_map(|phones| phones.restrict(read)) {
                    board.disconnect(lane);
                }
            });
            let watch = watch.revoking(Some(revoke));
            around.helpers.push((stop, spawn("reload", move || watch.run(&queue, &stopped))?));
        }
        Ok(())
    }

    /// What is heard from phones, where something can come in.
    fn texts(&self, chat: &Chat, switchboard: &Switchboard) -> Result<Option<Helper>, AppError> {
        let Some(phones) = self.phones.clone().filter(|phones| phones.signed.is_some()) else { return Ok(None) };
        let (stop, stopped) = channel();
        let handler = SmsHandler {
            chat: chat.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            phones,
            switchboard: switchboard.clone(),
            alarm: switchboard.alarm.clone(),
            wait_for: talk::waiter(chat.clone(), self.clock.clone()),
            zone: self.zone(),
            puzzled: Mutex::default(),
        };
        Ok(Some((stop, spawn("texts", move || handler.serve(&stopped))?)))
    }

    pub(super) fn inbox(&self, chat: &Chat, queue: Sender<EngineMessage>) -> Result<Helper, AppError> {
        let (stop, stopped) = channel();
        let (chat, people) = (chat.clone(), self.config.persons().cloned().collect::<Vec<_>>());
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let serve = move || talk::serve_inbox(&chat, &people, &store, clock.as_ref(), &queue, &stopped);
        Ok((stop, spawn("inbox", serve)?))
    }
}

/// The way past a broken store: straight to the terminal, or to standard error where there is none, and to every other way that is open.
pub(super) fn emergency(terminal: Option<&Terminal>, lanes: OpenLanes, network: tokio::runtime::Handle) -> Emergency {
    let console = terminal.map(|terminal| terminal.console.clone());
    Box::new(move |text| {
        if console.as_ref().is_none_or(|console| console.urgent(text).is_err()) {
            say(text);
        }
        lanes.urgent(text, &network);
    })
}
