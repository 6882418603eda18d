//! Did the fast average cross the slow one? What the crossing strategies have in common.

use std::cmp::Ordering;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Price, Side};
use crate::indicators::{Atr, Indicator};

use super::verdict::{confidence, level};
use super::{LoadError, ParamError, Plan, Reason, Strategy, Values, Verdict, memory};

/// Bars in the range that confidence is measured in.
const RANGE_BARS: usize = 14;
/// So many ranges between close and slow average make a crossing sure.
const SURE_RANGES: f64 = 3.0;

/// What the confidence of a crossing is made of.
pub(super) const CONFIDENCE: &str = "A half, and up to a half more the farther the close lies beyond the slow average: full at 3 average true \
    ranges (of 14 bars).";

const ABOVE: &str = "the fast average is above the slow one";
const BELOW: &str = "the fast average is below the slow one";

/// An average that can be crossed.
pub(super) trait Average: Indicator + Serialize + DeserializeOwned + 'static {
    /// What it is called before its number of bars.
    const WORD: &'static str;

    /// Over so many bars.
    fn over(bars: usize) -> Self;

    /// Its value, once it has one.
    fn level(&self) -> Option<f64>;

    /// Where this one lies against a slower one, once both have a value.
    fn against(&self, slow: &Self) -> Option<Ordering>;
}

/// Trades the crossings of two averages.
struct Cross<A> {
    name: &'static str,
    shape: String,
    fast: usize,
    slow: usize,
    short: bool,
    memory: Memory<A>,
}

#[derive(Serialize, Deserialize)]
struct Memory<A> {
    fast: A,
    slow: A,
    range: Atr,
    close: Price,
    /// The fast average against the slow one, one bar ago and now.
    before: Option<Stand>,
    now: Option<Stand>,
    seen: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stand {
    Below,
    Level,
    Above,
}

/// Makes one from the parameters `fast`, `slow` and `short`.
pub(super) fn build<A: Average>(name: &'static str, values: &Values) -> Result<Box<dyn Strategy>, ParamError> {
    let (fast, slow) = (values.count("fast"), values.count("slow"));
    if fast >= slow {
        let why = format!("fast ({fast}) must be smaller than slow ({slow})");
        return Err(ParamError::Together { strategy: name, why });
    }
    let memory = Memory {
        fast: A::over(fast),
        slow: A::over(slow),
        range: Atr::new(RANGE_BARS),
        close: Price::ZERO,
        before: None,
        now: None,
        seen: 0,
    };
    let shape = values.words(&["fast", "slow"]);
    Ok(Box::new(Cross { name, shape, fast, slow, short: values.is_on("short"), memory }))
}

impl<A: Average> Cross<A> {
    fn levels(&self) -> (f64, f64) {
        let Memory { fast, slow, .. } = &self.memory;
        (fast.level().unwrap_or_default(), slow.level().unwrap_or_default())
    }

    #[cold]
    fn reason(&self, moved: &str) -> Reason {
        let (fast, slow) = self.levels();
        let (f, s) = (format!("{}{}", A::WORD, self.fast), format!("{}{}", A::WORD, self.slow));
        let rule = format!("{f} {:.4} {moved} {s} {:.4}", level(fast), level(slow));
        Reason::new(rule, [(f, fast), (s, slow)])
    }

    #[cold]
    fn enter(&self, side: Side, moved: &str) -> Verdict {
        let (close, (_, slow)) = (self.memory.close.to_f64(), self.levels());
        let away = match side {
            Side::Buy => close - slow,
            Side::Sell => slow - close,
        };
        let range = self.memory.range.value().filter(|range| *range > 0.0);
        let part = range.map_or(0.0, |range| away / range / SURE_RANGES);
        let (confidence, reason) = (confidence([part]), self.reason(moved));
        Verdict::Enter { side, confidence, reason, plan: Plan::default() }
    }

    /// Why nothing is entered: the fast average lies on the wrong side, or lay where it lies now.
    fn wait(&self, now: Stand) -> Verdict {
        let crossed = self.short || now == Stand::Above;
        self.keep(if crossed { "the fast average crossed the slow one on this bar" } else { ABOVE })
    }

    fn keep(&self, rule: &'static str) -> Verdict {
        let (fast, slow) = self.levels();
        Verdict::stay(rule, fast, slow)
    }
}

impl<A: Average> Strategy for Cross<A> {
    fn observe(&mut self, bar: &Bar) {
        let memory = &mut self.memory;
        memory.fast.update(bar);
        memory.slow.update(bar);
        memory.range.update(bar);
        memory.close = bar.close;
        memory.before = memory.now;
        memory.now = memory.fast.against(&memory.slow).map(|order| match order {
            Ordering::Less => Stand::Below,
            Ordering::Equal => Stand::Level,
            Ordering::Greater => Stand::Above,
        });
        memory.seen = memory.seen.saturating_add(1);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let (Some(before), Some(now)) = (self.memory.before, self.memory.now) else {
            return Verdict::early(self.memory.seen, self.slow + 1);
        };
        let (rose, fell) =
            (before != Stand::Above && now == Stand::Above, before != Stand::Below && now == Stand::Below);
        match holding {
            Holding::Busy => Verdict::busy(),
            Holding::Flat if rose => self.enter(Side::Buy, "rose above"),
            Holding::Flat if fell && self.short => self.enter(Side::Sell, "fell below"),
            Holding::Flat => self.wait(now),
            Holding::Long if now == Stand::Below => {
                Verdict::Exit { reason: self.reason(if fell { "fell below" } else { "is below" }) }
            }
            Holding::Long => self.keep(BELOW),
            Holding::Short if now == Stand::Above => {
                Verdict::Exit { reason: self.reason(if rose { "rose above" } else { "is above" }) }
            }
            Holding::Short => self.keep(ABOVE),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let memory = &mut self.memory;
        memory.fast.rescale(numerator, denominator);
        memory.slow.rescale(numerator, denominator);
        memory.range.rescale(numerator, denominator);
        memory.close = memory::split(memory.close, numerator, denominator);
    }

    fn save(&self) -> String {
        memory::save(&self.shape, &self.memory)
    }

    fn load(&mut self, text: &str) -> Result<(), LoadError> {
        self.memory = memory::load(self.name, &self.shape, text)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Holding;
    use crate::strategy::story::{closes, made, stay, story, watch};

    const SWINGS: [f64; 10] = [10.0, 10.0, 10.0, 10.0, 14.0, 14.0, 6.0, 6.0, 14.0, 14.0];

    #[test]
    fn it_enters_on_the_bar_of_the_crossing_and_leaves_on_the_other_side() {
        let mut cross = made("sma_cross", &[("fast", "2"), ("slow", "4")]);
        let want = [
            "4 buy at 0.50: sma2 12.0000 rose above sma4 11.0000",
            "6 exit: sma2 10.0000 fell below sma4 11.0000",
            "9 buy at 0.50: sma2 14.0000 rose above sma4 10.0000",
        ];
        assert_eq!(story(&mut *cross, &closes(&SWINGS)), want);
    }

    #[test]
    fn with_short_it_turns_round_on_the_same_bar_and_equal_averages_change_nothing() {
        let mut cross = made("sma_cross", &[("fast", "2"), ("slow", "4"), ("short", "1")]);
        let want = [
            "4 buy at 0.50: sma2 12.0000 rose above sma4 11.0000",
            "6 exit: sma2 10.0000 fell below sma4 11.0000",
            "6 sell at 0.50: sma2 10.0000 fell below sma4 11.0000",
            "9 exit: sma2 14.0000 rose above sma4 10.0000",
            "9 buy at 0.50: sma2 14.0000 rose above sma4 10.0000",
        ];
        assert_eq!(story(&mut *cross, &closes(&SWINGS)), want);
    }

    #[test]
    fn a_position_that_was_not_left_on_the_crossing_is_left_later() {
        let mut cross = made("sma_cross", &[("fast", "2"), ("slow", "4")]);
        let bars = closes(&SWINGS[..8]);
        watch(&mut *cross, &bars);
        let told = format!("{:?}", cross.judge(Holding::Long));
        assert!(told.contains("sma2 6.0000 is below sma4 10.0000"), "{told}");
    }

    #[test]
    fn confidence_grows_with_the_distance_of_the_close() {
        let sure = |last: f64| {
            let mut cross = made("sma_cross", &[("fast", "2"), ("slow", "4")]);
            let mut prices = vec![10.0; 20];
            prices.push(last);
            story(&mut *cross, &closes(&prices))
        };
        // True ranges of 0.5, and one of 0.75 or 2.25: the average is 7.25 / 14 or 8.75 / 14.
        assert_eq!(sure(10.5), ["20 buy at 0.62: sma2 10.2500 rose above sma4 10.1250"]);
        assert_eq!(sure(12.0), ["20 buy at 0.90: sma2 11.0000 rose above sma4 10.5000"]);
    }

    #[test]
    fn it_says_why_it_does_nothing() {
        let mut cross = made("sma_cross", &[("fast", "2"), ("slow", "4")]);
        let told = |cross: &dyn super::Strategy, holding| {
            let stay = stay(cross, holding);
            (stay.rule, stay.value, stay.limit)
        };
        let bars = closes(&SWINGS);
        watch(&mut *cross, &bars[..2]);
        assert_eq!(told(&*cross, Holding::Flat), ("enough bars were seen", 2.0, 5.0));
        watch(&mut *cross, &bars[2..6]);
        assert_eq!(told(&*cross, Holding::Flat), ("the fast average crossed the slow one on this bar", 14.0, 12.0));
        assert_eq!(told(&*cross, Holding::Long), ("the fast average is below the slow one", 14.0, 12.0));
        assert_eq!(told(&*cross, Holding::Busy), ("no order of it is under way", 1.0, 0.0));
        watch(&mut *cross, &bars[6..8]);
        assert_eq!(told(&*cross, Holding::Flat), ("the fast average is above the slow one", 6.0, 10.0));
        assert_eq!(told(&*cross, Holding::Short), ("the fast average is above the slow one", 6.0, 10.0));
    }
}
