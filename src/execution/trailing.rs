//! How does a trailing stop follow the price? A fixed distance behind the best price, and never back.

use crate::domain::{AmountError, OrderKind, Price, Side};

/// The kind after a bar whose best price for the position was `best`: the high for a sale, the low for a purchase. None if the
/// trigger stays, or if the order has none that follows.
///
/// # Errors
/// When the trigger does not fit.
pub(super) fn follow(kind: OrderKind, side: Side, best: Price) -> Result<Option<OrderKind>, AmountError> {
    let OrderKind::Trailing { trigger, distance } = kind else { return Ok(None) };
    let moved = match side {
        Side::Sell => best.minus(distance)?.max(trigger),
        Side::Buy => best.plus(distance)?.min(trigger),
    };
    Ok((moved != trigger).then_some(OrderKind::Trailing { trigger: moved, distance }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trigger_follows_the_best_price_and_never_goes_back() {
        let kind = |trigger| OrderKind::Trailing { trigger: Price::whole(trigger), distance: Price::whole(5) };
        let follow = |trigger, side, best| follow(kind(trigger), side, Price::whole(best)).expect("fits");
        assert_eq!(follow(95, Side::Sell, 103), Some(kind(98)));
        assert_eq!(follow(95, Side::Sell, 100), None);
        assert_eq!(follow(95, Side::Sell, 90), None);
        assert_eq!(follow(105, Side::Buy, 97), Some(kind(102)));
        assert_eq!(follow(105, Side::Buy, 110), None);
        assert_eq!(super::follow(OrderKind::Market, Side::Buy, Price::whole(1)), Ok(None));
    }
}
