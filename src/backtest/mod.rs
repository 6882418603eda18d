//! What would this book have earned? The same cycle as every run, over recorded bars, in memory.

mod curve;
mod run;
mod closing;
mod result;
mod benchmark;
mod grid;
mod windows;
mod walk;
mod check;
mod look_ahead;
mod warm_up;
mod report;
mod table;
mod json;
mod files;
mod facts;
mod candle_bars;
mod pictures;
mod page;

pub use benchmark::Benchmark;
pub use candle_bars::CandleBars;
pub use check::{Check, Difference};
pub use closing::close_open;
pub use curve::Curve;
pub use facts::Asked;
pub use grid::{COMBINATIONS_MAX, Grid};
pub use look_ahead::check_look_ahead;
pub use report::Report;
pub use result::{DeskRan, Ran, RoundTrip};
pub use run::{BacktestError, Seen, run};
pub use walk::{Candidate, Score, Step, Walk, WalkError, WalkForward};
pub use warm_up::check_warm_up;
pub use windows::{Length, Plan, Window};
