//! What can be done beside a run? Checks, tables, copies: each a function that prints and ends.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::Path;

use crate::cli::WatchlistCommand;
use crate::clock::{Clock, SystemClock};
use crate::config::{BookConfig, Environment, load, write_owned};
use crate::domain::format::counted;
use crate::domain::{Instrument, Label};
use crate::indicators::COLUMNS;
use crate::market::{CheckReport, check_path, read, write_watchlist};
use crate::store::{self, Reader, RestoreError, Store};
use crate::views::{Asker, Views, health_report};

use super::shell::print;
use super::{AppError, feeds, universe};

/// `data check PATH`.
pub(super) fn data_check(path: &Path, json: bool) -> Result<(), AppError> {
    if !path.exists() {
        return Err(AppError::usage(format!("there is no {}", path.display())));
    }
    let bar = feeds::progress("looking over");
    let report = check_path(path, SystemClock::new().now(), &mut |done, all| feeds::tick(&bar, done, all));
    bar.finish_and_clear();
    if json {
        let text = serde_json::to_string_pretty(&report).map_err(|error| AppError::failed(error.to_string()))?;
        print(&text);
    } else {
        print_report(&report);
    }
    if report.is_clean() { Ok(()) } else { Err(AppError::No) }
}

fn print_report(report: &CheckReport) {
    let mut text = String::new();
    for problem in &report.problems {
        let _ = writeln!(text, "{problem}");
    }
    let _ = write!(
        text,
        "{}, {}, {}: {}, {}",
        counted(report.files as u64, "file"),
        counted(report.rows as u64, "row"),
        counted(report.bars as u64, "sound bar"),
        counted(report.errors as u64, "error"),
        counted(report.warnings as u64, "warning")
    );
    print(&text);
}

/// `indicators FILE.csv`.
pub(super) fn indicators(path: &Path, out: Option<&Path>) -> Result<(), AppError> {
    if !path.exists() {
        return Err(AppError::usage(format!("there is no {}", path.display())));
    }
    let file = read(path, SystemClock::new().now());
    if file.has_errors() {
        let errors: Vec<String> = file
            .problems
            .iter()
            .filter(|problem| problem.is_error())
            .take(12)
            .map(|problem| format!("  {problem}"))
            .collect();
        return Err(AppError::failed(format!("these prices cannot be trusted:\n{}", errors.join("\n")))
            .with_hint("\"bellwether data check FILE\" lists every problem"));
    }
    let mut made: Vec<_> = COLUMNS.iter().map(|column| (column.build)()).collect();
    let mut text = String::from("timestamp");
    for column in COLUMNS {
        text.push(',');
        text.push_str(column.name);
    }
    text.push('\n');
    for bar in &file.bars {
        text.push_str(&bar.start.to_string());
        for indicator in &mut made {
            text.push(',');
            if let Some(value) = indicator.update(bar) {
                text.push_str(&value.to_string());
            }
        }
        text.push('\n');
    }
    match out {
        None => print(text.trim_end()),
        Some(out) => write_file(out, &text)?,
    }
    Ok(())
}

/// Writes a file whole or not at all.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), AppError> {
    write_bytes(path, text.as_bytes())
}

/// Writes a file whole or not at all. One that is there is replaced, and read by whoever could read it; a new one is its owner's alone.
pub(super) fn write_bytes(path: &Path, content: &[u8]) -> Result<(), AppError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".tmp");
    let unfinished = Path::new(&unfinished);
    let written = write_owned(unfinished, content)
        .and_then(|()| std::fs::metadata(path).map_or(Ok(()), |old| hand_over(unfinished, &old)))
        .and_then(|()| std::fs::rename(unfinished, path));
    // What is half done helps nobody; if it cannot be removed either, the first trouble is the one to tell.
    let written = written.inspect_err(|_| drop(std::fs::remove_file(unfinished)));
    written.map_err(|error| AppError::failed(format!("cannot write {}: {error}", path.display())))
}

/// Lets a file be read by whoever could read another.
fn hand_over(file: &Path, old: &Metadata) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, chown};
        // Only root gives a file away; a group may be one of ours.
        if chown(file, Some(old.uid()), Some(old.gid())).is_err() {
            let _ = chown(file, None, Some(old.gid()));
        }
    }
    std::fs::set_permissions(file, old.permissions())
}

/// `watchlist ...`.
pub(super) fn watchlist(what: WatchlistCommand, environment: &Environment) -> Result<(), AppError> {
    match what {
        WatchlistCommand::Check { file } => {
            let list = check_list(&file)?;
            print(&format!("{}: {} symbols, no problem", file.display(), list.len()));
            Ok(())
        }
        WatchlistCommand::Import { file, book } => {
            let config = load(environment.config.as_deref())?;
            let list = check_list(&file)?;
            let settings = find_book(&config.books, book)?;
            universe::check_currency(&config, settings, &list)?;
            let store = Store::open(&environment.database)?;
            let (_, old) = Reader::open(&environment.database)?.watchlist(book)?;
            tell_difference(book, &old, &list);
            store.keep_watchlist(book, "imported", list)?;
            print("the next start trades on it; \"bellwether watchlist sync\" goes back to the configuration");
            Ok(())
        }
        WatchlistCommand::Export { file, book } => {
            let config = load(environment.config.as_deref())?;
            let settings = find_book(&config.books, book)?;
            let stored = if environment.database.exists() {
                Reader::open(&environment.database)?.watchlist(book)?.1
            } else {
                Vec::new()
            };
            let list = if stored.is_empty() { universe::configured(settings)?.list } else { stored };
            let text = write_watchlist(&list);
            match file {
                None => print(text.trim_end()),
                Some(file) => write_file(&file, &text)?,
            }
            Ok(())
        }
        WatchlistCommand::Sync { book } => {
            let config = load(environment.config.as_deref())?;
            let watched = universe::configured(find_book(&config.books, book)?)?;
            let store = Store::open(&environment.database)?;
            let (_, old) = Reader::open(&environment.database)?.watchlist(book)?;
            tell_difference(book, &old, &watched.list);
            store.keep_watchlist(book, watched.source, watched.list)?;
            Ok(())
        }
    }
}

/// A list that is refused is an answer, not a mistake of whoever asked.
fn check_list(path: &Path) -> Result<Vec<Instrument>, AppError> {
    universe::read_list(path).map_err(|error| match error {
        AppError::Usage { what, hint } if path.exists() => AppError::Failed { what, hint },
        other => other,
    })
}

fn find_book(books: &[BookConfig], name: Label) -> Result<&BookConfig, AppError> {
    books.iter().find(|book| book.desk.name == name).ok_or_else(|| {
        let known: Vec<&str> = books.iter().map(|book| book.desk.name.as_str()).collect();
        AppError::usage(format!("there is no book \"{name}\"; there are {}", known.join(", ")))
    })
}

fn tell_difference(book: Label, old: &[Instrument], new: &[Instrument]) {
    let only = |these: &[Instrument], those: &[Instrument]| -> Vec<String> {
        let new = these.iter().filter(|item| those.iter().all(|other| other.symbol != item.symbol));
        new.map(|item| item.symbol.to_string()).collect()
    };
    let (added, removed) = (only(new, old), only(old, new));
    print(&format!("{book}: {} symbols, {} added, {} removed", new.len(), added.len(), removed.len()));
    for (word, symbols) in [("added", added), ("removed", removed)] {
        if !symbols.is_empty() {
            print(&format!("  {word}: {}", symbols.join(", ")));
        }
    }
}

/// `health`.
pub(super) fn health(database: &Path, json: bool) -> Result<(), AppError> {
    let views = Views::open(database, Asker::default(), SystemClock::new().now())?;
    let report = health_report(&views)?;
    if json {
        let text = serde_json::to_string_pretty(&report).map_err(|error| AppError::failed(error.to_string()))?;
        print(&text);
    } else {
        print(&crate::views::health(&views)?);
    }
    if report.well { Ok(()) } else { Err(AppError::No) }
}

/// `migrate`.
pub(super) fn migrate(database: &Path) -> Result<(), AppError> {
    let (before, after) = store::migrate(database)?;
    print(&if before == after {
        format!("{}: schema {after}, nothing to do", database.display())
    } else {
        format!("{}: schema {before} to {after}", database.display())
    });
    Ok(())
}

/// `backup FILE`.
pub(super) fn backup(database: &Path, file: &Path) -> Result<(), AppError> {
    let bytes = store::backup(database, file)?;
    print(&format!("{}: {bytes} bytes, checked", file.display()));
    Ok(())
}

/// `restore FILE`.
pub(super) fn restore(database: &Path, file: &Path) -> Result<(), AppError> {
    let aside = store::restore(file, database, SystemClock::new().now()).map_err(|error| match error {
        RestoreError::Store(error) => AppError::failed(format!("{} cannot be brought back: {error}", file.display()))
            .with_hint("the database is as it was; \"bellwether backup FILE\" makes copies that can be brought back"),
        RestoreError::Lease(error) => error.into(),
    })?;
    print(&format!("{} is now the checked copy of {}", database.display(), file.display()));
    if let Some(aside) = aside {
        print(&format!("what was there is kept as {}", aside.display()));
    }
    Ok(())
}
