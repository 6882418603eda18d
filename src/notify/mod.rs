//! How does a fact reach a person? From the outbox through filters and a lane to a channel, once, and what became of it is kept.

mod channel;
mod telling;
mod words;
mod words_trade;
mod living;
mod words_risk;
mod words_system;
mod buttons;
mod together;
mod gathered;
mod filters;
mod parcel;
mod compose;
mod turn;
mod aftermath;
mod allowance;
mod breaker;
mod worker;
mod sms_budget;

pub use allowance::Pool;
pub use buttons::buttons;
pub use channel::{Abilities, Allowance, Channel, Failure, HAD_ARRIVED, Key, Post, Receipt, SendError};
pub use filters::{Patience, Policy, has_amount};
pub use gathered::{Gathered, digest_blocks, summary_blocks};
pub use living::living_blocks;
pub use sms_budget::{Grant, SmsBudget};
pub use telling::Telling;
pub use together::story_blocks;
pub use words::told;
pub use worker::{Tally, Worker, WorkerParts};
