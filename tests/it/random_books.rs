//! What a change did is what its preview said: a thousand random books, and a random control for each of them.
//!
//! After the control one bar follows in which the market ends where it was, with room for what slips and down or up to a limit, so that
//! every order fills at what the preview took for it. Tolerances: prices, fees, quantities, levels and orders are those that were shown,
//! to the last digit; cash is too, to one cent, besides what lenders of shares were paid for the day; exposure and open risk are to one
//! basis point of equity, which that payment moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether::clock::{DAY_MS, ManualClock, Timestamp};
use bellwether::config::BookConfig;
use bellwether::control::{Amount, Change, ChangeDesk, Control, Level, Part, PinCost, Positions};
use bellwether::domain::{
    Bar, CycleId, ExitPlan, Instrument, MarketSnapshot, Mode, Money, Order, OrderId, OrderKind, OrderStatus,
    PlannedOrder, Position, Preview, Price, Protection, Purpose, Quantity, Ratio, RunContext, RunId, Side, SnapshotBar,
    Symbol, TimeInForce, Timeframe, TradeId, TradingState,
};
use bellwether::engine::{DeskSettings, Engine, Outcome, cycle, obey, preview};
use bellwether::execution::PaperBroker;
use bellwether::risk::take_up_again;
use bellwether::store::Store;
use bellwether::strategy::{Values, find};
use secrecy::SecretString;

const BOOKS: u64 = 1_000;
const SYMBOLS: [&str; 5] = ["AAPL", "BTC-USD", "ETH-USD", "SOL-USD", "DOT-USD"];
/// Where orders wait.
const WAITS: usize = 4;
/// What rounding may come to.
const CENT: Money = Money::from_units(1_000_000);

struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.next(high.abs_diff(low) + 1) as i64
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.next(of.len() as u64) as usize]
    }
}

/// An engine with its broker, and how far its market has come.
struct Desk {
    engine: Engine,
    broker: PaperBroker,
    day: i64,
    closes: Vec<i64>,
}

fn instruments() -> Vec<Instrument> {
    SYMBOLS.map(|name| Instrument::bare(name.parse().expect("a symbol"))).to_vec()
}

fn settings(draw: &mut Draw) -> DeskSettings {
    let mut desk = BookConfig::usual().desk;
    let kind = find("sma_cross").expect("listed");
    let silent =
        [("fast", "499"), ("slow", "500")].map(|(key, value)| (key.to_owned(), value.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &silent).expect("in range");
    desk.symbols = instruments().iter().map(|item| item.symbol).collect();
    desk.capital = Money::whole(100_000);
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
        ("trailing", "0"),
        ("slippage_bps", slippage.as_str()),
        ("fee_bps", fee.as_str()),
    ]);
    for (key, value) in loose {
        desk.limits.set(key, value.parse().expect("a number")).expect("in range");
    }
    desk
}

impl Desk {
    fn new(draw: &mut Draw) -> Self {
        let engine = Engine::new(&instruments(), vec![settings(draw)]).expect("parameters");
        let closes = SYMBOLS.iter().map(|_| draw.between(20, 900)).collect();
        Self { engine, broker: PaperBroker::new(&instruments()), day: 0, closes }
    }

    fn context(&self) -> RunContext {
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
    fn day(&mut self, moves: impl Fn(i64) -> i64) -> Outcome {
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
    fn still_day(&mut self, orders: &[PlannedOrder]) -> Outcome {
        let mut bars: Vec<[Price; 4]> = self.closes.iter().map(|close| [Price::whole(*close); 4]).collect();
        for order in orders {
            let [open, high, low, _] = &mut bars[place_of(order.symbol)];
            let swing = open.scaled(6, 1_000).expect("fits");
            (*high, *low) = (open.plus(swing).expect("fits"), open.minus(swing).expect("fits"));
            if let OrderKind::Limit { price } = order.kind {
                *high = if order.side == Side::Sell { (*high).max(price) } else { *high };
                *low = if order.side == Side::Buy { (*low).min(price) } else { *low };
            }
        }
        self.live(&bars)
    }

    /// A day with these opens, highs, lows and closes.
    fn live(&mut self, bars: &[[Price; 4]]) -> Outcome {
        let mut snapshot = MarketSnapshot { at: at(self.day + 1), ..MarketSnapshot::default() };
        for (instrument, [open, high, low, close]) in bars.iter().copied().enumerate() {
            let bar = Bar { start: at(self.day), open, high, low, close, volume: Quantity::whole(10_000_000) };
            let (timeframe, opens) = (Timeframe::D1, bar.start);
            snapshot.bars.push(SnapshotBar { instrument, timeframe, bar, opens, is_finest: true, is_last: false });
        }
        self.day += 1;
        let mut out = Outcome::default();
        let context = self.context();
        cycle(&mut self.engine, &mut self.broker, &snapshot, &context, &mut out).expect("a sound cycle");
        out
    }

    /// Puts a position into the book, with or without levels and the order that watches them.
    fn hold(&mut self, draw: &mut Draw, number: u64, index: usize) {
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
            protection: protected.then_some(Protection { stop, target, trail: None, order }),
        };
        let (side, kind) = (position.side().opposite(), OrderKind::Bracket { stop, target });
        let desk = &mut self.engine.desks[0];
        desk.book.cash = desk.book.cash.minus(cost).expect("fits");
        desk.book.positions.push(position);
        if protected {
            self.put(order_of(order, symbol, side, kind, quantity.abs(), Purpose::Protect));
        }
    }

    fn put(&mut self, order: Order) {
        let request = take_up_again(order.clone()).expect("open");
        self.broker.submit(request).expect("known");
        self.engine.desks[0].orders.push(order);
    }

    /// An order that waits far below the market.
    fn wait(&mut self, number: u64) {
        let price = Price::whole(self.closes[WAITS]).scaled(1, 2).expect("fits");
        let symbol = SYMBOLS[WAITS].parse().expect("a symbol");
        let kind = OrderKind::Limit { price };
        let plan = ExitPlan { stop_distance: Price::whole(1), target_distance: None, trailing: false };
        let order = order_of(OrderId(number), symbol, Side::Buy, kind, Quantity::whole(10), Purpose::Entry);
        self.put(Order { plan: Some(plan), ..order });
    }
}

fn order_of(id: OrderId, symbol: Symbol, side: Side, kind: OrderKind, quantity: Quantity, purpose: Purpose) -> Order {
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

fn half() -> Quantity {
    "0.5".parse().expect("a quantity")
}

fn place_of(symbol: Symbol) -> usize {
    SYMBOLS.iter().position(|known| *known == symbol.as_str()).expect("listed")
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_ms(1_700_006_400_000 + day * DAY_MS)
}

/// A book after some days, with positions and orders that wait.
fn random_book(draw: &mut Draw) -> Desk {
    let mut desk = Desk::new(draw);
    for _ in 0..20 {
        let step = draw.between(-3, 3);
        desk.day(|close| close + step);
    }
    let held = draw.between(0, 4) as usize;
    for index in 0..held {
        desk.hold(draw, index as u64 + 1, index);
    }
    for number in 0..draw.next(3) {
        desk.wait(100 + number);
    }
    desk.engine.counters.order = OrderId(200);
    desk.engine.counters.trade = TradeId(200);
    desk.day(|close| close);
    desk
}

fn random_control(draw: &mut Draw, desk: &Desk) -> Control {
    let symbol: Symbol = draw.one(&SYMBOLS).parse().expect("a symbol");
    let share = Ratio::from_percent(draw.between(1, 100));
    let near = Level::Away(Ratio::from_percent(draw.between(1, 15)));
    let side = draw.one(&[Side::Buy, Side::Sell]);
    let amount = match draw.next(5) {
        0 => Amount::Units(Quantity::whole(draw.between(1, 60))),
        1 => Amount::Units(fraction(draw)),
        2 => Amount::Money(Money::whole(draw.between(500, 20_000))),
        3 => Amount::Equity(Ratio::from_percent(draw.between(1, 30))),
        _ => Amount::Usual,
    };
    let away = |from: usize, percent: i64| Price::whole(desk.closes[from]).scaled(percent, 100).expect("fits");
    let limit = away(place_of(symbol), draw.between(96, 104));
    let what = draw.one(&[Positions::Of(symbol), Positions::Losers, Positions::Winners, Positions::All]);
    let waiting = draw.one(&[OrderId(100), OrderId(101), OrderId(1)]);
    match draw.next(16) {
        0 | 1 => Control::Close { what, part: Part::Share(share) },
        2 => Control::Close { what: Positions::Of(symbol), part: Part::Units(Quantity::whole(draw.between(1, 20))) },
        3 => Control::Close { what: Positions::Of(symbol), part: Part::Units(fraction(draw)) },
        4 | 5 => Control::Trade { side, symbol, amount, limit: None },
        6 => Control::Trade { side, symbol, amount, limit: Some(limit) },
        7 => Control::Stop { symbol, level: near },
        8 => Control::Target { symbol, level: (draw.next(4) > 0).then_some(near) },
        9 => Control::Trail { symbol, distance: near },
        10 => Control::SetStops { distance: (draw.next(2) == 0).then_some(share) },
        11 => Control::SetTargets { distance: Some(Ratio::from_percent(draw.between(1, 30))) },
        12 => Control::Cancel { order: waiting },
        13 => {
            let price = (draw.next(4) > 0).then(|| away(WAITS, draw.between(30, 90)));
            Control::Modify { order: waiting, price, quantity: (draw.next(2) == 0).then(|| fraction(draw)) }
        }
        14 => Control::Pause { until: (draw.next(2) == 0).then(|| at(desk.day + draw.between(1, 9))) },
        _ => Control::CancelAll,
    }
}

/// Any amount below 60, to the last digit.
fn fraction(draw: &mut Draw) -> Quantity {
    Quantity::from_units(draw.between(1, 6_000_000_000))
}

/// What is tried in a control besides its name.
fn traits_of(change: &Change, shown: &Preview, desk: &Desk) -> Vec<&'static str> {
    let whole = |units: &Quantity| units.in_lots(Quantity::whole(1)) == *units;
    let units = match &change.control {
        Control::Trade { amount: Amount::Units(units), .. } | Control::Close { part: Part::Units(units), .. } => {
            Some(units)
        }
        Control::Modify { quantity, .. } => quantity.as_ref(),
        _ => None,
    };
    let slips = !desk.engine.desks[0].settings.limits.slippage_bps.is_zero();
    let enlarges = |order: &PlannedOrder| {
        let held = desk.engine.desks[0].book.position(order.symbol);
        order.purpose == Purpose::Entry && held.is_some_and(|held| held.side() == order.side)
    };
    let found = [
        ("fractions", units.is_some_and(|units| !whole(units))),
        ("limits", matches!(change.control, Control::Trade { limit: Some(_), .. })),
        ("enlarging", shown.orders.iter().any(enlarges)),
        ("slippage", slips && shown.orders.iter().any(|order| order.kind == OrderKind::Market)),
    ];
    found.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

/// The figures of the book that a preview tells of.
fn stands(desk: &Desk) -> (Money, Ratio, Ratio) {
    let book = &desk.engine.desks[0];
    let equity = book.equity;
    let mut gross = Money::ZERO;
    let mut risk = Money::ZERO;
    for held in &book.book.positions {
        let price = desk.engine.mark(held.symbol).expect("a price");
        gross = gross.plus(held.value_at(price).expect("fits").abs()).expect("fits");
        let stop = held.protection.map(|levels| levels.stop);
        risk = risk.plus(bellwether::risk::open_risk(held.quantity, price, stop).expect("fits")).expect("fits");
    }
    for order in book.orders.iter().filter(|order| order.purpose == Purpose::Entry) {
        let value = order.remaining().value_at(order.reference).expect("fits");
        gross = gross.plus(value).expect("fits");
        // What adds to a position is left at its stop.
        let adds_to = book.book.position(order.symbol).filter(|held| held.side() == order.side);
        let stop = adds_to.and_then(|held| held.protection).map(|levels| levels.stop);
        let stop = stop.filter(|stop| *stop < order.reference);
        let away = match stop {
            Some(stop) => order.reference.minus(stop).expect("fits"),
            None => order.plan.map_or(order.reference, |plan| plan.stop_distance),
        };
        risk = risk.plus(order.remaining().value_at(away).expect("fits")).expect("fits");
    }
    (book.book.cash, gross.share_of(equity), risk.share_of(equity))
}

/// Every difference between what was shown and what came of it in the day after it; `before` is what was held.
fn differences(shown: &Preview, desk: &Desk, before: &[Position], filled: &Outcome) -> Vec<String> {
    let mut all = Vec::new();
    let book = &desk.engine.desks[0];
    let sent: Vec<&PlannedOrder> = shown.orders.iter().filter(|order| order.replaces.is_none()).collect();
    let fills: Vec<_> = filled.fills.iter().map(|it| (it.symbol, it.side, it.quantity, it.price, it.fee)).collect();
    let orders: Vec<_> = sent.iter().map(|it| (it.symbol, it.side, it.quantity, it.price, it.fee)).collect();
    if fills != orders {
        all.push(format!("orders {orders:?}, fills {fills:?}"));
    }
    for order in &sent {
        let held = before.iter().find(|held| held.symbol == order.symbol).map(|held| held.quantity.abs());
        let lot = Instrument::bare(order.symbol).lot();
        if order.quantity.in_lots(lot) != order.quantity && Some(order.quantity) != held {
            all.push(format!("{} {} are no whole lots", order.quantity, order.symbol));
        }
    }
    for order in &shown.orders {
        let Some(id) = order.replaces else { continue };
        let now = book.orders.iter().find(|open| open.id == id).map(|open| (open.kind, open.quantity, open.reference));
        if now != Some((order.kind, order.quantity, order.price)) {
            all.push(format!("{id} was to be {order:?}, is {now:?}"));
        }
    }
    if shown.cancels.iter().any(|cancel| book.orders.iter().any(|order| order.id == cancel.order)) {
        all.push("an order that was to be taken back waits".to_owned());
    }
    for levels in &shown.levels {
        let now = book.book.position(levels.symbol).and_then(|held| held.protection);
        if now.map(|now| (now.stop, now.target, now.trail)) != Some((levels.stop, levels.target, levels.trail)) {
            all.push(format!("levels {levels:?}, are {now:?}"));
        }
    }
    for order in sent.iter().filter(|order| order.purpose == Purpose::Entry) {
        let now = book.book.position(order.symbol).and_then(|held| held.protection).map(|levels| levels.stop);
        if now != order.stop {
            all.push(format!("a stop of {} at {:?} was shown, it is at {now:?}", order.symbol, order.stop));
        }
    }
    for effect in &shown.books {
        let (cash, exposure, risk) = stands(desk);
        let carried = filled.bookings.iter().try_fold(Money::ZERO, |sum, it| sum.plus(it.amount)).expect("fits");
        let apart = cash.minus(effect.cash.after).expect("fits").minus(carried).expect("fits").abs();
        if apart > CENT {
            all.push(format!("cash {} was shown, {cash} is there, {carried} was carried", effect.cash.after));
        }
        let tolerance = Ratio::from_bps(1);
        for (name, shown, is) in [("exposure", effect.exposure.after, exposure), ("risk", effect.open_risk.after, risk)]
        {
            if is.minus(shown).expect("fits").abs() > tolerance {
                all.push(format!("{name} {shown} was shown, {is} is there"));
            }
        }
    }
    all
}

/// What else must be there after a control: a paused book enters nothing, and a changed order fills as it was changed.
fn aftermath(change: &Change, shown: &Preview, desk: &mut Desk) -> Vec<String> {
    let book = &desk.engine.desks[0];
    match change.control {
        Control::Pause { .. } => {
            let enters = book.orders.iter().any(|order| order.purpose == Purpose::Entry);
            let is_paused = book.state == TradingState::Reducing && !enters && shown.orders.is_empty();
            if is_paused { vec![] } else { vec![format!("{} with entries: {enters}", book.state)] }
        }
        Control::Modify { order, .. } => {
            let planned = shown.orders[0].clone();
            let filled = desk.still_day(&shown.orders);
            let fill = filled.fills.iter().find(|fill| fill.order == order);
            let found = fill.map(|fill| (fill.quantity, fill.price, fill.fee));
            let wanted = Some((planned.quantity, planned.price, planned.fee));
            if found == wanted { vec![] } else { vec![format!("{order} filled {found:?}, shown was {wanted:?}")] }
        }
        _ => vec![],
    }
}

#[test]
fn what_it_did_is_what_its_preview_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().join("a.db")).expect("opens");
    let clock = Arc::new(ManualClock::at(Timestamp::from_ms(1_800_000_000_000)));
    let people = ChangeDesk::new(store.clone(), clock, PinCost::LEAST);
    let pin = SecretString::from("2846");
    people.set_pin("ana", None, &pin).expect("set");
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in 0..BOOKS {
        let mut draw = Draw(seed);
        let mut desk = random_book(&mut draw);
        let (mut change, mut shown) = (None, None);
        for _ in 0..30 {
            let tried = Change { control: random_control(&mut draw, &desk), books: None };
            if let Ok(found) = preview(&desk.engine, &tried, "ana", &desk.context()) {
                (change, shown) = (Some(tried), Some(found));
                break;
            }
        }
        let (Some(change), Some(shown)) = (change, shown) else { continue };
        let tried = traits_of(&change, &shown, &desk);
        let before = desk.engine.desks[0].book.positions.clone();
        let row = people.show(&change, "ana", "terminal", &shown).expect("shown");
        people.confirm(row.id, "ana", "terminal", &pin).expect("confirmed");
        let confirmed = people.claim().expect("reads").expect("one");
        let (context, mut out) = (desk.context(), Outcome::default());
        let result = obey(&mut desk.engine, &confirmed, &context, &mut out).expect("sound").words;
        for request in out.requests.drain(..) {
            desk.broker.submit(request).expect("known");
        }
        store.move_control(row.id, "confirmed", "done").expect("moves");
        assert!(!result.contains("not done") && !result.contains("refused"), "{seed}: {} {result}", change.control);
        let sent: Vec<PlannedOrder> = shown.orders.iter().filter(|order| order.replaces.is_none()).cloned().collect();
        let filled = desk.still_day(&sent);
        let mut found = differences(&shown, &desk, &before, &filled);
        found.extend(aftermath(&change, &shown, &mut desk));
        if !found.is_empty() {
            wrong.push(format!("seed {seed}, {}: {}", change.control, found.join("; ")));
        }
        let name = change.control.to_string();
        let name = name.split(' ').next().unwrap_or_default();
        for name in [name].into_iter().chain(tried) {
            *seen.entry(name.to_owned()).or_default() += 1;
        }
    }
    eprintln!("tried {seen:?}; {} differences", wrong.len());
    assert!(wrong.is_empty(), "{} of {BOOKS}:\n{}", wrong.len(), wrong[..wrong.len().min(12)].join("\n"));
    let few: Vec<_> = seen.iter().filter(|(_, count)| **count < 20).collect();
    assert!(seen.len() == 16 && few.is_empty(), "each control is tried: {seen:?}");
}
