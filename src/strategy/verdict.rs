//! What can a strategy say about a bar?

use crate::domain::{Bar, Holding, Input, Ratio, Side};

/// Watches the bars of one symbol.
pub trait Strategy: Send {
    /// Takes every bar of its timeframe, in order. This is all it remembers, so that bars alone bring it back after a restart.
    fn observe(&mut self, bar: &Bar);

    /// What it wants after the last bar.
    fn judge(&self, holding: Holding) -> Verdict;

    /// Follows a split: what was one share is now `numerator / denominator` of one.
    fn rescale(&mut self, numerator: i64, denominator: i64);
}

/// A strategy's answer to a bar.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Open a position.
    Enter {
        /// Buy to be long, sell to be short.
        side: Side,
        /// How sure, from 0 to 1.
        confidence: Ratio,
        /// Why.
        reason: Reason,
        /// How to leave, where the strategy has its own idea of it.
        plan: Plan,
    },
    /// Leave.
    Exit {
        /// Why.
        reason: Reason,
    },
    /// Nothing, because this rule did not hold.
    Stay(Stay),
}

/// How a strategy would leave a position by its levels; what is none, the book's limits decide.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Plan {
    /// How far the stop lies from the entry, in units of price.
    pub stop_distance: Option<f64>,
    /// How far the target lies from the entry, in units of price.
    pub target_distance: Option<f64>,
    /// True if the stop follows the price, false if it stands still.
    pub trailing: Option<bool>,
}

/// The rule that fired, in words, and the numbers it saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// In words, with the numbers: `186.91 rose above 186.40`.
    pub rule: String,
    /// What it saw.
    pub inputs: Vec<Input>,
}

/// The first rule that did not hold. Plain numbers, since most bars end here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stay {
    /// The rule in words.
    pub rule: &'static str,
    /// What was measured.
    pub value: f64,
    /// What it was measured against.
    pub limit: f64,
}

impl Stay {
    /// A rule that did not hold.
    pub const fn new(rule: &'static str, value: f64, limit: f64) -> Self {
        Self { rule, value, limit }
    }
}
