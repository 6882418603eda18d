//! How much is at stake? The risk figures of one book at one instant: the engine computes them, the store keeps them, views show them.

use serde::{Deserialize, Serialize};

use super::{AssetClass, Money, Price, Quantity, Ratio, Symbol};

/// All risk figures of a book. Shares are of equity unless they say otherwise; a loss is negative.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RiskFigures {
    /// Cash plus positions at last prices.
    pub equity: Money,
    /// What is not invested.
    pub cash: Money,
    /// What is held on each side.
    pub held: Sides,
    /// Gross over equity: how many times its own money the book has at work.
    pub leverage: Ratio,
    /// What is lost if every stop fills; a position without a stop counts whole.
    pub open_risk: Money,
    /// Each position, the largest first.
    pub symbols: Vec<SymbolFigures>,
    /// Positions by sector, the largest first.
    pub sectors: Vec<GroupFigures>,
    /// Positions by asset class, the largest first.
    pub classes: Vec<GroupFigures>,
    /// What a bad day costs.
    pub tail: TailFigures,
    /// How it moves with a benchmark.
    pub benchmark: BenchmarkFigures,
    /// What of it moves together.
    pub correlation: CorrelationFigures,
    /// What each bad time of the past would cost, in the order of menus.
    pub stress: Vec<StressFigures>,
    /// Each limit that can be measured, in the order of the checks.
    pub limits: Vec<LimitFigures>,
}

/// What is bought and what is sold short, both without sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sides {
    /// Bought.
    pub long: Money,
    /// Sold short.
    pub short: Money,
}

impl Sides {
    /// Both together; stays at the largest amount if the sum does not fit.
    pub fn gross(self) -> Money {
        self.long.plus(self.short).unwrap_or(Money::MAX)
    }

    /// Longs less shorts.
    pub fn net(self) -> Money {
        self.long.minus(self.short).unwrap_or(Money::ZERO)
    }

    /// Counts a value; a negative one is short.
    #[must_use]
    pub fn with(self, value: Money) -> Self {
        let sum = |side: Money| side.plus(value.abs()).unwrap_or(Money::MAX);
        if value < Money::ZERO {
            Self { short: sum(self.short), ..self }
        } else {
            Self { long: sum(self.long), ..self }
        }
    }
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolFigures {
    /// Of what.
    pub symbol: Symbol,
    /// Its asset class.
    pub class: AssetClass,
    /// Its sector; empty if unknown.
    pub sector: String,
    /// How much; negative is short.
    pub quantity: Quantity,
    /// The price it is valued at.
    pub price: Price,
    /// What it is worth; negative for a short.
    pub value: Money,
    /// The same as a share of equity.
    pub share: Ratio,
    /// Where its loss ends; none is an alarm.
    pub stop: Option<Price>,
    /// What is lost from here to the stop; all of it without one.
    pub risk: Money,
    /// Its beta to the benchmark; none while too little is known.
    pub beta: Option<Ratio>,
    /// Where the exchange closes it; for perpetuals alone, and none where no price does.
    pub liquidation: Option<Price>,
}

impl SymbolFigures {
    /// `long` or `short`.
    pub const fn side(&self) -> &'static str {
        if self.quantity.units() < 0 { "short" } else { "long" }
    }
}

/// Positions that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupFigures {
    /// What; empty where it is unknown.
    pub name: String,
    /// What is held on each side.
    pub held: Sides,
    /// Both sides together, as a share of equity.
    pub share: Ratio,
}

/// What a bad day costs, from what today's positions would have made on past days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TailFigures {
    /// Horizon and returns that the losses are taken from, in words; why there are none, if there are none.
    pub basis: String,
    /// One for each confidence, the lower first.
    pub losses: Vec<TailLoss>,
}

/// The losses of one confidence, as shares of equity. Each is a return: a loss is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailLoss {
    /// The confidence in percent.
    pub confidence: u8,
    /// Value at risk: the quantile of the returns as they happened.
    pub historical: Option<Ratio>,
    /// Value at risk of a normal distribution with their mean and deviation.
    pub parametric: Option<Ratio>,
    /// Expected shortfall: the mean of the returns beyond the historical value at risk.
    pub shortfall: Option<Ratio>,
    /// Expected shortfall of that normal distribution.
    pub parametric_shortfall: Option<Ratio>,
}

/// How a book moves with its benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BenchmarkFigures {
    /// The benchmark: a symbol, or what its mean is of.
    pub name: String,
    /// The returns behind the beta, in words; why there is none, if there is none.
    pub basis: String,
    /// Beta of what is held; none while too little is known, or where the benchmark stands still.
    pub beta: Option<Ratio>,
}

/// What of a book moves together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CorrelationFigures {
    /// Which returns, in words.
    pub basis: String,
    /// What is compared, the largest position first.
    pub symbols: Vec<Symbol>,
    /// The correlation of each symbol with all before it, from -1 to 1; none where two have too little in common or one stands still.
    pub rows: Vec<Vec<Option<Ratio>>>,
    /// Positions that are left out because they are smaller.
    pub left_out: usize,
    /// The pair that would lose together most, with its correlation: with the opposite sign where one is long and one short.
    pub closest: Option<(Symbol, Symbol, Ratio)>,
}

/// What a bad time of the past would cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StressFigures {
    /// The scenario, as it is typed.
    pub scenario: String,
    /// What the book would gain or lose.
    pub change: Money,
    /// The same as a share of equity; none without equity.
    pub share: Option<Ratio>,
    /// The position that would lose most, with its loss; none where nothing would lose.
    pub worst: Option<(Symbol, Money)>,
}

/// In what a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// As a share of an amount.
    Share,
    /// In whole numbers.
    Count,
    /// In times of equity.
    Times,
    /// As a correlation.
    Correlation,
}

/// A limit and how much of it is used. Working entries are counted in, as the checks do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitFigures {
    /// Its key in the configuration.
    pub key: String,
    /// What it limits, in the words of the checks.
    pub name: String,
    /// Where it is used most: a symbol, a sector, a pair. Empty where the whole book is measured.
    pub of: String,
    /// How much is used; none where nothing can be measured.
    pub value: Option<Ratio>,
    /// How much is allowed.
    pub limit: Ratio,
    /// In what both are counted.
    pub unit: LimitUnit,
    /// The amount that both are shares of; none for other units.
    pub whole: Option<Money>,
}

impl LimitFigures {
    /// What is left of it; negative where more is used than allowed.
    pub fn unused(&self) -> Option<Ratio> {
        self.limit.minus(self.value?).ok()
    }

    /// What is left of it as an amount, where it is a share of one.
    pub fn unused_money(&self) -> Option<Money> {
        self.whole?.times(self.unused()?).ok()
    }

    /// How much of it is used, as a share of the limit.
    pub fn used(&self) -> Option<Ratio> {
        let limit = self.limit;
        self.value.map(|value| if limit.is_zero() && value > limit { Ratio::MAX } else { value.share_of(limit) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_add_up_without_sign() {
        let sides = Sides::default().with(Money::whole(700)).with(Money::whole(-200)).with(Money::whole(100));
        assert_eq!(sides, Sides { long: Money::whole(800), short: Money::whole(200) });
        assert_eq!((sides.gross(), sides.net()), (Money::whole(1_000), Money::whole(600)));
        assert_eq!(sides.with(Money::MAX).gross(), Money::MAX);
    }

    #[test]
    fn what_is_left_of_a_limit_is_exact() {
        let mut limit = LimitFigures {
            key: "position_pct".to_owned(),
            name: "position size".to_owned(),
            of: "AAPL".to_owned(),
            value: Some(Ratio::from_bps(1_850)),
            limit: Ratio::from_percent(20),
            unit: LimitUnit::Share,
            whole: Some(Money::whole(10_000)),
        };
        assert_eq!((limit.unused(), limit.unused_money()), (Some(Ratio::from_bps(150)), Some(Money::whole(150))));
        assert_eq!(limit.used(), Some(Ratio::from_bps(9_250)));
        limit.limit = Ratio::ZERO;
        assert_eq!((limit.unused(), limit.used()), (Some(Ratio::from_bps(-1_850)), Some(Ratio::MAX)));
        limit.value = None;
        assert_eq!((limit.unused(), limit.unused_money(), limit.used()), (None, None, None));
    }
}
