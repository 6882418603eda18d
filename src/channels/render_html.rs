//! What does a message look like in Telegram's HTML? Parts that are valid whatever the message says, none longer than it may be.

use crate::domain::Message;

use super::packing::{CUT_UNITS, Measure, PARTS_MAX, is_blank, packed};
use super::rows::{Frame, Look, Row, rows};

/// The widest table that a telephone shows in columns.
const TABLE_COLUMNS: usize = 34;
/// What the mark of a part takes, such as `(10/10)` on a line of its own.
const MARK_UNITS: usize = 8;
/// Telegram counts what is seen.
const SEEN: Measure = Measure { letter: |_, letter| letter.len_utf16(), row: |_| 0 };
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
    let whole = packed(&rows, SEEN, |place| budget.of(place));
    if whole.parts.len() == 1 {
        return whole.parts.iter().map(|part| written(part)).collect();
    }
    let mut packing = packed(&rows, SEEN, |place| budget.of(place) - MARK_UNITS);
    if packing.left_out > 0 {
        let last = |place| if place + 1 == PARTS_MAX { MARK_UNITS + CUT_UNITS } else { MARK_UNITS };
        packing = packed(&rows, SEEN, |place| budget.of(place) - last(place));
        packing.say_cut();
    }
    let count = packing.parts.len();
    if count == 1 {
        return packing.parts.iter().map(|part| written(part)).collect();
    }
    let marked = |(place, part): (usize, &Vec<Row>)| format!("{}\n({}/{count})", written(part), place + 1);
    packing.parts.iter().enumerate().map(marked).collect()
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
