//! What goes wrong, and when? Faults that are scripted for the next requests of a kind, or for all until they are taken back.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::wire::{Plan, Switch};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Reset before the body is read. Only the method is looked at.
    Refuse,
    /// Reset without effect and without an answer.
    ResetBefore,
    /// The effect, and then a reset instead of the answer.
    ResetAfter,
    /// The answer after `ms`, or never.
    Hang,
    /// An HTTP status with an HTML body.
    Status,
    /// Half a body.
    CutJson,
    /// An answer of a few bytes at a time.
    Slow,
    /// Something that this platform alone does.
    #[serde(untagged)]
    Own(String),
}

/// What every fake can do.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct How {
    kind: Kind,
    method: Option<String>,
    /// How many requests; 0 is all until the faults are cleared.
    #[serde(default = "once")]
    times: u32,
    effect: Option<bool>,
    ms: Option<u64>,
    #[serde(default = "bad_gateway")]
    pub(crate) status: u16,
    /// Bytes at a time, for `slow`.
    #[serde(default = "few")]
    bytes: usize,
}

/// The fields of [`How`]; all others are the platform's own.
const HOW: [&str; 7] = ["kind", "method", "times", "effect", "ms", "status", "bytes"];

fn once() -> u32 {
    1
}

fn bad_gateway() -> u16 {
    502
}

fn few() -> usize {
    16
}

/// A fault, with what only this platform knows: its `kind` is there too if it is one of its own.
#[derive(Debug, Clone)]
pub(crate) struct Fault<O> {
    pub(crate) how: How,
    pub(crate) own: O,
}

impl<O: DeserializeOwned> Fault<O> {
    /// Reads a fault of a script.
    ///
    /// # Errors
    /// A kind or a field that nobody knows.
    pub(crate) fn read(given: &Value) -> Result<Self, String> {
        let mut own = given.as_object().cloned().unwrap_or_default();
        let how: Map<String, Value> = HOW.iter().filter_map(|key| own.remove_entry(*key)).collect();
        let how: How = serde_json::from_value(how.into()).map_err(|error| error.to_string())?;
        if let Kind::Own(kind) = &how.kind {
            own.insert("kind".to_owned(), json!(kind));
        }
        let own = serde_json::from_value(own.into()).map_err(|error| error.to_string())?;
        Ok(Self { how, own })
    }
}

impl<O> Fault<O> {
    /// Whether the request takes effect although its answer is spoilt.
    pub(crate) fn effect(&self) -> bool {
        let usual = matches!(self.how.kind, Kind::ResetAfter | Kind::CutJson | Kind::Slow | Kind::Hang);
        self.how.effect.unwrap_or(usual)
    }

    /// Its name as the log shows it.
    pub(crate) fn name(&self) -> Value {
        json!(self.how.kind)
    }

    fn is_for(&self, method: &str) -> bool {
        self.how.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }

    /// What comes of an answer and of its connection. `html` is what a server before the platform says.
    pub(crate) async fn spoil(
        &self,
        switch: &Switch,
        answered: impl FnOnce() -> Response<Body>,
        html: impl FnOnce(u16) -> Response<Body>,
    ) -> Response<Body> {
        let mut response = match self.how.kind {
            Kind::Status => html(self.how.status),
            Kind::Hang => {
                match self.how.ms {
                    Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                    None => std::future::pending().await,
                }
                if self.effect() { answered() } else { html(504) }
            }
            _ => answered(),
        };
        switch.set(match self.how.kind {
            Kind::ResetBefore | Kind::ResetAfter => Plan::Reset,
            Kind::CutJson => Plan::Cut,
            Kind::Slow => Plan::Drip { bytes: self.how.bytes, pause: Duration::from_millis(self.how.ms.unwrap_or(20)) },
            _ => Plan::Pass,
        });
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

#[derive(Debug)]
pub(crate) struct Faults<O>(Vec<Fault<O>>);

impl<O: Clone> Faults<O> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn add(&mut self, fault: Fault<O>) {
        self.0.push(fault);
    }

    /// Clears all faults, or those for one method.
    pub(crate) fn clear(&mut self, method: Option<&str>) {
        self.0.retain(|fault| method.is_some_and(|method| fault.how.method.is_none() || !fault.is_for(method)));
    }

    fn take(&mut self, wanted: impl Fn(&Fault<O>) -> bool) -> Option<Fault<O>> {
        let at = self.0.iter().position(wanted)?;
        let fault = self.0[at].clone();
        match fault.how.times {
            0 => {}
            1 => drop(self.0.remove(at)),
            _ => self.0[at].how.times -= 1,
        }
        Some(fault)
    }

    /// Whether a connection is reset whose body is not read.
    pub(crate) fn refuses(&mut self, method: &str) -> bool {
        self.take(|fault| fault.how.kind == Kind::Refuse && fault.is_for(method)).is_some()
    }

    /// The fault of a request, of those that may be its.
    pub(crate) fn of_request(&mut self, method: &str, may: impl Fn(&O) -> bool) -> Option<Fault<O>> {
        self.take(|fault| fault.how.kind != Kind::Refuse && fault.is_for(method) && may(&fault.own))
    }
}
