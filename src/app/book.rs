//! Which book does a backtest trade? One built from the options of the command line, with the defaults of every other book.

use std::path::Path;

use crate::cli::BacktestArgs;
use crate::config::BookConfig;
use crate::domain::{Instrument, Ratio, Symbol};
use crate::engine::{DeskSettings, StrategySettings};
use crate::risk::{LIMITS, Limits, Sizing};
use crate::strategy::{STRATEGIES, StrategyKind, Values, find};

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

/// The book.
pub(super) fn desk(args: &BacktestArgs, instruments: &[Instrument]) -> Result<DeskSettings, AppError> {
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
    desk.strategies = strategies(args)?;
    Ok(desk)
}

fn limits(args: &BacktestArgs) -> Result<Limits, AppError> {
    let mut limits = Limits { enforced: !args.no_limits, stops: !args.no_stops, ..Limits::default() };
    let free = args.no_limits.then_some(Ratio::ZERO);
    let mut written = Vec::new();
    for (key, value) in [("fee_bps", args.fee_bps.or(free)), ("slippage_bps", args.slippage_bps.or(free))] {
        written.extend(value.map(|value| (key.to_owned(), value)));
    }
    written.extend(args.units.map(|units| ("fixed_units".to_owned(), units)));
    for text in &args.limit {
        written.push(pair(text, "--limit")?);
    }
    for (key, value) in written {
        limits.set(&key, value).map_err(|what| {
            let known: Vec<&str> = LIMITS.iter().map(|spec| spec.key).collect();
            AppError::usage(what).with_hint(format!("limits are {}", known.join(", ")))
        })?;
    }
    Ok(limits)
}

fn sizing(args: &BacktestArgs) -> Result<Sizing, AppError> {
    let Some(name) = &args.sizing else {
        return Ok(if args.units.is_some() { Sizing::Fixed } else { Sizing::Atr });
    };
    Sizing::ALL.into_iter().find(|sizing| sizing.as_str() == name).ok_or_else(|| {
        let known = Sizing::ALL.map(Sizing::as_str).join(", ");
        AppError::usage(format!("there is no sizing \"{}\"; there are {known}", name.escape_debug()))
    })
}

/// `key=value`.
fn pair(text: &str, option: &str) -> Result<(String, Ratio), AppError> {
    let wrong = || AppError::usage(format!("{option} {}: write it as key=value", text.escape_debug()));
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let value = value.trim().parse().map_err(|error| AppError::usage(format!("{option} {key}: {value} is {error}")))?;
    Ok((key.trim().to_owned(), value))
}

fn strategies(args: &BacktestArgs) -> Result<Vec<StrategySettings>, AppError> {
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
    let mut written = Vec::new();
    for text in &args.set {
        written.push(pair(text, "--set")?);
    }
    for (key, _) in &written {
        if !kinds.iter().any(|kind| own_key(kind, key).is_some()) {
            let known: Vec<String> = kinds
                .iter()
                .flat_map(|kind| kind.params.iter().map(|param| format!("{}.{}", kind.name, param.name)))
                .collect();
            return Err(AppError::usage(format!(
                "--set {key}: no strategy here has it; there are {}",
                known.join(", ")
            )));
        }
    }
    let settings = kinds.into_iter().map(|kind| {
        let own: Vec<_> =
            written.iter().filter_map(|(key, value)| own_key(kind, key).map(|key| (key.to_owned(), *value))).collect();
        let values = Values::check(kind.name, kind.params, &own).and_then(|values| {
            (kind.build)(&values)?;
            Ok(values)
        });
        let values = values.map_err(|error| AppError::usage(error.to_string()))?;
        let name = kind.name.parse().map_err(|_| AppError::failed("a strategy has no name"))?;
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
