//! Which bars does a file hold? Reads one, keeps what is sound, and names every fault with its line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::header::{Columns, FileFault};
use super::order;
use super::plain_row::PlainRows;
use super::problem::{Problem, ProblemKind, Problems, file_name, shown};
use super::rows::{RowError, Rows};
use super::stamp::{self, Stamp, StampError};
use crate::clock::{DAY_MS, Timestamp};
use crate::domain::{AmountError, Bar, Price, Quantity, Symbol, Timeframe, UNITS};

/// 1900-01-01: whatever is older is a mistake.
const OLDEST: Timestamp = Timestamp::from_ms(-25_567 * DAY_MS);
/// A price below this many units changes visibly when its ninth decimal is rounded away.
const FINE_UNITS: i64 = 1_000;
/// How many bars are looked at to find the usual spacing.
const SPACING_SAMPLE: usize = 10_000;
/// Spacings that are needed before a file's name is doubted.
const SPACINGS_MIN: usize = 3;
/// Bytes of a short row; memory for the bars is set aside by it.
const ROW_BYTES_TYPICAL: u64 = 48;

const OPEN: usize = 0;
const HIGH: usize = 1;
const LOW: usize = 2;
const CLOSE: usize = 3;
const VOLUME: usize = 4;

/// What a file holds: its sound bars, oldest first, and everything that is wrong with it.
#[derive(Debug)]
pub struct BarFile {
    /// Where it is.
    pub path: PathBuf,
    /// Of what, by the file's name.
    pub symbol: Option<Symbol>,
    /// How long a bar is, by the file's name, else as asked for, else by the usual spacing; none if that is no timeframe.
    pub timeframe: Option<Timeframe>,
    /// The sound bars, oldest first, each time once.
    pub bars: Vec<Bar>,
    /// What is wrong with the file itself, by line.
    pub problems: Vec<Problem>,
    /// Rows below the header.
    pub rows: usize,
    is_named: bool,
    spacing_ms: Option<i64>,
    lines: Vec<u32>,
    rejected: Vec<u32>,
}

impl BarFile {
    /// The line of a bar, by its place in `bars`.
    pub fn line_of(&self, bar: usize) -> Option<u64> {
        self.lines.get(bar).map(|line| u64::from(*line))
    }

    /// True if something is wrong that forbids to use the file.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// True if the name is `SYMBOL.TIMEFRAME.csv`, so that the symbol is meant as one.
    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }

    /// The usual time from one bar to the next.
    pub(super) fn spacing_ms(&self) -> Option<i64> {
        self.timeframe.map(Timeframe::ms).or(self.spacing_ms)
    }

    /// How many rows between two bars of the file were refused: what they held is not missing.
    pub(super) fn rejected_between(&self, one: usize, other: usize) -> usize {
        let (Some(one), Some(other)) = (self.lines.get(one), self.lines.get(other)) else { return 0 };
        let before = |line| self.rejected.partition_point(|rejected| *rejected < line);
        before(*one).abs_diff(before(*other))
    }
}

/// Reads a file. Whatever is wrong with it is in the answer; times after `now` and a day are faults.
pub fn read(path: &Path, now: Timestamp) -> BarFile {
    read_as(path, None, now)
}

/// The same for a file whose bars are to be `asked` long, if its name does not tell: they must not be shorter.
pub(super) fn read_as(path: &Path, asked: Option<Timeframe>, now: Timestamp) -> BarFile {
    let (symbol, timeframe) = named(path);
    let mut loader = Loader::new(path, now);
    if let Err((line, kind, detail)) = loader.load(path) {
        loader.problems.add(line, kind, || detail);
    }
    loader.tell_times();
    loader.put_in_order();
    let spacing_ms = usual_spacing(&loader.bars);
    loader.check_spacing(timeframe, asked, spacing_ms);
    loader.rejected.sort_unstable();
    BarFile {
        path: path.to_owned(),
        symbol,
        timeframe: timeframe.or(asked).or_else(|| Timeframe::ALL.into_iter().find(|tf| Some(tf.ms()) == spacing_ms)),
        bars: loader.bars,
        problems: loader.problems.finish(),
        rows: loader.rows,
        is_named: timeframe.is_some(),
        spacing_ms,
        lines: loader.lines,
        rejected: loader.rejected,
    }
}

/// Symbol and timeframe as the file's name has them.
pub(super) fn named(path: &Path) -> (Option<Symbol>, Option<Timeframe>) {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if let Some((symbol, timeframe)) = stem.rsplit_once('.')
        && let (Ok(symbol), Ok(timeframe)) = (symbol.parse(), timeframe.parse())
    {
        return (Some(symbol), Some(timeframe));
    }
    (stem.parse().ok(), None)
}

/// The most frequent time from one bar to the next; the shortest of several.
fn usual_spacing(bars: &[Bar]) -> Option<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in bars.windows(2).take(SPACING_SAMPLE) {
        *counts.entry(pair[1].start.since(pair[0].start)).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(spacing, _)| spacing)
}

/// Something that many rows share and that is told once: where first, what stood there, how often.
#[derive(Debug, Default)]
struct Shared {
    line: u64,
    text: String,
    count: usize,
}

impl Shared {
    fn add(&mut self, line: u64, text: &[u8]) {
        if self.count == 0 {
            (self.line, self.text) = (line, shown(text));
        }
        self.count += 1;
    }
}

struct Loader {
    latest: Timestamp,
    problems: Problems,
    bars: Vec<Bar>,
    lines: Vec<u32>,
    rejected: Vec<u32>,
    rows: usize,
    /// True while each bar is later than the one before.
    in_order: bool,
    ambiguous: Shared,
    zoneless: Shared,
}

impl Loader {
    fn new(path: &Path, now: Timestamp) -> Self {
        Self {
            latest: now.plus_ms(DAY_MS),
            problems: Problems::of(file_name(path)),
            bars: Vec::new(),
            lines: Vec::new(),
            rejected: Vec::new(),
            rows: 0,
            in_order: true,
            ambiguous: Shared::default(),
            zoneless: Shared::default(),
        }
    }

    fn load(&mut self, path: &Path) -> Result<(), FileFault> {
        let unreadable = |error: std::io::Error| (None, ProblemKind::Unreadable, format!("cannot be read: {error}"));
        let bytes = path.metadata().map_err(unreadable)?.len();
        let mut rows = Rows::open(path).map_err(unreadable)?;
        let mut row = ByteRecord::new();
        let Some(line) = rows.next(&mut row).map_err(|error| row_fault(&error))? else {
            let detail = "the file is empty: fetch it again".to_owned();
            return Err((None, ProblemKind::Empty, detail));
        };
        let columns = Columns::find(&row, line, &mut self.problems)?;
        let expected = (bytes / ROW_BYTES_TYPICAL) as usize;
        self.bars.reserve(expected);
        self.lines.reserve(expected);
        let mut plain = columns.are_usual().then(|| PlainRows::between(OLDEST, self.latest));
        loop {
            while let Some((bar, length)) = plain.as_mut().and_then(|plain| plain.read(rows.ahead())) {
                let line = rows.pass(length);
                self.keep(bar, line);
            }
            let Some(line) = rows.next(&mut row).map_err(|error| row_fault(&error))? else { break };
            match self.bar(&columns, &row, line) {
                Some(bar) => self.keep(bar, line),
                None => self.rejected.push(short(line)),
            }
        }
        self.rows = self.bars.len() + self.rejected.len();
        if self.rows == 0 {
            let detail = "there are no rows below the header: fetch the file again".to_owned();
            return Err((None, ProblemKind::Empty, detail));
        }
        Ok(())
    }

    fn keep(&mut self, bar: Bar, line: u64) {
        self.in_order &= self.bars.last().is_none_or(|last| last.start < bar.start);
        self.bars.push(bar);
        self.lines.push(short(line));
    }

    /// The bar of a row, if nothing is wrong with it. Every field is read before the row is given up.
    fn bar(&mut self, columns: &Columns, row: &ByteRecord, line: u64) -> Option<Bar> {
        if row.len() != columns.width {
            let open_quote = if row.as_slice().contains(&b'\n') { ": is a quote left open?" } else { "" };
            let detail = || format!("{} fields, the header has {}{open_quote}", row.len(), columns.width);
            self.problems.add(Some(line), ProblemKind::FieldCount, detail);
            return None;
        }
        if row.as_slice().contains(&0) {
            let place = row.iter().position(|field| field.contains(&0)).unwrap_or_default();
            let detail = || format!("field {} is {}: fetch the file again", place + 1, shown(&row[place]));
            self.problems.add(Some(line), ProblemKind::NulByte, detail);
        }
        let start = self.time(&columns.time_name, row[columns.time].trim_ascii(), line);
        let mut numbers = [None; 5];
        for (column, number) in numbers.iter_mut().enumerate() {
            *number = self.number(column, row[columns.numbers[column]].trim_ascii(), line);
        }
        let fits = self.check_shape(numbers, line);
        let [Some(open), Some(high), Some(low), Some(close), Some(volume)] = numbers else { return None };
        let [open, high, low, close] = [open, high, low, close].map(Price::from_units);
        let bar = Bar { start: start?, open, high, low, close, volume: Quantity::from_units(volume) };
        fits.then_some(bar)
    }

    fn time(&mut self, column: &str, text: &[u8], line: u64) -> Option<Timestamp> {
        let at = match stamp::parse(text) {
            Ok(Stamp::Sure(at)) => at,
            Ok(Stamp::Zoneless(at)) => {
                self.zoneless.add(line, text);
                at
            }
            Err(StampError::Ambiguous) => {
                self.ambiguous.add(line, text);
                return None;
            }
            Err(_) if text.contains(&0) => return None,
            Err(error) => {
                let (kind, why) = match text {
                    [] => (ProblemKind::EmptyField, format!("{column} is empty")),
                    [b'=' | b'@' | b'+', ..] => (ProblemKind::Formula, formula(column, text)),
                    _ => (ProblemKind::BadTime, format!("{column} is {}: {error}", shown(text))),
                };
                self.problems.add(Some(line), kind, || why);
                return None;
            }
        };
        let (kind, why) = if at < OLDEST {
            (ProblemKind::TooOld, "before 1900")
        } else if at > self.latest {
            (ProblemKind::FutureDate, "still to come")
        } else {
            return Some(at);
        };
        self.problems.add(Some(line), kind, || format!("{column} is {}: {why}", shown(text)));
        None
    }

    fn number(&mut self, column: usize, text: &[u8], line: u64) -> Option<i64> {
        let parsed = Price::parse(text).map(Price::units);
        match parsed {
            Ok(units) if units.abs() >= FINE_UNITS || column == VOLUME || is_exact(text, units) => return Some(units),
            Err(AmountError::NotANumber) if text.contains(&0) => return None,
            Ok(_) | Err(_) => {}
        }
        let name = Columns::NUMBERS[column];
        let said = || format!("{name} is {}", shown(text));
        let (kind, detail) = match (parsed, text) {
            (Ok(_), _) => (ProblemKind::TooSmall, format!("{}: prices keep 8 decimals", said())),
            (Err(AmountError::Overflow), _) => {
                (ProblemKind::TooLarge, format!("{}: {}", said(), AmountError::Overflow))
            }
            (Err(AmountError::NotANumber), []) => (ProblemKind::EmptyField, format!("{name} is empty")),
            (Err(AmountError::NotANumber), [b'=' | b'@' | b'+', ..]) => (ProblemKind::Formula, formula(name, text)),
            (Err(AmountError::NotANumber), _) if has_commas(text) => {
                let hint = "write a decimal point and no separators";
                (ProblemKind::CommaInNumber, format!("{}: {hint}", said()))
            }
            (Err(AmountError::NotANumber), _) => (ProblemKind::NotANumber, said()),
        };
        self.problems.add(Some(line), kind, || detail);
        None
    }

    /// True if the numbers that could be read make a bar: positive prices, the range around open and close.
    fn check_shape(&mut self, numbers: [Option<i64>; 5], line: u64) -> bool {
        let before = self.problems.count();
        for column in [OPEN, HIGH, LOW, CLOSE] {
            if let Some(units) = numbers[column].filter(|units| *units <= 0) {
                let detail = || format!("{} is {}", Columns::NUMBERS[column], Price::from_units(units));
                self.problems.add(Some(line), ProblemKind::NotPositive, detail);
            }
        }
        if let Some(units) = numbers[VOLUME].filter(|units| *units < 0) {
            let detail = || format!("volume is {}", Quantity::from_units(units));
            self.problems.add(Some(line), ProblemKind::NegativeVolume, detail);
        }
        let [open, high, low, close] =
            [OPEN, HIGH, LOW, CLOSE].map(|column| numbers[column].filter(|units| *units > 0));
        let (high, low) = (high.map(Price::from_units), low.map(Price::from_units));
        if let (Some(high), Some(low)) = (high, low)
            && high < low
        {
            let detail = || format!("high {high} is below low {low}");
            self.problems.add(Some(line), ProblemKind::HighBelowLow, detail);
            return false;
        }
        for (name, units) in [("open", open), ("close", close)] {
            let Some(price) = units.map(Price::from_units) else { continue };
            if let Some(high) = high.filter(|high| price > *high) {
                let detail = || format!("{name} {price} is above high {high}");
                self.problems.add(Some(line), ProblemKind::OutsideRange, detail);
            } else if let Some(low) = low.filter(|low| price < *low) {
                let detail = || format!("{name} {price} is below low {low}");
                self.problems.add(Some(line), ProblemKind::OutsideRange, detail);
            }
        }
        self.problems.count() == before
    }

    /// Tells once per file what all of its times have in common.
    fn tell_times(&mut self) {
        let Shared { line, text, count } = &self.ambiguous;
        if *count > 0 {
            let rows = plural(*count, "row");
            let detail = || format!("{rows} with dates such as {text}: {}", StampError::Ambiguous);
            self.problems.add(Some(*line), ProblemKind::AmbiguousDate, detail);
        }
        let Shared { line, text, count } = &self.zoneless;
        if *count > 0 {
            let rows = plural(*count, "row");
            let detail =
                || format!("{rows} with times such as {text}, read as UTC: write the zone, such as Z or -05:00");
            self.problems.add(Some(*line), ProblemKind::NoZone, detail);
        }
    }

    fn put_in_order(&mut self) {
        if self.in_order {
            return;
        }
        order::sort(&mut self.bars, &mut self.lines, &mut self.problems);
        let doubtful = order::remove_duplicates(&mut self.bars, &mut self.lines, &mut self.problems);
        self.rejected.extend(doubtful);
    }

    /// A file whose bars are shorter than its name or the options say would be replayed at the wrong pace.
    fn check_spacing(&mut self, named: Option<Timeframe>, asked: Option<Timeframe>, spacing_ms: Option<i64>) {
        let Some(spacing) = spacing_ms.filter(|_| self.bars.len() > SPACINGS_MIN) else { return };
        match named.or(asked) {
            Some(length) if spacing < length.ms() => {
                let why = match named {
                    Some(named) => format!("the file's name says {named}: rename it"),
                    None => format!("not {length}: ask for bars of their length, or leave --timeframe out"),
                };
                let detail = || format!("bars are mostly {} s apart, {why}", spacing / 1000);
                self.problems.add(None, ProblemKind::WrongTimeframe, detail);
            }
            None if Timeframe::ALL.iter().all(|timeframe| timeframe.ms() != spacing) => {
                let detail = || format!("bars are mostly {} s apart: use 1m, 5m, 15m, 1h, 1d or 1w", spacing / 1000);
                self.problems.add(None, ProblemKind::UnknownTimeframe, detail);
            }
            Some(_) | None => {}
        }
    }
}

fn short(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// `1 row`, `2 rows`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn row_fault(error: &RowError) -> FileFault {
    match error {
        RowError::TooLong(line) => (Some(*line), ProblemKind::RowTooLong, error.to_string()),
        RowError::Io(_) => (None, ProblemKind::Unreadable, error.to_string()),
    }
}

fn formula(column: &str, text: &[u8]) -> String {
    format!("{column} is {}: a spreadsheet would run this", shown(text))
}

fn has_commas(text: &[u8]) -> bool {
    text.contains(&b',') && text.iter().all(|byte| byte.is_ascii_digit() || b",.- '".contains(byte))
}

/// True if a small number has no digits that eight decimals drop.
fn is_exact(text: &[u8], units: i64) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let scaled = Price::parse(format!("{mantissa}e{}", exponent.saturating_add(8)).as_bytes());
    scaled.map(Price::units).ok() == units.checked_mul(UNITS)
}
