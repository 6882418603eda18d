//! Who says yes? The desk shows a change, takes the PIN for exactly that change, and is the sole maker of `Confirmed`.

use std::sync::Arc;

use secrecy::SecretString;

use crate::clock::{Clock, Timestamp};
use crate::domain::Label;
use crate::store::{AuditEntry, ControlRow, Reader, Store, StoreError};

use super::action::Change;
use super::code::Codes;
use super::{Control, PinCost, ShownOn, WeakPin};

/// How long a shown change can be confirmed, in milliseconds.
pub const VALID_MS: i64 = 60_000;
/// A change that a person confirmed. Made here alone, carried out once; not `Clone`.
#[derive(Debug)]
pub struct Confirmed {
    id: i64,
    person: String,
    control: Control,
    books: Option<Vec<Label>>,
    shown_on: ShownOn,
}

impl Confirmed {
    /// Its row among the controls.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Who confirmed it.
    pub fn person(&self) -> &str {
        &self.person
    }

    /// What.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Whether it may reach this book.
    pub fn reaches(&self, book: Label) -> bool {
        self.books.as_ref().is_none_or(|books| books.contains(&book))
    }

    /// The state it was decided on.
    pub fn shown_on(&self) -> &ShownOn {
        &self.shown_on
    }
}

/// A change as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its row among the controls.
    pub id: i64,
    /// Until when it can be confirmed, on the wall clock.
    pub expires: Timestamp,
}

/// Why a change was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No PIN is set.
    #[error("no PIN is set for {0}")]
    NoPin(String),
    /// The PIN is wrong.
    #[error("wrong PIN; it locks after {left} more")]
    Wrong {
        /// Tries until it is locked.
        left: u32,
    },
    /// The code is not the one that was sent.
    #[error("wrong code; the PIN locks after {left} more")]
    WrongCode {
        /// Tries until the PIN is locked.
        left: u32,
    },
    /// No code could be drawn.
    #[error("there is no source of chance on this machine")]
    NoChance,
    /// Too many wrong PINs.
    #[error("the PIN is locked until {until}")]
    Locked {
        /// Until when.
        until: Timestamp,
        /// True if this very try locked it: everybody is to be told.
        just_now: bool,
    },
    /// It was shown too long ago.
    #[error("that was shown too long ago; ask again")]
    Expired,
    /// It was shown to somebody else, somewhere else, or is settled already.
    #[error("there is nothing to confirm here")]
    NothingShown,
    /// They may not make that change any more.
    #[error("that is not yours to change any more")]
    NotYours,
    /// The same update did it, before the bot was started anew.
    #[error("that was done just before the bot was started anew")]
    DoneBefore,
    /// The PIN could not be hashed.
    #[error("the PIN could not be hashed on this machine")]
    Hash,
    /// The new PIN is too weak.
    #[error(transparent)]
    Weak(#[from] WeakPin),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// The desk.
#[derive(Clone)]
pub struct ChangeDesk {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cost: PinCost,
    books: Option<Vec<Label>>,
    pub(super) codes: Codes,
}

impl ChangeDesk {
    /// A desk over the store. `cost` is what one guess at a PIN costs.
    pub fn new(store: Store, clock: Arc<dyn Clock>, cost: PinCost) -> Self {
        Self { store, clock, cost, books: None, codes: Codes::default() }
    }

    /// The same desk, asked by an update of the inbox.
    #[must_use]
    pub fn caused_by(&self, inbox: i64) -> Self {
        Self { store: self.store.caused_by(inbox), ..self.clone() }
    }

    /// The same desk for somebody whose changes reach these books alone; all where it is none.
    #[must_use]
    pub fn within(&self, books: Option<Vec<Label>>) -> Self {
        Self { books, ..self.clone() }
    }

    fn change(&self, control: &Control) -> Change {
        Change { control: control.clone(), books: self.books.clone() }
    }

    pub(super) fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(self.store.path())
    }

    /// Shows a change to a person in a chat; it can be confirmed there, by that person, for a minute. A change that was shown there
    /// before is void. Nothing is shown to whom no PIN can be taken from now.
    ///
    /// # Errors
    /// When there is no PIN or it is locked, or the store fails.
    pub fn show(&self, control: &Control, person: &str, chat: &str, shown_on: &ShownOn) -> Result<Shown, DeskError> {
        let now = self.clock.now();
        match self.reader()?.pin_locked_until(person)? {
            None => return Err(DeskError::NoPin(person.to_owned())),
            Some(until) if until > now => return Err(DeskError::Locked { until, just_now: false }),
            Some(_) => {}
        }
        let expires = now.plus_ms(VALID_MS);
        let id = self.store.show_control(row(&self.change(control), person, chat, shown_on, now, expires, "shown")?)?;
        Ok(Shown { id, expires })
    }

    /// Takes the safe direction without a PIN; its row.
    ///
    /// # Errors
    /// When the change is not safe, or the store fails.
    pub fn admit_safe(&self, control: &Control, person: &str, chat: &str) -> Result<i64, DeskError> {
        if !control.is_safe() {
            return Err(DeskError::NothingShown);
        }
        let now = self.clock.now();
        let change = self.change(control);
        let entry = self.entry(person, chat, &change.to_string(), "confirmed without a PIN");
        let row = row(&change, person, chat, &ShownOn::nothing(), now, now, "confirmed")?;
        self.store.admit_control(row, entry)?.ok_or(DeskError::DoneBefore)
    }

    /// Takes the PIN for a shown change, which must lie within what its person may change by now. The first right answer wins; the engine carries it out when it next looks.
    ///
    /// # Errors
    /// For each way in which it is not confirmed.
    pub fn confirm(&self, id: i64, person: &str, chat: &str, pin: &SecretString) -> Result<(), DeskError> {
        let change = self.shown_change(id, person, chat)?;
        self.verify(person, pin)?;
        self.confirmed(id, person, chat, &change)
    }

    /// What was shown to this person in this chat and can still be confirmed by them.
    pub(super) fn shown_change(&self, id: i64, person: &str, chat: &str) -> Result<Change, DeskError> {
        let row = self.reader()?.control(id)?;
        let shown = row.filter(|row| row.person == person && row.chat == chat && row.status == "shown");
        let shown = shown.ok_or(DeskError::NothingShown)?;
        if self.clock.now() > shown.expires || self.clock.now() < shown.shown {
            self.store.move_control(id, "shown", "expired", None)?;
            return Err(DeskError::Expired);
        }
        let change: Change = serde_json::from_str(&shown.control).map_err(StoreError::from)?;
        if let Some(own) = &self.books
            && !change.books.as_ref().is_some_and(|books| books.iter().all(|book| own.contains(book)))
        {
            self.store.move_control(id, "shown", "expired", None)?;
            return Err(DeskError::NotYours);
        }
        Ok(change)
    }

    pub(super) fn confirmed(&self, id: i64, person: &str, chat: &str, change: &Change) -> Result<(), DeskError> {
        let entry = self.entry(person, chat, &change.to_string(), "confirmed");
        if self.store.move_control(id, "shown", "confirmed", Some(entry))? {
            Ok(())
        } else {
            Err(DeskError::NothingShown)
        }
    }

    /// The next confirmed change that was not carried out. It stays confirmed until the engine's own transaction settles it, so a crash
    /// in between neither loses nor repeats it; only what makes things safer is carried out late.
    ///
    /// # Errors
    /// When the store fails.
    pub fn claim(&self) -> Result<Option<Confirmed>, DeskError> {
        let reader = self.reader()?;
        while let Some(row) = reader.confirmed_control()? {
            let Change { control, books } = serde_json::from_str(&row.control).map_err(StoreError::from)?;
            if !control.is_safe() && self.clock.now() > row.expires.plus_ms(VALID_MS) {
                self.store.move_control(row.id, "confirmed", "expired", None)?;
                continue;
            }
            let shown_on = ShownOn::stored(&row.shown_on);
            return Ok(Some(Confirmed { id: row.id, person: row.person, control, books, shown_on }));
        }
        Ok(None)
    }

    /// What became of a control, once it is settled.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn result_of(&self, id: i64) -> Result<Option<String>, DeskError> {
        let row = self.reader()?.control(id)?;
        Ok(row.filter(|row| row.status == "done").and_then(|row| row.result))
    }

    pub(super) fn entry(&self, person: &str, channel: &str, words: &str, result: &str) -> AuditEntry {
        let [person, channel, words, result] = [person, channel, words, result].map(str::to_owned);
        AuditEntry { at: self.clock.now(), person, channel, words, result }
    }
}

fn row(
    change: &Change,
    person: &str,
    chat: &str,
    shown_on: &ShownOn,
    shown: Timestamp,
    expires: Timestamp,
    status: &str,
) -> Result<ControlRow, StoreError> {
    Ok(ControlRow {
        id: 0,
        person: person.to_owned(),
        chat: chat.to_owned(),
        control: serde_json::to_string(change)?,
        shown_on: shown_on.as_str().to_owned(),
        shown,
        expires,
        status: status.to_owned(),
        result: None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clock::ManualClock;

    pub(in crate::control) struct Bench {
        _folder: tempfile::TempDir,
        pub(in crate::control) clock: Arc<ManualClock>,
        pub(in crate::control) desk: ChangeDesk,
    }

    pub(in crate::control) fn bench() -> Bench {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(&folder.path().join("a.db")).expect("opens");
        let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_700_000_000_000)));
        let desk = ChangeDesk::new(store, clock.clone(), PinCost::LEAST);
        desk.set_pin("ana", None, &SecretString::from("2846")).expect("set");
        Bench { _folder: folder, clock, desk }
    }

    pub(in crate::control) fn pin(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_change_is_confirmed_once_by_the_right_person_in_the_right_chat_in_time() {
        let Bench { clock, desk, .. } = &bench();
        let shown = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::stored("main halted 1")).expect("shown");
        let nothing = |result| matches!(result, Err(DeskError::NothingShown));
        desk.set_pin("bob", None, &pin("7391")).expect("set");
        assert!(nothing(desk.confirm(shown.id, "bob", "terminal", &pin("7391"))));
        assert!(nothing(desk.confirm(shown.id, "ana", "shell", &pin("2846"))));
        assert!(desk.claim().expect("reads").is_none());
        desk.confirm(shown.id, "ana", "terminal", &pin("2846")).expect("confirmed");
        assert!(nothing(desk.confirm(shown.id, "ana", "terminal", &pin("2846"))));
        let confirmed = desk.claim().expect("reads").expect("one");
        assert_eq!((confirmed.control(), confirmed.shown_on().as_str()), (&Control::Resume, "main halted 1"));

        let late = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::nothing()).expect("shown");
        clock.advance(VALID_MS + 1);
        assert!(matches!(desk.confirm(late.id, "ana", "terminal", &pin("2846")), Err(DeskError::Expired)));
    }

    #[test]
    fn only_the_safe_direction_is_carried_out_late() {
        let Bench { clock, desk, .. } = &bench();
        let shown = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::nothing()).expect("shown");
        desk.confirm(shown.id, "ana", "terminal", &pin("2846")).expect("confirmed");
        desk.admit_safe(&Control::Halt, "ana", "shell").expect("admitted");
        clock.advance(3_600_000);
        assert_eq!(desk.claim().expect("reads").expect("one").control(), &Control::Halt);
        assert!(desk.admit_safe(&Control::Resume, "ana", "shell").is_err());
    }
}
