//! Who lets an order out? `review`, the sole maker of `ExecutionRequest`, together with three small doors: `amend`
//! moves a stop only in the position's favour, `withdraw` takes back, and `take_up_again` gives back what the ledger has as approved.

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, CheckResult, Order, OrderId, OrderKind, OrderStatus, Price, Proposal, Purpose, Quantity,
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
    let mut checks = Vec::with_capacity(CHECKS.len());
    for check in CHECKS {
        if let Some(result) = check.run(&proposal, situation, limits) {
            checks.push(result?);
        }
    }
    if checks.iter().all(|check| check.passed) {
        let instruction = Instruction::Place(into_order(proposal, id, now));
        return Ok(RiskDecision::Approved { request: ExecutionRequest { instruction }, checks });
    }
    checks.retain(|check| !check.passed);
    Ok(RiskDecision::Refused { proposal, refusals: checks })
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
        created: now,
        updated: now,
    }
}

/// Changes a protective order so that it covers `quantity` and its stop lies at `stop`. A stop never moves against the position:
/// where `stop` would, the old one stays. None if nothing changes, or if the order does not protect a long position.
pub fn amend(order: &Order, quantity: Quantity, stop: Price) -> Option<ExecutionRequest> {
    let OrderKind::Bracket { stop: current, target } = order.kind else { return None };
    let stop = stop.max(current);
    if order.purpose != Purpose::Protect || (stop == current && quantity == order.quantity) {
        return None;
    }
    let kind = OrderKind::Bracket { stop, target };
    Some(ExecutionRequest { instruction: Instruction::Amend { order: order.id, quantity, kind } })
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
    use crate::domain::{ExitPlan, Money, Ratio, Side, TimeInForce, TradingState};
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

    #[test]
    fn a_stop_never_moves_against_the_position() {
        let mut guard = into_order(proposal(10), OrderId(7), Timestamp::from_ms(0));
        guard.purpose = Purpose::Protect;
        guard.kind = OrderKind::Bracket { stop: Price::whole(95), target: None };
        let stop_after = |stop| match amend(&guard, Quantity::whole(4), Price::whole(stop))
            .map(ExecutionRequest::into_instruction)
        {
            Some(Instruction::Amend { kind: OrderKind::Bracket { stop, .. }, .. }) => Some(stop),
            _ => None,
        };
        assert_eq!(stop_after(97), Some(Price::whole(97)));
        assert_eq!(stop_after(90), Some(Price::whole(95)));
        assert!(amend(&guard, Quantity::whole(10), Price::whole(90)).is_none());
    }
}
