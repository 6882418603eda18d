//! What did the bot ask, and what became of it? Every request, in the order in which they came.

use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// Still at work, or the client left before the answer.
    Pending,
    Accepted {
        messages: Vec<i64>,
    },
    Rejected {
        code: u16,
        description: String,
    },
    /// A fault was played. `messages` is there if the request took effect.
    Faulted {
        fault: String,
        messages: Option<Vec<i64>>,
    },
}

#[derive(Debug)]
pub(super) struct Record {
    seq: u64,
    at_ns: u64,
    pub(super) done_ns: Option<u64>,
    method: String,
    params: Value,
    pub(super) outcome: Outcome,
    /// The request came inside a window in which it had been told to wait.
    pub(super) violation: bool,
}

/// Which requests a wait is for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    pub(super) after: u64,
    pub(super) timeout_ms: Option<u64>,
    pub(super) count: Option<usize>,
    method: Option<String>,
    chat: Option<i64>,
    text_contains: Option<String>,
    /// `accepted` (the default), `rejected`, `fault`, `any` of these, or `pending`.
    outcome: Option<String>,
}

impl Record {
    fn json(&self) -> Value {
        let outcome = match &self.outcome {
            Outcome::Pending => json!({ "kind": "pending" }),
            Outcome::Accepted { messages } => json!({ "kind": "accepted", "message_ids": messages }),
            Outcome::Rejected { code, description } => {
                json!({ "kind": "rejected", "code": code, "description": description })
            }
            Outcome::Faulted { fault, messages } => {
                json!({ "kind": "fault", "fault": fault, "effect": messages.is_some(), "message_ids": messages })
            }
        };
        json!({
            "seq": self.seq, "at_ns": self.at_ns, "done_ns": self.done_ns, "method": self.method, "params": self.params,
            "outcome": outcome, "violation": self.violation,
        })
    }

    fn is(&self, wanted: &Wanted) -> bool {
        let kind = match (&self.outcome, wanted.outcome.as_deref().unwrap_or("accepted")) {
            (Outcome::Pending, kind) => kind == "pending",
            (_, "any")
            | (Outcome::Accepted { .. } | Outcome::Faulted { messages: Some(_), .. }, "accepted")
            | (Outcome::Rejected { .. }, "rejected")
            | (Outcome::Faulted { .. }, "fault") => true,
            _ => false,
        };
        let method = wanted.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&self.method));
        let chat = wanted.chat.is_none_or(|chat| super::params::int_of(&self.params["chat_id"]) == Some(chat));
        let text = self.params["text"].as_str().or(self.params["caption"].as_str()).unwrap_or_default();
        kind && method && chat && wanted.text_contains.as_ref().is_none_or(|part| text.contains(part.as_str()))
    }
}

#[derive(Debug, Default)]
pub(super) struct Log {
    records: Vec<Record>,
}

impl Log {
    /// Writes down a request: its number, from 1.
    pub(super) fn open(&mut self, at_ns: u64, method: &str, params: Value) -> u64 {
        let seq = self.records.len() as u64 + 1;
        let (method, outcome) = (method.to_owned(), Outcome::Pending);
        self.records.push(Record { seq, at_ns, done_ns: None, method, params, outcome, violation: false });
        seq
    }

    pub(super) fn record(&mut self, seq: u64) -> Option<&mut Record> {
        self.records.get_mut(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    pub(super) fn since(&self, since: u64) -> Vec<Value> {
        self.records.iter().filter(|record| record.seq > since).map(Record::json).collect()
    }

    pub(super) fn last(&self) -> u64 {
        self.records.len() as u64
    }

    pub(super) fn matching(&self, wanted: &Wanted) -> Vec<Value> {
        let matching = self.records.iter().skip(wanted.after as usize).filter(|record| record.is(wanted));
        matching.map(Record::json).collect()
    }
}
