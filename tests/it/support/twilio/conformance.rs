//! Does each message fit the API as the vendor published it? Names of fields, required ones, and what each may be.

use serde_json::Value;

use super::world::Asked;
use crate::support::shared;

/// Checks every message of a log: the faults found, or nothing where the description is absent.
pub(crate) fn check(log: &[Asked]) -> Option<Vec<String>> {
    let path = shared("specs/twilio/twilio_api_v2010.json")?;
    let text = std::fs::read_to_string(path).expect("readable");
    let api: Value = serde_json::from_str(&text).expect("JSON");
    let paths = &api["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"];
    let schema = &paths["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    let known = schema["properties"].as_object().expect("fields");
    let queries: Vec<&str> =
        paths["get"]["parameters"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    let mut faults = Vec::new();
    for asked in log.iter().filter(|asked| asked.path.ends_with("/Messages.json")) {
        let form = asked.form.as_object().expect("fields");
        if asked.method == "GET" {
            faults.extend(form.keys().filter(|key| !queries.contains(&key.as_str())).map(|key| format!("GET {key}")));
            continue;
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !form.contains_key(required) {
                faults.push(format!("{required} is missing"));
            }
        }
        for (key, value) in form {
            match known.get(key) {
                None => faults.push(format!("no field {key}")),
                Some(field) if !fits(field, value.as_str().unwrap_or_default()) => {
                    faults.push(format!("{key} is {value}"));
                }
                Some(_) => {}
            }
        }
    }
    Some(faults)
}

/// A form has nothing but text: it has to read as what the field is.
fn fits(field: &Value, text: &str) -> bool {
    let length = |key: &str| field[key].as_u64().map(|count| count as usize);
    let kind = match field["type"].as_str() {
        Some("integer") => text.parse::<i64>().is_ok(),
        Some("number") => text.parse::<f64>().is_ok(),
        Some("boolean") => ["true", "false"].contains(&text),
        _ => true,
    };
    let form = match field["format"].as_str() {
        Some("phone-number") => text.starts_with('+') && text[1..].bytes().all(|byte| byte.is_ascii_digit()),
        Some("uri") => text.starts_with("http"),
        _ => true,
    };
    let count = text.chars().count();
    kind && form
        && length("minLength").is_none_or(|least| count >= least)
        && length("maxLength").is_none_or(|most| count <= most)
}
