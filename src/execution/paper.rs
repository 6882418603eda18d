//! The paper broker: holds working orders and fills them against bars, the way a careful exchange would.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, FillLeg, Instrument, MarketSnapshot, Money, Order, OrderAction, OrderId, OrderKind, OrderStatus,
    Price, Purpose, Quantity, SnapshotBar, Split, Symbol,
};
use crate::risk::{ExecutionRequest, Instruction};

use super::{Costs, Touch, touch};

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
    /// Another order sold a part of what it was to sell.
    Reduced {
        /// Which.
        order: OrderId,
        /// How much it is for now, in all.
        quantity: Quantity,
    },
    /// Its stop was touched and nothing filled yet: it goes on at the market.
    Triggered {
        /// Which.
        order: OrderId,
    },
    /// It ended unfilled.
    Expired {
        /// Which.
        order: OrderId,
        /// Why.
        why: &'static str,
    },
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

#[derive(Debug)]
struct Working {
    instrument: usize,
    lot: Quantity,
    order: Order,
}

/// Fills orders against bars. Holds nothing that the ledger does not also hold.
#[derive(Debug)]
pub struct PaperBroker {
    instruments: HashMap<Symbol, (usize, Quantity)>,
    working: Vec<Working>,
}

impl PaperBroker {
    /// A broker for these instruments, in the feed's order.
    pub fn new(instruments: &[Instrument]) -> Self {
        let instruments = instruments.iter().enumerate().map(|(index, it)| (it.symbol, (index, it.lot()))).collect();
        Self { instruments, working: Vec::new() }
    }

    /// Does what an approval permits.
    ///
    /// # Errors
    /// When the symbol is unknown; nothing changes then.
    pub fn submit(&mut self, request: ExecutionRequest) -> Result<(), BrokerError> {
        match request.into_instruction() {
            Instruction::Place(mut order) => {
                let Some(&(instrument, lot)) = self.instruments.get(&order.symbol) else {
                    return Err(BrokerError::UnknownSymbol(order.symbol));
                };
                order.status = order.status.after(OrderAction::Accept).unwrap_or(order.status);
                self.working.push(Working { instrument, lot, order });
            }
            Instruction::Amend { order, quantity, kind } => {
                // Changing or taking back what is already gone is no error: it may have ended in this very cycle.
                if let Some(working) = self.working.iter_mut().find(|working| working.order.id == order) {
                    working.order.quantity = quantity;
                    working.order.kind = kind;
                }
            }
            Instruction::Cancel { order } => self.working.retain(|working| working.order.id != order),
        }
        Ok(())
    }

    /// Follows a split in every working order of the instrument.
    ///
    /// # Errors
    /// When a new quantity or level does not fit.
    pub fn apply_split(&mut self, split: Split) -> Result<(), BrokerError> {
        let (new, old) = (split.numerator, split.denominator);
        for working in self.working.iter_mut().filter(|working| working.instrument == split.instrument) {
            let order = &mut working.order;
            split_order(order, new, old).map_err(|error| BrokerError::Amount(order.id, error))?;
        }
        Ok(())
    }

    /// Fills what the snapshot's finest bars reach: first all that fills at the open, then what is touched later in the bar. Nothing of
    /// an instrument for which `suspended` says true fills. Orders that leave the same position share what is held of it.
    ///
    /// # Errors
    /// When an amount does not fit.
    pub fn fill(
        &mut self,
        snapshot: &MarketSnapshot,
        costs: impl Fn(&Order) -> Costs,
        suspended: impl Fn(usize) -> bool,
        reports: &mut Vec<Report>,
    ) -> Result<(), BrokerError> {
        if self.working.is_empty() {
            return Ok(());
        }
        let mut result = Ok(());
        let mut used: Vec<(usize, Quantity)> = Vec::new();
        for at_open in [true, false] {
            for index in 0..self.working.len() {
                let working = &mut self.working[index];
                let bar = finest_bar(snapshot, working.instrument).filter(|bar| !suspended(bar.instrument));
                let Some(bar) = bar.filter(|_| working.order.status.is_open()) else { continue };
                if bar.is_last && working.order.purpose == Purpose::Entry {
                    working.end(reports, "recorded prices end with this bar");
                    continue;
                }
                let Some(touch) = touch(&working.order, &bar.bar).filter(|touch| touch.at_open == at_open) else {
                    continue;
                };
                let taken =
                    used.iter().filter(|(instrument, _)| *instrument == bar.instrument).map(|(_, sum)| sum.units());
                let taken = Quantity::from_units(taken.sum());
                let costs = costs(&working.order);
                let report = fill_one(working, bar, touch, snapshot.at, costs, taken);
                let report = match report {
                    Ok(report) => report,
                    Err(error) => {
                        // One order that cannot be computed must not keep the others, stops among them, from filling.
                        result = result.and(Err(BrokerError::Amount(working.order.id, error)));
                        continue;
                    }
                };
                let filled = match report {
                    Some(Report::Filled { quantity, .. }) => Some(quantity),
                    _ => None,
                };
                reports.extend(report);
                if let Some(quantity) = filled {
                    used.push((bar.instrument, quantity));
                    self.share_position(index, quantity, reports);
                }
            }
        }
        self.working.retain(|working| working.order.status.is_open());
        result
    }

    /// What one order sold of a position, the others that leave the same position cannot sell again.
    fn share_position(&mut self, filled: usize, quantity: Quantity, reports: &mut Vec<Report>) {
        let (book, symbol, purpose) = {
            let order = &self.working[filled].order;
            (order.book, order.symbol, order.purpose)
        };
        if purpose == Purpose::Entry {
            return;
        }
        for (index, working) in self.working.iter_mut().enumerate() {
            let order = &mut working.order;
            let rival =
                index != filled && order.purpose != Purpose::Entry && order.book == book && order.symbol == symbol;
            if !rival || !order.status.is_open() {
                continue;
            }
            let remaining = Quantity::from_units((order.remaining().units() - quantity.units()).max(0));
            order.quantity = Quantity::from_units(order.filled.units() + remaining.units());
            reports.push(Report::Reduced { order: order.id, quantity: order.quantity });
            if remaining.is_zero() {
                working.end(reports, "the position is gone");
            }
        }
    }
}

impl Working {
    fn end(&mut self, reports: &mut Vec<Report>, why: &'static str) {
        self.order.status = OrderStatus::Expired;
        reports.push(Report::Expired { order: self.order.id, why });
    }
}

/// The bar that drives fills: bars are sorted by instrument.
fn finest_bar(snapshot: &MarketSnapshot, instrument: usize) -> Option<&SnapshotBar> {
    let from = snapshot.bars.partition_point(|bar| bar.instrument < instrument);
    snapshot.bars[from..].iter().take_while(|bar| bar.instrument == instrument).find(|bar| bar.is_finest)
}

/// Changes an order for a split: the quantities grow, the levels shrink.
pub(crate) fn split_order(order: &mut Order, new: i64, old: i64) -> Result<(), AmountError> {
    let level = |price: Price| price.scaled(old, new);
    order.kind = match order.kind {
        OrderKind::Market => OrderKind::Market,
        OrderKind::Limit { price } => OrderKind::Limit { price: level(price)? },
        OrderKind::Stop { trigger } => OrderKind::Stop { trigger: level(trigger)? },
        OrderKind::StopLimit { trigger, price } => {
            OrderKind::StopLimit { trigger: level(trigger)?, price: level(price)? }
        }
        OrderKind::Trailing { trigger, distance } => {
            OrderKind::Trailing { trigger: level(trigger)?, distance: level(distance)? }
        }
        OrderKind::Bracket { stop, target } => {
            OrderKind::Bracket { stop: level(stop)?, target: target.map(level).transpose()? }
        }
    };
    // What is left is scaled as the position is, by one rounding: two would leave a crumb that nobody can sell.
    let rest = order.remaining().scaled(new, old)?;
    order.filled = order.filled.scaled(new, old)?;
    order.quantity = order.filled.plus(rest)?;
    order.reference = level(order.reference)?;
    if let Some(plan) = &mut order.plan {
        plan.stop_distance = level(plan.stop_distance)?;
        plan.target_distance = plan.target_distance.map(level).transpose()?;
    }
    Ok(())
}

fn fill_one(
    working: &mut Working,
    bar: &SnapshotBar,
    touch: Touch,
    now: Timestamp,
    costs: Costs,
    taken: Quantity,
) -> Result<Option<Report>, AmountError> {
    let order = &mut working.order;
    let available = bar.bar.volume.times(costs.volume_share)?.minus(taken)?.max(Quantity::ZERO);
    let wanted = order.remaining();
    // Leaving must be possible to the last fraction, even where a split left less than a lot.
    let quantity = if available >= wanted { wanted } else { available.in_lots(working.lot) };
    let newly_triggered = touch.leg == FillLeg::Stop && !order.triggered;
    order.triggered |= newly_triggered;
    if quantity.is_zero() {
        return Ok(newly_triggered.then_some(Report::Triggered { order: order.id }));
    }
    let slips = matches!(touch.leg, FillLeg::Market | FillLeg::Stop);
    let price = if slips { costs.slipped(touch.price, order.side, &bar.bar)? } else { touch.price };
    let slippage = quantity.value_at(Price::from_units((price.units() - touch.price.units()).abs()))?;
    order.filled = order.filled.plus(quantity)?;
    let action = if order.remaining().is_zero() { OrderAction::Fill } else { OrderAction::FillPart };
    if let Ok(status) = order.status.after(action) {
        order.status = status;
    }
    Ok(Some(Report::Filled {
        order: order.id,
        quantity,
        done: order.remaining().is_zero(),
        price,
        fee: costs.fee_of(quantity, price)?,
        slippage,
        leg: touch.leg,
        at: if touch.at_open { bar.opens } else { now },
    }))
}
