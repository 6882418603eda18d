//! Price files for tests: walks without chance, written as the program reads them.

use std::fmt::Write as _;
use std::path::Path;

use bellwether::clock::{DAY_MS, Timestamp};
use bellwether::domain::Instrument;
use bellwether::market::{ReplayFeed, ReplayOptions};

/// Closes in cents: steps of up to 3 % to either side, the same for the same seed. Every fifty days the drift turns, so
/// that there is something to follow.
pub(crate) fn walk(count: usize, seed: u64) -> Vec<i64> {
    let (mut state, mut cents) = (seed, 10_000i64);
    let mut closes = Vec::with_capacity(count);
    for day in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drift = if day / 50 % 2 == 0 { 5 } else { -4 };
        let step = (state >> 33) as i64 % 61 - 30 + drift;
        cents = (cents + cents * step / 1_000).max(100);
        closes.push(cents);
    }
    closes
}

/// Writes `SYMBOL.1d.csv` with a bar a day from 2020 on, each opening where the one before closed.
pub(crate) fn write_prices(folder: &Path, symbol: &str, closes: &[i64]) {
    let mut text = String::from("timestamp,open,high,low,close,volume\n");
    let start = 1_577_836_800_000; // 2020-01-01
    let mut open = closes.first().copied().unwrap_or(100);
    for (day, close) in closes.iter().enumerate() {
        let at = Timestamp::from_ms(start + day as i64 * DAY_MS);
        let (top, bottom) = (open.max(*close) + 50, open.min(*close) - 50);
        let cents = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        let row = [open, top, bottom, *close].map(cents).join(",");
        // Now and then a day is busy.
        let volume = if day % 11 == 0 { 3_000_000 } else { 50_000 + day * 7_919 % 97 * 5_000 };
        let _ = writeln!(text, "{at},{row},{volume}");
        open = *close;
    }
    std::fs::write(folder.join(format!("{symbol}.1d.csv")), text).expect("writes");
}

/// The feed of a folder, with these options.
pub(crate) fn opened(folder: &Path, symbols: &[&str], change: impl FnOnce(&mut ReplayOptions)) -> ReplayFeed {
    let instruments = symbols.iter().map(|symbol| Instrument::bare(symbol.parse().expect("symbol"))).collect();
    let mut options = ReplayOptions { path: folder.to_owned(), instruments, ..ReplayOptions::default() };
    change(&mut options);
    ReplayFeed::open(&options, Timestamp::from_ms(1_800_000_000_000), &mut |_, _| {}).expect("opens")
}
