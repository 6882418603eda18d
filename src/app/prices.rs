//! Which bars does a picture show? Those of files, or of the feed that a database belongs to, up to a moment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::clock::{Clock, Timestamp};
use crate::domain::{Bar, Instrument, MarketSnapshot, Price, Quantity, Split, Symbol, Timeframe};
use crate::market::{self, Aggregator, Feed, Hours, ReplayOptions, SimulatedWithHistory};
use crate::store::Reader;

use super::feeds::Origin;
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

/// The bars of one length, oldest first, in the shares of the newest.
pub(super) struct Series {
    /// The length.
    pub(super) timeframe: Timeframe,
    /// The bars.
    pub(super) bars: Vec<Bar>,
    /// True if the last bar is still being gathered.
    pub(super) unfinished: bool,
    /// The shorter bars they are gathered from, if they are.
    pub(super) from: Option<Timeframe>,
    /// When the last bar was known.
    pub(super) at: Timestamp,
    /// Splits that were followed: what was dealt before the instant was dealt in old shares.
    pub(super) splits: Vec<(Timestamp, Split)>,
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

    /// The bars that bars of this length are made of: the same where there are such, else the longest that are shorter.
    fn base(&self, wanted: Timeframe) -> Option<Timeframe> {
        self.recorded.iter().copied().rfind(|timeframe| *timeframe <= wanted)
    }

    /// Reads bars of these lengths, in their order; lengths without any bar are left out.
    pub(super) fn read(&self, wanted: &[Timeframe], clock: &dyn Clock) -> Result<Vec<Series>, AppError> {
        let bases: BTreeSet<Timeframe> = wanted.iter().filter_map(|wanted| self.base(*wanted)).collect();
        let mut found = Vec::new();
        // A feed each: splits are looked for in the finest bars of a feed, and files may cover different years.
        for base in bases {
            let mut feed = self.feed(base, clock)?;
            let of_base = wanted.iter().copied().filter(|wanted| self.base(*wanted) == Some(base));
            let mut gathering = Gathering::new(base, of_base, &self.instrument);
            gathering.read(feed.as_mut(), self.until);
            found.extend(gathering.finish());
        }
        let place = |series: &Series| wanted.iter().position(|wanted| *wanted == series.timeframe);
        found.sort_by_key(place);
        if !found.is_empty() {
            return Ok(found);
        }
        let symbol = self.instrument.symbol;
        let recorded: Vec<&str> = self.recorded.iter().map(|timeframe| timeframe.as_str()).collect();
        Err(if wanted.iter().all(|wanted| self.base(*wanted).is_none()) {
            AppError::usage(format!("the bars of {symbol} are longer than asked for: {}", recorded.join(", ")))
        } else {
            let until = self.until.map(|until| format!(" that end by {until}")).unwrap_or_default();
            AppError::failed(format!("there are no bars of {symbol}{until}"))
        })
    }

    fn feed(&self, base: Timeframe, clock: &dyn Clock) -> Result<Box<dyn Feed>, AppError> {
        Ok(match &self.place {
            Place::Simulated { seed } => {
                Box::new(SimulatedWithHistory::new(feeds::market(*seed, base, vec![self.instrument.clone()])))
            }
            Place::Files(path) => {
                let options = ReplayOptions {
                    path: path.clone(),
                    instruments: vec![self.instrument.clone()],
                    timeframe: Some(base),
                    longer: Vec::new(),
                    from: None,
                    to: self.until,
                };
                Box::new(feeds::open(&options, clock)?)
            }
        })
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

/// Bars of several lengths that are made of one.
struct Gathering {
    base: Timeframe,
    lanes: Vec<Lane>,
    splits: Vec<(Timestamp, Split)>,
    /// When trading in the first bar began, and when the last was known.
    begun: Option<Timestamp>,
    at: Timestamp,
}

struct Lane {
    timeframe: Timeframe,
    bars: Vec<Bar>,
    /// None where the bars are given as they are.
    aggregator: Option<Aggregator>,
}

impl Gathering {
    fn new(base: Timeframe, wanted: impl Iterator<Item = Timeframe>, instrument: &Instrument) -> Self {
        let lane = |timeframe| Lane {
            timeframe,
            bars: Vec::new(),
            aggregator: (timeframe != base).then(|| Aggregator::new(instrument.class, timeframe)),
        };
        let lanes = wanted.map(lane).collect();
        Self { base, lanes, splits: Vec::new(), begun: None, at: Timestamp::default() }
    }

    fn read(&mut self, feed: &mut dyn Feed, until: Option<Timestamp>) {
        let mut snapshot = MarketSnapshot::default();
        while feed.next_into(&mut snapshot) && until.is_none_or(|until| snapshot.at <= until) {
            self.at = snapshot.at;
            self.begun = self.begun.or(snapshot.bars.first().map(|seen| seen.opens));
            for split in &snapshot.splits {
                let opens = snapshot.bars.first().map_or(snapshot.at, |seen| seen.opens);
                self.splits.push((opens, *split));
                self.lanes.iter_mut().for_each(|lane| lane.rescale(*split));
            }
            for seen in &snapshot.bars {
                self.lanes.iter_mut().for_each(|lane| lane.take(&seen.bar, snapshot.at));
            }
        }
    }

    fn finish(self) -> impl Iterator<Item = Series> {
        let Self { base, lanes, splits, begun, at } = self;
        let finish = move |lane: Lane| {
            let Lane { timeframe, mut bars, aggregator } = lane;
            let Some(aggregator) = aggregator else {
                return Series { timeframe, bars, unfinished: false, from: None, at, splits: splits.clone() };
            };
            let rest = aggregator.so_far();
            bars.extend(rest);
            let opens = |bar: &Bar| Hours::of(aggregator.class()).bar_open(timeframe, bar.start);
            // A period that began before the first bar would be told by a part of it.
            if bars.len() > 1 && begun > bars.first().map(opens) {
                bars.remove(0);
            }
            Series { timeframe, bars, unfinished: rest.is_some(), from: Some(base), at, splits: splits.clone() }
        };
        lanes.into_iter().map(finish).filter(|series| !series.bars.is_empty())
    }
}

impl Lane {
    fn take(&mut self, bar: &Bar, at: Timestamp) {
        let Some(aggregator) = &mut self.aggregator else {
            self.bars.push(*bar);
            return;
        };
        self.bars.extend(aggregator.take_due(bar.start));
        aggregator.add(bar);
        self.bars.extend(aggregator.take_due(at));
    }

    /// Tells everything so far in new shares.
    fn rescale(&mut self, split: Split) {
        let (new, old) = (split.numerator, split.denominator);
        for bar in &mut self.bars {
            for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
                *price = price.scaled(old, new).unwrap_or(Price::MAX).max(Price::STEP);
            }
            bar.volume = bar.volume.scaled(new, old).unwrap_or(Quantity::MAX);
        }
        if let Some(aggregator) = &mut self.aggregator {
            aggregator.rescale(new, old);
        }
    }
}
