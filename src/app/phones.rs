//! Whose phones are written to, and whose are heard? Those in the configuration: whoever edits that file on the machine is trusted with it,
//! so a number there needs no code to be believed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::channels::{CodeSlot, Signed, SmsLane, SmsTarget, Twilio, TwilioAccess, http_client};
use crate::chat::{Place, Seat};
use crate::clock::Clock;
use crate::config::{Config, Environment, TwilioAccount};
use crate::domain::{ChannelKind, Lane};
use crate::notify::SmsBudget;
use crate::store::Store;

use super::AppError;
use super::channels::Open;
use super::revoke::restricted;
use super::switchboard::Alarm;

/// How long a connection may take to come about, and how long a message altogether.
const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
/// The paths under which Twilio brings texts and tells what became of ours.
pub(super) const TEXTS: &str = "/sms";
pub(super) const STATES: &str = "/sms/status";
/// Secrets that were typed and not looked at yet.
const SECRETS_MAX: usize = 100;

/// The phones of people. Clones share everything.
#[derive(Clone)]
pub(super) struct Phones {
    /// What holds of the configuration: what the run began with, less what was taken away since.
    config: Arc<Mutex<Config>>,
    /// What proves that a post is Twilio's; none where nothing can come in.
    pub(super) signed: Option<Signed>,
    lanes: Vec<Open>,
    slots: Arc<HashMap<Lane, CodeSlot>>,
    /// What texts may cost.
    pub(super) budget: SmsBudget,
    /// Codes that were texted, each with the name of its text. They are stored nowhere.
    secrets: Arc<Mutex<Vec<(String, SecretString)>>>,
    /// Posts that were not Twilio's, since they were counted last.
    unsigned: Arc<AtomicU64>,
    alarm: Arc<OnceLock<Alarm>>,
}

impl Phones {
    /// A lane to each phone in the configuration; none where there is no account to send from.
    pub(super) fn open(
        config: &Config,
        environment: &Environment,
        store: &Store,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, AppError> {
        let Some(account) = &environment.twilio else { return Ok(None) };
        let http = http_client(environment.ca_file.as_deref(), CONNECT)
            .map_err(|error| AppError::usage(format!("Twilio cannot be used: {error}")))?;
        let twilio = Twilio::new(access(account), http, TIMEOUT, clock.clone());
        // Where nobody listens nothing comes back.
        let public_url = environment.public_url.as_deref().filter(|_| environment.http_listen.is_some());
        let callback = public_url.and_then(callback);
        let alarm: Arc<OnceLock<Alarm>> = Arc::default();
        let told = alarm.clone();
        let money = (config.sms.per_segment, config.sms.per_day);
        let budget = SmsBudget::new(
            store.clone(),
            clock.clone(),
            money,
            Arc::new(move |kind| {
                if let Some(alarm) = told.get() {
                    alarm(kind);
                }
            }),
        );
        let mut slots = HashMap::new();
        let lanes = config.people.iter().filter_map(|one| {
            let lane = Lane { who: one.person.name.parse().ok()?, channel: ChannelKind::Sms };
            let to = SecretString::from(one.phone.as_ref()?.expose());
            let target = SmsTarget { lane, to, callback: callback.clone() };
            let slot: &CodeSlot = slots.entry(lane).or_default();
            let channel = SmsLane::new(twilio.clone(), target, budget.clone(), slot.clone(), clock.clone());
            Some((lane, Arc::new(channel) as Arc<dyn crate::notify::Channel>))
        });
        let lanes = lanes.collect();
        let signed = public_url.map(|url| Signed::new(account.token.clone(), url));
        Ok(Some(Self {
            config: Arc::new(Mutex::new(config.clone())),
            signed,
            lanes,
            slots: Arc::new(slots),
            budget,
            secrets: Arc::default(),
            unsigned: Arc::default(),
            alarm,
        }))
    }

    /// The lanes.
    pub(super) fn lanes(&self) -> impl Iterator<Item = Open> {
        self.lanes.iter().cloned()
    }

    /// What tells others from now on that the day's money is nearly spent.
    pub(super) fn alarm_by(&self, alarm: &Alarm) {
        // Set once a run.
        let _ = self.alarm.set(alarm.clone());
    }

    pub(super) fn config(&self) -> MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes away from people what a configuration does not grant; the lanes that lead nowhere any more.
    pub(super) fn restrict(&self, read: &Config) -> Vec<Lane> {
        let mut held = self.config();
        *held = restricted(&held, read);
        let has_phone =
            |lane: &Lane| held.people.iter().any(|one| one.person.name == lane.who.as_str() && one.phone.is_some());
        self.lanes.iter().map(|(lane, _)| *lane).filter(|lane| !has_phone(lane)).collect()
    }

    /// Who has this phone; none for strangers.
    pub(super) fn seat_of(&self, number: &str) -> Option<Seat> {
        let config = self.config();
        let one = config.people.iter().find(|one| one.phone.as_ref().is_some_and(|phone| phone.expose() == number))?;
        seat(one.person.clone())
    }

    /// The seat of a person by name, if they have a phone still.
    pub(super) fn seat_named(&self, name: &str) -> Option<Seat> {
        let config = self.config();
        let one = config.people.iter().find(|one| one.person.name == name && one.phone.is_some())?;
        seat(one.person.clone())
    }

    /// The channel of a lane.
    pub(super) fn channel(&self, lane: Lane) -> Option<Arc<dyn crate::notify::Channel>> {
        self.lanes.iter().find(|(known, _)| *known == lane).map(|(_, channel)| channel.clone())
    }

    /// Where a code for a phone is put.
    pub(super) fn slot(&self, lane: Lane) -> Option<&CodeSlot> {
        self.slots.get(&lane)
    }

    /// Keeps a code that was texted until its text is looked at.
    pub(super) fn keep_secret(&self, name: &str, secret: SecretString) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if secrets.len() >= SECRETS_MAX {
            secrets.remove(0);
        }
        secrets.push((name.to_owned(), secret));
    }

    /// The code of a text, once.
    pub(super) fn secret(&self, name: &str) -> Option<SecretString> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let at = secrets.iter().position(|(known, _)| known == name)?;
        Some(secrets.remove(at).1)
    }

    /// A post was not Twilio's.
    pub(super) fn note_unsigned(&self) {
        self.unsigned.fetch_add(1, Ordering::SeqCst);
    }

    /// How many were not since the last look.
    pub(super) fn take_unsigned(&self) -> u64 {
        self.unsigned.swap(0, Ordering::SeqCst)
    }
}

fn seat(person: crate::chat::Person) -> Option<Seat> {
    let lane = Lane { who: person.name.parse().ok()?, channel: ChannelKind::Sms };
    Some(Seat { person, place: Place::Private, lane })
}

fn access(account: &TwilioAccount) -> TwilioAccess {
    TwilioAccess {
        sid: account.sid.clone(),
        token: SecretString::from(account.token.expose_secret()),
        from: SecretString::from(account.from.as_str()),
        url: account.url.clone(),
    }
}

/// Where Twilio tells what becomes of messages. It takes no host with an underscore.
fn callback(public_url: &str) -> Option<String> {
    let host = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    if host.contains('_') {
        tracing::warn!(
            "PUBLIC_URL has an underscore in its host, and Twilio takes none: nobody tells what became of SMS"
        );
        return None;
    }
    Some(format!("{public_url}{STATES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_an_underscore_is_never_told_to_twilio() {
        assert_eq!(callback("https://bot.example.org/x_y").as_deref(), Some("https://bot.example.org/x_y/sms/status"));
        assert_eq!(callback("https://my_bot.example.org:8443/"), None);
    }
}
