//! How does a book let the regime choose? The table `[books.selector]`.

use toml::de::DeValue;

use crate::domain::{Label, Ratio, Regime};
use crate::engine::{DeskSettings, StrategySettings};
use crate::strategy::{STRATEGIES, Selector, SelectorRow, Values, find};

use super::value::{Mistake, Read, Table, Value, check_keys, mistake, number, read_text};

/// The smallest and the largest size factor, in percent.
const SIZE_PERCENT: std::ops::RangeInclusive<i64> = 1..=200;

/// Reads the table into the book.
pub(super) fn read(value: &Value<'_>, desk: &mut DeskSettings) -> Read<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return mistake(value.span().start, "a selector is written as [books.selector]");
    };
    check_keys(table, "books.selector")?;
    let mut selector = Selector::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "timeframe" => desk.regime_timeframe = Some(read_text(value)?),
            "size" => sizes(value, &mut selector)?,
            name => {
                let regime = regime(name, key.span().start)?;
                let row = row_of(&mut selector, regime);
                row.strategies = strategies(value)?;
            }
        }
    }
    desk.selector = Some(selector);
    Ok(())
}

fn regime(name: &str, at: usize) -> Read<Regime> {
    name.parse().map_err(|what| Mistake { at, what })
}

fn row_of(selector: &mut Selector, regime: Regime) -> &mut SelectorRow {
    let place = selector.rows.iter().position(|row| row.regime == regime).unwrap_or_else(|| {
        selector.rows.push(SelectorRow { regime, strategies: Vec::new(), size: Ratio::ONE });
        selector.rows.len() - 1
    });
    &mut selector.rows[place]
}

fn strategies(value: &Value<'_>) -> Read<Vec<Label>> {
    let DeValue::Array(items) = value.get_ref() else {
        return mistake(value.span().start, "this takes a list of strategies such as [\"ema_cross\"]");
    };
    items
        .iter()
        .map(|item| {
            let name: Label = read_text(item)?;
            if find(name.as_str()).is_none() {
                let known: Vec<&str> = STRATEGIES.iter().map(|kind| kind.name).collect();
                let what = format!("there is no strategy \"{name}\"; there are {}", known.join(", "));
                return mistake(item.span().start, what);
            }
            Ok(name)
        })
        .collect()
}

fn sizes(value: &Value<'_>, selector: &mut Selector) -> Read<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return mistake(value.span().start, "size is a table such as { calm = 0.5 }");
    };
    for (key, value) in table {
        let regime = regime(key.get_ref(), key.span().start)?;
        let size = number(value)?;
        let (least, most) = (Ratio::from_percent(*SIZE_PERCENT.start()), Ratio::from_percent(*SIZE_PERCENT.end()));
        if size < least || size > most {
            return mistake(value.span().start, format!("a size of {size} is not from {least} to {most}"));
        }
        row_of(selector, regime).size = size;
    }
    Ok(())
}

/// Refuses what can never happen in a book with strategies of its own: a regime that names one which the book does not have, and a
/// strategy that no regime names. The usual rows may name others; they are of no account.
pub(super) fn check(book: &Table<'_>, desk: &DeskSettings) -> Read<()> {
    let (Some(selector), Some(value)) = (&desk.selector, book.get("selector")) else { return Ok(()) };
    let DeValue::Table(table) = value.get_ref() else { return Ok(()) };
    let own: Vec<&str> = desk.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
    let written = table.iter().filter(|(key, _)| key.get_ref().parse::<Regime>().is_ok());
    for item in written.filter_map(|(_, value)| value.get_ref().as_array()).flatten() {
        let name: Label = read_text(item)?;
        if !own.contains(&name.as_str()) {
            let what = format!("the book has no strategy \"{name}\"; it has {}", own.join(", "));
            return mistake(item.span().start, what);
        }
    }
    let named = |name: &str| selector.rows.iter().any(|row| row.strategies.iter().any(|known| known.as_str() == name));
    match own.into_iter().find(|name| !named(name)) {
        Some(idle) => {
            let regimes = Regime::ALL.map(Regime::as_str).join(", ");
            let what = format!(
                "strategy \"{idle}\" could never enter: name it for a regime here ({regimes}), or leave it out"
            );
            mistake(value.span().start, what)
        }
        None => Ok(()),
    }
}

/// Gives a book with a selector and without strategies of its own the strategies that the selector names.
pub(super) fn add_strategies(desk: &mut DeskSettings) {
    let Some(selector) = &desk.selector else { return };
    let named = |name: Label| selector.rows.iter().any(|row| row.strategies.contains(&name));
    let settings = STRATEGIES.iter().filter_map(|kind| {
        let name: Label = kind.name.parse().ok().filter(|name| named(*name))?;
        let values = Values::check(kind.name, kind.params, &[]).ok()?;
        Some(StrategySettings::new(name, kind, values))
    });
    desk.strategies = settings.collect();
}

#[cfg(test)]
mod tests {
    use crate::config::load;

    fn loaded(text: &str) -> Result<crate::config::Config, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("b.toml");
        std::fs::write(&path, text).expect("writes");
        load(Some(&path)).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_table_brings_the_usual_strategies() {
        let config = loaded("[[books]]\n[books.selector]\n").expect("sound");
        let desk = &config.books[0].desk;
        let names: Vec<&str> = desk.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
        assert_eq!(names, ["ema_cross", "mean_reversion", "breakout"]);
        assert!(desk.selector.is_some());
    }

    #[test]
    fn regimes_strategies_and_sizes_are_checked() {
        let text = "[[books]]\n[books.selector]\ntrend = [\"supertrend\"]\nsize = { trend = 1.5 }\n";
        let selector = loaded(text).expect("sound").books[0].desk.selector.clone().expect("set");
        let size = selector.allows(crate::domain::Regime::Trend, "supertrend".parse().expect("name"));
        assert_eq!(size.expect("allowed").to_string(), "1.5");
        for (line, want) in [
            ("trend = [\"sma\"]", "there is no strategy"),
            ("bull = [\"rsi\"]", "books.selector has no key \"bull\""),
            ("size = { calm = 3 }", "a size of 3 is not from 0.01 to 2"),
            ("size = { bull = 1 }", "unknown regime"),
            ("trend = \"rsi\"", "this takes a list"),
        ] {
            let error = loaded(&format!("[[books]]\n[books.selector]\n{line}\n")).err().unwrap_or_default();
            assert!(error.contains(want), "{line}: {error}");
        }
    }

    #[test]
    fn a_strategy_that_could_never_enter_is_refused() {
        let with = |rows: &str, strategies: &[&str]| {
            let own: Vec<String> = strategies.iter().map(|name| format!("{{ name = \"{name}\" }}")).collect();
            let own = own.join(", ");
            loaded(&format!("[[books]]\nstrategies = [{own}]\n[books.selector]\n{rows}\n")).map(drop)
        };
        assert_eq!(with("", &["breakout"]), Ok(()), "the usual rows may name others");
        assert_eq!(with("trend = [\"rsi\"]\nrange = []", &["rsi", "breakout"]), Ok(()));
        for (rows, own, want) in [
            ("", "rsi", "3:1: strategy \"rsi\" could never enter: name it for a regime here ("),
            ("trend = [\"breakout\"]", "rsi", "4:10: the book has no strategy \"breakout\"; it has rsi"),
        ] {
            let error = with(rows, &[own]).expect_err("refused");
            assert!(error.contains(want), "{rows}: {error}");
        }
    }
}
