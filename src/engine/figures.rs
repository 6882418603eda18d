//! What is at risk in a book? Its positions by symbol, sector and class, a bad day, bad times, and what is left of its limits.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, AssetClass, CorrelationFigures, GroupFigures, Label, Money, Position, Price, Ratio, RiskFigures,
    Sides, StressFigures, SymbolFigures, TailFigures,
};
use crate::execution::{initial_margin, liquidation_price};
use crate::risk::open_risk;
use crate::stats::{Exposed, StressReport, scenarios, stress};
use crate::store::FiguresRow;

use super::benchmark::Benchmark;
use super::desk::Desk;
use super::history::SHARED_MIN;
use super::lane::Lane;
use super::state::Engine;
use super::survey::survey;
use super::tail::{Weighted, tail};
use super::usage::used;

/// Positions whose correlations are computed.
const COMPARED_MAX: usize = 20;
/// How often figures are computed at full pace, in milliseconds of the steady clock.
const EVERY_MS: u64 = 1_000;

/// When figures were last computed, and whether something moved since.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    fresh: bool,
    last: Duration,
    benchmarks: HashMap<Label, Benchmark>,
}

impl Schedule {
    /// The figures of all books for a commit at `market`, if they are due: something moved, and the commit is waited for or the last
    /// ones are a second old on the steady clock.
    pub(super) fn rows(
        &mut self,
        engine: &Engine,
        moved: bool,
        waited_for: bool,
        market: Timestamp,
        steady: Duration,
    ) -> Vec<FiguresRow> {
        self.fresh &= !moved;
        let old = steady.saturating_sub(self.last) >= Duration::from_millis(EVERY_MS);
        if self.fresh || !(waited_for || old) {
            return Vec::new();
        }
        (self.fresh, self.last) = (true, steady);
        let benchmarks = &mut self.benchmarks;
        let row = |desk: &Desk| row(engine, desk, benchmarks.entry(desk.name()).or_default(), market);
        engine.desks.iter().filter_map(row).collect()
    }
}

fn row(engine: &Engine, desk: &Desk, benchmark: &mut Benchmark, at: Timestamp) -> Option<FiguresRow> {
    let body = compute(engine, desk, benchmark).map(|figures| serde_json::to_string(&figures));
    match body {
        Ok(Ok(body)) => Some(FiguresRow { book: desk.name(), at, body }),
        Ok(Err(error)) => {
            tracing::warn!(book = %desk.name(), %error, "risk figures cannot be written");
            None
        }
        Err(error) => {
            tracing::warn!(book = %desk.name(), %error, "risk figures cannot be computed");
            None
        }
    }
}

/// A position with its prices.
struct Held<'a> {
    lane: &'a Lane,
    figures: SymbolFigures,
}

/// The risk figures of a book as it stands; an error where an amount does not fit.
fn compute(engine: &Engine, desk: &Desk, benchmark: &mut Benchmark) -> Result<RiskFigures, AmountError> {
    let (prices, equity) = (engine.prices(), desk.equity);
    benchmark.refresh(desk, prices);
    let lanes = desk.book.positions.iter().filter_map(|held| Some((held, prices.lane(held.symbol)?)));
    let mut held = lanes
        .map(|(held, lane)| Ok(Held { lane, figures: symbol_figures(desk, held, lane, benchmark)? }))
        .collect::<Result<Vec<Held<'_>>, AmountError>>()?;
    held.sort_by_key(|one| std::cmp::Reverse(one.figures.value.abs()));
    let correlation = correlation(&held);
    let limits = used(desk, prices, &survey(desk, prices)?, correlation.closest);
    let sides = held.iter().fold(Sides::default(), |sides, one| sides.with(one.figures.value));
    let open_risk = held.iter().try_fold(Money::ZERO, |sum, one| sum.plus(one.figures.risk))?;
    let weight = |one: &Held<'_>| one.figures.value.to_f64() / equity.to_f64();
    let (tail, benchmark) = if equity > Money::ZERO {
        let weighted: Vec<_> = held.iter().map(|one| Weighted { lane: one.lane, weight: weight(one) }).collect();
        let betas: Vec<_> = held.iter().map(|one| (one.figures.beta, weight(one))).collect();
        (tail(&weighted), benchmark.figures(&betas))
    } else {
        (TailFigures { basis: "the book has no equity".to_owned(), losses: Vec::new() }, benchmark.figures(&[]))
    };
    Ok(RiskFigures {
        equity,
        cash: desk.book.cash,
        held: sides,
        leverage: sides.gross().share_of(equity),
        open_risk,
        sectors: groups(&held, equity, |one| one.sector.clone()),
        classes: groups(&held, equity, |one| one.class.to_string()),
        tail,
        benchmark,
        correlation,
        stress: stresses(&held, equity),
        limits,
        symbols: held.into_iter().map(|one| one.figures).collect(),
    })
}

fn symbol_figures(
    desk: &Desk,
    held: &Position,
    lane: &Lane,
    benchmark: &mut Benchmark,
) -> Result<SymbolFigures, AmountError> {
    let price = lane.mark().unwrap_or_else(|| held.average_price());
    let value = held.value_at(price)?;
    let stop = held.protection.map(|levels| levels.stop);
    let instrument = &lane.instrument;
    Ok(SymbolFigures {
        symbol: held.symbol,
        class: instrument.class,
        sector: instrument.sector.clone(),
        quantity: held.quantity,
        price,
        value,
        share: value.share_of(desk.equity),
        stop,
        risk: open_risk(held.quantity, price, stop)?,
        beta: benchmark.beta(lane),
        liquidation: match instrument.class {
            AssetClass::Perpetual => liquidation(desk, held),
            AssetClass::UsEquity | AssetClass::Crypto => None,
        },
    })
}

/// Where the exchange closes a perpetual position: it stands on its own margin and on what it carried.
fn liquidation(desk: &Desk, held: &Position) -> Option<Price> {
    let limits = desk.settings.terms_of(held.symbol).0;
    let margin = initial_margin(held.cost, limits.leverage_max).and_then(|margin| margin.plus(held.carried)).ok()?;
    liquidation_price(held.quantity, held.average_price(), margin, limits.maintenance_pct).ok()?
}

/// What is held by something that positions have in common, the largest first.
fn groups(held: &[Held<'_>], equity: Money, name: impl Fn(&SymbolFigures) -> String) -> Vec<GroupFigures> {
    let mut groups: Vec<GroupFigures> = Vec::new();
    for one in held.iter().map(|one| &one.figures) {
        let name = name(one);
        let place = groups.iter().position(|group| group.name == name).unwrap_or(groups.len());
        if place == groups.len() {
            groups.push(GroupFigures { name, held: Sides::default(), share: Ratio::ZERO });
        }
        groups[place].held = groups[place].held.with(one.value);
        groups[place].share = groups[place].held.gross().share_of(equity);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.held.gross()));
    groups
}

/// The correlations of the largest positions, over the returns that the check of entries compares.
fn correlation(held: &[Held<'_>]) -> CorrelationFigures {
    let compared = &held[..held.len().min(COMPARED_MAX)];
    let mut rows = Vec::with_capacity(compared.len());
    let mut closest: Option<(usize, usize, Ratio)> = None;
    for (index, one) in compared.iter().enumerate() {
        let mut row = Vec::with_capacity(index);
        for (before, other) in compared[..index].iter().enumerate() {
            let share = one.lane.history.correlation(&other.lane.history).and_then(Ratio::from_f64);
            let same_side = one.figures.side() == other.figures.side();
            let together = share.map(|share| if same_side { share } else { share.negated() });
            if let Some(together) = together.filter(|share| closest.is_none_or(|most| *share > most.2)) {
                closest = Some((before, index, together));
            }
            row.push(share);
        }
        rows.push(row);
    }
    let basis = match compared {
        [] | [_] => "two positions are needed".to_owned(),
        [first, others @ ..] => {
            let alike = others.iter().all(|one| one.lane.timeframe == first.lane.timeframe);
            let bars = first.lane.timeframe.filter(|_| alike).map_or("the finest", |timeframe| timeframe.as_str());
            format!("up to {} returns of {bars} bars, at least {SHARED_MIN} shared", first.lane.history.window())
        }
    };
    let symbols: Vec<_> = compared.iter().map(|one| one.figures.symbol).collect();
    let closest = closest.map(|(one, other, share)| (symbols[one], symbols[other], share));
    CorrelationFigures { basis, symbols, rows, left_out: held.len() - compared.len(), closest }
}

/// Each scenario put on what is held.
fn stresses(held: &[Held<'_>], equity: Money) -> Vec<StressFigures> {
    let exposed: Vec<Exposed<'_>> = held.iter().map(|one| Exposed::from(&one.figures)).collect();
    scenarios().iter().map(|scenario| stress_figures(&stress(scenario, &exposed, equity.to_f64()))).collect()
}

fn stress_figures(report: &StressReport) -> StressFigures {
    let worst = report.positions.iter().filter(|one| one.change < 0.0).min_by(|a, b| a.change.total_cmp(&b.change));
    StressFigures {
        scenario: report.scenario.to_owned(),
        change: nearest(report.change),
        share: report.share.and_then(Ratio::from_f64),
        worst: worst.map(|one| (one.symbol, nearest(one.change))),
    }
}

/// The nearest amount there is.
fn nearest(amount: f64) -> Money {
    Money::from_f64(amount).unwrap_or(if amount < 0.0 { Money::MAX.negated() } else { Money::MAX })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::Instrument;
    use crate::engine::{DeskSettings, LossAction};
    use crate::risk::{Limits, Sizing};

    /// An engine with a book on these symbols that nobody trades for.
    pub(crate) fn idle(symbols: &[&str]) -> Engine {
        let instruments: Vec<_> = symbols.iter().map(|name| Instrument::bare(name.parse().unwrap())).collect();
        let settings = DeskSettings {
            name: "main".parse().unwrap(),
            currency: "USD".to_owned(),
            capital: Money::whole(10_000),
            zone: chrono_tz::Tz::UTC,
            limits: Limits::default(),
            daily_loss: LossAction::Reduce,
            sizing: Sizing::Atr,
            risk: Ratio::ONE,
            selector: None,
            regime_timeframe: None,
            overrides: Vec::new(),
            symbols: instruments.iter().map(|one| one.symbol).collect(),
            screener: None,
            pins: Vec::new(),
            bans: Vec::new(),
            strategies: Vec::new(),
        };
        Engine::new(&instruments, vec![settings]).unwrap()
    }

    #[test]
    fn figures_are_computed_when_something_moved_and_at_full_pace_once_a_second() {
        let engine = idle(&[]);
        let mut schedule = Schedule::default();
        let mut due = |moved, waited_for, ms| {
            let (market, steady) = (Timestamp::from_ms(0), Duration::from_millis(ms));
            !schedule.rows(&engine, moved, waited_for, market, steady).is_empty()
        };
        assert!(due(false, true, 5), "a run begins with figures of its own");
        assert!(!due(false, true, 6) && !due(false, false, 5_000), "nothing moved");
        assert!(due(true, true, 5_001), "it is waited for");
        assert!(!due(true, false, 6_000) && due(true, false, 6_001), "a second old");
        assert!(!due(true, false, 6_002) && due(false, true, 6_003), "what moved before is not forgotten");
    }
}
