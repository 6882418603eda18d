//! When strategies are asked: cron expressions over clock changes, weekends, gaps and sessions; and what happens when a run fails.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::channel;

use bellwether::clock::Timestamp;
use bellwether::domain::{
    AssetClass, Bar, EventKind, Holding, Instrument, MarketSnapshot, Price, Quantity, Ratio, Side, SnapshotBar,
    TimeInForce, Timeframe,
};
use bellwether::engine::{DeskSettings, Pace, Schedule, StrategySettings, SymbolTerms};
use bellwether::market::{Feed, Hours, SimulatedFeed, SimulatedWithHistory};
use bellwether::risk::Sizing;
use bellwether::strategy::{
    LoadError, ParamError, Plan, Reason, STRATEGIES, Stay, Strategy, StrategyKind, Values, Verdict,
};
use chrono_tz::America::New_York;

use crate::support::{Bench, Life, ListFeed, flat_bars, quick_cross};

const HOUR_MS: i64 = 3_600_000;

thread_local! {
    /// The instant that the feed gave last.
    static NOW: Cell<i64> = const { Cell::new(0) };
    /// Every time the probe was asked.
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Bars that all probes saw.
    static SEEN: Cell<usize> = const { Cell::new(0) };
}

/// A strategy that wants nothing and notes when it is asked, or one that wants to enter whenever it may.
struct Probe {
    close: Price,
    eager: bool,
}

impl Strategy for Probe {
    fn observe(&mut self, bar: &Bar) {
        self.close = bar.close;
        SEEN.set(SEEN.get() + 1);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let symbol = if self.close < Price::whole(1_000) { "AAPL" } else { "BTC" };
        let at = Timestamp::from_ms(NOW.get()).utc().format("%a %d %H:%M");
        ASKED.with_borrow_mut(|asked| asked.push(format!("{at} {symbol}")));
        if !self.eager || holding != Holding::Flat {
            return Verdict::Stay(Stay::new("it wants something", 0.0, 1.0));
        }
        let (confidence, plan) = (Ratio::ONE, Plan { stop_distance: Some(5.0), ..Plan::default() });
        Verdict::Enter {
            side: Side::Buy,
            confidence,
            reason: Reason { rule: "always".to_owned(), inputs: vec![] },
            plan,
        }
    }

    fn rescale(&mut self, _: i64, _: i64) {}

    fn save(&self) -> String {
        self.close.units().to_string()
    }

    fn load(&mut self, text: &str) -> Result<(), LoadError> {
        self.close = Price::from_units(text.parse().unwrap_or_default());
        Ok(())
    }
}

const fn kind(name: &'static str, build: fn(&Values) -> Result<Box<dyn Strategy>, ParamError>) -> StrategyKind {
    StrategyKind {
        name,
        help: "",
        suits: "",
        enters: "",
        leaves: "",
        confidence: "",
        params: &[],
        warm_up: |_| 1,
        warm_up_help: "",
        ranks: false,
        build,
    }
}

static PROBE: StrategyKind = kind("probe", |_| Ok(Box::new(Probe { close: Price::ZERO, eager: false })));
static EAGER: StrategyKind = kind("eager", |_| Ok(Box::new(Probe { close: Price::ZERO, eager: true })));

fn of(kind: &'static StrategyKind) -> StrategySettings {
    let values = Values::check(kind.name, kind.params, &[]).expect("no parameters");
    StrategySettings::new(kind.name.parse().expect("a name"), kind, values)
}

fn cron(text: &str) -> Schedule {
    Schedule::parse(text, New_York).expect("a schedule")
}

fn at(text: &str) -> Timestamp {
    chrono::DateTime::parse_from_rfc3339(&format!("{text}:00Z")).expect("an instant").to_utc().into()
}

/// Hourly bars of a coin, of a share in its sessions, or of both.
struct Hourly {
    instruments: Vec<Instrument>,
    next: Timestamp,
    end: Timestamp,
    gap: (Timestamp, Timestamp),
    /// From then on nothing is traded at all, though there are prices.
    dry: Timestamp,
}

impl Hourly {
    fn new(symbols: &[&str], from: &str, until: &str) -> Self {
        let instruments = symbols.iter().map(|name| Instrument::bare(name.parse().expect("symbol"))).collect();
        let never = Timestamp::from_ms(i64::MAX);
        Self { instruments, next: at(from), end: at(until), gap: (never, never), dry: never }
    }

    fn dry_from(self, from: &str) -> Self {
        Self { dry: at(from), ..self }
    }

    fn without(self, from: &str, until: &str) -> Self {
        Self { gap: (at(from), at(until)), ..self }
    }
}

impl Feed for Hourly {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        snapshot.clear();
        while snapshot.bars.is_empty() {
            if self.next >= self.end {
                return false;
            }
            let start = self.next;
            self.next = start.plus_ms(HOUR_MS);
            snapshot.at = self.next;
            if self.gap.0 <= start && start < self.gap.1 {
                continue;
            }
            for (instrument, item) in self.instruments.iter().enumerate() {
                let hours = Hours::of(item.class);
                if hours.in_session(Timeframe::H1, start) {
                    let price = Price::whole(if item.class == AssetClass::UsEquity { 100 } else { 50_000 });
                    let volume = Quantity::whole(if start < self.dry { 1_000_000 } else { 0 });
                    let bar = Bar { start, open: price, high: price, low: price, close: price, volume };
                    let (timeframe, opens) = (Timeframe::H1, hours.bar_open(Timeframe::H1, start));
                    snapshot.bars.push(SnapshotBar {
                        instrument,
                        timeframe,
                        bar,
                        opens,
                        is_finest: true,
                        is_last: false,
                    });
                }
            }
        }
        NOW.set(snapshot.at.ms());
        true
    }

    fn history_until(&self) -> Timestamp {
        Timestamp::from_ms(i64::MIN)
    }
}

/// What the probe was asked on this feed, in order.
fn asked(feed: Hourly, change: impl FnOnce(&mut StrategySettings)) -> Vec<String> {
    let bench = Bench::new();
    ASKED.take();
    let mut probe = of(&PROBE);
    change(&mut probe);
    bench.live(Life::whole(feed, |desk| desk.strategies = vec![probe])).expect("runs");
    ASKED.take()
}

/// In the spring of 2026 half past two does not exist on 8 March; in the autumn half past one comes twice on 1 November.
#[test]
fn a_fixed_time_fires_once_a_day_over_both_changes_of_the_clock() {
    let spring = Hourly::new(&["BTC-USD"], "2026-03-06T12:00", "2026-03-10T12:00");
    let want = ["Sat 07 08:00 BTC", "Sun 08 07:00 BTC", "Mon 09 07:00 BTC", "Tue 10 07:00 BTC"];
    assert_eq!(asked(spring, |probe| probe.schedule = Some(cron("30 2 * * *"))), want);
    let autumn = Hourly::new(&["BTC-USD"], "2026-10-30T12:00", "2026-11-03T12:00");
    let want = ["Sat 31 06:00 BTC", "Sun 01 06:00 BTC", "Mon 02 07:00 BTC", "Tue 03 07:00 BTC"];
    assert_eq!(asked(autumn, |probe| probe.schedule = Some(cron("30 1 * * *"))), want);
}

#[test]
fn hours_of_the_clock_are_asked_in_the_zone_of_the_schedule() {
    let feed = || Hourly::new(&["BTC-USD"], "2026-07-01T00:00", "2026-07-02T00:00");
    let tokyo = Some(Schedule::parse("0 9,15 * * *", chrono_tz::Asia::Tokyo).expect("a schedule"));
    assert_eq!(asked(feed(), |probe| probe.schedule = tokyo), ["Wed 01 06:00 BTC", "Thu 02 00:00 BTC"]);
    assert_eq!(
        asked(feed(), |probe| probe.schedule = Some(cron("0 9,15 * * *"))),
        ["Wed 01 13:00 BTC", "Wed 01 19:00 BTC"]
    );
}

/// A time at which a symbol's session is closed waits for the session, and many of them count once. The close belongs to the session.
/// What is asked about one symbol does not depend on the others.
#[test]
fn a_closed_session_is_waited_for_and_a_weekend_counts_once() {
    let feed = |symbols: &[&str]| Hourly::new(symbols, "2026-11-19T12:00", "2026-11-24T22:00");
    let both = ["AAPL", "BTC-USD"];
    let at_nine = asked(feed(&both), |probe| probe.schedule = Some(cron("0 9 * * 1-5")));
    let coins = ["Thu 19 14:00 BTC", "Fri 20 14:00 BTC", "Mon 23 14:00 BTC", "Tue 24 14:00 BTC"];
    let shares = ["Fri 20 15:00 AAPL", "Mon 23 15:00 AAPL", "Tue 24 15:00 AAPL"];
    let only = |all: &[String], symbol: &str| -> Vec<String> {
        all.iter().filter(|asked| asked.ends_with(symbol)).cloned().collect()
    };
    assert_eq!(
        (only(&at_nine, "BTC"), only(&at_nine, "AAPL")),
        (coins.map(str::to_owned).to_vec(), shares.map(str::to_owned).to_vec())
    );
    assert_eq!(asked(feed(&["AAPL"]), |probe| probe.schedule = Some(cron("0 9 * * 1-5"))), shares);

    let at_the_close = asked(feed(&both), |probe| probe.schedule = Some(cron("0 16 * * *")));
    let closes =
        ["Thu 19 21:00 AAPL", "Fri 20 21:00 AAPL", "Mon 23 15:00 AAPL", "Mon 23 21:00 AAPL", "Tue 24 21:00 AAPL"];
    assert_eq!(only(&at_the_close, "AAPL"), closes);
    assert_eq!(only(&at_the_close, "BTC").len(), 6, "a coin's market never closes");

    let outside = |probe: &mut StrategySettings| {
        probe.schedule = Some(cron("0 9 * * 1-5"));
        probe.outside_session = true;
    };
    let early = ["Fri 20 14:00 AAPL", "Mon 23 14:00 AAPL", "Tue 24 14:00 AAPL"];
    assert_eq!(only(&asked(feed(&both), outside), "AAPL"), early);
}

#[test]
fn a_gap_counts_once_and_every_bar_is_seen() {
    let feed = Hourly::new(&["BTC-USD"], "2026-11-19T00:00", "2026-11-21T12:00");
    SEEN.set(0);
    let every_second = asked(feed.without("2026-11-19T03:00", "2026-11-20T08:00"), |probe| {
        probe.schedule = Some(cron("30 */6 * * *"));
    });
    // It fires at 05:30, 11:30, 17:30 and 23:30 UTC; five times while no prices come.
    let want = ["Fri 20 09:00", "Fri 20 12:00", "Fri 20 18:00", "Sat 21 00:00", "Sat 21 06:00", "Sat 21 12:00"];
    assert_eq!(every_second, want.map(|at| format!("{at} BTC")));
    assert_eq!(SEEN.get(), 3 + 28, "it sees the bars that it is not asked about");
}

/// Strategies with schedules over a simulated market that keeps its place.
fn scheduled(cycles: u64) -> Life {
    let instruments = ["AAPL", "JPM", "BTC-USD"].map(|name| Instrument::bare(name.parse().expect("symbol"))).to_vec();
    let start = SimulatedFeed::history_start(Timeframe::M1, 300, &instruments);
    let feed = SimulatedFeed::new(11, Timeframe::M1, instruments, start).with_longer(&[Timeframe::M5]);
    let schedules = ["*/7 * * * *", "31 9-15 * * *", "0 20 * * *", "*/20 18-23 * * *"];
    let life = Life::whole(SimulatedWithHistory::new(feed), |desk| {
        let strategies = STRATEGIES.iter().zip(schedules).enumerate().map(|(index, (kind, text))| {
            let timeframe = (index % 2 == 0).then_some(Timeframe::M5);
            StrategySettings { timeframe, schedule: Some(cron(text)), outside_session: index == 3, ..of(kind) }
        });
        desk.strategies = strategies.collect();
    });
    Life { cycles_max: Some(cycles), ..life }
}

/// What is due, and which symbols are still waited for, is known again after a restart, from the saved memory and from the past alike.
#[test]
fn schedules_go_on_over_a_restart() {
    let whole = Bench::new();
    whole.live(scheduled(2_400)).expect("runs");
    let pieces = Bench::new();
    // The third piece ends in the evening, while shares wait for their next session.
    for cycles in [1, 380, 419, 700, 900] {
        pieces.live(scheduled(cycles)).expect("runs");
    }
    assert_eq!(pieces.saved(), whole.saved());
    let without_starts = |bench: &Bench| -> Vec<String> {
        let journal = bench.reader().journal_text().expect("reads");
        let facts = journal.lines().filter(|line| !line.contains(" engine_"));
        facts.map(|line| line.split_once(' ').map_or("", |(_, fact)| fact).to_owned()).collect()
    };
    assert_eq!(without_starts(&pieces), without_starts(&whole));
    assert!(whole.reader().fills().expect("reads").len() > 2, "something happens");
}

/// What is due is part of the state that a stretch begins with: made again, it is asked at the same instants.
#[test]
fn schedules_are_made_again_by_the_audit() {
    let bench = Bench::new();
    let (sender, stretches) = channel();
    let pace = Pace::Times(1_000_000_000);
    bench.live(Life { auditor: Some(sender), pace, ..scheduled(4_000) }).expect("runs");
    let mut orders_made = 0;
    for stretch in stretches {
        let journal = bench.reader().journal_of_cycles(stretch.after(), stretch.until()).expect("reads");
        let EventKind::DayAudited { differences, orders, day, .. } = stretch.audit(&journal) else {
            panic!("an audit")
        };
        assert_eq!(differences, Vec::<String>::new(), "{day}");
        orders_made += orders;
    }
    assert!(orders_made > 4, "{orders_made}");
}

/// Without a saved memory the past is read again, and what was asked then is over.
#[test]
fn what_was_asked_is_not_asked_again_after_a_restart() {
    let feed = || Hourly::new(&["AAPL", "BTC-USD"], "2026-11-19T12:00", "2026-11-24T22:00");
    let at_the_close = |probe: &mut StrategySettings| probe.schedule = Some(cron("0 16 * * *"));
    let whole = asked(feed(), at_the_close);
    let bench = Bench::new();
    for _ in 0..9 {
        let mut probe = of(&PROBE);
        at_the_close(&mut probe);
        let life = Life::whole(feed(), |desk| desk.strategies = vec![probe]);
        bench.live(Life { cycles_max: Some(15), ..life }).expect("runs");
    }
    assert_eq!(ASKED.take(), whole);
}

#[test]
fn the_timetable_tells_next_and_last_runs() {
    let bench = Bench::new();
    let feed = Hourly::new(&["AAPL", "BTC-USD"], "2026-11-19T12:00", "2026-11-20T16:00");
    bench
        .live(Life::whole(feed, |desk| {
            let night = StrategySettings { schedule: Some(cron("0 20 * * 1-5")), ..of(&EAGER) };
            desk.strategies = vec![of(&PROBE), night];
        }))
        .expect("runs");
    let person = bellwether::chat::Person {
        name: "ana".to_owned(),
        role: bellwether::chat::Role::Viewer,
        zone: Some(chrono_tz::Tz::UTC),
        books: None,
        style: bellwether::domain::Style::default(),
    };
    let inbound = bellwether::chat::Inbound {
        person,
        place: bellwether::chat::Place::Machine,
        chat: "terminal".to_owned(),
        text: "/schedule".to_owned(),
    };
    let bellwether::chat::Reply::Text(text) = bench.chat().handle(&inbound) else { panic!("an answer") };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "main, market time 2026-11-20 16:00 UTC");
    assert_eq!(lines[1], "  probe: at the end of the finest bars · last run 2026-11-20 16:00 UTC");
    let night = "  eager: at 20:00, on Monday, Tuesday, Wednesday, Thursday, and Friday (America/New_York), while a market is open, on \
                 the finest bars · next 2026-11-21 01:00 UTC · last run 2026-11-20 15:00 UTC";
    assert_eq!(lines[2], night);
}

/// An entry at noon in New York, after which nothing is traded: when and how it ends, by its time in force.
#[test]
fn an_unfilled_entry_of_the_day_ends_with_its_session() {
    let ended = |schedule: &str, tif: TimeInForce| {
        let bench = Bench::new();
        let feed = Hourly::new(&["AAPL"], "2026-11-17T12:00", "2026-11-24T22:00").dry_from("2026-11-19T17:00");
        let eager = StrategySettings { schedule: Some(cron(schedule)), tif, ..of(&EAGER) };
        bench.live(Life::whole(feed, |desk| desk.strategies = vec![eager])).expect("runs");
        let rows = bench.reader().journal_all().expect("reads");
        let submitted = rows.iter().find_map(|row| match &row.event.kind {
            EventKind::OrderSubmitted { order, .. } => Some((order.tif, order.expires)),
            _ => None,
        });
        assert_eq!(submitted.expect("an entry").0, tif);
        let end = rows.iter().find_map(|row| match &row.event.kind {
            EventKind::OrderEnded { why, .. } => Some((row.event.at, why.clone())),
            _ => None,
        });
        (submitted.and_then(|(_, expires)| expires), end)
    };
    // Thursday 19 November, the session ends at 21:00 UTC.
    let at_noon = "0 12 19 11 *";
    let over = |day: &str, why: &str| Some((at(day), why.to_owned()));
    let (thursday, friday) = ("2026-11-19T21:00", "2026-11-20T21:00");
    assert_eq!(ended(at_noon, TimeInForce::Day), (Some(at(thursday)), over(thursday, "the session ended")));
    // Decided at the close, it is for the next session.
    assert_eq!(ended("0 16 19 11 *", TimeInForce::Day), (Some(at(friday)), over(friday, "the session ended")));
    assert_eq!(ended(at_noon, TimeInForce::Gtc), (None, None), "it waits to the end");
    let at_once = over("2026-11-19T18:00", "the rest could not be filled at once");
    assert_eq!(ended(at_noon, TimeInForce::Ioc), (None, at_once));
}

/// Amounts that cannot be counted: one symbol's orders would be worth more than there is money to count with.
fn absurd(desk: &mut DeskSettings, symbol: &str) {
    let mut limits = desk.limits.clone();
    limits.set("fixed_units", Ratio::whole(1_000_000_000)).expect("in range");
    desk.overrides = vec![SymbolTerms { symbol: symbol.parse().expect("symbol"), limits, sizing: Sizing::Fixed }];
}

/// A run that fails is told once for as long as it fails, leaves nothing behind, and stops nobody else.
#[test]
fn a_failed_run_is_told_once_and_the_others_trade_on() {
    let feed = || Hourly::new(&["AAPL", "BTC-USD"], "2026-11-16T00:00", "2026-11-20T22:00");
    let bench = Bench::new();
    let eager = |desk: &mut DeskSettings| {
        desk.strategies = vec![of(&EAGER)];
        absurd(desk, "BTC-USD");
    };
    bench.live(Life { cycles_max: Some(40), ..Life::whole(feed(), eager) }).expect("runs");
    bench.live(Life::whole(feed(), eager)).expect("runs");
    let rows = bench.reader().journal_all().expect("reads");
    let failed: Vec<_> = rows.iter().filter(|row| row.event.kind.name() == "strategy_failed").collect();
    let EventKind::StrategyFailed { strategy, symbol, error } = &failed[0].event.kind else { panic!("failed") };
    assert_eq!(
        (failed.len(), strategy.as_str(), symbol.as_str()),
        (1, "eager", "BTC-USD"),
        "once, also over a restart"
    );
    assert!(error.starts_with("an amount does not fit"), "{error}");
    assert!(rows.iter().all(|row| !row.event.kind.name().contains("halted")));
    let signals: Vec<u64> = rows
        .iter()
        .filter_map(|row| match &row.event.kind {
            EventKind::SignalRaised { signal } => Some((signal.id.0, signal.symbol.as_str() == "AAPL")),
            _ => None,
        })
        .map(|(id, of_share)| if of_share { id } else { 0 })
        .collect();
    assert_eq!(signals, (1..=signals.len() as u64).collect::<Vec<_>>(), "no number is lost to what failed");
    assert!(bench.reader().fills().expect("reads").iter().any(|fill| fill.symbol.as_str() == "AAPL"));

    // Off the list, it runs well and wants nothing; the next failure is a new one.
    let until = |until, list: fn(&mut DeskSettings)| {
        let feed = Hourly::new(&["AAPL", "BTC-USD"], "2026-11-16T00:00", until);
        let change = |desk: &mut DeskSettings| {
            eager(desk);
            list(desk);
        };
        bench.live(Life::whole(feed, change)).expect("runs");
        let rows = bench.reader().journal_all().expect("reads");
        rows.iter().filter(|row| row.event.kind.name() == "strategy_failed").count()
    };
    assert_eq!(until("2026-11-21T02:00", |desk| desk.symbols.truncate(1)), 1);
    assert_eq!(until("2026-11-21T05:00", |_| {}), 2);
}

/// Retried once, and no more: what the first try left is what the second begins with.
#[test]
fn a_run_that_fails_is_tried_twice() {
    let bench = Bench::new();
    ASKED.take();
    let feed = Hourly::new(&["BTC-USD"], "2026-11-16T00:00", "2026-11-16T03:00");
    let eager = |desk: &mut DeskSettings| {
        desk.strategies = vec![of(&EAGER)];
        absurd(desk, "BTC-USD");
    };
    bench.live(Life::whole(feed, eager)).expect("runs");
    let at = |hour: &str| format!("Mon 16 {hour} BTC");
    assert_eq!(ASKED.take(), ["01:00", "01:00", "02:00", "02:00", "03:00", "03:00"].map(at));
}

/// A strategy that is asked at fixed times trades, and the ledger's rules hold: it fills at the next bar like any other.
#[test]
fn a_scheduled_cross_trades_on_daily_bars() {
    let closes: Vec<i64> = (0..20).map(|n| 120 - n).chain([106, 110, 114, 118, 112, 104, 100, 99]).collect();
    let fills = |schedule: Option<Schedule>| {
        let bench = Bench::new();
        let feed = ListFeed::daily("BTC-USD", flat_bars(&closes));
        bench
            .live(Life::whole(feed, |desk| {
                quick_cross(desk);
                desk.strategies[0].schedule = schedule;
            }))
            .expect("runs");
        bench.reader().fills().expect("reads")
    };
    let each_bar = fills(None);
    assert!(each_bar.len() >= 2);
    assert_eq!(fills(Some(cron("0 12 * * *"))), each_bar, "a daily schedule is every daily bar");
    assert!(fills(Some(cron("0 12 1 1 *"))).is_empty(), "and one that does not fire is none");
}
