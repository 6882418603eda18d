//! What did the bot ask for? Parameters as JSON, form, query or multipart, all turned into one JSON object and the files beside it.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Multipart, Query, Request};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// Parameters that are objects or lists: a form carries them as JSON in a string.
const STRUCTURED: [&str; 13] = [
    "reply_markup",
    "entities",
    "caption_entities",
    "media",
    "commands",
    "scope",
    "link_preview_options",
    "reply_parameters",
    "allowed_updates",
    "message_ids",
    "reaction",
    "drop_pending_updates",
    "show_alert",
];

/// Parameters that are text however much they look like a number.
const WORDS: [&str; 11] = [
    "text",
    "caption",
    "parse_mode",
    "callback_query_id",
    "file_id",
    "name",
    "url",
    "photo",
    "document",
    "language_code",
    "secret_token",
];

#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) mime: String,
    pub(super) bytes: Bytes,
}

#[derive(Debug, Default)]
pub(super) struct Params {
    pub(super) fields: Map<String, Value>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

/// A value that came as a string: what it stands for.
fn meant(key: &str, text: String) -> Value {
    if WORDS.contains(&key) {
        return Value::String(text);
    }
    let plain = matches!(text.as_str(), "true" | "false") || text.parse::<i64>().is_ok();
    if plain || STRUCTURED.contains(&key) {
        return serde_json::from_str(&text).unwrap_or(Value::String(text));
    }
    Value::String(text)
}

type Pairs = Vec<(String, String)>;

impl Params {
    /// # Errors
    /// A body that cannot be read, or JSON that is none.
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let mut params = Self::default();
        if let Ok(Query(pairs)) = Query::<Pairs>::try_from_uri(request.uri()) {
            params.add(pairs);
        }
        let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("multipart/form-data") {
            params.read_parts(request).await?;
        } else if kind.starts_with("application/json") {
            let bytes = Bytes::from_request(request, &()).await.map_err(|_| Refusal::too_large())?;
            if !bytes.is_empty() {
                params.add_json(&bytes)?;
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") && request.method() == "POST" {
            let form = Form::<Pairs>::from_request(request, &()).await;
            params.add(form.map_err(|_| Refusal::bad("can't parse form"))?.0);
        }
        Ok(params)
    }

    fn add(&mut self, pairs: Pairs) {
        for (key, text) in pairs {
            let value = meant(&key, text);
            self.fields.insert(key, value);
        }
    }

    fn add_json(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else {
            return Err(Refusal::bad("can't parse JSON object"));
        };
        // A field that is null is a field that is absent. Objects may still come as JSON in a string.
        for (key, value) in fields {
            let value = match value {
                Value::Null => continue,
                Value::String(text) if STRUCTURED.contains(&key.as_str()) => meant(&key, text),
                other => other,
            };
            self.fields.insert(key, value);
        }
        Ok(())
    }

    async fn read_parts(&mut self, request: Request) -> Result<(), Refusal> {
        let broken = |_| Refusal::bad("can't parse multipart body");
        let Ok(mut parts) = Multipart::from_request(request, &()).await else {
            return Err(Refusal::bad("can't parse multipart body"));
        };
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let key = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let mime = part.content_type().unwrap_or("application/octet-stream").to_owned();
            if let Some(name) = file {
                let bytes = part.bytes().await.map_err(|_| Refusal::too_large())?;
                self.uploads.insert(key, Upload { name, mime, bytes });
            } else {
                let value = meant(&key, part.text().await.map_err(broken)?);
                self.fields.insert(key, value);
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    pub(super) fn int(&self, key: &str) -> Option<i64> {
        int_of(self.get(key)?)
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value == true || value == 1 || value == "True" || value == "true")
    }

    /// The parameters as the log shows them: a file by its name and size.
    pub(super) fn shown(&self) -> Value {
        let mut shown = self.fields.clone();
        for (key, upload) in &self.uploads {
            let size = serde_json::json!({ "file_name": upload.name, "bytes": upload.bytes.len() });
            shown.insert(key.clone(), size);
        }
        Value::Object(shown)
    }
}

/// A whole number, also one in a string.
pub(super) fn int_of(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
