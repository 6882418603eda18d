//! How much? A quantity from equity, price and the distance of the stop.

use serde::{Deserialize, Serialize};

use crate::domain::{AmountError, Money, Price, Quantity};

use super::{Limits, Situation};

/// How the size of an entry is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizing {
    /// The same share of equity each time.
    Fraction,
    /// The same share of equity lost at the stop each time, so that wild symbols get less.
    Atr,
}

impl Sizing {
    /// All, in the order of the docs.
    pub const ALL: [Self; 2] = [Self::Atr, Self::Fraction];

    /// As it is configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Atr => "atr",
        }
    }
}

/// The quantity of an entry, in whole lots, never more than the position limit or the free cash allow; zero if not even one lot
/// fits. `stop_distance` is what one unit loses at the stop.
///
/// # Errors
/// When an amount does not fit.
pub fn size(
    sizing: Sizing,
    price: Price,
    stop_distance: Price,
    lot: Quantity,
    situation: &Situation,
    limits: &Limits,
) -> Result<Quantity, AmountError> {
    let equity = situation.equity;
    let wanted = match sizing {
        Sizing::Fraction => equity.times(limits.fraction_pct)?.buys_at(price),
        Sizing::Atr => equity.times(limits.risk_per_trade_pct)?.buys_at(stop_distance),
    };
    let position_max = equity.times(limits.position_pct)?.minus(situation.held_value)?.buys_at(price);
    // The next open may lie above this close, and fees come on top: one percent of the cash stays out of the plan.
    let cash_max = situation.free_cash.scaled(99, 100)?.buys_at(price);
    let quantity = wanted.min(position_max).min(cash_max).max(Quantity::ZERO);
    Ok(quantity.in_lots(lot))
}

/// What `quantity` loses between `price` and `stop`; never negative.
///
/// # Errors
/// When the value does not fit.
pub(super) fn loss_to_stop(quantity: Quantity, price: Price, stop: Price) -> Result<Money, AmountError> {
    Ok(quantity.value_at(price.minus(stop)?)?.max(Money::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wild_symbols_get_less_and_the_position_limit_caps() {
        let situation = Situation::of_capital(Money::whole(10_000));
        let limits = Limits::default();
        let shares = |sizing, distance: &str| {
            let distance = distance.parse().expect("price");
            size(sizing, Price::whole(100), distance, Quantity::whole(1), &situation, &limits).expect("fits")
        };
        // 0.5 % of 10,000 is 50: at 5 a share that is 10, at 2.5 it would be 20, which is also the cap of 20 %.
        assert_eq!(shares(Sizing::Atr, "5"), Quantity::whole(10));
        assert_eq!(shares(Sizing::Atr, "2.5"), Quantity::whole(20));
        assert_eq!(shares(Sizing::Atr, "0.1"), Quantity::whole(20));
        assert_eq!(shares(Sizing::Fraction, "5"), Quantity::whole(10));
        assert_eq!(shares(Sizing::Atr, "0"), Quantity::ZERO);
        assert_eq!(loss_to_stop(Quantity::whole(3), Price::whole(10), Price::whole(11)), Ok(Money::ZERO));
    }
}
