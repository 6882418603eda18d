//! Which symbols are watched? A list as a CSV file, taken whole or refused with every problem.

use std::fmt;

use crate::domain::{Instrument, Symbol};

/// The most symbols in one list.
pub const SYMBOLS_MAX: usize = 250;
/// The header of the file.
const HEADER: [&str; 4] = ["symbol", "name", "asset_class", "sector"];
/// The longest name or sector.
const TEXT_CHARS_MAX: usize = 80;

/// Something wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchlistFault {
    /// The line; none where it is about the file.
    pub line: Option<u64>,
    /// What, and what to do.
    pub what: String,
}

impl fmt::Display for WatchlistFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Reads a list.
///
/// # Errors
/// With every problem, if there is one; nothing of the list is used then.
pub fn parse_watchlist(text: &[u8]) -> Result<Vec<Instrument>, Vec<WatchlistFault>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text);
    let mut faults = Vec::new();
    let mut list: Vec<(u64, Instrument)> = Vec::new();
    let mut header_seen = false;
    for record in reader.byte_records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.push(WatchlistFault { line: None, what: format!("the file cannot be read as CSV: {error}") });
                break;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let fields: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        if header_seen {
            read_row(line, &fields, &mut list, &mut faults);
        } else {
            header_seen = true;
            if !fields.iter().map(|field| field.to_ascii_lowercase()).eq(HEADER) {
                let what = format!("the header must be {}, not \"{}\"", HEADER.join(","), shown(&fields.join(",")));
                return Err(vec![WatchlistFault { line: Some(line), what }]);
            }
        }
    }
    if list.is_empty() && faults.is_empty() {
        let what = "the list is empty: it needs the header and at least one symbol".to_owned();
        faults.push(WatchlistFault { line: None, what });
    }
    if list.len() > SYMBOLS_MAX {
        let what = format!("{} symbols are too many: the most is {SYMBOLS_MAX}", list.len());
        faults.push(WatchlistFault { line: None, what });
    }
    if faults.is_empty() { Ok(list.into_iter().map(|(_, item)| item).collect()) } else { Err(faults) }
}

fn read_row(line: u64, fields: &[String], list: &mut Vec<(u64, Instrument)>, faults: &mut Vec<WatchlistFault>) {
    let mut fault = |what: String| faults.push(WatchlistFault { line: Some(line), what });
    let [symbol, name, class, sector] = fields else {
        return fault(format!("{} fields, but there must be 4: {}", fields.len(), HEADER.join(",")));
    };
    for (what, text) in [("name", name), ("sector", sector)] {
        if text.starts_with(['=', '+', '-', '@']) || text.chars().any(char::is_control) {
            fault(format!("the {what} \"{}\" begins like a formula or has control characters", shown(text)));
        } else if text.chars().count() > TEXT_CHARS_MAX {
            fault(format!("the {what} is longer than {TEXT_CHARS_MAX} characters"));
        }
    }
    let symbol = symbol.parse::<Symbol>().map_err(|error| fault(error.to_string())).ok();
    let class = class.parse().map_err(&mut fault).ok();
    let (Some(symbol), Some(class)) = (symbol, class) else { return };
    if let Some((first, _)) = list.iter().find(|(_, known)| known.symbol == symbol) {
        return fault(format!("{symbol} repeats line {first}"));
    }
    list.push((line, Instrument { symbol, name: name.clone(), class, sector: sector.clone() }));
}

fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

/// Writes a list as a file that `parse_watchlist` reads back.
pub fn write_watchlist(list: &[Instrument]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |fields: [&str; 4]| {
        // A vector does not refuse to be written to.
        let _ = writer.write_record(fields);
    };
    write(HEADER);
    for item in list {
        write([item.symbol.as_str(), &item.name, item.class.as_str(), &item.sector]);
    }
    writer.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        parse_watchlist(text.as_bytes()).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_sample_list_is_sound_and_survives_a_round_trip() {
        let sample = include_str!("../../data/watchlist.csv");
        let list = parse_watchlist(sample.as_bytes()).expect("sound");
        assert_eq!(parse_watchlist(write_watchlist(&list).as_bytes()), Ok(list));
    }

    #[test]
    fn every_problem_is_listed_with_its_line() {
        let text = "symbol,name,asset_class,sector\nAAPL,Apple,us_equity,Technology\nMSFT,Microsoft,stock,Technology\n\
                    aapl,Again,us_equity,Technology\nA B,Space,us_equity,X\nIBM,IBM,us_equity\nX,=cmd(),us_equity,X\n";
        assert_eq!(
            faults(text),
            [
                "line 3: unknown asset class \"stock\": use us_equity, crypto or perpetual",
                "line 4: AAPL repeats line 2",
                "line 5: \"A B\" is not a symbol: use 1 to 23 of A-Z 0-9 . - _ /",
                "line 6: 3 fields, but there must be 4: symbol,name,asset_class,sector",
                "line 7: the name \"=cmd()\" begins like a formula or has control characters",
            ]
        );
        assert_eq!(faults(""), ["the list is empty: it needs the header and at least one symbol"]);
        assert_eq!(faults("a,b\n"), ["line 1: the header must be symbol,name,asset_class,sector, not \"a,b\""]);
        let many = (0..251).map(|n| format!("S{n},N,us_equity,X")).collect::<Vec<_>>().join("\n");
        assert_eq!(
            faults(&format!("symbol,name,asset_class,sector\n{many}")),
            ["251 symbols are too many: the most is 250"]
        );
    }
}
