//! Which parts are there, and is each well? With the age of its last success, from what it left in the store.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::clock::Timestamp;
use crate::domain::Lane;
use crate::domain::format::{age, counted};
use crate::store::{LaneState, Pulse, schema_version};

use super::open::{BEAT_MAX_MS, ViewError, Views};

/// What looks after the parts of a running bot writes at least this often, or nobody looks after them.
const PULSE_MAX_MS: i64 = 30_000;
/// What could go on a lane goes within this time, or the lane is late.
const QUEUE_MAX_MS: i64 = 120_000;
/// Two nightly backups lie a day apart; a day may have 25 hours.
const BACKUP_MAX_MS: i64 = 26 * 3_600_000;
/// Clocks that differ by more than this make times of messages and signatures wrong.
const SKEW_MAX_MS: i64 = 60_000;
const _: () = assert!(BEAT_MAX_MS <= PULSE_MAX_MS && PULSE_MAX_MS < QUEUE_MAX_MS);

/// A part of the bot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What decides.
    Engine,
    /// What keeps.
    Store,
    /// What brings prices.
    Feed,
    /// A way to a person.
    Lane(String),
    /// What decides everything again and compares.
    Auditor,
    /// The nightly copy.
    Backup,
    /// The machine's clock, beside that of a channel.
    Clock,
    /// What only the running bot can see, such as its connection to Telegram.
    Watched(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine => f.write_str("engine"),
            Self::Store => f.write_str("store"),
            Self::Feed => f.write_str("feed"),
            Self::Lane(lane) => write!(f, "lane {lane}"),
            Self::Auditor => f.write_str("auditor"),
            Self::Backup => f.write_str("backup"),
            Self::Clock => f.write_str("clock"),
            Self::Watched(name) => f.write_str(name),
        }
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartHealth {
    /// Which.
    pub part: Part,
    /// True if nothing is wrong with it.
    pub well: bool,
    /// Seconds since it last did its work; none if it never did.
    pub age_s: Option<i64>,
    /// How it is.
    pub words: String,
    /// True if another event tells of this illness.
    #[serde(skip)]
    pub told: bool,
}

/// Looks at each part.
///
/// # Errors
/// When the store cannot be read.
pub fn parts(views: &Views) -> Result<Vec<PartHealth>, ViewError> {
    let look = Look { views, now: views.wall(), pulses: views.reader().pulses()? };
    let mut found = vec![look.engine()?, look.store()?, look.feed()?];
    found.extend(look.lanes()?);
    found.extend(look.auditor()?);
    found.push(look.backup()?);
    found.extend(look.clock()?);
    found.extend(look.watched());
    Ok(found)
}

struct Look<'a> {
    views: &'a Views,
    now: Timestamp,
    pulses: Vec<Pulse>,
}

impl Look<'_> {
    fn part(&self, part: Part, last: Option<Timestamp>, verdict: Result<String, String>) -> PartHealth {
        let age_s = last.map(|last| self.age_of(last) / 1000);
        let well = verdict.is_ok();
        let words = verdict.unwrap_or_else(|ill| ill);
        PartHealth { part, well, age_s, words, told: false }
    }

    /// Never negative: a clock that was set back makes nothing young.
    fn age_of(&self, at: Timestamp) -> i64 {
        self.now.since(at).max(0)
    }

    fn engine(&self) -> Result<PartHealth, ViewError> {
        let cycle = self.views.reader().progress()?.map_or(0, |progress| progress.cycle.0);
        let lease = self.views.reader().lease()?;
        let beat = lease.as_ref().map(|lease| lease.beat);
        let verdict = match beat {
            _ if !self.views.is_running() => Err("not running".to_owned()),
            _ if lease.is_some_and(|lease| lease.clean) => {
                Ok(format!("ended after cycle {cycle}, what is left is sent"))
            }
            Some(beat) if self.age_of(beat) <= BEAT_MAX_MS => Ok(format!("running, cycle {cycle}")),
            _ => Err(format!("it lives, and nothing of it is recorded since cycle {cycle}")),
        };
        Ok(self.part(Part::Engine, beat, verdict))
    }

    fn store(&self) -> Result<PartHealth, ViewError> {
        let beat = self.views.reader().lease()?.map(|lease| lease.beat);
        let pulse = self.pulse("store").and_then(|pulse| pulse.well);
        let last = beat.max(pulse);
        let schema = schema_version();
        let silent = self.views.is_running() && last.is_none_or(|last| self.age_of(last) > PULSE_MAX_MS);
        let verdict = if silent {
            Err("it cannot be written: see the bot's terminal or log".to_owned())
        } else {
            Ok(format!("schema {schema}"))
        };
        Ok(self.part(Part::Store, last, verdict))
    }

    fn feed(&self) -> Result<PartHealth, ViewError> {
        let marks = self.views.reader().marks()?;
        let (all, stale) = marks
            .iter()
            .filter(|mark| !mark.ended)
            .fold((0, 0), |(all, stale), mark| (all + 1, stale + u64::from(mark.stale.is_some())));
        let verdict = if all > 0 && stale == all {
            Err(format!("no prices of {}", counted(all, "symbol")))
        } else {
            Ok(format!("{}, {stale} without new prices", counted(all, "symbol")))
        };
        Ok(self.part(Part::Feed, self.views.reader().last_commit()?, verdict))
    }

    fn lanes(&self) -> Result<Vec<PartHealth>, ViewError> {
        let reader = self.views.reader();
        let (states, waiting) = (reader.lane_states()?, reader.oldest_waiting(self.now)?);
        let mut found = Vec::new();
        for rule in &reader.routes()?.lanes {
            let name = rule.lane.to_string();
            let state = states.iter().find(|state| state.lane == name);
            let oldest = waiting.iter().find(|(lane, _)| *lane == name).map(|(_, since)| *since);
            let mut part = self.lane(&name, rule.lane, state, oldest)?;
            // A way that died is told to others by its own event.
            part.told = state.is_some_and(|state| state.dead);
            found.push(part);
        }
        Ok(found)
    }

    fn lane(
        &self,
        name: &str,
        lane: Lane,
        state: Option<&LaneState>,
        oldest: Option<Timestamp>,
    ) -> Result<PartHealth, ViewError> {
        let waits = oldest.map(|since| self.age_of(since));
        let verdict = match (state, waits) {
            (Some(state), _) if state.dead => Err(format!("dead for {}: {}", age(self.age_of(state.since)), state.why)),
            (_, Some(waits)) if waits > QUEUE_MAX_MS => Err(format!("a message waits for {}", age(waits))),
            (Some(state), _) if state.failures > 0 => {
                Ok(format!("{} in a row: {}", counted(u64::from(state.failures), "failure"), state.why))
            }
            (_, Some(waits)) => Ok(format!("a message waits for {}", age(waits))),
            (_, None) => Ok("nothing waits".to_owned()),
        };
        Ok(self.part(Part::Lane(name.to_owned()), self.views.reader().last_taken(lane)?, verdict))
    }

    fn auditor(&self) -> Result<Option<PartHealth>, ViewError> {
        let last = self.views.reader().last_chore("day_audited")?;
        Ok(last.map(|last| {
            let differs = last.severity == "critical";
            let verdict =
                if differs { Err("it found differences".to_owned()) } else { Ok("it found no difference".to_owned()) };
            PartHealth { told: differs, ..self.part(Part::Auditor, Some(last.at), verdict) }
        }))
    }

    fn backup(&self) -> Result<PartHealth, ViewError> {
        let reader = self.views.reader();
        let made = reader.last_chore("backup_made")?.map(|chore| chore.at);
        let failed = reader.last_chore("backup_failed")?.map(|chore| chore.at);
        let started = reader.lease()?.map(|lease| lease.started);
        let late = made.max(started).is_some_and(|since| self.age_of(since) > BACKUP_MAX_MS);
        let verdict = match made {
            _ if failed > made => Err("the last one failed".to_owned()),
            Some(_) if late && self.views.is_running() => Err("the nightly one is missing".to_owned()),
            None if late && self.views.is_running() => Err("none was ever made".to_owned()),
            Some(_) => Ok("made each night".to_owned()),
            None => Ok("none yet: the first is made at night".to_owned()),
        };
        Ok(PartHealth { told: failed > made, ..self.part(Part::Backup, made, verdict) })
    }

    fn clock(&self) -> Result<Option<PartHealth>, ViewError> {
        let last = self.views.reader().last_skew()?;
        Ok(last.map(|last| {
            let words = format!("that of {} is {:+.1} s beside ours", last.lane, last.ms as f64 / 1000.0);
            let verdict = if last.ms.abs() > SKEW_MAX_MS { Err(words) } else { Ok(words) };
            self.part(Part::Clock, Some(last.at), verdict)
        }))
    }

    /// What the running bot notes about itself. What it noted in another life says nothing.
    fn watched(&self) -> Vec<PartHealth> {
        let own = |pulse: &&Pulse| pulse.part != "store" && !pulse.part.starts_with("lane ");
        let look = |pulse: &Pulse| {
            let silent = self.age_of(pulse.seen) > PULSE_MAX_MS;
            let verdict = match &pulse.ill {
                _ if silent => Err(format!("nobody looked at it for {}", age(self.age_of(pulse.seen)))),
                Some(ill) => Err(ill.clone()),
                None => Ok("well".to_owned()),
            };
            self.part(Part::Watched(pulse.part.clone()), pulse.well, verdict)
        };
        if self.views.is_running() { self.pulses.iter().filter(own).map(look).collect() } else { Vec::new() }
    }

    fn pulse(&self, part: &str) -> Option<&Pulse> {
        self.pulses.iter().find(|pulse| pulse.part == part)
    }
}
