//! What else is asked for at the desk besides a change? That a second person agrees to one, and a new PIN.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::store::{ControlRow, Move, Settlement, StoreError};

use super::factors::Entered;
use super::{ChangeDesk, DeskError, Factors, Shown, Taken, Tier, VALID_MS, check_strength};

/// Prompts for a new PIN that are remembered.
const STEPS_MAX: usize = 100;

/// What a row of the desk asks for that is no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "prompt", rename_all = "snake_case")]
pub(super) enum Prompt {
    /// To agree to what somebody else wants.
    Approve {
        /// Its row.
        of: i64,
    },
    /// A step towards a new PIN.
    NewPin {
        /// Which.
        step: PinStep,
    },
}

/// A step towards a new PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinStep {
    /// The PIN as it is.
    Old,
    /// The new one.
    New,
    /// The new one once more.
    Again,
}

/// What a prompt takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Who it is.
    Proof(Factors),
    /// A step towards a new PIN; the first proves who it is.
    NewPin(PinStep, Factors),
}

/// What a prompt takes, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What.
    pub what: Asks,
    /// For so many seconds from when it is shown.
    pub valid_s: i64,
}

impl std::fmt::Display for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.what {
            Asks::Proof(factors) => factors.fmt(f),
            Asks::NewPin(PinStep::Old, Factors::Pin) => f.write_str("your PIN as it is now"),
            Asks::NewPin(PinStep::Old, _) => {
                f.write_str("your PIN as it is now and right behind it the six digits of your app")
            }
            Asks::NewPin(PinStep::New, _) => f.write_str("the new PIN, 4 to 12 digits"),
            Asks::NewPin(PinStep::Again, _) => f.write_str("the new PIN once more"),
        }
    }
}

impl Prompt {
    /// What a row asks for, if it is no change.
    pub(super) fn of(row: &ControlRow) -> Option<Self> {
        serde_json::from_str(&row.control).ok()
    }
}

/// What was entered on the way to a new PIN; in memory alone. A restart forgets it, and the command is given again.
#[derive(Clone, Default)]
pub(super) struct Steps(Arc<Mutex<Vec<Step>>>);

struct Step {
    /// The prompt that it goes on with.
    id: i64,
    entered: Entered,
    new: Option<SecretString>,
}

impl Steps {
    fn put(&self, step: Step) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() >= STEPS_MAX {
            steps.remove(0);
        }
        steps.push(step);
    }

    fn take(&self, id: i64) -> Option<Step> {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = steps.iter().position(|step| step.id == id)?;
        Some(steps.remove(at))
    }
}

impl ChangeDesk {
    /// Shows a prompt that is no change.
    pub(super) fn show_prompt(&self, prompt: Prompt, person: &str, chat: &str) -> Result<Shown, DeskError> {
        let shown = self.clock.now();
        let expires = shown.plus_ms(VALID_MS);
        let id = self.store.show_control(ControlRow {
            id: 0,
            person: person.to_owned(),
            chat: chat.to_owned(),
            control: serde_json::to_string(&prompt).map_err(StoreError::from)?,
            shown_on: String::new(),
            shown,
            expires,
            status: "shown".to_owned(),
            result: None,
            audit: None,
            second: None,
            factors: None,
        })?;
        Ok(Shown { id, expires })
    }

    /// What a row that was shown takes.
    ///
    /// # Errors
    /// When there is no such row, or the store fails.
    pub fn ask_of(&self, id: i64) -> Result<Ask, DeskError> {
        let row = self.reader()?.control(id)?.ok_or(DeskError::NothingShown)?;
        let valid_s = row.expires.since(row.shown) / 1000;
        let what = match Prompt::of(&row) {
            Some(Prompt::NewPin { step }) => Asks::NewPin(step, self.factors_of_pin()),
            Some(Prompt::Approve { of }) => {
                let row = self.reader()?.control(of)?.ok_or(DeskError::NothingShown)?;
                Asks::Proof(self.factors_of(&row)?)
            }
            None => Asks::Proof(self.factors_of(&row)?),
        };
        Ok(Ask { what, valid_s })
    }

    /// Asks for a new PIN.
    ///
    /// # Errors
    /// When there is none to be changed, or it is locked.
    pub fn ask_new_pin(&self, person: &str, chat: &str) -> Result<Shown, DeskError> {
        self.check_able(person, self.factors_of_pin())?;
        if let Some(until) = self.too_often(person)?.filter(|until| self.clock.now() < *until) {
            return Err(DeskError::TooOften { until });
        }
        self.show_prompt(Prompt::NewPin { step: PinStep::Old }, person, chat)
    }

    /// Whoever changes a PIN shows it, and the code of their app if anything of theirs needs one.
    fn factors_of_pin(&self) -> Factors {
        let tiers = Tier::ALL.into_iter();
        tiers.fold(Factors::Pin, |needed, tier| needed.and(self.rules.factors(self.is_owner, tier)))
    }

    /// Takes a step towards a new PIN, or, where three lines came at once, all of them.
    pub(super) fn take_new_pin(
        &self,
        row: &ControlRow,
        step: PinStep,
        typed: &SecretString,
    ) -> Result<Taken, DeskError> {
        let (person, chat) = (row.person.as_str(), row.chat.as_str());
        let lines: Vec<SecretString> = typed.expose_secret().split('\n').map(SecretString::from).collect();
        if let ([old, new, again], PinStep::Old) = (lines.as_slice(), step) {
            let entered = self.prove(row, old)?;
            // What comes of the rest, the old one is entered.
            self.settle_prompt(row.id)?;
            check_same(new, again)?;
            check_strength(new)?;
            self.renew(person, entered, new)?;
            return Ok(Taken::Done);
        }
        let next = |step, entered, new| {
            self.settle_prompt(row.id)?;
            let shown = self.show_prompt(Prompt::NewPin { step }, person, chat)?;
            self.steps.put(Step { id: shown.id, entered, new });
            Ok(Taken::Next(shown.id))
        };
        if step == PinStep::Old {
            let entered = self.prove(row, typed)?;
            return next(PinStep::New, entered, None);
        }
        let before = self.steps.take(row.id).ok_or(DeskError::NothingShown)?;
        match before.new {
            None => {
                check_strength(typed)?;
                self.charge_new(person)?;
                self.check_other(person, before.entered, typed)?;
                next(PinStep::Again, before.entered, Some(typed.clone()))
            }
            Some(new) => {
                check_same(&new, typed)?;
                self.renew_charged(person, before.entered, &new)?;
                self.settle_prompt(row.id)?;
                Ok(Taken::Done)
            }
        }
    }

    /// The old PIN; under duress everything halts at once.
    fn prove(&self, row: &ControlRow, typed: &SecretString) -> Result<Entered, DeskError> {
        let entered = self.verify(&row.person, typed, self.factors_of_pin())?;
        if entered == Entered::Duress {
            self.yield_to((&row.person, &row.chat), None, Vec::new())?;
        }
        Ok(entered)
    }

    fn settle_prompt(&self, id: i64) -> Result<(), DeskError> {
        let mut done = Move::new(id, "shown", "done");
        done.result = Some("Accepted".to_owned());
        let told = self.told(Vec::new());
        self.store.settle_control(Settlement { must: None, also: vec![done], adds: None, entry: None, told })?;
        Ok(())
    }

    /// Until when what a row of the desk waits for can be given.
    pub(super) fn is_over(&self, row: &ControlRow) -> bool {
        let now: Timestamp = self.clock.now();
        now > row.expires || now < row.shown
    }
}

fn check_same(new: &SecretString, again: &SecretString) -> Result<(), DeskError> {
    if new.expose_secret() == again.expose_secret() { Ok(()) } else { Err(DeskError::Differ) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::desk::tests::{Bench, bench, pin};
    use crate::control::pin::RULES;
    use crate::control::{Control, ControlRules, WeakPin};

    /// Enters these for a new PIN, one after the other; how the last was taken.
    fn entered(desk: &ChangeDesk, typed: &[&str]) -> Result<Taken, DeskError> {
        let mut id = desk.ask_new_pin("ana", "telegram:1")?.id;
        for (place, one) in typed.iter().enumerate() {
            match desk.confirm(id, "ana", "telegram:1", &pin(one))? {
                Taken::Next(next) if place + 1 < typed.len() => id = next,
                taken => return Ok(taken),
            }
        }
        Err(DeskError::NothingShown)
    }

    fn is_pin(desk: &ChangeDesk, digits: &str) -> bool {
        desk.verify("ana", &pin(digits), Factors::Pin).is_ok_and(|entered| entered == Entered::Right)
    }

    #[test]
    fn a_new_pin_takes_the_old_one_and_itself_twice() {
        let Bench { clock, desk, .. } = &bench();
        assert!(matches!(entered(desk, &["1111"]), Err(DeskError::Wrong { left: 4 })));
        assert!(matches!(entered(desk, &["2846", "4321"]), Err(DeskError::Weak(_))));
        assert!(matches!(entered(desk, &["2846", "7392", "7393"]), Err(DeskError::Differ)));
        assert!(is_pin(desk, "2846"));
        assert!(matches!(entered(desk, &["2846", "7392", "7392"]), Ok(Taken::Done)));
        assert!(is_pin(desk, "7392") && !is_pin(desk, "2846"));
        clock.advance(RULES.kept_ms);
        // All at once, as a form gives it.
        assert!(matches!(entered(desk, &["7392\n605814\n605815"]), Err(DeskError::Differ)));
        assert!(matches!(entered(desk, &["7392\n605814\n605814"]), Ok(Taken::Done)));
        assert!(is_pin(desk, "605814"));
        // Each step has its own minute, and its own chat.
        let first = desk.ask_new_pin("ana", "telegram:1").expect("shown").id;
        let Ok(Taken::Next(second)) = desk.confirm(first, "ana", "telegram:1", &pin("605814")) else { panic!("next") };
        assert!(desk.confirm(second, "ana", "terminal", &pin("7392")).is_err());
        clock.advance(VALID_MS + 1);
        assert!(matches!(desk.confirm(second, "ana", "telegram:1", &pin("7392")), Err(DeskError::Expired)));
    }

    #[test]
    fn under_duress_the_other_pin_changes_and_everything_halts() {
        let Bench { desk, .. } = &bench();
        desk.set_duress("ana", &pin("2846"), &pin("918273")).expect("set");
        assert!(matches!(entered(desk, &["918273", "7392", "7392"]), Ok(Taken::Done)));
        assert_eq!(desk.claim().expect("reads").expect("a halt").change().control, Control::Halt);
        assert!(is_pin(desk, "2846"), "their own stays");
        let entered = desk.verify("ana", &pin("7392"), Factors::Pin).expect("answered as before");
        assert_eq!(entered, Entered::Duress);
    }

    #[test]
    fn it_asks_for_what_the_strictest_tier_asks_for_and_never_takes_the_other_one() {
        let Bench { desk, .. } = &bench();
        let rules = ControlRules { tiers: vec![(Tier::Light, Factors::Totp)], ..ControlRules::default() };
        let strict = desk.clone().ruled_by(rules).ask_new_pin("ana", "terminal");
        assert!(matches!(strict, Err(DeskError::NoTotp(_))), "{strict:?}");
        desk.set_duress("ana", &pin("2846"), &pin("918273")).expect("set");
        for typed in [&["918273", "2846"][..], &["918273\n2846\n2846"], &["2846", "918273"]] {
            assert!(matches!(entered(desk, typed), Err(DeskError::Weak(WeakPin::Guessable))), "{typed:?}");
        }
        assert!(matches!(entered(desk, &["1111"]), Err(DeskError::TooOften { .. })));
        let locked = desk.verify("ana", &pin("1111"), Factors::Pin);
        assert!(matches!(locked, Err(DeskError::Locked { just_now: true, .. })), "each was a try: {locked:?}");
    }
}
