//! Random books on a market whose next day a test sets: an engine with its broker, and nothing beside them.

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::config::BookConfig;
use bellwether::domain::{
    Bar, CycleId, ExitPlan, Instrument, MarketSnapshot, Mode, Money, Order, OrderId, OrderKind, OrderStatus,
    PlannedOrder, Position, Price, Protection, Purpose, Quantity, RunContext, RunId, Side, SnapshotBar, Symbol,
    TimeInForce, Timeframe, TradeId,
};
use bellwether::engine::{DeskSettings, Engine, Outcome, cycle};
use bellwether::execution::PaperBroker;
use bellwether::risk::take_up_again;
use bellwether::strategy::{Values, find};

/// What is traded.
pub(crate) const SYMBOLS: [&str; 5] = ["AAPL", "BTC-USD", "ETH-USD", "SOL-USD", "DOT-USD"];
/// What is drawn by a seed.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.next(high.abs_diff(low) + 1) as i64
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.next(of.len() as u64) as usize]
    }
}

/// An engine with its broker, and how far its market has come.
pub(crate) struct Desk {
    pub(crate) engine: Engine,
    pub(crate) broker: PaperBroker,
    pub(crate) day: i64,
    pub(crate) closes: Vec<i64>,
    /// The bars of the last day: open, high, low and close.
    pub(crate) bars: Vec<[Price; 4]>,
}

pub(crate) fn instruments() -> Vec<Instrument> {
    SYMBOLS.map(|name| Instrument::bare(name.parse().expect("a symbol"))).to_vec()
}

pub(crate) fn settings(draw: &mut Draw) -> DeskSettings {
    let mut desk = BookConfig::usual().desk;
    let kind = find("sma_cross").expect("listed");
    let silent =
        [("fast", "499"), ("slow", "500")].map(|(key, value)| (key.to_owned(), value.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &silent).expect("in range");
    desk.symbols = instruments().iter().map(|item| item.symbol).collect();
    desk.capital = Money::whole(100_000);
    let [trailing, target] = [draw.one(&["0", "0", "1"]), draw.one(&["0", "0", "4"])];
    let slippage = draw.between(0, 50).to_string();
    let fee = draw.between(0, 50).to_string();
    let loose = [("exposure_pct", "500"), ("net_pct", "500"), ("sector_pct", "500"), ("position_pct", "100")];
    let loose = loose.into_iter().chain([
        ("leverage_max", "10"),
        ("open_risk_pct", "90"),
        ("liquidity_pct", "1000"),
        ("correlation_max", "1"),
        ("drawdown_pct", "100"),
        ("drawdown_reduce_pct", "100"),
        ("daily_loss_pct", "100"),
        ("volume_share_pct", "100"),
        ("trailing", trailing),
        ("target_atr", target),
        ("slippage_bps", slippage.as_str()),
        ("fee_bps", fee.as_str()),
    ]);
    // What is tight refuses now and then.
    let tight = [("position_pct", "10"), ("exposure_pct", "60"), ("open_risk_pct", "10"), ("leverage_max", "1")];
    let tight = tight.into_iter().filter(|_| draw.next(8) == 0).collect::<Vec<_>>();
    for (key, value) in loose.chain(tight) {
        desk.limits.set(key, value.parse().expect("a number")).expect("in range");
    }
    desk
}

impl Desk {
    pub(crate) fn new(draw: &mut Draw) -> Self {
        let engine = Engine::new(&instruments(), vec![settings(draw)]).expect("parameters");
        let closes = SYMBOLS.iter().map(|_| draw.between(20, 900)).collect();
        Self { engine, broker: PaperBroker::new(&instruments()), day: 0, closes, bars: Vec::new() }
    }

    pub(crate) fn context(&self) -> RunContext {
        let now = at(self.day);
        RunContext {
            run: RunId(1),
            mode: Mode::Paper,
            started: now,
            cycle: CycleId(self.day as u64),
            now,
            cost_budget: Money::ZERO,
            dry_run: false,
        }
    }

    /// The bars of the next day, which end at these prices.
    pub(crate) fn day(&mut self, moves: impl Fn(i64) -> i64) -> Outcome {
        let mut bars = Vec::new();
        for close in &mut self.closes {
            let (open, to) = (*close, moves(*close).max(5));
            let (high, low) = if open == to { (open, to) } else { (open.max(to) + 1, open.min(to) - 1) };
            bars.push([open, high, low, to].map(Price::whole));
            *close = to;
        }
        self.live(&bars)
    }

    /// A day in which the market ends where it was. Where orders were shown it swings by 0.6 %, which is more than slips, and to limits.
    pub(crate) fn still_day(&mut self, orders: &[PlannedOrder]) -> Outcome {
        let mut bars: Vec<[Price; 4]> = self.closes.iter().map(|close| [Price::whole(*close); 4]).collect();
        for order in orders {
            let [open, high, low, _] = &mut bars[place_of(order.symbol)];
            let swing = open.scaled(6, 1_000).expect("fits");
            (*high, *low) = (open.plus(swing).expect("fits"), open.minus(swing).expect("fits"));
            if let OrderKind::Limit { price } = order.kind
                && self.is_near(order)
            {
                *high = if order.side == Side::Sell { (*high).max(price) } else { *high };
                *low = if order.side == Side::Buy { (*low).min(price) } else { *low };
            }
        }
        self.live(&bars)
    }

    /// Whether an order at a limit is near the market or beyond it: farther ones wait.
    pub(crate) fn is_near(&self, order: &PlannedOrder) -> bool {
        let OrderKind::Limit { price: limit } = order.kind else { return true };
        let close = Price::whole(self.closes[place_of(order.symbol)]);
        let near = close.scaled(4, 100).expect("fits");
        let beyond = if order.side == Side::Buy { limit >= close } else { limit <= close };
        beyond || limit.minus(close).expect("fits").abs() <= near
    }

    /// A day with these opens, highs, lows and closes.
    pub(crate) fn live(&mut self, bars: &[[Price; 4]]) -> Outcome {
        let mut snapshot = MarketSnapshot { at: at(self.day + 1), ..MarketSnapshot::default() };
        for (instrument, [open, high, low, close]) in bars.iter().copied().enumerate() {
            let bar = Bar { start: at(self.day), open, high, low, close, volume: Quantity::whole(10_000_000) };
            let (timeframe, opens) = (Timeframe::D1, bar.start);
            snapshot.bars.push(SnapshotBar { instrument, timeframe, bar, opens, is_finest: true, is_last: false });
        }
        self.day += 1;
        self.bars = bars.to_vec();
        let mut out = Outcome::default();
        let context = self.context();
        cycle(&mut self.engine, &mut self.broker, &snapshot, &context, &mut out).expect("a sound cycle");
        out
    }

    /// Puts a position into the book, with or without levels and the order that watches them.
    pub(crate) fn hold(&mut self, draw: &mut Draw, number: u64, index: usize) {
        let price = Price::whole(self.closes[index]);
        let short = draw.next(3) == 0;
        // A split left half a share here and there.
        let units = Quantity::whole(draw.between(1, 40)).plus(draw.one(&[Quantity::ZERO, half()])).expect("fits");
        let quantity = if short { units.negated() } else { units };
        let entry = price.scaled(draw.between(80, 120), 100).expect("fits");
        let cost = quantity.value_at(entry).expect("fits");
        let away = price.scaled(draw.between(6, 20), 100).expect("fits");
        let level = |up: bool| if up { price.plus(away) } else { price.minus(away) }.expect("fits");
        let stop = level(short);
        let target = (draw.next(2) == 0).then(|| level(!short));
        let trail = (draw.next(3) == 0).then_some(away);
        let protected = draw.next(5) != 0;
        let order = OrderId(number);
        let symbol: Symbol = SYMBOLS[index].parse().expect("a symbol");
        let value = quantity.abs().value_at(entry).expect("fits");
        let position = Position {
            trade: TradeId(number),
            symbol,
            strategy: "by_hand".parse().expect("a name"),
            quantity,
            cost,
            opened: at(self.day),
            entered: quantity.abs(),
            entered_value: value,
            exited_value: Money::ZERO,
            fees: Money::ZERO,
            carried: Money::ZERO,
            best: entry,
            worst: entry,
            protection: protected.then_some(Protection { stop, target, trail, order }),
        };
        let (side, kind) = (position.side().opposite(), OrderKind::Bracket { stop, target });
        let desk = &mut self.engine.desks[0];
        desk.book.cash = desk.book.cash.minus(cost).expect("fits");
        desk.book.positions.push(position);
        if protected {
            self.put(order_of(order, symbol, side, kind, quantity.abs(), Purpose::Protect));
        }
    }

    pub(crate) fn put(&mut self, order: Order) {
        let request = take_up_again(order.clone()).expect("open");
        self.broker.submit(request).expect("known");
        self.engine.desks[0].orders.push(order);
    }

    /// An entry that waits far from the market, in anything; where something is held, mostly on its side.
    pub(crate) fn wait(&mut self, draw: &mut Draw, number: u64) {
        let index = draw.next(SYMBOLS.len() as u64) as usize;
        let symbol = SYMBOLS[index].parse().expect("a symbol");
        let held = self.engine.desks[0].book.position(symbol).map(Position::side);
        let side = held.filter(|_| draw.next(4) > 0).unwrap_or(draw.one(&[Side::Buy, Side::Buy, Side::Sell]));
        let percent = if side == Side::Buy { draw.between(30, 60) } else { draw.between(150, 200) };
        let price = Price::whole(self.closes[index]).scaled(percent, 100).expect("fits");
        let kind = OrderKind::Limit { price };
        let plan = ExitPlan { stop_distance: Price::whole(1), target_distance: None, trailing: false };
        let order = order_of(OrderId(number), symbol, side, kind, Quantity::whole(10), Purpose::Entry);
        self.put(Order { plan: Some(plan), reference: price, ..order });
    }

    /// A limit far from the market that waits to leave what is held.
    pub(crate) fn wait_to_leave(&mut self, draw: &mut Draw, number: u64, index: usize) {
        let symbol: Symbol = SYMBOLS[index].parse().expect("a symbol");
        let Some(held) = self.engine.desks[0].book.position(symbol) else { return };
        let side = held.side().opposite();
        let quantity = if draw.next(2) == 0 { held.quantity.abs() } else { Quantity::whole(1) };
        let percent = if side == Side::Buy { 40 } else { 190 };
        let price = Price::whole(self.closes[index]).scaled(percent, 100).expect("fits");
        let kind = OrderKind::Limit { price };
        let quantity = quantity.min(held.quantity.abs());
        self.put(Order { reference: price, ..order_of(OrderId(number), symbol, side, kind, quantity, Purpose::Close) });
    }
}

pub(crate) fn order_of(
    id: OrderId,
    symbol: Symbol,
    side: Side,
    kind: OrderKind,
    quantity: Quantity,
    purpose: Purpose,
) -> Order {
    Order {
        id,
        book: "main".parse().expect("a name"),
        strategy: "by_hand".parse().expect("a name"),
        signal: None,
        symbol,
        side,
        kind,
        purpose,
        quantity,
        filled: Quantity::ZERO,
        status: OrderStatus::Working,
        triggered: false,
        reference: Price::whole(100),
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: "it was there".to_owned(),
        audit: None,
        created: at(0),
        updated: at(0),
    }
}

pub(crate) fn half() -> Quantity {
    "0.5".parse().expect("a quantity")
}

pub(crate) fn place_of(symbol: Symbol) -> usize {
    SYMBOLS.iter().position(|known| *known == symbol.as_str()).expect("listed")
}

pub(crate) fn at(day: i64) -> Timestamp {
    Timestamp::from_ms(1_700_006_400_000 + day * DAY_MS)
}

/// A book after some days, with positions and orders that wait.
pub(crate) fn random_book(draw: &mut Draw) -> Desk {
    let mut desk = Desk::new(draw);
    for _ in 0..20 {
        let step = draw.between(-3, 3);
        desk.day(|close| close + step);
    }
    let held = draw.between(0, 4) as usize;
    for index in 0..held {
        desk.hold(draw, index as u64 + 1, index);
    }
    for number in 0..draw.next(4) {
        desk.wait(draw, 100 + number);
    }
    for index in (0..held).filter(|_| draw.next(2) == 0).collect::<Vec<_>>() {
        desk.wait_to_leave(draw, 110 + index as u64, index);
    }
    desk.engine.counters.order = OrderId(200);
    desk.engine.counters.trade = TradeId(200);
    desk.day(|close| close);
    desk
}
