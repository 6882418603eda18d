//! Where does a fake live? On a port of its own: one world behind one lock, the log of what was asked, and the bell that rings when
//! something changes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use super::log::Log;
use super::wire::{Doors, Switch};

pub(crate) struct Hub<W> {
    world: Mutex<W>,
    log: Mutex<Log>,
    pub(crate) changed: watch::Sender<u64>,
}

impl<W> Hub<W> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, W> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log. Whoever needs the world too locks that first.
    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ring(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// What became of a request.
    pub(crate) fn settle(&self, seq: u64, outcome: Value) {
        self.log().settle(seq, outcome);
        self.ring();
    }
}

/// A server that runs until this is dropped; its connections end with it.
pub(crate) struct Running<W> {
    address: SocketAddr,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look into the world"))]
    pub(crate) hub: Arc<Hub<W>>,
    _stop: oneshot::Sender<()>,
}

impl<W> std::fmt::Display for Running<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.address.fmt(f)
    }
}

/// Starts a server for the world that knows its address. Port 0 is any port.
///
/// # Errors
/// The port cannot be had.
pub(crate) fn start<W: Send + 'static>(
    port: u16,
    world: impl FnOnce(SocketAddr) -> W,
    app: impl FnOnce(Arc<Hub<W>>) -> Router,
) -> io::Result<Running<W>> {
    let doors = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    doors.set_nonblocking(true)?;
    let address = doors.local_addr()?;
    let (world, log) = (Mutex::new(world(address)), Mutex::new(Log::new()));
    let hub = Arc::new(Hub { world, log, changed: watch::Sender::new(0) });
    let app = app(hub.clone()).into_make_service_with_connect_info::<Switch>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(doors) = tokio::net::TcpListener::from_std(doors) else { return };
            tokio::select! {
                _ = axum::serve(Doors(doors), app) => {}
                _ = stopped => {}
            }
        });
    });
    Ok(Running { address, hub, _stop: stop })
}
