//! What does a text say? One of few words; whatever is secret in it is told apart, and nothing else of it is kept.

use secrecy::SecretString;

use crate::channels::CARRIER_WORDS;
use crate::chat::is_halt;
use crate::control::CODE_DIGITS;

/// The word that is kept where a code stood.
pub(super) const WITH_CODE: &str = "RESUME with a code";
/// What is kept of a text that begins like a command and is none.
const NEARLY: &str = "? nearly";
/// Words that let messages come again.
const BEGINS: [&str; 2] = ["START", "UNSTOP"];
/// Words that carriers answer by themselves and that change nothing.
const ASKS: [&str; 2] = ["HELP", "INFO"];

/// What a text asks for, as it is kept.
#[derive(Debug)]
pub(super) struct Heard {
    /// Canonical words.
    pub(super) words: String,
    /// A code that was in it.
    pub(super) code: Option<SecretString>,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// A command line as it is typed elsewhere.
    Line(String),
    /// To hear what can be sent.
    Menu,
    /// To confirm by a code.
    Code,
    /// Nothing more may be sent to the phone.
    OptOut,
    /// Messages may come again.
    OptIn,
    /// The carrier has answered it.
    Nothing,
    /// It begins like a command and is none.
    Nearly,
    /// Nobody knows.
    Unknown,
}

/// Reads a text; `opt_out` is what Twilio says of it. Whatever follows `HALT`, it halts: that is the safe direction.
pub(super) fn heard(text: &str, opt_out: Option<&str>) -> Heard {
    let upper = text.to_ascii_uppercase();
    let bare = |word| str::trim_matches(word, [',', ';', ':', '.', '!', '?']);
    // A slash before a word is typed elsewhere.
    let is_marked = text.trim_start().starts_with(['/', '#']);
    let upper = upper.trim_start().strip_prefix('/').unwrap_or(&upper);
    let mut words = upper.split_whitespace().map(bare).filter(|word| !word.is_empty());
    let (first, second, third) = (words.next().unwrap_or_default(), words.next(), words.next());
    let has_more = words.next().is_some();
    let plain = |words: &str| Heard { words: words.to_owned(), code: None };
    if let Some(kind) = opt_out.map(str::to_ascii_uppercase) {
        return plain(if kind == "STOP" || kind == "START" { &kind } else { "HELP" });
    }
    // What a carrier obeys never reaches the parser: its STOP ends messages, and trading goes on.
    if first == "HALT" || (!CARRIER_WORDS.contains(&first) && is_marked && is_halt(text)) {
        return plain("HALT");
    }
    // A code may be typed in two halves.
    let typed = match (first, second, third) {
        _ if has_more => None,
        ("RESUME", Some(code), rest) | (code, rest, None) => Some(format!("{code}{}", rest.unwrap_or_default())),
        _ => None,
    };
    if let Some(code) = typed.filter(|code| code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Heard { words: WITH_CODE.to_owned(), code: Some(code.into()) };
    }
    match (first, second, third) {
        ("ACK", Some(number), None) => match number.strip_prefix('N').unwrap_or(number).parse::<u64>() {
            Ok(number) => plain(&format!("ACK N{number}")),
            Err(_) => plain(NEARLY),
        },
        ("ACK" | "OK" | "SEEN", None, None) => plain("ACK"),
        (word @ ("STATUS" | "MENU" | "RESUME"), None, None) => plain(word),
        ("ACK" | "STATUS" | "MENU" | "RESUME", ..) => plain(NEARLY),
        (word, None, None) if CARRIER_WORDS.contains(&word) => plain(match word {
            word if BEGINS.contains(&word) => "START",
            word if ASKS.contains(&word) => "HELP",
            _ => "STOP",
        }),
        _ => plain("?"),
    }
}

/// What words that were kept ask for.
pub(super) fn wish(words: &str) -> Wish {
    match words {
        "STATUS" | "HALT" | "RESUME" | "ACK" => Wish::Line(format!("/{}", words.to_ascii_lowercase())),
        "MENU" => Wish::Menu,
        "STOP" => Wish::OptOut,
        "START" => Wish::OptIn,
        "HELP" => Wish::Nothing,
        NEARLY => Wish::Nearly,
        WITH_CODE => Wish::Code,
        _ => match words.strip_prefix("ACK ") {
            Some(number) => Wish::Line(format!("/ack {number}")),
            None => Wish::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn each_word_is_understood_however_it_is_typed() {
        let line = |text: &str| Wish::Line(text.to_owned());
        for (text, want) in [
            ("ACK", line("/ack")),
            (" ack. ", line("/ack")),
            ("Ok!", line("/ack")),
            ("ack n42", line("/ack N42")),
            ("ACK 42", line("/ack N42")),
            ("Status?", line("/status")),
            ("halt", line("/halt")),
            ("HALT!", line("/halt")),
            ("HALT NOW", line("/halt")),
            ("Halt trading", line("/halt")),
            ("halt,", line("/halt")),
            ("HALT: everything please, now", line("/halt")),
            ("HALT main", line("/halt")),
            ("/halt now", line("/halt")),
            ("#emergency-stop!", line("/halt")),
            ("/Status", line("/status")),
            ("#stop", line("/halt")),
            ("/stop", Wish::OptOut),
            ("123 456", Wish::Code),
            ("resume 123 456.", Wish::Code),
            ("12 34 56", Wish::Unknown),
            ("status please", Wish::Nearly),
            ("haltestelle", Wish::Unknown),
            ("resume", line("/resume")),
            ("resume 123456", Wish::Code),
            ("123456", Wish::Code),
            ("menu", Wish::Menu),
            ("stop", Wish::OptOut),
            ("Unsubscribe", Wish::OptOut),
            ("OptOut", Wish::OptOut),
            ("start", Wish::OptIn),
            ("help", Wish::Nothing),
            ("", Wish::Unknown),
            ("please halt the bot", Wish::Unknown),
            ("stop the bot", Wish::Unknown),
            ("ack nothing", Wish::Nearly),
            ("1234567", Wish::Unknown),
            ("resume 12345", Wish::Nearly),
            ("resume 123456 now", Wish::Nearly),
        ] {
            assert_eq!(wish(&heard(text, None).words), want, "{text}");
        }
        assert_eq!(wish(&heard("bitte nichts mehr", Some("STOP")).words), Wish::OptOut);
        assert_eq!(wish(&heard("halt", Some("HELP")).words), Wish::Nothing);
    }

    #[test]
    fn a_code_is_told_apart_and_nothing_else_of_a_text_is_kept() {
        let found = heard("RESUME 123456", None);
        assert_eq!(found.code.expect("a code").expose_secret(), "123456");
        for text in ["RESUME 123456", "123456", "my PIN is 2846", "2846", "resume 123456 now"] {
            let kept = heard(text, None).words;
            assert!(!kept.bytes().any(|byte| byte.is_ascii_digit()), "{kept}");
        }
    }

    #[test]
    fn no_word_of_the_carriers_is_a_command() {
        for word in CARRIER_WORDS {
            assert!(!matches!(wish(&heard(word, None).words), Wish::Line(_) | Wish::Code | Wish::Menu), "{word}");
        }
    }
}
