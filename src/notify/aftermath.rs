//! What becomes of a message after a try, and what follows for its lane? Settled, put off or given up, and others told where they must be.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::{EventKind, Message, Severity};
use crate::store::{Answer, LaneState, Reader, Settled, StoreError, Task};

use super::compose::Composed;
use super::parcel::Bundle;
use super::worker::{Tally, Worker};
use super::{Failure, Receipt, SendError};

/// A service that asks for a longer pause than this is as good as dead meanwhile, and others are told.
const THROTTLED_WELL: Duration = Duration::from_secs(30);
/// What may have arrived and is not critical waits this long for another message to go with, in milliseconds.
const UNKNOWN_MS: i64 = 60_000;
/// A change of a message that could not be made for so long is not worth making any more, in milliseconds.
const EDIT_MS_MAX: i64 = 60 * 60_000;
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
        composed: Composed,
        tried: Result<Receipt, Failure>,
        tally: &mut Tally,
    ) {
        let now = self.parts.clock.now();
        if matches!(bundle, Bundle::Storm(_)) {
            self.storm.told(self.parts.clock.steady());
        }
        let outcome = match tried {
            Ok(Receipt { remote, skew_ms, detail }) => {
                tally.sent += 1;
                self.succeeded(now);
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
                self.failed(bundle, &composed, parts, &what, tally, now)
            }
        };
        self.settled = Some((composed.parcel, outcome));
    }

    pub(super) fn succeeded(&mut self, now: Timestamp) {
        let lane = self.lane();
        let Some(breaker) = &mut self.breaker else { return };
        if breaker.state().failures == 0 && !breaker.state().dead {
            return;
        }
        let down = breaker.succeed(now);
        let state = breaker.state().clone();
        self.keep(state);
        if let Some(down_ms) = down {
            let waiting = self.waiting(now);
            (self.parts.alarm)(EventKind::LaneRecovered { lane, down_s: down_ms / 1000, waiting });
        }
    }

    /// Keeps how the lane is. That this fails must not keep what became of the message from being settled.
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
        tally: &mut Tally,
        now: Timestamp,
    ) -> Settled {
        let why = what.to_string();
        // Only an answer goes on where it stopped; of the rest a part may be there already.
        let (kept, partly) =
            if matches!(bundle.leader().task, Task::Answer(_)) { (parts, false) } else { (0, parts > 0) };
        let later = |due: Timestamp, unknown: bool| Settled::Later {
            due,
            why: why.clone(),
            parts: kept,
            unknown: unknown || partly,
        };
        match what {
            SendError::Closed => {
                tally.closed = true;
                later(now, false)
            }
            SendError::Throttled(wait) => {
                if *wait > THROTTLED_WELL {
                    self.rest(&why, false, now);
                }
                self.resting_until = self.parts.clock.steady() + *wait;
                if let Some(bucket) = &mut self.bucket {
                    bucket.empty();
                }
                later(now, false)
            }
            SendError::Unreachable(_) => {
                self.rest(&why, false, now);
                self.or_dead(bundle, later(now, false), now)
            }
            SendError::Shut(_) => {
                self.rest(&why, true, now);
                self.or_dead(bundle, later(now, false), now)
            }
            // It is said in a new message then, or was nothing but a change of one that nobody sees any more.
            SendError::Gone => match (&composed.post.edit, &bundle.leader().task) {
                (None, _) | (_, Task::Edit(_)) => Settled::Dead(why),
                (Some(remote), _) => Settled::Gone { remote: remote.clone() },
            },
            SendError::Unknown(_) => {
                self.rest(&why, false, now);
                self.unknown(bundle, &why, later(now, true), now)
            }
            SendError::Rejected(_) => {
                // Whoever refuses one message can be reached.
                self.succeeded(now);
                self.dead(bundle, why)
            }
        }
    }

    /// Nobody knows whether it arrived. What is critical goes again at once, marked; the rest waits a moment for another message to go
    /// with. A second time nobody would believe the mark.
    fn unknown(&self, bundle: &Bundle, why: &str, again: Settled, now: Timestamp) -> Settled {
        let leader = bundle.leader();
        match (&leader.task, again) {
            (Task::Notice(_), _) if leader.repeated => self.dead(bundle, format!("{why}, twice")),
            (Task::Answer(_), _) if leader.repeated => Settled::Dead(format!("{why}, twice")),
            // The same text again changes nothing.
            (Task::Edit(_), Settled::Later { due, why, parts, .. }) => {
                self.or_dead(bundle, Settled::Later { due, why, parts, unknown: false }, now)
            }
            (Task::Notice(_), Settled::Later { why, parts, unknown, .. }) if leader.severity() < Severity::Critical => {
                Settled::Later { due: now.plus_ms(UNKNOWN_MS), why, parts, unknown }
            }
            (_, again) => again,
        }
    }

    fn rest(&mut self, why: &str, shut: bool, now: Timestamp) {
        let lane = self.lane();
        let Some(breaker) = &mut self.breaker else { return };
        let (rest, dies) = if shut { breaker.shut(why, now) } else { breaker.fail(why, now) };
        self.resting_until = self.parts.clock.steady() + rest;
        let state = breaker.state().clone();
        self.keep(state);
        if dies {
            let waiting = self.waiting(now);
            (self.parts.alarm)(EventKind::LaneDied { lane, why: why.to_owned(), waiting });
        }
        if let Err(error) = self.give_up_old(why, now) {
            tracing::warn!(%error, "what is too old could not be given up");
        }
    }

    /// What waits behind a message that cannot be sent grows too old as well.
    fn give_up_old(&self, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let lane = self.lane();
        for severity in Severity::ALL {
            let patience = self.parts.policy.patience.of(severity);
            if !self.failing_for(patience, now) {
                continue;
            }
            let before = now.plus_ms(-patience);
            if let Some((notice, count)) = self.parts.store.give_up(lane, severity, before, why, now)? {
                // Two dead ways would tell each other of their dead messages for ever.
                let fact = Reader::open(self.parts.store.path())?.notice(notice)?;
                if count == 1 && fact.is_some_and(|fact| matches!(fact.event.kind, EventKind::DeliveryDied { .. })) {
                    continue;
                }
                let others = if count > 1 { format!("; {} more like it", count - 1) } else { String::new() };
                (self.parts.alarm)(EventKind::DeliveryDied { notice, lane, why: format!("{why}{others}") });
            }
        }
        Ok(())
    }

    /// Whether the lane has failed for so long. What was never tried is not too old.
    fn failing_for(&self, patience: i64, now: Timestamp) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| now.since(breaker.state().since) >= patience)
    }

    /// What failed for as long as its reader has patience is given up.
    fn or_dead(&self, bundle: &Bundle, later: Settled, now: Timestamp) -> Settled {
        let Settled::Later { why, .. } = &later else { return later };
        let leader = bundle.leader();
        let age = now.since(leader.created.max(leader.due));
        let is_edit = matches!(leader.task, Task::Edit(_));
        let patience = self.parts.policy.patience.of(leader.severity());
        let hopeless = self.failing_for(patience, now) || leader.attempts >= TRIES_MAX;
        if (is_edit && age >= EDIT_MS_MAX) || (age >= patience && hopeless) {
            return self.dead(bundle, why.clone());
        }
        later
    }

    /// Given up. That a fact did not arrive is said on other lanes, that an answer did not is said where it was asked for.
    fn dead(&self, bundle: &Bundle, why: String) -> Settled {
        let leader = bundle.leader();
        match &leader.task {
            Task::Notice(event) if !matches!(event.kind, EventKind::DeliveryDied { .. }) => {
                let (notice, lane) = (leader.notice, self.lane());
                (self.parts.alarm)(EventKind::DeliveryDied { notice, lane, why: why.clone() });
            }
            Task::Answer(message) => self.say_not_shown(message, leader.reply_to.clone(), &why),
            Task::Notice(_) | Task::Edit(_) => {}
        }
        Settled::Dead(why)
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
