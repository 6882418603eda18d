//! What trading cost and what strategies earned, asked in the chat of a book whose orders, trades and signals are known to the cent.

use std::ops::ControlFlow;

use bellwether::backtest::{Ran, Report, run};
use bellwether::clock::Timestamp;
use bellwether::config::BookConfig;
use bellwether::domain::{
    Bar, CycleId, Event, EventKind, ExitReason, FillId, FillLeg, Instrument, Label, Money, Order, OrderId, OrderKind,
    OrderStatus, Price, Purpose, Quantity, Ratio, Regime, Side, SignalAction, SignalId, SignalIntent, Symbol,
    TimeInForce, Timeframe, Trade, TradeFill, TradeId,
};
use bellwether::engine::{DeskSettings, SymbolTerms};
use bellwether::store::{Batch, EventRow, MarkRow};

use crate::chat::said;
use crate::support::{Bench, Holding, Life, ListFeed, book_batch, flat_bars, order, quick_cross};

const AT: Timestamp = Timestamp::from_ms(1_780_000_000_000);

fn name(text: &str) -> Label {
    text.parse().expect("a name")
}

fn apple() -> Symbol {
    "AAPL".parse().expect("symbol")
}

/// An order that ended: decided at 50.
fn ended(id: u64, strategy: &str, side: Side, quantity: i64, filled: i64) -> Order {
    Order {
        strategy: name(strategy),
        filled: Quantity::whole(filled),
        status: if filled == quantity { OrderStatus::Filled } else { OrderStatus::Cancelled },
        reference: Price::whole(50),
        ..order(id, side, OrderKind::Market, quantity)
    }
}

fn fill(id: u64, order: &Order, quantity: i64, price: &str, slippage: i64, leg: FillLeg) -> TradeFill {
    TradeFill {
        id: FillId(id),
        order: order.id,
        book: order.book,
        symbol: order.symbol,
        side: order.side,
        quantity: Quantity::whole(quantity),
        price: price.parse().expect("price"),
        fee: Money::whole(3),
        slippage: Money::whole(slippage),
        leg,
        at: AT,
    }
}

fn told(book: &str, kind: EventKind) -> EventRow {
    EventRow { cycle: CycleId(1), event: Event { at: AT, book: Some(name(book)), kind }, audit: None }
}

fn signal(id: u64, action: SignalAction) -> SignalIntent {
    SignalIntent {
        id: SignalId(id),
        strategy: name("rsi"),
        symbol: apple(),
        timeframe: Timeframe::D1,
        action,
        confidence: Ratio::ONE,
        rule: "it was low".to_owned(),
        inputs: Vec::new(),
        at: AT,
    }
}

fn measured(id: u64, outcome: &str) -> EventKind {
    let outcome = outcome.parse().expect("number");
    EventKind::SignalMeasured { signal: SignalId(id), strategy: name("rsi"), symbol: apple(), bars: 20, outcome }
}

fn trade(id: u64, profit: i64) -> Trade {
    Trade {
        id: TradeId(id),
        book: name("main"),
        symbol: apple(),
        strategy: name("rsi"),
        side: Side::Buy,
        quantity: Quantity::whole(10),
        entry_price: Price::whole(50),
        exit_price: Price::whole(51),
        opened: AT,
        closed: AT.plus_ms(i64::try_from(id).expect("small")),
        fees: Money::whole(2),
        carried: Money::ZERO,
        profit: Money::whole(profit),
        best: Money::ZERO,
        worst: Money::ZERO,
        reason: ExitReason::Signal,
    }
}

/// 1,000 bought in two parts, 200 of them never: 646 of 50,000. A stop at 48 that gapped: 53 of 4,800. A sale of 100 at 50.50: -47 of
/// 5,000. A stop that never was reached, and an order still under way.
fn orders() -> (Vec<Order>, Vec<TradeFill>) {
    let bought = Order { signal: Some(SignalId(1)), ..ended(1, "rsi", Side::Buy, 1_000, 800) };
    let kind = OrderKind::Bracket { stop: Price::whole(48), target: None };
    let stopped = Order { kind, purpose: Purpose::Protect, ..ended(2, "rsi", Side::Sell, 100, 100) };
    let sold = Order { purpose: Purpose::Exit, ..ended(3, "sma_cross", Side::Sell, 100, 100) };
    let unused = Order { kind, purpose: Purpose::Protect, ..ended(4, "rsi", Side::Sell, 100, 0) };
    let working = Order { status: OrderStatus::Working, ..ended(5, "rsi", Side::Buy, 100, 0) };
    let fills = vec![
        fill(1, &bought, 600, "50.2", 60, FillLeg::Market),
        fill(2, &bought, 200, "50.6", 20, FillLeg::Market),
        fill(3, &stopped, 100, "47.5", 10, FillLeg::Stop),
        fill(4, &sold, 100, "50.5", 0, FillLeg::Market),
    ];
    (vec![bought, stopped, sold, unused, working], fills)
}

fn lived() -> Bench {
    let bench = Bench::new();
    let held = [Holding { symbol: "MSFT", quantity: 5, entry: 30, stop: None }];
    let (orders, fills) = orders();
    let price = Price::whole(52);
    let mark =
        MarkRow { symbol: apple(), timeframe: Timeframe::D1, price, at: AT, ended: false, stale: None, lock: None };
    let mut batch = Batch { orders, fills, marks: vec![mark], ..book_batch(AT, 10_000, &held, &[]) };
    batch.books[0].limits = serde_json::json!({ "fee_bps": "0.0001", "slippage_bps": "0.0002" }).to_string();
    let record =
        |streak: i64| serde_json::json!({ "trades": 3, "wins": 2, "won": "50", "lost": "20", "streak": streak });
    batch.books[0].memory =
        serde_json::json!({ "records": [["rsi", record(-2)], ["breakout", record(0)]] }).to_string();
    batch.trades = vec![trade(1, 50), trade(2, -10), trade(3, -20)];
    let rights = vec![(name("rsi"), Ratio::ONE)];
    let switched = |symbol: &str, to, strategies| {
        let symbol = symbol.parse().expect("symbol");
        told("main", EventKind::RegimeSwitched { symbol, from: None, to, strategies })
    };
    let raised = |id, action| told("main", EventKind::SignalRaised { signal: signal(id, action) });
    batch.events = vec![
        raised(1, SignalAction::EnterLong),
        raised(2, SignalAction::EnterLong),
        raised(3, SignalAction::EnterShort),
        raised(4, SignalAction::Exit),
        raised(5, SignalAction::EnterLong),
        told("main", measured(1, "0.04")),
        told("main", measured(2, "-0.02")),
        told("main", measured(3, "0.01")),
        told("other", measured(9, "0.5")),
        switched("AAPL", Regime::Range, rights.clone()),
        switched("AAPL", Regime::Trend, Vec::new()),
        switched("MSFT", Regime::Range, rights),
    ];
    bench.record(batch);
    bench
}

#[test]
fn what_trading_cost_is_told_by_strategy_and_order() {
    let text = said(&lived(), "/costs");
    let lines: Vec<&str> = text.lines().collect();
    // 646 + 53 - 47 of 50,000 + 4,800 + 5,000; expected 3 bps of each.
    assert_eq!(lines[0], "main: trading cost 652.00 USD, 109.0 bps of 59,800.00 USD decided on · 3 orders that ended");
    assert_eq!(
        lines[1],
        "  expected 17.94 (3.0 bps): fee 1.0 bps and slippage 2.0 bps as the book sets them, without impact · 634.06 (106.0 bps) more \
         than expected"
    );
    assert_eq!(
        lines[2],
        "  drift 150.00 (25.1 bps) · slippage 90.00 (15.1 bps) · fees 12.00 (2.0 bps) · not filled 400.00 (66.9 bps)"
    );
    assert_eq!(lines[4], "  rsi: 699.00 (127.6 bps) of 54,800.00 · expected 16.44 (3.0 bps)");
    assert_eq!(lines[6], "  sma_cross: -47.00 (-94.0 bps) of 5,000.00 · expected 1.50 (3.0 bps)");
    assert_eq!(lines[8], "Dearest orders");
    assert!(lines[9].starts_with(
        "  O1 rsi buy 1,000 AAPL: 646.00 (129.2 bps) of 50,000.00 · expected 15.00 (3.0 bps) · drift 160.00"
    ));
    assert!(lines[10].starts_with("  O2 rsi sell 100 AAPL: 53.00 (110.4 bps) of 4,800.00"), "{text}");
    assert!(lines[11].contains("against the price at which each order was decided") && lines.len() == 12, "{text}");
    assert!(said(&lived(), "/costs other").contains("books are main"));
}

/// What a book expects of a symbol with costs of its own, as the engine stores its settings.
#[test]
fn a_symbol_with_its_own_costs_is_measured_against_them() {
    let mut desk = settings(TimeInForce::Gtc);
    let mut limits = desk.limits.clone();
    limits.set("fee_bps", Ratio::whole(50)).expect("in range");
    desk.overrides = vec![SymbolTerms { symbol: coin().symbol, limits, sizing: desk.sizing }];
    let bench = Bench::new();
    bench.live(Life::whole(ListFeed::of(vec![(coin(), bars())]), |own| *own = desk)).expect("runs");
    let text = said(&bench, "/costs");
    let expected = "(52.0 bps): fee 1.0 bps and slippage 2.0 bps as the book sets them, with BTC-USD as set for each";
    assert!(text.contains(expected) && text.contains(" · 0.00 (0.0 bps) more than expected"), "{text}");
}

#[test]
fn each_strategy_tells_its_trades_and_how_right_its_signals_were() {
    let bench = lived();
    let text = said(&bench, "/strategies");
    let want = [
        "main: results of closed trades after fees, in USD",
        "Regimes of its symbols, as last told: range 1, trend 1",
        "rsi: 3 trades, 33.3 % won · net +20.00 USD · profit factor 1.67 · +6.67 a trade · fees 6.00",
        "  streak: 2 losses · holds nothing",
        // 4 %, -2 % and 1 %.
        "  4 signals to enter, traded or not · 3 measured 20 bars later: 66.7 % right, +1.0 % on average in their direction",
        "  its regime gives it 1 of 2 symbols",
        "breakout: no closed trade yet",
        "  no streak · holds nothing",
        "  no signal to enter yet",
        "  its regime gives it 0 of 2 symbols",
        "sma_cross: no closed trade yet",
        "  no longer a strategy of the book · 1 open position: MSFT",
        "  no signal to enter yet",
        "  its regime gives it 0 of 2 symbols",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), want);
    let why = said(&bench, "/why O1");
    assert!(why.contains("20 bars after it the price had moved +4.0 % in its direction"), "{why}");
}

#[test]
fn a_restart_remembers_the_last_trades_of_each_book() {
    let bench = Bench::new();
    let other = |id| Trade { book: name("other"), ..trade(id, 5) };
    let trades = vec![other(1), other(2), trade(3, 5), trade(4, 5), trade(5, 5)];
    bench.record(Batch { trades, ..book_batch(AT, 10_000, &[], &[]) });
    let last = bench.reader().last_trades(2).expect("reads");
    assert_eq!(last.iter().map(|trade| trade.id.0).collect::<Vec<_>>(), [5, 4, 2, 1]);
}

fn coin() -> Instrument {
    Instrument::bare("BTC-USD".parse().expect("symbol"))
}

/// Two hundred days of a price that swings while it rises.
fn bars() -> Vec<Bar> {
    let closes: Vec<i64> = (0..200).map(|day| 100 + (day * 7 % 40 - 20i64).abs() + day / 10).collect();
    flat_bars(&closes)
}

fn settings(tif: TimeInForce) -> DeskSettings {
    let mut desk = BookConfig::usual().desk;
    desk.symbols = vec![coin().symbol];
    quick_cross(&mut desk);
    desk.strategies[0].tif = tif;
    desk
}

fn backtest(bars: Vec<Bar>, tif: TimeInForce) -> Ran {
    let mut feed = ListFeed::of(vec![(coin(), bars)]);
    run(&mut feed, vec![settings(tif)], Ran::default(), &mut |_| ControlFlow::Continue(())).expect("runs")
}

/// The first entry meets a day without trade and is taken back: it missed what the price did on that day, not what it did later.
#[test]
fn an_entry_that_never_filled_costs_what_it_missed_until_it_ended() {
    let first = backtest(bars(), TimeInForce::Gtc).desks[0].orders[&OrderId(1)].clone();
    let mut dry = bars();
    let met = dry.iter_mut().find(|bar| bar.start >= first.created).expect("a bar after it");
    met.volume = Quantity::ZERO;
    met.close = met.close.plus(Price::whole(1)).expect("fits");
    let missed = first.quantity.to_f64() * (met.close.to_f64() - first.reference.to_f64());
    let ran = backtest(dry, TimeInForce::Ioc);
    assert_eq!(ran.desks[0].orders[&OrderId(1)].status, OrderStatus::Expired);
    let unfilled = ran.desks[0].orders.values().filter(|order| order.status == OrderStatus::Expired).count();
    let settings = settings(TimeInForce::Ioc);
    let report = Report::measure(&ran, &ran.desks[0], &settings, &[coin()]).expect("fits");
    let document = report.json().expect("fits");
    let told = document["costs"]["sum"]["opportunity"].as_f64().expect("a number");
    assert!(unfilled == 1 && missed.abs() > 1.0 && (told - missed).abs() < 1e-4, "{unfilled} {told} {missed}");
}

/// What the orders of a backtest cost is the difference between what was paid and what they were decided at, whatever its parts are
/// called.
#[test]
fn a_backtest_tells_its_trading_cost() {
    let ran = backtest(bars(), TimeInForce::Gtc);
    let (result, settings) = (&ran.desks[0], settings(TimeInForce::Gtc));
    let report = Report::measure(&ran, result, &settings, &[coin()]).expect("fits");

    let mut want = (0.0, 0.0);
    for fill in &result.fills {
        let order = &result.orders[&fill.order];
        assert!(order.status == OrderStatus::Filled, "the story has whole orders only");
        let decided = match (order.purpose, order.kind, fill.leg) {
            (Purpose::Protect, OrderKind::Bracket { target: Some(target), .. }, FillLeg::Target) => target,
            (Purpose::Protect, OrderKind::Bracket { stop, .. }, _) => stop,
            _ => order.reference,
        };
        let sign = if fill.side == Side::Buy { 1.0 } else { -1.0 };
        let quantity = fill.quantity.to_f64();
        want.0 += sign * quantity * (fill.price.to_f64() - decided.to_f64()) + fill.fee.to_f64();
        want.1 += quantity * decided.to_f64();
    }
    let document = report.json().expect("fits");
    let sum = &document["costs"]["sum"];
    let near = |got: &serde_json::Value, want: f64| (got.as_f64().expect("a number") - want).abs() < 1e-4;
    assert!(result.fills.len() > 4 && want.0 > 0.0, "{} fills", result.fills.len());
    assert!(near(&sum["realised"], want.0) && near(&sum["paper"], want.1), "{sum} {want:?}");
    assert!(near(&sum["opportunity"], 0.0) && near(&sum["realised_bps"], want.0 / want.1 * 1e4));
    assert_eq!(&document["costs"]["by_strategy"]["sma_cross"], sum);
    let table = report.table();
    let line = table.lines().find(|line| line.starts_with("Trading cost")).expect("a line");
    assert!(line.contains(" bps, ") && line.ends_with("Perold 1988"), "{line}");
}
