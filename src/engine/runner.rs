//! What drives the cycles? Fetches, waits, decides, commits; heeds people between two cycles; goes on after trouble of the disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::control::{Change, ChangeDesk};
use crate::domain::{
    Alert, CycleId, Event, EventKind, HaltCause, LiftReason, MarketSnapshot, Mode, Money, Preview, Routes, RunContext,
    RunId, TradingState,
};
use crate::execution::PaperBroker;
use crate::market::Feed;
use crate::store::{MarkRow, Recorded, Saved, Store, StoreError, Ticket};

use super::alerts::Alerts;
use super::audit::Stretch;
use super::brains::REMEMBER_MS;
use super::cycle::warm;
use super::group::Group;
use super::late::Late;
use super::recovery::{RestoreBooksError, restore_marks};
use super::state::Engine;
use super::{CycleError, Pace, Ranking, Reload, Trial, cycle, halt, overlay};

/// Cycles that form one transaction at full pace, at most.
const GROUP_CYCLES_MAX: u64 = 1_000;
/// Time that one transaction gathers at full pace, at most.
const GROUP_MS_MAX: u64 = 100;
/// Instants of history between two looks at the queue.
const HISTORY_LOOK: u64 = 1_024;

/// What others ask of the runner. It is answered between two cycles.
pub enum EngineMessage {
    /// Something was confirmed: look.
    Look,
    /// What would the strategies do now?
    Try(Sender<Result<Vec<Trial>, String>>),
    /// What would the screeners choose now?
    Rank(Sender<Vec<Ranking>>),
    /// What would this change do now, asked for by this person?
    Preview(Change, String, Sender<Result<Preview, String>>),
    /// People changed their alerts: take all that are open now.
    Alerts(Vec<Alert>),
    /// The configuration changed: take it, or the reason why it cannot be read.
    Reconfigure(Result<Reload, String>),
    /// Finish the step, commit, end.
    Stop,
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct RunnerOptions {
    /// Its number.
    pub run: RunId,
    /// When it started, on the wall clock.
    pub started: Timestamp,
    /// Decide and record, submit nothing.
    pub dry_run: bool,
    /// How fast.
    pub pace: Pace,
    /// After how many cycles it ends; none for never.
    pub cycles_max: Option<u64>,
    /// Facts to record before the first cycle.
    pub opening: Vec<EventKind>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Cycles in this run.
    pub cycles: u64,
    /// The last cycle of all.
    pub last_cycle: CycleId,
    /// True if recorded data came to their end.
    pub data_ended: bool,
    /// What the books are worth together.
    pub equity: Money,
}

/// Why a run ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The store failed and the run was told to stop before it came back.
    #[error("the store failed, and the last cycles are not recorded")]
    Store(#[from] StoreError),
    /// The stored books do not fit.
    #[error(transparent)]
    Restore(#[from] RestoreBooksError),
    /// Something impossible happened while history was shown.
    #[error("the history could not be followed")]
    Cycle(#[from] CycleError),
}

/// Says something to people when it cannot be recorded.
pub type Emergency = Box<dyn Fn(&str) + Send>;

/// The runner.
pub struct Runner {
    pub(super) engine: Engine,
    pub(super) broker: PaperBroker,
    pub(super) feed: Box<dyn Feed>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) routes: Routes,
    pub(super) desk: ChangeDesk,
    pub(super) queue: Receiver<EngineMessage>,
    pub(super) emergency: Emergency,
    pub(super) auditor: Option<Sender<Stretch>>,
    pub(super) stretch: Option<Stretch>,
    pub(super) options: RunnerOptions,
    pub(super) marks: Vec<MarkRow>,
    pub(super) finished: Option<CycleId>,
    pub(super) group: Group,
    pub(super) under_way: Option<Ticket<Recorded>>,
    pub(super) market: Timestamp,
    pub(super) history_until: Timestamp,
    pub(super) cycles: u64,
    pub(super) stopping: bool,
    pub(super) look: bool,
    pub(super) reloads: Vec<Result<Reload, String>>,
    pub(super) brains: Option<String>,
    pub(super) pending: Option<MarketSnapshot>,
    pub(super) remembered: Duration,
    pub(super) beat: Duration,
    pub(super) wall: (Timestamp, Duration),
    pub(super) stored_alerts: Vec<Alert>,
    pub(super) alerts: Alerts,
    pub(super) late: Late,
}

/// What a runner is made of.
pub struct RunnerParts {
    /// Books, restored.
    pub engine: Engine,
    /// The broker, with its orders.
    pub broker: PaperBroker,
    /// The prices.
    pub feed: Box<dyn Feed>,
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Who is told.
    pub routes: Routes,
    /// Who confirms.
    pub desk: ChangeDesk,
    /// What others ask.
    pub queue: Receiver<EngineMessage>,
    /// The way past a broken store.
    pub emergency: Emergency,
    /// Who makes decisions again and compares; nobody where it is none.
    pub auditor: Option<Sender<Stretch>>,
}

impl Runner {
    /// A runner that goes on where `saved` stopped.
    pub fn new(parts: RunnerParts, saved: &Saved, options: RunnerOptions) -> Self {
        let market = saved.progress.map_or(Timestamp::from_ms(i64::MIN), |progress| progress.market);
        let history_until = market.max(parts.feed.history_until());
        let now = (parts.clock.now(), parts.clock.steady());
        Self {
            engine: parts.engine,
            broker: parts.broker,
            feed: parts.feed,
            store: parts.store,
            clock: parts.clock,
            routes: parts.routes,
            desk: parts.desk,
            queue: parts.queue,
            emergency: parts.emergency,
            auditor: parts.auditor,
            stretch: None,
            options,
            marks: saved.marks.clone(),
            finished: saved.finished,
            group: Group::default(),
            under_way: None,
            market,
            history_until,
            cycles: 0,
            stopping: false,
            // What was confirmed while nobody ran is heeded before the first cycle.
            look: true,
            reloads: Vec::new(),
            brains: saved.brains.clone(),
            pending: None,
            remembered: now.1,
            beat: now.1,
            wall: now,
            stored_alerts: saved.alerts.clone(),
            alerts: Alerts::default(),
            late: Late::default(),
        }
    }

    /// Runs until the data end, the cycles are used up, or somebody says stop.
    ///
    /// # Errors
    /// When the books do not fit the feed, or the store fails for good.
    pub fn run(mut self) -> Result<Finished, RunnerError> {
        let mut snapshot = MarketSnapshot::default();
        self.recall();
        let mut more = self.show_history(&mut snapshot)?;
        if self.stopping {
            return self.leave_unopened();
        }
        restore_marks(&mut self.engine, &self.marks)?;
        self.open(&snapshot, more)?;
        while more && !self.stopping && self.options.cycles_max.is_none_or(|max| self.cycles < max) {
            self.wait_for(snapshot.at)?;
            if self.stopping {
                break;
            }
            self.end_what_is_over(snapshot.at)?;
            self.begin_stretch(&snapshot)?;
            self.step(&snapshot)?;
            self.end_stretch(&snapshot)?;
            more = self.feed.next_into(&mut snapshot);
        }
        self.close(more.then_some(&snapshot))
    }

    /// Shows everything up to the last commit, or to the end of the history, or until somebody says stop; leaves the first instant after it in `snapshot`.
    fn show_history(&mut self, snapshot: &mut MarketSnapshot) -> Result<bool, RunnerError> {
        for seen in 0u64.. {
            if seen.is_multiple_of(HISTORY_LOOK)
                && let Ok(message) = self.queue.try_recv()
            {
                self.take(message);
                if self.stopping {
                    return Ok(true);
                }
            }
            match self.pending.take() {
                Some(pending) => *snapshot = pending,
                None if !self.feed.next_into(snapshot) => return Ok(false),
                None => {}
            }
            if snapshot.at > self.history_until {
                return Ok(true);
            }
            let context = self.context(snapshot.at, self.engine.counters.cycle);
            self.take_late_answers(snapshot, &context)?;
            warm(&mut self.engine, snapshot, &context)?;
            self.alerts.follow(&self.engine, snapshot);
        }
        Ok(true)
    }

    /// A move that locked a symbol was explained since: by a split that is on file now, or by a person's word there. The book follows
    /// the split, which it could not know of at the time, and the lock is gone.
    fn take_late_answers(&mut self, snapshot: &MarketSnapshot, context: &RunContext) -> Result<(), CycleError> {
        if snapshot.splits.is_empty() && snapshot.confirmed.is_empty() {
            return Ok(());
        }
        for index in 0..self.marks.len() {
            let mark = &self.marks[index];
            let Some(lane) = self.engine.lane_of(mark.symbol) else { continue };
            let split = snapshot.splits.iter().find(|split| split.instrument == lane).copied();
            let answered = split.is_some() || snapshot.confirmed.contains(&lane);
            if !answered || mark.lock.is_none_or(|(_, since, _)| since != snapshot.at) {
                continue;
            }
            if let Some(split) = split {
                super::lanes::split_books(&mut self.engine, split, context, &mut self.group.outcome)?;
                self.broker.apply_split(split)?;
            }
            self.marks[index].lock = None;
            self.engine.lanes[lane].touched = true;
            let kind = EventKind::SymbolUnlocked { symbol: self.marks[index].symbol, reason: LiftReason::Filed };
            self.group.outcome.tell(context.cycle, Event { at: context.now, book: None, kind });
        }
        Ok(())
    }

    pub(super) fn context(&self, now: Timestamp, cycle: CycleId) -> RunContext {
        RunContext {
            run: self.options.run,
            mode: Mode::Paper,
            started: self.options.started,
            cycle,
            now,
            cost_budget: Money::ZERO,
            dry_run: self.options.dry_run,
        }
    }

    /// Records that the run begins, and which positions were found without a stop; heeds what was confirmed while nobody ran.
    fn open(&mut self, snapshot: &MarketSnapshot, more: bool) -> Result<(), RunnerError> {
        if self.market < self.history_until {
            self.market = self.history_until;
        }
        if self.market.ms() == i64::MIN {
            // Just before the first bar, so that a restart does not take that bar for history.
            self.market = snapshot.at.plus_ms(-1);
        }
        let (at, cycle) = (self.market, self.engine.counters.cycle);
        let opening = std::mem::take(&mut self.options.opening);
        for kind in opening.into_iter().filter(|_| more) {
            tracing::info!(run = self.options.run.0, cycle = cycle.0, stage = "open", event = kind.name());
            self.group.outcome.tell(cycle, Event { at, book: None, kind });
        }
        let context = self.context(at, cycle);
        overlay::settle(&mut self.engine, &context, &mut self.group.outcome);
        self.tell_broker();
        for desk in &mut self.engine.desks {
            super::fills::alarm_unprotected(desk, &context, &mut self.group.outcome);
        }
        self.heed()?;
        if self.group.outcome.events.is_empty() { Ok(()) } else { self.flush(true) }
    }

    /// One cycle, and a commit if the group is full.
    fn step(&mut self, snapshot: &MarketSnapshot) -> Result<(), RunnerError> {
        let context = self.context(snapshot.at, self.engine.counters.cycle.next());
        let Self { engine, broker, group, .. } = self;
        if let Err(error) = cycle(engine, broker, snapshot, &context, &mut group.outcome) {
            let first = engine.desks.iter().any(|desk| desk.state != TradingState::Halted);
            if first {
                tracing::error!(run = context.run.0, cycle = context.cycle.0, %error, "a cycle broke; trading is halted");
            }
            let cause = HaltCause::BrokenInvariant { what: error.to_string() };
            if let Err(error) = halt(engine, &cause, &context, &mut group.outcome) {
                tracing::error!(%error, "an order could not be taken back");
            }
            self.tell_broker();
        }
        self.alerts.look(&self.engine, snapshot, &context, &mut self.group.outcome);
        self.market = snapshot.at;
        self.cycles += 1;
        self.group.cycles += 1;
        let full = match self.options.pace {
            Pace::Times(_) => true,
            Pace::Max if self.group.cycles >= GROUP_CYCLES_MAX => true,
            Pace::Max => self.group.cycles.is_multiple_of(16) && self.since(self.group.begun) >= GROUP_MS_MAX,
        };
        if !full {
            return Ok(());
        }
        if self.options.pace != Pace::Max && self.since(self.remembered) >= REMEMBER_MS {
            self.remember(None);
        }
        self.flush(self.options.pace != Pace::Max)
    }

    pub(super) fn since(&self, earlier: Duration) -> u64 {
        u64::try_from(self.clock.steady().saturating_sub(earlier).as_millis()).unwrap_or(u64::MAX)
    }

    /// Somebody said stop before the history was over: nothing was decided, so nothing is recorded but that.
    fn leave_unopened(self) -> Result<Finished, RunnerError> {
        self.store.end_run(self.options.run, self.clock.now(), "stopped", true)?;
        let last_cycle = self.engine.counters.cycle;
        Ok(Finished { cycles: 0, last_cycle, data_ended: false, equity: self.equity() })
    }

    fn equity(&self) -> Money {
        Money::from_units(self.engine.desks.iter().map(|desk| desk.equity.units()).fold(0i64, i64::saturating_add))
    }

    /// Records that the run ends, and why.
    fn close(mut self, next: Option<&MarketSnapshot>) -> Result<Finished, RunnerError> {
        let equity = self.equity();
        let last_cycle = self.engine.counters.cycle;
        let data_ended = next.is_none();
        if self.cycles > 0 {
            self.remember(next);
        }
        let outcome = if data_ended { "finished" } else { "stopped" };
        let kind = if data_ended && self.finished != Some(last_cycle) {
            Some(EventKind::ReplayFinished { cycles: last_cycle.0, equity })
        } else {
            (self.cycles > 0).then_some(EventKind::EngineStopped { cycles: self.cycles })
        };
        if let Some(kind) = kind {
            self.group.outcome.tell(last_cycle, Event { at: self.market, book: None, kind });
        }
        if self.group.outcome.events.is_empty() {
            self.settle()?;
        } else {
            self.flush(true)?;
        }
        // Everything that was decided is on the disk; that the run ended well is worth no failure.
        if let Err(error) = self.store.end_run(self.options.run, self.clock.now(), outcome, true) {
            tracing::warn!(%error, "the end of the run could not be noted");
        }
        Ok(Finished { cycles: self.cycles, last_cycle, data_ended, equity })
    }
}
