//! What can a strategy say about a bar?

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Input, Price, Ratio, Side};

use super::LoadError;

/// Watches the bars of one symbol.
pub trait Strategy: Send {
    /// Takes every bar of its timeframe, in order. With its rank this is all it remembers.
    fn observe(&mut self, bar: &Bar);

    /// What it wants after the last bar. Asked again with what is held after an exit, it may turn round on the same bar.
    fn judge(&self, holding: Holding) -> Verdict;

    /// Follows a split: what was one share is now `numerator / denominator` of one.
    fn rescale(&mut self, numerator: i64, denominator: i64);

    /// What it remembers, as JSON.
    fn save(&self) -> String;

    /// Takes up what it saved; after an error it is as before.
    ///
    /// # Errors
    /// When it is not what this strategy saves, or was saved under parameters that do not fit these.
    fn load(&mut self, text: &str) -> Result<(), LoadError>;

    /// What symbols are compared by, the highest first; none for a strategy that compares nothing, and before enough bars.
    fn score(&self) -> Option<f64> {
        None
    }

    /// Tells where its symbol stands among those of the book that have a score; none if it has none. Told after all
    /// symbols took their bars of an instant, before any is judged.
    fn rank(&mut self, _place: Option<Place>) {}
}

/// Where a symbol stands among the ranked ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// From 1, the highest score.
    pub place: usize,
    /// How many are ranked.
    pub of: usize,
}

/// A strategy's answer to a bar.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Open a position.
    Enter {
        /// Buy to be long, sell to be short.
        side: Side,
        /// How sure, from 0 to 1: a half where the rule only just holds.
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

impl Verdict {
    /// Nothing, because of this rule.
    pub(super) const fn stay(rule: &'static str, value: f64, limit: f64) -> Self {
        Self::Stay(Stay::new(rule, value, limit))
    }

    /// Nothing, because an order is under way.
    pub(super) const fn busy() -> Self {
        Self::stay("no order of it is under way", 1.0, 0.0)
    }

    /// Nothing, because too few bars were seen.
    pub(super) const fn early(seen: u32, needed: usize) -> Self {
        Self::stay("enough bars were seen", seen as f64, needed as f64)
    }
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

impl Reason {
    /// A rule with named numbers.
    pub(super) fn new<const N: usize>(rule: String, inputs: [(String, f64); N]) -> Self {
        Self { rule, inputs: inputs.map(|(name, value)| Input { name, value }).into() }
    }
}

/// A level that was computed, to be written as prices are.
pub(super) fn level(value: f64) -> Price {
    Price::from_f64(value).unwrap_or(Price::ZERO)
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

/// A half where a rule only just holds, and up to a half more for the mean of `parts`, each of them from 0 to 1.
pub(super) fn confidence<const N: usize>(parts: [f64; N]) -> Ratio {
    let mean = parts.iter().map(|part| part.clamp(0.0, 1.0)).sum::<f64>() / parts.len() as f64;
    Ratio::from_f64(0.5 + mean / 2.0).unwrap_or(Ratio::from_percent(50))
}
