//! Which prices does a run trade on? Builds the feed and names it, so that a database is never mixed up.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{FeedArg, RunArgs};
use crate::clock::{Clock, Timestamp};
use crate::domain::{Instrument, Timeframe};
use crate::market::{Feed, ReplayFeed, ReplayOptions, SimulatedFeed, SimulatedWithHistory};

use super::{AppError, universe};

/// Bars of history that the simulated market starts with.
const HISTORY_BARS: usize = 500;
/// Warnings of price files that are printed at the start.
const WARNINGS_SHOWN: usize = 5;
/// How long something may take before its progress is shown.
const PROGRESS_AFTER: Duration = Duration::from_secs(2);

/// Prices with their name.
pub(super) struct NamedFeed {
    /// The prices.
    pub(super) feed: Box<dyn Feed>,
    /// What a database that belongs to them notes.
    pub(super) identity: String,
    /// The same for people.
    pub(super) words: String,
    /// How many bars are recorded; none for a market without end.
    pub(super) bars: Option<usize>,
    /// How prices are marked in messages.
    pub(super) mark: &'static str,
}

/// Which prices a database belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The built-in market.
    Simulated {
        /// Its seed.
        seed: u64,
        /// The length of its bars.
        timeframe: Timeframe,
    },
    /// Files.
    Recorded {
        /// Their folder, or the only one.
        path: PathBuf,
        /// The series, such as `AAPL.1d`.
        files: Vec<String>,
    },
}

impl Origin {
    /// As a database notes it.
    fn identity(&self) -> String {
        match self {
            Self::Simulated { seed, timeframe } => format!("simulated seed={seed} timeframe={timeframe}"),
            Self::Recorded { path, files } => format!("replay {} {}", path.display(), files.join(",")),
        }
    }

    /// What a database has noted; none for a note of another form.
    pub(super) fn of(identity: &str) -> Option<Self> {
        if let Some(rest) = identity.strip_prefix("simulated seed=") {
            let (seed, timeframe) = rest.split_once(" timeframe=")?;
            return Some(Self::Simulated { seed: seed.parse().ok()?, timeframe: timeframe.parse().ok()? });
        }
        let rest = identity.strip_prefix("replay ")?;
        let (path, files) = match rest.rsplit_once(' ')? {
            (before, last) if last.starts_with("from=") => before.rsplit_once(' ')?,
            both => both,
        };
        Some(Self::Recorded { path: path.into(), files: files.split(',').map(str::to_owned).collect() })
    }
}

/// True if recorded prices are asked for.
pub(super) fn is_replay(args: &RunArgs) -> bool {
    args.feed == Some(FeedArg::Replay) || (args.feed.is_none() && args.data.is_some())
}

/// Refuses a stretch of time that ends before it begins.
pub(super) fn check_range(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), AppError> {
    match (from, to) {
        (Some(from), Some(to)) if from >= to => Err(AppError::usage(format!("--from {from} is not before --to {to}"))),
        _ => Ok(()),
    }
}

/// Builds the feed that the options ask for, with the bars that strategies decide on.
pub(super) fn build(
    args: &RunArgs,
    list: Vec<Instrument>,
    wanted: Vec<Timeframe>,
    clock: &dyn Clock,
) -> Result<NamedFeed, AppError> {
    if is_replay(args) { replay(args, list, wanted, clock) } else { simulated(args, list, &wanted) }
}

fn simulated(args: &RunArgs, list: Vec<Instrument>, wanted: &[Timeframe]) -> Result<NamedFeed, AppError> {
    for (given, name) in [(args.data.is_some(), "--data"), (args.from.is_some(), "--from"), (args.to.is_some(), "--to")]
    {
        if given {
            return Err(AppError::usage(format!("{name} goes with --feed replay; the simulated market has no files")));
        }
    }
    let timeframe = args.timeframe.unwrap_or(Timeframe::M1);
    let feed = market(args.seed, timeframe, list);
    for short in wanted.iter().filter(|wanted| **wanted < timeframe) {
        note(&format!("a strategy asks for {short} bars, but the market has {timeframe} bars: it decides nothing"));
    }
    Ok(NamedFeed {
        feed: Box::new(SimulatedWithHistory::new(feed.with_longer(wanted))),
        bars: None,
        identity: Origin::Simulated { seed: args.seed, timeframe }.identity(),
        words: format!("sim (simulated market, seed {}, {timeframe} bars)", args.seed),
        mark: "sim",
    })
}

/// The simulated market, with its history.
pub(super) fn market(seed: u64, timeframe: Timeframe, list: Vec<Instrument>) -> SimulatedFeed {
    // From the built-in list, whatever is watched: else the first share on a list of coins would change the coins' past.
    let start = SimulatedFeed::history_start(timeframe, HISTORY_BARS, &universe::sample());
    SimulatedFeed::new(seed, timeframe, universe::with_known_sectors(list), start)
}

fn replay(
    args: &RunArgs,
    list: Vec<Instrument>,
    wanted: Vec<Timeframe>,
    clock: &dyn Clock,
) -> Result<NamedFeed, AppError> {
    let Some(path) = args.data.clone() else {
        return Err(AppError::usage("--feed replay needs --data")
            .with_hint("--data takes a folder of files such as AAPL.1d.csv"));
    };
    let (timeframe, from, to) = (args.timeframe, args.from, args.to);
    let options = ReplayOptions { path, instruments: list, timeframe, longer: wanted, from, to };
    let feed = open(&options, clock)?;
    Ok(name(feed, &options, args))
}

/// Opens recorded prices, and notes what is odd about them.
pub(super) fn open(options: &ReplayOptions, clock: &dyn Clock) -> Result<ReplayFeed, AppError> {
    let bar = progress("reading prices");
    let feed = ReplayFeed::open(options, clock.now(), &mut |done, all| tick(&bar, done, all));
    bar.finish_and_clear();
    let feed = feed?;
    for warning in feed.warnings().iter().take(WARNINGS_SHOWN) {
        note(&warning.to_string());
    }
    let more = feed.warnings().len().saturating_sub(WARNINGS_SHOWN);
    if more > 0 {
        note(&format!("and {more} more warnings; \"bellwether data check\" lists them"));
    }
    if feed.left_out() > 0 {
        note(&format!("{} bars outside the hours of their market are left out", feed.left_out()));
    }
    for (symbol, timeframe) in feed.too_fine().iter().take(WARNINGS_SHOWN) {
        note(&format!(
            "a strategy asks for {timeframe} bars, but those of {symbol} are longer: it decides nothing there"
        ));
    }
    Ok(feed)
}

fn name(feed: ReplayFeed, options: &ReplayOptions, args: &RunArgs) -> NamedFeed {
    let path = std::fs::canonicalize(&options.path).unwrap_or_else(|_| options.path.clone());
    let from = args.from.map(|from| format!(" from={from}")).unwrap_or_default();
    let identity = Origin::Recorded { path, files: feed.files().to_vec() }.identity();
    let shown = if feed.files().len() > 4 { format!("{} series", feed.files().len()) } else { feed.files().join(", ") };
    NamedFeed {
        bars: Some(feed.bars()),
        identity: format!("{identity}{from}"),
        words: format!("replay of {shown} in {}{from}, {} recorded bars", options.path.display(), feed.bars()),
        feed: Box::new(feed),
        mark: "paper",
    }
}

/// Says something beside the result, on standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// A progress bar that shows itself only if the work is long, and only to a person.
pub(super) fn progress(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}");
    let bar = ProgressBar::no_length().with_message(what);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// A line that says how far something without a known end has come, shown only to a person.
pub(super) fn spinner() -> ProgressBar {
    if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}

/// Moves a progress bar on.
pub(super) fn tick(bar: &ProgressBar, done: usize, all: usize) {
    if bar.elapsed() >= PROGRESS_AFTER {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_database_notes_can_be_read_again() {
        let simulated = Origin::Simulated { seed: u64::MAX, timeframe: Timeframe::M1 };
        assert_eq!(Origin::of(&simulated.identity()), Some(simulated));
        let files = vec!["AAPL.1d".to_owned(), "BTC-USD.1h".to_owned()];
        let recorded = Origin::Recorded { path: PathBuf::from("/my prices from=2010 on"), files };
        assert_eq!(Origin::of(&recorded.identity()), Some(recorded.clone()));
        assert_eq!(Origin::of(&format!("{} from=2010-01-01T00:00:00Z", recorded.identity())), Some(recorded));
        assert_eq!(Origin::of("a feed of another version"), None);
    }
}
