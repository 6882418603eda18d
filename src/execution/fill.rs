//! How does one order meet one bar? It is looked at before, filled where it touches, and settled after.

use crate::clock::Timestamp;
use crate::domain::{
    AmountError, FillLeg, MarketSnapshot, Order, OrderAction, OrderStatus, Price, Purpose, Quantity, Side, SnapshotBar,
    TimeInForce,
};

use super::inside_bar::{Sight, Touch, arms, touch};
use super::trailing::follow;
use super::{Costs, Report};

/// An order at the broker.
#[derive(Debug)]
pub(super) struct Working {
    /// The place of its instrument in the feed's list.
    pub(super) instrument: usize,
    /// The smallest amount of it.
    pub(super) lot: Quantity,
    /// The order.
    pub(super) order: Order,
    /// True once a bar has opened after it reached the market.
    pub(super) arrived: bool,
    /// What it makes of the snapshot at hand.
    pub(super) met: Met,
    /// What it was given of the volume.
    pub(super) part: Option<Part>,
}

/// What an order gets of a bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Its own quantity.
    pub(super) gets: Quantity,
    /// All that fills at this price and side, of whichever book.
    pub(super) total: Quantity,
}

/// What an order makes of a snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Met {
    /// There is no bar of its instrument.
    #[default]
    Nothing,
    /// There is one that it may not fill in: its session is over, trading is suspended, or it is still on its way.
    Passed,
    /// It ends before it can fill.
    Over(&'static str),
    /// The bar at this place, what the order sees of it and where it touches.
    Bar(usize, Sight, Option<Touch>),
}

impl Working {
    /// An order that was just taken.
    pub(super) fn new(instrument: usize, lot: Quantity, order: Order) -> Self {
        Self { instrument, lot, order, arrived: false, met: Met::Nothing, part: None }
    }

    /// Where it touches the bar at hand, while it can still fill.
    pub(super) fn touch(&self) -> Option<(usize, Touch)> {
        match self.met {
            Met::Bar(bar, _, Some(touch)) if self.order.status.is_open() => Some((bar, touch)),
            Met::Bar(..) | Met::Nothing | Met::Passed | Met::Over(_) => None,
        }
    }

    /// Looks at the snapshot before anything fills, by the levels that were in force before it.
    ///
    /// # Errors
    /// When a price does not fit.
    pub(super) fn look(
        &mut self,
        snapshot: &MarketSnapshot,
        costs: impl FnOnce(&Order) -> Costs,
        suspended: impl FnOnce(usize) -> bool,
    ) -> Result<(), AmountError> {
        self.met = Met::Nothing;
        self.part = None;
        let Some((index, bar)) = finest_bar(snapshot, self.instrument) else { return Ok(()) };
        let order = &self.order;
        self.met = if order.expires.is_some_and(|expires| expires <= bar.opens) || suspended(bar.instrument) {
            Met::Passed
        } else if bar.is_last && order.purpose == Purpose::Entry {
            Met::Over("recorded prices end with this bar")
        } else {
            match self.sight(bar, snapshot.at, costs)? {
                Some(sight) => Met::Bar(index, sight, touch(&self.order, &sight)),
                None => Met::Passed,
            }
        };
        Ok(())
    }

    /// What it sees of a bar; none if it reaches the market after it.
    fn sight(
        &mut self,
        bar: &SnapshotBar,
        now: Timestamp,
        costs: impl FnOnce(&Order) -> Costs,
    ) -> Result<Option<Sight>, AmountError> {
        let order = &self.order;
        if !self.arrived {
            let latency_ms = costs(order).latency_ms;
            let arrives = order.created.plus_ms(latency_ms);
            if arrives > bar.opens {
                let (passed, length) = (arrives.since(bar.opens), now.since(bar.opens));
                let inside = passed < length;
                return inside.then(|| Sight::from_arrival(order.side, &bar.bar, passed, length)).transpose();
            }
            self.arrived = true;
        }
        Ok(Some(Sight::whole(order.side, &bar.bar)))
    }

    /// Fills its part where it touches. Nothing changes on error.
    ///
    /// # Errors
    /// When an amount does not fit.
    pub(super) fn fill(
        &mut self,
        bar: &SnapshotBar,
        touch: Touch,
        now: Timestamp,
        costs: Costs,
        part: Part,
    ) -> Result<Option<Report>, AmountError> {
        let (order, Part { gets: quantity, total }) = (&mut self.order, part);
        let newly_triggered = touch.leg == FillLeg::Stop && !order.triggered;
        if quantity.is_zero() {
            order.triggered |= newly_triggered;
            return Ok(newly_triggered.then_some(Report::Triggered { order: order.id }));
        }
        let price = match (touch.leg, touch.limit) {
            (FillLeg::Limit | FillLeg::Target, _) => touch.price,
            (FillLeg::Market | FillLeg::Stop, limit) => {
                let slipped = costs.slipped(touch.price, order.side, total, &bar.bar)?;
                match order.side {
                    Side::Buy => slipped.min(limit.unwrap_or(Price::MAX)),
                    Side::Sell => slipped.max(limit.unwrap_or(Price::ZERO)),
                }
            }
        };
        let slippage = quantity.value_at(Price::from_units((price.units() - touch.price.units()).abs()))?;
        let fee = costs.fee_of(quantity, price)?;
        order.filled = order.filled.plus(quantity)?;
        order.triggered |= newly_triggered;
        let done = order.remaining().is_zero();
        let action = if done { OrderAction::Fill } else { OrderAction::FillPart };
        order.status = order.status.after(action).unwrap_or(order.status);
        let at = if touch.at_open { bar.opens } else { now };
        Ok(Some(Report::Filled { order: order.id, quantity, done, price, fee, slippage, leg: touch.leg, at }))
    }

    /// Settles what the bar leaves behind: a stop-limit is triggered, a trailing stop follows, and what does not wait ends.
    ///
    /// # Errors
    /// When a level does not fit; the order stays as it is then.
    pub(super) fn settle(&mut self, now: Timestamp, reports: &mut Vec<Report>) -> Result<(), AmountError> {
        let mut result = Ok(());
        if let Met::Bar(_, sight, _) = self.met {
            let order = &mut self.order;
            if arms(order, &sight) {
                order.triggered = true;
                reports.push(Report::Triggered { order: order.id });
            }
            if !order.triggered {
                match follow(order.kind, order.side, sight.best) {
                    Ok(None) => {}
                    Ok(Some(kind)) => {
                        order.kind = kind;
                        reports.push(Report::Moved { order: order.id, kind });
                    }
                    Err(error) => result = Err(error),
                }
            }
            match order.tif {
                TimeInForce::Gtc | TimeInForce::Day => {}
                TimeInForce::Ioc => self.end(reports, "the rest could not be filled at once"),
                TimeInForce::Fok => self.end(reports, "it could not be filled whole at once"),
            }
        }
        let over = self.order.expires.is_some_and(|expires| expires <= now);
        if over && self.order.status.is_open() && !matches!(self.met, Met::Nothing) {
            self.end(reports, "the session ended");
        }
        result
    }

    /// Ends it with what it has.
    pub(super) fn end(&mut self, reports: &mut Vec<Report>, why: &'static str) {
        self.order.status = OrderStatus::Expired;
        reports.push(Report::Expired { order: self.order.id, why });
    }
}

/// The bar that drives fills, and its place: bars are sorted by instrument.
fn finest_bar(snapshot: &MarketSnapshot, instrument: usize) -> Option<(usize, &SnapshotBar)> {
    let from = snapshot.bars.partition_point(|bar| bar.instrument < instrument);
    let own = snapshot.bars.iter().enumerate().skip(from).take_while(|(_, bar)| bar.instrument == instrument);
    own.into_iter().find(|(_, bar)| bar.is_finest)
}
