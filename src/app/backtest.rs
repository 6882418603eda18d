//! What does `backtest` do? Reads the prices, runs the book over them, tells the result and writes it down.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use crate::backtest::{
    Asked, BacktestError, Benchmark, Candidate, CandleBars, Check, Ran, Report, Walk, WalkError, WalkForward,
    check_look_ahead, check_warm_up, run,
};
use crate::cli::{BacktestArgs, FeedArg, RunArgs};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{Environment, load};
use crate::domain::format::{counted, percent};
use crate::domain::{AmountError, Instrument, Symbol};
use crate::engine::{DeskSettings, Pace};
use crate::market::{Feed, ReplayFeed, ReplayOptions, Stretch};
use crate::risk::Sizing;
use crate::stats::{Shuffle, periods_per_year};
use crate::store::Saved;

use super::run::prepare;
use super::shell::print;
use super::tools::write_file;
use super::{AppError, book, feeds, universe};

/// Cycles between two looks at the progress.
const PROGRESS_CYCLES: u64 = 4_096;

/// `backtest`.
pub(super) fn backtest(args: &BacktestArgs) -> Result<(), AppError> {
    let clock = SystemClock::new();
    let started = clock.steady();
    let mut work = Work::prepare(args, &clock)?;
    let (ran, walked) = work.run()?;
    let Some(desk) = ran.desks.first() else {
        return Err(AppError::failed("no bar lies between the times asked for"));
    };
    let settings = work.desk().clone();
    let mut report = Report::measure(&ran, desk, &settings, &work.instruments).map_err(too_large)?;
    report.walk_forward = walked;
    report.asked = Asked {
        data: args.data.display().to_string(),
        timeframe: args.timeframe,
        from: args.from,
        to: args.to,
        set: args.set.clone(),
    };
    work.add_to(&mut report)?;
    if let Some(folder) = &args.out {
        let mut prices = work.feed.again(Stretch { from: None, to: args.to, after: None, is_cut: false });
        let candles = CandleBars::collect(&mut prices, &report.charted(), &ran);
        write(&report, &candles, folder)?;
    }
    if args.json {
        print(&json(&report)?);
    } else {
        let took = clock.steady().saturating_sub(started);
        let (bars, symbols) = (counted(desk.bars, "bar"), counted(work.instruments.len() as u64, "symbol"));
        print(&format!("{}{bars} of {symbols}, {:.2} s", report.table(), took.as_secs_f64()));
    }
    if report.is_trusted() { Ok(()) } else { Err(AppError::No) }
}

/// Everything that a backtest needs.
struct Work<'a> {
    args: &'a BacktestArgs,
    feed: ReplayFeed,
    instruments: Vec<Instrument>,
    /// One, or those that a walk chooses from.
    candidates: Vec<Candidate>,
    /// Combinations that cannot be.
    left_out: usize,
    benchmark: Option<(Symbol, ReplayFeed)>,
}

impl<'a> Work<'a> {
    fn prepare(args: &'a BacktestArgs, clock: &dyn Clock) -> Result<Self, AppError> {
        feeds::check_range(args.from, args.to)?;
        let options = ReplayOptions {
            path: args.data.clone(),
            instruments: book::instruments(args.symbols.as_deref())?,
            timeframe: args.timeframe,
            longer: Vec::new(),
            from: args.from,
            to: args.to,
        };
        // What is wrong with the options is said before the prices are read.
        let (mut candidates, mut left_out) = book::candidates(args, &options.instruments)?;
        if let Some(folder) = &args.out {
            make_folder(folder)?;
        }
        let feed = feeds::open(&options, clock)?;
        let instruments = feed.instruments().to_vec();
        if options.instruments.is_empty() {
            (candidates, left_out) = book::candidates(args, &instruments)?;
        }
        let benchmark = match args.benchmark {
            Some(symbol) => Some((symbol, benchmark_feed(symbol, &feed, &options, clock)?)),
            None => None,
        };
        Ok(Self { args, feed, instruments, candidates, left_out, benchmark })
    }

    /// The book; of a walk the first of those to choose from, which differ in their strategies' parameters alone.
    fn desk(&self) -> &DeskSettings {
        &self.candidates[0].desk
    }

    fn periods_per_year(&self) -> f64 {
        periods_per_year(self.instruments.iter().map(|item| item.class))
    }

    fn run(&mut self) -> Result<(Ran, Option<WalkForward>), AppError> {
        let Some(plan) = self.args.walk_forward else {
            let desk = self.desk().clone();
            let (bars, symbols) = (self.feed.bars(), self.instruments.len());
            let ran = run_shown(&mut self.feed, vec![desk], None, (bars, symbols))?;
            return Ok((ran, None));
        };
        let walk = Walk {
            feed: &self.feed,
            from: self.args.from,
            plan,
            candidates: &self.candidates,
            trades_min: self.args.min_trades,
            periods_per_year: self.periods_per_year(),
            zone: self.desk().zone,
        };
        let bar = feeds::progress("walking forward");
        let walked = walk.walk(&mut |done, all| feeds::tick(&bar, done, all));
        bar.finish_and_clear();
        match walked {
            Ok((walked, ran)) => Ok((ran, Some(walked))),
            Err(WalkError::Windows(what)) => Err(AppError::usage(format!("--walk-forward {plan}: {what}"))),
            Err(WalkError::Run(error)) => Err(broken(&error)),
        }
    }

    /// Without a stop the whole value of an entry counts as open risk; where that is above the limit nothing is ever entered.
    fn too_large_without_stops(&self) -> Option<String> {
        let DeskSettings { limits, sizing, .. } = self.desk();
        let excluded = limits.enforced && !limits.stops && *sizing == Sizing::Fraction;
        (excluded && limits.fraction_pct > limits.open_risk_pct).then(|| {
            let (entry, limit) = (percent(limits.fraction_pct), percent(limits.open_risk_pct));
            format!(
                "without stops all of an entry counts as open risk, and an entry of {entry} of equity is above open_risk_pct, which is \
                 {limit}: give --limit open_risk_pct=100, a smaller fraction_pct, or --no-limits"
            )
        })
    }

    /// Adds what was asked for beside the run itself.
    fn add_to(&mut self, report: &mut Report<'_>) -> Result<(), AppError> {
        if self.left_out > 0 {
            let left_out = counted(self.left_out as u64, "combination");
            report.notes.push(format!("{left_out} of parameters cannot be and were left out"));
        }
        report.notes.extend(self.too_large_without_stops());
        let basis = (self.periods_per_year(), self.desk().zone);
        if let Some((symbol, feed)) = &mut self.benchmark {
            let Some(held) = Benchmark::hold(feed, *symbol, report.ran, report.desk, basis) else {
                return Err(AppError::failed(format!("--benchmark {symbol}: it has no bar in the time of the run")));
            };
            report.notes.extend(held.note(report.ran));
            report.benchmark = Some(held);
        }
        if let Some(paths) = self.args.monte_carlo {
            // Lifted, it halts nothing.
            let limits = &self.desk().limits;
            let limit = limits.enforced.then(|| -limits.drawdown_pct.to_f64());
            report.reshuffle(Shuffle { paths: usize::from(paths), seed: self.args.seed, limit });
        }
        if self.args.check_lookahead {
            report.checks.push(self.check("cutting later bars away", |feed, desks, progress| {
                let (from, to) = (self.args.from, self.args.to);
                let cut = |cut: Option<Timestamp>| {
                    feed.again(Stretch { after: None, from, to: cut.or(to), is_cut: cut.is_some() })
                };
                check_look_ahead(&cut, desks, progress)
            })?);
        }
        if self.args.check_warmup {
            report.checks.push(self.check("beginning later", |feed, desks, progress| {
                let later = |after: Option<Timestamp>| feed.again(Stretch { after, ..Stretch::default() });
                check_warm_up(&later, desks, &|strategy| strategy.warm_up(), progress)
            })?);
        }
        Ok(())
    }

    fn check(
        &self,
        what: &'static str,
        check: impl FnOnce(&ReplayFeed, &[DeskSettings], &mut dyn FnMut(usize, usize)) -> Result<Check, BacktestError>,
    ) -> Result<Check, AppError> {
        let bar = feeds::progress(what);
        let desks = [self.desk().clone()];
        let checked = check(&self.feed, &desks, &mut |done, all| feeds::tick(&bar, done, all));
        bar.finish_and_clear();
        checked.map_err(|error| broken(&error))
    }
}

/// The prices of the benchmark: those that are traded on, or a feed of their own, so that they change no decision.
fn benchmark_feed(
    symbol: Symbol,
    feed: &ReplayFeed,
    options: &ReplayOptions,
    clock: &dyn Clock,
) -> Result<ReplayFeed, AppError> {
    if feed.instruments().iter().any(|item| item.symbol == symbol) {
        return Ok(feed.again(Stretch::default()));
    }
    if !options.path.is_dir() {
        return Err(AppError::usage(format!(
            "--benchmark {symbol}: --data names a single file, which has no prices of it"
        ))
        .with_hint("name the folder that has both files, and the symbols with --symbols"));
    }
    let instruments = universe::named(&[symbol]);
    let currencies = [&instruments[0], &feed.instruments()[0]].map(Instrument::currency);
    if currencies[0] != currencies[1] {
        let [own, other] = currencies;
        return Err(AppError::usage(format!(
            "--benchmark {symbol}: it is quoted in {own}, but the book counts in {other}"
        )));
    }
    feeds::open(&ReplayOptions { instruments, ..options.clone() }, clock)
}

/// Runs books over a feed, shows a person how far it has come, and stops after so many cycles.
fn run_shown(
    feed: &mut dyn Feed,
    desks: Vec<DeskSettings>,
    cycles_max: Option<u64>,
    (bars, symbols): (usize, usize),
) -> Result<Ran, AppError> {
    let bar = feeds::progress("running");
    let ran = run(feed, desks, Ran::default(), &mut |seen| {
        if seen.cycles.is_multiple_of(PROGRESS_CYCLES) {
            let done = usize::try_from(seen.cycles).unwrap_or(usize::MAX).saturating_mul(symbols);
            feeds::tick(&bar, done.min(bars), bars);
        }
        let done = cycles_max.is_some_and(|most| seen.cycles >= most);
        if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    ran.map_err(|error| broken(&error))
}

/// `run --mode backtest`: the configured books, in memory, as fast as it goes.
pub(super) fn of_books(args: &RunArgs, environment: &Environment) -> Result<(), AppError> {
    check_options(args)?;
    let config = load(environment.config.as_deref())?;
    let clock = SystemClock::new();
    let started = clock.steady();
    let (mut feed, desks) = prepare(args, &config, None, &Saved::default(), &clock)?;
    let instruments = feed.feed.instruments().to_vec();
    let desks: Vec<DeskSettings> = desks.into_iter().map(|(desk, _)| desk).collect();
    let all = feed.bars.unwrap_or(usize::MAX).min(args.cycles.map_or(usize::MAX, |cycles| cycles as usize));
    let ran = run_shown(feed.feed.as_mut(), desks.clone(), args.cycles, (all, instruments.len()))?;
    if ran.desks.is_empty() {
        return Err(AppError::failed("no bar lies between the times asked for"));
    }
    let mut text = String::new();
    for (desk, settings) in ran.desks.iter().zip(&desks) {
        let own: Vec<Instrument> =
            instruments.iter().filter(|item| settings.symbols.contains(&item.symbol)).cloned().collect();
        let report = Report::measure(&ran, desk, settings, &own).map_err(too_large)?;
        let _ = writeln!(text, "Book {}\n{}", desk.name(), report.table());
    }
    let took = clock.steady().saturating_sub(started);
    print(&format!("{text}{} on {}, {:.2} s", counted(ran.cycles, "cycle"), feed.words, took.as_secs_f64()));
    Ok(())
}

/// Refuses what makes no sense where nothing is stored, nobody is told and nothing is waited for.
fn check_options(args: &RunArgs) -> Result<(), AppError> {
    feeds::check_range(args.from, args.to)?;
    let slow = args.speed.is_some_and(|pace| pace != Pace::Max);
    for (given, option, why) in [
        (args.dry_run, "--dry-run", "a backtest submits its orders to nobody but itself"),
        (args.fresh, "--fresh", "a backtest stores nothing"),
        (slow, "--speed", "a backtest runs as fast as it goes"),
    ] {
        if given {
            return Err(AppError::usage(format!("{option} does not go with --mode backtest: {why}")));
        }
    }
    if !feeds::is_replay(args) && args.cycles.is_none() {
        return Err(AppError::usage(
            "--mode backtest on the simulated market needs --cycles, as that market never ends",
        )
        .with_hint("--data DIR runs over recorded prices"));
    }
    if args.feed == Some(FeedArg::Simulated) && args.data.is_some() {
        return Err(AppError::usage("--data goes with --feed replay; the simulated market has no files"));
    }
    Ok(())
}

fn broken(error: &BacktestError) -> AppError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    AppError::failed(format!("{error}{cause}"))
}

fn too_large(error: AmountError) -> AppError {
    AppError::failed(format!("the result cannot be added up: {error}"))
}

fn json(report: &Report<'_>) -> Result<String, AppError> {
    let document = report.json().map_err(too_large)?;
    serde_json::to_string_pretty(&document).map_err(|error| AppError::failed(error.to_string()))
}

fn make_folder(folder: &Path) -> Result<(), AppError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| AppError::failed(format!("cannot make the folder {}: {error}", folder.display())))
}

/// Writes the files of a report, each whole or not at all.
fn write(report: &Report<'_>, candles: &[CandleBars], folder: &Path) -> Result<(), AppError> {
    write_file(&folder.join("report.html"), &report.page(candles).map_err(too_large)?)?;
    write_file(&folder.join("report.json"), &json(report)?)?;
    write_file(&folder.join("trades.csv"), &report.trades_csv())?;
    write_file(&folder.join("equity.csv"), &report.equity_csv())
}
