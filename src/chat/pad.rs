//! How is a PIN pressed? A pad of buttons for one prompt: keys go into memory and nowhere else, until one says that it is done.

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use crate::clock::Timestamp;
use crate::control::{PIN_DIGITS_MIN, TYPED_DIGITS_MAX};
use crate::domain::Button;

use super::head::Head;

/// Prompts that may be open at once.
const PROMPTS_MAX: usize = 100;
/// How the lines of keys begin.
const PAD: &str = "pad";

/// A key of a pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadKey {
    /// A digit.
    Digit(char),
    /// Take the last digit back.
    Back,
    /// That was all.
    Done,
    /// Leave it.
    Leave,
}

/// What a press did.
#[derive(Debug)]
pub enum Pressed {
    /// So many digits are there now.
    Digits(usize),
    /// This was pressed.
    Pin(SecretString),
    /// The prompt is left as it is.
    Left,
    /// There is no such prompt: it is over, or the bot was started anew.
    Over,
}

/// A prompt that waits for a PIN.
struct Prompt {
    id: i64,
    chat: String,
    digits: SecretString,
    expires: Timestamp,
}

/// The prompts that wait. They are in memory only: what is pressed or typed is stored nowhere.
#[derive(Default)]
pub struct Pads(Mutex<Vec<Prompt>>);

impl Pads {
    /// Opens a prompt in a chat; the one before it there is over.
    pub fn open(&self, id: i64, chat: &str, expires: Timestamp, now: Timestamp) {
        let mut prompts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for prompt in prompts.iter_mut().filter(|prompt| prompt.chat == chat) {
            prompt.expires = prompt.expires.min(now);
        }
        prompts.truncate(PROMPTS_MAX - 1);
        prompts.push(Prompt { id, chat: chat.to_owned(), digits: SecretString::default(), expires });
    }

    /// The prompt that waits in a chat.
    pub fn waiting(&self, chat: &str, now: Timestamp) -> Option<i64> {
        let prompts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prompts.iter().find(|prompt| prompt.chat == chat && prompt.expires > now).map(|prompt| prompt.id)
    }

    /// Forgets the prompts that nobody answered in time or before the next one was opened.
    pub fn expired(&self, now: Timestamp) -> Vec<i64> {
        let mut prompts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prompts.extract_if(.., |prompt| prompt.expires <= now).map(|prompt| prompt.id).collect()
    }

    /// A prompt is over.
    pub fn close(&self, id: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|prompt| prompt.id != id);
    }

    /// A key of a prompt was pressed in a chat.
    pub fn press(&self, id: i64, chat: &str, key: PadKey, now: Timestamp) -> Pressed {
        let mut prompts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = prompts.iter().position(|prompt| prompt.id == id && prompt.chat == chat && prompt.expires > now)
        else {
            return Pressed::Over;
        };
        let prompt = &mut prompts[at];
        let count = prompt.digits.expose_secret().len();
        match key {
            PadKey::Digit(digit) if count < usize::from(TYPED_DIGITS_MAX) => {
                prompt.digits = SecretString::from(format!("{}{digit}", prompt.digits.expose_secret()));
                Pressed::Digits(count + 1)
            }
            PadKey::Digit(_) => Pressed::Digits(count),
            PadKey::Back => {
                let rest = prompt.digits.expose_secret()[..count.saturating_sub(1)].to_owned();
                prompt.digits = SecretString::from(rest);
                Pressed::Digits(count.saturating_sub(1))
            }
            PadKey::Done if count == 0 => Pressed::Digits(0),
            PadKey::Done => Pressed::Pin(prompts.remove(at).digits),
            PadKey::Leave => {
                prompts.remove(at);
                Pressed::Left
            }
        }
    }
}

/// The buttons of a prompt.
pub fn pad(id: i64) -> Vec<Vec<Button>> {
    let digit = |digit: char| Button::new(&digit.to_string(), format!("{PAD} {id} {digit}"));
    let mut rows: Vec<Vec<Button>> = ["123", "456", "789"].map(|row| row.chars().map(digit).collect()).to_vec();
    let back = Button::new("\u{232b}", format!("{PAD} {id} back"));
    rows.push(vec![back, digit('0'), Button::new("OK", pad_done(id))]);
    rows.push(vec![Button::new("Leave it", format!("{PAD} {id} leave"))]);
    rows
}

/// What the key of a prompt types that says that all digits are there.
pub fn pad_done(id: i64) -> String {
    format!("{PAD} {id} done")
}

/// The prompt and the key that a button's line stands for, if it stands for one.
pub fn pad_key(line: &str) -> Option<(i64, PadKey)> {
    let mut words = line.split(' ');
    let (PAD, id, key, None) = (words.next()?, words.next()?.parse().ok()?, words.next()?, words.next()) else {
        return None;
    };
    let key = match key {
        "back" => PadKey::Back,
        "done" => PadKey::Done,
        "leave" => PadKey::Leave,
        digit => PadKey::Digit(digit.chars().next().filter(|digit| digit.is_ascii_digit() && key.len() == 1)?),
    };
    Some((id, key))
}

/// The command that takes a code.
const PAIR: &str = "pair";
/// Letters of one half of a code.
const CODE_HALF: usize = 4;

/// Whether what somebody typed may be a PIN or a code, so that it is stored nowhere: four digits and more, whatever stands between or around
/// them, but in commands that take numbers; what looks like a code; and everything after `/pair`.
pub fn may_be_secret(text: &str) -> bool {
    let head = Head::of(text);
    let name = head.command.map(|command| command.name);
    if name == Some(PAIR) || is_nearly_pair(&head) || text.split_whitespace().any(is_code) {
        return true;
    }
    // Nothing is pinned to the list by digits alone: whoever types them means their PIN.
    if name == Some("pin") && head.args.iter().any(|word| is_pin(word)) {
        return true;
    }
    // Digits that hang on the command itself are none of its numbers.
    let is_bare = !head.typed.iter().any(|word| word.contains(char::is_numeric));
    let takes_numbers =
        is_bare && head.command.is_some_and(|command| command.params.iter().any(|param| param.what.has_numbers()));
    !takes_numbers && has_long_number(text)
}

fn is_pin(word: &str) -> bool {
    word.len() >= usize::from(PIN_DIGITS_MIN) && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `/pair` was meant, though nobody knows the word: `/pairK7QX`, or that below a group.
fn is_nearly_pair(head: &Head<'_>) -> bool {
    let second = head.args.first().filter(|_| head.command.is_none() && head.name().is_some());
    let begins = |word: &str| word.trim_start_matches('/').to_ascii_lowercase().starts_with(PAIR);
    head.typed.iter().chain(second).any(|word| begins(word))
}

/// Digits in a row; what is neither a letter nor a digit does not part them.
fn has_long_number(text: &str) -> bool {
    let mut run = 0;
    text.chars().any(|character| {
        if character.is_numeric() {
            run += 1;
        } else if character.is_alphabetic() {
            run = 0;
        }
        run >= PIN_DIGITS_MIN
    })
}

/// `K7QX-2M9D`, or without the dash, and whatever stands around it.
fn is_code(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let letters: String = word.chars().filter(|letter| *letter != '-').collect();
    let dashed = word.char_indices().filter(|(_, letter)| *letter == '-').all(|(at, _)| at == CODE_HALF);
    let both =
        letters.bytes().any(|byte| byte.is_ascii_digit()) && letters.bytes().any(|byte| byte.is_ascii_alphabetic());
    letters.len() == 2 * CODE_HALF && dashed && both && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    #[test]
    fn a_pin_is_pressed_where_it_was_asked_for_and_while_it_is() {
        let pads = Pads::default();
        pads.open(7, "telegram:1", at(60), at(0));
        let press = |line: &str, chat: &str, now: i64| {
            let (id, key) = pad_key(line).expect("a key");
            match pads.press(id, chat, key, at(now)) {
                Pressed::Digits(count) => count.to_string(),
                Pressed::Pin(pin) => pin.expose_secret().to_owned(),
                Pressed::Left => "left".to_owned(),
                Pressed::Over => "over".to_owned(),
            }
        };
        for (line, want) in
            [("pad 7 2", "1"), ("pad 7 8", "2"), ("pad 7 9", "3"), ("pad 7 back", "2"), ("pad 7 4", "3")]
        {
            assert_eq!(press(line, "telegram:1", 1), want, "{line}");
        }
        assert_eq!(press("pad 7 1", "telegram:2", 1), "over", "another chat");
        assert_eq!(press("pad 8 1", "telegram:1", 1), "over", "another prompt");
        assert_eq!(press("pad 7 done", "telegram:1", 1), "284");
        assert_eq!(press("pad 7 1", "telegram:1", 1), "over", "used once");
        pads.open(9, "telegram:1", at(60), at(0));
        assert_eq!(press("pad 9 1", "telegram:1", 60), "over", "too late");
        pads.open(10, "telegram:1", at(60), at(0));
        pads.open(11, "telegram:1", at(60), at(0));
        assert_eq!(press("pad 10 1", "telegram:1", 1), "over", "a newer prompt took its place");
        assert_eq!((pads.expired(at(1)), pads.expired(at(1))), (vec![9, 10], Vec::new()));
        assert_eq!(press("pad 11 leave", "telegram:1", 1), "left");
    }

    #[test]
    fn every_button_stands_for_a_key() {
        let buttons: Vec<Button> = pad(3).into_iter().flatten().collect();
        assert_eq!(buttons.len(), 13);
        assert!(buttons.iter().all(|button| pad_key(&button.line).is_some_and(|(id, _)| id == 3)));
        for line in ["pad 3 12", "pad 3", "pad x 1", "/status", "pad 3 1 2", "pad 3 ²", ""] {
            assert_eq!(pad_key(line), None, "{line}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_known_by_its_digits() {
        for text in [
            "2846",
            " 2846 ",
            "2 8 4 6",
            "28-46",
            "my pin is 2846",
            "/pair ABC",
            "/PAIR@bot x",
            "２８４６",
            "/resume 2846",
            "/control resume 2846",
            "/why2846",
            "/control halt2846",
            "/messages pair K7QX 2M9D",
            "/messages pair",
            "/messages pairK7QX",
            "/messages pair code:K7QX 2M9D",
        ] {
            assert!(may_be_secret(text), "{text}");
        }
        for text in [
            "/status",
            "/alert AAPL > 2000",
            "/portfolio alert AAPL > 2000",
            "/Reasons why of:O1234",
            "/messages ack N1234",
            "/help pair",
            "/pnl week",
            "stop",
            "ack",
            "why 12",
            "/trades 1000",
            "",
        ] {
            assert!(!may_be_secret(text), "{text}");
        }
    }
}
