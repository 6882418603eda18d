//! Behaviour across modules, told as stories. One binary, one link.

mod support;

mod tidy;
mod docs;
mod reference;
mod indicators;
mod performance;
mod costs;
mod cycle;
mod books;
mod desk;
mod execution;
mod order_streams;
mod replay;
mod resample;
mod resume;
mod reload;
mod strategies;
mod audit;
mod screener;
mod readiness;
mod restart;
mod schedule;
mod simulation;
mod chat;
mod figures;
mod locks;
mod shell;
mod stretch;
mod backtest;
mod walk_forward;
mod honesty;
mod backtest_shell;
mod backtest_told;
mod pictures;
mod chart;
