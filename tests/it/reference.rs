//! Indicators and calendar against values that others computed.

use std::path::Path;

use bellwether::clock::Timestamp;
use bellwether::domain::Bar;
use bellwether::indicators::{Bollinger, COLUMNS, Indicator, Roc, Stochastic};
use bellwether::market::read;

use crate::support::shared;

type Table = (Vec<String>, Vec<Vec<String>>);

fn table(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).expect("readable");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    (lines.next().expect("a header"), lines.collect())
}

fn bars(path: &Path) -> Vec<Bar> {
    read(path, Timestamp::from_ms(1_800_000_000_000)).bars
}

/// What a file says a column should be, row by row.
fn wanted(table: &Table, name: &str) -> Option<Vec<Option<f64>>> {
    let index = table.0.iter().position(|column| column == name)?;
    Some(table.1.iter().map(|row| row[index].parse().ok()).collect())
}

/// Feeds all bars; what is said after each.
fn said<I: Indicator + ?Sized>(indicator: &mut I, bars: &[Bar], pick: impl Fn(&I) -> Option<f64>) -> Vec<Option<f64>> {
    let mut said = Vec::new();
    for bar in bars {
        indicator.update(bar);
        said.push(pick(indicator));
    }
    said
}

fn column(name: &str, bars: &[Bar]) -> Vec<Option<f64>> {
    let found = COLUMNS.iter().find(|column| column.name == name).expect("listed");
    let mut indicator = (found.build)();
    bars.iter().map(|bar| indicator.update(bar)).collect()
}

/// From the same first row on, every value within what is allowed in that row.
fn compare(what: &str, got: &[Option<f64>], want: &[Option<f64>], allowed: impl Fn(usize, f64) -> f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (row, (got, want)) in got.iter().zip(want).enumerate() {
        let close = match (got, want) {
            (Some(got), Some(want)) => (got - want).abs() <= allowed(row, *want),
            (None, None) => true,
            _ => false,
        };
        assert!(close, "{what}, row {row}: {got:?}, reference {want:?}");
    }
}

/// One part in a billion. It holds for values near zero, too: none here is made of so much larger ones that it could not.
fn relative(_: usize, want: f64) -> f64 {
    1e-9 * want.abs()
}

/// Every value of every column equals the reference to 1e-9 relative, from the same first row on.
#[test]
fn indicators_equal_the_reference() {
    for (prices, values) in [
        ("market/adjusted/AAPL.1d.csv", "reference/indicators/AAPL.1d.adjusted.indicators.csv"),
        ("market/SPY.1d.csv", "reference/indicators/SPY.1d.indicators.csv"),
        ("market/BTC-USDT.1h.csv", "reference/indicators/BTC-USDT.1h.indicators.csv"),
    ] {
        let (Some(prices), Some(file)) = (shared(prices), shared(values)) else { return };
        let (bars, table) = (bars(&prices), table(&file));
        let mut ours = Vec::new();
        for name in COLUMNS.iter().map(|column| column.name) {
            match wanted(&table, name) {
                Some(want) => compare(&format!("{name} of {values}"), &column(name, &bars), &want, relative),
                None => ours.push(name),
            }
        }
        assert_eq!(ours, ["volume_sma20", "volume_ratio20", "volatility20", "donchian_middle20"]);
    }
}

/// The second source carries all digits of its floats as well, so one part in a billion is asked of it, too.
#[test]
fn indicators_equal_the_published_values() {
    let (Some(prices), Some(values)) =
        (shared("reference/published/series.1d.csv"), shared("reference/published/results.csv"))
    else {
        return;
    };
    let (bars, table) = (bars(&prices), table(&values));
    let want = |name: &str| wanted(&table, name).unwrap_or_else(|| panic!("no column {name}"));
    for name in [
        "sma20",
        "ema20",
        "rsi14",
        "macd_line",
        "macd_signal",
        "macd_hist",
        "tr",
        "atr14",
        "bb_upper",
        "bb_middle",
        "bb_lower",
        "stoch_d",
        "supertrend_10_3",
    ] {
        compare(name, &column(name, &bars), &want(name), relative);
    }
    compare("roc14", &said(&mut Roc::new(14), &bars, Roc::value), &want("roc14"), relative);
    // Here it begins with its own mean, not with the second one.
    compare("stoch_k", &said(&mut Stochastic::new(14, 3, 3), &bars, Stochastic::k), &want("stoch_k"), relative);
    let width = |bands: &Bollinger| bands.bands().map(|bands| bands.upper - bands.middle);
    compare("stdev14", &said(&mut Bollinger::new(14, 1.0), &bars, width), &want("stdev14_population"), relative);
    // Starts at zero there: whole numbers, so the difference is exact.
    let first = bars[0].volume.to_f64();
    let balance: Vec<_> = column("obv", &bars).into_iter().map(|value| value.map(|value| value - first)).collect();
    compare("obv", &balance, &want("obv"), |_, _| 0.0);
    // Leaves out the bar itself there, so it is what we said one bar before.
    for (ours, theirs) in
        [("donchian_high20", "donchian_upper20_previous_bars"), ("donchian_low20", "donchian_lower20_previous_bars")]
    {
        let mut before = column(ours, &bars);
        before.rotate_right(1);
        before[0] = None;
        compare(ours, &before, &want(theirs), relative);
    }
}

/// There the sums behind the directional index begin with one bar more. That start weighs 1/14 less with each bar, and so
/// must the difference: from some points at first to less than a millionth at the end of the year.
#[test]
fn directional_movement_approaches_the_published_values() {
    let (Some(prices), Some(values)) =
        (shared("reference/published/series.1d.csv"), shared("reference/published/results.csv"))
    else {
        return;
    };
    let (bars, table) = (bars(&prices), table(&values));
    for (name, first, points) in [("plus_di14", 14, 2.0), ("minus_di14", 14, 2.0), ("adx14", 27, 10.0)] {
        let want = wanted(&table, name).expect("a column");
        let faded = |row: usize, _| points * (13f64 / 14.0).powi(row as i32 - first);
        compare(name, &column(name, &bars), &want, faded);
    }
}
