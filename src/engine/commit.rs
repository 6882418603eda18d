//! How do decisions get onto the disk? One batch under way at a time; when the store fails, nothing is forgotten and nothing trades.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::domain::{Event, EventKind, HaltCause};
use crate::store::{Recorded, StoreError};

use super::between::LOOK_MS;
use super::runner::{EngineMessage, Runner, RunnerError};
use super::{Pace, halt};

/// How often a store that failed is tried again.
const RETRY_MS: u64 = 60_000;

impl Runner {
    /// Hands the group to the store. With `wait` it is on the disk afterwards; without, the one before it is.
    pub(super) fn flush(&mut self, wait: bool) -> Result<(), RunnerError> {
        self.settle()?;
        let waited_for = self.options.pace != Pace::Max || wait;
        let now = (self.clock.now(), self.clock.steady());
        let batch = self.group.batch(&mut self.engine, self.options.run, now, self.market, waited_for);
        self.group.begun = self.clock.steady();
        let (events, fills) = (batch.events.len(), batch.fills.len());
        tracing::info!(run = self.options.run.0, cycle = self.engine.counters.cycle.0, stage = "commit", events, fills);
        self.under_way = Some(self.store.record(Box::new(batch), &self.routes));
        if wait { self.settle() } else { Ok(()) }
    }

    /// Waits for the batch that is under way; if the store failed, halts, says so past the store, and tries until it works or it is
    /// told to stop. Nothing that was decided is forgotten meanwhile.
    pub(super) fn settle(&mut self) -> Result<(), RunnerError> {
        let mut failed_since = None;
        while let Some(ticket) = self.under_way.take() {
            let (batch, error) = match ticket.wait()? {
                Recorded::Stored => break,
                Recorded::Failed { batch, error } => (batch, error),
            };
            if !error.is_trouble() {
                return Err(error.into());
            }
            if failed_since.is_none() {
                failed_since = Some((self.clock.steady(), error.to_string()));
                self.halt_for(&error);
            }
            let tried = self.clock.steady();
            while !self.stopping && self.since(tried) < RETRY_MS {
                match self.queue.recv_timeout(Duration::from_millis(LOOK_MS)) {
                    Ok(EngineMessage::Stop) | Err(RecvTimeoutError::Disconnected) => self.stopping = true,
                    Ok(message) => self.take(message),
                    Err(RecvTimeoutError::Timeout) => {}
                }
            }
            if self.stopping && self.since(tried) < RETRY_MS {
                // One last try, since what is not stored now is lost.
                return match self.store.record(batch, &self.routes).wait()? {
                    Recorded::Stored => Ok(()),
                    Recorded::Failed { error, .. } => Err(error.into()),
                };
            }
            self.under_way = Some(self.store.record(batch, &self.routes));
        }
        if let Some((since, error)) = failed_since {
            let down_s = i64::try_from(self.since(since) / 1000).unwrap_or(i64::MAX);
            let kind = EventKind::StoreRecovered { error, down_s };
            self.group.outcome.tell(self.engine.counters.cycle, Event { at: self.market, book: None, kind });
        }
        Ok(())
    }

    fn halt_for(&mut self, error: &StoreError) {
        let hint = error.hint().map(|hint| format!(" To mend it: {hint}.")).unwrap_or_default();
        (self.emergency)(&format!(
            "HALTED, not recorded: {error}. Nothing trades; stops and targets wait too. It is tried again every minute.{hint}"
        ));
        let context = self.context(self.market, self.engine.counters.cycle);
        let cause = HaltCause::StoreTrouble { error: error.to_string() };
        if let Err(error) = halt(&mut self.engine, &cause, &context, &mut self.group.outcome) {
            tracing::error!(%error, "an order could not be taken back");
        }
        self.tell_broker();
        // What the disk did cannot be made again from prices.
        self.stretch = None;
    }

    /// Hands on what was decided outside of a cycle.
    pub(super) fn tell_broker(&mut self) {
        for request in self.group.outcome.requests.drain(..) {
            if let Err(error) = self.broker.submit(request) {
                tracing::error!(%error, "the broker did not do as told");
            }
        }
    }
}
