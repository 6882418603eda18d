//! How does a message become lines of text? Blocks as rows of pieces, each cleaned; every renderer shows them in its own way.

use unicode_width::UnicodeWidthStr;

use crate::domain::{Block, Line, Message, Span};

use super::harmless::{Whose, cleaned, defused};

/// The longest piece of a stranger's text on a line, in characters.
const THEIRS_CHARS_MAX: usize = 300;
/// The longest text of a stranger on lines of its own, in characters.
const QUOTE_CHARS_MAX: usize = 3_000;
/// The spaces between two columns.
const GAP: usize = 2;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As all text.
    Plain,
    /// To be seen first.
    Bold,
    /// To be copied.
    Code,
}

/// What a row stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// Nothing.
    Open,
    /// A box in which spaces count.
    Pre,
    /// A quotation.
    Quote,
}

/// A piece of text that can do nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// How it looks.
    pub(super) look: Look,
    /// Its letters, not yet escaped for any format.
    pub(super) text: String,
}

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Which block of the message it belongs to.
    pub(super) block: usize,
    /// What it stands in.
    pub(super) frame: Frame,
    /// Its pieces.
    pub(super) pieces: Vec<Piece>,
}

impl Row {
    /// Its text alone.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// What keeps the pieces of a line from doing anything.
type Guard = fn(&[(Whose, &str)]) -> Vec<String>;

/// The rows of a message; a table stands in columns where it is no wider than `columns`, else as a name and a value a line.
pub(super) fn rows(message: &Message, columns: usize) -> Vec<Row> {
    guarded(message, columns, defused)
}

/// The same without joiners, for a platform on which everything can be escaped.
pub(super) fn bare_rows(message: &Message, columns: usize) -> Vec<Row> {
    guarded(message, columns, |pieces| pieces.iter().map(|(_, text)| (*text).to_owned()).collect())
}

fn guarded(message: &Message, columns: usize, guard: Guard) -> Vec<Row> {
    let mut rows = Vec::new();
    for (block, part) in message.blocks.iter().enumerate() {
        let mut push = |frame, pieces| rows.push(Row { block, frame, pieces });
        match part {
            Block::Title(line) => push(Frame::Open, pieces_of(line, Look::Bold, guard)),
            Block::Line(line) => push(Frame::Open, pieces_of(line, Look::Plain, guard)),
            Block::Fields(fields) => {
                for (name, value) in fields {
                    let mut pieces = harmless(&[(Look::Plain, Whose::Theirs, &format!("{name}: "), usize::MAX)], guard);
                    pieces.extend(pieces_of(value, Look::Plain, guard));
                    push(Frame::Open, pieces);
                }
            }
            Block::Table { header, rows: body } => match aligned(header, body, columns) {
                Some(lines) => lines.into_iter().for_each(|line| push(Frame::Pre, vec![plain_code(line)])),
                None => named(header, body, guard).into_iter().for_each(|pieces| push(Frame::Open, pieces)),
            },
            Block::Code(text) => {
                text.lines().for_each(|line| push(Frame::Pre, vec![plain_code(cleaned(line, usize::MAX))]));
            }
            Block::Quote(text) => {
                let short: String = text.chars().take(QUOTE_CHARS_MAX).collect();
                let mark = if short.len() < text.len() { "…" } else { "" };
                for line in format!("{short}{mark}").lines() {
                    push(Frame::Quote, harmless(&[(Look::Plain, Whose::Theirs, line, usize::MAX)], guard));
                }
            }
        }
    }
    rows
}

fn plain_code(text: String) -> Piece {
    Piece { look: Look::Plain, text }
}

/// A line's spans; our own words look like `usual`.
fn pieces_of(line: &Line, usual: Look, guard: Guard) -> Vec<Piece> {
    let span = |span: &Span| -> (Look, Whose, String, usize) {
        match span {
            Span::Text(text) => (usual, Whose::Ours, text.clone(), usize::MAX),
            Span::Strong(text) => (Look::Bold, Whose::Ours, text.clone(), usize::MAX),
            Span::Code(text) => (Look::Code, Whose::Code, text.clone(), usize::MAX),
            Span::Untrusted(text) => (usual, Whose::Theirs, text.clone(), THEIRS_CHARS_MAX),
        }
    };
    let spans: Vec<(Look, Whose, String, usize)> = line.0.iter().map(span).collect();
    let borrowed: Vec<(Look, Whose, &str, usize)> =
        spans.iter().map(|(look, whose, text, most)| (*look, *whose, text.as_str(), *most)).collect();
    harmless(&borrowed, guard)
}

/// Pieces cleaned and guarded together.
fn harmless(spans: &[(Look, Whose, &str, usize)], guard: Guard) -> Vec<Piece> {
    let clean: Vec<(Whose, String)> =
        spans.iter().map(|(_, whose, text, most)| (*whose, cleaned(text, *most))).collect();
    let borrowed: Vec<(Whose, &str)> = clean.iter().map(|(whose, text)| (*whose, text.as_str())).collect();
    let safe = guard(&borrowed).into_iter();
    spans.iter().zip(safe).map(|((look, ..), text)| Piece { look: *look, text }).collect()
}

/// A table in columns, the ones of figures to the right; none where it is wider than `columns`.
fn aligned(header: &[String], body: &[Vec<String>], columns: usize) -> Option<Vec<String>> {
    let lines: Vec<Vec<String>> = std::iter::once(header)
        .filter(|header| !header.is_empty())
        .chain(body.iter().map(Vec::as_slice))
        .map(|cells| cells.iter().map(|cell| cleaned(cell, usize::MAX)).collect())
        .collect();
    let count = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| lines.iter().filter_map(|cells| cells.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..count).map(|column| widest(column).unwrap_or_default()).collect();
    let total = widths.iter().fold(0usize, |sum, width| sum.saturating_add(*width));
    if total.saturating_add(GAP * count.saturating_sub(1)) > columns {
        return None;
    }
    let figures: Vec<bool> = (0..count).map(|column| is_of_figures(body, column)).collect();
    let written = |cells: &Vec<String>| {
        let mut text = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let pad = " ".repeat(widths[column].saturating_sub(cell.width()));
            if column > 0 {
                text.push_str(&" ".repeat(GAP));
            }
            let ordered = if figures[column] { [pad.as_str(), cell] } else { [cell, pad.as_str()] };
            text.extend(ordered);
        }
        text.trim_end().to_owned()
    };
    Some(lines.iter().map(written).collect())
}

fn is_of_figures(body: &[Vec<String>], column: usize) -> bool {
    let mut cells = body.iter().filter_map(|cells| cells.get(column)).filter(|cell| !cell.is_empty()).peekable();
    let is_figure =
        |cell: &String| cell.trim_start_matches(['+', '-', '~']).starts_with(|first: char| first.is_ascii_digit());
    cells.peek().is_some() && cells.all(is_figure)
}

/// A table as a name and a value a line; the first cell of a row stands above them.
fn named(header: &[String], body: &[Vec<String>], guard: Guard) -> Vec<Vec<Piece>> {
    let mut lines = Vec::new();
    for cells in body {
        for (column, cell) in cells.iter().enumerate() {
            let name = header.get(column).map(|name| format!("{name}: ")).unwrap_or_default();
            lines.push(match column {
                0 => harmless(&[(Look::Bold, Whose::Theirs, cell, usize::MAX)], guard),
                _ => harmless(
                    &[(Look::Plain, Whose::Theirs, &name, usize::MAX), (Look::Plain, Whose::Theirs, cell, usize::MAX)],
                    guard,
                ),
            });
        }
    }
    lines
}
