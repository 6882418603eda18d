//! How does Telegram say no? The code, the text and the parameters of an error.

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) description: String,
    pub(super) parameters: Option<Value>,
}

/// What a method returns: the `result`, or an error.
pub(super) type Answer = Result<Value, Refusal>;

impl Refusal {
    fn new(code: u16, description: String) -> Self {
        Self { code, description, parameters: None }
    }

    pub(super) fn bad(why: impl AsRef<str>) -> Self {
        Self::new(400, format!("Bad Request: {}", why.as_ref()))
    }

    pub(super) fn forbidden(why: &str) -> Self {
        Self::new(403, format!("Forbidden: {why}"))
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized".to_owned())
    }

    pub(super) fn no_method() -> Self {
        Self::new(404, "Not Found: method not found".to_owned())
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, "Request Entity Too Large".to_owned())
    }

    pub(super) fn conflict(why: &str) -> Self {
        Self::new(409, format!("Conflict: {why}"))
    }

    pub(super) fn other_poller() -> Self {
        Self::conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
    }

    pub(super) fn too_many(seconds: u64) -> Self {
        let parameters = Some(json!({ "retry_after": seconds }));
        Self { parameters, ..Self::new(429, format!("Too Many Requests: retry after {seconds}")) }
    }

    /// A 429 that does not say how long to wait.
    pub(super) fn too_many_untold() -> Self {
        Self::new(429, "Too Many Requests".to_owned())
    }

    pub(super) fn migrated(to: i64) -> Self {
        let parameters = Some(json!({ "migrate_to_chat_id": to }));
        Self { parameters, ..Self::bad("group chat was upgraded to a supergroup chat") }
    }

    /// The body of the HTTP answer.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }
}
