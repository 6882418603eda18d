//! The list is narrowed once a trading day: who may enter, who only leaves, what a restart keeps, and what people are shown.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;

use bellwether::chat::{Inbound, Person, Reply, Role};
use bellwether::clock::Timestamp;
use bellwether::domain::{
    AssetClass, Event, EventKind, Instrument, Price, Purpose, Quantity, Ratio, ScreenVerdict, Screening, Style, Symbol,
    Timeframe,
};
use bellwether::engine::{DeskMemory, DeskSettings, EngineMessage, Pace, Reload, ScreenerSettings};
use bellwether::market::{Feed, Hours, SimulatedFeed, SimulatedWithHistory};
use bellwether::store::Points;
use bellwether::strategy::ScreenRules;
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::America::New_York;

use crate::support::{Bench, Fault, FaultyFeed, Life, quick_cross};

fn symbol(name: &str) -> Symbol {
    name.parse().expect("symbol")
}

fn instruments(names: &[&str]) -> Vec<Instrument> {
    names.iter().map(|name| Instrument::bare(symbol(name))).collect()
}

const SIX: &[&str] = &["AAPL", "MSFT", "JPM", "XOM", "KO", "BTC-USD"];

/// Days of six symbols, 60 of them history.
fn days() -> FaultyFeed {
    FaultyFeed::new(5, instruments(SIX), 160, |_, _, _| None::<Fault>)
}

/// Hours of these symbols with so many bars of history.
fn hours(names: &[&str], history: usize) -> impl Feed + 'static {
    let list = instruments(names);
    let start = SimulatedFeed::history_start(Timeframe::H1, history, &list);
    SimulatedWithHistory::new(SimulatedFeed::new(4, Timeframe::H1, list, start))
}

/// The best `top` of the list at nine, whatever they cost.
fn best(top: usize) -> ScreenerSettings {
    let rules = ScreenRules {
        top,
        volume_min: Quantity::ZERO,
        price_min: Price::ZERO,
        atr_min: Price::ZERO,
        strength_min: Ratio::ZERO,
    };
    ScreenerSettings { at: NaiveTime::from_hms_opt(9, 0, 0).expect("a time"), rules }
}

fn best_two(desk: &mut DeskSettings) {
    quick_cross(desk);
    desk.screener = Some(best(2));
}

fn journal(bench: &Bench) -> Vec<Event> {
    bench.reader().journal_all().expect("reads").into_iter().map(|row| row.event).collect()
}

fn screenings(bench: &Bench) -> Vec<Event> {
    journal(bench).into_iter().filter(|event| matches!(event.kind, EventKind::ScreenerRan { .. })).collect()
}

fn last_screening(bench: &Bench) -> Screening {
    let memory: DeskMemory = serde_json::from_str(&bench.saved().books[0].memory).expect("readable");
    memory.screening.expect("it ran")
}

fn entry(event: &Event) -> Option<Symbol> {
    match &event.kind {
        EventKind::OrderSubmitted { order, .. } if order.purpose == Purpose::Entry => Some(order.symbol),
        _ => None,
    }
}

fn entered(bench: &Bench) -> BTreeSet<Symbol> {
    journal(bench).iter().filter_map(entry).collect()
}

#[test]
fn only_the_chosen_are_entered_and_what_is_held_is_left_as_usual() {
    let bench = Bench::new();
    bench.live(Life::whole(days(), best_two)).expect("runs");
    let (mut chosen, mut entries, mut left_outside) = (Vec::new(), 0, 0);
    for event in journal(&bench) {
        if let Some(symbol) = entry(&event) {
            assert!(chosen.contains(&symbol), "{symbol} at {} is not of {chosen:?}", event.at);
            entries += 1;
        }
        match event.kind {
            EventKind::ScreenerRan { looked, chosen: now, unmeasured } => {
                assert_eq!((looked, unmeasured), (SIX.len(), 0));
                assert!(now.len() == 2 && now[0].1 >= now[1].1, "{now:?}");
                chosen = now.into_iter().map(|one| one.0).collect();
            }
            EventKind::PositionClosed { trade, .. } if !chosen.contains(&trade.symbol) => left_outside += 1,
            _ => {}
        }
    }
    assert!(entries > 5 && left_outside > 1, "{entries} entries, {left_outside} left while off the list");
}

#[test]
fn pins_and_bans_win_over_the_screener() {
    let bench = Bench::new();
    let change = |desk: &mut DeskSettings| {
        best_two(desk);
        desk.pins = vec![symbol("XOM")];
        desk.bans = vec![symbol("AAPL")];
    };
    bench.live(Life::whole(days(), change)).expect("runs");
    let chosen = |name: &str| {
        let is_it = |kind: &EventKind| matches!(kind, EventKind::ScreenerRan { chosen, .. } if chosen.iter().any(|one| one.0 == symbol(name)));
        screenings(&bench).iter().filter(|event| is_it(&event.kind)).count()
    };
    assert!(chosen("XOM") < screenings(&bench).len() && chosen("AAPL") == 0);
    let screening = last_screening(&bench);
    let row = |name: &str| *screening.rows.iter().find(|row| row.symbol == symbol(name)).expect("looked at");
    assert!(row("XOM").watched && row("AAPL").verdict == ScreenVerdict::Banned && !row("AAPL").watched);
    assert!(entered(&bench).contains(&symbol("XOM")) && !entered(&bench).contains(&symbol("AAPL")));
}

#[test]
fn a_ban_holds_without_a_screener_too() {
    let bench = Bench::new();
    bench.live(Life::whole(days(), quick_cross)).expect("runs");
    assert!(entered(&bench).contains(&symbol("AAPL")), "it would be entered");
    let bench = Bench::new();
    let ban = |desk: &mut DeskSettings| {
        quick_cross(desk);
        desk.bans = vec![symbol("AAPL")];
    };
    bench.live(Life { pace: Pace::Times(1_000_000_000), ..Life::whole(days(), ban) }).expect("runs");
    assert!(!entered(&bench).contains(&symbol("AAPL")) && entered(&bench).len() == SIX.len() - 1);
    assert!(screenings(&bench).is_empty());
    let steps = bench.reader().last_steps(symbol("AAPL")).expect("reads");
    assert!(steps.iter().all(|step| step.rule.is_some()), "{steps:?}");
}

/// The times of all runs, in New York.
fn times(bench: &Bench) -> Vec<(NaiveDate, String)> {
    let local = |event: &Event| event.at.utc().with_timezone(&New_York);
    screenings(bench)
        .iter()
        .map(|event| (local(event).date_naive(), local(event).format("%H:%M").to_string()))
        .collect()
}

/// Shares have no session on holidays, and their clock goes forward on 10 March; the first instant after nine is the first bar.
#[test]
fn it_runs_once_a_trading_day_at_the_first_instant_from_nine_on() {
    let bench = Bench::new();
    let life = Life::whole(hours(&["AAPL", "MSFT"], 10), best_two);
    bench.live(Life { cycles_max: Some(450), ..life }).expect("runs");
    let ran = times(&bench);
    let (first, last) = (ran[0].0, ran[ran.len() - 1].0);
    let shares = Hours::of(AssetClass::UsEquity);
    let sessions = first.iter_days().take_while(|date| *date <= last).filter(|date| shares.session_on(*date).is_some());
    assert_eq!(ran, sessions.map(|date| (date, "10:00".to_owned())).collect::<Vec<_>>());
    let march = NaiveDate::from_ymd_opt(2024, 3, 29).expect("a date");
    assert!(last > march && ran.iter().all(|(date, _)| *date != march), "Good Friday has passed");
}

/// With a coin on the list every day is a trading day, and nine is nine before and after the clock goes forward.
#[test]
fn a_market_that_never_closes_is_screened_at_nine_every_day() {
    let bench = Bench::new();
    let life = Life::whole(hours(&["AAPL", "BTC-USD"], 10), best_two);
    bench.live(Life { cycles_max: Some(70 * 24), ..life }).expect("runs");
    let ran = times(&bench);
    let days = ran[0].0.iter_days().take(ran.len());
    assert!(ran.iter().map(|one| one.0).eq(days) && ran.len() > 66, "every day once: {ran:?}");
    assert!(ran[1..].iter().all(|(_, time)| time == "09:00") && ran[0].1 == "10:00", "{ran:?}");
}

#[test]
fn too_few_days_keep_the_list_and_say_so() {
    let bench = Bench::new();
    let usual = |desk: &mut DeskSettings| {
        quick_cross(desk);
        desk.screener = Some(ScreenerSettings { rules: ScreenRules::default(), ..best(2) });
    };
    let life = Life::whole(hours(&["AAPL", "MSFT", "JPM"], 10), usual);
    bench.live(Life { cycles_max: Some(100), ..life }).expect("runs");
    for event in screenings(&bench) {
        let EventKind::ScreenerRan { looked, chosen, unmeasured } = event.kind else { continue };
        assert_eq!((looked, chosen.len(), unmeasured), (3, 0, 3));
    }
    assert!(entered(&bench).len() > 1, "they are entered as before");
    let row = last_screening(&bench).rows[0];
    assert!(row.watched && row.days > 10 && row.volume.is_some() && row.atr.is_some() && row.momentum.is_some());
    bench.deliver(Points::default()).expect("delivers");
    let told = bench.sink.sent().into_iter().map(|notice| notice.lines).find(|lines| lines[0].contains("screener"));
    let told = told.expect("an unchanged list is told");
    assert_eq!(told[0], "The screener of main chose nobody of 3 symbols");
    assert_eq!(told[1], "Unchanged, as too few days are known: 3 symbols");
}

/// Pieces of any length, with restarts in the middle of a day: the list is kept, and no day is screened twice. The hours go on from a
/// saved memory, the days are read again.
#[test]
fn a_restart_keeps_the_list_and_runs_no_day_twice() {
    let from_hours = || Life::whole(hours(&["AAPL", "MSFT", "JPM", "KO", "BTC-USD"], 1_000), best_two);
    let from_days = || Life::whole(days(), best_two);
    same_in_pieces(&from_hours, &[1, 20, 3, 100, 26, 250]);
    same_in_pieces(&from_days, &[1, 2, 30, 1, 50]);
}

fn same_in_pieces(life: &dyn Fn() -> Life, pieces: &[u64]) {
    let whole = Bench::new();
    whole.live(Life { cycles_max: Some(pieces.iter().sum()), ..life() }).expect("runs");
    let parts = Bench::new();
    for cycles in pieces {
        parts.live(Life { cycles_max: Some(*cycles), ..life() }).expect("runs");
    }
    let facts = |bench: &Bench| {
        let about_runs = |event: &Event| event.kind.name().starts_with("engine_");
        journal(bench).into_iter().filter(|event| !about_runs(event)).collect::<Vec<_>>()
    };
    assert_eq!(facts(&parts), facts(&whole));
    assert_eq!(last_screening(&parts), last_screening(&whole));
    assert!(screenings(&whole).len() > 15 && !entered(&whole).is_empty());
    let lists: BTreeSet<String> = screenings(&whole).iter().map(|event| format!("{:?}", event.kind)).collect();
    assert!(lists.len() > 2, "the list changes: {lists:?}");
}

/// What a cycle screened is made again by the audit.
#[test]
fn screening_is_part_of_what_is_audited() {
    let bench = Bench::new();
    let (sender, stretches) = channel();
    let life = Life {
        cycles_max: Some(150),
        pace: Pace::Times(1_000_000_000),
        auditor: Some(sender),
        ..Life::whole(hours(&["AAPL", "MSFT", "JPM", "KO"], 300), best_two)
    };
    bench.live(life).expect("runs");
    let mut screened = 0;
    for stretch in stretches {
        let mut rows = bench.reader().journal_of_cycles(stretch.after(), stretch.until()).expect("reads");
        let is_screening = |kind: &EventKind| matches!(kind, EventKind::ScreenerRan { .. });
        let place = rows.iter().position(|row| is_screening(&row.event.kind));
        let EventKind::DayAudited { differences, .. } = stretch.audit(&rows) else { panic!("an audit") };
        assert_eq!(differences, Vec::<String>::new());
        if let Some(place) = place {
            screened += 1;
            rows.remove(place);
            let EventKind::DayAudited { differences, .. } = stretch.audit(&rows) else { panic!("an audit") };
            assert_eq!(differences.len(), 1, "a lost screening is found out");
        }
    }
    assert!(screened > 5, "{screened}");
}

/// The engine ranks the list when it is asked and goes on as if nobody had asked.
#[test]
fn a_fresh_ranking_changes_nothing() {
    let (alone, asked) = (Bench::new(), Bench::new());
    let (sender, answers) = channel();
    let life = || Life { cycles_max: Some(60), pace: Pace::Times(1_000_000_000), ..Life::whole(days(), best_two) };
    alone.live(life()).expect("runs");
    asked.live(life().telling(vec![(40, EngineMessage::Rank(sender))])).expect("runs");
    let ranking = answers.recv().expect("answered").remove(0);
    assert!(ranking.book.as_str() == "main" && ranking.zone == New_York && ranking.screening.chosen().len() == 2);
    assert_eq!(ranking.screening.at, ranking.screening.due);
    assert_eq!(journal(&asked), journal(&alone));
    assert_eq!(last_screening(&asked), last_screening(&alone));
}

/// Pins, bans and the screener itself may change while it runs; what would need other prices needs a restart.
#[test]
fn a_changed_configuration_changes_the_list() {
    let after = |change: &dyn Fn(&mut DeskSettings)| {
        let life = Life { pace: Pace::Times(1_000_000_000), ..Life::whole(days(), best_two) };
        let mut desk = life.desks[0].clone();
        change(&mut desk);
        let reload = EngineMessage::Reconfigure(Ok(Reload { desks: vec![desk], restart: Vec::new() }));
        let bench = Bench::new();
        bench.live(life.telling(vec![(80, reload)])).expect("runs");
        let events = journal(&bench);
        let place = events.iter().position(|event| event.kind.name().starts_with("config_")).expect("told");
        let told = match &events[place].kind {
            EventKind::ConfigChanged { changes } => changes.clone(),
            EventKind::ConfigRefused { error } => vec![error.clone()],
            other => panic!("{other:?}"),
        };
        let entered: BTreeSet<Symbol> = events[place..].iter().filter_map(entry).collect();
        let ran = events[place..].iter().filter(|event| event.kind.name() == "screener_ran").count();
        (told, entered, ran)
    };
    let (told, entered, ran) = after(&|desk| {
        desk.pins = vec![symbol("KO")];
        desk.bans = vec![symbol("AAPL"), symbol("MSFT")];
    });
    assert_eq!(told, ["main: pins none -> KO", "main: bans none -> AAPL, MSFT"]);
    assert!(entered.contains(&symbol("KO")) && !entered.contains(&symbol("AAPL")) && ran > 30, "{entered:?} {ran}");
    let (told, entered, ran) = after(&|desk| desk.screener = None);
    assert_eq!(told, ["main: no screener any more: everything on its list may be entered"]);
    assert!(entered.len() == SIX.len() && ran == 0, "{entered:?}");
    let (told, ..) = after(&|desk| desk.screener = Some(best(5)));
    assert_eq!(told, ["main: screener top 2 -> 5"]);
    let (told, ..) = after(&|desk| desk.pins = vec![symbol("GME")]);
    assert!(told[0].ends_with("main: the pin GME, which is not on its list"), "{told:?}");
}

#[test]
fn people_see_the_list_and_why() {
    let bench = Bench::new();
    let change = |desk: &mut DeskSettings| {
        best_two(desk);
        desk.bans = vec![symbol("KO")];
    };
    bench.live(Life::whole(days(), change)).expect("runs");
    let store = bellwether::store::Store::open(&bench.database()).expect("opens");
    store.keep_watchlist("main".parse().expect("name"), "test", instruments(SIX)).expect("kept");
    store.close();
    let chat = bench.chat();
    let asked = |text: &str| {
        let person =
            Person { name: "owner".to_owned(), role: Role::Viewer, zone: None, books: None, style: Style::default() };
        chat.handle(&Inbound {
            person,
            place: bellwether::chat::Place::Machine,
            chat: "terminal".to_owned(),
            text: text.to_owned(),
        })
    };
    let Reply::Text(said) = asked("/screener") else { panic!("a table") };
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("main screened 6 symbols at 2024-") && lines[0].ends_with("2 may be entered"));
    assert!(lines[1].starts_with("1. ") && lines[1].contains(" in · score "), "{said}");
    assert!(lines[3].contains(" out (enough others score higher) · score "), "{said}");
    assert!(lines[6].starts_with("- KO out (banned) · score "), "{said}");
    assert_eq!(asked("/screener main"), Reply::Text(said));
    assert_eq!(asked("/screener big"), Reply::Text("there is no book big; there are main".to_owned()));
    assert_eq!(asked("/screener now"), Reply::Text("nothing to do".to_owned()), "the engine is asked");
    assert!(matches!(asked("/screener main now"), Reply::Refused(_)));
    let Reply::Text(watched) = asked("/watchlist") else { panic!("a list") };
    assert!(watched.contains("2 of 6 may be entered") && watched.matches(" (out)").count() == 4, "{watched}");
    assert!(last_screening(&bench).at > Timestamp::from_ms(0));
}
