//! What would Telegram have said? A Bot API server that keeps Telegram's limits, plays its faults on demand and remembers every request.
//! It knows nothing of bellwether. `/control/` scripts it and tells what a person would see.

mod autolinks;
mod chats;
mod control;
mod editing;
mod faults;
mod files;
mod flood;
mod html;
mod keyboard;
mod limits;
mod markdown;
mod messages;
mod methods;
mod params;
mod people;
mod profile;
mod refusal;
mod sending;
mod server;
mod text;
mod updates;
mod world;

use super::fake;

#[cfg(test)]
mod client;
#[cfg(test)]
pub(crate) mod conformance;

#[cfg(test)]
pub(crate) use client::{Fake, Rejected};
pub(crate) use server::{TOKEN, start};
