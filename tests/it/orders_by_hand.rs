//! Orders by people on a market that stands where a test wants it: every way out stays open, and what was shown is what goes out.

use bellwether::domain::{AssetClass, Instrument, OrderKind, Quantity};
use bellwether::engine::LossAction;

use crate::support::market::{COIN, DAYS, Market, held, quantity, result, set, waiting};
use crate::support::{bar_at, flat_bars, quick_cross};

/// A position of ten coins with a limit that waits far away to leave it.
const WITH_A_LIMIT: [&str; 2] = ["/buy BTC-USD 10", "/sell BTC-USD 10 limit 200"];

#[test]
fn a_limit_that_waits_gives_way_to_close() {
    let market = Market::calm(&[COIN]);
    let bench = market.after(&WITH_A_LIMIT);
    let [limit] = &waiting(&bench)[..] else { panic!("the limit waits") };
    let shown = market.done(&bench, "/close BTC-USD");
    assert!(shown.contains(&format!("Taken back: {}, sell 10 BTC-USD, in main", limit.id)), "{shown}");
    assert_eq!((quantity(&bench, COIN), waiting(&bench).len()), (Quantity::ZERO, 0));
}

#[test]
fn a_part_that_is_on_its_way_gives_way_to_all_and_all_to_nothing_more() {
    let market = Market::calm(&[COIN]);
    let bench = market.after(&["/buy BTC-USD 10"]);
    bench.confirm("/close BTC-USD 40%");
    market.live(&bench, 0);
    assert_eq!(waiting(&bench).len(), 1, "it fills with the next bar");
    let shown = bench.confirm("/close BTC-USD");
    assert!(shown.contains("sell 4 BTC-USD, in main") && shown.contains("Close 10 of 10"), "{shown}");
    market.live(&bench, 0);
    let again = bench.confirm("/close BTC-USD");
    assert_eq!(again, "BTC-USD of main: it is on the way out already");
    assert_eq!(bench.confirm("/sell BTC-USD 1"), "BTC-USD is on the way out already");
    market.live(&bench, 1);
    assert_eq!(quantity(&bench, COIN), Quantity::ZERO);
}

#[test]
fn a_limit_that_waits_keeps_no_book_from_being_stopped() {
    let market = Market::calm(&[COIN]);
    let bench = market.after(&WITH_A_LIMIT);
    market.done(&bench, "/book stop main");
    assert_eq!((quantity(&bench, COIN), waiting(&bench).len()), (Quantity::ZERO, 0));
}

#[test]
fn a_limit_that_waits_keeps_a_lost_day_from_nothing() {
    let market = Market::then(22, &[85]).with(|desk| {
        desk.daily_loss = LossAction::Flatten;
        desk.zone = chrono_tz::Tz::UTC;
        set(desk, &[("daily_loss_pct", "1")]);
    });
    let bench = market.after(&WITH_A_LIMIT);
    market.live(&bench, 2);
    assert_eq!((quantity(&bench, COIN), waiting(&bench).len()), (Quantity::ZERO, 0));
}

#[test]
fn a_limit_that_waits_keeps_no_strategy_from_leaving() {
    let closes: Vec<i64> = (0..20)
        .map(|day| 120 - day)
        .chain((0..10).map(|day| 100 + 2 * day))
        .chain((0..30).map(|day| 118 - 2 * day))
        .collect();
    let market = Market::of(vec![(COIN, flat_bars(&closes))]).with(|desk| {
        desk.strategies = bellwether::config::BookConfig::usual().desk.strategies;

        quick_cross(desk);
        set(desk, &[("daily_loss_pct", "100"), ("drawdown_pct", "100")]);
    });
    let bench = market.after(&[]);
    market.live(&bench, 9);
    let bought = quantity(&bench, COIN);
    assert!(bought > Quantity::ZERO, "the strategy entered");
    market.done(&bench, "/sell BTC-USD limit 200");
    market.live(&bench, 12);
    let (trades, _) = bench.reader().trades(10).expect("reads");
    assert_eq!((quantity(&bench, COIN), trades.len(), trades[0].reason.as_str()), (Quantity::ZERO, 1, "signal"));
}

#[test]
fn a_limit_that_waits_keeps_no_margin_from_being_called() {
    let mut market = Market::then(22, &[91]).with(|desk| {
        set(desk, &[("leverage_max", "10"), ("maintenance_pct", "5"), ("daily_loss_pct", "100")]);
    });
    let perpetual = "BTC-PERP";
    market.list[0].0 =
        Instrument { class: AssetClass::Perpetual, ..Instrument::bare(perpetual.parse().expect("a symbol")) };
    let bench = market.after(&["/buy BTC-PERP 10", "/sell BTC-PERP 10 limit 200"]);
    market.live(&bench, 2);
    let (trades, _) = bench.reader().trades(10).expect("reads");
    assert_eq!((quantity(&bench, perpetual), trades[0].reason.as_str()), (Quantity::ZERO, "margin_call"));
}

#[test]
fn nothing_is_promised_of_what_has_no_more_prices() {
    let market = Market::calm(&[COIN]);
    let bench = market.after(&["/buy BTC-USD 10"]);
    market.live(&bench, DAYS as u64);
    for command in ["/close BTC-USD", "/buy BTC-USD 1", "/sell BTC-USD 1"] {
        let refused = bench.show(command).expect_err("nothing fills any more");
        assert!(refused.contains("no more prices of BTC-USD come"), "{command}: {refused}");
    }
}

#[test]
fn an_order_that_was_changed_is_counted_by_its_new_price() {
    let market = Market::calm(&[COIN, "ETH-USD"]);
    let bench = market.after(&["/buy ETH-USD 10 limit 50"]);
    let order = waiting(&bench).remove(0);
    market.done(&bench, &format!("/modify {} price=90", order.id));
    let changed = waiting(&bench).remove(0);
    assert_eq!(
        (changed.kind, changed.reference.to_string()),
        (OrderKind::Limit { price: changed.reference }, "90".to_owned())
    );
    let (_, shown) = bench.show("/buy BTC-USD 1").expect("shown");
    assert!(shown.contains("exposure 9.0 %, then 10.0 %"), "{shown}");
}

/// A minute at sixty times the speed is an hour: what follows from a price is computed anew, and what was shown goes out.
#[test]
fn what_was_shown_goes_out_though_the_price_moved_a_little() {
    for (command, shown_as) in
        [("/buy BTC-USD $1500", Some("15")), ("/buy BTC-USD 10%", Some("10")), ("/buy BTC-USD", None)]
    {
        let market = Market::then(20, &[101, 101]);
        let bench = market.after(&[]);
        let (id, shown) = bench.show(command).expect("shown");
        market.live(&bench, 1);
        bench.agree(id);
        market.live(&bench, 1);
        let bought = quantity(&bench, COIN);
        assert!(shown.contains(&format!("Buy {bought} BTC-USD in main?")), "{}: {bought}, {shown}", result(&bench));
        assert!(shown_as.is_none_or(|units| bought.to_string() == units), "{bought}");
    }
    let market = Market::then(20, &[104, 104]);
    let bench = market.after(&[]);
    let (id, _) = bench.show("/buy BTC-USD $1500").expect("shown");
    market.live(&bench, 1);
    bench.agree(id);
    market.live(&bench, 1);
    assert!(result(&bench).starts_with("not done: "), "{}", result(&bench));
}

#[test]
fn what_enlarges_a_position_has_its_stop_and_its_risk() {
    let market = Market::calm(&[COIN]).with(|desk| set(desk, &[("open_risk_pct", "6"), ("stop_atr", "2")]));
    let bench = market.after(&["/buy BTC-USD 10", "/sl BTC-USD 80"]);
    let (_, shown) = bench.show("/buy BTC-USD 10").expect("shown");
    assert!(shown.contains("Adds to what is held.") && shown.contains("stop at 80.00"), "{shown}");
    assert!(shown.contains("open risk 2.0 %, then 4.0 %"), "{shown}");
    // At its own stop, which is never set, it would lose 1 %.
    let refused = bench.show("/buy BTC-USD 25").expect_err("too much is lost at the stop that holds");
    assert!(refused.contains("open risk: 7.0 %, at most 6.0 %"), "{refused}");
    market.done(&bench, "/buy BTC-USD 5 limit 90");
    let (_, shown) = bench.show("/buy BTC-USD 1").expect("shown");
    assert!(shown.contains("open risk 2.5 %, then 2.7 %"), "{shown}");
}

#[test]
fn the_words_say_what_an_order_does_to_what_is_held() {
    let market = Market::calm(&[COIN, "ETH-USD"]);
    let bench = market.after(&[]);
    let shown = |command: &str| bench.show(command).unwrap_or_else(|refused| panic!("{command}: {refused}")).1;
    assert!(shown("/buy BTC-USD 10").contains("? A new position."));
    assert!(shown("/sell ETH-USD 10").contains("? Opens a short."));
    market.done(&bench, "/buy BTC-USD 10");
    market.done(&bench, "/sell ETH-USD 10");
    assert!(shown("/sell BTC-USD 2").contains("? Leaves what is held."));
    assert!(shown("/buy BTC-USD 2").contains("? Adds to what is held."));
    assert!(shown("/buy ETH-USD 2").contains("? Covers the short."));
}

#[test]
fn one_price_in_doubt_keeps_nothing_else_from_being_left() {
    let mut fallen = flat_bars(&[100; 22]);
    fallen.extend((22..DAYS as i64).map(|day| bar_at(day, [40, 41, 39, 40])));
    let market = Market::of(vec![(COIN, fallen), ("ETH-USD", flat_bars(&[100; DAYS]))])
        .with(|desk| set(desk, &[("daily_loss_pct", "100"), ("lock_sessions", "20")]));
    let bench = market.after(&["/buy BTC-USD 5", "/buy ETH-USD 10"]);
    market.live(&bench, 1);
    let shown = market.done(&bench, "/setstops 3%");
    assert!(shown.contains("Left as it is, BTC-USD of main: its price is in doubt."), "{shown}");
    assert_eq!(held(&bench, "ETH-USD").and_then(|held| held.protection).expect("a stop").stop.to_string(), "97");
    let shown = market.done(&bench, "/taketargets 3%");
    assert!(shown.contains("Left as it is, BTC-USD of main: its price is in doubt."), "{shown}");
    let shown = market.done(&bench, "/closeall");
    assert!(shown.contains("Left as it is, BTC-USD of main: risk refuses it in main: symbol lock"), "{shown}");
    assert_eq!([COIN, "ETH-USD"].map(|symbol| quantity(&bench, symbol).to_string()), ["5", "0"]);
}

#[test]
fn shares_are_bought_and_left_whole() {
    let market = Market::calm(&["AAPL"]);
    let bench = market.after(&[]);
    let refused = bench.show("/buy AAPL 0.5").expect_err("less than a share");
    assert!(
        refused.contains("0.5 AAPL is less than the smallest amount that is traded of it, which is 1"),
        "{refused}"
    );
    let shown = market.done(&bench, "/buy AAPL 10.5");
    assert!(shown.contains("10.5 is rounded down to 10: AAPL is traded in lots of 1."), "{shown}");
    assert_eq!(quantity(&bench, "AAPL"), Quantity::whole(10));
    assert!(bench.show("/close AAPL 0.5").is_err());
    let shown = market.done(&bench, "/close AAPL 2.5");
    assert!(shown.contains("Close 2 of 10 AAPL") && shown.contains("2.5 is rounded down to 2"), "{shown}");
    market.done(&bench, "/buy AAPL 5 limit 50");
    let order = waiting(&bench).remove(0);
    let shown = market.done(&bench, &format!("/modify {} quantity=7.5", order.id));
    assert!(shown.contains("7.5 is rounded down to 7"), "{shown}");
    assert_eq!(waiting(&bench).remove(0).quantity, Quantity::whole(7));
}

#[test]
fn what_is_taken_back_is_shown_order_by_order() {
    let market = Market::calm(&[COIN, "ETH-USD"]);
    let bench = market.after(&["/buy BTC-USD 10 limit 50", "/sell ETH-USD 3 limit 150"]);
    let lines: Vec<String> = waiting(&bench)
        .iter()
        .map(|order| format!("Taken back: {}, {} {} {}, in main", order.id, order.side, order.quantity, order.symbol))
        .collect();
    let (_, shown) = bench.show("/cancelall").expect("shown");
    assert!(lines.len() == 2 && lines.iter().all(|line| shown.contains(line)), "{shown}");
    let (_, shown) = bench.show("/cancel O1").expect("shown");
    assert!(shown.contains("Taken back: O1, buy 10 BTC-USD, in main"), "{shown}");
    let (_, shown) = bench.show("/pause").expect("shown");
    assert!(shown.contains("2 working are taken back (O1, buy 10 BTC-USD; O2, sell 3 ETH-USD)"), "{shown}");
}
