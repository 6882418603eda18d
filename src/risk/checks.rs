//! What must hold before an order goes out? A table of checks; each measures, compares and says both numbers.
#![expect(clippy::unnecessary_wraps, reason = "every check in the table has the same form")]

use crate::domain::{AmountError, CheckResult, Money, Proposal, Purpose, Quantity, Ratio, TradingState};

use super::{Limits, Situation};

type Measured = Result<CheckResult, AmountError>;

/// One check: its name, what it applies to, and how it measures.
pub(super) struct Check {
    name: &'static str,
    applies: fn(Purpose) -> bool,
    measure: fn(&Proposal, &Situation, &Limits) -> Result<Measure, AmountError>,
}

/// What a check found.
struct Measure {
    passed: bool,
    value: String,
    limit: String,
}

/// Every check, in the order that `/why` prints them.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "trading state", applies: always, measure: trading_state },
    Check { name: "symbol lock", applies: always, measure: symbol_lock },
    Check { name: "data age", applies: entries, measure: data_age },
    Check { name: "price sanity", applies: entries, measure: price_sanity },
    Check { name: "size", applies: always, measure: whole_lots },
    Check { name: "stop", applies: entries, measure: has_stop },
    Check { name: "held", applies: exits, measure: held },
    Check { name: "cash", applies: entries, measure: cash },
    Check { name: "position size", applies: entries, measure: position_size },
    Check { name: "total exposure", applies: entries, measure: total_exposure },
    Check { name: "open positions", applies: entries, measure: open_positions },
    Check { name: "trades per day", applies: entries, measure: trades_per_day },
    Check { name: "open risk", applies: entries, measure: open_risk },
    Check { name: "daily loss", applies: entries, measure: daily_loss },
    Check { name: "drawdown", applies: entries, measure: drawdown },
];
const _: () = assert!(!CHECKS.is_empty());

impl Check {
    /// Measures, if the check applies to this purpose.
    pub(super) fn run(&self, proposal: &Proposal, situation: &Situation, limits: &Limits) -> Option<Measured> {
        (self.applies)(proposal.purpose).then(|| {
            let measure = (self.measure)(proposal, situation, limits)?;
            let Measure { passed, value, limit } = measure;
            Ok(CheckResult { check: self.name.to_owned(), passed, value, limit })
        })
    }
}

fn always(_: Purpose) -> bool {
    true
}

fn entries(purpose: Purpose) -> bool {
    purpose == Purpose::Entry
}

fn exits(purpose: Purpose) -> bool {
    purpose != Purpose::Entry
}

fn percent(share: Ratio) -> String {
    format!("{:.1} %", share.percent())
}

fn at_most(value: Ratio, limit: Ratio) -> Measure {
    Measure { passed: value <= limit, value: percent(value), limit: format!("at most {}", percent(limit)) }
}

fn below(value: Ratio, limit: Ratio) -> Measure {
    Measure { passed: value < limit, value: percent(value), limit: format!("below {}", percent(limit)) }
}

fn trading_state(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let (passed, limit) = match proposal.purpose {
        Purpose::Entry => (situation.state == TradingState::Running, "running"),
        Purpose::Exit => (situation.state != TradingState::Halted, "running or reducing"),
        Purpose::Protect => (true, "any"),
    };
    Ok(Measure { passed, value: situation.state.to_string(), limit: limit.to_owned() })
}

fn symbol_lock(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let passed = !situation.locked || proposal.purpose == Purpose::Protect;
    let value = if situation.locked { "locked: the price is in doubt" } else { "none" };
    Ok(Measure { passed, value: value.to_owned(), limit: "none".to_owned() })
}

fn data_age(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let allowed = Limits::count(limits.data_age_bars);
    Ok(Measure {
        passed: situation.bars_missing < allowed,
        value: format!("{} bars missing", situation.bars_missing),
        limit: format!("fewer than {allowed}"),
    })
}

fn price_sanity(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    Ok(at_most(situation.last_move, limits.price_move_pct))
}

fn whole_lots(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    Ok(Measure {
        passed: proposal.quantity >= situation.lot
            || (proposal.purpose != Purpose::Entry && !proposal.quantity.is_zero()),
        value: format!("{} {}", proposal.quantity, proposal.symbol),
        limit: format!("at least {}", situation.lot),
    })
}

fn has_stop(proposal: &Proposal, _: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let value = proposal.plan.map_or_else(|| "none".to_owned(), |plan| format!("{} away", plan.stop_distance));
    Ok(Measure { passed: proposal.plan.is_some(), value, limit: "a planned stop".to_owned() })
}

fn held(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    Ok(Measure {
        passed: proposal.quantity <= situation.held_quantity && situation.held_quantity > Quantity::ZERO,
        value: format!("{} {}", proposal.quantity, proposal.symbol),
        limit: format!("at most the {} held", situation.held_quantity),
    })
}

fn cash(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let value = proposal.quantity.value_at(proposal.reference)?;
    Ok(Measure {
        passed: value <= situation.free_cash,
        value: format!("{value:.2}"),
        limit: format!("at most {:.2} free", situation.free_cash.max(Money::ZERO)),
    })
}

fn position_size(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.held_value.plus(proposal.quantity.value_at(proposal.reference)?)?;
    Ok(at_most(after.share_of(situation.equity), limits.position_pct))
}

fn total_exposure(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.exposure.plus(proposal.quantity.value_at(proposal.reference)?)?;
    Ok(at_most(after.share_of(situation.equity), limits.exposure_pct))
}

fn open_positions(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let allowed = Limits::count(limits.positions_max);
    Ok(Measure {
        passed: situation.positions < allowed,
        value: format!("{} with this one", situation.positions + 1),
        limit: format!("at most {allowed}"),
    })
}

fn trades_per_day(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let allowed = Limits::count(limits.trades_per_day);
    Ok(Measure {
        passed: situation.trades_today < allowed,
        value: format!("{} with this one", situation.trades_today + 1),
        limit: format!("at most {allowed}"),
    })
}

fn open_risk(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.open_risk.plus(proposal.risk)?;
    Ok(at_most(after.share_of(situation.equity), limits.open_risk_pct))
}

fn daily_loss(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    Ok(below(situation.day_loss, limits.daily_loss_pct))
}

fn drawdown(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    Ok(below(situation.drawdown, limits.drawdown_pct))
}
