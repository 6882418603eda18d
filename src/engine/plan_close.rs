//! Which orders would leave positions because a person says so, and which give way to them?

use crate::control::{Part, Positions};
use crate::domain::format::signed;
use crate::domain::{Money, Note, Position, Purpose, Quantity, Ratio};

use super::close::leaving;
use super::desk::Desk;
use super::lane::Lane;
use super::plan::{Asked, Left, Plan, PlanError, Step, last, not, still_traded};
use super::plan_orders::{because, check, whole_lots};
use super::state::{Engine, Prices};

/// Leaves positions, or a part of each. One that cannot be left keeps none of the others.
pub(super) fn close(engine: &Engine, asked: &Asked<'_>, what: Positions, part: Part) -> Result<Plan, PlanError> {
    let prices = engine.prices();
    let (mut plan, mut left) = (Plan::default(), Left::default());
    for (place, desk) in asked.desks(engine) {
        for held in desk.book.positions.iter().filter(|held| is_meant(held, what, prices)) {
            let which = format!("{} of {}", held.symbol, desk.name());
            if let Some((notes, steps)) = left.unless(&which, close_one(desk, held, part, prices, asked))? {
                plan.preview.notes.extend(notes);
                plan.steps.extend(steps.into_iter().map(|step| (place, step)));
            }
        }
    }
    left.noted(
        plan,
        &match what {
            Positions::Of(symbol) => format!("{symbol} is not held"),
            Positions::Losers => "nothing that is held loses now".to_owned(),
            Positions::Winners => "nothing that is held wins now".to_owned(),
            Positions::All => "nothing is held".to_owned(),
        },
    )
}

fn is_meant(held: &Position, what: Positions, prices: Prices<'_>) -> bool {
    let profit = || prices.mark(held.symbol).and_then(|price| held.unrealised_at(price).ok()).unwrap_or_default();
    match what {
        Positions::Of(symbol) => held.symbol == symbol,
        Positions::Losers => profit() < Money::ZERO,
        Positions::Winners => profit() > Money::ZERO,
        Positions::All => true,
    }
}

/// Leaves one position at the market; what else would leave it is taken back first.
fn close_one(
    desk: &Desk,
    held: &Position,
    part: Part,
    prices: Prices<'_>,
    asked: &Asked<'_>,
) -> Result<(Vec<Note>, Vec<Step>), PlanError> {
    let (symbol, all) = (held.symbol, held.quantity.abs());
    if desk.is_leaving(symbol) {
        return not("it is on the way out already");
    }
    let Some(lane) = prices.lane(symbol) else { return not(format!("there are no prices of {symbol}")) };
    still_traded(lane)?;
    let price = last(prices, symbol)?;
    let mut rounded = Vec::new();
    let quantity = part_of(all, part, lane, &mut rounded)?;
    let proposal = leaving(desk, held, lane, quantity, (Purpose::Close, &because(asked)));
    check(desk, &proposal, prices, asked.context)?;
    let profit = held.unrealised_at(price)?;
    let profit = if quantity == all { profit } else { profit.scaled(quantity.units(), all.units())? };
    let (name, currency) = (desk.name(), &desk.settings.currency);
    let told = signed(profit);
    let question = format!("Close {quantity} of {all} {symbol} in {name}? Result before fees about {told} {currency}.");
    let mut notes = vec![Note::from(question)];
    notes.append(&mut rounded);
    let mut steps: Vec<Step> = desk.ways_out(symbol).map(|order| Step::Withdraw(order.id)).collect();
    steps.push(Step::Submit(proposal));
    Ok((notes, steps))
}

/// So much of what there is, in whole lots: at least one, at most all of it. All may be less than a lot.
pub(super) fn part_of(all: Quantity, part: Part, lane: &Lane, notes: &mut Vec<Note>) -> Result<Quantity, PlanError> {
    let lot = lane.instrument.lot();
    match part {
        Part::Share(share) if share >= Ratio::ONE => Ok(all),
        Part::Share(share) => Ok(all.times(share)?.in_lots(lot).max(lot).min(all)),
        Part::Units(units) if units > all => {
            not(format!("only {all} {} are held and not on the way out", lane.instrument.symbol))
        }
        Part::Units(units) if units == all => Ok(all),
        Part::Units(units) => whole_lots(lane, units, notes),
    }
}
