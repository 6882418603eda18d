//! What is at risk, asked in the chat: a book with longs and shorts in two sectors, recomputed here from its prices.

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::format::{money, signed};
use bellwether::domain::{
    AssetClass, Bar, ExitPlan, Instrument, Money, OrderId, OrderKind, Price, Purpose, Quantity, Ratio, RiskFigures,
    Side, Symbol,
};
use bellwether::engine::DeskSettings;
use bellwether::store::Batch;

use crate::chat::said;
use crate::support::{Bench, Holding, Life, ListFeed, book_batch, flat_bars};

/// Days of prices.
const DAYS: usize = 300;
/// The market: symbols, sectors and last prices.
const MARKET: [(&str, &str, i64); 5] = [
    ("AAPL", "Technology", 110),
    ("MSFT", "Technology", 50),
    ("XOM", "Energy", 80),
    ("CVX", "Energy", 40),
    ("SPY", "Funds", 400),
];
/// What is held: 2,200 and 1,200 long, 1,500 and 400 short.
const HELD: [(usize, i64); 4] = [(0, 20), (1, -30), (2, 15), (3, -10)];

/// By how many hundredths of a percent a day's close lies off the last one: each symbol goes its own way and a part of the market's,
/// and from the last day on nothing.
fn wiggle(symbol: usize, day: usize) -> i64 {
    let drawn = |from: usize| {
        let mixed = (from as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as i64 % 200 - 100
    };
    let own = drawn(symbol * 7_919 + day * 31);
    if day + 1 >= DAYS { 0 } else { own + drawn(day) * (symbol as i64 + 1) / 4 }
}

/// A close in units of 1e-8.
fn close(symbol: usize, day: usize) -> i64 {
    MARKET[symbol].2 * (10_000 + wiggle(symbol, day)) * 10_000
}

fn bars(symbol: usize) -> Vec<Bar> {
    let price = |day| Price::from_units(close(symbol, day));
    (0..=DAYS)
        .map(|day| {
            let (open, close) = (price(day.saturating_sub(1)), price(day));
            let (high, low) = (open.max(close), open.min(close));
            Bar { start: day_start(day), open, high, low, close, volume: Quantity::whole(1_000_000) }
        })
        .collect()
}

fn day_start(day: usize) -> Timestamp {
    Timestamp::from_ms(1_600_000_000_000 / DAY_MS * DAY_MS + day as i64 * DAY_MS)
}

fn market() -> ListFeed {
    let instrument = |(symbol, sector, _): (&str, &str, i64)| Instrument {
        sector: sector.to_owned(),
        ..Instrument::bare(symbol.parse().expect("symbol"))
    };
    ListFeed::of((0..MARKET.len()).map(|index| (instrument(MARKET[index]), bars(index))).collect())
}

/// Two cycles, the second at the end of the days; a bar more is on file, so that orders may still wait.
fn to_the_end() -> Life {
    Life { cycles_max: Some(2), ..Life::whole(market(), settings) }
}

fn settings(desk: &mut DeskSettings) {
    desk.strategies.clear();
    for (key, value) in [("borrow_pct", "0"), ("position_pct", "25")] {
        desk.limits.set(key, value.parse().expect("number")).expect("in range");
    }
}

/// The book, two days before the end, and what became of it at the end.
fn lived() -> Bench {
    lived_with(|_| {})
}

/// The same with something else in the database before.
fn lived_with(change: impl FnOnce(&mut Batch)) -> Bench {
    let bench = Bench::new();
    let held = |symbol, quantity, entry, stop| Holding { symbol, quantity, entry, stop };
    let holdings = [
        held("AAPL", 20, 100, Some(100)),
        held("MSFT", -30, 52, Some(55)),
        held("XOM", 15, 78, Some(76)),
        held("CVX", -10, 41, None),
    ];
    let mut batch = book_batch(day_start(DAYS - 2), 8_500, &holdings, &[]);
    change(&mut batch);
    bench.record(batch);
    bench.live(to_the_end()).expect("runs");
    bench
}

/// What this file works out by itself from the prices.
struct Own {
    /// Daily returns of each symbol over the last 253 days that are over.
    daily: Vec<Vec<f64>>,
    /// Returns of each symbol over the last 120 bars.
    recent: Vec<Vec<f64>>,
}

impl Own {
    fn new() -> Self {
        let change = |symbol, day| close(symbol, day) as f64 / close(symbol, day - 1) as f64 - 1.0;
        let over = |symbol, days: std::ops::Range<usize>| days.map(|day| change(symbol, day)).collect();
        let daily = (0..MARKET.len()).map(|symbol| over(symbol, DAYS - 253..DAYS - 1)).collect();
        Self { daily, recent: (0..MARKET.len()).map(|symbol| over(symbol, DAYS - 120..DAYS)).collect() }
    }

    fn beta(&self, symbol: usize) -> f64 {
        let (own, market) = (&self.daily[symbol], &self.daily[4]);
        covariance(own, market) / covariance(market, market)
    }

    fn correlation(&self, one: usize, other: usize) -> f64 {
        let (one, other) = (&self.recent[one], &self.recent[other]);
        covariance(one, other) / (covariance(one, one) * covariance(other, other)).sqrt()
    }

    /// What the positions would have made on each day, as shares of 10,000; the worst first.
    fn book(&self) -> Vec<f64> {
        let made = |day: usize| HELD.iter().map(|(symbol, _)| weight(*symbol) * self.daily[*symbol][day]).sum();
        let mut made: Vec<f64> = (0..252).map(made).collect();
        made.sort_by(f64::total_cmp);
        made
    }
}

fn weight(symbol: usize) -> f64 {
    let held = HELD.iter().find(|held| held.0 == symbol).expect("held").1;
    (held * MARKET[symbol].2) as f64 / 10_000.0
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn covariance(one: &[f64], other: &[f64]) -> f64 {
    let products = one.iter().zip(other).map(|(x, y)| (x - mean(one)) * (y - mean(other)));
    products.sum::<f64>() / (one.len() - 1) as f64
}

fn figures(bench: &Bench) -> RiskFigures {
    let row = bench.reader().figures("main".parse().expect("name")).expect("reads").expect("computed");
    assert_eq!(row.at, day_start(DAYS), "those of the last cycle");
    serde_json::from_str(&row.body).expect("figures")
}

fn near(got: Option<Ratio>, want: f64) -> bool {
    got.is_some_and(|got| (got.to_f64() - want).abs() < 1e-6)
}

fn symbols(names: &[&str]) -> Vec<Symbol> {
    names.iter().map(|name| name.parse().expect("symbol")).collect()
}

#[test]
fn a_bad_day_beta_and_correlation_are_what_the_prices_say() {
    let (own, figures) = (Own::new(), figures(&lived()));
    let book = own.book();
    let (mean, deviation) = (mean(&book), covariance(&book, &book).sqrt());
    assert_eq!(figures.tail.basis, "one day, 252 daily returns");
    // Of 252 returns the 5th percentile lies at row 12.55, the 1st at row 2.51.
    for (loss, row, part, z, density) in
        [(0, 12, 0.55, 1.644_853_6, 2.062_712_8), (1, 2, 0.51, 2.326_347_9, 2.665_214_2)]
    {
        let loss = &figures.tail.losses[loss];
        assert!(near(loss.historical, book[row] + part * (book[row + 1] - book[row])), "{loss:?}");
        assert!(near(loss.parametric, mean - z * deviation), "{loss:?}");
        assert!(near(loss.shortfall, book[..=row].iter().sum::<f64>() / (row + 1) as f64), "{loss:?}");
        assert!(near(loss.parametric_shortfall, mean - density * deviation), "{loss:?}");
    }
    assert_eq!(
        figures.symbols.iter().map(|one| one.symbol).collect::<Vec<_>>(),
        symbols(&["AAPL", "MSFT", "XOM", "CVX"])
    );
    for (one, (symbol, _)) in figures.symbols.iter().zip(HELD) {
        assert!(near(one.beta, own.beta(symbol)), "{one:?}");
    }
    let beta = HELD.iter().map(|(symbol, _)| weight(*symbol) * own.beta(*symbol)).sum();
    assert!(near(figures.benchmark.beta, beta));
    assert_eq!((figures.benchmark.name.as_str(), figures.benchmark.basis.as_str()), ("SPY", "252 daily returns"));
    for (index, row) in figures.correlation.rows.iter().enumerate() {
        assert_eq!(row.len(), index);
        assert!(row.iter().enumerate().all(|(before, share)| near(*share, own.correlation(index, before))), "{row:?}");
    }
}

/// 2008 in the table: the market lost 57 %, technology 53 %, energy 47 %.
#[test]
fn stress_puts_sector_and_beta_on_each_position() {
    let (own, bench) = (Own::new(), lived());
    let shock = |symbol: usize, sector: f64| f64::midpoint(sector, own.beta(symbol) * -0.57);
    let sectors = [-0.53, -0.53, -0.47, -0.47];
    let changes: Vec<f64> =
        HELD.iter().map(|(symbol, _)| 10_000.0 * weight(*symbol) * shock(*symbol, sectors[*symbol])).collect();
    let figures = figures(&bench);
    let report = figures.stress.iter().find(|report| report.scenario == "2008").expect("in the table");
    let sum: f64 = changes.iter().sum();
    assert!((report.change.to_f64() - sum).abs() < 1e-3 && near(report.share, sum / 10_000.0));
    let (all, one) = (said(&bench, "/stress"), said(&bench, "/stress 2008 MAIN"));
    assert!(
        all.contains(&format!(
            "  2008         {:>12} ({:.1} %) · Financial crisis · worst AAPL",
            money(report.change),
            sum / 100.0
        )),
        "{all}"
    );
    assert!(all.starts_with("main would change by -") && all.lines().count() == 7, "{all}");
    let written = |change: f64| signed(Money::from_f64(change).expect("fits"));
    for (index, (symbol, _)) in HELD.iter().enumerate() {
        let line = one.lines().find(|line| line.contains(MARKET[*symbol].0)).expect("a line each");
        let shock = format!(
            "price {:.1} % by sector and beta · {}",
            100.0 * shock(*symbol, sectors[index]),
            written(changes[index])
        );
        assert!(line.ends_with(&shock), "{shock}: {line}");
    }
    assert_eq!(report.worst.map(|worst| worst.0), Some(symbols(&["AAPL"])[0]));
    let unknown = said(&bench, "/stress 1929");
    assert!(unknown.contains("there is no scenario and no book \"1929\": scenarios are 2008, 2020,"), "{unknown}");
}

#[test]
fn risk_says_first_what_every_stop_would_cost() {
    let bench = lived();
    let text = said(&bench, "/risk");
    // 20 x 10, 30 x 5 and 15 x 4 to the stops, and all of what has none.
    assert!(
        text.starts_with("main loses 810.00 USD (8.1 % of equity) if every stop fills · as of 2021-07-09 20:00 EDT\n"),
        "{text}"
    );
    for part in [
        "Long 3,400.00, short 1,900.00 · gross 53.0 %, net +15.0 % · leverage 0.53x · cash 8,500.00 · equity 10,000.00",
        "Value at risk of what is held now, one day, 252 daily returns",
        "Nearest limit: open risk 8.1 % of 6.0 % · 2.1 % OVER, 210.00 · /limits",
        "  AAPL     long    2,200.00  22.0 % · stop 100.00, at risk 200.00 (2.0 %) · beta ",
        "  MSFT     short   1,500.00  15.0 % · stop 55.00, at risk 150.00 (1.5 %)",
        "  CVX      short     400.00   4.0 % · NO STOP, all of it at risk 400.00 (4.0 %)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let loss = figures(&bench).tail.losses[0].historical.expect("known");
    let words = format!(
        "  95 %: {} ({:.1} %) by history, ",
        money(Money::whole(10_000).times(loss).expect("fits")),
        loss.percent()
    );
    assert!(text.contains(&words), "{words}: {text}");
    assert_eq!(said(&bench, "/risk Main"), text);
    assert_eq!(said(&bench, "/risk other"), "there is no book \"other\": books are main");
}

#[test]
fn exposure_counts_both_sides_by_symbol_sector_and_class() {
    let text = said(&lived(), "/exposure");
    assert!(text.starts_with("main has 5,300.00 USD at work: 53.0 % of equity, limit 80.0 %"), "{text}");
    for part in [
        "Long 3,400.00 (34.0 %), short 1,900.00 (19.0 %) · net +1,500.00 (+15.0 %), limit 80.0 % · leverage 0.53x, limit 1.00x",
        "  MSFT         short     1,500.00   15.0 %",
        "By sector, both sides together, limit 40.0 %\n  Technology             3,700.00   37.0 % · long 2,200.00, short 1,500.00",
        "  Energy                 1,600.00   16.0 % · long 1,200.00, short 400.00",
        "By asset class\n  us_equity              5,300.00   53.0 %",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_pair_that_would_lose_together_most_is_named() {
    let (own, text) = (Own::new(), said(&lived(), "/correlation"));
    let together =
        |one: usize, other: usize| own.correlation(one, other) * (HELD[one].1 * HELD[other].1).signum() as f64;
    let pairs = (0..4).flat_map(|other| (0..other).map(move |one| (one, other)));
    let (one, other) = pairs.max_by(|a, b| together(a.0, a.1).total_cmp(&together(b.0, b.1))).expect("pairs");
    let first =
        format!("main: {} and {} are most alike, {:.2} (", MARKET[one].0, MARKET[other].0, together(one, other));
    assert!(text.starts_with(&first) && text.contains("limit 0.70"), "{first}: {text}");
    assert!(text.contains("up to 120 returns of 1d bars, at least 20 shared"), "{text}");
    let row = text.lines().find(|line| line.starts_with("   4 CVX")).expect("a row");
    for before in 0..3 {
        let share = format!("{:.2}", own.correlation(3, before)).replace("0.", ".");
        assert_eq!(row.split_whitespace().nth(2 + before), Some(share.as_str()), "{text}");
    }
}

/// Each limit: what it limits, where, used, allowed, left.
#[test]
fn each_limit_has_what_is_left_of_it_and_the_nearest_comes_first() {
    let bench = lived();
    let text = said(&bench, "/limits");
    let wanted = [
        "! open risk 8.1 % of 6.0 % · 2.1 % OVER, 210.00",
        "! sector exposure (Technology) 37.0 % of 40.0 % · 3.0 % left, 300.00",
        "! position size (AAPL) 22.0 % of 25.0 % · 3.0 % left, 300.00",
        "  gross exposure 53.0 % of 80.0 % · 27.0 % left, 2,700.00",
        "  leverage 0.53x of 1.00x · 0.47x left",
        "  open positions 4 of 10 · 6 left",
        "  net exposure 15.0 % of 80.0 % · 65.0 % left, 6,500.00",
        "  trades per day 0 of 100 · 100 left",
        "  drawdown, halt 0.0 % of 20.0 % · 20.0 % left, 2,000.00",
    ];
    let places: Vec<Option<usize>> = wanted.iter().map(|line| text.lines().position(|found| found == *line)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {text}");
    assert!(text.contains("Costs: fee_bps 1 · slippage_bps 2"), "{text}");
    assert!(text.contains("Sizes: risk_per_trade_pct 0.5 · ") && !text.contains(" position_pct"), "{text}");
    for limit in figures(&bench).limits.iter().filter(|limit| limit.value.is_some()) {
        let (value, unused) = (limit.value.expect("some"), limit.unused().expect("some"));
        assert_eq!(value.plus(unused), Ok(limit.limit), "{limit:?}");
    }
}

/// Ten more of XOM are wanted at half its price: they count with 800, and with 40 down to their stop.
#[test]
fn entries_that_wait_are_counted_in_limits_and_told_apart() {
    let bench = lived_with(|batch| {
        let mut entry = batch.orders[2].clone();
        (entry.id, entry.side, entry.purpose) = (OrderId(9), Side::Buy, Purpose::Entry);
        (entry.quantity, entry.reference) = (Quantity::whole(10), Price::whole(80));
        entry.kind = OrderKind::Limit { price: Price::whole(40) };
        entry.plan = Some(ExitPlan { stop_distance: Price::whole(4), target_distance: None, trailing: false });
        batch.orders.push(entry);
        batch.progress.as_mut().expect("there").order = OrderId(9);
    });
    let (exposure, limits) = (said(&bench, "/exposure"), said(&bench, "/limits"));
    assert!(exposure.contains("main has 5,300.00 USD at work: 53.0 % of equity"), "{exposure}");
    assert!(exposure.contains("\nWith entries that wait for their fill: 61.0 % of equity\n"), "{exposure}");
    for part in [
        "! open risk 8.5 % of 6.0 % · 2.5 % OVER, 250.00",
        "  gross exposure 61.0 % of 80.0 % · 19.0 % left, 1,900.00",
        "  net exposure 23.0 % of 80.0 % · 57.0 % left, 5,700.00",
        "  open positions 4 of 10 · 6 left",
    ] {
        assert!(limits.lines().any(|line| line == part), "{part}: {limits}");
    }
    assert!(said(&bench, "/risk").starts_with("main loses 810.00 USD"));
}

#[test]
fn shorts_are_told_as_shorts() {
    let text = said(&lived(), "/positions main");
    for part in [
        "short 30 MSFT +60.00 USD (+3.8 %) unrealised",
        "  sold short at 52.00 on average, now 50.00 · 15.0 % of equity",
        "  stop 55.00 (+10.0 %) · order O2",
        "20 AAPL +200.00 USD (+10.0 %) unrealised",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(said(&lived(), "/status").contains("open risk 810.00 USD, 8.1 % of 6.0 % if every stop fills"));
}

/// Ten contracts at 2,000 on ten times leverage, with one percent to be left: closed at 18,000 / 9.9 and at 22,000 / 10.1.
#[test]
fn perpetuals_name_the_price_at_which_they_are_closed() {
    for (quantity, stop, closed) in [(10, 1_900, "1,818.18 (-9.1 %)"), (-10, 2_100, "2,178.22 (+8.9 %)")] {
        let bench = Bench::new();
        let symbol = "ETH-USD";
        let perpetual =
            Instrument { class: AssetClass::Perpetual, ..Instrument::bare(symbol.parse().expect("symbol")) };
        let feed = ListFeed::of(vec![(perpetual, flat_bars(&[2_000; 30]))]);
        let held = Holding { symbol, quantity, entry: 2_000, stop: Some(stop) };
        bench.record(book_batch(day_start(28), 10_000, &[held], &[]));
        let on_margin = |desk: &mut DeskSettings| {
            desk.strategies.clear();
            for (key, value) in [("leverage_max", "10"), ("maintenance_pct", "1"), ("funding_bps", "0")] {
                desk.limits.set(key, value.parse().expect("number")).expect("in range");
            }
        };
        bench.live(Life::whole(feed, on_margin)).expect("runs");
        let text = said(&bench, "/positions");
        assert!(text.contains(&format!("  liquidated at {closed}, as of ")), "{text}");
        assert!(said(&bench, "/exposure").contains("By asset class\n  perpetual "));
    }
}

/// Nothing has run; then a book that holds nothing.
#[test]
fn there_is_an_answer_when_there_is_nothing_to_tell() {
    let bench = Bench::new();
    let asked = ["/risk", "/exposure", "/correlation", "/stress", "/stress 2008", "/limits", "/locks", "/positions"];
    for command in asked {
        assert_eq!(said(&bench, command), "nothing has run yet", "{command}");
    }
    bench.record(book_batch(day_start(DAYS - 2), 10_000, &[], &[]));
    assert_eq!(said(&bench, "/risk"), "main has no risk figures yet: its next cycle computes them");
    assert!(said(&bench, "/limits").starts_with("main has no risk figures yet: its next cycle measures what is used"));
    bench.live(to_the_end()).expect("runs");
    for (command, words) in [
        ("/risk", "main holds nothing, so nothing is at risk · as of 2021-07-09 20:00 EDT"),
        ("/exposure", "main has 0.00 USD at work: 0.0 % of equity, limit 80.0 %"),
        ("/correlation", "main holds nothing to compare: two positions are needed"),
        ("/stress", "main holds nothing: no scenario costs it anything"),
        ("/stress 2020", "main holds nothing: no scenario costs it anything"),
        ("/limits", "main uses less than 80.0 % of each limit"),
        ("/locks", "nothing is locked"),
    ] {
        assert!(said(&bench, command).starts_with(words), "{command}: {}", said(&bench, command));
    }
    assert!(said(&bench, "/limits").contains("  correlation nothing to measure, limit 0.70"));
}
