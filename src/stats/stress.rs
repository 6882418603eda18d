//! What would a bad time cost what is held now? A scenario put on positions, one by one.
//!
//! A share's shock has two estimates: what its sector lost, and its beta times what the market lost. If both are known the shock
//! is their mean: the sector alone would treat a bank like a broker, beta alone would forget what kind of crisis it was. If one
//! is known it counts alone; if none is, the share falls like its class. A coin falls by its class's own shock, because it is not
//! measured against the stock market. Nothing loses or gains more than its whole value.

use serde::Serialize;

use crate::domain::{AssetClass, Ratio, Symbol, SymbolFigures};

use super::Scenario;
use super::moments::finite;

/// Something held, as the stress test sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposed<'a> {
    /// Of what.
    pub symbol: Symbol,
    /// Its asset class.
    pub class: AssetClass,
    /// Its sector, if it is known.
    pub sector: Option<&'a str>,
    /// What it is worth; negative for a short. What is no number counts as nothing.
    pub value: f64,
    /// Its beta to the stock market, if it is known.
    pub beta: Option<f64>,
}

impl<'a> From<&'a SymbolFigures> for Exposed<'a> {
    fn from(held: &'a SymbolFigures) -> Self {
        Self {
            symbol: held.symbol,
            class: held.class,
            sector: Some(held.sector.as_str()).filter(|sector| !sector.is_empty()),
            value: held.value.to_f64(),
            beta: held.beta.map(Ratio::to_f64),
        }
    }
}

/// What a shock was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShockRule {
    /// The mean of the sector's shock and of beta times the market's.
    SectorAndBeta,
    /// The sector's shock.
    Sector,
    /// Beta times the market's shock.
    Beta,
    /// The asset class's shock.
    Class,
}

impl ShockRule {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SectorAndBeta => "sector and beta",
            Self::Sector => "sector",
            Self::Beta => "beta",
            Self::Class => "asset class",
        }
    }
}

/// One position under a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shocked {
    /// Of what.
    pub symbol: Symbol,
    /// What it is worth now; negative for a short.
    pub value: f64,
    /// How its price changes, as a fraction from -1 to 1.
    pub shock: f64,
    /// What the shock was taken from.
    pub rule: ShockRule,
    /// What the book gains or loses by it.
    pub change: f64,
    /// The same as a share of equity; none without equity.
    pub share: Option<f64>,
}

/// All positions under a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StressReport {
    /// The scenario.
    pub scenario: &'static str,
    /// Each position, in the order given.
    pub positions: Vec<Shocked>,
    /// What the book gains or loses in all.
    pub change: f64,
    /// The same as a share of equity; none without equity.
    pub share: Option<f64>,
}

/// Puts a scenario on positions. `equity` is what the book is worth now.
pub fn stress(scenario: &'static Scenario, positions: &[Exposed<'_>], equity: f64) -> StressReport {
    let share = |change: f64| if equity > 0.0 { finite(change / equity) } else { None };
    let shocked = |position: &Exposed<'_>| {
        let (shock, rule) = shock(scenario, position);
        let value = finite(position.value).unwrap_or(0.0);
        // Adding zero turns a negative zero into zero.
        let change = value * shock + 0.0;
        Shocked { symbol: position.symbol, value, shock, rule, change, share: share(change) }
    };
    let positions: Vec<Shocked> = positions.iter().map(shocked).collect();
    let sum: f64 = positions.iter().map(|position| position.change).sum();
    let change = sum.clamp(f64::MIN, f64::MAX);
    StressReport { scenario: &scenario.name, positions, change, share: share(change) }
}

fn shock(scenario: &Scenario, position: &Exposed<'_>) -> (f64, ShockRule) {
    let (shock, rule) = match position.class {
        AssetClass::Crypto | AssetClass::Perpetual => (scenario.class(position.class), ShockRule::Class),
        AssetClass::UsEquity => {
            let by_sector = position.sector.and_then(|sector| scenario.sector(sector));
            let by_beta = position.beta.and_then(|beta| finite(beta * scenario.market));
            match (by_sector, by_beta) {
                (Some(sector), Some(beta)) => (f64::midpoint(sector, beta), ShockRule::SectorAndBeta),
                (Some(sector), None) => (sector, ShockRule::Sector),
                (None, Some(beta)) => (beta, ShockRule::Beta),
                (None, None) => (scenario.class(position.class), ShockRule::Class),
            }
        }
    };
    (shock.clamp(-1.0, 1.0), rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::moments::near;
    use crate::stats::{scenario, scenarios};

    fn share(sector: Option<&'static str>, beta: Option<f64>, value: f64) -> Exposed<'static> {
        Exposed { symbol: "JPM".parse().unwrap(), class: AssetClass::UsEquity, sector, value, beta }
    }

    #[test]
    fn a_shock_comes_from_sector_and_beta() {
        let crisis = scenario("2008").unwrap();
        let (market, banks) = (crisis.market, crisis.sector("Financials").unwrap());
        let coin = Exposed { class: AssetClass::Crypto, ..share(Some("Crypto"), Some(9.0), 100.0) };
        for (position, shock, rule) in [
            (share(Some("Financials"), Some(1.2), 100.0), 0.5 * banks + 0.6 * market, ShockRule::SectorAndBeta),
            (share(Some("Financials"), None, 100.0), banks, ShockRule::Sector),
            (share(Some("Shipwrecks"), Some(0.5), 100.0), 0.5 * market, ShockRule::Beta),
            (share(None, Some(-0.2), 100.0), -0.2 * market, ShockRule::Beta),
            (share(None, None, 100.0), crisis.class(AssetClass::UsEquity), ShockRule::Class),
            (share(None, Some(3.0), 100.0), -1.0, ShockRule::Beta),
            (share(None, Some(-30.0), 100.0), 1.0, ShockRule::Beta),
            (coin, crisis.class(AssetClass::Crypto), ShockRule::Class),
        ] {
            let report = stress(crisis, &[position], 400.0);
            let got = &report.positions[0];
            assert_eq!(got.rule, rule);
            assert!(near(Some(got.shock), shock) && near(Some(got.change), 100.0 * shock), "{got:?}");
            assert!(near(got.share, shock / 4.0) && near(report.share, shock / 4.0));
        }
    }

    #[test]
    fn shorts_gain_and_positions_add_up() {
        let crisis = scenario("crypto_50").unwrap();
        let coin = |value| Exposed { class: AssetClass::Crypto, ..share(None, None, value) };
        let report = stress(crisis, &[coin(1000.0), coin(-400.0)], 2000.0);
        assert!(near(Some(report.positions[0].change), -500.0) && near(Some(report.positions[1].change), 200.0));
        assert!(near(Some(report.change), -300.0) && near(report.share, -0.15));
        // Different scenarios and sectors never give one flat factor.
        let shocks = |sector| scenarios().iter().map(move |one| one.sector(sector).unwrap());
        assert!(shocks("Energy").zip(shocks("Technology")).all(|(one, other)| (one - other).abs() > 0.001));
    }

    #[test]
    fn hostile_positions_give_finite_reports() {
        let crisis = scenario("2020").unwrap();
        for beta in [None, Some(f64::NAN), Some(f64::INFINITY), Some(1e308)] {
            for value in [0.0, f64::NAN, f64::NEG_INFINITY, f64::MAX, f64::MIN] {
                for equity in [0.0, -5.0, f64::NAN, 1e-300, 1e300] {
                    let report = stress(crisis, &[share(None, beta, value), share(Some(""), beta, value)], equity);
                    assert!(report.change.is_finite() && report.share.is_none_or(f64::is_finite), "{report:?}");
                    assert!(report.positions.iter().all(|one| one.change.is_finite() && one.shock.is_finite()));
                }
            }
        }
        assert!(near(stress(crisis, &[], 100.0).share, 0.0));
    }
}
