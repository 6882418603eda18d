//! Is this row as plain as most are? Reads such a row at once, and leaves every other to the careful reader.
//!
//! A file has a million rows of one form: `2024-01-31T14:30:00Z,1.5,2,1.25,1.75,1000`. What is read here is read the same by the
//! careful reader, which alone tells what is wrong with a row.

use super::stamp;
use crate::clock::Timestamp;
use crate::domain::{Bar, Price, Quantity, UNITS};

/// Digits before the point that always fit.
const WHOLE_DIGITS_MAX: usize = 10;
/// Units in one, a tenth, a hundredth and so on.
const UNITS_OF_DECIMALS: [i64; 9] = {
    let mut units = [UNITS; 9];
    let mut decimals = 1;
    while decimals < units.len() {
        units[decimals] = units[decimals - 1] / 10;
        decimals += 1;
    }
    units
};
const DATE_BYTES: usize = 10;

/// Reads plain rows one after the other.
#[derive(Debug)]
pub(super) struct PlainRows {
    first: Timestamp,
    last: Timestamp,
    /// The date of the row before, which most rows share, and where it begins.
    date: [u8; DATE_BYTES],
    midnight: Timestamp,
}

impl PlainRows {
    /// Times outside of these bounds are none of a plain row.
    pub(super) fn between(first: Timestamp, last: Timestamp) -> Self {
        Self { first, last, date: *b"1970-01-01", midnight: Timestamp::from_ms(0) }
    }

    /// The sound bar in the row at the beginning of `text`, and the length of the row with its line end; none if anything
    /// about the row is unusual.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<(Bar, usize)> {
        let (start, rest) = self.time(text)?;
        let (open, rest) = decimal(rest.strip_prefix(b",")?)?;
        let (high, rest) = decimal(rest.strip_prefix(b",")?)?;
        let (low, rest) = decimal(rest.strip_prefix(b",")?)?;
        let (close, rest) = decimal(rest.strip_prefix(b",")?)?;
        let (volume, rest) = decimal(rest.strip_prefix(b",")?)?;
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n")?;
        let [open, high, low, close] = [open, high, low, close].map(Price::from_units);
        let bar = Bar { start, open, high, low, close, volume: Quantity::from_units(volume) };
        let is_sound = start >= self.first && start <= self.last && bar.fault().is_none();
        is_sound.then_some((bar, text.len() - rest.len()))
    }

    fn time<'a>(&mut self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let (date, rest) = text.split_first_chunk::<DATE_BYTES>()?;
        if *date != self.date {
            self.midnight = stamp::midnight(stamp::date(date)?);
            self.date = *date;
        }
        let (clock, rest) = rest.split_first_chunk()?;
        Some((self.midnight.plus_ms(stamp::clock_ms(clock)?), rest))
    }
}

/// A number without sign or exponent, in units, and what follows it.
fn decimal(text: &[u8]) -> Option<(i64, &[u8])> {
    let (whole, rest) = digits(0, text);
    let length = text.len() - rest.len();
    if length == 0 || length > WHOLE_DIGITS_MAX {
        return None;
    }
    let Some(fraction) = rest.strip_prefix(b".") else { return Some((whole * UNITS, rest)) };
    let (number, rest) = digits(whole, fraction);
    let units = UNITS_OF_DECIMALS.get(fraction.len() - rest.len())?;
    Some((number * units, rest))
}

/// Appends digits to a number. Only a number that is short enough to fit is of use; a longer one is refused by its length.
fn digits(mut number: i64, mut text: &[u8]) -> (i64, &[u8]) {
    while let [digit @ b'0'..=b'9', rest @ ..] = text {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        text = rest;
    }
    (number, text)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::market::{BarFile, read};

    const NOW: Timestamp = Timestamp::from_ms(1_769_990_400_000);

    #[test]
    fn the_usual_forms_are_plain() {
        let mut plain = PlainRows::between(Timestamp::from_ms(0), NOW);
        for (text, length) in [
            ("2024-01-31T14:30:00Z,1.5,2,1.25,1.75,1000\nrest", 42),
            ("2024-01-31T14:31:00Z,1.5,2,1.25,1.75,0\r\n", 40),
            ("2024-02-01T00:00:00Z,9999999999.99999999,9999999999.99999999,0.00000001,1,9999999999.99999999\n", 94),
        ] {
            assert_eq!(plain.read(text.as_bytes()).map(|(_, length)| length), Some(length), "{text}");
        }
        for text in [
            "",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.75,1000",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.75,1000,\n",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.75\n",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.75,1e3\n",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.75,-1\n",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.75,99999999999\n",
            "2024-01-31T14:30:00Z,1.5,2,1.25,1.750000001,1\n",
            "2024-01-31T14:30:00Z,1.5,1,1.25,1.75,1000\n",
            "2024-02-30T14:30:00Z,1.5,2,1.25,1.75,1000\n",
            "2024-01-31T24:30:00Z,1.5,2,1.25,1.75,1000\n",
            "2027-01-31T14:30:00Z,1.5,2,1.25,1.75,1000\n",
        ] {
            assert_eq!(plain.read(text.as_bytes()), None, "{text}");
        }
    }

    /// A field as files have them, most of them plain.
    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => (1u32..99_999, 0u32..100).prop_map(|(whole, part)| format!("{whole}.{part:02}")),
            8 => (10u32..12).prop_map(|whole| whole.to_string()),
            1 => "[0-9]{0,12}\\.?[0-9]{0,10}",
            1 => "[-+]?[0-9]{1,22}(e[-+]?[0-9]{1,2})?",
            1 => prop::sample::select(vec!["", " 11 ", "11.", ".5", "nan", "=1", "\"11\"", "\"1,1\"", "\"1\n1\"", "1\"1", "x"])
                .prop_map(str::to_owned),
        ]
    }

    fn time() -> impl Strategy<Value = String> {
        prop_oneof![
            12 => (1u32..4, 0u32..24, 0u32..60).prop_map(|(d, h, m)| format!("2024-01-{d:02}T{h:02}:{m:02}:00Z")),
            1 => "20[0-9]{2}-[0-2][0-9]-[0-4][0-9]T[0-3][0-9]:[0-7][0-9]:[0-7][0-9]Z",
            1 => prop::sample::select(vec![
                "1850-01-01T00:00:00Z", "2024-01-02", "2024-01-02 10:00:00", "1704190000", "01/02/2024", "", " 2024-01-02T10:00:00Z",
                "2024-01-02T10:00:00+01:00", "2024-01-02T10:00:00z"
            ])
            .prop_map(str::to_owned),
        ]
    }

    /// Reads rows with their columns turned by so many places: only where that is none can a row be plain.
    fn read_turned(rows: &[(Vec<String>, &str)], turned: usize) -> BarFile {
        let mut text = String::new();
        let header = ["timestamp", "open", "high", "low", "close", "volume"].map(str::to_owned).to_vec();
        for (fields, end) in [(header, "\n")].iter().chain(rows) {
            let mut fields = fields.clone();
            fields.rotate_right(turned);
            let _ = write!(text, "{}{end}", fields.join(","));
        }
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("BTC-USD.1m.csv");
        std::fs::write(&path, text).expect("writes");
        read(&path, NOW)
    }

    proptest! {
        /// One grammar: whatever is in a row, the careful reader makes the same of it, to the last message.
        #[test]
        fn the_careful_reader_reads_the_same(
            rows in prop::collection::vec(
                (time(), prop::collection::vec(number(), 5), prop::sample::select(vec!["\n", "\n", "\r\n", "\n\n", "\r\n \n"])),
                0..30,
            ),
        ) {
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(time, numbers, end)| ([time].into_iter().chain(numbers).collect::<Vec<_>>(), end))
                .collect();
            let (plain, careful) = (read_turned(&rows, 0), read_turned(&rows, 2));
            prop_assert_eq!(&plain.bars, &careful.bars);
            prop_assert_eq!(&plain.problems, &careful.problems);
            prop_assert_eq!(plain.rows, careful.rows);
            for bar in 0..plain.bars.len() {
                prop_assert_eq!(plain.line_of(bar), careful.line_of(bar));
            }
        }
    }
}
