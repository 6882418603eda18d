//! bellwether: a trading bot that you run from your pocket.
//!
//! Read it in this order; each line may use only those above it (see `tests/it/tidy.rs`).
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on may panic"))]

pub mod clock;
pub mod domain;
pub mod stats;
pub mod indicators;
pub mod strategy;
pub mod market;
pub mod risk;
pub mod portfolio;
pub mod execution;
pub mod store;
pub mod control;
pub mod engine;
pub mod chart;
pub mod backtest;
pub mod notify;
pub mod views;
pub mod web;
pub mod chat;
pub mod channels;
pub mod config;
pub mod cli;
pub mod app;
