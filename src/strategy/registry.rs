//! Which strategies are there? Adding one is one file and one row here.

use super::{
    Param, ParamError, Strategy, Values, breakout, ema_cross, mean_reversion, momentum, rsi, sma_cross, supertrend,
};

/// A strategy that can be named in the configuration.
pub struct StrategyKind {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// What market it suits.
    pub suits: &'static str,
    /// When it enters.
    pub enters: &'static str,
    /// When it leaves.
    pub leaves: &'static str,
    /// What its confidence is made of.
    pub confidence: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// After how many bars its decisions no longer depend on what came before.
    pub warm_up: fn(&Values) -> usize,
    /// Why so many.
    pub warm_up_help: &'static str,
    /// True if it compares the book's symbols with each other.
    pub ranks: bool,
    /// Makes one for one symbol.
    pub build: fn(&Values) -> Result<Box<dyn Strategy>, ParamError>,
}

/// All strategies, in the order of help and docs.
pub const STRATEGIES: &[StrategyKind] = &[
    sma_cross::KIND,
    ema_cross::KIND,
    rsi::KIND,
    mean_reversion::KIND,
    breakout::KIND,
    supertrend::KIND,
    momentum::KIND,
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
        for (index, kind) in STRATEGIES.iter().enumerate() {
            let values = Values::check(kind.name, kind.params, &[]).expect("defaults are in range");
            assert!((kind.build)(&values).is_ok() && (kind.warm_up)(&values) > 0, "{}", kind.name);
            assert!(STRATEGIES[..index].iter().all(|other| other.name != kind.name), "{}", kind.name);
            for text in [kind.help, kind.suits, kind.enters, kind.leaves, kind.confidence] {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", kind.name);
            }
            assert!(!kind.warm_up_help.is_empty() && kind.params.iter().all(|param| !param.help.is_empty()));
            assert!(kind.params.iter().any(|param| param.name == "short"), "{}", kind.name);
        }
    }

    #[test]
    fn bad_parameters_are_named() {
        let check = |strategy: &str, name: &str, value: &str| {
            let kind = find(strategy).expect("listed");
            let written = [(name.to_owned(), value.parse::<Ratio>().expect("number"))];
            Values::check(kind.name, kind.params, &written).and_then(|values| (kind.build)(&values)).map(|_| ())
        };
        for (strategy, name, value, want) in [
            ("sma_cross", "fats", "5", "strategy sma_cross has no parameter \"fats\"; it has fast, slow, short"),
            ("sma_cross", "fast", "0", "sma_cross: fast is 0; use a whole number from 1 to 500"),
            ("sma_cross", "fast", "2.5", "sma_cross: fast is 2.5; use a whole number from 1 to 500"),
            ("sma_cross", "fast", "60", "sma_cross: fast (60) must be smaller than slow (50)"),
            ("sma_cross", "short", "2", "sma_cross: short is 2; use true or false"),
            ("rsi", "oversold", "50.5", "rsi: oversold is 50.5; use a number from 1 to 50"),
            ("supertrend", "factor", "0.05", "supertrend: factor is 0.05; use a number from 0.1 to 20"),
            ("momentum", "top", "0", "momentum: top is 0; use a whole number from 1 to 100"),
        ] {
            assert_eq!(check(strategy, name, value).expect_err("refused").to_string(), want);
        }
        assert_eq!(check("supertrend", "factor", "2.5"), Ok(()));
        assert_eq!(check("rsi", "short", "1"), Ok(()));
    }

    #[test]
    fn a_memory_of_other_parameters_or_of_another_kind_is_refused() {
        let made = |set: &[(&str, &str)]| crate::strategy::story::made("sma_cross", set);
        let mut cross = made(&[]);
        for bar in crate::strategy::story::closes(&[10.0; 60]) {
            cross.observe(&bar);
        }
        let saved = cross.save();
        let mut other = made(&[("fast", "10")]);
        let error = other.load(&saved).expect_err("other parameters");
        let want =
            "the memory of sma_cross was saved with fast 20, slow 50, but now sma_cross is set to fast 10, slow 50";
        assert_eq!((error.to_string().as_str(), other.save()), (want, made(&[("fast", "10")]).save()));
        for text in ["", "{}", "nonsense", &saved[1..], &saved.replace("\"seen\":60", "\"seen\":-1")] {
            let error = other.load(text).expect_err("not a memory").to_string();
            assert!(error.starts_with("the saved memory of sma_cross cannot be read: "), "{error}");
        }
        assert_eq!(made(&[("short", "1")]).load(&saved), Ok(()), "what does not shape the memory may change");
    }
}
