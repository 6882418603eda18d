//! Where was a symbol dealt? Its trades and its position in one book, in the shares and at the places of the bars that are drawn.

use chrono_tz::Tz;

use crate::chart::TradeMark;
use crate::clock::Timestamp;
use crate::domain::format::{counted, quantity};
use crate::domain::{Bar, ExitReason, Label, Position, Price, Side, Split, Symbol, Trade};
use crate::store::{BookRow, Reader};

use super::AppError;
use super::series::Series;

/// What a book's ledger tells of a symbol; nothing where no database is asked.
#[derive(Debug, Default)]
pub(super) struct Dealt {
    /// The book, where there are several.
    pub(super) book: Option<Label>,
    /// The zone of its book, or of the first.
    pub(super) zone: Option<Tz>,
    /// What is held, if the picture ends now.
    pub(super) held: Option<Position>,
    /// Since when its stop stands where it does; none if nothing tells.
    pub(super) stop_since: Option<Timestamp>,
    /// What it is valued at.
    pub(super) price: Option<Price>,
    deals: Vec<Deal>,
}

/// A round trip, ended or not.
#[derive(Debug)]
struct Deal {
    side: Side,
    entry: (Timestamp, Price),
    exit: Option<(Timestamp, Price, ExitReason)>,
}

impl Dealt {
    /// In the first of these books that has anything to tell of the symbol, of all where none are named. What is later than `to` is
    /// left out.
    pub(super) fn of(
        reader: &Reader,
        symbol: Symbol,
        books: Option<&[Label]>,
        to: Option<Timestamp>,
    ) -> Result<Self, AppError> {
        let rows = reader.books()?;
        for row in candidates(&rows, books)? {
            let trades = reader.trades_of(row.book.name, Some(symbol))?;
            let held = row.book.position(symbol);
            if trades.is_empty() && held.is_none() {
                continue;
            }
            let in_time = |at: Timestamp| to.is_none_or(|to| at <= to);
            let now = reader.progress()?.map(|progress| progress.market);
            let mark = reader.marks()?.into_iter().find(|mark| mark.symbol == symbol);
            let mut deals: Vec<Deal> = trades.iter().map(Deal::ended).chain(held.map(Deal::open)).collect();
            deals.retain(|deal| in_time(deal.entry.0));
            for deal in &mut deals {
                deal.exit = deal.exit.filter(|exit| in_time(exit.0));
            }
            let guard = held.and_then(|held| held.protection).map(|levels| reader.order(levels.order)).transpose()?;
            return Ok(Self {
                stop_since: guard.flatten().map(|order| order.updated),
                book: (rows.len() > 1).then_some(row.book.name),
                zone: row.zone.parse().ok(),
                held: held.filter(|_| now.is_none_or(in_time)).cloned(),
                price: mark.map(|mark| mark.lock.map_or(mark.price, |lock| lock.0)),
                deals,
            });
        }
        Ok(Self { zone: rows.first().and_then(|row| row.zone.parse().ok()), ..Self::default() })
    }

    /// Without what is later than `end`, where a picture ends; what was left later is still held there.
    pub(super) fn until(&self, end: Timestamp) -> Self {
        let deals = self.deals.iter().filter(|deal| deal.entry.0 <= end);
        let deals = deals.map(|deal| Deal { exit: deal.exit.filter(|exit| exit.0 <= end), ..*deal }).collect();
        Self { held: self.held.clone().filter(|held| held.opened <= end), deals, book: self.book, ..*self }
    }

    /// The marks of all round trips on a picture of these bars.
    pub(super) fn marks(&self, series: &Series) -> Vec<TradeMark> {
        let mark = |deal: &Deal| {
            // The ledger tells a round trip in the shares of its end.
            let told = |price| deal.exit.map_or(price, |(end, ..)| in_new_shares(price, end, &series.splits));
            let exit = deal.exit.map(|(at, price, reason)| {
                let inside = matches!(reason, ExitReason::Stop | ExitReason::Target);
                (place(&series.bars, at, told(price), inside), told(price))
            });
            let entry = told(deal.entry.1);
            TradeMark { side: deal.side, entry: (place(&series.bars, deal.entry.0, entry, false), entry), exit }
        };
        self.deals.iter().map(mark).collect()
    }

    /// What of it lies after `from`, in words: ` · 3 trades, 25 long`.
    pub(super) fn words(&self, from: Timestamp) -> String {
        let ended = self.deals.iter().filter_map(|deal| deal.exit).filter(|exit| exit.0 >= from).count();
        let trades = (ended > 0).then(|| counted(ended as u64, "trade"));
        let held = self.held.as_ref().map(|held| {
            let side = if held.side() == Side::Sell { "short" } else { "long" };
            format!("{} {side}", quantity(held.quantity.abs()))
        });
        let words: Vec<String> = trades.into_iter().chain(held).collect();
        if words.is_empty() { String::new() } else { format!(" · {}", words.join(", ")) }
    }
}

impl Deal {
    fn ended(trade: &Trade) -> Self {
        let exit = Some((trade.closed, trade.exit_price, trade.reason));
        Self { side: trade.side, entry: (trade.opened, trade.entry_price), exit }
    }

    fn open(held: &Position) -> Self {
        Self { side: held.side(), entry: (held.opened, held.average_price()), exit: None }
    }
}

/// The books to look at.
pub(super) fn candidates<'a>(rows: &'a [BookRow], books: Option<&[Label]>) -> Result<Vec<&'a BookRow>, AppError> {
    let wanted = |row: &&BookRow| books.is_none_or(|books| books.contains(&row.book.name));
    let wanted: Vec<&BookRow> = rows.iter().filter(wanted).collect();
    match books {
        Some([book]) if wanted.is_empty() => {
            let known: Vec<&str> = rows.iter().map(|row| row.book.name.as_str()).collect();
            Err(AppError::usage(format!("there is no book \"{book}\"; there are {}", known.join(", "))))
        }
        _ => Ok(wanted),
    }
}

/// A price of `at` in today's shares.
fn in_new_shares(price: Price, at: Timestamp, splits: &[(Timestamp, Split)]) -> Price {
    let later = splits.iter().filter(|(when, _)| at < *when);
    later.fold(price, |price, (_, split)| price.scaled(split.denominator, split.numerator).unwrap_or(price))
}

/// The instant by which the bar of a deal is found. What was dealt inside a bar is noted at its end, where the next one begins:
/// then the prices tell which of the two it was, and `inside` says which is likelier.
fn place(bars: &[Bar], at: Timestamp, price: Price, inside: bool) -> Timestamp {
    let next = bars.partition_point(|bar| bar.start < at);
    let Some([before, after]) = next.checked_sub(1).and_then(|before| bars.get(before..=next)) else { return at };
    if after.start != at {
        return at;
    }
    let holds = |bar: &Bar| bar.low <= price && price <= bar.high;
    let ended = if inside { holds(before) || !holds(after) } else { holds(before) && !holds(after) };
    if ended { at.plus_ms(-1) } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Quantity;

    /// A bar a minute with these lows and highs.
    fn bars(ranges: &[(i64, i64)]) -> Vec<Bar> {
        let bar = |(minute, (low, high)): (usize, &(i64, i64))| {
            let (low, high) = (Price::whole(*low), Price::whole(*high));
            let start = Timestamp::from_ms(minute as i64 * 60_000);
            Bar { start, open: low, high, low, close: high, volume: Quantity::whole(1) }
        };
        ranges.iter().enumerate().map(bar).collect()
    }

    #[test]
    fn a_deal_stands_at_the_bar_whose_prices_hold_it() {
        let (bars, noon) = (bars(&[(10, 20), (18, 30), (30, 40)]), Timestamp::from_ms(60_000));
        for (price, inside, moved) in [
            (12, false, -1), // only the bar that ended had it
            (12, true, -1),
            (25, true, 0), // gapped over: only the next one had it
            (25, false, 0),
            (19, true, -1), // both had it
            (19, false, 0),
            (99, true, -1), // neither had it, for the slippage
            (99, false, 0),
        ] {
            assert_eq!(place(&bars, noon, Price::whole(price), inside), noon.plus_ms(moved), "{price} {inside}");
        }
        for elsewhere in [-5, 0, 61_000, 120_001] {
            let at = Timestamp::from_ms(elsewhere);
            assert_eq!(place(&bars, at, Price::whole(12), true), at, "no bar begins there, or none ended");
        }
    }

    #[test]
    fn what_comes_after_the_last_bar_is_left_out() {
        let at = Timestamp::from_ms;
        let deal = |from, to: Option<i64>| {
            let exit = to.map(|to| (at(to), Price::whole(12), ExitReason::Signal));
            Deal { side: Side::Buy, entry: (at(from), Price::whole(11)), exit }
        };
        let deals =
            vec![deal(10, Some(20)), deal(15, Some(120_001)), deal(120_001, Some(130_000)), deal(140_000, None)];
        let shown = Dealt { deals, ..Dealt::default() }.until(at(120_000));
        let told: Vec<_> =
            shown.deals.iter().map(|deal| (deal.entry.0.ms(), deal.exit.map(|exit| exit.0.ms()))).collect();
        assert_eq!(told, [(10, Some(20)), (15, None)]);
        assert_eq!(shown.words(at(0)), " · 1 trade");
    }

    #[test]
    fn what_was_dealt_before_a_split_is_told_in_new_shares() {
        let split = |ms, numerator| (Timestamp::from_ms(ms), Split { instrument: 0, numerator, denominator: 1 });
        let told = |ms| in_new_shares(Price::whole(700), Timestamp::from_ms(ms), &[split(10, 7), split(20, 2)]);
        assert_eq!([told(9), told(10), told(20)], [50, 350, 700].map(Price::whole));
    }
}
