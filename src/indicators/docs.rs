//! What does docs/INDICATORS.md say? What the table says, so that it cannot say anything else.

use std::fmt::Write as _;

use super::COLUMNS;
use crate::clock::Timestamp;
use crate::domain::{Bar, Price, Quantity};

/// More bars than any column needs before its first value.
const BARS: i64 = 1_000;

/// The whole page.
pub fn guide() -> String {
    let mut page = String::from(
        "# Indicators\n\n\
         This page is generated from the table in `src/indicators`; a test compares it. Rewrite it with \
         `UPDATE_DOCS=1 cargo test indicators_page`.\n\n\
         `bellwether indicators FILE` prints these columns, a row a bar. Prices are in the currency of the file, volumes in its units. \
         A field is empty until there is a value; no value is ever NaN or infinite. Strategies use the same code.\n\n\
         | column | first value at bar | what it is |\n|---|---|---|\n",
    );
    for column in COLUMNS {
        let mut indicator = (column.build)();
        let first = (0..BARS).position(|number| indicator.update(&bar(number)).is_some());
        let first = first.map_or_else(String::new, |bars| (bars + 1).to_string());
        let _ = writeln!(page, "| `{}` | {first} | {} |", column.name, column.help);
    }
    page
}

/// A bar of a market that goes up and down.
fn bar(number: i64) -> Bar {
    let close = 100 + number % 7;
    let [open, high, low, close] = [close, close + 2, close - 2, close].map(Price::whole);
    Bar { start: Timestamp::from_ms(number), open, high, low, close, volume: Quantity::whole(100 + number % 5) }
}
