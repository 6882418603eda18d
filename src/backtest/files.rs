//! How does a result leave the program for other programs? Two CSV files: the trades and the equity.

use std::fmt::Write as _;

use crate::domain::{Price, Quantity};

use super::Report;
use super::pictures::side_word;

impl Report<'_> {
    /// Closed trades, a row each; times are the labels of the bars.
    pub fn trades_csv(&self) -> String {
        let mut text = String::from(
            "symbol,side,entry_time,exit_time,units,entry_price,exit_price,fees,profit,strategy,exit_reason,carried,mae,mfe\n",
        );
        for trip in self.trips() {
            let trade = &trip.trade;
            let side = side_word(trade.side);
            let (units, entry, exit): (Quantity, Price, Price) = (trade.quantity, trade.entry_price, trade.exit_price);
            let _ = writeln!(
                text,
                "{},{side},{},{},{units},{entry},{exit},{},{},{},{},{},{},{}",
                trade.symbol,
                trip.entry_bar,
                trip.exit_bar,
                trade.fees,
                trade.profit,
                trade.strategy,
                trade.reason.as_str(),
                trade.carried,
                trade.worst,
                trade.best
            );
        }
        text
    }

    /// The equity curve: every day's last value, and points between them.
    pub fn equity_csv(&self) -> String {
        let mut text = String::from("time,equity\n");
        for (at, equity) in self.desk.curve.points() {
            let _ = writeln!(text, "{at},{equity}");
        }
        text
    }
}
