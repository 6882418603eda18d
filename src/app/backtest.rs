//! What does `backtest` do? Reads the prices, runs the book over them, tells the result and writes it down.

use std::path::Path;

use crate::backtest::{Report, run};
use crate::cli::BacktestArgs;
use crate::clock::{Clock, SystemClock};
use crate::domain::format::counted;
use crate::market::{Feed, ReplayOptions};

use super::shell::print;
use super::tools::write_file;
use super::{AppError, book, feeds};

/// `backtest`.
pub(super) fn backtest(args: &BacktestArgs) -> Result<(), AppError> {
    let clock = SystemClock::new();
    let options = ReplayOptions {
        path: args.data.clone(),
        instruments: book::instruments(args.symbols.as_deref())?,
        timeframe: args.timeframe,
        longer: Vec::new(),
        from: args.from,
        to: args.to,
    };
    let desk = book::desk(args, &options.instruments)?;
    let mut feed = feeds::open(&options, &clock)?;
    let instruments = feed.instruments().to_vec();
    let desk = if options.instruments.is_empty() { book::desk(args, &instruments)? } else { desk };
    let zone = desk.zone;
    let started = clock.steady();
    let bars = feed.bars();
    let bar = feeds::progress("running");
    let mut done = 0;
    let ran = run(&mut feed, vec![desk], &mut |_| {
        done += 4_096;
        feeds::tick(&bar, done.min(bars), bars);
    });
    bar.finish_and_clear();
    let ran = ran.map_err(|error| AppError::failed(error.to_string()))?;
    let Some(desk) = ran.desks.first() else {
        return Err(AppError::failed("no bar lies between the times asked for"));
    };
    let report = Report::measure(&ran, desk, &instruments, zone).map_err(too_large)?;
    if let Some(folder) = &args.out {
        write(&report, folder)?;
    }
    if args.json {
        let text = serde_json::to_string_pretty(&report.json().map_err(too_large)?);
        print(&text.map_err(|error| AppError::failed(error.to_string()))?);
    } else {
        let took = clock.steady().saturating_sub(started);
        print(&format!(
            "{}{} of {}, {:.2} s",
            report.table(),
            counted(ran.bars, "bar"),
            counted(instruments.len() as u64, "symbol"),
            took.as_secs_f64()
        ));
    }
    Ok(())
}

fn too_large(error: crate::domain::AmountError) -> AppError {
    AppError::failed(format!("the result cannot be added up: {error}"))
}

/// Writes the files of a report, each whole or not at all.
fn write(report: &Report<'_>, folder: &Path) -> Result<(), AppError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| AppError::failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    let json = serde_json::to_string_pretty(&report.json().map_err(too_large)?);
    let json = json.map_err(|error| AppError::failed(error.to_string()))?;
    write_file(&folder.join("report.json"), &json)?;
    write_file(&folder.join("trades.csv"), &report.trades_csv())?;
    write_file(&folder.join("equity.csv"), &report.equity_csv())
}
