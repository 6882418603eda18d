//! When should we trade? Bars in, wishes out; a strategy never sees money or orders.

mod verdict;
mod params;
mod sma_cross;
mod rsi;
mod registry;

pub use params::{Param, ParamError, ParamKind, Values};
pub use registry::{STRATEGIES, StrategyKind, find};
pub use verdict::{Plan, Reason, Stay, Strategy, Verdict};
