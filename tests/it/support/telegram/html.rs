//! Which texts does `parse_mode` HTML accept? A parser of Telegram's subset that refuses what Telegram refuses.

use super::text::{Entity, link_entity};

/// A tag that waits for its end.
struct Open {
    tag: String,
    /// Its `href`, `emoji-id` or the language of its class.
    argument: Option<String>,
    expandable: bool,
    offset: usize,
}

struct Parser<'a> {
    source: &'a str,
    /// Byte offset of the next character.
    at: usize,
    text: String,
    /// UTF-16 code units in `text`.
    units: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

/// The visible text and its entities.
///
/// # Errors
/// The reason as Telegram words it, with the byte offset.
pub(super) fn parse(source: &str) -> Result<(String, Vec<Entity>), String> {
    let mut parser = Parser { source, at: 0, text: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
    while let Some(c) = parser.peek() {
        match c {
            '&' => {
                let (c, length) = character_reference(parser.rest()).unwrap_or(('&', 1));
                parser.at += length;
                parser.push(c);
            }
            '<' if parser.rest().starts_with("</") => parser.end_tag()?,
            '<' => parser.start_tag()?,
            _ => {
                parser.at += c.len_utf8();
                parser.push(c);
            }
        }
    }
    if let Some(open) = parser.open.pop() {
        return Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag));
    }
    Ok((parser.text, parser.entities))
}

/// The character a reference stands for and the bytes it takes: the four names and every number, nothing else.
fn character_reference(rest: &str) -> Option<(char, usize)> {
    for (name, c) in [("&lt", '<'), ("&gt", '>'), ("&amp", '&'), ("&quot", '"')] {
        let Some(after) = rest.strip_prefix(name) else { continue };
        if after.starts_with(';') {
            return Some((c, name.len() + 1));
        }
        if !after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Some((c, name.len()));
        }
    }
    let digits = rest.strip_prefix("&#")?;
    let (digits, radix, head) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 3),
        None => (digits, 10, 2),
    };
    let length = digits.chars().take_while(|c| c.is_digit(radix)).count();
    let c = u32::from_str_radix(digits.get(..length)?, radix).ok().and_then(char::from_u32).filter(|c| *c != '\0')?;
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((c, head + length + semicolon))
}

const TAGS: [&str; 16] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
];

/// A name or an attribute of a tag, and where it begins.
type Attribute = (String, String);

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, c: char) {
        self.text.push(c);
        self.units += c.len_utf16();
    }

    /// Takes what matches and returns it.
    fn take(&mut self, matches: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|c| matches(*c)).collect();
        self.at += taken.len();
        taken
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let tag = self.take(|c| !c.is_whitespace() && c != '>').to_lowercase();
        if self.peek().is_none() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if !TAGS.contains(&tag.as_str()) {
            return Err(format!("Unsupported start tag \"{tag}\" at byte offset {begin}"));
        }
        let attributes = self.attributes(&tag, begin)?;
        let value = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let argument = match tag.as_str() {
            "a" => value("href"),
            "code" => value("class").and_then(|class| class.strip_prefix("language-").map(str::to_owned)),
            "tg-emoji" => value("emoji-id"),
            "span" if value("class").as_deref() != Some("tg-spoiler") => {
                return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
            }
            _ => None,
        };
        let expandable = value("expandable").is_some();
        self.open.push(Open { tag, argument, expandable, offset: self.units });
        Ok(())
    }

    fn attributes(&mut self, tag: &str, begin: usize) -> Result<Vec<Attribute>, String> {
        let mut attributes = Vec::new();
        loop {
            self.take(char::is_whitespace);
            match self.peek() {
                None => return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
                Some('>') => break,
                Some(_) => {}
            }
            let from = self.at;
            let name = self.take(|c| !c.is_whitespace() && c != '=' && c != '>' && c != '/' && c != '"').to_lowercase();
            if name.is_empty() {
                return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {from}"));
            }
            self.take(char::is_whitespace);
            let value = if self.peek() == Some('=') { self.value(tag, from)? } else { String::new() };
            attributes.push((name, value));
        }
        self.at += 1;
        Ok(attributes)
    }

    fn value(&mut self, tag: &str, from: usize) -> Result<String, String> {
        self.at += 1;
        self.take(char::is_whitespace);
        let quote = self.peek().filter(|c| *c == '"' || *c == '\'');
        let raw = if let Some(quote) = quote {
            self.at += 1;
            let raw = self.take(|c| c != quote);
            if self.peek().is_none() {
                return Err(format!("Unclosed start tag \"{tag}\" at byte offset {from}"));
            }
            self.at += 1;
            raw
        } else {
            self.take(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        };
        if raw.is_empty() && quote.is_none() {
            return Err(format!("Unexpected end of name token at byte offset {}", self.at));
        }
        Ok(unescaped(&raw))
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 2;
        let tag = self.take(|c| !c.is_whitespace() && c != '>').to_lowercase();
        self.take(char::is_whitespace);
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        if !tag.is_empty() && tag != open.tag {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{tag}>\"",
                open.tag
            ));
        }
        self.close(open);
        Ok(())
    }

    fn close(&mut self, open: Open) {
        let (offset, length) = (open.offset, self.units - open.offset);
        if length == 0 {
            return;
        }
        let plain = |kind: &str| Some(Entity::new(kind, offset, length));
        let entity = match open.tag.as_str() {
            "b" | "strong" => plain("bold"),
            "i" | "em" => plain("italic"),
            "u" | "ins" => plain("underline"),
            "s" | "strike" | "del" => plain("strikethrough"),
            "span" | "tg-spoiler" => plain("spoiler"),
            "blockquote" if open.expandable => plain("expandable_blockquote"),
            "blockquote" => plain("blockquote"),
            "tg-emoji" => open.argument.and_then(|id| Some(plain("custom_emoji")?.with("custom_emoji_id", id))),
            "a" => {
                let shown: Vec<u16> = self.text.encode_utf16().skip(offset).collect();
                let url = open.argument.unwrap_or_else(|| String::from_utf16_lossy(&shown));
                link_entity(&url, offset, length)
            }
            "pre" => match open.argument {
                Some(language) => plain("pre").map(|pre| pre.with("language", language)),
                None => plain("pre"),
            },
            _ => {
                if let (Some(outer), Some(language)) = (self.open.last_mut(), open.argument)
                    && outer.tag == "pre"
                    && outer.offset == offset
                {
                    outer.argument = Some(language);
                    return;
                }
                plain("code")
            }
        };
        self.entities.extend(entity);
    }
}

/// The value of an attribute without its character references.
fn unescaped(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let (c, length) = if c == '&' { character_reference(rest).unwrap_or((c, 1)) } else { (c, c.len_utf8()) };
        text.push(c);
        rest = &rest[length..];
    }
    text
}
