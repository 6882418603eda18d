//! How far has it come? Open profit of a position and profit of a day, told at each threshold that they pass for the first time.

use serde::{Deserialize, Serialize};

use crate::domain::{Event, EventKind, Price, Ratio, RunContext, TradeId};

use super::desk::Desk;
use super::{CycleError, Outcome};

/// The thresholds that were passed so far, up and down; those nearer to zero are passed with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Passed {
    /// The highest one; zero before the first.
    up: Ratio,
    /// The lowest one; zero before the first.
    down: Ratio,
}

impl Passed {
    /// Takes a profit as a share, with a threshold at each multiple of `step`: the furthest that is passed for the first time, if any.
    fn pass(&mut self, share: Ratio, step: Ratio) -> Option<Ratio> {
        if step <= Ratio::ZERO {
            return None;
        }
        let level = Ratio::from_units(share.units() / step.units() * step.units());
        if level > self.up {
            self.up = level;
        } else if level < self.down {
            self.down = level;
        } else {
            return None;
        }
        Some(level)
    }
}

/// Tells a threshold that the open profit of a position passed with this close, each once in its life.
pub(super) fn watch_position(
    desk: &mut Desk,
    place: usize,
    close: Price,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let held = &desk.book.positions[place];
    let (symbol, trade) = (held.symbol, held.trade);
    let step = desk.settings.terms_of(symbol).0.alert_position_pct;
    if step.is_zero() {
        return Ok(());
    }
    let profit = held.unrealised_at(close)?;
    let share = profit.share_of(held.cost.abs());
    let known = desk.passed.iter().position(|(known, _)| *known == trade);
    let mut passed = known.map_or_else(Passed::default, |index| desk.passed[index].1);
    let Some(level) = passed.pass(share, step) else { return Ok(()) };
    if let Some(index) = known {
        desk.passed[index].1 = passed;
    } else {
        let positions = &desk.book.positions;
        desk.passed.retain(|(known, _)| positions.iter().any(|held| held.trade == *known));
        desk.passed.push((trade, passed));
    }
    let kind = EventKind::PositionPassed { symbol, profit, share, level };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Tells a threshold that the profit of the book's day passed, each once a day.
pub(super) fn watch_day(desk: &mut Desk, context: &RunContext, out: &mut Outcome) {
    let (profit, step) = (desk.day_profit(), desk.settings.limits.alert_day_pct);
    if desk.day.start <= crate::domain::Money::ZERO {
        return;
    }
    let share = profit.share_of(desk.day.start);
    if let Some(level) = desk.day.passed.pass(share, step) {
        let kind = EventKind::DayPassed { profit, share, level };
        out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    }
}

/// What is remembered of positions, with their trades.
pub type PassedBy = Vec<(TradeId, Passed)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_threshold_is_passed_once_in_each_direction() {
        let step = Ratio::from_percent(5);
        let mut passed = Passed::default();
        let told: Vec<Option<Ratio>> = [3, 5, 9, 4, 6, 12, 0, -4, -5, -16, -11, 14, 15]
            .map(|share| passed.pass(Ratio::from_percent(share), step))
            .to_vec();
        let level = |percent| Some(Ratio::from_percent(percent));
        let none = None;
        assert_eq!(
            told,
            [none, level(5), none, none, none, level(10), none, none, level(-5), level(-15), none, none, level(15)]
        );
        assert_eq!(Passed::default().pass(Ratio::MAX, Ratio::ZERO), None);
        assert!(Passed::default().pass(Ratio::MAX, step).is_some());
        assert!(Passed::default().pass(Ratio::from_units(i64::MIN), Ratio::STEP).is_some());
    }
}
