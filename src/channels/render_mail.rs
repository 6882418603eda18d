//! What does a message look like in a letter? One column of HTML that any width and any colours of a reader fit.

use std::fmt::Write as _;

use crate::domain::{Block, Message};

use super::render_html::escaped;
use super::rows::{Frame, Look, Row, rows};

/// The widest table that a column of 320 pixels shows.
const TABLE_COLUMNS: usize = 38;
const BODY: &str =
    "max-width:40em;margin:0 auto;padding:12px;font:16px/1.4 system-ui,sans-serif;overflow-wrap:anywhere";
const TITLE: &str = "margin:0 0 12px;font-size:18px;font-weight:bold";
const OPEN: &str = "margin:0 0 8px";
const PRE: &str = "margin:0 0 8px;font:12px/1.5 monospace;white-space:pre-wrap";
const QUOTE: &str = "margin:0 0 8px;padding-left:10px;border-left:3px solid #888";
const PICTURE: &str = "max-width:100%;height:auto";
const HINT: &str = "margin:12px 0 0;font-size:14px";

/// A message as a page. It names no colour of its own but a grey that is seen on black and on white, and loads nothing. `picture` is the
/// Content-ID of one that goes along.
pub(super) fn letter_html(message: &Message, picture: Option<&str>) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         </head><body style=\"{BODY}\">\n"
    );
    let rows = rows(message, TABLE_COLUMNS);
    for part in rows.chunk_by(|one, other| (one.block, one.frame) == (other.block, other.frame)) {
        let is_title = matches!(message.blocks.get(part[0].block), Some(Block::Title(_)));
        let (name, style, line_end) = match part[0].frame {
            Frame::Open if is_title => ("p", TITLE, "<br>\n"),
            Frame::Open => ("p", OPEN, "<br>\n"),
            Frame::Pre => ("pre", PRE, "\n"),
            Frame::Quote => ("blockquote", QUOTE, "<br>\n"),
        };
        let lines: Vec<String> = part.iter().map(line_html).collect();
        let _ = writeln!(html, "<{name} style=\"{style}\">{}</{name}>", lines.join(line_end));
    }
    if let Some(id) = picture {
        let _ = writeln!(html, "<img src=\"cid:{id}\" alt=\"\" style=\"{PICTURE}\">");
    }
    for button in message.buttons.iter().flatten() {
        let (label, line) = (escaped(&button.label), escaped(&button.line));
        let _ = writeln!(html, "<p style=\"{HINT}\">{label}: <code>{line}</code></p>");
    }
    html.push_str("</body></html>\n");
    html
}

fn line_html(row: &Row) -> String {
    let piece = |piece: &super::rows::Piece| {
        let text = escaped(&piece.text);
        match piece.look {
            Look::Plain => text,
            Look::Bold => format!("<strong>{text}</strong>"),
            Look::Code => format!("<code>{text}</code>"),
        }
    };
    row.pieces.iter().map(piece).collect()
}
