//! What would Twilio have said? A server of its messages that keeps Twilio's limits, plays faults on demand, remembers every request, and
//! posts signed what comes from phones and what becomes of messages. It knows nothing of bellwether; `/control/` scripts it.

mod control;
mod limits;
mod posting;
mod server;
mod world;

use super::fake;

#[cfg(test)]
mod client;
#[cfg(test)]
pub(crate) mod conformance;

#[cfg(test)]
pub(crate) use client::{Desk, FROM, PHONE, PUBLIC, SID, TOKEN};
#[cfg(test)]
pub(crate) use posting::Spoilt;
pub(crate) use server::start;
#[cfg(test)]
pub(crate) use world::Fault;
