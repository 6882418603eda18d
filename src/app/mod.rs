//! How do the parts come together? The composition root: builds every part, runs the loops, shuts down in order.

mod error;
mod shell;
mod tools;
mod universe;
mod feeds;
mod switchboard;
mod pairing;
mod directory;
mod messenger;
mod telegram;
mod updates;
mod talk;
mod night;
mod vigil;
mod heartbeat;
mod service;
mod watch;
mod monitor;
mod reload;
mod auditor;
mod around;
mod book;
mod backtest;
mod series;
mod prices;
mod dealt;
mod picture;
mod results;
mod holdings;
mod chart;
mod drawing;
mod run;

pub use error::AppError;
pub use shell::{perform, start_log};
