//! What did a change of a person do? It is the difference between the books before and after it.

use crate::domain::{
    ChangeRow, Did, EntryLock, Levels, Order, OrderId, Position, Purpose, Sent, Standing, Terms, Trace, TradeId,
};

use super::desk::Desk;
use super::lane::Lock;
use super::state::Engine;
use super::{overlay, plan_orders};

/// Everything that a change may change, as it was.
pub(super) struct Before {
    books: Vec<Was>,
    doubts: Vec<Option<Lock>>,
    last_trade: TradeId,
}

struct Was {
    standing: Standing,
    orders: Vec<Order>,
    positions: Vec<Position>,
    locks: Vec<EntryLock>,
    changes: Vec<ChangeRow>,
    /// Both tell of a reset.
    start: (TradeId, u32),
}

impl Before {
    pub(super) fn of(engine: &Engine) -> Self {
        let was = |desk: &Desk| Was {
            standing: desk.standing(),
            orders: desk.orders.clone(),
            positions: desk.book.positions.clone(),
            locks: desk.locks.clone(),
            changes: desk.changes.clone(),
            start: (desk.forgotten, desk.day.part),
        };
        let books = engine.desks.iter().map(was).collect();
        let doubts = engine.lanes.iter().map(|lane| lane.lock).collect();
        Self { books, doubts, last_trade: engine.counters.trade }
    }

    /// What was done since; nothing where it cannot be taken back, or not all of it.
    pub(super) fn traces(&self, engine: &Engine) -> Vec<Trace> {
        // A book that began anew has forgotten what it would have to go back to, and what a price is worth nobody decides twice.
        let anew = self.books.iter().zip(&engine.desks).any(|(was, desk)| was.start != (desk.forgotten, desk.day.part));
        let believed = self.doubts.iter().zip(&engine.lanes).any(|(was, lane)| *was != lane.lock);
        if anew || believed {
            return Vec::new();
        }
        let pairs = self.books.iter().zip(&engine.desks);
        let traces = pairs.flat_map(|(was, desk)| {
            let (book, forgotten) = (desk.name(), desk.forgotten);
            let all = was.did(desk, self.last_trade).into_iter();
            all.map(move |did| Trace { book, forgotten, did, fills: Vec::new() })
        });
        traces.collect()
    }
}

impl Was {
    fn did(&self, desk: &Desk, last_trade: TradeId) -> Vec<Did> {
        let mut all = self.to_orders(desk, last_trade);
        for held in &desk.book.positions {
            let was = self.positions.iter().find(|known| known.symbol == held.symbol).and_then(levels);
            if let (Some(was), Some(now)) = (was, levels(held))
                && was != now
            {
                all.push(Did::Set { symbol: held.symbol, trade: held.trade, was, now });
            }
        }
        let now = desk.standing();
        if self.standing != now {
            all.push(Did::State { was: Box::new(self.standing.clone()), now: Box::new(now) });
        }
        let not_in = |list: &[EntryLock], lock: &&EntryLock| !list.contains(lock);
        let made: Vec<EntryLock> = desk.locks.iter().filter(|lock| not_in(&self.locks, lock)).cloned().collect();
        let lifted: Vec<EntryLock> = self.locks.iter().filter(|lock| not_in(&desk.locks, lock)).cloned().collect();
        if !made.is_empty() || !lifted.is_empty() {
            all.push(Did::Locks { made, lifted });
        }
        let made: Vec<ChangeRow> = desk.changes.iter().filter(|row| !self.changes.contains(row)).cloned().collect();
        // What does not fit the file any more, with all that was there before, is not to come back.
        let unfit = overlay::fitting(&desk.base, &self.changes).1;
        let fits = |row: &ChangeRow| unfit.iter().all(|(id, _)| *id != row.id);
        let gone = self.changes.iter().filter(|row| !desk.changes.contains(row) && fits(row));
        let ended: Vec<ChangeRow> = gone.cloned().collect();
        if !made.is_empty() || !ended.is_empty() {
            all.push(Did::Settings { made, ended });
        }
        if !all.is_empty() {
            all.extend(self.what_stays(desk));
        }
        all
    }

    /// What is not taken back with the rest: orders that are gone would come again at the end of their queue, and a position that had no
    /// stop is not left without one.
    fn what_stays(&self, desk: &Desk) -> Vec<Did> {
        let gone = |order: &&Order| order.purpose != Purpose::Protect && !is_in(&desk.orders, order.id);
        let orders = self.orders.iter().filter(gone);
        let orders = orders.map(|order| format!("{}, is not sent again", plan_orders::words(order)));
        let bare =
            |held: &&Position| self.positions.iter().any(|was| was.symbol == held.symbol && levels(was).is_none());
        let new = desk.book.positions.iter().filter(|held| bare(held) && levels(held).is_some());
        let stops = new.map(|held| format!("the stop of {} stays, as it had none before", held.symbol));
        orders.chain(stops).map(|what| Did::Stays { what }).collect()
    }

    /// Orders that it sent out or changed; what protects positions follows these.
    fn to_orders(&self, desk: &Desk, last_trade: TradeId) -> Vec<Did> {
        let mut all = Vec::new();
        for order in desk.orders.iter().filter(|order| order.purpose != Purpose::Protect) {
            let (was, now) = (self.orders.iter().find(|known| known.id == order.id).map(terms), terms(order));
            match was {
                None => all.push(Did::Sent(Sent {
                    order: order.id,
                    symbol: order.symbol,
                    at: order.created,
                    enters: order.purpose == Purpose::Entry,
                    held: self.positions.iter().find(|held| held.symbol == order.symbol).cloned(),
                    last_trade,
                })),
                Some(was) if was != now => all.push(Did::Changed { order: order.id, was, now }),
                Some(_) => {}
            }
        }
        all
    }
}

fn is_in(orders: &[Order], id: OrderId) -> bool {
    orders.iter().any(|order| order.id == id)
}

/// What an order says now.
pub(super) fn terms(order: &Order) -> Terms {
    Terms { kind: order.kind, quantity: order.quantity }
}

/// The levels of a position.
pub(super) fn levels(held: &Position) -> Option<Levels> {
    let levels = held.protection?;
    Some(Levels { stop: levels.stop, target: levels.target, trail: levels.trail })
}
