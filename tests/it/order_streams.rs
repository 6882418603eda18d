//! Whatever is ordered and however prices go, these hold: no fill lies outside its bar, nothing fills beyond its quantity or beyond the
//! share of the volume, every order ends once and never fills after, a limit is never passed and a stop never bettered, all or
//! nothing is never a part, what may not wait does not, a trailing stop never goes back, books balance, the same stream gives the same
//! reports, and a broker that starts again from the ledger goes on as if nothing had happened.

use std::collections::HashMap;

use bellwether::clock::Timestamp;
use bellwether::domain::{
    Bar, Book, ExitPlan, ExitReason, FillId, FillLeg, MarketSnapshot, Money, Order, OrderId, OrderKind, Price,
    Proposal, Purpose, Quantity, Ratio, Side, SnapshotBar, Split, Symbol, TimeInForce, Timeframe, TradeFill, TradeId,
};
use bellwether::execution::{Costs, Report};
use bellwether::portfolio::{Attribution, apply_fill};
use bellwether::risk::{Limits, RiskDecision, Situation, amend, replace, withdraw};
use proptest::prelude::*;

use crate::support::{Floor, SYMBOLS, order};

const MINUTE_MS: i64 = 60_000;
const BOOKS: [&str; 3] = ["first", "second", "third"];
const CENT: i64 = 1_000_000;

/// A number of each kind that an action may need; each takes what it wants of them.
type Numbers = (u8, u8, i64, i64, i64);

#[derive(Debug, Clone)]
enum Action {
    Place(Numbers),
    Cancel(usize),
    Replace(usize, Numbers),
    Amend(usize, i64, i64),
    Split(usize, i64, i64),
}

/// How the price goes in one bar, in cents: the jump before it, how far up, how far down, where it ends; and the volume.
#[derive(Debug, Clone)]
struct Course {
    jump: i64,
    up: i64,
    down: i64,
    end: i64,
    volume: i64,
    state: u8,
}

#[derive(Debug, Clone)]
struct Step {
    actions: Vec<Action>,
    pause_ms: i64,
    courses: [Course; 2],
}

fn numbers() -> impl Strategy<Value = Numbers> {
    (any::<u8>(), any::<u8>(), -300..300i64, 1..200i64, 0..6i64)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => numbers().prop_map(Action::Place),
        1 => any::<usize>().prop_map(Action::Cancel),
        2 => (any::<usize>(), numbers()).prop_map(|(which, numbers)| Action::Replace(which, numbers)),
        2 => (any::<usize>(), -300..300i64, 1..100i64).prop_map(|(which, by, size)| Action::Amend(which, by, size)),
        1 => (0..2usize, 1..4i64, 1..3i64).prop_map(|(which, new, old)| Action::Split(which, new, old)),
    ]
}

fn course() -> impl Strategy<Value = Course> {
    let volume = prop_oneof![1 => Just(0), 3 => 1..100i64, 2 => 100..5_000i64];
    let jump = prop_oneof![3 => Just(0), 2 => -400..400i64];
    (jump, 0..300i64, 0..300i64, 0..=600i64, volume, any::<u8>())
        .prop_map(|(jump, up, down, end, volume, state)| Course { jump, up, down, end, volume, state })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop_oneof![3 => Just(0), 1 => Just(20_000), 1 => Just(90_000)];
    let step = (prop::collection::vec(action(), 0..4), pause, [course(), course()])
        .prop_map(|(actions, pause_ms, courses)| Step { actions, pause_ms, courses });
    prop::collection::vec(step, 1..25)
}

/// The costs of each book: the same for two of them.
fn costs(book: &str, latency_ms: i64) -> Costs {
    let (slippage, volume_share) = if book == BOOKS[2] { (15, 30) } else { (5, 10) };
    Costs {
        fee: Ratio::from_bps(3),
        slippage: Ratio::from_bps(slippage),
        impact: Ratio::from_percent(3),
        volume_share: Ratio::from_percent(volume_share),
        latency_ms,
    }
}

fn lot(symbol: Symbol) -> i64 {
    if symbol.as_str() == SYMBOLS[0] { 100_000_000 } else { 1_000 }
}

fn cents(cents: i64) -> Price {
    Price::from_units(cents.max(1) * CENT)
}

fn kind(choice: u8, side: Side, at: i64, offset: i64) -> OrderKind {
    // The limit of a stop-limit lies beyond its trigger, as is usual, or on its way back.
    let other = cents(at + if offset % 2 == 0 { offset + side.sign() * 20 } else { offset / 3 });
    let level = cents(at + offset);
    let (below, above) = (cents(at - 5 - offset.abs()), cents(at + 5 + offset.abs()));
    match choice % 6 {
        0 => OrderKind::Market,
        1 => OrderKind::Limit { price: level },
        2 => OrderKind::Stop { trigger: level },
        3 => OrderKind::StopLimit { trigger: level, price: other },
        4 => OrderKind::Trailing { trigger: level, distance: cents(offset.abs()) },
        _ if side == Side::Sell => OrderKind::Bracket { stop: below, target: Some(above) },
        _ => OrderKind::Bracket { stop: above, target: Some(below) },
    }
}

/// The stream and everything that must hold while it runs.
struct Checked {
    floor: Floor,
    latency_ms: i64,
    now: Timestamp,
    last: [i64; 2],
    /// How many bars an order has met since it was last on its way.
    met: HashMap<OrderId, usize>,
    books: Vec<Book>,
    told: Vec<Report>,
}

type Held = Result<(), TestCaseError>;

impl Checked {
    fn new(latency_ms: i64) -> Self {
        let book = |name: &str| Book::new(name.parse().expect("name"), "USD", Money::whole(100_000));
        Self {
            floor: Floor::new(),
            latency_ms,
            now: Timestamp::from_ms(0),
            last: [10_000, 10_000],
            met: HashMap::new(),
            books: BOOKS.map(book).to_vec(),
            told: Vec::new(),
        }
    }

    fn open(&self, which: usize) -> Option<Order> {
        let open: Vec<&Order> = self.floor.orders.iter().filter(|order| order.status.is_open()).collect();
        (!open.is_empty()).then(|| open[which % open.len()].clone())
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Place(numbers) => self.place(numbers),
            Action::Cancel(which) => {
                let Some(order) = self.open(which) else { return };
                self.floor.tell(withdraw(order.id));
            }
            Action::Replace(which, numbers) => self.replace(which, numbers),
            Action::Amend(which, by, size) => {
                let Some(order) = self.open(which) else { return };
                let instrument = usize::from(order.symbol.as_str() == SYMBOLS[1]);
                let covered = order.filled.plus(Quantity::from_units(size * lot(order.symbol))).expect("fits");
                if let Some(request) = amend(&order, covered, cents(self.last[instrument] + by)) {
                    self.floor.tell(request);
                }
            }
            Action::Split(instrument, numerator, denominator) => {
                self.floor.split(Split { instrument, numerator, denominator });
                self.last[instrument] = (self.last[instrument] * denominator / numerator).max(50);
            }
        }
    }

    fn place(&mut self, (choice, detail, offset, lots, wait): Numbers) {
        let instrument = usize::from(detail % 4 == 0);
        let symbol: Symbol = SYMBOLS[instrument].parse().expect("symbol");
        let side = if choice % 2 == 0 { Side::Buy } else { Side::Sell };
        let tif = TimeInForce::ALL[usize::from(detail / 16) % 4];
        self.floor.place(Order {
            book: BOOKS[usize::from(choice / 32) % 3].parse().expect("name"),
            symbol,
            purpose: [Purpose::Entry, Purpose::Exit, Purpose::Protect][usize::from(detail) % 3],
            quantity: Quantity::from_units(lots * lot(symbol)),
            tif,
            expires: (tif == TimeInForce::Day).then(|| self.now.plus_ms(wait * MINUTE_MS)),
            created: self.now,
            ..order(self.floor.orders.len() as u64 + 1, side, kind(choice / 4, side, self.last[instrument], offset), 1)
        });
    }

    fn replace(&mut self, which: usize, (choice, _, offset, lots, _): Numbers) {
        let Some(order) = self.open(which).filter(|order| order.purpose != Purpose::Protect) else { return };
        let instrument = usize::from(order.symbol.as_str() == SYMBOLS[1]);
        let proposal = Proposal {
            book: order.book,
            strategy: order.strategy,
            signal: None,
            symbol: order.symbol,
            side: order.side,
            quantity: Quantity::from_units(lots * lot(order.symbol)),
            kind: kind(choice, order.side, self.last[instrument], offset),
            purpose: order.purpose,
            reference: order.reference,
            risk: Money::ZERO,
            plan: Some(ExitPlan { stop_distance: Price::whole(1), target_distance: None, trailing: false }),
            tif: order.tif,
            expires: order.expires,
            because: String::new(),
            audit: None,
        };
        let mut situation = Situation::of_capital(Money::whole(1_000_000_000));
        // An exit is for what is held on the other side.
        let held = if order.side.sign() < 0 { Quantity::MAX } else { Quantity::MAX.negated() };
        (situation.look.held, situation.look.lot) = (held, Quantity::STEP);
        let decided = replace(&order, proposal, self.now, &situation, &Limits::default()).expect("fits");
        let RiskDecision::Approved { request, .. } = decided else { panic!("{decided:?}") };
        self.floor.tell(request);
        self.met.remove(&order.id);
    }

    /// A bar; of ten states of its instrument one has none, one is suspended, and one is the last of the recorded prices.
    fn bar(&mut self, instrument: usize, course: &Course, opens: Timestamp) -> Option<SnapshotBar> {
        let open = (self.last[instrument] + course.jump).max(400);
        let (high, low) = (open + course.up, open - course.down);
        let close = low + course.end.min(high - low);
        if course.state.is_multiple_of(10) {
            return None;
        }
        self.last[instrument] = close;
        let symbol: Symbol = SYMBOLS[instrument].parse().expect("symbol");
        let volume = Quantity::from_units(course.volume * lot(symbol) + lot(symbol) / 3);
        let [open, high, low, close] = [open, high, low, close].map(cents);
        let bar = Bar { start: opens, open, high, low, close, volume };
        let is_last = course.state % 10 == 1;
        Some(SnapshotBar { instrument, timeframe: Timeframe::M1, bar, opens, is_finest: true, is_last })
    }

    fn step(&mut self, step: &Step, restart: bool) -> Held {
        step.actions.iter().for_each(|action| self.act(action));
        if restart {
            self.floor.restart();
        }
        let opens = self.now.plus_ms(step.pause_ms);
        let at = opens.plus_ms(MINUTE_MS);
        let bars = [0, 1].into_iter().filter_map(|index| self.bar(index, &step.courses[index], opens)).collect();
        let snapshot = MarketSnapshot { at, bars, ..MarketSnapshot::default() };
        let suspended: Vec<bool> = step.courses.iter().map(|course| course.state % 10 == 2).collect();
        let before = self.floor.orders.clone();
        let latency_ms = self.latency_ms;
        let costs = |order: &Order| costs(order.book.as_str(), latency_ms);
        let reports = self.floor.meet(&snapshot, costs, |index| suspended[index]).expect("fits");
        self.check(&before, &snapshot, &suspended, &reports)?;
        self.now = at;
        self.told.extend(reports);
        Ok(())
    }

    fn check(&mut self, before: &[Order], snapshot: &MarketSnapshot, suspended: &[bool], reports: &[Report]) -> Held {
        let mut orders: HashMap<OrderId, Order> = before.iter().map(|order| (order.id, order.clone())).collect();
        let mut filled: HashMap<(usize, &str), i64> = HashMap::new();
        for report in reports {
            let (Report::Filled { order, .. }
            | Report::Reduced { order, .. }
            | Report::Triggered { order }
            | Report::Moved { order, .. }
            | Report::Expired { order, .. }) = report;
            let order = orders.get_mut(order).expect("it was placed");
            prop_assert!(order.status.is_open(), "{order:?} ended before {report:?}");
            let bar = bar_of(snapshot, order.symbol).expect("a bar");
            match report {
                Report::Filled { quantity, .. } => {
                    let last_entry = bar.is_last && order.purpose == Purpose::Entry;
                    prop_assert!(!suspended[bar.instrument] && !last_entry);
                    self.check_fill(order, bar, snapshot.at, report)?;
                    let book = BOOKS.into_iter().find(|book| *book == order.book.as_str()).expect("a book");
                    *filled.entry((bar.instrument, book)).or_default() += quantity.units();
                    self.book(order, report)?;
                    order.filled = order.filled.plus(*quantity).expect("fits");
                    order.triggered |= matches!(report, Report::Filled { leg: FillLeg::Stop, .. });
                }
                Report::Reduced { quantity, .. } => {
                    prop_assert!(order.purpose != Purpose::Entry);
                    prop_assert!(*quantity >= order.filled && *quantity < order.quantity);
                    order.quantity = *quantity;
                }
                Report::Triggered { .. } => {
                    prop_assert!(!order.triggered);
                    order.triggered = true;
                }
                Report::Moved { kind, .. } => {
                    check_move(order, *kind, bar)?;
                    order.kind = *kind;
                }
                Report::Expired { .. } => order.status = bellwether::domain::OrderStatus::Expired,
            }
        }
        for (&(instrument, book), sum) in &filled {
            let bar = snapshot.bars.iter().find(|bar| bar.instrument == instrument).expect("a bar");
            let all: i64 = filled.iter().filter(|((other, _), _)| *other == instrument).map(|(_, sum)| sum).sum();
            let share = |book| bar.bar.volume.times(costs(book, 0).volume_share).expect("fits").units();
            prop_assert!(*sum <= share(book) && all <= share(BOOKS[2]), "{sum} of {book}, {all} in all");
        }
        self.check_waiting(before, snapshot, suspended)
    }

    fn check_fill(&self, order: &Order, bar: &SnapshotBar, now: Timestamp, report: &Report) -> Held {
        let Report::Filled { quantity, price, done, leg, at, .. } = *report else { return Ok(()) };
        let better = |level: Price| order.side.sign() * (level.units() - price.units()) >= 0;
        prop_assert!(price >= bar.bar.low && price <= bar.bar.high, "{price} outside {:?}", bar.bar);
        prop_assert!(quantity > Quantity::ZERO && quantity <= order.remaining());
        prop_assert_eq!(done, quantity == order.remaining());
        let arrives = order.created.plus_ms(self.latency_ms);
        prop_assert!(arrives < now && (at == now || (at == bar.opens && arrives <= at)));
        prop_assert!(order.expires.is_none_or(|expires| bar.opens < expires));
        let waited = self.met.get(&order.id).copied().unwrap_or(0);
        match order.tif {
            TimeInForce::Gtc | TimeInForce::Day => {}
            TimeInForce::Ioc => prop_assert_eq!(waited, 0),
            TimeInForce::Fok => prop_assert!(waited == 0 && done && order.filled.is_zero()),
        }
        match order.kind {
            OrderKind::Limit { price: level } | OrderKind::StopLimit { price: level, .. } => {
                prop_assert!(better(level));
            }
            OrderKind::Bracket { target, .. } if leg == FillLeg::Target => {
                prop_assert!(better(target.expect("a target")));
            }
            OrderKind::Stop { trigger }
            | OrderKind::Trailing { trigger, .. }
            | OrderKind::Bracket { stop: trigger, .. } => {
                prop_assert!(order.triggered || !better(trigger) || price == trigger, "{price} beats {trigger}");
            }
            OrderKind::Market => {}
        }
        Ok(())
    }

    /// Books the fill as the engine does.
    fn book(&mut self, order: &Order, report: &Report) -> Held {
        let Report::Filled { quantity, price, fee, slippage, leg, at, .. } = *report else { return Ok(()) };
        let book = self.books.iter_mut().find(|book| book.name == order.book).expect("a book");
        let (symbol, side) = (order.symbol, order.side);
        let fill = TradeFill {
            id: FillId(1),
            order: order.id,
            book: order.book,
            symbol,
            side,
            quantity,
            price,
            fee,
            slippage,
            leg,
            at,
        };
        apply_fill(
            book,
            &fill,
            Attribution { strategy: order.strategy, trade: TradeId(1), reason: ExitReason::Signal },
        )
        .expect("fits");
        prop_assert!(book.balances().expect("fits"));
        Ok(())
    }

    /// What may not wait is gone after the first bar it met, and what ends with its session after that.
    fn check_waiting(&mut self, before: &[Order], snapshot: &MarketSnapshot, suspended: &[bool]) -> Held {
        for order in before.iter().filter(|order| order.status.is_open()) {
            let Some(bar) = bar_of(snapshot, order.symbol) else { continue };
            let after = self.floor.orders.iter().find(|other| other.id == order.id).expect("it was placed");
            let reached = order.created.plus_ms(self.latency_ms) < snapshot.at && !suspended[bar.instrument];
            let waits = matches!(order.tif, TimeInForce::Gtc | TimeInForce::Day);
            prop_assert!(waits || !reached || !after.status.is_open(), "{after:?} waits");
            let over = order.expires.is_some_and(|expires| expires <= snapshot.at);
            prop_assert!(!(over && after.status.is_open()), "{after:?} outlives its session");
            *self.met.entry(order.id).or_default() += usize::from(reached);
        }
        Ok(())
    }

    /// Takes back what still waits; a bar later nothing may happen.
    fn finish(mut self) -> Result<(Vec<Report>, Vec<Book>), TestCaseError> {
        while let Some(order) = self.open(0) {
            self.floor.tell(withdraw(order.id));
        }
        let course = || Course { jump: 0, up: 300, down: 300, end: 300, volume: 5_000, state: 9 };
        let told = self.told.len();
        self.step(&Step { actions: Vec::new(), pause_ms: 0, courses: [course(), course()] }, false)?;
        prop_assert_eq!(self.told.len(), told);
        prop_assert!(self.floor.orders.iter().all(|order| !order.status.is_open()));
        Ok((self.told, self.books))
    }
}

fn bar_of(snapshot: &MarketSnapshot, symbol: Symbol) -> Option<&SnapshotBar> {
    snapshot.bars.iter().find(|bar| SYMBOLS[bar.instrument] == symbol.as_str())
}

/// A trigger moves towards the price, never back, and never nearer than its distance to the best price of the bar.
fn check_move(order: &Order, kind: OrderKind, bar: &SnapshotBar) -> Held {
    let (OrderKind::Trailing { trigger: from, distance }, OrderKind::Trailing { trigger: to, distance: same }) =
        (order.kind, kind)
    else {
        return Err(TestCaseError::fail("only a trailing stop moves"));
    };
    prop_assert!(distance == same && !order.triggered);
    match order.side {
        Side::Sell => prop_assert!(to > from && to <= bar.bar.high.minus(distance).expect("fits")),
        Side::Buy => prop_assert!(to < from && to >= bar.bar.low.plus(distance).expect("fits")),
    }
    Ok(())
}

fn run(steps: &[Step], latency_ms: i64, restart: bool) -> Result<(Vec<Report>, Vec<Book>), TestCaseError> {
    let mut checked = Checked::new(latency_ms);
    for step in steps {
        checked.step(step, restart)?;
    }
    checked.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_on_every_stream_of_orders(
        steps in steps(), latency_ms in prop_oneof![3 => Just(0), 1 => 1..150_000i64]
    ) {
        let once = run(&steps, latency_ms, false)?;
        prop_assert_eq!(&once, &run(&steps, latency_ms, false)?);
        prop_assert_eq!(&once, &run(&steps, latency_ms, true)?);
    }
}
