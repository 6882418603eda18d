//! What runs beside the engine, and how does it end? Threads, the flags they are told by, and the signals of the system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::Clock;
use crate::engine::EngineMessage;
use crate::store::Store;

use super::AppError;
use super::discord_house;
use super::messenger::Running;
use super::reload::Revoke;
use super::switchboard::Switchboard;

/// How long a stop may take before it is forced.
const STOP_MAX: Duration = Duration::from_secs(3);
/// How long the helpers of a run may take to end after that.
const STOP_REST: Duration = Duration::from_millis(500);
/// How long piped commands that came before the end are still answered.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(2);

/// Something that runs until its sender is dropped.
pub(super) type Helper = (Sender<()>, JoinHandle<()>);

/// What the parts beside the engine are told.
#[derive(Default)]
pub(super) struct Flags {
    /// The engine has ended.
    pub(super) ended: Arc<AtomicBool>,
    /// Carry what is left, then end.
    pub(super) drain: Arc<AtomicBool>,
    /// End now.
    pub(super) give_up: Arc<AtomicBool>,
}

/// Everything that runs beside the engine.
pub(super) struct Around {
    pub(super) flags: Flags,
    /// Somebody said stop.
    pub(super) stopped: Arc<AtomicBool>,
    /// Set to have a person's editor give the terminal back.
    pub(super) over: Option<Arc<AtomicBool>>,
    pub(super) switchboard: Switchboard,
    pub(super) messenger: Option<Running>,
    pub(super) house: Option<discord_house::Running>,
    /// Takes away from people what a configuration does not grant.
    pub(super) revoke: Option<Revoke>,
    pub(super) keyboard: Option<JoinHandle<()>>,
    pub(super) helpers: Vec<Helper>,
}

impl Around {
    /// Ends everything: commands that came through a pipe are answered, messages carried, the terminal given back.
    pub(super) fn end(self, store: &Store, clock: &dyn Clock, failed: bool) {
        let hurried = failed || self.stopped.load(Ordering::SeqCst);
        let typed_out = || self.keyboard.as_ref().is_none_or(JoinHandle::is_finished);
        self.flags.ended.store(true, Ordering::SeqCst);
        if self.over.is_none() && !self.stopped.load(Ordering::SeqCst) {
            wait(LAST_WORDS, clock, typed_out);
        }
        // Nothing new is heard; what was heard is answered at the next start.
        let house = self.house.map(discord_house::Running::end);
        let listeners = self.messenger.map(Running::end).into_iter().chain(house);
        let listeners: Vec<_> = listeners.flatten().collect();
        self.flags.drain.store(true, Ordering::SeqCst);
        store.wake();
        let idle = || self.switchboard.is_idle();
        let patience = if hurried { STOP_MAX } else { Duration::from_hours(1) };
        wait(patience, clock, || idle() || (!hurried && self.stopped.load(Ordering::SeqCst)));
        self.flags.give_up.store(true, Ordering::SeqCst);
        wait(STOP_REST, clock, idle);
        if let Some(over) = &self.over {
            // The editor has the terminal in a state of its own; it must give it back before the program ends.
            over.store(true, Ordering::SeqCst);
            wait(STOP_REST, clock, typed_out);
        }
        let (stops, helpers): (Vec<_>, Vec<_>) = self.helpers.into_iter().unzip();
        drop(stops);
        let listening = || listeners.iter().any(|listener| !listener.is_finished());
        wait(STOP_REST, clock, || helpers.iter().all(JoinHandle::is_finished) && !listening());
    }
}

/// Starts a thread.
pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, AppError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| AppError::failed(format!("no thread for the {name}: {error}")))
}

/// Waits until `done`, at most for `patience`.
pub(super) fn wait(patience: Duration, clock: &dyn Clock, done: impl Fn() -> bool) {
    let begun = clock.steady();
    let (_keep, nothing) = channel::<()>();
    while !done() && clock.steady().saturating_sub(begun) < patience {
        let _ = nothing.recv_timeout(Duration::from_millis(5));
    }
}

/// Ctrl-C or SIGTERM: finish the step; a second one exits at once. The flag says that one came.
pub(super) fn watch_signals(queue: Sender<EngineMessage>) -> Result<Arc<AtomicBool>, AppError> {
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = stopped.clone();
    spawn("signals", move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            while next_signal().await {
                if flag.swap(true, Ordering::SeqCst) {
                    std::process::exit(1);
                }
                // An engine that is gone has stopped already.
                let _ = queue.send(EngineMessage::Stop);
            }
        });
    })?;
    Ok(stopped)
}

#[cfg(unix)]
async fn next_signal() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
    tokio::select! {
        heard = tokio::signal::ctrl_c() => heard.is_ok(),
        heard = terminate.recv() => heard.is_some(),
    }
}

#[cfg(not(unix))]
async fn next_signal() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}
