//! What does the broker say? One report for each thing that happened to an order.

use crate::clock::Timestamp;
use crate::domain::{AmountError, FillLeg, Money, OrderId, OrderKind, Price, Quantity, Symbol};

/// What the broker says about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It filled, wholly or in part.
    Filled {
        /// Which.
        order: OrderId,
        /// How much.
        quantity: Quantity,
        /// True if nothing of it is left at the broker.
        done: bool,
        /// At which price, slippage included.
        price: Price,
        /// What it cost.
        fee: Money,
        /// What slippage cost, already in the price.
        slippage: Money,
        /// Why.
        leg: FillLeg,
        /// When.
        at: Timestamp,
    },
    /// Another order left a part of the position that it was to leave.
    Reduced {
        /// Which.
        order: OrderId,
        /// How much it is for now, in all.
        quantity: Quantity,
    },
    /// Its trigger was touched and nothing filled by that: it goes on at the market, a stop-limit as a limit.
    Triggered {
        /// Which.
        order: OrderId,
    },
    /// Its trigger followed the price.
    Moved {
        /// Which.
        order: OrderId,
        /// Its levels now.
        kind: OrderKind,
    },
    /// It ended, and what is left of it will not fill.
    Expired {
        /// Which.
        order: OrderId,
        /// Why.
        why: &'static str,
    },
}

impl Report {
    /// The order it is about.
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Filled { order, .. }
            | Self::Reduced { order, .. }
            | Self::Triggered { order }
            | Self::Moved { order, .. }
            | Self::Expired { order, .. } => *order,
        }
    }
}

/// Why the broker did not do as it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// It does not trade this symbol.
    #[error("{0} is not traded here")]
    UnknownSymbol(Symbol),
    /// An amount did not fit.
    #[error("an amount of order {0} does not fit")]
    Amount(OrderId, #[source] AmountError),
}
