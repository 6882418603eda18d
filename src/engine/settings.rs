//! How is a book set up? What the configuration says of it, checked.

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::domain::{Label, Money, Ratio, SnapshotBar, Symbol, TimeInForce, Timeframe};
use crate::execution::Costs;
use crate::risk::{Limits, Sizing};
use crate::strategy::{ScreenRules, Selector, StrategyKind, Values};

use super::Schedule;

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
    /// When it decides; none for the end of each of its bars.
    pub schedule: Option<Schedule>,
    /// True if its schedule also counts while a symbol's session is closed.
    pub outside_session: bool,
    /// How sure a signal must be to become an order, from 0 to 1.
    pub min_confidence: Ratio,
    /// How long its entries may wait.
    pub tif: TimeInForce,
    /// False if it enters nothing; it leaves what it holds all the same.
    pub enabled: bool,
    /// The only symbols that it enters; all of the book where there are none.
    pub symbols: Vec<Symbol>,
    /// What is taken of the size that its entries would have, from 0 to 1.
    pub risk: Ratio,
}

impl StrategySettings {
    /// A strategy that decides on every one of the finest bars, believes all its signals and lets its entries wait.
    pub fn new(name: Label, kind: &'static StrategyKind, values: Values) -> Self {
        Self {
            name,
            kind,
            values,
            timeframe: None,
            schedule: None,
            outside_session: false,
            min_confidence: Ratio::ZERO,
            tif: TimeInForce::Gtc,
            enabled: true,
            symbols: Vec::new(),
            risk: Ratio::ONE,
        }
    }

    /// After how many bars its decisions no longer depend on what came before.
    pub fn warm_up(&self) -> usize {
        (self.kind.warm_up)(&self.values)
    }

    /// True for the bars it decides on.
    pub fn decides_on(&self, seen: &SnapshotBar) -> bool {
        self.timeframe.map_or(seen.is_finest, |timeframe| timeframe == seen.timeframe)
    }
}

/// What holds for one symbol instead of the book's own.
#[derive(Clone)]
pub struct SymbolTerms {
    /// The symbol.
    pub symbol: Symbol,
    /// All limits, the symbol's own among them.
    pub limits: Limits,
    /// How its entries are sized.
    pub sizing: Sizing,
}

/// How a book's list of symbols is narrowed each trading day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenerSettings {
    /// At which time of the day, in the book's zone.
    pub at: NaiveTime,
    /// Who passes.
    pub rules: ScreenRules,
}

/// What a book does when its day's loss reaches the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossAction {
    /// No entries until its next day.
    Reduce,
    /// No strategy order until somebody resumes.
    Halt,
    /// Leaves everything, then as [`LossAction::Reduce`].
    Flatten,
}

impl LossAction {
    /// All, in the order of the docs.
    pub const ALL: [Self; 3] = [Self::Reduce, Self::Halt, Self::Flatten];

    /// As it is configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reduce => "reduce",
            Self::Halt => "halt",
            Self::Flatten => "flatten",
        }
    }
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
    /// What it does when its day's loss reaches the limit.
    pub daily_loss: LossAction,
    /// How entries are sized.
    pub sizing: Sizing,
    /// What is taken of that size, from 0 to 1.
    pub risk: Ratio,
    /// Which strategy may enter in which regime; none if all may always.
    pub selector: Option<Selector>,
    /// The bars that tell the regime; none for the finest there are.
    pub regime_timeframe: Option<Timeframe>,
    /// What holds for single symbols instead.
    pub overrides: Vec<SymbolTerms>,
    /// The symbols it may enter; others it only leaves.
    pub symbols: Vec<Symbol>,
    /// What narrows the symbols; none if it may enter all of them.
    pub screener: Option<ScreenerSettings>,
    /// Symbols that it may enter whatever list and screener say.
    pub pins: Vec<Symbol>,
    /// Symbols that it may not enter; they win over pins.
    pub bans: Vec<Symbol>,
    /// Its strategies, in their order of precedence.
    pub strategies: Vec<StrategySettings>,
}

impl DeskSettings {
    /// The bars that its strategies and its selector ask for by name.
    pub fn timeframes(&self) -> impl Iterator<Item = Timeframe> + '_ {
        self.strategies.iter().filter_map(|strategy| strategy.timeframe).chain(self.regime_timeframe)
    }

    /// Limits and sizing for a symbol.
    pub fn terms_of(&self, symbol: Symbol) -> (&Limits, Sizing) {
        let own = self.overrides.iter().find(|terms| terms.symbol == symbol);
        own.map_or((&self.limits, self.sizing), |terms| (&terms.limits, terms.sizing))
    }

    /// What fills of a symbol cost.
    pub fn costs_of(&self, symbol: Symbol) -> Costs {
        let limits = self.terms_of(symbol).0;
        Costs {
            fee: limits.fee_bps,
            slippage: limits.slippage_bps,
            impact: limits.impact_bps,
            volume_share: if limits.enforced { limits.volume_share_pct } else { Ratio::MAX },
            latency_ms: i64::try_from(Limits::count(limits.latency_ms)).unwrap_or(i64::MAX),
        }
    }
}
