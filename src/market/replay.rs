//! How are recorded prices played again? Files of many symbols and timeframes, merged by the instant each bar became known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::{Bar, Instrument, MarketSnapshot, SnapshotBar, Symbol, Timeframe};

use super::folder::{self, Loaded};
use super::series::{Bars, Place, Recorded, Series};
use super::{Actions, Aggregator, Feed, FeedError, Hours, Problem, ResumeError, ex_dates, position};

/// How many problems an error message lists.
const PROBLEMS_SHOWN_MAX: usize = 12;
/// Marks saved positions; a new number where their form changes.
const KIND: &str = "replay-1";
/// When the next bar of a series is known that has none.
const NEVER: Timestamp = Timestamp::from_ms(i64::MAX);

/// What to replay.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// A folder of `SYMBOL.TIMEFRAME.csv`, or one such file.
    pub path: PathBuf,
    /// Which symbols; empty for all there are.
    pub instruments: Vec<Instrument>,
    /// Which bars drive fills; none for the finest there are of each symbol, with all longer ones beside them.
    pub timeframe: Option<Timeframe>,
    /// Longer bars that strategies ask for: of each symbol, from its file of that timeframe where there is one, else gathered
    /// from its finest bars.
    pub longer: Vec<Timeframe>,
    /// Bars that end before this are history.
    pub from: Option<Timestamp>,
    /// Bars that end after this are left out.
    pub to: Option<Timestamp>,
}

/// Which part of recorded prices is played again; by default all of it, with nothing of it as history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stretch {
    /// Bars that end at this time or before are left out.
    pub after: Option<Timestamp>,
    /// Bars that end at this time or before are history.
    pub from: Option<Timestamp>,
    /// Bars that end after this time are left out.
    pub to: Option<Timestamp>,
    /// True if the end must not show: no bar is marked as the last one, as if more followed.
    pub is_cut: bool,
}

/// Recorded bars in the order they became known.
///
/// A gathered bar is given at the instant its period ends, even if no recorded bar ends then. What is still being gathered
/// when the recorded bars end is not given: nobody knows it whole.
#[derive(Debug)]
pub struct ReplayFeed {
    instruments: Vec<Instrument>,
    /// By instrument, the finest first.
    series: Vec<Series>,
    /// When the next bar of each series is known. To look through all of them is quicker than to keep them sorted, since most
    /// series have a bar at most instants.
    coming: Vec<Timestamp>,
    /// Recorded bars that were not given yet.
    left: usize,
    actions: Arc<Actions>,
    /// Of the actions: it is saved with the position, because a split that is put on file later changes the past.
    fingerprint: String,
    from: Option<Timestamp>,
    files: Vec<String>,
    warnings: Vec<Problem>,
    left_out: usize,
    too_fine: Vec<(Symbol, Timeframe)>,
}

/// What is saved of its position.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    actions: String,
    places: Vec<Place>,
}

impl ReplayFeed {
    /// Reads the files. `progress` hears how many of how many are read.
    ///
    /// # Errors
    /// When a file is missing or has errors; warnings are kept, not refused.
    pub fn open(
        options: &ReplayOptions,
        now: Timestamp,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, FeedError> {
        let found = folder::find(options)?;
        let folder = if options.path.is_dir() {
            options.path.as_path()
        } else {
            options.path.parent().unwrap_or(Path::new("."))
        };
        let (actions, mut problems) = Actions::in_folder(folder);
        let loaded = folder::load(&found, &actions, options.to, now, progress);
        let mut feed = Self {
            instruments: Vec::new(),
            series: Vec::new(),
            coming: Vec::new(),
            left: 0,
            fingerprint: actions.fingerprint(),
            actions: Arc::new(actions),
            from: options.from,
            files: Vec::new(),
            warnings: Vec::new(),
            left_out: 0,
            too_fine: Vec::new(),
        };
        for (found, loaded) in found.iter().zip(loaded) {
            feed.add(loaded, &found.instrument, &mut problems);
        }
        refuse_errors(&mut problems)?;
        feed.warnings = problems;
        feed.series.sort_by_key(|series| (series.instrument, series.timeframe));
        feed.gather(&options.longer);
        feed.line_up();
        if feed.left == 0 {
            return Err(FeedError::Empty(options.path.clone()));
        }
        Ok(feed)
    }

    fn add(&mut self, mut loaded: Loaded, instrument: &Instrument, problems: &mut Vec<Problem>) {
        problems.append(&mut loaded.problems);
        self.left_out += loaded.left_out;
        let Some(timeframe) = loaded.timeframe else { return };
        let known = self.instruments.iter().position(|known| known.symbol == instrument.symbol);
        let index = known.unwrap_or_else(|| {
            self.instruments.push(instrument.clone());
            self.instruments.len() - 1
        });
        self.series.push(Series {
            instrument: index,
            symbol: instrument.symbol,
            timeframe,
            hours: Hours::of(instrument.class),
            is_finest: false,
            bars: Bars::Recorded(loaded.bars),
        });
        self.files.extend(self.series.last().map(Series::name));
    }

    /// Marks the finest series of each instrument, and adds the longer ones that are wished for and not recorded.
    fn gather(&mut self, longer: &[Timeframe]) {
        let longer: BTreeSet<Timeframe> = longer.iter().copied().collect();
        let mut gathered = Vec::new();
        for own in self.series.chunk_by_mut(|one, next| one.instrument == next.instrument) {
            own[0].is_finest = true;
            let (finest, class) = (own[0].timeframe, self.instruments[own[0].instrument].class);
            for timeframe in longer.iter().copied() {
                if timeframe < finest {
                    self.too_fine.push((own[0].symbol, timeframe));
                } else if own.iter().all(|series| series.timeframe != timeframe) {
                    let bars = Bars::Gathered(Aggregator::new(class, timeframe));
                    let Series { instrument, symbol, hours, .. } = own[0];
                    gathered.push(Series { instrument, symbol, timeframe, hours, is_finest: false, bars });
                }
            }
        }
        self.series.extend(gathered);
        self.series.sort_by_key(|series| (series.instrument, series.timeframe));
    }

    /// Notes when each series goes on, and counts what is left.
    fn line_up(&mut self) {
        self.coming = self.series.iter().map(|series| series.next_end().unwrap_or(NEVER)).collect();
        self.left = self.series.iter().map(|series| series.recorded().map_or(0, Recorded::left)).sum();
    }

    /// What was odd about the files without forbidding to use them.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Bars that lie outside the hours of their market and were left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The series it plays from files, such as `AAPL.1d`, in order.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Wishes for longer bars that cannot be met, because all recorded bars of the symbol are longer still.
    pub fn too_fine(&self) -> &[(Symbol, Timeframe)] {
        &self.too_fine
    }

    /// How many recorded bars it plays in all.
    pub fn bars(&self) -> usize {
        self.series.iter().filter_map(Series::recorded).map(|recorded| recorded.part.len()).sum()
    }

    /// The same prices once more, without reading the files again: a part of what this feed plays, from its beginning.
    #[must_use]
    pub fn again(&self, stretch: Stretch) -> Self {
        let mut feed = Self {
            instruments: self.instruments.clone(),
            series: self.series.iter().map(|series| series.again(&stretch)).collect(),
            coming: Vec::new(),
            left: 0,
            actions: self.actions.clone(),
            fingerprint: self.fingerprint.clone(),
            from: stretch.from,
            files: self.files.clone(),
            warnings: Vec::new(),
            left_out: 0,
            too_fine: Vec::new(),
        };
        feed.line_up();
        feed
    }

    /// The instants at which the finest bars that it plays are known, in order, each once.
    pub fn instants(&self) -> Vec<Timestamp> {
        let mut instants: Vec<_> = self.finest().flat_map(Series::ends).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// The latest time after which every symbol has `bars` finest bars up to `at`, or all it has up to then. None where no
    /// symbol has any.
    pub fn back(&self, at: Timestamp, bars: usize) -> Option<Timestamp> {
        self.finest().filter_map(|series| series.back(at, bars)).min()
    }

    fn finest(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|series| series.is_finest)
    }

    /// Takes the next bar of a series if it is known at `at`.
    fn take(&mut self, index: usize, at: Timestamp) -> Option<SnapshotBar> {
        if self.coming[index] > at {
            return None;
        }
        let series = &mut self.series[index];
        let seen = series.take(at);
        self.coming[index] = series.next_end().unwrap_or(NEVER);
        seen
    }

    /// Puts a bar into the snapshot that was taken from the series at `index`.
    fn give(&mut self, index: usize, mut seen: SnapshotBar, snapshot: &mut MarketSnapshot) {
        match &self.series[index].bars {
            Bars::Recorded(_) => self.left -= 1,
            Bars::Gathered(_) => {
                let finest = self.series[..index].iter().rfind(|series| series.is_finest);
                seen.is_last = finest.and_then(Series::recorded).is_some_and(Recorded::is_at_end);
            }
        }
        if seen.is_finest {
            self.show(index, &seen.bar, snapshot);
        }
        snapshot.bars.push(seen);
    }

    /// Notes what happened to the shares before this bar of a finest series, and gathers the bar into the longer ones.
    fn show(&mut self, finest: usize, bar: &Bar, snapshot: &mut MarketSnapshot) {
        let before = snapshot.splits.len();
        ex_dates::note(&self.series[finest], &self.actions, snapshot);
        let instrument = self.series[finest].instrument;
        for (index, series) in self.series.iter_mut().enumerate().skip(finest + 1) {
            if series.instrument != instrument {
                break;
            }
            let Bars::Gathered(aggregator) = &mut series.bars else { continue };
            for split in &snapshot.splits[before..] {
                aggregator.rescale(split.numerator, split.denominator);
            }
            aggregator.add(bar);
            self.coming[index] = aggregator.due().unwrap_or(NEVER);
        }
    }
}

fn refuse_errors(problems: &mut [Problem]) -> Result<(), FeedError> {
    let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.is_error()).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let files: BTreeSet<&str> = errors.iter().map(|problem| problem.file.as_str()).collect();
    let mut list: Vec<String> = errors.iter().take(PROBLEMS_SHOWN_MAX).map(|problem| format!("  {problem}")).collect();
    if errors.len() > list.len() {
        list.push(format!("  and {} more", errors.len() - list.len()));
    }
    Err(FeedError::Problems { files: files.len(), list })
}

impl Feed for ReplayFeed {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        snapshot.clear();
        let Some(at) = self.coming.iter().copied().min().filter(|_| self.left > 0) else { return false };
        snapshot.at = at;
        for index in 0..self.series.len() {
            while let Some(seen) = self.take(index, at) {
                self.give(index, seen, snapshot);
            }
        }
        true
    }

    fn save(&self) -> Option<String> {
        let places = self.series.iter().map(Series::place).collect();
        position::write(KIND, &Saved { actions: self.fingerprint.clone(), places })
    }

    fn resume(&mut self, saved: &str) -> Result<(), ResumeError> {
        let Saved { actions, places } = position::read(KIND, saved)?;
        let foreign = |what: String| Err(ResumeError::Foreign(what));
        if actions != self.fingerprint {
            return foreign(format!("{} has changed", Actions::FILE_NAME));
        }
        if places.len() != self.series.len() {
            return foreign(format!("{} series instead of {}", places.len(), self.series.len()));
        }
        for (series, place) in self.series.iter().zip(&places) {
            series.check(place)?;
        }
        for (series, place) in self.series.iter_mut().zip(places) {
            series.go_to(place);
        }
        self.line_up();
        Ok(())
    }

    fn history_until(&self) -> Timestamp {
        self.from.unwrap_or(Timestamp::from_ms(i64::MIN))
    }
}
