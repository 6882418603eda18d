//! What may a book have in a lane? Found once an instant, so that nothing is searched for again for every symbol.

use crate::domain::{Book, Order, Purpose, Symbol};

/// What a book may have of one symbol.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spot {
    /// The place of its position among the book's; none if it has none.
    pub(super) position: Option<usize>,
    /// False only if no entry is working.
    pub(super) may_enter: bool,
    /// False only if nothing but a stop can take the book out.
    pub(super) may_leave: bool,
}

impl Spot {
    /// Searches a book for one symbol.
    pub(super) fn find(book: &Book, symbol: Symbol) -> Self {
        let position = book.positions.iter().position(|held| held.symbol == symbol);
        Self { position, may_enter: true, may_leave: true }
    }
}

/// One spot a lane, as things stood when they were noted. Positions keep their places until something fills.
#[derive(Debug)]
pub(super) struct Spots(Vec<Spot>);

impl Spots {
    /// Nothing anywhere.
    pub(super) fn none(lanes: usize) -> Self {
        Self(vec![Spot::default(); lanes])
    }

    /// Looks through what the book has.
    pub(super) fn note(&mut self, book: &Book, orders: &[Order], lane_of: impl Fn(Symbol) -> Option<usize>) {
        self.0.fill(Spot::default());
        for (place, held) in book.positions.iter().enumerate() {
            if let Some(lane) = lane_of(held.symbol) {
                self.0[lane].position = Some(place);
            }
        }
        for order in orders.iter().filter(|order| order.purpose != Purpose::Protect) {
            if let Some(lane) = lane_of(order.symbol) {
                self.order(lane);
            }
        }
    }

    /// Notes that an order was placed in a lane.
    pub(super) fn order(&mut self, lane: usize) {
        (self.0[lane].may_enter, self.0[lane].may_leave) = (true, true);
    }

    /// What there may be in a lane.
    pub(super) fn of(&self, lane: usize) -> Spot {
        self.0[lane]
    }
}
