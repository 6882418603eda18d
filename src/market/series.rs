//! What comes next of one instrument and length? Recorded bars in their order, or longer ones gathered from them.

use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Aggregator, Hours, ResumeError, Stretch};
use crate::clock::Timestamp;
use crate::domain::{Bar, SnapshotBar, Symbol, Timeframe};

/// The bars of one instrument and length.
#[derive(Debug)]
pub(super) struct Series {
    /// An index into the feed's instruments.
    pub(super) instrument: usize,
    pub(super) symbol: Symbol,
    pub(super) timeframe: Timeframe,
    pub(super) hours: Hours,
    pub(super) is_finest: bool,
    pub(super) bars: Bars,
}

/// Where bars come from.
#[derive(Debug)]
pub(super) enum Bars {
    /// From a file.
    Recorded(Recorded),
    /// From the finest series of the instrument.
    Gathered(Aggregator),
}

/// The bars of a file, which of them are played, and how many were given.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorded {
    /// The whole file, shared by every feed that plays it again.
    pub(super) list: Arc<Vec<Bar>>,
    /// What is played of it.
    pub(super) part: Range<usize>,
    /// The place of the next bar in the list; inside the part, or at its end.
    pub(super) next: usize,
    /// True if the end of the part must not show: then only the end of the file is one.
    pub(super) is_cut: bool,
    /// Dividends before this date are not meant for these prices.
    pub(super) adjusted_until: Option<NaiveDate>,
}

/// Where a series stood, to be saved.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum Place {
    /// How many bars were given, and the last of them, by which the same file is known again.
    Recorded { series: String, next: usize, last: Option<Bar> },
    /// What was gathered.
    Gathered { series: String, state: Aggregator },
}

impl Recorded {
    /// A whole file.
    pub(super) fn whole(list: Vec<Bar>, adjusted_until: Option<NaiveDate>) -> Self {
        Self { part: 0..list.len(), list: Arc::new(list), next: 0, is_cut: false, adjusted_until }
    }

    /// How many bars were not given yet.
    pub(super) fn left(&self) -> usize {
        self.part.end - self.next
    }

    /// The bars that were given.
    pub(super) fn given(&self) -> &[Bar] {
        &self.list[self.part.start..self.next]
    }

    /// The bar that comes next.
    fn coming(&self) -> Option<&Bar> {
        self.list[..self.part.end].get(self.next)
    }

    /// True if no bar follows, as far as anybody may know.
    pub(super) fn is_at_end(&self) -> bool {
        self.next == if self.is_cut { self.list.len() } else { self.part.end }
    }
}

impl Series {
    /// Its bars, if they come from a file.
    pub(super) fn recorded(&self) -> Option<&Recorded> {
        match &self.bars {
            Bars::Recorded(recorded) => Some(recorded),
            Bars::Gathered(_) => None,
        }
    }

    /// As reports name it, such as `AAPL.1d`.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.symbol, self.timeframe)
    }

    /// When its next bar is known; none where it has none, or none yet.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        match &self.bars {
            Bars::Recorded(recorded) => recorded.coming().map(|bar| self.end_of(bar)),
            Bars::Gathered(aggregator) => aggregator.due(),
        }
    }

    /// When a bar of it is known.
    fn end_of(&self, bar: &Bar) -> Timestamp {
        self.hours.bar_end(self.timeframe, bar.start)
    }

    /// When each bar that is played is known; empty for gathered bars.
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let played = self.recorded().map_or(&[][..], |recorded| &recorded.list[recorded.part.clone()]);
        played.iter().map(|bar| self.end_of(bar))
    }

    /// The place in the file of its first bar that ends after `at`.
    fn place_after(&self, recorded: &Recorded, at: Timestamp) -> usize {
        recorded.list.partition_point(|bar| self.end_of(bar) <= at)
    }

    /// The latest time after which `bars` bars are known up to `at`, or all there are up to then; none if there are none.
    pub(super) fn back(&self, at: Timestamp, bars: usize) -> Option<Timestamp> {
        let recorded = self.recorded()?;
        let first = self.place_after(recorded, at).saturating_sub(bars).max(recorded.part.start);
        let bar = recorded.list[recorded.part.clone()].get(first - recorded.part.start)?;
        Some(self.end_of(bar).plus_ms(-1))
    }

    /// The same series from its beginning, or a part of it.
    pub(super) fn again(&self, stretch: &Stretch) -> Self {
        let bars = match &self.bars {
            Bars::Gathered(aggregator) => Bars::Gathered(Aggregator::new(aggregator.class(), aggregator.timeframe())),
            Bars::Recorded(recorded) => {
                let place = |at: Option<Timestamp>| at.map(|at| self.place_after(recorded, at));
                let start = place(stretch.after).unwrap_or(0).max(recorded.part.start);
                let end = place(stretch.to).unwrap_or(usize::MAX).min(recorded.part.end);
                let part = start.min(end)..end;
                let is_cut = recorded.is_cut || stretch.is_cut;
                Bars::Recorded(Recorded { next: part.start, part, is_cut, ..recorded.clone() })
            }
        };
        Self { bars, ..*self }
    }

    /// Takes the next bar if it is known at `at`.
    pub(super) fn take(&mut self, at: Timestamp) -> Option<SnapshotBar> {
        let (bar, is_last) = match &mut self.bars {
            Bars::Recorded(recorded) => {
                let bar = *recorded.coming()?;
                recorded.next += 1;
                (bar, recorded.is_at_end())
            }
            Bars::Gathered(aggregator) => (aggregator.take_due(at)?, false),
        };
        Some(SnapshotBar {
            instrument: self.instrument,
            timeframe: self.timeframe,
            bar,
            opens: self.hours.bar_open(self.timeframe, bar.start),
            is_finest: self.is_finest,
            is_last,
        })
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        let series = self.name();
        match &self.bars {
            Bars::Recorded(Recorded { list, next, .. }) => {
                Place::Recorded { series, next: *next, last: next.checked_sub(1).map(|last| list[last]) }
            }
            Bars::Gathered(aggregator) => Place::Gathered { series, state: aggregator.clone() },
        }
    }

    /// Says whether a place is one of this series.
    ///
    /// # Errors
    /// When it belongs to another series, or the file has changed up to it.
    pub(super) fn check(&self, place: &Place) -> Result<(), ResumeError> {
        let name = self.name();
        let foreign = |what: &str| Err(ResumeError::Foreign(format!("{name} {what}")));
        match (&self.bars, place) {
            (Bars::Recorded(Recorded { list, .. }), Place::Recorded { series, next, last }) if *series == name => {
                let found = next.checked_sub(1).map(|last| list.get(last));
                match (found, last) {
                    (None, None) => Ok(()),
                    (Some(Some(found)), Some(last)) if found == last => Ok(()),
                    (Some(None), _) => foreign("has fewer bars than before"),
                    _ => foreign("has other bars than before"),
                }
            }
            (Bars::Gathered(own), Place::Gathered { series, state }) if *series == name => {
                let is_same = (own.class(), own.timeframe()) == (state.class(), state.timeframe());
                if is_same { Ok(()) } else { foreign("has another market than before") }
            }
            _ => foreign("was not among them, or not in this way"),
        }
    }

    /// Goes to a place that was checked.
    pub(super) fn go_to(&mut self, place: Place) {
        match (&mut self.bars, place) {
            (Bars::Recorded(recorded), Place::Recorded { next, .. }) => recorded.next = next,
            (Bars::Gathered(aggregator), Place::Gathered { state, .. }) => *aggregator = state,
            (Bars::Recorded(_) | Bars::Gathered(_), _) => {}
        }
    }
}
