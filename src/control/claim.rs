//! May what was confirmed be done? Whoever carries it out asks its own rules and the people that it knows: another process may know others.

use std::sync::Arc;

use crate::domain::{EventKind, Label};
use crate::store::{ControlRow, Move, Settlement, StoreError};

use super::second::change_of;
use super::{Change, ChangeDesk, Confirmed, DeskError, Factors, VALID_MS};

/// The status of a change that is being carried out.
const CLAIMED: &str = "claimed";

/// What somebody may change now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// True for an owner, false for an operator.
    pub is_owner: bool,
    /// Their books; all where it is none.
    pub books: Option<Vec<Label>>,
}

/// Knows what somebody may change now; none for who may change nothing.
pub type Roll = Arc<dyn Fn(&str) -> Option<Rights> + Send + Sync>;

impl ChangeDesk {
    /// The next confirmed change that was not carried out. It is claimed until the engine's own transaction settles it: nobody else voids it
    /// meanwhile, and whoever finds it claimed at a start claims it anew, so a crash in between neither loses nor repeats it. Only what
    /// makes things safer is carried out late. What waited too long, and what the rules or the roll of this desk do not allow, is void.
    ///
    /// # Errors
    /// When the store fails.
    pub fn claim(&self) -> Result<Option<Confirmed>, DeskError> {
        let reader = self.reader()?;
        while let Some(row) = reader.confirmed_control()? {
            let change = change_of(&row)?;
            if !change.control.is_safe() && self.clock.now() > row.expires.plus_ms(VALID_MS) {
                // It was said that it is accepted, and whoever waited for more has left.
                let lapsed = EventKind::ControlLapsed { person: row.person.clone(), change: change.to_string() };
                self.refuse(&row, &change, "it waited too long; ask again", vec![lapsed])?;
                continue;
            }
            if let Some(why) = self.objection(&row, &change) {
                self.refuse(&row, &change, &why, Vec::new())?;
                continue;
            }
            if row.status != CLAIMED && !self.store.move_control(row.id, "confirmed", CLAIMED)? {
                continue;
            }
            // What an older version was asked is not understood, so nothing of it holds any more.
            let preview = serde_json::from_str(&row.shown_on).unwrap_or_default();
            let (id, person, audit) = (row.id, row.person, row.audit);
            return Ok(Some(Confirmed { id, person, change, preview, audit }));
        }
        Ok(None)
    }

    /// Why a confirmed change is not done after all.
    fn objection(&self, row: &ControlRow, change: &Change) -> Option<String> {
        let tier = change.control.tier();
        if change.control.is_safe() {
            return None;
        }
        let second = row.second.as_deref().filter(|second| *second != row.person);
        let needs_two = self.rules.needs_two(tier);
        if needs_two && second.is_none() {
            return Some("a second person has to agree to it".to_owned());
        }
        let roll = self.roll.as_ref()?;
        let mut shown = row.factors.as_deref().unwrap_or_default().split(' ').map(str::parse::<Factors>);
        let people = std::iter::once(row.person.as_str()).chain(second.filter(|_| needs_two));
        people.into_iter().find_map(|person| {
            let shown = shown.next();
            let Some(rights) = roll(person) else { return Some(format!("{person} may change nothing here")) };
            if !self.within(rights.books).may_change(change) {
                return Some(format!("{person} may not change all its books"));
            }
            let needed = self.rules.factors(rights.is_owner, tier);
            let is_enough = shown.is_some_and(|shown| shown.is_ok_and(|shown| shown.covers(needed)));
            (!is_enough).then(|| format!("it takes {} of {person}", needed.as_str()))
        })
    }

    fn refuse(&self, row: &ControlRow, change: &Change, why: &str, told: Vec<EventKind>) -> Result<(), StoreError> {
        let result = format!("not done: {why}");
        let entry = self.entry(&row.person, &row.chat, &change.to_string(), &result);
        let from = if row.status == CLAIMED { CLAIMED } else { "confirmed" };
        let mut must = Move::new(row.id, from, "void");
        must.result = Some(result);
        let (entry, told) = (Some((entry, None)), self.told(told));
        self.store.settle_control(Settlement { must: Some(must), also: Vec::new(), adds: None, entry, told })?;
        Ok(())
    }

    /// What became of a control, once it is settled.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn result_of(&self, id: i64) -> Result<Option<String>, DeskError> {
        let row = self.reader()?.control(id)?;
        Ok(row.filter(|row| matches!(row.status.as_str(), "done" | "void")).and_then(|row| row.result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::control::desk::tests::{Bench, bench, pin, resume};
    use crate::control::{Control, ControlRules, Taken, Tier};
    use crate::domain::Preview;

    fn rights(is_owner: bool, books: Option<&str>) -> Rights {
        Rights { is_owner, books: books.map(|book| vec![book.parse().expect("a name")]) }
    }

    fn knows(known: &[(&'static str, Rights)]) -> Roll {
        let known = known.to_vec();
        Arc::new(move |name| known.iter().find(|(who, _)| *who == name).map(|(_, rights)| rights.clone()))
    }

    /// Ana resumes by her PIN, and Bo agrees to it by his where two are needed there.
    fn confirmed(desk: &ChangeDesk) -> i64 {
        let shown = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown").id;
        if let Taken::Waits(..) = desk.confirm(shown, "ana", "terminal", &pin("2846")).expect("right") {
            let prompt = desk.show_waiting(shown, "bo", "shell").expect("shown").0.id;
            desk.confirm(prompt, "bo", "shell", &pin("7392")).expect("right");
        }
        shown
    }

    #[test]
    fn what_whoever_carries_it_out_does_not_allow_is_void_and_says_why() {
        let Bench { desk, .. } = &bench();
        desk.set_pin("bo", None, &pin("7392")).expect("set");
        let rules = ControlRules::default;
        let two = || ControlRules { two_persons: vec![Tier::Trade], ..rules() };
        let both = [("ana", rights(true, None)), ("bo", rights(false, None))];
        let lesser = |operator| ControlRules { operator, ..two() };
        let cases = [
            (rules(), two(), both.to_vec(), "a second person has to agree to it"),
            (rules(), ControlRules { owner: Factors::Both, ..rules() }, both.to_vec(), "it takes pin+totp of ana"),
            (rules(), rules(), both[1..].to_vec(), "ana may change nothing here"),
            (rules(), rules(), vec![("ana", rights(true, Some("calm")))], "ana may not change all its books"),
            (two(), two(), both[..1].to_vec(), "bo may change nothing here"),
            (two(), lesser(Factors::Totp), both.to_vec(), "it takes totp of bo"),
            (rules(), rules(), both.to_vec(), ""),
            (two(), two(), both.to_vec(), ""),
        ];
        for (theirs, own, known, why) in cases {
            let id = confirmed(&desk.clone().ruled_by(theirs));
            let own = desk.clone().ruled_by(own).knowing(knows(&known));
            let claimed = own.claim().expect("reads");
            if why.is_empty() {
                assert_eq!(claimed.expect("allowed").id(), id);
                assert!(desk.store.move_control(id, CLAIMED, "done").expect("moved"));
                continue;
            }
            let result = format!("not done: {why}");
            assert!(claimed.is_none(), "{why}");
            assert_eq!(own.result_of(id).expect("reads"), Some(result.clone()));
            let last = desk.reader().and_then(|reader| reader.audit_rows()).expect("reads").pop().expect("one").entry;
            assert_eq!((last.person.as_str(), last.words.as_str(), last.result), ("ana", "/resume", result));
        }
        let lapsed = desk.reader().and_then(|reader| reader.journal_all()).expect("reads");
        assert!(!lapsed.iter().any(|row| matches!(row.event.kind, EventKind::ControlLapsed { .. })));
        desk.admit_safe(&Control::Halt, "eve", "shell").expect("admitted");
        let halt = desk.clone().ruled_by(two()).knowing(knows(&[])).claim().expect("reads");
        assert_eq!(halt.expect("halts always").person(), "eve");
    }

    #[test]
    fn what_waits_of_who_lost_rights_is_void_but_for_what_stops() {
        let Bench { desk, clock, .. } = &bench();
        desk.set_pin("bo", None, &pin("7392")).expect("set");
        let two = desk.clone().ruled_by(ControlRules { two_persons: vec![Tier::Trade], ..ControlRules::default() });
        let show = |desk: &ChangeDesk, chat| desk.show(&resume(), "ana", chat, &Preview::default()).expect("shown").id;
        let waits = show(&two, "terminal");
        two.confirm(waits, "ana", "terminal", &pin("2846")).expect("waits");
        let (done, shown) = (confirmed(desk), show(desk, "shell"));
        desk.admit_safe(&Control::Halt, "ana", "discord:1").expect("admitted");
        desk.store.void_controls(vec!["ana".to_owned()], "not done: lost", clock.now()).expect("stored");
        assert!(matches!(two.show_waiting(waits, "bo", "shell"), Err(DeskError::NothingWaits(_))));
        assert!(matches!(desk.confirm(shown, "ana", "shell", &pin("2846")), Err(DeskError::NothingShown)));
        assert_eq!(desk.claim().expect("reads").expect("the halt").change().control, Control::Halt);
        assert_eq!(desk.result_of(done).expect("reads").as_deref(), Some("not done: lost"));
        let rows = desk.reader().and_then(|reader| reader.audit_rows()).expect("reads");
        assert_eq!(rows.iter().filter(|row| row.entry.result == "not done: lost").count(), 2);
    }

    #[test]
    fn what_is_being_carried_out_is_voided_by_nobody_and_is_found_again_at_a_start() {
        let Bench { desk, clock, .. } = &bench();
        let id = confirmed(desk);
        assert_eq!(desk.claim().expect("reads").expect("one").id(), id);
        let status = || desk.reader().and_then(|reader| reader.control(id)).expect("reads").expect("one").status;
        assert_eq!(status(), "claimed");
        desk.store.void_controls(vec!["ana".to_owned()], "not done: lost", clock.now()).expect("stored");
        assert_eq!((status().as_str(), desk.result_of(id).expect("reads")), ("claimed", None));
        let rows = desk.reader().and_then(|reader| reader.audit_rows()).expect("reads");
        assert!(rows.iter().all(|row| row.entry.result != "not done: lost"));
        assert_eq!(desk.claim().expect("reads").expect("as after a crash").id(), id);
        // Rights that are gone by then are gone.
        assert!(desk.clone().knowing(knows(&[])).claim().expect("reads").is_none());
        assert_eq!(desk.result_of(id).expect("reads").as_deref(), Some("not done: ana may change nothing here"));
    }

    #[test]
    fn what_waited_too_long_is_refused_audited_and_told_to_whoever_asked() {
        for was_claimed in [false, true] {
            let Bench { desk, clock, .. } = &bench();
            let id = confirmed(desk);
            if was_claimed {
                assert!(desk.claim().expect("reads").is_some());
            }
            clock.advance(2 * VALID_MS + 1);
            assert!(desk.claim().expect("reads").is_none());
            let why = "not done: it waited too long; ask again";
            assert_eq!(desk.result_of(id).expect("reads").as_deref(), Some(why));
            let reader = desk.reader().expect("opens");
            let last = reader.audit_rows().expect("reads").pop().expect("one").entry;
            assert_eq!((last.person.as_str(), last.words.as_str(), last.result.as_str()), ("ana", "/resume", why));
            let told = reader.journal_all().expect("reads").pop().expect("one").event.kind;
            let want = EventKind::ControlLapsed { person: "ana".to_owned(), change: "/resume".to_owned() };
            assert_eq!(told, want);
            assert!(desk.claim().expect("reads").is_none(), "it is told once");
        }
    }
}
