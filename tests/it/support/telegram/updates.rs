//! What has the bot not confirmed yet? The queue behind getUpdates, with its offsets.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::limits;

/// Kinds a bot gets only if it asks for them by name.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

#[derive(Debug)]
pub(super) struct Queue {
    next: i64,
    /// Identifier, time in milliseconds, and the update.
    waiting: VecDeque<(i64, u64, Value)>,
    confirmed: Option<Value>,
    allowed: Vec<String>,
    /// The poll that counts; an older one is over.
    pub(super) turn: u64,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { next: 700_000_001, waiting: VecDeque::new(), confirmed: None, allowed: Vec::new(), turn: 0 }
    }

    /// Keeps an update if the bot wants its kind: its identifier.
    pub(super) fn push(&mut self, kind: &str, body: Value, now: u64) -> Option<i64> {
        let wanted = if self.allowed.is_empty() {
            !ON_REQUEST.contains(&kind)
        } else {
            self.allowed.iter().any(|allowed| allowed == kind)
        };
        wanted.then(|| self.push_any(kind, body, now))
    }

    /// Keeps an update of whatever kind.
    pub(super) fn push_any(&mut self, kind: &str, body: Value, now: u64) -> i64 {
        let id = self.next;
        self.next += 1;
        let mut update = json!({ "update_id": id });
        update[kind] = body;
        self.waiting.push_back((id, now, update));
        id
    }

    /// The next update has this number, as after a week without any: what waited is long forgotten.
    pub(super) fn begin(&mut self, next: i64) {
        self.waiting.clear();
        self.next = next;
    }

    /// The kinds the bot wants from now on; an empty list is the default again.
    pub(super) fn allow(&mut self, kinds: &[Value]) {
        self.allowed = kinds.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
    }

    /// Confirms everything below the offset; a negative one keeps that many from the end.
    pub(super) fn confirm(&mut self, offset: i64, now: u64) {
        self.waiting.retain(|(_, at, _)| at + limits::UPDATE_KEPT_MS > now);
        let from = if offset >= 0 {
            offset
        } else {
            let keep = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            let skip = self.waiting.len().saturating_sub(keep);
            self.waiting.get(skip).map_or(offset, |(id, ..)| *id)
        };
        while let Some((_, _, update)) = self.waiting.pop_front_if(|(id, ..)| *id < from) {
            self.confirmed = Some(update);
        }
    }

    pub(super) fn first(&self, limit: usize) -> Vec<Value> {
        self.waiting.iter().take(limit).map(|(_, _, update)| update.clone()).collect()
    }

    /// The update that was confirmed last.
    pub(super) fn confirmed(&self) -> Option<Value> {
        self.confirmed.clone()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// The result of getUpdates as Telegram writes it: the number of an update comes first.
pub(super) fn written(updates: &[Value]) -> String {
    let one = |update: &Value| {
        let mut rest = update.clone();
        let id = rest.as_object_mut().and_then(|rest| rest.remove("update_id")).unwrap_or_default();
        let rest = rest.to_string();
        let comma = if rest == "{}" { "" } else { "," };
        format!("{{\"update_id\":{id}{comma}{}", &rest[1..])
    };
    format!("[{}]", updates.iter().map(one).collect::<Vec<_>>().join(","))
}
