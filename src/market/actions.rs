//! What did companies do to their shares? Splits, dividends, and moves that a person has confirmed as real.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use csv::ByteRecord;

use super::problem::{Problem, ProblemKind, Problems, file_name, shown};
use super::rows::Rows;
use super::stamp;
use crate::domain::{AmountError, Price, Ratio, Symbol, UNITS};

const COLUMNS: [&str; 4] = ["symbol", "ex_date", "kind", "value"];

/// The corporate actions on file.
///
/// They are meant for raw prices, which show a split as a fall and a dividend as a small one. A folder of prices that are
/// adjusted for dividends must have no such file: a dividend cannot be told from the prices, so it would count twice.
#[derive(Debug, Clone, Default)]
pub struct Actions {
    splits: BTreeMap<(Symbol, NaiveDate), (i64, i64)>,
    dividends: BTreeMap<(Symbol, NaiveDate), Price>,
    confirmed: BTreeSet<(Symbol, NaiveDate)>,
}

impl Actions {
    /// The name of the file, beside the bars.
    pub const FILE_NAME: &str = "corporate_actions.csv";

    /// Nothing is known.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads the file, and what is wrong with it; rows that are wrong are left out.
    pub fn read(path: &Path) -> (Self, Vec<Problem>) {
        let mut actions = Self::none();
        let mut problems = Problems::of(file_name(path));
        if let Err((line, kind, detail)) = actions.load(path, &mut problems) {
            problems.add(line, kind, || detail);
        }
        (actions, problems.finish())
    }

    /// Reads the file of a folder; without one nothing is known, and nothing is wrong.
    pub fn in_folder(folder: &Path) -> (Self, Vec<Problem>) {
        let path = folder.join(Self::FILE_NAME);
        if path.exists() { Self::read(&path) } else { (Self::none(), Vec::new()) }
    }

    /// Every split after one date and up to another, as new shares per old ones in lowest terms, oldest first: a series may have no bar
    /// on the day itself.
    pub fn splits_between(
        &self,
        symbol: Symbol,
        after: NaiveDate,
        until: NaiveDate,
    ) -> impl DoubleEndedIterator<Item = (NaiveDate, (i64, i64))> + '_ {
        between(&self.splits, symbol, after, until)
    }

    /// What a share is paid, for every ex-date after one date and up to another, oldest first.
    pub fn dividends_between(
        &self,
        symbol: Symbol,
        after: NaiveDate,
        until: NaiveDate,
    ) -> impl DoubleEndedIterator<Item = (NaiveDate, Price)> + '_ {
        between(&self.dividends, symbol, after, until)
    }

    /// A hash of everything on file: it changes when a row does.
    pub(super) fn fingerprint(&self) -> String {
        blake3::hash(format!("{self:?}").as_bytes()).to_hex()[..16].to_owned()
    }

    /// True if a person has confirmed that the overnight move of this date is real.
    pub fn confirmed_on(&self, symbol: Symbol, date: NaiveDate) -> bool {
        self.confirmed.contains(&(symbol, date))
    }

    fn load(&mut self, path: &Path, problems: &mut Problems) -> Result<(), FileFault> {
        let unreadable = |error: &dyn std::fmt::Display| (None, ProblemKind::Unreadable, error.to_string());
        let mut rows = Rows::open(path).map_err(|error| unreadable(&error))?;
        let mut row = ByteRecord::new();
        if rows.next(&mut row).map_err(|error| unreadable(&error))?.is_none() {
            let detail = format!("the file is empty: begin it with {}, or delete it", COLUMNS.join(","));
            return Err((None, ProblemKind::Empty, detail));
        }
        let columns = columns(&row)?;
        let width = row.len();
        while let Some(line) = rows.next(&mut row).map_err(|error| unreadable(&error))? {
            if row.len() == width {
                let fields = columns.map(|column| row.get(column).unwrap_or_default().trim_ascii());
                self.take(fields, line, problems);
            } else {
                problems.add(Some(line), ProblemKind::FieldCount, || {
                    format!("{} fields, the header has {width}", row.len())
                });
            }
        }
        Ok(())
    }

    /// Takes one row; every fault of it is told.
    fn take(&mut self, [symbol, date, kind, value]: [&[u8]; 4], line: u64, problems: &mut Problems) {
        let name = std::str::from_utf8(symbol).ok().and_then(|text| text.parse::<Symbol>().ok());
        if name.is_none() {
            problems.add(Some(line), ProblemKind::BadSymbol, || format!("symbol is {}", shown(symbol)));
        }
        let day = stamp::date(date);
        if day.is_none() {
            let detail = || format!("ex_date is {}: write 2024-01-31", shown(date));
            problems.add(Some(line), ProblemKind::BadTime, detail);
        }
        let key = name.zip(day);
        match kind.to_ascii_lowercase().as_slice() {
            b"split" => self.take_split(key, value, line, problems),
            b"dividend" => self.take_dividend(key, value, line, problems),
            b"confirmed" => self.confirmed.extend(key),
            _ => problems.add(Some(line), ProblemKind::UnknownAction, || {
                format!("kind is {}: use split, dividend or confirmed", shown(kind))
            }),
        }
    }

    fn take_split(&mut self, key: Option<(Symbol, NaiveDate)>, value: &[u8], line: u64, problems: &mut Problems) {
        match amount(value).and_then(fraction) {
            Ok(split) => enter(&mut self.splits, key, split, ("split", "keep the right one"), line, problems),
            Err((kind, detail)) => problems.add(Some(line), kind, || detail),
        }
    }

    fn take_dividend(&mut self, key: Option<(Symbol, NaiveDate)>, value: &[u8], line: u64, problems: &mut Problems) {
        match amount(value).and_then(not_negative) {
            Ok(paid) => {
                let paid = Price::from_units(paid.units());
                enter(&mut self.dividends, key, paid, ("dividend", "write their sum in one row"), line, problems);
            }
            Err((kind, detail)) => problems.add(Some(line), kind, || detail),
        }
    }
}

/// The entries of a symbol after one date and up to another.
fn between<T: Copy>(
    table: &BTreeMap<(Symbol, NaiveDate), T>,
    symbol: Symbol,
    after: NaiveDate,
    until: NaiveDate,
) -> impl DoubleEndedIterator<Item = (NaiveDate, T)> + '_ {
    let entries = table.range((symbol, after)..=(symbol, until.max(after)));
    entries.filter(move |((_, date), _)| *date > after).map(|((_, date), entry)| (*date, *entry))
}

/// Takes an entry into its table. A date that is listed twice is told, with what to do where the two differ.
fn enter<T: PartialEq>(
    table: &mut BTreeMap<(Symbol, NaiveDate), T>,
    key: Option<(Symbol, NaiveDate)>,
    entry: T,
    (name, remedy): (&str, &str),
    line: u64,
    problems: &mut Problems,
) {
    let Some(key) = key else { return };
    match table.get(&key) {
        None => {
            table.insert(key, entry);
        }
        Some(before) if *before == entry => {
            let detail = || format!("this {name} is listed twice: delete one of the rows");
            problems.add(Some(line), ProblemKind::DuplicateTimestamp, detail);
        }
        Some(_) => {
            let detail = || format!("{} has another {name} on {}: {remedy}", key.0, key.1);
            problems.add(Some(line), ProblemKind::DuplicateConflict, detail);
        }
    }
}

type FileFault = (Option<u64>, ProblemKind, String);
type ValueFault = (ProblemKind, String);

/// Where the four columns stand in the header.
fn columns(header: &ByteRecord) -> Result<[usize; 4], FileFault> {
    let mut places = [0; 4];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|name| name.trim_ascii().eq_ignore_ascii_case(column.as_bytes()));
        let missing = || {
            let detail = format!("column {column} is missing: the header is {}", COLUMNS.join(","));
            (Some(1), ProblemKind::MissingColumn, detail)
        };
        *place = found.ok_or_else(missing)?;
    }
    Ok(places)
}

fn amount(value: &[u8]) -> Result<Ratio, ValueFault> {
    Ratio::parse(value).map_err(|error| match error {
        AmountError::NotANumber => (ProblemKind::NotANumber, format!("value is {}", shown(value))),
        AmountError::Overflow => (ProblemKind::TooLarge, format!("value is {}", shown(value))),
    })
}

fn not_negative(value: Ratio) -> Result<Ratio, ValueFault> {
    if value < Ratio::ZERO { Err((ProblemKind::NotPositive, format!("value is {value}"))) } else { Ok(value) }
}

/// A ratio as a reduced fraction: 1.5 is 3 new shares for 2 old ones.
fn fraction(ratio: Ratio) -> Result<(i64, i64), ValueFault> {
    if ratio <= Ratio::ZERO {
        return Err((
            ProblemKind::NotPositive,
            format!("value is {ratio}: write how many new shares one old share became"),
        ));
    }
    let (mut divisor, mut rest) = (ratio.units(), UNITS);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    Ok((ratio.units() / divisor, UNITS / divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Actions, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(Actions::FILE_NAME), text).unwrap();
        let (actions, problems) = Actions::in_folder(folder.path());
        (actions, problems.iter().map(ToString::to_string).collect())
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn splits_are_exact_fractions() {
        let (actions, problems) = read(
            "kind,Symbol,ex_date,value\r\nsplit,AAPL,2014-06-09,7\r\n\r\nsplit,aapl,2005-02-28,1.5\r\n\
             split,GOOG,2015-04-27,1.0027\r\ndividend,AAPL,2014-08-07,0.47\r\nconfirmed,GOOG,2014-04-03,\r\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        let [aapl, goog]: [Symbol; 2] = ["AAPL", "GOOG"].map(|name| name.parse().unwrap());
        let split_on = |symbol, date: NaiveDate| {
            let before = date.pred_opt().unwrap();
            actions.splits_between(symbol, before, date).next().map(|(_, split)| split)
        };
        assert_eq!(split_on(aapl, day("2014-06-09")), Some((7, 1)));
        assert_eq!(split_on(aapl, day("2005-02-28")), Some((3, 2)));
        assert_eq!(split_on(goog, day("2015-04-27")), Some((10_027, 10_000)));
        assert_eq!(split_on(aapl, day("2014-08-07")), None);
        let paid: Vec<_> = actions.dividends_between(aapl, day("2014-08-06"), day("2014-08-07")).collect();
        assert_eq!(paid, [(day("2014-08-07"), "0.47".parse().unwrap())]);
        assert_eq!(actions.dividends_between(aapl, day("2014-08-07"), day("2020-01-01")).count(), 0);
        assert!(actions.confirmed_on(goog, day("2014-04-03")) && !actions.confirmed_on(aapl, day("2014-04-03")));
        let dates = |after, until| actions.splits_between(aapl, day(after), day(until)).map(|(date, _)| date).collect();
        let both: Vec<NaiveDate> = dates("2005-02-27", "2014-06-09");
        assert_eq!(both, [day("2005-02-28"), day("2014-06-09")]);
        assert_eq!(dates("2005-02-28", "2014-06-08"), Vec::<NaiveDate>::new());
    }

    #[test]
    fn every_fault_of_a_row_has_its_line() {
        let (_, problems) = read(
            "symbol,ex_date,kind,value\nA B,06/09/2014,spin,1\nAAPL,2014-06-09,split,0\nAAPL,2014-06-09,split,x\n\
             AAPL,2014-06-09,split\nAAPL,2014-06-09,split,7\nAAPL,2014-06-09,split,2\n\
             AAPL,2014-08-07,dividend,-1\nAAPL,2014-08-07,dividend,1\nAAPL,2014-08-07,dividend,1\nAAPL,2014-08-07,dividend,2\n",
        );
        let told = |text: &String| text.split(": ").take(3).collect::<Vec<_>>().join(": ");
        assert_eq!(
            problems.iter().map(told).collect::<Vec<_>>(),
            [
                "corporate_actions.csv:2: error: bad-symbol",
                "corporate_actions.csv:2: error: bad-time",
                "corporate_actions.csv:2: error: unknown-action",
                "corporate_actions.csv:3: error: not-positive",
                "corporate_actions.csv:4: error: not-a-number",
                "corporate_actions.csv:5: error: field-count",
                "corporate_actions.csv:7: error: duplicate-conflict",
                "corporate_actions.csv:8: error: not-positive",
                "corporate_actions.csv:10: warning: duplicate-timestamp",
                "corporate_actions.csv:11: error: duplicate-conflict",
            ]
        );
        assert!(problems[9].ends_with("write their sum in one row"));
        assert!(read("a,b\n").1[0].contains("column symbol is missing"));
        assert!(read("").1[0].contains("the file is empty"));
    }
}
