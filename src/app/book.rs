//! Which book does a backtest trade? One built from the options of the command line, with the defaults of every other book.

use std::path::Path;

use crate::backtest::{Candidate, Grid};
use crate::cli::BacktestArgs;
use crate::config::BookConfig;
use crate::domain::{Instrument, Ratio, Symbol};
use crate::engine::{DeskSettings, StrategySettings};
use crate::risk::{LIMITS, Limits, Sizing};
use crate::strategy::{ParamError, STRATEGIES, StrategyKind, Values, find};

use super::{AppError, universe};

/// The symbols that are asked for; empty for all there are.
pub(super) fn instruments(asked: Option<&str>) -> Result<Vec<Instrument>, AppError> {
    let Some(asked) = asked else { return Ok(Vec::new()) };
    if Path::new(asked).is_file() {
        return universe::read_list(Path::new(asked));
    }
    let symbols: Result<Vec<Symbol>, _> = asked.split(',').map(str::parse).collect();
    let symbols = symbols.map_err(|error| {
        AppError::usage(format!("--symbols: {error}")).with_hint("write symbols as AAPL,SPY, or name a watchlist file")
    })?;
    Ok(universe::named(&symbols))
}

/// The books to choose from, one a combination of parameters, and how many combinations cannot be.
pub(super) fn candidates(args: &BacktestArgs, instruments: &[Instrument]) -> Result<(Vec<Candidate>, usize), AppError> {
    let (kinds, grid) = (kinds(args)?, grid(args)?);
    if grid.varies() && args.walk_forward.is_none() {
        return Err(AppError::usage("--set with a list of values goes with --walk-forward").with_hint(
            "give one value for each parameter, or say on which stretches to choose, as --walk-forward 2y,6m",
        ));
    }
    check_keys(&kinds, &grid)?;
    let desk = desk(args, instruments)?;
    let (mut candidates, mut refused) = (Vec::new(), Vec::new());
    for combination in grid.combinations().map_err(|what| AppError::usage(format!("--set: {what}")))? {
        match strategies(&kinds, &combination) {
            Ok(strategies) => {
                let desk = DeskSettings { strategies, ..desk.clone() };
                candidates.push(Candidate { set: grid.varied(&combination), desk });
            }
            // In a grid some values do not go with some others.
            Err(error @ ParamError::Together { .. }) if grid.varies() => refused.push(error),
            Err(error) => return Err(AppError::usage(error.to_string())),
        }
    }
    match refused.first() {
        Some(error) if candidates.is_empty() => {
            Err(AppError::usage(format!("--set: no combination is possible: {error}")))
        }
        _ => Ok((candidates, refused.len())),
    }
}

/// The book without its strategies.
fn desk(args: &BacktestArgs, instruments: &[Instrument]) -> Result<DeskSettings, AppError> {
    let mut desk = BookConfig::usual().desk;
    desk.name = "backtest".parse().map_err(|_| AppError::failed("the book has no name"))?;
    desk.capital = args.capital;
    desk.symbols = instruments.iter().map(|item| item.symbol).collect();
    instruments.first().map_or("USD", Instrument::currency).clone_into(&mut desk.currency);
    if let Some(other) = instruments.iter().find(|item| item.currency() != desk.currency) {
        let (symbol, quoted) = (other.symbol, other.currency());
        return Err(AppError::usage(format!(
            "{symbol} is quoted in {quoted}, but the book counts in {}",
            desk.currency
        ))
        .with_hint("a book has one currency: run one backtest a currency"));
    }
    desk.limits = limits(args)?;
    desk.sizing = sizing(args)?;
    desk.strategies = Vec::new();
    Ok(desk)
}

fn limits(args: &BacktestArgs) -> Result<Limits, AppError> {
    let mut limits = Limits { enforced: !args.no_limits, stops: !args.no_stops, ..Limits::default() };
    let free = args.no_limits.then_some(Ratio::ZERO);
    let mut written = Vec::new();
    let costs = [
        ("fee_bps", args.fee_bps.or(free)),
        ("slippage_bps", args.slippage_bps.or(free)),
        ("borrow_pct", free),
        ("funding_bps", free),
    ];
    for (key, value) in costs {
        written.extend(value.map(|value| (key.to_owned(), value)));
    }
    written.extend(args.units.map(|units| ("fixed_units".to_owned(), units)));
    for text in &args.limit {
        written.push(pair(text, "--limit")?);
    }
    for (key, value) in &written {
        limits.set(key, *value).map_err(|what| {
            let known: Vec<&str> = LIMITS.iter().map(|spec| spec.key).collect();
            AppError::usage(what).with_hint(format!("limits are {}", known.join(", ")))
        })?;
    }
    limits.settle(|key| written.iter().any(|(known, _)| known == key)).map_err(|(_, what)| AppError::usage(what))?;
    Ok(limits)
}

fn sizing(args: &BacktestArgs) -> Result<Sizing, AppError> {
    let Some(name) = &args.sizing else {
        // Without stops there is no distance to size by.
        let usual = if args.no_stops { Sizing::Fraction } else { Sizing::Atr };
        return Ok(if args.units.is_some() { Sizing::Fixed } else { usual });
    };
    Sizing::ALL.into_iter().find(|sizing| sizing.as_str() == name).ok_or_else(|| {
        let known = Sizing::ALL.map(Sizing::as_str).join(", ");
        AppError::usage(format!("there is no sizing \"{}\"; there are {known}", name.escape_debug()))
    })
}

/// `key=value`.
fn pair(text: &str, option: &str) -> Result<(String, Ratio), AppError> {
    let (key, value) = split(text, option)?;
    Ok((key.to_owned(), number(key, value, option)?))
}

fn split<'a>(text: &'a str, option: &str) -> Result<(&'a str, &'a str), AppError> {
    let wrong = || AppError::usage(format!("{option} {}: write it as key=value", text.escape_debug()));
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((key.trim(), value.trim()))
}

fn number(key: &str, value: &str, option: &str) -> Result<Ratio, AppError> {
    match value {
        "true" => Ok(Ratio::ONE),
        "false" => Ok(Ratio::ZERO),
        _ => value.parse().map_err(|error| {
            AppError::usage(format!("{option} {}: {} is {error}", key.escape_debug(), value.escape_debug()))
        }),
    }
}

/// The values that are written for each parameter.
fn grid(args: &BacktestArgs) -> Result<Grid, AppError> {
    let mut grid = Grid::default();
    for text in &args.set {
        let (key, values) = split(text, "--set")?;
        if grid.axes.iter().any(|(known, _)| known == key) {
            return Err(AppError::usage(format!("--set {}: it is written twice", key.escape_debug())));
        }
        let mut list = Vec::new();
        for value in values.split('|') {
            let value = number(key, value.trim(), "--set")?;
            if list.contains(&value) {
                return Err(AppError::usage(format!("--set {}: {value} is listed twice", key.escape_debug())));
            }
            list.push(value);
        }
        grid.axes.push((key.to_owned(), list));
    }
    Ok(grid)
}

/// The strategies that are named.
fn kinds(args: &BacktestArgs) -> Result<Vec<&'static StrategyKind>, AppError> {
    let mut kinds: Vec<&'static StrategyKind> = Vec::new();
    for name in &args.strategy {
        let kind = find(name).ok_or_else(|| {
            let known: Vec<&str> = STRATEGIES.iter().map(|kind| kind.name).collect();
            AppError::usage(format!("there is no strategy \"{}\"; there are {}", name.escape_debug(), known.join(", ")))
        })?;
        if kinds.iter().any(|known| known.name == kind.name) {
            return Err(AppError::usage(format!("strategy {name} is named twice")));
        }
        kinds.push(kind);
    }
    Ok(kinds)
}

/// Refuses a key that no strategy has.
fn check_keys(kinds: &[&'static StrategyKind], grid: &Grid) -> Result<(), AppError> {
    let unknown = grid.axes.iter().find(|(key, _)| kinds.iter().all(|kind| own_key(kind, key).is_none()));
    let Some((key, _)) = unknown else { return Ok(()) };
    let params = |kind: &&'static StrategyKind| {
        let name = kind.name;
        kind.params.iter().map(move |param| format!("{name}.{}", param.name))
    };
    let known: Vec<String> = kinds.iter().flat_map(params).collect();
    let key = key.escape_debug();
    Err(AppError::usage(format!("--set {key}: no strategy here has it; there are {}", known.join(", "))))
}

/// The strategies with these parameters.
fn strategies(
    kinds: &[&'static StrategyKind],
    written: &[(String, Ratio)],
) -> Result<Vec<StrategySettings>, ParamError> {
    let settings = kinds.iter().map(|kind| {
        let own: Vec<_> =
            written.iter().filter_map(|(key, value)| own_key(kind, key).map(|key| (key.to_owned(), *value))).collect();
        let values = Values::check(kind.name, kind.params, &own)?;
        (kind.build)(&values)?;
        let name = kind.name.parse().expect("a strategy of the registry has a name");
        Ok(StrategySettings::new(name, kind, values))
    });
    settings.collect()
}

/// The parameter of this strategy that a written key means, if it means one.
fn own_key<'a>(kind: &StrategyKind, key: &'a str) -> Option<&'a str> {
    let key = match key.split_once('.') {
        Some((strategy, key)) if strategy == kind.name => key,
        Some(_) => return None,
        None => key,
    };
    kind.params.iter().any(|param| param.name == key).then_some(key)
}
