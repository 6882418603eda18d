//! Indicators and calendar against values that others computed.

use std::collections::HashMap;
use std::path::Path;

use bellwether::clock::Timestamp;
use bellwether::indicators::COLUMNS;
use bellwether::market::read;

use crate::support::shared;

type Table = (Vec<String>, Vec<Vec<String>>);

fn table(path: &Path) -> Table {
    let text = std::fs::read_to_string(path).expect("readable");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    (lines.next().expect("a header"), lines.collect())
}

/// Every value of every column equals the reference to 1e-9 relative, from the same first row on.
#[test]
fn indicators_equal_the_reference() {
    for (prices, values) in [
        ("market/adjusted/AAPL.1d.csv", "reference/indicators/AAPL.1d.adjusted.indicators.csv"),
        ("market/SPY.1d.csv", "reference/indicators/SPY.1d.indicators.csv"),
        ("market/BTC-USDT.1h.csv", "reference/indicators/BTC-USDT.1h.indicators.csv"),
    ] {
        let (Some(prices), Some(values)) = (shared(prices), shared(values)) else { return };
        let bars = read(&prices, Timestamp::from_ms(1_800_000_000_000)).bars;
        let (header, rows) = table(&values);
        assert_eq!(bars.len(), rows.len());
        let place: HashMap<&str, usize> = header.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        for column in COLUMNS {
            let index = place[column.name];
            let mut indicator = (column.build)();
            for (bar, row) in bars.iter().zip(&rows) {
                let (got, want) = (indicator.update(bar), row[index].parse::<f64>().ok());
                let close = match (got, want) {
                    (Some(got), Some(want)) => (got - want).abs() <= 1e-9 * want.abs(),
                    (None, None) => true,
                    _ => false,
                };
                assert!(close, "{} of {}: {got:?}, reference {want:?}", column.name, row[0]);
            }
        }
    }
}
