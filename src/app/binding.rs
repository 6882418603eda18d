//! What does a code do that somebody sends? It binds the account and the chat that it came from, and lets those go that they belonged to.

use std::sync::PoisonError;

use crate::chat::Seats;
use crate::domain::{ChannelKind, EventKind, Lane, Message};
use crate::store::{Answer, Bound, InboxRow, Left, StoreError};

use super::errands::Errand;
use super::letter::Letter;
use super::pairing::code_hash;
use super::telegram::TELEGRAM;
use super::updates::{Handled, Handler, answer};

/// Wrong codes after which every code is void.
const CODE_TRIES_MAX: u32 = 20;
/// What is said of every code that binds nobody, whatever is wrong with it.
const NOT_VALID: &str = "That code is not valid: \"bellwether pair\" on the machine shows a new one";

impl Handler {
    /// A code came. Strangers whose code is wrong hear nothing.
    pub(super) fn pair(&self, row: &InboxRow, letter: &Letter, code: &str) -> Result<Handled, StoreError> {
        let now = self.clock.now();
        let seat = self.shared.seats().find(ChannelKind::Telegram, letter.user, letter.chat);
        if let (Some(seat), true) = (&seat, code.is_empty()) {
            return Ok(Handled::by(seat, self.run(row, letter, seat, "/pair")));
        }
        let may_try = self.strangers.lock().unwrap_or_else(PoisonError::into_inner).may_try(letter.user, code, now);
        let bound = if may_try { self.use_code(row, letter, code)? } else { Some(Bound::Nobody) };
        let before = seat.as_ref().map(|seat| seat.person.name.clone());
        let person = match bound {
            Some(Bound::To(person)) => {
                (self.paired)();
                let (channel, account) = (TELEGRAM.to_owned(), letter.name.clone());
                (self.alarm)(EventKind::PersonPaired { person: person.clone(), channel, account });
                person
            }
            Some(Bound::Nobody) => {
                if seat.is_none() {
                    self.knocked(letter, may_try)?;
                } else if may_try {
                    self.tell_knock(letter.user, true);
                }
                return Ok(seat
                    .map_or_else(Handled::nothing, |seat| Handled::by(&seat, vec![answer(letter, &seat, NOT_VALID)])));
            }
            None => {
                // Done before a restart, the lane is there already.
                (self.paired)();
                let seat = self.shared.seats().find(ChannelKind::Telegram, letter.user, letter.chat);
                seat.map(|seat| seat.person.name).unwrap_or_default()
            }
        };
        let Ok(who) = person.parse() else { return Ok(Handled::nothing()) };
        let before = before.filter(|before| *before != person).map(|before| format!(" It was {before}'s before."));
        let words = format!(
            "Paired: this chat is {person}'s now, and nobody else's.{}\n/status tells how things are, /help lists the commands",
            before.unwrap_or_default()
        );
        let lane = Lane { who, channel: ChannelKind::Telegram };
        let message = Message { protect: true, ..Message::answer(&words) };
        Ok(Handled { person, answers: vec![Answer::new(lane, message)] })
    }

    fn use_code(&self, row: &InboxRow, letter: &Letter, code: &str) -> Result<Option<Bound>, StoreError> {
        let hash = code_hash(&self.store.button_key()?, code);
        let (account, seats) = ((letter.user, letter.chat), self.shared.seats());
        let left = Box::new(move |person: &str| left(&seats, person, account));
        let store = self.store.caused_by(row.id);
        store.use_code(hash, ChannelKind::Telegram, account, CODE_TRIES_MAX, left, self.clock.now())
    }
}

/// What changes for others when a person is bound to an account and a chat: the chats that the person leaves are to hear it, and whoever had
/// that account has none.
fn left(seats: &Seats, person: &str, (user, chat): (i64, i64)) -> Left {
    let mut left = Left::default();
    for (one, accounts) in &seats.people {
        let accounts = accounts.iter().filter(|account| account.channel == ChannelKind::Telegram);
        for account in accounts {
            if one.name == person && account.chat != chat {
                let farewell = Errand::Farewell { chat: account.chat, person: person.to_owned() };
                left.errands.push(farewell.body());
            } else if one.name != person && (account.user == user || account.chat == chat) {
                left.losers.push(one.name.clone());
            }
        }
    }
    left
}
