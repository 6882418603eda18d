//! What proves that somebody has a phone? A code of six digits that was sent to it, good for one change; only its hash is remembered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::clock::Timestamp;
use crate::store::{Charged, Refund};

use super::pin::RULES;
use super::{ChangeDesk, DeskError, Factors, Taken};

/// How long a code can be used, in milliseconds: a text may take its time.
pub const CODE_VALID_MS: i64 = 5 * 60_000;
/// Digits of a code.
pub const CODE_DIGITS: usize = 6;
/// Codes that are remembered.
const CODES_MAX: usize = 100;

/// Codes that wait, the newest last. A restart forgets them: then the change is asked for again.
#[derive(Clone, Default)]
pub(super) struct Codes(Arc<Mutex<Vec<Waiting>>>);

struct Waiting {
    id: i64,
    person: String,
    chat: String,
    salt: [u8; 32],
    hash: blake3::Hash,
}

impl Codes {
    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new code for a change that was shown to somebody in a chat; what waited there before is void. None without a source of chance.
    pub(super) fn draw(&self, (id, person, chat): (i64, &str, &str)) -> Option<SecretString> {
        let (mut salt, mut chance) = ([0; 32], [0; 16]);
        getrandom::fill(&mut salt).ok()?;
        getrandom::fill(&mut chance).ok()?;
        // Of 128 bits a million takes away nothing that anybody could tell.
        let number = u128::from_le_bytes(chance) % 10_u128.pow(CODE_DIGITS as u32);
        let code = format!("{number:0CODE_DIGITS$}");
        let hash = blake3::keyed_hash(&salt, code.as_bytes());
        let mut codes = self.lock();
        codes.retain(|waiting| waiting.person != person || waiting.chat != chat);
        if codes.len() >= CODES_MAX {
            codes.remove(0);
        }
        codes.push(Waiting { id, person: person.to_owned(), chat: chat.to_owned(), salt, hash });
        Some(code.into())
    }

    /// The change that a code of this person in this chat waits for.
    pub(super) fn waiting(&self, person: &str, chat: &str) -> Option<i64> {
        self.lock().iter().find(|waiting| waiting.person == person && waiting.chat == chat).map(|waiting| waiting.id)
    }

    /// Whether this is the code of a change; hashes are compared in constant time.
    pub(super) fn is_right(&self, id: i64, code: &SecretString) -> bool {
        let codes = self.lock();
        let waiting = codes.iter().find(|waiting| waiting.id == id);
        waiting
            .is_some_and(|waiting| blake3::keyed_hash(&waiting.salt, code.expose_secret().as_bytes()) == waiting.hash)
    }

    /// A code does not count any more.
    pub(super) fn forget(&self, id: i64) {
        self.lock().retain(|waiting| waiting.id != id);
    }
}

impl ChangeDesk {
    /// Draws a code for a change that was just shown: whoever has the phone that it is sent to may confirm the change with it, once, there,
    /// for five minutes. The code itself is kept nowhere.
    ///
    /// # Errors
    /// When nothing is shown there, or the store fails.
    pub fn draw_code(&self, id: i64, person: &str, chat: &str) -> Result<(SecretString, Timestamp), DeskError> {
        let row = self.shown_row(id, person, chat)?;
        if self.factors_of(&row)? != Factors::Pin {
            return Err(DeskError::NotByText);
        }
        let until = self.clock.now().plus_ms(CODE_VALID_MS);
        let code = self.codes.draw((id, person, chat)).ok_or(DeskError::NoChance)?;
        if self.store.extend_control(id, until)? { Ok((code, until)) } else { Err(DeskError::NothingShown) }
    }

    /// Takes the code for the change that it was drawn for. A wrong one counts like a wrong PIN.
    ///
    /// # Errors
    /// For each way in which it is not confirmed.
    pub fn confirm_by_code(&self, person: &str, chat: &str, code: &SecretString) -> Result<Taken, DeskError> {
        let id = self.codes.waiting(person, chat).ok_or(DeskError::NothingShown)?;
        let row = self.shown_row(id, person, chat)?;
        let change = self.still_theirs(&row)?;
        let now = self.clock.now();
        match self.store.charge_pin(person, now, RULES)? {
            Charged::NoPin => return Err(DeskError::NoPin(person.to_owned())),
            Charged::Locked(until) => return Err(DeskError::Locked { until, just_now: false }),
            Charged::Try { left, locked, .. } if !self.codes.is_right(id, code) => {
                self.note_wrong(self.entry(person, chat, "code", "wrong"), locked)?;
                return Err(DeskError::WrongCode { left });
            }
            Charged::Try { left, locked, before, .. } => {
                let refund = Refund { at: now, before, left, locked, step: None, forgives: false };
                self.store.refund_pin(person, refund, RULES)?;
            }
        }
        self.codes.forget(id);
        self.confirmed(&row, &change, Factors::Pin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::control::desk::tests::{Bench, bench, pin, resume};
    use crate::domain::Preview;

    #[test]
    fn a_code_confirms_once_there_and_in_time_and_a_wrong_one_counts_as_a_wrong_pin() {
        let Bench { clock, desk, .. } = &bench();
        let show = || desk.show(&resume(), "ana", "sms:ana", &Preview::default()).expect("shown").id;
        let draw = |id| desk.draw_code(id, "ana", "sms:ana").expect("drawn").0;
        let id = show();
        let code = draw(id);
        assert!(code.expose_secret().len() == 6 && code.expose_secret().bytes().all(|byte| byte.is_ascii_digit()));
        desk.set_pin("bob", None, &pin("7391")).expect("set");
        for (person, chat) in [("bob", "sms:ana"), ("ana", "sms:bob"), ("bob", "sms:bob"), ("ana", "telegram:1")] {
            assert!(matches!(desk.confirm_by_code(person, chat, &code), Err(DeskError::NothingShown)));
        }
        clock.advance(CODE_VALID_MS);
        assert_eq!(desk.confirm_by_code("ana", "sms:ana", &code).expect("confirmed"), Taken::Confirmed(id));
        assert!(matches!(desk.confirm_by_code("ana", "sms:ana", &code), Err(DeskError::NothingShown)), "once");
        assert_eq!(desk.claim().expect("reads").expect("one").change().control, Control::Resume);

        let late = draw(show());
        clock.advance(CODE_VALID_MS + 1);
        assert!(matches!(desk.confirm_by_code("ana", "sms:ana", &late), Err(DeskError::Expired)));

        // What was shown before is void, and so is its code.
        let (first, second) = (draw(show()), draw(show()));
        let wrong = |left| {
            let found = desk.confirm_by_code("ana", "sms:ana", &first);
            assert!(matches!(found, Err(DeskError::WrongCode { left: found }) if found == left), "{found:?}");
        };
        assert!(first.expose_secret() != second.expose_secret(), "one in a million: run it again");
        [4, 3, 2, 1].into_iter().for_each(wrong);
        // A right code does not take wrong tries back: the next wrong PIN locks.
        assert!(desk.confirm_by_code("ana", "sms:ana", &second).is_ok());
        let locked = desk.set_pin("ana", Some(&pin("1111")), &pin("2846"));
        assert!(matches!(locked, Err(DeskError::Locked { just_now: true, .. })), "{locked:?}");
        assert!(matches!(desk.show(&resume(), "ana", "sms:ana", &Preview::default()), Err(DeskError::Locked { .. })));
    }
}
