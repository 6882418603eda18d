//! What was executed, at which price?

use serde::{Deserialize, Serialize};

use super::{FillId, Label, Money, OrderId, Price, Quantity, Side, Symbol};
use crate::clock::Timestamp;

/// Which part of an order was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FillLeg {
    /// At the market.
    Market,
    /// At a limit.
    Limit,
    /// At a stop.
    Stop,
    /// At a profit target.
    Target,
}

/// One execution of an order, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeFill {
    /// Its number.
    pub id: FillId,
    /// The order.
    pub order: OrderId,
    /// For which book.
    pub book: Label,
    /// Of what.
    pub symbol: Symbol,
    /// Bought or sold.
    pub side: Side,
    /// How much; positive.
    pub quantity: Quantity,
    /// At which price, slippage included.
    pub price: Price,
    /// What the broker took.
    pub fee: Money,
    /// What slippage cost, already in the price.
    pub slippage: Money,
    /// Why it filled.
    pub leg: FillLeg,
    /// When, in the market's time: the start of the bar for an open, the end of the bar for a level inside it.
    pub at: Timestamp,
}
