//! How well did it go, and what could go wrong? Every performance figure of the product, in floating point, without I/O.
//!
//! Conventions, the same for all surfaces. Shares are fractions (0.05 is 5 %). A loss is negative: `max_drawdown` is -0.56
//! for a fall by 56 %, and so are value at risk and shocks. No interest is taken off: the risk-free rate is zero. What is
//! not defined is `None`, never NaN or infinite: Sharpe without variance, a profit factor without a loss, any figure of too
//! few rows. Amounts that are sums are exact `Money`; means of them are rounded once; ratios are `f64`.

mod moments;
mod days;
mod returns;
mod drawdown;
mod value_at_risk;
mod trades;
mod groups;
mod monthly;
mod performance;
mod report;
mod correlation;
mod comparison;
mod scenario;
mod stress;
mod monte_carlo;
mod readiness;

pub use comparison::{APART_MAX_MS, Comparison};
pub use correlation::{
    Matrix, beta, correlation, correlation_of_scaled, join, joined_returns, matrix, scaled_for_correlation,
};
pub use drawdown::{Drawdown, DrawdownFigures, underwater, worst_drawdown};
pub use groups::{Group, Grouping, grouped};
pub use moments::deviation;
pub use monte_carlo::{Bands, MonteCarlo, Shuffle, reshuffle};
pub use monthly::{YearRow, monthly_returns};
pub use performance::{Bars, Performance, PerformanceInput};
pub use readiness::{Drill, Evidence, Readiness, Rule, readiness};
pub use report::{Row, change, ratio};
pub use returns::{CRYPTO_PERIODS, ReturnFigures, STOCK_PERIODS, WEEKLY_PERIODS, periods_per_year, returns_of};
pub use scenario::{Scenario, scenario, scenarios};
pub use stress::{Exposed, ShockRule, Shocked, StressReport, stress};
pub use trades::{TradeFigures, TradeRecord, time_in_market, turnover};
pub use value_at_risk::{Confidence, ValueAtRisk, conditional, expected_shortfall, historical, parametric};
