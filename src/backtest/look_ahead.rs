//! Does a decision know what comes later? Run whole, then with the later bars cut away: up to the cut nothing may differ.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use crate::clock::Timestamp;
use crate::domain::{EventKind, Symbol};
use crate::engine::DeskSettings;
use crate::market::{Feed, in_parallel};

use super::{BacktestError, Check, Difference, Ran, Seen, run};

/// Cuts at even distances.
const EVEN_CUTS: usize = 20;
/// Cuts at bars on which a signal was raised, at most.
const SIGNAL_CUTS_MAX: usize = 40;

/// A signal, a refusal, an order or a fill. Of the whole thing a hash is kept; the words are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    at: Timestamp,
    symbol: Option<Symbol>,
    words: Box<str>,
    hash: u64,
}

/// What a run did, and when.
#[derive(Default)]
struct Trace {
    facts: Vec<Fact>,
    /// The instants at which bars of the finest timeframe ended.
    instants: Vec<Timestamp>,
    /// Those at which a signal was raised.
    signals: Vec<Timestamp>,
}

/// Runs the books over `feed(None)`, the whole data, and over `feed(Some(cut))`, the data up to a cut without a word that they end
/// there, and compares every signal, refusal, order and fill up to the cut. Cuts are at even distances and at bars with
/// signals. `progress` hears how many of how many cuts are taken up.
///
/// # Errors
/// When a run breaks.
pub fn check_look_ahead<F: Feed>(
    feed: &(dyn Fn(Option<Timestamp>) -> F + Sync),
    desks: &[DeskSettings],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Check, BacktestError> {
    let whole = Trace::of(feed(None), desks)?;
    let mut cuts = evenly(&whole.instants, EVEN_CUTS);
    cuts.extend(evenly(&whole.signals, SIGNAL_CUTS_MAX));
    cuts.sort_unstable();
    cuts.dedup();
    let compare = |cut: &Timestamp| Ok(whole.against(&Trace::of(feed(Some(*cut)), desks)?, *cut));
    let results = in_parallel(&cuts, compare, progress).into_iter().collect::<Result<Vec<_>, BacktestError>>()?;
    let compared = results.iter().map(|(compared, _)| compared).sum();
    let mut differences: Vec<Difference> = Vec::new();
    for found in results.into_iter().filter_map(|(_, difference)| difference) {
        let is_known =
            |known: &Difference| (known.at, known.symbol, &known.what) == (found.at, found.symbol, &found.what);
        if !differences.iter().any(is_known) {
            differences.push(found);
        }
    }
    Ok(Check::new("check-lookahead", "signals, orders and fills", cuts.len(), compared, differences))
}

/// At most `count` of these, the last one among them.
pub(super) fn evenly(instants: &[Timestamp], count: usize) -> Vec<Timestamp> {
    let count = count.min(instants.len());
    (1..=count).map(|place| instants[place * instants.len() / count - 1]).collect()
}

impl Trace {
    fn of(mut feed: impl Feed, desks: &[DeskSettings]) -> Result<Self, BacktestError> {
        let mut trace = Self::default();
        run(&mut feed, desks.to_vec(), Ran::default(), &mut |seen| {
            trace.note(seen);
            ControlFlow::Continue(())
        })?;
        Ok(trace)
    }

    fn note(&mut self, Seen { snapshot, out, .. }: &Seen<'_>) {
        let at = snapshot.at;
        if snapshot.bars.iter().any(|seen| seen.is_finest) {
            self.instants.push(at);
        }
        let mut add = |symbol, words: String, thing: &dyn std::fmt::Debug| {
            let mut hasher = DefaultHasher::new();
            format!("{thing:?}").hash(&mut hasher);
            self.facts.push(Fact { at, symbol, words: words.into(), hash: hasher.finish() });
        };
        let mut signalled = false;
        for event in out.events.iter().map(|row| &row.event) {
            match &event.kind {
                EventKind::SignalRaised { signal } => {
                    add(Some(signal.symbol), format!("signal {} ({})", signal.id, signal.rule), event);
                    signalled = true;
                }
                EventKind::ProposalRefused { proposal, .. } => {
                    add(Some(proposal.symbol), format!("refusal of {} {}", proposal.side, proposal.quantity), event);
                }
                _ => {}
            }
        }
        for order in &out.orders {
            add(Some(order.symbol), format!("order {} {} {}", order.id, order.side, order.quantity), order);
        }
        for fill in &out.fills {
            add(Some(fill.symbol), format!("fill {} {} {}", fill.id, fill.side, fill.quantity), fill);
        }
        if signalled && self.instants.last() == Some(&at) {
            self.signals.push(at);
        }
    }

    /// How many facts were compared up to the cut, and the first that differs.
    fn against(&self, part: &Self, cut: Timestamp) -> (u64, Option<Difference>) {
        let whole = &self.facts[..self.facts.partition_point(|fact| fact.at <= cut)];
        let compared = whole.len().max(part.facts.len());
        let pairs = (0..compared).map(|index| (whole.get(index), part.facts.get(index)));
        let difference = pairs.into_iter().find(|(whole, part)| whole != part).map(|pair| {
            let (fact, what) = match pair {
                (Some(whole), None) => (whole, format!("{} is missing", whole.words)),
                (None, Some(part)) => (part, format!("{} is only there", part.words)),
                (Some(whole), Some(part)) if part.at < whole.at => (part, format!("{} is only there", part.words)),
                (Some(whole), Some(part)) if whole.at < part.at => (whole, format!("{} is missing", whole.words)),
                (Some(whole), Some(part)) if whole.words == part.words => (whole, format!("{} differs", whole.words)),
                (Some(whole), Some(part)) => (whole, format!("{} became {}", whole.words, part.words)),
                (None, None) => unreachable!("one of them is within the longer list"),
            };
            Difference { symbol: fact.symbol, at: fact.at, what, cut }
        });
        (compared as u64, difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(facts: &[(i64, &str)]) -> Trace {
        let fact = |(at, words): &(i64, &str)| Fact {
            at: Timestamp::from_ms(*at),
            symbol: None,
            words: (*words).into(),
            hash: 0,
        };
        Trace { facts: facts.iter().map(fact).collect(), ..Trace::default() }
    }

    #[test]
    fn the_first_difference_up_to_the_cut_is_named() {
        let whole = trace(&[(1, "a"), (3, "b"), (5, "c")]);
        let told = |facts: &[(i64, &str)], cut: i64| {
            let (_, difference) = whole.against(&trace(facts), Timestamp::from_ms(cut));
            difference.map(|found| (found.at.ms(), found.what))
        };
        assert_eq!(told(&[(1, "a"), (3, "b")], 4), None);
        assert_eq!(told(&[(1, "a"), (3, "b")], 5), Some((5, "c is missing".to_owned())));
        assert_eq!(told(&[(1, "a"), (2, "x"), (3, "b")], 4), Some((2, "x is only there".to_owned())));
        assert_eq!(told(&[(3, "b")], 4), Some((1, "a is missing".to_owned())));
        assert_eq!(told(&[(1, "a"), (3, "x")], 4), Some((3, "b became x".to_owned())));
        assert_eq!(told(&[(1, "a"), (3, "b"), (4, "y")], 4), Some((4, "y is only there".to_owned())));
    }

    #[test]
    fn cuts_are_spread_and_end_with_the_last() {
        let instants: Vec<_> = (1..=10).map(Timestamp::from_ms).collect();
        let told = |count| evenly(&instants, count).iter().map(|at| at.ms()).collect::<Vec<_>>();
        assert_eq!(told(3), [3, 6, 10]);
        assert_eq!(told(99), (1..=10).collect::<Vec<i64>>());
        assert_eq!(evenly(&[], 5), []);
    }
}
