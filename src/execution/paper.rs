//! The paper broker: holds working orders and fills them against bars, the way a careful exchange would.

use std::collections::HashMap;

use crate::domain::{
    Instrument, MarketSnapshot, Order, OrderAction, Purpose, Quantity, Ratio, SnapshotBar, Split, Symbol, TimeInForce,
};
use crate::risk::{ExecutionRequest, Instruction};

use super::allocate::{Claim, allocate};
use super::change::split_order;
use super::fill::{Met, Working};
use super::inside_bar::Touch;
use super::{BrokerError, Costs, Report, replace_order};

/// Fills orders against bars. Holds nothing that the ledger does not also hold.
#[derive(Debug)]
pub struct PaperBroker {
    instruments: HashMap<Symbol, (usize, Quantity)>,
    working: Vec<Working>,
    /// What filled of each instrument in the snapshot at hand.
    filled: Vec<(usize, Quantity)>,
}

impl PaperBroker {
    /// A broker for these instruments, in the feed's order.
    pub fn new(instruments: &[Instrument]) -> Self {
        let instruments = instruments.iter().enumerate().map(|(index, it)| (it.symbol, (index, it.lot()))).collect();
        Self { instruments, working: Vec::new(), filled: Vec::new() }
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
            Instruction::Replace { order, quantity, kind, at } => {
                if let Some(working) = self.working.iter_mut().find(|working| working.order.id == order) {
                    replace_order(&mut working.order, quantity, kind, at);
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
            self.filled.clear();
            for at_open in [true, false] {
                for index in 0..self.working.len() {
                    let working = &mut self.working[index];
                    if let Met::Over(why) = working.met
                        && working.order.status.is_open()
                    {
                        working.end(reports, why);
                    } else if working.touch().is_some_and(|(_, touch)| touch.at_open == at_open) {
                        result = result.and(self.fill_price(index, snapshot, &costs, reports));
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

    /// Fills every order that meets the bar on the same side at the same price as the first one.
    fn fill_price(
        &mut self,
        first: usize,
        snapshot: &MarketSnapshot,
        costs: &impl Fn(&Order) -> Costs,
        reports: &mut Vec<Report>,
    ) -> Result<(), BrokerError> {
        let Some((bar, touch)) = self.working[first].touch() else { return Ok(()) };
        let bar = &snapshot.bars[bar];
        let (members, claims) = self.claims(first, bar, touch, costs);
        let given = allocate(&claims, self.working[first].lot);
        let total = Quantity::from_units(given.iter().map(|gets| gets.units()).sum());
        let mut result = Ok(());
        for (index, gets) in members.into_iter().zip(given) {
            let working = &mut self.working[index];
            let Some((_, touch)) = working.touch() else { continue };
            if let Met::Bar(_, _, touch) = &mut working.met {
                *touch = None;
            }
            let gets = gets.min(working.order.remaining());
            let costs = costs(&working.order);
            match working.fill(bar, touch, snapshot.at, costs, gets, total) {
                Ok(report) => reports.extend(report),
                Err(error) => {
                    result = result.and(Err(BrokerError::Amount(working.order.id, error)));
                    continue;
                }
            }
            if !gets.is_zero() {
                self.filled.push((bar.instrument, gets));
                self.share_position(index, gets, reports);
            }
        }
        result
    }

    /// Who meets the bar where the first order does, and what each asks for of what is left of the volume.
    fn claims(
        &self,
        first: usize,
        bar: &SnapshotBar,
        touch: Touch,
        costs: &impl Fn(&Order) -> Costs,
    ) -> (Vec<usize>, Vec<Claim>) {
        let side = self.working[first].order.side;
        let gone = self.filled.iter().filter(|(instrument, _)| *instrument == bar.instrument);
        let gone: i64 = gone.map(|(_, sum)| sum.units()).sum();
        let (mut members, mut claims) = (Vec::new(), Vec::new());
        for (index, working) in self.working.iter().enumerate().skip(first) {
            let order = &working.order;
            let meets = working.touch().is_some_and(|(_, other)| {
                working.instrument == bar.instrument
                    && order.side == side
                    && (other.at_open, other.price) == (touch.at_open, touch.price)
            });
            if !meets {
                continue;
            }
            // A share that does not fit is more than any order can want, and the largest share stands for no limit at all.
            let share = costs(order).volume_share;
            let share = if share == Ratio::MAX { None } else { bar.bar.volume.times(share).ok() };
            let share = share.unwrap_or(Quantity::MAX);
            let cap = Quantity::from_units(share.units() - gone);
            let (leaves, whole) = (order.purpose != Purpose::Entry, order.tif == TimeInForce::Fok);
            members.push(index);
            claims.push(Claim { book: order.book, wanted: order.remaining(), leaves, whole, cap });
        }
        (members, claims)
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
