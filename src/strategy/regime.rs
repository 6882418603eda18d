//! What is the market like now? Four regimes, told apart by rules over three numbers.
//!
//! Two things keep the answer from flapping: a regime is left at milder levels than it is entered at, and a new one must
//! hold for some bars before it counts.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Regime};
use crate::indicators::{Adx, Atr, Indicator, Percentile, Sma};

use super::{LoadError, memory};

/// Bars in the directional index and in the average true range.
pub(super) const INDEX_BARS: usize = 14;
/// Bars that the true range is compared with.
pub(super) const PLACE_BARS: usize = 100;
/// Closes in the average whose slope is taken.
pub(super) const SLOPE_BARS: usize = 50;

/// A level to enter a regime at, and the milder one that it is left at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// From here on the rule holds.
    pub enter: f64,
    /// Once in the regime, it holds up to here.
    pub leave: f64,
}

/// Where the regimes begin and end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Volatile: the place of the true range among the last bars is at least this, 0 to 1.
    pub volatile: Gate,
    /// Trend: the directional index is at least this, 0 to 100.
    pub trend_index: Gate,
    /// Trend: the slope is at least this, up or down, in average true ranges a bar.
    pub trend_slope: Gate,
    /// Calm: the place of the true range among the last bars is at most this, 0 to 1.
    pub calm: Gate,
    /// For so many bars in a row a new regime must hold before it counts.
    pub confirm: u32,
}

impl Thresholds {
    /// The usual ones.
    pub const USUAL: Self = Self {
        volatile: Gate { enter: 0.9, leave: 0.75 },
        trend_index: Gate { enter: 25.0, leave: 20.0 },
        trend_slope: Gate { enter: 0.08, leave: 0.04 },
        calm: Gate { enter: 0.2, leave: 0.35 },
        confirm: 3,
    };
}

/// The numbers that the rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegimeInputs {
    /// The average directional index over 14 bars, 0 to 100.
    pub adx: f64,
    /// The share of the 100 bars before whose average true range, as a share of the close, was smaller; 0 to 1.
    pub place: f64,
    /// How far the average of 50 closes went in this bar, in average true ranges.
    pub slope: f64,
}

/// One regime gave way to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// What it was.
    pub from: Regime,
    /// What it is now.
    pub to: Regime,
}

/// Watches the bars of one symbol.
pub struct Classifier {
    thresholds: Thresholds,
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    index: Adx,
    range: Atr,
    place: Percentile,
    average: Sma,
    inputs: Option<RegimeInputs>,
    regime: Option<Regime>,
    /// A regime that is not yet confirmed, and for how many bars it held.
    next: Option<(Regime, u32)>,
}

impl Classifier {
    /// After so many bars the first regime is known: the true range needs 14, and its place 100 more.
    pub const WARM_UP: usize = INDEX_BARS + PLACE_BARS + 1;

    /// With these thresholds.
    pub fn new(thresholds: Thresholds) -> Self {
        let memory = Memory {
            index: Adx::new(INDEX_BARS),
            range: Atr::new(INDEX_BARS),
            place: Percentile::new(PLACE_BARS),
            average: Sma::new(SLOPE_BARS),
            inputs: None,
            regime: None,
            next: None,
        };
        Self { thresholds, memory }
    }

    /// Takes a bar; tells if another regime counts from it on. The first regime counts at once and is no switch.
    pub fn observe(&mut self, bar: &Bar) -> Option<Switch> {
        self.memory.inputs = self.memory.look(bar);
        self.memory.settle(&self.thresholds)
    }

    /// The regime that counts, once enough bars were seen.
    pub fn regime(&self) -> Option<Regime> {
        self.memory.regime
    }

    /// The numbers of the last bar; none before enough bars, and for a bar without a price.
    pub fn inputs(&self) -> Option<RegimeInputs> {
        self.memory.inputs
    }

    /// Follows a split: what was one share is now `numerator / denominator` of one.
    pub fn rescale(&mut self, numerator: i64, denominator: i64) {
        let memory = &mut self.memory;
        memory.index.rescale(numerator, denominator);
        memory.range.rescale(numerator, denominator);
        memory.average.rescale(numerator, denominator);
    }

    /// What it remembers, as JSON.
    pub fn save(&self) -> String {
        memory::save(SHAPE, &self.memory)
    }

    /// Takes up what it saved; after an error it is as before.
    ///
    /// # Errors
    /// When it is not what a classifier saves.
    pub fn load(&mut self, text: &str) -> Result<(), LoadError> {
        self.memory = memory::load("regime", SHAPE, text)?;
        Ok(())
    }
}

/// What the memory is made of.
const SHAPE: &str = "adx 14, range 14 of 100, slope 50";

impl Memory {
    fn look(&mut self, bar: &Bar) -> Option<RegimeInputs> {
        let before = self.average.value();
        let now = self.average.update(bar);
        let adx = self.index.update(bar);
        let range = self.range.update(bar)?;
        let place = self.place.push(range / bar.close.to_f64());
        let slope = if range > 0.0 { (now? - before?) / range } else { 0.0 };
        Some(RegimeInputs { adx: adx?, place: place?, slope })
    }

    /// Lets the rules decide, and counts how long something else held.
    fn settle(&mut self, thresholds: &Thresholds) -> Option<Switch> {
        let to = thresholds.regime(self.regime, self.inputs?);
        let from = *self.regime.get_or_insert(to);
        if to == from {
            self.next = None;
            return None;
        }
        let held = self.next.filter(|(regime, _)| *regime == to).map_or(0, |(_, held)| held).saturating_add(1);
        if held < thresholds.confirm {
            self.next = Some((to, held));
            return None;
        }
        (self.regime, self.next) = (Some(to), None);
        Some(Switch { from, to })
    }
}

impl Thresholds {
    /// The regime by the rules, for a market that is in `now`.
    fn regime(&self, now: Option<Regime>, RegimeInputs { adx, place, slope }: RegimeInputs) -> Regime {
        let level = |gate: Gate, regime| if now == Some(regime) { gate.leave } else { gate.enter };
        let one_way =
            adx >= level(self.trend_index, Regime::Trend) && slope.abs() >= level(self.trend_slope, Regime::Trend);
        if place >= level(self.volatile, Regime::Volatile) {
            Regime::Volatile
        } else if one_way {
            Regime::Trend
        } else if place <= level(self.calm, Regime::Calm) {
            Regime::Calm
        } else {
            Regime::Range
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::story::bar;

    const QUIET: RegimeInputs = RegimeInputs { adx: 15.0, place: 0.5, slope: 0.0 };

    /// What counts after each of these inputs, from the first on.
    fn settled(inputs: &[RegimeInputs]) -> Vec<&'static str> {
        let mut classifier = Classifier::new(Thresholds::USUAL);
        let settle = |inputs: &RegimeInputs| {
            classifier.memory.inputs = Some(*inputs);
            let before = classifier.regime();
            let switch = classifier.memory.settle(&Thresholds::USUAL);
            let after = classifier.regime().expect("it counts at once");
            assert_eq!(
                switch.map(|switch| (Some(switch.from), switch.to)),
                (before.is_some_and(|before| before != after)).then_some((before, after))
            );
            after.as_str()
        };
        inputs.iter().map(settle).collect()
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let regime = |adx, place, slope| settled(&[RegimeInputs { adx, place, slope }])[0];
        assert_eq!(regime(15.0, 0.5, 0.0), "range");
        assert_eq!(regime(25.0, 0.5, 0.08), "trend");
        assert_eq!(regime(25.0, 0.5, -0.08), "trend");
        assert_eq!(regime(24.9, 0.5, 0.08), "range");
        assert_eq!(regime(25.0, 0.5, 0.079), "range");
        assert_eq!(regime(25.0, 0.9, 0.08), "volatile");
        assert_eq!(regime(25.0, 0.1, 0.08), "trend");
        assert_eq!(regime(15.0, 0.2, 0.0), "calm");
    }

    #[test]
    fn another_regime_counts_after_three_bars_in_a_row() {
        let calm = RegimeInputs { place: 0.1, ..QUIET };
        let wild = RegimeInputs { place: 0.95, ..QUIET };
        assert_eq!(settled(&[QUIET, calm, calm, calm, calm]), ["range", "range", "range", "calm", "calm"]);
        assert_eq!(settled(&[QUIET, calm, calm, QUIET, calm, calm]), ["range"; 6], "an interruption starts again");
        assert_eq!(settled(&[QUIET, calm, calm, wild, wild]), ["range"; 5], "so does another regime");
    }

    #[test]
    fn a_regime_is_left_at_a_milder_level_than_it_is_entered_at() {
        let kept = |first: RegimeInputs, then: RegimeInputs| *settled(&[first, then, then, then]).last().expect("four");
        let trend = |adx, slope| RegimeInputs { adx, slope, ..QUIET };
        let place = |place| RegimeInputs { place, ..QUIET };
        assert_eq!(kept(trend(25.0, 0.08), trend(20.0, 0.04)), "trend");
        assert_eq!(kept(trend(25.0, 0.08), trend(19.9, 0.04)), "range");
        assert_eq!(kept(trend(25.0, 0.08), trend(20.0, 0.039)), "range");
        assert_eq!(kept(QUIET, trend(20.0, 0.04)), "range");
        assert_eq!((kept(place(0.9), place(0.75)), kept(place(0.9), place(0.74))), ("volatile", "range"));
        assert_eq!((kept(place(0.2), place(0.35)), kept(place(0.2), place(0.36))), ("calm", "range"));
    }

    /// A market that swings, then climbs, then jumps about, then sleeps.
    fn story() -> Vec<Bar> {
        let mut price = 100.0;
        let mut bars = Vec::new();
        for n in 0..550u32 {
            let (step, wick) = match n {
                0..200 => (if n % 8 < 4 { 0.5 } else { -0.5 }, 0.5 + f64::from((n % 100).abs_diff(50)) / 200.0),
                200..320 => (0.8, 0.3),
                320..360 => (if n % 2 == 0 { 4.0 } else { -4.0 }, 3.0),
                _ => (if n % 8 < 4 { 0.05 } else { -0.05 }, 0.05),
            };
            let close = price + step;
            bars.push(bar([price, f64::max(price, close) + wick, f64::min(price, close) - wick, close], 100));
            price = close;
        }
        bars
    }

    #[test]
    fn it_sees_what_the_market_does() {
        let mut classifier = Classifier::new(Thresholds::USUAL);
        let mut told = Vec::new();
        for (index, bar) in story().iter().enumerate() {
            let first = classifier.regime().is_none();
            if let Some(Switch { from, to }) = classifier.observe(bar) {
                told.push(format!("{index} {from} {to}"));
            }
            if first && classifier.regime().is_some() {
                assert_eq!(index + 1, Classifier::WARM_UP);
            }
        }
        let want = [
            "150 range calm",
            "182 calm range",
            "208 range calm",
            "211 calm trend",
            "323 trend volatile",
            "365 volatile range",
            "387 range calm",
        ];
        assert_eq!(told, want);
    }

    #[test]
    fn saved_and_loaded_anywhere_and_split_it_goes_on_the_same() {
        let bars = story();
        for cut in [3, 60, 115, 210, 322, 361] {
            let [mut whole, mut loaded] = [(); 2].map(|()| Classifier::new(Thresholds::USUAL));
            for (index, bar) in bars.iter().enumerate() {
                // Before the cut the other one sees the prices of the time before a split of 4 for 1.
                let mut seen = *bar;
                if index < cut {
                    for price in [&mut seen.open, &mut seen.high, &mut seen.low, &mut seen.close] {
                        *price = price.scaled(4, 1).expect("fits");
                    }
                }
                if index == cut {
                    loaded.rescale(4, 1);
                    let saved = loaded.save();
                    loaded = Classifier::new(Thresholds::USUAL);
                    loaded.load(&saved).expect("its own");
                }
                assert_eq!(whole.observe(bar), loaded.observe(&seen), "{cut} {index}");
                assert_eq!((whole.regime(), whole.inputs()), (loaded.regime(), loaded.inputs()), "{cut} {index}");
            }
        }
        let error = Classifier::new(Thresholds::USUAL).load("{}").expect_err("not a memory").to_string();
        assert!(error.starts_with("the saved memory of regime cannot be read: "), "{error}");
    }
}
