//! A backtest is a run: the same orders and fills as a replay, the trades of the reference, splits and dividends followed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bellwether::backtest::{Benchmark, CandleBars, Ran, Report, run};
use bellwether::clock::Timestamp;
use bellwether::domain::{ExitReason, Money, Order, OrderId, Ratio, Trade, UNITS};
use bellwether::engine::DeskSettings;
use bellwether::market::{Feed, ReplayFeed, Stretch, read};
use bellwether::stats::Shuffle;

use crate::support::{Bench, Life, Shell, opened, quick_cross, shared, walk, write_prices};

fn ran(feed: &ReplayFeed, desks: &[DeskSettings]) -> Ran {
    let mut feed = feed.again(Stretch::default());
    run(&mut feed, desks.to_vec(), Ran::default(), &mut |_| ControlFlow::Continue(())).expect("runs")
}

/// Two books on these prices, one of which also sells short, with all limits and stops; what the runner stored of them equals
/// what the backtest tells.
fn run_and_backtest_agree(feed: &ReplayFeed) {
    let bench = Bench::new();
    let short = |desk: &mut DeskSettings| {
        quick_cross(desk);
        let strategy = &mut desk.strategies[0];
        let written =
            [("fast", "2"), ("slow", "9"), ("short", "1")].map(|(k, v)| (k.to_owned(), v.parse().expect("number")));
        let values = bellwether::strategy::Values::check(strategy.kind.name, strategy.kind.params, &written);
        strategy.values = values.expect("in range");
    };
    let life = Life::whole(feed.again(Stretch::default()), quick_cross).with_book("second", short);
    let desks = life.desks.clone();
    bench.live(life).expect("runs");
    let ran = ran(feed, &desks);
    let reader = bench.reader();
    let fills = reader.fills().expect("reads");
    let (trades, count) = reader.trades(100_000).expect("reads");
    assert!(
        trades.is_sorted_by_key(|trade| std::cmp::Reverse((trade.closed, trade.id))),
        "the last to end comes first"
    );
    assert!(!trades.is_sorted_by_key(|trade| std::cmp::Reverse(trade.id)), "some began before others and ended after");
    assert_eq!(reader.trades(3).expect("reads"), (trades[..3].to_vec(), count));
    let mut orders: BTreeMap<OrderId, Order> = BTreeMap::new();
    while let Some(order) = reader.order(OrderId(orders.len() as u64 + 1)).expect("reads") {
        orders.insert(order.id, order);
    }
    assert!(fills.len() > 40, "trades happen: {}", fills.len());
    for desk in &ran.desks {
        let name = desk.name();
        let own = |order: &&Order| order.book == name;
        let stored: Vec<&Order> = orders.values().filter(own).collect();
        let told: Vec<&Order> = desk.orders.values().collect();
        assert_eq!(told, stored, "orders of {name}");
        assert_eq!(desk.fills, fills.iter().filter(|fill| fill.book == name).cloned().collect::<Vec<_>>());
        let mut stored: Vec<&Trade> = trades.iter().filter(|trade| trade.book == name).collect();
        stored.sort_by_key(|trade| trade.id);
        let closed = |reason: ExitReason| reason != ExitReason::EndOfData;
        let mut told: Vec<&Trade> = desk.trips.iter().map(|trip| &trip.trade).filter(|it| closed(it.reason)).collect();
        told.sort_by_key(|trade| trade.id);
        assert!(!told.is_empty());
        assert_eq!(told, stored, "trades of {name}");
    }
}

#[test]
fn a_backtest_and_a_replay_order_fill_and_trade_the_same() {
    let folder = tempfile::tempdir().expect("folder");
    for (symbol, seed) in [("AAA-USD", 3), ("BBB-USD", 4), ("CCC-USD", 5)] {
        write_prices(folder.path(), symbol, &walk(500, seed));
    }
    run_and_backtest_agree(&opened(folder.path(), &["AAA-USD", "BBB-USD", "CCC-USD"], |_| {}));
    let Some(market) = shared("market") else { return };
    run_and_backtest_agree(&opened(&market, &["AAPL", "SPY", "IBM"], |options| options.timeframe = "1d".parse().ok()));
}

/// A row of a CSV file by the names of its header.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    lines.map(|row| header.iter().cloned().zip(row).collect()).collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is a number"))
}

fn near(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-9 * want.abs().max(1.0)
}

/// Every trade of other software, column by column, and its summary.
#[test]
fn trades_equal_the_reference() {
    let Some(summary) = shared("reference/backtest/SUMMARY.csv") else { return };
    for run in table(&std::fs::read_to_string(summary).expect("readable")) {
        let series = shared(&format!("market/{}", run["series"])).expect("beside the reference");
        let wanted = shared(&format!("reference/backtest/{}.trades.csv", run["run"])).expect("beside the summary");
        let fee_bps = (number(&run["fee_fraction_per_side"]) * 10_000.0).to_string();
        let shell = Shell::new();
        let args = ["--strategy", "sma_cross", "--set", "fast=20", "--set", "slow=50", "--no-stops", "--no-limits"];
        let mut args: Vec<&str> = ["backtest"].into_iter().chain(args).collect();
        args.extend(["--data", series.to_str().expect("text"), "--capital", &run["cash"], "--units", &run["units"]]);
        args.extend(["--fee-bps", &fee_bps, "--json", "--out", "report"]);
        let (code, out, err) = shell.run(&args);
        assert_eq!(code, 0, "{err}");
        let bars = read(&series, Timestamp::from_ms(1_800_000_000_000)).bars;
        let place =
            |label: &str| bars.iter().position(|bar| bar.start.to_string() == label).expect("a bar").to_string();
        let got = table(&std::fs::read_to_string(shell.path().join("report/trades.csv")).expect("written"));
        let wanted = table(&std::fs::read_to_string(wanted).expect("readable"));
        assert_eq!(got.len(), wanted.len());
        for (got, want) in got.iter().zip(&wanted) {
            assert_eq!((&got["entry_time"], &got["exit_time"]), (&want["entry_time"], &want["exit_time"]));
            assert_eq!(
                (place(&got["entry_time"]), place(&got["exit_time"])),
                (want["entry_bar"].clone(), want["exit_bar"].clone())
            );
            for (ours, theirs) in [
                ("units", "units"),
                ("entry_price", "entry_price"),
                ("exit_price", "exit_price"),
                ("fees", "fees"),
                ("profit", "profit_after_fees"),
            ] {
                assert!(near(number(&got[ours]), number(&want[theirs])), "{ours}: {got:?} {want:?}");
            }
        }
        let told: serde_json::Value = serde_json::from_str(&out).expect("one JSON document");
        for (ours, theirs, scale) in [
            ("trades", "trades", 1.0),
            ("final_equity", "final_equity", 1.0),
            ("max_drawdown", "max_drawdown_percent", 100.0),
            ("win_rate", "win_rate_percent", 100.0),
            ("profit_factor_returns", "profit_factor", 1.0),
            ("exposure", "exposure_percent", 100.0),
        ] {
            let got = told[ours].as_f64().expect("a figure") * scale;
            assert!(near(got, number(&run[theirs])), "{ours} of {}: {got}, reference {}", run["run"], run[theirs]);
        }
    }
}

/// Raw prices fall to a half or a seventh at a split; what is held does not, nor does the line of the benchmark.
#[test]
fn raw_prices_are_held_through_their_splits() {
    let Some(market) = shared("market") else { return };
    let feed = opened(&market, &["AAPL"], |options| options.timeframe = "1d".parse().ok());
    let bench = Life::whole(feed.again(Stretch::default()), |desk| {
        desk.limits.enforced = false;
        desk.limits.stops = false;
        desk.limits.fee_bps = Ratio::ZERO;
        desk.limits.slippage_bps = Ratio::ZERO;
        desk.capital = Money::whole(100_000);
        desk.sizing = bellwether::risk::Sizing::Fraction;
        desk.limits.fraction_pct = Ratio::from_percent(90);
    });
    let ran = ran(&feed, &bench.desks);
    let desk = &ran.desks[0];
    let splits = ["2000-06-21", "2005-02-28", "2014-06-09"];
    let spans = |day: &str, trip: &bellwether::backtest::RoundTrip| {
        trip.trade.opened.to_string().as_str() < day && trip.trade.closed.to_string().as_str() > day
    };
    let held: Vec<_> = splits.into_iter().filter(|day| desk.trips.iter().any(|trip| spans(day, trip))).collect();
    assert!(held.contains(&"2014-06-09") && held.len() >= 2, "{held:?}");
    let mut feed = feed.again(Stretch::default());
    let basis = (252.0, chrono_tz::America::New_York);
    let symbol = "AAPL".parse().expect("symbol");
    let benchmark = Benchmark::hold(&mut feed, symbol, &ran, desk, basis).expect("it has bars");
    for curve in [desk.curve.points(), benchmark.curve.clone()] {
        for day in splits {
            let place = curve.iter().position(|(at, _)| at.to_string().starts_with(day)).expect("a point a day");
            let change = curve[place].1.to_f64() / curve[place - 1].1.to_f64() - 1.0;
            assert!(change.abs() < 0.15, "{day}: {change}");
        }
    }
    // Each share that was bought at 16.25 became 2 x 2 x 7 of them; dividends are on top.
    let growth = benchmark.figures.total_return.expect("a return") + 1.0;
    let shares = 28.0 * 169.23 / 16.25;
    assert!(growth > shares && growth < shares * 1.1, "{growth} of {shares}");
}

/// The result of several stretches run one after another is one result.
#[test]
fn stretches_add_up_to_one_result() {
    let folder = tempfile::tempdir().expect("folder");
    write_prices(folder.path(), "AAA-USD", &walk(400, 6));
    let feed = opened(folder.path(), &["AAA-USD"], |_| {});
    let life = Life::whole(feed.again(Stretch::default()), quick_cross);
    let middle = feed.instants()[199];
    let mut first = feed.again(Stretch { to: Some(middle), ..Stretch::default() });
    let watch = &mut |_: &bellwether::backtest::Seen<'_>| ControlFlow::Continue(());
    let one = run(&mut first, life.desks.clone(), Ran::default(), watch).expect("runs");
    let (equity, orders, trips) = (one.desks[0].equity, one.desks[0].orders.len(), one.desks[0].trips.len());
    let capital = vec![DeskSettings { capital: equity, ..life.desks[0].clone() }];
    let mut second = feed.again(Stretch { from: Some(middle), ..Stretch::default() });
    let both = run(&mut second, capital, one, watch).expect("runs");
    let desk = &both.desks[0];
    assert!(desk.orders.len() > orders && desk.trips.len() > trips, "both have orders and trades");
    assert_eq!((both.cycles, desk.bars), (400, 400));
    assert_eq!(desk.book.capital, Money::whole(10_000));
    let profits: i64 = desk.trips.iter().map(|trip| trip.trade.profit.units()).sum();
    assert_eq!(desk.equity.units() - Money::whole(10_000).units(), profits, "to the last unit");
    let numbers: Vec<u64> = desk.orders.keys().map(|id| id.0).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "no number is given twice");
    let points = desk.curve.points();
    assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0) && points.len() > 400);
    let whole = ran(&feed, &life.desks);
    assert_eq!(whole.desks[0].book.balances(), Ok(true));
    assert_eq!(desk.book.balances(), Ok(true));
}

/// An entry that fills bar by bar risks the way to its first stop on all of it, not on its first part; a split changes nothing.
#[test]
fn the_risk_of_a_trade_is_that_of_all_its_fills() {
    let folder = tempfile::tempdir().expect("folder");
    write_prices(folder.path(), "PART", &walk(500, 6));
    let file = folder.path().join("PART.1d.csv");
    let text = std::fs::read_to_string(&file).expect("written");
    let split = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        [time, ref prices @ .., volume] if time >= "2020-05-20" && time.starts_with("20") => {
            let half: Vec<String> = prices.iter().map(|price| format!("{:.3}", number(price) / 2.0)).collect();
            format!("{time},{},{volume}\n", half.join(","))
        }
        _ => format!("{line}\n"),
    };
    std::fs::write(file, text.lines().map(split).collect::<String>()).expect("writes");
    let actions = "symbol,ex_date,kind,value\nPART,2020-05-20,split,2\n";
    std::fs::write(folder.path().join("corporate_actions.csv"), actions).expect("writes");
    let feed = opened(folder.path(), &["PART"], |_| {});
    let bench = Life::whole(feed.again(Stretch::default()), |desk| {
        quick_cross(desk);
        desk.capital = Money::whole(500_000_000);
        desk.limits.liquidity_pct = Ratio::ONE;
        desk.limits.volume_share_pct = Ratio::from_percent(1);
    });
    let ran = ran(&feed, &bench.desks);
    let desk = &ran.desks[0];
    let (mut in_parts, mut through_the_split) = (0, 0);
    for trip in &desk.trips {
        let trade = &trip.trade;
        let is_entry = |fill: &&bellwether::domain::TradeFill| {
            fill.side == trade.side && (trade.opened..=trade.closed).contains(&fill.at)
        };
        let entries: Vec<_> = desk.fills.iter().filter(is_entry).collect();
        in_parts += usize::from(entries.len() > 1);
        let (opened, closed) = (trade.opened.to_string(), trade.closed.to_string());
        let is_split = opened.as_str() < "2020-05-20" && closed.as_str() > "2020-05-20";
        through_the_split += usize::from(is_split);
        let lost = entries[0].price.to_f64() - trip.stop.expect("a stop").to_f64();
        let want = trade.quantity.to_f64() * lost.abs() / if is_split { 2.0 } else { 1.0 };
        let got = trip.risk.expect("a risk").to_f64();
        assert!((got / want - 1.0).abs() < 1e-6, "{got} {want}: {trip:?}");
    }
    assert!(in_parts > 2 && through_the_split == 1, "{in_parts} of {}, {through_the_split}", desk.trips.len());
}

/// Bought at the first close: splits multiply it, dividends are kept in cash.
#[test]
fn the_benchmark_is_held_through_splits_and_dividends() {
    let folder = tempfile::tempdir().expect("folder");
    let bars = "timestamp,open,high,low,close,volume\n2024-01-02,90,100,90,100,9\n2024-01-03,100,110,100,110,9\n\
                2024-01-04,55,60,55,60,9\n2024-01-05,60,60,54,54,9\n";
    std::fs::write(folder.path().join("HELD.1d.csv"), bars).expect("writes");
    let actions = "symbol,ex_date,kind,value\nHELD,2024-01-04,split,2\nHELD,2024-01-05,dividend,1.5\n";
    std::fs::write(folder.path().join("corporate_actions.csv"), actions).expect("writes");
    let mut feed = opened(folder.path(), &["HELD"], |_| {});
    let life = Life::whole(feed.again(Stretch::default()), |_| {});
    let ran = ran(&feed, &life.desks);
    let symbol = "HELD".parse().expect("symbol");
    let basis = (252.0, chrono_tz::America::New_York);
    let held = Benchmark::hold(&mut feed, symbol, &ran, &ran.desks[0], basis).expect("it has bars");
    let values: Vec<i64> = held.curve.iter().map(|(_, value)| value.units() / UNITS).collect();
    // 100 shares of a book of 10,000, then 200, which are paid 300.
    assert_eq!(values, [10_000, 10_000, 11_000, 12_000, 11_100]);
    assert!(near(held.figures.total_return.expect("a return"), 0.11));
    assert!(near(held.figures.max_drawdown.expect("a fall"), 11_100.0 / 12_000.0 - 1.0));
    assert!(near(held.figures.excess_return.expect("a difference"), -0.11));
    let times = ran.desks[0].curve.points().into_iter().map(|(at, _)| at);
    assert_eq!(held.at(times).into_iter().flatten().count(), 5);
    let other = "OTHER".parse().expect("symbol");
    assert!(Benchmark::hold(&mut feed.again(Stretch::default()), other, &ran, &ran.desks[0], basis).is_none());
}

/// The page stands alone, and what comes from outside is escaped.
#[test]
fn the_page_is_whole_for_full_and_empty_results() {
    let folder = tempfile::tempdir().expect("folder");
    write_prices(folder.path(), "AAA-USD", &walk(700, 7));
    let feed = opened(folder.path(), &["AAA-USD"], |_| {});
    let life = Life::whole(feed.again(Stretch::default()), quick_cross);
    for few in [false, true] {
        let stretch =
            if few { Stretch { to: Some(feed.instants()[2]), ..Stretch::default() } } else { Stretch::default() };
        let ran = ran(&feed.again(stretch), &life.desks);
        let mut report = Report::measure(&ran, &ran.desks[0], &life.desks[0], feed.instruments()).expect("fits");
        report.reshuffle(Shuffle { paths: 50, seed: 1, limit: Some(-0.2) });
        report.notes.push("<script>alert(\"&\")</script>".to_owned());
        let candles = CandleBars::collect(&mut feed.again(Stretch::default()), &report.charted(), &ran);
        let page = report.page(&candles).expect("fits");
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        assert!(!page.contains("<script") && page.contains("&#60;script&#62;"), "escaped");
        for loaded in [" src=", " href=", "@import", "url(http", "url(/"] {
            assert!(!page.contains(loaded), "{loaded} would load something");
        }
        assert!(!page.contains("NaN") && !page.contains(">inf"));
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let distinct: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "no two things have the same id");
        for used in page.split("url(#").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(distinct.contains(used), "{used} is there");
        }
        let pictures = if few { 1 } else { 3 };
        assert_eq!(page.matches("<svg ").count(), pictures * 4, "each for dark and light, wide and tall");
        assert_eq!(page.contains("No trade was closed."), few);
        assert_eq!(report.page(&candles), Ok(page), "the same each time");
    }
}
