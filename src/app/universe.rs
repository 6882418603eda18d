//! Which symbols does a run watch? Options first, then an imported list, then the configuration, then the usual list.

use std::collections::BTreeSet;
use std::path::Path;

use crate::cli::RunArgs;
use crate::config::{BookConfig, Config, WatchSource};

use crate::domain::{ChangeRow, Instrument, Setting, Symbol, Timeframe};
use crate::market::{parse_watchlist, recorded};
use crate::store::Reader;

use super::{AppError, feeds};

/// The list that is built in, and copied into no folder.
const SAMPLE: &str = include_str!("../../data/watchlist.csv");
/// Where a list is looked for if none is named.
const USUAL: &str = "data/watchlist.csv";

/// The list of one book, and where it comes from.
pub(super) struct Watched {
    /// The list; empty for everything a replay has.
    pub(super) list: Vec<Instrument>,
    /// Where it comes from, as `/watchlist` says it.
    pub(super) source: &'static str,
}

/// The built-in list.
pub(super) fn sample() -> Vec<Instrument> {
    parse_watchlist(SAMPLE.as_bytes()).unwrap_or_default()
}

/// Reads a list from a file.
pub(super) fn read_list(path: &Path) -> Result<Vec<Instrument>, AppError> {
    let text = std::fs::read(path)
        .map_err(|error| AppError::usage(format!("cannot read the watchlist {}: {error}", path.display())))?;
    parse_watchlist(&text).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("  {}: {fault}", path.display())).collect();
        AppError::usage(format!("the watchlist is refused as a whole:\n{}", faults.join("\n")))
    })
}

/// Symbols with what the usual list knows of them.
pub(super) fn named(symbols: &[Symbol]) -> Vec<Instrument> {
    let known = sample();
    let mut list: Vec<Instrument> = Vec::new();
    for symbol in symbols {
        if list.iter().all(|item| item.symbol != *symbol) {
            let found = known.iter().find(|item| item.symbol == *symbol).cloned();
            list.push(found.unwrap_or_else(|| Instrument::bare(*symbol)));
        }
    }
    list
}

/// What the configuration says, without looking at the database.
pub(super) fn configured(book: &BookConfig) -> Result<Watched, AppError> {
    Ok(match &book.watch {
        WatchSource::Symbols(symbols) => Watched { list: named(symbols), source: "configured" },
        WatchSource::File(path) => Watched { list: read_list(path)?, source: "configured file" },
        WatchSource::Usual if Path::new(USUAL).exists() => {
            Watched { list: read_list(Path::new(USUAL))?, source: USUAL }
        }
        WatchSource::Usual => Watched { list: sample(), source: "built-in list" },
    })
}

/// The list of a book with its pins: an imported one wins over the configuration. A replay without any word on symbols plays all it has.
pub(super) fn of_book(book: &BookConfig, reader: Option<&Reader>, replay: bool) -> Result<Watched, AppError> {
    let pins = book.desk.pins.iter().copied();
    if let Some(reader) = reader {
        let (source, list) = reader.watchlist(book.desk.name)?;
        if source == "imported" {
            return Ok(Watched { list: with_symbols(list, pins), source: "imported" });
        }
    }
    if replay && book.watch == WatchSource::Usual {
        return Ok(Watched { list: Vec::new(), source: "the price files" });
    }
    let watched = configured(book)?;
    Ok(Watched { list: with_symbols(watched.list, pins), ..watched })
}

/// What is wrong with a book that has limits of a symbol which it does not watch, neither in this run nor by its configuration.
pub(super) fn unwatched(book: &BookConfig, watched: &[Symbol]) -> Option<String> {
    if matches!(book.watch, WatchSource::Symbols(_)) || book.desk.overrides.is_empty() {
        // A written list was compared when it was read.
        return None;
    }
    let usual = configured(book).map_or_else(|_| Vec::new(), |usual| usual.list);
    let known: BTreeSet<Symbol> =
        watched.iter().chain(&book.desk.pins).copied().chain(usual.into_iter().map(|item| item.symbol)).collect();
    let symbol = book.desk.overrides.iter().map(|terms| terms.symbol).find(|symbol| !known.contains(symbol))?;
    let likeness = |other: &&Symbol| strsim::jaro_winkler(symbol.as_str(), other.as_str());
    let near = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|near| likeness(near) > 0.7);
    let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
    let name = book.desk.name;
    Some(format!("book {name} does not watch {symbol}, so [books.symbol_limits.{symbol}] means nothing{near}"))
}

/// Refuses what is quoted in another currency than the book's.
pub(super) fn check_currency(config: &Config, book: &BookConfig, list: &[Instrument]) -> Result<(), AppError> {
    for item in list {
        let quoted = item.currency();
        let usdt = quoted == "USDT" && book.desk.currency == "USD";
        if quoted != book.desk.currency && !(usdt && config.usdt_is_usd) {
            let refused = AppError::usage(format!(
                "{} is quoted in {quoted}, but book {} counts in {}",
                item.symbol, book.desk.name, book.desk.currency
            ));
            return Err(if usdt {
                refused.with_hint(
                    "write \"usdt_is_usd = true\" at the top of bellwether.toml if one may stand for the other",
                )
            } else {
                refused.with_hint("take it off the list, or give it a book in its own currency")
            });
        }
    }
    Ok(())
}

/// A list with more symbols: what is held, so that it can be left, and what is pinned.
pub(super) fn with_symbols(mut list: Vec<Instrument>, more: impl Iterator<Item = Symbol>) -> Vec<Instrument> {
    for symbol in more {
        if list.iter().all(|item| item.symbol != symbol) {
            list.extend(named(&[symbol]));
        }
    }
    list
}

/// What people put on lists in a chat, as far as this run can have prices of it: of recorded prices those that there is a file of.
pub(super) fn watched_in_chat(args: &RunArgs, changes: &[ChangeRow]) -> Vec<Symbol> {
    let watched = changes.iter().filter_map(|row| match row.setting {
        Setting::Watched { symbol, watched: true } => Some(symbol),
        _ => None,
    });
    if !feeds::is_replay(args) {
        return watched.collect();
    }
    let files = args.data.as_deref().filter(|path| path.is_dir()).and_then(|path| recorded(path).ok());
    let files = files.unwrap_or_default();
    let has_file = |symbol: &Symbol| {
        files.iter().any(|(known, bars)| known == symbol && args.timeframe.is_none_or(|finest| finest == *bars))
    };
    watched.filter(has_file).collect()
}

/// The bars that strategies ask for which people added in a chat.
pub(super) fn timeframes_in_chat(changes: &[ChangeRow]) -> impl Iterator<Item = Timeframe> + '_ {
    changes.iter().filter_map(|row| match &row.setting {
        Setting::Strategy(new) => new.timeframe,
        _ => None,
    })
}

/// The simulated market moves a symbol with its sector, so the sector of a symbol of the built-in list is that list's, whatever another
/// list calls it: else a new word for it would change the past.
pub(super) fn with_known_sectors(mut list: Vec<Instrument>) -> Vec<Instrument> {
    let known = sample();
    for item in &mut list {
        if let Some(found) = known.iter().find(|known| known.symbol == item.symbol) {
            item.sector.clone_from(&found.sector);
        }
    }
    list
}
