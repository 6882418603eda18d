//! Which order would a person's `/buy` or `/sell` send out?

use crate::control::{Amount, Part};
use crate::domain::format::percent;
use crate::domain::{
    BY_HAND, Book, ExitPlan, NameError, Note, OrderKind, Position, Price, Proposal, Purpose, Quantity, Ratio, Side,
    Symbol, TimeInForce,
};
use crate::execution::reference_of;
use crate::risk::{TrackRecord, Wish, size};

use super::close::leaving;
use super::desk::Desk;
use super::lane::Lane;
use super::plan::{Asked, Plan, PlanError, Step, last, not, only, still_traded, trading};
use super::plan_close::{entries_of, part_of};
use super::plan_orders::{because, check, whole_lots, words};
use super::state::{Engine, Prices};
use super::survey::{look_at, look_closer, loss_distance, survey};

/// What a person wants to buy or sell.
#[derive(Clone, Copy)]
struct Trade<'a> {
    asked: &'a Asked<'a>,
    prices: Prices<'a>,
    desk: &'a Desk,
    lane: &'a Lane,
    side: Side,
    amount: Amount,
    limit: Option<Price>,
}

/// Buys or sells: what is held on the other side is left, else something is entered.
pub(super) fn trade(
    engine: &Engine,
    asked: &Asked<'_>,
    (side, symbol): (Side, Symbol),
    amount: Amount,
    limit: Option<Price>,
) -> Result<Plan, PlanError> {
    let desks = trading(engine, asked, symbol)?;
    let prices = engine.prices();
    let Some(lane) = prices.lane(symbol) else { return not(format!("there are no prices of {symbol}")) };
    still_traded(lane)?;
    let opposite = |desk: &Desk| desk.book.position(symbol).is_some_and(|held| held.side() != side);
    let held: Vec<(usize, &Desk)> = desks.iter().copied().filter(|(_, desk)| opposite(desk)).collect();
    let (place, desk) = only(if held.is_empty() { &desks } else { &held }, "there is no such book")?;
    let wanted = Trade { asked, prices, desk, lane, side, amount, limit };
    let mut notes = Vec::new();
    let mut steps = Vec::new();
    let proposal = match desk.book.position(symbol).filter(|held| held.side() != side) {
        Some(held) => {
            let proposal = wanted.reduce(held, &mut notes)?;
            steps.extend(wanted.not_entered_again(held, &proposal, &mut notes)?);
            proposal
        }
        None => wanted.enter(&mut notes)?,
    };
    check(desk, &proposal, prices, asked.context)?;
    let verb = if side == Side::Buy { "Buy" } else { "Sell" };
    let what = does(&desk.book, symbol, side, amount);
    let mut plan = Plan::default();
    plan.preview.notes.push(format!("{verb} {} {symbol} in {}? {what}.", proposal.quantity, desk.name()).into());
    plan.preview.notes.append(&mut notes);
    let now = last(prices, symbol)?;
    if limit.is_some_and(|limit| if side == Side::Buy { limit < now } else { limit > now }) {
        let text = "It waits for that price. What stands below is as if it had filled, at the prices of now.";
        plan.preview.notes.push(text.into());
    }
    steps.push(Step::Submit(proposal));
    plan.steps.extend(steps.into_iter().map(|step| (place, step)));
    Ok(plan)
}

/// What buying or selling does to what a book holds, in words. A percentage is one of what is held where that is left, else of equity.
fn does(book: &Book, symbol: Symbol, side: Side, amount: Amount) -> String {
    let held = book.position(symbol).map(Position::side);
    let of = |whole: &str| match amount {
        Amount::Equity(share) => Some(format!("{} of {whole}", percent(share))),
        Amount::Units(_) | Amount::Money(_) | Amount::Usual => None,
    };
    let left = |what: &str| of(what).unwrap_or_else(|| what.to_owned());
    let with = || of("equity").map_or_else(String::new, |share| format!(" with {share}"));
    match (held, side) {
        (Some(Side::Buy), Side::Sell) => format!("Leaves {}", left("what is held")),
        (Some(Side::Sell), Side::Buy) => format!("Covers {}", left("the short")),
        (Some(_), _) => format!("Adds to what is held{}", with()),
        (None, Side::Buy) => format!("A new position{}", with()),
        (None, Side::Sell) => format!("Opens a short{}", with()),
    }
}

impl Trade<'_> {
    fn kind(&self) -> OrderKind {
        self.limit.map_or(OrderKind::Market, |price| OrderKind::Limit { price })
    }

    /// The price that the order is counted by.
    fn reference(&self) -> Result<Price, PlanError> {
        Ok(reference_of(self.side, self.kind(), last(self.prices, self.lane.instrument.symbol)?))
    }

    /// How many units are meant; none for what is usual.
    fn units(&self) -> Result<Option<Quantity>, PlanError> {
        let instrument = &self.lane.instrument;
        let price = self.reference()?;
        let units = match self.amount {
            Amount::Usual => return Ok(None),
            Amount::Units(units) => return Ok(Some(units)),
            Amount::Money(money) => money.buys_at(price),
            Amount::Equity(share) => self.desk.equity.times(share)?.buys_at(price),
        };
        let units = units.in_lots(instrument.lot());
        if units.is_zero() {
            return not(format!("that buys not even one lot of {} at {price}", instrument.symbol));
        }
        Ok(Some(units))
    }

    /// The quantity that was shown, if the one that is computed now is near it.
    fn as_shown(&self, quantity: Quantity) -> Quantity {
        let known = (self.desk.name(), self.lane.instrument.symbol, self.side);
        self.asked.shown.map_or(quantity, |shown| shown.quantity_near(known, quantity))
    }

    /// The order that leaves what is held on the other side, and is not on its way out.
    fn reduce(&self, held: &Position, notes: &mut Vec<Note>) -> Result<Proposal, PlanError> {
        let free = held.quantity.abs().minus(self.desk.leaves_now(held.symbol))?;
        if free <= Quantity::ZERO {
            return not(format!("{} is on the way out already", held.symbol));
        }
        let quantity = match self.amount {
            Amount::Equity(share) if share > Ratio::ONE => {
                return not(format!("{} is more than all of what is held", percent(share)));
            }
            Amount::Equity(share) => part_of(held.quantity.abs(), Part::Share(share), self.lane, notes)?,
            Amount::Units(_) | Amount::Money(_) | Amount::Usual => {
                let part = self.units()?.map_or(Part::Share(Ratio::ONE), Part::Units);
                part_of(free, part, self.lane, notes)?
            }
        };
        let quantity = self.as_shown(quantity).min(free);
        let proposal = leaving(self.desk, held, self.lane, quantity, (Purpose::Close, &because(self.asked)));
        Ok(Proposal { kind: self.kind(), reference: self.reference()?, ..proposal })
    }

    /// What enters again what this order leaves all of is taken back with it, at the market; a limit may wait for long, so that it only says
    /// what its fill takes back.
    fn not_entered_again(
        &self,
        held: &Position,
        proposal: &Proposal,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Step>, PlanError> {
        let rest = held.quantity.abs().minus(self.desk.leaves_now(held.symbol))?;
        if proposal.quantity < rest {
            return Ok(Vec::new());
        }
        let entries = entries_of(self.desk, held.symbol);
        if self.limit.is_none() {
            return Ok(entries.map(|order| Step::Withdraw(order.id)).collect());
        }
        let doomed: Vec<String> = entries.filter(|order| order.side != self.side).map(words).collect();
        if !doomed.is_empty() {
            notes.push(
                format!("Once all of it is left, what waits to enter is taken back: {}.", doomed.join("; ")).into(),
            );
        }
        Ok(Vec::new())
    }

    /// The order that opens or enlarges a position.
    fn enter(&self, notes: &mut Vec<Note>) -> Result<Proposal, PlanError> {
        let &Self { desk, lane, side, prices, .. } = self;
        let symbol = lane.instrument.symbol;
        let plan = exit_plan(desk, lane, prices)?;
        let reference = self.reference()?;
        let distance = loss_distance(&desk.book, (symbol, side), reference, plan)?;
        let quantity = match self.units()? {
            Some(units) => whole_lots(lane, units, notes)?,
            None => self.usual(reference, distance)?,
        };
        if quantity.is_zero() {
            return not(format!("not even one lot of {symbol} fits; /limits says what is used up"));
        }
        let quantity = self.as_shown(quantity);
        Ok(Proposal {
            book: desk.name(),
            strategy: BY_HAND.parse().map_err(|error: NameError| PlanError::Not(error.to_string()))?,
            signal: None,
            symbol,
            side,
            quantity,
            kind: self.kind(),
            purpose: Purpose::Entry,
            reference,
            risk: quantity.value_at(distance)?,
            plan,
            tif: TimeInForce::Gtc,
            expires: None,
            because: because(self.asked),
            audit: None,
        })
    }

    /// What the book's sizing enters with.
    fn usual(&self, price: Price, distance: Price) -> Result<Quantity, PlanError> {
        let &Self { desk, lane, side, prices, asked, .. } = self;
        let symbol = lane.instrument.symbol;
        let mut situation = survey(desk, prices)?;
        look_at(&mut situation, desk, lane, asked.context);
        look_closer(&mut situation, desk, prices, lane, side, asked.context);
        let record = TrackRecord::default();
        let (limits, sizing) = desk.settings.terms_of(symbol);
        let (scale, share) = (Ratio::ONE, desk.settings.risk);
        let wish = Wish { symbol, price, stop_distance: distance, record: &record, scale, share };
        Ok(size(sizing, wish, &situation, limits)?)
    }
}

/// How a position that a person opens is left: at the book's usual distances, measured by the widest average true range that its
/// strategies know of the symbol.
fn exit_plan(desk: &Desk, lane: &Lane, prices: Prices<'_>) -> Result<Option<ExitPlan>, PlanError> {
    let limits = desk.settings.terms_of(lane.instrument.symbol).0;
    let Some(atr) = widest_range(desk, lane, prices) else { return Ok(None) };
    let target = atr.times(limits.target_atr)?;
    let stop_distance = atr.times(limits.stop_atr)?;
    Ok(limits.stops.then_some(ExitPlan {
        stop_distance,
        target_distance: (target > Price::ZERO).then_some(target),
        trailing: !limits.trailing.is_zero(),
    }))
}

/// The widest average true range that is known of a symbol in a book.
pub(super) fn widest_range(desk: &Desk, lane: &Lane, prices: Prices<'_>) -> Option<Price> {
    let count = desk.settings.strategies.len();
    let index = prices.place(lane.instrument.symbol)?;
    let own = desk.runs.iter().skip(index * count).take(count).filter_map(|run| run.atr.value());
    let widest = own.chain(lane.atr.value()).fold(0.0, f64::max);
    Price::from_f64(widest).filter(|range| *range > Price::ZERO)
}
