//! What did the bot ask, and what became of it? Every request, in the order in which they came.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::clock::machine;

/// A request as it begins.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    pub(crate) method: String,
    pub(crate) params: Value,
    /// The chat or channel it is for.
    pub(crate) place: Option<String>,
    /// What a wait looks for in it.
    pub(crate) text: String,
    /// What else the log shows of it.
    pub(crate) more: Map<String, Value>,
}

#[derive(Debug)]
struct Record {
    seq: u64,
    at_ns: u64,
    done_ns: Option<u64>,
    begun: Begun,
    /// `pending`, `accepted`, `rejected` or `fault`, with what belongs to it.
    outcome: Value,
    /// It came inside a window in which it had been told to wait.
    violation: bool,
}

/// Which requests a wait is for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    after: u64,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) count: Option<usize>,
    method: Option<String>,
    #[serde(alias = "chat", alias = "channel")]
    place: Option<Value>,
    #[serde(alias = "text_contains")]
    contains: Option<String>,
    /// `accepted` (the default), `rejected`, `fault`, `any` of these, or `pending`.
    outcome: Option<String>,
}

impl Record {
    fn json(&self) -> Value {
        let mut entry = json!({
            "seq": self.seq, "at_ns": self.at_ns, "done_ns": self.done_ns, "method": self.begun.method,
            "params": self.begun.params, "outcome": self.outcome, "violation": self.violation,
        });
        self.begun.more.iter().for_each(|(key, value)| entry[key] = value.clone());
        entry
    }

    fn is(&self, wanted: &Wanted) -> bool {
        let kind = self.outcome["kind"].as_str().unwrap_or_default();
        let took_effect = kind == "accepted" || (kind == "fault" && self.outcome["effect"] == true);
        let is_kind = match wanted.outcome.as_deref().unwrap_or("accepted") {
            "accepted" => took_effect,
            "any" => kind != "pending",
            other => kind == other,
        };
        let is_there = |place: &Value| {
            let place = place.as_str().map_or_else(|| place.to_string(), str::to_owned);
            self.begun.place.as_ref() == Some(&place)
        };
        is_kind
            && wanted.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&self.begun.method))
            && wanted.place.as_ref().is_none_or(is_there)
            && wanted.contains.as_ref().is_none_or(|part| self.begun.text.contains(part.as_str()))
    }
}

#[derive(Debug)]
pub(crate) struct Log {
    started: Instant,
    records: Vec<Record>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { started: machine().0, records: Vec::new() }
    }

    /// Nanoseconds since the start, by the machine's clock: never stopped, never moved.
    pub(crate) fn now_ns(&self) -> u64 {
        machine().0.duration_since(self.started).as_nanos() as u64
    }

    /// Writes down a request: its number, from 1.
    pub(crate) fn open(&mut self, at_ns: u64, begun: Begun) -> u64 {
        let seq = self.last() + 1;
        let outcome = json!({ "kind": "pending" });
        self.records.push(Record { seq, at_ns, done_ns: None, begun, outcome, violation: false });
        seq
    }

    fn record(&mut self, seq: u64) -> Option<&mut Record> {
        self.records.get_mut(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    pub(crate) fn settle(&mut self, seq: u64, outcome: Value) {
        let done = self.now_ns();
        if let Some(record) = self.record(seq) {
            (record.outcome, record.done_ns) = (outcome, Some(done));
        }
    }

    /// Whether the request came inside a window in which it had been told to wait.
    pub(crate) fn violates(&mut self, seq: u64, violation: bool) {
        if let Some(record) = self.record(seq) {
            record.violation = violation;
        }
    }

    pub(crate) fn since(&self, since: u64) -> Vec<Value> {
        self.records.iter().filter(|record| record.seq > since).map(Record::json).collect()
    }

    pub(crate) fn last(&self) -> u64 {
        self.records.len() as u64
    }

    pub(crate) fn matching(&self, wanted: &Wanted) -> Vec<Value> {
        let matching = self.records.iter().skip(wanted.after as usize).filter(|record| record.is(wanted));
        matching.map(Record::json).collect()
    }
}
