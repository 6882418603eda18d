//! Is this the PIN? Kept as an argon2id hash; weak ones are refused, and who guesses is locked out.

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::store::{Charged, PinRules};

use super::{ChangeDesk, DeskError};

/// The fewest digits of a PIN.
pub const PIN_DIGITS_MIN: u8 = 4;
/// The most digits of a PIN.
pub const PIN_DIGITS_MAX: u8 = 12;

/// Five wrong tries in a row lock the PIN for a quarter of an hour; each further lock lasts twice as long.
pub(super) const RULES: PinRules = PinRules { wrong_max: 5, lock_ms: 15 * 60_000, doublings_max: 10 };

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
    /// All the same, or one run up or down.
    #[error("that PIN is among the first that anybody would try")]
    Guessable,
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
    let steps: Vec<i16> = digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
    let one_step = [0, 1, -1].iter().any(|step| steps.iter().all(|found| found == step));
    let year = digits.len() == 4 && (digits.starts_with(b"19") || digits.starts_with(b"20"));
    let two_digits = digits.chunks(2).all(|pair| pair == &digits[..2]) && digits.len() % 2 == 0;
    if one_step || year || two_digits { Err(WeakPin::Guessable) } else { Ok(()) }
}

/// The hash to keep, with its own salt and cost; none if the cost itself is impossible.
pub(super) fn hash(pin: &SecretString, cost: PinCost) -> Option<String> {
    let hash = cost.hasher()?.hash_password(pin.expose_secret().as_bytes()).ok()?;
    Some(hash.to_string())
}

/// Whether `pin` is the one that was hashed; compared in constant time, at the cost that is part of the hash.
pub(super) fn matches(pin: &SecretString, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(pin.expose_secret().as_bytes(), &hash).is_ok()
}

impl ChangeDesk {
    /// Whether a person has a PIN.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn has_pin(&self, person: &str) -> Result<bool, DeskError> {
        Ok(self.reader()?.has_pin(person)?)
    }

    /// Sets a person's PIN; the old one is asked for if there is one. Whoever has the terminal and no PIN may set the first.
    ///
    /// # Errors
    /// When the new one is weak, or the old one wrong or locked.
    pub fn set_pin(&self, person: &str, old: Option<&SecretString>, new: &SecretString) -> Result<(), DeskError> {
        check_strength(new)?;
        if self.has_pin(person)? {
            self.verify(person, old.unwrap_or(&SecretString::default()))?;
        }
        let hash = hash(new, self.cost).ok_or(DeskError::Hash)?;
        let entry = self.entry(person, "desk", "pin set", "done");
        self.store.keep_pin(person, hash, entry)?;
        Ok(())
    }

    /// Every try is charged before it is looked at, in one transaction: guesses in parallel count one by one.
    pub(super) fn verify(&self, person: &str, pin: &SecretString) -> Result<(), DeskError> {
        let now = self.clock.now();
        let hash = match self.store.charge_pin(person, now, RULES)? {
            Charged::NoPin => return Err(DeskError::NoPin(person.to_owned())),
            Charged::Locked(until) => return Err(DeskError::Locked { until, just_now: false }),
            Charged::Try { hash, left, locked } if !matches(pin, &hash) => {
                let result = if locked.is_some() { "wrong, locked" } else { "wrong" };
                self.store.audit(self.entry(person, "desk", "pin", result))?;
                return Err(match locked {
                    Some(until) => DeskError::Locked { until, just_now: true },
                    None => DeskError::Wrong { left },
                });
            }
            Charged::Try { hash, .. } => hash,
        };
        Ok(self.store.clear_pin(person, hash)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::desk::tests::{Bench, bench, pin};
    use crate::control::{Control, ShownOn};

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
        assert!(matches(&pin, &kept) && !matches(&SecretString::from("2847"), &kept));
    }

    #[test]
    fn five_wrong_pins_lock_for_a_quarter_of_an_hour_and_then_twice_as_long() {
        let Bench { clock, desk, .. } = &bench();
        let right = || desk.set_pin("ana", Some(&pin("2846")), &pin("2846"));
        assert!(matches!(desk.set_pin("ana", None, &pin("7391")), Err(DeskError::Wrong { left: 4 })));
        assert!(right().is_ok());
        for minutes in [15, 30] {
            for left in [4, 3, 2, 1] {
                let shown = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::nothing()).expect("shown");
                let wrong = desk.confirm(shown.id, "ana", "terminal", &pin("1111"));
                assert!(matches!(wrong, Err(DeskError::Wrong { left: l }) if l == left));
            }
            let shown = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::nothing()).expect("shown");
            let locked = desk.confirm(shown.id, "ana", "terminal", &pin("1111"));
            assert!(matches!(locked, Err(DeskError::Locked { just_now: true, .. })));
            let right = desk.confirm(shown.id, "ana", "terminal", &pin("2846"));
            assert!(matches!(right, Err(DeskError::Locked { just_now: false, .. })));
            let again = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::nothing());
            assert!(matches!(again, Err(DeskError::Locked { just_now: false, .. })));
            clock.advance(minutes * 60_000 + 1);
        }
        let shown = desk.show(&Control::Resume, "ana", "terminal", &ShownOn::nothing()).expect("shown");
        assert!(desk.confirm(shown.id, "ana", "terminal", &pin("2846")).is_ok());
    }
}
