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
