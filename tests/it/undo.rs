//! `/undo`: what a change did is taken back to the last unit, all of it or nothing, and nothing that came since is lost by it.

use bellwether::chat::{Inbound, Person, Place, Reply, Role};
use bellwether::domain::{
    EventKind, Instrument, Money, Order, OrderKind, Position, Price, Purpose, Ratio, Style, Symbol, Timeframe,
};
use bellwether::engine::{DeskMemory, DeskSettings, revive};
use bellwether::market::{SimulatedFeed, SimulatedWithHistory};
use bellwether::store::{BookRow, ControlRow};
use bellwether::strategy::{Values, find};
use chrono::Timelike;
use secrecy::SecretString;

use crate::support::{Bench, Life, quick_cross};

const COIN: &str = "BTC-USD";
const OTHER: &str = "ETH-USD";

fn coins() -> Vec<Instrument> {
    [COIN, OTHER].map(|name| Instrument::bare(name.parse().expect("a symbol"))).to_vec()
}

fn life_with(cycles: u64, change: impl FnOnce(&mut DeskSettings)) -> Life {
    let start = SimulatedFeed::history_start(Timeframe::H1, 100, &coins());
    let feed = SimulatedWithHistory::new(SimulatedFeed::new(11, Timeframe::H1, coins(), start));
    Life { cycles_max: Some(cycles), ..Life::whole(feed, change) }
}

/// A life whose strategy never says anything: what happens, people do.
fn run(bench: &Bench, cycles: u64) {
    bench.live(life_with(cycles, silent)).expect("runs");
}

fn silent(desk: &mut DeskSettings) {
    desk.limits.set("cooldown_bars", Ratio::ZERO).expect("in range");
    let kind = find("sma_cross").expect("listed");
    let written =
        [("fast", "499"), ("slow", "500")].map(|(key, value)| (key.to_owned(), value.parse().expect("number")));
    desk.strategies[0].values = Values::check(kind.name, kind.params, &written).expect("in range");
}

/// A book in the morning of a day, in which somebody else bought some coins.
fn lived() -> Bench {
    let bench = Bench::new();
    run(&bench, 40);
    morning(&bench);
    by(&bench, "ben", &format!("/buy {COIN} $1500"));
    // Far enough for the hours of a test.
    by(&bench, "ben", &format!("/sl {COIN} 20%"));
    bench
}

/// Lives until the book's day is young: what filled on a day that is over is not taken back.
fn morning(bench: &Bench) {
    while !(1..4).contains(&hour(bench)) {
        run(bench, 1);
    }
}

fn hour(bench: &Bench) -> u32 {
    let zone: chrono_tz::Tz = book(bench).zone.parse().expect("a zone");
    bench.saved().progress.expect("ran").market.utc().with_timezone(&zone).hour()
}

fn book(bench: &Bench) -> BookRow {
    bench.saved().books[0].clone()
}

fn held(bench: &Bench, symbol: &str) -> Option<Position> {
    let symbol: Symbol = symbol.parse().expect("a symbol");
    book(bench).book.position(symbol).cloned()
}

fn price(bench: &Bench, symbol: &str) -> Price {
    bench.saved().marks.iter().find(|mark| mark.symbol.as_str() == symbol).expect("one").price
}

fn waiting(bench: &Bench) -> Vec<Order> {
    bench.saved().orders.into_iter().filter(|order| order.purpose != Purpose::Protect).collect()
}

fn last_control(bench: &Bench) -> ControlRow {
    let reader = bench.reader();
    (1..1_000).map_while(|id| reader.control(id).expect("reads")).last().expect("one")
}

fn inbound(person: &str, text: &str) -> Inbound {
    let person =
        Person { name: person.to_owned(), role: Role::Owner, zone: None, books: None, style: Style::default() };
    Inbound { person, place: Place::Machine, chat: "terminal".to_owned(), text: text.to_owned() }
}

/// Somebody types this and confirms what is shown; nothing is carried out yet. What was shown, or why not.
fn asked(bench: &Bench, person: &str, text: &str) -> Result<String, String> {
    let (chat, inbound, pin) = (bench.chat(), inbound(person, text), SecretString::from("2846"));
    if !bench.reader().has_pin(person).expect("reads") {
        chat.set_pin(person, None, &pin).expect("set");
    }
    match chat.handle(&inbound) {
        Reply::Confirm { id, preview } => {
            chat.confirm(&inbound, id, &pin).expect("confirmed");
            Ok(preview)
        }
        Reply::Admitted { .. } => Ok(String::new()),
        Reply::Text(text) | Reply::Refused(text) => Err(text),
        reply => panic!("{text}: {reply:?}"),
    }
}

/// Somebody does this, and an hour passes; what was shown.
fn by(bench: &Bench, person: &str, text: &str) -> String {
    let shown = asked(bench, person, text).unwrap_or_else(|why| panic!("{text}: {why}"));
    run(bench, 1);
    let control = last_control(bench);
    assert_eq!(control.status, "done", "{text}");
    let result = control.result.unwrap_or_default();
    let failed = ["not done", "failed", "risk refuse"].iter().any(|no| result.starts_with(no));
    assert!(!failed, "{text}: {result}");
    shown
}

/// The owner does this, and an hour passes.
fn done(bench: &Bench, text: &str) -> String {
    by(bench, "owner", text)
}

/// The owner's `/undo` is refused for this, and nothing is asked of the engine.
fn refused(bench: &Bench, why: &str) {
    let said = asked(bench, "owner", "/undo").expect_err("refused");
    assert!(said.contains(why), "{said}");
}

/// Everything of a book that an hour of the market does not move.
fn figures(bench: &Bench) -> impl PartialEq + std::fmt::Debug {
    let row = book(bench);
    assert_eq!(row.book.balances(), Ok(true));
    let memory: DeskMemory = serde_json::from_str(&row.memory).expect("reads");
    let positions: Vec<_> = row
        .book
        .positions
        .iter()
        .map(|it| {
            let levels = it.protection.map(|levels| (levels.stop, levels.target));
            let it = it.clone();
            (
                it.trade,
                it.strategy,
                it.quantity,
                it.cost,
                (it.opened, it.entered, it.entered_value, it.exited_value, it.fees),
                levels,
            )
        })
        .collect();
    let guards: Vec<_> = bench.saved().orders.iter().map(|it| (it.purpose, it.symbol, it.remaining())).collect();
    let money = (row.book.cash, row.book.realised, row.book.fees, row.book.carried);
    let trades = bench.reader().trades(100).expect("reads");
    (money, positions, guards, (row.day_entries, row.day_trades), (memory.records, memory.locks), trades)
}

#[test]
fn fills_are_booked_back_to_the_last_unit() {
    let bench = lived();
    by(&bench, "ben", &format!("/close {COIN} 30%"));
    for control in [format!("/buy {OTHER} $700"), format!("/close {COIN} 40%"), format!("/close {COIN}")] {
        let before = figures(&bench);
        done(&bench, &control);
        assert_ne!(before, figures(&bench), "{control}");
        let fills = bench.reader().fills().expect("reads").len();
        let shown = done(&bench, "/undo");
        assert!(shown.contains("ve back ") || shown.contains("Take back "), "{shown}");
        assert_eq!(before, figures(&bench), "{control}");
        run(&bench, 1);
        assert_eq!(before, figures(&bench), "{control} and a restart");
        let now = bench.reader().fills().expect("reads");
        let (fill, back) = (&now[fills - 1], &now[fills]);
        assert_eq!((fill.price, fill.fee.negated(), fill.side), (back.price, back.fee, back.side.opposite()));
        let told = bench.reader().journal_told(5).expect("reads");
        let bookings = told.into_iter().find_map(|row| match row.event.kind {
            EventKind::ControlUndone { bookings, .. } => Some(bookings),
            _ => None,
        });
        assert_eq!(bookings.expect("told"), now[fills..]);
    }
    // A position that goes on can be closed again, under its own number.
    done(&bench, &format!("/close {COIN}"));
    assert_eq!(bench.reader().trades(9).expect("reads").1, 1);
}

/// A strategy's record, its streak and the locks are those of before: in the engine that lives, and in one that starts.
#[test]
fn a_trade_that_goes_on_counts_nowhere() {
    let bench = Bench::new();
    let crossing = |cycles| {
        bench
            .live(life_with(cycles, |desk| {
                quick_cross(desk);
                desk.limits.set("losing_streak", "1".parse().expect("number")).expect("in range");
                desk.limits.set("lock_bars", "9".parse().expect("number")).expect("in range");
            }))
            .expect("runs")
    };
    let strict = |desk: &mut DeskSettings| {
        silent(desk);
        desk.limits.set("losing_streak", "1".parse().expect("number")).expect("in range");
        desk.limits.set("lock_bars", "9".parse().expect("number")).expect("in range");
    };
    let losing = || {
        let positions = book(&bench).book.positions.into_iter();
        let mut lose = positions.filter(|held| {
            let result = held.unrealised_at(price(&bench, held.symbol.as_str())).expect("fits");
            result < Money::ZERO
        });
        lose.next().filter(|_| hour(&bench) < 20)
    };
    crossing(20);
    let lost = (0..200).find_map(|_| {
        crossing(1);
        losing()
    });
    let lost = lost.expect("something loses");
    // From now on only people trade.
    bench.live(life_with(1, strict)).expect("runs");
    assert!(held(&bench, lost.symbol.as_str()).is_some_and(|held| held.trade == lost.trade));
    let live = |text: &str| {
        asked(&bench, "owner", text).unwrap_or_else(|why| panic!("{text}: {why}"));
        bench.live(life_with(1, strict)).expect("runs");
    };
    let revived = || revive(&coins(), life_with(1, strict).desks, &bench.saved()).expect("starts").0;
    let memory = || -> DeskMemory { serde_json::from_str(&book(&bench).memory).expect("reads") };
    let (before, then) = (revived(), memory());
    live(&format!("/close {}", lost.symbol));
    let (closed, counted) = (revived(), memory());
    assert!(counted.records != then.records && counted.locks != then.locks, "{counted:?}");
    assert_eq!(closed.desks[0].ended.len(), before.desks[0].ended.len() + 1);
    live("/undo");
    let (after, now) = (revived(), memory());
    // What ran out meanwhile is over either way.
    let market = bench.reader().progress().expect("reads").expect("ran").market;
    let in_force = |mut memory: DeskMemory| {
        memory.locks.retain(|lock| lock.until > market);
        (memory.records, memory.locks)
    };
    assert_eq!(in_force(now), in_force(then));
    assert_eq!(after.desks[0].ended, before.desks[0].ended);
    assert_eq!(after.desks[0].records, before.desks[0].records);
    assert_eq!(after.desks[0].day.trades, before.desks[0].day.trades);
}

#[test]
fn nothing_is_booked_back_while_another_order_of_it_waits() {
    let bench = lived();
    done(&bench, &format!("/buy {COIN} $500"));
    by(&bench, "ben", &format!("/sell {COIN} limit {}", price(&bench, COIN).scaled(6, 5).expect("fits")));
    let exit = waiting(&bench)[0].id;
    refused(&bench, &format!("{exit} of {COIN} waits in main: /cancel {exit} first"));
    by(&bench, "ben", &format!("/cancel {exit}"));
    done(&bench, "/undo");
    assert!(held(&bench, COIN).expect("held").quantity.units() > 0);
}

#[test]
fn what_was_traded_since_is_left_alone() {
    // The same quantity, of another round trip.
    let bench = lived();
    done(&bench, &format!("/buy {OTHER} 0.2"));
    let first = held(&bench, OTHER).expect("held");
    by(&bench, "ben", &format!("/close {OTHER}"));
    by(&bench, "ben", &format!("/buy {OTHER} 0.2"));
    assert_eq!(held(&bench, OTHER).expect("held").quantity, first.quantity);
    refused(&bench, "was traded since");

    // Left, and another round trip since.
    let bench = lived();
    done(&bench, &format!("/close {COIN}"));
    by(&bench, "ben", &format!("/buy {COIN} $300"));
    by(&bench, "ben", &format!("/close {COIN}"));
    refused(&bench, "was traded since");

    // Left, and the book began anew.
    let bench = lived();
    done(&bench, &format!("/close {COIN}"));
    by(&bench, "ben", "/book reset");
    refused(&bench, "main began anew since");
    assert_eq!(book(&bench).book.cash, book(&bench).book.capital);
}

#[test]
fn a_state_that_somebody_else_set_stays() {
    let bench = lived();
    done(&bench, "/pause");
    by(&bench, "ben", "/halt");
    refused(&bench, "main is in another state since");

    let bench = lived();
    done(&bench, "/halt");
    by(&bench, "ben", "/halt");
    refused(&bench, "main is in another state since");
    assert_eq!(book(&bench).state.as_str(), "halted");
}

#[test]
fn a_state_is_put_back_as_it_was() {
    let stands = |bench: &Bench| {
        let (row, memory): (_, DeskMemory) = (book(bench), serde_json::from_str(&book(bench).memory).expect("reads"));
        (row.state, row.cause, row.since, (memory.parked, memory.parked_until, memory.stopping, memory.breaker_until))
    };
    let bench = lived();
    let until = |hours: i64| format!("/pause for {hours}h");
    for (first, then) in [
        (None, "/halt".to_owned()),
        (None, until(40)),
        (Some(until(50)), until(90)),
        (None, "/book start".to_owned()),
        (Some("/halt".to_owned()), "/resume".to_owned()),
    ] {
        if let Some(first) = first {
            by(&bench, "ben", &first);
        }
        let (before, peak) = (stands(&bench), book(&bench).peak);
        done(&bench, &then);
        assert_ne!(stands(&bench), before, "{then}");
        let shown = done(&bench, "/undo");
        assert!(shown.contains(&format!(" {}, and what paused it is as before.", before.0)), "{shown}");
        assert_eq!(stands(&bench), before, "{then}");
        assert!(book(&bench).peak >= peak, "{then}");
    }
}

#[test]
fn everything_that_one_change_closed_is_back_at_once() {
    let bench = lived();
    by(&bench, "ben", &format!("/buy {OTHER} $500"));
    by(&bench, "ben", &format!("/sl {OTHER} 20%"));
    let before = figures(&bench);
    done(&bench, "/closeall");
    assert!(book(&bench).book.positions.is_empty());
    done(&bench, "/undo");
    assert_eq!(before, figures(&bench));
}

#[test]
fn entries_that_a_state_forbids_are_withdrawn_as_it_was_shown() {
    let bench = lived();
    by(&bench, "ben", "/halt");
    done(&bench, "/resume");
    by(&bench, "ben", &format!("/buy {OTHER} $300 limit 1"));
    let entry = waiting(&bench)[0].id;
    let shown = done(&bench, "/undo");
    assert!(shown.contains(&format!("Take back {entry}: ")), "{shown}");
    assert_eq!((waiting(&bench).len(), book(&bench).state.as_str()), (0, "halted"));
}

#[test]
fn levels_are_put_back_where_they_are_still_right() {
    let levels =
        |bench: &Bench| held(bench, COIN).and_then(|held| held.protection).map(|it| (it.stop, it.target, it.trail));
    let bench = lived();
    done(&bench, &format!("/sl {COIN} 20%"));
    let stood = levels(&bench);
    // A stop that follows may have gone on since.
    done(&bench, &format!("/trail {COIN} 15%"));
    run(&bench, 2);
    let shown = done(&bench, "/undo");
    assert!(shown.contains(&format!("The stop of {COIN} in main lies at ")), "{shown}");
    assert_eq!(levels(&bench), stood);
    // Not over what somebody else set.
    done(&bench, &format!("/sl {COIN} 18%"));
    by(&bench, "ben", &format!("/tp {COIN} 90%"));
    refused(&bench, &format!("the levels of {COIN} in main are others since"));
}

#[test]
fn a_target_that_the_price_has_passed_is_not_put_back() {
    let bench = lived();
    by(&bench, "ben", &format!("/tp {COIN} 3%"));
    let target = held(&bench, COIN).and_then(|held| held.protection?.target).expect("one");
    done(&bench, &format!("/tp {COIN} 95%"));
    for _ in 0..400 {
        if price(&bench, COIN) > target || held(&bench, COIN).is_none() {
            break;
        }
        run(&bench, 1);
    }
    assert!(price(&bench, COIN) > target && held(&bench, COIN).is_some());
    refused(&bench, "a target of what is held lies above its price");
}

#[test]
fn an_order_is_as_it_was_where_risk_still_allows_it() {
    let bench = lived();
    let kind = || waiting(&bench)[0].kind;
    let [first, second, third] = [8, 7, 6].map(|part| price(&bench, OTHER).scaled(part, 10).expect("fits"));
    by(&bench, "ben", &format!("/buy {OTHER} 0.4 limit {first}"));
    let id = waiting(&bench)[0].id;
    done(&bench, &format!("/modify {id} price={second}"));
    by(&bench, "ben", &format!("/modify {id} price={third}"));
    refused(&bench, &format!("{id} is changed otherwise since"));
    by(&bench, "ben", "/undo");
    assert_eq!(kind(), OrderKind::Limit { price: second });
    by(&bench, "ben", "/limit exposure_pct 1%");
    let said = asked(&bench, "owner", "/undo");
    assert!(said.as_ref().is_err_and(|why| why.contains("risk refuses it in main")), "{said:?}");
    by(&bench, "ben", "/undo");
    done(&bench, "/undo");
    assert_eq!(kind(), OrderKind::Limit { price: first }, "what was refused is still there to be taken back");
}

/// What holds no more when it is carried out is not done, and can be asked for again.
#[test]
fn an_undo_that_comes_too_late_takes_nothing_back() {
    let bench = lived();
    done(&bench, "/halt");
    let (late, _) = bench.show("/undo").expect("shown");
    by(&bench, "ben", "/halt");
    bench.agree(late);
    run(&bench, 1);
    let control = bench.reader().control(late).expect("reads").expect("there");
    assert_eq!(control.result.as_deref(), Some("not done: main is in another state since"));
    assert_eq!(book(&bench).state.as_str(), "halted");
    by(&bench, "ben", "/undo");
    done(&bench, "/undo");
    assert_eq!(book(&bench).state.as_str(), "running");
}

#[test]
fn locks_come_and_go_as_before() {
    let locks = |bench: &Bench| serde_json::from_str::<DeskMemory>(&book(bench).memory).expect("reads").locks;
    let bench = lived();
    by(&bench, "ben", &format!("/block {OTHER} 3d"));
    let stood = locks(&bench);
    done(&bench, &format!("/unlock {OTHER}"));
    assert!(locks(&bench).is_empty());
    done(&bench, "/undo");
    assert_eq!(locks(&bench), stood);
    done(&bench, &format!("/block {OTHER} 5d"));
    by(&bench, "ben", &format!("/block {OTHER} 9d"));
    refused(&bench, &format!("what keeps main out of {OTHER} is over or another since"));
}

#[test]
fn a_cancelled_order_does_not_come_back_and_that_is_said() {
    let bench = lived();
    done(&bench, "/limit positions_max 5");
    done(&bench, &format!("/buy {OTHER} $300 limit 1"));
    let order = waiting(&bench)[0].id;
    let shown = by(&bench, "ben", &format!("/cancel {order}"));
    assert!(shown.contains("That cannot be taken back."), "{shown}");
    let said = asked(&bench, "ben", "/undo").unwrap_or_else(|why| why);
    assert!(!said.contains("/cancel"), "{said}");
}
