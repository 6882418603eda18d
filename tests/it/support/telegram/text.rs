//! What does a person see of a text? Its visible characters and its entities, those asked for and those Telegram finds by itself.

use serde_json::{Map, Value, json};

use super::autolinks;
use super::html;
use super::markdown;
use super::params::{Params, int_of};
use super::refusal::Refusal;

/// A part of a text that is shown in its own way. Offsets and lengths are UTF-16 code units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entity {
    pub(super) kind: String,
    pub(super) offset: usize,
    pub(super) length: usize,
    /// `url`, `user`, `language` or `custom_emoji_id`.
    pub(super) extra: Map<String, Value>,
}

impl Entity {
    pub(super) fn new(kind: &str, offset: usize, length: usize) -> Self {
        Self { kind: kind.to_owned(), offset, length, extra: Map::new() }
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn end(&self) -> usize {
        self.offset + self.length
    }

    fn json(&self) -> Value {
        let mut object = self.extra.clone();
        object.insert("type".to_owned(), json!(self.kind));
        object.insert("offset".to_owned(), json!(self.offset));
        object.insert("length".to_owned(), json!(self.length));
        Value::Object(object)
    }
}

/// A text as it is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) entities: Vec<Entity>,
}

/// UTF-16 code units, which Telegram counts in.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

impl Shown {
    /// Text as a person types it.
    pub(super) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), entities: Vec::new() }.finished()
    }

    /// Reads the text, its parse mode and its entities from the parameters.
    ///
    /// # Errors
    /// What Telegram says of a text it cannot parse.
    pub(super) fn read(params: &Params, text_key: &str, entities_key: &str) -> Result<Self, Refusal> {
        let as_sent = match params.get(text_key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let mode = params.text("parse_mode").unwrap_or_default().to_lowercase();
        let parsed = match mode.as_str() {
            "" => {
                let text = visible(&as_sent);
                let entities = read_entities(params.get(entities_key), &text)?;
                (text, entities)
            }
            "html" => html::parse(&visible(&as_sent)).map_err(|why| cannot_parse(&why))?,
            "markdownv2" => markdown::parse(&visible(&as_sent)).map_err(|why| cannot_parse(&why))?,
            _ => return Err(Refusal::bad("unsupported parse_mode")),
        };
        Ok(Self { text: parsed.0, entities: parsed.1 }.finished())
    }

    fn finished(mut self) -> Self {
        self.trim();
        let units = units(&self.text);
        self.entities.retain_mut(|entity| {
            entity.length = entity.end().min(units).saturating_sub(entity.offset);
            entity.length > 0
        });
        self.drop_inside_code();
        let mut found = autolinks::find(&self.text, &self.entities);
        self.entities.append(&mut found);
        self.entities.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
        self
    }

    /// White space around a text is not sent.
    fn trim(&mut self) {
        let left = self.text.len() - self.text.trim_start().len();
        let cut = units(&self.text[..left]);
        self.text = self.text.trim().to_owned();
        for entity in &mut self.entities {
            let lost = cut.saturating_sub(entity.offset);
            entity.length = entity.length.saturating_sub(lost);
            entity.offset = entity.offset.saturating_sub(cut);
        }
    }

    /// Inside code nothing else is shown.
    fn drop_inside_code(&mut self) {
        let code: Vec<Entity> = self.entities.iter().filter(|entity| is_code(entity)).cloned().collect();
        let inside = |entity: &Entity| {
            code.iter().any(|outer| outer != entity && outer.offset <= entity.offset && entity.end() <= outer.end())
        };
        self.entities.retain(|entity| !inside(entity));
    }

    pub(super) fn units(&self) -> usize {
        units(&self.text)
    }

    pub(super) fn entities_json(&self) -> Value {
        self.entities.iter().map(Entity::json).collect()
    }
}

pub(super) fn is_code(entity: &Entity) -> bool {
    matches!(entity.kind.as_str(), "code" | "pre")
}

fn cannot_parse(why: &str) -> Refusal {
    Refusal::bad(format!("can't parse entities: {why}"))
}

/// Without carriage returns; other control characters are spaces.
fn visible(text: &str) -> String {
    let seen = |c: char| if c.is_control() && c != '\n' && (c as u32) < 32 { ' ' } else { c };
    text.chars().filter(|c| *c != '\r').map(seen).collect()
}

/// A link as the server keeps it, or nothing where it is none.
pub(super) fn checked_link(url: &str) -> Option<String> {
    let url = url.trim();
    if url.is_empty() || url.contains(char::is_whitespace) {
        return None;
    }
    if url.starts_with("tg://") {
        return Some(url.to_owned());
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let known = matches!(scheme.to_lowercase().as_str(), "http" | "https" | "ftp" | "ton" | "tonsite");
    let named = host == "localhost" || (host.contains('.') && !host.starts_with('.') && !host.ends_with('.'));
    if !known || !named {
        return None;
    }
    let slash = if rest.len() == host.len() { "/" } else { "" };
    Some(format!("{scheme}://{rest}{slash}"))
}

/// The entity of a link's text: a link, a mention of a user, or nothing.
pub(super) fn link_entity(url: &str, offset: usize, length: usize) -> Option<Entity> {
    let user = url.strip_prefix("tg://user?id=").and_then(|id| id.parse::<i64>().ok());
    if let Some(id) = user {
        let user = json!({ "id": id, "is_bot": false, "first_name": "User" });
        return Some(Entity::new("text_mention", offset, length).with("user", user));
    }
    checked_link(url).map(|url| Entity::new("text_link", offset, length).with("url", url))
}

const KINDS: [&str; 20] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
];

/// Positions that lie inside a surrogate pair.
fn inside_pairs(text: &str) -> Vec<usize> {
    let mut at = 0;
    let mut inside = Vec::new();
    for c in text.chars() {
        if c.len_utf16() == 2 {
            inside.push(at + 1);
        }
        at += c.len_utf16();
    }
    inside
}

fn read_entities(given: Option<&Value>, text: &str) -> Result<Vec<Entity>, Refusal> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let list = given.as_array().ok_or_else(|| Refusal::bad("can't parse entities: expected an Array"))?;
    let total = units(text);
    let pairs = inside_pairs(text);
    let mut entities = Vec::new();
    for item in list {
        let wrong = |why: &str| Refusal::bad(format!("can't parse MessageEntity: {why}"));
        let kind = item["type"].as_str().ok_or_else(|| wrong("Can't find field \"type\""))?;
        if !KINDS.contains(&kind) {
            return Err(wrong("Unsupported type specified"));
        }
        let offset = int_of(&item["offset"]).ok_or_else(|| wrong("Can't find field \"offset\""))?;
        let length = int_of(&item["length"]).ok_or_else(|| wrong("Can't find field \"length\""))?;
        if offset < 0 || length < 0 {
            return Err(wrong("Receive an entity with incorrect offset or length"));
        }
        let entity = Entity::new(kind, offset as usize, length as usize);
        check_bounds(&entity, total, &pairs)?;
        entities.extend(with_its_extra(entity, item)?);
    }
    Ok(entities)
}

fn check_bounds(entity: &Entity, total: usize, pairs: &[usize]) -> Result<(), Refusal> {
    let from = entity.offset;
    if entity.end() > total {
        let why = format!(
            "entity beginning at UTF-16 offset {from} ends after the end of the text at UTF-16 offset {}",
            entity.end()
        );
        return Err(Refusal::bad(why));
    }
    if pairs.contains(&from) {
        return Err(Refusal::bad(format!("entity begins in a middle of a UTF-16 symbol at byte offset {from}")));
    }
    if pairs.contains(&entity.end()) {
        let why = format!("entity beginning at UTF-16 offset {from} ends in a middle of a UTF-16 symbol");
        return Err(Refusal::bad(why));
    }
    Ok(())
}

/// Entities Telegram finds itself are taken from the text, not from the list.
fn with_its_extra(entity: Entity, item: &Value) -> Result<Option<Entity>, Refusal> {
    let text_of = |key: &str| item[key].as_str().map(str::to_owned);
    Ok(match entity.kind.as_str() {
        "mention" | "hashtag" | "cashtag" | "bot_command" | "url" | "email" | "phone_number" => None,
        "text_link" => {
            let url =
                text_of("url").ok_or_else(|| Refusal::bad("can't parse MessageEntity: Can't find field \"url\""))?;
            link_entity(&url, entity.offset, entity.length)
        }
        "text_mention" => {
            let missing = || Refusal::bad("can't parse MessageEntity: Can't find field \"user\"");
            let id = item["user"].get("id").and_then(Value::as_i64).ok_or_else(missing)?;
            link_entity(&format!("tg://user?id={id}"), entity.offset, entity.length)
        }
        "pre" => Some(match text_of("language") {
            Some(language) => entity.with("language", language),
            None => entity,
        }),
        "custom_emoji" => {
            let missing = || Refusal::bad("can't parse MessageEntity: Can't find field \"custom_emoji_id\"");
            Some(entity.with("custom_emoji_id", text_of("custom_emoji_id").ok_or_else(missing)?))
        }
        _ => Some(entity),
    })
}
