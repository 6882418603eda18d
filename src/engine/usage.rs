//! How much of each limit is used? Measured on the same figures that the checks look at, working entries included.

use crate::domain::{LimitFigures, LimitUnit, Money, Ratio, Symbol};
use crate::risk::{Limits, Situation};

use super::desk::Desk;
use super::state::Prices;

/// The limits of one book as they are measured.
struct Used<'a> {
    limits: &'a Limits,
    rows: Vec<LimitFigures>,
}

impl Used<'_> {
    fn add(&mut self, key: &str, name: &str, unit: LimitUnit, value: Option<Ratio>, whole: Option<Money>) {
        let limit = self.limits.get(key).unwrap_or(Ratio::ZERO);
        let (key, name) = (key.to_owned(), name.to_owned());
        self.rows.push(LimitFigures { key, name, of: String::new(), value, limit, unit, whole });
    }

    fn share(&mut self, key: &str, name: &str, value: Option<Ratio>, whole: Money) {
        self.add(key, name, LimitUnit::Share, value, Some(whole));
    }

    fn amount(&mut self, key: &str, name: &str, amount: Money, equity: Money) {
        self.share(key, name, share(amount, equity), equity);
    }

    fn count(&mut self, key: &str, name: &str, value: u64) {
        let value = Ratio::whole(i64::try_from(value).unwrap_or(i64::MAX));
        self.add(key, name, LimitUnit::Count, Some(value), None);
    }

    /// Says where the last limit is used most, and what holds there.
    fn of(&mut self, of: String, limit: Option<Ratio>) {
        if let Some(row) = self.rows.last_mut() {
            row.of = of;
            row.limit = limit.unwrap_or(row.limit);
        }
    }
}

/// Every limit that can be measured, in the order of the checks. `closest` is the pair held that would lose together most.
pub(super) fn used(
    desk: &Desk,
    prices: Prices<'_>,
    situation: &Situation,
    closest: Option<(Symbol, Symbol, Ratio)>,
) -> Vec<LimitFigures> {
    let mut used = Used { limits: &desk.settings.limits, rows: Vec::new() };
    let equity = situation.equity;
    let (largest, limit) = largest_position(desk, situation);
    used.amount("position_pct", "position size", largest.map_or(Money::ZERO, |one| one.1), equity);
    used.of(largest.map_or_else(String::new, |one| one.0.to_string()), limit);
    used.amount("exposure_pct", "gross exposure", situation.gross, equity);
    used.amount("net_pct", "net exposure", situation.net.abs(), equity);
    used.add("leverage_max", "leverage", LimitUnit::Times, share(situation.gross, equity), None);
    let (sector, value) = largest_sector(prices, situation);
    used.amount("sector_pct", "sector exposure", value, equity);
    used.of(sector, None);
    used.add("correlation_max", "correlation", LimitUnit::Correlation, closest.map(|pair| pair.2), None);
    used.of(closest.map_or_else(String::new, |(one, other, _)| format!("{one} and {other}")), None);
    used.count("positions_max", "open positions", situation.positions);
    used.count("trades_per_day", "trades per day", situation.trades_today);
    used.amount("open_risk_pct", "open risk", situation.open_risk, equity);
    used.share("daily_loss_pct", "daily loss", Some(situation.day_loss), desk.day.start);
    for (key, name) in [
        ("drawdown_warn_pct", "drawdown, warning"),
        ("drawdown_reduce_pct", "drawdown, entries stop"),
        ("drawdown_pct", "drawdown, halt"),
    ] {
        used.share(key, name, Some(situation.drawdown), desk.peak);
    }
    used.rows
}

/// An amount as a share of equity; none where there is no equity.
fn share(amount: Money, equity: Money) -> Option<Ratio> {
    (equity > Money::ZERO).then(|| amount.share_of(equity))
}

/// The stake that uses most of its own limit, with that limit.
fn largest_position(desk: &Desk, situation: &Situation) -> (Option<(Symbol, Money)>, Option<Ratio>) {
    let limit = |symbol| desk.settings.terms_of(symbol).0.position_pct;
    let stakes = situation.stakes.iter().map(|stake| (stake.symbol, situation.stake_in(stake.symbol).abs()));
    let largest = stakes.max_by_key(|(symbol, value)| value.share_of(situation.equity).share_of(limit(*symbol)));
    (largest, largest.map(|(symbol, _)| limit(symbol)))
}

/// The sector with most in it, by name.
fn largest_sector(prices: Prices<'_>, situation: &Situation) -> (String, Money) {
    let sectors = situation.stakes.iter().filter(|stake| stake.sector.is_some());
    let largest = sectors.max_by_key(|stake| situation.stake_in_sector(stake.sector));
    let name = |symbol| prices.lane(symbol).map_or_else(String::new, |lane| lane.instrument.sector.clone());
    largest.map_or((String::new(), Money::ZERO), |stake| (name(stake.symbol), situation.stake_in_sector(stake.sector)))
}
