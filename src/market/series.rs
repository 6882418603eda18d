//! What comes next of one instrument and length? Recorded bars in their order, or longer ones gathered from them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Aggregator, Hours, ResumeError};
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

/// The bars of a file, and how many were given.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) list: Vec<Bar>,
    pub(super) next: usize,
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
    /// How many bars were not given yet.
    pub(super) fn left(&self) -> usize {
        self.list.len() - self.next
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
            Bars::Recorded(Recorded { list, next, .. }) => {
                list.get(*next).map(|bar| self.hours.bar_end(self.timeframe, bar.start))
            }
            Bars::Gathered(aggregator) => aggregator.due(),
        }
    }

    /// Takes the next bar if it is known at `at`.
    pub(super) fn take(&mut self, at: Timestamp) -> Option<SnapshotBar> {
        let (bar, is_last) = match &mut self.bars {
            Bars::Recorded(recorded) => {
                let bar = *recorded.list.get(recorded.next)?;
                recorded.next += 1;
                (bar, recorded.next == recorded.list.len())
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
