//! What does `bellwether.toml` say? Read as a whole; one mistake refuses it with line, column and what was probably meant.

use std::io::ErrorKind;
use std::path::Path;

use toml::de::DeTable;

use crate::domain::Label;

use super::book::book;
use super::configured::Config;
use super::value::{Mistake, Read, Table, Value, boolean, check_keys, each, mistake, table_of, whole};
use super::{control, people, routes, sms};

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

/// Where the configuration stands unless a file is named.
const USUAL: &str = "bellwether.toml";
/// The longest text that is read, in bytes.
const TEXT_MAX: usize = 1 << 20;

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
    if text.len() > TEXT_MAX {
        return mistake(0, format!("the configuration has {} bytes; {TEXT_MAX} are allowed", text.len()));
    }
    let document = DeTable::parse(text)
        .map_err(|error| Mistake { at: error.span().map_or(0, |span| span.start), what: error.message().to_owned() })?;
    let mut config = Config::default();
    let top = document.get_ref();
    check_keys(top, "")?;
    if let Some(value) = top.get("books") {
        config.books = books(value)?;
    }
    if let Some(value) = top.get("storage") {
        storage(value, &mut config)?;
    }
    if let Some(value) = top.get("sms") {
        config.sms = sms::read(value)?;
    }
    if let Some(value) = top.get("usdt_is_usd") {
        config.usdt_is_usd = boolean(value)?;
    }
    // These name books, and routes name people.
    let names: Vec<Label> = config.books.iter().map(|book| book.desk.name).collect();
    people::read(top, &names, &mut config)?;
    if let Some(value) = top.get("control") {
        config.control = control::read(value, &config)?;
    }
    if let Some(value) = top.get("routes") {
        config.routes = routes::read(value, &names, &config)?;
    }
    Ok(config)
}

fn books(value: &Value<'_>) -> Read<Vec<super::BookConfig>> {
    let books = each(value, "books", book)?;
    for (index, book) in books.iter().enumerate() {
        if books[..index].iter().any(|other| other.desk.name == book.desk.name) {
            return mistake(0, format!("two books are called \"{}\"", book.desk.name));
        }
    }
    Ok(books)
}

fn storage(value: &Value<'_>, config: &mut Config) -> Read<()> {
    let table: &Table<'_> = table_of(value, "storage is written as [storage]")?;
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
    use crate::domain::Ratio;

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
