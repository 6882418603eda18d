//! How is a book's list narrowed? The table `[books.screener]`, and a person's pins and bans beside it.

use chrono::NaiveTime;
use toml::de::DeValue;

use crate::domain::{Price, Quantity, Ratio, Symbol};
use crate::engine::{DeskSettings, ScreenerSettings};
use crate::strategy::ScreenRules;

use super::value::{Read, Value, check_keys, mistake, number, read_text, time_of_day, whole};

/// When it runs unless told otherwise.
const NINE: NaiveTime = NaiveTime::from_hms_opt(9, 0, 0).expect("a time of the day");
/// The most symbols that it may choose: as many as a list may have.
const TOP_MAX: i64 = 250;
/// The largest limit of a price, and of an average true range.
const PRICE_MAX: i64 = 1_000_000;
/// The largest limit of a volume.
const VOLUME_MAX: i64 = 10_000_000_000;

/// Reads the table into the book.
pub(super) fn read(value: &Value<'_>, desk: &mut DeskSettings) -> Read<()> {
    let DeValue::Table(table) = value.get_ref() else {
        return mistake(value.span().start, "a screener is written as [books.screener]");
    };
    check_keys(table, "books.screener")?;
    let mut screener = ScreenerSettings { at: NINE, rules: ScreenRules::default() };
    let rules = &mut screener.rules;
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "at" => screener.at = time_of_day(value)?,
            "top" => rules.top = usize::try_from(whole(value, 1, TOP_MAX)?).unwrap_or(rules.top),
            "volume_min" => rules.volume_min = Quantity::from_units(limit(value, VOLUME_MAX)?.units()),
            "price_min" => rules.price_min = Price::from_units(limit(value, PRICE_MAX)?.units()),
            "atr_min" => rules.atr_min = Price::from_units(limit(value, PRICE_MAX)?.units()),
            "relative_strength_min" => rules.strength_min = limit(value, 99)?,
            _ => {}
        }
    }
    desk.screener = Some(screener);
    Ok(())
}

/// What must be exceeded: zero or more.
fn limit(value: &Value<'_>, max: i64) -> Read<Ratio> {
    let found = number(value)?;
    if found < Ratio::ZERO || found > Ratio::whole(max) {
        return mistake(value.span().start, format!("{found} is not from 0 to {max}"));
    }
    Ok(found)
}

/// Reads a list of symbols.
pub(super) fn symbols(value: &Value<'_>) -> Read<Vec<Symbol>> {
    let DeValue::Array(items) = value.get_ref() else {
        return mistake(value.span().start, "symbols are a list such as [\"AAPL\", \"MSFT\"]");
    };
    items.iter().map(read_text).collect()
}

/// A symbol that is to be always and never entered is a mistake.
pub(super) fn check_manual(desk: &DeskSettings, at: usize) -> Read<()> {
    match desk.pins.iter().find(|pin| desk.bans.contains(pin)) {
        Some(both) => mistake(at, format!("{both} is pinned and banned; it can be one of both")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn loaded(text: &str) -> Result<DeskSettings, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("b.toml");
        std::fs::write(&path, format!("[[books]]\n{text}\n")).expect("writes");
        load(Some(&path)).map(|config| config.books[0].desk.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_table_is_the_usual_screener_and_none_is_none() {
        let usual = Some(ScreenerSettings { at: NINE, rules: ScreenRules::default() });
        assert_eq!(loaded("[books.screener]").expect("sound").screener, usual);
        assert_eq!(loaded("").expect("sound").screener, None);
    }

    #[test]
    fn every_key_is_read() {
        let text = "pins = [\"AAPL\"]\nbans = [\"GME\", \"AMC\"]\n[books.screener]\nat = \"08:30\"\ntop = 5\nvolume_min = 2e6\n\
                    price_min = 2.5\natr_min = 0\nrelative_strength_min = 80";
        let desk = loaded(text).expect("sound");
        let screener = desk.screener.expect("set");
        assert_eq!(screener.at.to_string(), "08:30:00");
        let want = ScreenRules {
            top: 5,
            volume_min: Quantity::whole(2_000_000),
            price_min: "2.5".parse().expect("price"),
            atr_min: Price::ZERO,
            strength_min: Ratio::whole(80),
        };
        assert_eq!(screener.rules, want);
        assert_eq!((desk.pins.len(), desk.bans.len()), (1, 2));
    }

    #[test]
    fn mistakes_are_told() {
        for (text, want) in [
            ("[books.screener]\nat = \"9 am\"", "\"9 am\" is no time of the day; write it like 09:00"),
            ("[books.screener]\nat = \"24:00\"", "\"24:00\" is no time of the day; write it like 09:00"),
            ("[books.screener]\ntop = 0", "0 is not a whole number from 1 to 250"),
            ("[books.screener]\nprice_min = -1", "-1 is not from 0 to 1000000"),
            ("[books.screener]\nrelative_strength_min = 100", "100 is not from 0 to 99"),
            ("[books.screener]\nstrength_min = 1", "books.screener has no key \"strength_min\""),
            ("screener = 5", "a screener is written as [books.screener]"),
            ("pins = \"AAPL\"", "symbols are a list such as"),
            ("pins = [\"A\"]\nbans = [\"A\"]", "A is pinned and banned; it can be one of both"),
        ] {
            let error = loaded(text).err().unwrap_or_default();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
