//! Which bars does a picture show? Those of files, or of the feed that a database belongs to, up to a moment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::clock::{Clock, Timestamp};
use crate::domain::{Instrument, Symbol, Timeframe};
use crate::market::{self, Feed, FeedError, ReplayFeed, ReplayOptions, SimulatedWithHistory};
use crate::store::Reader;

use super::feeds::Origin;
use super::series::{Gathering, Series};
use super::{AppError, feeds, universe};

/// How many names a message about an unknown symbol lists.
const NAMES_SHOWN: usize = 5;

/// Where the prices of one symbol come from.
pub(super) struct Source {
    /// The symbol with what is known of it.
    pub(super) instrument: Instrument,
    place: Place,
    /// The bars there are before any are gathered, shortest first.
    recorded: Vec<Timeframe>,
    /// The bars to show where none are asked for.
    pub(super) usual: Timeframe,
    /// Bars that end later are left out.
    until: Option<Timestamp>,
}

enum Place {
    Files(PathBuf),
    Simulated { seed: u64 },
}

impl Source {
    /// The files of a folder, or one file.
    pub(super) fn in_files(
        path: &Path,
        symbol: Symbol,
        until: Option<Timestamp>,
        clock: &dyn Clock,
    ) -> Result<Self, AppError> {
        if !path.exists() {
            return Err(AppError::usage(format!("there is no {}", path.display())));
        }
        let recorded = timeframes(path, symbol, clock)?;
        let usual = recorded.iter().rev().find(|timeframe| **timeframe <= Timeframe::D1).or(recorded.first());
        let usual = usual.copied().unwrap_or(Timeframe::D1);
        let instrument = universe::named(&[symbol]).pop().unwrap_or_else(|| Instrument::bare(symbol));
        Ok(Self { instrument, place: Place::Files(path.to_owned()), recorded, usual, until })
    }

    /// The feed that a database belongs to, as far as it was traded on.
    pub(super) fn of_database(
        reader: &Reader,
        symbol: Symbol,
        to: Option<Timestamp>,
        clock: &dyn Clock,
    ) -> Result<Self, AppError> {
        let nothing =
            || AppError::failed("nothing has run yet").with_hint("run the bot first, or draw files with --data");
        let progress = reader.progress()?.ok_or_else(nothing)?;
        let marks = reader.marks()?;
        let Some(mark) = marks.iter().find(|mark| mark.symbol == symbol) else {
            return Err(unknown(symbol, "the bot has no prices", marks.iter().map(|mark| mark.symbol)));
        };
        let (place, recorded) = match reader.meta("feed")?.as_deref().and_then(Origin::of) {
            Some(Origin::Simulated { seed, timeframe }) => (Place::Simulated { seed }, vec![timeframe]),
            Some(Origin::Recorded { path, .. }) if path.is_dir() => {
                let recorded = timeframes(&path, symbol, clock)?;
                (Place::Files(path), recorded)
            }
            Some(Origin::Recorded { path, .. }) => (Place::Files(path), vec![mark.timeframe]),
            None => {
                return Err(AppError::failed("the database does not say which prices it belongs to")
                    .with_hint("draw files with --data"));
            }
        };
        let until = Some(to.map_or(progress.market, |to| to.min(progress.market)));
        Ok(Self { instrument: instrument(reader, symbol)?, place, recorded, usual: mark.timeframe, until })
    }

    /// True if nobody ever traded at these prices.
    pub(super) fn is_simulated(&self) -> bool {
        matches!(self.place, Place::Simulated { .. })
    }

    /// Reads bars of these lengths, in their order; lengths without any bar are left out. Bars are taken as they were recorded
    /// unless those end too early: then they are gathered from shorter ones.
    pub(super) fn read(&self, wanted: &[Timeframe], clock: &dyn Clock) -> Result<Vec<Series>, AppError> {
        let mut left = wanted.to_vec();
        let mut found: Vec<Series> = Vec::new();
        // A feed for each length, longest first: files may cover different years, and splits are looked for in a feed's finest bars.
        for base in self.recorded.iter().rev().copied() {
            let own: Vec<Timeframe> = left.iter().copied().filter(|wanted| *wanted >= base).collect();
            let Some(mut feed) = (if own.is_empty() { None } else { self.feed(base, clock)? }) else { continue };
            let mut gathering = Gathering::new(base, own, &self.instrument);
            gathering.read(feed.as_mut(), self.until);
            for series in gathering.finish() {
                let settled = match self.until {
                    Some(until) => !series.is_stale(until),
                    None => wanted.len() == 1,
                };
                left.retain(|left| !settled || *left != series.timeframe);
                match found.iter_mut().find(|known| known.timeframe == series.timeframe) {
                    None => found.push(series),
                    Some(known) if known.is_stale(series.at) => *known = series,
                    Some(_) => {}
                }
            }
        }
        found.sort_by_key(|series| wanted.iter().position(|wanted| *wanted == series.timeframe));
        if !found.is_empty() {
            return Ok(found);
        }
        let symbol = self.instrument.symbol;
        let recorded: Vec<&str> = self.recorded.iter().map(|timeframe| timeframe.as_str()).collect();
        Err(if wanted.iter().max() < self.recorded.first() {
            AppError::usage(format!("the bars of {symbol} are longer than asked for: {}", recorded.join(", ")))
        } else {
            let until = self.until.map(|until| format!(" that end by {until}")).unwrap_or_default();
            AppError::failed(format!("there are no bars of {symbol}{until}"))
        })
    }

    /// The bars of one length, one after the other; none where all end too late.
    fn feed(&self, base: Timeframe, clock: &dyn Clock) -> Result<Option<Box<dyn Feed>>, AppError> {
        let instruments = vec![self.instrument.clone()];
        let path = match &self.place {
            Place::Simulated { seed } => {
                return Ok(Some(Box::new(SimulatedWithHistory::new(feeds::market(*seed, base, instruments)))));
            }
            Place::Files(path) => path.clone(),
        };
        let options =
            ReplayOptions { path, instruments, timeframe: Some(base), longer: Vec::new(), from: None, to: self.until };
        // Warnings are told by a run and by "data check": a picture stays quiet about what it can be drawn with.
        match ReplayFeed::open(&options, clock.now(), &mut |_, _| {}) {
            Ok(feed) => Ok(Some(Box::new(feed))),
            Err(FeedError::Empty(_)) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}

/// The lengths of the bars that are recorded of a symbol.
fn timeframes(path: &Path, symbol: Symbol, clock: &dyn Clock) -> Result<Vec<Timeframe>, AppError> {
    let series = market::recorded(path)?;
    if series.is_empty() && path.is_file() {
        // The name tells nothing: the bars do.
        let timeframe = market::read(path, clock.now()).timeframe;
        return timeframe.map(|timeframe| vec![timeframe]).ok_or_else(|| {
            AppError::failed(format!("nothing tells how long the bars in {} are", path.display()))
                .with_hint("name the file SYMBOL.TIMEFRAME.csv, such as AAPL.1d.csv")
        });
    }
    let own: Vec<Timeframe> = series.iter().filter(|(of, _)| *of == symbol).map(|(_, timeframe)| *timeframe).collect();
    if own.is_empty() {
        return Err(unknown(
            symbol,
            &format!("{} has no prices", path.display()),
            series.into_iter().map(|(of, _)| of),
        ));
    }
    Ok(own)
}

/// A symbol as the database knows it.
fn instrument(reader: &Reader, symbol: Symbol) -> Result<Instrument, AppError> {
    for row in reader.books()? {
        let found = reader.watchlist(row.book.name)?.1.into_iter().find(|item| item.symbol == symbol);
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Ok(universe::named(&[symbol]).pop().unwrap_or_else(|| Instrument::bare(symbol)))
}

/// There is no such symbol; the names that are most like it come first.
fn unknown(symbol: Symbol, what: &str, known: impl Iterator<Item = Symbol>) -> AppError {
    let known: BTreeSet<Symbol> = known.collect();
    let likeness = |other: &Symbol| strsim::jaro_winkler(symbol.as_str(), other.as_str());
    let mut near: Vec<(f64, Symbol)> = known.iter().map(|other| (likeness(other), *other)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let shown: Vec<&str> = near.iter().take(NAMES_SHOWN).map(|(_, other)| other.as_str()).collect();
    let more = known.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let refused = AppError::usage(format!("{what} of {symbol}"));
    if shown.is_empty() { refused } else { refused.with_hint(format!("there are {}{more}", shown.join(", "))) }
}
