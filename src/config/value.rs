//! How is one value of the file read? Each reader takes what it is for and names the place of everything else.

use std::fmt::Display;
use std::str::FromStr;

use chrono::NaiveTime;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Label, Ratio};

use super::settings::SETTINGS;

/// The longest text that a value may be, in bytes.
const TEXT_MAX: usize = 1000;
/// How much of a text is repeated in an error, in characters.
const SHOWN_MAX: usize = 60;

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
        if !known.contains(&key.as_str()) {
            return mistake(at, format!("{place} has no key \"{}\"{}", shown(&key), nearest(&key, known)));
        }
    }
    Ok(())
}

/// A question that names the nearest known word; nothing where none is near.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    if word.len() > TEXT_MAX {
        return String::new();
    }
    let likeness = |other: &&&str| strsim::jaro_winkler(word, other);
    let near = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let near = near.filter(|near| likeness(near) > 0.7);
    near.map(|near| format!(": did you mean \"{near}\"?")).unwrap_or_default()
}

/// A text as an error repeats it: its beginning, with nothing that a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    let begin: String = text.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_MAX).is_some() { format!("{begin}...") } else { begin }
}

/// Reads each table of a list.
pub(super) fn each<T>(
    value: &Value<'_>,
    under: &str,
    read: impl Fn(&Value<'_>, &Table<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let how = format!("{under} is written as [[{under}]]");
    let items = items(value, &how)?;
    items
        .iter()
        .map(|item| {
            let table = table_of(item, &how)?;
            check_keys(table, under)?;
            read(item, table)
        })
        .collect()
}

/// As `each`, of at most so many.
pub(super) fn each_of_few<T>(
    value: &Value<'_>,
    under: &str,
    max: usize,
    read: impl Fn(&Value<'_>, &Table<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    match starts(value).get(max) {
        Some(at) => mistake(*at, format!("there are more than {max} {under}")),
        None => each(value, under, read),
    }
}

/// Where the items of a list begin.
pub(super) fn starts(value: &Value<'_>) -> Vec<usize> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().map(|item| item.span().start).collect(),
        _ => Vec::new(),
    }
}

/// The items of a list; `how` says how one is written.
pub(super) fn items<'a, 'b>(value: &'a Value<'b>, how: &str) -> Read<&'a [Value<'b>]> {
    match value.get_ref() {
        DeValue::Array(items) => Ok(items),
        _ => mistake(value.span().start, how),
    }
}

/// A table; `how` says how one is written.
pub(super) fn table_of<'a, 'b>(value: &'a Value<'b>, how: &str) -> Read<&'a Table<'b>> {
    match value.get_ref() {
        DeValue::Table(table) => Ok(table),
        _ => mistake(value.span().start, how),
    }
}

/// A list in which nothing stands twice.
pub(super) fn list<T: PartialEq + Display>(
    value: &Value<'_>,
    how: &str,
    read: impl Fn(&Value<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    let mut all = Vec::new();
    for item in items(value, how)? {
        let found = read(item)?;
        if all.contains(&found) {
            return mistake(item.span().start, format!("{found} stands here twice"));
        }
        all.push(found);
    }
    Ok(all)
}

/// Names of books that there are: one at least, each once.
pub(super) fn books(value: &Value<'_>, known: &[Label]) -> Read<Vec<Label>> {
    let found = list(value, "books are a list such as [\"main\"]", |item| {
        let written = text(item)?;
        book(&written, item.span().start, known)
    })?;
    if found.is_empty() {
        return mistake(value.span().start, "this names no book: leave it out for all books");
    }
    Ok(found)
}

/// The name of a book that there is.
pub(super) fn book(written: &str, at: usize, known: &[Label]) -> Read<Label> {
    if let Some(found) = known.iter().find(|book| book.as_str().eq_ignore_ascii_case(written)) {
        return Ok(*found);
    }
    let names: Vec<&str> = known.iter().map(Label::as_str).collect();
    mistake(at, format!("there is no book \"{}\"{}", shown(written), nearest(written, &names)))
}

/// A text.
pub(super) fn text(value: &Value<'_>) -> Read<String> {
    match value.get_ref() {
        DeValue::String(text) if text.len() > TEXT_MAX => {
            mistake(value.span().start, format!("this text has {} bytes; {TEXT_MAX} are allowed", text.len()))
        }
        DeValue::String(text) => Ok(text.to_string()),
        _ => mistake(value.span().start, "this takes a text in quotes"),
    }
}

/// A text that is something else in disguise.
pub(super) fn read_text<T: FromStr>(value: &Value<'_>) -> Read<T>
where
    T::Err: Display,
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
    written.parse().map_err(|error| Mistake { at: value.span().start, what: format!("{} is {error}", shown(&written)) })
}

pub(super) fn whole(value: &Value<'_>, min: i64, max: i64) -> Read<i64> {
    let found = number(value)?;
    let whole = found.units() / Ratio::ONE.units();
    if found.units() % Ratio::ONE.units() != 0 || !(min..=max).contains(&whole) {
        return mistake(value.span().start, format!("{found} is not a whole number from {min} to {max}"));
    }
    Ok(whole)
}

/// A time zone.
pub(super) fn zone(value: &Value<'_>) -> Read<chrono_tz::Tz> {
    let name = text(value)?;
    name.parse().map_err(|_| Mistake {
        at: value.span().start,
        what: format!("\"{}\" is no time zone; write it like America/New_York", name.escape_debug()),
    })
}

/// A time of the day, to the minute.
pub(super) fn time_of_day(value: &Value<'_>) -> Read<NaiveTime> {
    let written = text(value)?;
    NaiveTime::parse_from_str(&written, "%H:%M").map_err(|_| Mistake {
        at: value.span().start,
        what: format!("\"{}\" is no time of the day; write it like 09:00", shown(&written)),
    })
}

/// A whole number that may be too large for amounts, such as that of a chat.
pub(super) fn integer(value: &Value<'_>) -> Read<i64> {
    let written = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
        _ => return mistake(value.span().start, "this takes a whole number"),
    };
    let at = value.span().start;
    written.parse().map_err(|_| Mistake { at, what: format!("{} is too large", shown(&written)) })
}
