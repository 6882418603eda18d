//! What is known of an update of Telegram besides its text? It is kept with it in the inbox until somebody handles it.

use serde::{Deserialize, Serialize};

use crate::channels::{ChatKind, Heard, HeardKind};

/// What is known of an update besides its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Letter {
    /// What it is.
    pub(super) what: What,
    /// The account.
    pub(super) user: i64,
    /// What the account calls itself.
    pub(super) name: String,
    /// The chat.
    pub(super) chat: i64,
    /// True if nobody else reads the chat.
    pub(super) private: bool,
    /// The topic.
    pub(super) thread: Option<i32>,
    /// The message, or the one whose button was pressed.
    pub(super) message: i32,
    /// The message that it answers.
    pub(super) reply_to: Option<i32>,
    /// The token of the button, where something is left to be done about it; never that of a digit of a PIN.
    pub(super) token: String,
    /// When it was sent, by our clock. For a press, when the last poll before it was answered: it cannot be older.
    pub(super) sent: i64,
    /// What became of its text.
    pub(super) kept: Kept,
    /// True if it is somebody's own words, said now.
    pub(super) own_words: bool,
}

impl Letter {
    /// What is known of an update that was sent then, by our clock in milliseconds.
    pub(super) fn of(heard: Heard, kept: Kept, sent: i64) -> Self {
        Self {
            what: What::of(heard.kind),
            user: heard.user,
            private: heard.chat_kind == ChatKind::Private,
            own_words: heard.may_command(),
            name: heard.user_words,
            chat: heard.chat,
            thread: heard.thread,
            message: heard.message_id,
            reply_to: heard.reply_to,
            token: heard.data.chars().take(64).collect(),
            sent,
            kept,
        }
    }
}

/// What became of the text of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    /// It is kept.
    Whole,
    /// It was left out, because it may be a PIN or a code.
    LeftOut,
    /// It stops trading, in somebody's own words; nothing else of it is kept.
    Halts,
}

/// What an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// A message.
    Message,
    /// A message that was changed.
    Edited,
    /// A button.
    Press,
    /// A file or a picture.
    File,
    /// A group got another number.
    Moved {
        /// Its old number.
        from: i64,
        /// Its new number.
        to: i64,
    },
    /// The bot was let in, put out, or something that nobody has to answer.
    Other,
}

/// Whether a text is said to the bot: what else people say in a group is none of its business.
pub(super) fn is_command(text: &str) -> bool {
    text.trim_start().starts_with(['/', '#'])
}

impl What {
    /// Of an update of this kind.
    pub(super) fn of(kind: HeardKind) -> Self {
        match kind {
            HeardKind::Message => Self::Message,
            HeardKind::Edited => Self::Edited,
            HeardKind::Press => Self::Press,
            HeardKind::Document | HeardKind::Photo => Self::File,
            HeardKind::Migrated { from, to } => Self::Moved { from, to },
            HeardKind::Joined | HeardKind::Left | HeardKind::Other => Self::Other,
        }
    }
}

/// In a group people talk with each other, and there is a year or a price in it: only what is said to the bot is looked at.
pub(super) fn is_talk(heard: &Heard) -> bool {
    matches!(What::of(heard.kind), What::Message | What::Edited | What::File)
        && heard.chat_kind != ChatKind::Private
        && !is_command(&heard.text)
}
