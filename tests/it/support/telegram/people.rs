//! Who is there? The people, the bot, and what a person pressed.

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: i64,
    pub(super) first_name: String,
    pub(super) username: Option<String>,
    pub(super) language: Option<String>,
    pub(super) is_bot: bool,
}

impl Person {
    pub(super) fn bot(id: i64) -> Self {
        Self {
            id,
            first_name: "Bellwether".to_owned(),
            username: Some("bellwether_test_bot".to_owned()),
            language: None,
            is_bot: true,
        }
    }

    /// A person from a number, or from an object with `id` and perhaps `first_name`, `username`, `language_code`.
    pub(super) fn from_control(given: &Value) -> Option<Self> {
        let id = given.as_i64().or_else(|| given["id"].as_i64()).filter(|id| *id > 0)?;
        let text = |key: &str| given[key].as_str().map(str::to_owned);
        let first_name = text("first_name").unwrap_or_else(|| format!("User {id}"));
        Some(Self {
            id,
            first_name,
            username: text("username"),
            language: text("language_code"),
            is_bot: given["is_bot"] == true,
        })
    }

    pub(super) fn json(&self) -> Value {
        let mut user = json!({ "id": self.id, "is_bot": self.is_bot, "first_name": self.first_name });
        if let Some(name) = &self.username {
            user["username"] = json!(name);
        }
        if let Some(language) = &self.language {
            user["language_code"] = json!(language);
        }
        user
    }
}

/// A button that was pressed and waits for its answer.
#[derive(Debug)]
pub(super) struct Press {
    /// By the fake's clock, in milliseconds.
    pub(super) at: u64,
    pub(super) answered: bool,
}
