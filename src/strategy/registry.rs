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
