//! What does the service manager hear? That the bot is ready, lives, and stops; nothing where none listens.

use std::time::Duration;

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The first commit of this run is on the disk.
    Ready,
    /// The engine lives.
    Alive,
    /// The bot ends.
    Stopping,
}

/// Says it to systemd, which names its socket in the environment.
#[cfg(unix)]
pub(super) fn show(sign: Sign) {
    let state = match sign {
        Sign::Ready => sd_notify::NotifyState::Ready,
        Sign::Alive => sd_notify::NotifyState::Watchdog,
        Sign::Stopping => sd_notify::NotifyState::Stopping,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager was not told {sign:?}");
    }
}

/// How often systemd wants to hear that the bot lives; never where it does not ask.
#[cfg(unix)]
pub(super) fn wanted() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// No other service manager is known.
#[cfg(not(unix))]
pub(super) fn show(sign: Sign) {
    tracing::trace!(?sign, "no service manager to tell");
}

/// No other service manager is known.
#[cfg(not(unix))]
pub(super) fn wanted() -> Option<Duration> {
    None
}
