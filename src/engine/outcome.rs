//! What did a cycle do? Everything that must be stored together.

use crate::domain::{Alert, Booking, CycleId, Event, Order, Trade, TradeFill};
use crate::risk::ExecutionRequest;
use crate::store::DayRow;

/// What one or more cycles did, in order.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Facts.
    pub events: Vec<(CycleId, Event)>,
    /// Orders as they are after each change.
    pub orders: Vec<Order>,
    /// Executions.
    pub fills: Vec<TradeFill>,
    /// Finished round trips.
    pub trades: Vec<Trade>,
    /// Money that moved without a fill.
    pub bookings: Vec<Booking>,
    /// Alerts as they are after each change.
    pub alerts: Vec<Alert>,
    /// Days that ended.
    pub days: Vec<DayRow>,
    /// What the broker is to be told; empty again once the cycle is over.
    pub requests: Vec<ExecutionRequest>,
}

impl Outcome {
    /// True if nothing happened.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.orders.is_empty()
            && self.fills.is_empty()
            && self.alerts.is_empty()
            && self.days.is_empty()
    }

    /// Forgets everything, keeping the memory for the next cycle.
    pub fn clear(&mut self) {
        self.events.clear();
        self.orders.clear();
        self.fills.clear();
        self.trades.clear();
        self.bookings.clear();
        self.alerts.clear();
        self.days.clear();
        self.requests.clear();
    }

    /// Records a fact.
    pub fn tell(&mut self, cycle: CycleId, event: Event) {
        self.events.push((cycle, event));
    }
}
