//! What does a message look like on Discord? Embeds that are valid whatever the message says, with what can be pressed below them.

use serenity::builder::{
    CreateActionRow, CreateButton, CreateEmbed, CreateEmbedFooter, CreateSelectMenu, CreateSelectMenuKind,
    CreateSelectMenuOption,
};
use serenity::model::application::ButtonStyle;

use crate::chat::{grouped, grouped_line};
use crate::domain::{Block, Line, Message, NoticeId, Severity, Span};
use crate::notify::Key;

use super::packing::{CUT_UNITS, Measure, PARTS_MAX, is_blank, packed};
use super::rows::{Frame, Look, Piece, Row, bare_rows};

/// The widest table that a telephone shows in columns.
const TABLE_COLUMNS: usize = 38;
/// What an embed takes, in UTF-16 units: the strictest count.
const TITLE_UNITS: usize = 256;
const DESCRIPTION_UNITS: usize = 4_096;
const FIELDS_MAX: usize = 25;
const FIELD_NAME_UNITS: usize = 256;
const FIELD_VALUE_UNITS: usize = 1_024;
/// What all fields of a message take together, so that an embed stays below 6,000 units with all else in it.
const FIELDS_UNITS: usize = 1_500;
const FOOTER_UNITS: usize = 100;
const _: () = assert!(TITLE_UNITS + DESCRIPTION_UNITS + FIELDS_UNITS + FOOTER_UNITS <= 6_000);
/// A field whose value is no longer than this stands beside others.
const INLINE_UNITS: usize = 24;
/// What may stand below a message.
const ROWS_MAX: usize = 5;
const ROW_BUTTONS_MAX: usize = 5;
const OPTIONS_MAX: usize = 25;
const LABEL_UNITS: usize = 80;
const ID_UNITS: usize = 100;
/// The name of a menu that holds what finds no place as buttons; what is chosen from it are the buttons' own names.
pub(super) const MENU: &str = "menu";

/// Discord counts what is written. What may have to be escaped counts as two, whether it has to be or not.
const WRITTEN: Measure = Measure { letter: letter_units, row: row_units };

/// One message of text, not yet sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The fact.
    title: String,
    /// The rest, in Discord's markup.
    description: String,
    /// Names with values, the last of all.
    fields: Vec<(String, String)>,
    /// The notice's number and which part it is.
    footer: String,
    /// How loud it is.
    colour: u32,
}

impl Sheet {
    /// True if nothing of it can be seen.
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.description.is_empty() && self.fields.is_empty()
    }

    /// Its title and text, by which it is known again where it has no number.
    pub(super) fn words(&self) -> (&str, &str) {
        (&self.title, &self.description)
    }

    /// The same without anything but its text, for a Discord that refuses its form.
    pub(super) fn bare(&self) -> Self {
        let fields = self.fields.iter().map(|(name, value)| format!("\n{name}: {value}"));
        let description = [self.title.clone(), format!("\n{}", self.description)].into_iter().chain(fields).collect();
        let description: String = description;
        Self {
            title: String::new(),
            description: units_cut(description.trim(), DESCRIPTION_UNITS),
            fields: Vec::new(),
            footer: self.footer.clone(),
            colour: self.colour,
        }
    }

    /// The text below it.
    pub(super) fn footer(&self) -> &str {
        &self.footer
    }

    /// As an embed, with a picture that goes with it; none where there is nothing to see.
    pub fn embed(&self, picture: Option<&str>) -> Option<serde_json::Value> {
        if self.is_empty() && picture.is_none() {
            return None;
        }
        let mut embed = CreateEmbed::new().colour(self.colour);
        if !self.title.is_empty() {
            embed = embed.title(&self.title);
        }
        if !self.description.is_empty() {
            embed = embed.description(&self.description);
        }
        let is_inline = |value: &str| value.encode_utf16().count() <= INLINE_UNITS;
        embed = embed.fields(self.fields.iter().map(|(name, value)| (name, value, is_inline(value))));
        if !self.footer.is_empty() {
            embed = embed.footer(CreateEmbedFooter::new(&self.footer));
        }
        if let Some(picture) = picture {
            embed = embed.attachment(picture);
        }
        serde_json::to_value(embed).ok()
    }
}

/// A message as parts, each an embed of its own. It is cut at the ends of blocks where that can be. No part is empty; a message without
/// anything to see has none.
pub fn sheets(message: &Message, number: Option<NoticeId>, severity: Severity) -> Vec<Sheet> {
    let message = &with_paths(message);
    let mut rows = bare_rows(message, TABLE_COLUMNS);
    if rows.iter().all(is_blank) {
        return Vec::new();
    }
    let fields = taken_fields(message, &mut rows);
    let title = taken_title(message, &mut rows);
    let whole = packed(&rows, WRITTEN, |_| DESCRIPTION_UNITS);
    let packing = if whole.left_out == 0 {
        whole
    } else {
        let room = |place| DESCRIPTION_UNITS - if place + 1 == PARTS_MAX { CUT_UNITS } else { 0 };
        let mut cut = packed(&rows, WRITTEN, room);
        cut.say_cut();
        cut
    };
    let mut parts: Vec<String> = packing.parts.iter().map(|part| written(part)).collect();
    if parts.is_empty() {
        parts.push(String::new());
    }
    let count = parts.len();
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    let footer = |place: usize| match (number.is_empty(), count) {
        (_, 1) => number.clone(),
        (true, _) => format!("({}/{count})", place + 1),
        (false, _) => format!("{number} ({}/{count})", place + 1),
    };
    let sheet = |(place, description)| Sheet {
        title: if place == 0 { title.clone() } else { String::new() },
        description,
        fields: if place + 1 == count { fields.clone() } else { Vec::new() },
        footer: footer(place),
        colour: colour(severity),
    };
    parts.into_iter().enumerate().map(sheet).collect()
}

/// The same with our commands named as they are typed here, below their groups. What strangers wrote stays as it is.
fn with_paths(message: &Message) -> Message {
    let mut named = message.clone();
    let rename = |line: &mut Line| {
        for span in &mut line.0 {
            match span {
                Span::Text(text) | Span::Strong(text) => *text = grouped(text),
                Span::Code(text) => *text = grouped_line(text),
                Span::Untrusted(_) => {}
            }
        }
    };
    for block in &mut named.blocks {
        match block {
            Block::Title(line) | Block::Line(line) => rename(line),
            Block::Fields(fields) => fields.iter_mut().for_each(|(_, value)| rename(value)),
            Block::Table { .. } | Block::Code(_) | Block::Quote(_) => {}
        }
    }
    named
}

/// What can be pressed below a message: rows of five, or a menu where they are too many.
pub(super) fn pressed(keys: &[Vec<Key>]) -> Vec<CreateActionRow> {
    let mut known: Vec<&str> = Vec::new();
    let mut rows: Vec<Vec<&Key>> = Vec::new();
    for row in keys {
        let mut fresh = Vec::new();
        for key in row {
            // Each name stands once below a message, and one that is too long would lead nowhere.
            let is_whole = !key.token.is_empty() && key.token.encode_utf16().count() <= ID_UNITS;
            if is_whole && !known.contains(&key.token.as_str()) {
                known.push(&key.token);
                fresh.push(key);
            }
        }
        rows.extend(fresh.chunks(ROW_BUTTONS_MAX).map(<[&Key]>::to_vec));
    }
    if rows.len() <= ROWS_MAX {
        let button = |key: &&Key| {
            // A PIN is asked for behind it.
            let style = if key.token.starts_with("pin ") { ButtonStyle::Danger } else { ButtonStyle::Secondary };
            CreateButton::new(&key.token).label(label(&key.label)).style(style)
        };
        return rows.iter().map(|row| CreateActionRow::Buttons(row.iter().map(button).collect())).collect();
    }
    let option = |key: &Key| CreateSelectMenuOption::new(label(&key.label), &key.token);
    let options = rows.into_iter().flatten().take(OPTIONS_MAX).map(option).collect();
    let menu = CreateSelectMenu::new(MENU, CreateSelectMenuKind::String { options });
    vec![CreateActionRow::SelectMenu(menu)]
}

fn label(text: &str) -> String {
    let cut = units_cut(text, LABEL_UNITS);
    if cut.trim().is_empty() { "…".to_owned() } else { cut }
}

/// The beginning that fits into `max` UTF-16 units, with a mark where something is cut.
pub(super) fn units_cut(text: &str, max: usize) -> String {
    if text.encode_utf16().count() <= max {
        return text.to_owned();
    }
    let mut units = 1;
    let fitting = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= max
    });
    fitting.chain(['…']).collect()
}

const fn colour(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 0x8a_8f98,
        Severity::Notice => 0x2f_80ed,
        Severity::Warning => 0xe2_9b1b,
        Severity::Critical => 0xd6_3031,
    }
}

/// The title's row, where it leads and fits.
fn taken_title(message: &Message, rows: &mut Vec<Row>) -> String {
    let leads = matches!(message.blocks.first(), Some(Block::Title(_)));
    let Some(first) = rows.first().filter(|row| leads && row.block == 0 && !is_blank(row)) else {
        return String::new();
    };
    // All of it is bold there already.
    let plain = |piece: &Piece| if piece.look == Look::Bold { Look::Plain } else { piece.look };
    let pieces = first.pieces.iter().map(|piece| Piece { look: plain(piece), text: piece.text.clone() }).collect();
    let title = escaped_line(&row_text(&Row { pieces, ..first.clone() }));
    if title.encode_utf16().count() > TITLE_UNITS {
        return String::new();
    }
    rows.remove(0);
    title
}

/// The fields that a message ends with, where each of them fits.
fn taken_fields(message: &Message, rows: &mut Vec<Row>) -> Vec<(String, String)> {
    let trailing = message.blocks.iter().rev().take_while(|block| matches!(block, Block::Fields(_))).count();
    let first = message.blocks.len() - trailing;
    let of_fields = rows.iter().filter(|row| row.block >= first);
    let field = |row: &Row| {
        let (name, value) = row.pieces.split_first()?;
        let name = escaped_line(&escaped(name.text.trim_end().trim_end_matches(':'), None));
        let value = Row { pieces: value.to_vec(), ..row.clone() };
        (!name.trim().is_empty() && !is_blank(&value)).then(|| (name, escaped_line(&row_text(&value))))
    };
    let Some(fields) = of_fields.map(field).collect::<Option<Vec<_>>>() else { return Vec::new() };
    let units = |text: &str| text.encode_utf16().count();
    let fits = |(name, value): &(String, String)| units(name) <= FIELD_NAME_UNITS && units(value) <= FIELD_VALUE_UNITS;
    let all: usize = fields.iter().map(|(name, value)| units(name) + units(value)).sum();
    if fields.len() > FIELDS_MAX || all > FIELDS_UNITS || !fields.iter().all(fits) {
        return Vec::new();
    }
    rows.retain(|row| row.block < first);
    fields
}

/// Rows in Discord's markup.
fn written(rows: &[Row]) -> String {
    let mut out = String::new();
    for group in rows.chunk_by(|one, other| one.block == other.block && one.frame == other.frame) {
        if !out.is_empty() {
            out.push('\n');
        }
        let lines: Vec<String> = group.iter().map(line_text).collect();
        match group[0].frame {
            Frame::Pre => out.extend(["```\n", &lines.join("\n"), "\n```"]),
            Frame::Open | Frame::Quote => out.push_str(&lines.join("\n")),
        }
    }
    out
}

fn line_text(row: &Row) -> String {
    match row.frame {
        Frame::Open => escaped_line(&row_text(row)),
        Frame::Quote => format!("> {}", escaped_line(&row_text(row))),
        // Three of them in a row would end the box, and nothing can be escaped in it.
        Frame::Pre => row.text().replace("```", "ˋˋˋ"),
    }
}

fn row_text(row: &Row) -> String {
    let mut out = String::new();
    let texts = row.pieces.chunk_by(|one, other| one.look == other.look).map(|same| {
        let text: String = same.iter().map(|piece| piece.text.as_str()).collect();
        (same[0].look, text)
    });
    let mut texts = texts.filter(|(_, text)| !text.is_empty()).peekable();
    while let Some((look, text)) = texts.next() {
        let behind = texts.peek().and_then(|(_, text)| text.chars().next());
        match look {
            Look::Bold if !text.trim().is_empty() => out.extend(["**", &escaped(&text, behind), "**"]),
            // Nothing can be escaped in code: what would end it is shown by a look-alike.
            Look::Code if !text.trim().is_empty() => out.extend(["`", &text.replace('`', "ˋ"), "`"]),
            Look::Plain | Look::Bold | Look::Code => out.push_str(&escaped(&text, behind)),
        }
    }
    out
}

/// Text that does nothing within a line, with the letter behind it. Nothing is put in but what Discord takes out again, so that what is copied
/// is what was written.
fn escaped(text: &str, behind: Option<char>) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + letter.len_utf8()..]);
        // Of addresses, and of pictures such as :skull: and :100:; hours stay as they are.
        let joins = || after.chars().next().or(behind).is_some_and(|next| !next.is_whitespace());
        if is_markup(letter) && (letter != ':' || (joins() && !is_hour(before, after))) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// Whether a colon parts an hour: a digit before it and two behind it, since no picture's name is so short.
fn is_hour(before: &str, after: &str) -> bool {
    let mut after = after.chars();
    let two = after.by_ref().take(2).filter(char::is_ascii_digit).count() == 2;
    before.ends_with(|letter: char| letter.is_ascii_digit())
        && two
        && after.next().is_none_or(|third| !third.is_alphanumeric() && third != '_')
}

const fn is_markup(letter: char) -> bool {
    matches!(letter, '\\' | '*' | '_' | '~' | '|' | '`' | '<' | '>' | '[' | ']' | '@' | ':')
}

/// The same for its beginning: headings, lists, small print. What would begin one has a space behind it.
fn escaped_line(text: &str) -> String {
    let begin = text.len() - text.trim_start().len();
    let (space, rest) = text.split_at(begin);
    let behind = |sign: char| rest.trim_start_matches(sign).starts_with([' ', '\t', '#', '\u{a0}', '\u{3000}']);
    if rest.starts_with('#') || (rest.starts_with('-') && behind('-')) || (rest.starts_with('+') && behind('+')) {
        return format!("{space}\\{rest}");
    }
    let (digits, more) = rest.split_at(rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    let mut behind = more.chars();
    if !digits.is_empty() && behind.next() == Some('.') && behind.next().is_none_or(char::is_whitespace) {
        return format!("{space}{digits}\\{more}");
    }
    text.to_owned()
}

fn letter_units(frame: Frame, letter: char) -> usize {
    match frame {
        Frame::Pre => letter.len_utf16(),
        Frame::Open | Frame::Quote => letter.len_utf16() + usize::from(is_markup(letter)),
    }
}

/// What is written around a row at the most: its box or its sign of quotation, its stars and strokes, and the escape of its first sign.
fn row_units(row: &Row) -> usize {
    let look = |piece: &Piece| if piece.look == Look::Plain { 0 } else { 4 };
    match row.frame {
        Frame::Pre => "```\n\n```".len(),
        Frame::Open => 1 + row.pieces.iter().map(look).sum::<usize>(),
        Frame::Quote => 3 + row.pieces.iter().map(look).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(count: usize) -> Vec<Key> {
        (0..count).map(|number| Key { label: format!("Key {number}"), token: format!("t{number}") }).collect()
    }

    #[test]
    fn what_finds_no_place_as_buttons_is_a_menu() {
        let shape = |rows: &[Vec<Key>]| -> Vec<usize> {
            let rows = serde_json::to_value(pressed(rows)).expect("JSON");
            let rows = rows.as_array().expect("rows").iter();
            rows.map(|row| row["components"].as_array().expect("parts").len()).collect()
        };
        assert_eq!(shape(&[]), Vec::<usize>::new());
        assert_eq!(shape(&[keys(4)]), [4]);
        assert_eq!(shape(&[keys(7), Vec::new()]), [5, 2]);
        assert_eq!(shape(&[keys(25)]), [5; 5]);
        assert_eq!(shape(&[keys(3), keys(3)]), [3], "each name once");
        let menu = serde_json::to_value(pressed(&[keys(60)])).expect("JSON");
        assert_eq!(menu[0]["components"][0]["custom_id"], "menu");
        assert_eq!(menu[0]["components"][0]["options"].as_array().map(Vec::len), Some(25));
        assert_eq!(menu[0]["components"][0]["options"][3], json!({ "label": "Key 3", "value": "t3" }));
    }

    #[test]
    fn pictures_are_words_and_hours_stay_as_they_are() {
        for text in ["at 12:30", "10:31:05, 9:00: closed", "in 2026: 100 of 3", "12:30"] {
            assert_eq!(escaped(text, None), text);
        }
        for (text, want) in [
            (":100:", "\\:100:"),
            ("a :8ball: b", "a \\:8ball: b"),
            ("x:1234:", "x\\:1234:"),
            ("12:100: up", "12\\:100: up"),
            ("12:8ball:", "12\\:8ball:"),
            (":30", "\\:30"),
            (":skull:", "\\:skull:"),
        ] {
            assert_eq!(escaped(text, None), want);
        }
    }

    #[test]
    fn labels_and_names_keep_to_their_limits() {
        let long = |label: &str, token: &str| vec![vec![Key { label: label.to_owned(), token: token.to_owned() }]];
        let label = |label: &str| {
            let rows = serde_json::to_value(pressed(&long(label, "t"))).expect("JSON");
            rows[0]["components"][0]["label"].as_str().expect("text").to_owned()
        };
        assert_eq!(label(&"😀".repeat(60)).encode_utf16().count(), 79);
        assert_eq!(label(" "), "…");
        assert!(pressed(&long("x", &"t".repeat(101))).is_empty() && pressed(&long("x", "")).is_empty());
        let confirm = serde_json::to_value(pressed(&long("Confirm", "pin 7"))).expect("JSON");
        assert_eq!(confirm[0]["components"][0]["style"], 4, "it looks dangerous");
    }
}
