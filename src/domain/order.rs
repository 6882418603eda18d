//! How does an order live? One table of transitions; whatever is not in it is an error.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AmountError, AuditId, Label, OrderId, Price, Quantity, SignalId, Symbol};
use crate::clock::Timestamp;

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Take.
    Buy,
    /// Give.
    Sell,
}

impl Side {
    /// +1 for a purchase, -1 for a sale.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The side that undoes this one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

/// At which price an order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// At the next open.
    Market,
    /// At this price or better.
    Limit {
        /// The worst acceptable price.
        price: Price,
    },
    /// At the market once this price is touched.
    Stop {
        /// The price that sets it off.
        trigger: Price,
    },
    /// At this price or better, once the trigger is touched.
    StopLimit {
        /// The price that sets it off.
        trigger: Price,
        /// The worst acceptable price.
        price: Price,
    },
    /// At the market once the price turns back by a distance: the trigger follows the best price and never goes back.
    Trailing {
        /// The price that sets it off now.
        trigger: Price,
        /// How far the trigger stays behind the best price.
        distance: Price,
    },
    /// Leaves a position at whichever of two levels comes first; the other is void then.
    Bracket {
        /// The level that ends a loss.
        stop: Price,
        /// The level that takes a profit, if there is one.
        target: Option<Price>,
    },
}

/// How long an order may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until it is filled or taken back.
    #[default]
    Gtc,
    /// Until the end of the session it was approved in, or of the next one where none is open.
    Day,
    /// What does not fill on the first bar it meets is taken back.
    Ioc,
    /// It fills wholly on the first bar it meets, or not at all.
    Fok,
}

impl TimeInForce {
    /// All, in the order of the docs.
    pub const ALL: [Self; 4] = [Self::Gtc, Self::Day, Self::Ioc, Self::Fok];

    /// As it is written and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
            Self::Day => "day",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
        }
    }
}

/// What an order is for; decides which checks it must pass and what survives a halt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Opens or enlarges a position.
    Entry,
    /// Leaves a position because a strategy says so.
    Exit,
    /// Leaves a position at its stop or target.
    Protect,
    /// Leaves a position because a person, or a limit of the whole book, says so.
    Close,
    /// Leaves a position because the book can no longer carry it.
    Liquidate,
}

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Approved by risk, not yet at the broker.
    Approved,
    /// At the broker, nothing filled.
    Working,
    /// At the broker, a part filled.
    PartlyFilled,
    /// Done.
    Filled,
    /// Taken back, perhaps after a part filled.
    Cancelled,
    /// Not taken by the broker.
    Rejected,
    /// Ended by time or by the end of the data.
    Expired,
}

/// What can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAction {
    /// The broker took it.
    Accept,
    /// The broker refused it.
    Reject,
    /// A part was executed.
    FillPart,
    /// The rest was executed.
    Fill,
    /// It was taken back.
    Cancel,
    /// Its time is over.
    Expire,
}

/// The whole life cycle: in this state, on this action, to that state.
const TRANSITIONS: &[(OrderStatus, OrderAction, OrderStatus)] = &[
    (OrderStatus::Approved, OrderAction::Accept, OrderStatus::Working),
    (OrderStatus::Approved, OrderAction::Reject, OrderStatus::Rejected),
    (OrderStatus::Approved, OrderAction::Cancel, OrderStatus::Cancelled),
    (OrderStatus::Working, OrderAction::FillPart, OrderStatus::PartlyFilled),
    (OrderStatus::Working, OrderAction::Fill, OrderStatus::Filled),
    (OrderStatus::Working, OrderAction::Cancel, OrderStatus::Cancelled),
    (OrderStatus::Working, OrderAction::Expire, OrderStatus::Expired),
    (OrderStatus::PartlyFilled, OrderAction::FillPart, OrderStatus::PartlyFilled),
    (OrderStatus::PartlyFilled, OrderAction::Fill, OrderStatus::Filled),
    (OrderStatus::PartlyFilled, OrderAction::Cancel, OrderStatus::Cancelled),
    (OrderStatus::PartlyFilled, OrderAction::Expire, OrderStatus::Expired),
];

impl OrderStatus {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 7] = [
        Self::Approved,
        Self::Working,
        Self::PartlyFilled,
        Self::Filled,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
    ];

    /// The state after `action`.
    ///
    /// # Errors
    /// When the table does not list the step.
    pub fn after(self, action: OrderAction) -> Result<Self, TransitionError> {
        TRANSITIONS
            .iter()
            .find(|(from, on, _)| *from == self && *on == action)
            .map(|(_, _, to)| *to)
            .ok_or(TransitionError { from: self, action })
    }

    /// True while something can still fill.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Approved | Self::Working | Self::PartlyFilled)
    }

    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Working => "working",
            Self::PartlyFilled => "partly_filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }
}

/// A step that no order can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {} cannot {action:?}", from.as_str())]
pub struct TransitionError {
    from: OrderStatus,
    action: OrderAction,
}

/// How a position will be left, decided before it is entered. Distances are on the side of the loss or the profit: a short's stop
/// lies above its fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitPlan {
    /// How far from the fill the stop lies.
    pub stop_distance: Price,
    /// How far from the fill the target lies, if there is one.
    pub target_distance: Option<Price>,
    /// True if the stop follows the price.
    pub trailing: bool,
}

impl ExitPlan {
    /// Where the stop of an entry on this side lies if it fills at `price`.
    ///
    /// # Errors
    /// When the level does not fit.
    pub fn stop_from(&self, price: Price, side: Side) -> Result<Price, AmountError> {
        let away = if side == Side::Sell { self.stop_distance } else { self.stop_distance.negated() };
        Ok(price.plus(away)?.max(Price::STEP))
    }
}

/// An order and what became of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// For which book.
    pub book: Label,
    /// By which strategy.
    pub strategy: Label,
    /// The signal it came from; none for protective orders.
    pub signal: Option<SignalId>,
    /// Of what.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How.
    pub kind: OrderKind,
    /// What for.
    pub purpose: Purpose,
    /// How much in all.
    pub quantity: Quantity,
    /// How much of it is executed.
    pub filled: Quantity,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// True once a stop was touched: the rest goes at the market, of a stop-limit as a limit.
    pub triggered: bool,
    /// The last price when it was approved: what later fills are compared with.
    pub reference: Price,
    /// How the position will be left; entries only.
    pub plan: Option<ExitPlan>,
    /// How long it may wait.
    #[serde(default)]
    pub tif: TimeInForce,
    /// When it ends unfilled, in the market's time; only for orders of the day.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The rule behind it, in words.
    pub because: String,
    /// The row of the audit in which a person wanted it; none where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditId>,
    /// When it was approved, or approved anew by a replacement, in the market's time.
    pub created: Timestamp,
    /// When it last changed, in the market's time.
    pub updated: Timestamp,
}

impl Order {
    /// How much can still fill.
    pub fn remaining(&self) -> Quantity {
        Quantity::from_units(self.quantity.units().saturating_sub(self.filled.units()))
    }

    /// Takes one step of its life.
    ///
    /// # Errors
    /// When the table does not list the step; the order is unchanged then.
    pub fn step(&mut self, action: OrderAction, now: Timestamp) -> Result<(), TransitionError> {
        self.status = self.status.after(action)?;
        self.updated = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [OrderAction; 6] = [
        OrderAction::Accept,
        OrderAction::Reject,
        OrderAction::FillPart,
        OrderAction::Fill,
        OrderAction::Cancel,
        OrderAction::Expire,
    ];

    /// What has ended stays ended: no action leads out of a final state, and every other state has a way to end.
    #[test]
    fn ended_orders_stay_ended() {
        for status in OrderStatus::ALL {
            let ways_out = ACTIONS.iter().filter(|action| status.after(**action).is_ok()).count();
            assert_eq!(ways_out > 0, status.is_open(), "{status:?}");
        }
    }

    #[test]
    fn no_step_is_listed_twice() {
        for (index, (from, action, _)) in TRANSITIONS.iter().enumerate() {
            let again = TRANSITIONS[index + 1..].iter().any(|(f, a, _)| f == from && a == action);
            assert!(!again, "{from:?} {action:?}");
        }
    }

    #[test]
    fn a_filled_order_cannot_be_cancelled() {
        let error = OrderStatus::Filled.after(OrderAction::Cancel).expect_err("unlisted");
        assert_eq!(error.to_string(), "an order that is filled cannot Cancel");
    }
}
