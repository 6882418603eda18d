//! Which files are to be replayed, and what is in them? Finds them by their names, and reads several at once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::csv_file::{self, BarFile};
use super::ex_dates::{BarDays, adjusted_until, mixed};
use super::inspect::inspect;
use super::parallel::in_parallel;
use super::series::Recorded;
use super::{Actions, FeedError, Hours, Problem, ReplayOptions};
use crate::clock::Timestamp;
use crate::domain::{Instrument, Symbol, Timeframe};

/// A file to be read.
#[derive(Debug)]
pub(super) struct Found {
    path: PathBuf,
    pub(super) instrument: Instrument,
    /// As the name or the options say; none if the spacing of its bars is to tell.
    timeframe: Option<Timeframe>,
}

/// What a file holds for a replay.
#[derive(Debug)]
pub(super) struct Loaded {
    /// None where nothing tells it: then there is a problem that says why.
    pub(super) timeframe: Option<Timeframe>,
    pub(super) bars: Recorded,
    pub(super) problems: Vec<Problem>,
    /// Bars outside the hours of their market.
    pub(super) left_out: usize,
}

/// The series of a folder by the names of its files, or of one such file, sorted; a file without such a name tells none.
///
/// # Errors
/// When the folder or the file cannot be read.
pub fn recorded(path: &Path) -> Result<Vec<(Symbol, Timeframe)>, FeedError> {
    let failed = |cause| FeedError::Folder { path: path.to_owned(), cause };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(named(path).into_iter().collect());
    }
    let mut series = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        series.extend(named(&entry.map_err(failed)?.path()));
    }
    series.sort_unstable();
    Ok(series)
}

/// Reads the files, on every core; `progress` hears how many of how many.
pub(super) fn load(
    found: &[Found],
    actions: &Actions,
    to: Option<Timestamp>,
    now: Timestamp,
    progress: &mut dyn FnMut(usize, usize),
) -> Vec<Loaded> {
    let read = |found: &Found| {
        let file = csv_file::read_as(&found.path, found.timeframe, now);
        let problems = inspect(&file, actions);
        cut(file, found, actions, to, problems)
    };
    in_parallel(found, read, progress)
}

/// The bars of a file that are played: those within the hours of the market that end in time.
fn cut(file: BarFile, found: &Found, actions: &Actions, to: Option<Timestamp>, mut problems: Vec<Problem>) -> Loaded {
    let BarFile { mut bars, problems: faults, .. } = file;
    problems.extend(faults);
    let timeframe = found.timeframe.or(file.timeframe);
    let before = bars.len();
    let hours = Hours::of(found.instrument.class);
    if let Some(timeframe) = timeframe {
        bars.retain(|bar| hours.in_session(timeframe, bar.start));
    }
    let left_out = before - bars.len();
    if let (Some(timeframe), Some(to)) = (timeframe, to) {
        bars.retain(|bar| hours.bar_end(timeframe, bar.start) <= to);
    }
    let (symbol, days) = (found.instrument.symbol, BarDays { hours, timeframe });
    for (place, _) in mixed(symbol, &bars, days, actions).into_iter().rev() {
        bars.remove(place);
    }
    let adjusted_until = adjusted_until(symbol, &bars, days, actions);
    Loaded { timeframe, bars: Recorded::whole(bars, adjusted_until), problems, left_out }
}

/// The files to read, by symbol and timeframe.
///
/// # Errors
/// When the folder cannot be read, a symbol has no file, or there is nothing.
pub(super) fn find(options: &ReplayOptions) -> Result<Vec<Found>, FeedError> {
    if !options.path.is_dir() {
        return single_file(options);
    }
    let failed = |cause| FeedError::Folder { path: options.path.clone(), cause };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&options.path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some((symbol, timeframe)) = named(&path) else { continue };
        if options.timeframe.is_some_and(|finest| !is_asked_for(timeframe, finest, options)) {
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
    if let Some(finest) = options.timeframe {
        let served: BTreeSet<Symbol> =
            found.iter().filter(|(_, timeframe, ..)| *timeframe == finest).map(|(.., it)| it.symbol).collect();
        found.retain(|(.., instrument)| served.contains(&instrument.symbol));
    }
    for wanted in &options.instruments {
        if !found.iter().any(|(.., instrument)| instrument.symbol == wanted.symbol) {
            let timeframe = options.timeframe.map_or_else(|| "TIMEFRAME".to_owned(), |it| it.to_string());
            return Err(FeedError::NoFile { folder: options.path.clone(), symbol: wanted.symbol, timeframe });
        }
    }
    if found.is_empty() {
        return Err(FeedError::Empty(options.path.clone()));
    }
    let found = found.into_iter();
    Ok(found.map(|(_, timeframe, path, instrument)| Found { path, instrument, timeframe: Some(timeframe) }).collect())
}

/// True for the timeframe that a replay is limited to, and for the longer ones that strategies wish for.
fn is_asked_for(timeframe: Timeframe, finest: Timeframe, options: &ReplayOptions) -> bool {
    timeframe == finest || (timeframe > finest && options.longer.contains(&timeframe))
}

/// The one file, which the options must not call what its name says it is not.
fn single_file(options: &ReplayOptions) -> Result<Vec<Found>, FeedError> {
    let path = &options.path;
    if let Err(cause) = std::fs::metadata(path) {
        return Err(FeedError::Folder { path: path.clone(), cause });
    }
    let (symbol, timeframe) = csv_file::named(path);
    let contradicts = |asked: String| Err(FeedError::OtherFile { file: path.clone(), asked });
    let instrument = match (options.instruments.as_slice(), symbol) {
        ([], Some(symbol)) => Instrument::bare(symbol),
        ([], None) => return Err(FeedError::Empty(path.clone())),
        // Without a timeframe beside it, what stands there may be any word.
        ([listed], symbol) if timeframe.is_none() || symbol == Some(listed.symbol) => listed.clone(),
        ([listed], _) => return contradicts(listed.symbol.to_string()),
        (listed, _) => return Err(FeedError::OneFile { file: path.clone(), symbols: listed.len() }),
    };
    match (timeframe, options.timeframe) {
        (Some(named), Some(asked)) if named != asked => contradicts(format!("{asked} bars")),
        _ => Ok(vec![Found { path: path.clone(), instrument, timeframe: timeframe.or(options.timeframe) }]),
    }
}

/// Symbol and timeframe of a file called `SYMBOL.TIMEFRAME.csv`.
fn named(path: &Path) -> Option<(Symbol, Timeframe)> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".csv")?;
    let (symbol, timeframe) = stem.rsplit_once('.')?;
    Some((symbol.parse().ok()?, timeframe.parse().ok()?))
}
