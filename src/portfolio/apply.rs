//! Fills into a book. The invariant of `Book` holds after every fill, since each amount is rounded once and then only moved.

use crate::domain::{
    AmountError, Book, ExitReason, FillLeg, Label, Money, Position, Price, Quantity, Split, Symbol, Trade, TradeFill,
    TradeId,
};

/// Whose fill it is, for positions it opens.
#[derive(Debug, Clone, Copy)]
pub struct Attribution {
    /// Who wanted it.
    pub strategy: Label,
    /// The number of the next round trip.
    pub trade: TradeId,
    /// Why the position is left, where neither stop nor target says so.
    pub reason: ExitReason,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something is held that was not before.
    Opened,
    /// More or less is held than before.
    Scaled,
    /// Nothing is held any more.
    Closed(Trade),
    /// The position ended and another began on the other side.
    Flipped(Trade),
}

/// The outcome of a fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What changed.
    pub change: Change,
    /// True if the number of the next round trip was used.
    pub used_trade_id: bool,
}

/// Books a fill. Cost basis is average cost, kept as total cost.
///
/// # Errors
/// When an amount does not fit; the book is unchanged then.
pub fn apply_fill(book: &mut Book, fill: &TradeFill, by: Attribution) -> Result<Applied, AmountError> {
    let mut next = book.clone();
    let applied = book_fill(&mut next, fill, by)?;
    *book = next;
    Ok(applied)
}

fn book_fill(book: &mut Book, fill: &TradeFill, by: Attribution) -> Result<Applied, AmountError> {
    let signed = Quantity::from_units(fill.quantity.units() * fill.side.sign());
    let value = fill.quantity.value_at(fill.price)?;
    book.cash = book.cash.minus(fill.fee)?;
    book.fees = book.fees.plus(fill.fee)?;
    let Some(index) = book.positions.iter().position(|held| held.symbol == fill.symbol) else {
        open(book, fill, by, signed, value, fill.fee)?;
        return Ok(Applied { change: Change::Opened, used_trade_id: true });
    };
    let held = book.positions[index].quantity;
    if held.units().signum() == signed.units().signum() {
        enlarge(book, index, signed, value, fill.fee)?;
        return Ok(Applied { change: Change::Scaled, used_trade_id: false });
    }
    let closing = signed.abs().min(held.abs());
    let closing_value = value.scaled(closing.units(), fill.quantity.units())?;
    let closing_fee = fill.fee.scaled(closing.units(), fill.quantity.units())?;
    let trade = shrink(book, index, fill, by.reason, closing, (closing_value, closing_fee))?;
    let rest = signed.plus(held)?;
    match trade {
        None => Ok(Applied { change: Change::Scaled, used_trade_id: false }),
        Some(trade) if rest.is_zero() => Ok(Applied { change: Change::Closed(trade), used_trade_id: false }),
        Some(trade) => {
            open(book, fill, by, rest, value.minus(closing_value)?, fill.fee.minus(closing_fee)?)?;
            Ok(Applied { change: Change::Flipped(trade), used_trade_id: true })
        }
    }
}

/// The money that a purchase takes (positive) or a sale brings (negative).
fn flow(signed: Quantity, value: Money) -> Money {
    if signed < Quantity::ZERO { value.negated() } else { value }
}

fn open(
    book: &mut Book,
    fill: &TradeFill,
    by: Attribution,
    signed: Quantity,
    value: Money,
    fee: Money,
) -> Result<(), AmountError> {
    let cost = flow(signed, value);
    book.cash = book.cash.minus(cost)?;
    book.positions.push(Position {
        trade: by.trade,
        symbol: fill.symbol,
        strategy: by.strategy,
        quantity: signed,
        cost,
        opened: fill.at,
        entered: signed.abs(),
        entered_value: value,
        exited_value: Money::ZERO,
        fees: fee,
        carried: Money::ZERO,
        best: fill.price,
        worst: fill.price,
        protection: None,
    });
    Ok(())
}

fn enlarge(book: &mut Book, index: usize, signed: Quantity, value: Money, fee: Money) -> Result<(), AmountError> {
    let cost = flow(signed, value);
    book.cash = book.cash.minus(cost)?;
    let position = &mut book.positions[index];
    position.quantity = position.quantity.plus(signed)?;
    position.cost = position.cost.plus(cost)?;
    position.entered = position.entered.plus(signed.abs())?;
    position.entered_value = position.entered_value.plus(value)?;
    position.fees = position.fees.plus(fee)?;
    Ok(())
}

/// Takes `closing` off a position; the finished round trip if nothing is left.
fn shrink(
    book: &mut Book,
    index: usize,
    fill: &TradeFill,
    reason: ExitReason,
    closing: Quantity,
    (value, fee): (Money, Money),
) -> Result<Option<Trade>, AmountError> {
    let position = &mut book.positions[index];
    let held = position.quantity;
    let gone = if closing == held.abs() {
        position.cost
    } else {
        position.cost.scaled(closing.units(), held.abs().units())?
    };
    // A sale brings money in, buying back a short takes it out.
    let income = flow(held, value);
    book.cash = book.cash.plus(income)?;
    book.realised = book.realised.plus(income.minus(gone)?)?;
    position.note_range(fill.price, fill.price);
    position.cost = position.cost.minus(gone)?;
    position.quantity = held.minus(Quantity::from_units(closing.units() * held.units().signum()))?;
    position.exited_value = position.exited_value.plus(value)?;
    position.fees = position.fees.plus(fee)?;
    if !position.quantity.is_zero() {
        return Ok(None);
    }
    let ended = book.positions.remove(index);
    finish(book.name, &ended, held, fill, reason).map(Some)
}

fn finish(
    book: Label,
    ended: &Position,
    held: Quantity,
    fill: &TradeFill,
    reason: ExitReason,
) -> Result<Trade, AmountError> {
    let gross = flow(held, ended.exited_value.minus(ended.entered_value)?);
    let entry_price = ended.entered_value.per(ended.entered);
    let reached = |price: Price| ended.entered.value_at(price.minus(entry_price)?).map(|gain| flow(held, gain));
    Ok(Trade {
        id: ended.trade,
        book,
        symbol: ended.symbol,
        strategy: ended.strategy,
        side: fill.side.opposite(),
        quantity: ended.entered,
        entry_price,
        exit_price: ended.exited_value.per(ended.entered),
        opened: ended.opened,
        closed: fill.at,
        fees: ended.fees,
        carried: ended.carried,
        profit: gross.minus(ended.fees)?.plus(ended.carried)?,
        best: reached(ended.best)?,
        worst: reached(ended.worst)?,
        reason: match fill.leg {
            FillLeg::Stop => ExitReason::Stop,
            FillLeg::Target => ExitReason::Target,
            FillLeg::Market | FillLeg::Limit => reason,
        },
    })
}

/// Books what a position brought in or cost without a fill.
///
/// # Errors
/// When an amount does not fit; the book is unchanged then.
pub fn apply_carry(book: &mut Book, symbol: Symbol, amount: Money) -> Result<(), AmountError> {
    let (cash, carried) = (book.cash.plus(amount)?, book.carried.plus(amount)?);
    let Some(position) = book.position_mut(symbol) else { return Ok(()) };
    position.carried = position.carried.plus(amount)?;
    (book.cash, book.carried) = (cash, carried);
    Ok(())
}

/// Follows a split: more shares at the same total cost. The levels move with the price.
///
/// # Errors
/// When the new quantity does not fit; the book is unchanged then.
pub fn apply_split(book: &mut Book, symbol: Symbol, split: Split) -> Result<(), AmountError> {
    let Some(position) = book.position_mut(symbol) else { return Ok(()) };
    let (new, old) = (split.numerator, split.denominator);
    let mut next = position.clone();
    next.quantity = next.quantity.scaled(new, old)?;
    next.entered = next.entered.scaled(new, old)?;
    next.best = next.best.scaled(old, new)?;
    next.worst = next.worst.scaled(old, new)?;
    if let Some(levels) = &mut next.protection {
        levels.stop = levels.stop.scaled(old, new)?;
        levels.target = levels.target.map(|target| target.scaled(old, new)).transpose()?;
        levels.trail = levels.trail.map(|trail| trail.scaled(old, new)).transpose()?;
    }
    *position = next;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{FillId, OrderId, Side};

    fn fill(symbol: &str, side: Side, quantity: i64, price: i64, fee: i64) -> TradeFill {
        TradeFill {
            id: FillId(1),
            order: OrderId(1),
            book: "main".parse().expect("name"),
            symbol: symbol.parse().expect("symbol"),
            side,
            quantity: Quantity::from_units(quantity),
            price: Price::from_units(price),
            fee: Money::from_units(fee),
            slippage: Money::ZERO,
            leg: FillLeg::Market,
            at: Timestamp::from_ms(0),
        }
    }

    fn book() -> Book {
        Book::new("main".parse().expect("name"), "USD", Money::whole(10_000))
    }

    fn by(trade: u64) -> Attribution {
        Attribution { strategy: "test".parse().expect("name"), trade: TradeId(trade), reason: ExitReason::Signal }
    }

    proptest! {
        /// Invariants: cash + positions at cost = capital + realised + carried - fees, to the last unit, after any sequence of fills on
        /// both sides, with odd quantities and prices and a dividend here and there; once flat, the sum of the trades' profits equals the change of cash.
        #[test]
        fn the_book_balances_after_any_fills(
            fills in prop::collection::vec((0..3usize, any::<bool>(), 1..5_000_000_000i64, 1..900_000_000_000i64, 0..100_000_000i64), 1..60)
        ) {
            let mut book = book();
            let mut profit = Money::ZERO;
            for (index, (symbol, buy, quantity, price, fee)) in fills.into_iter().enumerate() {
                let side = if buy { Side::Buy } else { Side::Sell };
                let fill = fill(["AAPL", "MSFT", "BTC-USD"][symbol], side, quantity, price, fee);
                apply_carry(&mut book, fill.symbol, Money::from_units(quantity % 977 - 300)).expect("fits");
                let applied = apply_fill(&mut book, &fill, by(index as u64)).expect("fits");
                if let Change::Closed(trade) | Change::Flipped(trade) = applied.change {
                    profit = profit.plus(trade.profit).expect("fits");
                }
                prop_assert!(book.balances().expect("fits"));
                prop_assert!(book.positions.iter().all(|held| !held.quantity.is_zero()));
            }
            for held in book.positions.clone() {
                let fill = fill(held.symbol.as_str(), held.side().opposite(), held.quantity.abs().units(), 7_777_777_777, 13);
                if let Change::Closed(trade) = apply_fill(&mut book, &fill, by(0)).expect("fits").change {
                    profit = profit.plus(trade.profit).expect("fits");
                }
            }
            prop_assert_eq!(book.cash.minus(book.capital).expect("fits"), profit);
        }
    }

    #[test]
    fn a_fill_that_does_not_fit_changes_nothing() {
        let mut book = book();
        let before = book.clone();
        let huge = fill("AAPL", Side::Buy, i64::MAX, i64::MAX, 0);
        assert_eq!(apply_fill(&mut book, &huge, by(1)), Err(AmountError::Overflow));
        assert_eq!(book, before);
    }

    #[test]
    fn the_fill_that_ends_a_trade_belongs_to_its_range() {
        for (exit, best, worst) in [(90, 0, -10), (130, 30, 0)] {
            let mut book = book();
            let units = |whole: i64| whole * 100_000_000;
            apply_fill(&mut book, &fill("AAPL", Side::Buy, units(1), units(100), 0), by(1)).expect("fits");
            let left = fill("AAPL", Side::Sell, units(1), units(exit), 0);
            let Change::Closed(trade) = apply_fill(&mut book, &left, by(1)).expect("fits").change else {
                panic!("closed")
            };
            assert_eq!((trade.best, trade.worst), (Money::whole(best), Money::whole(worst)));
        }
    }

    #[test]
    fn a_split_keeps_the_money_and_moves_the_levels() {
        let mut book = book();
        apply_fill(&mut book, &fill("AAPL", Side::Buy, 300_000_000, 64_500_000_000, 0), by(1)).expect("fits");
        let cost = book.positions[0].cost;
        let split = Split { instrument: 0, numerator: 7, denominator: 1 };
        apply_split(&mut book, "AAPL".parse().expect("symbol"), split).expect("fits");
        assert_eq!((book.positions[0].quantity, book.positions[0].cost), (Quantity::whole(21), cost));
        assert!(book.balances().expect("fits"));
    }
}
