//! What do prices, indicators and strategies remember? Saved now and then with a commit, so that a restart goes on from there and reads
//! only the bars that came later, instead of its whole past.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{Bar, CycleId, Label, MarketSnapshot, Price, Ratio, Symbol, Timeframe};
use crate::indicators::Atr;
use crate::market::{Feed, ResumeError};
use crate::strategy::{Classifier, LoadError, Strategy, Thresholds};

use super::desk::Desk;
use super::gauges::Gauge;
use super::history::History;
use super::lane::{Lane, Lock};
use super::runner::Runner;
use super::state::Engine;
use super::{Due, Schedule, StrategySettings};

/// How often the memory is saved at real pace.
pub(super) const REMEMBER_MS: u64 = 5 * 60_000;

/// The memory of an engine after one cycle.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brains {
    /// The last cycle whose bars are in it.
    cycle: CycleId,
    /// Where the feed stood.
    feed: String,
    /// What the feed had given and nobody had decided on.
    pending: Option<MarketSnapshot>,
    lanes: Vec<LaneBrain>,
    desks: Vec<DeskBrain>,
    /// The indicators that alerts ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gauges: Vec<Gauge>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneBrain {
    symbol: Symbol,
    timeframe: Option<Timeframe>,
    last: Option<Bar>,
    last_opens: Timestamp,
    last_end: Timestamp,
    last_move: Ratio,
    ended: bool,
    lock: Option<Lock>,
    believed: Option<Price>,
    #[serde(default)]
    split_after: Option<Timestamp>,
    atr: Atr,
    history: History,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeskBrain {
    book: Label,
    strategies: Vec<StrategyBrain>,
    regimes: Option<Timeframe>,
    runs: Vec<RunBrain>,
    classifiers: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StrategyBrain {
    name: Label,
    timeframe: Option<Timeframe>,
    schedule: Option<String>,
    due: Due,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunBrain {
    brain: String,
    atr: Atr,
    judged: Timestamp,
}

/// Why a memory cannot be taken up; the past is read instead.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// It cannot be read.
    #[error("the saved memory cannot be read")]
    Unreadable(#[from] serde_json::Error),
    /// It is of other symbols, books or strategies.
    #[error("the saved memory is of other {0}")]
    Other(&'static str),
    /// A strategy cannot take it up.
    #[error(transparent)]
    Strategy(#[from] LoadError),
    /// The feed cannot go there.
    #[error(transparent)]
    Feed(#[from] ResumeError),
    /// A strategy could not be built.
    #[error(transparent)]
    Params(#[from] crate::strategy::ParamError),
}

impl Brains {
    /// What everything remembers now; none where the feed keeps no position.
    pub(super) fn of(
        engine: &Engine,
        gauges: Vec<Gauge>,
        feed: &dyn Feed,
        pending: Option<&MarketSnapshot>,
    ) -> Option<Self> {
        Some(Self {
            cycle: engine.counters.cycle,
            feed: feed.save()?,
            pending: pending.cloned(),
            lanes: engine.lanes.iter().map(LaneBrain::of).collect(),
            desks: engine.desks.iter().map(DeskBrain::of).collect(),
            gauges,
        })
    }

    /// Takes it up in a fresh engine, and moves the feed to where it was; the snapshot that comes next, if one was given already.
    /// After an error nothing has changed.
    pub(super) fn recall(
        self,
        engine: &mut Engine,
        feed: &mut dyn Feed,
    ) -> Result<Option<MarketSnapshot>, RecallError> {
        let minds = self.minds(engine)?;
        feed.resume(&self.feed)?;
        Ok(self.settle(minds, engine))
    }

    /// Takes it up in a fresh engine that gets its prices from elsewhere. After an error nothing has changed.
    pub(super) fn enter(self, engine: &mut Engine) -> Result<(), RecallError> {
        let minds = self.minds(engine)?;
        self.settle(minds, engine);
        Ok(())
    }

    /// New strategies and classifiers with the saved memory, a pair a book.
    fn minds(&self, engine: &Engine) -> Result<Vec<Minds>, RecallError> {
        if self.lanes.len() != engine.lanes.len()
            || self.lanes.iter().zip(&engine.lanes).any(|(brain, lane)| !brain.fits(lane))
        {
            return Err(RecallError::Other("symbols"));
        }
        if self.desks.len() != engine.desks.len() {
            return Err(RecallError::Other("books"));
        }
        let mut minds = Vec::with_capacity(self.desks.len());
        for (brain, desk) in self.desks.iter().zip(&engine.desks) {
            minds.push(brain.rebuild(desk)?);
        }
        Ok(minds)
    }

    fn settle(self, minds: Vec<Minds>, engine: &mut Engine) -> Option<MarketSnapshot> {
        let now = self.lanes.iter().map(|lane| lane.last_end).max().unwrap_or_default();
        for (brain, lane) in self.lanes.into_iter().zip(&mut engine.lanes) {
            brain.enter(lane);
        }
        for ((brain, desk), (minds, classifiers)) in self.desks.into_iter().zip(&mut engine.desks).zip(minds) {
            for ((run, saved), mind) in desk.runs.iter_mut().zip(brain.runs).zip(minds) {
                (run.brain, run.atr, run.judged) = (mind, saved.atr, saved.judged);
            }
            desk.classifiers = classifiers;
            for (place, saved) in brain.strategies.into_iter().enumerate() {
                saved.enter(desk, place, now);
            }
        }
        self.pending
    }
}

/// Strategies and classifiers of one book.
type Minds = (Vec<Box<dyn Strategy>>, Vec<Classifier>);

impl LaneBrain {
    fn of(lane: &Lane) -> Self {
        Self {
            symbol: lane.instrument.symbol,
            timeframe: lane.timeframe,
            last: lane.last,
            last_opens: lane.last_opens,
            last_end: lane.last_end,
            last_move: lane.last_move,
            ended: lane.ended,
            lock: lane.lock,
            believed: lane.believed,
            split_after: lane.split_after,
            atr: lane.atr.clone(),
            history: lane.history.clone(),
        }
    }

    fn fits(&self, lane: &Lane) -> bool {
        self.symbol == lane.instrument.symbol && self.history.is_like(&lane.history)
    }

    fn enter(self, lane: &mut Lane) {
        lane.timeframe = self.timeframe;
        lane.last = self.last;
        lane.last_opens = self.last_opens;
        lane.last_end = self.last_end;
        lane.last_move = self.last_move;
        lane.ended = self.ended;
        lane.lock = self.lock;
        lane.believed = self.believed;
        lane.split_after = self.split_after;
        lane.atr = self.atr;
        lane.history = self.history;
    }
}

impl DeskBrain {
    fn of(desk: &Desk) -> Self {
        let run =
            |run: &super::StrategyRun| RunBrain { brain: run.brain.save(), atr: run.atr.clone(), judged: run.judged };
        Self {
            book: desk.name(),
            strategies: desk.settings.strategies.iter().zip(&desk.due).map(StrategyBrain::of).collect(),
            regimes: desk.settings.regime_timeframe,
            runs: desk.runs.iter().map(run).collect(),
            classifiers: desk.classifiers.iter().map(Classifier::save).collect(),
        }
    }

    /// New strategies and classifiers with the saved memory.
    fn rebuild(&self, desk: &Desk) -> Result<Minds, RecallError> {
        let settings = &desk.settings.strategies;
        let same = self.strategies.len() == settings.len()
            && self.strategies.iter().zip(settings).all(|(brain, strategy)| brain.is_of(strategy));
        if self.book != desk.name() || !same || self.runs.len() != desk.runs.len() {
            return Err(RecallError::Other("strategies"));
        }
        let mut minds = Vec::with_capacity(self.runs.len());
        for (saved, strategy) in self.runs.iter().zip(settings.iter().cycle()) {
            let mut mind = (strategy.kind.build)(&strategy.values)?;
            mind.load(&saved.brain)?;
            minds.push(mind);
        }
        if self.classifiers.len() != desk.classifiers.len() || self.regimes != desk.settings.regime_timeframe {
            return Err(RecallError::Other("regimes"));
        }
        let mut classifiers = Vec::with_capacity(self.classifiers.len());
        for saved in &self.classifiers {
            let mut classifier = Classifier::new(Thresholds::USUAL);
            classifier.load(saved)?;
            classifiers.push(classifier);
        }
        Ok((minds, classifiers))
    }
}

impl StrategyBrain {
    fn of((strategy, due): (&StrategySettings, &Due)) -> Self {
        let schedule = strategy.schedule.as_ref().map(Schedule::written);
        Self { name: strategy.name, timeframe: strategy.timeframe, schedule, due: due.clone() }
    }

    /// True if it has seen the bars that the strategy is to see.
    fn is_of(&self, strategy: &StrategySettings) -> bool {
        (self.name, self.timeframe) == (strategy.name, strategy.timeframe)
    }

    /// What was due stays due; a schedule that has changed since counts from `now` on.
    fn enter(self, desk: &mut Desk, place: usize, now: Timestamp) {
        let schedule = desk.settings.strategies[place].schedule.as_ref();
        let due = &mut desk.due[place];
        if self.schedule == schedule.map(Schedule::written) {
            due.go_on_from(self.due);
        } else {
            due.begin_after(schedule, now);
        }
    }
}

impl Runner {
    /// Goes on from the memory that was saved last, where it fits; else the whole past is read again.
    pub(super) fn recall(&mut self) {
        let mut gauges = Vec::new();
        if let Some(saved) = self.brains.take() {
            let brains = serde_json::from_str::<Brains>(&saved).map_err(RecallError::from);
            let recalled = brains.and_then(|mut brains| {
                let saved = std::mem::take(&mut brains.gauges);
                Ok((brains.recall(&mut self.engine, self.feed.as_mut())?, saved))
            });
            match recalled {
                Ok((pending, saved)) => (self.pending, gauges) = (pending, saved),
                Err(error) => tracing::info!(%error, "the past is read again"),
            }
        }
        let stored = std::mem::take(&mut self.stored_alerts);
        self.alerts.resume(stored, gauges, &self.engine);
    }

    /// Notes what everything remembers after the last cycle, to be saved with the next batch, and gives it back. `pending` is what the
    /// feed gave since. What a strategy that has not seen the past remembers is not saved, so that a restart shows it the past.
    pub(super) fn remember(&mut self, pending: Option<&MarketSnapshot>) -> Option<String> {
        self.remembered = self.clock.steady();
        let brains = Brains::of(&self.engine, self.alerts.gauges(), self.feed.as_ref(), pending);
        // A memory that cannot be written costs a restart some time, and nothing else.
        let brains = brains.and_then(|brains| serde_json::to_string(&brains).ok());
        self.group.brains = brains.clone().filter(|_| !self.engine.is_young);
        brains
    }
}
