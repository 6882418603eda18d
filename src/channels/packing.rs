//! How is a message that is too long cut? Into parts, at the ends of blocks where that can be, else at ends of lines, else between words.

use unicode_segmentation::UnicodeSegmentation;

use super::rows::{Frame, Look, Piece, Row};

/// The most parts that a message is sent in.
pub(super) const PARTS_MAX: usize = 10;
/// What the line at a cut takes.
pub(super) const CUT_UNITS: usize = 120;

/// How long a platform finds a row; at least as long as it will be written.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    /// A letter in a frame.
    pub(super) letter: fn(Frame, char) -> usize,
    /// What is written around a row.
    pub(super) row: fn(&Row) -> usize,
}

impl Measure {
    /// A whole row.
    pub(super) fn of(self, row: &Row) -> usize {
        let letters = row.pieces.iter().flat_map(|piece| piece.text.chars());
        (self.row)(row) + letters.map(|letter| (self.letter)(row.frame, letter)).sum::<usize>()
    }
}

/// Rows in parts, and how many characters found no place.
pub(super) struct Packing {
    pub(super) parts: Vec<Vec<Row>>,
    pub(super) left_out: usize,
}

impl Packing {
    /// Says at the end of the last part how much is left out; `CUT_UNITS` must be free there.
    pub(super) fn say_cut(&mut self) {
        let text = format!(
            "Cut here: {} characters are left out. Ask for less at a time, or read it all in the terminal",
            self.left_out
        );
        let row = Row { block: usize::MAX, frame: Frame::Open, pieces: vec![Piece { look: Look::Plain, text }] };
        self.parts.last_mut().into_iter().for_each(|part| part.push(row.clone()));
    }
}

/// Fills parts one after the other; `room` tells how much each may hold.
pub(super) fn packed(rows: &[Row], measure: Measure, room: impl Fn(usize) -> usize) -> Packing {
    let mut packer = Packer { parts: vec![Vec::new()], used: 0, left_out: 0, measure, room };
    for block in rows.chunk_by(|one, other| one.block == other.block) {
        let units = block.iter().map(|row| measure.of(row) + 1).sum::<usize>().saturating_sub(1);
        if !packer.fits(units) && packer.fits_anew(units) {
            packer.turn();
        }
        for row in block {
            packer.take(row.clone());
        }
    }
    let mut parts = packer.parts;
    parts.retain(|part| !part.iter().all(is_blank));
    Packing { parts, left_out: packer.left_out }
}

struct Packer<R> {
    parts: Vec<Vec<Row>>,
    /// Units in the last part.
    used: usize,
    left_out: usize,
    measure: Measure,
    room: R,
}

impl<R: Fn(usize) -> usize> Packer<R> {
    /// What the last part still takes, behind the end of the line before.
    fn free(&self) -> usize {
        let ended = self.used + usize::from(!self.is_empty());
        (self.room)(self.parts.len() - 1).saturating_sub(ended)
    }

    fn is_empty(&self) -> bool {
        self.parts.last().is_none_or(Vec::is_empty)
    }

    fn fits(&self, units: usize) -> bool {
        units <= self.free()
    }

    /// Whether it would fit into a part of its own.
    fn fits_anew(&self, units: usize) -> bool {
        !self.is_empty() && units <= (self.room)(self.parts.len())
    }

    /// Begins the next part. One without anything to see is begun anew: it would be dropped, and the next may be longer than it.
    fn turn(&mut self) {
        match self.parts.last_mut() {
            Some(part) if part.iter().all(is_blank) => part.clear(),
            _ => self.parts.push(Vec::new()),
        }
        self.used = 0;
    }

    fn take(&mut self, mut row: Row) {
        loop {
            if self.parts.len() > PARTS_MAX {
                self.left_out += row.text().chars().count();
                self.parts.truncate(PARTS_MAX);
                self.parts.push(Vec::new());
                return;
            }
            let units = self.measure.of(&row);
            if self.fits(units) {
                self.used += units + usize::from(!self.is_empty());
                self.parts.last_mut().into_iter().for_each(|part| part.push(row.clone()));
                return;
            }
            if self.fits_anew(units) {
                self.turn();
                continue;
            }
            match split(&row, self.measure, self.free(), self.is_empty()) {
                Some((first, rest)) => {
                    self.parts.last_mut().into_iter().for_each(|part| part.push(first.clone()));
                    row = rest;
                }
                None if self.is_empty() => {
                    self.left_out += row.text().chars().count();
                    return;
                }
                None => {}
            }
            self.turn();
        }
    }
}

/// Nothing of it can be seen.
pub(super) fn is_blank(row: &Row) -> bool {
    row.text().trim().is_empty()
}

/// A row cut in two, the first no longer than `free`: between words, or within one where `hard` and no word ends before.
fn split(row: &Row, measure: Measure, free: usize, hard: bool) -> Option<(Row, Row)> {
    let text = row.text();
    let mut used = (measure.row)(row);
    let fitting = |(_, letter): &(usize, char)| {
        used += (measure.letter)(row.frame, *letter);
        used <= free
    };
    let end = text.char_indices().take_while(fitting).last().map_or(0, |(place, letter)| place + letter.len_utf8());
    let fits = &text[..end];
    let word = fits.char_indices().rev().find(|(_, letter)| *letter == ' ').map_or(0, |(place, _)| place);
    let grapheme = text.grapheme_indices(true).map(|(place, _)| place).take_while(|place| *place <= end).last();
    let at = match (word, grapheme) {
        (1.., _) => word,
        (0, _) if !hard => return None,
        (0, Some(1..)) => grapheme?,
        (0, _) => end,
    };
    if at == 0 || at >= text.len() {
        return None;
    }
    Some(cut(row, at))
}

/// A row cut at a byte of its text; spaces at the cut fall away.
fn cut(row: &Row, at: usize) -> (Row, Row) {
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    let mut passed = 0;
    for piece in &row.pieces {
        let here = at.saturating_sub(passed).min(piece.text.len());
        let (before, after) = piece.text.split_at(here);
        let after = if rest.is_empty() && row.frame != Frame::Pre { after.trim_start_matches(' ') } else { after };
        for (side, text) in [(&mut first, before), (&mut rest, after)] {
            if !text.is_empty() {
                side.push(Piece { look: piece.look, text: text.to_owned() });
            }
        }
        passed += piece.text.len();
    }
    (Row { pieces: first, ..row.clone() }, Row { pieces: rest, ..row.clone() })
}
