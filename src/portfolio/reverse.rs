//! How would a book stand if fills had never been? They are done once more beside it, and what they did is taken off.

use super::apply::{Attribution, Change, apply_fill};
use crate::domain::{AmountError, Book, ExitReason, Money, Position, Trade, TradeFill};

/// A book without some of its fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// How it stands.
    pub book: Book,
    /// The round trip that they ended, which goes on.
    pub ended: Option<Trade>,
}

/// The book as if these fills of one symbol, of which `before` was held, had never been: to the last unit. None if there are no fills, or
/// what is held is not exactly what they left: other fills, a split, or what holding brought would be lost.
///
/// # Errors
/// When an amount does not fit.
pub fn reverse(book: &Book, before: Option<&Position>, fills: &[TradeFill]) -> Result<Option<Reversal>, AmountError> {
    let Some(first) = fills.first() else { return Ok(None) };
    let held = book.position(first.symbol);
    let Some(whose) = held.or(before) else { return Ok(None) };
    let by = Attribution { strategy: whose.strategy, trade: whose.trade, reason: ExitReason::Closed };
    let mut beside = Book::new(book.name, &book.currency, Money::ZERO);
    beside.positions.extend(before.cloned());
    let mut ended = None;
    for fill in fills {
        match apply_fill(&mut beside, fill, by)?.change {
            _ if ended.is_some() => return Ok(None),
            Change::Closed(trade) => ended = Some(trade),
            Change::Flipped(_) => return Ok(None),
            Change::Opened | Change::Scaled => {}
        }
    }
    if !is_left(held, beside.position(first.symbol)) {
        return Ok(None);
    }
    let mut undone = book.clone();
    undone.cash = book.cash.minus(beside.cash)?;
    undone.realised = book.realised.minus(beside.realised)?;
    undone.fees = book.fees.minus(beside.fees)?;
    undone.positions.retain(|other| other.symbol != first.symbol);
    if let Some(before) = before {
        let mut back = before.clone();
        if let Some(held) = held {
            (back.best, back.worst, back.protection) = (held.best, held.worst, held.protection);
        }
        let place = undone.positions.partition_point(|other| other.trade < back.trade);
        undone.positions.insert(place, back);
    }
    Ok(Some(Reversal { book: undone, ended }))
}

/// Whether this is held. How far the price went and where the stop lies may have changed since.
fn is_left(held: Option<&Position>, left: Option<&Position>) -> bool {
    match (held, left) {
        (Some(held), Some(left)) => {
            *held == Position { best: held.best, worst: held.worst, protection: held.protection, ..left.clone() }
        }
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::{FillId, FillLeg, OrderId, Price, Quantity, Side, TradeId};
    use crate::portfolio::{apply_carry, apply_split};

    fn fill(side: Side, quantity: &str, price: &str) -> TradeFill {
        TradeFill {
            id: FillId(1),
            order: OrderId(1),
            book: "main".parse().expect("a name"),
            symbol: "AAPL".parse().expect("a symbol"),
            side,
            quantity: quantity.parse().expect("a quantity"),
            price: price.parse().expect("a price"),
            fee: "1.03".parse().expect("money"),
            slippage: Money::ZERO,
            leg: FillLeg::Market,
            at: Timestamp::from_ms(7),
        }
    }

    fn book(fills: &[TradeFill]) -> Book {
        let mut book = Book::new("main".parse().expect("a name"), "USD", Money::whole(10_000));
        take(&mut book, fills);
        book
    }

    fn take(book: &mut Book, fills: &[TradeFill]) {
        for fill in fills {
            let strategy = "by_hand".parse().expect("a name");
            let by = Attribution { strategy, trade: TradeId(5), reason: ExitReason::Closed };
            apply_fill(book, fill, by).expect("fits");
        }
    }

    #[test]
    fn fills_are_taken_back_to_the_last_unit() {
        let held = [fill(Side::Buy, "3", "33.33333333"), fill(Side::Buy, "4", "35.7")];
        let cases: [(&[TradeFill], Vec<TradeFill>); 4] = [
            (&[], held.to_vec()),
            (&held, vec![fill(Side::Buy, "0.1", "31")]),
            (&held, vec![fill(Side::Sell, "1.7", "36.1"), fill(Side::Sell, "0.3", "36")]),
            (&held, vec![fill(Side::Sell, "1.7", "36.1"), fill(Side::Sell, "5.3", "30")]),
        ];
        for (first, then) in cases {
            let was = book(first);
            let mut now = was.clone();
            take(&mut now, &then);
            let before = was.positions.first();
            let back = reverse(&now, before, &then).expect("fits").expect("possible");
            assert_eq!(plain(back.book.clone()), plain(was.clone()));
            assert_eq!((back.book.balances(), back.ended.is_some()), (Ok(true), now.positions.is_empty()));
        }
    }

    /// Without how far the price went, which nothing takes back.
    fn plain(mut book: Book) -> Book {
        book.positions.iter_mut().for_each(|held| (held.best, held.worst) = (Price::ZERO, Price::ZERO));
        book
    }

    #[test]
    fn nothing_is_taken_back_from_what_is_another_since() {
        let (first, then) = ([fill(Side::Buy, "3", "33")], [fill(Side::Buy, "4", "35")]);
        let was = book(&first);
        let before = was.positions.first();
        let mut now = was.clone();
        take(&mut now, &then);
        let symbol = then[0].symbol;
        let others: [fn(&mut Book, crate::domain::Symbol); 3] = [
            |book, _| take(book, &[fill(Side::Buy, "1", "35"), fill(Side::Sell, "1", "35")]),
            |book, symbol| apply_carry(book, symbol, Money::whole(1)).expect("fits"),
            |book, symbol| {
                let split = crate::domain::Split { instrument: 0, numerator: 2, denominator: 1 };
                apply_split(book, symbol, split).expect("fits");
            },
        ];
        for other in others {
            let mut other_now = now.clone();
            other(&mut other_now, symbol);
            assert_eq!(reverse(&other_now, before, &then), Ok(None));
        }
        let mut bigger = now.clone();
        bigger.positions[0].quantity = Quantity::whole(8);
        assert_eq!(reverse(&bigger, before, &then), Ok(None));
        assert!(reverse(&now, before, &then).expect("fits").is_some());
    }
}
