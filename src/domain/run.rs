//! Under which circumstances does a cycle run? The context that every border passes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CycleId, Money, RunId};
use crate::clock::Timestamp;

/// Whose money a run moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Invented money on a paper broker.
    Paper,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paper => "paper",
        })
    }
}

/// What a cycle may know about the run it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunContext {
    /// The run.
    pub run: RunId,
    /// Whose money moves.
    pub mode: Mode,
    /// When the run started, on the wall clock.
    pub started: Timestamp,
    /// The cycle.
    pub cycle: CycleId,
    /// The market's time of this cycle: the instant its newest bars became known.
    pub now: Timestamp,
    /// What the run may spend on paid services; nothing by default.
    pub cost_budget: Money,
    /// Decide and record, submit nothing.
    pub dry_run: bool,
}
