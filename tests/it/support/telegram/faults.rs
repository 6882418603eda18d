//! What goes wrong at Telegram alone? Its refusals, and what happens to updates.

use serde::Deserialize;
use serde_json::Value;

use super::fake::faults;

pub(super) type Fault = faults::Fault<Own>;
pub(super) type Faults = faults::Faults<Own>;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// 429, honest or lying.
    Throttle,
    Conflict,
    Unauthorized,
    BadRequest,
    /// Every update of a batch `copies` times.
    DuplicateUpdate,
    /// The update that was confirmed last comes again before the new ones.
    RepeatUpdate,
    /// A batch backwards.
    Disorder,
    /// An update of a kind that does not exist, queued at once.
    Garbage,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    pub(super) kind: Option<Kind>,
    chat: Option<i64>,
    /// How often each update comes, for `duplicate_update`.
    #[serde(default = "twice")]
    pub(super) copies: usize,
    /// Seconds that are told; `null` or absent tells nothing.
    pub(super) retry_after: Option<u64>,
    /// Seconds that are kept; without it those that are told.
    pub(super) enforced_s: Option<u64>,
    pub(super) description: Option<String>,
    /// The body of a garbage update.
    pub(super) update: Option<Value>,
}

fn twice() -> usize {
    2
}

impl Own {
    /// It is about a batch of updates that is not empty.
    pub(super) fn is_of_batches(&self) -> bool {
        matches!(self.kind, Some(Kind::DuplicateUpdate | Kind::RepeatUpdate | Kind::Disorder))
    }

    pub(super) fn is_for(&self, chat: Option<i64>) -> bool {
        !self.is_of_batches() && (self.chat.is_none() || self.chat == chat)
    }
}
