//! What would buying and holding have brought? One symbol, bought once with all the capital, over the days that both have.

use chrono_tz::Tz;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::domain::{Bar, MarketSnapshot, Money, Symbol};
use crate::market::Feed;
use crate::stats::{APART_MAX_MS, Comparison};

use super::{Curve, DeskRan, Ran};

/// What is bought and held, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Benchmark {
    /// Of what.
    pub symbol: Symbol,
    /// Its figures, and the book's against it.
    #[serde(flatten)]
    pub figures: Comparison,
    /// What it was worth over time.
    #[serde(skip)]
    pub curve: Vec<(Timestamp, Money)>,
}

/// Shares and the cash that their dividends brought.
struct Held {
    shares: f64,
    cash: f64,
}

impl Benchmark {
    /// Buys at the first close from the run's first cycle on and holds to its last: parts of shares, no fees, dividends kept in
    /// cash. `usual` is how many daily returns usually make a year. None if the
    /// feed has no bar of it in that time.
    pub fn hold(
        feed: &mut dyn Feed,
        symbol: Symbol,
        ran: &Ran,
        desk: &DeskRan,
        (usual, zone): (f64, Tz),
    ) -> Option<Self> {
        let (from, to) = (ran.from?, ran.to?);
        let instrument = feed.instruments().iter().position(|item| item.symbol == symbol)?;
        let capital = desk.book.capital;
        let mut curve: Option<Curve> = None;
        let (mut snapshot, mut held) = (MarketSnapshot::default(), None);
        while feed.next_into(&mut snapshot) && snapshot.at <= to {
            let bar = snapshot.bars.iter().find(|seen| seen.instrument == instrument && seen.is_finest);
            let Some(bar) = bar.map(|seen| seen.bar).filter(|_| snapshot.at >= from) else { continue };
            let value = follow(&mut held, &snapshot, instrument, &bar, capital);
            let day = snapshot.at.utc().with_timezone(&zone).date_naive();
            let curve = curve.get_or_insert_with(|| Curve::new(snapshot.at.plus_ms(-1), capital));
            curve.add(snapshot.at, Some(day), Money::from_f64(value).unwrap_or(Money::MAX));
        }
        let curve = curve?.points();
        let figures = Comparison::measure(&desk.curve.points(), &curve, usual, zone);
        Some(Self { symbol, figures, curve })
    }

    /// Says over which days both are compared, where its prices begin or end more than a week inside the run.
    pub fn note(&self, ran: &Ran) -> Option<String> {
        let (first, last) = (self.curve.first()?.0, self.curve.last()?.0);
        let is_late = first.since(ran.from?.plus_ms(-1)) > APART_MAX_MS;
        let is_early = ran.to?.since(last) > APART_MAX_MS;
        // Where bars end at midnight, the day that ended counts.
        let date = |at: Timestamp| at.utc().format("%Y-%m-%d");
        (is_late || is_early).then(|| {
            let (symbol, first, last) = (self.symbol, date(first), date(last.plus_ms(-1)));
            format!("{symbol} has prices from {first} to {last}: book and benchmark are compared over these days alone")
        })
    }

    /// What it was worth at each of these times, which are in order.
    pub fn at(&self, times: impl Iterator<Item = Timestamp>) -> Vec<Option<f64>> {
        let mut rest = self.curve.iter().peekable();
        let mut last = None;
        let value = |at: Timestamp| {
            while let Some((_, value)) = rest.next_if(|(known, _)| *known <= at) {
                last = Some(value.to_f64());
            }
            last
        };
        times.map(value).collect()
    }
}

/// Buys on the first bar, follows splits and dividends on the others, and tells what it is worth at the close.
fn follow(held: &mut Option<Held>, snapshot: &MarketSnapshot, instrument: usize, bar: &Bar, capital: Money) -> f64 {
    let close = bar.close.to_f64();
    let Some(held) = held else {
        *held = Some(Held { shares: capital.to_f64() / close, cash: 0.0 });
        return capital.to_f64();
    };
    for split in snapshot.splits.iter().filter(|split| split.instrument == instrument) {
        held.shares *= split.numerator as f64 / split.denominator as f64;
    }
    for paid in snapshot.dividends.iter().filter(|paid| paid.instrument == instrument) {
        held.cash += held.shares * paid.amount_per_share.to_f64();
    }
    held.shares * close + held.cash
}
