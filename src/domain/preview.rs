//! What would a change do? Its orders, what they cost, and how the books stand after it, as it was shown before anybody confirmed it.

use serde::{Deserialize, Serialize};

use super::format::{counted, percent};
use super::{
    EntryLock, Label, Money, Order, OrderId, OrderKind, Price, Purpose, Quantity, Ratio, ReduceCause, Side, Symbol,
    TradingState,
};
use crate::clock::Timestamp;

/// How far a price, a stop or an exposure may move between preview and execution; beyond that people are asked anew. In percent of the
/// price, or of equity.
pub const TOLERANCE_PERCENT: i64 = 2;
/// How much more of itself a distance, an open risk or a quantity that follows from a price may be than was shown: a fifth. The quantity
/// that is carried out is the one that was shown.
const SIZE_TOLERANCE: i64 = 5;
/// The most that the open risk may be above what was shown, in basis points of equity.
const RISK_TOLERANCE_BPS: i64 = 50;

/// What a change would do, as it was computed when somebody asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Preview {
    /// What is asked, and what else is to be known of it, a line each.
    pub notes: Vec<Note>,
    /// Orders that go out.
    pub orders: Vec<PlannedOrder>,
    /// Orders that are taken back.
    pub cancels: Vec<PlannedCancel>,
    /// Levels that are set on positions.
    pub levels: Vec<PlannedLevels>,
    /// How each book stands before and after.
    pub books: Vec<BookEffect>,
    /// What people decide on, a line a thing: what is gone when it is carried out makes them decide anew.
    pub basis: Vec<String>,
}

/// A line of words; `{at}` in it stands for an instant of the market, which each reader has in a zone of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The words.
    pub text: String,
    /// The instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self { text, at: None }
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// An order that would be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCancel {
    /// Which.
    pub order: OrderId,
    /// Of which book.
    pub book: Label,
    /// Of what.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How much of it waits.
    pub quantity: Quantity,
}

impl From<&Order> for PlannedCancel {
    fn from(order: &Order) -> Self {
        let Order { id, book, symbol, side, .. } = *order;
        Self { order: id, book, symbol, side, quantity: order.remaining() }
    }
}

/// An order that would go out, or replace one that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOrder {
    /// For which book.
    pub book: Label,
    /// Of what.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub quantity: Quantity,
    /// How.
    pub kind: OrderKind,
    /// What for.
    pub purpose: Purpose,
    /// The price that it would fill at now, slippage included; the limit of a limit order.
    pub price: Price,
    /// The fee at that price.
    pub fee: Money,
    /// The order that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<OrderId>,
    /// Where its position would be left with a loss; entries only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    /// Where its position would take its profit; entries only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Price>,
    /// How far the stop would follow behind the best price; entries only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Price>,
}

/// Levels that would be set on a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLevels {
    /// In which book.
    pub book: Label,
    /// Of what.
    pub symbol: Symbol,
    /// Where a loss ends now; none where nothing ends it.
    pub stop_before: Option<Price>,
    /// Where a loss would end.
    pub stop: Price,
    /// Where a profit would be taken.
    pub target: Option<Price>,
    /// How far the stop would follow behind the best price.
    pub trail: Option<Price>,
}

/// A figure before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moves<T> {
    /// Now.
    pub before: T,
    /// Then.
    pub after: T,
}

/// How a book stands before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookEffect {
    /// Which.
    pub book: Label,
    /// Its currency.
    pub currency: String,
    /// What is not invested.
    pub cash: Moves<Money>,
    /// All positions and working entries without sign, as a share of equity.
    pub exposure: Moves<Ratio>,
    /// What is lost if every stop fills, as a share of equity.
    pub open_risk: Moves<Ratio>,
    /// How near it comes to its limits.
    pub limits: Vec<LimitAfter>,
}

/// A limit, and how much of it is used after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitAfter {
    /// Its name in words.
    pub name: String,
    /// What is used.
    pub value: String,
    /// What is allowed.
    pub limit: String,
}

impl Preview {
    /// Words alone.
    pub fn of_words(text: &str) -> Self {
        Self { notes: text.lines().map(Note::from).collect(), ..Self::default() }
    }

    /// A book in this state since then.
    pub fn add_book(&mut self, name: Label, state: TradingState, since: Timestamp) {
        self.basis.push(format!("book {name} {state} {}", since.ms()));
    }

    /// Who paused or stopped a book, and until when; nothing of one that nobody did.
    pub fn add_pause(&mut self, name: Label, parked: Option<&ReduceCause>, until: Option<Timestamp>) {
        let until = until.map_or(String::new(), |until| format!(" until {}", until.ms()));
        self.basis.extend(parked.map(|cause| format!("pause {name} {cause:?}{until}")));
    }

    /// A book that is to go on.
    pub fn add_resume(&mut self, name: Label) {
        self.basis.push(format!("resume {name}"));
    }

    /// Those of some orders that wait to enter.
    pub fn add_entries(&mut self, orders: &[Order]) {
        let entries = orders.iter().filter(|order| order.purpose == Purpose::Entry);
        self.basis.extend(entries.map(|order| format!("enters {} {}", order.book, order.id)));
    }

    /// A symbol that is locked since then.
    pub fn add_lock(&mut self, symbol: Symbol, since: Timestamp) {
        self.basis.push(format!("lock {symbol} {}", since.ms()));
    }

    /// A symbol that a book keeps out of from one instant to another.
    pub fn add_entry_lock(&mut self, book: Label, lock: &EntryLock) {
        self.basis.push(format!("entry {book} {} {} {}", lock.symbol, lock.since.ms(), lock.until.ms()));
    }

    /// The quantity that was shown of an order in this book, of this symbol and side, if the one that is computed now is near it; else the
    /// one that is computed now.
    pub fn quantity_near(&self, (book, symbol, side): (Label, Symbol, Side), now: Quantity) -> Quantity {
        let is_it = |order: &&PlannedOrder| (order.book, order.symbol, order.side) == (book, symbol, side);
        let shown = self.orders.iter().find(is_it).map(|order| order.quantity);
        let near = |shown: &Quantity| (shown.units() - now.units()).abs() <= shown.units() / SIZE_TOLERANCE;
        shown.filter(near).unwrap_or(now)
    }

    /// What moved beyond the tolerance between this preview and one that is computed now, in words; none if nothing did.
    pub fn moved(&self, now: &Self) -> Option<String> {
        if now.basis.iter().any(|line| !self.basis.contains(line)) {
            return Some("things changed after it was shown".to_owned());
        }
        let same_cancels =
            self.cancels.iter().map(|cancel| cancel.order).eq(now.cancels.iter().map(|cancel| cancel.order));
        if !same_cancels {
            return Some("other orders wait now than were shown to be taken back".to_owned());
        }
        let other = |what: &str, shown: usize, now: usize| {
            (shown != now)
                .then(|| format!("it would {what} now, and {shown} {} shown", if shown == 1 { "was" } else { "were" }))
        };
        let orders =
            other(&format!("send {}", counted(now.orders.len() as u64, "order")), self.orders.len(), now.orders.len());
        let levels = format!("set levels of {}", counted(now.levels.len() as u64, "position"));
        if let Some(what) = orders.or(other(&levels, self.levels.len(), now.levels.len())) {
            return Some(what);
        }
        let orders = self.orders.iter().zip(&now.orders).find_map(|(shown, now)| shown.moved(now));
        let levels = self.levels.iter().zip(&now.levels).find_map(|(shown, now)| shown.moved(now));
        let books = self.books.iter().zip(&now.books).find_map(|(shown, now)| shown.moved(now));
        orders.or(levels).or(books)
    }
}

impl PlannedOrder {
    fn moved(&self, now: &Self) -> Option<String> {
        let what = |order: &Self| (order.book, order.symbol, order.side, order.quantity, order.purpose, order.replaces);
        if what(self) != what(now) {
            let Self { side, quantity, symbol, .. } = now;
            return Some(format!("it would be {side} {quantity} {symbol} now, and {} was shown", self.quantity));
        }
        if self.kind != now.kind {
            return Some(format!("the order of {} would be another kind now than was shown", self.symbol));
        }
        if far(self.price, now.price) {
            return Some(format!("{} stood at {}, now it is at {}", self.symbol, self.price, now.price));
        }
        if far_levels(self.target, now.target) {
            return Some(format!("the target of {} would lie elsewhere now", self.symbol));
        }
        let moved = far_levels(self.stop, now.stop) || far_trails(self.trail, now.trail);
        moved.then(|| format!("the stop of {} would lie elsewhere now", self.symbol))
    }
}

impl PlannedLevels {
    fn moved(&self, now: &Self) -> Option<String> {
        if (self.book, self.symbol) != (now.book, now.symbol) {
            return Some("it would be about another position now".to_owned());
        }
        let moved =
            far(self.stop, now.stop) || far_levels(self.target, now.target) || far_trails(self.trail, now.trail);
        moved.then(|| format!("the levels of {} would be others now", self.symbol))
    }
}

impl BookEffect {
    fn moved(&self, now: &Self) -> Option<String> {
        let tolerance = Ratio::from_percent(TOLERANCE_PERCENT);
        let (shown, is) = (self.exposure.after, now.exposure.after);
        if self.book != now.book || is.minus(shown).map_or(true, |moved| moved.abs() > tolerance) {
            let [shown, is] = [shown, is].map(percent);
            return Some(format!("the exposure of {} would be {is} now, and {shown} was shown", self.book));
        }
        let risk = now.open_risk;
        riskier(self.open_risk.after, risk).then(|| {
            let [shown, now] = [self.open_risk.after, risk.after].map(percent);
            format!("the open risk of {} would be {now} now, and {shown} was shown", self.book)
        })
    }
}

/// Whether what is lost at the stops would be more than whoever confirmed agreed to. A change that adds nothing to it is not kept waiting
/// for what the prices of other things did.
fn riskier(shown: Ratio, now: Moves<Ratio>) -> bool {
    let allowed = Ratio::from_units(shown.units() / SIZE_TOLERANCE).min(Ratio::from_bps(RISK_TOLERANCE_BPS));
    now.after > now.before && now.after.minus(shown).map_or(true, |more| more > allowed)
}

/// Whether a price moved beyond the tolerance.
fn far(shown: Price, now: Price) -> bool {
    far_by(shown, now, (TOLERANCE_PERCENT, 100))
}

/// Whether it moved by more than this part of itself.
fn far_by(shown: Price, now: Price, (part, of): (i64, i64)) -> bool {
    let tolerance = shown.abs().scaled(part, of).unwrap_or(Price::ZERO);
    now.minus(shown).map_or(true, |moved| moved.abs() > tolerance)
}

/// Whether a level moved beyond the tolerance, came or went.
fn far_levels(shown: Option<Price>, now: Option<Price>) -> bool {
    match (shown, now) {
        (Some(shown), Some(now)) => far(shown, now),
        (shown, now) => shown.is_some() != now.is_some(),
    }
}

/// Whether a distance is another one, came or went.
fn far_trails(shown: Option<Price>, now: Option<Price>) -> bool {
    match (shown, now) {
        (Some(shown), Some(now)) => far_by(shown, now, (1, SIZE_TOLERANCE)),
        (shown, now) => shown.is_some() != now.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(price: i64, quantity: i64) -> Preview {
        let order = PlannedOrder {
            book: "main".parse().expect("a name"),
            symbol: "AAPL".parse().expect("a symbol"),
            side: Side::Sell,
            quantity: Quantity::whole(quantity),
            kind: OrderKind::Market,
            purpose: Purpose::Close,
            price: Price::whole(price),
            fee: Money::ZERO,
            replaces: None,
            stop: None,
            target: None,
            trail: None,
        };
        Preview { orders: vec![order], ..Preview::default() }
    }

    #[test]
    fn a_price_may_move_by_the_tolerance_and_a_quantity_not_at_all() {
        let shown = preview(100, 5);
        assert_eq!(shown.moved(&preview(102, 5)), None);
        assert_eq!(shown.moved(&preview(98, 5)), None);
        assert_eq!(shown.moved(&preview(97, 5)).as_deref(), Some("AAPL stood at 100, now it is at 97"));
        assert!(shown.moved(&preview(100, 6)).is_some() && shown.moved(&Preview::default()).is_some());
    }

    fn effect(before: i64, after: i64) -> BookEffect {
        BookEffect {
            book: "main".parse().expect("a name"),
            currency: "USD".to_owned(),
            cash: Moves { before: Money::ZERO, after: Money::ZERO },
            exposure: Moves { before: Ratio::ZERO, after: Ratio::ZERO },
            open_risk: Moves { before: Ratio::from_bps(before), after: Ratio::from_bps(after) },
            limits: Vec::new(),
        }
    }

    #[test]
    fn the_open_risk_may_be_a_fifth_more_and_half_a_percent_of_equity_at_most() {
        for (shown, now, moved) in [
            ((0, 100), (0, 120), false),
            ((0, 100), (0, 121), true),
            ((0, 100), (0, 20), false),
            ((300, 500), (330, 550), false),
            ((300, 500), (330, 551), true),
            // What adds nothing waits for nothing.
            ((300, 100), (900, 400), false),
        ] {
            let [shown, now] = [shown, now].map(|(before, after)| effect(before, after));
            assert_eq!(shown.moved(&now).is_some(), moved, "{:?}, {:?}", shown.open_risk, now.open_risk);
        }
    }

    #[test]
    fn another_kind_stop_target_or_trail_is_asked_anew() {
        let shown = preview(100, 5);
        let with = |change: fn(&mut PlannedOrder)| {
            let mut other = shown.clone();
            change(&mut other.orders[0]);
            other
        };
        let limit = with(|order| order.kind = OrderKind::Limit { price: Price::whole(100) });
        let [near, off] =
            [with(|order| order.stop = Some(Price::whole(50))), with(|order| order.stop = Some(Price::whole(52)))];
        assert!(shown.moved(&limit).is_some() && shown.moved(&near).is_some() && near.moved(&off).is_some());
        for change in [(|order| order.target = Some(Price::whole(150))) as fn(&mut PlannedOrder), |order| {
            order.trail = Some(Price::whole(10));
        }] {
            assert!(shown.moved(&with(change)).is_some() && with(change).moved(&shown).is_some());
        }
        let levels = |trail: Option<i64>| PlannedLevels {
            book: shown.orders[0].book,
            symbol: shown.orders[0].symbol,
            stop_before: None,
            stop: Price::whole(90),
            target: None,
            trail: trail.map(Price::whole),
        };
        for (shown, now, moved) in [(Some(10), Some(12), false), (Some(10), Some(13), true), (Some(10), None, true)] {
            assert_eq!(levels(shown).moved(&levels(now)).is_some(), moved, "{shown:?}, {now:?}");
        }
    }

    #[test]
    fn a_quantity_that_is_near_is_the_one_that_was_shown() {
        let (shown, order) = (preview(100, 10), preview(100, 10).orders[0].clone());
        let of = |units| shown.quantity_near((order.book, order.symbol, order.side), Quantity::whole(units));
        assert_eq!([of(8), of(12), of(13)].map(|quantity| quantity.to_string()), ["10", "10", "13"]);
    }

    #[test]
    fn what_is_gone_of_the_basis_is_decided_anew() {
        let (mut shown, mut now) = (Preview::default(), Preview::default());
        let (book, at) = ("main".parse().expect("a name"), Timestamp::from_ms);
        now.add_book(book, TradingState::Halted, at(1));
        assert!(shown.moved(&now).is_some());
        shown.add_book(book, TradingState::Halted, at(1));
        shown.add_book("other".parse().expect("a name"), TradingState::Running, at(1));
        assert_eq!(shown.moved(&now), None);
    }
}
