//! Which slash commands does Discord take? Names, options and choices within their limits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::limits::{Fits, text, units};
use super::refusal::Refusal;

const COMMANDS: usize = 100;
const OPTIONS: usize = 25;
const TEXT_SUM: usize = 8_000;

/// All commands of a place.
///
/// # Errors
/// 50035 with the field.
pub(super) fn check(all: &Value) -> Fits {
    let commands = all.as_array().ok_or_else(|| Refusal::form("commands", "Only lists are taken here."))?;
    if commands.len() > COMMANDS {
        return Err(Refusal::new(400, 30_032, "Maximum number of application commands reached (100)"));
    }
    let mut known = BTreeSet::new();
    for (index, command) in commands.iter().enumerate() {
        let at = index.to_string();
        if !known.insert(command["name"].as_str().unwrap_or_default()) {
            return Err(Refusal::form(&at, "Application command names must be unique"));
        }
        if !command["type"].is_null() && command["type"] != 1 {
            return Err(Refusal::form(&at, "Only slash commands are taken here."));
        }
        named(&at, command)?;
        options(&at, &command["options"], 0)?;
        if text_of(command) > TEXT_SUM {
            return Err(Refusal::form(&at, "Command exceeds maximum size (8000)"));
        }
    }
    Ok(())
}

fn named(at: &str, one: &Value) -> Fits {
    text(&format!("{at}.name"), &one["name"], 1, 32)?;
    text(&format!("{at}.description"), &one["description"], 1, 100)?;
    let name = one["name"].as_str().unwrap_or_default();
    let fits = |letter: char| letter == '-' || letter == '_' || letter.is_alphanumeric() && !letter.is_uppercase();
    if name.chars().all(fits) { Ok(()) } else { Err(Refusal::form(&format!("{at}.name"), "Command name is invalid")) }
}

fn options(at: &str, options: &Value, depth: usize) -> Fits {
    let empty = Vec::new();
    let options = options.as_array().unwrap_or(&empty);
    if options.len() > OPTIONS {
        return Err(Refusal::form(&format!("{at}.options"), "Must be 25 or fewer in length."));
    }
    let (mut known, mut optional) = (BTreeSet::new(), false);
    let groups = options.iter().filter(|one| matches!(one["type"].as_u64(), Some(1 | 2))).count();
    if groups > 0 && groups < options.len() {
        return Err(Refusal::form(
            at,
            "Sub-command and sub-command group option types are mutually exclusive to all others",
        ));
    }
    for (index, one) in options.iter().enumerate() {
        let at = format!("{at}.options.{index}");
        named(&at, one)?;
        if !known.insert(one["name"].as_str().unwrap_or_default()) {
            return Err(Refusal::form(&at, "Option names must be unique"));
        }
        match one["type"].as_u64() {
            Some(1) if depth < 2 => options_of_leaf(&at, one)?,
            Some(2) if depth < 1 => self::options(&at, &one["options"], depth + 1)?,
            Some(3..=11) => {
                let required = one["required"] == true;
                if required && optional {
                    return Err(Refusal::form(&at, "Required options must be placed before non-required options"));
                }
                optional |= !required;
                choices(&at, one)?;
            }
            _ => return Err(Refusal::form(&at, "Value of field \"type\" is not allowed here.")),
        }
    }
    Ok(())
}

fn options_of_leaf(at: &str, one: &Value) -> Fits {
    let nested = one["options"].as_array().into_iter().flatten().any(|one| matches!(one["type"].as_u64(), Some(1 | 2)));
    if nested {
        return Err(Refusal::form(at, "A sub-command holds no further ones."));
    }
    options(at, &one["options"], 2)
}

fn choices(at: &str, one: &Value) -> Fits {
    let empty = Vec::new();
    let choices = one["choices"].as_array().unwrap_or(&empty);
    if choices.len() > 25 || (!choices.is_empty() && one["autocomplete"] == true) {
        return Err(Refusal::form(&format!("{at}.choices"), "Must be 25 or fewer in length."));
    }
    for choice in choices {
        text(&format!("{at}.choices.name"), &choice["name"], 1, 100)?;
    }
    Ok(())
}

/// Names, descriptions and values of a command and all below it.
fn text_of(one: &Value) -> usize {
    let own = units(&one["name"]) + units(&one["description"]);
    let choices = one["choices"].as_array().into_iter().flatten();
    let choices: usize = choices.map(|choice| units(&choice["name"]) + units(&choice["value"])).sum();
    own + choices + one["options"].as_array().into_iter().flatten().map(text_of).sum::<usize>()
}

/// The part of a command that a path leads to.
pub(super) fn at<'a>(commands: &'a [Value], path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let found = commands.iter().find(|one| one["name"] == first.as_str())?;
    match rest {
        [] => Some(found).filter(|one| {
            !one["options"].as_array().into_iter().flatten().any(|one| matches!(one["type"].as_u64(), Some(1 | 2)))
        }),
        _ => at(found["options"].as_array()?, rest),
    }
}

/// The data of an interaction with this command.
///
/// # Errors
/// With what a person could not have typed.
pub(super) fn typed(
    commands: &[Value],
    path: &[String],
    given: &[(String, String)],
    focused: Option<&str>,
) -> Result<Value, String> {
    let leaf = at(commands, path).ok_or_else(|| format!("there is no command {path:?}"))?;
    let options = leaf["options"].as_array().cloned().unwrap_or_default();
    for option in &options {
        let name = option["name"].as_str().unwrap_or_default();
        let is_there = given.iter().any(|(own, _)| own == name);
        if option["required"] == true && !is_there && focused.is_none() {
            return Err(format!("{name} is required"));
        }
    }
    let mut filled = Vec::new();
    for (name, text) in given {
        let option = options.iter().find(|option| option["name"] == name.as_str());
        let option = option.ok_or_else(|| format!("there is no option {name}"))?;
        let kind = option["type"].as_u64().unwrap_or(3);
        let value = match kind {
            4 if focused.is_none() => json!(text.parse::<i64>().map_err(|error| error.to_string())?),
            5 => json!(text == "true"),
            10 if focused.is_none() => json!(text.parse::<f64>().map_err(|error| error.to_string())?),
            _ => json!(text),
        };
        let choices = option["choices"].as_array().filter(|all| !all.is_empty());
        if choices.is_some_and(|all| !all.iter().any(|choice| choice["value"] == value)) {
            return Err(format!("{text} is no choice of {name}"));
        }
        let mut one = json!({ "name": name, "type": kind, "value": value });
        if focused == Some(name) {
            if option["autocomplete"] != true {
                return Err(format!("{name} is not completed"));
            }
            one["focused"] = json!(true);
        }
        filled.push(one);
    }
    let mut below = Value::Array(filled);
    for depth in (1..path.len()).rev() {
        let kind = if depth + 1 == path.len() { 1 } else { 2 };
        below = json!([{ "name": path[depth], "type": kind, "options": below }]);
    }
    let root = commands.iter().find(|one| one["name"] == path[0].as_str()).unwrap_or(&Value::Null);
    Ok(json!({ "id": root["id"], "name": path[0], "type": 1, "options": below }))
}
