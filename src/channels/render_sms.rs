//! What does a message look like on a phone? The fact with its number in one segment, and of the rest as many lines as still fit.

use crate::domain::{Block, Message, Severity, Span};
use crate::notify::Post;

use super::gsm::{beginning, segments, with_lookalikes};
use super::harmless::JOINER;
use super::rows::rows;

/// A fact that does not fit into one segment gets so many at the most.
const SEGMENTS_MAX: usize = 3;
/// What stands where something was cut.
const CUT: &str = "...";
/// What can be answered to something critical.
const ANSWERS: &str = "Reply ACK or STATUS";
/// Words that belong to carriers: a text of one of these alone changes whether a phone may be written to.
pub const CARRIER_WORDS: [&str; 12] =
    ["STOP", "STOPALL", "CANCEL", "END", "QUIT", "UNSUBSCRIBE", "REVOKE", "OPTOUT", "START", "UNSTOP", "HELP", "INFO"];
/// Columns that a table may have; others stand as names and values.
const COLUMNS: usize = 40;

/// How a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsForm {
    /// It has one segment, however much of the fact is cut.
    pub one_segment: bool,
    /// All of it is told, in three segments at the most, and what is cut is marked.
    pub whole: bool,
    /// What somebody answers is heard.
    pub answers: bool,
    /// What the service puts before it, which counts.
    pub before: &'static str,
}

impl SmsForm {
    fn segments(self, text: &str) -> usize {
        if self.before.is_empty() { segments(text) } else { segments(&format!("{}{text}", self.before)) }
    }
}

/// A message as a text for a phone, with look-alikes from GSM-7 and without links.
pub fn short_text(post: &Post, form: SmsForm) -> String {
    let lines = lines(&post.message);
    if form.whole {
        return shortened(&lines.join("\n"), form);
    }
    let mut lines = lines.into_iter();
    let number = post.number.map(|number| format!("{number} ")).unwrap_or_default();
    let fact = format!("{number}{}", lines.next().unwrap_or_default());
    let mut text = if form.segments(&fact) == 1 { fact } else { shortened(&fact, form) };
    if form.segments(&text) == 1 {
        // The lines of an answer stand for themselves; those of a notice follow from one another.
        for line in lines {
            let longer = format!("{text}\n{line}");
            if form.segments(&longer) == 1 {
                text = longer;
            } else if post.number.is_some() {
                break;
            }
        }
        let asks = form.answers && post.severity == Severity::Critical && can_be_acknowledged(&post.message);
        let longer = format!("{text}\n{ANSWERS}");
        if asks && form.segments(&longer) == 1 {
            text = longer;
        }
    }
    if is_carriers(&text) { format!("Note: {text}") } else { text }
}

/// A fact that is longer than a segment: cut to few of them.
fn shortened(fact: &str, form: SmsForm) -> String {
    let most = if form.one_segment { 1 } else { SEGMENTS_MAX };
    if form.segments(fact) <= most {
        return fact.to_owned();
    }
    let mut kept = beginning(fact, most);
    loop {
        let text = format!("{}{CUT}", kept.trim_end());
        if form.segments(&text) <= most {
            return text;
        }
        let mut letters = kept.chars();
        letters.next_back();
        kept = letters.as_str();
    }
}

/// Its lines as text, without those that tell what to type elsewhere.
fn lines(message: &Message) -> Vec<String> {
    let typed_elsewhere = |block: &Block| match block {
        Block::Line(line) => line.0.iter().any(|span| matches!(span, Span::Code(text) if text.starts_with('/'))),
        _ => false,
    };
    let rows = rows(message, COLUMNS).into_iter().filter(|row| !typed_elsewhere(&message.blocks[row.block]));
    let text = |text: String| with_lookalikes(&without_links(&text)).split_whitespace().collect::<Vec<_>>().join(" ");
    rows.map(|row| text(row.text())).filter(|line| !line.is_empty()).collect()
}

/// What a phone or a carrier may take for a link is broken where everybody sees it, also in code: joiners are not in GSM-7.
fn without_links(text: &str) -> String {
    let letters: Vec<char> = text.chars().filter(|letter| *letter != JOINER).collect();
    let mut out = String::with_capacity(text.len());
    for (at, letter) in letters.iter().enumerate() {
        out.push(*letter);
        let is = |place: usize, kind: fn(&char) -> bool| letters.get(place).is_some_and(kind);
        let names_host = is(at + 1, |next| next.is_alphabetic()) && is(at + 2, |next| next.is_alphanumeric());
        let joins = at > 0 && !letters[at - 1].is_whitespace();
        if (*letter == ':' && is(at + 1, |next| *next == '/')) || (*letter == '.' && joins && names_host) {
            out.push(' ');
        }
    }
    out
}

fn can_be_acknowledged(message: &Message) -> bool {
    message.buttons.iter().flatten().any(|button| button.line.starts_with("/ack"))
}

fn is_carriers(text: &str) -> bool {
    CARRIER_WORDS.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
}
