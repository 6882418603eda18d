//! What happens between two cycles? The market's time is waited for, people are heeded, and the clocks are looked at.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::control::{Control, DeskError, Tier};
use crate::domain::{Event, EventKind};
use crate::store::CarriedOut;

use super::before::Before;
use super::plan::Obeyed;
use super::runner::{EngineMessage, Runner, RunnerError};
use super::{Pace, books, obey, overlay, preview, rankings, reconfigure, trial};

/// How often the runner shows that it lives.
const BEAT_MS: u64 = 5_000;
/// The longest stretch of waiting without a look at the clocks.
pub(super) const LOOK_MS: u64 = 1_000;
/// A difference between wall clock and steady clock that counts as a jump.
const JUMP_MS: i64 = 60_000;

impl Runner {
    /// Waits until the market's time has come, and heeds people meanwhile.
    pub(super) fn wait_for(&mut self, at: Timestamp) -> Result<(), RunnerError> {
        let wait = self.options.pace.wait_ms(at.since(self.market));
        let begun = self.group.due.unwrap_or_else(|| self.clock.steady());
        self.group.due = None;
        loop {
            let left = wait.saturating_sub(self.since(begun));
            let got = if left == 0 {
                self.queue.try_recv().map_err(|error| match error {
                    TryRecvError::Empty => RecvTimeoutError::Timeout,
                    TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                })
            } else {
                self.queue.recv_timeout(Duration::from_millis(left.min(LOOK_MS)))
            };
            match got {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) if left == 0 => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.stopping = true,
            }
            self.heed()?;
            self.live()?;
            if self.stopping {
                return Ok(());
            }
        }
        if self.options.pace != Pace::Max {
            // The next wait counts from when this one was due, so that the work of a cycle does not slow the market down.
            let due = begun + Duration::from_millis(wait);
            self.group.due = Some(due.max(self.clock.steady().saturating_sub(Duration::from_secs(1))));
            self.note_late(self.since(begun).saturating_sub(wait));
        } else if self.cycles.is_multiple_of(1024) {
            self.live()?;
        }
        Ok(())
    }

    pub(super) fn take(&mut self, message: EngineMessage) {
        match message {
            EngineMessage::Look => self.look = true,
            EngineMessage::Alerts(list) => self.alerts.take(list, &self.engine),
            EngineMessage::Stop => self.stopping = true,
            EngineMessage::Reconfigure(read) => self.reloads.push(read),
            EngineMessage::Try(answer) => {
                let context = self.context(self.market, self.engine.counters.cycle);
                // Whoever asked may have stopped waiting.
                let _ = answer.send(trial(&self.engine, &context).map_err(|error| error.to_string()));
            }
            EngineMessage::Preview(change, person, answer) => {
                let context = self.context(self.market, self.engine.counters.cycle);
                let _ = answer.send(preview(&self.engine, &change, &person, &context).map_err(|why| why.to_string()));
            }
            EngineMessage::Rank(answer) => {
                let _ = answer.send(rankings(&self.engine, self.market));
            }
        }
    }

    /// Carries out what was confirmed, and takes what was configured; each is committed before anything else happens.
    pub(super) fn heed(&mut self) -> Result<(), RunnerError> {
        for read in std::mem::take(&mut self.reloads) {
            // What a file or a person changes cannot be made again from prices: a new stretch begins after it.
            self.send_stretch()?;
            let context = self.context(self.market, self.engine.counters.cycle);
            let told = self.group.outcome.events.len();
            reconfigure(&mut self.engine, read, &context, &mut self.group.outcome);
            self.tell_broker();
            if self.group.outcome.events.len() > told {
                self.flush(true)?;
            }
        }
        if !std::mem::take(&mut self.look) {
            return Ok(());
        }
        loop {
            let confirmed = match self.desk.claim() {
                Ok(Some(confirmed)) => confirmed,
                Ok(None) => return Ok(()),
                Err(error) => {
                    // What a disk refuses now it may take later; nobody asks again for what was accepted.
                    self.look = matches!(&error, DeskError::Store(error) if error.is_trouble());
                    tracing::error!(%error, "confirmed controls cannot be read");
                    return Ok(());
                }
            };
            self.send_stretch()?;
            let context = self.context(self.market, self.engine.counters.cycle);
            self.group.outcome.audit = confirmed.audit();
            let before = Before::of(&self.engine);
            let done = obey(&mut self.engine, &confirmed, &context, &mut self.group.outcome);
            self.group.outcome.audit = None;
            let obeyed = done.unwrap_or_else(|error| Obeyed::not(format!("failed: {error}")));
            self.tell_broker();
            let (traces, undid) = match &confirmed.change().control {
                Control::Undo { of, .. } => (Vec::new(), obeyed.done.then_some(*of)),
                // It took more to confirm than taking it back would.
                control if control.tier() == Tier::Grave => (Vec::new(), None),
                _ => (before.traces(&self.engine), None),
            };
            self.group.controls.push(CarriedOut { id: confirmed.id(), result: obeyed.words, traces, undid });
            self.flush(true)?;
        }
    }

    /// Ends what people set for a while and what is over at `at`, before anything is decided there.
    pub(super) fn end_what_is_over(&mut self, at: Timestamp) -> Result<(), RunnerError> {
        let is_over = |until: Option<Timestamp>| until.is_some_and(|until| until <= at);
        let over = self.engine.desks.iter().any(|desk| {
            is_over(desk.parked_until)
                || desk.changes.iter().any(|row| is_over(row.until))
                || books::has_over_block(desk, at)
        });
        if !over {
            return Ok(());
        }
        self.send_stretch()?;
        let context = self.context(at, self.engine.counters.cycle);
        let ended = books::end_pauses(&mut self.engine, &context, &mut self.group.outcome);
        if let Err(error) = ended {
            tracing::error!(%error, "a pause did not end as it should");
        }
        books::end_blocks(&mut self.engine, &context, &mut self.group.outcome);
        overlay::settle(&mut self.engine, &context, &mut self.group.outcome);
        self.tell_broker();
        self.flush(true)
    }

    /// Shows that the runner lives, and notices a clock that was set.
    fn live(&mut self) -> Result<(), RunnerError> {
        if self.since(self.beat) < BEAT_MS {
            return Ok(());
        }
        self.beat = self.clock.steady();
        let now = (self.clock.now(), self.beat);
        let passed = i64::try_from((now.1.saturating_sub(self.wall.1)).as_millis()).unwrap_or(i64::MAX);
        let by_ms = now.0.since(self.wall.0) - passed;
        self.wall = now;
        if by_ms.abs() >= JUMP_MS {
            let kind = EventKind::ClockJumped { by_s: by_ms / 1000 };
            self.group.outcome.tell(self.engine.counters.cycle, Event { at: self.market, book: None, kind });
            return self.flush(true);
        }
        if let Err(error) = self.store.beat(now.0) {
            tracing::warn!(%error, "the heartbeat could not be stored");
        }
        Ok(())
    }
}
