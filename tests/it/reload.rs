//! The configuration changes while the engine runs: taken as a whole between two cycles, told difference by difference, or refused.

use std::sync::mpsc::channel;

use bellwether::config::BookConfig;
use bellwether::domain::{EventKind, Instrument, Label, Money, Ratio, SignalAction, Timeframe, TradeFill};
use bellwether::engine::{
    DeskSettings, EngineMessage, LossAction, Pace, Reload, Schedule, StrategySettings, SymbolTerms,
};
use bellwether::market::{Feed, SimulatedFeed, SimulatedWithHistory};
use bellwether::risk::Sizing;
use bellwether::strategy::{Selector, Values, find};

use crate::support::{Bench, Fault, FaultyFeed, Life, quick_cross};

const DAYS: u64 = 160;
/// The instant before which the configuration changes.
const AT: u64 = 80;

fn instruments() -> Vec<Instrument> {
    ["AAPL", "MSFT", "JPM", "BTC-USD"].map(|name| Instrument::bare(name.parse().expect("symbol"))).to_vec()
}

fn feed() -> FaultyFeed {
    FaultyFeed::new(5, instruments(), DAYS, |_, _, _| None::<Fault>)
}

fn strategy(name: &str, set: &[(&str, &str)]) -> StrategySettings {
    let kind = find(name).expect("listed");
    let written: Vec<_> = set.iter().map(|(key, value)| ((*key).to_owned(), value.parse().expect("number"))).collect();
    let values = Values::check(kind.name, kind.params, &written).expect("in range");
    StrategySettings::new(name.parse().expect("a name"), kind, values)
}

/// A quick cross and an index beside it.
fn two(desk: &mut DeskSettings) {
    quick_cross(desk);
    desk.strategies.push(strategy("rsi", &[("period", "5")]));
}

/// The book of [`two`], changed.
fn changed(change: impl FnOnce(&mut DeskSettings)) -> DeskSettings {
    let mut desk = BookConfig::usual().desk;
    desk.capital = Money::whole(10_000);
    desk.symbols = instruments().iter().map(|item| item.symbol).collect();
    two(&mut desk);
    change(&mut desk);
    desk
}

fn message(desks: Vec<DeskSettings>) -> EngineMessage {
    EngineMessage::Reconfigure(Ok(Reload { desks, restart: Vec::new() }))
}

fn life() -> Life {
    Life { pace: Pace::Times(1_000_000_000), ..Life::whole(feed(), two) }
}

/// A bench that lived with this change at [`AT`].
fn lived(change: impl FnOnce(&mut DeskSettings)) -> Bench {
    let bench = Bench::new();
    bench.live(life().telling(vec![(AT, message(vec![changed(change)]))])).expect("runs");
    bench
}

fn kinds(bench: &Bench) -> Vec<EventKind> {
    bench.reader().journal_all().expect("reads").into_iter().map(|row| row.event.kind).collect()
}

/// What was told of the configuration: each difference, or the refusal.
fn told(bench: &Bench) -> Vec<String> {
    let words = |kind| match kind {
        EventKind::ConfigChanged { changes } => Some(changes),
        EventKind::ConfigRefused { error } => Some(vec![format!("refused: {error}")]),
        _ => None,
    };
    kinds(bench).into_iter().filter_map(words).flatten().collect()
}

/// The journal without what is said of the configuration.
fn story(bench: &Bench) -> Vec<String> {
    let journal = bench.reader().journal_text().expect("reads");
    let facts = journal.lines().filter(|line| !line.contains(" config_") && !line.contains(" engine_"));
    facts.map(|line| line.split_once(' ').map_or("", |(_, fact)| fact).to_owned()).collect()
}

fn ratio(text: &str) -> Ratio {
    text.parse().expect("number")
}

#[test]
fn a_limit_holds_from_the_next_proposal_on() {
    let bench = lived(|desk| desk.limits.set("positions_max", ratio("1")).expect("in range"));
    assert_eq!(told(&bench), ["main: positions_max 10 -> 1"]);
    let rows = bench.reader().journal_all().expect("reads");
    let place = rows.iter().position(|row| row.event.kind.name() == "config_changed").expect("told");
    let at = rows[place].cycle;
    assert_eq!(at.0, AT - 1, "after the cycle before");
    let refused = |rows: &[bellwether::store::JournalRow]| {
        let reasons = rows.iter().filter_map(|row| match &row.event.kind {
            EventKind::ProposalRefused { refusals, .. } => Some(refusals),
            _ => None,
        });
        reasons.flatten().filter(|reason| reason.check == "open positions").count()
    };
    assert_eq!(refused(&rows[..place]), 0);
    assert!(refused(&rows[place..]) > 0, "the story needs a second position");
    assert!(bench.saved().books[0].limits.contains("\"positions_max\":\"1\""), "views read the new limit");
    let alone = Bench::new();
    alone.live(life()).expect("runs");
    let until = |bench: &Bench| -> Vec<String> {
        let rows = bench.reader().journal_all().expect("reads");
        rows.iter()
            .filter(|row| row.cycle <= at && row.event.kind.name() != "config_changed")
            .map(|row| format!("{:?}", row.event))
            .collect()
    };
    assert_eq!(until(&bench), until(&alone), "nothing before it is touched");
}

/// What is held, what is on order and what the book may do is the same after it as before.
#[test]
fn positions_orders_and_the_state_stay() {
    let all = |desk: &mut DeskSettings| {
        desk.limits.set("stop_atr", ratio("9")).expect("in range");
        desk.sizing = Sizing::Fixed;
        desk.strategies.remove(0);
    };
    let (before, after) = (Bench::new(), Bench::new());
    for bench in [&before, &after] {
        bench.live(Life { cycles_max: Some(AT), ..life() }).expect("runs");
    }
    let one = || Life { cycles_max: Some(1), ..life() };
    before.live(one()).expect("runs");
    after.live(one().telling(vec![(1, message(vec![changed(all)]))])).expect("runs");
    assert_eq!(
        told(&after),
        [
            "main: stop_atr 2 -> 9",
            "main: sizing atr -> fixed",
            "main: strategy sma_cross removed",
            "main: no strategy leaves 1 position of sma_cross any more, only stops do"
        ]
    );
    let (old, new) = (before.saved(), after.saved());
    assert!(!old.orders.is_empty() && !old.books[0].book.positions.is_empty(), "the story needs something to keep");
    assert_eq!((&new.orders, &new.books[0].book), (&old.orders, &old.books[0].book));
    assert_eq!((new.books[0].state, new.books[0].day_start), (old.books[0].state, old.books[0].day_start));
}

/// Every kind of difference has its words, and all of one edit are told at once.
#[test]
fn differences_are_told_in_words() {
    let new_york = chrono_tz::America::New_York;
    let bench = lived(|desk| {
        desk.limits.set("daily_loss_pct", ratio("2.5")).expect("in range");
        desk.limits.set("fee_bps", ratio("0.5")).expect("in range");
        desk.daily_loss = LossAction::Flatten;
        desk.sizing = Sizing::Kelly;
        let mut limits = desk.limits.clone();
        limits.set("position_pct", ratio("5")).expect("in range");
        let symbol = "AAPL".parse().expect("symbol");
        desk.overrides = vec![SymbolTerms { symbol, limits, sizing: Sizing::Fixed }];
        desk.strategies.swap(0, 1);
        desk.strategies[0].min_confidence = ratio("0.6");
        desk.strategies[0].tif = bellwether::domain::TimeInForce::Day;
        desk.strategies[0].schedule = Some(Schedule::parse("0 16 * * *", new_york).expect("a schedule"));
        desk.strategies.push(strategy("breakout", &[]));
    });
    let breakout = strategy("breakout", &[]);
    let bars = (breakout.kind.warm_up)(&breakout.values);
    assert_eq!(
        told(&bench),
        [
            "main: daily_loss_pct 3 -> 2.5",
            "main: fee_bps 1 -> 0.5",
            "main: daily_loss reduce -> flatten",
            "main: sizing atr -> kelly",
            "main: AAPL position_pct 20 -> 5",
            "main: AAPL sizing atr -> fixed",
            "main: rsi min_confidence 0 -> 0.6",
            "main: rsi tif gtc -> day",
            "main: rsi runs at the end of the finest bars -> at 16:00 (America/New_York) on the finest bars",
            "main: strategy breakout added, at the end of the finest bars",
            "main: precedence sma_cross, rsi -> rsi, sma_cross",
            &format!(
                "main: breakout has not seen the past: it acts on its first values and is settled after {bars} bars; a restart would \
                 show it the past"
            ),
        ]
    );
    bench.deliver(bellwether::store::Points::default()).expect("delivers");
    let notice = bench.sink.sent().into_iter().find(|notice| notice.lines[0].starts_with("Configuration changed"));
    assert_eq!(notice.expect("told").lines[0], "Configuration changed: 12 differences");
}

/// A parameter that shapes what a strategy remembers makes it begin anew; another does not. The other strategies never notice.
#[test]
fn a_strategy_keeps_what_it_knows_where_it_can() {
    let level = lived(|desk| desk.strategies[1] = strategy("rsi", &[("period", "5"), ("oversold", "20")]));
    assert_eq!(told(&level), ["main: rsi oversold 30 -> 20"]);
    let shape = lived(|desk| desk.strategies[1] = strategy("rsi", &[("period", "6")]));
    assert_eq!(told(&shape)[0], "main: rsi period 5 -> 6");
    assert!(
        told(&shape)[1].starts_with("main: rsi has not seen the past: it acts on its first values "),
        "{:?}",
        told(&shape)
    );
}

/// Strategies come, go and change places around one that stays: it trades as if nobody had touched the others.
#[test]
fn who_is_not_changed_never_notices() {
    let fills = |change: Option<DeskSettings>| -> Vec<TradeFill> {
        let bench = Bench::new();
        let beside = |desk: &mut DeskSettings| {
            two(desk);
            desk.strategies[1] = strategy("rsi", &[("oversold", "1")]);
        };
        let life = Life { pace: Pace::Times(1_000_000_000), ..Life::whole(feed(), beside) };
        bench.live(life.telling(change.into_iter().map(|desk| (AT, message(vec![desk]))).collect())).expect("runs");
        bench.reader().fills().expect("reads")
    };
    let untouched = fills(None);
    assert!(untouched.len() > 8);
    // Neither of the others ever enters, so that the cross alone can make a difference.
    let around = changed(|desk| {
        desk.strategies[1] = strategy("mean_reversion", &[("oversold", "1")]);
        desk.strategies.swap(0, 1);
    });
    assert_eq!(fills(Some(around)), untouched);
    let mut anew = changed(|desk| desk.strategies[0] = strategy("sma_cross", &[("fast", "3"), ("slow", "9")]));
    anew.strategies.truncate(1);
    assert_ne!(fills(Some(anew)), untouched);
}

/// What needs a restart refuses all of it, by name; nothing else changes.
#[test]
fn what_needs_a_restart_is_refused_as_a_whole() {
    let alone = Bench::new();
    alone.live(life()).expect("runs");
    let bench = Bench::new();
    let mut edited = changed(|desk| {
        desk.limits.set("positions_max", ratio("1")).expect("in range");
        desk.capital = Money::whole(5_000);
        desk.currency = "EUR".to_owned();
        desk.zone = chrono_tz::Tz::UTC;
        desk.symbols.pop();
        desk.strategies[1].timeframe = Some(Timeframe::H1);
    });
    let mut other = edited.clone();
    other.name = name("other");
    let restart = vec!["people".to_owned()];
    let first = EngineMessage::Reconfigure(Ok(Reload { desks: vec![edited.clone(), other.clone()], restart }));
    edited.name = name("renamed");
    let unreadable = EngineMessage::Reconfigure(Err("bellwether.toml:3:1: no such key".to_owned()));
    bench.live(life().telling(vec![(AT, first), (AT + 1, message(vec![edited])), (AT + 2, unreadable)])).expect("runs");
    let whole = "refused: only a restart can take all of it, so nothing is changed: ";
    assert_eq!(
        told(&bench),
        [
            format!(
                "{whole}people; main: capital 10000 -> 5000; main: currency USD -> EUR; main: zone America/New_York -> UTC; main: its \
                 symbols; main: 1h bars, which nobody asked for at the start; book other is new"
            ),
            format!("{whole}book main is gone; book renamed is new"),
            "refused: bellwether.toml:3:1: no such key".to_owned(),
        ]
    );
    assert_eq!(story(&bench), story(&alone));
    let settled = |bench: &Bench| bench.saved().books;
    assert_eq!(settled(&bench), settled(&alone));
}

/// The bars that the feed gives anyway may be asked for by their name.
#[test]
fn the_finest_bars_may_be_named() {
    let bench = lived(|desk| desk.strategies[1].timeframe = Some(Timeframe::D1));
    assert_eq!(told(&bench)[0], "main: rsi runs at the end of the finest bars -> at the end of 1d bars");
}

#[test]
fn the_same_content_says_nothing() {
    let alone = Bench::new();
    alone.live(life()).expect("runs");
    let bench = lived(|_| {});
    assert_eq!(told(&bench), Vec::<String>::new());
    assert_eq!((story(&bench), bench.saved()), (story(&alone), alone.saved()));
}

/// With a selector nothing is entered until the regimes are known; without it all may enter again.
#[test]
fn a_selector_comes_and_goes() {
    let with = |desk: &mut DeskSettings| desk.selector = Some(Selector::default());
    let bench = Bench::new();
    bench
        .live(life().telling(vec![(AT, message(vec![changed(with)])), (AT + 40, message(vec![changed(|_| {})]))]))
        .expect("runs");
    let told = told(&bench);
    assert!(told[0].starts_with("main: a selector: volatile breakout; trend ema_cross; calm "), "{}", told[0]);
    assert!(
        told[1].starts_with("main: regimes are known after 115 bars, until then nothing is entered"),
        "{}",
        told[1]
    );
    assert_eq!(told[2], "main: no selector any more: every strategy may always enter");
    let entries = |from: u64, until: u64| {
        let rows = bench.reader().journal_all().expect("reads");
        let entry = |kind: &EventKind| matches!(kind, EventKind::SignalRaised { signal } if signal.action != SignalAction::Exit);
        rows.iter().filter(|row| (from..until).contains(&row.cycle.0) && entry(&row.event.kind)).count()
    };
    assert!(entries(0, AT) > 0 && entries(AT, AT + 39) == 0 && entries(AT + 40, DAYS * 2) > 0);
}

/// A schedule that is given while running counts from then on, and one that stays goes on.
#[test]
fn a_schedule_counts_from_the_change_on() {
    let text = |text: &str| Some(Schedule::parse(text, chrono_tz::Tz::UTC).expect("a schedule"));
    let asked_never = lived(|desk| desk.strategies.iter_mut().for_each(|it| it.schedule = text("0 12 1 1 *")));
    let rows = asked_never.reader().journal_all().expect("reads");
    let late = rows.iter().filter(|row| row.cycle.0 >= AT && row.event.kind.name() == "signal_raised").count();
    assert_eq!(late, 0, "the first of January is far away");
    let daily = lived(|desk| desk.strategies.iter_mut().for_each(|it| it.schedule = text("0 0 * * *")));
    let rows = daily.reader().journal_all().expect("reads");
    assert!(rows.iter().any(|row| row.cycle.0 >= AT && row.event.kind.name() == "signal_raised"));
}

/// A change lies between two stretches that are audited, also where a strategy has not seen the past.
#[test]
fn a_change_spoils_no_audit() {
    let bench = Bench::new();
    let (sender, stretches) = channel();
    let edit = changed(|desk| {
        desk.limits.set("cooldown_bars", ratio("0")).expect("in range");
        desk.strategies[1] = strategy("rsi", &[("period", "3")]);
        desk.strategies.push(strategy("supertrend", &[]));
    });
    let life = Life { auditor: Some(sender), feed: saving_feed(), ..life() };
    bench.live(Life { cycles_max: Some(800), ..life.telling(vec![(200, message(vec![edit]))]) }).expect("runs");
    assert_eq!(told(&bench).len(), 5, "{:?}", told(&bench));
    let mut cycles_made = 0;
    for stretch in stretches {
        let journal = bench.reader().journal_of_cycles(stretch.after(), stretch.until()).expect("reads");
        let EventKind::DayAudited { differences, cycles, .. } = stretch.audit(&journal) else { panic!("an audit") };
        assert_eq!(differences, Vec::<String>::new());
        cycles_made += cycles;
    }
    assert!(cycles_made >= 2 * 390, "two whole sessions, and the change in the first: {cycles_made}");
}

/// After a restart a strategy that was added while running has seen the past, as the event says.
#[test]
fn a_restart_shows_the_past_to_who_came_late() {
    let late = |desk: &mut DeskSettings| desk.strategies.push(strategy("supertrend", &[]));
    let life = || Life { feed: saving_feed(), ..life() };
    let bench = Bench::new();
    let pieces = [300, 20].map(|cycles| Life { cycles_max: Some(cycles), ..life() });
    let [first, second] = pieces;
    bench.live(first).expect("runs");
    bench.live(second.telling(vec![(10, message(vec![changed(late)]))])).expect("runs");
    let young = "main: supertrend has not seen the past: ";
    assert!(told(&bench)[1].starts_with(young), "{:?}", told(&bench));
    let reads_on = |bench: &Bench| bench.saved().brains.expect("saved");
    let kept = reads_on(&bench);
    let restarted = |bench: &Bench| {
        bench.live(Life { cycles_max: Some(1), ..Life { desks: vec![changed(late)], ..life() } }).expect("runs");
        reads_on(bench)
    };
    let after = restarted(&bench);
    assert_ne!(kept, after);
    let from_the_start = Bench::new();
    from_the_start.live(Life { cycles_max: Some(321), ..Life { desks: vec![changed(late)], ..life() } }).expect("runs");
    assert_eq!(after, reads_on(&from_the_start), "as if it had always been there");
}

/// A market of minutes that keeps its place, so that memories are saved.
fn saving_feed() -> Box<dyn Feed> {
    let shares = instruments()[..3].to_vec();
    let start = SimulatedFeed::history_start(Timeframe::M1, 300, &shares);
    Box::new(SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::M1, shares, start)))
}

fn name(text: &str) -> Label {
    text.parse().expect("a name")
}
