//! Is every part well, and who hears if not? A thread that looks every few seconds, beside everything that it looks at.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::{Clock, Timestamp};
use crate::engine::Pace;
use crate::store::{Reader, Store};
use crate::views::{Part, PartHealth, Views, parts};

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
/// At a pace like the market's a cycle comes at least once in so many bars, and this on top.
const BARS_MISSED_MAX: i64 = 3;
const CYCLE_SLACK_MS: i64 = 60_000;
/// A disk with less room than this fills within days.
const DISK_BYTES_MIN: u64 = 256 << 20;
/// A poll of Telegram is answered at least this often.
const POLL_MAX: Duration = Duration::from_secs(90);

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

    /// The connection to Telegram: how long ago a poll was last answered, if one ever was.
    #[cfg_attr(not(test), expect(dead_code, reason = "nobody polls Telegram yet"))]
    pub(super) fn telegram(answered: impl Fn() -> Option<Duration> + Send + 'static) -> Self {
        Self::new("telegram poll", move || match answered() {
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

/// Watches on a thread of its own until its sender is dropped.
pub(super) fn start(parts: WatchParts) -> Result<Helper, AppError> {
    let (stop, stopped) = channel();
    let watch = Watch::new(parts);
    Ok((stop, spawn("watch", move || watch.run(&stopped))?))
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

    /// Writes down what the probes see. That it can be written is the proof that the store lives.
    fn note(&self) -> Result<(), String> {
        let seen = self.parts.probes.iter().map(|probe| (probe.part.to_owned(), (probe.look)().err()));
        let mut pulses: Vec<(String, Option<String>)> = seen.collect();
        pulses.push(("cycles".to_owned(), self.cycles_missing()));
        pulses.push(("store".to_owned(), None));
        self.parts.store.keep_pulses(pulses, self.parts.clock.now()).map_err(|error| error.to_string())
    }

    /// Whether cycles fail to come, where they come as slowly as the market's bars.
    fn cycles_missing(&self) -> Option<String> {
        let Pace::Times(factor) = self.parts.pace else { return None };
        let reader = Reader::open(self.parts.store.path()).ok()?;
        let finest = reader.marks().ok()?.iter().filter(|mark| !mark.ended).map(|mark| mark.timeframe.ms()).min()?;
        let silent = self.parts.clock.now().since(reader.last_commit().ok()??);
        let patience = BARS_MISSED_MAX * finest / i64::from(factor).max(1) + CYCLE_SLACK_MS;
        (silent > patience).then(|| format!("none for {} s", silent / 1000))
    }

    fn look(&self, wrote: &Result<(), String>) -> Vec<PartHealth> {
        let ill = |words: &str| {
            let words = words.to_owned();
            PartHealth { part: Part::Store, well: false, age_s: None, words, told: false }
        };
        let views = Views::open(self.parts.store.path(), None, self.parts.clock.now());
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
