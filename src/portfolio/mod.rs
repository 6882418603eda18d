//! What did a fill do to the book? Pure arithmetic on exact numbers.
#![deny(clippy::float_arithmetic)]

mod apply;
mod profit;

pub use apply::{Applied, Attribution, Change, apply_carry, apply_fill, apply_split};
pub use profit::{drawdown, equity, exposure, loss_share};
