//! What did a cycle do? Everything that must be stored together.

use crate::domain::{Alert, AuditId, Booking, ChangeRow, CycleId, Event, Order, Trade, TradeFill, TradeId};
use crate::risk::ExecutionRequest;
use crate::store::{DayRow, EventRow};

/// What one or more cycles did, in order.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Facts.
    pub events: Vec<EventRow>,
    /// Orders as they are after each change.
    pub orders: Vec<Order>,
    /// Executions.
    pub fills: Vec<TradeFill>,
    /// Finished round trips.
    pub trades: Vec<Trade>,
    /// Round trips that had ended and go on, as somebody took their end back.
    pub reopened: Vec<TradeId>,
    /// Money that moved without a fill.
    pub bookings: Vec<Booking>,
    /// Alerts as they are after each change.
    pub alerts: Vec<Alert>,
    /// Settings that people changed over the file, as they are after each change.
    pub changes: Vec<ChangeRow>,
    /// Days that ended.
    pub days: Vec<DayRow>,
    /// What the broker is to be told; empty again once the cycle is over.
    pub requests: Vec<ExecutionRequest>,
    /// The row of the audit that facts told from now on come from; none while nobody's wish is carried out.
    pub audit: Option<AuditId>,
}

impl Outcome {
    /// True if nothing happened.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.orders.is_empty()
            && self.fills.is_empty()
            && self.alerts.is_empty()
            && self.changes.is_empty()
            && self.days.is_empty()
    }

    /// Forgets everything, keeping the memory for the next cycle.
    pub fn clear(&mut self) {
        self.events.clear();
        self.orders.clear();
        self.fills.clear();
        self.trades.clear();
        self.reopened.clear();
        self.bookings.clear();
        self.alerts.clear();
        self.changes.clear();
        self.days.clear();
        self.requests.clear();
        self.audit = None;
    }

    /// Records a fact.
    pub fn tell(&mut self, cycle: CycleId, event: Event) {
        self.events.push(EventRow { cycle, event, audit: self.audit });
    }
}
