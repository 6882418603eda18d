//! What do the broker's reports change? Orders step on, fills go into the book, and every position gets its stop.

use crate::domain::{
    AmountError, Bar, Event, EventKind, ExitPlan, ExitReason, Money, Order, OrderAction, OrderId, OrderKind,
    OrderStatus, Position, Price, Proposal, Protection, Purpose, Quantity, RunContext, Side, SignalId, Symbol,
    TimeInForce, Timeframe, Trade, TradeFill,
};
use crate::execution::Report;
use crate::portfolio::{Attribution, Change, apply_fill, exposure, loss_share};
use crate::risk::{self, RiskDecision, Situation};

use super::desk::Desk;
use super::state::{Counters, Prices};
use super::{CycleError, Outcome, locks};

/// Takes every report of this desk's orders.
pub(super) fn take_reports(
    desk: &mut Desk,
    prices: Prices<'_>,
    counters: &mut Counters,
    reports: &[Report],
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    for report in reports {
        let Some(index) = find(desk, report.order()) else { continue };
        // What comes of an order that a person wanted comes of their wish.
        out.audit = desk.orders[index].audit;
        let taken = take_report(desk, index, prices, counters, report, context, out);
        out.audit = None;
        taken?;
    }
    Ok(())
}

/// Takes a report of the order at `index`.
fn take_report(
    desk: &mut Desk,
    index: usize,
    prices: Prices<'_>,
    counters: &mut Counters,
    report: &Report,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let order = &mut desk.orders[index];
    match report {
        Report::Filled { .. } => return take_fill(desk, index, prices, counters, report, context, out),
        Report::Expired { order, why } => return end(desk, *order, OrderAction::Expire, why, context, out),
        Report::Reduced { quantity, .. } => order.quantity = *quantity,
        Report::Triggered { .. } => order.triggered = true,
        Report::Moved { kind, .. } => order.kind = *kind,
    }
    out.orders.push(order.clone());
    if matches!(report, Report::Moved { .. }) {
        follow_trigger(desk, index);
    }
    Ok(())
}

pub(super) fn find(desk: &Desk, order: OrderId) -> Option<usize> {
    desk.orders.iter().position(|held| held.id == order)
}

/// A position whose protective order moved by itself has its stop where that order's trigger is.
fn follow_trigger(desk: &mut Desk, index: usize) {
    let Order { id, symbol, kind, .. } = desk.orders[index];
    if let OrderKind::Trailing { trigger, .. } = kind
        && let Some(position) = desk.book.position_mut(symbol)
        && let Some(levels) = &mut position.protection
        && levels.order == id
    {
        levels.stop = trigger;
        desk.revalue = true;
    }
}

/// Ends an open order without a fill.
pub(super) fn end(
    desk: &mut Desk,
    order: OrderId,
    action: OrderAction,
    why: &str,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let Some(index) = find(desk, order) else { return Ok(()) };
    desk.orders[index].step(action, context.now)?;
    let ended = desk.orders.remove(index);
    let (symbol, unfilled) = (ended.symbol, ended.remaining());
    if ended.purpose == Purpose::Protect
        && let Some(position) = desk.book.position_mut(symbol)
    {
        position.protection = position.protection.filter(|levels| levels.order != order);
    }
    let partly = ended.purpose == Purpose::Entry && !ended.filled.is_zero();
    out.orders.push(ended);
    if partly {
        tell_scaled(desk, symbol, context, out);
    }
    let kind = EventKind::OrderEnded { order, symbol, unfilled, why: why.to_owned() };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    desk.revalue = true;
    Ok(())
}

/// Says what an entry that filled in parts came to. Told once, at its end: ten parts are one story.
fn tell_scaled(desk: &Desk, symbol: Symbol, context: &RunContext, out: &mut Outcome) {
    if let Some(held) = desk.book.position(symbol) {
        let (quantity, average) = (held.quantity, held.average_price());
        let stop = held.protection.map(|levels| levels.stop);
        let kind = EventKind::PositionScaled { symbol, quantity, average, stop };
        out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    }
}

fn take_fill(
    desk: &mut Desk,
    index: usize,
    prices: Prices<'_>,
    counters: &mut Counters,
    report: &Report,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let Report::Filled { quantity, done, price, fee, slippage, leg, at, .. } = *report else { return Ok(()) };
    let order = &desk.orders[index];
    let fill = TradeFill {
        id: counters.fill.next(),
        order: order.id,
        book: order.book,
        symbol: order.symbol,
        side: order.side,
        quantity,
        price,
        fee,
        slippage,
        leg,
        at,
    };
    let reason = exit_reason(order.purpose);
    let by = Attribution { strategy: order.strategy, trade: counters.trade.next(), reason };
    let filled = order.filled.plus(quantity)?;
    let action = if done { OrderAction::Fill } else { OrderAction::FillPart };
    order.status.after(action)?;
    let applied = apply_fill(&mut desk.book, &fill, by)?;
    counters.fill = fill.id;
    counters.trade = if applied.used_trade_id { by.trade } else { counters.trade };
    let order = step_filled(desk, index, filled, action, leg == crate::domain::FillLeg::Stop, context)?;
    out.orders.push(order.clone());
    let kind = EventKind::OrderFilled { fill: fill.clone(), remaining: order.remaining() };
    out.tell(context.cycle, Event { at: context.now, book: Some(order.book), kind });
    out.fills.push(fill.clone());
    desk.revalue = true;
    after_fill(desk, &order, &fill, applied.change, prices, counters, context, out)
}

/// Why a position is left by an order for this purpose, where neither stop nor target filled.
fn exit_reason(purpose: Purpose) -> ExitReason {
    match purpose {
        Purpose::Entry | Purpose::Exit | Purpose::Protect => ExitReason::Signal,
        Purpose::Close => ExitReason::Closed,
        Purpose::Liquidate => ExitReason::MarginCall,
    }
}

/// Steps the order on and takes it off the list when it is done.
fn step_filled(
    desk: &mut Desk,
    index: usize,
    filled: Quantity,
    action: OrderAction,
    triggered: bool,
    context: &RunContext,
) -> Result<Order, CycleError> {
    let order = &mut desk.orders[index];
    order.filled = filled;
    if action == OrderAction::Fill {
        // A change of the quantity that was still on its way to the broker came too late.
        order.quantity = filled;
    }
    order.triggered |= triggered;
    order.step(action, context.now)?;
    Ok(if order.status == OrderStatus::Filled { desk.orders.remove(index) } else { order.clone() })
}

#[expect(clippy::too_many_arguments, reason = "the tail of take_fill, which owns all of these")]
fn after_fill(
    desk: &mut Desk,
    order: &Order,
    fill: &TradeFill,
    change: Change,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    desk.equity = crate::portfolio::equity(&desk.book, |symbol| prices.mark(symbol))?;
    match change {
        Change::Opened => open_up(desk, order, fill, prices, counters, context, out)?,
        Change::Scaled => {
            protect(desk, order, fill, counters, context, out)?;
            if order.purpose == Purpose::Entry && order.status == OrderStatus::Filled {
                tell_scaled(desk, fill.symbol, context, out);
            }
        }
        Change::Closed(trade) => close_up(desk, fill, trade, prices, context, out)?,
        Change::Flipped(trade) => {
            close_up(desk, fill, trade, prices, context, out)?;
            open_up(desk, order, fill, prices, counters, context, out)?;
        }
    }
    Ok(())
}

/// Gives a position that was just opened its stop, and tells of it.
fn open_up(
    desk: &mut Desk,
    order: &Order,
    fill: &TradeFill,
    prices: Prices<'_>,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    protect(desk, order, fill, counters, context, out)?;
    let kind = opened(desk, order, fill, prices)?;
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    Ok(())
}

/// Takes back what was working for a position that is gone, and tells with which result it ended.
fn close_up(
    desk: &mut Desk,
    fill: &TradeFill,
    trade: Trade,
    prices: Prices<'_>,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let leftovers: Vec<OrderId> =
        desk.orders.iter().filter(|open| is_left_over(open, fill)).map(|open| open.id).collect();
    for open in leftovers {
        out.requests.push(risk::withdraw(open));
        end(desk, open, OrderAction::Cancel, "the position is gone", context, out)?;
    }
    desk.day.trades += 1;
    let (day, equity) = (desk.day_profit(), desk.equity);
    let kind = EventKind::PositionClosed { trade: trade.clone(), day, day_share: day.share_of(desk.day.start), equity };
    out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    note_trade(desk, &trade, prices, context, out);
    out.trades.push(trade);
    Ok(())
}

/// Whether an order worked for a position that this fill ended. An entry on the side of the fill is the other half of turning round: it
/// stays.
pub(super) fn is_left_over(open: &Order, fill: &TradeFill) -> bool {
    open.symbol == fill.symbol && !(open.purpose == Purpose::Entry && open.side == fill.side)
}

/// Counts a trade in its strategy's record, and keeps out of its symbol where a limit says so.
fn note_trade(desk: &mut Desk, trade: &Trade, prices: Prices<'_>, context: &RunContext, out: &mut Outcome) {
    let place = desk.settings.strategies.iter().position(|strategy| strategy.name == trade.strategy);
    if let Some(place) = place {
        desk.records[place].count(trade.profit);
    }
    let own = place.and_then(|place| desk.settings.strategies[place].timeframe);
    let Some(lane) = prices.lane(trade.symbol) else { return };
    let timeframe = own.or(lane.timeframe).unwrap_or(Timeframe::D1);
    locks::after_trade(desk, trade, locks::Bars { hours: lane.hours, timeframe }, context, out);
}

fn opened(desk: &Desk, order: &Order, fill: &TradeFill, prices: Prices<'_>) -> Result<EventKind, CycleError> {
    let levels = desk.book.position(fill.symbol).and_then(|held| held.protection);
    let stop = levels.map(|levels| levels.stop);
    let held = desk.book.position(fill.symbol).map_or(Quantity::ZERO, |held| held.quantity);
    let risk = risk::open_risk(held, fill.price, stop)?;
    Ok(EventKind::PositionOpened {
        fill: fill.clone(),
        strategy: order.strategy,
        because: order.because.clone(),
        stop,
        target: levels.and_then(|levels| levels.target),
        trailing: levels.is_some_and(|levels| levels.trail.is_some()),
        risk,
        exposure: exposure(&desk.book, |symbol| prices.mark(symbol))?.share_of(desk.equity),
        exposure_limit: desk.settings.terms_of(fill.symbol).0.exposure_pct,
        cash: desk.book.cash,
        equity: desk.equity,
    })
}

/// Gives a position its protective order, or makes the one it has cover what is held now.
fn protect(
    desk: &mut Desk,
    order: &Order,
    fill: &TradeFill,
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let Some(held) = desk.book.position(fill.symbol).cloned() else { return Ok(()) };
    if let Some(levels) = held.protection.filter(|levels| find(desk, levels.order).is_some()) {
        return cover(desk, &held, levels.order, levels.stop, context, out);
    }
    let Some((stop, target, trail)) = levels_for(&held, order, fill)? else { return Ok(()) };
    guard(desk, &held, (stop, target, trail), (order.signal, fill.price), counters, context, out)
}

/// Gives a position an order that ends it at its levels.
pub(super) fn guard(
    desk: &mut Desk,
    held: &Position,
    (stop, target, trail): Levels,
    (signal, reference): (Option<SignalId>, Price),
    counters: &mut Counters,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let proposal = Proposal {
        book: desk.name(),
        strategy: held.strategy,
        signal,
        symbol: held.symbol,
        side: held.side().opposite(),
        quantity: held.quantity.abs(),
        kind: OrderKind::Bracket { stop, target },
        purpose: Purpose::Protect,
        reference,
        risk: Money::ZERO,
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: "protects the position".to_owned(),
        audit: None,
    };
    let mut situation = Situation::of_capital(desk.equity);
    situation.state = desk.state;
    situation.look.held = held.quantity;
    let limits = desk.settings.terms_of(held.symbol).0;
    let decision = risk::review(proposal, counters.order.next(), context.now, &situation, limits)?;
    if let RiskDecision::Approved { request, .. } = decision {
        counters.order = counters.order.next();
        place(desk, request, context, out);
        let levels = Protection { stop, target, trail, order: counters.order };
        if let Some(position) = desk.book.position_mut(held.symbol) {
            position.protection = Some(levels);
        }
    }
    Ok(())
}

/// Stop, target and trailing distance.
pub(super) type Levels = (Price, Option<Price>, Option<Price>);

/// The levels of a position: those it had, where its order ended before all was sold, else the plan's.
fn levels_for(held: &Position, order: &Order, fill: &TradeFill) -> Result<Option<Levels>, CycleError> {
    if let Some(levels) = held.protection {
        return Ok(Some((levels.stop, levels.target, levels.trail)));
    }
    Ok(order.plan.map(|plan| levels_of(plan, held.side(), fill.price)).transpose()?)
}

/// The levels that a plan gives a position that was entered at `price`.
pub(super) fn levels_of(plan: ExitPlan, side: Side, price: Price) -> Result<Levels, AmountError> {
    let profitward = plan.target_distance.map(|distance| if side == Side::Buy { distance } else { distance.negated() });
    let target = profitward.map(|distance| Ok(price.plus(distance)?.max(Price::STEP))).transpose()?;
    Ok((plan.stop_from(price, side)?, target, plan.trailing.then_some(plan.stop_distance)))
}

/// Notes an approved order as working and hands the permission on.
pub(super) fn place(desk: &mut Desk, request: risk::ExecutionRequest, context: &RunContext, out: &mut Outcome) {
    if let risk::Instruction::Place(order) = request.instruction() {
        let mut order = order.clone();
        order.status = OrderStatus::Working;
        order.updated = context.now;
        out.orders.push(order.clone());
        desk.orders.push(order);
    }
    out.requests.push(request);
    desk.revalue = true;
}

/// Makes the protective order cover what is held, with its stop at `stop` or better.
pub(super) fn cover(
    desk: &mut Desk,
    held: &Position,
    order: OrderId,
    stop: Price,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let Some(index) = find(desk, order) else { return Ok(()) };
    let guard = &mut desk.orders[index];
    let quantity = guard.filled.plus(held.quantity.abs())?;
    let Some(request) = risk::amend(guard, quantity, stop) else { return Ok(()) };
    if let risk::Instruction::Amend { kind, .. } = request.instruction() {
        guard.kind = *kind;
        guard.quantity = quantity;
        guard.updated = context.now;
        out.orders.push(guard.clone());
        out.requests.push(request);
        desk.revalue = true;
    }
    Ok(())
}

/// Lets the trailing stop of the position at `place` follow the best price of a bar, after that bar was checked against the old stop.
pub(super) fn trail(
    desk: &mut Desk,
    place: usize,
    bar: &Bar,
    context: &RunContext,
    out: &mut Outcome,
) -> Result<(), CycleError> {
    let held = &desk.book.positions[place];
    let Some(levels) = held.protection else { return Ok(()) };
    let Some(distance) = levels.trail.filter(|_| !context.dry_run) else { return Ok(()) };
    let (stop, better) = match held.side() {
        Side::Buy => bar.high.minus(distance).map(|stop| (stop, stop > levels.stop))?,
        Side::Sell => bar.low.plus(distance).map(|stop| (stop, stop < levels.stop))?,
    };
    if !better {
        return Ok(());
    }
    let (held, entry) = (held.clone(), held.average_price());
    cover(desk, &held, levels.order, stop, context, out)?;
    desk.book.positions[place].protection = Some(Protection { stop, ..levels });
    // Told in steps of half the first distance: a stop that follows every bar would be noise.
    let half = (distance.units() / 2).max(1);
    let sign = held.side().sign();
    let steps = |level: Price| ((level.units() - entry.units()) * sign).div_euclid(half);
    if steps(stop) > steps(levels.stop) {
        let (symbol, quantity, from) = (held.symbol, held.quantity, levels.stop);
        let kind = EventKind::StopMoved { symbol, from, to: stop, quantity, average: entry };
        out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
    }
    Ok(())
}

/// Says once of each position that has no working stop.
pub(super) fn alarm_unprotected(desk: &mut Desk, context: &RunContext, out: &mut Outcome) {
    if desk.book.positions.is_empty() || !desk.settings.limits.stops {
        desk.alarmed.clear();
        return;
    }
    let bare: Vec<(Symbol, Quantity)> = desk
        .book
        .positions
        .iter()
        .filter(|held| held.protection.is_none_or(|levels| find(desk, levels.order).is_none()))
        .map(|held| (held.symbol, held.quantity))
        .collect();
    for (symbol, quantity) in &bare {
        if !desk.alarmed.contains(symbol) {
            let kind = EventKind::PositionUnprotected { symbol: *symbol, quantity: *quantity };
            out.tell(context.cycle, Event { at: context.now, book: Some(desk.name()), kind });
        }
    }
    desk.alarmed = bare.into_iter().map(|(symbol, _)| symbol).collect();
}

/// The loss of the day and from the peak, as shares.
pub(super) fn losses(desk: &Desk) -> (crate::domain::Ratio, crate::domain::Ratio) {
    losses_at(desk, desk.equity)
}

/// The same if the book were worth this.
pub(super) fn losses_at(desk: &Desk, value: Money) -> (crate::domain::Ratio, crate::domain::Ratio) {
    (loss_share(desk.day.start, value), crate::portfolio::drawdown(desk.peak.max(value), value))
}
