//! What does risk look at? One book at one instant, with everything this cycle approved before already counted.

use crate::domain::{AmountError, Money, Price, Proposal, Purpose, Quantity, Ratio, TradingState};

/// The figures that the checks measure. `count` adds an approval, so that two orders that each fit cannot together break a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// What the book may do.
    pub state: TradingState,
    /// Cash plus positions at market.
    pub equity: Money,
    /// Cash that no working entry has claimed.
    pub free_cash: Money,
    /// Positions at market plus working entries.
    pub exposure: Money,
    /// Open positions plus working entries in other symbols.
    pub positions: u64,
    /// Entries approved today.
    pub trades_today: u64,
    /// What is lost if every stop fills, working entries included.
    pub open_risk: Money,
    /// Loss since the day's start as a share of the equity then; zero in profit.
    pub day_loss: Ratio,
    /// Fall from the highest equity, as a share of it.
    pub drawdown: Ratio,
    /// What is held of the symbol in question, at market.
    pub held_value: Money,
    /// How much of the symbol is held.
    pub held_quantity: Quantity,
    /// Bars of the symbol that are missing.
    pub bars_missing: u64,
    /// Move of the symbol's last bar against the one before, without sign.
    pub last_move: Ratio,
    /// True while the symbol's price is in doubt.
    pub locked: bool,
    /// The smallest amount that can be ordered.
    pub lot: Quantity,
}

impl Situation {
    /// A running book that has only its capital.
    pub fn of_capital(capital: Money) -> Self {
        Self {
            state: TradingState::Running,
            equity: capital,
            free_cash: capital,
            exposure: Money::ZERO,
            positions: 0,
            trades_today: 0,
            open_risk: Money::ZERO,
            day_loss: Ratio::ZERO,
            drawdown: Ratio::ZERO,
            held_value: Money::ZERO,
            held_quantity: Quantity::ZERO,
            bars_missing: 0,
            last_move: Ratio::ZERO,
            locked: false,
            lot: Quantity::whole(1),
        }
    }

    /// Counts an entry that was approved.
    ///
    /// # Errors
    /// When an amount does not fit.
    pub fn count(&mut self, approved: &Proposal) -> Result<(), AmountError> {
        if approved.purpose != Purpose::Entry {
            return Ok(());
        }
        let value = approved.quantity.value_at(approved.reference)?;
        self.free_cash = self.free_cash.minus(value)?;
        self.exposure = self.exposure.plus(value)?;
        self.open_risk = self.open_risk.plus(approved.risk)?;
        self.positions += 1;
        self.trades_today += 1;
        Ok(())
    }

    /// Adds what a position loses at its stop; the whole of it if there is none.
    ///
    /// # Errors
    /// When the value does not fit.
    pub fn add_open_risk(&mut self, quantity: Quantity, price: Price, stop: Option<Price>) -> Result<(), AmountError> {
        let loss = super::sizing::loss_to_stop(quantity, price, stop.unwrap_or(Price::ZERO))?;
        self.open_risk = self.open_risk.plus(loss)?;
        Ok(())
    }
}
