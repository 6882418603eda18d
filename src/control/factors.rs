//! Who is it? The PIN, the code of an app, or both in one go, as the rules ask; each try is counted before it is looked at.

use secrecy::{ExposeSecret, SecretString};

use crate::clock::Timestamp;
use crate::domain::{Event, EventKind, Preview};
use crate::store::{Added, AuditEntry, Charged, Guard, Move, Refund, Settlement, Told};

use super::action::Change;
use super::desk::row;
use super::pin::{RULES, matches};
use super::totp::{TOTP_DIGITS, step_of};
use super::{ChangeDesk, Control, DeskError, Factors};

/// What was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// What was asked for.
    Right,
    /// The PIN of somebody who is made to enter one.
    Duress,
}

/// The PIN and the code in what was typed in one go.
fn split(typed: &str, factors: Factors) -> (&str, &str) {
    match factors {
        Factors::Pin => (typed, ""),
        Factors::Totp => (typed, typed),
        Factors::Both => {
            let at = typed.len().checked_sub(TOTP_DIGITS);
            at.and_then(|at| typed.split_at_checked(at)).unwrap_or((typed, ""))
        }
    }
}

/// What was entered, and the step of the code that it took. Both hashes are computed whichever matches, the PIN's a second time where no
/// other is set: how long it takes tells nothing.
fn compare(typed: &str, factors: Factors, guard: &Guard, now: Timestamp) -> Option<(Entered, Option<i64>)> {
    let (pin, code) = split(typed, factors);
    let is_pin = matches(pin, &guard.hash);
    let is_duress = matches(pin, guard.duress.as_ref().unwrap_or(&guard.hash)) && guard.duress.is_some() && !is_pin;
    let step = guard.totp.as_ref().and_then(|secret| step_of(secret, code, now));
    let entered = match factors {
        Factors::Pin | Factors::Both if is_pin => Entered::Right,
        _ if is_duress => Entered::Duress,
        Factors::Totp if step.is_some() => Entered::Right,
        _ => return None,
    };
    match (factors, entered) {
        (Factors::Pin, _) | (Factors::Totp, Entered::Duress) => Some((entered, None)),
        (Factors::Totp | Factors::Both, _) => step.map(|step| (entered, Some(step))),
    }
}

impl ChangeDesk {
    /// Every try is charged before it is looked at, in one transaction: guesses in parallel count one by one.
    pub(super) fn verify(&self, person: &str, typed: &SecretString, factors: Factors) -> Result<Entered, DeskError> {
        let now = self.clock.now();
        let (guard, left, locked, before) = match self.store.charge_pin(person, now, RULES)? {
            Charged::NoPin => return Err(DeskError::NoPin(person.to_owned())),
            Charged::Locked(until) => return Err(DeskError::Locked { until, just_now: false }),
            Charged::Try { guard, left, locked, before } => (guard, left, locked, before),
        };
        // Both PINs take the same back: the tries that are left never tell which one was entered.
        if let Some((entered, step)) = compare(typed.expose_secret(), factors, &guard, now)
            && self.store.refund_pin(person, Refund { at: now, before, left, locked, step, forgives: true }, RULES)?
        {
            return Ok(entered);
        }
        self.note_wrong(self.entry(person, "desk", "pin", "wrong"), locked)?;
        Err(match factors {
            Factors::Pin => DeskError::Wrong { left },
            Factors::Totp | Factors::Both => DeskError::WrongFactors { left },
        })
    }

    /// A wrong try stands in the audit; one that locks is told to everybody and is an error of its own.
    pub(super) fn note_wrong(&self, mut entry: AuditEntry, locked: Option<Timestamp>) -> Result<(), DeskError> {
        let Some(until) = locked else { return Ok(self.store.audit(entry).map(drop)?) };
        "wrong, locked".clone_into(&mut entry.result);
        let told = self.told(vec![EventKind::PinLocked { person: entry.person.clone(), until }]);
        let entry = Some((entry, None));
        self.store.settle_control(Settlement { must: None, also: Vec::new(), adds: None, entry, told })?;
        Err(DeskError::Locked { until, just_now: true })
    }

    /// What of it a person has not: nothing is asked of them that they cannot give.
    pub(super) fn check_able(&self, person: &str, factors: Factors) -> Result<(), DeskError> {
        let reader = self.reader()?;
        if factors.needs_pin() && !reader.has_pin(person)? {
            return Err(DeskError::NoPin(person.to_owned()));
        }
        if factors.needs_totp() && !reader.has_totp(person)? {
            return Err(DeskError::NoTotp(person.to_owned()));
        }
        match reader.pin_locked_until(person)? {
            Some(until) if until > self.clock.now() => Err(DeskError::Locked { until, just_now: false }),
            _ => Ok(()),
        }
    }

    /// What is told by what is done now.
    pub(super) fn told(&self, kinds: Vec<EventKind>) -> Told {
        let now = self.clock.now();
        let events = kinds.into_iter().map(|kind| Event { at: now, book: None, kind }).collect();
        Told { run: self.run, wall: now, events, routes: self.routes.now() }
    }

    /// Somebody is made to enter a PIN: nothing of what was shown is done, every book halts, and the other owners learn why. Nobody else
    /// does: whatever `person` sees says what it would say anyway. `entry` is the row of the audit that what was asked for would have left.
    /// The row of the halt.
    pub(super) fn yield_to(
        &self,
        (person, chat): (&str, &str),
        entry: Option<AuditEntry>,
        voided: Vec<Move>,
    ) -> Result<i64, DeskError> {
        let now = self.clock.now();
        let halt = |change, person, chat| row(change, person, chat, &Preview::default(), now, now, "confirmed");
        // It stands there as one that they ask for would, and everything else halts in nobody's name.
        let own = self.change(Control::Halt, None)?;
        let all = Change { control: Control::Halt, books: None };
        let rest = own.books.as_ref().map(|_| halt(&all, "", "")).transpose()?;
        let words = self.entry(person, chat, &own.to_string(), "confirmed without a PIN");
        let adds = Some(Added { own: halt(&own, person, chat)?, entry: words, rest });
        let entry = entry.map(|entry| (entry, None));
        let told = self.told(vec![EventKind::DuressPin { person: person.to_owned() }]);
        let settlement = Settlement { must: None, also: voided, adds, entry, told };
        let (_, row) = self.store.settle_control(settlement)?;
        row.ok_or(DeskError::NothingShown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::desk::tests::{Bench, bench, pin};

    #[test]
    fn a_pin_and_a_code_come_in_one_go() {
        for (typed, factors, want) in [
            ("2846", Factors::Pin, ("2846", "")),
            ("2846123456", Factors::Both, ("2846", "123456")),
            ("123456", Factors::Totp, ("123456", "123456")),
            ("12345", Factors::Both, ("12345", "")),
            ("", Factors::Both, ("", "")),
            ("28\u{e9}23456", Factors::Both, ("28\u{e9}23456", "")),
        ] {
            assert_eq!(split(typed, factors), want, "{typed} {factors:?}");
        }
    }

    #[test]
    fn the_pin_under_duress_is_told_apart_and_wrong_ones_are_wrong() {
        let Bench { desk, .. } = &bench();
        desk.set_duress("ana", &pin("2846"), &pin("1939201")).expect("set");
        assert_eq!(desk.verify("ana", &pin("2846"), Factors::Pin).expect("right"), Entered::Right);
        assert_eq!(desk.verify("ana", &pin("1939201"), Factors::Pin).expect("right"), Entered::Duress);
        assert!(matches!(desk.verify("ana", &pin("19392"), Factors::Pin), Err(DeskError::Wrong { left: 3 })));
        assert!(matches!(desk.verify("ana", &pin("2846"), Factors::Both), Err(DeskError::WrongFactors { left: 2 })));
    }
}
