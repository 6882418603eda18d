//! When should we trade? Bars in, wishes out; a strategy never sees money or orders.

mod verdict;
mod params;
mod memory;
mod warm_up;
mod cross;
mod sma_cross;
mod ema_cross;
mod rsi;
mod mean_reversion;
mod breakout;
mod supertrend;
mod momentum;
mod registry;
mod regime;
mod selector;
mod screener;
mod docs;
#[cfg(test)]
mod story;

pub use docs::guide;
pub use memory::LoadError;
pub use params::{Param, ParamError, ParamKind, Values};
pub use regime::{Classifier, Gate, RegimeInputs, Switch, Thresholds};
pub use registry::{STRATEGIES, StrategyKind, find};
pub use screener::{Candidate, SCREEN_DAYS_MIN, ScreenRules, screen};
pub use selector::{Selector, SelectorRow};
pub use verdict::{Place, Plan, Reason, Stay, Strategy, Verdict};
