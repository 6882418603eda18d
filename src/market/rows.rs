//! How is a table read row by row? In pieces, with the true line of every row, and never more than one row in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

/// No row is longer; a quote that is left open would otherwise swallow the whole file.
const ROW_BYTES_MAX: usize = 1 << 20;
const READ_BYTES: usize = 1 << 18;
const _: () = assert!(READ_BYTES < ROW_BYTES_MAX);

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
    reader: Reader<Metered>,
    /// The line after the last row.
    next_line: u64,
}

impl Rows {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = Metered { file: File::open(path)?, last_byte: b'\n', budget: ROW_BYTES_MAX };
        // A row ends at LF alone: the reader counts lines wrongly where CR ends a row and LF begins the next.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(READ_BYTES)
            .from_reader(file);
        Ok(Self { reader, next_line: 1 })
    }

    /// Reads the next row that is not blank and tells its line; none at the end.
    pub(super) fn next(&mut self, row: &mut ByteRecord) -> Result<Option<u64>, RowError> {
        loop {
            let expected = self.next_line;
            match self.reader.read_byte_record(row) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(_) if self.reader.get_ref().budget == 0 => return Err(RowError::TooLong(expected)),
                Err(error) => return Err(RowError::Io(error.to_string())),
            }
            self.reader.get_mut().budget = ROW_BYTES_MAX;
            self.next_line = self.reader.position().line();
            let line = if self.next_line == expected + 1 { expected } else { self.line_of(row, expected) };
            if row.len() > 1 || !row.as_slice().trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// The line of a row that has blank lines before it or line ends inside.
    fn line_of(&self, row: &ByteRecord, expected: u64) -> u64 {
        let inside = row.as_slice().split(|byte| *byte == b'\n').count() as u64 - 1;
        self.next_line.saturating_sub(1 + inside).max(expected)
    }
}

/// A file that ends with a line end, read within a budget that every row renews.
#[derive(Debug)]
struct Metered {
    file: File,
    last_byte: u8,
    budget: usize,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.budget == 0 {
            return Err(io::Error::other("row too long"));
        }
        let mut count = self.file.read(buffer)?;
        if count == 0 && self.last_byte != b'\n' {
            buffer[0] = b'\n';
            count = 1;
        }
        if let Some(last) = buffer[..count].last() {
            self.last_byte = *last;
        }
        self.budget = self.budget.saturating_sub(count);
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
