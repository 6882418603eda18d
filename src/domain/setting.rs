//! What may people change over the file, for a while or until they take it back? One setting each.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AuditId, ChangeId, Label, Ratio, Symbol, Timeframe};
use crate::clock::Timestamp;

/// What stands for "at the end of each bar" where a schedule is meant.
pub const AT_BARS: &str = "bars";

/// A setting, and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "snake_case")]
pub enum Setting {
    /// What is put at risk in one trade, as a share of what the file says: 0.5 for half.
    Risk {
        /// The share.
        share: Ratio,
    },
    /// A limit of the book, as written: 3 for three percent.
    Limit {
        /// Its key.
        name: String,
        /// Its value; what the file says where it is none.
        #[serde(default)]
        value: Option<Ratio>,
    },
    /// Whether a strategy may enter.
    Enabled {
        /// Which.
        strategy: Label,
        /// Whether.
        enabled: bool,
    },
    /// A parameter of a strategy.
    Param {
        /// Which strategy.
        strategy: Label,
        /// Which parameter.
        name: String,
        /// Its value; what the file says where it is none.
        #[serde(default)]
        value: Option<Ratio>,
    },
    /// Whether a symbol is on the list.
    Watched {
        /// Which.
        symbol: Symbol,
        /// Whether.
        watched: bool,
    },
    /// Whether a symbol may be entered whatever list and screener say.
    Pinned {
        /// Which.
        symbol: Symbol,
        /// Whether.
        pinned: bool,
    },
    /// When a strategy runs.
    Schedule {
        /// Which strategy.
        strategy: Label,
        /// The five fields, a word such as `@daily`, or [`AT_BARS`]; what the file says where it is none.
        #[serde(default)]
        when: Option<String>,
    },
    /// One more strategy.
    Strategy(NewStrategy),
    /// No longer a strategy that a person added.
    Dropped {
        /// Which.
        strategy: Label,
    },
}

/// A strategy that a person adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewStrategy {
    /// Its name in the registry.
    pub name: Label,
    /// The one symbol that it may enter.
    pub symbol: Symbol,
    /// The bars it decides on; the finest where it is none.
    #[serde(default)]
    pub timeframe: Option<Timeframe>,
    /// When it runs; at the end of each of its bars where it is none.
    #[serde(default)]
    pub when: Option<String>,
    /// Its parameters that are not the usual ones.
    #[serde(default)]
    pub values: Vec<(String, Ratio)>,
    /// What it puts at risk in one trade, as a share of what the book does: 0.5 for half.
    pub risk: Ratio,
}

/// A setting that a person changed, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Its number.
    pub id: ChangeId,
    /// In which book.
    pub book: Label,
    /// What.
    pub setting: Setting,
    /// Who.
    pub person: String,
    /// The row of the audit that confirmed it.
    pub audit: Option<AuditId>,
    /// Since when, in the market's time.
    pub since: Timestamp,
    /// Until when, in the market's time; for as long as nobody takes it back where it is none.
    pub until: Option<Timestamp>,
    /// Why it is not in force any more.
    pub ended: Option<ChangeEnd>,
}

/// Why a change is not in force any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeEnd {
    /// Its time is over.
    Over,
    /// Another of the same setting took its place.
    Replaced,
    /// Somebody went back to what the file says.
    TakenBack,
    /// The control that made it was undone.
    Undone,
    /// It does not fit what the file says now.
    Unfit,
}

impl ChangeEnd {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Replaced => "replaced",
            Self::TakenBack => "taken_back",
            Self::Undone => "undone",
            Self::Unfit => "unfit",
        }
    }
}

/// A change in force, as `/changes` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLine {
    /// The change.
    pub row: ChangeRow,
    /// What holds by it.
    pub now: String,
    /// What the file says.
    pub file: String,
    /// It waits beneath a later change of the same setting: `now` is what holds when that is over.
    #[serde(default)]
    pub is_beneath: bool,
}

impl Setting {
    /// What is set, in words. Two settings with the same words replace each other.
    pub fn what(&self) -> String {
        match self {
            Self::Risk { .. } => "the size of a trade".to_owned(),
            Self::Limit { name, .. } => name.clone(),
            Self::Enabled { strategy, .. } => strategy.to_string(),
            Self::Param { strategy, name, .. } => format!("{strategy} {name}"),
            Self::Watched { symbol, .. } => symbol.to_string(),
            Self::Pinned { symbol, .. } => format!("the pin of {symbol}"),
            Self::Schedule { strategy, .. } => format!("the schedule of {strategy}"),
            Self::Strategy(NewStrategy { name: strategy, .. }) | Self::Dropped { strategy } => {
                format!("strategy {strategy}")
            }
        }
    }

    /// The strategy that it is about.
    pub const fn strategy(&self) -> Option<Label> {
        match self {
            Self::Enabled { strategy, .. }
            | Self::Param { strategy, .. }
            | Self::Schedule { strategy, .. }
            | Self::Strategy(NewStrategy { name: strategy, .. })
            | Self::Dropped { strategy } => Some(*strategy),
            Self::Risk { .. } | Self::Limit { .. } | Self::Watched { .. } | Self::Pinned { .. } => None,
        }
    }
}

struct Usual<'a, T>(&'a Option<T>);

impl<T: fmt::Display> fmt::Display for Usual<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("usual"),
        }
    }
}

impl fmt::Display for Setting {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Risk { share } => write!(f, "/setrisk {}%", share.scaled(100, 1).unwrap_or(Ratio::MAX)),
            Self::Limit { name, value } => write!(f, "/limit {name} {}", Usual(value)),
            Self::Enabled { strategy, enabled: true } => write!(f, "/enable {strategy}"),
            Self::Enabled { strategy, enabled: false } => write!(f, "/disable {strategy}"),
            Self::Param { strategy, name, value } => write!(f, "/param {strategy} {name} {}", Usual(value)),
            Self::Watched { symbol, watched: true } => write!(f, "/watch {symbol}"),
            Self::Watched { symbol, watched: false } => write!(f, "/unwatch {symbol}"),
            Self::Pinned { symbol, pinned: true } => write!(f, "/pin {symbol}"),
            Self::Pinned { symbol, pinned: false } => write!(f, "/pin {symbol} off"),
            Self::Schedule { strategy, when } => write!(f, "/schedule set {strategy} {}", Usual(when)),
            Self::Strategy(new) => new.fmt(f),
            Self::Dropped { strategy } => write!(f, "/strategy drop {strategy}"),
        }
    }
}

impl fmt::Display for NewStrategy {
    /// As it is typed: `/strategy new AAPL rsi 1h usual 50%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/strategy new {} {} ", self.symbol, self.name)?;
        match (&self.timeframe, &self.when) {
            (Some(timeframe), _) => write!(f, "{timeframe} ")?,
            (None, Some(when)) => write!(f, "{} ", when.replace(' ', "_"))?,
            (None, None) => write!(f, "{AT_BARS} ")?,
        }
        let set: Vec<String> = self.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let set = if set.is_empty() { "usual".to_owned() } else { set.join(",") };
        write!(f, "{set} {}%", self.risk.scaled(100, 1).unwrap_or(Ratio::MAX))
    }
}
