//! Did the fast average cross the slow one? What the crossing strategies have in common.

use std::cmp::Ordering;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Price, Side};
use crate::indicators::{Atr, Indicator};

use super::verdict::confidence;
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
        Reason::new(format!("{f} {fast:.4} {moved} {s} {slow:.4}"), [(f, fast), (s, slow)])
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
        let (rose, fell) = (before != Stand::Above && now == Stand::Above, before != Stand::Below && now == Stand::Below);
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
