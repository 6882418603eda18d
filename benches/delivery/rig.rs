//! Lanes to the fake, each carried by a thread as the program does it, by the real clock.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bellwether::channels::{Target, Telegram, TelegramClient, TelegramLane, http_client};
use bellwether::clock::{Clock, SystemClock};
use bellwether::domain::{Event, EventKind, Lane, LaneRule, Route, RouteTable, Routes, RunId, Severity};
use bellwether::notify::{Abilities, Channel, Failure, Policy, Post, Receipt, Worker, WorkerParts};
use bellwether::store::Store;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::telegram::Fake;

/// The chats of the lanes: 501, 502, ...
pub(crate) const FIRST_CHAT: i64 = 501;

/// A chat that may be written to as often as one likes.
struct Unlimited(TelegramLane);

#[async_trait]
impl Channel for Unlimited {
    fn abilities(&self) -> Abilities {
        Abilities { allowance: None, ..self.0.abilities() }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        self.0.send(post).await
    }
}

/// Whether lanes keep to what a chat bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// As many as come.
    Free,
    /// As the program does.
    Kept,
}

/// Everything, running.
pub(crate) struct Rig {
    _folder: tempfile::TempDir,
    pub(crate) fake: Fake,
    pub(crate) clock: Arc<SystemClock>,
    pub(crate) store: Store,
    routes: Routes,
    quit: watch::Sender<bool>,
    carriers: Vec<JoinHandle<()>>,
    network: tokio::runtime::Runtime,
    /// The fake's clock less ours, in nanoseconds.
    offset: i64,
}

fn lane(name: &str) -> Lane {
    name.parse().expect("a lane")
}

impl Rig {
    /// Lanes of these names to chats of their own, told everything from `min` on.
    pub(crate) fn new(names: &[&str], min: Severity, flow: Flow) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let fake = Fake::start();
        fake.control("settings", &json!({ "flood": flow == Flow::Kept }));
        let clock = Arc::new(SystemClock::new());
        let store = Store::open(&folder.path().join("bench.db")).expect("opens");
        let everything = Route {
            kinds: vec!["*".to_owned()],
            min,
            books: Vec::new(),
            to: names.iter().map(|name| lane(name)).collect(),
            after_ms: 0,
        };
        let rules = names.iter().map(|name| LaneRule::open(lane(name))).collect();
        let routes = Routes::new(RouteTable { lanes: rules, routes: vec![everything] });
        let network =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let quit = watch::Sender::new(false);
        let mut rig =
            Self { _folder: folder, fake, clock, store, routes, quit, carriers: Vec::new(), offset: 0, network };
        for (place, name) in names.iter().enumerate() {
            rig.connect(lane(name), FIRST_CHAT + place as i64, flow);
        }
        rig.offset = rig.calibrate();
        rig
    }

    fn connect(&mut self, lane: Lane, chat: i64, flow: Flow) {
        self.fake.control("join", &json!({ "from": chat, "quiet": true }));
        let http = http_client(None, Duration::from_secs(2)).expect("a client");
        let client = TelegramClient::new(Some(self.fake.url()), Fake::token().into(), http, self.clock.clone());
        let target = Target { chat, topics: Vec::new() };
        let telegram = TelegramLane::new(Telegram::new(client.expect("an address")), target, Arc::new(|_, _| {}));
        let channel: Arc<dyn Channel> =
            if flow == Flow::Free { Arc::new(Unlimited(telegram)) } else { Arc::new(telegram) };
        let worker = worker(&self.store, self.clock.clone(), channel, lane, Arc::new(|_| {}));
        let network = self.network.handle().clone();
        self.carriers.push(carry(worker, self.store.clone(), self.quit.subscribe(), network, || {}));
    }

    /// By how much the fake's clock is ahead, from the quickest of some calls.
    fn calibrate(&self) -> i64 {
        let call = || {
            let begun = self.clock.steady().as_nanos() as i64;
            self.fake.call("getMe", &json!({})).expect("answered");
            let ended = self.clock.steady().as_nanos() as i64;
            let at = self.fake.log(0).last().expect("logged")["at_ns"].as_i64().expect("a time");
            (ended - begun, at - i64::midpoint(begun, ended))
        };
        (0..50).map(|_| call()).min().expect("some").1
    }

    /// Commits a fact; when that began, by the fake's clock in nanoseconds.
    pub(crate) fn happen(&self, kinds: Vec<EventKind>) -> i64 {
        let begun = self.clock.steady().as_nanos() as i64 + self.offset;
        let now = self.clock.now();
        let book = Some("main".parse().expect("a name"));
        let events = kinds.into_iter().map(|kind| Event { at: now, book, kind }).collect();
        self.store.record_events(RunId(1), now, events, &self.routes).expect("stored");
        begun
    }

    /// The number of the newest request.
    pub(crate) fn mark(&self) -> u64 {
        self.fake.log(0).last().and_then(|entry| entry["seq"].as_u64()).unwrap_or(0)
    }

    /// Waits for a message to a chat after the mark; when it was received, by the fake's clock.
    pub(crate) fn received(&self, after: u64, chat: i64, text: &str) -> i64 {
        let ask = json!({ "after": after, "method": "sendMessage", "chat": chat, "text_contains": text, "timeout_ms": 60_000 });
        let entries = self.fake.control("wait", &ask);
        entries["entries"][0]["at_ns"].as_i64().expect("a time")
    }

    /// The requests of a kind since a mark.
    pub(crate) fn log(&self, after: u64) -> Vec<Value> {
        self.fake.log(after)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.quit.send_replace(true);
        self.store.wake();
        for carrier in self.carriers.drain(..) {
            carrier.join().expect("it ends");
        }
    }
}

/// What carries a lane's messages.
pub(crate) fn worker(
    store: &Store,
    clock: Arc<dyn Clock>,
    channel: Arc<dyn Channel>,
    lane: Lane,
    alarm: Arc<dyn Fn(EventKind) + Send + Sync>,
) -> Worker {
    Worker::new(WorkerParts {
        store: store.clone(),
        clock,
        channel,
        policy: Policy::open(LaneRule::open(lane), chrono_tz::Tz::UTC),
        mark: "paper",
        key: [7; 32],
        seed: 1,
        alarm,
    })
}

/// Carries on a thread of its own until it is told to quit, whatever is under way then.
pub(crate) fn carry(
    mut worker: Worker,
    store: Store,
    mut quit: watch::Receiver<bool>,
    network: tokio::runtime::Handle,
    carried: impl Fn() + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut seen = 0;
        loop {
            let step = network.block_on(async {
                tokio::select! {
                    biased;
                    _ = quit.wait_for(|quits| *quits) => None,
                    tally = worker.tick(64) => Some(tally),
                }
            });
            let Some(tally) = step else { return };
            let tally = tally.expect("the store works");
            carried();
            if tally.rest.is_none() && tally.sent + tally.unsent > 0 {
                continue;
            }
            let rest = tally.rest.unwrap_or(Duration::from_millis(250)).min(Duration::from_millis(250));
            seen = store.wait_for_facts(seen, rest);
        }
    })
}

/// The value that so many of a hundred do not exceed.
pub(crate) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100) - 1]
}
