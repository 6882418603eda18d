//! How does Discord refuse? A status, a code of its own, words, and for forms the way to the field.

use serde_json::{Value, json};

/// What a call gives back.
pub(super) type Answer = Result<Value, Refusal>;

#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: String,
    /// Field and fault of a form.
    pub(super) field: Option<(String, String)>,
    /// Milliseconds to wait, and whose limit it is.
    pub(super) wait: Option<(u64, &'static str)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), field: None, wait: None }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, 0, "404: Not Found")
    }

    /// A field of a form is not as it must be.
    pub(super) fn form(field: &str, fault: impl Into<String>) -> Self {
        let mut refusal = Self::new(400, 50_035, "Invalid Form Body");
        refusal.field = Some((field.to_owned(), fault.into()));
        refusal
    }

    pub(super) fn too_many(wait_ms: u64, scope: &'static str) -> Self {
        let mut refusal = Self::new(429, 0, "You are being rate limited.");
        refusal.wait = Some((wait_ms, scope));
        refusal
    }

    pub(super) fn body(&self) -> Value {
        if let Some((wait_ms, scope)) = self.wait {
            let seconds = wait_ms as f64 / 1000.0;
            return json!({ "message": self.message, "retry_after": seconds, "global": scope == "global" });
        }
        let mut body = json!({ "message": self.message, "code": self.code });
        if let Some((field, fault)) = &self.field {
            let leaf = json!({ "_errors": [{ "code": "BASE_TYPE_BAD", "message": fault }] });
            body["errors"] = field.rsplit('.').fold(leaf, |below, name| json!({ name: below }));
        }
        body
    }
}
