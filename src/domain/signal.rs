//! What does a strategy want, and why?

use serde::{Deserialize, Serialize};

use super::{Label, Ratio, SignalId, Symbol, Timeframe};
use crate::clock::Timestamp;

/// What a strategy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalAction {
    /// Buy, expecting a rise.
    EnterLong,
    /// Sell what is not held, expecting a fall.
    EnterShort,
    /// Leave the position.
    Exit,
}

/// A number that a decision rested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// What it is, such as `sma20`.
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// A strategy's wish, with everything needed to explain it later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalIntent {
    /// Its number.
    pub id: SignalId,
    /// Who wants it.
    pub strategy: Label,
    /// Of what.
    pub symbol: Symbol,
    /// On which bars it was decided.
    pub timeframe: Timeframe,
    /// What.
    pub action: SignalAction,
    /// How sure the strategy is, from 0 to 1.
    pub confidence: Ratio,
    /// The rule that fired, in words.
    pub rule: String,
    /// What the rule saw.
    pub inputs: Vec<Input>,
    /// When, in the market's time.
    pub at: Timestamp,
}
