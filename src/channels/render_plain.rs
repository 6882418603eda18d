//! What does a message look like as bare text? Lines no wider than the reader's, for terminals, mail and short messages.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::domain::{Button, Message};

use super::rows::{Frame, rows};

/// How far the rest of a line is indented that is wider than the reader's.
const INDENT: &str = "  ";
/// The narrowest width that is kept to.
const WIDTH_MIN: usize = 20;

/// A message as text of lines no wider than `width` columns; text whose line ends count keeps them. What its buttons would type stands
/// below, where the text does not name it already.
pub fn plain(message: &Message, width: usize) -> String {
    let width = width.max(WIDTH_MIN);
    let mut lines: Vec<String> = Vec::new();
    for row in rows(message, width) {
        match row.frame {
            Frame::Open => lines.extend(wrapped(&row.text(), width, "")),
            Frame::Pre => lines.push(row.text()),
            Frame::Quote => lines.extend(wrapped(&row.text(), width, "> ")),
        }
    }
    if let Some(typed) = typed(message) {
        lines.extend(wrapped(&typed, width, ""));
    }
    lines.join("\n")
}

/// What the buttons of a message would type, each behind what stands on it; none where its text names all of it.
pub(super) fn typed(message: &Message) -> Option<String> {
    let lines = message.plain_lines();
    let named = |line: &str| lines.iter().any(|text| text.contains(line));
    let buttons = message.buttons.iter().flatten().filter(|button| !named(&button.line));
    // A label that only repeats what is typed says nothing.
    let one = |button: &Button| {
        let repeats = button.line.ends_with(&button.label);
        if repeats { button.line.clone() } else { format!("{}: {}", button.label, button.line) }
    };
    let typed: Vec<String> = buttons.map(one).collect();
    (!typed.is_empty()).then(|| typed.join(" · "))
}

/// A line broken between words; a word that is wider than a line is broken where the line ends.
fn wrapped(text: &str, width: usize, before: &str) -> Vec<String> {
    let indent = format!("{before}{INDENT}");
    let (mut lines, mut line, mut used, mut begun) = (Vec::new(), before.to_owned(), before.width(), false);
    for word in text.split(' ') {
        if begun && used + 1 + word.width() > width {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            used = indent.width();
        } else if begun {
            line.push(' ');
            used += 1;
        }
        for letter in word.chars() {
            let wide = letter.width().unwrap_or_default();
            if used + wide > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
                used = indent.width();
            }
            line.push(letter);
            used += wide;
        }
        begun = true;
    }
    lines.push(line);
    lines
}
