//! How are people reached while no bot runs? On the bot's own ways, opened for as long as they are needed, under its lease.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono_tz::Tz;

use crate::channels::Telegram;
use crate::clock::Clock;
use crate::config::{Config, Environment, policy, route_table};
use crate::domain::{ChannelKind, Lane, RouteTable, Routes, RunId};
use crate::store::{Lease, Reader, Store, StoreError};

use super::around::{Flags, wait};
use super::discord_house::{self, DiscordHouse};
use super::messenger::Messenger;
use super::phones::Phones;
use super::reception::{Reception, There};
use super::switchboard::{OpenLanes, Switchboard, alarm};
use super::{AppError, channels, run};

/// How long what is under way may take when the ways are closed.
const CLOSING: Duration = Duration::from_secs(3);
const CLOSED: Duration = Duration::from_millis(500);

/// The ways to everybody.
pub(super) struct Ways {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// The routes to them, once they are open.
    pub(super) routes: Routes,
    /// Who opens those on Telegram, and could listen there; none where there is no bot on Telegram.
    pub(super) messenger: Option<Messenger>,
    /// Who opens those on Discord.
    pub(super) house: Option<DiscordHouse>,
    /// Those that need no pairing.
    channels: Vec<channels::Open>,
    config: Config,
    switchboard: Switchboard,
    flags: Flags,
    _network: tokio::runtime::Runtime,
    _lease: Lease,
}

impl Ways {
    /// Gets everything ready; no way is open yet. No bot can start until this is dropped.
    pub(super) fn new(
        environment: &Environment,
        config: &Config,
        telegram: Option<Telegram>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AppError> {
        let lease = run::take_lease(&environment.database, clock.as_ref())?;
        let store = Store::open(&environment.database)?;
        let network = run::network()?;
        let (flags, routes) = (Flags::default(), Routes::default());
        let key = store.button_key()?;
        let switchboard = Switchboard {
            store: store.clone(),
            clock: clock.clone(),
            network: network.handle().clone(),
            mark: mark_of(&Reader::open(&environment.database)?)?,
            key,
            alarm: alarm(store.clone(), clock.clone(), RunId(0), routes.clone()),
            drain: flags.drain.clone(),
            give_up: flags.give_up.clone(),
            open: OpenLanes::default(),
        };
        let mut channels = channels::open(config, environment, &store, &clock)?;
        if let Some(phones) = Phones::open(config, environment, &store, &clock)? {
            phones.alarm_by(&switchboard.alarm);
            channels.extend(phones.lanes());
        }
        // The terminal is the bot's: what is told there waits for it.
        let terminal = config.owner().and_then(|owner| owner.name.parse().ok());
        let terminal = terminal.map(|who| Lane { who, channel: ChannelKind::Terminal });
        let others: Vec<Lane> = terminal.into_iter().chain(channels.iter().map(|(lane, _)| *lane)).collect();
        routes.set(route_table(config, &others));
        let discord = discord_house::discord(environment, &clock)?;
        let reception = Reception::new(
            switchboard.clone(),
            (Arc::new(Mutex::new(config.clone())), routes.clone()),
            others,
            zone_of(config),
            There { telegram: telegram.is_some(), discord: discord.is_some() },
        );
        let messenger = telegram.map(|telegram| Messenger::new(telegram, reception.clone()));
        let house = discord.map(|discord| DiscordHouse::new(discord, reception, environment.discord_guild));
        let config = config.clone();
        Ok(Self {
            store,
            clock,
            routes,
            messenger,
            house,
            channels,
            config,
            switchboard,
            flags,
            _network: network,
            _lease: lease,
        })
    }

    /// Opens the way to everybody who is known. What waits for them goes out as well.
    pub(super) fn open(&self) -> Result<(), AppError> {
        for (lane, channel) in &self.channels {
            self.switchboard.connect(channel.clone(), policy(&self.config, *lane, zone_of(&self.config)))?;
        }
        self.house.as_ref().map_or(Ok(()), DiscordHouse::open_all)?;
        self.messenger.as_ref().map_or(Ok(()), Messenger::refresh)
    }

    /// The ways that are open.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        self.switchboard.open.names()
    }

    /// Routes that lead to the open ways alone.
    pub(super) fn table(&self) -> RouteTable {
        let lanes = self.lanes();
        let mut table = RouteTable::clone(&self.routes.now());
        table.lanes.retain(|rule| lanes.contains(&rule.lane));
        table
    }

    /// Closes them, once what is under way has ended.
    pub(super) fn close(self) {
        let idle = || self.switchboard.is_idle();
        self.flags.drain.store(true, Ordering::SeqCst);
        self.store.wake();
        wait(CLOSING, self.clock.as_ref(), idle);
        self.flags.give_up.store(true, Ordering::SeqCst);
        self.store.wake();
        wait(CLOSED, self.clock.as_ref(), idle);
    }
}

/// The zone of readers who have none.
pub(super) fn zone_of(config: &Config) -> Tz {
    config.books.first().map_or(Tz::UTC, |book| book.desk.zone)
}

/// How everything of the database's market is marked.
pub(super) fn mark_of(reader: &Reader) -> Result<&'static str, StoreError> {
    let is_made_up = reader.meta("feed_words")?.is_some_and(|words| words.starts_with("sim "));
    Ok(if is_made_up { "sim" } else { "paper" })
}
