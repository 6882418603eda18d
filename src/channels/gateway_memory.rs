//! What does the gateway remember from one run to the next? Its session, and when sessions began; nothing begins that was not counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use twilight_gateway::queue::Queue;

use crate::clock::Clock;

use super::identify_budget::{IdentifyBudget, Leave};

/// Where a small text is kept from one run to the next.
pub struct GatewayMemory {
    /// Gives it back.
    pub load: Box<dyn Fn() -> Option<String> + Send + Sync>,
    /// Keeps it. It must not wait for long.
    pub keep: Box<dyn Fn(&str) + Send + Sync>,
}

/// What is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The session, by which it is taken up again.
    pub(super) session: Option<KeptSession>,
    /// When sessions began, in milliseconds since 1970.
    pub(super) identifies: Vec<i64>,
    /// When the gateway was heard last.
    pub(super) heard_ms: Option<i64>,
}

/// A session and the place in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptSession {
    pub(super) id: String,
    pub(super) sequence: u64,
    pub(super) resume_url: String,
    /// Of which token, by a hash: another bot's session is none.
    pub(super) bot: String,
}

/// What the connection and its queue share.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    memory: GatewayMemory,
    kept: Mutex<Kept>,
    /// A session may not begin now, with the way to let it, which nobody goes.
    held: Mutex<Option<(Leave, oneshot::Sender<()>)>>,
}

impl Shared {
    /// With what the last run left.
    pub(super) fn new(clock: Arc<dyn Clock>, memory: GatewayMemory) -> Self {
        let kept: Option<Kept> = (memory.load)().and_then(|text| serde_json::from_str(&text).ok());
        Self { clock, memory, kept: Mutex::new(kept.unwrap_or_default()), held: Mutex::default() }
    }

    /// What is kept, as it is now.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What keeps a session from beginning.
    pub(super) fn held(&self) -> MutexGuard<'_, Option<(Leave, oneshot::Sender<()>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept, and keeps it.
    pub(super) fn keep(&self, change: impl FnOnce(&mut Kept)) {
        let text = {
            let mut kept = self.kept();
            change(&mut kept);
            serde_json::to_string(&*kept)
        };
        if let Ok(text) = text {
            (self.memory.keep)(&text);
        }
    }

    /// Takes leave to begin a session and keeps that it was taken, before it begins.
    fn leave(&self) -> Leave {
        let now = self.clock.now();
        let mut budget = IdentifyBudget::kept(&self.kept().identifies, now);
        let leave = budget.take(now);
        if leave == Leave::Now {
            self.keep(|kept| kept.identifies = budget.times());
        }
        leave
    }
}

/// Lets sessions begin as the budget has it.
#[derive(Clone)]
pub(super) struct Turnstile(pub(super) Arc<Shared>);

impl Queue for Turnstile {
    fn enqueue(&self, _shard: u32) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        match self.0.leave() {
            // Nobody waits where the connection ended meanwhile.
            Leave::Now => drop(sender.send(()).is_ok()),
            // The library would ask again at once if this were dropped.
            held => *self.0.held() = Some((held, sender)),
        }
        receiver
    }
}
