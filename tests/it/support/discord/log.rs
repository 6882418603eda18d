//! What did the bot ask, and what became of it? Every request, in the order in which they came, and what it did at the gateway.

use serde_json::{Value, json};

#[derive(Debug)]
pub(super) struct Record {
    seq: u64,
    at_ns: u64,
    pub(super) done_ns: Option<u64>,
    /// What it is called here, such as `create_message`.
    name: String,
    http: String,
    /// The path of the published description.
    template: String,
    channel: Option<u64>,
    params: Value,
    files: Vec<String>,
    /// `pending`, `accepted`, `rejected` or `fault`, with what belongs to it.
    pub(super) outcome: Value,
    /// It came inside a window in which it had been told to wait.
    pub(super) violation: bool,
}

/// A request as it begins.
#[derive(Debug, Default)]
pub(super) struct Begun {
    pub(super) name: String,
    pub(super) http: String,
    pub(super) template: String,
    pub(super) channel: Option<u64>,
    pub(super) params: Value,
    pub(super) files: Vec<String>,
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
    channel: Option<String>,
    contains: Option<String>,
    /// `accepted` (the default), `rejected`, `fault`, `any` of these, or `pending`.
    outcome: Option<String>,
}

impl Record {
    fn json(&self) -> Value {
        json!({
            "seq": self.seq, "at_ns": self.at_ns, "done_ns": self.done_ns, "method": self.name, "http": self.http,
            "template": self.template, "channel": self.channel.map(|id| id.to_string()), "params": self.params,
            "files": self.files, "outcome": self.outcome, "violation": self.violation,
        })
    }

    fn is(&self, wanted: &Wanted) -> bool {
        let kind = self.outcome["kind"].as_str().unwrap_or_default();
        let took_effect = kind == "accepted" || (kind == "fault" && self.outcome["effect"] == true);
        let is_kind = match wanted.outcome.as_deref().unwrap_or("accepted") {
            "accepted" => took_effect,
            "any" => kind != "pending",
            other => kind == other,
        };
        is_kind
            && wanted.method.as_ref().is_none_or(|method| *method == self.name)
            && wanted.channel.as_ref().is_none_or(|id| self.channel.is_some_and(|own| own.to_string() == *id))
            && wanted.contains.as_ref().is_none_or(|part| self.params.to_string().contains(part.as_str()))
    }
}

#[derive(Debug, Default)]
pub(super) struct Log {
    records: Vec<Record>,
}

impl Log {
    /// Writes down a request: its number, from 1.
    pub(super) fn open(&mut self, at_ns: u64, begun: Begun) -> u64 {
        let seq = self.records.len() as u64 + 1;
        let Begun { name, http, template, channel, params, files } = begun;
        let outcome = json!({ "kind": "pending" });
        let record = Record {
            seq,
            at_ns,
            done_ns: None,
            name,
            http,
            template,
            channel,
            params,
            files,
            outcome,
            violation: false,
        };
        self.records.push(record);
        seq
    }

    /// Writes down something that is no request.
    pub(super) fn note(&mut self, at_ns: u64, name: &str, params: Value) {
        let seq = self.open(at_ns, Begun { name: name.to_owned(), params, ..Begun::default() });
        self.record(seq).into_iter().for_each(|record| {
            (record.outcome, record.done_ns) = (json!({ "kind": "accepted" }), Some(at_ns));
        });
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
