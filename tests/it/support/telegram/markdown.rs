//! Which texts does `parse_mode` `MarkdownV2` accept? Reserved characters must be escaped, marks must be closed.

use super::text::{Entity, link_entity};

const RESERVED: &str = "_*[]()~`>#+-=|{}.!";

/// A mark that waits for its end.
struct Open {
    mark: &'static str,
    offset: usize,
    byte: usize,
    language: String,
}

struct Parser {
    source: Vec<char>,
    at: usize,
    text: String,
    units: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
    /// Where the quotation that is being read began.
    quote: Option<usize>,
}

const MARKS: [(&str, &str, &str); 7] = [
    ("```", "pre", "PreCode"),
    ("`", "code", "Code"),
    ("__", "underline", "Underline"),
    ("_", "italic", "Italic"),
    ("*", "bold", "Bold"),
    ("~", "strikethrough", "Strikethrough"),
    ("||", "spoiler", "Spoiler"),
];

/// The visible text and its entities.
///
/// # Errors
/// The reason as Telegram words it.
pub(super) fn parse(source: &str) -> Result<(String, Vec<Entity>), String> {
    let mut parser = Parser {
        source: source.chars().collect(),
        at: 0,
        text: String::new(),
        units: 0,
        open: Vec::new(),
        entities: Vec::new(),
        quote: None,
    };
    while parser.at < parser.source.len() {
        parser.step()?;
    }
    parser.end_quote();
    match parser.open.pop() {
        Some(open) => Err(format!("Can't find end of {} entity at byte offset {}", name(open.mark), open.byte)),
        None => Ok((parser.text, parser.entities)),
    }
}

fn name(mark: &str) -> &'static str {
    MARKS.iter().find(|(known, ..)| *known == mark).map_or("TextUrl", |(_, _, name)| name)
}

fn reserved(c: char) -> String {
    format!("Character '{c}' is reserved and must be escaped with the preceding '\\'")
}

impl Parser {
    fn here(&self, mark: &str) -> bool {
        mark.chars().enumerate().all(|(i, c)| self.source.get(self.at + i) == Some(&c))
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        self.units += c.len_utf16();
        self.at += 1;
    }

    fn byte(&self) -> usize {
        self.source[..self.at].iter().map(|c| c.len_utf8()).sum()
    }

    fn step(&mut self) -> Result<(), String> {
        let c = self.source[self.at];
        let next = self.source.get(self.at + 1).copied();
        if c == '\\' && next.is_some_and(|next| next.is_ascii() && next != '\x7f') {
            self.at += 1;
            self.push(next.unwrap_or(c));
            return Ok(());
        }
        let in_code = self.open.last().is_some_and(|open| open.mark.starts_with('`'));
        if in_code && c != '`' {
            self.push(c);
            return Ok(());
        }
        if self.ends() {
            return self.end();
        }
        if c == '\n' {
            if next != Some('>') {
                self.end_quote();
            }
            self.push(c);
            return Ok(());
        }
        if c == '>' && (self.at == 0 || self.source[self.at - 1] == '\n') {
            self.quote.get_or_insert(self.units);
            self.at += 1;
            return Ok(());
        }
        if !RESERVED.contains(c) {
            self.push(c);
            return Ok(());
        }
        self.begin(c)
    }

    fn ends(&self) -> bool {
        let Some(open) = self.open.last() else { return false };
        match open.mark {
            "[" | "![" => self.here("]"),
            "_" => self.here("_") && !self.here("__"),
            mark => self.here(mark),
        }
    }

    fn begin(&mut self, c: char) -> Result<(), String> {
        let byte = self.byte();
        let marks = MARKS.iter().map(|(mark, ..)| *mark).chain(["![", "["]);
        let mark = marks.into_iter().find(|mark| self.here(mark)).ok_or_else(|| reserved(c))?;
        self.at += mark.len();
        let mut language = String::new();
        if mark == "```" {
            let word: String = self.source[self.at..].iter().take_while(|c| !c.is_whitespace() && **c != '`').collect();
            if self.source.get(self.at + word.chars().count()).is_some_and(|c| c.is_whitespace()) {
                self.at += word.chars().count();
                language = word;
            }
            if self.here("\n") {
                self.at += 1;
            }
        }
        self.open.push(Open { mark, offset: self.units, byte, language });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let length = self.units - open.offset;
        if matches!(open.mark, "[" | "![") {
            return self.end_link(&open, length);
        }
        self.at += open.mark.len();
        let kind = MARKS.iter().find(|(mark, ..)| *mark == open.mark).map_or("bold", |(_, kind, _)| kind);
        let entity = Entity::new(kind, open.offset, length);
        let entity = if open.language.is_empty() { entity } else { entity.with("language", open.language) };
        self.entities.extend((length > 0).then_some(entity));
        Ok(())
    }

    fn end_link(&mut self, open: &Open, length: usize) -> Result<(), String> {
        self.at += 1;
        let mut url = String::new();
        if self.here("(") {
            self.at += 1;
            let from = self.byte();
            while !self.here(")") {
                if self.here("\\") {
                    self.at += 1;
                }
                let Some(c) = self.source.get(self.at) else {
                    return Err(format!("Can't find end of a URL at byte offset {from}"));
                };
                url.push(*c);
                self.at += 1;
            }
            self.at += 1;
        } else if open.mark == "![" {
            return Err("Custom emoji entity must contain a tg://emoji URL".to_owned());
        } else {
            let shown: Vec<u16> = self.text.encode_utf16().skip(open.offset).collect();
            url = String::from_utf16_lossy(&shown);
        }
        let entity = match (open.mark, url.strip_prefix("tg://emoji?id=")) {
            ("![", Some(id)) => Some(Entity::new("custom_emoji", open.offset, length).with("custom_emoji_id", id)),
            ("![", None) => return Err("Custom emoji URL must have an emoji identifier".to_owned()),
            _ => link_entity(&url, open.offset, length),
        };
        self.entities.extend(entity.filter(|_| length > 0));
        Ok(())
    }

    fn end_quote(&mut self) {
        if let Some(from) = self.quote.take()
            && self.units > from
        {
            self.entities.push(Entity::new("blockquote", from, self.units - from));
        }
    }
}
