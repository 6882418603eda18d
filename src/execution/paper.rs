//! The paper broker: holds working orders and fills them against bars, the way a careful exchange would.

use std::collections::HashMap;

use crate::domain::{
    Instrument, MarketSnapshot, Order, OrderAction, Purpose, Quantity, Ratio, SnapshotBar, Split, Symbol, TimeInForce,
};
use crate::risk::{ExecutionRequest, Instruction};

use super::allocate::{Claim, allocate};
use super::change::split_order;
use super::fill::{Met, Part, Working};
use super::inside_bar::Touch;
use super::{BrokerError, Costs, Report, replace_order};

/// Fills orders against bars. Holds nothing that the ledger does not also hold.
#[derive(Debug)]
pub struct PaperBroker {
    instruments: HashMap<Symbol, (usize, Quantity)>,
    working: Vec<Working>,
    /// What was given out of each instrument's volume in the snapshot at hand.
    given: Vec<(usize, Quantity)>,
}

impl PaperBroker {
    /// A broker for these instruments, in the feed's order.
    pub fn new(instruments: &[Instrument]) -> Self {
        let instruments = instruments.iter().enumerate().map(|(index, it)| (it.symbol, (index, it.lot()))).collect();
        Self { instruments, working: Vec::new(), given: Vec::new() }
    }

    /// Does what an approval permits. Changing or taking back what is already gone is no error: it may have ended in this very cycle.
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
                self.working.push(Working::new(instrument, lot, order));
            }
            Instruction::Amend { order, quantity, kind } => {
                // What protects a position never stops doing so: the change is there at once.
                if let Some(working) = self.working.iter_mut().find(|working| working.order.id == order) {
                    working.order.quantity = quantity;
                    working.order.kind = kind;
                }
            }
            Instruction::Replace { order, quantity, kind, reference, at } => {
                if let Some(working) = self.working.iter_mut().find(|working| working.order.id == order) {
                    replace_order(&mut working.order, quantity, kind, reference, at);
                    working.arrived = false;
                }
            }
            Instruction::Cancel { order } => self.working.retain(|working| working.order.id != order),
        }
        self.working.retain(|working| working.order.remaining() > Quantity::ZERO);
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
    /// an instrument for which `suspended` says true fills. Orders that leave the same position share what is held of it, and books
    /// that meet a bar at the same price share its volume. Trailing stops follow afterwards, and what may not wait ends.
    ///
    /// # Errors
    /// When an amount does not fit; every other order is dealt with all the same.
    pub fn fill(
        &mut self,
        snapshot: &MarketSnapshot,
        costs: impl Fn(&Order) -> Costs,
        suspended: impl Fn(usize) -> bool,
        reports: &mut Vec<Report>,
    ) -> Result<(), BrokerError> {
        // One order that cannot be computed must not keep the others, stops among them, from filling.
        let mut result = Ok(());
        let mut busy = false;
        for working in &mut self.working {
            let looked = working.look(snapshot, &costs, &suspended);
            result = result.and(looked.map_err(|error| BrokerError::Amount(working.order.id, error)));
            busy |= matches!(working.met, Met::Over(_) | Met::Bar(_, _, Some(_)));
        }
        if busy {
            self.given.clear();
            for at_open in [true, false] {
                for index in 0..self.working.len() {
                    let working = &mut self.working[index];
                    if let Met::Over(why) = working.met
                        && working.order.status.is_open()
                    {
                        working.end(reports, why);
                    } else if working.touch().is_some_and(|(_, touch)| touch.at_open == at_open) {
                        result = result.and(self.fill_one(index, snapshot, &costs, reports));
                    }
                }
            }
        }
        for working in self.working.iter_mut().filter(|working| working.order.status.is_open()) {
            let settled = working.settle(snapshot.at, reports);
            result = result.and(settled.map_err(|error| BrokerError::Amount(working.order.id, error)));
        }
        self.working.retain(|working| working.order.status.is_open());
        result
    }

    /// Fills one order by its part. Parts are given out when the first of those that share comes to its turn.
    fn fill_one(
        &mut self,
        index: usize,
        snapshot: &MarketSnapshot,
        costs: &impl Fn(&Order) -> Costs,
        reports: &mut Vec<Report>,
    ) -> Result<(), BrokerError> {
        let Some((bar, touch)) = self.working[index].touch() else { return Ok(()) };
        let bar = &snapshot.bars[bar];
        if self.working[index].part.is_none() {
            self.give_parts(index, bar, touch, costs);
        }
        let working = &mut self.working[index];
        let Some(part) = working.part else { return Ok(()) };
        let report = working.fill(bar, touch, snapshot.at, costs(&working.order), part);
        reports.extend(report.map_err(|error| BrokerError::Amount(working.order.id, error))?);
        if !part.gets.is_zero() {
            self.share_position(index, part.gets, reports);
        }
        Ok(())
    }

    /// Shares what is left of the bar's volume among the books that meet it on the same side at the same price. Of a book these are
    /// the next orders whose turn it is: an order never overtakes an older one of its own book that meets the bar elsewhere.
    fn give_parts(&mut self, first: usize, bar: &SnapshotBar, touch: Touch, costs: &impl Fn(&Order) -> Costs) {
        let side = self.working[first].order.side;
        let gone: i64 =
            self.given.iter().filter(|(instrument, _)| *instrument == bar.instrument).map(|(_, sum)| sum.units()).sum();
        let (mut members, mut claims, mut passed) = (Vec::new(), Vec::new(), Vec::new());
        for (index, working) in self.working.iter().enumerate().skip(first) {
            let order = &working.order;
            let Some((_, own)) = working.touch().filter(|(_, own)| own.at_open == touch.at_open) else { continue };
            if working.instrument != bar.instrument {
                continue;
            }
            // One that has its part already shares elsewhere, and its turn has yet to come.
            if working.part.is_some() || order.side != side || own.price != touch.price {
                passed.push(order.book);
            } else if !passed.contains(&order.book) {
                // A share that does not fit is more than any order can want, and the largest share stands for no limit at all.
                let share = costs(order).volume_share;
                let share = if share == Ratio::MAX { None } else { bar.bar.volume.times(share).ok() };
                let share = share.unwrap_or(Quantity::MAX);
                let cap = Quantity::from_units(share.units() - gone);
                let (leaves, whole) = (order.purpose != Purpose::Entry, order.tif == TimeInForce::Fok);
                members.push(index);
                claims.push(Claim { book: order.book, wanted: order.remaining(), leaves, whole, cap });
            }
        }
        let parts = allocate(&claims, self.working[first].lot);
        let total = Quantity::from_units(parts.iter().map(|gets| gets.units()).sum());
        for (index, gets) in members.into_iter().zip(parts) {
            self.working[index].part = Some(Part { gets, total });
        }
        self.given.push((bar.instrument, total));
    }

    /// What one order left of a position, the others that leave the same position cannot leave again.
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
