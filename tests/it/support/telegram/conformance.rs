//! Does each request fit the Bot API as published? Method, names of fields, required fields and types.

use serde_json::{Map, Value};

use crate::support::shared;

/// The published description of methods and types.
struct Api {
    methods: Map<String, Value>,
    types: Map<String, Value>,
}

/// Checks every request of a log: the faults found, or nothing where the description is absent.
pub(crate) fn check(log: &[Value]) -> Option<Vec<String>> {
    let path = shared("specs/telegram/api.json")?;
    let text = std::fs::read_to_string(path).expect("readable");
    let mut api: Value = serde_json::from_str(&text).expect("JSON");
    let mut part = |key: &str| api[key].as_object_mut().map(std::mem::take).unwrap_or_default();
    let api = Api { methods: part("methods"), types: part("types") };
    let mut faults = Vec::new();
    for entry in log {
        let method = entry["method"].as_str().unwrap_or_default();
        let place = format!("#{} {method}", entry["seq"]);
        match api.methods.get(method) {
            // A refused connection was closed before its body was read.
            _ if entry["outcome"]["fault"] == "refuse" => {}
            Some(described) => api.object(&place, &described["fields"], &entry["params"], &mut faults),
            None => faults.push(format!("{place}: no such method")),
        }
    }
    Some(faults)
}

impl Api {
    fn object(&self, place: &str, fields: &Value, given: &Value, faults: &mut Vec<String>) {
        let Some(given) = given.as_object() else {
            faults.push(format!("{place}: not an object"));
            return;
        };
        let empty = Vec::new();
        let fields = fields.as_array().unwrap_or(&empty);
        for (name, value) in given {
            match fields.iter().find(|field| field["name"] == name.as_str()) {
                Some(field) if self.fits(&field["types"], value) => {}
                Some(field) => faults.push(format!("{place}: {name} is {value}, not {}", field["types"])),
                // A file that a media item names travels beside the fields.
                None if value.get("file_name").is_some() => {}
                None => faults.push(format!("{place}: no field {name}")),
            }
        }
        for field in fields.iter().filter(|field| field["required"] == true) {
            let name = field["name"].as_str().unwrap_or_default();
            if !given.contains_key(name) {
                faults.push(format!("{place}: {name} is missing"));
            }
        }
    }

    fn fits(&self, types: &Value, value: &Value) -> bool {
        types.as_array().into_iter().flatten().filter_map(Value::as_str).any(|kind| self.is(kind, value))
    }

    fn is(&self, kind: &str, value: &Value) -> bool {
        if let Some(item) = kind.strip_prefix("Array of ") {
            return value.as_array().is_some_and(|items| items.iter().all(|one| self.is(item, one)));
        }
        match kind {
            "Integer" => value.is_i64(),
            "Float" => value.is_number(),
            "String" => value.is_string(),
            "Boolean" => value.is_boolean(),
            "InputFile" => value.get("file_name").is_some(),
            _ => self.types.get(kind).is_some_and(|described| self.is_type(described, value)),
        }
    }

    fn is_type(&self, described: &Value, value: &Value) -> bool {
        if let Some(kinds) = described["subtypes"].as_array() {
            return kinds.iter().filter_map(Value::as_str).any(|kind| self.is(kind, value));
        }
        let mut faults = Vec::new();
        self.object("", &described["fields"], value, &mut faults);
        faults.is_empty()
    }
}
