//! What would Discord have said? A server of its REST API and its gateway that keeps Discord's limits, plays its faults on demand and
//! remembers every request. It knows nothing of bellwether. `/control/` scripts it and tells what a person would see.

mod commands;
mod control;
mod faults;
mod forms;
mod gateway;
mod interactions;
mod limits;
mod messages;
mod rates;
mod refusal;
mod rest;
mod server;
mod sessions;
mod world;

use super::fake;

#[cfg(test)]
mod client;

#[cfg(test)]
pub(crate) use client::{Fake, number};
pub(crate) use server::{TOKEN, start};
