//! Can these files be trusted? Tells everything about a file or a folder that one should know before a replay.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::actions::Actions;
use super::csv_file;
use super::inspect::inspect;
use super::parallel::in_parallel;
use super::problem::{Level, Problem, ProblemKind, file_name};
use crate::clock::Timestamp;

/// Tables that lie beside bars and hold none.
const NOT_BARS: [&str; 5] = ["manifest.csv", "origins.csv", "anomalies.csv", "cases.csv", "watchlist.csv"];

/// What was found in a file or a folder.
#[derive(Debug, Default, Serialize)]
pub struct CheckReport {
    /// Bar files that were read.
    pub files: usize,
    /// Their rows.
    pub rows: usize,
    /// The sound bars in them.
    pub bars: usize,
    /// Problems for which a replay refuses a file.
    pub errors: usize,
    /// Problems with which a replay runs.
    pub warnings: usize,
    /// All of them, by file and line.
    pub problems: Vec<Problem>,
}

impl CheckReport {
    /// True if nothing at all was found.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, problems: Vec<Problem>) {
        for problem in &problems {
            match problem.level {
                Level::Error => self.errors += 1,
                Level::Warning => self.warnings += 1,
            }
        }
        self.problems.extend(problems);
    }
}

/// Checks a file, or every bar file of a folder. `progress` hears how many of how many files are done.
pub fn check_path(path: &Path, now: Timestamp, progress: &mut dyn FnMut(usize, usize)) -> CheckReport {
    let mut report = CheckReport::default();
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    // A single file is judged with the splits beside it, or every split would look like a jump.
    let (actions, faults) = Actions::in_folder(folder);
    report.add(faults);
    let files = match bar_files(path) {
        Ok(files) => files,
        Err(problem) => {
            report.add(vec![problem]);
            return report;
        }
    };
    let check = |file: &PathBuf| {
        let file = csv_file::read(file, now);
        let mut problems = inspect(&file, &actions);
        problems.extend(file.problems);
        problems.sort_by_key(|problem| problem.line);
        (file.rows, file.bars.len(), problems)
    };
    for (rows, bars, problems) in in_parallel(&files, check, progress) {
        report.files += 1;
        report.rows += rows;
        report.bars += bars;
        report.add(problems);
    }
    report
}

/// The bar files that a path means, by name.
fn bar_files(path: &Path) -> Result<Vec<PathBuf>, Problem> {
    let fault = |kind, detail: String| Problem::new(&file_name(path), None, kind, detail);
    let is_actions = |file: &Path| file_name(file) == Actions::FILE_NAME;
    if !path.is_dir() {
        return Ok(if is_actions(path) { Vec::new() } else { vec![path.to_owned()] });
    }
    let unreadable = |error: std::io::Error| fault(ProblemKind::Unreadable, format!("cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        let name = file_name(&file).to_ascii_lowercase();
        let is_csv = Path::new(&name).extension().is_some_and(|extension| extension == "csv");
        if is_csv && !is_actions(&file) && !NOT_BARS.contains(&name.as_str()) && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        let detail = "no bar files here: name them SYMBOL.TIMEFRAME.csv, such as AAPL.1d.csv".to_owned();
        return Err(fault(ProblemKind::NoBarFiles, detail));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ProblemKind::{
        self, AmbiguousDate, BadTime, CommaInNumber, DuplicateConflict, DuplicateTimestamp, Empty, EmptyField,
        FieldCount, Formula, FutureDate, HighBelowLow, Html, Jump, MissingBars, MissingColumn, MissingSessions,
        NegativeVolume, NoBarFiles, NoHeader, NoZone, NotANumber, NotASession, NotPositive, NulByte, OutsideRange,
        TooLarge, TooSmall, UnknownTimeframe, Unreadable, Unsorted, WrongSeparator, ZeroVolume,
    };
    use super::*;
    use crate::domain::Timeframe;

    /// 2026-02-02.
    const NOW: Timestamp = Timestamp::from_ms(1_769_990_400_000);

    /// A file without its ending, the bars that are kept of it, and its problems.
    type Case<T> = (&'static str, usize, &'static [(ProblemKind, T)]);

    /// Files that hold the 60 clean rows in some other form.
    const CLEAN: &[&str] = &[
        "bom",
        "crlf",
        "blank-lines",
        "no-final-newline",
        "upper-header",
        "reordered",
        "extra-columns",
        "epoch-seconds",
        "epoch-millis",
        "mixed-offsets",
        "exponent",
        "latin-1",
        "clean",
    ];

    /// Files with a fault, the bars that are kept of them, and every problem with its line.
    const FAULTY: &[Case<u64>] = &[
        ("semicolon-comma-decimal", 0, &[(WrongSeparator, 1)]),
        ("no-header", 0, &[(NoHeader, 1)]),
        ("missing-volume-column", 0, &[(MissingColumn, 1)]),
        ("html-error-page", 0, &[(Html, 1)]),
        ("header-only", 0, &[(Empty, 0)]),
        ("empty", 0, &[(Empty, 0)]),
        ("us-dates", 0, &[(AmbiguousDate, 2)]),
        ("nan-close", 59, &[(NotANumber, 22)]),
        ("infinite-high", 59, &[(NotANumber, 22)]),
        ("empty-field", 59, &[(EmptyField, 32)]),
        ("text-field", 59, &[(NotANumber, 32)]),
        ("negative-volume", 59, &[(NegativeVolume, 12)]),
        ("zero-price", 59, &[(NotPositive, 12)]),
        ("negative-price", 59, &[(NotPositive, 12); 4]),
        ("high-below-low", 59, &[(HighBelowLow, 42)]),
        ("close-above-high", 59, &[(OutsideRange, 42)]),
        ("impossible-date", 59, &[(BadTime, 7)]),
        ("future-date", 59, &[(FutureDate, 61)]),
        ("huge-number", 59, &[(TooLarge, 12); 2]),
        ("short-row", 59, &[(FieldCount, 27)]),
        ("truncated", 39, &[(FieldCount, 41)]),
        ("nul-byte", 59, &[(NulByte, 27)]),
        ("formula", 59, &[(Formula, 17)]),
        ("duplicate-conflicting", 59, &[(DuplicateConflict, 18)]),
        ("duplicate-identical", 60, &[(DuplicateTimestamp, 18)]),
        ("unsorted", 60, &[(Unsorted, 23)]),
        ("descending", 60, &[(Unsorted, 3)]),
        ("no-zone", 60, &[(NoZone, 2)]),
        ("gap", 45, &[(MissingSessions, 22)]),
        ("weekend-row", 60, &[(NotASession, 2)]),
        ("spike", 60, &[(Jump, 32), (Jump, 33)]),
        ("real-descending", 1_136, &[(Unsorted, 3)]),
        ("real-btc-usdt-1d-shifted", 867, &[]),
        ("real-qqq-1d-gap", 3_147, &[(Jump, 262), (Jump, 1_443), (MissingSessions, 1_443)]),
    ];

    /// Files with many problems, the bars that are kept of them, and how often each kind is found.
    const MANY: &[Case<usize>] = &[
        ("comma-decimal-unquoted", 0, &[(FieldCount, 60)]),
        ("thousands-quoted", 0, &[(CommaInNumber, 60)]),
        ("real-btc-usdt-1h-duplicates", 3_233, &[(DuplicateTimestamp, 4), (MissingBars, 5), (ZeroVolume, 2)]),
        ("real-fb-1d-ticker-reuse", 2_130, &[(MissingSessions, 90), (Jump, 1)]),
        ("real-offset-times", 595, &[(MissingBars, 7), (ZeroVolume, 1), (Jump, 1), (UnknownTimeframe, 1)]),
        ("real-zeros", 0, &[(AmbiguousDate, 1), (NotPositive, 800)]),
        ("real-bad", 0, &[(AmbiguousDate, 1), (EmptyField, 305), (TooLarge, 100), (TooSmall, 194), (NotPositive, 208)]),
    ];

    fn shared() -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/market");
        if !folder.exists() {
            eprintln!("skipped: ../shared is absent");
        }
        folder.exists().then_some(folder)
    }

    fn check(path: &Path) -> CheckReport {
        check_path(path, NOW, &mut |_, _| {})
    }

    #[test]
    fn clean_files_are_the_same_in_every_form() {
        let Some(folder) = shared() else { return };
        let read = |name: &str| csv_file::read(&folder.join(format!("dirty/{name}.csv")), NOW);
        let clean = read("clean");
        assert_eq!((clean.bars.len(), clean.timeframe), (60, Some(Timeframe::D1)));
        for name in CLEAN {
            let file = read(name);
            assert_eq!((&file.bars, file.rows), (&clean.bars, 60), "{name}");
            assert_eq!([file.problems.clone(), inspect(&file, &Actions::none())].concat(), [], "{name}");
        }
        for name in ["unsorted", "descending", "duplicate-identical", "no-zone"] {
            assert_eq!(read(name).bars, clean.bars, "{name}");
        }
    }

    #[test]
    fn every_fault_is_found_where_it_is() {
        let Some(folder) = shared() else { return };
        for (name, kept, want) in FAULTY {
            let report = check(&folder.join(format!("dirty/{name}.csv")));
            let line = |problem: &Problem| (problem.kind, problem.line.unwrap_or_default());
            let found: Vec<_> = report.problems.iter().map(line).collect();
            assert_eq!((report.bars, found.as_slice()), (*kept, *want), "{name}");
        }
        for (name, kept, want) in MANY {
            let report = check(&folder.join(format!("dirty/{name}.csv")));
            let count = |kind| report.problems.iter().filter(|problem| problem.kind == kind).count();
            let found: Vec<_> = want.iter().map(|(kind, _)| (*kind, count(*kind))).collect();
            assert_eq!((report.bars, found.as_slice()), (*kept, *want), "{name}");
        }
        let listed = CLEAN.len() + FAULTY.len() + MANY.len();
        let cases = std::fs::read_to_string(folder.join("dirty/CASES.csv")).unwrap();
        assert_eq!(cases.lines().count() - 1, listed, "a case is not in the tables above");
    }

    /// The list was made by another program: jumps, gaps and empty bars of the real series, apart from splits on file.
    #[test]
    fn recorded_series_have_the_listed_anomalies_and_no_errors() {
        let Some(folder) = shared() else { return };
        assert_eq!(check(&folder.join("adjusted")).errors, 0);
        let report = check(&folder);
        assert_eq!((report.errors, report.files), (0, 26));
        let found: BTreeSet<String> = report.problems.iter().map(|problem| anomaly(&folder, problem)).collect();
        let (actions, _) = Actions::in_folder(&folder);
        let mut listed = BTreeSet::new();
        for line in std::fs::read_to_string(folder.join("ANOMALIES.csv")).unwrap().lines().skip(1) {
            let [file, at, kind, _] = line.splitn(4, ',').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let symbol = file.split('.').next().unwrap().parse().unwrap();
            let date: chrono::NaiveDate = at[..10].parse().unwrap();
            let is_split = actions.splits_between(symbol, date.pred_opt().unwrap(), date).next().is_some();
            // Duplicates were already dropped when the series were made.
            if kind != "duplicate-timestamp" && !is_split {
                listed.insert(format!("{file} {kind} {at}"));
            }
        }
        assert_eq!(found, listed);
    }

    /// A problem as the list names it: by the time of the bar, or by the first time that is missing.
    fn anomaly(folder: &Path, problem: &Problem) -> String {
        let at = if let Some((_, range)) = problem.detail.split_once(" missing from ") {
            let first = range.split(' ').next().unwrap();
            if first.len() == 10 { format!("{first}T00:00:00Z") } else { first.to_owned() }
        } else {
            let text = std::fs::read_to_string(folder.join(&problem.file)).unwrap();
            text.lines().nth(problem.line.unwrap() as usize - 1).unwrap()[..20].to_owned()
        };
        format!("{} {} {at}", problem.file, problem.kind)
    }

    #[test]
    fn splits_and_confirmed_moves_are_no_jumps() {
        let folder = tempfile::tempdir().unwrap();
        let rows =
            "date,open,high,low,close,volume\n2024-01-02,10,10,10,10,1\n2024-01-03,5,5,5,5,1\n2024-01-04,9,9,9,9,1\n";
        std::fs::write(folder.path().join("AAPL.1d.csv"), rows).unwrap();
        std::fs::write(folder.path().join("MANIFEST.csv"), "not,bars\n").unwrap();
        let jumps = |actions: &str| {
            std::fs::write(folder.path().join(Actions::FILE_NAME), format!("symbol,ex_date,kind,value\n{actions}"))
                .unwrap();
            let report = check(folder.path());
            report.problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(jumps("").len(), 2);
        assert_eq!(jumps("AAPL,2024-01-03,split,10\n").len(), 2, "this split explains another price");
        assert_eq!(jumps("AAPL,2024-01-03,split,2\nAAPL,2024-01-04,confirmed,\n"), Vec::<String>::new());
        let alone = check(&folder.path().join(Actions::FILE_NAME));
        assert!(alone.is_clean() && alone.files == 0);
        let weeks = "date,open,high,low,close,volume\n2024-01-01,10,10,10,10,1\n2024-01-08,10,10,5,5,1\n2024-01-15,5,5,5,5,1\n\
                     2024-01-22,5,5,5,5,1\n2024-01-29,5,5,5,5,1\n";
        std::fs::remove_file(folder.path().join("AAPL.1d.csv")).unwrap();
        std::fs::write(folder.path().join("AAPL.1w.csv"), weeks).unwrap();
        assert!(jumps("")[0].starts_with("AAPL.1w.csv:3: warning: jump: close 10 -> 5"));
        let told = jumps("AAPL,2024-01-10,split,2\n");
        assert!(
            told.len() == 1 && told[0].starts_with("AAPL.1w.csv:3: warning: split-inside: the split of 2024-01-10")
        );
    }

    #[test]
    fn every_fault_of_a_row_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("AAPL.1d.csv");
        std::fs::write(&path, "time,open,high,low,close,volume\n01/02/2024,x,-1,\"1,5\",@SUM(A1),-3\n").unwrap();
        let kinds: Vec<_> = check(&path).problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(kinds, [NotANumber, CommaInNumber, Formula, NotPositive, NegativeVolume, AmbiguousDate]);
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(check(empty.path()).problems[0].kind, NoBarFiles);
        assert_eq!(check(&empty.path().join("absent.csv")).problems[0].kind, Unreadable);
    }
}
