//! Enters when a close lies outside its Bollinger band and the relative strength index agrees; leaves at the middle.

use serde::{Deserialize, Serialize};

use crate::domain::{Bar, Holding, Price, Side};
use crate::indicators::{Bands, Bollinger, Indicator, Rsi, against};

use super::verdict::confidence;
use super::{
    LoadError, Param, ParamError, Plan, Reason, Strategy, StrategyKind, Values, Verdict, memory, rsi, warm_up,
};

/// Its row in the registry.
pub(super) const KIND: StrategyKind = StrategyKind {
    name: "mean_reversion",
    help: "Enters at the lower Bollinger band while the relative strength index is oversold, leaves at the middle band.",
    suits: "Markets that swing about a level and come back to it. In a trend it stands in the way.",
    enters: "The close is at the lower band or below and the index at oversold or below. Short: the close is at the \
        upper band or above and the index at overbought or above. Bands without width enter nothing. \
        A close within 1e-14 of a band is at it.",
    leaves: "The close is at the middle band or above. Short: or below.",
    confidence: "A half, and up to a half more for two things that weigh the same: how far the close lies beyond the \
        band (full at one more half-width) and how far the index is beyond its level (full at its end).",
    params: &[
        Param::bars("bands", [20, 2, 500], "closes in the bands"),
        Param::factor("width", [200, 10, 1000], "standard deviations from the middle to a band"),
        Param::bars("period", [14, 2, 200], "changes in the index"),
        Param::level("oversold", [35, 1, 50], "the index must be this low to enter"),
        Param::level("overbought", [65, 50, 99], "the index must be this high to enter short"),
        Param::SHORT,
    ],
    warm_up: |values| values.count("bands").max(warm_up::wilder(values.count("period"))),
    warm_up_help: "the bands, and until what came before weighs less than 1e-9 in the index",
    ranks: false,
    build,
};

struct MeanReversion {
    shape: String,
    bands: usize,
    period: usize,
    oversold: f64,
    overbought: f64,
    short: bool,
    memory: Memory,
}

#[derive(Serialize, Deserialize)]
struct Memory {
    bands: Bollinger,
    index: Rsi,
    close: Price,
    seen: u32,
}

/// What it sees after a bar.
#[derive(Clone, Copy)]
struct Sight {
    price: Price,
    close: f64,
    bands: Bands,
    index: f64,
}

fn build(values: &Values) -> Result<Box<dyn Strategy>, ParamError> {
    let (oversold, overbought) = rsi::levels(KIND.name, values)?;
    let (bands, period) = (values.count("bands"), values.count("period"));
    let memory = Memory {
        bands: Bollinger::new(bands, values.number("width")),
        index: Rsi::new(period),
        close: Price::ZERO,
        seen: 0,
    };
    let (shape, short) = (values.words(&["bands", "width", "period"]), values.is_on("short"));
    Ok(Box::new(MeanReversion { shape, bands, period, oversold, overbought, short, memory }))
}

impl MeanReversion {
    fn sight(&self) -> Option<Sight> {
        let Memory { bands, index, close, .. } = &self.memory;
        Some(Sight { price: *close, close: close.to_f64(), bands: bands.bands()?, index: index.value()? })
    }

    #[cold]
    fn enter(&self, side: Side, Sight { close, bands, index, .. }: Sight) -> Verdict {
        let half = bands.middle - bands.lower;
        let name = format!("rsi{}", self.period);
        let (beyond, depth, rule, band) = match side {
            Side::Buy => {
                let rule = format!(
                    "close {close:.4} is at or below the lower band {:.4} with {name} {index:.1} at or below {}",
                    bands.lower, self.oversold
                );
                ((bands.lower - close) / half, 1.0 - index / self.oversold, rule, bands.lower)
            }
            Side::Sell => {
                let rule = format!(
                    "close {close:.4} is at or above the upper band {:.4} with {name} {index:.1} at or above {}",
                    bands.upper, self.overbought
                );
                let depth = (index - self.overbought) / (100.0 - self.overbought);
                ((close - bands.upper) / half, depth, rule, bands.upper)
            }
        };
        let inputs = [("close".to_owned(), close), ("band".to_owned(), band), (name, index)];
        let (confidence, reason) = (confidence([beyond, depth]), Reason::new(rule, inputs));
        Verdict::Enter { side, confidence, reason, plan: Plan::default() }
    }

    /// Enters, or tells the first rule that did not hold on the nearer side.
    fn look(&self, sight: Sight) -> Verdict {
        let Sight { price, close, bands, index } = sight;
        if bands.lower >= bands.upper {
            return Verdict::stay("the bands have a width", bands.upper - bands.lower, 0.0);
        }
        if self.short && against(price, bands.middle).is_gt() {
            if against(price, bands.upper).is_lt() {
                return Verdict::stay("the close is at the upper band or above", close, bands.upper);
            }
            if index < self.overbought {
                return Verdict::stay("the index is at overbought or above", index, self.overbought);
            }
            return self.enter(Side::Sell, sight);
        }
        if against(price, bands.lower).is_gt() {
            return Verdict::stay("the close is at the lower band or below", close, bands.lower);
        }
        if index > self.oversold {
            return Verdict::stay("the index is at oversold or below", index, self.oversold);
        }
        self.enter(Side::Buy, sight)
    }
}

#[cold]
fn leave(Sight { close, bands, .. }: Sight) -> Verdict {
    let inputs = [("close".to_owned(), close), ("middle".to_owned(), bands.middle)];
    let rule = format!("close {close:.4} reached the middle band {:.4}", bands.middle);
    Verdict::Exit { reason: Reason::new(rule, inputs) }
}

impl Strategy for MeanReversion {
    fn observe(&mut self, bar: &Bar) {
        let memory = &mut self.memory;
        memory.bands.update(bar);
        memory.index.update(bar);
        memory.close = bar.close;
        memory.seen = memory.seen.saturating_add(1);
    }

    fn judge(&self, holding: Holding) -> Verdict {
        let Some(sight) = self.sight() else {
            return Verdict::early(self.memory.seen, self.bands.max(self.period + 1));
        };
        let Sight { price, close, bands, .. } = sight;
        let stand = against(price, bands.middle);
        match holding {
            Holding::Busy => Verdict::busy(),
            Holding::Flat => self.look(sight),
            Holding::Long if stand.is_ge() => leave(sight),
            Holding::Long => Verdict::stay("the close is at the middle band or above", close, bands.middle),
            Holding::Short if stand.is_le() => leave(sight),
            Holding::Short => Verdict::stay("the close is at the middle band or below", close, bands.middle),
        }
    }

    fn rescale(&mut self, numerator: i64, denominator: i64) {
        let memory = &mut self.memory;
        memory.bands.rescale(numerator, denominator);
        memory.index.rescale(numerator, denominator);
        memory.close = memory::split(memory.close, numerator, denominator);
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
    use crate::domain::{Holding, Side};
    use crate::strategy::Verdict;
    use crate::strategy::story::{closes, made, stay, story, watch};

    const SET: [(&str, &str); 5] =
        [("bands", "4"), ("width", "1"), ("period", "2"), ("oversold", "30"), ("overbought", "70")];
    /// The first 11 is on the upper band, 10.5 + 0.5, with an index of 75. At 8 the bands are 10 -+ 1.22 and the index is 18.75; at 13 they are 10 -+ 1.87 and it is 90.4.
    const SWING: [f64; 9] = [10.0, 11.0, 10.0, 11.0, 8.0, 9.0, 10.0, 13.0, 9.0];

    #[test]
    fn it_buys_outside_the_lower_band_and_sells_at_the_middle() {
        let mut it = made("mean_reversion", &SET);
        let want = [
            "4 buy at 0.75: close 8.0000 is at or below the lower band 8.7753 with rsi2 18.8 at or below 30",
            "6 exit: close 10.0000 reached the middle band 9.5000",
        ];
        assert_eq!(story(&mut *it, &closes(&SWING)), want);
    }

    #[test]
    fn with_short_the_same_mirrored() {
        let mut it = made("mean_reversion", &[SET.as_slice(), &[("short", "1")]].concat());
        let want = [
            "3 sell at 0.54: close 11.0000 is at or above the upper band 11.0000 with rsi2 75.0 at or above 70",
            "4 exit: close 8.0000 reached the middle band 10.0000",
            "4 buy at 0.75: close 8.0000 is at or below the lower band 8.7753 with rsi2 18.8 at or below 30",
            "6 exit: close 10.0000 reached the middle band 9.5000",
            "7 sell at 0.82: close 13.0000 is at or above the upper band 11.8708 with rsi2 90.4 at or above 70",
            "8 exit: close 9.0000 reached the middle band 10.2500",
        ];
        assert_eq!(story(&mut *it, &closes(&SWING)), want);
    }

    #[test]
    fn both_rules_must_hold() {
        let told = |set: &[(&str, &str)], prices: &[f64]| {
            let mut it = made("mean_reversion", &[SET.as_slice(), set].concat());
            watch(&mut *it, &closes(prices));
            stay(&*it, Holding::Flat).rule
        };
        assert_eq!(told(&[("oversold", "18")], &SWING[..5]), "the index is at oversold or below");
        assert_eq!(told(&[("width", "2")], &SWING[..5]), "the close is at the lower band or below");
    }

    /// After four equal closes the fifth lies exactly on the band of two deviations, whatever it is.
    #[test]
    fn a_close_exactly_at_the_band_is_at_it() {
        for cents in 1..200 {
            let mut it = made("mean_reversion", &[SET.as_slice(), &[("bands", "5"), ("width", "2")]].concat());
            let from = 100.0 + f64::from(cents) * 0.37;
            watch(&mut *it, &closes(&[from, from, from, from, from - f64::from(cents) / 100.0]));
            assert!(
                matches!(it.judge(Holding::Flat), Verdict::Enter { side: Side::Buy, .. }),
                "{from} less {cents} cents"
            );
        }
    }

    /// The index keeps its last value in a market that stands still, and the close lies on all three bands.
    #[test]
    fn a_market_that_stands_still_after_a_fall_is_left_alone() {
        let mut it = made("mean_reversion", &SET);
        watch(&mut *it, &closes(&[10.0, 9.0, 8.0, 8.0, 8.0, 8.0]));
        assert_eq!(stay(&*it, Holding::Flat).rule, "the bands have a width");
    }
}
