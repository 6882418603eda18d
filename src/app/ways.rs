//! How are people reached while no bot runs? On the bot's own ways, opened for as long as they are needed, under its lease.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono_tz::Tz;

use crate::channels::Telegram;
use crate::chat::Seats;
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::domain::{Lane, RouteTable, Routes, RunId};
use crate::store::{Lease, Reader, Store, StoreError};

use super::around::{Flags, wait};
use super::messenger::Messenger;
use super::switchboard::{OpenLanes, Switchboard, alarm};
use super::telegram::Shared;
use super::{AppError, run};

/// How long what is under way may take when the ways are closed.
const CLOSING: Duration = Duration::from_secs(3);
const CLOSED: Duration = Duration::from_millis(500);

/// The ways to everybody.
pub(super) struct Ways {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// Who opens them, and could listen.
    pub(super) messenger: Messenger,
    flags: Flags,
    _network: tokio::runtime::Runtime,
    _lease: Lease,
}

impl Ways {
    /// Gets everything ready; no way is open yet. No bot can start until this is dropped.
    pub(super) fn new(
        environment: &Environment,
        config: &Config,
        telegram: Telegram,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AppError> {
        let lease = run::take_lease(&environment.database, clock.as_ref())?;
        let store = Store::open(&environment.database)?;
        let network = run::network()?;
        let (flags, routes) = (Flags::default(), Routes::default());
        let switchboard = Switchboard {
            store: store.clone(),
            clock: clock.clone(),
            network: network.handle().clone(),
            mark: mark_of(&Reader::open(&environment.database)?)?,
            key: store.button_key()?,
            alarm: alarm(store.clone(), clock.clone(), RunId(0), routes.clone()),
            drain: flags.drain.clone(),
            give_up: flags.give_up.clone(),
            open: OpenLanes::default(),
        };
        let messenger = Messenger {
            telegram,
            config: config.clone(),
            routes,
            switchboard,
            shared: Shared::new(Seats::default()),
            others: Vec::new(),
            zone: zone_of(config),
            open: Arc::default(),
        };
        Ok(Self { store, clock, messenger, flags, _network: network, _lease: lease })
    }

    /// Opens the way to everybody who is known. What waits for them goes out as well.
    pub(super) fn open(&self) -> Result<(), AppError> {
        self.messenger.refresh()
    }

    /// The ways that are open.
    pub(super) fn lanes(&self) -> Vec<Lane> {
        self.messenger.switchboard.open.names()
    }

    /// Routes that lead to the open ways.
    pub(super) fn routes(&self) -> RouteTable {
        let lanes = self.lanes();
        let mut table = RouteTable::clone(&self.messenger.routes.now());
        table.lanes.retain(|rule| lanes.contains(&rule.lane));
        table
    }

    /// Closes them, once what is under way has ended.
    pub(super) fn close(self) {
        let idle = || self.messenger.switchboard.is_idle();
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
