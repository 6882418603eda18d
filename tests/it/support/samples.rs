//! One or more of every kind of event, with figures that no other sample has.

use bellwether::clock::Timestamp;
use bellwether::domain::{
    AlertId, Booking, BookingKind, CheckResult, EntryLock, Event, EventKind, ExitReason, FillId, FillLeg, HaltCause,
    Input, Label, Lane, LiftReason, LockCause, Money, NoticeId, Order, OrderId, OrderKind, OrderStatus, Preview, Price,
    Proposal, Purpose, Quantity, Ratio, ReduceCause, Regime, Side, SignalAction, SignalId, SignalIntent, Symbol,
    TimeInForce, Timeframe, Trade, TradeFill, TradeId, TradingState,
};

/// 2026-11-20 15:30 UTC.
pub(crate) const SAMPLE_AT: Timestamp = Timestamp::from_ms(1_795_188_600_000);
/// What a stranger might write.
pub(crate) const THEIRS: &str = "<b>x</b> @all /halt #tag see evil.example";

macro_rules! every_kind {
    ($($kind:ident)*) => {
        /// The name of the variant. A new kind does not compile until it is in the list below, and then the tests ask for a sample of it.
        pub(crate) fn variant(kind: &EventKind) -> &'static str {
            match kind {
                $(EventKind::$kind { .. } => stringify!($kind),)*
            }
        }

        /// All variants.
        pub(crate) const VARIANTS: &[&str] = &[$(stringify!($kind)),*];
    };
}

every_kind! {
    EngineStarted EngineRecovered EngineStopped ReplayFinished SignalRaised ProposalRefused OrderSubmitted OrderWithheld OrderFilled
    OrderEnded PositionOpened PositionScaled PositionClosed StopMoved LevelsSet ControlUndone PositionUnprotected TradingHalted TradingReduced TradingResumed
    DailyLossNear DrawdownNear EntryLocked EntryUnlocked BlockEnded CarryBooked MarginCalled RegimeSwitched SignalMeasured BookStopped BookReset
    ConfigChanged SettingChanged SettingEnded ConfigRefused StrategyFailed ScreenerRan DayAudited DayClosed FeedStale FeedRecovered SymbolLocked SymbolUnlocked
    SplitApplied ClockJumped StoreRecovered BackupMade BackupFailed PositionPassed DayPassed AlertFired CyclesMissed HealthDegraded
    HealthRestored LaneDied LaneRecovered DeliveryDied SmsBudgetNear CopyRunning StrangersKnocked PersonPaired DrillSent PinLocked
    FactorChanged DuressPin DuressUntold ControlLapsed ApprovalAsked ApprovalEnded
}

/// Every sample, as an event of the book `main`, a minute apart.
pub(crate) fn samples() -> Vec<Event> {
    let kinds = [trades(), orders(), refused(), limits(), states(), prices(), system(), people()].concat();
    let event = |(place, kind)| Event { at: SAMPLE_AT.plus_ms(place as i64 * 60_000), book: Some(label("main")), kind };
    kinds.into_iter().enumerate().map(event).collect()
}

/// The first sample of a kind.
pub(crate) fn sample(name: &str) -> Event {
    samples().into_iter().find(|event| event.kind.name() == name).unwrap_or_else(|| panic!("no sample of {name}"))
}

fn label(name: &str) -> Label {
    name.parse().expect("a name")
}

fn symbol(name: &str) -> Symbol {
    name.parse().expect("a symbol")
}

fn money(text: &str) -> Money {
    text.parse().expect("an amount")
}

fn price(text: &str) -> Price {
    text.parse().expect("a price")
}

fn quantity(text: &str) -> Quantity {
    text.parse().expect("a quantity")
}

fn ratio(text: &str) -> Ratio {
    text.parse().expect("a ratio")
}

fn check(check: &'static str, passed: bool, value: &'static str, limit: &'static str) -> CheckResult {
    CheckResult { check: check.into(), passed, value: value.into(), limit: limit.into() }
}

fn sample_fill(side: Side) -> TradeFill {
    TradeFill {
        id: FillId(31),
        order: OrderId(17),
        book: label("main"),
        symbol: symbol("AAPL"),
        side,
        quantity: quantity("1379"),
        price: price("187.42"),
        fee: money("41.37"),
        slippage: money("83.61"),
        leg: FillLeg::Market,
        at: SAMPLE_AT,
    }
}

fn sample_trade() -> Trade {
    Trade {
        id: TradeId(9),
        book: label("main"),
        symbol: symbol("AAPL"),
        strategy: label("sma_cross"),
        side: Side::Buy,
        quantity: quantity("1379"),
        entry_price: price("187.42"),
        exit_price: price("194.05"),
        opened: SAMPLE_AT,
        closed: SAMPLE_AT.plus_ms(353_000_000),
        fees: money("82.74"),
        carried: money("-17.43"),
        profit: money("9042.59"),
        best: money("9977.13"),
        worst: money("-1313.31"),
        reason: ExitReason::MarginCall,
    }
}

#[expect(clippy::too_many_lines, reason = "one sample a kind")]
fn trades() -> Vec<EventKind> {
    let opened = |side, stop, target| EventKind::PositionOpened {
        fill: sample_fill(side),
        strategy: label("sma_cross"),
        because: "sma20 186.91 rose above sma50 186.40".to_owned(),
        stop,
        target,
        trailing: true,
        risk: money("7061.44"),
        exposure: Ratio::from_percent(24),
        exposure_limit: Ratio::from_percent(60),
        cash: money("77510.27"),
        equity: money("1021210.19"),
    };
    vec![
        opened(Side::Buy, Some(price("182.30")), Some(price("201.00"))),
        opened(Side::Sell, None, None),
        EventKind::PositionScaled {
            symbol: symbol("ETH-USD"),
            quantity: quantity("-1.06456"),
            average: price("2000"),
            stop: None,
        },
        EventKind::PositionClosed {
            trade: sample_trade(),
            day: money("-21210.77"),
            day_share: ratio("-0.021"),
            equity: money("1030252.78"),
        },
        EventKind::StopMoved {
            symbol: symbol("AAPL"),
            from: price("182.30"),
            to: price("185.10"),
            quantity: quantity("1379"),
            average: price("187.42"),
        },
        EventKind::LevelsSet {
            symbol: symbol("BRK.B"),
            stop: price("412.5"),
            target: Some(price("461")),
            trail: None,
            person: "ana".to_owned(),
        },
        EventKind::ControlUndone {
            control: "/close AAPL 50%".to_owned(),
            person: "ana".to_owned(),
            bookings: vec![sample_fill(Side::Buy)],
        },
        EventKind::PositionPassed {
            symbol: symbol("BRK.B"),
            profit: money("-5077.13"),
            share: ratio("-0.0512"),
            level: ratio("-0.05"),
        },
        EventKind::DayPassed { profit: money("20411.93"), share: ratio("0.0204"), level: ratio("0.02") },
        EventKind::DayClosed {
            day: "2026-11-20".to_owned(),
            profit: money("-3300.41"),
            equity: money("1017909.78"),
            trades: 3,
        },
        EventKind::CarryBooked { booking: booking(BookingKind::Dividend, "312.89") },
        EventKind::CarryBooked { booking: booking(BookingKind::Borrow, "-45.67") },
        EventKind::CarryBooked { booking: booking(BookingKind::Funding, "-78.93") },
        EventKind::SplitApplied { symbol: symbol("NVDA"), ratio: ratio("10"), quantity: quantity("4730") },
        EventKind::BookStopped { equity: money("1018181.81"), profit: money("18181.81") },
        EventKind::BookReset { equity: money("1018282.82"), capital: money("1000000.01"), person: "ana".to_owned() },
        EventKind::ReplayFinished { cycles: 390, equity: money("1019191.91") },
    ]
}

fn booking(kind: BookingKind, amount: &str) -> Booking {
    Booking { book: label("main"), symbol: symbol("KO"), kind, amount: money(amount), at: SAMPLE_AT }
}

fn orders() -> Vec<EventKind> {
    let signal = |action| EventKind::SignalRaised {
        signal: SignalIntent {
            id: SignalId(12),
            strategy: label("rsi"),
            symbol: symbol("TSLA"),
            timeframe: Timeframe::H1,
            action,
            confidence: ratio("0.8"),
            rule: "rsi14 28.4 rose above 30".to_owned(),
            inputs: vec![Input { name: "rsi14".to_owned(), value: 30.2 }],
            at: SAMPLE_AT,
        },
    };
    let fill =
        |remaining: &str| EventKind::OrderFilled { fill: sample_fill(Side::Buy), remaining: quantity(remaining) };
    let mut kinds = vec![
        signal(SignalAction::EnterLong),
        signal(SignalAction::EnterShort),
        signal(SignalAction::Exit),
        fill("0"),
        fill("5791"),
        EventKind::OrderEnded {
            order: OrderId(18),
            symbol: symbol("MSFT"),
            unfilled: quantity("6173"),
            why: "the session ended".to_owned(),
        },
        EventKind::SignalMeasured {
            signal: SignalId(12),
            strategy: label("rsi"),
            symbol: symbol("TSLA"),
            bars: 20,
            outcome: ratio("-0.004"),
        },
    ];
    let (trigger, distance) = (price("190.00"), price("3.50"));
    for kind in [
        OrderKind::Market,
        OrderKind::Limit { price: trigger },
        OrderKind::Stop { trigger },
        OrderKind::StopLimit { trigger, price: price("190.50") },
        OrderKind::Trailing { trigger, distance },
        OrderKind::Bracket { stop: trigger, target: Some(price("220.00")) },
    ] {
        let checks = vec![check("stop", true, "3.50 away", "a planned stop")];
        kinds.push(EventKind::OrderSubmitted { order: sample_order(kind), checks: checks.clone() });
        kinds.push(EventKind::OrderWithheld { order: sample_order(kind), checks });
    }
    kinds
}

fn refused() -> Vec<EventKind> {
    let refusals = vec![
        check("sector exposure", false, "43.1 % in Consumer", "at most 40.0 %"),
        check("buying power", false, "98765.43", "at most 1234.56 free"),
        check("correlation", false, "0.78 with NVDA", "at most 0.70 over 60 bars"),
    ];
    let proposal = Proposal {
        book: label("main"),
        strategy: label("breakout"),
        signal: Some(SignalId(12)),
        symbol: symbol("TSLA"),
        side: Side::Buy,
        quantity: quantity("2468"),
        kind: OrderKind::Market,
        purpose: Purpose::Entry,
        reference: price("240.10"),
        risk: money("4321.09"),
        plan: None,
        tif: TimeInForce::Gtc,
        expires: None,
        because: "close 241.10 above the high of 20 bars, 240.00".to_owned(),
        audit: None,
    };
    let short = Proposal { side: Side::Sell, ..proposal.clone() };
    let cash = refusals[1..2].to_vec();
    vec![
        EventKind::ProposalRefused { proposal, refusals },
        EventKind::ProposalRefused { proposal: short, refusals: cash },
    ]
}

fn sample_order(kind: OrderKind) -> Order {
    Order {
        id: OrderId(17),
        book: label("main"),
        strategy: label("sma_cross"),
        signal: Some(SignalId(12)),
        symbol: symbol("AAPL"),
        side: Side::Sell,
        kind,
        purpose: Purpose::Exit,
        quantity: quantity("3579"),
        filled: Quantity::ZERO,
        status: OrderStatus::Working,
        triggered: false,
        reference: price("187.00"),
        plan: None,
        tif: TimeInForce::Day,
        expires: None,
        because: "sma20 fell below sma50".to_owned(),
        audit: None,
        created: SAMPLE_AT,
        updated: SAMPLE_AT,
    }
}

fn limits() -> Vec<EventKind> {
    let (loss, limit) = (ratio("0.031"), ratio("0.03"));
    let halted = |cause| EventKind::TradingHalted { cause, cancelled: 2, positions: 3 };
    let reduced = |cause, until| EventKind::TradingReduced { cause, day: money("-31004.47"), until };
    let locked = |cause| EventKind::EntryLocked {
        lock: EntryLock { symbol: symbol("TSLA"), cause, since: SAMPLE_AT, until: SAMPLE_AT.plus_ms(7_200_000) },
    };
    vec![
        halted(HaltCause::Command { person: "ana".to_owned() }),
        halted(HaltCause::Precaution),
        halted(HaltCause::DailyLoss { loss, limit }),
        halted(HaltCause::Drawdown { drawdown: ratio("0.2"), limit: ratio("0.15") }),
        halted(HaltCause::StoreTrouble { error: THEIRS.to_owned() }),
        halted(HaltCause::BrokenInvariant { what: "cash 424242.42 is not 434343.43".to_owned() }),
        reduced(ReduceCause::DailyLoss { loss, limit, closing: 2 }, Some(SAMPLE_AT.plus_ms(86_400_000))),
        reduced(ReduceCause::Drawdown { drawdown: ratio("0.11"), limit: ratio("0.1") }, None),
        reduced(ReduceCause::Breaker { value: ratio("6.2"), limit: ratio("5") }, Some(SAMPLE_AT)),
        reduced(ReduceCause::Paused { person: "ana".to_owned() }, None),
        reduced(ReduceCause::Stopped { person: "ana".to_owned() }, None),
        EventKind::DailyLossNear { day: money("-25005.55"), loss: ratio("0.025"), limit },
        EventKind::DrawdownNear { drawdown: ratio("0.08"), limit: ratio("0.1") },
        locked(LockCause::Cooldown),
        locked(LockCause::Stops { count: 3 }),
        locked(LockCause::LosingStreak { count: 4 }),
        locked(LockCause::LowProfit { trades: 5, profit: money("-6067.87") }),
        EventKind::EntryUnlocked { symbol: symbol("TSLA"), person: "ana".to_owned() },
        EventKind::BlockEnded { symbol: symbol("TSLA"), person: "ana".to_owned() },
        EventKind::PositionUnprotected { symbol: symbol("AAPL"), quantity: quantity("8642") },
        EventKind::MarginCalled { symbol: symbol("BTC-PERP"), left: money("101.23"), required: money("404.56") },
    ]
}

fn states() -> Vec<EventKind> {
    let unlocked = |reason| EventKind::SymbolUnlocked { symbol: symbol("AAPL"), reason };
    let switched = |from, to, strategies| EventKind::RegimeSwitched { symbol: symbol("SPY"), from, to, strategies };
    let audited = |differences: Vec<String>| EventKind::DayAudited {
        day: "2026-11-20".to_owned(),
        cycles: 390,
        orders: 12,
        fills: 11,
        differences,
    };
    vec![
        EventKind::TradingResumed { from: TradingState::Halted, person: Some("ana".to_owned()) },
        EventKind::TradingResumed { from: TradingState::Reducing, person: None },
        EventKind::SymbolLocked {
            symbol: symbol("AAPL"),
            before: price("101.40"),
            after: price("51"),
            quantity: quantity("9753"),
        },
        unlocked(LiftReason::Command { person: "ana".to_owned() }),
        unlocked(LiftReason::Filed),
        unlocked(LiftReason::CameBack),
        unlocked(LiftReason::StoodFlat { sessions: 1 }),
        switched(
            Some(Regime::Range),
            Regime::Trend,
            vec![(label("sma_cross"), Ratio::ONE), (label("rsi"), Ratio::ZERO)],
        ),
        switched(None, Regime::Volatile, Vec::new()),
        EventKind::ScreenerRan { looked: 28, chosen: vec![(symbol("AAPL"), ratio("81.25"))], unmeasured: 2 },
        EventKind::ScreenerRan { looked: 28, chosen: Vec::new(), unmeasured: 0 },
        audited(Vec::new()),
        audited((1..9).map(|number| format!("O{number}: 535353.53 is not 545454.54")).collect()),
        EventKind::AlertFired {
            alert: AlertId(3),
            person: "ana".to_owned(),
            condition: "equity > 616161.61".to_owned(),
            value: "626262.62".to_owned(),
            repeats: true,
        },
        EventKind::AlertFired {
            alert: AlertId(4),
            person: "ana".to_owned(),
            condition: "AAPL > 200".to_owned(),
            value: "200.10".to_owned(),
            repeats: false,
        },
    ]
}

fn prices() -> Vec<EventKind> {
    let (aapl, since) = (symbol("AAPL"), SAMPLE_AT.plus_ms(-600_000));
    vec![
        EventKind::FeedStale { symbol: aapl, since },
        EventKind::FeedRecovered { symbol: aapl, since, bars_missing: 1 },
        EventKind::CyclesMissed { cycles: 3, late_s: 12 },
        EventKind::StrategyFailed { strategy: label("rsi"), symbol: aapl, error: THEIRS.to_owned() },
        EventKind::EngineStarted { feed: "sim seed 1, 1m".to_owned(), symbols: 27, dry_run: true },
        EventKind::EngineStarted { feed: "replay of <b>x</b>.csv".to_owned(), symbols: 1, dry_run: false },
        EventKind::EngineRecovered { down_s: 470, last_cycle: 99, positions: 3, orders: 1, unknown_deliveries: 1 },
        EventKind::EngineStopped { cycles: 200 },
    ]
}

fn system() -> Vec<EventKind> {
    vec![
        EventKind::ConfigChanged { changes: (1..30).map(|number| format!("main: size 7171{number}.71")).collect() },
        EventKind::SettingChanged {
            changes: vec!["fixed_units 71717.71 -> 71718.71".to_owned()],
            person: "ana".to_owned(),
            until: Some(SAMPLE_AT.plus_ms(7_200_000)),
        },
        EventKind::SettingChanged { changes: vec!["rsi disabled".to_owned()], person: "ana".to_owned(), until: None },
        EventKind::SettingEnded {
            what: "/limit fixed_units 71718.71".to_owned(),
            changes: vec!["fixed_units 71718.71 -> 71717.71".to_owned()],
            person: "ana".to_owned(),
            why: None,
        },
        EventKind::SettingEnded {
            what: "/disable rsi".to_owned(),
            changes: Vec::new(),
            person: "ana".to_owned(),
            why: Some("main has no strategy rsi".to_owned()),
        },
        EventKind::ConfigRefused { error: format!("bellwether.toml:4:1: {THEIRS} {}", "long ".repeat(100)) },
        EventKind::ClockJumped { by_s: -3_600 },
        EventKind::StoreRecovered { error: THEIRS.to_owned(), down_s: 61 },
        EventKind::BackupMade { file: "backups/2026-11-20.db".to_owned(), bytes: 12_345_678 },
        EventKind::BackupFailed { error: THEIRS.to_owned() },
        EventKind::HealthDegraded { part: "market data".to_owned(), why: THEIRS.to_owned() },
        EventKind::HealthRestored { part: "market data".to_owned(), down_s: 47 },
        EventKind::LaneDied { lane: lane(), why: THEIRS.to_owned(), waiting: 4 },
        EventKind::LaneRecovered { lane: lane(), down_s: 47, waiting: 4 },
        EventKind::DeliveryDied { notice: NoticeId(41), lane: lane(), why: THEIRS.to_owned() },
        EventKind::SmsBudgetNear { spent: money("0.83"), per_day: money("1"), silent: None },
        EventKind::SmsBudgetNear { spent: money("0.10"), per_day: money("1"), silent: Some(lane()) },
    ]
}

fn people() -> Vec<EventKind> {
    vec![
        EventKind::CopyRunning { channel: "telegram".to_owned() },
        EventKind::StrangersKnocked { channel: "telegram".to_owned(), messages: 12, people: 1, codes: 5 },
        EventKind::PersonPaired {
            person: "ana".to_owned(),
            channel: "telegram".to_owned(),
            account: THEIRS.to_owned(),
        },
        EventKind::DrillSent { person: "ana".to_owned() },
        EventKind::PinLocked { person: "ana".to_owned(), until: SAMPLE_AT.plus_ms(900_000) },
        EventKind::FactorChanged {
            person: "ana".to_owned(),
            what: "their PIN was set anew on the machine, without the old one".to_owned(),
        },
        EventKind::DuressPin { person: "ana".to_owned() },
        EventKind::DuressUntold {
            person: "ana".to_owned(),
            notice: NoticeId(41),
            lane: "bo:sms".parse().expect("a lane"),
            why: THEIRS.to_owned(),
        },
        EventKind::ControlLapsed { person: "ana".to_owned(), change: "/closeall".to_owned() },
        EventKind::ApprovalAsked {
            control: 7,
            person: "ana".to_owned(),
            change: "/book reset main".to_owned(),
            preview: Box::new(Preview::of_words("Reset main?\nIt begins anew with 10,000.00 USD")),
            books: None,
            until: SAMPLE_AT.plus_ms(300_000),
        },
        EventKind::ApprovalEnded {
            control: 7,
            person: "ana".to_owned(),
            change: "/book reset main".to_owned(),
            books: None,
            by: "bo".to_owned(),
            agreed: false,
        },
    ]
}

fn lane() -> Lane {
    "ana:telegram".parse().expect("a lane")
}

/// Every amount and quantity in the samples, without its sign.
pub(crate) const SECRETS: &[&str] = &[
    "1379",
    "41.37",
    "83.61",
    "82.74",
    "17.43",
    "9042.59",
    "9977.13",
    "1313.31",
    "7061.44",
    "3199.28",
    "77510.27",
    "1021210.19",
    "1.06456",
    "21210.77",
    "1030252.78",
    "5077.13",
    "20411.93",
    "3300.41",
    "1017909.78",
    "312.89",
    "45.67",
    "78.93",
    "4730",
    "1018181.81",
    "18181.81",
    "1018282.82",
    "1000000.01",
    "1019191.91",
    "98765.43",
    "1234.56",
    "2468",
    "4321.09",
    "5791",
    "6173",
    "3579",
    "424242.42",
    "434343.43",
    "31004.47",
    "25005.55",
    "6067.87",
    "8642",
    "101.23",
    "404.56",
    "9753",
    "535353.53",
    "545454.54",
    "616161.61",
    "626262.62",
    "7171",
];
