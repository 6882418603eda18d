//! Which ways to people are open? A thread a lane, opened at the start and whenever somebody is paired.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;
use crate::domain::{ChannelKind, Event, EventKind, Lane, Message, Routes, RunId, Severity};
use crate::notify::{Allowance, Channel, Policy, Pool, Post, Worker, WorkerParts};
use crate::store::Store;

use super::around::spawn;
use super::{AppError, talk};

/// Records facts that no cycle makes, such as that a way to somebody is dead.
pub(super) type Alarm = Arc<dyn Fn(EventKind) + Send + Sync>;

/// An alarm that is told by these routes.
pub(super) fn alarm(store: Store, clock: Arc<dyn Clock>, run: RunId, routes: Routes) -> Alarm {
    Arc::new(move |kind| {
        let event = Event { at: clock.now(), book: None, kind };
        if let Err(error) = store.record_events(run, clock.now(), vec![event], &routes) {
            tracing::error!(%error, "an alarm could not be recorded");
        }
    })
}

/// Everything that all lanes have in common.
#[derive(Clone)]
pub(super) struct Switchboard {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) network: Handle,
    pub(super) mark: &'static str,
    pub(super) key: [u8; 32],
    pub(super) alarm: Alarm,
    pub(super) drain: Arc<AtomicBool>,
    pub(super) give_up: Arc<AtomicBool>,
    pub(super) open: OpenLanes,
}

/// The lanes that are carried; clones see the same ones.
#[derive(Clone, Default)]
pub(super) struct OpenLanes {
    lanes: Arc<Mutex<Vec<OpenLane>>>,
    /// What all lanes of a service have together.
    pools: Arc<Mutex<Vec<(ChannelKind, Pool)>>>,
}

impl OpenLanes {
    fn lock(&self) -> MutexGuard<'_, Vec<OpenLane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool(&self, kind: ChannelKind, allowance: Allowance, now: Duration) -> Pool {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = pools.iter().find(|(known, _)| *known == kind) {
            return pool.clone();
        }
        let pool = Pool::full(allowance, now);
        pools.push((kind, pool.clone()));
        pool
    }

    /// Somebody was heard at the other end of a lane: if it is dead, it is tried at once. True if there is such a lane.
    pub(super) fn nudge(&self, lane: Lane) -> bool {
        let lanes = self.lock();
        let open = lanes.iter().find(|open| open.lane == lane);
        open.inspect(|open| open.nudged.store(true, Ordering::SeqCst)).is_some()
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<Lane> {
        self.lock().iter().map(|open| open.lane).collect()
    }

    /// Says something past the store on every lane but the terminal's, without waiting for it: what cannot be recorded is told all the same.
    pub(super) fn urgent(&self, text: &str, network: &Handle) {
        for open in self.lock().iter().filter(|open| open.lane.channel != ChannelKind::Terminal) {
            let (lane, channel, post) = (open.lane, open.channel.clone(), urgent_post(text));
            network.spawn(async move {
                if let Err(error) = channel.send(&post).await {
                    tracing::error!(%error, "the emergency could not be told on {lane}");
                }
            });
        }
    }
}

/// A message that no row of the outbox stands for.
fn urgent_post(text: &str) -> Post {
    Post {
        message: Message::of_lines([text.to_owned()]),
        number: None,
        severity: Severity::Critical,
        kind: None,
        again: None,
        book: None,
        silent: false,
        reply_to: None,
        edit: None,
        keys: Vec::new(),
        parts_done: 0,
        delivery: 0,
    }
}

/// A lane that is carried.
struct OpenLane {
    lane: Lane,
    channel: Arc<dyn Channel>,
    carrier: JoinHandle<()>,
    over: Arc<AtomicBool>,
    nudged: Arc<AtomicBool>,
}

impl Switchboard {
    fn lanes(&self) -> MutexGuard<'_, Vec<OpenLane>> {
        self.open.lock()
    }

    /// Carries a lane from now on; one that was carried to somewhere else ends. Whoever opens lanes while others may does it in turn.
    pub(super) fn connect(&self, channel: Arc<dyn Channel>, policy: Policy) -> Result<(), AppError> {
        let lane = policy.rule.lane;
        self.disconnect(lane);
        let allowance = channel.service_allowance();
        let pool = allowance.map(|allowance| self.open.pool(lane.channel, allowance, self.clock.steady()));
        let nudged = Arc::new(AtomicBool::new(false));
        let seed = blake3::hash(format!("{lane} {}", self.clock.now().ms()).as_bytes());
        let worker = Worker::new(WorkerParts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            channel: channel.clone(),
            policy,
            mark: self.mark,
            key: self.key,
            seed: seed.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)),
            alarm: self.alarm.clone(),
        })
        .nudged_by(nudged.clone());
        let worker = match pool {
            Some(pool) => worker.sharing(pool),
            None => worker,
        };
        let (network, store) = (self.network.clone(), self.store.clone());
        let (drain, give_up) = (self.drain.clone(), self.give_up.clone());
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        let carrier =
            spawn(&format!("lane {lane}"), move || talk::carry(worker, &network, &store, &drain, &[give_up, ends]))?;
        self.lanes().push(OpenLane { lane, channel, carrier, over, nudged });
        Ok(())
    }

    /// Carries a lane no more. A message that is under way on it is settled first: a lane has one carrier at a time.
    pub(super) fn disconnect(&self, lane: Lane) {
        let mut lanes = self.lanes();
        let Some(at) = lanes.iter().position(|open| open.lane == lane) else { return };
        let open = lanes.remove(at);
        drop(lanes);
        open.over.store(true, Ordering::SeqCst);
        self.store.wake();
        if open.carrier.join().is_err() {
            tracing::error!("the carrier of {lane} broke");
        }
    }

    /// True if no lane carries anything any more.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes().iter().all(|open| open.carrier.is_finished())
    }
}
