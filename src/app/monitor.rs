//! Where do monitors ask? On a port of our own; a bot that cannot have it trades all the same, and says so.

use std::net::SocketAddr;

use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;

use crate::web::{Parts, Server, serve};

use super::watch::Probe;

/// Opens the port. Where it cannot be had there is no server, and the part `http` is ill for as long as the bot runs.
pub(super) fn open(
    listen: SocketAddr,
    token: Option<&SecretString>,
    parts: Parts,
    network: &Handle,
) -> (Option<Server>, Probe) {
    let token = token.map(ExposeSecret::expose_secret);
    match network.block_on(serve(listen, token, parts, std::future::pending())) {
        Ok(server) => (Some(server), Probe::new("http", || Ok(()))),
        Err(error) => {
            let words = error.to_string();
            tracing::warn!("{words}; the bot runs without it");
            (None, Probe::new("http", move || Err(words.clone())))
        }
    }
}
