//! Which strategies may enter in which regime, and how large?

use crate::domain::{Label, Ratio, Regime};

/// What is allowed, one row a regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The rows; of two for the same regime the first that names a strategy counts.
    pub rows: Vec<SelectorRow>,
}

/// What is allowed in one regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorRow {
    /// The regime.
    pub regime: Regime,
    /// The strategies that may enter in it; all others may only leave.
    pub strategies: Vec<Label>,
    /// What their entries are multiplied by: 1 is the usual size.
    pub size: Ratio,
}

impl Selector {
    /// The size factor of a strategy's entries in this regime; none if it may not enter.
    pub fn allows(&self, regime: Regime, strategy: Label) -> Option<Ratio> {
        let row = self.rows.iter().find(|row| row.regime == regime && row.strategies.contains(&strategy))?;
        Some(row.size)
    }
}

impl Default for Selector {
    /// Each regime has the strategy that suits it; a calm market has all three at half size, since nothing says which
    /// of them its next move will suit.
    fn default() -> Self {
        let row = |regime, strategies: &[&str], percent| SelectorRow {
            regime,
            strategies: strategies.iter().filter_map(|name| name.parse().ok()).collect(),
            size: Ratio::from_percent(percent),
        };
        Self {
            rows: vec![
                row(Regime::Volatile, &["breakout"], 100),
                row(Regime::Trend, &["ema_cross"], 100),
                row(Regime::Calm, &["ema_cross", "mean_reversion", "breakout"], 50),
                row(Regime::Range, &["mean_reversion"], 100),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::{STRATEGIES, find};

    #[test]
    fn each_regime_has_its_strategies_and_no_other() {
        let selector = Selector::default();
        let allowed = |regime| -> Vec<(&str, String)> {
            let name = |kind: &crate::strategy::StrategyKind| kind.name.parse().expect("a name");
            let sizes = STRATEGIES.iter().map(|kind| (kind.name, selector.allows(regime, name(kind))));
            sizes.filter_map(|(name, size)| Some((name, size?.to_string()))).collect()
        };
        let of = |rows: &[(&'static str, &str)]| -> Vec<(&str, String)> {
            rows.iter().map(|(name, size)| (*name, (*size).to_owned())).collect()
        };
        assert_eq!(allowed(Regime::Trend), of(&[("ema_cross", "1")]));
        assert_eq!(allowed(Regime::Range), of(&[("mean_reversion", "1")]));
        assert_eq!(allowed(Regime::Volatile), of(&[("breakout", "1")]));
        let calm = of(&[("ema_cross", "0.5"), ("mean_reversion", "0.5"), ("breakout", "0.5")]);
        assert_eq!(allowed(Regime::Calm), calm);
        assert_eq!(selector.allows(Regime::Trend, "no_such".parse().expect("a name")), None);
    }

    #[test]
    fn every_row_names_strategies_that_exist() {
        for row in Selector::default().rows {
            assert!(!row.strategies.is_empty());
            assert!(row.strategies.iter().all(|name| find(name.as_str()).is_some()), "{row:?}");
        }
    }
}
