//! What has happened on Telegram since? A long poll for updates, each read by itself; one that cannot be read has at least a number.

use std::time::Duration;

use serde_json::{Value, json};
use teloxide::types::Update;

use super::telegram::Telegram;
use super::telegram_answer::CallError;
use super::telegram_client::Answered;
use super::telegram_update::{Heard, heard};

/// How much longer than asked for an answer with updates may take.
const POLL_SLACK: Duration = Duration::from_secs(10);
/// How much of an answer tells the number of its first update, in bytes.
const BEGINNING: usize = 256;
/// The longest answer with updates, in bytes: 160 KiB for each of 50 updates, several times the longest text in its widest spelling with
/// the longest message that it answers.
const POLL_MAX: usize = 8 << 20;

/// One update as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Understood.
    Heard(Box<Heard>),
    /// Not understood; the next call may ask for those after it all the same.
    Unreadable {
        /// Its number; none if even that is missing.
        update_id: Option<i64>,
        /// As it came.
        text: String,
    },
}

impl Telegram {
    /// The updates from number `offset` on, at most `limit` (1 to 100); without an offset, all that nobody asked past. Waits up to `wait`
    /// for the first. Asking past an update tells Telegram to forget it: store it before.
    ///
    /// # Errors
    /// When there was no list of updates. It is safe to ask again.
    pub async fn updates(
        &self,
        offset: Option<i64>,
        limit: u8,
        wait: Duration,
    ) -> Result<Answered<Vec<Polled>>, CallError> {
        let timeout = wait.saturating_add(POLL_SLACK);
        let parameters = polling(offset, limit, wait);
        let answered = self.client.call_method::<Vec<Value>>("GetUpdates", &parameters, POLL_MAX, timeout).await?;
        Ok(answered.map(|updates| updates.iter().map(polled).collect()))
    }

    /// The number of the first update from `offset` on, whatever else its answer holds: for one that cannot be read. None where there is no
    /// update, or what begins the answer is not one.
    ///
    /// # Errors
    /// When there was no answer. It is safe to ask again.
    pub async fn first_update(&self, offset: Option<i64>) -> Result<Option<i64>, CallError> {
        let parameters = polling(offset, 1, Duration::ZERO);
        let beginning = self.client.call_beginning("GetUpdates", &parameters, BEGINNING, POLL_SLACK).await?;
        Ok(update_id_in(&String::from_utf8_lossy(&beginning)))
    }
}

/// The parameters of a poll.
fn polling(offset: Option<i64>, limit: u8, wait: Duration) -> Value {
    let mut parameters = json!({
        "timeout": wait.as_secs(),
        "limit": limit,
        "allowed_updates": ["message", "edited_message", "callback_query", "my_chat_member"],
    });
    if let Some(offset) = offset {
        parameters["offset"] = offset.into();
    }
    parameters
}

/// The number in the beginning of an answer with an update. It is the first thing that an update tells, so no text of strangers is before it.
fn update_id_in(beginning: &str) -> Option<i64> {
    let spaceless: String = beginning.chars().filter(|letter| !letter.is_whitespace()).take(64).collect();
    let number = spaceless.strip_prefix("{\"ok\":true,\"result\":[{\"update_id\":")?;
    let (digits, _) = number.split_once(|letter: char| !letter.is_ascii_digit())?;
    digits.parse().ok()
}

/// Each update is read by itself, so that one of them cannot hide the others.
fn polled(update: &Value) -> Polled {
    let update_id = update.get("update_id").and_then(Value::as_i64);
    // From text and not from the value, where teloxide finds no update of any kind.
    let text = update.to_string();
    match serde_json::from_str::<Update>(&text).ok().as_ref().and_then(heard) {
        Some(heard) => Polled::Heard(Box::new(heard)),
        None => Polled::Unreadable { update_id, text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_that_is_not_understood_is_given_back() {
        let unreadable = |update: &Value, id: Option<i64>| match polled(update) {
            Polled::Unreadable { update_id, text } => {
                assert_eq!(update_id, id);
                assert_eq!(serde_json::from_str::<Value>(&text).ok().as_ref(), Some(update));
            }
            Polled::Heard(heard) => panic!("{heard:?}"),
        };
        unreadable(&json!({ "update_id": 5, "message": { "text": 3 } }), Some(5));
        unreadable(&json!({ "update_id": 6, "something_new": {} }), Some(6));
        unreadable(&json!({ "update_id": 1_u64 << 40, "something_new": {} }), Some(1 << 40));
        unreadable(&json!({ "message": {} }), None);
        unreadable(&json!("text"), None);
        // Content of a kind that is newer than teloxide: not a message without words.
        let chat = json!({ "id": 7, "type": "private", "first_name": "Ana" });
        let unknown = json!({ "message_id": 1, "date": 1_790_000_000, "chat": chat, "text": "/stop",
            "forward_origin": { "type": "something_new" } });
        unreadable(&json!({ "update_id": 7, "message": unknown }), Some(7));
        let plain = json!({ "message_id": 1, "date": 1_790_000_000, "chat": chat, "text": "/stop" });
        assert!(
            matches!(polled(&json!({ "update_id": 8, "message": plain })), Polled::Heard(heard) if heard.update_id == 8)
        );
    }

    #[test]
    fn a_number_is_read_where_it_has_to_stand_and_nowhere_else() {
        let first = |text: &str| update_id_in(text);
        assert_eq!(
            first("{\"ok\":true,\"result\":[{\"update_id\":700000001,\n\"message\":{\"text\":\"x"),
            Some(700_000_001)
        );
        assert_eq!(first("{ \"ok\": true, \"result\": [ { \"update_id\": 7, "), Some(7));
        for other in [
            "{\"ok\":true,\"result\":[]}",
            "{\"ok\":true,\"result\":[{\"update_id\":7",
            "{\"ok\":true,\"result\":[{\"update_id\":-7,",
            "{\"ok\":true,\"result\":[{\"message\":{\"text\":\"\\\"update_id\\\":9,\"}",
            "<html>\"update_id\":9,",
            "",
        ] {
            assert_eq!(first(other), None, "{other}");
        }
    }
}
