//! Who lets an order out? `review`, the sole maker of `ExecutionRequest`, and `replace`, which puts the rest of an order before it
//! anew. Four small doors stand beside them: `amend` moves a stop only in the position's favour, `move_levels` where a person wants it,
//! `withdraw` takes back, and `take_up_again` gives back what the ledger has as approved.

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, CheckResult, Money, Order, OrderId, OrderKind, OrderStatus, Price, Proposal, Purpose, Quantity, Side,
};

use super::checks::CHECKS;
use super::{Limits, Situation};

/// Permission to tell the broker one thing, once. Not `Clone`, and nothing outside this file can make one.
#[derive(Debug)]
#[must_use = "an approval that is dropped is an order that was never sent"]
pub struct ExecutionRequest {
    instruction: Instruction,
}

/// What a broker is told.
#[derive(Debug)]
pub enum Instruction {
    /// Take this order.
    Place(Order),
    /// Change an order that protects a position.
    Amend {
        /// Which.
        order: OrderId,
        /// How much it covers now.
        quantity: Quantity,
        /// Its levels now.
        kind: OrderKind,
    },
    /// Change an order that enters or leaves a position. It keeps its number, its place and its fills.
    Replace {
        /// Which.
        order: OrderId,
        /// How much it is for now, in all.
        quantity: Quantity,
        /// Its levels now.
        kind: OrderKind,
        /// The price that it is counted by now.
        reference: Price,
        /// When this was approved: with latency it is on its way from then.
        at: Timestamp,
    },
    /// Take an order back.
    Cancel {
        /// Which.
        order: OrderId,
    },
}

impl ExecutionRequest {
    /// Spends the permission.
    pub fn into_instruction(self) -> Instruction {
        self.instruction
    }

    /// What it permits, without spending it.
    pub fn instruction(&self) -> &Instruction {
        &self.instruction
    }
}

/// Risk's answer. Both answers carry every check that was made.
#[derive(Debug)]
pub enum RiskDecision {
    /// It may go out.
    Approved {
        /// The permission.
        request: ExecutionRequest,
        /// Every check with its value and limit.
        checks: Vec<CheckResult>,
    },
    /// It may not.
    Refused {
        /// What was proposed.
        proposal: Proposal,
        /// Every check that said no.
        refusals: Vec<CheckResult>,
    },
}

/// Runs every check, so that a refusal names all of its reasons. `situation` must already count what this cycle approved before.
///
/// # Errors
/// When an amount does not fit; nothing is approved then.
pub fn review(
    proposal: Proposal,
    id: OrderId,
    now: Timestamp,
    situation: &Situation,
    limits: &Limits,
) -> Result<RiskDecision, AmountError> {
    let checks = run_checks(&proposal, situation, limits)?;
    Ok(decide(proposal, checks, |proposal| Instruction::Place(into_order(proposal, id, now))))
}

/// Runs every check on what is to stand in the place of an order's unfilled rest: `proposal.quantity` is that rest, and its kind the
/// new levels. Of the proposal nothing else is taken over but its reference. `situation` must not count the rest that is given up. An order that
/// protects a position is not replaced but amended.
///
/// # Errors
/// When an amount does not fit; nothing is approved then.
pub fn replace(
    order: &Order,
    proposal: Proposal,
    now: Timestamp,
    situation: &Situation,
    limits: &Limits,
) -> Result<RiskDecision, AmountError> {
    let mut checks = vec![replaceable(order, &proposal)];
    checks.extend(run_checks(&proposal, situation, limits)?);
    let quantity = order.filled.plus(proposal.quantity)?;
    let order = order.id;
    Ok(decide(proposal, checks, |Proposal { kind, reference, .. }| Instruction::Replace {
        order,
        quantity,
        kind,
        reference,
        at: now,
    }))
}

fn run_checks(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Vec<CheckResult>, AmountError> {
    CHECKS.iter().filter_map(|check| check.run(proposal, situation, limits)).collect()
}

fn decide(
    proposal: Proposal,
    mut checks: Vec<CheckResult>,
    permit: impl FnOnce(Proposal) -> Instruction,
) -> RiskDecision {
    if checks.iter().all(|check| check.passed) {
        return RiskDecision::Approved { request: ExecutionRequest { instruction: permit(proposal) }, checks };
    }
    checks.retain(|check| !check.passed);
    RiskDecision::Refused { proposal, refusals: checks }
}

fn replaceable(order: &Order, proposal: &Proposal) -> CheckResult {
    let same = (order.book, order.symbol, order.side, order.purpose)
        == (proposal.book, proposal.symbol, proposal.side, proposal.purpose);
    let Order { status, side, symbol, book, .. } = order;
    CheckResult {
        check: "replacement".into(),
        passed: same && status.is_open() && order.purpose != Purpose::Protect,
        value: format!("{} is {}: {side} {symbol} in {book}", order.id, status.as_str()).into(),
        limit: format!("an open entry or exit: {} {} in {}", proposal.side, proposal.symbol, proposal.book).into(),
    }
}

fn into_order(proposal: Proposal, id: OrderId, now: Timestamp) -> Order {
    Order {
        id,
        book: proposal.book,
        strategy: proposal.strategy,
        signal: proposal.signal,
        symbol: proposal.symbol,
        side: proposal.side,
        kind: proposal.kind,
        purpose: proposal.purpose,
        quantity: proposal.quantity,
        filled: Quantity::ZERO,
        status: OrderStatus::Approved,
        triggered: false,
        reference: proposal.reference,
        plan: proposal.plan,
        tif: proposal.tif,
        expires: proposal.expires,
        because: proposal.because,
        audit: proposal.audit,
        created: now,
        updated: now,
    }
}

/// Changes a protective order so that it covers `quantity` and its stop lies at `stop`. A stop never moves against the position:
/// where `stop` would, the old one stays. A sale protects a long, so its stop only rises; a purchase protects a short, so its stop
/// only falls. None if nothing changes, or if the order has no stop or protects nothing.
pub fn amend(order: &Order, quantity: Quantity, stop: Price) -> Option<ExecutionRequest> {
    let current = match order.kind {
        OrderKind::Bracket { stop, .. } => stop,
        OrderKind::Stop { trigger } | OrderKind::Trailing { trigger, .. } => trigger,
        OrderKind::Market | OrderKind::Limit { .. } | OrderKind::StopLimit { .. } => return None,
    };
    let stop = match order.side {
        Side::Sell => stop.max(current),
        Side::Buy => stop.min(current),
    };
    if order.purpose != Purpose::Protect || (stop == current && quantity == order.quantity) {
        return None;
    }
    let mut kind = order.kind;
    if let OrderKind::Bracket { stop: level, .. }
    | OrderKind::Stop { trigger: level }
    | OrderKind::Trailing { trigger: level, .. } = &mut kind
    {
        *level = stop;
    }
    Some(ExecutionRequest { instruction: Instruction::Amend { order: order.id, quantity, kind } })
}

/// Puts the levels of an order that protects a position where a person wants them, farther from the price than before, too: then what is
/// lost `more` at the stop must fit the open risk of the book. The check that said no, if one did.
///
/// # Errors
/// When an amount does not fit; nothing is approved then.
pub fn move_levels(
    order: &Order,
    kind: OrderKind,
    more: Money,
    situation: &Situation,
    limits: &Limits,
) -> Result<Result<ExecutionRequest, CheckResult>, AmountError> {
    let risk = more.max(Money::ZERO);
    let checked = super::checks::open_risk_with(risk, situation, limits)?;
    if order.purpose != Purpose::Protect || (!risk.is_zero() && limits.enforced && !checked.passed) {
        return Ok(Err(checked));
    }
    let instruction = Instruction::Amend { order: order.id, quantity: order.quantity, kind };
    Ok(Ok(ExecutionRequest { instruction }))
}

/// Takes an order back, which never needs permission.
pub fn withdraw(order: OrderId) -> ExecutionRequest {
    ExecutionRequest { instruction: Instruction::Cancel { order } }
}

/// Gives back the permission of an order that the ledger records as approved and still open; for recovery alone.
pub fn take_up_again(order: Order) -> Option<ExecutionRequest> {
    order.status.is_open().then_some(ExecutionRequest { instruction: Instruction::Place(order) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExitPlan, Ratio, Side, TimeInForce, TradingState};
    use crate::risk::Stake;

    fn proposal(quantity: i64) -> Proposal {
        Proposal {
            book: "main".parse().expect("name"),
            strategy: "sma_cross".parse().expect("name"),
            signal: None,
            symbol: "AAPL".parse().expect("symbol"),
            side: Side::Buy,
            quantity: Quantity::whole(quantity),
            kind: OrderKind::Market,
            purpose: Purpose::Entry,
            reference: Price::whole(100),
            risk: Money::whole(quantity * 5),
            plan: Some(ExitPlan { stop_distance: Price::whole(5), target_distance: None, trailing: true }),
            tif: TimeInForce::Gtc,
            expires: None,
            because: String::new(),
            audit: None,
        }
    }

    fn stake(symbol: &str, value: i64) -> Stake {
        Stake { symbol: symbol.parse().expect("symbol"), sector: Some(1), value: Money::whole(value) }
    }

    fn refused_by(change: fn(&mut Situation)) -> Vec<String> {
        let mut situation = Situation::of_capital(Money::whole(10_000));
        situation.look.sector = Some(1);
        situation.look.sector_name = "Tech".to_owned();
        change(&mut situation);
        match review(proposal(10), OrderId(1), Timestamp::from_ms(0), &situation, &Limits::default()) {
            Ok(RiskDecision::Refused { refusals, .. }) => {
                refusals.into_iter().map(|r| format!("{}: {}, {}", r.check, r.value, r.limit)).collect()
            }
            Ok(RiskDecision::Approved { .. }) => Vec::new(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// Each row breaks one limit and must be refused by that check alone, with both numbers.
    #[test]
    fn each_check_refuses_with_its_value_and_limit() {
        type Change = fn(&mut Situation);
        let rows: &[(Change, &str)] = &[
            (|_| {}, ""),
            (|s| s.state = TradingState::Reducing, "trading state: reducing, running"),
            (|s| s.look.locked = true, "symbol lock: locked: the price is in doubt, none"),
            (|s| s.look.bars_missing = 3, "data age: 3 bars missing, fewer than 3"),
            (|s| s.look.last_move = Ratio::from_percent(16), "price sanity: 16.0 %, at most 15.0 %"),
            (|s| s.look.lot = Quantity::whole(11), "size: 10 AAPL, at least 11"),
            (|s| s.look.entry_lock = Some("after a stop".to_owned()), "entry lock: after a stop, none"),
            (|s| s.stakes.push(stake("AAPL", 1_001)), "position size: 20.0 %, at most 20.0 %"),
            (|s| s.gross = Money::whole(7_001), "gross exposure: 80.0 %, at most 80.0 %"),
            (|s| s.net = Money::whole(7_001), "net exposure: 80.0 %, at most 80.0 %"),
            (|s| s.stakes.push(stake("MSFT", -3_001)), "sector exposure: 40.0 % in Tech, at most 40.0 %"),
            (
                |s| s.look.correlation = "MSFT".parse().ok().zip("0.71".parse().ok()),
                "correlation: 0.71 with MSFT, at most 0.70 over 120 bars",
            ),
            (
                |s| s.look.average_volume = Quantity::whole(99),
                "liquidity: 10.1 % of the average volume 99, at most 10.0 %",
            ),
            (|s| s.positions = 10, "open positions: 11 with this one, at most 10"),
            (|s| s.trades_today = 100, "trades per day: 101 with this one, at most 100"),
            (|s| s.open_risk = Money::whole(551), "open risk: 6.0 %, at most 6.0 %"),
            (|s| s.day_loss = Ratio::from_percent(3), "daily loss: 3.0 %, below 3.0 %"),
            (|s| s.drawdown = Ratio::from_percent(20), "drawdown: 20.0 %, below 20.0 %"),
        ];
        for (change, want) in rows {
            let want: Vec<&str> = if want.is_empty() { vec![] } else { vec![want] };
            assert_eq!(refused_by(*change), want);
        }
    }

    #[test]
    fn two_orders_that_each_fit_do_not_pass_together() {
        let mut situation = Situation::of_capital(Money::whole(10_000));
        situation.gross = Money::whole(6_500);
        let limits = Limits::default();
        let first = review(proposal(10), OrderId(1), Timestamp::from_ms(0), &situation, &limits).expect("fits");
        assert!(matches!(first, RiskDecision::Approved { .. }));
        situation.count(&proposal(10)).expect("fits");
        let second = review(proposal(10), OrderId(2), Timestamp::from_ms(0), &situation, &limits).expect("fits");
        assert!(matches!(second, RiskDecision::Refused { .. }));
    }

    fn guard(side: Side, kind: OrderKind) -> Order {
        let protects = Proposal { side, kind, purpose: Purpose::Protect, ..proposal(10) };
        into_order(protects, OrderId(7), Timestamp::from_ms(0))
    }

    #[test]
    fn a_stop_never_moves_against_the_position() {
        let (stop, distance) = (Price::whole(95), Price::whole(5));
        let kinds = [
            OrderKind::Bracket { stop, target: None },
            OrderKind::Stop { trigger: stop },
            OrderKind::Trailing { trigger: stop, distance },
        ];
        for kind in kinds {
            let stop_after = |side, wanted| {
                let request = amend(&guard(side, kind), Quantity::whole(4), Price::whole(wanted))?;
                let Instruction::Amend { quantity, kind, .. } = request.into_instruction() else { return None };
                assert_eq!(quantity, Quantity::whole(4));
                match kind {
                    OrderKind::Bracket { stop, .. } => Some(stop),
                    OrderKind::Stop { trigger } | OrderKind::Trailing { trigger, .. } => Some(trigger),
                    OrderKind::Market | OrderKind::Limit { .. } | OrderKind::StopLimit { .. } => None,
                }
            };
            assert_eq!((stop_after(Side::Sell, 97), stop_after(Side::Sell, 90)), (Some(Price::whole(97)), Some(stop)));
            assert_eq!((stop_after(Side::Buy, 97), stop_after(Side::Buy, 90)), (Some(stop), Some(Price::whole(90))));
            assert!(amend(&guard(Side::Sell, kind), Quantity::whole(10), Price::whole(90)).is_none());
            assert!(amend(&guard(Side::Buy, kind), Quantity::whole(10), Price::whole(97)).is_none());
        }
    }

    #[test]
    fn a_replacement_passes_the_same_checks_and_keeps_what_is_filled() {
        let (situation, limits) = (Situation::of_capital(Money::whole(10_000)), Limits::default());
        let mut order = into_order(proposal(10), OrderId(7), Timestamp::from_ms(0));
        order.filled = Quantity::whole(4);
        let limit = OrderKind::Limit { price: Price::whole(99) };
        let ask = |order: &Order, rest| {
            replace(order, Proposal { kind: limit, ..proposal(rest) }, Timestamp::from_ms(5), &situation, &limits)
                .expect("fits")
        };
        let RiskDecision::Approved { request, .. } = ask(&order, 8) else { panic!("it is refused") };
        let Instruction::Replace { order: id, quantity, kind, reference, at } = request.into_instruction() else {
            panic!("it is no replacement")
        };
        assert_eq!((id, quantity, kind, at.ms()), (OrderId(7), Quantity::whole(12), limit, 5));
        assert_eq!(reference, Price::whole(100));
        let refused = |order: &Order, rest| match ask(order, rest) {
            RiskDecision::Refused { refusals, .. } => refusals.into_iter().map(|refusal| refusal.check).collect(),
            RiskDecision::Approved { .. } => Vec::new(),
        };
        assert_eq!(refused(&order, 30), ["position size"]);
        order.status = OrderStatus::Filled;
        assert_eq!(refused(&order, 8), ["replacement"]);
        let guard = guard(Side::Buy, OrderKind::Stop { trigger: Price::whole(95) });
        assert_eq!(refused(&guard, 8), ["replacement"]);
    }
}
