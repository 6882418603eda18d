//! How are recorded prices played again? Files of many symbols and timeframes, merged by the instant each bar became known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::clock::Timestamp;
use crate::domain::{AssetClass, Bar, Instrument, MarketSnapshot, Price, SnapshotBar, Split, Symbol, Timeframe};

use super::csv_file::{self, BarFile};
use super::inspect::inspect;
use super::{Actions, Feed, FeedError, Hours, Problem};

/// How many problems an error message lists.
const PROBLEMS_SHOWN_MAX: usize = 12;

/// What to replay.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// A folder of `SYMBOL.TIMEFRAME.csv`, or one such file.
    pub path: PathBuf,
    /// Which symbols; empty for all there are.
    pub instruments: Vec<Instrument>,
    /// Which bars; none for all there are.
    pub timeframe: Option<Timeframe>,
    /// Bars that end before this are history.
    pub from: Option<Timestamp>,
    /// Bars that end after this are left out.
    pub to: Option<Timestamp>,
}

/// Recorded bars in the order they became known.
#[derive(Debug)]
pub struct ReplayFeed {
    instruments: Vec<Instrument>,
    series: Vec<Series>,
    actions: Actions,
    from: Option<Timestamp>,
    files: Vec<String>,
    warnings: Vec<Problem>,
    left_out: usize,
}

#[derive(Debug)]
struct Series {
    instrument: usize,
    symbol: Symbol,
    hours: Hours,
    timeframe: Timeframe,
    is_finest: bool,
    bars: Vec<Bar>,
    next: usize,
    next_end: Timestamp,
    last_date: Option<NaiveDate>,
}

impl Series {
    fn advance(&mut self) {
        self.next += 1;
        self.find_end();
    }

    fn find_end(&mut self) {
        let next = self.bars.get(self.next);
        self.next_end = next.map_or(Timestamp::from_ms(i64::MAX), |bar| self.hours.bar_end(self.timeframe, bar.start));
    }

    /// When trading in a bar began: the stamp of a share's day is a label, and its first hour starts at half past.
    fn opens(&self, bar: &Bar, class: AssetClass) -> Timestamp {
        match class {
            AssetClass::Crypto | AssetClass::Perpetual => bar.start,
            AssetClass::UsEquity => {
                let session = self.hours.session_on(bar.start.utc().date_naive());
                session.map_or(bar.start, |session| session.open.max(bar.start))
            }
        }
    }
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
        let found = find_files(options)?;
        let folder = if options.path.is_dir() {
            options.path.as_path()
        } else {
            options.path.parent().unwrap_or(Path::new("."))
        };
        let (actions, mut problems) = Actions::in_folder(folder);
        let mut feed = Self {
            instruments: Vec::new(),
            series: Vec::new(),
            actions,
            from: options.from,
            files: Vec::new(),
            warnings: Vec::new(),
            left_out: 0,
        };
        for (index, (path, instrument)) in found.iter().enumerate() {
            progress(index, found.len());
            let file = csv_file::read(path, now);
            problems.extend(inspect(&file, &feed.actions));
            feed.add(file, instrument, options, &mut problems);
        }
        progress(found.len(), found.len());
        refuse_errors(&mut problems)?;
        feed.warnings = problems;
        feed.mark_finest();
        if feed.series.iter().all(|series| series.bars.is_empty()) {
            return Err(FeedError::Empty(options.path.clone()));
        }
        Ok(feed)
    }

    fn add(
        &mut self,
        mut file: BarFile,
        instrument: &Instrument,
        options: &ReplayOptions,
        problems: &mut Vec<Problem>,
    ) {
        problems.append(&mut file.problems);
        let Some(timeframe) = options.timeframe.or(file.timeframe) else { return };
        let hours = Hours::of(instrument.class);
        let before = file.bars.len();
        file.bars.retain(|bar| hours.in_session(timeframe, bar.start));
        self.left_out += before - file.bars.len();
        if let Some(to) = options.to {
            file.bars.retain(|bar| hours.bar_end(timeframe, bar.start) <= to);
        }
        let known = self.instruments.iter().position(|known| known.symbol == instrument.symbol);
        let index = known.unwrap_or_else(|| {
            self.instruments.push(instrument.clone());
            self.instruments.len() - 1
        });
        self.files.push(format!("{}.{timeframe}", instrument.symbol));
        let mut series = Series {
            instrument: index,
            symbol: instrument.symbol,
            hours,
            timeframe,
            is_finest: false,
            bars: file.bars,
            next: 0,
            next_end: Timestamp::from_ms(i64::MAX),
            last_date: None,
        };
        series.find_end();
        self.series.push(series);
    }

    fn mark_finest(&mut self) {
        self.series.sort_by_key(|series| (series.instrument, series.timeframe));
        let mut last = None;
        for series in &mut self.series {
            series.is_finest = last != Some(series.instrument);
            last = Some(series.instrument);
        }
    }

    /// What was odd about the files without forbidding to use them.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Bars that lie outside the hours of their market and were left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The series it plays, such as `AAPL.1d`, in order.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// How many bars it plays in all.
    pub fn bars(&self) -> usize {
        self.series.iter().map(|series| series.bars.len()).sum()
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

/// The files to read, by symbol and timeframe, each with what it is of.
fn find_files(options: &ReplayOptions) -> Result<Vec<(PathBuf, Instrument)>, FeedError> {
    if !options.path.is_dir() {
        return single_file(options);
    }
    let failed = |cause| FeedError::Folder { path: options.path.clone(), cause };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&options.path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some((symbol, timeframe)) = named(&path) else { continue };
        if options.timeframe.is_some_and(|wanted| wanted != timeframe) {
            continue;
        }
        let listed = options.instruments.iter().position(|instrument| instrument.symbol == symbol);
        let (place, instrument) = match listed {
            Some(place) => (place, options.instruments[place].clone()),
            None if options.instruments.is_empty() => (0, Instrument::bare(symbol)),
            None => continue,
        };
        found.push((place, timeframe, path, instrument));
    }
    found.sort_by_key(|(place, timeframe, _, instrument)| (*place, instrument.symbol, *timeframe));
    for wanted in &options.instruments {
        if !found.iter().any(|(_, _, _, instrument)| instrument.symbol == wanted.symbol) {
            let timeframe = options.timeframe.map_or_else(|| "TIMEFRAME".to_owned(), |it| it.to_string());
            return Err(FeedError::NoFile { folder: options.path.clone(), symbol: wanted.symbol, timeframe });
        }
    }
    if found.is_empty() {
        return Err(FeedError::Empty(options.path.clone()));
    }
    Ok(found.into_iter().map(|(_, _, path, instrument)| (path, instrument)).collect())
}

fn single_file(options: &ReplayOptions) -> Result<Vec<(PathBuf, Instrument)>, FeedError> {
    if let Err(cause) = std::fs::metadata(&options.path) {
        return Err(FeedError::Folder { path: options.path.clone(), cause });
    }
    let by_name = named(&options.path).map(|(symbol, _)| symbol);
    let stem = options.path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
    let instrument = match (options.instruments.first(), by_name.or(stem)) {
        (Some(listed), _) => listed.clone(),
        (None, Some(symbol)) => Instrument::bare(symbol),
        (None, None) => return Err(FeedError::Empty(options.path.clone())),
    };
    Ok(vec![(options.path.clone(), instrument)])
}

/// Symbol and timeframe of a file called `SYMBOL.TIMEFRAME.csv`.
fn named(path: &Path) -> Option<(Symbol, Timeframe)> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".csv")?;
    let (symbol, timeframe) = stem.rsplit_once('.')?;
    Some((symbol.parse().ok()?, timeframe.parse().ok()?))
}

impl Feed for ReplayFeed {
    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn next_into(&mut self, snapshot: &mut MarketSnapshot) -> bool {
        snapshot.clear();
        let Some(at) = self.series.iter().map(|series| series.next_end).min() else { return false };
        if at.ms() == i64::MAX {
            return false;
        }
        snapshot.at = at;
        for series in self.series.iter_mut().filter(|series| series.next_end == at) {
            // Two bars may end together where hours are cut short; the later one counts.
            while series.next_end == at {
                let bar = series.bars[series.next];
                let class = self.instruments[series.instrument].class;
                if series.is_finest {
                    note_actions(series, &bar, &self.actions, snapshot);
                }
                snapshot.bars.push(SnapshotBar {
                    instrument: series.instrument,
                    timeframe: series.timeframe,
                    bar,
                    opens: series.opens(&bar, class),
                    is_finest: series.is_finest,
                    is_last: series.next + 1 == series.bars.len(),
                });
                series.advance();
            }
        }
        true
    }

    fn history_until(&self) -> Timestamp {
        self.from.unwrap_or(Timestamp::from_ms(i64::MIN))
    }
}

/// Adds the splits since the series' last bar, and whether a person confirmed the move of this day. A split counts only where the prices
/// show it: in a series that is adjusted already, the file's splits have happened.
fn note_actions(series: &mut Series, bar: &Bar, actions: &Actions, snapshot: &mut MarketSnapshot) {
    let date = bar.start.utc().date_naive();
    let Some(last) = series.last_date.replace(date).filter(|last| *last != date) else { return };
    let close = series.bars[series.next - 1].close;
    for (_, (numerator, denominator)) in actions.splits_between(series.symbol, last, date) {
        let gap = |expected: Price| bar.open.minus(expected).map_or(i64::MAX, |gap| gap.abs().units());
        let split = close.scaled(denominator, numerator).unwrap_or(close);
        if gap(split) < gap(close) {
            snapshot.splits.push(Split { instrument: series.instrument, numerator, denominator });
        }
    }
    if actions.confirmed_on(series.symbol, date) {
        snapshot.confirmed.push(series.instrument);
    }
}
