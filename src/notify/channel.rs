//! What must a channel be able to do? Send one message, once, and say honestly what became of it.

use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::domain::{Label, Message, NoticeId, Severity};

/// One way to reach a person. Sends once; retries, order and duplicates belong to the pipeline.
#[async_trait]
pub trait Channel: Send + Sync {
    /// What this channel can do, and how much of it.
    fn abilities(&self) -> Abilities;

    /// How many messages its service takes from us on all lanes together; as many as come where it is none.
    fn service_allowance(&self) -> Option<Allowance> {
        None
    }

    /// Sends a message, or changes one that was sent. Returns when the channel has taken it.
    async fn send(&self, post: &Post) -> Result<Receipt, Failure>;

    /// Whether a message would come through, without sending one. None where only a message can tell.
    async fn probe(&self) -> Option<Result<(), Failure>> {
        None
    }
}

/// What a channel can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// It can change a message that was sent.
    pub edits: bool,
    /// It shows buttons, by tokens.
    pub buttons: bool,
    /// It can tell whether a message of which nobody knows arrived: it looks before it sends one again, as [`Post::again`] says. Such a
    /// message goes again with exactly what it told, unmarked and as often as it has to.
    pub finds: bool,
    /// How many messages it takes; as many as come where it is none. Where there is a limit, a storm is gathered into few.
    pub allowance: Option<Allowance>,
}

/// How many messages a channel takes on one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many at once.
    pub burst: u32,
    /// How long until it takes one more.
    pub refill: Duration,
}

/// A message for one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// What it says.
    pub message: Message,
    /// The notice's number; none for an answer.
    pub number: Option<NoticeId>,
    /// How loud it is.
    pub severity: Severity,
    /// The kind of fact that it tells; of several, the first. None for answers and for what was gathered.
    pub kind: Option<&'static str>,
    /// It may have arrived before, but not before then.
    pub again: Option<Timestamp>,
    /// The book it is about.
    pub book: Option<Label>,
    /// No sound, no light.
    pub silent: bool,
    /// The message that this one belongs to.
    pub reply_to: Option<String>,
    /// The message that this one is the new text of; none for a new message.
    pub edit: Option<String>,
    /// The buttons' tokens, in the rows of the message.
    pub keys: Vec<Vec<Key>>,
    /// Parts that arrived by an earlier try and are not sent again.
    pub parts_done: u32,
    /// The delivery, for channels that know a message by a key of ours.
    pub delivery: i64,
}

/// A button as a channel knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What stands on it.
    pub label: String,
    /// What the channel gives back when it is pressed.
    pub token: String,
}

/// The detail of a receipt for a message that was not sent again, since the channel found that it had arrived.
pub const HAD_ARRIVED: &str = "it had arrived";

/// What a channel says of a message that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// What it calls the message.
    pub remote: Option<String>,
    /// How far its clock is ahead of ours, in milliseconds, where it tells.
    pub skew_ms: Option<i64>,
    /// How it took the message, where that is not as usual.
    pub detail: Option<String>,
}

/// A message that was not taken, or not wholly.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// Parts of it that arrived, counted with those of earlier tries.
    pub parts: u32,
    /// What happened.
    #[source]
    pub what: SendError,
}

impl From<SendError> for Failure {
    fn from(what: SendError) -> Self {
        Self { parts: 0, what }
    }
}

/// What to do next, so that no adapter can forget to say it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nobody reads here any more in this run: keep it for the next.
    #[error("nobody reads here any more")]
    Closed,
    /// It never left: try again later.
    #[error("could not reach it: {0}")]
    Unreachable(String),
    /// The service asks for a pause of the whole lane.
    #[error("asked to wait {} s", .0.as_secs_f64().ceil())]
    Throttled(Duration),
    /// This one is not taken for so long; others may be.
    #[error("not now: {1}")]
    NotBefore(Duration, String),
    /// It may have arrived.
    #[error("no answer, it may have arrived: {0}")]
    Unknown(String),
    /// The message that was to be changed is gone.
    #[error("the message is gone")]
    Gone,
    /// This message will never be taken.
    #[error("refused: {0}")]
    Rejected(String),
    /// There is no money for this message, so the service was not asked.
    #[error("not paid: {0}")]
    Unpaid(String),
    /// Nothing will be taken on this lane until somebody mends it.
    #[error("this way is closed: {0}")]
    Shut(String),
}
