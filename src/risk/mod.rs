//! May we? Every order passes here, and only here an `ExecutionRequest` is made.
#![deny(clippy::float_arithmetic)]

mod limits;
mod sizing;
mod situation;
mod checks;
mod review;

pub use checks::check_names;
pub use limits::{BOOK_WIDE, LIMITS, LimitKind, LimitSpec, Limits, Wider};
pub use review::{
    ExecutionRequest, Instruction, RiskDecision, amend, move_levels, replace, review, take_up_again, withdraw,
};
pub use situation::{Look, Situation, Stake, open_risk};
pub use sizing::{Sizing, TrackRecord, Wish, size};
