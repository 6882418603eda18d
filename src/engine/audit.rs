//! Would we decide the same again? A stretch of cycles is made anew from the state before it and the prices it saw, and every fact is
//! compared with what the ledger says happened.

use std::collections::BTreeMap;

use crate::domain::{CycleId, Event, EventKind, Instrument, MarketSnapshot, Mode, Money, RunContext, RunId};
use crate::execution::PaperBroker;
use crate::store::{EventRow, JournalRow, Reader, Saved};

use super::brains::Brains;
use super::recovery::restore_marks;
use super::runner::{Runner, RunnerError};
use super::state::Engine;
use super::{DeskSettings, Outcome, Pace, cycle, restore};

/// Cycles that are made again at once, at most: their prices are kept until then, 2 KB a cycle of 27 symbols.
const STRETCH_MAX: usize = 240;
/// Differences that are told, at most.
const DIFFERENCES_MAX: usize = 20;

/// A stretch of cycles that nobody interfered with.
pub struct Stretch {
    /// The day of the first book that it belongs to, as `2026-11-20`.
    pub day: String,
    /// Everything that was committed before it.
    pub saved: Saved,
    /// The books as they are configured; what people changed over that is among what was committed.
    pub settings: Vec<DeskSettings>,
    /// What the feed had prices of.
    pub instruments: Vec<Instrument>,
    /// True if nothing was submitted.
    pub dry_run: bool,
    /// What each cycle saw, in order.
    pub snapshots: Vec<MarketSnapshot>,
    /// The number of the journal's last row when it ended: what a person did after it carries the number of its last cycle, too.
    pub last: i64,
}

impl Stretch {
    /// The last cycle before it.
    pub fn after(&self) -> CycleId {
        self.saved.progress.map_or_else(CycleId::default, |progress| progress.cycle)
    }

    /// Its last cycle.
    pub fn until(&self) -> CycleId {
        CycleId(self.after().0 + self.snapshots.len() as u64)
    }

    /// Makes the stretch anew and compares every fact with `journal`, the ledger's rows of its cycles.
    pub fn audit(&self, journal: &[JournalRow]) -> EventKind {
        let mut differences = Vec::new();
        let (mut orders, mut fills) = (0, 0);
        match self.make_again() {
            Err(error) => differences.push(format!("it could not be made again: {error}")),
            Ok(made) => {
                let own = journal.iter().filter(|row| row.seq <= self.last);
                let recorded = by_cycle(own.map(|row| (row.cycle, &row.event)));
                let made = by_cycle(made.iter().map(|row| (row.cycle, &row.event)));
                for number in self.after().0 + 1..=self.until().0 {
                    let cycle = CycleId(number);
                    let nothing = Vec::new();
                    let (then, now) = (recorded.get(&cycle).unwrap_or(&nothing), made.get(&cycle).unwrap_or(&nothing));
                    compare(cycle, then, now, &mut differences);
                    orders += count(then, |kind| matches!(kind, EventKind::OrderSubmitted { .. }));
                    fills += count(then, |kind| matches!(kind, EventKind::OrderFilled { .. }));
                }
            }
        }
        differences.truncate(DIFFERENCES_MAX);
        let (day, cycles) = (self.day.clone(), self.snapshots.len() as u64);
        EventKind::DayAudited { day, cycles, orders, fills, differences }
    }

    fn make_again(&self) -> Result<Vec<EventRow>, Box<dyn std::error::Error>> {
        let (mut engine, mut broker) = revive(&self.instruments, self.settings.clone(), &self.saved)?;
        let mut out = Outcome::default();
        for snapshot in &self.snapshots {
            let context = RunContext {
                run: RunId(0),
                mode: Mode::Paper,
                started: snapshot.at,
                cycle: engine.counters.cycle.next(),
                now: snapshot.at,
                cost_budget: Money::ZERO,
                dry_run: self.dry_run,
            };
            cycle(&mut engine, &mut broker, snapshot, &context, &mut out)?;
        }
        Ok(out.events)
    }
}

impl Runner {
    /// Notes the state that a stretch of cycles begins with, if somebody audits and each cycle is a commit. `next` is what the feed has
    /// given already: whoever goes on from here must not miss it.
    pub(super) fn begin_stretch(&mut self, next: &MarketSnapshot) -> Result<(), RunnerError> {
        if self.auditor.is_none() || self.stretch.is_some() || self.options.pace == Pace::Max {
            return Ok(());
        }
        let brains = self.remember(Some(next));
        self.flush(true)?;
        let saved = Reader::open(self.store.path()).and_then(|reader| reader.saved())?;
        let saved = Saved { brains, ..saved };
        let day = self.engine.desks.first().and_then(|desk| desk.day.date);
        self.stretch = Some(Stretch {
            day: day.map_or_else(String::new, |day| day.to_string()),
            saved,
            settings: self.engine.desks.iter().map(|desk| desk.base.clone()).collect(),
            instruments: self.engine.lanes.iter().map(|lane| lane.instrument.clone()).collect(),
            dry_run: self.options.dry_run,
            snapshots: Vec::new(),
            last: 0,
        });
        Ok(())
    }

    /// Adds a cycle to the stretch, and hands it to the auditor where all markets are closed, the day is over, or it grows too long.
    pub(super) fn end_stretch(&mut self, snapshot: &MarketSnapshot) -> Result<(), RunnerError> {
        let Some(stretch) = &mut self.stretch else { return Ok(()) };
        stretch.snapshots.push(snapshot.clone());
        let day = self.engine.desks.first().and_then(|desk| desk.day.date).map(|day| day.to_string());
        if stretch.day.is_empty() {
            stretch.day = day.clone().unwrap_or_default();
        }
        let closed = self.engine.lanes.iter().all(|lane| !lane.hours.is_open(snapshot.at));
        if closed || day.as_ref() != Some(&stretch.day) || stretch.snapshots.len() >= STRETCH_MAX {
            self.send_stretch()?;
        }
        Ok(())
    }

    /// Ends the stretch, before anything happens that is not of its cycles, and hands it to the auditor.
    pub(super) fn send_stretch(&mut self) -> Result<(), RunnerError> {
        let Some(mut stretch) = self.stretch.take().filter(|stretch| !stretch.snapshots.is_empty()) else {
            return Ok(());
        };
        self.flush(true)?;
        stretch.last = Reader::open(self.store.path()).and_then(|reader| reader.last_fact())?;
        if let Some(auditor) = &self.auditor {
            // An auditor that is gone audits no more.
            let _ = auditor.send(stretch);
        }
        Ok(())
    }
}

/// Books and prices as they were saved, without a feed to read the past from.
///
/// # Errors
/// When they do not fit, or no memory was saved.
pub fn revive(
    instruments: &[Instrument],
    settings: Vec<DeskSettings>,
    saved: &Saved,
) -> Result<(Engine, PaperBroker), Box<dyn std::error::Error>> {
    let mut engine = Engine::new(instruments, settings)?;
    let mut broker = PaperBroker::new(instruments);
    restore(&mut engine, &mut broker, saved)?;
    let brains = saved.brains.as_deref().ok_or("no memory was saved before it")?;
    serde_json::from_str::<Brains>(brains)?.enter(&mut engine)?;
    restore_marks(&mut engine, &saved.marks)?;
    Ok((engine, broker))
}

type ByCycle<'a> = BTreeMap<CycleId, Vec<&'a Event>>;

fn by_cycle<'a>(events: impl Iterator<Item = (CycleId, &'a Event)>) -> ByCycle<'a> {
    let mut found = ByCycle::new();
    for (cycle, event) in events.filter(|(_, event)| is_decided(&event.kind)) {
        found.entry(cycle).or_default().push(event);
    }
    found
}

/// True for what a cycle itself decides; the rest happens around it.
fn is_decided(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::EngineStarted { .. }
            | EventKind::EngineRecovered { .. }
            | EventKind::EngineStopped { .. }
            | EventKind::ReplayFinished { .. }
            | EventKind::ClockJumped { .. }
            | EventKind::StoreRecovered { .. }
            | EventKind::BackupMade { .. }
            | EventKind::BackupFailed { .. }
            | EventKind::PinLocked { .. }
            | EventKind::FactorChanged { .. }
            | EventKind::DuressPin { .. }
            | EventKind::DuressUntold { .. }
            | EventKind::ControlLapsed { .. }
            | EventKind::ApprovalAsked { .. }
            | EventKind::ApprovalEnded { .. }
            | EventKind::HealthDegraded { .. }
            | EventKind::HealthRestored { .. }
            | EventKind::LaneDied { .. }
            | EventKind::LaneRecovered { .. }
            | EventKind::DeliveryDied { .. }
            | EventKind::SmsBudgetNear { .. }
            | EventKind::CopyRunning { .. }
            | EventKind::StrangersKnocked { .. }
            | EventKind::PersonPaired { .. }
            | EventKind::DrillSent { .. }
            | EventKind::ConfigChanged { .. }
            | EventKind::SettingChanged { .. }
            | EventKind::SettingEnded { .. }
            | EventKind::LevelsSet { .. }
            | EventKind::BlockEnded { .. }
            | EventKind::ControlUndone { .. }
            | EventKind::ConfigRefused { .. }
            | EventKind::DayAudited { .. }
            | EventKind::AlertFired { .. }
            | EventKind::CyclesMissed { .. }
            | EventKind::PositionUnprotected { .. }
    )
}

fn count(events: &[&Event], is: impl Fn(&EventKind) -> bool) -> u64 {
    events.iter().filter(|event| is(&event.kind)).count() as u64
}

fn compare(cycle: CycleId, then: &[&Event], now: &[&Event], differences: &mut Vec<String>) {
    for index in 0..then.len().max(now.len()) {
        let words = |event: Option<&&Event>| match event {
            Some(event) => {
                let symbol = event.kind.symbol().map(|symbol| format!(" {symbol}")).unwrap_or_default();
                format!("{}{symbol}", event.kind.name())
            }
            None => "nothing".to_owned(),
        };
        let (was, is) = (then.get(index), now.get(index));
        if was != is {
            let (was, is) = (words(was), words(is));
            let what = if was == is { format!("another {was}") } else { format!("{is} instead of {was}") };
            differences.push(format!("cycle {}: {what}", cycle.0));
            return;
        }
    }
}
