//! Does a second person agree? A change of a tier that asks for two waits after the first, for five minutes from when it was shown.

use secrecy::SecretString;

use crate::clock::Timestamp;
use crate::domain::{EventKind, Preview};
use crate::store::{ControlRow, Move, Settlement, StoreError};

use super::action::Change;
use super::factors::Entered;
use super::prompt::Prompt;
use super::{ChangeDesk, DeskError, Factors, Shown, Taken};

/// How long a change for two can be confirmed by both, in milliseconds.
pub const TWO_VALID_MS: i64 = 5 * 60_000;

/// A change that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who asked.
    pub person: String,
    /// What, as it is typed.
    pub change: Change,
    /// What it was shown to do.
    pub preview: Preview,
    /// Until when.
    pub until: Timestamp,
}

fn preview_of(row: &ControlRow) -> Preview {
    serde_json::from_str(&row.shown_on).unwrap_or_default()
}

pub(super) fn change_of(row: &ControlRow) -> Result<Change, StoreError> {
    Ok(serde_json::from_str(&row.control)?)
}

impl ChangeDesk {
    /// What whoever asks has to show for what stands in a row.
    pub(super) fn factors_of(&self, row: &ControlRow) -> Result<Factors, DeskError> {
        Ok(self.rules.factors(self.is_owner, change_of(row)?.control.tier()))
    }

    /// Whether all books of a change are theirs.
    pub(super) fn may_change(&self, change: &Change) -> bool {
        let Some(own) = &self.books else { return true };
        change.books.as_ref().is_some_and(|books| books.iter().all(|book| own.contains(book)))
    }

    /// The first person has confirmed: everybody else who may agree is told.
    pub(super) fn asked(row: &ControlRow, change: &Change) -> EventKind {
        EventKind::ApprovalAsked {
            control: row.id,
            person: row.person.clone(),
            change: change.to_string(),
            preview: Box::new(preview_of(row)),
            books: change.books.clone(),
            until: row.expires,
        }
    }

    /// The row that waits for somebody else than this person, who may make that change too.
    fn waiting_row(&self, id: i64, person: &str) -> Result<(ControlRow, Change), DeskError> {
        let row = self.reader()?.control(id)?.filter(|row| row.status == "waiting");
        let row = row.ok_or(DeskError::NothingWaits(id))?;
        let change = change_of(&row)?;
        // Whose books these are is told to those alone whose books they are.
        if !self.may_change(&change) {
            return Err(DeskError::NothingWaits(id));
        }
        if self.is_over(&row) {
            self.store.move_control(id, "waiting", "expired")?;
            return Err(DeskError::Expired);
        }
        if row.person == person {
            return Err(DeskError::OwnChange);
        }
        Ok((row, change))
    }

    /// Shows a change that waits to a second person, who can agree to it here for a minute.
    ///
    /// # Errors
    /// When nothing of that number waits for them, or they have nothing to prove who they are by.
    pub fn show_waiting(&self, id: i64, person: &str, chat: &str) -> Result<(Shown, Waiting), DeskError> {
        let (row, change) = self.waiting_row(id, person)?;
        self.check_able(person, self.factors_of(&row)?)?;
        let shown = self.show_prompt(Prompt::Approve { of: id }, person, chat)?;
        let preview = preview_of(&row);
        Ok((shown, Waiting { person: row.person, change, preview, until: row.expires }))
    }

    /// Takes what the second person proves who they are by.
    pub(super) fn agree(&self, prompt: &ControlRow, of: i64, typed: &SecretString) -> Result<Taken, DeskError> {
        let (person, chat) = (prompt.person.as_str(), prompt.chat.as_str());
        let (row, change) = self.waiting_row(of, person)?;
        let words = format!("/approve {of}: {change}, asked by {}", row.person);
        let mut shown = Move::new(prompt.id, "shown", "done");
        shown.result = Some("Accepted".to_owned());
        let factors = self.factors_of(&row)?;
        if self.verify(person, typed, factors)? == Entered::Duress {
            let voided = vec![Move::new(of, "waiting", "void"), shown];
            let entry = self.entry(person, chat, &words, "accepted");
            return self.yield_to((person, chat), Some(entry), voided).map(Taken::Quietly);
        }
        let mut must = Move::new(of, "waiting", "confirmed");
        (must.second, must.factors) = (Some(person.to_owned()), Some(factors.as_str()));
        let entry = self.entry(person, chat, &words, "accepted");
        let told = self.told(vec![Self::ended(&row, &change, person, true)]);
        let settlement =
            Settlement { must: Some(must), also: vec![shown], adds: None, entry: Some((entry, None)), told };
        match self.store.settle_control(settlement)? {
            (true, _) => Ok(Taken::Confirmed(of)),
            (false, _) => Err(DeskError::NothingWaits(of)),
        }
    }

    /// Ends what waits for a second person, without a PIN: the safe direction. Whoever asked for it may end it, too.
    ///
    /// # Errors
    /// When nothing of that number waits that is theirs to end.
    pub fn decline(&self, id: i64, person: &str, chat: &str) -> Result<Change, DeskError> {
        let row = self.reader()?.control(id)?.filter(|row| row.status == "waiting");
        let row = row.ok_or(DeskError::NothingWaits(id))?;
        let change = change_of(&row)?;
        if !self.may_change(&change) {
            return Err(DeskError::NothingWaits(id));
        }
        let words = format!("/decline {id}: {change}, asked by {}", row.person);
        let told = self.told(vec![Self::ended(&row, &change, person, false)]);
        let mut must = Move::new(id, "waiting", "declined");
        must.second = Some(person.to_owned());
        let entry = Some((self.entry(person, chat, &words, "declined"), None));
        let settlement = Settlement { must: Some(must), also: Vec::new(), adds: None, entry, told };
        match self.store.settle_control(settlement)? {
            (true, _) => Ok(change),
            (false, _) => Err(DeskError::NothingWaits(id)),
        }
    }

    fn ended(row: &ControlRow, change: &Change, by: &str, agreed: bool) -> EventKind {
        EventKind::ApprovalEnded {
            control: row.id,
            person: row.person.clone(),
            change: change.to_string(),
            books: change.books.clone(),
            by: by.to_owned(),
            agreed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::desk::tests::{Bench, bench, pin};
    use crate::control::{Control, ControlRules, Tier};
    use crate::domain::{BookAction, Label};

    fn two(desk: &ChangeDesk) -> ChangeDesk {
        for (name, digits) in [("bo", "7392"), ("cy", "604815")] {
            desk.set_pin(name, None, &pin(digits)).expect("set");
        }
        desk.clone().ruled_by(ControlRules { two_persons: vec![Tier::Grave], ..ControlRules::default() })
    }

    fn main() -> Label {
        "main".parse().expect("a name")
    }

    fn wanted(desk: &ChangeDesk, books: Option<Vec<Label>>) -> i64 {
        let control = Control::Book { action: BookAction::Reset, book: Some(main()) };
        let shown = desk.show(&Change { control, books }, "ana", "terminal", &Preview::of_words("Reset main?"));
        let shown = shown.expect("shown");
        let taken = desk.confirm(shown.id, "ana", "terminal", &pin("2846"));
        assert!(matches!(taken, Ok(Taken::Waits(_, until)) if until == shown.expires), "{taken:?}");
        shown.id
    }

    #[test]
    fn somebody_else_agrees_once_and_nobody_with_themselves() {
        let Bench { clock, desk, .. } = &bench();
        let desk = &two(desk);
        let id = wanted(desk, None);
        assert!(desk.claim().expect("reads").is_none(), "one is not enough");
        assert!(matches!(desk.show_waiting(id, "ana", "terminal"), Err(DeskError::OwnChange)));
        let of_main = desk.within(Some(vec![main()]));
        assert!(matches!(of_main.show_waiting(id, "cy", "sms:cy"), Err(DeskError::NothingWaits(_))), "not all theirs");
        let (prompt, waiting) = desk.show_waiting(id, "bo", "telegram:2").expect("shown");
        assert_eq!((waiting.person.as_str(), waiting.preview), ("ana", Preview::of_words("Reset main?")));
        assert!(desk.confirm(prompt.id, "bo", "telegram:9", &pin("7392")).is_err(), "another chat");
        assert!(matches!(desk.confirm(prompt.id, "bo", "telegram:2", &pin("2846")), Err(DeskError::Wrong { .. })));
        let (late, _) = desk.show_waiting(id, "cy", "terminal").expect("shown to another, too");
        let agreed = desk.confirm(prompt.id, "bo", "telegram:2", &pin("7392"));
        assert!(matches!(agreed, Ok(Taken::Confirmed(found)) if found == id), "{agreed:?}");
        assert!(matches!(desk.confirm(late.id, "cy", "terminal", &pin("604815")), Err(DeskError::NothingWaits(_))));
        assert_eq!(desk.claim().expect("reads").expect("one").id(), id);
        assert!(matches!(desk.decline(id, "bo", "telegram:2"), Err(DeskError::NothingWaits(_))));

        let declined = wanted(desk, None);
        assert!(desk.decline(declined, "bo", "telegram:2").is_ok());
        assert!(desk.show_waiting(declined, "cy", "terminal").is_err());
        let expired = wanted(desk, Some(vec![main()]));
        let (prompt, _) = of_main.show_waiting(expired, "cy", "terminal").expect("of their book");
        clock.advance(TWO_VALID_MS + 1);
        assert!(matches!(of_main.show_waiting(expired, "cy", "terminal"), Err(DeskError::Expired)));
        assert!(desk.confirm(prompt.id, "cy", "terminal", &pin("604815")).is_err());
    }

    #[test]
    fn under_duress_nothing_is_agreed_to_and_everything_halts() {
        let Bench { desk, .. } = &bench();
        let desk = &two(desk);
        desk.set_duress("bo", &pin("7392"), &pin("918273")).expect("set");
        let id = wanted(desk, None);
        let (prompt, _) = desk.show_waiting(id, "bo", "telegram:2").expect("shown");
        let taken = desk.confirm(prompt.id, "bo", "telegram:2", &pin("918273"));
        assert!(matches!(taken, Ok(Taken::Quietly(_))), "{taken:?}");
        let halt = desk.claim().expect("reads").expect("a halt");
        assert_eq!((halt.change(), halt.person()), (&Change { control: Control::Halt, books: None }, "bo"));
        assert!(desk.show_waiting(id, "cy", "terminal").is_err(), "it is void");
    }
}
