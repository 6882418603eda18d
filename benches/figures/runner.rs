//! How fast is the way from a bar to its commit and its message?

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bellwether::clock::{Clock, SystemClock, Timestamp};
use bellwether::control::{ChangeDesk, PinCost};
use bellwether::domain::{
    CycleId, EventKind, Instrument, Lane, LaneRule, MarketSnapshot, NoticeId, RouteTable, Routes, Severity,
};
use bellwether::engine::{Pace, Runner, RunnerOptions, RunnerParts};
use bellwether::execution::PaperBroker;
use bellwether::market::{Feed, SimulatedFeed};
use bellwether::notify::{Abilities, Channel, Failure, Policy, Post, Receipt, Worker, WorkerParts};
use bellwether::store::{Reader, RunStart, Saved, Store};

use crate::Sample;
use crate::ground::{CYCLES, Ground, SYMBOLS, millis, temporary};
use crate::program::pause;

/// Bars whose messages are timed.
const PACED_BARS: usize = 90;
/// The least time between two of them.
const PACED_MS: f64 = 40.0;
/// That time in fsyncs, where the disk is slow: bars come once a minute, so no message waits for those of the bar before.
const PACED_FSYNCS: f64 = 30.0;
/// The lane of the terminal.
fn lane() -> Lane {
    "owner:terminal".parse().expect("a lane")
}

/// What the runner asked of its feed and got, on the steady clock.
struct Handed {
    at: Timestamp,
    asked: Duration,
    given: Duration,
}

/// Prepared bars, handed out not faster than one in `spacing`; notes when.
struct PreparedFeed {
    instruments: Vec<Instrument>,
    snapshots: Arc<Vec<MarketSnapshot>>,
    next: usize,
    last: usize,
    spacing: Duration,
    clock: Arc<SystemClock>,
    handed: Arc<Mutex<Vec<Handed>>>,
}

impl Feed for PreparedFeed {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        let asked = self.clock.steady();
        let next = self.snapshots.get(self.next).filter(|_| self.next < self.last);
        self.next += 1;
        if let Some(next) = next {
            snapshot.clone_from(next);
        }
        let at = next.map_or(Timestamp::from_ms(i64::MAX), |next| next.at);
        if at > SimulatedFeed::START {
            pause(self.spacing);
            let given = self.clock.steady();
            self.handed.lock().unwrap_or_else(PoisonError::into_inner).push(Handed { at, asked, given });
        }
        next.is_some()
    }

    fn history_until(&self) -> Timestamp {
        SimulatedFeed::START
    }
}

/// Runs the runner on a database of its own over the first `bars` bars after the history; what its feed noted.
fn run(ground: &Ground, store: &Store, bars: usize, spacing: Duration) -> Vec<Handed> {
    let clock: Arc<dyn Clock> = ground.clock.clone();
    let handed = Arc::new(Mutex::new(Vec::new()));
    let feed = PreparedFeed {
        instruments: ground.instruments.clone(),
        snapshots: ground.snapshots.clone(),
        next: 0,
        last: ground.snapshots.len() - CYCLES + bars,
        spacing,
        clock: ground.clock.clone(),
        handed: handed.clone(),
    };
    let started = RunStart {
        mode: "paper".to_owned(),
        feed: "bench".to_owned(),
        dry_run: false,
        started: clock.now(),
        first_cycle: CycleId(1),
    };
    let run = store.start_run(started).expect("the run can be noted");
    let (_keep, queue) = channel();
    let parts = RunnerParts {
        engine: ground.engine(),
        broker: PaperBroker::new(&ground.instruments),
        feed: Box::new(feed),
        store: store.clone(),
        clock: clock.clone(),
        routes: Routes::new(RouteTable::simple(&[lane()], Severity::Notice)),
        desk: ChangeDesk::new(store.clone(), clock.clone(), PinCost::LEAST),
        queue,
        emergency: Box::new(|text| panic!("{text}")),
        auditor: None,
    };
    // At this pace a minute of the market is no wait, and every cycle is a commit of its own all the same.
    let pace = Pace::Times(1_000_000);
    let opening = vec![EventKind::EngineStarted { feed: "bench".to_owned(), symbols: SYMBOLS, dry_run: false }];
    let options = RunnerOptions { run, started: clock.now(), dry_run: false, pace, cycles_max: None, opening };
    let finished = Runner::new(parts, &Saved::default(), options).run().expect("it runs");
    assert_eq!(finished.cycles, bars as u64);
    std::mem::take(&mut *handed.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(crate) fn commit(ground: &Ground) -> Sample {
    let folder = temporary(ground.folder.path());
    let store = Store::open(&folder.path().join("bench.db")).expect("the store opens");
    let handed = run(ground, &store, CYCLES, Duration::ZERO);
    store.close();
    // Before the first cycle the opening is committed, so it does not count.
    let mut times: Vec<f64> = handed.windows(2).skip(1).map(|pair| millis(pair[0].given, pair[1].asked)).collect();
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    let aside = format!("mean of {} cycles; the 99th percentile is {:.2} ms", times.len(), percentile(&mut times, 99));
    Sample { value: mean, aside }
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100) - 1]
}

/// Stands for the terminal: writes each message into nothing, and notes when it was out.
struct TimedTerminal {
    clock: Arc<SystemClock>,
    out: Mutex<Vec<(NoticeId, Duration)>>,
}

#[async_trait]
impl Channel for TimedTerminal {
    fn abilities(&self) -> Abilities {
        Abilities { edits: false, buttons: false, finds: false, allowance: None }
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        let number = post.number.unwrap_or_default();
        writeln!(std::io::sink(), "{} {number}", post.message.plain_lines().join("\n    ")).expect("takes everything");
        self.out.lock().unwrap_or_else(PoisonError::into_inner).push((number, self.clock.steady()));
        Ok(Receipt::default())
    }
}

/// Carries messages as the program does, until `drain` is set and nothing is left.
fn carry(ground: &Ground, store: &Store, terminal: Arc<TimedTerminal>, drain: &AtomicBool) {
    let mut worker = Worker::new(WorkerParts {
        store: store.clone(),
        clock: ground.clock.clone(),
        channel: terminal,
        policy: Policy::open(LaneRule::open(lane()), ground.book().zone),
        mark: "sim",
        key: [7; 32],
        seed: 1,
        alarm: Arc::new(|kind| panic!("{kind:?}")),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
    let mut seen = 0;
    loop {
        let draining = drain.load(Ordering::SeqCst);
        if runtime.block_on(worker.tick(64)).expect("the store works").sent > 0 {
            continue;
        }
        if draining {
            return;
        }
        seen = store.wait_for_facts(seen, Duration::from_millis(250));
    }
}

pub(crate) fn message(ground: &Ground) -> Sample {
    let folder = temporary(ground.folder.path());
    let path = folder.path().join("bench.db");
    let store = Store::open(&path).expect("the store opens");
    let terminal = Arc::new(TimedTerminal { clock: ground.clock.clone(), out: Mutex::default() });
    let drain = AtomicBool::new(false);
    let spacing_ms = PACED_MS.max(PACED_FSYNCS * ground.fsync_ms);
    let handed = std::thread::scope(|scope| {
        let carrier = scope.spawn(|| carry(ground, &store, terminal.clone(), &drain));
        let handed = run(ground, &store, PACED_BARS, Duration::from_secs_f64(spacing_ms / 1e3));
        drain.store(true, Ordering::SeqCst);
        carrier.join().expect("everything is carried");
        handed
    });
    let told = Reader::open(&path).and_then(|reader| reader.journal_told(100_000)).expect("the journal can be read");
    let out = terminal.out.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(told.len(), out.len(), "every message arrived once");
    // Not of a bar: the start before the first one, and the end after the last.
    let of_bars = told.iter().filter(|row| !matches!(row.event.kind, EventKind::ReplayFinished { .. }));
    let mut times: Vec<f64> = of_bars
        .filter_map(|row| {
            let closed = handed.iter().find(|handed| handed.at == row.event.at)?.given;
            let (_, arrived) = out.iter().find(|(number, _)| Some(*number) == row.notice)?;
            Some(millis(closed, *arrived))
        })
        .collect();
    let (p99, p50) = (percentile(&mut times, 99), percentile(&mut times, 50));
    let aside = format!("half of {} messages within {p50:.1} ms; a bar each {spacing_ms:.0} ms", times.len());
    Sample { value: p99, aside }
}
