//! People are told when what they asked for comes true: once, whoever dies in between, and whatever trading does meanwhile.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use bellwether::chat::{Inbound, Person, Reply, Role};
use bellwether::clock::Timestamp;
use bellwether::domain::{AlertId, AlertRequest, AlertState, EventKind, Instrument, MarketSnapshot, Style, Timeframe};
use bellwether::engine::{DeskSettings, EngineMessage, Pace, Stretch};
use bellwether::indicators::{Indicator, Rsi};
use bellwether::market::{Feed, SimulatedFeed, SimulatedWithHistory};
use bellwether::store::{NewAlert, Points, Reader, Store};

use crate::chat::{chat, inbound, said};
use crate::support::{Act, Bench, Life, ListFeed, Shell, bar_at, flat_bars, quick_cross};

/// Nothing trades.
pub(crate) fn idle(desk: &mut DeskSettings) {
    desk.strategies.clear();
}

/// A coin with these closes, one a day, and a commit for each.
pub(crate) fn coin(closes: &[i64]) -> Life {
    Life { pace: Pace::Times(1_000_000_000), ..Life::whole(ListFeed::daily("BTC-USD", flat_bars(closes)), idle) }
}

fn with_store<T>(bench: &Bench, work: impl FnOnce(&Store) -> T) -> T {
    let store = Store::open(&bench.database()).expect("opens");
    let result = work(&store);
    store.close();
    result
}

fn set_until(bench: &Bench, text: &str, expires: Option<Timestamp>) -> AlertId {
    let AlertRequest { condition, repeats, .. } = text.parse().expect("an alert");
    let (person, channel) = ("owner".to_owned(), "test".to_owned());
    let alert = NewAlert { person, channel, condition, repeats, expires };
    with_store(bench, |store| {
        store.add_alert(alert, Timestamp::from_ms(0)).expect("stored").expect("first").expect("room")
    })
}

fn set(bench: &Bench, text: &str) -> AlertId {
    set_until(bench, text, None)
}

fn set_all(bench: &Bench, conditions: &[&str]) {
    for text in conditions {
        set(bench, text);
    }
}

/// The alerts that fired: when, which, and what it was.
fn fired(bench: &Bench) -> Vec<(Timestamp, u64, String)> {
    let rows = bench.reader().journal_all().expect("reads");
    let of = |row: bellwether::store::JournalRow| match row.event.kind {
        EventKind::AlertFired { alert, value, .. } => Some((row.event.at, alert.0, value)),
        _ => None,
    };
    rows.into_iter().filter_map(of).collect()
}

/// The same with the number of the day instead of the instant.
fn fired_by_day(bench: &Bench) -> Vec<(i64, u64, String)> {
    let day = |at: Timestamp| at.since(bar_at(1, [1; 4]).start) / bellwether::clock::DAY_MS;
    fired(bench).into_iter().map(|(at, alert, value)| (day(at), alert, value)).collect()
}

fn state_of(bench: &Bench, alert: AlertId) -> Option<AlertState> {
    bench.reader().open_alerts().expect("reads").into_iter().find(|known| known.id == alert).map(|known| known.state)
}

#[test]
fn a_price_fires_once_or_each_time_it_comes_true() {
    let bench = Bench::new();
    let (once, each) = (set(&bench, "BTC-USD > 104"), set(&bench, "btc-usd >= 105 repeat"));
    let already = set(&bench, "BTC-USD < 1,000");
    let never = set(&bench, "BTC-USD > 1,000");
    let over = set_until(&bench, "BTC-USD > 105", Some(bar_at(5, [1; 4]).start));
    bench.live(coin(&[100, 101, 105, 106, 99, 107, 98, 105])).expect("runs");
    let told = |day, alert: AlertId, value: &str| (day, alert.0, value.to_owned());
    assert_eq!(
        fired_by_day(&bench),
        [
            told(0, already, "100.00, as it already was when this was set"),
            told(2, once, "105.00"),
            told(2, each, "105.00"),
            told(3, over, "106.00"),
            told(5, each, "107.00"),
            told(7, each, "105.00"),
        ]
    );
    assert_eq!((state_of(&bench, once), state_of(&bench, each)), (None, Some(AlertState::Resting)));
    assert_eq!((state_of(&bench, never), state_of(&bench, already)), (Some(AlertState::Armed), None));
    assert_eq!(bench.reader().verify_audit().expect("reads"), (8, None), "five were set, three closed");
    bench.deliver(Points::default()).expect("delivers");
    let seen = bench.sink.sent();
    assert!(seen.iter().any(|told| told.lines.concat().contains("BTC-USD > 104")), "{seen:?}");
}

#[test]
fn an_alert_whose_time_is_over_is_silent() {
    let bench = Bench::new();
    let over = set_until(&bench, "BTC-USD > 105", Some(bar_at(3, [1; 4]).start));
    bench.live(coin(&[100, 101, 102, 106])).expect("runs");
    assert_eq!((fired(&bench), state_of(&bench, over)), (Vec::new(), None));
}

/// A price that trebled overnight is in doubt until it stood for days: nobody is told of it before.
#[test]
fn a_price_in_doubt_fires_nothing() {
    let bench = Bench::new();
    set(&bench, "BTC-USD > 200");
    let mut bars = flat_bars(&[100, 101, 102]);
    bars.extend((3..12).map(|day| bar_at(day, [300, 301, 299, 300])));
    let (pace, feed) = (Pace::Times(1_000_000_000), ListFeed::daily("BTC-USD", bars));
    bench.live(Life { pace, ..Life::whole(feed, idle) }).expect("runs");
    let mut unlocked = bench.reader().journal_all().expect("reads").into_iter();
    let unlocked = unlocked.find(|row| matches!(row.event.kind, EventKind::SymbolUnlocked { .. })).expect("unlocked");
    let told = fired(&bench);
    assert_eq!(told.len(), 1);
    assert!(told[0].0 > unlocked.event.at, "{told:?}");
}

/// Alerts touch nothing, and nothing touches them: a halted book trades as it did, and is still told of.
#[test]
fn a_halted_book_has_alerts_and_trading_never_notices_them() {
    let start = SimulatedFeed::history_start(Timeframe::D1, 60, &shares());
    let life = || {
        let feed = SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::D1, shares(), start));
        Life { cycles_max: Some(80), ..Life::whole(feed, quick_cross) }
    };
    let (plain, told) = (Bench::new(), Bench::new());
    plain.live(life()).expect("runs");
    for text in ["pnl > 1 repeat", "book main pnl < -1 repeat", "day < -0.01% repeat", "AAPL pnl > 5 repeat"] {
        set(&told, text);
    }
    told.live(life()).expect("runs");
    assert!(fired(&told).len() > 4);
    let story = |bench: &Bench| {
        let rows = bench.reader().journal_all().expect("reads").into_iter();
        let own = rows.filter(|row| !matches!(row.event.kind, EventKind::AlertFired { .. }));
        own.map(|row| (row.cycle, row.event)).collect::<Vec<_>>()
    };
    assert_eq!(story(&told), story(&plain));
    assert_eq!(told.saved().books, plain.saved().books);

    let before = fired(&told).len();
    assert!(matches!(chat(&told).handle(&inbound("/halt")), Reply::Admitted { .. }));
    set(&told, "AAPL > 0.01");
    told.live(life()).expect("runs");
    assert_eq!(told.saved().books[0].state, bellwether::domain::TradingState::Halted);
    assert!(fired(&told).len() > before);
}

fn shares() -> Vec<Instrument> {
    ["AAPL", "MSFT", "JPM", "XOM"].map(|name| Instrument::bare(name.parse().expect("symbol"))).to_vec()
}

fn minutes(cycles: u64) -> Life {
    let start = SimulatedFeed::history_start(Timeframe::M1, 300, &shares());
    let feed = SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::M1, shares(), start));
    Life { cycles_max: Some(cycles), pace: Pace::Times(1_000_000_000), ..Life::whole(feed, quick_cross) }
}

/// Killed at every point of the commit, again and again: each alert fires exactly when it does without a kill, and exactly once.
#[test]
fn a_kill_in_between_fires_nothing_twice_and_forgets_nothing() {
    let closes: Vec<i64> = (0..40).map(|day| 100 + day * 7 % 13).collect();
    let conditions = ["BTC-USD > 106 repeat", "BTC-USD < 103 repeat", "BTC-USD > 111", "BTC-USD sma 3 > 106 repeat"];
    let whole = Bench::new();
    set_all(&whole, &conditions);
    whole.live(coin(&closes)).expect("runs");
    assert!(fired(&whole).len() > 20, "{:?}", fired(&whole));
    let points = [
        "batch: begin",
        "batch: days, marks, steps written",
        "batch: journal row without its deliveries",
        "batch: progress written",
        "commit: before",
        "commit: after",
    ];
    let mut hits: BTreeMap<&str, u32> = BTreeMap::new();
    for point in points {
        let bench = Bench::new();
        set_all(&bench, &conditions);
        for attempt in 0u64..60 {
            let left = Mutex::new(1 + attempt % 5);
            let armed = Points::armed(move |name| {
                let mut left = left.lock().expect("lock");
                *left -= u64::from(name == point && *left > 0);
                name == point && *left == 0
            });
            let points = if attempt < 50 { armed } else { Points::default() };
            match bench.live(Life { points, ..coin(&closes) }) {
                Ok(_) => break,
                Err(_) => *hits.entry(point).or_default() += 1,
            }
        }
        assert_eq!(fired(&bench), fired(&whole), "{point}");
        assert_eq!(
            bench.reader().open_alerts().expect("reads"),
            whole.reader().open_alerts().expect("reads"),
            "{point}"
        );
    }
    assert!(points.iter().all(|point| hits.get(point).is_some_and(|hits| *hits >= 5)), "{hits:?}");
}

/// Twenty changes in a row while the auditor makes every stretch again: nothing differs.
#[test]
fn people_change_alerts_and_the_audit_finds_no_difference() {
    let bench = Arc::new(Bench::new());
    let (sender, stretches) = channel::<Stretch>();
    let acts = (1..=20u64).map(|turn| {
        let bench = bench.clone();
        let act = move |queue: &Sender<EngineMessage>| {
            if turn % 3 == 0 {
                with_store(&bench, |store| {
                    store.delete_alerts("owner", Some(AlertId(turn / 3)), "test", Timestamp::from_ms(0))
                })
                .expect("stored");
            } else {
                set(&bench, ["AAPL > 1 repeat", "pnl > 1 repeat", "AAPL rsi 14 5m < 45 repeat"][turn as usize % 3]);
            }
            let open = bench.reader().open_alerts().expect("reads");
            queue.send(EngineMessage::Alerts(open)).expect("the engine runs");
        };
        (turn * 17, Box::new(act) as Act)
    });
    let life = minutes(500).meanwhile(acts.collect());
    bench.live(Life { auditor: Some(sender), ..life }).expect("runs");
    assert!(fired(&bench).len() > 20);
    assert_eq!(bench.reader().alert_changes().expect("reads"), 20);
    let mut audited = 0;
    for stretch in stretches {
        let journal = bench.reader().journal_of_cycles(stretch.after(), stretch.until()).expect("reads");
        let EventKind::DayAudited { cycles, differences, .. } = stretch.audit(&journal) else { panic!("an audit") };
        assert_eq!(differences, Vec::<String>::new());
        audited += cycles;
    }
    assert!(audited > 300, "{audited}");
}

/// Indicators go on where they were: a run in pieces fires as the run in one does, to the last figure.
#[test]
fn a_run_in_pieces_fires_as_the_run_in_one() {
    let conditions = [
        "AAPL rsi 14 5m > 55 repeat",
        "AAPL atr 10 5m > 0.4 repeat",
        "MSFT ema 20 > 1 repeat",
        "JPM adx 14 > 20 repeat",
        "XOM roc 10 < 0 repeat",
        "pnl > 3 repeat",
        "day < -0.02% repeat",
    ];
    let (whole, pieces) = (Bench::new(), Bench::new());
    for bench in [&whole, &pieces] {
        set_all(bench, &conditions);
    }
    whole.live(minutes(300)).expect("runs");
    for _ in 0..10 {
        pieces.live(minutes(30)).expect("runs");
    }
    let told = fired(&whole);
    let count = |alert| told.iter().filter(|(_, fired, _)| *fired == alert).count();
    assert!((1..=7).filter(|alert| count(*alert) > 0).count() >= 5, "{told:?}");
    assert_eq!(fired(&pieces), told);
    let open = |bench: &Bench| bench.reader().open_alerts().expect("reads");
    assert_eq!(open(&pieces), open(&whole));
}

/// The bars of five minutes that are gathered here are those that the feed gives, and the indicator is the one of the library.
#[test]
fn an_indicator_on_longer_bars_says_what_it_says_elsewhere() {
    let bench = Bench::new();
    set(&bench, "AAPL rsi 14 5m > 50 repeat");
    bench.live(minutes(900)).expect("runs");
    let start = SimulatedFeed::history_start(Timeframe::M1, 300, &shares());
    let feed = SimulatedFeed::new(4, Timeframe::M1, shares(), start).with_longer(&[Timeframe::M5]);
    let (mut feed, mut snapshot) = (SimulatedWithHistory::new(feed), MarketSnapshot::default());
    let (mut rsi, mut before, mut wanted) = (Rsi::new(14), None, Vec::new());
    let last = bench.saved().progress.expect("ran").market;
    while feed.next_into(&mut snapshot) && snapshot.at <= last {
        for seen in snapshot.bars.iter().filter(|seen| seen.instrument == 0 && seen.timeframe == Timeframe::M5) {
            let Some(value) = rsi.update(&seen.bar) else { continue };
            if snapshot.at > feed.history_until() {
                if value > 50.0 && before != Some(true) {
                    wanted.push((snapshot.at, format!("{value:.2}")));
                }
                before = Some(value > 50.0);
            }
        }
    }
    let told: Vec<(Timestamp, String)> = fired(&bench)
        .into_iter()
        .map(|(at, _, value)| (at, value.split(',').next().unwrap_or_default().to_owned()))
        .collect();
    assert!(told.len() > 2, "{told:?}");
    assert_eq!(told, wanted);
}

/// An indicator that somebody asks for while the bot runs knows the days that are remembered.
#[test]
fn an_indicator_that_comes_late_knows_the_past() {
    const STUDIES: [&str; 6] = ["sma 20", "ema 20", "atr 14", "rsi 14", "roc 10", "adx 14"];
    let closes: Vec<i64> = (0..60).map(|day| 100 + day * 7 % 13).collect();
    let value = |late: Option<u64>| {
        let bench = Arc::new(Bench::new());
        let ask = |bench: &Bench| {
            for study in STUDIES {
                set(bench, &format!("BTC-USD {study} > -1,000"));
            }
        };
        let life = match late {
            None => coin(&closes),
            Some(at) => {
                let asked = bench.clone();
                let act = move |queue: &Sender<EngineMessage>| {
                    ask(&asked);
                    let open = asked.reader().open_alerts().expect("reads");
                    queue.send(EngineMessage::Alerts(open)).expect("the engine runs");
                };
                coin(&closes).meanwhile(vec![(at, Box::new(act))])
            }
        };
        if late.is_none() {
            ask(&bench);
        }
        bench.live(life).expect("runs");
        fired_by_day(&bench)
    };
    let (early, late) = (value(None), value(Some(50)));
    assert_eq!(early.len(), 6, "{early:?}");
    assert!(early.iter().all(|(day, _, _)| (9..=29).contains(day)), "each fires with its first figure: {early:?}");
    assert!(late.len() == 6 && late.iter().all(|(day, _, _)| *day == 49), "{late:?}");
}

#[test]
fn a_person_sets_lists_and_deletes_alerts_in_the_chat() {
    let bench = Bench::new();
    let bars = flat_bars(&[100, 101, 102]);
    bench.live(Life::whole(ListFeed::daily("BTC-USD", bars), idle)).expect("runs");
    let text = said(&bench, "/alert btc-usd>1,000 repeat for 2d");
    assert!(text.starts_with("A1 set: BTC-USD > 1,000, each time it comes true, until "), "{text}");
    assert!(text.ends_with("The bot is not running: it is looked at from the next start on"), "{text}");
    assert!(said(&bench, "/alert main pnl < -300").starts_with("A2 set: book main pnl < -300, once\n"));
    assert!(said(&bench, "/alert BTC-USD rsi 1w < 30").contains("Its first figure takes 15 of bars of 1w"));
    assert!(said(&bench, "/alert day < -2% until 2020-12-01").contains("until Tue 2020-12-01 24:00 EST"));
    assert!(said(&bench, "/alert day < -3% until friday 9:30").contains("once, until Fri 2020-"));
    let list = said(&bench, "/alerts");
    assert!(list.starts_with("5 alerts of owner\nA1  BTC-USD > 1,000 · each time · until 2020-"), "{list}");

    let refused = |text: &str| match chat(&bench).handle(&inbound(text)) {
        Reply::Refused(what) => what,
        reply => panic!("{text}: {reply:?}"),
    };
    assert_eq!(refused("/alert AAPL > 3"), "AAPL is not watched; /watchlist lists what is watched");
    assert_eq!(refused("/alert book other pnl > 3"), "there is no book \"other\": books are main");
    assert_eq!(refused("/alert BTC-USD rsi 1h < 3"), "the finest bars of BTC-USD are of 1d");
    assert!(refused("/alert BTC-USD > 3 until 2020-01-01").starts_with("that is over: the time is 2020-"));
    assert!(refused("/alert BTC-USD").starts_with("an alert compares something"));
    assert_eq!(refused("/alert delete A9"), "no alert A9 of yours waits; /alerts lists them");
    assert!(refused("/alert delete").starts_with("which one?"));

    // Somebody else has their own, and touches nobody's.
    let person =
        Person { name: "ana".to_owned(), role: Role::Viewer, zone: None, books: None, style: Style::default() };
    let ask = |text: &str| chat(&bench).handle(&Inbound { person: person.clone(), ..inbound(text) });
    assert!(matches!(ask("/alert BTC-USD < 5"), Reply::Text(text) if text.starts_with("A6 set")));
    assert!(matches!(ask("/alert delete A1"), Reply::Refused(_)));
    assert!(matches!(ask("/alerts"), Reply::Text(text) if text.starts_with("1 alert of ana\nA6  BTC-USD < 5 · once")));
    assert!(matches!(ask("/alert delete all"), Reply::Text(text) if text == "A6 deleted: BTC-USD < 5"));

    let guest = Person { books: Some(vec!["other".parse().expect("name")]), ..person.clone() };
    let ask = |text: &str| chat(&bench).handle(&Inbound { person: guest.clone(), ..inbound(text) });
    for own in ["/alert pnl > 1", "/alert main day < -1%", "/alert BTC-USD pnl > 1", "/alert book main BTC-USD pnl > 1"]
    {
        let reply = ask(own);
        assert!(
            matches!(&reply, Reply::Refused(what) if what.starts_with("name one of your books")),
            "{own}: {reply:?}"
        );
    }

    assert_eq!(said(&bench, "/alert delete a3"), "A3 deleted: BTC-USD rsi 14 1w < 30");
    assert_eq!(said(&bench, "/alert delete all"), "4 alerts deleted");
    assert_eq!(said(&bench, "/alerts"), "no alert of yours waits; /alert AAPL > 200 sets one");
    assert_eq!(bench.reader().verify_audit().expect("reads"), (9, None));
    assert_eq!(bench.reader().alert_changes().expect("reads"), 9);
}

#[test]
fn nobody_has_more_than_a_hundred() {
    let bench = Bench::new();
    let ids: Vec<u64> = (0..100).map(|_| set(&bench, "BTC-USD > 5").0).collect();
    assert_eq!(ids, (1..=100).collect::<Vec<_>>());
    let reply = chat(&bench).handle(&inbound("/alert BTC-USD > 5"));
    assert!(matches!(&reply, Reply::Refused(what) if what.starts_with("100 alerts of yours wait")), "{reply:?}");
    assert_eq!(said(&bench, "/alert delete A7"), "A7 deleted: BTC-USD > 5");
    assert!(said(&bench, "/alert BTC-USD > 5").starts_with("A101 set"));
}

/// Minutes and what is gathered from them begin with the closes that are remembered.
#[test]
fn a_mean_of_minutes_that_comes_late_knows_the_closes() {
    let bench = Arc::new(Bench::new());
    let asked = bench.clone();
    let act = move |queue: &Sender<EngineMessage>| {
        set_all(&asked, &["AAPL sma 50 > -1,000", "AAPL rsi 14 5m > -1", "AAPL adx 14 > -1"]);
        let open = asked.reader().open_alerts().expect("reads");
        queue.send(EngineMessage::Alerts(open)).expect("the engine runs");
    };
    bench.live(minutes(260).meanwhile(vec![(200, Box::new(act))])).expect("runs");
    let rows = bench.reader().journal_all().expect("reads").into_iter();
    let of = |row: bellwether::store::JournalRow| match row.event.kind {
        EventKind::AlertFired { alert, .. } => Some((alert.0, row.cycle.0)),
        _ => None,
    };
    let told: BTreeMap<u64, u64> = rows.filter_map(of).collect();
    assert_eq!(told[&1], 200, "at once");
    assert!((200..205).contains(&told[&2]), "with the next five minutes: {told:?}");
    assert_eq!(told[&3], 200 + 27, "highs and lows are not remembered: {told:?}");
}

/// The engine's word goes before a list that was read before it spoke, and a person's before the engine's.
#[test]
fn an_old_list_fires_nothing_again_and_a_deaf_engine_brings_nothing_back() {
    let bench = Arc::new(Bench::new());
    set(&bench, "BTC-USD > 103");
    let each = set(&bench, "BTC-USD < 103 repeat");
    let old = bench.reader().open_alerts().expect("reads");
    let send = move |queue: &Sender<EngineMessage>| {
        queue.send(EngineMessage::Alerts(old)).expect("the engine runs");
    };
    let asked = bench.clone();
    let delete = move |_: &Sender<EngineMessage>| {
        let gone = |store: &Store| store.delete_alerts("owner", Some(each), "test", Timestamp::from_ms(0));
        with_store(&asked, gone).expect("stored");
    };
    let life = coin(&[110, 100, 105, 100, 105, 100, 105]);
    bench.live(life.meanwhile(vec![(4, Box::new(send)), (5, Box::new(delete))])).expect("runs");
    let told: Vec<(i64, u64)> = fired_by_day(&bench).into_iter().map(|(day, alert, _)| (day, alert)).collect();
    assert_eq!(told, [(0, 1), (1, 2), (3, 2), (5, 2)]);
    assert_eq!(state_of(&bench, each), None);
}

/// What a person takes back while the engine is about to tell it stays taken back.
#[test]
fn a_deleted_alert_stays_deleted() {
    let bench = Arc::new(Bench::new());
    let gone = set(&bench, "BTC-USD > 103 repeat");
    let asked = bench.clone();
    let act = move |queue: &Sender<EngineMessage>| {
        with_store(&asked, |store| store.delete_alerts("owner", Some(gone), "test", Timestamp::from_ms(0)))
            .expect("stored");
        let open: Vec<_> = Reader::open(&asked.database()).and_then(|reader| reader.open_alerts()).expect("reads");
        queue.send(EngineMessage::Alerts(open)).expect("the engine runs");
    };
    let life = coin(&[100, 105, 100, 105, 100, 105]).meanwhile(vec![(3, Box::new(act))]);
    bench.live(life).expect("runs");
    assert_eq!((fired_by_day(&bench), state_of(&bench, gone)), (vec![(1, 1, "105.00".to_owned())], None));
}

/// Another process sets alerts: while nobody runs it is for the next start, and a running bot notices by itself.
#[test]
fn the_shell_sets_alerts_with_and_without_a_running_bot() {
    let shell = Shell::new();
    let told = |line: &str| {
        let (_, out, err) = shell.run(&["command", line]);
        out + &err
    };
    assert!(told("/alert AAPL > 0.01").contains("no database"), "{}", told("/alert AAPL > 0.01"));
    let piece = ["run", "--speed", "max", "--cycles", "30", "--no-console"];
    assert_eq!(shell.run(&piece).0, 0);
    let set = told("/alert AAPL > 0.01");
    assert!(set.starts_with("A1 set: AAPL > 0.01, once\nThe bot is not running"), "{set}");
    assert!(told("/alerts").starts_with("1 alert of owner\nA1  AAPL > 0.01 · once"), "{}", told("/alerts"));
    assert_eq!(shell.run(&piece).0, 0);
    assert!(told("/alerts").starts_with("no alert of yours waits"), "{}", told("/alerts"));

    // One cycle a second: if nothing is told it ends by itself.
    let run = ["run", "--speed", "60", "--cycles", "90"];
    let mut child = shell.command(&run).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut until = |part: &str| {
        let seen: Vec<String> =
            lines.by_ref().map(|line| line.expect("text")).take_while(|line| !line.contains(part)).collect();
        assert!(seen.iter().all(|line| !line.starts_with("Stopped after")), "{part}:\n{}", seen.join("\n"));
    };
    until("Started on sim");
    assert_eq!(told("/alert AAPL > 0.02 repeat"), "A2 set: AAPL > 0.02, each time it comes true\n");
    until("Alert A2: AAPL > 0.02");
    child.kill().expect("ended");
    child.wait().expect("gone");
}
