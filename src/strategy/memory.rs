//! How does a strategy's memory outlive the program? As JSON, beside the words of the parameters that shaped it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::Price;

/// A saved memory that cannot be taken up again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is not what this strategy saves.
    #[error("the saved memory of {strategy} cannot be read: {why}")]
    Unreadable {
        /// The strategy.
        strategy: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// It was saved under other parameters.
    #[error("the memory of {strategy} was saved with {saved}, but now {strategy} is set to {now}")]
    Changed {
        /// The strategy.
        strategy: &'static str,
        /// The parameters then.
        saved: String,
        /// The parameters now.
        now: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Saved<S, M> {
    shape: S,
    memory: M,
}

/// The memory as JSON. `shape` names the parameters without which it means nothing: `fast 20, slow 50`.
pub(super) fn save<M: Serialize>(shape: &str, memory: &M) -> String {
    serde_json::to_string(&Saved { shape, memory }).expect("numbers and texts are JSON")
}

/// The memory back, if it was saved under the same shape.
pub(super) fn load<M: DeserializeOwned>(strategy: &'static str, shape: &str, text: &str) -> Result<M, LoadError> {
    let saved: Saved<String, M> =
        serde_json::from_str(text).map_err(|error| LoadError::Unreadable { strategy, why: error.to_string() })?;
    if saved.shape != shape {
        return Err(LoadError::Changed { strategy, saved: saved.shape, now: shape.to_owned() });
    }
    Ok(saved.memory)
}

/// A remembered price after a split into `numerator` for `denominator`; unchanged where that makes no sense or does not fit.
pub(super) fn split(price: Price, numerator: i64, denominator: i64) -> Price {
    let possible = numerator > 0 && denominator > 0;
    price.scaled(denominator, numerator).ok().filter(|_| possible).unwrap_or(price)
}

/// The same for a number that was computed from prices.
pub(super) fn split_level(level: f64, numerator: i64, denominator: i64) -> f64 {
    if numerator > 0 && denominator > 0 { level * denominator as f64 / numerator as f64 } else { level }
}
