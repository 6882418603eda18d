//! Who is known, and who is told what? One list of people and one table of routes for all channels on which people talk.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono_tz::Tz;

use crate::chat::Seats;
use crate::config::{Config, policy, route_table};
use crate::domain::{ChannelKind, Lane, Routes};
use crate::store::{Reader, StoreError};

use super::AppError;
use super::binding::Door;
use super::channels::Open;
use super::directory::Directory;
use super::discord_house::DiscordHouse;
use super::messenger::Messenger;
use super::reload::Revoke;
use super::revoke::{restricted, who_lost};
use super::switchboard::Switchboard;

/// What becomes of what somebody asked for who lost rights meanwhile.
const LOST: &str = "not done: rights of whoever asked were taken away meanwhile";

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

    /// Lets people in on a channel; `refresh` looks up who is known once somebody was paired.
    pub(super) fn door(
        &self,
        channel: ChannelKind,
        refresh: impl Fn() -> Result<(), AppError> + Send + Sync + 'static,
    ) -> Door {
        let paired = move || {
            if let Err(error) = refresh() {
                tracing::error!(?error, "who was paired is known only at the next start");
            }
        };
        Door {
            channel,
            store: self.switchboard.store.clone(),
            clock: self.switchboard.clock.clone(),
            seats: self.seats.clone(),
            alarm: self.switchboard.alarm.clone(),
            paired: Arc::new(paired),
            strangers: Mutex::default(),
        }
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
        let others = self.others.iter().copied().filter(|lane| is_reached(&config, *lane));
        let names: Vec<Lane> = others.chain(self.there.lanes(&directory)).collect();
        let table = route_table(&config, &names);
        self.switchboard.store.keep_routes(&table)?;
        self.routes.set(table);
        Ok((directory, config))
    }

    /// Ways that need no pairing are told what `left` grants: opened anew where something was taken, closed where nobody is reached.
    fn reopen(&self, others: &[Open], same: &dyn Fn(Lane) -> bool, left: &Config) {
        let open = self.switchboard.open.names();
        for (lane, channel) in others.iter().filter(|(lane, _)| open.contains(lane) && !same(*lane)) {
            self.switchboard.disconnect(*lane);
            let policy = policy(left, *lane, self.zone);
            let opened = is_reached(left, *lane).then(|| self.switchboard.connect(channel.clone(), policy));
            if let Some(Err(error)) = opened {
                tracing::error!(?error, "{lane} could not be opened anew: it is closed until the next start");
            }
        }
    }
}

/// Whether a lane that needs no pairing leads to somebody who is configured, at an address that they have still.
fn is_reached(config: &Config, lane: Lane) -> bool {
    let person = config.people.iter().find(|one| one.person.name == lane.who.as_str());
    match lane.channel {
        ChannelKind::Terminal => true,
        ChannelKind::Email => person.is_some_and(|one| one.email.is_some()),
        ChannelKind::Sms => person.is_some_and(|one| one.phone.is_some()),
        _ => person.is_some() || config.groups.iter().any(|one| one.name == lane.who),
    }
}

/// Takes away from people what a configuration does not grant: seats at once, then routes, lanes and menus. `others` are the ways that need
/// no pairing.
pub(super) fn revoke(
    reception: Reception,
    messenger: Option<Messenger>,
    house: Option<DiscordHouse>,
    others: Vec<Open>,
) -> Revoke {
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
        let (store, now) = (&reception.switchboard.store, reception.switchboard.clock.now());
        if let Err(error) = store.void_controls(who_lost(&held, &left), LOST, now) {
            tracing::error!(%error, "what waits of who lost rights could not be voided");
        }
        for lane in reception.switchboard.open.names() {
            if matches!(lane.channel, ChannelKind::Telegram | ChannelKind::Discord) && !same(lane) {
                reception.switchboard.disconnect(lane);
            }
        }
        let opened = [
            // Who is told what changes also where there is no bot.
            Some(reception.look_up().map(drop)),
            messenger.as_ref().map(|messenger| messenger.reopen(&same)),
            house.as_ref().map(|house| house.reopen(&same)),
        ];
        for error in opened.into_iter().flatten().filter_map(Result::err) {
            tracing::error!(?error, "who lost rights could not be looked up: nobody is known, until the next start");
            reception.seat(Seats::default());
        }
        // Last, because a mail server may think for minutes about a letter that is under way.
        reception.reopen(&others, &same, &left);
    })
}
