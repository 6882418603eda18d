//! What does a message look like in Telegram's HTML? Parts that are valid whatever the message says, none longer than it may be.

use unicode_segmentation::UnicodeSegmentation;

use crate::domain::Message;

use super::rows::{Frame, Look, Piece, Row, rows};

/// The widest table that a telephone shows in columns.
const TABLE_COLUMNS: usize = 34;
/// The most parts that a message is sent in.
const PARTS_MAX: usize = 10;
/// What the mark of a part takes, such as `(10/10)` on a line of its own.
const MARK_UNITS: usize = 8;
/// What the line at a cut takes.
const CUT_UNITS: usize = 120;
/// The shortest part that is worth sending.
const PART_UNITS_MIN: usize = 256;
const _: () = assert!(MARK_UNITS + CUT_UNITS < PART_UNITS_MIN);

/// How long parts may be, in UTF-16 units of the text that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// A part.
    pub units_max: usize,
    /// The first part: shorter where it goes along with a picture.
    pub first_max: usize,
}

impl Budget {
    /// A message of text alone.
    pub const TEXT: Self = Self { units_max: 4_096, first_max: 4_096 };
    /// A message whose first part is the caption of a picture.
    pub const CAPTION: Self = Self { units_max: 4_096, first_max: 1_024 };

    /// What the part at this place may hold.
    fn of(self, place: usize) -> usize {
        let most = if place == 0 { self.first_max.min(self.units_max) } else { self.units_max };
        most.max(PART_UNITS_MIN)
    }
}

/// A message as parts, each a text in HTML of its own. It is cut at the ends of blocks where that can be, else at ends of lines, else
/// between words. No part is empty; a message without anything to see has none.
pub fn html(message: &Message, budget: Budget) -> Vec<String> {
    let rows = rows(message, TABLE_COLUMNS);
    if rows.iter().all(is_blank) {
        return Vec::new();
    }
    let whole = packed(&rows, |place| budget.of(place));
    if whole.parts.len() == 1 {
        return whole.parts.iter().map(|part| written(part)).collect();
    }
    let mut packing = packed(&rows, |place| budget.of(place) - MARK_UNITS);
    if packing.left_out > 0 {
        let last = |place| if place + 1 == PARTS_MAX { MARK_UNITS + CUT_UNITS } else { MARK_UNITS };
        packing = packed(&rows, |place| budget.of(place) - last(place));
        let text = format!(
            "Cut here: {} characters are left out. Ask for less at a time, or read it all in the terminal",
            packing.left_out
        );
        let row = Row { block: usize::MAX, frame: Frame::Open, pieces: vec![Piece { look: Look::Plain, text }] };
        packing.parts.last_mut().into_iter().for_each(|part| part.push(row.clone()));
    }
    let count = packing.parts.len();
    if count == 1 {
        return packing.parts.iter().map(|part| written(part)).collect();
    }
    let marked = |(place, part): (usize, &Vec<Row>)| format!("{}\n({}/{count})", written(part), place + 1);
    packing.parts.iter().enumerate().map(marked).collect()
}

/// Rows in parts, and how many characters found no place.
struct Packing {
    parts: Vec<Vec<Row>>,
    left_out: usize,
}

/// Fills parts one after the other; `room` tells how much each may hold.
fn packed(rows: &[Row], room: impl Fn(usize) -> usize) -> Packing {
    let mut packer = Packer { parts: vec![Vec::new()], used: 0, left_out: 0, room };
    for block in rows.chunk_by(|one, other| one.block == other.block) {
        let units = block.iter().map(|row| units(row) + 1).sum::<usize>().saturating_sub(1);
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
            let units = units(&row);
            if self.fits(units) {
                self.used += units + usize::from(!self.is_empty());
                self.parts.last_mut().into_iter().for_each(|part| part.push(row.clone()));
                return;
            }
            if self.fits_anew(units) {
                self.turn();
                continue;
            }
            match split(&row, self.free(), self.is_empty()) {
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

fn is_blank(row: &Row) -> bool {
    row.text().trim().is_empty()
}

fn units(row: &Row) -> usize {
    row.pieces.iter().map(|piece| piece.text.encode_utf16().count()).sum()
}

/// A row cut in two, the first no longer than `free`: between words, or within one where `hard` and no word ends before.
fn split(row: &Row, free: usize, hard: bool) -> Option<(Row, Row)> {
    let text = row.text();
    let mut used = 0;
    let fitting = |(_, letter): &(usize, char)| {
        used += letter.len_utf16();
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

/// Rows as HTML: a tag is opened and closed around each piece, so that nothing can stand crosswise.
fn written(rows: &[Row]) -> String {
    let mut out = String::new();
    for group in rows.chunk_by(|one, other| one.block == other.block && one.frame == other.frame) {
        let tag = match group[0].frame {
            Frame::Open => None,
            Frame::Pre => Some("pre"),
            Frame::Quote => Some("blockquote"),
        };
        if !out.is_empty() {
            out.push('\n');
        }
        let lines: Vec<String> = group.iter().map(row_html).collect();
        match tag {
            Some(tag) => out.extend(["<", tag, ">", &lines.join("\n"), "</", tag, ">"]),
            None => out.push_str(&lines.join("\n")),
        }
    }
    out
}

fn row_html(row: &Row) -> String {
    let mut out = String::new();
    for look in row.pieces.chunk_by(|one, other| one.look == other.look) {
        let text: String = look.iter().map(|piece| escaped(&piece.text)).collect();
        match look[0].look {
            Look::Bold if !text.trim().is_empty() => out.extend(["<b>", &text, "</b>"]),
            Look::Code if !text.trim().is_empty() => out.extend(["<code>", &text, "</code>"]),
            Look::Plain | Look::Bold | Look::Code => out.push_str(&text),
        }
    }
    out
}

/// Text that formats nothing, between tags.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
