//! Which orders would leave positions because a person says so, and which give way to them?

use crate::control::{Part, Positions};
use crate::domain::format::signed;
use crate::domain::{AmountError, Money, Note, Order, Position, Purpose, Quantity, Ratio, Symbol};

use super::close::leaving;
use super::desk::Desk;
use super::lane::Lane;
use super::plan::{Asked, Left, Plan, PlanError, Step, last, not, only, still_traded};
use super::plan_orders::{because, check, whole_lots};
use super::state::{Engine, Prices};

/// From so many positions of a book on, what is asked of them is one line.
const LINES_MAX: usize = 8;

/// A position that would be left, or a part of it.
pub(super) struct Closing {
    symbol: Symbol,
    quantity: Quantity,
    all: Quantity,
    /// Its result before fees.
    profit: Money,
    rounded: Vec<Note>,
    pub(super) steps: Vec<Step>,
}

/// Leaves positions, or a part of each. One that cannot be left keeps none of the others.
pub(super) fn close(engine: &Engine, asked: &Asked<'_>, what: Positions, part: Part) -> Result<Plan, PlanError> {
    let prices = engine.prices();
    let (mut plan, mut left) = (Plan::default(), Left::default());
    let mut desks = asked.desks(engine);
    if let (Positions::Of(symbol), Part::Units(_)) = (what, part) {
        // So many units of one book, as with /sell; a share may be one of each.
        desks.retain(|(_, desk)| desk.book.position(symbol).is_some());
        desks = vec![only(&desks, &format!("{symbol} is not held"))?];
    }
    for (place, desk) in desks {
        let mut closings = Vec::new();
        for held in desk.book.positions.iter().filter(|held| is_meant(held, what, prices)) {
            let which = format!("{} of {}", held.symbol, desk.name());
            closings.extend(left.unless(&which, close_one(desk, held, part, prices, asked))?);
        }
        let flat = what == Positions::All && matches!(part, Part::Share(share) if share >= Ratio::ONE);
        let rest = if flat { entries_besides(desk, &closings) } else { Vec::new() };
        plan.preview.notes.extend(questions(desk, &mut closings, !rest.is_empty())?);
        let steps = closings.into_iter().flat_map(|closing| closing.steps).chain(rest);
        plan.steps.extend(steps.map(|step| (place, step)));
    }
    left.noted(
        plan,
        &match what {
            Positions::Of(symbol) => format!("{symbol} is not held"),
            Positions::Losers => "nothing that is held loses now".to_owned(),
            Positions::Winners => "nothing that is held wins now".to_owned(),
            Positions::All => "nothing is held, and nothing waits to enter".to_owned(),
        },
    )
}

/// What waits to enter anything else than what is closed: whoever closes everything wants to be out.
pub(super) fn entries_besides(desk: &Desk, closings: &[Closing]) -> Vec<Step> {
    let other = |symbol| closings.iter().all(|closing| closing.symbol != symbol);
    let entries = desk.orders.iter().filter(|order| order.purpose == Purpose::Entry && other(order.symbol));
    entries.map(|order| Step::Withdraw(order.id)).collect()
}

/// What is asked of a book, a line a position, or one where they are many.
fn questions(desk: &Desk, closings: &mut [Closing], entries: bool) -> Result<Vec<Note>, AmountError> {
    let (name, currency) = (desk.name(), &desk.settings.currency);
    if closings.is_empty() && entries {
        let held = if desk.book.positions.is_empty() { "Nothing is held" } else { "Nothing that is held can be left" };
        return Ok(vec![format!("{held} in {name}. Take back what waits to enter?").into()]);
    }
    let result = |profit| format!("Result before fees about {} {currency}.", signed(profit));
    let rounded: Vec<Note> = closings.iter_mut().flat_map(|closing| closing.rounded.drain(..)).collect();
    let each = |Closing { symbol, quantity, all, profit, .. }: &Closing| {
        Note::from(format!("Close {quantity} of {all} {symbol} in {name}? {}", result(*profit)))
    };
    let mut notes: Vec<Note> = if closings.len() <= LINES_MAX {
        closings.iter().map(each).collect()
    } else {
        let profit = closings.iter().try_fold(Money::ZERO, |sum, closing| sum.plus(closing.profit))?;
        let each = |Closing { symbol, quantity, all, .. }: &Closing| {
            if quantity == all { symbol.to_string() } else { format!("{symbol} ({quantity} of {all})") }
        };
        let list: Vec<String> = closings.iter().map(each).collect();
        let (count, list) = (closings.len(), list.join(", "));
        vec![format!("Close {count} positions in {name}: {list}? {}", result(profit)).into()]
    };
    notes.extend(rounded);
    Ok(notes)
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

/// Leaves one position at the market; what else would leave it is taken back first, and what would enter it again where all of it is left.
pub(super) fn close_one(
    desk: &Desk,
    held: &Position,
    part: Part,
    prices: Prices<'_>,
    asked: &Asked<'_>,
) -> Result<Closing, PlanError> {
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
    let given_up = desk.ways_out(symbol).chain(entries_of(desk, symbol).filter(|_| quantity == all));
    let mut steps: Vec<Step> = given_up.map(|order| Step::Withdraw(order.id)).collect();
    steps.push(Step::Submit(proposal));
    Ok(Closing { symbol, quantity, all, profit, rounded, steps })
}

/// What waits to enter a symbol: whoever leaves all of it wants to be out.
pub(super) fn entries_of(desk: &Desk, symbol: Symbol) -> impl Iterator<Item = &Order> {
    desk.orders.iter().filter(move |order| order.purpose == Purpose::Entry && order.symbol == symbol)
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
