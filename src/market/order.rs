//! Do the rows stand in the order of time, each once? Puts them so, and tells what had to be done.

use super::csv_file::plural;
use super::problem::{ProblemKind, Problems};
use crate::domain::Bar;

/// Sorts bars, and their lines with them, by time; rows of one time keep their order.
pub(super) fn sort(bars: &mut Vec<Bar>, lines: &mut Vec<u32>, problems: &mut Problems) {
    if bars.is_sorted_by_key(|bar| bar.start) {
        return;
    }
    let (mut latest, mut first, mut count) = (bars[0].start, None, 0);
    for (bar, line) in bars.iter().zip(lines.iter()) {
        if bar.start < latest {
            first.get_or_insert(u64::from(*line));
            count += 1;
        }
        latest = latest.max(bar.start);
    }
    let is_newest_first = bars.is_sorted_by(|one, next| one.start >= next.start);
    problems.add(first, ProblemKind::Unsorted, || {
        if is_newest_first {
            format!("the file is newest first: its {} were sorted", plural(bars.len(), "row"))
        } else {
            format!("{} out of order: the rows were sorted", plural(count, "row"))
        }
    });
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|index| bars[*index].start);
    *bars = order.iter().map(|index| bars[*index]).collect();
    *lines = order.iter().map(|index| lines[*index]).collect();
}

/// Keeps one of each group of identical rows, and none of a group that differs: choosing one would be a guess.
/// Answers the lines of those that were not kept for that.
pub(super) fn remove_duplicates(bars: &mut Vec<Bar>, lines: &mut Vec<u32>, problems: &mut Problems) -> Vec<u32> {
    let mut doubtful = Vec::new();
    if bars.windows(2).all(|pair| pair[0].start != pair[1].start) {
        return doubtful;
    }
    let (mut kept_bars, mut kept_lines) = (Vec::with_capacity(bars.len()), Vec::with_capacity(lines.len()));
    let mut at = 0;
    for group in bars.chunk_by(|one, next| one.start == next.start) {
        let group_lines = &lines[at..at + group.len()];
        at += group.len();
        let (first, first_line) = (&group[0], group_lines[0]);
        for (bar, line) in group.iter().zip(group_lines).skip(1) {
            let line = Some(u64::from(*line));
            if bar == first {
                let detail = || format!("{} is also in line {first_line}, identical: one is kept", first.start);
                problems.add(line, ProblemKind::DuplicateTimestamp, detail);
            } else {
                let columns = differing(first, bar);
                let detail = || {
                    format!(
                        "{} is also in line {first_line}, with another {columns}: delete the wrong row",
                        first.start
                    )
                };
                problems.add(line, ProblemKind::DuplicateConflict, detail);
            }
        }
        if group.iter().all(|bar| bar == first) {
            kept_bars.push(*first);
            kept_lines.push(first_line);
        } else {
            doubtful.extend_from_slice(group_lines);
        }
    }
    (*bars, *lines) = (kept_bars, kept_lines);
    doubtful
}

/// The columns in which two bars differ.
fn differing(one: &Bar, other: &Bar) -> String {
    let differs = [
        ("open", one.open != other.open),
        ("high", one.high != other.high),
        ("low", one.low != other.low),
        ("close", one.close != other.close),
        ("volume", one.volume != other.volume),
    ];
    let names: Vec<&str> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    names.join(", ")
}
