//! Behaviour across modules, told as stories. One binary, one link.

mod support;

mod tidy;
mod docs;
mod reference;
mod indicators;
mod performance;
mod cycle;
mod books;
mod replay;
mod resample;
mod resume;
mod strategies;
mod audit;
mod screener;
mod readiness;
mod restart;
mod simulation;
mod chat;
mod shell;
mod chart;
