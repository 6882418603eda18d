//! What is answered alike wherever people talk? Lines through the table of commands, PINs through the desk, and what is too old to be done.

use std::sync::Arc;

use secrecy::SecretString;

use crate::chat::{ACCEPTED, Chat, Inbound, Reply, Seat};
use crate::control::{Ask, Begun, DeskError, Taken};
use crate::domain::Message;
use crate::store::Answer;

/// A command that is older than this when it is read is not run.
pub(super) const OLD_MS: i64 = 120_000;
/// What is said of a change that takes longer than anybody waits.
const NOT_YET: &str = "Recorded; the engine has not carried it out yet";
/// What is said of what was entered and not taken before the bot was started anew.
const UNREAD: &str = "The bot was started anew while it read that: ask again";
/// What is said of a new PIN that was entered then.
const EITHER: &str =
    "The bot was started anew while it took that: the new PIN holds by now, or the old one does. /newpin asks anew";
/// What people answer to an alarm that they have seen.
const SEEN: [&str; 9] = ["ack", "ok", "okay", "seen", "got it", "yes", "\u{1f44d}", "\u{2705}", "\u{1f44c}"];

/// What came of an update: whose it was, and what is said.
pub(super) struct Handled {
    pub(super) person: String,
    pub(super) answers: Vec<Answer>,
}

impl Handled {
    pub(super) fn by(seat: &Seat, answers: Vec<Answer>) -> Self {
        Self { person: seat.person.name.clone(), answers }
    }

    pub(super) fn nothing() -> Self {
        Self { person: String::new(), answers: Vec::new() }
    }
}

/// Whether somebody says that they have seen what they answer to.
pub(super) fn says_seen(text: &str) -> bool {
    let lower = text.to_lowercase();
    SEEN.contains(&lower.trim_end_matches(['.', '!']))
}

/// What is said to a line.
pub(super) enum Said {
    /// This.
    Message(Message),
    /// This is what would be done, and the PIN is asked for.
    Prompt {
        /// The change's row at the desk.
        id: i64,
        /// What it would do.
        preview: String,
        /// What is entered there.
        ask: Ask,
    },
}

/// Answers lines and takes PINs.
pub(super) struct Conversation {
    pub(super) chat: Chat,
    /// Waits until the engine carried a change out.
    pub(super) wait_for: Arc<dyn Fn(i64) -> Option<String> + Send + Sync>,
}

impl Conversation {
    /// Answers a line that came with this row of the inbox: what it changes is changed once.
    pub(super) fn run(&self, row: i64, inbound: &Inbound) -> Said {
        let text = match self.chat.caused_by(row).handle(inbound) {
            Reply::Text(text) | Reply::Refused(text) => text,
            Reply::Message(message) => return Said::Message(*message),
            Reply::Failed { what, hint } => hint.map_or(what.clone(), |hint| format!("{what}\n{hint}")),
            Reply::Admitted { id } => self.outcome(id),
            Reply::NeedsPin => format!(
                "A change needs your PIN, and none is set: on the machine, \"bellwether pin set {}\" sets it",
                inbound.person.name
            ),
            Reply::Confirm { id, preview } => return self.prompt(inbound, id, preview),
        };
        Said::Message(Message::answer(&text))
    }

    fn prompt(&self, inbound: &Inbound, id: i64, preview: String) -> Said {
        match self.chat.ask_of(inbound, id) {
            Ok(ask) => Said::Prompt { id, preview, ask },
            Err(error) => Said::Message(Message::answer(&self.chat.not_done(inbound, &error))),
        }
    }

    /// Takes what was entered for a prompt; whether it was accepted, and what is said next: another prompt, or what came of it.
    pub(super) fn confirm(&self, inbound: &Inbound, id: i64, pin: &SecretString) -> (String, Option<Said>) {
        let next = match self.chat.confirm(inbound, id, pin) {
            Err(error) => return (self.chat.not_done(inbound, &error), None),
            Ok(Taken::Next(id)) => Some(self.prompt(inbound, id, "Next:".to_owned())),
            Ok(taken) => self.follow_up(inbound, taken).map(|words| Said::Message(Message::answer(&words))),
        };
        (ACCEPTED.to_owned(), next)
    }

    /// What is said of what was entered before the bot was started anew: whether it was accepted, and what follows.
    pub(super) fn begun(&self, inbound: &Inbound, begun: Begun) -> (String, Option<Said>) {
        let follows = match begun {
            Begun::Taken(taken) => self.follow_up(inbound, taken),
            Begun::NotDone(why) => Some(format!("Not done: {why}. Ask again if it still holds")),
            Begun::Either => return (EITHER.to_owned(), None),
            Begun::Nothing => return (UNREAD.to_owned(), None),
        };
        (ACCEPTED.to_owned(), follows.map(|words| Said::Message(Message::answer(&words))))
    }

    fn follow_up(&self, inbound: &Inbound, taken: Taken) -> Option<String> {
        self.chat.follow_up(inbound, taken, |id| (self.wait_for)(id))
    }

    /// What is said of a code that was sent to a phone, in one text: there is none for whoever is made to enter one.
    pub(super) fn words_of(&self, inbound: &Inbound, taken: Result<Taken, DeskError>) -> String {
        match taken {
            Ok(taken) => {
                let follows = self.follow_up(inbound, taken);
                follows.map_or_else(|| ACCEPTED.to_owned(), |words| format!("{ACCEPTED}\n{words}"))
            }
            Err(error) => self.chat.not_done(inbound, &error),
        }
    }

    /// What came of a change that was confirmed, as far as that is known in time.
    pub(super) fn outcome(&self, id: i64) -> String {
        (self.wait_for)(id).unwrap_or_else(|| NOT_YET.to_owned())
    }
}
