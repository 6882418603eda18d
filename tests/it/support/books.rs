//! A database with a book in it that nobody had to trade for.

use bellwether::clock::Timestamp;
use bellwether::domain::{
    Book, CycleId, EntryLock, Money, Order, OrderId, OrderKind, OrderStatus, Position, Price, Protection, Purpose,
    Quantity, RunId, Side, TimeInForce, TradeId, TradingState,
};
use bellwether::store::{Batch, BookRow, ProgressRow, Recorded, Store};

use super::Bench;

/// A position: how much of what, at which average price, and where its loss ends.
pub(crate) struct Holding {
    pub(crate) symbol: &'static str,
    pub(crate) quantity: i64,
    pub(crate) entry: i64,
    pub(crate) stop: Option<i64>,
}

impl Holding {
    fn order(&self, number: u64, at: Timestamp) -> Option<Order> {
        let side = if self.quantity < 0 { Side::Buy } else { Side::Sell };
        Some(Order {
            id: OrderId(number),
            book: "main".parse().expect("name"),
            strategy: "sma_cross".parse().expect("name"),
            signal: None,
            symbol: self.symbol.parse().expect("symbol"),
            side,
            kind: OrderKind::Bracket { stop: Price::whole(self.stop?), target: None },
            purpose: Purpose::Protect,
            quantity: Quantity::whole(self.quantity.abs()),
            filled: Quantity::ZERO,
            status: OrderStatus::Working,
            triggered: false,
            reference: Price::whole(self.entry),
            plan: None,
            tif: TimeInForce::Gtc,
            expires: None,
            because: "a stop".to_owned(),
            audit: None,
            created: at,
            updated: at,
        })
    }

    fn position(&self, number: u64, at: Timestamp) -> Position {
        let (quantity, entry) = (Quantity::whole(self.quantity), Price::whole(self.entry));
        let value = quantity.abs().value_at(entry).expect("fits");
        let stop = |stop| Protection { stop: Price::whole(stop), target: None, trail: None, order: OrderId(number) };
        Position {
            trade: TradeId(number),
            symbol: self.symbol.parse().expect("symbol"),
            strategy: "sma_cross".parse().expect("name"),
            quantity,
            cost: quantity.value_at(entry).expect("fits"),
            opened: at,
            entered: quantity.abs(),
            entered_value: value,
            exited_value: Money::ZERO,
            fees: Money::ZERO,
            carried: Money::ZERO,
            best: entry,
            worst: entry,
            protection: self.stop.map(stop),
        }
    }
}

/// The book `main` with this cash, these positions and these entry locks, as the cycle that ended at `at` left it.
pub(crate) fn book_batch(at: Timestamp, cash: i64, held: &[Holding], locks: &[EntryLock]) -> Batch {
    let numbered = || (1..).zip(held);
    let mut book = Book::new("main".parse().expect("name"), "USD", Money::whole(cash));
    book.positions = numbered().map(|(number, one)| one.position(number, at)).collect();
    book.capital = book.cash.plus(book.at_cost().expect("fits")).expect("fits");
    let last = held.len() as u64;
    let (order, trade) = (OrderId(last), TradeId(last));
    let row = BookRow {
        equity: book.capital,
        peak: book.capital,
        day_start: book.capital,
        book,
        zone: "America/New_York".to_owned(),
        state: TradingState::Running,
        cause: "null".to_owned(),
        since: at,
        day: String::new(),
        day_ends: at,
        day_entries: 0,
        day_trades: 0,
        day_near: false,
        limits: "{}".to_owned(),
        memory: serde_json::json!({ "locks": locks }).to_string(),
    };
    Batch {
        run: RunId(1),
        orders: numbered().filter_map(|(number, one)| one.order(number, at)).collect(),
        books: vec![row],
        progress: Some(ProgressRow { cycle: CycleId(1), market: at, order, trade, ..ProgressRow::default() }),
        ..Batch::default()
    }
}

impl Bench {
    /// Puts a batch into the database.
    pub(crate) fn record(&self, batch: Batch) {
        let store = Store::open(&self.database()).expect("opens");
        let recorded = store.record(Box::new(batch), &bellwether::domain::Routes::default()).wait().expect("open");
        assert!(matches!(recorded, Recorded::Stored));
        store.close();
    }
}
