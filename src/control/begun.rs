//! What became of what was entered, once nobody remembers it? The bot was started anew between the desk and the answer; the rows tell.

use crate::clock::Timestamp;
use crate::store::{ControlRow, Reader, StoreError};

use super::prompt::Prompt;
use super::second::change_of;
use super::{ChangeDesk, PinStep, Taken, VALID_MS};

/// What became of what somebody entered just before the bot was started anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It was taken, as this.
    Taken(Taken),
    /// It was taken, and what was shown is not done after all: why.
    NotDone(String),
    /// It was a step towards a new PIN: that one holds by now, or the old one does.
    Either,
    /// It was not taken.
    Nothing,
}

impl ChangeDesk {
    /// What became of what was entered for a prompt.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begun(&self, id: i64, person: &str, chat: &str) -> Result<Begun, StoreError> {
        let reader = self.reader()?;
        let row = reader.control(id)?.filter(|row| row.person == person && row.chat == chat);
        row.map_or(Ok(Begun::Nothing), |row| self.became(&reader, &row))
    }

    /// The same of what was entered at this instant, with the prompt that was open there; none where none was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn begun_at(&self, at: Timestamp, person: &str, chat: &str) -> Result<Option<(i64, Begun)>, StoreError> {
        let reader = self.reader()?;
        let row = reader.shown_at(person, chat, at)?;
        row.map(|row| Ok((row.id, self.became(&reader, &row)?))).transpose()
    }

    fn became(&self, reader: &Reader, row: &ControlRow) -> Result<Begun, StoreError> {
        let is_done = row.status == "done";
        match Prompt::of(row) {
            None if row.factors.is_some() => self.went_on(reader, row),
            Some(Prompt::Approve { of }) if is_done => {
                let agreed = reader.control(of)?.filter(|of| of.second.as_ref() == Some(&row.person));
                agreed.map_or_else(|| Self::yielded(reader, row), |of| self.went_on(reader, &of))
            }
            Some(Prompt::NewPin { step: PinStep::Again }) if is_done => Ok(Begun::Taken(Taken::Done)),
            // Between the new PIN and the row that says so is a moment.
            Some(Prompt::NewPin { step: PinStep::Again }) => Ok(Begun::Either),
            // A form brings all three at once.
            Some(Prompt::NewPin { step: PinStep::Old }) if is_done => Ok(Begun::Either),
            _ => Ok(Begun::Nothing),
        }
    }

    /// What became of a change that was confirmed.
    fn went_on(&self, reader: &Reader, row: &ControlRow) -> Result<Begun, StoreError> {
        let is_late = self.clock.now() > row.expires.plus_ms(VALID_MS);
        let not_done = |why: &str| Ok(Begun::NotDone(why.to_owned()));
        match row.status.as_str() {
            "waiting" if self.is_over(row) => not_done("nobody agreed to it in time"),
            "waiting" => Ok(Begun::Taken(Taken::Waits(row.id, row.expires))),
            "declined" => not_done(&format!("{} declined it", row.second.as_deref().unwrap_or("somebody"))),
            "expired" => not_done("it was too late for it"),
            "confirmed" if is_late => not_done("it was too late for it"),
            // What was confirmed has its row of the audit. The rest was taken under duress.
            _ if row.audit.is_some() => Ok(Begun::Taken(Taken::Confirmed(row.id))),
            _ if self.rules.needs_two(change_of(row)?.control.tier()) => Ok(Begun::Taken(Taken::Done)),
            _ => Self::yielded(reader, row),
        }
    }

    /// Under duress: everything halted instead, and whoever waits for that says as little as before.
    fn yielded(reader: &Reader, row: &ControlRow) -> Result<Begun, StoreError> {
        let halt = reader.halt_instead(row)?;
        Ok(Begun::Taken(halt.map_or(Taken::Done, Taken::Quietly)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::control::desk::tests::{Bench, bench, pin, resume};
    use crate::control::{Control, ControlRules, Tier};
    use crate::domain::Preview;

    const DURESS: &str = "918273";

    fn show(desk: &ChangeDesk) -> i64 {
        desk.show(&resume(), "ana", "telegram:1", &Preview::default()).expect("shown").id
    }

    fn confirm(desk: &ChangeDesk, id: i64, typed: &str) -> Taken {
        desk.confirm(id, "ana", "telegram:1", &pin(typed)).expect("taken")
    }

    fn begun(desk: &ChangeDesk, id: i64) -> Begun {
        desk.begun(id, "ana", "telegram:1").expect("reads")
    }

    #[test]
    fn whatever_was_taken_is_told_as_it_was_taken() {
        let Bench { clock, desk, .. } = &bench();
        desk.set_duress("ana", &pin("2846"), &pin(DURESS)).expect("set");
        desk.set_pin("bo", None, &pin("7392")).expect("set");
        let two = &desk.clone().ruled_by(ControlRules { two_persons: vec![Tier::Trade], ..ControlRules::default() });
        for (desk, typed) in [(desk, "2846"), (desk, DURESS), (two, "2846"), (two, DURESS)] {
            let id = show(desk);
            assert_eq!(begun(desk, id), Begun::Nothing, "it is not taken yet");
            clock.advance(1_000);
            let taken = confirm(desk, id, typed);
            assert_eq!(begun(desk, id), Begun::Taken(taken), "{typed}");
            let at = |ms| desk.begun_at(clock.now().plus_ms(ms), "ana", "telegram:1").expect("reads");
            assert_eq!((at(0), at(-1_001)), (Some((id, Begun::Taken(taken))), None), "{typed}");
            assert_eq!(desk.begun(id, "bo", "telegram:1").expect("reads"), Begun::Nothing, "somebody else");
            assert_eq!(desk.begun(id, "ana", "terminal").expect("reads"), Begun::Nothing, "elsewhere");
            clock.advance(10 * 60_000);
        }
        // Agreed to by a second person.
        for typed in ["7392", DURESS] {
            if typed == DURESS {
                desk.set_duress("bo", &pin("7392"), &pin(DURESS)).expect("set");
            }
            let id = show(two);
            confirm(two, id, "2846");
            let prompt = two.show_waiting(id, "bo", "telegram:2").expect("shown").0.id;
            let taken = two.confirm(prompt, "bo", "telegram:2", &pin(typed)).expect("taken");
            assert_eq!(two.begun(prompt, "bo", "telegram:2").expect("reads"), Begun::Taken(taken), "{typed}");
        }
    }

    #[test]
    fn what_was_taken_and_is_not_done_says_why() {
        let Bench { clock, desk, .. } = &bench();
        desk.set_pin("bo", None, &pin("7392")).expect("set");
        let two = &desk.clone().ruled_by(ControlRules { two_persons: vec![Tier::Trade], ..ControlRules::default() });
        let waits = show(two);
        confirm(two, waits, "2846");
        two.decline(waits, "bo", "telegram:2").expect("declined");
        assert_eq!(begun(two, waits), Begun::NotDone("bo declined it".to_owned()));
        let (alone, late) = (show(two), "nobody agreed to it in time");
        confirm(two, alone, "2846");
        let id = show(desk);
        confirm(desk, id, "2846");
        clock.advance(10 * 60_000);
        assert_eq!(begun(two, alone), Begun::NotDone(late.to_owned()));
        let too_late = Begun::NotDone("it was too late for it".to_owned());
        assert_eq!(begun(desk, id), too_late, "before the engine looks");
        assert!(desk.claim().expect("reads").is_none());
        // After that the row itself says why.
        assert_eq!(begun(desk, id), Begun::Taken(Taken::Confirmed(id)));
        assert!(desk.result_of(id).expect("reads").expect("settled").contains("waited too long"));
    }

    #[test]
    fn what_was_taken_under_duress_stands_there_as_accepted_and_is_never_done() {
        let Bench { desk, clock, .. } = &bench();
        desk.set_duress("ana", &pin("2846"), &pin(DURESS)).expect("set");
        let id = show(desk);
        confirm(desk, id, DURESS);
        let row = |id| desk.reader().expect("opens").control(id).expect("reads").expect("there");
        let found = row(id);
        assert_eq!((found.status.as_str(), found.result.as_deref()), ("done", Some("Accepted")));
        let halt = desk.claim().expect("reads").expect("a halt");
        assert_eq!(halt.change().control, Control::Halt);
        desk.store.move_control(halt.id(), "claimed", "done").expect("moved");
        assert!(desk.claim().expect("reads").is_none(), "nothing else is carried out");
        let undoable =
            desk.reader().expect("opens").undoable_control("ana", clock.now().plus_ms(-1_000)).expect("reads");
        assert_eq!(undoable, None);
        desk.store.void_controls(vec!["ana".to_owned()], "not done: lost", clock.now()).expect("stored");
        assert_eq!(row(id), found, "nobody says otherwise later");
    }

    #[test]
    fn which_pin_holds_is_not_made_up() {
        let Bench { desk, .. } = &bench();
        let ask = || desk.ask_new_pin("ana", "telegram:1").expect("shown").id;
        let form = ask();
        assert_eq!(begun(desk, form), Begun::Nothing);
        assert!(desk.confirm(form, "ana", "telegram:1", &pin("2846\n7392\n7393")).is_err());
        assert_eq!(begun(desk, form), Begun::Either, "the old one was taken, and no more");
        let old = ask();
        let Taken::Next(new) = confirm(desk, old, "2846") else { panic!("next") };
        assert_eq!(begun(desk, new), Begun::Nothing);
        let Taken::Next(again) = confirm(desk, new, "7392") else { panic!("next") };
        assert_eq!((begun(desk, new), begun(desk, again)), (Begun::Nothing, Begun::Either));
        confirm(desk, again, "7392");
        assert_eq!(begun(desk, again), Begun::Taken(Taken::Done));
    }
}
