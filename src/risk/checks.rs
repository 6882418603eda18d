//! What must hold before an order goes out? A table of checks; each measures, compares and says both numbers.
#![expect(clippy::unnecessary_wraps, reason = "every check in the table has the same form")]

use std::borrow::Cow;

use crate::domain::{AmountError, CheckResult, Money, Proposal, Purpose, Ratio, TradingState};

use super::situation::signed_value;
use super::{Limits, Situation};

type Measured = Result<CheckResult, AmountError>;

/// One check: its name, what it applies to, and how it measures.
pub(super) struct Check {
    name: &'static str,
    applies: fn(Purpose) -> bool,
    /// True if it stays where the limits are lifted: what is traded must exist, be paid and be believed.
    stays: bool,
    measure: fn(&Proposal, &Situation, &Limits) -> Result<Measure, AmountError>,
}

/// What a check found.
struct Measure {
    passed: bool,
    value: Cow<'static, str>,
    limit: Cow<'static, str>,
}

impl Measure {
    fn new(passed: bool, value: impl Into<Cow<'static, str>>, limit: impl Into<Cow<'static, str>>) -> Self {
        Self { passed, value: value.into(), limit: limit.into() }
    }
}

/// Every check, in the order that `/why` prints them.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "trading state", applies: always, stays: true, measure: trading_state },
    Check { name: "symbol lock", applies: always, stays: false, measure: symbol_lock },
    Check { name: "entry lock", applies: entries, stays: false, measure: entry_lock },
    Check { name: "data age", applies: entries, stays: false, measure: data_age },
    Check { name: "price sanity", applies: entries, stays: true, measure: price_sanity },
    Check { name: "size", applies: always, stays: true, measure: whole_lots },
    Check { name: "stop", applies: entries, stays: false, measure: has_stop },
    Check { name: "held", applies: exits, stays: true, measure: held },
    Check { name: "buying power", applies: entries, stays: true, measure: buying_power },
    Check { name: "position size", applies: entries, stays: false, measure: position_size },
    Check { name: "gross exposure", applies: entries, stays: false, measure: gross_exposure },
    Check { name: "net exposure", applies: entries, stays: false, measure: net_exposure },
    Check { name: "sector exposure", applies: entries, stays: false, measure: sector_exposure },
    Check { name: "correlation", applies: entries, stays: false, measure: correlation },
    Check { name: "liquidity", applies: entries, stays: false, measure: liquidity },
    Check { name: "open positions", applies: entries, stays: false, measure: open_positions },
    Check { name: "trades per day", applies: entries, stays: false, measure: trades_per_day },
    Check { name: "open risk", applies: entries, stays: false, measure: open_risk },
    Check { name: "daily loss", applies: entries, stays: false, measure: daily_loss },
    Check { name: "drawdown", applies: entries, stays: false, measure: drawdown },
];
const _: () = assert!(!CHECKS.is_empty());

/// The names of all checks, in the order that `/why` prints them.
pub fn check_names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}

impl Check {
    /// Measures, if the check applies to this purpose.
    pub(super) fn run(&self, proposal: &Proposal, situation: &Situation, limits: &Limits) -> Option<Measured> {
        (self.applies)(proposal.purpose).then_some(()).filter(|()| self.stays || limits.enforced).map(|()| {
            let measure = (self.measure)(proposal, situation, limits)?;
            let Measure { passed, value, limit } = measure;
            Ok(CheckResult { check: self.name.into(), passed, value, limit })
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
    Measure::new(value <= limit, percent(value), format!("at most {}", percent(limit)))
}

fn below(value: Ratio, limit: Ratio) -> Measure {
    Measure::new(value < limit, percent(value), format!("below {}", percent(limit)))
}

fn trading_state(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let (passed, limit) = match proposal.purpose {
        Purpose::Entry => (situation.state == TradingState::Running, "running"),
        Purpose::Exit => (situation.state != TradingState::Halted, "running or reducing"),
        Purpose::Protect | Purpose::Close | Purpose::Liquidate => (true, "any"),
    };
    Ok(Measure::new(passed, situation.state.as_str(), limit))
}

fn symbol_lock(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let locked = situation.look.locked;
    let value = if locked { "locked: the price is in doubt" } else { "none" };
    Ok(Measure::new(!locked || proposal.purpose == Purpose::Protect, value, "none"))
}

fn entry_lock(_: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let lock = &situation.look.entry_lock;
    let value = lock.clone().map_or(Cow::Borrowed("none"), Cow::Owned);
    Ok(Measure::new(lock.is_none(), value, "none"))
}

fn data_age(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let allowed = Limits::count(limits.data_age_bars);
    Ok(Measure::new(
        situation.look.bars_missing < allowed,
        format!("{} bars missing", situation.look.bars_missing),
        format!("fewer than {allowed}"),
    ))
}

fn price_sanity(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    Ok(at_most(situation.look.last_move, limits.price_move_pct))
}

fn whole_lots(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let lot = situation.look.lot;
    Ok(Measure::new(
        proposal.quantity >= lot || (proposal.purpose != Purpose::Entry && !proposal.quantity.is_zero()),
        format!("{} {}", proposal.quantity, proposal.symbol),
        format!("at least {lot}"),
    ))
}

fn has_stop(proposal: &Proposal, _: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let value = proposal.plan.map_or(Cow::Borrowed("none"), |plan| format!("{} away", plan.stop_distance).into());
    Ok(Measure::new(proposal.plan.is_some() || !limits.stops, value, "a planned stop"))
}

/// An exit may not do more than end the position: it is for at most what is held, on the other side.
fn held(proposal: &Proposal, situation: &Situation, _: &Limits) -> Result<Measure, AmountError> {
    let held = situation.look.held;
    let leaves = held.units().signum() == -proposal.side.sign();
    Ok(Measure::new(
        leaves && proposal.quantity <= held.abs(),
        format!("{} {} {}", proposal.side, proposal.quantity, proposal.symbol),
        format!("at most the {held} held"),
    ))
}

fn buying_power(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let value = proposal.quantity.value_at(proposal.reference)?;
    let free = situation.buying_power(limits.leverage_max);
    Ok(Measure::new(value <= free, format!("{value:.2}"), format!("at most {:.2} free", free.max(Money::ZERO))))
}

/// What the book has in the symbol after the proposal, as a share of equity.
fn position_size(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.stake_in(proposal.symbol).plus(signed_value(proposal)?)?;
    Ok(at_most(after.abs().share_of(situation.equity), limits.position_pct))
}

fn gross_exposure(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.gross.plus(proposal.quantity.value_at(proposal.reference)?)?;
    Ok(at_most(after.share_of(situation.equity), limits.exposure_pct))
}

fn net_exposure(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.net.plus(signed_value(proposal)?)?;
    // What brings the book nearer to balance is never refused for the imbalance that it leaves.
    let mut measure = at_most(after.abs().share_of(situation.equity), limits.net_pct);
    measure.passed |= after.abs() < situation.net.abs();
    Ok(measure)
}

fn sector_exposure(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let look = &situation.look;
    if look.sector.is_none() {
        return Ok(Measure::new(true, "no sector known", format!("at most {}", percent(limits.sector_pct))));
    }
    let value = proposal.quantity.value_at(proposal.reference)?;
    let after = situation.stake_in_sector(look.sector).plus(value)?;
    let mut measure = at_most(after.share_of(situation.equity), limits.sector_pct);
    measure.value = format!("{} in {}", measure.value, look.sector_name).into();
    Ok(measure)
}

fn correlation(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let window = Limits::count(limits.correlation_bars);
    let limit = format!("at most {:.2} over {window} bars", limits.correlation_max);
    Ok(match situation.look.correlation {
        None => Measure::new(true, "nothing comparable held", limit),
        Some((symbol, share)) => {
            Measure::new(share <= limits.correlation_max, format!("{share:.2} with {symbol}"), limit)
        }
    })
}

fn liquidity(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let average = situation.look.average_volume;
    let mut measure = at_most(proposal.quantity.share_of(average), limits.liquidity_pct);
    measure.passed &= !average.is_zero();
    measure.value = format!("{} of the average volume {average:.0}", measure.value).into();
    Ok(measure)
}

fn open_positions(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let allowed = Limits::count(limits.positions_max);
    Ok(Measure::new(
        situation.positions < allowed,
        format!("{} with this one", situation.positions + 1),
        format!("at most {allowed}"),
    ))
}

fn trades_per_day(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let allowed = Limits::count(limits.trades_per_day);
    Ok(Measure::new(
        situation.trades_today < allowed,
        format!("{} with this one", situation.trades_today + 1),
        format!("at most {allowed}"),
    ))
}

fn open_risk(proposal: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    let after = situation.open_risk.plus(proposal.risk)?;
    Ok(at_most(after.share_of(situation.equity), limits.open_risk_pct))
}

/// The open risk if so much were lost more, as the check of entries measures it.
pub(super) fn open_risk_with(more: Money, situation: &Situation, limits: &Limits) -> Measured {
    let after = situation.open_risk.plus(more)?;
    let Measure { passed, value, limit } = at_most(after.share_of(situation.equity), limits.open_risk_pct);
    Ok(CheckResult { check: "open risk".into(), passed, value, limit })
}

fn daily_loss(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    Ok(below(situation.day_loss, limits.daily_loss_pct))
}

fn drawdown(_: &Proposal, situation: &Situation, limits: &Limits) -> Result<Measure, AmountError> {
    Ok(below(situation.drawdown, limits.drawdown_pct))
}
