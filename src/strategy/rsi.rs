//! Enters when the index rises out of oversold; leaves when it reaches overbought.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Side};
use crate::indicators::{Indicator, Rsi};

use super::verdict::confidence;
use super::{LoadError, Param, ParamError, Plan, Reason, Strategy, StrategyKind, Values, Verdict, memory, warm_up};

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "rsi",
    help: "Enters when the relative strength index rises out of oversold, leaves when it reaches overbought.",
    suits: "Markets that swing about a level. In a long fall it buys every pause.",
    enters: "The index was below oversold a bar ago and is not now. Short: it was above overbought and is not now.",
    leaves: "The index is at overbought or above. Short: at oversold or below.",
    confidence: "A half, and up to a half more the deeper the index was a bar ago: full at 0 (short: at 100).",
    params: &[
        Param::bars("period", [14, 2, 200], "changes in the index"),
        Param::level("oversold", [30, 1, 50], "enter when it rises above"),
        Param::level("overbought", [70, 50, 99], "leave when it reaches"),
        Param::SHORT,
    ],
    warm_up: |values| warm_up::wilder(values.count("period")) + 1,
    warm_up_help: "until what came before weighs less than 1e-9 in the index, and one bar to see it turn",
    ranks: false,
    build,
};

struct RsiReversal {
    shape: String,
    period: usize,
    oversold: f64,
    overbought: f64,
    short: bool,
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    index: Rsi,
    /// The index one bar ago and now.
    before: Option<f64>,
    now: Option<f64>,
    seen: u32,
}

fn build(values: &Values) -> Result<Box<dyn Strategy>, ParamError> {
    let (oversold, overbought) = levels(KIND.name, values)?;
    let period = values.count("period");
    let memory = Memory { index: Rsi::new(period), before: None, now: None, seen: 0 };
    let (shape, short) = (values.words(&["period"]), values.is_on("short"));
    Ok(Box::new(RsiReversal { shape, period, oversold, overbought, short, memory }))
}

/// Oversold and overbought, if they go together.
pub(super) fn levels(strategy: &'static str, values: &Values) -> Result<(f64, f64), ParamError> {
    let (oversold, overbought) = (values.number("oversold"), values.number("overbought"));
    if oversold >= overbought {
        let why = format!("oversold ({oversold}) must be smaller than overbought ({overbought})");
        return Err(ParamError::Together { strategy, why });
    }
    Ok((oversold, overbought))
}

impl RsiReversal {
    #[cold]
    fn reason(&self, now: f64, moved: &str, level: f64) -> Reason {
        let name = format!("rsi{}", self.period);
        Reason::new(format!("{name} {now:.1} {moved} {level}"), [(name, now)])
    }

    #[cold]
    fn enter(&self, side: Side, before: f64, now: f64) -> Verdict {
        let (depth, reason) = match side {
            Side::Buy => (1.0 - before / self.oversold, self.reason(now, "rose above", self.oversold)),
            Side::Sell => {
                let depth = (before - self.overbought) / (100.0 - self.overbought);
                (depth, self.reason(now, "fell below", self.overbought))
            }
        };
        Verdict::Enter { side, confidence: confidence([depth]), reason, plan: Plan::default() }
    }

    /// Why nothing is entered.
    fn wait(&self, before: f64, now: f64) -> Verdict {
        if before < self.oversold {
            Verdict::stay("the index rose out of oversold", now, self.oversold)
        } else if !self.short || before < f64::midpoint(self.oversold, self.overbought) {
            Verdict::stay("the index was below oversold one bar ago", before, self.oversold)
        } else if before > self.overbought {
            Verdict::stay("the index fell out of overbought", now, self.overbought)
        } else {
            Verdict::stay("the index was above overbought one bar ago", before, self.overbought)
        }
    }
}

impl Strategy for RsiReversal {
    fn observe(&mut self, bar: &Bar) {
        let memory = &mut self.memory;
        memory.before = memory.now;
        memory.now = memory.index.update(bar);
        memory.seen = memory.seen.saturating_add(1);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let (Some(before), Some(now)) = (self.memory.before, self.memory.now) else {
            return Verdict::early(self.memory.seen, self.period + 2);
        };
        let rose = before < self.oversold && now >= self.oversold;
        let fell = before > self.overbought && now <= self.overbought;
        match holding {
            Holding::Busy => Verdict::busy(),
            Holding::Flat if rose => self.enter(Side::Buy, before, now),
            Holding::Flat if fell && self.short => self.enter(Side::Sell, before, now),
            Holding::Flat => self.wait(before, now),
            Holding::Long if now >= self.overbought => {
                Verdict::Exit { reason: self.reason(now, "reached", self.overbought) }
            }
            Holding::Long => Verdict::stay("the index reached overbought", now, self.overbought),
            Holding::Short if now <= self.oversold => {
                Verdict::Exit { reason: self.reason(now, "reached", self.oversold) }
            }
            Holding::Short => Verdict::stay("the index reached oversold", now, self.oversold),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.memory.index.rescale(numerator, denominator);
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
    use crate::strategy::story::{closes, made, stay, story};

    /// The index of 2 changes goes 0, 33.3, 71.4, 55.6, 20.
    const SWING: [f64; 7] = [10.0, 9.0, 8.0, 8.5, 9.5, 9.25, 8.25];

    #[test]
    fn it_enters_when_the_index_turns_and_leaves_at_the_other_end() {
        let mut rsi = made("rsi", &[("period", "2")]);
        let want = ["3 buy at 1.00: rsi2 33.3 rose above 30", "4 exit: rsi2 71.4 reached 70"];
        assert_eq!(story(&mut *rsi, &closes(&SWING)), want);
    }

    #[test]
    fn with_short_the_same_mirrored() {
        let mut rsi = made("rsi", &[("period", "2"), ("short", "1")]);
        let want = [
            "3 buy at 1.00: rsi2 33.3 rose above 30",
            "4 exit: rsi2 71.4 reached 70",
            "5 sell at 0.52: rsi2 55.6 fell below 70",
            "6 exit: rsi2 20.0 reached 30",
        ];
        assert_eq!(story(&mut *rsi, &closes(&SWING)), want);
    }

    #[test]
    fn it_says_which_rule_did_not_hold() {
        let mut rsi = made("rsi", &[("period", "2"), ("short", "1")]);
        let rules: Vec<_> = closes(&SWING)
            .iter()
            .map(|bar| {
                rsi.observe(bar);
                let holding = if matches!(rsi.judge(Holding::Flat), super::Verdict::Stay(_)) {
                    Holding::Flat
                } else {
                    Holding::Busy
                };
                stay(&*rsi, holding).rule
            })
            .collect();
        let early = "enough bars were seen";
        let busy = "no order of it is under way";
        let high = "the index was above overbought one bar ago";
        let low = "the index was below oversold one bar ago";
        assert_eq!(rules, [early, early, early, busy, low, busy, high]);
    }
}
