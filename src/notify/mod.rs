//! How does a fact reach a person? From the outbox through filters and a lane to a channel, once, and what became of it is kept.

mod channel;
mod notice;
mod words;
mod filters;
mod worker;

pub use channel::{Channel, SendError};
pub use filters::Policy;
pub use notice::{Notice, notice};
pub use worker::{Tally, Worker};
