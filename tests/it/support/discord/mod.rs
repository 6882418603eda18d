//! What would Discord have said? A server of its REST API and its gateway that keeps Discord's limits, plays its faults on demand and
//! remembers every request. It knows nothing of bellwether. `/control/` scripts it and tells what a person would see.

// By itself it has those two of its own.
#[cfg(not(test))]
#[path = "../telegram/clock.rs"]
mod clock;
#[cfg(not(test))]
#[path = "../telegram/wire.rs"]
mod wire;

mod commands;
mod control;
mod faults;
mod forms;
mod gateway;
mod interactions;
mod limits;
mod log;
mod messages;
mod rates;
mod refusal;
mod rest;
mod server;
mod sessions;
mod world;

#[cfg(test)]
mod client;

#[cfg(test)]
use super::telegram::{clock, wire};
#[cfg(test)]
pub(crate) use client::{Fake, number};
pub(crate) use server::start;
