//! What may a person change? Each function here wants a `Confirmed` from the desk, or is the safe direction.

use crate::control::{Confirmed, Control};
use crate::domain::{Event, EventKind, HaltCause, LiftReason, RunContext, TradingState};

use super::state::Engine;
use super::{CycleError, Outcome, guard};

/// Halts every book.
///
/// # Errors
/// When an order cannot be taken back.
pub fn halt(engine: &mut Engine, cause: &HaltCause, context: &RunContext, out: &mut Outcome) -> Result<(), CycleError> {
    engine.desks.iter_mut().try_for_each(|desk| guard::halt(desk, cause.clone(), context, out))
}

/// Carries out what was confirmed; in words, what became of it.
///
/// # Errors
/// When an order cannot be taken back.
pub fn obey(
    engine: &mut Engine,
    confirmed: &Confirmed,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<String, CycleError> {
    match confirmed.control() {
        Control::Halt => {
            halt(engine, &HaltCause::Command { person: confirmed.person().to_owned() }, context, out)?;
            Ok("halted: no entries, no exits by strategies; stops and targets stay in force".to_owned())
        }
        Control::Resume => {
            let waiting = engine.desks.iter_mut().filter(|desk| desk.state != TradingState::Running);
            let mut books = Vec::new();
            for desk in waiting {
                guard::set_running(desk, Some(confirmed.person().to_owned()), context, out);
                books.push(desk.name().to_string());
            }
            Ok(if books.is_empty() { "nothing to resume".to_owned() } else { format!("running: {}", books.join(", ")) })
        }
        Control::Unlock { symbol } => {
            let Some(lane) = engine.lane_of(*symbol) else { return Ok(format!("{symbol} is not traded here")) };
            if engine.lanes[lane].lock.take().is_none() {
                return Ok(format!("{symbol} is not locked"));
            }
            let reason = LiftReason::Command { person: confirmed.person().to_owned() };
            let kind = EventKind::SymbolUnlocked { symbol: *symbol, reason };
            out.tell(context.cycle, Event { at: context.now, book: None, kind });
            Ok(format!("{symbol} unlocked: its price counts again"))
        }
    }
}
