//! How is a table read row by row? In pieces, with the true line of every row, and never more than one row in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

/// No row is longer; a quote that is left open would otherwise swallow the whole file.
const ROW_BYTES_MAX: usize = 1 << 20;
const READ_BYTES: usize = 1 << 18;

/// Why a row could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    /// Longer than any row can be.
    #[error("the row from line {0} on is longer than {ROW_BYTES_MAX} bytes: is a quote left open?")]
    TooLong(u64),
    /// The disk or the system.
    #[error("cannot read on: {0}")]
    Io(String),
}

/// The rows of a file, blank lines left out.
#[derive(Debug)]
pub(super) struct Rows {
    reader: Reader<Lines>,
}

impl Rows {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // A row ends at LF alone: a CR before it is white space.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Lines::of(File::open(path)?));
        Ok(Self { reader })
    }

    /// Reads the next row that is not blank and tells its line; none at the end.
    pub(super) fn next(&mut self, row: &mut ByteRecord) -> Result<Option<u64>, RowError> {
        loop {
            let lines = self.reader.get_mut();
            lines.budget = ROW_BYTES_MAX;
            let expected = lines.line;
            match self.reader.read_byte_record(row) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(_) if self.reader.get_ref().budget == 0 => return Err(RowError::TooLong(expected)),
                Err(error) => return Err(RowError::Io(error.to_string())),
            }
            let next_line = self.reader.get_ref().line;
            let line = if next_line == expected + 1 { expected } else { line_of(row, expected, next_line) };
            if row.len() > 1 || !row.as_slice().trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// The bytes from the next row on that are in memory: many rows, or one, or a part of one. Never relied upon, only
    /// made use of: see [`Self::pass`].
    pub(super) fn ahead(&self) -> &[u8] {
        self.reader.get_ref().ahead()
    }

    /// Leaves out one row of `length` bytes, its line end included, that the caller has read from [`Self::ahead`]; tells
    /// its line.
    pub(super) fn pass(&mut self, length: usize) -> u64 {
        let lines = self.reader.get_mut();
        lines.at += length;
        lines.line += 1;
        lines.line - 1
    }
}

/// The line of a row that has blank lines before it or line ends inside.
fn line_of(row: &ByteRecord, expected: u64, next_line: u64) -> u64 {
    let inside = row.as_slice().split(|byte| *byte == b'\n').count() as u64 - 1;
    next_line.saturating_sub(1 + inside).max(expected)
}

/// A file that ends with a line end, handed out line by line within a budget that every row renews. So the reader
/// behind it has taken nothing that follows a row when the row is read.
#[derive(Debug)]
struct Lines {
    file: File,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// The line of what comes next.
    line: u64,
    last_byte: u8,
    budget: usize,
}

impl Lines {
    fn of(file: File) -> Self {
        let buffer = vec![0; READ_BYTES];
        Self { file, buffer, at: 0, end: 0, line: 1, last_byte: b'\n', budget: ROW_BYTES_MAX }
    }

    fn ahead(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    fn fill(&mut self) -> io::Result<()> {
        (self.at, self.end) = (0, self.file.read(&mut self.buffer)?);
        if self.end == 0 && self.last_byte != b'\n' {
            self.buffer[0] = b'\n';
            self.end = 1;
        }
        self.last_byte = self.ahead().last().copied().unwrap_or(self.last_byte);
        Ok(())
    }
}

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.budget == 0 {
            return Err(io::Error::other("row too long"));
        }
        if self.at == self.end {
            self.fill()?;
        }
        let ahead = self.ahead();
        let most = &ahead[..ahead.len().min(into.len()).min(self.budget)];
        let line_end = most.iter().position(|byte| *byte == b'\n');
        let count = line_end.map_or(most.len(), |at| at + 1);
        into[..count].copy_from_slice(&most[..count]);
        self.at += count;
        self.budget -= count;
        self.line += u64::from(line_end.is_some());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u64, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        let (mut rows, mut row) = (Rows::open(&path).unwrap(), ByteRecord::new());
        let mut found = Vec::new();
        while let Some(line) = rows.next(&mut row).unwrap() {
            found.push((line, row.len()));
        }
        found
    }

    #[test]
    fn every_row_has_its_true_line() {
        for (text, want) in [
            ("", vec![]),
            ("a,b\n1,2\n3,4", vec![(1, 2), (2, 2), (3, 2)]),
            ("a,b\r\n1,2\r\n\r\n\r\n3,4\r\n", vec![(1, 2), (2, 2), (5, 2)]),
            ("\n\na,b\n\n 1,2\n  \n3,\"4\n5\",6\n7,8\n\n", vec![(3, 2), (5, 2), (7, 3), (9, 2)]),
            ("a,b\n1,\"2\n3,4\n", vec![(1, 2), (2, 2)]),
        ] {
            assert_eq!(lines(text), want, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_does_not_swallow_a_large_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, format!("a,b\n\"{}", "1,2\n".repeat(1_000_000))).unwrap();
        let (mut rows, mut row) = (Rows::open(&path).unwrap(), ByteRecord::new());
        assert_eq!(rows.next(&mut row).unwrap(), Some(1));
        assert!(matches!(rows.next(&mut row), Err(RowError::TooLong(2))));
    }
}
