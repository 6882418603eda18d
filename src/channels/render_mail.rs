//! What does a message look like in a letter? One column of HTML that any width and any colours of a reader fit, and the same as text.

use std::fmt::Write as _;

use crate::domain::{Block, Message, Severity};

use super::render_html::escaped;
use super::rows::{Frame, Look, Row, rows};

/// The widest table that a column of 320 pixels shows.
const TABLE_COLUMNS: usize = 38;
/// A column as wide as the reader's window, but not so wide that lines are hard to follow. Some readers of mail know no style but those of
/// tables, and no width but theirs.
const COLUMN: &str = "role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"";
const COLUMN_STYLE: &str = "width:100%;max-width:600px;margin:0 auto;border-collapse:collapse";
const CELL: &str = "padding:0 16px;text-align:left;font:16px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;\
                    overflow-wrap:anywhere;word-break:break-word";
const TITLE: &str = "margin:16px 0 12px;padding-left:12px;font-size:18px;line-height:1.35;font-weight:bold";
const OPEN: &str = "margin:0 0 10px";
const PRE: &str =
    "margin:0 0 10px;font:12px/1.5 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere";
const QUOTE: &str = "margin:0 0 10px;padding-left:12px;border-left:3px solid #888888";
const PICTURE: &str = "display:block;width:100%;max-width:100%;height:auto;margin:4px 0 12px;border:0";
const HINT: &str = "margin:0 0 6px;font-size:14px";
const FOOT: &str = "margin:16px 0;padding-top:10px;border-top:1px solid #888888;font-size:13px";
/// Who is at the other end.
const NOBODY_READS: &str = "From Bellwether. Nobody reads what is sent back: commands are typed in a chat.";
const LEAVE: &str = "No digest any more";

/// What stands below the text.
pub(super) struct Below<'a> {
    /// The Content-ID of a picture that goes along.
    pub(super) picture: Option<&'a str>,
    /// Where a digest is left off.
    pub(super) leave: Option<&'a str>,
}

/// A message as a page. Letters and ground have the reader's own colours, dark or light; the few colours of its own are seen on black and
/// on white. It loads nothing.
pub(super) fn letter_html(message: &Message, severity: Severity, below: &Below<'_>) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"supported-color-schemes\" content=\"light dark\">\
         <title>Bellwether</title></head><body style=\"margin:0;padding:0\">\n\
         <table {COLUMN} style=\"{COLUMN_STYLE}\">\n<tr><td style=\"{CELL}\">\n"
    );
    let rows = rows(message, TABLE_COLUMNS);
    for part in rows.chunk_by(|one, other| (one.block, one.frame) == (other.block, other.frame)) {
        let is_title = matches!(message.blocks.get(part[0].block), Some(Block::Title(_)));
        let title = format!("{TITLE};border-left:4px solid {}", colour(severity));
        let (name, style, line_end) = match part[0].frame {
            Frame::Open if is_title => ("p", title.as_str(), "<br>\n"),
            Frame::Open => ("p", OPEN, "<br>\n"),
            Frame::Pre => ("pre", PRE, "\n"),
            Frame::Quote => ("blockquote", QUOTE, "<br>\n"),
        };
        let lines: Vec<String> = part.iter().map(line_html).collect();
        let _ = writeln!(html, "<{name} style=\"{style}\">{}</{name}>", lines.join(line_end));
    }
    if let Some(id) = below.picture {
        let _ = writeln!(html, "<img src=\"cid:{id}\" alt=\"The picture of it\" width=\"100%\" style=\"{PICTURE}\">");
    }
    for button in message.buttons.iter().flatten() {
        let (label, line) = (escaped(&button.label), escaped(&button.line));
        let _ = writeln!(html, "<p style=\"{HINT}\">{label}: <code>{line}</code></p>");
    }
    let _ = write!(html, "<p style=\"{FOOT}\">{NOBODY_READS}");
    if let Some(url) = below.leave {
        let _ = write!(html, "<br>\n<a href=\"{}\" style=\"color:inherit\">{LEAVE}</a>", escaped(url));
    }
    html.push_str("</p>\n</td></tr>\n</table>\n</body></html>\n");
    html
}

/// The same as text, which `plain` is already, with what stands below.
pub(super) fn letter_text(plain: &str, leave: Option<&str>) -> String {
    let mut text = format!("{plain}\n\n-- \n{NOBODY_READS}\n");
    if let Some(url) = leave {
        let _ = writeln!(text, "{LEAVE}: {url}");
    }
    text
}

/// Seen on black and on white.
const fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Info | Severity::Notice => "#888888",
        Severity::Warning => "#c98a00",
        Severity::Critical => "#d64545",
    }
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
