//! What did a fill do to the book, and what did trading cost? Pure arithmetic on exact numbers.
#![deny(clippy::float_arithmetic)]

mod apply;
mod profit;
mod reverse;
mod shortfall;

pub use apply::{Applied, Attribution, Change, apply_carry, apply_fill, apply_split};
pub use profit::{drawdown, equity, exposure, loss_share};
pub use reverse::{Reversal, reverse};
pub use shortfall::{Expected, Shortfall, shortfall, shortfall_by_strategy, shortfalls};
