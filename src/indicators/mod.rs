//! What do the bars say? Streaming figures: a bar in, a number out, constant work a bar (only `Percentile` counts its window).
//!
//! Each can be saved and loaded between any two bars and goes on with the same bits. What is loaded is checked: a state
//! that could not have been saved is refused.

mod limits;
mod window;
mod total;
mod variance;
mod smooth;
mod peaks;
mod sma;
mod ema;
mod rsi;
mod macd;
mod true_range;
mod atr;
mod bollinger;
mod docs;
mod donchian;
mod stochastic;
mod adx;
mod roc;
mod obv;
mod supertrend;
mod volume;
mod volatility;
mod percentile;
mod table;

pub use adx::Adx;
pub use atr::Atr;
pub use bollinger::{Bands, Bollinger};
pub use docs::guide;
pub use donchian::Donchian;
pub use ema::Ema;
pub use limits::against;
pub use macd::{Macd, MacdValue};
pub use obv::Obv;
pub use percentile::Percentile;
pub use roc::Roc;
pub use rsi::Rsi;
pub use sma::Sma;
pub use stochastic::Stochastic;
pub use supertrend::{SuperTrend, TrendLevel};
pub use table::{COLUMNS, Column, Indicator};
pub use true_range::TrueRange;
pub use volatility::RealisedVolatility;
pub use volume::VolumeSma;
