//! What do the bars say? Streaming figures: a bar in, a number out, constant work a bar.

mod sma;
mod ema;
mod rsi;
mod atr;
mod table;

pub use atr::{Atr, TrueRange};
pub use ema::Ema;
pub use rsi::Rsi;
pub use sma::Sma;
pub use table::{COLUMNS, Column, Indicator};
