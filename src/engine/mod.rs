//! How does one cycle turn bars into orders, fills and events? `cycle` decides; the runner around it does all I/O.

mod schedule;
mod settings;
mod state;
mod outcome;
mod lanes;
mod fills;
mod close;
mod carry;
mod guard;
mod history;
mod locks;
mod survey;
mod propose;
mod observe;
mod entries;
mod trial;
mod cycle;
mod books;
mod operate;
mod recovery;
mod pace;
mod group;
mod runner;
mod commit;

pub use cycle::{CycleError, cycle, decide, warm};
pub use history::History;
pub use locks::Ended;
pub use operate::{halt, obey};
pub use outcome::Outcome;
pub use pace::Pace;
pub use recovery::{RestoreBooksError, Resumed, restore, restore_marks};
pub use runner::{Emergency, EngineMessage, Finished, Runner, RunnerError, RunnerOptions, RunnerParts};
pub use schedule::{Due, Schedule};
pub use settings::{DeskSettings, LossAction, StrategySettings, SymbolTerms};
pub use state::{Counters, Day, Desk, DeskMemory, Engine, Lane, Lock, Measure, StateCause, StrategyRun};
pub use trial::{Trial, trial};
