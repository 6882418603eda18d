//! Does a request fit a service's published description? Paths and schemas of an `OpenAPI` 3.1 file.

use jsonschema::Validator;
use serde_json::{Value, json};

use super::shared;

/// A published description.
pub(crate) struct OpenApi {
    whole: Value,
}

impl OpenApi {
    /// Reads one from the shared folder; none where that is absent.
    pub(crate) fn shared(path: &str) -> Option<Self> {
        let text = std::fs::read_to_string(shared(path)?).expect("readable");
        Some(Self { whole: serde_json::from_str(&text).expect("JSON") })
    }

    /// What the body of a request must look like: its method, its path as the description spells it, and the kind of its body.
    /// None where the description has no such request, or no body for it.
    pub(crate) fn request(&self, method: &str, path: &str, content_type: &str) -> Option<Validator> {
        let operation = &self.whole["paths"][path][method.to_lowercase()];
        let schema = &operation["requestBody"]["content"][content_type]["schema"];
        if schema.is_null() {
            return None;
        }
        // References in it begin at the root of the whole file.
        let alone = json!({ "allOf": [schema], "components": self.whole["components"] });
        Some(jsonschema::draft202012::new(&alone).expect("a schema"))
    }

    /// What is wrong with a body.
    pub(crate) fn faults(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Vec<String> {
        let Some(schema) = self.request(method, path, content_type) else {
            return vec![format!("{method} {path} takes no {content_type}")];
        };
        let words =
            |error: jsonschema::ValidationError<'_>| format!("{method} {path}: {}: {error}", error.instance_path());
        schema.iter_errors(body).map(words).collect()
    }
}
