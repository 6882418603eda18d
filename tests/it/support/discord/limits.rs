//! What does Discord take in a message? Its published limits, each counted the stricter way.

use std::collections::BTreeSet;

use serde_json::Value;

use super::refusal::Refusal;

const CONTENT: usize = 2_000;
const EMBEDS: usize = 10;
const EMBED_SUM: usize = 6_000;
const COMPONENTS: usize = 40;
const ROWS: usize = 5;

pub(super) type Fits = Result<(), Refusal>;

/// UTF-16 units.
pub(super) fn units(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.encode_utf16().count())
}

/// A text of this many units.
///
/// # Errors
/// 50035 with the field.
pub(super) fn text(field: &str, value: &Value, least: usize, most: usize) -> Fits {
    let Some(given) = value.as_str() else { return Err(Refusal::form(field, "This field is required")) };
    let count = units(value);
    if count < least || given.trim().is_empty() && least > 0 {
        return Err(Refusal::form(field, "This field is required"));
    }
    if count > most {
        return Err(Refusal::form(field, format!("Must be {most} or fewer in length.")));
    }
    Ok(())
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a [Value], Refusal> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(all) => Ok(all),
        _ => Err(Refusal::form(field, "Only lists are taken here.")),
    }
}

/// A message as it is created or changed.
///
/// # Errors
/// 50035 with the field.
pub(super) fn message(body: &Value, files: &[(String, usize)]) -> Fits {
    if !body["content"].is_null() {
        text("content", &body["content"], 0, CONTENT)?;
    }
    let embeds = list(&body["embeds"], "embeds")?;
    if embeds.len() > EMBEDS {
        return Err(Refusal::form("embeds", "Must be 10 or fewer in length."));
    }
    let mut sum = 0;
    for (index, embed) in embeds.iter().enumerate() {
        sum += one_embed(&format!("embeds.{index}"), embed, files)?;
    }
    if sum > EMBED_SUM {
        return Err(Refusal::form("embeds", "Embed size exceeds maximum size of 6000"));
    }
    components(&body["components"])?;
    let attachments = list(&body["attachments"], "attachments")?;
    for (index, (name, _)) in files.iter().enumerate() {
        let index = index as u64;
        let named = |one: &&Value| super::messages::id_of(&one["id"]) == Some(index);
        match attachments.iter().find(named) {
            Some(one) if one["filename"].as_str().is_none_or(|own| own == name) => {}
            Some(_) => return Err(Refusal::form("attachments", "The names differ")),
            None if attachments.is_empty() => {}
            None => return Err(Refusal::form("attachments", "A file is not named")),
        }
    }
    Ok(())
}

/// The same as a new message, which cannot be empty.
///
/// # Errors
/// As above, and 50006.
pub(super) fn new_message(body: &Value, files: &[(String, usize)]) -> Fits {
    message(body, files)?;
    let has = |key: &str| body[key].as_array().is_some_and(|all| !all.is_empty());
    if units(&body["content"]) == 0 && !has("embeds") && !has("components") && files.is_empty() {
        return Err(Refusal::new(400, 50_006, "Cannot send an empty message"));
    }
    Ok(())
}

fn one_embed(at: &str, embed: &Value, files: &[(String, usize)]) -> Result<usize, Refusal> {
    let mut sum = 0;
    for (key, most) in [("title", 256), ("description", 4_096)] {
        if !embed[key].is_null() {
            text(&format!("{at}.{key}"), &embed[key], 0, most)?;
            sum += units(&embed[key]);
        }
    }
    for (key, below, most) in [("footer", "text", 2_048), ("author", "name", 256)] {
        if !embed[key].is_null() {
            text(&format!("{at}.{key}.{below}"), &embed[key][below], 1, most)?;
            sum += units(&embed[key][below]);
        }
    }
    let fields = list(&embed["fields"], at)?;
    if fields.len() > 25 {
        return Err(Refusal::form(&format!("{at}.fields"), "Must be 25 or fewer in length."));
    }
    for (index, field) in fields.iter().enumerate() {
        text(&format!("{at}.fields.{index}.name"), &field["name"], 1, 256)?;
        text(&format!("{at}.fields.{index}.value"), &field["value"], 1, 1_024)?;
        sum += units(&field["name"]) + units(&field["value"]);
    }
    if let Some(name) = embed["image"]["url"].as_str().and_then(|url| url.strip_prefix("attachment://"))
        && !files.iter().any(|(file, _)| file == name)
    {
        return Err(Refusal::form(&format!("{at}.image.url"), "There is no such file"));
    }
    if embed["color"].as_u64().is_some_and(|colour| colour > 0xff_ffff) {
        return Err(Refusal::form(&format!("{at}.color"), "int value should be less than or equal to 16777215."));
    }
    if sum == 0 && embed["image"].is_null() {
        return Err(Refusal::form(at, "This field is required"));
    }
    Ok(sum)
}

fn components(rows: &Value) -> Fits {
    let rows = list(rows, "components")?;
    let parts: usize = rows.iter().map(|row| 1 + row["components"].as_array().map_or(0, Vec::len)).sum();
    if rows.len() > ROWS || parts > COMPONENTS {
        return Err(Refusal::form("components", "Must be between 1 and 5 in length."));
    }
    let mut known = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let at = format!("components.{index}");
        if row["type"] != 1 {
            return Err(Refusal::form(&at, "Value of field \"type\" must be one of (1,)."));
        }
        let parts = list(&row["components"], &at)?;
        let selects = parts.iter().filter(|part| part["type"] == 3).count();
        if parts.is_empty() || parts.len() > 5 || (selects > 0 && parts.len() > 1) {
            return Err(Refusal::form(&at, "Must be between 1 and 5 in length."));
        }
        for part in parts {
            text(&format!("{at}.custom_id"), &part["custom_id"], 1, 100)?;
            if !known.insert(part["custom_id"].as_str().unwrap_or_default().to_owned()) {
                return Err(Refusal::form(&at, "Component custom id cannot be duplicated"));
            }
            match part["type"].as_u64() {
                Some(2) => {
                    text(&format!("{at}.label"), &part["label"], 1, 80)?;
                    if !part["style"].as_u64().is_some_and(|style| (1..=4).contains(&style)) {
                        return Err(Refusal::form(&at, "Value of field \"style\" must be one of (1, 2, 3, 4)."));
                    }
                }
                Some(3) => options(&at, part)?,
                _ => return Err(Refusal::form(&at, "Value of field \"type\" must be one of (2, 3).")),
            }
        }
    }
    Ok(())
}

fn options(at: &str, select: &Value) -> Fits {
    let options = list(&select["options"], at)?;
    if options.is_empty() || options.len() > 25 {
        return Err(Refusal::form(at, "Must be between 1 and 25 in length."));
    }
    let mut known = BTreeSet::new();
    for option in options {
        text(&format!("{at}.options.label"), &option["label"], 1, 100)?;
        text(&format!("{at}.options.value"), &option["value"], 1, 100)?;
        if !known.insert(option["value"].as_str().unwrap_or_default()) {
            return Err(Refusal::form(at, "The specified option value is already used"));
        }
    }
    Ok(())
}

/// A form that is shown.
///
/// # Errors
/// 50035 with the field.
pub(super) fn modal(data: &Value) -> Fits {
    text("data.title", &data["title"], 1, 45)?;
    text("data.custom_id", &data["custom_id"], 1, 100)?;
    let rows = list(&data["components"], "data.components")?;
    if rows.is_empty() || rows.len() > 5 {
        return Err(Refusal::form("data.components", "Must be between 1 and 5 in length."));
    }
    for row in rows {
        let field = &row["components"][0];
        if row["type"] != 1 || field["type"] != 4 || row["components"].as_array().is_some_and(|all| all.len() != 1) {
            return Err(Refusal::form("data.components", "Value of field \"type\" must be one of (4,)."));
        }
        text("data.components.custom_id", &field["custom_id"], 1, 100)?;
        text("data.components.label", &field["label"], 1, 45)?;
        let bounds = (field["min_length"].as_u64().unwrap_or(0), field["max_length"].as_u64().unwrap_or(4_000));
        if bounds.0 > bounds.1 || bounds.1 > 4_000 || bounds.1 == 0 {
            return Err(Refusal::form("data.components.max_length", "int value should be between 1 and 4000."));
        }
    }
    Ok(())
}
