//! Recorded prices, whole: the ledger recomputed from raw fills, two runs to the byte, splits that do not look like crashes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bellwether::clock::Timestamp;
use bellwether::domain::{Dividend, Instrument, MarketSnapshot, Money, Price, UNITS};
use bellwether::market::{Feed, ReplayFeed, ReplayOptions};

use crate::support::{Bench, Life, opened, shared};

fn feed(folder: &str, symbols: &[&str]) -> Option<ReplayFeed> {
    let options = ReplayOptions {
        path: shared(folder)?,
        instruments: symbols.iter().map(|symbol| Instrument::bare(symbol.parse().expect("symbol"))).collect(),
        timeframe: Some("1d".parse().expect("timeframe")),
        ..ReplayOptions::default()
    };
    Some(ReplayFeed::open(&options, Timestamp::from_ms(1_800_000_000_000), &mut |_, _| {}).expect("opens"))
}

fn ran(folder: &str, symbols: &[&str]) -> Option<Bench> {
    let feed = feed(folder, symbols)?;
    let bench = Bench::new();
    bench.live(Life::whole(feed, |_| {})).expect("runs");
    Some(bench)
}

fn half_even(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    match (rest * 2).cmp(&denominator) {
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient % 2,
        std::cmp::Ordering::Less => quotient,
    }
}

/// Cash, fees and realised result from raw fills, with arithmetic of the test's own.
#[test]
fn twenty_years_of_four_symbols_reconcile_with_their_fills() {
    for (folder, symbols) in [("market/adjusted", &["AAPL"][..]), ("market", &["SPY", "IBM", "BAC"][..])] {
        let Some(bench) = ran(folder, symbols) else { return };
        let saved = bench.saved();
        let row = &saved.books[0];
        let fills = bench.reader().fills().expect("reads");
        assert!(fills.len() > 40, "trades happen");
        let mut cash = i128::from(row.book.capital.units());
        let mut fees = 0i128;
        for fill in &fills {
            let value = i128::from(fill.quantity.units()) * i128::from(fill.price.units());
            cash -= half_even(value, i128::from(UNITS)) * i128::from(fill.side.sign());
            cash -= i128::from(fill.fee.units());
            fees += i128::from(fill.fee.units());
        }
        let carried: i128 =
            bench.reader().bookings().expect("reads").iter().map(|it| i128::from(it.amount.units())).sum();
        cash += carried;
        assert_eq!(carried, i128::from(row.book.carried.units()));
        assert_eq!(folder == "market", carried != 0, "raw prices come with dividends, adjusted ones have them inside");
        assert_eq!((cash, fees), (i128::from(row.book.cash.units()), i128::from(row.book.fees.units())));
        let (trades, count) = bench.reader().trades(100_000).expect("reads");
        let profit: i128 = trades.iter().map(|trade| i128::from(trade.profit.units())).sum();
        let open_fees: i128 = row.book.positions.iter().map(|held| i128::from(held.fees.units())).sum();
        let open_carried: i128 = row.book.positions.iter().map(|held| i128::from(held.carried.units())).sum();
        let earned = i128::from(row.book.realised.units()) - fees + carried;
        assert_eq!(profit - open_fees + open_carried, earned, "over {count} trades");
        assert!(row.book.balances().expect("fits"));
    }
}

#[test]
fn two_runs_give_the_same_journal_to_the_byte() {
    let (Some(one), Some(two)) = (ran("market/adjusted", &["AAPL"]), ran("market/adjusted", &["AAPL"])) else { return };
    let journal = |bench: &Bench| bench.reader().journal_text().expect("reads");
    assert!(journal(&one) == journal(&two));
}

/// Every dividend on file within the data, once and as it stands there; none where the folder has no such file.
#[test]
fn dividends_on_file_are_handed_out() {
    let symbols = ["AAPL", "SPY", "IBM", "BAC"];
    let (Some(mut raw), Some(mut adjusted)) = (feed("market", &symbols), feed("market/adjusted", &["AAPL"])) else {
        return;
    };
    let given = |feed: &mut ReplayFeed| {
        let (mut snapshot, mut given) = (MarketSnapshot::default(), Vec::new());
        while feed.next_into(&mut snapshot) {
            let date = snapshot.at.utc().date_naive().to_string();
            let symbol = |paid: &Dividend| feed.instruments()[paid.instrument].symbol.to_string();
            given.extend(snapshot.dividends.iter().map(|paid| (symbol(paid), date.clone(), paid.amount_per_share)));
        }
        given.sort();
        given
    };
    let file = shared("market/corporate_actions.csv").expect("beside the prices");
    let rows = csv::Reader::from_path(file).expect("opens").into_records().map(|row| row.expect("a row"));
    let paid = rows.filter(|row| &row[2] == "dividend" && symbols.contains(&&row[0]));
    let mut listed: Vec<_> =
        paid.map(|row| (row[0].to_owned(), row[1].to_owned(), row[3].parse::<Price>().expect("a price"))).collect();
    listed.sort();
    assert!(listed.len() > 200);
    assert_eq!(given(&mut raw), listed);
    assert_eq!(given(&mut adjusted), []);
}

/// Raw prices halve at a split; the book's equity must not.
#[test]
fn splits_on_file_are_no_crashes() {
    let Some(bench) = ran("market", &["AAPL", "BAC", "IBM"]) else { return };
    let name = "main".parse().expect("name");
    let days = bench.reader().days(name, "").expect("reads");
    let mut splits = BTreeMap::new();
    for (symbol, day) in [("AAPL", "2000-06-21"), ("AAPL", "2005-02-28"), ("BAC", "2004-08-30"), ("IBM", "1999-05-27")]
    {
        let row = days.iter().find(|row| row.day == day);
        let change = row.map_or(Money::ZERO, |row| row.end.minus(row.start).expect("fits"));
        splits.insert((symbol, day), change);
    }
    for (split, change) in splits {
        assert!(change.abs() < Money::whole(400), "{split:?}: {change}");
    }
}

/// Weeks of raw prices: a split on a Wednesday is neither a crash nor a price to deal at.
#[test]
fn a_split_inside_a_week_is_no_crash() {
    let Some(source) = shared("market") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut weeks: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for row in csv::Reader::from_path(source.join("AAPL.1d.csv")).expect("opens").into_records() {
        let row = row.expect("a row");
        let date: chrono::NaiveDate = row[0][..10].parse().expect("a date");
        if row[0].starts_with("2000") {
            let monday = date.week(chrono::Weekday::Mon).first_day().to_string();
            let numbers = row.iter().skip(1).map(|field| field.parse().expect("a number")).collect();
            weeks.entry(monday).or_default().push(numbers);
        }
    }
    let mut text = String::from("timestamp,open,high,low,close,volume\n");
    for (monday, days) in &weeks {
        let (high, low) = days.iter().fold((0f64, f64::MAX), |(high, low), day| (high.max(day[1]), low.min(day[2])));
        let volume: f64 = days.iter().map(|day| day[4]).sum();
        let (open, close) = (days[0][0], days[days.len() - 1][3]);
        let _ = writeln!(text, "{monday}T00:00:00Z,{open},{high},{low},{close},{volume}");
    }
    std::fs::write(folder.path().join("AAPL.1w.csv"), text).expect("writes");
    let actions = "corporate_actions.csv";
    std::fs::copy(source.join(actions), folder.path().join(actions)).expect("copies");
    let mut feed = opened(folder.path(), &["AAPL"], |_| {});
    assert!(feed.warnings().iter().any(|it| it.to_string().contains("split-inside: the split of 2000-06-21")));
    let (mut snapshot, mut before, mut followed) = (MarketSnapshot::default(), None, 0);
    while feed.next_into(&mut snapshot) {
        let bar = snapshot.bars[0].bar;
        let date = bar.start.utc().date_naive().to_string();
        assert!(date != "2000-06-19" && bar.low.to_f64() * 1.6 > bar.high.to_f64() || date == "2000-09-25", "{bar:?}");
        let ratio = snapshot.splits.first().map_or(1.0, |split| split.numerator as f64 / split.denominator as f64);
        if ratio > 1.0 {
            followed += 1;
            assert_eq!((ratio, date.as_str()), (2.0, "2000-06-26"));
        }
        if let Some(close) = before.replace(bar.close.to_f64()) {
            let gap = bar.open.to_f64() * ratio / close;
            assert!((0.8..1.25).contains(&gap), "{date}: {gap}");
        }
    }
    assert_eq!(followed, 1);
}
