//! Lanes to several platforms, each carried by a thread as the program does it, by the real clock.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bellwether::clock::{Clock, SystemClock};
use bellwether::domain::{Event, EventKind, LaneRule, Route, RouteTable, Routes, RunId, Severity};
use bellwether::notify::{Abilities, Channel, Failure, Post, Receipt};
use bellwether::store::Store;
use tokio::sync::watch;

use crate::far::{Arrived, Far, Tools, lane_of, now};
use crate::rig::{Flow, carry, worker};

/// A channel that may be written to as often as one likes.
struct Unlimited(Arc<dyn Channel>);

#[async_trait]
impl Channel for Unlimited {
    fn abilities(&self) -> Abilities {
        Abilities { allowance: None, ..self.0.abilities() }
    }

    async fn probe(&self) -> Option<Result<(), Failure>> {
        self.0.probe().await
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        self.0.send(post).await
    }
}

/// Ana's lanes to some platforms, running.
pub(crate) struct Ways {
    _folder: tempfile::TempDir,
    clock: Arc<SystemClock>,
    store: Store,
    routes: Routes,
    quit: watch::Sender<bool>,
    carriers: Vec<JoinHandle<()>>,
    /// A word for each step of a carrier.
    steps: Receiver<()>,
    _network: tokio::runtime::Runtime,
}

/// Facts of these kinds go to these platforms.
pub(crate) fn route(kinds: &[&str], min: Severity, fars: &[Arc<dyn Far>]) -> Route {
    Route {
        kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
        min,
        books: Vec::new(),
        to: fars.iter().map(|far| lane_of(far.name()).parse().expect("a lane")).collect(),
        after_ms: 0,
    }
}

impl Ways {
    /// Lanes to these platforms, which are told by these routes.
    pub(crate) fn new(fars: &[Arc<dyn Far>], routes: Vec<Route>, flow: Flow, patience: Duration) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let clock = Arc::new(SystemClock::new());
        let store = Store::open(&folder.path().join("bench.db")).expect("opens");
        let lanes: Vec<_> = fars.iter().map(|far| lane_of(far.name()).parse().expect("a lane")).collect();
        let rules = lanes.iter().map(|lane| LaneRule::open(*lane)).collect();
        let routes = Routes::new(RouteTable { lanes: rules, routes });
        let network =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let quit = watch::Sender::new(false);
        let (carried, steps) = channel();
        let alarm: Arc<dyn Fn(EventKind) + Send + Sync> = {
            let (store, clock, routes) = (store.clone(), clock.clone(), routes.clone());
            Arc::new(move |kind| {
                let event = Event { at: clock.now(), book: None, kind };
                store.record_events(RunId(1), event.at, vec![event], &routes).expect("stored");
            })
        };
        let mut carriers = Vec::new();
        for (far, lane) in fars.iter().zip(lanes) {
            let channel = far.channel(Tools { store: store.clone(), clock: clock.clone(), patience });
            let channel = if flow == Flow::Free { Arc::new(Unlimited(channel)) } else { channel };
            let worker = worker(&store, clock.clone(), channel, lane, alarm.clone());
            let carried = carried.clone();
            let rings = move || carried.send(()).unwrap_or_default();
            carriers.push(carry(worker, store.clone(), quit.subscribe(), network.handle().clone(), rings));
        }
        Self { _folder: folder, clock, store, routes, quit, carriers, steps, _network: network }
    }

    /// Commits facts; when that began.
    pub(crate) fn happen(&self, kinds: Vec<EventKind>) -> Instant {
        let begun = now();
        let at = self.clock.now();
        let book = Some("main".parse().expect("a name"));
        let events = kinds.into_iter().map(|kind| Event { at, book, kind }).collect();
        self.store.record_events(RunId(1), at, events, &self.routes).expect("stored");
        begun
    }

    /// Waits for a new message that holds `part`.
    pub(crate) fn received(&self, far: &dyn Far, after: usize, part: &str) -> Arrived {
        loop {
            // Whatever was carried before this look needs no other.
            while self.steps.try_recv().is_ok() {}
            if let Some(found) = far.arrived(after).into_iter().find(|arrived| arrived.text.contains(part)) {
                return found;
            }
            self.steps.recv_timeout(Duration::from_mins(2)).expect("somebody carries");
        }
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        self.quit.send_replace(true);
        self.store.wake();
        for carrier in self.carriers.drain(..) {
            carrier.join().expect("it ends");
        }
    }
}
