//! How does a running engine take a changed configuration? Between two cycles, as a whole or not at all.

use crate::clock::Timestamp;
use crate::domain::{Event, EventKind, RunContext};
use crate::indicators::Atr;
use crate::risk::TrackRecord;
use crate::strategy::{Classifier, ParamError};

use super::aftermath::{Aftermath, orphans, withdraw};
use super::desk::{Desk, StrategyRun, classifiers_for, limits_json};
use super::difference::Difference;
use super::lane::{ATR_BARS, Lane};
use super::plan::{Plan, PlanError};
use super::state::{Engine, returns_remembered};
use super::{DeskSettings, Due, Outcome, StrategySettings, overlay};

/// A changed configuration, as it was read.
#[derive(Clone)]
pub struct Reload {
    /// The books as they are to be.
    pub desks: Vec<DeskSettings>,
    /// What else is different and cannot change without a restart, in words.
    pub restart: Vec<String>,
}

/// Takes a changed configuration and tells every difference, or tells why it is refused; `read` is the reason where it could not be
/// read. Positions, locks and the trading state stay as they are, and so do orders, but for entries that the new settings let nobody send.
/// Says nothing where nothing is different.
pub fn reconfigure(engine: &mut Engine, read: Result<Reload, String>, context: &RunContext, out: &mut Outcome) {
    let kind = match read.and_then(|reload| take(engine, reload, context, out)) {
        Ok(changes) if changes.is_empty() => return,
        Ok(changes) => EventKind::ConfigChanged { changes },
        Err(error) => EventKind::ConfigRefused { error },
    };
    out.tell(context.cycle, Event { at: context.now, book: None, kind });
    overlay::settle(engine, context, out);
}

/// Adds to a plan what would come of a changed configuration; what it would change and what comes of that in words, a line each.
///
/// # Errors
/// In words why it would be refused.
pub(super) fn foresee(
    engine: &Engine,
    reload: Reload,
    plan: &mut Plan,
) -> Result<(Vec<String>, Vec<String>), PlanError> {
    let pairs = paired(engine, reload).map_err(PlanError::Not)?;
    let (mut lines, mut after) = (Vec::new(), Vec::new());
    if pairs.iter().all(|(_, changes)| changes.is_empty()) {
        return Ok((lines, after));
    }
    for (place, (desk, (base, changes))) in engine.desks.iter().zip(pairs).enumerate() {
        lines.extend(changes);
        lines.extend(overlay::over(desk, &base));
        let then = overlay::over_base(&base, &desk.changes);
        after.extend(Aftermath::of(desk, engine.prices(), &then)?.into_plan(place, plan));
    }
    Ok((lines, after))
}

/// Every difference in words, once all are in force. What people changed stays over it.
fn take(engine: &mut Engine, reload: Reload, context: &RunContext, out: &mut Outcome) -> Result<Vec<String>, String> {
    let pairs = paired(engine, reload)?;
    let different = pairs.iter().any(|(_, changes)| !changes.is_empty());
    if !different {
        return Ok(Vec::new());
    }
    let overlaid = engine.desks.iter().zip(&pairs).map(|(desk, (base, _))| overlay::over_base(base, &desk.changes));
    let settings = overlaid.enumerate().collect();
    let entered = enter_all(engine, settings, context, out).map_err(|error| error.to_string())?;
    let mut told = Vec::new();
    for ((desk, (base, changes)), entered) in engine.desks.iter_mut().zip(pairs).zip(entered) {
        told.extend(changes);
        told.extend(overlay::over(desk, &base));
        told.extend(entered);
        desk.base = base;
    }
    Ok(told)
}

/// Puts settings in force, each in the desk of that place, or none of them; for each what else comes of it, in words.
pub(super) fn enter_all(
    engine: &mut Engine,
    settings: Vec<(usize, DeskSettings)>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<Vec<Vec<String>>, ParamError> {
    let mut made = Vec::new();
    for (place, settings) in &settings {
        made.push(Made::of(&engine.desks[*place], settings, &engine.lanes)?);
    }
    let mut told = Vec::new();
    for ((place, settings), made) in settings.into_iter().zip(made) {
        let desk = &mut engine.desks[place];
        let words = orphans(desk, &settings).chain(made.young.iter().cloned());
        told.push(words.map(|words| format!("{}: {words}", settings.name)).collect());
        engine.is_young |= !made.young.is_empty();
        withdraw(desk, &settings, context, out);
        made.enter(desk, settings, context.now);
    }
    let returns = returns_remembered(engine.desks.iter().map(|desk| &desk.settings));
    engine.lanes.iter_mut().for_each(|lane| lane.history.resize(returns));
    Ok(told)
}

/// What has not seen the past by these settings, in words.
pub(super) fn young(desk: &Desk, settings: &DeskSettings, lanes: &[Lane]) -> Result<Vec<String>, ParamError> {
    Made::of(desk, settings, lanes).map(|made| made.young)
}

/// The new settings of each desk with the differences, in the order of the desks.
fn paired(engine: &Engine, reload: Reload) -> Result<Vec<(DeskSettings, Vec<String>)>, String> {
    let Reload { mut desks, mut restart } = reload;
    let mut pairs = Vec::new();
    for desk in &engine.desks {
        let Some(place) = desks.iter().position(|new| new.name == desk.name()) else {
            restart.push(format!("book {} is gone", desk.name()));
            continue;
        };
        let new = desks.remove(place);
        let difference = Difference::between(&desk.base, &new, |timeframe| engine.serves(timeframe));
        restart.extend(difference.restart);
        pairs.push((new, difference.changes));
    }
    restart.extend(desks.iter().map(|new| format!("book {} is new", new.name)));
    if restart.is_empty() {
        return Ok(pairs);
    }
    Err(format!("only a restart can take all of it, so nothing is changed: {}", restart.join("; ")))
}

/// What a book needs anew for its new settings.
struct Made {
    /// The runs of each strategy, one a lane; none where those that the book has go on.
    runs: Vec<Option<Vec<StrategyRun>>>,
    /// Classifiers; none where those that the book has go on.
    classifiers: Option<Vec<Classifier>>,
    /// What has not seen the past, in words.
    young: Vec<String>,
}

impl Made {
    fn of(desk: &Desk, new: &DeskSettings, lanes: &[Lane]) -> Result<Self, ParamError> {
        let mut young = Vec::new();
        let mut runs = Vec::new();
        for strategy in &new.strategies {
            if place_of(desk, strategy).is_some_and(|place| desk.settings.strategies[place].values == strategy.values) {
                runs.push(None);
                continue;
            }
            let (made, knows) = runs_for(desk, strategy, lanes)?;
            if !knows {
                let bars = (strategy.kind.warm_up)(&strategy.values);
                let name = strategy.name;
                young.push(format!(
                    "{name} has not seen the past: it acts on its first values and is settled after {bars} bars; \
                     a restart would show it the past"
                ));
            }
            runs.push(Some(made));
        }
        let old = &desk.settings;
        let same = (old.selector.is_some(), old.regime_timeframe) == (new.selector.is_some(), new.regime_timeframe);
        let classifiers = (!same).then(|| classifiers_for(new, lanes.len()));
        if new.selector.is_some() && !same {
            let bars = Classifier::WARM_UP;
            young.push(format!(
                "regimes are known after {bars} bars, until then nothing is entered; a restart would show them the past"
            ));
        }
        Ok(Self { runs, classifiers, young })
    }

    /// Puts the new settings in force.
    fn enter(self, desk: &mut Desk, settings: DeskSettings, now: Timestamp) {
        let lanes = desk.runs.len() / desk.settings.strategies.len().max(1);
        let mut columns: Vec<Vec<StrategyRun>> = desk.settings.strategies.iter().map(|_| Vec::new()).collect();
        let count = columns.len().max(1);
        for (index, run) in std::mem::take(&mut desk.runs).into_iter().enumerate() {
            columns[index % count].push(run);
        }
        let (mut records, mut due, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for (strategy, made) in settings.strategies.iter().zip(self.runs) {
            let old = desk.settings.strategies.iter().position(|known| known.name == strategy.name);
            records.push(old.map_or_else(TrackRecord::default, |old| desk.records[old]));
            due.push(due_of(old.map(|old| (&desk.settings.strategies[old], &desk.due[old])), strategy, now));
            let kept = || old.map(|old| std::mem::take(&mut columns[old])).unwrap_or_default();
            runs.push(made.unwrap_or_else(kept).into_iter());
        }
        desk.runs = (0..lanes).flat_map(|_| runs.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect();
        (desk.records, desk.due) = (records, due);
        desk.failing.retain(|(name, _)| settings.strategies.iter().any(|strategy| strategy.name == *name));
        desk.classifiers = self.classifiers.unwrap_or_else(|| std::mem::take(&mut desk.classifiers));
        desk.limits_json = limits_json(&settings);
        desk.settings = settings;
        desk.rewatch();
        desk.revalue = true;
    }
}

/// Where the strategy of this name is that sees the same bars.
fn place_of(desk: &Desk, strategy: &StrategySettings) -> Option<usize> {
    let same = |old: &StrategySettings| (old.name, old.timeframe) == (strategy.name, strategy.timeframe);
    desk.settings.strategies.iter().position(same)
}

/// New runs of a strategy, one a lane; true if they know all that those before them knew.
fn runs_for(desk: &Desk, strategy: &StrategySettings, lanes: &[Lane]) -> Result<(Vec<StrategyRun>, bool), ParamError> {
    let count = desk.settings.strategies.len();
    let before = place_of(desk, strategy);
    let alike = desk.settings.strategies.iter().position(|old| old.timeframe == strategy.timeframe);
    let mut knows = before.is_some();
    let mut runs = Vec::new();
    for (index, lane) in lanes.iter().enumerate() {
        let mut brain = (strategy.kind.build)(&strategy.values)?;
        if let Some(before) = before {
            // What does not shape its memory, such as a level, may change: it goes on with what it knows.
            knows &= brain.load(&desk.runs[index * count + before].brain.save()).is_ok();
        }
        let atr = match alike {
            Some(alike) => desk.runs[index * count + alike].atr.clone(),
            None if strategy.timeframe.is_none() => lane.atr.clone(),
            None => Atr::new(ATR_BARS),
        };
        runs.push(StrategyRun { brain, atr, stay: None, judged: Timestamp::from_ms(i64::MIN), refused: None });
    }
    Ok((runs, knows))
}

/// What is due stays due where the schedule stays; a new one counts from now on.
fn due_of(old: Option<(&StrategySettings, &Due)>, strategy: &StrategySettings, now: Timestamp) -> Due {
    match old {
        Some((old, due)) if old.schedule == strategy.schedule => due.clone(),
        _ => {
            let mut due = old.map(|(_, due)| due.clone()).unwrap_or_default();
            due.begin_after(strategy.schedule.as_ref(), now);
            due
        }
    }
}
