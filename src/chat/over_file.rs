//! Which setting is meant, and to what? Words after `/setrisk`, `/limit`, `/param` and the others that change something over the file.

use crate::control::Control;
use crate::domain::{Label, NewStrategy, Ratio, Setting, Symbol, Timeframe, did_you_mean, schedule_of};
use crate::strategy::{STRATEGIES, StrategyKind, Values, find};

use super::arguments::symbol;
use super::command::{ArgError, Asked, Wish};
use super::controls::{Rest, share};

/// What stands for what the file, or the table, says.
const USUAL: &str = "usual";
/// Limits that are factors, besides those in average true ranges.
const FACTORS: [&str; 3] = ["leverage_max", "correlation_max", "fixed_units"];

fn usage<T>(text: impl Into<String>) -> Result<T, ArgError> {
    Err(ArgError::Usage(text.into()))
}

fn set(rest: Rest<'_>, asked: &Asked<'_>, setting: Setting) -> Result<Wish, ArgError> {
    rest.wish(Control::Set { setting, until: asked.until })
}

fn is_usual(word: &str) -> bool {
    word.eq_ignore_ascii_case(USUAL)
}

fn label(word: &str) -> Result<Label, ArgError> {
    word.parse().map_err(|error: crate::domain::NameError| ArgError::Usage(error.to_string()))
}

fn part_of_size(word: &str) -> Result<Ratio, ArgError> {
    let read = match word.to_ascii_lowercase().as_str() {
        "half" => Some(Ratio::from_percent(50)),
        "quarter" => Some(Ratio::from_percent(25)),
        USUAL | "full" => Some(Ratio::ONE),
        word => share(word).filter(|share| *share <= Ratio::ONE),
    };
    let how =
        "use half, quarter, usual, or a share up to 100% such as 30%; /limit risk_per_trade_pct raises what is usual";
    read.map_or_else(|| usage(format!("\"{}\" is no part of the usual size: {how}", word.escape_debug())), Ok)
}

/// `/setrisk half until 16:00 main`.
pub(super) fn risk(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let share = part_of_size(rest.next().unwrap_or_default())?;
    set(rest, asked, Setting::Risk { share })
}

/// `/limit positions_max 5 until friday`, `/limit daily_loss_pct usual`.
pub(super) fn limit(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let name = rest.next().unwrap_or_default().to_ascii_lowercase();
    let value = rest.next().unwrap_or_default();
    // Which limits there are, and from where to where each goes, the engine knows.
    let value = if is_usual(value) { None } else { Some(number(without_unit(&name, value)?)?) };
    set(rest, asked, Setting::Limit { name, value })
}

/// A value without its unit, where that is the unit of the limit: `%` or `x`. The end of a limit's name says what it is counted in.
fn without_unit<'a>(name: &str, value: &'a str) -> Result<&'a str, ArgError> {
    let is_percent = name.ends_with("_pct");
    let counted_in = if is_percent {
        "in percent"
    } else if name.ends_with("_bps") {
        "in basis points, of which 100 are 1 %"
    } else if name.ends_with("_atr") {
        "in average true ranges"
    } else if name.ends_with("_ms") {
        "in milliseconds"
    } else {
        "a plain number"
    };
    let is_factor = name.ends_with("_atr") || FACTORS.contains(&name);
    let (unit, fits) = match value.chars().last() {
        Some('%') => ('%', is_percent),
        Some('x' | 'X') => ('x', is_factor),
        _ => return Ok(value),
    };
    let bare = &value[..value.len() - 1];
    if fits {
        return Ok(bare);
    }
    let (name, bare) = (name.escape_debug(), bare.escape_debug());
    usage(format!("{name} is {counted_in}, not in {unit}: say /limit {name} {bare} if that is what you mean"))
}

fn number(word: &str) -> Result<Ratio, ArgError> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" => Ok(Ratio::ONE),
        "false" | "off" | "no" => Ok(Ratio::ZERO),
        number => number.parse().or_else(|_| {
            usage(format!(
                "\"{}\" is no number: use one such as 2.5, or {USUAL} for what the file says",
                word.escape_debug()
            ))
        }),
    }
}

/// `/enable rsi`, `/disable rsi for 2h`.
pub(super) fn enable(asked: &Asked<'_>, enabled: bool) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let strategy = label(rest.next().unwrap_or_default())?;
    set(rest, asked, Setting::Enabled { strategy, enabled })
}

/// `/param rsi period 10`, `/param rsi period usual`.
pub(super) fn param(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let strategy = label(rest.next().unwrap_or_default())?;
    let name = rest.next().unwrap_or_default().to_ascii_lowercase();
    let value = rest.next().unwrap_or_default();
    let value = if is_usual(value) { None } else { Some(number(value)?) };
    if let Some(kind) = find(strategy.as_str()) {
        known_param(kind, &name)?;
        let written: Vec<_> = value.iter().map(|value| (name.clone(), *value)).collect();
        checked(kind, &written)?;
    }
    set(rest, asked, Setting::Param { strategy, name, value })
}

fn known_param(kind: &StrategyKind, name: &str) -> Result<(), ArgError> {
    let names = || kind.params.iter().map(|param| param.name);
    if names().any(|known| known == name) {
        return Ok(());
    }
    let near = did_you_mean(name, names());
    usage(format!("{} has no parameter \"{}\"{near}", kind.name, name.escape_debug()))
}

fn checked(kind: &StrategyKind, written: &[(String, Ratio)]) -> Result<(), ArgError> {
    Values::check(kind.name, kind.params, written).map(|_| ()).map_err(|error| ArgError::Usage(error.to_string()))
}

/// `/watch NVDA`, `/unwatch NVDA main`.
pub(super) fn watch(asked: &Asked<'_>, watched: bool) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let symbol = symbol(rest.next().unwrap_or_default())?;
    set(rest, asked, Setting::Watched { symbol, watched })
}

/// `/pin AAPL`, `/pin AAPL off`.
pub(super) fn pin(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let symbol = symbol(rest.next().unwrap_or_default())?;
    let off = rest.next_if(|word| word.eq_ignore_ascii_case("off").then_some(()));
    set(rest, asked, Setting::Pinned { symbol, pinned: off.is_none() })
}

/// `/schedule set rsi daily 09:30`, `/schedule set rsi 0 9 * * 1-5 main`.
pub(super) fn schedule(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let strategy = label(rest.next().unwrap_or_default())?;
    let words = &asked.args[asked.args.len().min(1)..];
    let read = |words: &[&str]| match words {
        [word] if is_usual(word) => Ok(None),
        words => schedule_of(words).map(Some),
    };
    // The last word is the name of a book where the others alone are a schedule.
    let (when, book) = match (read(words), words.split_last()) {
        (Ok(when), _) => (when, &words[words.len()..]),
        (Err(why), Some((_, before))) => match read(before) {
            Ok(when) => (when, &words[before.len()..]),
            Err(_) => return usage(why),
        },
        (Err(why), None) => return usage(why),
    };
    set(Rest::of(book), asked, Setting::Schedule { strategy, when })
}

/// `/strategy new AAPL rsi 1h usual half`: symbol, strategy, bars or schedule, parameters, and the part of the usual size.
pub(super) fn strategy_new(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let symbol: Symbol = symbol(rest.next().unwrap_or_default())?;
    let typed = rest.next().unwrap_or_default().to_ascii_lowercase();
    let Some(kind) = find(&typed) else {
        let near = did_you_mean(&typed, STRATEGIES.iter().map(|kind| kind.name));
        return usage(format!("there is no strategy \"{}\"{near}", typed.escape_debug()));
    };
    let (timeframe, when) = rhythm(rest.next().unwrap_or_default())?;
    let values = values(kind, rest.next().unwrap_or_default())?;
    let risk = part_of_size(rest.next().unwrap_or_default())?;
    let new = NewStrategy { name: label(kind.name)?, symbol, timeframe, when, values, risk };
    set(rest, asked, Setting::Strategy(new))
}

/// Bars such as `1h`, `bars` for the finest, or a schedule whose words hang together: `daily_09:30`.
fn rhythm(word: &str) -> Result<(Option<Timeframe>, Option<String>), ArgError> {
    if let Ok(timeframe) = word.to_ascii_lowercase().parse() {
        return Ok((Some(timeframe), None));
    }
    let words: Vec<&str> = word.split('_').collect();
    let when = schedule_of(&words).map_err(|why| {
        ArgError::Usage(format!(
            "{why}; or bars such as 1h. Here the words of a schedule hang together, as in daily_09:30"
        ))
    })?;
    Ok((None, Some(when).filter(|when| when != crate::domain::AT_BARS)))
}

/// `usual`, or `period=10,oversold=25`.
fn values(kind: &StrategyKind, word: &str) -> Result<Vec<(String, Ratio)>, ArgError> {
    if is_usual(word) {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    for pair in word.split(',') {
        let Some((name, value)) = pair.split_once('=') else {
            return usage(format!("\"{}\" sets nothing: use {USUAL}, or name=value,name=value", pair.escape_debug()));
        };
        let name = name.to_ascii_lowercase();
        known_param(kind, &name)?;
        values.push((name, number(value)?));
    }
    checked(kind, &values)?;
    Ok(values)
}

/// `/strategy drop rsi`.
pub(super) fn strategy_drop(asked: &Asked<'_>) -> Result<Wish, ArgError> {
    let mut rest = Rest::of(asked.args);
    let strategy = label(rest.next().unwrap_or_default())?;
    set(rest, asked, Setting::Dropped { strategy })
}
