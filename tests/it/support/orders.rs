//! A broker and the ledger that follows its reports, without an engine between them.

use bellwether::clock::Timestamp;
use bellwether::domain::{
    Bar, ExitPlan, FillLeg, Instrument, MarketSnapshot, Order, OrderAction, OrderId, OrderKind, OrderStatus, Price,
    Purpose, Quantity, Ratio, Side, SnapshotBar, Split, Symbol, TimeInForce, Timeframe,
};
use bellwether::execution::{BrokerError, Costs, PaperBroker, Report, replace_order, split_order};
use bellwether::risk::{ExecutionRequest, Instruction, take_up_again};

/// Costs that take nothing and let everything fill.
pub(crate) const FREE: Costs =
    Costs { fee: Ratio::ZERO, slippage: Ratio::ZERO, impact: Ratio::ZERO, volume_share: Ratio::ONE, latency_ms: 0 };

/// A share, of which only whole ones trade, and a coin.
pub(crate) const SYMBOLS: [&str; 2] = ["AAPL", "BTC-USD"];

/// An entry of the book "main", approved at time zero.
pub(crate) fn order(id: u64, side: Side, kind: OrderKind, quantity: i64) -> Order {
    Order {
        id: OrderId(id),
        book: "main".parse().expect("name"),
        strategy: "test".parse().expect("name"),
        signal: None,
        symbol: SYMBOLS[0].parse().expect("symbol"),
        side,
        kind,
        purpose: Purpose::Entry,
        quantity: Quantity::whole(quantity),
        filled: Quantity::ZERO,
        status: OrderStatus::Approved,
        triggered: false,
        reference: Price::whole(100),
        plan: Some(ExitPlan { stop_distance: Price::whole(5), target_distance: None, trailing: false }),
        tif: TimeInForce::Gtc,
        expires: None,
        because: String::new(),
        audit: None,
        created: Timestamp::from_ms(0),
        updated: Timestamp::from_ms(0),
    }
}

/// A bar of the share that opens at `opens` and is `volume` whole shares strong.
pub(crate) fn share_bar(opens: i64, prices: [i64; 4], volume: i64) -> SnapshotBar {
    let [open, high, low, close] = prices.map(Price::whole);
    let opens = Timestamp::from_ms(opens);
    let bar = Bar { start: opens, open, high, low, close, volume: Quantity::whole(volume) };
    SnapshotBar { instrument: 0, timeframe: Timeframe::M1, bar, opens, is_finest: true, is_last: false }
}

/// The broker, and every order there ever was as its reports tell it.
pub(crate) struct Floor {
    pub(crate) broker: PaperBroker,
    pub(crate) orders: Vec<Order>,
}

impl Floor {
    /// Nothing is ordered yet.
    pub(crate) fn new() -> Self {
        Self { broker: PaperBroker::new(&instruments()), orders: Vec::new() }
    }

    /// Sends an order out.
    pub(crate) fn place(&mut self, order: Order) {
        self.tell(take_up_again(order).expect("it is open"));
    }

    /// Does what is permitted, in the ledger and at the broker.
    pub(crate) fn tell(&mut self, request: ExecutionRequest) {
        match request.instruction() {
            Instruction::Place(order) => {
                let mut order = order.clone();
                order.status = order.status.after(OrderAction::Accept).expect("it is new");
                self.orders.push(order);
            }
            Instruction::Amend { order, quantity, kind } => {
                let held = self.find(*order);
                (held.quantity, held.kind) = (*quantity, *kind);
            }
            Instruction::Replace { order, quantity, kind, reference, at } => {
                let held = self.find(*order);
                replace_order(held, *quantity, *kind, *reference, *at);
                if held.remaining().is_zero() {
                    held.step(OrderAction::Cancel, *at).expect("it is open");
                }
            }
            Instruction::Cancel { order } => {
                let held = self.find(*order);
                held.step(OrderAction::Cancel, held.updated).expect("it is open");
            }
        }
        self.broker.submit(request).expect("the symbol is traded");
    }

    /// Follows a split.
    pub(crate) fn split(&mut self, split: Split) {
        let symbol: Symbol = SYMBOLS[split.instrument].parse().expect("symbol");
        for order in self.orders.iter_mut().filter(|order| order.status.is_open() && order.symbol == symbol) {
            split_order(order, split.numerator, split.denominator).expect("fits");
        }
        self.broker.apply_split(split).expect("fits");
    }

    /// Forgets the broker and gives a new one what the ledger calls open.
    pub(crate) fn restart(&mut self) {
        self.broker = PaperBroker::new(&instruments());
        for order in self.orders.iter().filter(|order| order.status.is_open()) {
            self.broker.submit(take_up_again(order.clone()).expect("it is open")).expect("the symbol is traded");
        }
    }

    /// Lets the bars of one instant pass, tells the ledger, and gives the reports.
    pub(crate) fn meet(
        &mut self,
        snapshot: &MarketSnapshot,
        costs: impl Fn(&Order) -> Costs,
        suspended: impl Fn(usize) -> bool,
    ) -> Result<Vec<Report>, BrokerError> {
        let mut reports = Vec::new();
        self.broker.fill(snapshot, costs, suspended, &mut reports)?;
        for report in &reports {
            self.take(report, snapshot.at);
        }
        Ok(reports)
    }

    /// Lets one minute of the share pass at no cost, and says in words what came of it.
    pub(crate) fn minute(&mut self, prices: [i64; 4], volume: i64) -> Vec<String> {
        self.minute_at(FREE, prices, volume)
    }

    /// Lets one minute of the share pass; minutes follow each other without a gap.
    pub(crate) fn minute_at(&mut self, costs: Costs, prices: [i64; 4], volume: i64) -> Vec<String> {
        let opens = self.orders.iter().map(|order| order.updated).max().unwrap_or_default();
        let snapshot = MarketSnapshot {
            at: opens.plus_ms(60_000),
            bars: vec![share_bar(opens.ms(), prices, volume)],
            ..MarketSnapshot::default()
        };
        let reports = self.meet(&snapshot, |_| costs, |_| false).expect("fits");
        for order in &mut self.orders {
            order.updated = snapshot.at;
        }
        reports.iter().map(in_words).collect()
    }

    fn find(&mut self, id: OrderId) -> &mut Order {
        self.orders.iter_mut().find(|order| order.id == id).expect("it was placed")
    }

    fn take(&mut self, report: &Report, now: Timestamp) {
        match *report {
            Report::Filled { order, quantity, done, leg, .. } => {
                let held = self.find(order);
                held.filled = held.filled.plus(quantity).expect("fits");
                held.triggered |= leg == FillLeg::Stop;
                held.step(if done { OrderAction::Fill } else { OrderAction::FillPart }, now).expect("it is open");
            }
            Report::Reduced { order, quantity } => self.find(order).quantity = quantity,
            Report::Triggered { order } => self.find(order).triggered = true,
            Report::Moved { order, kind } => self.find(order).kind = kind,
            Report::Expired { order, .. } => self.find(order).step(OrderAction::Expire, now).expect("it is open"),
        }
    }
}

fn instruments() -> [Instrument; 2] {
    SYMBOLS.map(|symbol| Instrument::bare(symbol.parse().expect("symbol")))
}

fn in_words(report: &Report) -> String {
    match report {
        Report::Filled { order, quantity, price, done, .. } => {
            format!("{order} {quantity} at {price}{}", if *done { "" } else { ", more to come" })
        }
        Report::Reduced { order, quantity } => format!("{order} reduced to {quantity}"),
        Report::Triggered { order } => format!("{order} triggered"),
        Report::Moved { order, kind: OrderKind::Trailing { trigger, .. } } => format!("{order} follows to {trigger}"),
        Report::Moved { order, kind } => format!("{order} moved to {kind:?}"),
        Report::Expired { order, why } => format!("{order} ended: {why}"),
    }
}
