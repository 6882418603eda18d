//! How does a fact reach a person? From the outbox through filters and a lane to a channel, once, and what became of it is kept.

mod channel;
mod notice;
mod telling;
mod words;
mod words_trade;
mod words_risk;
mod words_system;
mod buttons;
mod together;
mod gathered;
mod filters;
mod worker;

pub use buttons::buttons;
pub use channel::{Channel, SendError};
pub use filters::Policy;
pub use gathered::{Gathered, digest_blocks, summary_blocks};
pub use notice::{Notice, notice};
pub use telling::Telling;
pub use together::story_blocks;
pub use words::told;
pub use worker::{Tally, Worker};
