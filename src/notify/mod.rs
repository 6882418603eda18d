//! How does a fact reach a person? From the outbox through filters and a lane to a channel, once, and what became of it is kept.

mod channel;
mod notice;
mod words;
mod standin;
mod quiet;
mod filters;
mod parcel;
mod compose;
mod allowance;
mod breaker;
mod worker;

pub use channel::{Abilities, Allowance, Channel, Failure, Key, Post, Receipt, SendError};
pub use filters::{Patience, Policy};
pub use quiet::{Quiet, next};
pub use worker::{Tally, Worker, WorkerParts};
