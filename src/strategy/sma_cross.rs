//! Enters when the fast average was at or below the slow one and now is above; leaves the other way round.
//!
//! The averages are compared as exact sums: two floats that differ in the last bit must not make a trade.

use std::cmp::Ordering;

use crate::domain::{Bar, Holding, Input, Ratio, Side};
use crate::indicators::{Indicator, Sma};

use super::{Param, ParamError, ParamKind, Plan, Reason, Stay, Strategy, Values, Verdict};

/// The name in the registry.
pub(super) const NAME: &str = "sma_cross";

/// Its parameters.
pub(super) const PARAMS: &[Param] = &[
    Param { name: "fast", kind: ParamKind::Bars, default: 20, min: 1, max: 500, help: "bars in the fast average" },
    Param { name: "slow", kind: ParamKind::Bars, default: 50, min: 2, max: 1000, help: "bars in the slow average" },
];

struct SmaCross {
    fast: Sma,
    slow: Sma,
    /// Fast against slow, one bar ago and now.
    before: Option<Ordering>,
    now: Option<Ordering>,
}

/// Makes it.
pub(super) fn build(values: &Values) -> Result<Box<dyn Strategy>, ParamError> {
    let (fast, slow) = (values.bars("fast"), values.bars("slow"));
    if fast >= slow {
        let why = format!("fast ({fast}) must be smaller than slow ({slow})");
        return Err(ParamError::Together { strategy: NAME, why });
    }
    Ok(Box::new(SmaCross { fast: Sma::new(fast), slow: Sma::new(slow), before: None, now: None }))
}

impl SmaCross {
    fn compare(&self) -> Option<Ordering> {
        let (fast, slow) = (self.fast.sum()?, self.slow.sum()?);
        Some((fast * self.slow.period() as i128).cmp(&(slow * self.fast.period() as i128)))
    }

    fn values(&self) -> (f64, f64) {
        (self.fast.value().unwrap_or_default(), self.slow.value().unwrap_or_default())
    }

    fn reason(&self, moved: &str) -> Reason {
        let (fast, slow) = self.values();
        let (f, s) = (self.fast.period(), self.slow.period());
        Reason {
            rule: format!("sma{f} {fast:.4} {moved} sma{s} {slow:.4}"),
            inputs: vec![
                Input { name: format!("sma{f}"), value: fast },
                Input { name: format!("sma{s}"), value: slow },
            ],
        }
    }

    /// Half sure at the crossing itself, surer the farther the averages parted; full at a distance of one percent.
    fn confidence(&self) -> Ratio {
        let (fast, slow) = self.values();
        let distance = if slow > 0.0 { (fast - slow).abs() / slow } else { 0.0 };
        Ratio::from_f64(0.5 + (distance * 50.0).min(0.5)).unwrap_or(Ratio::ZERO)
    }
}

impl Strategy for SmaCross {
    fn observe(&mut self, bar: &Bar) {
        self.fast.push(bar.close);
        self.slow.push(bar.close);
        self.before = self.now;
        self.now = self.compare();
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let (Some(before), Some(now)) = (self.before, self.now) else {
            return Verdict::Stay(Stay::new(
                "needs more bars than the slow average spans",
                0.0,
                self.slow.period() as f64,
            ));
        };
        let (fast, slow) = self.values();
        match holding {
            Holding::Short | Holding::Busy => Verdict::Stay(Stay::new("no order of it is under way", 1.0, 0.0)),
            Holding::Flat if now != Ordering::Greater => {
                Verdict::Stay(Stay::new("the fast average is above the slow one", fast, slow))
            }
            Holding::Flat if before == Ordering::Greater => {
                Verdict::Stay(Stay::new("the fast average crossed the slow one on this bar", fast, slow))
            }
            Holding::Flat => Verdict::Enter {
                side: Side::Buy,
                plan: Plan::default(),
                confidence: self.confidence(),
                reason: self.reason("rose above"),
            },
            Holding::Long if now == Ordering::Less && before != Ordering::Less => {
                Verdict::Exit { reason: self.reason("fell below") }
            }
            Holding::Long => {
                Verdict::Stay(Stay::new("the fast average fell below the slow one on this bar", fast, slow))
            }
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        self.fast.rescale(numerator, denominator);
        self.slow.rescale(numerator, denominator);
    }
}
