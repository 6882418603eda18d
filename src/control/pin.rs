//! Is this the PIN? Kept as an argon2id hash; weak ones are refused, and who guesses is locked out.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Timestamp;
use crate::domain::EventKind;
use crate::store::{Charged, PinKind, PinRules};

use super::factors::Entered;
use super::{ChangeDesk, DeskError, Factors};

/// The fewest digits of a PIN.
pub const PIN_DIGITS_MIN: u8 = 4;
/// The most digits of a PIN.
pub const PIN_DIGITS_MAX: u8 = 12;

/// Lines of the keys, words and numbers that many people take.
const COMMON: [&str; 33] = [
    "0007", "0070", "0741", "0852", "0963", "1004", "1470", "1590", "1701", "2580", "3570", "3690", "5683", "7410",
    "7530", "8520", "9510", "9630", "112358", "123654", "147258", "147852", "159357", "159753", "258369", "258456",
    "271828", "314159", "456123", "520131", "741852", "753159", "789456",
];

/// Five wrong tries lock the PIN for a quarter of an hour; each further lock lasts twice as long. An hour after the last wrong one a right
/// one takes them back.
pub(super) const RULES: PinRules =
    PinRules { wrong_max: 5, lock_ms: 15 * 60_000, doublings_max: 10, kept_ms: 60 * 60_000 };

/// How dear one guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl PinCost {
    /// What people get: 19 MiB and two passes, as OWASP's password storage advice has it.
    pub const REAL: Self = Self { memory_kib: 19 * 1024, passes: 2 };
    /// The least there is, so that tests may try often.
    pub const LEAST: Self = Self { memory_kib: 8, passes: 1 };

    fn hasher(self) -> Option<Argon2<'static>> {
        let params = Params::new(self.memory_kib, self.passes, 1, None).ok()?;
        Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Why a PIN is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// Not only digits, too few or too many.
    #[error("a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")]
    NotDigits,
    /// All the same, one run up or down, and whatever else many people take.
    #[error("that PIN is among the first that anybody would try")]
    Guessable,
    /// It is the very one that it is to be told apart from.
    #[error("that is the PIN that you have: choose another")]
    Same,
}

/// Whether a PIN is good enough to be set.
///
/// # Errors
/// When it is not made of digits, or too easy to guess.
pub fn check_strength(pin: &SecretString) -> Result<(), WeakPin> {
    let digits = pin.expose_secret().as_bytes();
    let length = usize::from(PIN_DIGITS_MIN)..=usize::from(PIN_DIGITS_MAX);
    if !length.contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WeakPin::NotDigits);
    }
    if is_guessable(digits) { Err(WeakPin::Guessable) } else { Ok(()) }
}

/// One digit or one step all along, a year, a group that repeats, pairs, the same from behind, or one of the commonest.
fn is_guessable(digits: &[u8]) -> bool {
    let steps: Vec<i16> = digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    let one_step = [0, 1, -1, 2, -2].iter().any(|step| steps.iter().all(|found| found == step));
    let year = digits.len() == 4 && (digits.starts_with(b"19") || digits.starts_with(b"20"));
    let repeats = |group: usize| digits.len() > group && digits.chunks(group).all(|part| digits.starts_with(part));
    let pairs = digits.len().is_multiple_of(2) && digits.chunks(2).all(|pair| pair[0] == pair[1]);
    let mirrored = digits.iter().eq(digits.iter().rev());
    let common = COMMON.iter().any(|common| common.as_bytes() == digits);
    one_step || year || repeats(2) || repeats(3) || pairs || mirrored || common
}

/// The hash to keep, with its own salt and cost; none if the cost itself is impossible.
pub(super) fn hash(pin: &SecretString, cost: PinCost) -> Option<String> {
    let hash = cost.hasher()?.hash_password(pin.expose_secret().as_bytes()).ok()?;
    Some(hash.to_string())
}

/// Whether `pin` is the one that was hashed; compared in constant time, at the cost that is part of the hash.
pub(super) fn matches(pin: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(pin.as_bytes(), &hash).is_ok()
}

impl ChangeDesk {
    /// Whether a person has a PIN.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_pin(&self, person: &str) -> Result<bool, DeskError> {
        Ok(self.reader()?.has_pin(person)?)
    }

    /// What a person shows before anything is changed that they prove who they are by: their PIN, the code of their app where there is no
    /// PIN, and nothing where there is neither.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn held(&self, person: &str) -> Result<Option<Factors>, DeskError> {
        let reader = self.reader()?;
        Ok(match (reader.has_pin(person)?, reader.has_totp(person)?) {
            (true, _) => Some(Factors::Pin),
            (false, true) => Some(Factors::Totp),
            (false, false) => None,
        })
    }

    /// What was entered for what they hold; under duress everything halts.
    pub(super) fn enter_held(&self, person: &str, typed: Option<&SecretString>) -> Result<Entered, DeskError> {
        let Some(factors) = self.held(person)? else { return Ok(Entered::Right) };
        self.verify(person, typed.unwrap_or(&SecretString::default()), factors)
    }

    /// Sets a person's PIN, by what they hold. Whoever has the terminal and holds nothing may set the first, of which everybody is told.
    ///
    /// # Errors
    /// When the new one is weak, or the old one wrong or locked.
    pub fn set_pin(&self, person: &str, old: Option<&SecretString>, new: &SecretString) -> Result<(), DeskError> {
        check_strength(new)?;
        let entered = self.enter_held(person, old)?;
        self.halt_if(entered, person)?;
        self.renew(person, entered, new)
    }

    /// Sets a PIN for whoever is made to enter one, by the PIN that they have.
    ///
    /// # Errors
    /// When the new one is weak, or the old one wrong or locked.
    pub fn set_duress(&self, person: &str, own: &SecretString, duress: &SecretString) -> Result<(), DeskError> {
        check_strength(duress)?;
        self.check_able(person, Factors::Pin)?;
        let entered = self.verify(person, own, Factors::Pin)?;
        self.halt_if(entered, person)?;
        // Both were typed just now: that they are the same tells nothing.
        if own.expose_secret() == duress.expose_secret() {
            return Err(WeakPin::Same.into());
        }
        // Whoever is made to do this has entered the one they have, which is changed like that.
        self.renew(person, Entered::Duress, duress)
    }

    /// Sets a PIN without the old one, for whoever has the machine; everybody is told. A second PIN is gone by it, and nobody looks whether
    /// there was one: whoever was given one of the two must not see which it is, by whether it is taken or goes on being right.
    ///
    /// # Errors
    /// When it is weak.
    pub fn replace_pin(&self, person: &str, new: &SecretString) -> Result<(), DeskError> {
        check_strength(new)?;
        let hash = hash(new, self.cost).ok_or(DeskError::Hash)?;
        let entry = self.entry(person, "desk", "pin set without the old one", "done");
        let what = "their PIN was set anew on the machine, without the old one".to_owned();
        let told = self.told(vec![EventKind::FactorChanged { person: person.to_owned(), what }]);
        Ok(self.store.keep_pin(person, (PinKind::Anew, hash), entry, told)?)
    }

    /// Under duress everything halts, before anything is changed on the machine.
    pub(super) fn halt_if(&self, entered: Entered, person: &str) -> Result<(), DeskError> {
        match entered {
            Entered::Right => Ok(()),
            Entered::Duress => self.yield_to((person, "shell"), None, Vec::new()).map(drop),
        }
    }

    /// The PIN that was entered is the new one from now on: whoever was made to enter the one for duress has changed that one, and goes on
    /// being answered as before. Of a first one everybody is told.
    pub(super) fn renew(&self, person: &str, entered: Entered, new: &SecretString) -> Result<(), DeskError> {
        self.charge_new(person)?;
        self.renew_charged(person, entered, new)
    }

    /// The same of one that was charged before.
    pub(super) fn renew_charged(&self, person: &str, entered: Entered, new: &SecretString) -> Result<(), DeskError> {
        self.check_other(person, entered, new)?;
        let kind = if entered == Entered::Right { PinKind::Own } else { PinKind::Duress };
        let hash = hash(new, self.cost).ok_or(DeskError::Hash)?;
        let entry = self.entry(person, "desk", "pin set", "done");
        let first = (!self.has_pin(person)?).then(|| EventKind::FactorChanged {
            person: person.to_owned(),
            what: "their first PIN was set on the machine".to_owned(),
        });
        Ok(self.store.keep_pin(person, (kind, hash), entry, self.told(first.into_iter().collect()))?)
    }

    /// Where so many tries were wrong, or new PINs set, that one more would lock: from when a right PIN takes them back. Until then no new one
    /// is taken, so that nobody is locked by that alone.
    pub(super) fn too_often(&self, person: &str) -> Result<Option<Timestamp>, DeskError> {
        let tries = self.reader()?.pin_tries(person)?;
        let over = tries.filter(|(wrong, _)| wrong + 1 >= RULES.wrong_max);
        Ok(over.map(|(_, last)| last.plus_ms(RULES.kept_ms)))
    }

    /// Every new PIN is a try at the other one, before anybody looks whether it is that: whichever of the two was entered, and where there
    /// is only one. Nothing but an hour takes it back: who was given one of them must not find the other by asking for it.
    pub(super) fn charge_new(&self, person: &str) -> Result<(), DeskError> {
        if let Some(until) = self.too_often(person)? {
            return Err(DeskError::TooOften { until });
        }
        match self.store.charge_pin(person, self.clock.now(), RULES)? {
            Charged::NoPin | Charged::Try { locked: None, .. } => Ok(()),
            Charged::Locked(until) => Err(DeskError::Locked { until, just_now: false }),
            // Others tried meanwhile.
            Charged::Try { locked, .. } => self.note_wrong(self.entry(person, "desk", "pin", "wrong"), locked),
        }
    }

    /// A new PIN that is the other one of the same person is answered like one that anybody would guess.
    pub(super) fn check_other(&self, person: &str, entered: Entered, new: &SecretString) -> Result<(), DeskError> {
        let reader = self.reader()?;
        let (own, duress) = (reader.pin_hash(person, PinKind::Own)?, reader.pin_hash(person, PinKind::Duress)?);
        let (same, other) = if entered == Entered::Right { (own, duress) } else { (duress, own) };
        // As much is computed where there is no other one: how long it takes tells nothing.
        let is_matched = other.as_ref().or(same.as_ref()).is_some_and(|hash| matches(new.expose_secret(), hash));
        if !is_matched || other.is_none() {
            return Ok(());
        }
        self.note_wrong(self.entry(person, "desk", "pin", "wrong"), None)?;
        Err(WeakPin::Guessable.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::control::Taken;
    use crate::control::desk::tests::{Bench, bench, pin, resume};
    use crate::domain::Preview;

    #[test]
    fn weak_pins_are_refused() {
        for (pin, want) in [
            ("2846", Ok(())),
            ("90817263", Ok(())),
            ("123", Err(WeakPin::NotDigits)),
            ("12a4", Err(WeakPin::NotDigits)),
            ("1234567890123", Err(WeakPin::NotDigits)),
            ("0000", Err(WeakPin::Guessable)),
            ("3456", Err(WeakPin::Guessable)),
            ("987654", Err(WeakPin::Guessable)),
            ("1984", Err(WeakPin::Guessable)),
            ("4747", Err(WeakPin::Guessable)),
            ("1357", Err(WeakPin::Guessable)),
            ("8642", Err(WeakPin::Guessable)),
            ("2580", Err(WeakPin::Guessable)),
            ("112233", Err(WeakPin::Guessable)),
            ("7337", Err(WeakPin::Guessable)),
            ("739739", Err(WeakPin::Guessable)),
            ("7397391", Ok(())),
            ("147258", Err(WeakPin::Guessable)),
        ] {
            assert_eq!(check_strength(&SecretString::from(pin)), want, "{pin}");
        }
    }

    #[test]
    fn the_real_cost_is_in_the_hash_and_the_pin_is_not() {
        let pin = SecretString::from("2846");
        let kept = hash(&pin, PinCost::REAL).expect("possible");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(!kept.contains("2846"));
        assert!(matches("2846", &kept) && !matches("2847", &kept));
    }

    #[test]
    fn five_wrong_pins_lock_for_a_quarter_of_an_hour_and_then_twice_as_long() {
        let Bench { clock, desk, .. } = &bench();
        let right = || desk.verify("ana", &pin("2846"), Factors::Pin);
        assert!(matches!(desk.set_pin("ana", None, &pin("7391")), Err(DeskError::Wrong { left: 4 })));
        assert!(right().is_ok(), "it takes no wrong one back so soon");
        for (minutes, lefts) in [(15, vec![3, 2, 1]), (30, vec![4, 3, 2, 1])] {
            for left in lefts {
                let shown = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown");
                let wrong = desk.confirm(shown.id, "ana", "terminal", &pin("1111"));
                assert!(matches!(wrong, Err(DeskError::Wrong { left: l }) if l == left));
            }
            let shown = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown");
            let locked = desk.confirm(shown.id, "ana", "terminal", &pin("1111"));
            assert!(matches!(locked, Err(DeskError::Locked { just_now: true, .. })));
            let right = desk.confirm(shown.id, "ana", "terminal", &pin("2846"));
            assert!(matches!(right, Err(DeskError::Locked { just_now: false, .. })));
            let again = desk.show(&resume(), "ana", "terminal", &Preview::default());
            assert!(matches!(again, Err(DeskError::Locked { just_now: false, .. })));
            clock.advance(minutes * 60_000 + 1);
        }
        let shown = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown");
        assert!(desk.confirm(shown.id, "ana", "terminal", &pin("2846")).is_ok());
    }

    /// What somebody who holds `known` is answered who asks for each of these in turn as a new PIN, on the machine and in a chat.
    fn answers(desk: &ChangeDesk, known: &str, candidates: &[String]) -> Vec<String> {
        let mut known = pin(known);
        let asked = candidates.iter().zip([0, 1, 2].into_iter().cycle()).map(|(candidate, way)| {
            let new = pin(candidate);
            let in_chat = |lines: &[&SecretString]| {
                let mut id = desk.ask_new_pin("ana", "terminal")?.id;
                for typed in lines {
                    if let Taken::Next(next) = desk.confirm(id, "ana", "terminal", typed)? {
                        id = next;
                    }
                }
                Ok(())
            };
            let form = || SecretString::from(format!("{0}\n{1}\n{1}", known.expose_secret(), candidate));
            let taken = match way {
                0 => desk.set_pin("ana", Some(&known), &new),
                1 => in_chat(&[&form()]),
                // Left before it is typed once more: nothing changes.
                _ => in_chat(&[&known, &new]),
            };
            if taken.is_ok() && way != 2 {
                known = new;
            }
            taken.map_or_else(|error| error.to_string(), |()| "taken".to_owned())
        });
        asked.collect()
    }

    #[test]
    fn neither_of_two_pins_is_found_by_the_other() {
        let guesses = |hit: &str| -> Vec<String> {
            let all = (0..30).map(|number| (603_140 + number * 7).to_string());
            all.enumerate().map(|(at, guess)| if at == 2 { hit.to_owned() } else { guess }).collect()
        };
        let mut told: Vec<Vec<String>> = Vec::new();
        for (entered, other, has_two) in [("2846", "918273", true), ("918273", "2846", true), ("2846", "918273", false)]
        {
            let Bench { clock, desk, .. } = &bench();
            if has_two {
                desk.set_duress("ana", &pin("2846"), &pin("918273")).expect("set");
            }
            clock.advance(RULES.kept_ms);
            let answered = answers(desk, entered, &guesses(other));
            assert_eq!(answered[..2], ["taken", "taken"]);
            assert_eq!(answered[2] == WeakPin::Guessable.to_string(), has_two, "{answered:?}");
            assert_eq!(answered[3], "taken");
            assert!(answered[4..].iter().all(|said| said.contains("not before")), "four an hour: {answered:?}");
            assert!(!desk.reader().expect("opens").journal_text().expect("reads").contains("pin_locked"));
            let known = "603161";
            assert!(desk.verify("ana", &pin(known), Factors::Pin).is_ok(), "what they have goes on");
            told.push(answered.into_iter().enumerate().filter(|(at, _)| *at != 2).map(|(_, said)| said).collect());
            // Nothing but the hour gives more.
            clock.advance(RULES.kept_ms - 1);
            assert!(matches!(desk.set_pin("ana", Some(&pin(known)), &pin("7392")), Err(DeskError::TooOften { .. })));
            clock.advance(1);
            assert!(desk.set_pin("ana", Some(&pin(known)), &pin("7392")).is_ok());
            assert!(matches!(desk.verify("ana", &pin("1111"), Factors::Pin), Err(DeskError::Wrong { left: 3 })));
        }
        assert!(told[1..].iter().all(|other| *other == told[0]), "which it was, or whether there are two: {told:?}");
    }

    #[test]
    fn whoever_sets_a_pin_twice_is_not_locked_and_a_duress_pin_costs_a_try_too() {
        let Bench { clock, desk, .. } = &bench();
        for _ in 0..3 {
            assert!(matches!(desk.verify("ana", &pin("1111"), Factors::Pin), Err(DeskError::Wrong { .. })));
        }
        desk.set_pin("ana", Some(&pin("2846")), &pin("7392")).expect("set");
        let more = desk.set_duress("ana", &pin("7392"), &pin("918273"));
        assert!(matches!(more, Err(DeskError::TooOften { until }) if until == clock.now().plus_ms(RULES.kept_ms)));
        assert!(desk.verify("ana", &pin("7392"), Factors::Pin).is_ok(), "and still nothing is locked");
        clock.advance(RULES.kept_ms);
        desk.set_duress("ana", &pin("7392"), &pin("918273")).expect("set");
        assert!(matches!(desk.verify("ana", &pin("1111"), Factors::Pin), Err(DeskError::Wrong { left: 3 })));
    }

    #[test]
    fn without_the_old_one_both_pins_are_gone_and_neither_is_refused() {
        for new in ["7392", "918273", "2846"] {
            let Bench { desk, .. } = &bench();
            desk.set_duress("ana", &pin("2846"), &pin("918273")).expect("set");
            desk.replace_pin("ana", &pin(new)).expect("taken, whichever it is");
            for typed in ["2846", "918273", "7392"] {
                let entered = desk.verify("ana", &pin(typed), Factors::Pin);
                assert_eq!(entered.ok(), (typed == new).then_some(Entered::Right), "{typed} after {new}");
            }
        }
    }

    #[test]
    fn of_a_first_pin_everybody_is_told_and_of_another_by_the_old_one_nobody() {
        let Bench { desk, .. } = &bench();
        desk.set_pin("ana", Some(&pin("2846")), &pin("7392")).expect("set");
        let journal = desk.reader().expect("opens").journal_all().expect("reads");
        let told: Vec<&EventKind> = journal.iter().map(|row| &row.event.kind).collect();
        assert!(
            matches!(told[..], [EventKind::FactorChanged { person, what }] if person == "ana" && what.contains("first PIN")),
            "{told:?}"
        );
    }
}
