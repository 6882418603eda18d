//! Where does each column stand? Reads the first line of a bar file, or says what the file is instead.

use csv::ByteRecord;

use super::problem::{ProblemKind, Problems, shown};

/// Why nothing below the header can be read.
pub(super) type FileFault = (Option<u64>, ProblemKind, String);

/// Names of the time column; of several, the first in this list is taken.
const TIME_NAMES: [&str; 4] = ["timestamp", "datetime", "date", "time"];
const WANTED: &str = "timestamp,open,high,low,close,volume";

/// The columns of one file.
#[derive(Debug)]
pub(super) struct Columns {
    /// How many fields every row must have.
    pub(super) width: usize,
    /// The place of the time.
    pub(super) time: usize,
    /// What the file calls it.
    pub(super) time_name: String,
    /// The places of open, high, low, close and volume.
    pub(super) numbers: [usize; 5],
}

impl Columns {
    /// The columns besides the time, in the order of a bar.
    pub(super) const NUMBERS: [&str; 5] = ["open", "high", "low", "close", "volume"];

    /// True if there are these six columns and no other, in their usual order.
    pub(super) fn are_usual(&self) -> bool {
        self.width == 6 && self.time == 0 && self.numbers == [1, 2, 3, 4, 5]
    }

    /// Finds the columns. Of those that are missing each is told.
    pub(super) fn find(header: &ByteRecord, line: u64, problems: &mut Problems) -> Result<Self, FileFault> {
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase()).collect();
        let is_known = |name: &String| TIME_NAMES.contains(&name.as_str()) || Self::NUMBERS.contains(&name.as_str());
        if !names.iter().any(is_known) {
            let (kind, detail) = what_instead(header);
            return Err((Some(line), kind, detail));
        }
        let mut faults = Vec::new();
        let time = find_time(&names).unwrap_or_else(|fault| note(&mut faults, fault));
        let numbers =
            Self::NUMBERS.map(|wanted| find_one(&names, wanted).unwrap_or_else(|fault| note(&mut faults, fault)));
        let last = faults.pop();
        for (kind, detail) in faults {
            problems.add(Some(line), kind, || detail);
        }
        match last {
            Some((kind, detail)) => Err((Some(line), kind, detail)),
            None => Ok(Self { width: header.len(), time, time_name: names[time].clone(), numbers }),
        }
    }
}

type ColumnFault = (ProblemKind, String);

/// Keeps a fault and goes on, so that all of them are told; the place is never used then.
fn note(faults: &mut Vec<ColumnFault>, fault: ColumnFault) -> usize {
    faults.push(fault);
    0
}

fn find_one(names: &[String], wanted: &str) -> Result<usize, ColumnFault> {
    let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => {
            Err((ProblemKind::DuplicateColumn, format!("two columns are called {wanted}: rename one of them")))
        }
        (None, _) => {
            let detail = format!("column {wanted} is missing: the columns are {WANTED}");
            Err((ProblemKind::MissingColumn, detail))
        }
    }
}

fn find_time(names: &[String]) -> Result<usize, ColumnFault> {
    let present = TIME_NAMES.into_iter().find(|wanted| names.iter().any(|name| name == wanted));
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    match present {
        Some("date") if has("time") => {
            let detail = "date and time stand in two columns: join them in one column timestamp".to_owned();
            Err((ProblemKind::DuplicateColumn, detail))
        }
        Some(wanted) => find_one(names, wanted),
        None => find_one(names, TIME_NAMES[0]),
    }
}

/// What a file is that does not begin with a header.
fn what_instead(first: &ByteRecord) -> ColumnFault {
    let bytes = first.as_slice();
    let start = first.get(0).unwrap_or_default().trim_ascii_start();
    let is_text = bytes.iter().all(|byte| *byte >= b' ' || byte.is_ascii_whitespace());
    if !is_text || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let detail = "this is not plain text: unpack it or save it as CSV in UTF-8".to_owned();
        return (ProblemKind::Binary, detail);
    }
    if start.starts_with(b"<") {
        let detail = format!("this is a web page that begins {}: fetch the file again", shown(start));
        return (ProblemKind::Html, detail);
    }
    for (mark, name) in [(b';', "semicolons"), (b'\t', "tabs"), (b'|', "bars")] {
        if bytes.contains(&mark) {
            let detail = format!("columns are separated by {name}: use commas, and a point as decimal mark");
            return (ProblemKind::WrongSeparator, detail);
        }
    }
    (ProblemKind::NoHeader, format!("the first line is not a header: put {WANTED} above it"))
}
