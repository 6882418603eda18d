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
    use crate::indicators::{Atr, Ema, Indicator, Rsi};
    use crate::strategy::story::closes;

    type Build = fn() -> Box<dyn Indicator>;

    /// How far apart two of a kind are that saw the same last bars, one of them after wild ones.
    fn apart(build: Build, bars: usize) -> f64 {
        let recent: Vec<f64> = (0..bars).map(|n| 100.0 + (n * 37 % 11) as f64).collect();
        let [fresh, old] = [0, 60].map(|past| {
            let mut it = build();
            let wild = (0..past).map(|n| if n % 2 == 0 { 150.0 } else { 50.0 });
            let prices: Vec<f64> = wild.chain(recent.iter().copied()).collect();
            closes(&prices).iter().map(|bar| it.update(bar)).last().flatten().expect("it has a value")
        });
        (fresh - old).abs() / 100.0
    }

    #[test]
    fn windows_and_weights_are_counted() {
        assert_eq!(exponential(1), 1);
        // A half to the power of 30 is the first below 1e-9.
        assert_eq!(exponential(3), 3 + 30);
        assert_eq!(wilder(1), 2);
        assert_eq!(wilder(2), 3 + 30);
    }

    #[test]
    fn what_came_before_is_forgotten_by_then_and_not_long_before() {
        let kinds: [(Build, usize); 3] = [
            (|| Box::new(Ema::new(26)), exponential(26)),
            (|| Box::new(Atr::new(14)), wilder(14)),
            (|| Box::new(Rsi::new(14)), wilder(14)),
        ];
        for (build, bars) in kinds {
            assert!(apart(build, bars) < 1e-9, "{}", apart(build, bars));
            assert!(apart(build, bars / 2) > 1e-7, "{}", apart(build, bars / 2));
        }
    }
}
