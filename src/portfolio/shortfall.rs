//! What did trading cost against what it was decided at? Implementation shortfall, after Perold (The Implementation Shortfall: Paper
//! versus Reality, Journal of Portfolio Management, 1988): the paper portfolio gets all of an order at the price it was decided at and
//! pays nothing; what the real one falls short of that is the cost. Amounts are costs: a negative one is a gain.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{
    AmountError, FillLeg, Label, Money, Order, OrderId, OrderKind, Price, Purpose, Quantity, Ratio, TradeFill,
};

/// What a cost model expects of an order before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expected {
    /// Share of a fill's value that the broker takes.
    pub fee: Ratio,
    /// How much worse an order fills that is no limit, as a share of its price.
    pub slippage: Ratio,
}

impl Expected {
    /// Fee and slippage of a quantity at `reference`. Limits do not slip. Impact is not in it, since nobody knows the volume of a
    /// bar to come.
    ///
    /// # Errors
    /// When an amount does not fit.
    pub fn of(&self, kind: OrderKind, quantity: Quantity, reference: Price) -> Result<Money, AmountError> {
        let value = quantity.value_at(reference)?;
        let fee = value.times(self.fee)?;
        match kind {
            OrderKind::Limit { .. } => Ok(fee),
            OrderKind::Market
            | OrderKind::Stop { .. }
            | OrderKind::StopLimit { .. }
            | OrderKind::Trailing { .. }
            | OrderKind::Bracket { .. } => fee.plus(value.times(self.slippage)?),
        }
    }

    /// The same of a fill of a protective order at its level: a target does not slip.
    fn of_level(&self, leg: FillLeg, quantity: Quantity, level: Price) -> Result<Money, AmountError> {
        let kind = if leg == FillLeg::Target { OrderKind::Limit { price: level } } else { OrderKind::Market };
        self.of(kind, quantity, level)
    }
}

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
/// at which the order ended, or the last one that is known. None if the fills do not add up to what the order says is filled, as
/// when a split lies between them: their prices cannot be compared then.
///
/// A protective order is decided at its level, not at the price of the day it was placed, and only for what filled there: a stop
/// that was never reached cost nothing.
///
/// # Errors
/// When an amount does not fit.
pub fn shortfall<'a>(
    order: &Order,
    fills: impl IntoIterator<Item = &'a TradeFill>,
    expected: Expected,
    last: Price,
) -> Result<Option<Shortfall>, AmountError> {
    let protects = order.purpose == Purpose::Protect;
    let worse = |quantity: Quantity, price: Price, decided: Price| {
        quantity.value_at(price.minus(decided)?)?.scaled(order.side.sign(), 1)
    };
    let mut sum = Shortfall::default();
    if !protects {
        sum.paper = order.quantity.value_at(order.reference)?;
        sum.expected = expected.of(order.kind, order.quantity, order.reference)?;
        sum.opportunity = worse(order.remaining(), last, order.reference)?;
    }
    let mut filled = Quantity::ZERO;
    for fill in fills.into_iter().filter(|fill| fill.order == order.id) {
        filled = filled.plus(fill.quantity)?;
        let decided = if protects { level(order, fill.leg) } else { order.reference };
        if protects {
            sum.paper = sum.paper.plus(fill.quantity.value_at(decided)?)?;
            sum.expected = sum.expected.plus(expected.of_level(fill.leg, fill.quantity, decided)?)?;
        }
        sum.drift = sum.drift.plus(worse(fill.quantity, fill.price, decided)?.minus(fill.slippage)?)?;
        sum.slippage = sum.slippage.plus(fill.slippage)?;
        sum.fees = sum.fees.plus(fill.fee)?;
    }
    Ok((filled == order.filled).then_some(sum))
}

/// The level of a protective order that a fill of this leg was at.
fn level(order: &Order, leg: FillLeg) -> Price {
    match order.kind {
        OrderKind::Bracket { target: Some(target), .. } if leg == FillLeg::Target => target,
        OrderKind::Bracket { stop, .. } => stop,
        OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. } | OrderKind::Trailing { trigger, .. } => {
            trigger
        }
        OrderKind::Limit { price } => price,
        OrderKind::Market => order.reference,
    }
}

/// The shortfall of each order that has one, in the order given: not of a protective order that never filled, nor of one whose
/// fills cannot be compared. `last` is asked for the price of what did not fill; where there is none, that missed nothing.
///
/// # Errors
/// When an amount does not fit.
pub fn shortfalls<'a>(
    orders: impl IntoIterator<Item = &'a Order>,
    fills: &[TradeFill],
    expected: impl Fn(&Order) -> Expected,
    last: impl Fn(&Order) -> Option<Price>,
) -> Result<Vec<(&'a Order, Shortfall)>, AmountError> {
    let mut by_order: HashMap<OrderId, Vec<&TradeFill>> = HashMap::new();
    for fill in fills {
        by_order.entry(fill.order).or_default().push(fill);
    }
    let mut all = Vec::new();
    for order in orders {
        let own = by_order.get(&order.id).map_or(&[][..], Vec::as_slice);
        let last = last(order).unwrap_or(order.reference);
        if order.purpose == Purpose::Protect && own.is_empty() {
            continue;
        }
        if let Some(cost) = shortfall(order, own.iter().copied(), expected(order), last)? {
            all.push((order, cost));
        }
    }
    Ok(all)
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
    use crate::domain::{FillId, OrderStatus, Side, TimeInForce};

    const COSTS: Expected = Expected { fee: Ratio::from_bps(1), slippage: Ratio::from_bps(2) };

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
            audit: None,
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
            shortfall(&order(Side::Buy, 1000, 800), &fills, COSTS, Price::whole(52)).expect("fits").expect("adds up");
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
            shortfall(&order(Side::Sell, 200, 100), &fills, COSTS, Price::whole(49)).expect("fits").expect("adds up");
        assert_eq!((cost.drift, cost.opportunity), (Money::whole(-50), Money::whole(100)));
        assert_eq!(shortfall(&order(Side::Sell, 200, 150), &fills, COSTS, Price::whole(49)), Ok(None));
    }

    /// 100 shares bought at 50, stop 48, target 55: the stop fills at 47.50 through a gap of 0.40 and 0.10 of slippage.
    #[test]
    fn a_stop_is_measured_from_its_level_and_one_that_never_filled_is_left_out() {
        let kind = OrderKind::Bracket { stop: Price::whole(48), target: Some(Price::whole(55)) };
        let bracket = |filled| Order { kind, purpose: Purpose::Protect, ..order(Side::Sell, 100, filled) };
        let at = |leg, price, slippage| [TradeFill { leg, ..fill(1, Side::Sell, 100, price, slippage) }];
        let cost = |order: &Order, fills: &[TradeFill]| {
            let all = shortfalls([order], fills, |_| COSTS, |_| Some(Price::whole(60))).expect("fits");
            all.first().map(|(_, cost)| *cost)
        };
        let stopped = cost(&bracket(100), &at(FillLeg::Stop, "47.5", "10")).expect("filled");
        assert_eq!(
            (stopped.paper, stopped.drift, stopped.slippage),
            (Money::whole(4_800), Money::whole(40), Money::whole(10))
        );
        assert_eq!((stopped.expected, stopped.opportunity), ("1.44".parse().expect("money"), Money::ZERO));
        let won = cost(&bracket(100), &at(FillLeg::Target, "55", "0")).expect("filled");
        assert_eq!(
            (won.paper, won.drift, won.expected),
            (Money::whole(5_500), Money::ZERO, "0.55".parse().expect("money"))
        );
        assert_eq!(cost(&bracket(0), &[]), None);
        let never = cost(&order(Side::Buy, 10, 0), &[]).expect("an entry that missed the rise");
        assert_eq!(never.realised(), Ok(Money::whole(100)));
    }

    #[test]
    fn an_order_is_expected_to_cost_its_fee_and_a_market_order_its_slippage_too() {
        let costs = Expected { fee: Ratio::from_bps(1), slippage: Ratio::from_bps(10) };
        let expected = |kind| costs.of(kind, Quantity::whole(50), Price::whole(200));
        assert_eq!(expected(OrderKind::Market), Ok(Money::whole(11)));
        assert_eq!(expected(OrderKind::Limit { price: Price::whole(190) }), Ok(Money::whole(1)));
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
