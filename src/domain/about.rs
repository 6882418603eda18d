//! What is a note about? Something that people can name: a trade, an order, a message, a symbol, a day.

use std::fmt;

use chrono::NaiveDate;

use super::{NoticeId, OrderId, Symbol, TradeId};

/// What somebody speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A closed trade.
    Trade(TradeId),
    /// An order.
    Order(OrderId),
    /// A message.
    Notice(NoticeId),
    /// A symbol.
    Symbol(Symbol),
    /// A day of the market.
    Day(NaiveDate),
}

/// As it is typed: `T17`, `O12`, `N42`, `AAPL`, `2026-11-21`.
impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trade(id) => id.fmt(f),
            Self::Order(id) => id.fmt(f),
            Self::Notice(id) => id.fmt(f),
            Self::Symbol(symbol) => symbol.fmt(f),
            Self::Day(day) => day.fmt(f),
        }
    }
}
