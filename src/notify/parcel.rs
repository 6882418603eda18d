//! What goes into the next message? One notice, a whole story, or everything that came in a storm or was held overnight.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::Severity;
use crate::store::{Delivery, Manner, Task};

use super::Abilities;

/// More than so many quiet messages at once are a storm, where a channel takes only so many.
const STORM_ROWS: usize = 5;
/// Between two messages of a storm: 10 minutes have room for 50 of them and a burst.
const STORM_GAP: Duration = Duration::from_secs(12);
/// A storm is over when for so long no more came than would go by themselves.
const STORM_REST: Duration = Duration::from_mins(1);

/// What the next message tells. The first row leads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bundle {
    /// One notice, answer or edit; with it what may have been told already.
    One(Box<Delivery>, Vec<Delivery>),
    /// Several facts of one story.
    Story(Vec<Delivery>),
    /// Everything that waits, counted.
    Storm(Vec<Delivery>),
    /// What was put off as its reader wished.
    Held(Vec<Delivery>),
}

impl Bundle {
    /// Its rows, the leader first.
    pub(super) fn rows(&self) -> Vec<&Delivery> {
        match self {
            Self::One(row, riders) => std::iter::once(row.as_ref()).chain(riders).collect(),
            Self::Story(rows) | Self::Storm(rows) | Self::Held(rows) => rows.iter().collect(),
        }
    }

    /// The row that leads it.
    pub(super) fn leader(&self) -> &Delivery {
        match self {
            Self::One(row, _) => row,
            Self::Story(rows) | Self::Storm(rows) | Self::Held(rows) => &rows[0],
        }
    }
}

/// A storm on a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Storm {
    /// True while there is one.
    on: bool,
    /// When its last message went, on the steady clock; none before the first.
    told: Option<Duration>,
    /// When there was more at once than goes by itself, on the steady clock.
    seen: Duration,
}

impl Storm {
    /// How long nothing of it may go; none where something may.
    pub(super) fn rests(&self, steady: Duration) -> Option<Duration> {
        let wait = (self.told? + STORM_GAP).saturating_sub(steady);
        (self.on && !wait.is_zero()).then_some(wait)
    }

    /// A message of it went.
    pub(super) fn told(&mut self, steady: Duration) {
        self.told = Some(steady);
    }

    /// Looks how much there is.
    fn look(&mut self, quiet_rows: usize, steady: Duration) {
        if quiet_rows > STORM_ROWS {
            (self.seen, self.on) = (steady, true);
        } else if steady.saturating_sub(self.seen) > STORM_REST {
            self.on = false;
        }
    }
}

/// Chooses from what passed the filters, loudest first. Where the channel takes only so many, stories and storms are told in one message
/// each. None if nothing is to go now; how long until there is, where that is known.
pub(super) fn choose(
    rows: Vec<Delivery>,
    abilities: Abilities,
    storm: &mut Storm,
    (now, steady): (Timestamp, Duration),
) -> (Option<Bundle>, Option<Duration>) {
    let (gathers, finds) = (abilities.allowance.is_some(), abilities.finds);
    // What may have been told already leads nothing before its time, but goes with others.
    let (mut early, mut rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.is_early(now));
    if gathers {
        let quiet = rows.iter().filter(|row| is_quiet(row) && !row.held);
        storm.look(quiet.count(), steady);
    }
    if rows.is_empty() {
        let wait = |row: &Delivery| Duration::from_millis(row.due.since(now).max(0).unsigned_abs());
        return (None, early.iter().map(wait).min());
    }
    // What the channel looks for goes with nothing new, and was put off for a reason.
    early.retain(|_| !finds);
    if finds && rows[0].repeated {
        return (Some(again(rows)), None);
    }
    // What is found is not sent: nothing new may be in it.
    rows.retain(|row| !(finds && row.repeated));
    let in_storm = gathers && storm.on;
    let in_it = |row: &Delivery| is_quiet(row) && !row.held;
    let alone = rows.iter().position(|row| row.manner == Manner::Alone && matches!(row.task, Task::Notice(_)));
    if let Some(at) = alone.filter(|_| in_storm && in_it(&rows[0])) {
        // What is no part of a storm does not wait for one.
        rows[..=at].rotate_right(1);
    }
    if in_storm && in_it(&rows[0]) {
        if let Some(wait) = storm.rests(steady) {
            return (None, Some(wait));
        }
        let (mut quiet, _): (Vec<_>, Vec<_>) = rows.into_iter().partition(in_it);
        quiet.extend(early.into_iter().filter(is_quiet));
        return (Some(one_or(quiet, Bundle::Storm)), None);
    }
    let leader = rows.remove(0);
    if !matches!(leader.task, Task::Notice(_)) || leader.manner == Manner::Alone {
        return (Some(Bundle::One(Box::new(leader), Vec::new())), None);
    }
    if leader.held {
        let mut held = vec![leader];
        held.extend(rows.into_iter().filter(|row| row.held && is_quiet(row)));
        return (Some(one_or(held, Bundle::Held)), None);
    }
    let tells_story = gathers && leader.episode.is_some() && !leader.unless_acked;
    let mut parts: Vec<Delivery> = rows.into_iter().filter(|row| tells_story && goes_on(&leader, row)).collect();
    if !parts.is_empty() {
        parts.push(leader);
        parts.sort_by_key(|row| row.id);
        return (Some(Bundle::Story(parts)), None);
    }
    let riders = if leader.repeated { Vec::new() } else { early.into_iter().filter(is_quiet).collect() };
    (Some(Bundle::One(Box::new(leader), riders)), None)
}

/// What may be counted with others instead of told by itself.
fn is_quiet(row: &Delivery) -> bool {
    matches!(row.task, Task::Notice(_)) && row.severity() < Severity::Critical && row.manner == Manner::Any
}

/// Whether a row belongs to the leader's story and may be told with it.
fn goes_on(leader: &Delivery, row: &Delivery) -> bool {
    let is_free = matches!(row.task, Task::Notice(_)) && row.manner == Manner::Any && !row.held && !row.unless_acked;
    is_free && row.episode == leader.episode
}

/// What nobody knows to have arrived, with exactly what was told in the same message. The first row leads to it.
fn again(mut rows: Vec<Delivery>) -> Bundle {
    let leads = |row: &Delivery, notice| {
        let is_first = row.notice == notice && row.told_in.is_none() && !row.unless_acked;
        is_first && matches!(row.task, Task::Notice(_))
    };
    let at = match rows[0].told_in {
        // Whoever led it does not go any more: nobody can look for that message.
        Some(notice) => rows.iter().position(|row| row.repeated && leads(row, notice)).unwrap_or(0),
        None => 0,
    };
    let leader = rows.remove(at);
    let told = |row: &Delivery| row.repeated && row.told_in == Some(leader.notice) && leads(&leader, leader.notice);
    let mut all: Vec<Delivery> = rows.into_iter().filter(told).collect();
    let is_story = leader.episode.is_some() && !leader.held && all.iter().all(|row| row.episode == leader.episode);
    let many = match (is_story, leader.held) {
        (true, _) => Bundle::Story,
        (false, true) => Bundle::Held,
        (false, false) => Bundle::Storm,
    };
    if is_story {
        all.sort_by_key(|row| row.id);
    }
    all.insert(0, leader);
    one_or(all, many)
}

fn one_or(mut rows: Vec<Delivery>, many: fn(Vec<Delivery>) -> Bundle) -> Bundle {
    if rows.len() == 1 { Bundle::One(Box::new(rows.remove(0)), Vec::new()) } else { many(rows) }
}
