//! What becomes of a message after a try, and what follows for its lane? Settled, put off or given up, and others told where they must be.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::{EventKind, INTERACTION, Message, NoticeId, Severity};
use crate::store::{Answer, Delivery, LaneState, Reader, Ruled, Ruling, Settled, StoreError, Task};

use super::compose::Composed;
use super::parcel::Bundle;
use super::worker::{Tally, Worker};
use super::{Failure, HAD_ARRIVED, Receipt, SendError};

/// A service that asks for a longer pause than this is as good as dead meanwhile, and others are told.
const THROTTLED_WELL: Duration = Duration::from_secs(30);
/// What may have arrived and is not critical waits this long for another message to go with, in milliseconds: no longer, so that a way that
/// never answers is told elsewhere within a minute.
const UNKNOWN_MS: i64 = 20_000;
/// A change of a message that could not be made for so long is not worth making any more, in milliseconds.
const EDIT_MS_MAX: i64 = 60 * 60_000;
/// So long a service may ask for one pause after the other.
const THROTTLING_WELL: Duration = Duration::from_secs(20);
/// A try that comes later than this after its time follows a sleep of the machine, or nothing was to be sent.
const GAP_MAX: Duration = Duration::from_mins(10);
/// A message that failed so often while others came through is given up once it is old.
const TRIES_MAX: u32 = 50;
/// How the answer begins that stands for one that could not be shown.
const NOT_SHOWN: &str = "The answer could not be shown here";

impl Worker {
    /// Keeps what became of a try for the next transaction, and lets the lane rest where it has to. It rests as one, so that what comes
    /// later does not overtake what could not be sent.
    pub(super) fn note(
        &mut self,
        bundle: &Bundle,
        mut composed: Composed,
        tried: Result<Receipt, Failure>,
        tally: &mut Tally,
    ) {
        self.begun = None;
        let now = self.parts.clock.now();
        if matches!(bundle, Bundle::Storm(_)) {
            self.storm.told(self.parts.clock.steady());
        }
        let outcome = match tried {
            Ok(Receipt { remote, skew_ms, detail }) => {
                tally.sent += 1;
                // What went by a token says nothing about the lane.
                if !remote.as_deref().is_some_and(|remote| remote.starts_with(INTERACTION)) {
                    self.succeeded(now);
                }
                if detail.as_deref() == Some(HAD_ARRIVED) {
                    // What is there was said before: it names nobody who has seen it since.
                    composed.parcel.acked.clear();
                }
                let remote = match bundle {
                    // A summary belongs to no story: nothing may change it into one.
                    Bundle::Storm(_) | Bundle::Held(_) => None,
                    // What was changed keeps the name that it has.
                    Bundle::One(..) | Bundle::Story(_) => composed.post.edit.clone().or(remote),
                };
                Settled::Sent { remote, skew_ms, detail }
            }
            Err(Failure { parts, what }) => {
                tally.unsent += 1;
                tally.closed |= what == SendError::Closed;
                let failed = self.failed(bundle, &composed, parts, &what, now);
                let finds = self.parts.channel.abilities().finds;
                let goes_on =
                    matches!(failed, Settled::Later { .. }) || finds && matches!(failed, Settled::Unknown { .. });
                let goes_on = parts > 0 && goes_on;
                self.begun = goes_on.then(|| composed.clone());
                failed
            }
        };
        self.settled = Some((composed.parcel, outcome));
    }

    pub(super) fn succeeded(&mut self, now: Timestamp) {
        let lane = self.lane();
        (self.failing, self.throttled) = (None, None);
        let Some(breaker) = &mut self.breaker else { return };
        if breaker.state().failures == 0 && !breaker.state().dead {
            return;
        }
        let down = breaker.succeed(now);
        let state = breaker.state().clone();
        if let Some(down_ms) = down {
            let waiting = self.waiting(now);
            (self.parts.alarm)(EventKind::LaneRecovered { lane, down_s: down_ms / 1000, waiting });
        }
        self.keep(state);
    }

    /// Keeps how the lane is, once others were told: whoever dies in between tells it twice and not never. That this fails must not keep what
    /// became of the message from being settled.
    fn keep(&self, state: LaneState) {
        if let Err(error) = self.parts.store.keep_lane(state) {
            tracing::warn!(%error, "how {} is could not be kept", self.lane());
        }
    }

    fn waiting(&self, now: Timestamp) -> u64 {
        Reader::open(self.parts.store.path()).and_then(|reader| reader.open_deliveries(self.lane(), now)).unwrap_or(0)
    }

    fn failed(
        &mut self,
        bundle: &Bundle,
        composed: &Composed,
        parts: u32,
        what: &SendError,
        now: Timestamp,
    ) -> Settled {
        let why = what.to_string();
        let later = Settled::Later { due: now, why: why.clone(), parts };
        match what {
            SendError::Closed => later,
            SendError::Throttled(wait) => {
                self.throttle(*wait, &why, now);
                self.or_dead(bundle, later, now)
            }
            SendError::NotBefore(wait, _) => {
                let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                Settled::Later { due: now.plus_ms(wait_ms), why, parts }
            }
            SendError::Unreachable(_) => {
                self.rest(&why, false, now);
                self.or_dead(bundle, later, now)
            }
            SendError::Shut(_) => {
                self.rest(&why, true, now);
                self.or_dead(bundle, later, now)
            }
            SendError::Gone => match (&composed.post.edit, &bundle.leader().task) {
                // It was nothing but a change of a message that nobody sees any more.
                (Some(_), Task::Edit(_)) => Settled::Dead(why),
                (Some(remote), _) => Settled::Gone { remote: remote.clone() },
                (None, _) => self.dead(bundle, why),
            },
            SendError::Unknown(_) => {
                self.rest(&why, false, now);
                self.unknown(bundle, &why, parts, now)
            }
            SendError::Rejected(_) | SendError::Unpaid(_) => {
                // Whoever refuses one message can be reached; what was not paid says nothing of the way.
                if matches!(what, SendError::Rejected(_)) {
                    self.succeeded(now);
                }
                if bundle.rows().len() > 1 { Settled::Apart { why, parts } } else { self.dead(bundle, why) }
            }
        }
    }

    /// The service asks for a pause. A long one, or one after the other, is as good as a dead way.
    pub(super) fn throttle(&mut self, wait: Duration, why: &str, now: Timestamp) {
        let steady = self.parts.clock.steady();
        // What was asked for long ago is over, whatever came of it.
        let since = self.throttled.filter(|_| steady <= self.paused_until + THROTTLING_WELL).unwrap_or(steady);
        self.throttled = Some(since);
        if wait > THROTTLED_WELL || steady.saturating_sub(since) >= THROTTLING_WELL {
            self.rest(why, false, now);
        }
        (self.resting_until, self.paused_until) = (steady + wait, steady + wait);
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        if let Err(error) = self.parts.store.keep_pause(self.lane(), wait_ms, now) {
            tracing::warn!(%error, "the pause that {} asks for could not be kept", self.lane());
        }
        // What waits for the pause does not fail meanwhile.
        if let Some((_, next)) = &mut self.failing {
            *next = steady + wait;
        }
        if let Some(bucket) = &mut self.bucket {
            bucket.empty();
        }
    }

    /// Nobody knows whether it arrived. What is critical goes again at once, marked; the rest waits a moment for another message to go
    /// with. A second time nobody would believe the mark. Where the channel looks first, nothing has to be believed: it goes again until that is known.
    fn unknown(&self, bundle: &Bundle, why: &str, parts: u32, now: Timestamp) -> Settled {
        let leader = bundle.leader();
        let why = why.to_owned();
        match &leader.task {
            // The same text again changes nothing.
            Task::Edit(_) => self.or_dead(bundle, Settled::Later { due: now, why, parts: 0 }, now),
            _ if self.parts.channel.abilities().finds => {
                match self.or_dead(bundle, Settled::Later { due: now, why, parts }, now) {
                    Settled::Later { due, why, parts } => Settled::Unknown { due, why, parts, spent: Vec::new() },
                    dead => dead,
                }
            }
            Task::Answer(_) | Task::Seen(_) | Task::Broken(_) => {
                if let (true, Task::Answer(message)) = (leader.repeated, &leader.task) {
                    self.say_not_shown(message, leader.reply_to.clone(), &why);
                }
                let spent = if leader.repeated { vec![leader.id] } else { Vec::new() };
                Settled::Unknown { due: now, why, parts, spent }
            }
            Task::Notice(_) => {
                let spent: Vec<&Delivery> = bundle.rows().into_iter().filter(|row| row.repeated).collect();
                self.tell_dead(&spent, &format!("{why}, twice"));
                let is_loud = bundle.rows().iter().any(|row| row.severity() == Severity::Critical);
                let due = if is_loud { now } else { now.plus_ms(UNKNOWN_MS) };
                Settled::Unknown { due, why, parts, spent: spent.iter().map(|row| row.id).collect() }
            }
        }
    }

    fn rest(&mut self, why: &str, shut: bool, now: Timestamp) {
        let (lane, steady) = (self.lane(), self.parts.clock.steady());
        let Some(breaker) = &mut self.breaker else { return };
        let (rest, dies) = if shut { breaker.shut(why, now) } else { breaker.fail(why, now) };
        self.resting_until = steady + rest;
        // While the machine slept nothing failed.
        let since = self.failing.filter(|(_, next)| steady <= *next + GAP_MAX).map_or(steady, |(since, _)| since);
        self.failing = Some((since, steady + rest));
        let state = breaker.state().clone();
        if dies {
            let waiting = self.waiting(now);
            (self.parts.alarm)(EventKind::LaneDied { lane, why: why.to_owned(), waiting });
        }
        self.keep(state);
        if let Err(error) = self.give_up_old(why, now) {
            tracing::warn!(%error, "what is too old could not be given up");
        }
    }

    /// What waits behind a message that cannot be sent grows too old as well.
    fn give_up_old(&self, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let lane = self.lane();
        for severity in Severity::ALL {
            let patience = self.parts.policy.patience.of(severity);
            if !self.failing_for(patience) {
                continue;
            }
            let before = now.plus_ms(-patience);
            let reader = Reader::open(self.parts.store.path())?;
            let (open, duress) =
                (reader.too_old(lane, severity, before)?, reader.too_old_duress(lane, severity, before)?);
            if open.is_none() && duress.is_empty() {
                continue;
            }
            if let Some((notice, count)) = open {
                // Two dead ways would tell each other of their dead messages for ever.
                let fact = reader.notice(notice)?;
                let about_delivery = fact.is_some_and(|fact| matches!(fact.event.kind, EventKind::DeliveryDied { .. }));
                if count > 1 || !about_delivery {
                    self.raise_dead(notice, count, why);
                }
            }
            for row in &duress {
                row.notice.into_iter().for_each(|notice| self.raise_untold(notice, &row.event.kind, why));
            }
            self.parts.store.give_up(lane, severity, before, why, now)?;
        }
        Ok(())
    }

    /// Whether the lane has failed for so long, in milliseconds, as far as it was tried. What was never tried is not too old.
    fn failing_for(&self, patience: i64) -> bool {
        let steady = self.parts.clock.steady();
        self.failing
            .is_some_and(|(since, _)| steady.saturating_sub(since).as_millis() >= u128::from(patience.unsigned_abs()))
    }

    /// What failed for as long as its reader has patience is given up.
    fn or_dead(&self, bundle: &Bundle, later: Settled, now: Timestamp) -> Settled {
        let Settled::Later { why, .. } = &later else { return later };
        let leader = bundle.leader();
        let age = now.since(leader.created.max(leader.due));
        let is_edit = matches!(leader.task, Task::Edit(_));
        let patience = self.parts.policy.patience.of(leader.severity());
        let hopeless = self.failing_for(patience) || leader.attempts >= TRIES_MAX;
        if (is_edit && age >= EDIT_MS_MAX) || (age >= patience && hopeless) {
            return self.dead(bundle, why.clone());
        }
        later
    }

    /// Given up. That a fact did not arrive is said on other lanes, that an answer did not is said where it was asked for.
    fn dead(&self, bundle: &Bundle, why: String) -> Settled {
        let leader = bundle.leader();
        match &leader.task {
            Task::Notice(_) | Task::Broken(_) => self.tell_dead(&[leader], &why),
            Task::Answer(message) => self.say_not_shown(message, leader.reply_to.clone(), &why),
            Task::Edit(_) | Task::Seen(_) => {}
        }
        Settled::Dead(why)
    }

    /// Says on other lanes that these did not arrive here, but for what itself only says so. What not everybody may learn of is not among
    /// them: it is said by itself.
    fn tell_dead(&self, rows: &[&Delivery], why: &str) {
        let mut told = Vec::new();
        for row in rows {
            match &row.task {
                Task::Notice(event) if matches!(event.kind, EventKind::DeliveryDied { .. }) => {}
                Task::Notice(event)
                    if matches!(event.kind, EventKind::DuressPin { .. } | EventKind::DuressUntold { .. }) =>
                {
                    self.raise_untold(row.notice, &event.kind, why);
                }
                _ => told.push(row.notice),
            }
        }
        if let Some(first) = told.first() {
            self.raise_dead(*first, told.len() as u64, why);
        }
    }

    /// Says where it may be known that somebody was made to enter a PIN that it did not arrive here; but not of what only says so.
    fn raise_untold(&self, notice: NoticeId, fact: &EventKind, why: &str) {
        let (lane, why) = (self.lane(), why.to_owned());
        if let EventKind::DuressPin { person } = fact {
            (self.parts.alarm)(EventKind::DuressUntold { person: person.clone(), notice, lane, why });
        }
    }

    fn raise_dead(&self, notice: NoticeId, count: u64, why: &str) {
        let others = if count > 1 { format!("; {} more like it", count - 1) } else { String::new() };
        let lane = self.lane();
        (self.parts.alarm)(EventKind::DeliveryDied { notice, lane, why: format!("{why}{others}") });
    }

    /// A row that cannot be read is given up.
    pub(super) fn broken(&self, row: &Delivery, why: &str) -> Ruled {
        self.tell_dead(&[row], why);
        Ruled { id: row.id, why: why.to_owned(), ruling: Ruling::GiveUp }
    }

    fn say_not_shown(&self, message: &Message, reply_to: Option<String>, why: &str) {
        // That this could not be shown either is not worth a third.
        if message.plain_lines().first().is_some_and(|line| line.starts_with(NOT_SHOWN)) {
            return;
        }
        let said = Message::answer(&format!("{NOT_SHOWN}: {why}"));
        let answer = Answer { reply_to, ..Answer::new(self.lane(), said) };
        if let Err(error) = self.parts.store.post(answer, self.parts.clock.now()) {
            tracing::warn!(%error, "an answer that {} refused could not be replaced", self.lane());
        }
    }
}
