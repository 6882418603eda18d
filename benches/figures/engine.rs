//! How fast are the engine's parts?

use std::hint::black_box;
use std::time::Duration;

use bellwether::clock::{Clock, Timestamp};
use bellwether::config::BookConfig;
use bellwether::domain::{
    Alert, AlertId, AlertState, Bar, CycleId, MarketSnapshot, Mode, Money, Ratio, RunContext, RunId,
};
use bellwether::engine::{Alerts, DeskSettings, Engine, Outcome, StrategySettings, cycle, decide as decide_on, follow};
use bellwether::execution::PaperBroker;
use bellwether::indicators::{Atr, Bollinger, COLUMNS, Ema, Indicator, Macd, Rsi, Sma};
use bellwether::market::{Feed, ReplayFeed, ReplayOptions, SimulatedFeed};
use bellwether::strategy::{STRATEGIES, Values};

use crate::Sample;
use crate::ground::{CYCLES, Ground, millis, seconds};

pub(crate) fn decide(ground: &Ground) -> Sample {
    let (mut engine, mut broker) = (ground.engine(), PaperBroker::new(&ground.instruments));
    let mut columns: Vec<Vec<_>> =
        ground.instruments.iter().map(|_| COLUMNS.iter().map(|column| (column.build)()).collect()).collect();
    let (mut deciding_ms, mut columns_ms, mut events) = (0.0, 0.0, 0);
    for (snapshot, number) in ground.snapshots.iter().zip(1..) {
        let context = context(number, snapshot);
        let mut out = Outcome::default();
        let begun = ground.clock.steady();
        cycle(&mut engine, &mut broker, snapshot, &context, &mut out).expect("nothing breaks");
        let decided = ground.clock.steady();
        for seen in &snapshot.bars {
            for column in &mut columns[seen.instrument] {
                black_box(column.update(&seen.bar));
            }
        }
        if snapshot.at > SimulatedFeed::START {
            deciding_ms += millis(begun, decided);
            columns_ms += millis(decided, ground.clock.steady());
            events += out.events.len();
        }
    }
    let aside = format!(
        "of it {:.3} ms for every column of \"bellwether indicators\"; {events} events in {CYCLES} cycles",
        columns_ms / CYCLES as f64
    );
    Sample { value: (deciding_ms + columns_ms) / CYCLES as f64, aside }
}

/// Four alerts on each symbol, a third of them on indicators; none comes true. Ten more are about the day.
pub(crate) fn alerts(ground: &Ground) -> Sample {
    let (mut engine, mut broker) = (ground.engine(), PaperBroker::new(&ground.instruments));
    let words = ["{} > 1,000,000", "{} pnl > 1,000,000", "{} rsi < -1", "{} ema 20 5m < -1"];
    let of = |(number, text): (usize, String)| Alert {
        id: AlertId(number as u64 + 1),
        person: "ana".to_owned(),
        condition: text.parse().expect("a condition"),
        repeats: true,
        expires: None,
        state: AlertState::Armed,
        fired: 0,
        fired_at: None,
    };
    let symbols = ground.instruments.iter().flat_map(|item| words.map(|text| text.replace("{}", item.symbol.as_str())));
    let days = std::iter::repeat_n("day < -99%".to_owned(), 10);
    let list: Vec<Alert> = symbols.chain(days).enumerate().map(of).collect();
    let (count, mut watch) = (list.len(), Alerts::default());
    watch.take(list, &engine);
    let (mut looking_ms, mut idle_ms, mut nobody) = (0.0, 0.0, Alerts::default());
    for (snapshot, number) in ground.snapshots.iter().zip(1..) {
        let (context, mut out) = (context(number, snapshot), Outcome::default());
        cycle(&mut engine, &mut broker, snapshot, &context, &mut out).expect("nothing breaks");
        let begun = ground.clock.steady();
        watch.look(&engine, snapshot, &context, &mut out);
        let looked = ground.clock.steady();
        nobody.look(&engine, snapshot, &context, &mut out);
        if snapshot.at > SimulatedFeed::START {
            looking_ms += millis(begun, looked);
            idle_ms += millis(looked, ground.clock.steady());
        }
    }
    let aside = format!("{count} alerts; {:.6} ms where there is none", idle_ms / CYCLES as f64);
    Sample { value: looking_ms / CYCLES as f64, aside }
}

/// The best of twenty rounds: whatever else runs on the machine can only make one slower.
pub(crate) fn indicators(ground: &Ground) -> Sample {
    let bars: Vec<Bar> = ground
        .snapshots
        .iter()
        .flat_map(|seen| &seen.bars)
        .filter(|seen| seen.instrument == 0)
        .map(|seen| seen.bar)
        .collect();
    let (mut sma, mut ema, mut rsi) = (Sma::new(20), Ema::new(20), Rsi::new(14));
    let (mut macd, mut atr, mut bollinger) = (Macd::new(12, 26, 9), Atr::new(14), Bollinger::new(20, 2.0));
    let passes = 100;
    let mut round = || {
        let begun = ground.clock.steady();
        for bar in (0..passes).flat_map(|_| &bars) {
            let bar = black_box(bar);
            black_box((sma.update(bar), ema.update(bar), rsi.update(bar), atr.update(bar)));
            macd.update(bar);
            bollinger.update(bar);
            black_box((macd.value(), bollinger.bands()));
        }
        seconds(begun, ground.clock.steady()) * 1e9 / (passes * bars.len()) as f64
    };
    let value = (0..20).map(|_| round()).fold(f64::INFINITY, f64::min);
    Sample { value, aside: format!("best of 20 rounds of {} updates", passes * bars.len()) }
}

fn context(number: u64, snapshot: &MarketSnapshot) -> RunContext {
    RunContext {
        run: RunId(1),
        mode: Mode::Paper,
        started: Timestamp::from_ms(0),
        cycle: CycleId(number),
        now: snapshot.at,
        cost_budget: Money::ZERO,
        dry_run: false,
    }
}

/// The book of a backtest without stops and limits that trades crossings of SMA 10 and 50.
fn crossing(feed: &ReplayFeed) -> DeskSettings {
    let usual = BookConfig::usual().desk;
    let kind = STRATEGIES.iter().find(|kind| kind.name == "sma_cross").expect("in the table");
    let given = [("fast".to_owned(), Ratio::whole(10)), ("slow".to_owned(), Ratio::whole(50))];
    let values = Values::check(kind.name, kind.params, &given).expect("in range");
    let mut limits = usual.limits;
    (limits.stops, limits.enforced) = (false, false);
    let symbols = feed.instruments().iter().map(|item| item.symbol).collect();
    let strategies = vec![StrategySettings::new(kind.name.parse().expect("a name"), kind, values)];
    DeskSettings { limits, symbols, strategies, ..usual }
}

/// Only what `decide` takes of a cycle is counted, in nanoseconds a bar; prices, fills and the broker are not.
pub(crate) fn bars(ground: &Ground) -> Sample {
    let options = ReplayOptions { path: ground.coins(50, 100_000), ..ReplayOptions::default() };
    let mut feed = ReplayFeed::open(&options, ground.clock.now(), &mut |_, _| {}).expect("the prices are sound");
    let mut engine = Engine::new(feed.instruments(), vec![crossing(&feed)]).expect("in range");
    let mut broker = PaperBroker::new(feed.instruments());
    let (mut snapshot, mut out, mut reports) = (MarketSnapshot::default(), Outcome::default(), Vec::new());
    let (mut deciding, mut bars, mut number) = (Duration::ZERO, 0, 0);
    while feed.next_into(&mut snapshot) {
        number += 1;
        let context = context(number, &snapshot);
        engine.counters.cycle = context.cycle;
        follow(&mut engine, &mut broker, &snapshot, &context, &mut out).expect("nothing breaks");
        reports.clear();
        let settings = &engine.desks[0].settings;
        broker.fill(&snapshot, |order| settings.costs_of(order.symbol), |_| false, &mut reports).expect("it fills");
        let begun = ground.clock.steady();
        decide_on(&mut engine, &snapshot, &reports, &context, &mut out);
        deciding += ground.clock.steady().saturating_sub(begun);
        out.requests.drain(..).try_for_each(|request| broker.submit(request)).expect("it takes orders");
        bars += snapshot.bars.len();
        out.clear();
    }
    let value = deciding.as_secs_f64() * 1e9 / bars as f64;
    let signals = engine.counters.signal.0;
    Sample { value, aside: format!("{:.1} million bars a second; {signals} signals in {bars} bars", 1e3 / value) }
}
