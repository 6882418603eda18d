//! Enters when a close leaves the range of the bars before it on high volume; leaves by a trailing stop of its own, or
//! when a close falls out of the range of half as many bars.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Price, Side};
use crate::indicators::{Atr, Donchian, Indicator, VolumeSma};

use super::verdict::confidence;
use super::{LoadError, Param, Plan, Reason, Strategy, StrategyKind, Values, Verdict, memory, warm_up};

/// Bars in the range that the stop is measured in.
const RANGE_BARS: usize = 14;

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "breakout",
    help: "Enters when a close leaves the range of the bars before it on high volume, leaves by its trailing stop.",
    suits: "Markets that wake up: moves that begin out of a narrow range and on volume. In a range it buys the top.",
    enters: "The close is above the highest high of the bars before this one, and this bar's volume is at least so many \
        times the average of theirs. Short: below the lowest low.",
    leaves: "By its own stop, which follows the best price at a distance of so many average true ranges (of 14 bars, as \
        they were at the entry). Also when a close is below the lowest low of half as many bars before it. Short: above \
        their highest high.",
    confidence: "A half, and up to a half more for two things that weigh the same: how far the close lies beyond the \
        range (full at one average true range) and how busy the bar is (full at twice the volume that is asked for).",
    params: &[
        Param::bars("bars", [20, 2, 500], "bars in the range, before the one that leaves it"),
        Param::factor("volume", [200, 0, 2000], "times the average volume that the bar must have; 0 asks for none"),
        Param::factor("stop", [300, 10, 2000], "average true ranges from the best price to the stop"),
        Param::SHORT,
    ],
    warm_up: |values| (values.count("bars") + 1).max(warm_up::wilder(RANGE_BARS)),
    warm_up_help: "the range and the bar that leaves it, and until what came before weighs less than 1e-9 in the \
        average true range that the stop is measured in",
    ranks: false,
    build: |values| Ok(build(values)),
};

struct Breakout {
    shape: String,
    bars: usize,
    volume: f64,
    stop: f64,
    short: bool,
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    range: Donchian,
    half: Donchian,
    volume: VolumeSma,
    true_range: Atr,
    /// The last bar against the bars before it.
    sight: Option<Sight>,
    seen: u32,
}

/// A bar's close, and what the bars before it were like.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Sight {
    close: Price,
    high: Price,
    low: Price,
    half_high: Price,
    half_low: Price,
    /// The volume against the average; none where nothing was traded.
    busy: Option<f64>,
}

fn build(values: &Values) -> Box<dyn Strategy> {
    let bars = values.count("bars");
    let memory = Memory {
        range: Donchian::new(bars),
        half: Donchian::new(bars / 2),
        volume: VolumeSma::new(bars),
        true_range: Atr::new(RANGE_BARS),
        sight: None,
        seen: 0,
    };
    let (volume, stop) = (values.number("volume"), values.number("stop"));
    let (shape, short) = (values.words(&["bars"]), values.is_on("short"));
    Box::new(Breakout { shape, bars, volume, stop, short, memory })
}

impl Memory {
    fn sight(&self, bar: &Bar) -> Option<Sight> {
        let usual = self.volume.value().filter(|usual| *usual > 0.0);
        Some(Sight {
            close: bar.close,
            high: self.range.high_price()?,
            low: self.range.low_price()?,
            half_high: self.half.high_price()?,
            half_low: self.half.low_price()?,
            busy: usual.map(|usual| bar.volume.to_f64() / usual),
        })
    }
}

impl Breakout {
    /// Enters, or tells the first rule that did not hold on the nearer side.
    fn look(&self, sight: Sight) -> Verdict {
        let Sight { close, high, low, busy, .. } = sight;
        let (side, level) = if close > high {
            (Side::Buy, high)
        } else if !self.short || close.units().saturating_sub(low.units()) > high.units().saturating_sub(close.units())
        {
            return Verdict::stay("the close is above the range before it", close.to_f64(), high.to_f64());
        } else if close < low {
            (Side::Sell, low)
        } else {
            return Verdict::stay("the close is below the range before it", close.to_f64(), low.to_f64());
        };
        let busy = busy.unwrap_or_default();
        if busy < self.volume {
            return Verdict::stay("the volume is so many times its average", busy, self.volume);
        }
        self.enter(side, close.to_f64(), level.to_f64(), busy)
    }

    #[cold]
    fn enter(&self, side: Side, close: f64, level: f64, busy: f64) -> Verdict {
        let Some(range) = self.memory.true_range.value().filter(|range| *range > 0.0) else {
            return Verdict::early(self.memory.seen, RANGE_BARS + 1);
        };
        let bars = self.bars;
        let (moved, name) = match side {
            Side::Buy => ("above", format!("high{bars}")),
            Side::Sell => ("below", format!("low{bars}")),
        };
        let rule = format!("close {close:.4} is {moved} {name} {level:.4} on {busy:.1} times the usual volume");
        let reason = Reason::new(rule, [("close".to_owned(), close), (name, level), ("volume".to_owned(), busy)]);
        let more = if self.volume > 0.0 { busy / self.volume - 1.0 } else { 0.0 };
        let confidence = confidence([(close - level).abs() / range, more]);
        let plan = Plan { stop_distance: Some(self.stop * range), target_distance: None, trailing: Some(true) };
        Verdict::Enter { side, confidence, reason, plan }
    }

    #[cold]
    fn leave(&self, close: f64, moved: &str, word: &str, level: f64) -> Verdict {
        let name = format!("{word}{}", self.bars / 2);
        let rule = format!("close {close:.4} is {moved} {name} {level:.4}");
        Verdict::Exit { reason: Reason::new(rule, [("close".to_owned(), close), (name, level)]) }
    }
}

impl Strategy for Breakout {
    fn observe(&mut self, bar: &Bar) {
        let memory = &mut self.memory;
        memory.sight = memory.sight(bar);
        memory.range.update(bar);
        memory.half.update(bar);
        memory.volume.update(bar);
        memory.true_range.update(bar);
        memory.seen = memory.seen.saturating_add(1);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let Some(sight) = self.memory.sight else {
            return Verdict::early(self.memory.seen, self.bars + 1);
        };
        let [close, high, low] = [sight.close, sight.half_high, sight.half_low].map(Price::to_f64);
        match holding {
            Holding::Busy => Verdict::busy(),
            Holding::Flat => self.look(sight),
            Holding::Long if sight.close < sight.half_low => self.leave(close, "below", "low", low),
            Holding::Long => Verdict::stay("the close is below the range of half as many bars", close, low),
            Holding::Short if sight.close > sight.half_high => self.leave(close, "above", "high", high),
            Holding::Short => Verdict::stay("the close is above the range of half as many bars", close, high),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let memory = &mut self.memory;
        memory.range.rescale(numerator, denominator);
        memory.half.rescale(numerator, denominator);
        memory.volume.rescale(numerator, denominator);
        memory.true_range.rescale(numerator, denominator);
        let split = |price| memory::split(price, numerator, denominator);
        memory.sight = memory.sight.map(|Sight { close, high, low, half_high, half_low, busy }| {
            let [close, high, low, half_high, half_low] = [close, high, low, half_high, half_low].map(split);
            Sight { close, high, low, half_high, half_low, busy }
        });
    }

    fn save(&self) -> String {
        memory::save(&self.shape, &self.memory)
    }

    fn load(&mut self, text: &str) -> Result<(), LoadError> {
        self.memory = memory::load(KIND.name, &self.shape, text)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{Bar, Holding};
    use crate::strategy::story::{bar, made, stay, story, watch};
    use crate::strategy::{Plan, Verdict};

    /// Twenty bars from 9.5 to 10.5 with a volume of 100, then these closes and volumes; each bar reaches half a unit
    /// beyond its close.
    fn after_a_range(then: &[(f64, i64)]) -> Vec<Bar> {
        let range = std::iter::repeat_n((10.0, 100), 20).chain(then.iter().copied());
        range.map(|(close, volume)| bar([close, close + 0.5, close - 0.5, close], volume)).collect()
    }

    const UP: [(f64, i64); 6] = [(10.5, 900), (11.0, 700), (12.0, 899), (13.0, 100), (12.5, 100), (11.4, 100)];
    const DOWN: [(f64, i64); 4] = [(9.0, 200), (8.0, 100), (8.5, 100), (9.6, 100)];

    #[test]
    fn it_buys_a_close_above_the_range_on_volume_and_leaves_below_the_last_bars() {
        let mut it = made("breakout", &[("bars", "4")]);
        // 10.5 and 11.0 are at the highest high before them. 12.0 is above, but with less than twice the mean of 100, 100, 900
        // and 700. 13.0 is above on hardly any volume.
        assert_eq!(story(&mut *it, &after_a_range(&UP)), Vec::<String>::new());
        let mut it = made("breakout", &[("bars", "4")]);
        let mut up = UP;
        up[2].1 += 1;
        let want = [
            "22 buy at 0.62: close 12.0000 is above high4 11.5000 on 2.0 times the usual volume",
            "25 exit: close 11.4000 is below low2 12.0000",
        ];
        assert_eq!(story(&mut *it, &after_a_range(&up)), want);
    }

    #[test]
    fn with_short_it_sells_a_close_below_the_range() {
        let mut it = made("breakout", &[("bars", "4"), ("short", "1")]);
        let want = [
            "20 sell at 0.62: close 9.0000 is below low4 9.5000 on 2.0 times the usual volume",
            "23 exit: close 9.6000 is above high2 9.0000",
        ];
        assert_eq!(story(&mut *it, &after_a_range(&DOWN)), want);
        let mut it = made("breakout", &[("bars", "4")]);
        assert_eq!(story(&mut *it, &after_a_range(&DOWN)), Vec::<String>::new());
    }

    #[test]
    fn its_stop_trails_at_ranges_of_its_own() {
        let mut it = made("breakout", &[("bars", "4"), ("stop", "2.5")]);
        watch(&mut *it, &after_a_range(&[(11.0, 200)]));
        let Verdict::Enter { plan, .. } = it.judge(Holding::Flat) else { panic!("it enters") };
        // Fourteen true ranges of 1, then one of 1.5.
        let range = (13.0 + 1.5) / 14.0;
        assert_eq!(plan, Plan { stop_distance: Some(2.5 * range), target_distance: None, trailing: Some(true) });
    }

    #[test]
    fn without_volume_it_enters_only_if_none_is_asked_for() {
        let silent = |set: &[(&str, &str)]| {
            let mut it = made("breakout", set);
            watch(&mut *it, &after_a_range(&[(11.0, 0)]));
            it
        };
        let told = stay(&*silent(&[("bars", "4")]), Holding::Flat);
        assert_eq!((told.rule, told.value, told.limit), ("the volume is so many times its average", 0.0, 2.0));
        assert!(matches!(silent(&[("bars", "4"), ("volume", "0")]).judge(Holding::Flat), Verdict::Enter { .. }));
    }
}
