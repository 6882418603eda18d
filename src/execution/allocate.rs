//! Who gets how much where orders want more than a bar has? Books that meet it at one price share by what they ask for; within a
//! book the older order comes first.

use crate::domain::{Label, Quantity};

/// What one order asks for at a price.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    /// Its book.
    pub(super) book: Label,
    /// How much; positive.
    pub(super) wanted: Quantity,
    /// True if it leaves a position: such orders of one book share what is held, and none leaves what another left.
    pub(super) leaves: bool,
    /// True if it takes all or nothing.
    pub(super) whole: bool,
    /// The most that its book may take, by its share of the volume.
    pub(super) cap: Quantity,
}

/// How much each claim gets, in the order of the claims. Quantities are whole lots, or all that a claim wants. Where a claim wants all
/// or nothing and its part does not reach, it gets nothing and the others share again; of several such the last gives way first.
pub(super) fn allocate(claims: &[Claim], lot: Quantity) -> Vec<Quantity> {
    let mut standing: Vec<bool> = vec![true; claims.len()];
    loop {
        let (given, short) = allocate_once(claims, &standing, lot);
        match short {
            Some(index) => standing[index] = false,
            None => return given,
        }
    }
}

/// The quantities, and the last standing claim that wants all or nothing and would get less.
fn allocate_once(claims: &[Claim], standing: &[bool], lot: Quantity) -> (Vec<Quantity>, Option<usize>) {
    let mut books = demands(claims, standing);
    share_volume(&mut books, lot);
    let mut given = vec![Quantity::ZERO; claims.len()];
    let mut short = None;
    for (index, claim) in claims.iter().enumerate().filter(|(index, _)| standing[*index]) {
        let Some(book) = books.iter_mut().find(|book| book.name == claim.book) else { continue };
        let wanted =
            if claim.leaves { claim.wanted.units() - book.left_by_leaving } else { claim.wanted.units() }.max(0);
        // Leaving must be possible to the last fraction, even where a split left less than a lot.
        let gets = if book.budget >= wanted { wanted } else { in_lots(book.budget, lot) };
        if claim.whole && gets < wanted {
            short = Some(index);
            continue;
        }
        book.budget -= gets;
        book.left_by_leaving += if claim.leaves { gets } else { 0 };
        given[index] = Quantity::from_units(gets);
    }
    (given, short)
}

/// All claims of one book.
struct BookDemand {
    name: Label,
    entering: i64,
    leaving: i64,
    cap: i64,
    budget: i64,
    left_by_leaving: i64,
}

impl BookDemand {
    fn open(&self) -> i64 {
        self.entering.saturating_add(self.leaving) - self.budget
    }
}

fn demands(claims: &[Claim], standing: &[bool]) -> Vec<BookDemand> {
    let mut books: Vec<BookDemand> = Vec::new();
    for claim in claims.iter().zip(standing).filter(|(_, standing)| **standing).map(|(claim, _)| claim) {
        let (name, cap, wanted) = (claim.book, claim.cap.units().max(0), claim.wanted.units().max(0));
        let index = books.iter().position(|book| book.name == name).unwrap_or_else(|| {
            books.push(BookDemand { name, entering: 0, leaving: 0, cap, budget: 0, left_by_leaving: 0 });
            books.len() - 1
        });
        let book = &mut books[index];
        if claim.leaves {
            book.leaving = book.leaving.max(wanted);
        } else {
            book.entering = book.entering.saturating_add(wanted);
        }
    }
    books
}

/// Fills the budgets. Books may have different caps: what the lowest allows is shared by all, what the next one allows beyond that by
/// those that may take it, and so on.
fn share_volume(books: &mut [BookDemand], lot: Quantity) {
    let mut caps: Vec<i64> = books.iter().map(|book| book.cap).collect();
    caps.sort_unstable();
    caps.dedup();
    for cap in caps {
        let taken: i64 = books.iter().map(|book| book.budget).sum();
        let mut sharing: Vec<&mut BookDemand> =
            books.iter_mut().filter(|book| book.cap >= cap && book.open() > 0).collect();
        share_pro_rata(&mut sharing, cap - taken, lot);
    }
}

/// Shares `pool` by what is still wanted, by the method of largest remainders: everyone gets the whole lots of their exact part, then
/// the largest fractions get a lot more, at equal fractions the first, until no lot is left.
fn share_pro_rata(books: &mut [&mut BookDemand], pool: i64, lot: Quantity) {
    let wanted: i128 = books.iter().map(|book| i128::from(book.open())).sum();
    if i128::from(pool) >= wanted {
        for book in books {
            book.budget += book.open();
        }
        return;
    }
    if let [only] = books {
        only.budget += pool;
        return;
    }
    let mut rests = Vec::with_capacity(books.len());
    let mut left = pool;
    for (index, book) in books.iter_mut().enumerate() {
        let part = i128::from(pool) * i128::from(book.open());
        let gets = in_lots(i64::try_from(part / wanted).unwrap_or(0), lot);
        rests.push((part - i128::from(gets) * wanted, index));
        book.budget += gets;
        left -= gets;
    }
    rests.sort_by_key(|(rest, index)| (-rest, *index));
    let step = lot.units().max(1);
    let mut given = true;
    while given && left > 0 {
        given = false;
        for (_, index) in &rests {
            let gets = step.min(books[*index].open());
            if gets > 0 && gets <= left {
                books[*index].budget += gets;
                left -= gets;
                given = true;
            }
        }
    }
}

fn in_lots(units: i64, lot: Quantity) -> i64 {
    Quantity::from_units(units).in_lots(lot).units()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOOKS: [&str; 3] = ["first", "second", "third"];

    fn claim(book: usize, wanted: i64, cap: i64) -> Claim {
        let [wanted, cap] = [wanted, cap].map(Quantity::from_units);
        Claim { book: BOOKS[book].parse().expect("name"), wanted, leaves: false, whole: false, cap }
    }

    fn given(claims: &[Claim], lot: i64) -> Vec<i64> {
        allocate(claims, Quantity::from_units(lot)).into_iter().map(Quantity::units).collect()
    }

    #[test]
    fn books_share_by_what_they_ask_for_and_the_largest_remainder_gets_the_odd_lot() {
        assert_eq!(given(&[claim(0, 60, 100), claim(1, 30, 100)], 1), [60, 30]);
        assert_eq!(given(&[claim(0, 60, 10), claim(1, 30, 10)], 1), [7, 3]);
        assert_eq!(given(&[claim(0, 30, 10), claim(1, 60, 10)], 1), [3, 7]);
        assert_eq!(given(&[claim(0, 50, 9), claim(1, 50, 9)], 1), [5, 4]);
        assert_eq!(given(&[claim(0, 100, 70), claim(1, 100, 70), claim(2, 100, 70)], 10), [30, 20, 20]);
        // Within a book the first comes first.
        assert_eq!(given(&[claim(0, 30, 40), claim(1, 40, 40), claim(0, 10, 40)], 1), [20, 20, 0]);
        // A book that may take more takes the rest.
        assert_eq!(given(&[claim(0, 50, 20), claim(1, 50, 60)], 1), [10, 50]);
        assert_eq!(given(&[claim(0, 50, -3), claim(1, 50, -3)], 1), [0, 0]);
    }

    #[test]
    fn orders_that_leave_one_position_leave_it_once() {
        let leaving = |wanted| Claim { leaves: true, ..claim(0, wanted, 60) };
        assert_eq!(given(&[leaving(40), leaving(40)], 1), [40, 0]);
        assert_eq!(given(&[leaving(40), leaving(50), claim(1, 50, 60)], 1), [30, 0, 30]);
        assert_eq!(given(&[leaving(10), leaving(40)], 1), [10, 30]);
    }

    #[test]
    fn all_or_nothing_gives_way_when_its_part_does_not_reach() {
        let whole = |book, wanted| Claim { whole: true, ..claim(book, wanted, 100) };
        assert_eq!(given(&[whole(0, 60), claim(1, 60, 100)], 1), [0, 60]);
        assert_eq!(given(&[whole(0, 60), whole(1, 60)], 1), [60, 0]);
        assert_eq!(given(&[whole(0, 100)], 1), [100]);
        assert_eq!(given(&[whole(0, 101)], 1), [0]);
    }

    proptest! {
        /// Nobody gets more than they want or their book may take, what is given is whole lots or all that was wanted, and nothing
        /// that somebody could have used stays over.
        #[test]
        fn what_is_there_is_given_away_and_no_more(
            rows in prop::collection::vec((0..3usize, 1..60i64, any::<bool>(), any::<bool>()), 1..8),
            caps in prop::array::uniform3(0..150i64), lot in 1..12i64
        ) {
            let claims: Vec<Claim> = rows.iter().map(|(book, wanted, leaves, whole)| {
                Claim { leaves: *leaves, whole: *whole, ..claim(*book, *wanted, caps[*book]) }
            }).collect();
            let given = given(&claims, lot);
            let total: i64 = given.iter().sum();
            for (claim, gets) in claims.iter().zip(&given) {
                prop_assert!((0..=claim.wanted.units()).contains(gets));
                prop_assert!(!claim.whole || claim.leaves || *gets == 0 || *gets == claim.wanted.units());
            }
            for (book, cap) in caps.iter().enumerate() {
                let own = |leaves| rows.iter().zip(&given).filter(move |(row, _)| row.0 == book && row.2 == leaves);
                let all: i64 = own(true).chain(own(false)).map(|(_, gets)| gets).sum();
                prop_assert!(all <= *cap);
                let held = own(true).map(|(row, _)| row.1).max().unwrap_or(0);
                prop_assert!(own(true).map(|(_, gets)| gets).sum::<i64>() <= held);
            }
            prop_assert!(total <= caps.into_iter().max().unwrap_or(0));
            let plain = rows.iter().all(|(_, wanted, leaves, whole)| wanted % lot == 0 && !leaves && !whole);
            if plain && caps[0] == caps[1] && caps[1] == caps[2] {
                let wanted: i64 = rows.iter().map(|row| row.1).sum();
                prop_assert_eq!(total, wanted.min(caps[0] - caps[0] % lot));
            }
        }
    }
}
