//! What would this book have earned? The same cycle as every run, over recorded bars, in memory.

mod curve;
mod run;
mod closing;
mod result;
mod report;

pub use closing::close_open;
pub use curve::Curve;
pub use report::Report;
pub use result::{DeskRan, Ran, RoundTrip};
pub use run::{BacktestError, run};
