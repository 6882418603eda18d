//! Who says yes? The desk shows a change, takes the PIN for exactly that change, and is the sole maker of `Confirmed`.

use std::sync::Arc;

use secrecy::SecretString;

use crate::clock::{Clock, Timestamp};
use crate::domain::{AuditId, Label, Preview, Routes, RunId};
use crate::store::{AuditEntry, ControlRow, Move, Reader, Settlement, Store, StoreError};

use super::claim::Roll;
use super::code::Codes;
use super::factors::Entered;
use super::prompt::{Prompt, Steps};
use super::second::change_of;
use super::{Change, Control, ControlRules, Factors, PinCost, TWO_VALID_MS, WeakPin};

/// How long a shown change can be confirmed, in milliseconds.
pub const VALID_MS: i64 = 60_000;
/// A change that a person confirmed. Made here alone, carried out once; not `Clone`.
#[derive(Debug)]
pub struct Confirmed {
    pub(super) id: i64,
    pub(super) person: String,
    pub(super) change: Change,
    pub(super) preview: Preview,
    pub(super) audit: Option<AuditId>,
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

    /// What, and in which books.
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// What it was shown to do.
    pub fn preview(&self) -> &Preview {
        &self.preview
    }

    /// The row of the audit that confirmed it; none where an older version did.
    pub fn audit(&self) -> Option<AuditId> {
        self.audit
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

/// What came of what was entered for a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The engine carries this row out, and what came of it is told.
    Confirmed(i64),
    /// The engine carries this row out, and nothing is told but that it was accepted.
    Quietly(i64),
    /// This row waits for a second person until then.
    Waits(i64, Timestamp),
    /// This prompt comes next.
    Next(i64),
    /// It is done.
    Done,
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
    /// No app gives codes.
    #[error(
        "a change asks for the code of an app, and none is set up: on the machine, \"bellwether totp set {0}\" does it"
    )]
    NoTotp(String),
    /// The PIN or the code of the app is wrong, or the code was used before.
    #[error("wrong PIN or code; it locks after {left} more")]
    WrongFactors {
        /// Tries until it is locked.
        left: u32,
    },
    /// That is no code of an app that is being set up.
    #[error("that is not the code that the app shows now; nothing is kept. Is the time of phone and machine right?")]
    NotOfApp,
    /// A code by SMS is not enough.
    #[error("this is not confirmed by SMS: it asks for the code of your app")]
    NotByText,
    /// Nothing of this number waits for a second person.
    #[error("nothing of the number {0} waits for you")]
    NothingWaits(i64),
    /// Somebody agrees with themselves.
    #[error("somebody else has to agree to that")]
    OwnChange,
    /// The new PIN was not typed twice alike.
    #[error("the two differ; nothing changed")]
    Differ,
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
    /// So many tries were wrong, or new PINs set, that one more would lock.
    #[error("a new PIN counts as a try, and there were too many: not before {until}")]
    TooOften {
        /// Until when.
        until: Timestamp,
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
    pub(super) books: Option<Vec<Label>>,
    pub(super) is_owner: bool,
    pub(super) codes: Codes,
    pub(super) steps: Steps,
    pub(super) rules: Arc<ControlRules>,
    pub(super) roll: Option<Roll>,
    pub(super) run: RunId,
    pub(super) routes: Routes,
}

impl ChangeDesk {
    /// A desk over the store. `cost` is what one guess at a PIN costs.
    pub fn new(store: Store, clock: Arc<dyn Clock>, cost: PinCost) -> Self {
        Self {
            store,
            clock,
            cost,
            books: None,
            is_owner: true,
            codes: Codes::default(),
            steps: Steps::default(),
            rules: Arc::default(),
            roll: None,
            run: RunId(0),
            routes: Routes::default(),
        }
    }

    /// The same desk by these rules.
    #[must_use]
    pub fn ruled_by(self, rules: ControlRules) -> Self {
        Self { rules: Arc::new(rules), ..self }
    }

    /// The same desk, which carries out for those alone whom this roll knows, and what it lets them change.
    #[must_use]
    pub fn knowing(self, roll: Roll) -> Self {
        Self { roll: Some(roll), ..self }
    }

    /// The same desk, which tells what happens there by these routes.
    #[must_use]
    pub fn telling(self, run: RunId, routes: Routes) -> Self {
        Self { run, routes, ..self }
    }

    /// The same desk for an owner, or for an operator.
    #[must_use]
    pub fn for_owner(&self, is_owner: bool) -> Self {
        Self { is_owner, ..self.clone() }
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

    /// A change within the books that whoever asks may change, or in the named one of them alone.
    ///
    /// # Errors
    /// When the named book is not theirs.
    pub fn change(&self, control: Control, book: Option<Label>) -> Result<Change, DeskError> {
        let books = match (book, &self.books) {
            (None, own) => own.clone(),
            (Some(book), Some(own)) if !own.contains(&book) => return Err(DeskError::NotYours),
            (Some(book), _) => Some(vec![book]),
        };
        Ok(Change { control, books })
    }

    pub(super) fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(self.store.path())
    }

    /// Shows a change to a person in a chat; it can be confirmed there, by that person, for a minute. A change that was shown there
    /// before is void. Nothing is shown to whom no PIN can be taken from now.
    ///
    /// # Errors
    /// When there is no PIN or it is locked, or the store fails.
    pub fn show(&self, change: &Change, person: &str, chat: &str, preview: &Preview) -> Result<Shown, DeskError> {
        let now = self.clock.now();
        let tier = change.control.tier();
        self.check_able(person, self.rules.factors(self.is_owner, tier))?;
        let expires = now.plus_ms(if self.rules.needs_two(tier) { TWO_VALID_MS } else { VALID_MS });
        let id = self.store.show_control(row(change, person, chat, preview, now, expires, "shown")?)?;
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
        let change = self.change(control.clone(), None)?;
        let entry = self.entry(person, chat, &change.to_string(), "confirmed without a PIN");
        let row = row(&change, person, chat, &Preview::default(), now, now, "confirmed")?;
        self.store.admit_control(row, entry)?.ok_or(DeskError::DoneBefore)
    }

    /// Takes the PIN for a shown change, which must lie within what its person may change by now. The first right answer wins; the engine carries it out when it next looks.
    ///
    /// # Errors
    /// For each way in which it is not confirmed.
    pub fn confirm(&self, id: i64, person: &str, chat: &str, pin: &SecretString) -> Result<Taken, DeskError> {
        let row = self.shown_row(id, person, chat)?;
        match Prompt::of(&row) {
            Some(Prompt::Approve { of }) => return self.agree(&row, of, pin),
            Some(Prompt::NewPin { step }) => return self.take_new_pin(&row, step, pin),
            None => {}
        }
        let change = self.still_theirs(&row)?;
        let factors = self.factors_of(&row)?;
        match self.verify(person, pin, factors)? {
            Entered::Right => self.confirmed(&row, &change, factors),
            Entered::Duress => {
                // It stands there as what was accepted, so that it is answered as ever even if the bot is started anew before that.
                let mut accepted = Move::new(id, "shown", "done");
                (accepted.result, accepted.factors) = (Some("Accepted".to_owned()), Some(factors.as_str()));
                let entry = self.accepted(&row, &change);
                let halt = self.yield_to((person, chat), Some(entry), vec![accepted])?;
                // What waits for somebody else is answered at once.
                let waits = self.rules.needs_two(change.control.tier());
                Ok(if waits { Taken::Done } else { Taken::Quietly(halt) })
            }
        }
    }

    /// What was shown to this person in this chat and can still be confirmed by them.
    pub(super) fn shown_row(&self, id: i64, person: &str, chat: &str) -> Result<ControlRow, DeskError> {
        let row = self.reader()?.control(id)?;
        let shown = row.filter(|row| row.person == person && row.chat == chat && row.status == "shown");
        let shown = shown.ok_or(DeskError::NothingShown)?;
        if self.is_over(&shown) {
            self.store.move_control(id, "shown", "expired")?;
            return Err(DeskError::Expired);
        }
        Ok(shown)
    }

    /// The change of a row, as long as its books are those of whoever asks.
    pub(super) fn still_theirs(&self, row: &ControlRow) -> Result<Change, DeskError> {
        let change = change_of(row)?;
        if !self.may_change(&change) {
            self.store.move_control(row.id, "shown", "expired")?;
            return Err(DeskError::NotYours);
        }
        Ok(change)
    }

    /// The row of the audit of a change that was confirmed.
    fn accepted(&self, row: &ControlRow, change: &Change) -> AuditEntry {
        let entry = self.entry(&row.person, &row.chat, &change.to_string(), "accepted");
        AuditEntry { preview: Some(row.shown_on.clone()), ..entry }
    }

    pub(super) fn confirmed(&self, row: &ControlRow, change: &Change, by: Factors) -> Result<Taken, DeskError> {
        let waits = self.rules.needs_two(change.control.tier());
        let mut must = Move::new(row.id, "shown", if waits { "waiting" } else { "confirmed" });
        must.factors = Some(by.as_str());
        let told = self.told(if waits { vec![Self::asked(row, change)] } else { Vec::new() });
        let entry = Some((self.accepted(row, change), Some(row.id)));
        let settlement = Settlement { must: Some(must), also: Vec::new(), adds: None, entry, told };
        match self.store.settle_control(settlement)? {
            (false, _) => Err(DeskError::NothingShown),
            (true, _) if waits => Ok(Taken::Waits(row.id, row.expires)),
            (true, _) => Ok(Taken::Confirmed(row.id)),
        }
    }

    pub(super) fn entry(&self, person: &str, channel: &str, words: &str, result: &str) -> AuditEntry {
        let [person, channel, words, result] = [person, channel, words, result].map(str::to_owned);
        AuditEntry { at: self.clock.now(), person, channel, words, preview: None, result }
    }
}

pub(super) fn row(
    change: &Change,
    person: &str,
    chat: &str,
    preview: &Preview,
    shown: Timestamp,
    expires: Timestamp,
    status: &str,
) -> Result<ControlRow, StoreError> {
    Ok(ControlRow {
        id: 0,
        person: person.to_owned(),
        chat: chat.to_owned(),
        control: serde_json::to_string(change)?,
        shown_on: serde_json::to_string(preview)?,
        shown,
        expires,
        status: status.to_owned(),
        result: None,
        audit: None,
        second: None,
        factors: None,
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

    pub(in crate::control) fn resume() -> Change {
        Change { control: Control::Resume, books: None }
    }

    pub(in crate::control) fn pin(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_change_is_confirmed_once_by_the_right_person_in_the_right_chat_in_time() {
        let Bench { clock, desk, .. } = &bench();
        let shown = desk.show(&resume(), "ana", "terminal", &Preview::of_words("main halted 1")).expect("shown");
        let nothing = |result| matches!(result, Err(DeskError::NothingShown));
        desk.set_pin("bob", None, &pin("7391")).expect("set");
        assert!(nothing(desk.confirm(shown.id, "bob", "terminal", &pin("7391"))));
        assert!(nothing(desk.confirm(shown.id, "ana", "shell", &pin("2846"))));
        assert!(desk.claim().expect("reads").is_none());
        desk.confirm(shown.id, "ana", "terminal", &pin("2846")).expect("confirmed");
        assert!(nothing(desk.confirm(shown.id, "ana", "terminal", &pin("2846"))));
        let confirmed = desk.claim().expect("reads").expect("one");
        assert_eq!((confirmed.change(), confirmed.preview()), (&resume(), &Preview::of_words("main halted 1")));

        let late = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown");
        clock.advance(VALID_MS + 1);
        assert!(matches!(desk.confirm(late.id, "ana", "terminal", &pin("2846")), Err(DeskError::Expired)));
    }

    #[test]
    fn only_the_safe_direction_is_carried_out_late() {
        let Bench { clock, desk, .. } = &bench();
        let shown = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown");
        desk.confirm(shown.id, "ana", "terminal", &pin("2846")).expect("confirmed");
        desk.admit_safe(&Control::Halt, "ana", "shell").expect("admitted");
        clock.advance(3_600_000);
        assert_eq!(desk.claim().expect("reads").expect("one").change().control, Control::Halt);
        assert!(desk.admit_safe(&Control::Resume, "ana", "shell").is_err());
    }
}
