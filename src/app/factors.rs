//! How are PINs and apps for codes set on the machine? Asked for without echo; whoever else is concerned is told.

use std::sync::Arc;

use qrcodegen::{QrCode, QrCodeEcc};
use secrecy::{ExposeSecret, SecretString};

use crate::chat::{ACCEPTED, Chat};
use crate::cli::{PinCommand, TotpCommand};
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, load};
use crate::control::{ChangeDesk, DeskError};
use crate::domain::{Label, Routes};
use crate::store::{Reader, Store};

use super::AppError;
use super::shell::{ask_secret, desk_beside, person, print};

/// White about a code, in squares.
const MARGIN: i32 = 2;

/// Somebody at the machine, and the desk that keeps what they prove who they are by.
struct Bench {
    name: String,
    desk: ChangeDesk,
}

impl Bench {
    fn open(name: Label, environment: &Environment) -> Result<Self, AppError> {
        let config = load(environment.config.as_deref())?;
        let person = person(&config, Some(name))?;
        let store = Store::open(&environment.database)?;
        let routes = Routes::new(Reader::open(&environment.database)?.routes()?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        // What halts under duress is theirs to halt.
        let desk = desk_beside(&store, &clock, routes, config.control).within(person.books);
        Ok(Self { name: person.name, desk })
    }

    /// What they hold now: the PIN, the code of an app where there is no PIN, or nothing.
    fn held(&self, prompt: &str) -> Result<Option<SecretString>, DeskError> {
        Ok(match self.desk.held(&self.name)? {
            None => None,
            Some(factors) if factors.needs_pin() => ask_secret(prompt),
            Some(_) => ask_secret("the six digits that your app shows now: "),
        })
    }
}

/// A new PIN, typed twice.
fn new_pin(prompt: &str) -> Result<SecretString, AppError> {
    let new = ask_secret(prompt);
    new.as_ref().map_or(Ok(()), Chat::judge_pin)?;
    let again = ask_secret("once more: ");
    let (Some(new), Some(again)) = (new, again) else { return Err(AppError::failed("no PIN given; nothing changed")) };
    if new.expose_secret() != again.expose_secret() {
        return Err(AppError::failed("the two differ; nothing changed"));
    }
    Ok(new)
}

/// `bellwether pin`.
pub(super) fn pin(what: &PinCommand, environment: &Environment) -> Result<(), AppError> {
    match what {
        PinCommand::Set { person, forgotten: false } => {
            let bench = Bench::open(*person, environment)?;
            let old = bench.held("old PIN: ")?;
            let new = new_pin("new PIN (4 to 12 digits): ")?;
            bench.desk.set_pin(&bench.name, old.as_ref(), &new)?;
            print(&format!("PIN of {} set", bench.name));
        }
        PinCommand::Set { person, forgotten: true } => {
            let bench = Bench::open(*person, environment)?;
            let new = new_pin("new PIN (4 to 12 digits): ")?;
            bench.desk.replace_pin(&bench.name, &new)?;
            print(&format!(
                "PIN of {} set; everybody is told that it was set anew. A second one for when you are made to enter one is gone, if there was one",
                bench.name
            ));
        }
        PinCommand::Duress { person } => {
            let bench = Bench::open(*person, environment)?;
            if !bench.desk.has_pin(&bench.name)? {
                return Err(no_pin(&bench.name));
            }
            let own = ask_secret("PIN: ").unwrap_or_default();
            let duress = new_pin("PIN for when you are made to enter one (4 to 12 digits): ")?;
            bench.desk.set_duress(&bench.name, &own, &duress)?;
            print(&format!(
                "second PIN of {} set: it answers as usual, halts everything and tells the other owners",
                bench.name
            ));
        }
    }
    Ok(())
}

fn no_pin(name: &str) -> AppError {
    AppError::failed("no PIN is set").with_hint(format!("set one with \"bellwether pin set {name}\""))
}

/// `bellwether totp`.
pub(super) fn totp(what: &TotpCommand, environment: &Environment) -> Result<(), AppError> {
    match what {
        TotpCommand::Set { person } => {
            let bench = Bench::open(*person, environment)?;
            let proof = bench.held("PIN: ")?;
            let app = bench.desk.new_app(&bench.name)?;
            let address = app.address.expose_secret();
            if let Some(picture) = picture(address) {
                print(&picture);
            }
            print(&format!(
                "Scan that with your app for codes, or type the secret into it: {}\n{address}\nIt is shown this once. The app shows six digits that change every 30 s",
                app.secret().expose_secret()
            ));
            let Some(code) = ask_secret("the six digits that the new one shows now: ") else {
                return Err(AppError::failed("no code given; nothing changed"));
            };
            bench.desk.keep_app(&bench.name, proof.as_ref(), &app, &code)?;
            print(ACCEPTED);
        }
        TotpCommand::Off { person } => {
            let bench = Bench::open(*person, environment)?;
            let proof = bench.held("PIN: ")?;
            bench.desk.forget_app(&bench.name, proof.as_ref())?;
            print(ACCEPTED);
        }
    }
    Ok(())
}

/// A text as a code that a phone reads off the terminal: two squares a character, dark on light whatever the colours are.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let range = || -MARGIN..code.size() + MARGIN;
    let line = |y: i32| -> String {
        let cell = |x: i32| match (code.get_module(x, y), code.get_module(x, y + 1)) {
            (false, false) => '\u{2588}',
            (false, true) => '\u{2580}',
            (true, false) => '\u{2584}',
            (true, true) => ' ',
        };
        range().map(cell).collect()
    };
    Some(range().step_by(2).map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_a_margin_and_its_three_corners() {
        let drawn = picture("otpauth://totp/ana").expect("fits");
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let width = lines[0].len();
        assert!(lines.iter().all(|line| line.len() == width) && lines[0].iter().all(|cell| *cell == '\u{2588}'));
        // The first row of a corner is dark over light but for its ends.
        let corner: String = lines[1][2..9].iter().collect();
        assert_eq!(corner, " \u{2584}\u{2584}\u{2584}\u{2584}\u{2584} ");
    }
}
