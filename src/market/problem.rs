//! What can be wrong with recorded data? One table of kinds, and how a fault is told.

use std::fmt;

use serde::{Serialize, Serializer};

/// Faults of one level that are told one by one per file; the rest is only counted.
const TOLD_MAX: usize = 10_000;
/// Characters of a file's text that a message repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// What a replay does about a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file is refused.
    Error,
    /// The file is used, and the problem is told.
    Warning,
}

impl Level {
    /// As it is written in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $name:literal, $level:ident;)*) => {
        /// Every kind of problem, in the order in which a file is read.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind {
            $($(#[$doc])* $kind,)*
        }

        impl ProblemKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// As it is written in messages.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// Whether a file with such a problem can be used.
            pub const fn level(self) -> Level {
                match self {
                    $(Self::$kind => Level::$level,)*
                }
            }
        }
    };
}

kinds! {
    /// The file or folder cannot be read.
    Unreadable, "unreadable", Error;
    /// A folder has no bar files.
    NoBarFiles, "no-bar-files", Error;
    /// Nothing in it, or nothing below the header.
    Empty, "empty", Error;
    /// A web page was saved under the name of a data file.
    Html, "html", Error;
    /// Not text.
    Binary, "binary", Error;
    /// Columns are not separated by commas.
    WrongSeparator, "wrong-separator", Error;
    /// The first line holds data.
    NoHeader, "no-header", Error;
    /// A column that is needed is not in the header.
    MissingColumn, "missing-column", Error;
    /// Two columns claim to be the same.
    DuplicateColumn, "duplicate-column", Error;
    /// A row is longer than any row can be.
    RowTooLong, "row-too-long", Error;
    /// A row has more or fewer fields than the header.
    FieldCount, "field-count", Error;
    /// A NUL byte.
    NulByte, "nul-byte", Error;
    /// A text that a spreadsheet would run.
    Formula, "formula", Error;
    /// Nothing where a value is needed.
    EmptyField, "empty-field", Error;
    /// Text where a number is needed.
    NotANumber, "not-a-number", Error;
    /// A number with a decimal comma or with thousands separators.
    CommaInNumber, "comma-in-number", Error;
    /// A number beyond what can be kept.
    TooLarge, "too-large", Error;
    /// A number so small that eight decimals would change it.
    TooSmall, "too-small", Error;
    /// A time that cannot be read or is in no calendar.
    BadTime, "bad-time", Error;
    /// Dates that have two readings.
    AmbiguousDate, "ambiguous-date", Error;
    /// Times without a zone, read as UTC.
    NoZone, "no-zone", Warning;
    /// A time before 1900.
    TooOld, "too-old", Error;
    /// A time that is still to come.
    FutureDate, "future-date", Error;
    /// A price of zero or less.
    NotPositive, "not-positive", Error;
    /// A volume below zero.
    NegativeVolume, "negative-volume", Error;
    /// The high lies below the low.
    HighBelowLow, "high-below-low", Error;
    /// The open or the close lies outside low to high.
    OutsideRange, "outside-range", Error;
    /// Rows that do not stand in the order of time.
    Unsorted, "unsorted", Warning;
    /// A row that is there twice, identical.
    DuplicateTimestamp, "duplicate-timestamp", Warning;
    /// Two rows for one time that differ.
    DuplicateConflict, "duplicate-conflict", Error;
    /// Bars that are shorter than the file's name says.
    WrongTimeframe, "wrong-timeframe", Error;
    /// Bars of a length that nothing here uses.
    UnknownTimeframe, "unknown-timeframe", Warning;
    /// A symbol that cannot be one.
    BadSymbol, "bad-symbol", Error;
    /// A corporate action of an unknown kind.
    UnknownAction, "unknown-action", Error;
    /// A close that is far from the one before.
    Jump, "jump", Warning;
    /// A split on file that took effect within a bar, whose prices mix old and new shares.
    SplitInside, "split-inside", Warning;
    /// Prices that were adjusted for a split on file, beside dividends that are told for the old shares.
    AdjustedPrices, "adjusted-prices", Warning;
    /// Sessions of the exchange without a row.
    MissingSessions, "missing-sessions", Warning;
    /// Stretches of time without a row.
    MissingBars, "missing-bars", Warning;
    /// Bars in which nothing was traded.
    ZeroVolume, "zero-volume", Warning;
    /// A daily bar on a day when the exchange was closed.
    NotASession, "not-a-session", Warning;
    /// Errors beyond those that are told one by one.
    MoreErrors, "more-errors", Error;
    /// Warnings beyond those that are told one by one.
    MoreWarnings, "more-warnings", Warning;
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ProblemKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file's name, without its folder.
    pub file: String,
    /// The line, counted from 1; none for what concerns the whole file.
    pub line: Option<u64>,
    /// What kind of thing.
    pub kind: ProblemKind,
    /// Whether the file can be used.
    pub level: Level,
    /// What it is, and what to do about it.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind; the kind decides the level.
    pub fn new(file: &str, line: Option<u64>, kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, kind, level: kind.level(), detail: detail.into() }
    }

    /// True if the file must not be used.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}: {}: {}", self.level, self.kind, self.detail)
    }
}

/// The problems of one file as they are found.
#[derive(Debug)]
pub(super) struct Problems {
    file: String,
    found: Vec<Problem>,
    errors: usize,
    warnings: usize,
}

impl Problems {
    pub(super) fn of(file: String) -> Self {
        Self { file, found: Vec::new(), errors: 0, warnings: 0 }
    }

    /// Adds a problem. Its text is only made if it will be told: a million bad rows must not fill the memory.
    pub(super) fn add(&mut self, line: Option<u64>, kind: ProblemKind, detail: impl FnOnce() -> String) {
        let count = match kind.level() {
            Level::Error => &mut self.errors,
            Level::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= TOLD_MAX {
            self.found.push(Problem::new(&self.file, line, kind, detail()));
        }
    }

    /// How many were added, told or not.
    pub(super) fn count(&self) -> usize {
        self.errors + self.warnings
    }

    /// All that was told, by line.
    pub(super) fn finish(self) -> Vec<Problem> {
        let Self { file, mut found, errors, warnings } = self;
        found.sort_by_key(|problem| problem.line);
        for (count, kind, name) in
            [(errors, ProblemKind::MoreErrors, "errors"), (warnings, ProblemKind::MoreWarnings, "warnings")]
        {
            if count > TOLD_MAX {
                let detail = format!("{} more {name} are not listed: mend these first", count - TOLD_MAX);
                found.push(Problem::new(&file, None, kind, detail));
            }
        }
        found
    }
}

/// A file's name without its folder, as problems and reports name it.
pub(super) fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A text from a file, safe to print: escaped, cut and in quotes.
pub(super) fn shown(text: &[u8]) -> String {
    // Four bytes hold any character, so this much is enough and a field of a megabyte is not copied.
    let head = &text[..text.len().min(SHOWN_CHARS_MAX * 4 + 4)];
    let lossy = String::from_utf8_lossy(head);
    let cut: String = lossy.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    let more = if lossy.chars().count() > SHOWN_CHARS_MAX { "..." } else { "" };
    format!("\"{cut}{more}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_like_a_compiler_message() {
        let problem = Problem::new("AAPL.1d.csv", Some(22), ProblemKind::NotANumber, "close is \"NaN\"");
        assert_eq!(problem.to_string(), "AAPL.1d.csv:22: error: not-a-number: close is \"NaN\"");
        let problem = Problem::new("x.csv", None, ProblemKind::Empty, "the file is empty");
        assert_eq!(problem.to_string(), "x.csv: error: empty: the file is empty");
    }

    #[test]
    fn names_are_kebab_case_and_unlike_each_other() {
        for (index, kind) in ProblemKind::ALL.iter().enumerate() {
            let name = kind.as_str();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(ProblemKind::ALL[index + 1..].iter().all(|other| other.as_str() != name), "{name}");
        }
    }

    #[test]
    fn shown_text_is_escaped_and_cut() {
        assert_eq!(shown(b"a\0\x1b[31m\"\xff"), "\"a\\0\\u{1b}[31m\\\"\u{fffd}\"");
        assert_eq!(shown(&[b'x'; 200]), format!("\"{}...\"", "x".repeat(40)));
    }

    #[test]
    fn a_flood_is_counted_and_not_kept() {
        let mut problems = Problems::of("x.csv".to_owned());
        for line in 0..TOLD_MAX as u64 + 7 {
            problems.add(Some(line), ProblemKind::NotANumber, String::new);
        }
        let found = problems.finish();
        assert_eq!(found.len(), TOLD_MAX + 1);
        assert_eq!(found[TOLD_MAX].detail, "7 more errors are not listed: mend these first");
    }
}
