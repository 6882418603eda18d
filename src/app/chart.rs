//! What does `chart` do? Reads prices and ledger, draws, writes one file and says what is on it.

use std::path::Path;

use chrono_tz::Tz;

use crate::chart::{Size, Theme, png};
use crate::cli::ChartArgs;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment, load};
use crate::domain::Symbol;
use crate::store::{Reader, StoreError};

use super::AppError;
use super::dealt::Dealt;
use super::holdings::{Aspect, Holdings};
use super::picture::{self, Look, Subject};
use super::prices::Source;
use super::results::Results;
use super::shell::{person, print};
use super::tools::write_bytes;

/// Bars that are drawn unless told otherwise, and days of `pnl`.
pub(super) const BARS: usize = 120;

/// What is asked for.
enum What {
    Equity,
    Pnl,
    Held(Aspect),
    Symbol(Symbol),
}

/// `chart SYMBOL --out FILE`.
pub(super) fn chart(args: &ChartArgs, environment: &Environment) -> Result<(), AppError> {
    let clock = SystemClock::new();
    let as_svg = is_svg(args)?;
    let what = asked(args)?;
    let config = load(environment.config.as_deref())?;
    let (svg, words) = match what {
        What::Symbol(symbol) => draw_symbol(args, symbol, &config, &environment.database, &clock)?,
        What::Held(aspect) => {
            let reader = open(&environment.database)?;
            Holdings::of(&reader, args.book, aspect, person(&config, None)?.zone)?.draw(aspect, look(args))
        }
        What::Equity | What::Pnl => {
            let reader = open(&environment.database)?;
            let results = Results::of(
                &reader,
                args.book.as_ref().map(std::slice::from_ref),
                args.to,
                person(&config, None)?.zone,
            )?;
            let count = args.bars.map_or(BARS, usize::from);
            if matches!(what, What::Pnl) { results.pnl(count, look(args)) } else { results.equity(look(args))? }
        }
    };
    let drawn = clock.steady();
    let content =
        if as_svg { svg.into_bytes() } else { png(&svg).map_err(|error| AppError::failed(error.to_string()))? };
    let made = clock.steady();
    write_bytes(&args.out, &content)?;
    tracing::debug!(drawn = ?drawn, png = ?made.saturating_sub(drawn), written = ?clock.steady().saturating_sub(made), "picture");
    let (width, height) = look(args).size.pixels();
    let kilobytes = content.len().div_ceil(1_000);
    print(&format!("{}: {width} x {height}, {kilobytes} kB · {words}", args.out.display()));
    Ok(())
}

fn look(args: &ChartArgs) -> Look {
    Look {
        theme: if args.light { Theme::Light } else { Theme::Dark },
        size: if args.tall { Size::Portrait } else { Size::Landscape },
    }
}

/// Whether the file is to be an SVG rather than a PNG.
fn is_svg(args: &ChartArgs) -> Result<bool, AppError> {
    let ending = args.out.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "png" if args.svg => Err(AppError::usage(format!("{} would hold an SVG", args.out.display()))
            .with_hint("leave --svg out, or let the name end in .svg")),
        "png" => Ok(false),
        "svg" => Ok(true),
        _ if args.svg => Ok(true),
        _ => Err(AppError::usage(format!("{}: the name tells no kind of picture", args.out.display()))
            .with_hint("let it end in .png or .svg")),
    }
}

fn asked(args: &ChartArgs) -> Result<What, AppError> {
    let what = match args.what.as_str() {
        "equity" => What::Equity,
        "pnl" => What::Pnl,
        word if let Some(aspect) = Aspect::of(word) => What::Held(aspect),
        symbol => {
            let symbol = symbol.parse::<Symbol>();
            return symbol.map(What::Symbol).map_err(|error| AppError::usage(error.to_string()));
        }
    };
    let given = [(args.data.is_some(), "--data"), (args.timeframe.is_some(), "--timeframe"), (args.sheet, "--sheet")];
    if let Some((_, name)) = given.into_iter().find(|(given, _)| *given) {
        return Err(AppError::usage(format!("{name} goes with a symbol, not with {}", args.what)));
    }
    let refused = match what {
        What::Equity if args.bars.is_some() => {
            Some("--bars goes with a symbol or pnl, not with equity: its picture shows the whole run".to_owned())
        }
        What::Held(_) if args.bars.is_some() => {
            Some(format!("--bars goes with a symbol or pnl, not with {}", args.what))
        }
        What::Held(_) if args.to.is_some() => {
            Some(format!("--to goes with a symbol, equity or pnl: {} shows what is held now", args.what))
        }
        _ => None,
    };
    refused.map_or(Ok(what), |why| Err(AppError::usage(why)))
}

/// The database, or what to do without one.
fn open(database: &Path) -> Result<Reader, AppError> {
    Reader::open(database).map_err(|error| match error {
        StoreError::Missing(_) => AppError::from(error)
            .with_hint("run the bot first, set BELLWETHER_DB, or draw price files with --data FOLDER"),
        other => other.into(),
    })
}

fn draw_symbol(
    args: &ChartArgs,
    symbol: Symbol,
    config: &Config,
    database: &Path,
    clock: &dyn Clock,
) -> Result<(String, String), AppError> {
    let (source, dealt, origin) = if let Some(path) = &args.data {
        (Source::in_files(path, symbol, args.to, clock)?, Dealt::default(), "recorded")
    } else {
        let reader = open(database)?;
        let source = Source::of_database(&reader, symbol, args.to, clock)?;
        let origin = if source.is_simulated() { "paper · simulated" } else { "paper · recorded" };
        (source, Dealt::of(&reader, symbol, args.book.as_ref().map(std::slice::from_ref), args.to)?, origin)
    };
    let usual = config.books.first().map_or(Tz::UTC, |book| book.desk.zone);
    let subject = Subject {
        instrument: &source.instrument,
        zone: person(config, None)?.zone.or(dealt.zone).unwrap_or(usual),
        origin,
        simulated: source.is_simulated(),
        dealt,
    };
    if args.sheet {
        let series = source.read(&picture::SHEET, clock)?;
        return Ok(picture::sheet(&subject, series, look(args)));
    }
    let series = source.read(&[args.timeframe.unwrap_or(source.usual)], clock)?;
    let series = series.first().ok_or_else(|| AppError::failed(format!("there are no bars of {symbol}")))?;
    Ok(picture::candles(&subject, series, args.bars.map_or(BARS, usize::from), look(args)))
}
