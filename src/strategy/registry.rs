//! Which strategies are there? Adding one is one file and one row here.

use super::{Param, ParamError, Strategy, Values, rsi, sma_cross};

/// A strategy that can be named in the configuration.
pub struct StrategyKind {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Makes one for one symbol.
    pub build: fn(&Values) -> Result<Box<dyn Strategy>, ParamError>,
}

/// All strategies, in the order of help and docs.
pub const STRATEGIES: &[StrategyKind] = &[
    StrategyKind {
        name: sma_cross::NAME,
        help: "Enters when the fast moving average crosses above the slow one, leaves when it crosses below.",
        params: sma_cross::PARAMS,
        build: sma_cross::build,
    },
    StrategyKind {
        name: rsi::NAME,
        help: "Enters when the relative strength index rises out of oversold, leaves when it reaches overbought.",
        params: rsi::PARAMS,
        build: rsi::build,
    },
];

/// The strategy of this name.
pub fn find(name: &str) -> Option<&'static StrategyKind> {
    STRATEGIES.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ratio;

    #[test]
    fn every_strategy_builds_from_its_defaults_and_documents_itself() {
        for kind in STRATEGIES {
            let values = Values::check(kind.name, kind.params, &[]).expect("defaults are in range");
            assert!((kind.build)(&values).is_ok(), "{}", kind.name);
            assert!(kind.help.ends_with('.') && kind.params.iter().all(|param| !param.help.is_empty()));
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let kind = find("sma_cross").expect("listed");
        let check = |name: &str, value: &str| {
            let written = [(name.to_owned(), value.parse::<Ratio>().expect("number"))];
            Values::check(kind.name, kind.params, &written).and_then(|values| (kind.build)(&values)).map(|_| ())
        };
        for (name, value, want) in [
            ("fats", "5", "strategy sma_cross has no parameter \"fats\"; it has fast, slow"),
            ("fast", "0", "sma_cross: fast is 0; use a whole number from 1 to 500"),
            ("fast", "2.5", "sma_cross: fast is 2.5; use a whole number from 1 to 500"),
            ("fast", "60", "sma_cross: fast (60) must be smaller than slow (50)"),
        ] {
            assert_eq!(check(name, value).expect_err("refused").to_string(), want);
        }
    }
}
