//! What did trading cost against what it was decided at? Implementation shortfall, after Perold (The Implementation Shortfall: Paper
//! versus Reality, Journal of Portfolio Management, 1988): the paper portfolio gets all of an order at the price it was decided at and
//! pays nothing; what the real one falls short of that is the cost. Amounts are costs: a negative one is a gain.

use std::collections::BTreeMap;

use crate::domain::{AmountError, Label, Money, Order, Price, Quantity, Ratio, TradeFill};

use super::Costs;

/// What one order cost, or several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shortfall {
    /// The full quantity at the price it was decided at: the basis of shares.
    pub paper: Money,
    /// What the cost model expected: fee and slippage of the full quantity at that price.
    pub expected: Money,
    /// How far the price had gone by the time it filled, without slippage.
    pub drift: Money,
    /// What slippage cost.
    pub slippage: Money,
    /// What the broker took.
    pub fees: Money,
    /// What the unfilled rest missed until the closing price.
    pub opportunity: Money,
}

impl Shortfall {
    /// All of it: drift + slippage + fees + opportunity.
    ///
    /// # Errors
    /// When the sum does not fit.
    pub fn realised(&self) -> Result<Money, AmountError> {
        self.drift.plus(self.slippage)?.plus(self.fees)?.plus(self.opportunity)
    }

    /// How much more it was than expected.
    ///
    /// # Errors
    /// When the amount does not fit.
    pub fn excess(&self) -> Result<Money, AmountError> {
        self.realised()?.minus(self.expected)
    }

    /// A part of it in basis points of the paper value; zero where that is zero.
    ///
    /// # Errors
    /// When the number does not fit.
    pub fn in_bps(&self, part: Money) -> Result<Ratio, AmountError> {
        part.share_of(self.paper).scaled(10_000, 1)
    }

    /// Both together.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, AmountError> {
        Ok(Self {
            paper: self.paper.plus(other.paper)?,
            expected: self.expected.plus(other.expected)?,
            drift: self.drift.plus(other.drift)?,
            slippage: self.slippage.plus(other.slippage)?,
            fees: self.fees.plus(other.fees)?,
            opportunity: self.opportunity.plus(other.opportunity)?,
        })
    }
}

/// The shortfall of an order by all of its fills; others' are passed over. The rest that did not fill is valued at `last`: the price
/// at which the order ended, or the last one while it works. None if the fills do not add up to what the order says is filled, as
/// when a split lies between them: their prices cannot be compared then.
///
/// # Errors
/// When an amount does not fit.
pub fn shortfall(
    order: &Order,
    fills: &[TradeFill],
    costs: &Costs,
    last: Price,
) -> Result<Option<Shortfall>, AmountError> {
    let sign = order.side.sign();
    let worse = |quantity: Quantity, price: Price| quantity.value_at(price.minus(order.reference)?)?.scaled(sign, 1);
    let mut sum = Shortfall {
        paper: order.quantity.value_at(order.reference)?,
        expected: costs.expected(order.kind, order.quantity, order.reference)?,
        opportunity: worse(order.remaining(), last)?,
        ..Shortfall::default()
    };
    let mut filled = Quantity::ZERO;
    for fill in fills.iter().filter(|fill| fill.order == order.id) {
        filled = filled.plus(fill.quantity)?;
        sum.drift = sum.drift.plus(worse(fill.quantity, fill.price)?.minus(fill.slippage)?)?;
        sum.slippage = sum.slippage.plus(fill.slippage)?;
        sum.fees = sum.fees.plus(fill.fee)?;
    }
    Ok((filled == order.filled).then_some(sum))
}

/// Sums for each strategy, in the order of their names.
///
/// # Errors
/// When a sum does not fit.
pub fn shortfall_by_strategy(
    orders: impl IntoIterator<Item = (Label, Shortfall)>,
) -> Result<BTreeMap<Label, Shortfall>, AmountError> {
    let mut sums: BTreeMap<Label, Shortfall> = BTreeMap::new();
    for (strategy, one) in orders {
        let sum = sums.entry(strategy).or_default();
        *sum = sum.plus(one)?;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{FillId, FillLeg, OrderId, OrderKind, OrderStatus, Purpose, Side, TimeInForce};

    const COSTS: Costs = Costs {
        fee: Ratio::from_bps(1),
        slippage: Ratio::from_bps(2),
        impact: Ratio::ZERO,
        volume_share: Ratio::ONE,
        latency_ms: 0,
    };

    fn order(side: Side, quantity: i64, filled: i64) -> Order {
        Order {
            id: OrderId(1),
            book: "main".parse().expect("name"),
            strategy: "test".parse().expect("name"),
            signal: None,
            symbol: "AAPL".parse().expect("symbol"),
            side,
            kind: OrderKind::Market,
            purpose: Purpose::Entry,
            quantity: Quantity::whole(quantity),
            filled: Quantity::whole(filled),
            status: OrderStatus::Cancelled,
            triggered: false,
            reference: Price::whole(50),
            plan: None,
            tif: TimeInForce::Gtc,
            expires: None,
            because: String::new(),
            created: Timestamp::from_ms(0),
            updated: Timestamp::from_ms(0),
        }
    }

    fn fill(order: u64, side: Side, quantity: i64, price: &str, slippage: &str) -> TradeFill {
        TradeFill {
            id: FillId(1),
            order: OrderId(order),
            book: "main".parse().expect("name"),
            symbol: "AAPL".parse().expect("symbol"),
            side,
            quantity: Quantity::whole(quantity),
            price: price.parse().expect("price"),
            fee: Money::whole(3),
            slippage: slippage.parse().expect("money"),
            leg: FillLeg::Market,
            at: Timestamp::from_ms(0),
        }
    }

    /// 1,000 shares decided at 50: 600 at 50.20, 200 at 50.60, of which 0.10 each is slippage; 200 never, and the price ends at 52.
    #[test]
    fn the_shortfall_is_drift_slippage_fees_and_what_was_missed() {
        let fills = [
            fill(1, Side::Buy, 600, "50.2", "60"),
            fill(2, Side::Buy, 999, "9", "9"),
            fill(1, Side::Buy, 200, "50.6", "20"),
        ];
        let cost =
            shortfall(&order(Side::Buy, 1000, 800), &fills, &COSTS, Price::whole(52)).expect("fits").expect("adds up");
        let [drift, slippage, fees, missed] = [160, 80, 6, 400].map(Money::whole);
        assert_eq!((cost.drift, cost.slippage, cost.fees, cost.opportunity), (drift, slippage, fees, missed));
        assert_eq!((cost.paper, cost.expected), (Money::whole(50_000), Money::whole(15)));
        // Paper makes 1,000 x 2; the real one 600 x 1.80 + 200 x 1.40 - 6.
        assert_eq!(cost.realised(), Ok(Money::whole(2_000 - (1_080 + 280 - 6))));
        assert_eq!(cost.excess(), Ok(Money::whole(631)));
        assert_eq!(cost.in_bps(Money::whole(646)), Ok("129.2".parse().expect("number")));
    }

    #[test]
    fn a_sale_costs_what_the_price_fell_and_gains_what_it_rose() {
        let fills = [fill(1, Side::Sell, 100, "50.5", "0")];
        let cost =
            shortfall(&order(Side::Sell, 200, 100), &fills, &COSTS, Price::whole(49)).expect("fits").expect("adds up");
        assert_eq!((cost.drift, cost.opportunity), (Money::whole(-50), Money::whole(100)));
        assert_eq!(shortfall(&order(Side::Sell, 200, 150), &fills, &COSTS, Price::whole(49)), Ok(None));
    }

    #[test]
    fn strategies_are_summed_apart() {
        let cost =
            |paper, fees| Shortfall { paper: Money::whole(paper), fees: Money::whole(fees), ..Shortfall::default() };
        let [first, second]: [Label; 2] = ["first", "second"].map(|name| name.parse().expect("name"));
        let sums =
            shortfall_by_strategy([(second, cost(7, 3)), (first, cost(1, 1)), (first, cost(2, 4))]).expect("fits");
        assert_eq!(sums.into_iter().collect::<Vec<_>>(), [(first, cost(3, 5)), (second, cost(7, 3))]);
    }
}
