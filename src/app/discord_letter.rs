//! What is known of something that was heard on Discord besides its text? It is kept with it in the inbox until somebody handles it.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::channels::{Overheard, OverheardKind};
use crate::chat::{is_halt, may_be_secret};
use crate::control::{Asks, Factors};
use crate::domain::{ASKS_PIN, LEAVES_PIN};

use super::discord_commands::{command_of, line_of};
use super::letter::Kept;

/// What is kept of a line that stops trading.
const HALT: &str = "/halt";
/// The longest text that is kept.
const TEXT_CHARS_MAX: usize = 4_096;
/// The longest name of a component.
const TOKEN_CHARS_MAX: usize = 100;

/// What is known besides the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DiscordLetter {
    /// What it is.
    pub(super) what: DiscordWhat,
    /// The account.
    pub(super) user: i64,
    /// What the account calls itself.
    pub(super) name: String,
    /// The channel.
    pub(super) channel: i64,
    /// The channel that it is a thread of.
    pub(super) parent: Option<i64>,
    /// True if nobody else reads there.
    pub(super) alone: bool,
    /// When it was sent, by our clock.
    pub(super) sent: i64,
    /// What became of its text.
    pub(super) kept: Kept,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DiscordWhat {
    /// A slash command.
    Command,
    /// A button or a choice below a message, by the token that stands for it.
    Press {
        /// The token.
        token: String,
        /// The message.
        message: i64,
    },
    /// The form of a prompt; its PIN is in memory alone.
    Form {
        /// The prompt.
        prompt: i64,
    },
    /// Words to the bot alone.
    Words {
        /// The message that they answer.
        reply_to: Option<i64>,
        /// True if they are somebody's own.
        own: bool,
    },
}

impl DiscordLetter {
    /// Where it came from: a channel, or a thread and its channel.
    pub(super) fn channels(&self) -> Vec<i64> {
        std::iter::once(self.channel).chain(self.parent).collect()
    }
}

/// Something heard, taken apart: what is kept, and what must not be.
pub(super) struct Sorted {
    pub(super) text: String,
    pub(super) letter: DiscordLetter,
    /// A PIN, or what may be one or a code.
    pub(super) secret: Option<SecretString>,
}

/// What the form of a prompt takes, in the order of `ASKS_PIN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A PIN.
    Pin,
    /// A code of an app.
    Code,
    /// Both in one go.
    Both,
    /// The PIN as it is, and the new one twice.
    NewPin,
    /// The same, with a code behind the old one.
    NewPinAndCode,
}

/// All, in the order of the buttons' names.
const FORMS: [Form; 5] = [Form::Pin, Form::Code, Form::Both, Form::NewPin, Form::NewPinAndCode];

impl Form {
    /// The form that takes this.
    fn taking(what: Asks) -> Self {
        match what {
            Asks::Proof(Factors::Pin) => Self::Pin,
            Asks::Proof(Factors::Totp) => Self::Code,
            Asks::Proof(Factors::Both) => Self::Both,
            Asks::NewPin(_, Factors::Pin) => Self::NewPin,
            Asks::NewPin(_, _) => Self::NewPinAndCode,
        }
    }

    /// Its title, and its fields by name and label.
    pub(super) const fn fields(self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        const NEW: (&str, &str) = ("new", "The new PIN, 4 to 12 digits");
        const AGAIN: (&str, &str) = ("again", "The new PIN once more");
        match self {
            Self::Pin => ("Confirm with your PIN", &[("pin", "PIN; it is kept nowhere")]),
            Self::Code => ("Confirm with your app", &[("pin", "The six digits that your app shows")]),
            Self::Both => ("Confirm with PIN and app", &[("pin", "PIN, right behind it your app's six digits")]),
            Self::NewPin => ("A new PIN", &[("pin", "Your PIN as it is now"), NEW, AGAIN]),
            Self::NewPinAndCode => ("A new PIN", &[("pin", "Your PIN, then your app's six digits"), NEW, AGAIN]),
        }
    }
}

/// The prompt for which the button of this name opens a form, and which.
pub(super) fn prompt_of(name: &str) -> Option<(i64, Form)> {
    let of = |(prefix, form): (&str, Form)| Some((name.strip_prefix(prefix)?.parse().ok()?, form));
    ASKS_PIN.into_iter().zip(FORMS).find_map(of)
}

/// The prompt that the button of this name leaves.
pub(super) fn left_of(name: &str) -> Option<i64> {
    name.strip_prefix(LEAVES_PIN)?.parse().ok()
}

/// The names of a prompt's buttons.
pub(super) fn buttons_of(prompt: i64, what: Asks) -> [(&'static str, String); 2] {
    let form = Form::taking(what);
    let opens = ASKS_PIN.into_iter().zip(FORMS).find(|(_, known)| *known == form).map_or("", |(prefix, _)| prefix);
    [("Confirm", format!("{opens}{prompt}")), ("Leave it", format!("{LEAVES_PIN}{prompt}"))]
}

/// Takes apart what was heard; `sent` is when that was, by our clock. None for what is answered and over at once.
pub(super) fn sort(heard: Overheard, sent: i64) -> Option<Sorted> {
    let (mut secret, mut text, mut kept) = (None, String::new(), Kept::Whole);
    let mut read = |typed: &str| {
        if is_halt(typed) {
            (text, kept) = (HALT.to_owned(), Kept::Halts);
        } else if may_be_secret(typed) {
            (secret, kept) = (Some(SecretString::from(typed)), Kept::LeftOut);
        } else {
            text = typed.chars().take(TEXT_CHARS_MAX).collect();
        }
    };
    let what = match heard.what {
        OverheardKind::Completing { .. } => return None,
        OverheardKind::Command { path, options } => {
            // What the table does not know is refused like a typed line.
            let unknown = || format!("/{}", path.last().map_or("", String::as_str));
            read(&command_of(&path).map_or_else(unknown, |command| line_of(command, &options)));
            DiscordWhat::Command
        }
        OverheardKind::Press { custom_id, .. } if prompt_of(&custom_id).is_some() => return None,
        OverheardKind::Press { custom_id, message, values } => {
            let token = values.into_iter().next().unwrap_or(custom_id);
            DiscordWhat::Press { token: token.chars().take(TOKEN_CHARS_MAX).collect(), message }
        }
        OverheardKind::Submitted { custom_id, fields } => {
            let (prompt, form) = prompt_of(&custom_id)?;
            let typed = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, typed)| typed);
            let lines: Option<Vec<&str>> =
                form.fields().1.iter().map(|(name, _)| Some(typed(name)?.expose_secret().trim())).collect();
            // Where there are several they are lines.
            secret = lines.map(|lines| SecretString::from(lines.join("\n")));
            kept = Kept::LeftOut;
            DiscordWhat::Form { prompt }
        }
        OverheardKind::Words { text: typed, reply_to, own_words } => {
            // Of what others wrote nothing is obeyed.
            if own_words {
                read(&typed);
            }
            DiscordWhat::Words { reply_to, own: own_words }
        }
    };
    let letter = DiscordLetter {
        what,
        user: heard.user,
        name: heard.user_words,
        channel: heard.channel,
        parent: heard.parent,
        alone: heard.guild.is_none(),
        sent,
        kept,
    };
    Some(Sorted { text, letter, secret })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::PinStep;

    fn heard(what: OverheardKind) -> Overheard {
        Overheard {
            id: 7,
            token: Some(SecretString::from("secret-token")),
            user: 11,
            user_words: "Ana".to_owned(),
            channel: 5,
            parent: None,
            guild: None,
            sent_ms: 1,
            what,
        }
    }

    fn words(text: &str, own_words: bool) -> OverheardKind {
        OverheardKind::Words { text: text.to_owned(), reply_to: None, own_words }
    }

    fn command(path: &[&str], options: &[(&str, &str)]) -> OverheardKind {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        OverheardKind::Command { path: path.iter().map(|name| (*name).to_owned()).collect(), options }
    }

    fn press(custom_id: &str, values: &[&str]) -> OverheardKind {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        OverheardKind::Press { custom_id: custom_id.to_owned(), message: 3, values }
    }

    #[test]
    fn what_is_kept_has_no_secret_in_it() {
        let form = OverheardKind::Submitted {
            custom_id: "pin 4".to_owned(),
            fields: vec![("pin".to_owned(), SecretString::from(" 284691 "))],
        };
        for (what, text, kept, secret) in [
            (command(&["risk", "limits"], &[("book", "main")]), "/limits main", Kept::Whole, None),
            (command(&["halt"], &[]), "/halt", Kept::Halts, None),
            (command(&["messages", "pair"], &[("code", "K7QX-2M9D")]), "", Kept::LeftOut, Some("/pair K7QX-2M9D")),
            (command(&["what"], &[]), "/what", Kept::Whole, None),
            (words("stop!", true), "/halt", Kept::Halts, None),
            (words("/control halt2846", true), "/halt", Kept::Halts, None),
            (words("/control stop!", true), "/halt", Kept::Halts, None),
            (words("/messages pair K7QX 2M9D", true), "", Kept::LeftOut, Some("/messages pair K7QX 2M9D")),
            (words("/messages ack N1234", true), "/messages ack N1234", Kept::Whole, None),
            (words("stop!", false), "", Kept::Whole, None),
            (words("284691", true), "", Kept::LeftOut, Some("284691")),
            (words("284691", false), "", Kept::Whole, None),
            (words("/status", true), "/status", Kept::Whole, None),
            (form, "", Kept::LeftOut, Some("284691")),
            (press("abc", &[]), "", Kept::Whole, None),
        ] {
            let said = format!("{what:?}");
            let sorted = sort(heard(what), 1).expect("kept");
            assert_eq!((sorted.text.as_str(), sorted.letter.kept), (text, kept), "{said}");
            assert_eq!(sorted.secret.as_ref().map(ExposeSecret::expose_secret), secret, "{said}");
            let body = serde_json::to_string(&sorted.letter).expect("json");
            assert!(!body.contains("284691") && !body.contains("secret-token") && !body.contains("K7QX"), "{body}");
        }
    }

    #[test]
    fn a_choice_stands_for_its_own_name_and_a_form_is_opened_at_once() {
        let token = |what| match sort(heard(what), 1).map(|sorted| sorted.letter.what) {
            Some(DiscordWhat::Press { token, .. }) => token,
            other => format!("{other:?}"),
        };
        assert_eq!(token(press("more", &["abc"])), "abc");
        assert_eq!(token(press("leave 4", &[])), "leave 4");
        assert_eq!(token(press("pin 4", &[])), "None", "the form is all that there is to it");
        assert_eq!((prompt_of("pin 4"), left_of("leave 4"), prompt_of("pin x")), (Some((4, Form::Pin)), Some(4), None));
        for what in [
            Asks::Proof(Factors::Pin),
            Asks::Proof(Factors::Totp),
            Asks::Proof(Factors::Both),
            Asks::NewPin(PinStep::Old, Factors::Pin),
            Asks::NewPin(PinStep::Old, Factors::Both),
        ] {
            let [(_, opens), (_, leave)] = buttons_of(9, what);
            assert_eq!((prompt_of(&opens), left_of(&leave)), (Some((9, Form::taking(what))), Some(9)));
            let labels = Form::taking(what).fields().1.iter().map(|(_, label)| label.len());
            assert!(labels.max().is_some_and(|longest| longest <= 45), "Discord's labels have 45 characters");
        }
    }
}
