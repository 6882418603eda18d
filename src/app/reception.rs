//! Who is known, and who is told what? One list of people and one table of routes for all channels on which people talk.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono_tz::Tz;

use crate::chat::Seats;
use crate::config::{Config, route_table};
use crate::domain::{ChannelKind, Lane, Routes};
use crate::store::{Reader, StoreError};

use super::AppError;
use super::directory::Directory;
use super::discord_house::DiscordHouse;
use super::messenger::Messenger;
use super::reload::Revoke;
use super::revoke::restricted;
use super::switchboard::Switchboard;

/// What Telegram and Discord have in common.
#[derive(Clone)]
pub(super) struct Reception {
    /// Who holds which rights: what the run began with, less what was taken away since.
    pub(super) config: Arc<Mutex<Config>>,
    pub(super) routes: Routes,
    pub(super) switchboard: Switchboard,
    /// Everybody who is known.
    pub(super) seats: Arc<RwLock<Seats>>,
    /// The lanes of other channels.
    pub(super) others: Vec<Lane>,
    /// The zone of readers who have none.
    pub(super) zone: Tz,
    /// Where there is a bot.
    pub(super) there: There,
    /// Held by whoever opens and closes lanes: one thread at a time.
    pub(super) turn: Arc<Mutex<()>>,
    /// Held from the look-up of who is known until they have their seats, so that nobody gets one by what held before. Lane threads take it:
    /// nothing else is waited for meanwhile.
    pub(super) seating: Arc<Mutex<()>>,
}

/// Where there is a bot that people talk with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct There {
    pub(super) telegram: bool,
    pub(super) discord: bool,
}

impl There {
    /// The lanes of a directory that can be carried.
    pub(super) fn lanes(self, directory: &Directory) -> Vec<Lane> {
        let telegram = directory.lanes.iter().map(|(lane, _)| *lane).filter(|_| self.telegram);
        let discord = directory.rooms.iter().map(|(lane, _)| *lane).filter(|_| self.discord);
        telegram.chain(discord).collect()
    }
}

impl Reception {
    /// Nobody is known yet.
    pub(super) fn new(
        switchboard: Switchboard,
        (config, routes): (Arc<Mutex<Config>>, Routes),
        others: Vec<Lane>,
        zone: Tz,
        there: There,
    ) -> Self {
        Self {
            config,
            routes,
            switchboard,
            seats: Arc::default(),
            others,
            zone,
            there,
            turn: Arc::default(),
            seating: Arc::default(),
        }
    }

    pub(super) fn config(&self) -> Config {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn directory(&self) -> Result<Directory, StoreError> {
        Directory::look_up(&self.config(), &Reader::open(self.switchboard.store.path())?)
    }

    /// Everybody who is known has a seat from now on, and nobody else has. Where they are reached.
    pub(super) fn seat_all(&self) -> Result<Directory, StoreError> {
        let _seating = self.seating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut directory = self.directory()?;
        self.seat(std::mem::take(&mut directory.seats));
        Ok(directory)
    }

    pub(super) fn seat(&self, seats: Seats) {
        *self.seats.write().unwrap_or_else(PoisonError::into_inner) = seats;
    }

    /// Seats and routes as they are now. Where everybody is reached, and by which configuration.
    pub(super) fn look_up(&self) -> Result<(Directory, Config), AppError> {
        let (directory, config) = (self.seat_all()?, self.config());
        let is_there = |lane: &Lane| {
            let is_person = config.people.iter().any(|one| one.person.name == lane.who.as_str());
            is_person || config.groups.iter().any(|one| one.name == lane.who)
        };
        let others = self.others.iter().copied().filter(|lane| lane.channel == ChannelKind::Terminal || is_there(lane));
        let names: Vec<Lane> = others.chain(self.there.lanes(&directory)).collect();
        let table = route_table(&config, &names);
        self.switchboard.store.keep_routes(&table)?;
        self.routes.set(table);
        Ok((directory, config))
    }
}

/// Takes away from people what a configuration does not grant: seats at once, then routes, lanes and menus.
pub(super) fn revoke(reception: Reception, messenger: Option<Messenger>, house: Option<DiscordHouse>) -> Revoke {
    Arc::new(move |read| {
        let _turn = reception.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let held = reception.config();
        let left = restricted(&held, read);
        if (&left.people, &left.groups) == (&held.people, &held.groups) {
            return;
        }
        tracing::warn!("an edited configuration takes rights away from people or groups: they are gone");
        // Whoever keeps something else than before gets their way opened anew, by what holds for them now.
        let same = |lane: Lane| {
            let who = lane.who.as_str();
            let person = |config: &Config| config.people.iter().find(|one| one.person.name == who).cloned();
            let group = |config: &Config| config.groups.iter().find(|one| one.lane() == lane).cloned();
            person(&held) == person(&left) && group(&held) == group(&left)
        };
        *reception.config.lock().unwrap_or_else(PoisonError::into_inner) = left.clone();
        if let Err(error) = reception.seat_all() {
            // Better nobody is known than somebody who should not be.
            reception.seat(Seats::default());
            tracing::error!(?error, "who is known could not be looked up: nobody is, until the next start");
        }
        for lane in reception.switchboard.open.names() {
            if matches!(lane.channel, ChannelKind::Telegram | ChannelKind::Discord) && !same(lane) {
                reception.switchboard.disconnect(lane);
            }
        }
        let opened = [
            messenger.as_ref().map(|messenger| messenger.reopen(&same)),
            house.as_ref().map(|house| house.reopen(&same)),
        ];
        for error in opened.into_iter().flatten().filter_map(Result::err) {
            tracing::error!(?error, "who lost rights could not be looked up: nobody is known, until the next start");
            reception.seat(Seats::default());
        }
    })
}
