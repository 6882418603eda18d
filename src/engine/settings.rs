//! How is a book set up? What the configuration says of it, checked.

use chrono_tz::Tz;

use crate::domain::{Label, Money, Ratio, Symbol, Timeframe};
use crate::execution::Costs;
use crate::risk::{Limits, Sizing};
use crate::strategy::{StrategyKind, Values};

/// One strategy of a book.
#[derive(Clone)]
pub struct StrategySettings {
    /// Its name, as shown and stored.
    pub name: Label,
    /// Its row in the registry.
    pub kind: &'static StrategyKind,
    /// Its parameters.
    pub values: Values,
    /// The bars it decides on; none for the finest there are.
    pub timeframe: Option<Timeframe>,
}

/// One book.
#[derive(Clone)]
pub struct DeskSettings {
    /// Its name.
    pub name: Label,
    /// Its one currency.
    pub currency: String,
    /// What it starts with.
    pub capital: Money,
    /// The zone that cuts its days.
    pub zone: Tz,
    /// Its limits.
    pub limits: Limits,
    /// How entries are sized.
    pub sizing: Sizing,
    /// The symbols it may enter; others it only leaves.
    pub symbols: Vec<Symbol>,
    /// Its strategies, in their order of precedence.
    pub strategies: Vec<StrategySettings>,
}

impl DeskSettings {
    /// What its fills cost.
    pub fn costs(&self) -> Costs {
        let limits = &self.limits;
        Costs {
            fee: limits.fee_bps,
            slippage: limits.slippage_bps,
            impact: Ratio::ZERO,
            volume_share: limits.volume_share_pct,
            latency_ms: 0,
        }
    }
}
