//! What does a demonstration add to a run? Ways of its own, and a script that plays beside the engine.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::chat::Chat;
use crate::domain::{Lane, Routes, RunId};
use crate::engine::EngineMessage;
use crate::notify::{Channel, Policy};
use crate::store::Store;

use super::AppError;
use super::around::{Helper, spawn};
use super::switchboard::Switchboard;

/// Who else is there. Nobody listens to Telegram then: what is written there is meant for another run.
pub(super) struct Guests {
    /// The ways, each with what its reader wants.
    pub(super) ways: Vec<(Arc<dyn Channel>, Policy)>,
    /// The script.
    pub(super) script: Arc<dyn Fn(Stage) + Send + Sync>,
}

/// What a script acts with.
pub(super) struct Stage {
    pub(super) store: Store,
    pub(super) routes: Routes,
    pub(super) chat: Chat,
    pub(super) queue: Sender<EngineMessage>,
    pub(super) run: RunId,
}

impl Guests {
    /// The ways' names.
    pub(super) fn lanes(&self) -> impl Iterator<Item = Lane> {
        self.ways.iter().map(|(_, policy)| policy.rule.lane)
    }

    /// Opens the ways and has the script play.
    pub(super) fn welcome(&self, switchboard: &Switchboard, stage: Stage) -> Result<Helper, AppError> {
        for (way, policy) in &self.ways {
            switchboard.connect(way.clone(), policy.clone())?;
        }
        let script = self.script.clone();
        // It ends by itself, when the day is over.
        let (stop, _) = channel();
        Ok((stop, spawn("script", move || script(stage))?))
    }
}
