//! What would stopping a book take back and close? It is carried out by [`super::books`]; this is what it is shown with, and compared by.

use crate::control::Part;
use crate::domain::{Label, Ratio};

use super::plan::{Asked, Left, Plan, PlanError};
use super::plan_close::{close_one, entries_besides};
use super::state::Engine;

/// Everything that is held is left at the market, and what waits to enter is taken back. What cannot be left now is left later.
pub(super) fn stop(engine: &Engine, asked: &Asked<'_>, book: Label) -> Result<Plan, PlanError> {
    let prices = engine.prices();
    let (mut plan, mut later) = (Plan::default(), Left::default());
    for (place, desk) in asked.desks(engine).into_iter().filter(|(_, desk)| desk.name() == book) {
        let mut closings = Vec::new();
        for held in desk.book.positions.iter().filter(|held| !desk.is_leaving(held.symbol)) {
            let tried = close_one(desk, held, Part::Share(Ratio::ONE), prices, asked);
            closings.extend(later.unless(held.symbol.as_str(), tried)?);
        }
        let rest = entries_besides(desk, &closings);
        let steps = closings.into_iter().flat_map(|closing| closing.steps).chain(rest);
        plan.steps.extend(steps.map(|step| (place, step)));
    }
    plan.preview.notes.extend(later.words("Not at the next bar"));
    Ok(plan)
}
