//! What does `[[books]]` say? Money, limits, strategies with their schedules, and what holds for single symbols instead.

use chrono_tz::Tz;
use toml::de::DeValue;

use crate::domain::{Money, Ratio, Symbol, TimeInForce};
use crate::engine::{DeskSettings, LossAction, Schedule, StrategySettings, SymbolTerms};
use crate::risk::{BOOK_WIDE, LIMITS, Limits, Sizing};
use crate::strategy::{ParamKind, STRATEGIES, StrategyKind, Values, find};

use super::configured::{BookConfig, WatchSource};
use super::value::{
    Mistake, Read, Table, Value, boolean, each, mistake, number, read_text, table_of, text, unknown_key, zone,
};
use super::{screener, selector};

/// Reads one book.
pub(super) fn book(at: &Value<'_>, table: &Table<'_>) -> Read<BookConfig> {
    let mut book = BookConfig::usual();
    let desk = &mut book.desk;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "name" => desk.name = read_text(value)?,
            "capital" => desk.capital = capital(value)?,
            "currency" => desk.currency = text(value)?,
            "zone" => desk.zone = zone(value)?,
            "daily_loss" => {
                let all = LossAction::ALL.map(|action| (action.as_str(), action));
                desk.daily_loss = one_of(value, "answer to a day's loss", &all)?;
            }
            "sizing" => desk.sizing = sizing(value)?,
            "limits" => limits(table_of(value, "limits are written as [books.limits]")?, &mut desk.limits)?,
            "selector" => selector::read(value, desk)?,
            "screener" => screener::read(value, desk)?,
            "pins" => desk.pins = screener::symbols(value)?,
            "bans" => desk.bans = screener::symbols(value)?,
            _ => {}
        }
    }
    // These look back at what was read above: strategies at the book's zone, symbols' limits at its own.
    match table.get("strategies") {
        Some(value) => {
            desk.strategies = each(value, "books.strategies", |at, table| strategy(at, table, desk.zone))?;
            selector::check(table, desk)?;
        }
        None => selector::add_strategies(desk),
    }
    check_strategies(at, desk)?;
    screener::check_manual(desk, at.span().start)?;
    book.watch = watch(at, table)?;
    if let Some(value) = table.get("symbol_limits") {
        desk.overrides = symbol_limits(value, desk, &book.watch)?;
    }
    Ok(book)
}

fn check_strategies(at: &Value<'_>, desk: &DeskSettings) -> Read<()> {
    let names: Vec<_> = desk.strategies.iter().map(|strategy| strategy.name).collect();
    if let Some(twice) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        return mistake(at.span().start, format!("a book can have strategy \"{}\" once", twice.1));
    }
    if names.is_empty() {
        return mistake(at.span().start, "a book needs at least one strategy");
    }
    Ok(())
}

fn watch(at: &Value<'_>, table: &Table<'_>) -> Read<WatchSource> {
    match (table.get("symbols"), table.get("watchlist")) {
        (Some(_), Some(_)) => mistake(at.span().start, "a book has symbols or a watchlist, not both"),
        (Some(value), None) => Ok(WatchSource::Symbols(screener::symbols(value)?)),
        (None, Some(value)) => Ok(WatchSource::File(text(value)?.into())),
        (None, None) => Ok(WatchSource::Usual),
    }
}

fn capital(value: &Value<'_>) -> Read<Money> {
    let amount = Money::from_units(number(value)?.units());
    if amount < Money::whole(1) || amount > Money::whole(1_000_000_000) {
        return mistake(value.span().start, format!("a capital of {amount} is not between 1 and 1,000,000,000"));
    }
    Ok(amount)
}

/// One of some words.
fn one_of<T: Copy>(value: &Value<'_>, what: &str, all: &[(&str, T)]) -> Read<T> {
    let written = text(value)?;
    if let Some((_, found)) = all.iter().find(|(word, _)| *word == written) {
        return Ok(*found);
    }
    let words: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
    mistake(value.span().start, format!("\"{}\" is no {what}: use {}", written.escape_debug(), words.join(", ")))
}

fn sizing(value: &Value<'_>) -> Read<Sizing> {
    one_of(value, "sizing", &Sizing::ALL.map(|sizing| (sizing.as_str(), sizing)))
}

fn limits(table: &Table<'_>, limits: &mut Limits) -> Read<()> {
    let known: Vec<&str> = LIMITS.iter().map(|spec| spec.key).collect();
    let keys = table.iter().map(|(key, _)| (key.get_ref().to_string(), key.span().start));
    unknown_key(keys, &known, "books.limits")?;
    table.iter().try_for_each(|(key, value)| limit(key.get_ref(), value, limits))?;
    settle(table, limits)
}

/// Limits that have an order must be in it.
fn settle(table: &Table<'_>, limits: &mut Limits) -> Read<()> {
    let place = |name: &str| table.get(name).map(|value| value.span().start);
    limits
        .settle(|name| place(name).is_some())
        .map_err(|(name, what)| Mistake { at: place(name).unwrap_or_default(), what })
}

fn limit(key: &str, value: &Value<'_>, limits: &mut Limits) -> Read<()> {
    limits.set(key, number(value)?).map_err(|what| Mistake { at: value.span().start, what })
}

/// What holds for single symbols: the book's limits and sizing, with the symbol's own put over them.
fn symbol_limits(value: &Value<'_>, desk: &DeskSettings, watch: &WatchSource) -> Read<Vec<SymbolTerms>> {
    let mut all: Vec<SymbolTerms> = Vec::new();
    for (name, value) in table_of(value, "symbol limits are written as [books.symbol_limits.AAPL]")? {
        let at = name.span().start;
        let symbol: Symbol = name
            .get_ref()
            .parse()
            .map_err(|error: crate::domain::NameError| Mistake { at, what: error.to_string() })?;
        if all.iter().any(|terms| terms.symbol == symbol) {
            return mistake(at, format!("the limits of {symbol} are written twice"));
        }
        if let WatchSource::Symbols(watched) = watch
            && !watched.contains(&symbol)
            && !desk.pins.contains(&symbol)
        {
            return mistake(at, format!("the book does not watch {symbol}, so limits of it mean nothing"));
        }
        let table = table_of(value, "symbol limits are written as [books.symbol_limits.AAPL]")?;
        all.push(symbol_terms(symbol, table, desk)?);
    }
    Ok(all)
}

fn symbol_terms(symbol: Symbol, table: &Table<'_>, desk: &DeskSettings) -> Read<SymbolTerms> {
    let mut terms = SymbolTerms { symbol, limits: desk.limits.clone(), sizing: desk.sizing };
    let known: Vec<&str> = LIMITS.iter().map(|spec| spec.key).chain(["sizing"]).collect();
    let keys = table.iter().map(|(key, _)| (key.get_ref().to_string(), key.span().start));
    unknown_key(keys, &known, &format!("books.symbol_limits.{symbol}"))?;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "sizing" => terms.sizing = sizing(value)?,
            name if BOOK_WIDE.contains(&name) => {
                return mistake(key.span().start, format!("{name} is of the whole book: write it in [books.limits]"));
            }
            name => limit(name, value, &mut terms.limits)?,
        }
    }
    settle(table, &mut terms.limits)?;
    Ok(terms)
}

fn strategy(at: &Value<'_>, table: &Table<'_>, book_zone: Tz) -> Read<StrategySettings> {
    let Some(name) = table.get("name") else { return mistake(at.span().start, "a strategy needs a name") };
    let wanted = text(name)?;
    let Some(kind) = find(&wanted) else {
        let known: Vec<&str> = STRATEGIES.iter().map(|kind| kind.name).collect();
        let what = format!("there is no strategy \"{}\"; there are {}", wanted.escape_debug(), known.join(", "));
        return mistake(name.span().start, what);
    };
    let mut strategy = StrategySettings::new(read_text(name)?, kind, values(at, table, kind)?);
    strategy.timeframe = table.get("timeframe").map(read_text).transpose()?;
    strategy.schedule = schedule(table, book_zone)?;
    strategy.outside_session = table.get("outside_session").map(boolean).transpose()?.unwrap_or(false);
    if let Some(value) = table.get("tif") {
        strategy.tif = one_of(value, "time in force", &TimeInForce::ALL.map(|tif| (tif.as_str(), tif)))?;
    }
    if let Some(value) = table.get("min_confidence") {
        strategy.min_confidence = number(value)?;
        if strategy.min_confidence < Ratio::ZERO || strategy.min_confidence > Ratio::ONE {
            return mistake(value.span().start, format!("{} is not from 0 to 1", strategy.min_confidence));
        }
    }
    Ok(strategy)
}

/// The parameters of a strategy, checked alone and together.
fn values(at: &Value<'_>, table: &Table<'_>, kind: &'static StrategyKind) -> Read<Values> {
    let mut written = Vec::new();
    let mut place = at.span().start;
    if let Some(set) = table.get("set") {
        place = set.span().start;
        for (key, value) in table_of(set, "set is a table such as { fast = 10, slow = 30 }")? {
            let param = kind.params.iter().find(|param| param.name == key.get_ref());
            let is_switch = param.is_some_and(|param| param.kind == ParamKind::Switch);
            let value = match value.get_ref() {
                DeValue::Boolean(yes) if is_switch => Ratio::whole(i64::from(*yes)),
                _ => number(value)?,
            };
            written.push((key.get_ref().to_string(), value));
        }
    }
    let built = Values::check(kind.name, kind.params, &written).and_then(|values| {
        (kind.build)(&values)?;
        Ok(values)
    });
    built.map_err(|error| Mistake { at: place, what: error.to_string() })
}

/// When it runs; none for the end of each bar.
fn schedule(table: &Table<'_>, book_zone: Tz) -> Read<Option<Schedule>> {
    let Some(value) = table.get("schedule") else {
        for key in ["zone", "outside_session"] {
            if let Some(value) = table.get(key) {
                return mistake(value.span().start, format!("{key} goes with a schedule, and this strategy has none"));
            }
        }
        return Ok(None);
    };
    let zone = table.get("zone").map(zone).transpose()?.unwrap_or(book_zone);
    let schedule = Schedule::parse(&text(value)?, zone);
    schedule.map(Some).map_err(|what| Mistake { at: value.span().start, what })
}

#[cfg(test)]
mod tests {
    use crate::config::load;
    use crate::domain::{Ratio, TimeInForce};
    use crate::engine::LossAction;
    use crate::risk::{BOOK_WIDE, LIMITS, Sizing};

    fn loaded(text: &str) -> Result<crate::config::Config, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("b.toml");
        std::fs::write(&path, text).expect("writes");
        load(Some(&path)).map_err(|error| error.to_string().replace(&format!("{}:", path.display()), ""))
    }

    #[test]
    fn a_schedule_is_in_its_own_zone_or_in_that_of_the_book() {
        let text = "[[books]]\nzone = \"Europe/Lisbon\"\n[[books.strategies]]\nname = \"rsi\"\nschedule = \"0 9 * * 1-5\"\n\
                    min_confidence = 0.6\ntif = \"day\"\n[[books.strategies]]\nname = \"sma_cross\"\nschedule = \"@daily\"\n\
                    zone = \"Asia/Tokyo\"\noutside_session = true\n[[books.strategies]]\nname = \"momentum\"\n";
        let desk = &loaded(text).expect("sound").books[0].desk;
        let words = |place: usize| desk.strategies[place].schedule.as_ref().map(crate::engine::Schedule::words);
        assert!(words(0).expect("set").starts_with("at 09:00, on Monday, Tuesday,"), "{:?}", words(0));
        assert!(words(0).expect("set").ends_with(" (Europe/Lisbon)"));
        assert_eq!((words(1).as_deref(), words(2)), (Some("at 00:00 (Asia/Tokyo)"), None));
        assert_eq!(desk.strategies.iter().map(|it| it.outside_session).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(desk.strategies[0].min_confidence, Ratio::from_percent(60));
        assert_eq!((desk.strategies[0].tif, desk.strategies[1].tif), (TimeInForce::Day, TimeInForce::Gtc));
    }

    #[test]
    fn a_symbol_has_the_books_limits_but_for_its_own() {
        let text = "[[books]]\nsizing = \"kelly\"\ndaily_loss = \"flatten\"\n[books.limits]\nstop_atr = 3\nposition_pct = 10\n\
                    [books.symbol_limits.AAPL]\nposition_pct = 5\n[books.symbol_limits.\"brk.b\"]\nsizing = \"fixed\"\n";
        let desk = &loaded(text).expect("sound").books[0].desk;
        let terms = |symbol: &str| desk.terms_of(symbol.parse().expect("symbol"));
        let seen = |symbol: &str| (terms(symbol).0.position_pct, terms(symbol).0.stop_atr, terms(symbol).1);
        assert_eq!(seen("AAPL"), (Ratio::from_percent(5), Ratio::whole(3), Sizing::Kelly));
        assert_eq!(seen("BRK.B"), (Ratio::from_percent(10), Ratio::whole(3), Sizing::Fixed));
        assert_eq!(seen("MSFT"), (Ratio::from_percent(10), Ratio::whole(3), Sizing::Kelly));
        assert_eq!(desk.daily_loss, LossAction::Flatten);
    }

    #[test]
    fn a_pinned_symbol_is_watched() {
        let text = "[[books]]\nsymbols = [\"AAPL\"]\npins = [\"SPY\"]\n[books.symbol_limits.SPY]\nkelly_cap_pct = 1\n";
        let own = &loaded(text).expect("sound").books[0].desk.overrides[0];
        assert_eq!((own.symbol.as_str(), own.limits.kelly_floor_pct), ("SPY", Ratio::from_percent(1)));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let strategy = "[[books]]\n[[books.strategies]]\nname = \"rsi\"\n";
        for (text, want) in [
            (format!("{strategy}schedule = \"0 9 * *\"\n"), "4:12: \"0 9 * *\" is no schedule: it has not five fields"),
            (format!("{strategy}schedule = \"0 0 30 2 *\"\n"), "no such day ever comes"),
            (format!("{strategy}schedule = \"61 9 * * *\"\n"), "4:12: \"61 9 * * *\" is no schedule: Number out of"),
            (format!("{strategy}zone = \"Asia/Tokyo\"\n"), "4:8: zone goes with a schedule"),
            (format!("{strategy}outside_session = true\n"), "4:19: outside_session goes with a schedule"),
            (format!("{strategy}tif = \"gtd\"\n"), "4:7: \"gtd\" is no time in force: use gtc, day, ioc, fok"),
            (format!("{strategy}min_confidence = 1.5\n"), "4:18: 1.5 is not from 0 to 1"),
            (format!("{strategy}shedule = \"@daily\"\n"), "did you mean \"schedule\"?"),
            (
                "[[books]]\nsizing = \"all\"\n".to_owned(),
                "2:10: \"all\" is no sizing: use atr, fraction, volatility, kelly, fixed",
            ),
            ("[[books]]\ndaily_loss = \"stop\"\n".to_owned(), "use reduce, halt, flatten"),
            (
                "[[books]]\n[books.symbol_limits.AAPL]\ndrawdown_pct = 5\n".to_owned(),
                "3:1: drawdown_pct is of the whole book",
            ),
            ("[[books]]\n[books.symbol_limits.AAPL]\nstop_art = 5\n".to_owned(), "did you mean \"stop_atr\"?"),
            ("[[books]]\n[books.symbol_limits.\"A A\"]\nstop_atr = 5\n".to_owned(), "\"A A\" is not a symbol"),
            ("[[books]]\nsymbols = [\"MSFT\"]\n[books.symbol_limits.AAPL]\n".to_owned(), "does not watch AAPL"),
            ("[[books]]\n[books.symbol_limits.AAPL]\n[books.symbol_limits.aapl]\n".to_owned(), "written twice"),
            ("[[books]]\n[books.symbol_limits]\nAAPL = 3\n".to_owned(), "[books.symbol_limits.AAPL]"),
            (
                "[[books]]\n[books.limits]\ndrawdown_pct = 5\ndrawdown_warn_pct = 6\n".to_owned(),
                "4:21: drawdown_warn_pct is 6, above drawdown_reduce_pct, which is 5",
            ),
            (
                "[[books]]\n[books.symbol_limits.AAPL]\nkelly_floor_pct = 50\n".to_owned(),
                "3:19: kelly_floor_pct is 50, above kelly_cap_pct, which is 20",
            ),
        ] {
            let error = loaded(&text).err().unwrap_or_default();
            assert!(error.contains(want), "{text}: {error}");
        }
        assert!(BOOK_WIDE.iter().all(|key| LIMITS.iter().any(|spec| spec.key == *key)));
    }
}
