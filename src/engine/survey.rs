//! How does a book stand? The figures that risk looks at, with working entries counted in.

use std::collections::HashSet;

use crate::domain::{
    AmountError, Book, ExitPlan, Holding, Label, Money, Order, Price, Purpose, Quantity, Ratio, RunContext, Side,
    Symbol,
};
use crate::risk::{Situation, Stake};

use super::desk::Desk;
use super::fills::losses;
use super::lane::Lane;
use super::spots::Spot;
use super::state::Prices;

/// The book's figures that do not depend on the symbol.
pub(super) fn survey(desk: &Desk, prices: Prices<'_>) -> Result<Situation, AmountError> {
    survey_of(desk, (&desk.book, &desk.orders, desk.equity), prices)
}

/// The same as if the book held this, with these orders, at this equity.
pub(super) fn survey_of(
    desk: &Desk,
    (book, orders, equity): (&Book, &[Order], Money),
    prices: Prices<'_>,
) -> Result<Situation, AmountError> {
    let mut situation = Situation::of_capital(equity);
    situation.state = desk.state;
    situation.positions = book.positions.len() as u64;
    situation.trades_today = desk.day.entries;
    (situation.day_loss, situation.drawdown) = losses(desk);
    for held in &book.positions {
        let price = prices.mark(held.symbol).unwrap_or_else(|| held.average_price());
        let (symbol, sector) = (held.symbol, prices.sector(held.symbol));
        situation.add_stake(Stake { symbol, sector, value: held.value_at(price)? })?;
        situation.add_open_risk(held.quantity, price, held.protection.map(|levels| levels.stop))?;
    }
    let mut waiting: HashSet<Symbol> = HashSet::new();
    for order in orders.iter().filter(|order| order.purpose == Purpose::Entry) {
        let value = order.remaining().value_at(order.reference)?;
        let value = if order.side == Side::Sell { value.negated() } else { value };
        let (symbol, sector) = (order.symbol, prices.sector(order.symbol));
        situation.add_stake(Stake { symbol, sector, value })?;
        situation.positions += u64::from(book.position(symbol).is_none() && waiting.insert(symbol));
        let distance = loss_distance(book, (symbol, order.side), order.reference, order.plan)?;
        situation.open_risk = situation.open_risk.plus(order.remaining().value_at(distance)?)?;
    }
    Ok(situation)
}

/// The stop that an entry at `price` has from its fill on: that of the position that it adds to, which then covers all; none if it adds to
/// nothing, or to nothing that is protected.
pub(super) fn standing_stop(book: &Book, (symbol, side): (Symbol, Side), price: Price) -> Option<Price> {
    let held = book.position(symbol).filter(|held| held.side() == side)?;
    let stop = held.protection?.stop;
    let loses = if side == Side::Buy { stop < price } else { stop > price };
    loses.then_some(stop)
}

/// How far from `price` an entry is left with a loss: at the stop of what it adds to, else where its plan says, else nowhere. What is
/// bought loses its price at most.
pub(super) fn loss_distance(
    book: &Book,
    whose: (Symbol, Side),
    price: Price,
    plan: Option<ExitPlan>,
) -> Result<Price, AmountError> {
    if let Some(stop) = standing_stop(book, whose, price) {
        return Ok(price.minus(stop)?.abs());
    }
    let distance = plan.map_or(price, |plan| plan.stop_distance);
    Ok(if whose.1 == Side::Buy { distance.min(price) } else { distance })
}

/// Adds the figures of one symbol that every proposal needs.
pub(super) fn look_at(situation: &mut Situation, desk: &Desk, lane: &Lane, context: &RunContext) {
    let look = &mut situation.look;
    look.held = desk.book.position(lane.instrument.symbol).map_or(Quantity::ZERO, |held| held.quantity);
    look.bars_missing = lane.bars_missing(context.now);
    look.last_move = lane.last_move;
    look.locked = lane.lock.is_some();
    look.lot = lane.instrument.lot();
}

/// Adds the figures of one symbol that an entry on `side` needs besides.
pub(super) fn look_closer(
    situation: &mut Situation,
    desk: &Desk,
    prices: Prices<'_>,
    lane: &Lane,
    side: Side,
    context: &RunContext,
) {
    let symbol = lane.instrument.symbol;
    let limits = desk.settings.terms_of(symbol).0;
    // The one figure that costs something is left out where no limit asks for it.
    let compares = limits.enforced && limits.correlation_max < Ratio::ONE;
    let correlation = if compares { closest(situation, prices, lane, side) } else { None };
    let look = &mut situation.look;
    look.sector = lane.sector;
    look.sector_name.clone_from(&lane.instrument.sector);
    look.average_volume = lane.history.average_volume();
    look.correlation = correlation;
    look.yearly_volatility =
        lane.timeframe.and_then(|timeframe| lane.history.yearly_volatility(timeframe, lane.instrument.class));
    let in_force = desk.locks.iter().filter(|lock| lock.symbol == symbol && lock.until > context.now);
    look.entry_lock =
        in_force.max_by_key(|lock| lock.until).map(|lock| format!("{} until {}", lock.cause.words(), lock.until));
}

/// The stake whose returns were most like those of an entry here, counted as positive where both would gain together.
fn closest(situation: &Situation, prices: Prices<'_>, lane: &Lane, side: Side) -> Option<(Symbol, Ratio)> {
    let others = situation.stakes.iter().filter(|stake| stake.symbol != lane.instrument.symbol);
    let with_each = others.filter_map(|stake| {
        let other = prices.lane(stake.symbol)?;
        let same_side = (stake.value < Money::ZERO) == (side == Side::Sell);
        let share = lane.history.correlation(&other.history)?;
        Some((stake.symbol, Ratio::from_f64(if same_side { share } else { -share })?))
    });
    with_each.max_by_key(|(_, share)| *share)
}

/// What the book holds of a symbol, as the strategy of this name may know it.
pub(super) fn holding(desk: &Desk, spot: Spot, symbol: Symbol, strategy: Label) -> Holding {
    let of = |side: Side| if side == Side::Sell { Holding::Short } else { Holding::Long };
    if let Some(place) = spot.position {
        let held = &desk.book.positions[place];
        let is_busy = held.strategy != strategy || (spot.may_leave && desk.is_leaving(symbol));
        return if is_busy { Holding::Busy } else { of(held.side()) };
    }
    let entry = if spot.may_enter { desk.open_order(symbol, Purpose::Entry) } else { None };
    match entry {
        None => Holding::Flat,
        Some(entry) if entry.strategy == strategy => of(entry.side),
        Some(_) => Holding::Busy,
    }
}

/// The last price of a lane, as a reference for orders.
pub(super) fn last_price(lane: &Lane) -> Price {
    lane.last.map_or(Price::ZERO, |bar| bar.close)
}
