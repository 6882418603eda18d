//! Is every part well, and who hears if not? A thread that looks every few seconds, beside everything that it looks at.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::{Clock, Timestamp};
use crate::domain::Instrument;
use crate::engine::Pace;
use crate::market::Hours;
use crate::store::{MarkRow, Reader, Store};
use crate::views::{Asker, Part, PartHealth, Views, parts};
use crate::web::Server;

use super::AppError;
use super::around::{Helper, spawn};
use super::heartbeat::Heartbeat;
use super::service::{Sign, show, wanted};
use super::switchboard::Alarm;
use super::vigil::Vigil;

/// How often everything is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often it is looked whether the run has begun.
const LOOK_FOR_START: Duration = Duration::from_millis(250);
/// A cycle that comes this much later than the bars that it is for, and so many of them, does not come.
const BARS_MISSED_MAX: u64 = 3;
const CYCLE_SLACK_MS: i64 = 60_000;
/// A disk with less room than this fills within days.
const DISK_BYTES_MIN: u64 = 256 << 20;
/// A poll of Telegram is answered at least this often.
const POLL_MAX: Duration = Duration::from_secs(90);
/// Another copy that was not noticed for so long is gone.
const COPY_GONE: Duration = Duration::from_mins(2);

/// Something that only the running bot can see.
pub(super) struct Probe {
    part: &'static str,
    look: Box<dyn Fn() -> Result<(), String> + Send>,
}

impl Probe {
    /// A part of this name, and what is wrong with it, if anything is.
    pub(super) fn new(part: &'static str, look: impl Fn() -> Result<(), String> + Send + 'static) -> Self {
        Self { part, look: Box::new(look) }
    }

    /// The connection to Telegram: how long ago a poll was last answered, if one ever was, and how long ago another copy took one away.
    pub(super) fn telegram(
        answered: impl Fn() -> Option<Duration> + Send + 'static,
        other_copy: impl Fn() -> Option<Duration> + Send + 'static,
    ) -> Self {
        Self::new("telegram poll", move || match answered() {
            _ if other_copy().is_some_and(|age| age <= COPY_GONE) => {
                Err("another copy of the bot reads the same chats".to_owned())
            }
            Some(age) if age <= POLL_MAX => Ok(()),
            Some(age) => Err(format!("Telegram has not answered for {} s", age.as_secs())),
            None => Err("Telegram has not answered yet".to_owned()),
        })
    }

    /// The room on the disk that `database` is on.
    pub(super) fn disk(database: &Path) -> Self {
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        Self::new("disk", move || match room(&folder) {
            Some(bytes) if bytes < DISK_BYTES_MIN => Err(format!("{} MB are left", bytes >> 20)),
            _ => Ok(()),
        })
    }
}

/// Bytes that are left for us; none where the system does not say.
#[cfg(unix)]
fn room(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn room(_folder: &Path) -> Option<u64> {
    None
}

/// What the watch looks at, and whom it tells.
pub(super) struct WatchParts {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) network: Handle,
    pub(super) alarm: Alarm,
    pub(super) pace: Pace,
    pub(super) probes: Vec<Probe>,
    /// Who is pinged while all is well.
    pub(super) heartbeat: Option<Heartbeat>,
}

/// Watches on a thread of its own until its sender is dropped, and keeps the port of monitors open meanwhile.
pub(super) fn start(parts: WatchParts, server: Option<Server>) -> Result<Helper, AppError> {
    let (stop, stopped) = channel();
    let watch = Watch::new(parts);
    let work = move || {
        watch.run(&stopped);
        drop(server);
    };
    Ok((stop, spawn("watch", work)?))
}

struct Watch {
    parts: WatchParts,
    vigil: Vigil,
    started: Timestamp,
    ready: bool,
}

impl Watch {
    fn new(parts: WatchParts) -> Self {
        let told = Reader::open(parts.store.path()).and_then(|reader| reader.open_illnesses());
        if let Err(error) = parts.store.forget_pulses() {
            tracing::warn!(%error, "how parts were in the last run could not be forgotten");
        }
        let vigil = Vigil::resume(told.unwrap_or_default(), parts.clock.steady());
        let started = parts.clock.now();
        Self { parts, vigil, started, ready: false }
    }

    fn run(mut self, stop: &Receiver<()>) {
        let often = wanted().map_or(LOOK, |limit| LOOK.min(limit / 2));
        loop {
            let rest = if self.ready { often } else { LOOK_FOR_START };
            if stop.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            self.tick();
        }
        show(Sign::Stopping);
    }

    /// Looks once. Before anything of this run is on the disk there is nothing to judge: a long history may still be read.
    fn tick(&mut self) {
        if !self.ready {
            self.ready = self.has_begun();
            if self.ready {
                show(Sign::Ready);
            }
            return;
        }
        if self.has_ended() {
            // What is left is sent, and nothing else is to be expected of anybody.
            show(Sign::Alive);
            return;
        }
        let wrote = self.note();
        let seen = self.look(&wrote);
        let now = (self.parts.clock.now(), self.parts.clock.steady());
        for told in self.vigil.judge(&seen, now) {
            (self.parts.alarm)(told);
        }
        if let Some(heartbeat) = self.parts.heartbeat.as_mut().filter(|_| vital(&seen)) {
            heartbeat.ping(&self.parts.network, now.1);
        }
        if restart_would_not_help(&seen) {
            show(Sign::Alive);
        }
    }

    fn has_begun(&self) -> bool {
        let committed = Reader::open(self.parts.store.path()).and_then(|reader| reader.last_commit());
        committed.ok().flatten().is_some_and(|at| at >= self.started)
    }

    fn has_ended(&self) -> bool {
        let lease = Reader::open(self.parts.store.path()).and_then(|reader| reader.lease());
        lease.ok().flatten().is_some_and(|lease| lease.clean)
    }

    /// Writes down what the probes see. That it can be written is the proof that the store lives.
    fn note(&self) -> Result<(), String> {
        let seen = self.parts.probes.iter().map(|probe| (probe.part.to_owned(), (probe.look)().err()));
        let mut pulses: Vec<(String, Option<String>)> = seen.collect();
        pulses.push(("cycles".to_owned(), self.cycles_missing()));
        pulses.push(("store".to_owned(), None));
        self.parts.store.keep_pulses(pulses, self.parts.clock.now()).map_err(|error| error.to_string())
    }

    /// Whether cycles fail to come, where time passes as on the market. At the market's own pace closed hours are waited out; at a
    /// faster one no wait is longer than some seconds.
    fn cycles_missing(&self) -> Option<String> {
        let Pace::Times(factor) = self.parts.pace else { return None };
        let reader = Reader::open(self.parts.store.path()).ok()?;
        let silent = self.parts.clock.now().since(reader.last_commit().ok()??);
        if silent <= CYCLE_SLACK_MS {
            return None;
        }
        let market = reader.progress().ok()??.market;
        let missed = |mark: &MarkRow| {
            let hours = Hours::of(Instrument::bare(mark.symbol).class);
            hours.bars_between(mark.timeframe, market, market.plus_ms(silent - CYCLE_SLACK_MS)) >= BARS_MISSED_MAX
        };
        let is_late = factor > 1 || reader.marks().ok()?.iter().filter(|mark| !mark.ended).any(missed);
        is_late.then(|| format!("none for {} s", silent / 1000))
    }

    fn look(&self, wrote: &Result<(), String>) -> Vec<PartHealth> {
        let ill = |words: &str| {
            let words = words.to_owned();
            PartHealth { part: Part::Store, well: false, age_s: None, words, told: false }
        };
        let views = Views::open(self.parts.store.path(), Asker::default(), self.parts.clock.now());
        match views.and_then(|views| parts(&views)) {
            Err(error) => vec![ill(&error.to_string())],
            Ok(mut seen) => {
                if let Err(error) = wrote {
                    seen.retain(|part| part.part != Part::Store);
                    seen.push(ill(error));
                }
                seen
            }
        }
    }
}

/// Whether the bot decides, keeps and tells: what somebody elsewhere relies on.
fn vital(seen: &[PartHealth]) -> bool {
    let is_vital = |part: &Part| match part {
        Part::Engine | Part::Store | Part::Lane(_) => true,
        Part::Feed | Part::Auditor | Part::Backup | Part::Clock | Part::Watched(_) => false,
    };
    let is_there = |wanted: &Part| seen.iter().any(|part| part.part == *wanted);
    is_there(&Part::Engine)
        && is_there(&Part::Store)
        && seen.iter().filter(|part| is_vital(&part.part)).all(|part| part.well)
}

/// An engine that does not show itself while the store can be written hangs, and systemd starts it anew. A full disk, a lane that is
/// dead or prices that do not come would be the same after a restart.
fn restart_would_not_help(seen: &[PartHealth]) -> bool {
    let well = |wanted: &Part| seen.iter().any(|part| part.part == *wanted && part.well);
    well(&Part::Engine) || !well(&Part::Store)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::Sender;

    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::{CycleId, EventKind, Lane, RouteTable, Routes, RunId, Severity};
    use crate::store::{Batch, LaneState, Lease, ProgressRow, RunStart};

    const PATIENCE: Duration = Duration::from_mins(1);

    /// A run without an engine: its signs of life are given by hand.
    struct Stage {
        clock: Arc<ManualClock>,
        store: Store,
        told: Arc<Mutex<Vec<EventKind>>>,
        watch: Watch,
        _lease: Lease,
        _folder: tempfile::TempDir,
    }

    impl Stage {
        fn new(network: &Handle, heartbeat: Option<Heartbeat>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.db");
            let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
            let store = Store::open(&path).unwrap();
            let lease = Lease::take(&path).unwrap();
            let started = clock.now();
            let start = RunStart {
                mode: "paper".to_owned(),
                feed: "test".to_owned(),
                dry_run: false,
                started,
                first_cycle: CycleId(1),
            };
            let run = store.start_run(start).unwrap();
            store.sign_lease(run, started).unwrap();
            store.keep_routes(&RouteTable::simple(&[lane()], Severity::Notice)).unwrap();
            let told: Arc<Mutex<Vec<EventKind>>> = Arc::default();
            let heard = told.clone();
            let parts = WatchParts {
                store: store.clone(),
                clock: clock.clone(),
                network: network.clone(),
                alarm: Arc::new(move |kind| heard.lock().unwrap().push(kind)),
                pace: Pace::Times(60),
                probes: vec![],
                heartbeat,
            };
            Self { watch: Watch::new(parts), clock, store, told, _lease: lease, _folder: folder }
        }

        fn commit(&self) {
            let progress = Some(ProgressRow { cycle: CycleId(1), market: self.clock.now(), ..ProgressRow::default() });
            let batch = Batch { run: RunId(1), wall: self.clock.now(), progress, ..Batch::default() };
            self.store.record(Box::new(batch), &Routes::default()).wait().unwrap();
        }

        /// Lets so many seconds pass; what was told meanwhile.
        fn pass(&mut self, seconds: u64, engine_lives: bool) -> Vec<EventKind> {
            for _ in 0..seconds / LOOK.as_secs() {
                self.clock.advance(LOOK.as_millis() as i64);
                if engine_lives {
                    self.commit();
                    self.store.beat(self.clock.now()).unwrap();
                }
                self.watch.tick();
            }
            std::mem::take(&mut self.told.lock().unwrap())
        }

        fn set_lane(&self, dead: bool) {
            let state = LaneState {
                lane: lane().to_string(),
                dead,
                since: self.clock.now(),
                failures: u32::from(dead) * 3,
                why: "refused".to_owned(),
            };
            self.store.keep_lane(state).unwrap();
        }
    }

    fn lane() -> Lane {
        "ana:telegram".parse().unwrap()
    }

    fn network() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    #[test]
    fn an_engine_that_hangs_is_told_once_and_what_reads_history_is_not() {
        let network = network();
        let mut stage = Stage::new(network.handle(), None);
        // Nothing of this run is committed yet.
        assert_eq!(stage.pass(600, false), []);
        assert_eq!(stage.pass(60, true), []);
        let told = stage.pass(300, false);
        let parts: Vec<&str> = told
            .iter()
            .map(|kind| if let EventKind::HealthDegraded { part, .. } = kind { part.as_str() } else { "well" })
            .collect();
        assert_eq!(parts, ["engine", "cycles"]);
        let told = stage.pass(120, true);
        let down = |kind: &EventKind| if let EventKind::HealthRestored { down_s, .. } = kind { *down_s } else { -1 };
        assert!(told.iter().all(|kind| down(kind) > 200), "{told:?}");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_run_that_has_ended_is_not_ill_while_its_last_messages_go_out() {
        let network = network();
        let mut stage = Stage::new(network.handle(), None);
        stage.pass(60, true);
        stage.store.end_run(RunId(1), stage.clock.now(), "stopped", true).unwrap();
        assert_eq!(stage.pass(600, false), []);
    }

    #[test]
    fn a_ping_goes_out_while_all_is_well_and_none_while_a_lane_is_dead() {
        let network = network();
        let (heard, pings) = channel();
        let address = network.block_on(pinged(heard));
        let url = format!("http://{address}/secret-path").parse().unwrap();
        let mut stage = Stage::new(network.handle(), Some(Heartbeat::new(url, None).unwrap()));
        stage.pass(5, true);
        stage.pass(60, true);
        assert_eq!(pings.recv_timeout(PATIENCE).as_deref(), Ok("/secret-path"));
        stage.set_lane(true);
        // Its own event tells of a dead lane, so the watch does not.
        assert_eq!(stage.pass(600, true), []);
        stage.set_lane(false);
        stage.pass(5, true);
        assert!(pings.recv_timeout(PATIENCE).is_ok());
        assert!(pings.try_recv().is_err(), "there was a ping while the lane was dead");
    }

    async fn pinged(heard: Sender<String>) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hear = move |uri: axum::http::Uri| async move { drop(heard.send(uri.path().to_owned())) };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(hear)).await });
        address
    }

    #[test]
    fn a_restart_is_wanted_only_where_it_helps() {
        let part = |part, well| PartHealth { part, well, age_s: None, words: String::new(), told: false };
        let seen = |engine, store| vec![part(Part::Engine, engine), part(Part::Store, store)];
        assert!(restart_would_not_help(&seen(true, true)));
        assert!(restart_would_not_help(&seen(false, false)));
        assert!(!restart_would_not_help(&seen(false, true)));
        let unreadable = [part(Part::Store, false)];
        assert!(restart_would_not_help(&unreadable) && !vital(&unreadable));
    }

    #[test]
    fn telegram_that_does_not_answer_is_ill() {
        let with_copy = |age: Option<u64>, copy: Option<u64>| {
            let seconds = |age: Option<u64>| move || age.map(Duration::from_secs);
            (Probe::telegram(seconds(age), seconds(copy)).look)()
        };
        let verdict = |age: Option<u64>| with_copy(age, None);
        assert!(with_copy(Some(3), Some(5)).unwrap_err().contains("another copy"));
        assert_eq!(with_copy(Some(3), Some(121)), Ok(()), "it is gone");
        assert_eq!(verdict(Some(30)), Ok(()));
        assert!(verdict(Some(91)).unwrap_err().contains("91 s"));
        assert!(verdict(None).is_err());
    }
}
