//! What people are shown of their orders is all that these do: what a short can cost, what goes with an order and what comes along with it.

use bellwether::domain::{Bar, Price, Purpose, Quantity};

use crate::support::market::{COIN, DAYS, Market, held, quantity, result, set, waiting};
use crate::support::{Bench, bar_at, flat_bars};

const OTHER: &str = "ETH-USD";

fn refused(bench: &Bench, command: &str) -> String {
    bench.show(command).expect_err("it is refused")
}

fn shown(bench: &Bench, command: &str) -> String {
    bench.show(command).unwrap_or_else(|why| panic!("{command}: {why}")).1
}

/// A sale at a limit far below the market fills at the market.
#[test]
fn a_sale_counts_at_the_market_where_its_limit_lies_below() {
    let market = Market::calm(&[COIN]);
    let bench = market.after(&[]);
    let why = refused(&bench, "/sell BTC-USD 60 limit 1");
    assert!(why.contains("position size: 60.0 %, at most 50.0 %"), "{why}");
    market.done(&bench, "/sell BTC-USD 20 limit 150");
    let order = waiting(&bench).remove(0);
    let why = refused(&bench, &format!("/modify {} price=1 quantity=60", order.id));
    assert!(why.contains("position size: 60.0 %, at most 50.0 %"), "{why}");
    let changed = bench.confirm(&format!("/modify {} price=1", order.id));
    assert!(changed.contains("exposure 30.0 %, then 20.0 %"), "{changed}");
    market.live(&bench, 0);
    assert_eq!(waiting(&bench).remove(0).reference, Price::whole(100), "{}", result(&bench));
    let more = shown(&bench, "/sell BTC-USD 10 limit 2");
    assert!(more.contains("exposure 20.0 %, then 30.0 %"), "{more}");
    market.live(&bench, 1);
    assert_eq!(quantity(&bench, COIN), Quantity::whole(-20));
}

#[test]
fn leaving_all_takes_back_what_would_enter_again_and_says_so() {
    let market = Market::calm(&[COIN, OTHER]);
    let bench =
        market.after(&["/buy BTC-USD 10", "/buy BTC-USD 5 limit 90", "/sell ETH-USD 10", "/sell ETH-USD 5 limit 110"]);
    let orders = waiting(&bench);
    let part = shown(&bench, "/sell BTC-USD 4");
    assert!(!part.contains("aken back"), "{part}");
    let limit = shown(&bench, "/sell BTC-USD limit 200");
    let doomed = format!("Once all of it is left, what waits to enter is taken back: {}, buy 5 BTC-USD.", orders[0].id);
    assert!(limit.contains(&doomed) && limit.contains("exposure 30.0 %, then 14.1 %"), "{limit}");
    let all = market.done(&bench, "/sell BTC-USD");
    assert!(all.contains(&format!("Taken back: {}, buy 5 BTC-USD, in main", orders[0].id)), "{all}");
    assert!(all.contains("exposure 30.0 %, then 15.5 %"), "{all}");
    let cover = market.done(&bench, "/buy ETH-USD");
    assert!(cover.contains(&format!("Taken back: {}, sell 5 ETH-USD, in main", orders[1].id)), "{cover}");
    assert!(cover.contains("exposure 15.5 %, then 0.0 %"), "{cover}");
    assert!(waiting(&bench).is_empty() && bench.saved().books[0].book.positions.is_empty());
}

#[test]
fn a_purchase_shows_the_target_and_the_trail_that_come_with_it() {
    let market = Market::calm(&[COIN]).with(|desk| set(desk, &[("trailing", "1"), ("target_atr", "3")]));
    let bench = market.after(&[]);
    let first = market.done(&bench, "/buy BTC-USD 10");
    assert!(first.contains(", stop at 80.00, following 20.00 behind, target 106.00"), "{first}");
    let levels = held(&bench, COIN).and_then(|held| held.protection).expect("levels");
    assert_eq!((levels.trail, levels.target), (Some(Price::whole(20)), Some(Price::whole(106))));
    market.done(&bench, "/sl BTC-USD 90");
    let more = shown(&bench, "/buy BTC-USD 5");
    assert!(more.contains(", stop at 90.00, target 106.00"), "{more}");
}

/// What came along is what whoever confirmed agreed to.
#[test]
fn another_target_or_trail_than_was_shown_is_asked_anew() {
    for keys in [[("target_atr", "3")], [("trailing", "1")]] {
        let bench = Market::calm(&[COIN]).after(&[]);
        let (id, _) = bench.show("/buy BTC-USD 10").expect("shown");
        bench.agree(id);
        let other = match keys[0].0 {
            "trailing" => Market::calm(&[COIN]).with(|desk| set(desk, &[("trailing", "1")])),
            _ => Market::calm(&[COIN]).with(|desk| set(desk, &[("target_atr", "3")])),
        };
        other.live(&bench, 1);
        assert!(result(&bench).contains("of BTC-USD would lie elsewhere now; ask again"), "{}", result(&bench));
    }
}

#[test]
fn so_many_units_are_closed_in_one_book_and_a_share_in_each() {
    let market = Market::calm(&[COIN]).beside("other");
    let bench = market.after(&["/buy BTC-USD 10 main", "/buy BTC-USD 10 other"]);
    assert_eq!(refused(&bench, "/close BTC-USD 5"), "which book? Say it at the end: main or other");
    assert_eq!(refused(&bench, "/close ETH-USD 5"), "ETH-USD is not held");
    let one = shown(&bench, "/close BTC-USD 5 other");
    assert!(one.contains("Close 5 of 10 BTC-USD in other?") && !one.contains("in main"), "{one}");
    let both = shown(&bench, "/close BTC-USD 50%");
    assert!(
        ["in main?", "in other?"].iter().all(|book| both.contains(&format!("Close 5 of 10 BTC-USD {book}"))),
        "{both}"
    );
}

#[test]
fn all_that_waits_is_taken_back_though_nothing_can_be_left() {
    let mut fallen = flat_bars(&[100; 22]);
    fallen.extend((22..DAYS as i64).map(|day| bar_at(day, [40, 41, 39, 40])));
    let market = Market::of(vec![(COIN, fallen), (OTHER, flat_bars(&[100; DAYS]))])
        .with(|desk| set(desk, &[("daily_loss_pct", "100"), ("lock_sessions", "20")]));
    let bench = market.after(&["/buy BTC-USD 5", "/buy ETH-USD 10 limit 50"]);
    market.live(&bench, 1);
    let all = shown(&bench, "/closeall");
    assert!(all.contains("Left as it is, BTC-USD of main: risk refuses it in main: symbol lock"), "{all}");
    assert!(all.contains("Nothing that is held can be left in main. Take back what waits to enter?"), "{all}");
    let flat = Market::calm(&[COIN]);
    let bench = flat.after(&["/buy BTC-USD 10 limit 50"]);
    let all = shown(&bench, "/closeall");
    assert!(all.contains("Nothing is held in main. Take back what waits to enter?"), "{all}");
}

#[test]
fn closing_takes_back_the_entries_of_what_is_closed_and_closing_all_takes_back_all() {
    let market = Market::calm(&[COIN, OTHER]);
    let bench = market.after(&["/buy BTC-USD 10", "/buy BTC-USD 5 limit 90", "/buy ETH-USD 5 limit 80"]);
    let lines: Vec<String> = waiting(&bench)
        .iter()
        .map(|order| format!("Taken back: {}, buy 5 {}, in main", order.id, order.symbol))
        .collect();
    let one = shown(&bench, "/close BTC-USD");
    assert!(one.contains(&lines[0]) && !one.contains(&lines[1]), "{one}");
    assert!(one.contains("exposure 18.5 %, then 4.0 %"), "{one}");
    let all = market.done(&bench, "/closeall");
    assert!(lines.iter().all(|line| all.contains(line)) && all.contains("exposure 18.5 %, then 0.0 %"), "{all}");
    assert!(waiting(&bench).is_empty() && bench.saved().books[0].book.positions.is_empty());
}

/// However many they are: each is named, and the sums are those of all.
#[test]
fn nothing_of_many_orders_is_cut() {
    let names: Vec<String> = ('A'..='N').map(|letter| format!("{letter}{letter}-USD")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let market = Market::calm(&names).with(|desk| {
        set(desk, &[("positions_max", "20"), ("correlation_max", "1"), ("sector_pct", "500"), ("exposure_pct", "500")]);
        set(desk, &[("net_pct", "500"), ("trades_per_day", "500"), ("fee_bps", "10"), ("open_risk_pct", "100")]);
    });
    let bench = market.after(&[]);
    for name in &names {
        market.done(&bench, &format!("/buy {name} 1"));
        bench.confirm(&format!("/buy {name} 1 limit 50"));
        market.live(&bench, 0);
    }
    let orders = waiting(&bench);
    assert_eq!((bench.saved().books[0].book.positions.len(), orders.len()), (14, 14));
    let cash = bench.saved().books[0].book.cash;
    let all = market.done(&bench, "/closeall");
    let question = format!("Close 14 positions in main: {}?", names.join(", "));
    assert!(all.contains(&question), "{all}");
    let [.., one, two] = &orders[..] else { panic!("there are 14") };
    assert!(all.contains(&format!("Taken back as well, 2 more: {}, {}", one.id, two.id)), "{all}");
    assert!(orders[..12].iter().all(|order| all.contains(&format!("Taken back: {},", order.id))), "{all}");
    let rest =
        format!("2 more orders in main: {}; 0.00 USD bought, 200.00 USD sold, fees 0.20", names[12..].join(", "));
    assert!(all.contains(&rest), "{all}");
    assert!(names[..12].iter().all(|name| all.contains(&format!("Sell 1 {name} at about 100.00"))), "{all}");
    let after = cash.plus("1398.6".parse().expect("money")).expect("fits");
    assert_eq!(bench.saved().books[0].book.cash, after);
    assert!(waiting(&bench).is_empty());
}

#[test]
fn money_buys_by_the_limit_and_a_percentage_leaves_a_share_of_what_is_held() {
    let market = Market::calm(&[COIN, OTHER]);
    let bench = market.after(&["/buy BTC-USD 10", "/sell ETH-USD 10"]);
    let bought = shown(&bench, "/buy BTC-USD $500 limit 50");
    assert!(bought.contains("Buy 10 BTC-USD in main?"), "{bought}");
    let more = shown(&bench, "/buy BTC-USD 10%");
    assert!(more.contains("? Adds to what is held with 10.0 % of equity."), "{more}");
    let half = shown(&bench, "/sell BTC-USD 50%");
    assert!(half.contains("Sell 5 BTC-USD in main? Leaves 50.0 % of what is held."), "{half}");
    let half = shown(&bench, "/buy ETH-USD 50%");
    assert!(half.contains("Buy 5 ETH-USD in main? Covers 50.0 % of the short."), "{half}");
    assert_eq!(refused(&bench, "/sell BTC-USD 150%"), "150.0 % is more than all of what is held");
    market.done(&bench, "/sell BTC-USD 50%");
    assert_eq!(quantity(&bench, COIN), Quantity::whole(5));
}

#[test]
fn a_stop_that_fills_is_not_moved_any_more() {
    let mut bars = flat_bars(&[100; 24]);
    let thin = |bar: Bar| Bar { volume: Quantity::whole(40), ..bar };
    bars.extend((24..DAYS as i64).map(|day| thin(bar_at(day, [100 - (day - 23).min(8), 100, 91, 92]))));
    let market = Market::of(vec![(COIN, bars)]).with(|desk| set(desk, &[("daily_loss_pct", "100")]));
    let bench = market.after(&["/buy BTC-USD 10", "/sl BTC-USD 95"]);
    market.live(&bench, 3);
    let guard = bench.saved().orders.into_iter().find(|order| order.purpose == Purpose::Protect).expect("it goes on");
    assert!(guard.triggered && !guard.filled.is_zero() && quantity(&bench, COIN) > Quantity::ZERO, "{guard:?}");
    let why = "its stop is filling; what is left goes at the market";
    for command in ["/sl BTC-USD 80", "/tp BTC-USD 150", "/trail BTC-USD 5%", "/taketargets 5%"] {
        assert!(refused(&bench, command).ends_with(why), "{command}");
    }
}

#[test]
fn a_distance_of_nothing_is_none() {
    let bench = Market::calm(&[COIN]).after(&["/buy BTC-USD 10"]);
    for command in ["/trail BTC-USD 0.0000001%", "/sl BTC-USD 0.0000001%", "/tp BTC-USD 0.0000001%"] {
        let why = refused(&bench, command);
        assert!(why.contains("\"0.0000001%\" is not a level"), "{command}: {why}");
    }
    let why = refused(&bench, "/sell BTC-USD 0.0000001%");
    assert!(why.contains("\"0.0000001%\" is not"), "{why}");
}
