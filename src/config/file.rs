//! What does `bellwether.toml` say? Read as a whole; one mistake refuses it with line, column and what was probably meant.

use std::io::ErrorKind;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::chat::Person;
use crate::domain::Ratio;

use super::book::book;
use super::settings::{Config, SETTINGS};

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {file}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{file}:{line}:{column}: {what}")]
    Wrong {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong, and what to do.
        what: String,
    },
}

/// A mistake, by its place in the text.
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) what: String,
}

pub(super) type Read<T> = Result<T, Mistake>;
pub(super) type Table<'a> = DeTable<'a>;
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

pub(super) fn mistake<T>(at: usize, what: impl Into<String>) -> Read<T> {
    Err(Mistake { at, what: what.into() })
}

/// Where the configuration stands unless a file is named.
const USUAL: &str = "bellwether.toml";

/// Reads the configuration; the defaults where there is no file and none was named.
///
/// # Errors
/// When the file cannot be read or has a mistake.
pub fn load(named: Option<&Path>) -> Result<Config, ConfigError> {
    match read_file(named) {
        Ok(text) => read(&text, named),
        Err(ConfigError::Read { cause, .. }) if named.is_none() && cause.kind() == ErrorKind::NotFound => {
            Ok(Config::default())
        }
        Err(error) => Err(error),
    }
}

/// The text of the configuration.
///
/// # Errors
/// When there is no file or it cannot be read.
pub fn read_file(named: Option<&Path>) -> Result<String, ConfigError> {
    let path = named.unwrap_or(Path::new(USUAL));
    std::fs::read_to_string(path).map_err(|cause| ConfigError::Read { file: path.display().to_string(), cause })
}

/// Reads the configuration from its text; `named` is the file it stands in, for the errors.
///
/// # Errors
/// When it has a mistake.
pub fn read(text: &str, named: Option<&Path>) -> Result<Config, ConfigError> {
    parse(text).map_err(|Mistake { at, what }| {
        let before = text.get(..at.min(text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        let file = named.unwrap_or(Path::new(USUAL)).display().to_string();
        ConfigError::Wrong { file, line, column, what }
    })
}

/// Reads the whole text.
fn parse(text: &str) -> Read<Config> {
    let document = DeTable::parse(text)
        .map_err(|error| Mistake { at: error.span().map_or(0, |span| span.start), what: error.message().to_owned() })?;
    let mut config = Config::default();
    let top = document.get_ref();
    check_keys(top, "")?;
    for (key, value) in top {
        match key.get_ref().as_ref() {
            "people" => config.people = each(value, "people", person)?,
            "books" => config.books = each(value, "books", book)?,
            "storage" => storage(value, &mut config)?,
            "usdt_is_usd" => config.usdt_is_usd = boolean(value)?,
            _ => {}
        }
    }
    for (index, person) in config.people.iter().enumerate() {
        if config.people[..index].iter().any(|other| other.name == person.name) {
            return mistake(0, format!("two people are called \"{}\"", person.name));
        }
    }
    for (index, book) in config.books.iter().enumerate() {
        if config.books[..index].iter().any(|other| other.desk.name == book.desk.name) {
            return mistake(0, format!("two books are called \"{}\"", book.desk.name));
        }
    }
    Ok(config)
}

/// Refuses keys that the table does not have, with the nearest that it has.
pub(super) fn check_keys(table: &Table<'_>, under: &str) -> Read<()> {
    let prefix = if under.is_empty() { String::new() } else { format!("{under}.") };
    let known: Vec<&str> = SETTINGS
        .iter()
        .filter_map(|setting| setting.path.strip_prefix(prefix.as_str()))
        .map(|rest| rest.split('.').next().unwrap_or(rest))
        .collect();
    let keys = table.iter().map(|(key, _)| (key.get_ref().to_string(), key.span().start));
    unknown_key(keys, &known, if under.is_empty() { "the configuration" } else { under })
}

/// Refuses keys that are not known, with the nearest that is.
pub(super) fn unknown_key(keys: impl Iterator<Item = (String, usize)>, known: &[&str], place: &str) -> Read<()> {
    for (key, at) in keys {
        if known.contains(&key.as_str()) {
            continue;
        }
        let near = known.iter().max_by(|a, b| strsim::jaro_winkler(&key, a).total_cmp(&strsim::jaro_winkler(&key, b)));
        let near = near.filter(|near| strsim::jaro_winkler(&key, near) > 0.7);
        let hint = near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default();
        return mistake(at, format!("{place} has no key \"{}\"{hint}", key.escape_debug()));
    }
    Ok(())
}

/// Reads each table of a list.
pub(super) fn each<T>(
    value: &Value<'_>,
    under: &str,
    read: impl Fn(&Value<'_>, &Table<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let at = value.span().start;
    let DeValue::Array(items) = value.get_ref() else {
        return mistake(at, format!("{under} is written as [[{under}]]"));
    };
    items
        .iter()
        .map(|item| {
            let DeValue::Table(table) = item.get_ref() else {
                return mistake(item.span().start, format!("{under} is written as [[{under}]]"));
            };
            check_keys(table, under)?;
            read(item, table)
        })
        .collect()
}

/// A text.
pub(super) fn text(value: &Value<'_>) -> Read<String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        _ => mistake(value.span().start, "this takes a text in quotes"),
    }
}

/// A text that is something else in disguise.
pub(super) fn read_text<T: std::str::FromStr>(value: &Value<'_>) -> Read<T>
where
    T::Err: std::fmt::Display,
{
    text(value)?.parse().map_err(|error: T::Err| Mistake { at: value.span().start, what: error.to_string() })
}

/// Yes or no.
pub(super) fn boolean(value: &Value<'_>) -> Read<bool> {
    match value.get_ref() {
        DeValue::Boolean(yes) => Ok(*yes),
        _ => mistake(value.span().start, "this takes true or false"),
    }
}

/// A number exactly as it is written: a float would already have lost digits.
pub(super) fn number(value: &Value<'_>) -> Read<Ratio> {
    let written = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
        DeValue::Float(number) => number.as_str().replace('_', ""),
        _ => return mistake(value.span().start, "this takes a number"),
    };
    written.parse().map_err(|error| Mistake { at: value.span().start, what: format!("{written} is {error}") })
}

pub(super) fn whole(value: &Value<'_>, min: i64, max: i64) -> Read<i64> {
    let found = number(value)?;
    let whole = found.units() / Ratio::ONE.units();
    if found.units() % Ratio::ONE.units() != 0 || !(min..=max).contains(&whole) {
        return mistake(value.span().start, format!("{found} is not a whole number from {min} to {max}"));
    }
    Ok(whole)
}

fn person(at: &Value<'_>, table: &Table<'_>) -> Read<Person> {
    let Some(name) = table.get("name") else { return mistake(at.span().start, "a person needs a name") };
    let label: crate::domain::Label = read_text(name)?;
    let role = table.get("role").map(read_text).transpose()?.unwrap_or(crate::chat::Role::Owner);
    Ok(Person { name: label.to_string(), role, zone: table.get("zone").map(zone).transpose()? })
}

/// A time zone.
pub(super) fn zone(value: &Value<'_>) -> Read<chrono_tz::Tz> {
    let name = text(value)?;
    name.parse().map_err(|_| Mistake {
        at: value.span().start,
        what: format!("\"{}\" is no time zone; write it like America/New_York", name.escape_debug()),
    })
}

fn storage(value: &Value<'_>, config: &mut Config) -> Read<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return mistake(value.span().start, "storage is written as [storage]");
    };
    check_keys(table, "storage")?;
    if let Some(keep) = table.get("backups_keep") {
        config.backups_keep = usize::try_from(whole(keep, 1, 365)?).unwrap_or(7);
    }
    if let Some(days) = table.get("steps_days") {
        config.steps_days = whole(days, 1, 3650)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("b.toml");
        std::fs::write(&path, text).expect("writes");
        match load(Some(&path)) {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.to_string().replace(&format!("{}:", path.display()), ""),
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_what_was_meant() {
        for (text, want) in [
            ("", "fine"),
            ("[[book]]\n", "1:3: the configuration has no key \"book\": did you mean \"books\"?"),
            ("[[books]]\nname = \"a\"\ncapitol = 5\n", "3:1: books has no key \"capitol\": did you mean \"capital\"?"),
            (
                "[[books]]\n[books.limits]\ndaily_los_pct = 3\n",
                "3:1: books.limits has no key \"daily_los_pct\": did you mean \"daily_loss_pct\"?",
            ),
            (
                "[[books]]\n[books.limits]\npositions_max = 0\n",
                "3:17: positions_max is 0; use a whole number from 1 to 1000",
            ),
            ("[[books]]\nzone = \"New York\"\n", "2:8: \"New York\" is no time zone; write it like America/New_York"),
            (
                "[[books]]\n[[books.strategies]]\nname = \"sma\"\n",
                "3:8: there is no strategy \"sma\"; there are sma_cross, ema_cross, rsi, mean_reversion, breakout, \
                 supertrend, momentum",
            ),
            ("[[books]]\n[[books.strategies]]\nname = \"rsi\"\nset = { period = true }\n", "4:18: this takes a number"),
            (
                "[[books]]\n[[books.strategies]]\nname = \"rsi\"\nset = { short = 2 }\n",
                "4:7: rsi: short is 2; use true or false",
            ),
            (
                "[[books]]\nsymbols = [\"AAPL\"]\nwatchlist = \"x.csv\"\n",
                "1:1: a book has symbols or a watchlist, not both",
            ),
            ("[[books]]\nname = \"a\"\n[[books]]\nname = \"a\"\n", "1:1: two books are called \"a\""),
        ] {
            assert_eq!(wrong(text), want, "{text}");
        }
        assert!(wrong("[[books]\n").starts_with("1:"));
    }

    #[test]
    fn a_switch_takes_both_spellings() {
        for (written, on) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            let text = format!("[[books]]\n[[books.strategies]]\nname = \"rsi\"\nset = {{ short = {written} }}\n");
            let config = parse(&text).ok().expect("sound");
            assert_eq!(config.books[0].desk.strategies[0].values.is_on("short"), on, "{written}");
        }
    }

    #[test]
    fn numbers_are_taken_as_they_are_written() {
        let config = parse("[[books]]\ncapital = 1234.56789012\n[books.limits]\nrisk_per_trade_pct = 0.1\n")
            .ok()
            .expect("sound");
        assert_eq!(config.books[0].desk.capital.to_string(), "1234.56789012");
        assert_eq!(config.books[0].desk.limits.risk_per_trade_pct, Ratio::from_bps(10));
    }
}
