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
