//! Performance figures against values that others computed.

use std::path::Path;

use bellwether::clock::Timestamp;
use bellwether::domain::{ExitReason, Money, Price, Side, Trade, TradeId};
use bellwether::stats::{
    Performance, PerformanceInput, ReturnFigures, TradeFigures, TradeRecord, ValueAtRisk, beta, correlation, join,
    joined_returns, monthly_returns,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::support::shared;

/// Our name of each figure, and where the reference has it.
const FIGURES: &[(&str, &str, &str)] = &[
    ("total_return", "empyrical", "total_return"),
    ("cagr", "empyrical", "cagr"),
    ("cagr", "quantstats", "cagr"),
    ("annual_volatility", "empyrical", "annual_volatility"),
    ("sharpe", "empyrical", "sharpe"),
    ("sharpe", "quantstats", "sharpe"),
    ("sortino", "empyrical", "sortino"),
    ("sortino", "quantstats", "sortino"),
    ("max_drawdown", "empyrical", "max_drawdown"),
    ("max_drawdown", "quantstats", "max_drawdown"),
    ("calmar", "empyrical", "calmar"),
    ("calmar", "quantstats", "calmar"),
    ("ulcer_index", "quantstats", "ulcer_index"),
    ("win_rate_days", "quantstats", "win_rate"),
    ("profit_factor_days", "quantstats", "profit_factor"),
    ("profit_factor_days", "empyrical", "omega_threshold_0"),
    ("skew", "quantstats", "skew"),
    ("kurtosis", "quantstats", "kurtosis_excess"),
    ("value_at_risk_95_historical", "empyrical", "value_at_risk_95_historical"),
    ("value_at_risk_95_historical", "plain", "value_at_risk_95_historical_linear"),
    ("value_at_risk_95_parametric", "quantstats", "value_at_risk_95_parametric"),
    ("value_at_risk_95_parametric", "plain", "value_at_risk_95_parametric"),
    ("expected_shortfall_95", "quantstats", "expected_shortfall_95"),
    ("conditional_value_at_risk_95", "empyrical", "conditional_value_at_risk_95"),
];

fn at(text: &str) -> Timestamp {
    Timestamp::from(text.parse::<DateTime<Utc>>().expect("a time"))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON")
}

fn series(path: &Path) -> Vec<(Timestamp, f64)> {
    let text = std::fs::read_to_string(path).expect("readable");
    let rows = text.lines().skip(1).map(|line| line.split_once(',').expect("two columns"));
    rows.map(|(time, value)| (at(time), value.parse().expect("a number"))).collect()
}

/// A million that has these returns; the start lies a day before the first.
fn curve_of(returns: &[(Timestamp, f64)]) -> Vec<(Timestamp, Money)> {
    let mut equity = 1e6;
    let mut curve = vec![(returns[0].0.plus_ms(-86_400_000), Money::whole(1_000_000))];
    for (time, change) in returns {
        equity *= 1.0 + change;
        curve.push((*time, Money::from_f64(equity).expect("fits")));
    }
    curve
}

fn measure(curve: &[(Timestamp, Money)], trades: &[TradeRecord<'_>], periods_per_year: f64) -> Performance {
    Performance::measure(&PerformanceInput { curve, trades, bars: None, periods_per_year, zone: Tz::UTC })
        .expect("fits")
}

#[track_caller]
fn assert_near(got: Option<f64>, want: Option<f64>, what: &str) {
    let (got, want) = (got.unwrap_or(f64::NAN), want.unwrap_or(f64::NAN));
    assert!((got - want).abs() <= 1e-9 * want.abs(), "{what}: {got}, reference {want}");
}

/// Every figure that we and the reference define is equal to 1e-9 relative, from returns and from a curve of exact money.
#[test]
fn figures_equal_the_reference() {
    let Some(metrics) = shared("reference/performance/metrics.json") else { return };
    let metrics = json(&metrics);
    for name in ["SPY.1d", "AAPL.1d.adjusted", "BTC-USDT.1d"] {
        let Some(path) = shared(&format!("reference/performance/{name}.returns.csv")) else { return };
        let (returns, wanted) = (series(&path), &metrics[name]);
        let periods = wanted["periods_per_year"].as_f64().expect("a number");
        let measured = measure(&curve_of(&returns), &[], periods);
        let told = serde_json::to_value(&measured).expect("serialises");
        let plain: Vec<f64> = returns.iter().map(|(_, change)| *change).collect();
        let figures = serde_json::to_value(ReturnFigures::of_returns(&plain, periods)).expect("serialises");
        let risk = serde_json::to_value(ValueAtRisk::of(&plain)).expect("serialises");
        for (ours, source, theirs) in FIGURES {
            let want = wanted[source][theirs].as_f64();
            assert_near(told[ours].as_f64(), want, &format!("{ours} of {name}, {source}"));
            if let Some(direct) = figures.get(ours).or(risk.get(ours)) {
                assert_near(direct.as_f64(), want, &format!("{ours} of the returns of {name}, {source}"));
            }
        }
        assert_eq!(Some(measured.returns.days as u64), wanted["observations"].as_u64());
        let trough = measured.drawdown.expect("it fell").trough_at.utc().date_naive().to_string();
        assert_eq!(wanted["plain"]["max_drawdown_trough"], trough.as_str());
    }
}

#[test]
fn beta_and_correlation_equal_the_reference() {
    let Some(metrics) = shared("reference/performance/metrics.json") else { return };
    let wanted = &json(&metrics)["versus_benchmark"];
    let read = |key: &str| {
        let name = wanted[key].as_str().expect("a name");
        shared(&format!("reference/performance/{name}.returns.csv")).map(|path| series(&path))
    };
    let (Some(asset), Some(benchmark)) = (read("series"), read("benchmark")) else { return };
    let (asset, benchmark) = join(&asset, &benchmark);
    assert_eq!(Some(asset.len() as u64), wanted["observations"].as_u64());
    assert_near(beta(&asset, &benchmark), wanted["beta_empyrical"].as_f64(), "beta, empyrical");
    assert_near(beta(&asset, &benchmark), wanted["beta_plain_cov_over_var"].as_f64(), "beta, plain");
    assert_near(correlation(&asset, &benchmark), wanted["correlation"].as_f64(), "correlation");
}

/// Trades of other software: number, win rate, profit factor and exposure. Its profit factor is that of the returns.
#[test]
fn trade_figures_equal_the_reference() {
    let Some(summary) = shared("reference/backtest/SUMMARY.csv") else { return };
    let summary = std::fs::read_to_string(summary).expect("readable");
    for run in summary.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
        let Some(path) = shared(&format!("reference/backtest/{}.trades.csv", run[0])) else { return };
        let text = std::fs::read_to_string(path).expect("readable");
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let fields = ["opened", "closed", "", "", "quantity", "entry", "exit", "fees", "profit"];
        let row_of = |row: &Vec<&str>| {
            let cells = fields.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), Value::from(*cell)));
            Value::Object(cells.collect())
        };
        let trades: Vec<Trade> = (1..).zip(rows.iter().map(row_of)).map(|(id, row)| trade_of((id, &row))).collect();
        let records: Vec<TradeRecord<'_>> = trades.iter().map(TradeRecord::from).collect();
        let got = TradeFigures::of(&records).expect("fits");
        let want = |column: usize| run[column].parse::<f64>().ok();
        assert_eq!(got.trades.to_string(), run[5]);
        assert_near(got.win_rate.map(|share| share * 100.0), want(8), run[0]);
        assert_near(got.profit_factor_returns, want(9), run[0]);
        let end = want(2).map(|cash| cash + got.net_profit.to_f64());
        assert_near(end, want(6), run[0]);
    }
}

/// The invented book of `tests/golden/performance.json`.
struct Golden {
    text: Value,
    curve: Vec<(Timestamp, Money)>,
    trades: Vec<Trade>,
}

fn amount(value: &Value) -> Money {
    value.as_str().expect("text").parse().expect("an amount")
}

fn price(value: &Value) -> Price {
    value.as_str().expect("text").parse().expect("a price")
}

fn trade_of((number, row): (u64, &Value)) -> Trade {
    Trade {
        id: TradeId(number),
        book: "main".parse().expect("a name"),
        symbol: "AAPL".parse().expect("a symbol"),
        strategy: "sma_cross".parse().expect("a name"),
        side: Side::Buy,
        quantity: row["quantity"].as_str().expect("text").parse().expect("a quantity"),
        entry_price: price(&row["entry"]),
        exit_price: price(&row["exit"]),
        opened: at(row["opened"].as_str().expect("a time")),
        closed: at(row["closed"].as_str().expect("a time")),
        fees: amount(&row["fees"]),
        profit: amount(&row["profit"]),
        carried: Money::ZERO,
        best: Money::ZERO,
        worst: Money::ZERO,
        reason: ExitReason::Signal,
    }
}

impl Golden {
    fn read() -> Self {
        let text = json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/performance.json"));
        let rows = text["equity"].as_array().expect("rows");
        let curve = rows.iter().map(|row| (at(row[0].as_str().expect("a time")), amount(&row[1]))).collect();
        let trades = (1..).zip(text["trades"].as_array().expect("rows")).map(trade_of).collect();
        Self { text, curve, trades }
    }

    fn records(&self) -> Vec<TradeRecord<'_>> {
        let record = |(trade, row): (_, &Value)| TradeRecord {
            risk: Some(&row["risk"]).filter(|risk| risk.is_string()).map(amount),
            ..TradeRecord::from(trade)
        };
        self.trades.iter().zip(self.text["trades"].as_array().expect("rows")).map(record).collect()
    }
}

/// The JSON of a performance has every golden figure under its name.
#[test]
fn figures_equal_the_golden_ones() {
    let golden = Golden::read();
    let measured =
        measure(&golden.curve, &golden.records(), golden.text["periods_per_year"].as_f64().expect("a number"));
    let told = serde_json::to_value(&measured).expect("serialises");
    let figures = golden.text["figures"].as_object().expect("figures");
    assert!(figures.len() >= 40);
    for (name, want) in figures {
        match want.as_str() {
            Some(want) => assert_eq!(told[name], want, "{name}"),
            None => assert_near(told[name].as_f64(), want.as_f64(), name),
        }
    }
    let (fall, wanted) = (measured.drawdown.expect("it fell"), &golden.text["drawdown"]);
    let times = [fall.peak_at, fall.trough_at, fall.recovered_at.expect("it came back")].map(|time| time.to_string());
    for (time, name) in times.iter().zip(["peak_at", "trough_at", "recovered_at"]) {
        assert_eq!(wanted[name], time.as_str(), "{name}");
    }
    assert_eq!(Some(fall.periods as u64), wanted["periods"].as_u64());
}

#[test]
fn months_and_benchmark_equal_the_golden_ones() {
    let golden = Golden::read();
    let table = monthly_returns(&golden.curve, chrono_tz::America::New_York);
    let cells = table.iter().flat_map(|row| {
        (1..).zip(row.months).filter_map(|(month, cell)| Some((format!("{}-{month:02}", row.year), cell?)))
    });
    let cells: Vec<(String, f64)> = cells.collect();
    assert_eq!(Some(cells.len()), golden.text["months"].as_object().map(serde_json::Map::len));
    for (month, cell) in cells {
        assert_near(Some(cell), golden.text["months"][&month].as_f64(), &month);
    }
    for row in table {
        assert_near(row.total, golden.text["years"][row.year.to_string()].as_f64(), "a year");
    }
    let equity: Vec<_> = golden.curve.iter().map(|(time, equity)| (*time, equity.to_f64())).collect();
    let prices = golden.text["benchmark"].as_array().expect("prices").iter().map(|price| price.as_f64().expect("one"));
    let benchmark: Vec<_> = equity.iter().map(|(time, _)| *time).zip(prices).collect();
    let (own, other) = joined_returns(&equity, &benchmark).expect("positive prices");
    let wanted = &golden.text["benchmark_figures"];
    assert_near(correlation(&own, &other), wanted["correlation"].as_f64(), "correlation");
    assert_near(beta(&own, &other), wanted["beta"].as_f64(), "beta");
}
