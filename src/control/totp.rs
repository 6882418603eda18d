//! Is this the code that the app shows now? Six digits of RFC 6238, each step used once.

use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Builder, Secret, Totp};

use crate::clock::Timestamp;
use crate::domain::EventKind;

use super::factors::Entered;
use super::{ChangeDesk, DeskError, PIN_DIGITS_MAX};

/// Digits of a code.
pub const TOTP_DIGITS: usize = 6;
/// The most digits that a prompt takes: a PIN, and a code right behind it.
pub const TYPED_DIGITS_MAX: u8 = PIN_DIGITS_MAX + TOTP_DIGITS as u8;
/// What apps show it under.
const ISSUER: &str = "bellwether";

fn app(secret: Secret, person: &str) -> Option<Totp> {
    Builder::new().with_secret(secret).with_account_name(person).with_issuer(Some(ISSUER)).build().ok()
}

/// The step whose code this is, at most one step early or late; compared in constant time.
pub(super) fn step_of(secret: &str, code: &str, now: Timestamp) -> Option<i64> {
    if code.len() != TOTP_DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let app = app(Secret::try_from_base32(secret).ok()?, "")?;
    let step = app.check(code, u64::try_from(now.ms() / 1000).ok()?)?;
    i64::try_from(step).ok()
}

/// An app that is being set up: nothing is kept before a code of it was right.
pub struct NewApp {
    secret: SecretString,
    /// The address that apps read, with the secret in it.
    pub address: SecretString,
}

impl NewApp {
    /// The secret as it is typed into an app that reads no address.
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }
}

impl ChangeDesk {
    /// Draws a secret for a person's app.
    ///
    /// # Errors
    /// When there is no source of chance.
    pub fn new_app(&self, person: &str) -> Result<NewApp, DeskError> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(|_| DeskError::NoChance)?;
        let secret = Secret::new_stack(bytes);
        let written = SecretString::from(secret.to_base32());
        let address = app(secret, person).and_then(|app| app.to_url().ok()).ok_or(DeskError::NoChance)?;
        Ok(NewApp { secret: written, address: address.into() })
    }

    /// Keeps a person's app, once a code of it proves that it works; everybody is told. Whoever holds a PIN or an app shows that first.
    ///
    /// # Errors
    /// When the code is wrong, or the proof.
    pub fn keep_app(
        &self,
        person: &str,
        proof: Option<&SecretString>,
        app: &NewApp,
        code: &SecretString,
    ) -> Result<(), DeskError> {
        let secret = app.secret.expose_secret();
        let step = step_of(secret, code.expose_secret(), self.clock.now()).ok_or(DeskError::NotOfApp)?;
        self.change_app(person, proof, Some((secret.to_owned(), step)))
    }

    /// Forgets a person's app; everybody is told.
    ///
    /// # Errors
    /// When there is none, or the proof is wrong.
    pub fn forget_app(&self, person: &str, proof: Option<&SecretString>) -> Result<(), DeskError> {
        if !self.reader()?.has_totp(person)? {
            return Err(DeskError::NoTotp(person.to_owned()));
        }
        self.change_app(person, proof, None)
    }

    fn change_app(
        &self,
        person: &str,
        proof: Option<&SecretString>,
        secret: Option<(String, i64)>,
    ) -> Result<(), DeskError> {
        let what =
            if secret.is_some() { "an app gives their codes from now on" } else { "no app gives them codes any more" };
        let entered = self.enter_held(person, proof)?;
        let entry = self.entry(person, "desk", "codes of an app", "accepted");
        if entered == Entered::Duress {
            return self.yield_to((person, "shell"), Some(entry), Vec::new()).map(drop);
        }
        let told = self.told(vec![EventKind::FactorChanged { person: person.to_owned(), what: what.to_owned() }]);
        Ok(self.store.keep_totp(person, secret, entry, told)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::control::desk::tests::{Bench, bench, pin, resume};
    use crate::control::{ControlRules, Factors, Taken};
    use crate::domain::Preview;

    fn code(app: &NewApp, at: Timestamp) -> String {
        let secret = Secret::try_from_base32(app.secret().expose_secret()).expect("base 32");
        super::app(secret, "").expect("long enough").generate(at.ms() as u64 / 1000).to_string()
    }

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, SHA-1: the last six of eight digits.
        let secret = Secret::from(b"12345678901234567890".as_slice()).to_base32();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let at = Timestamp::from_ms(seconds * 1000);
            assert_eq!(step_of(&secret, code, at), Some(seconds / 30), "{seconds}");
            for (late, found) in [(30, true), (-30, true), (60, false), (-60, false)] {
                assert_eq!(step_of(&secret, code, at.plus_ms(late * 1000)).is_some(), found, "{seconds} {late}");
            }
        }
        assert_eq!(step_of(&secret, "28708", Timestamp::from_ms(59_000)), None);
        assert_eq!(step_of("no secret", "287082", Timestamp::from_ms(59_000)), None);
    }

    #[test]
    fn a_step_is_used_once_and_wrong_codes_lock_as_wrong_pins_do() {
        let Bench { clock, desk, .. } = &bench();
        let app = desk.new_app("ana").expect("drawn");
        let secret = |text: &str| SecretString::from(text);
        assert!(matches!(desk.keep_app("ana", Some(&pin("2846")), &app, &secret("000000")), Err(DeskError::NotOfApp)));
        let first = secret(&code(&app, clock.now()));
        assert!(matches!(desk.keep_app("ana", None, &app, &first), Err(DeskError::Wrong { left: 4 })));
        desk.keep_app("ana", Some(&pin("2846")), &app, &first).expect("kept");
        let desk = desk.clone().ruled_by(ControlRules { owner: Factors::Both, ..ControlRules::default() });
        let tried = |typed: String| {
            let shown = desk.show(&resume(), "ana", "terminal", &Preview::default()).expect("shown");
            desk.confirm(shown.id, "ana", "terminal", &secret(&typed))
        };
        let both = |at| format!("2846{}", code(&app, at));
        assert!(matches!(tried(both(clock.now())), Err(DeskError::WrongFactors { left: 3 })), "it set the app up");
        clock.advance(30_000);
        assert!(matches!(tried("2846".to_owned()), Err(DeskError::WrongFactors { left: 2 })));
        assert!(matches!(tried(both(clock.now())), Ok(Taken::Confirmed(_))));
        assert!(matches!(tried(both(clock.now())), Err(DeskError::WrongFactors { left: 1 })), "used");
        assert!(matches!(tried("2846999999".to_owned()), Err(DeskError::Locked { just_now: true, .. })));
        desk.forget_app("ana", None).expect_err("locked");
        clock.advance(3_600_000);
        desk.forget_app("ana", Some(&pin("2846"))).expect("gone");
        let shown = desk.show(&resume(), "ana", "terminal", &Preview::default());
        assert!(shown.is_err_and(|error| error.to_string().contains("bellwether totp set ana")));
    }

    #[test]
    fn whoever_has_an_app_alone_shows_its_code_before_anything_is_changed() {
        let Bench { clock, desk, .. } = &bench();
        let app = desk.new_app("bo").expect("drawn");
        let next = || {
            clock.advance(30_000);
            SecretString::from(code(&app, clock.now()))
        };
        desk.keep_app("bo", None, &app, &next()).expect("the first needs nothing");
        let other = desk.new_app("bo").expect("drawn");
        let of_other = SecretString::from(code(&other, clock.now()));
        for left in [4, 3] {
            let kept = desk.keep_app("bo", (left == 3).then_some(&of_other), &other, &of_other);
            assert!(matches!(kept, Err(DeskError::WrongFactors { left: l }) if l == left), "{kept:?}");
        }
        assert!(matches!(desk.forget_app("bo", None), Err(DeskError::WrongFactors { left: 2 })));
        assert!(matches!(desk.set_pin("bo", None, &pin("7392")), Err(DeskError::WrongFactors { left: 1 })));
        clock.advance(3_600_000);
        desk.set_pin("bo", Some(&next()), &pin("7392")).expect("by the code");
        desk.forget_app("bo", Some(&pin("7392"))).expect("by the PIN from now on");
    }
}
