//! Enters when the index rises out of oversold; leaves when it reaches overbought.

use crate::domain::{Bar, Holding, Input, Ratio, Side};
use crate::indicators::{Indicator, Rsi};

use super::{Param, ParamError, ParamKind, Plan, Reason, Stay, Strategy, Values, Verdict};

/// The name in the registry.
pub(super) const NAME: &str = "rsi";

/// Its parameters.
pub(super) const PARAMS: &[Param] = &[
    Param { name: "period", kind: ParamKind::Bars, default: 14, min: 2, max: 200, help: "changes in the index" },
    Param { name: "oversold", kind: ParamKind::Level, default: 30, min: 1, max: 50, help: "enter when it rises above" },
    Param { name: "overbought", kind: ParamKind::Level, default: 70, min: 50, max: 99, help: "leave when it reaches" },
];

struct RsiReversal {
    index: Rsi,
    period: usize,
    oversold: f64,
    overbought: f64,
    before: Option<f64>,
    now: Option<f64>,
}

/// Makes it.
pub(super) fn build(values: &Values) -> Result<Box<dyn Strategy>, ParamError> {
    let (oversold, overbought) = (values.level("oversold"), values.level("overbought"));
    if oversold >= overbought {
        let why = format!("oversold ({oversold}) must be smaller than overbought ({overbought})");
        return Err(ParamError::Together { strategy: NAME, why });
    }
    let period = values.bars("period");
    Ok(Box::new(RsiReversal { index: Rsi::new(period), period, oversold, overbought, before: None, now: None }))
}

impl RsiReversal {
    fn reason(&self, now: f64, moved: &str, level: f64) -> Reason {
        let period = self.period;
        Reason {
            rule: format!("rsi{period} {now:.1} {moved} {level}"),
            inputs: vec![Input { name: format!("rsi{period}"), value: now }],
        }
    }

    /// Half sure at the level, surer the deeper the index had fallen.
    fn confidence(&self, before: f64) -> Ratio {
        let depth = (self.oversold - before).max(0.0) / self.oversold;
        Ratio::from_f64(0.5 + depth / 2.0).unwrap_or(Ratio::ZERO)
    }
}

impl Strategy for RsiReversal {
    fn observe(&mut self, bar: &Bar) {
        self.before = self.now;
        self.now = self.index.update(bar);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let (Some(before), Some(now)) = (self.before, self.now) else {
            return Verdict::Stay(Stay::new("needs more bars than the index spans", 0.0, self.period as f64));
        };
        match holding {
            Holding::Short | Holding::Busy => Verdict::Stay(Stay::new("no order of it is under way", 1.0, 0.0)),
            Holding::Flat if before >= self.oversold => {
                Verdict::Stay(Stay::new("the index was below oversold one bar ago", before, self.oversold))
            }
            Holding::Flat if now < self.oversold => {
                Verdict::Stay(Stay::new("the index rose out of oversold", now, self.oversold))
            }
            Holding::Flat => Verdict::Enter {
                side: Side::Buy,
                plan: Plan::default(),
                confidence: self.confidence(before),
                reason: self.reason(now, "rose above", self.oversold),
            },
            Holding::Long if now >= self.overbought => {
                Verdict::Exit { reason: self.reason(now, "reached", self.overbought) }
            }
            Holding::Long => Verdict::Stay(Stay::new("the index reached overbought", now, self.overbought)),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.index.rescale(numerator, denominator);
    }
}
