//! Enters when the `SuperTrend` line turns up; leaves when it runs down.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Price, Side};
use crate::indicators::{Indicator, SuperTrend, TrendLevel};

use super::verdict::confidence;
use super::{LoadError, Param, Plan, Reason, Strategy, StrategyKind, Values, Verdict, memory, warm_up};

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "supertrend",
    help: "Enters when the SuperTrend line turns up, leaves when it turns down.",
    suits: "Trends on any bars; the line gives way in proportion to how much the market moves.",
    enters: "The line ran above the price a bar ago and runs below it now: a close broke through it. Short: the other \
        way round. A close exactly at the line turns a rising one, and does not turn a falling one.",
    leaves: "The line runs above the price. Short: below.",
    confidence: "A half, and up to a half more the farther the close broke through the old line: full where it is as \
        far beyond the old line as it is from the new one.",
    params: &[
        Param::bars("period", [10, 1, 200], "bars in the average true range"),
        Param::factor("factor", [300, 10, 2000], "average true ranges from the price to the line"),
        Param::SHORT,
    ],
    warm_up: |values| warm_up::wilder(values.count("period")) + 1,
    warm_up_help: "until what came before weighs less than 1e-9 in the average true range, and one bar to see a turn; \
        the line itself remembers its highest level until a close breaks through",
    ranks: false,
    build: |values| Ok(build(values)),
};

struct SuperTrendFlip {
    shape: String,
    period: usize,
    short: bool,
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    line: SuperTrend,
    close: Price,
    /// Whether the line ran up one bar ago.
    was_up: Option<bool>,
    /// Its level then, in units of price.
    was_at: f64,
    seen: u32,
}

fn build(values: &Values) -> Box<dyn Strategy> {
    let period = values.count("period");
    let line = SuperTrend::new(period, values.number("factor"));
    let memory = Memory { line, close: Price::ZERO, was_up: None, was_at: 0.0, seen: 0 };
    let (shape, short) = (values.words(&["period", "factor"]), values.is_on("short"));
    Box::new(SuperTrendFlip { shape, period, short, memory })
}

impl SuperTrendFlip {
    #[cold]
    fn reason(&self, moved: &str, line: f64) -> Reason {
        let close = self.memory.close.to_f64();
        let (name, rule) = (format!("supertrend{}", self.period), format!("close {close:.4} {moved}"));
        Reason::new(format!("{rule} {name} {line:.4}"), [("close".to_owned(), close), (name, line)])
    }

    #[cold]
    fn enter(&self, side: Side, now: TrendLevel) -> Verdict {
        let (close, old) = (self.memory.close.to_f64(), self.memory.was_at);
        let (beyond, room) = ((close - old).abs(), (close - now.level).abs());
        let part = if room > 0.0 { beyond / room } else { 0.0 };
        let moved = match side {
            Side::Buy => "broke above",
            Side::Sell => "broke below",
        };
        let reason = self.reason(moved, old);
        Verdict::Enter { side, confidence: confidence([part]), reason, plan: Plan::default() }
    }
}

impl Strategy for SuperTrendFlip {
    fn observe(&mut self, bar: &Bar) {
        let memory = &mut self.memory;
        if let Some(TrendLevel { level, up }) = memory.line.value() {
            (memory.was_up, memory.was_at) = (Some(up), level);
        }
        memory.line.update(bar);
        memory.close = bar.close;
        memory.seen = memory.seen.saturating_add(1);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let (Some(was_up), Some(now)) = (self.memory.was_up, self.memory.line.value()) else {
            return Verdict::early(self.memory.seen, self.period + 2);
        };
        let (close, TrendLevel { level, up }) = (self.memory.close.to_f64(), now);
        match holding {
            Holding::Busy => Verdict::busy(),
            Holding::Flat if up && !was_up => self.enter(Side::Buy, now),
            Holding::Flat if was_up && !up && self.short => self.enter(Side::Sell, now),
            Holding::Flat if up || self.short => Verdict::stay("the line turned on this bar", close, level),
            Holding::Long if !up => Verdict::Exit { reason: self.reason("is below", level) },
            Holding::Long => Verdict::stay("the line runs above the price", close, level),
            Holding::Short if up => Verdict::Exit { reason: self.reason("is above", level) },
            Holding::Flat | Holding::Short => Verdict::stay("the line runs below the price", close, level),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let memory = &mut self.memory;
        memory.line.rescale(numerator, denominator);
        memory.close = memory::split(memory.close, numerator, denominator);
        memory.was_at = memory::split_level(memory.was_at, numerator, denominator);
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
    use crate::domain::Holding;
    use crate::strategy::story::{closes, made, stay, story, watch};

    /// The bands are the close -+ how far it went, and a quarter more. 7.5 closes below the 7.75 that 9 left, 8.5 above the
    /// 8.25 that 7.5 left; 8.25 only touches that.
    const SWING: [f64; 8] = [10.0, 9.0, 8.0, 7.5, 8.25, 8.5, 8.25, 7.75];
    const SET: [(&str, &str); 2] = [("period", "1"), ("factor", "1")];

    #[test]
    fn it_follows_the_line_when_it_turns() {
        let want = [
            "5 buy at 0.75: close 8.5000 broke above supertrend1 8.2500",
            "7 exit: close 7.7500 is below supertrend1 8.5000",
        ];
        assert_eq!(story(&mut *made("supertrend", &SET), &closes(&SWING)), want);
    }

    #[test]
    fn with_short_it_turns_round_with_it() {
        let mut it = made("supertrend", &[SET.as_slice(), &[("short", "1")]].concat());
        let want = [
            "3 sell at 0.67: close 7.5000 broke below supertrend1 7.7500",
            "5 exit: close 8.5000 is above supertrend1 8.0000",
            "5 buy at 0.75: close 8.5000 broke above supertrend1 8.2500",
            "7 exit: close 7.7500 is below supertrend1 8.5000",
            "7 sell at 0.67: close 7.7500 broke below supertrend1 8.0000",
        ];
        assert_eq!(story(&mut *it, &closes(&SWING)), want);
    }

    #[test]
    fn it_says_where_the_line_is() {
        let told = |bars: usize, holding| {
            let mut it = made("supertrend", &SET);
            watch(&mut *it, &closes(&SWING[..bars]));
            let stay = stay(&*it, holding);
            (stay.rule, stay.value, stay.limit)
        };
        assert_eq!(told(2, Holding::Flat), ("enough bars were seen", 2.0, 3.0));
        assert_eq!(told(3, Holding::Flat), ("the line turned on this bar", 8.0, 7.75));
        assert_eq!(told(4, Holding::Flat), ("the line runs below the price", 7.5, 8.25));
        assert_eq!(told(3, Holding::Long), ("the line runs above the price", 8.0, 7.75));
    }
}
