//! After how many bars does the past no longer matter? Windows forget at once, smoothed averages little by little.

/// What came before weighs less than this in a smoothed average that is warm.
const FORGOTTEN: f64 = 1e-9;

/// Bars of an exponential average over `period` closes: those of its seed, and those that outweigh it.
pub(super) fn exponential(period: usize) -> usize {
    smoothed(period, 2.0 / (period as f64 + 1.0))
}

/// Bars of a figure that Wilder smoothed over `period` changes from bar to bar.
pub(super) fn wilder(period: usize) -> usize {
    1 + smoothed(period, 1.0 / period as f64)
}

fn smoothed(period: usize, weight: f64) -> usize {
    if weight >= 1.0 {
        return period;
    }
    period + (libm::log(FORGOTTEN) / libm::log(1.0 - weight)).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{Bar, Price, Quantity};
    use crate::indicators::{Atr, Ema, Indicator, Rsi};

    /// A wild past, then quiet bars: two that differ only in the past must agree after so many.
    fn differ(build: fn() -> Box<dyn Indicator>, bars: usize) -> f64 {
        let mut ends = [9_000, 100].map(|past| {
            let mut it = build();
            let prices = [past; 50].into_iter().chain((0..bars as i64).map(|n| 1_000 + n * 37 % 101));
            prices.map(|price| it.update(&bar(price))).last().flatten().expect("warm")
        });
        ends.sort_by(f64::total_cmp);
        (ends[1] - ends[0]) / ends[1]
    }

    fn bar(price: i64) -> Bar {
        let close = Price::whole(price);
        Bar { start: Timestamp::from_ms(0), open: close, high: close, low: close, close, volume: Quantity::ZERO }
    }
}
