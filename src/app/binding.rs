//! Who comes in? Codes bind the account and the chat that they came from, and let those go that they belonged to; strangers are counted.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::chat::{Seat, Seats};
use crate::clock::Clock;
use crate::domain::{ChannelKind, EventKind, Lane, Message};
use crate::store::{Answer, Bound, Left, Store, StoreError};

use super::conversation::Handled;
use super::errands::Errand;
use super::pairing::code_hash;
use super::strangers::Strangers;
use super::switchboard::Alarm;

/// Wrong codes after which every code is void.
const CODE_TRIES_MAX: u32 = 20;
/// What is said of every code that binds nobody, whatever is wrong with it.
const NOT_VALID: &str = "That code is not valid: \"bellwether pair\" on the machine shows a new one";

/// Lets people in on a channel.
pub(super) struct Door {
    pub(super) channel: ChannelKind,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// Everybody who is known.
    pub(super) seats: Arc<RwLock<Seats>>,
    pub(super) alarm: Alarm,
    /// Somebody was paired: everybody who is known is to be looked up anew.
    pub(super) paired: Arc<dyn Fn() + Send + Sync>,
    pub(super) strangers: Mutex<Strangers>,
}

/// Whoever sent a code, and in which chat.
pub(super) struct Caller<'a> {
    pub(super) user: i64,
    pub(super) chat: i64,
    /// What the account calls itself.
    pub(super) name: &'a str,
}

/// What came of a code.
pub(super) enum Tried {
    /// Strangers whose code is wrong hear nothing.
    Nothing,
    /// Somebody who is known hears this.
    NotValid(&'static str),
    /// The chat is somebody's.
    Paired(Handled),
}

impl Door {
    /// A code came with this row of the inbox, from somebody who has this seat, if any.
    pub(super) fn pair(
        &self,
        row: i64,
        caller: &Caller<'_>,
        seat: Option<&Seat>,
        code: &str,
    ) -> Result<Tried, StoreError> {
        let now = self.clock.now();
        let may_try = self.strangers().may_try(caller.user, code, now);
        let bound = if may_try { self.use_code(row, caller, code)? } else { Some(Bound::Nobody) };
        let person = match bound {
            Some(Bound::To(person)) => {
                (self.paired)();
                let (channel, account) = (self.channel.to_string(), caller.name.to_owned());
                (self.alarm)(EventKind::PersonPaired { person: person.clone(), channel, account });
                person
            }
            Some(Bound::Nobody) => {
                if seat.is_some() {
                    if may_try {
                        self.tell_knock(caller.user, true);
                    }
                    return Ok(Tried::NotValid(NOT_VALID));
                }
                self.knocked(caller.user, may_try)?;
                return Ok(Tried::Nothing);
            }
            None => {
                // Done before a restart, the lane is there already.
                (self.paired)();
                self.person_of(caller.user)
            }
        };
        let Ok(who) = person.parse() else { return Ok(Tried::Nothing) };
        let before = seat.map(|seat| &seat.person.name).filter(|before| **before != person);
        let before = before.map(|before| format!(" It was {before}'s before.")).unwrap_or_default();
        let words = format!(
            "Paired: this chat is {person}'s now, and nobody else's.{before}\n/status tells how things are, /help lists the commands"
        );
        let message = Message { protect: true, ..Message::answer(&words) };
        let answer = Answer::new(Lane { who, channel: self.channel }, message);
        Ok(Tried::Paired(Handled { person, answers: vec![answer] }))
    }

    /// Strangers get nothing and are counted; many of them at once, and codes that are guessed, are told.
    pub(super) fn knocked(&self, user: i64, is_code: bool) -> Result<(), StoreError> {
        self.store.count_stranger(self.channel, user, self.clock.now())?;
        self.tell_knock(user, is_code);
        Ok(())
    }

    /// Somebody knocks, or guesses a code; tells it if it is to be told.
    fn tell_knock(&self, user: i64, is_code: bool) {
        let told = self.strangers().knock(self.channel, user, is_code, self.clock.now());
        if let Some(told) = told {
            (self.alarm)(told);
        }
    }

    fn strangers(&self) -> std::sync::MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seats(&self) -> Seats {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whose account that is now.
    fn person_of(&self, user: i64) -> String {
        let seats = self.seats();
        let owns = |(_, accounts): &&(_, Vec<crate::chat::Account>)| {
            accounts.iter().any(|account| account.channel == self.channel && account.user == user)
        };
        seats.people.iter().find(owns).map(|(person, _)| person.name.clone()).unwrap_or_default()
    }

    fn use_code(&self, row: i64, caller: &Caller<'_>, code: &str) -> Result<Option<Bound>, StoreError> {
        let hash = code_hash(&self.store.button_key()?, code);
        let (account, seats, channel) = ((caller.user, caller.chat), self.seats(), self.channel);
        let left = Box::new(move |person: &str| left(&seats, channel, person, account));
        let store = self.store.caused_by(row);
        store.use_code(hash, self.channel, account, CODE_TRIES_MAX, left, self.clock.now())
    }
}

/// What changes for others when a person is bound to an account and a chat: the chats that the person leaves are to hear it, and whoever had
/// that account has none.
fn left(seats: &Seats, channel: ChannelKind, person: &str, (user, chat): (i64, i64)) -> Left {
    let mut left = Left::default();
    for (one, accounts) in &seats.people {
        for account in accounts.iter().filter(|account| account.channel == channel) {
            if one.name == person && account.chat != chat && channel == ChannelKind::Telegram {
                let farewell = Errand::Farewell { chat: account.chat, person: person.to_owned() };
                left.errands.push(farewell.body());
            } else if one.name != person && (account.user == user || account.chat == chat) {
                left.losers.push(one.name.clone());
            }
        }
    }
    left
}
