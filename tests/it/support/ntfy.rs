//! A push server as strict as ntfy (its server's code, release 2.16 with sequences): what it would refuse is refused here. What a phone
//! shows is kept, and failures are scripted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fake::clock::machine;
use super::fake::hub::{self, Hub, Running};
use super::fake::wire::{Plan, Switch};

/// Bytes of a message, and of the JSON around it.
const MESSAGE_MAX: usize = 4096;
const JSON_MAX: usize = 2 * MESSAGE_MAX;
const ACTIONS_MAX: usize = 3;

/// What it does instead of answering as it should.
#[derive(Debug, Clone)]
pub(crate) enum Stumble {
    /// Takes nothing and answers so.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Takes it, and never answers.
    Silent,
    /// Takes it, and the connection breaks before the answer.
    Break,
    /// Takes it, and the connection breaks in the middle of the answer.
    Cut,
}

/// A message as the server took it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pushed {
    pub(crate) topic: String,
    pub(crate) title: Option<String>,
    pub(crate) message: String,
    pub(crate) priority: u8,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) actions: Vec<Value>,
    pub(crate) sequence_id: Option<String>,
    /// When it had come.
    #[serde(skip)]
    pub(crate) at: Option<Instant>,
}

/// What the server knows.
#[derive(Default)]
pub(crate) struct World {
    /// `user:password`, or `:token`; anybody where it is empty.
    account: String,
    script: VecDeque<Stumble>,
    taken: Vec<Pushed>,
    asked: usize,
}

/// The server. It ends when the last of these is dropped.
#[derive(Clone)]
pub(crate) struct FakeNtfy(Arc<Running<World>>);

impl FakeNtfy {
    /// A server on loopback that knows this account, and the address of its topic with it.
    pub(crate) fn start(account: &str) -> (Self, String) {
        let world = World { account: account.to_owned(), ..World::default() };
        let running = hub::start(0, |_| world, |hub| Router::new().fallback(serve).with_state(hub)).expect("a port");
        let at = if account.is_empty() { String::new() } else { format!("{account}@") };
        let url = format!("http://{at}{running}/CANARY-topic");
        (Self(Arc::new(running)), url)
    }

    /// What it does next, one after the other; then it works.
    pub(crate) fn script(&self, stumbles: impl IntoIterator<Item = Stumble>) {
        self.0.hub.lock().script.extend(stumbles);
    }

    /// Everything that it took, in order.
    pub(crate) fn taken(&self) -> Vec<Pushed> {
        self.taken_after(0)
    }

    /// The same without so many of the first.
    pub(crate) fn taken_after(&self, count: usize) -> Vec<Pushed> {
        self.0.hub.lock().taken[count..].to_vec()
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.0.hub.lock().asked
    }

    /// What a phone shows: of each sequence the last.
    pub(crate) fn phone(&self) -> Vec<Pushed> {
        let mut shown: Vec<Pushed> = Vec::new();
        for pushed in self.taken() {
            shown.retain(|known| known.sequence_id.is_none() || known.sequence_id != pushed.sequence_id);
            shown.push(pushed);
        }
        shown
    }
}

impl World {
    fn admits(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = format!("Basic {}", STANDARD.encode(&self.account));
        self.account.is_empty() || shown == wanted
    }

    /// What is wrong with a request, as the server says it.
    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Pushed, (u16, u32)> {
        if method != Method::POST || uri.path() != "/" {
            return Err((404, 40401));
        }
        if !self.admits(headers) {
            return Err((401, 40101));
        }
        if body.len() > JSON_MAX {
            return Err((413, 41303));
        }
        let pushed: Pushed = serde_json::from_slice(body).map_err(|_| (400, 40024))?;
        let is_name = |name: &str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if !is_name(&pushed.topic) {
            return Err((400, 40009));
        }
        if !(1..=5).contains(&pushed.priority) {
            return Err((400, 40007));
        }
        if pushed.sequence_id.as_ref().is_some_and(|id| !is_name(id)) {
            return Err((400, 40049));
        }
        // A longer text would become a file, an empty one another word, and a comma another tag.
        let fits = (1..=MESSAGE_MAX).contains(&pushed.message.trim().len());
        if !fits || pushed.tags.iter().any(|tag| tag.is_empty() || tag.contains(',')) {
            return Err((400, 40000));
        }
        let is_link = |action: &Value| {
            let text = |name: &str| action[name].as_str().is_some_and(|text| !text.is_empty());
            action["action"] == "view" && text("label") && text("url")
        };
        if pushed.actions.len() > ACTIONS_MAX || !pushed.actions.iter().all(is_link) {
            return Err((400, 40018));
        }
        Ok(pushed)
    }
}

fn response(status: u16, headers: &[(&'static str, String)], body: Body) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, value);
    }
    builder.body(body).expect("an answer")
}

async fn serve(
    State(hub): State<Arc<Hub<World>>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    (method, uri): (Method, Uri),
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let (stumble, judged) = {
        let mut world = hub.lock();
        world.asked += 1;
        (world.script.pop_front(), world.judge(&method, &uri, &headers, &body))
    };
    if let Some(Stumble::Answer(status, headers, words)) = stumble {
        return response(status, &headers, words.into());
    }
    let pushed = match judged {
        Ok(pushed) => pushed,
        Err((status, code)) => {
            let words = json!({"code": code, "http": status, "error": "refused"}).to_string();
            return response(status, &[], words.into());
        }
    };
    let answer = json!({"id": "hwQ2YpKdmg", "event": "message", "topic": pushed.topic, "message": pushed.message});
    hub.lock().taken.push(Pushed { at: Some(machine().0), ..pushed });
    match stumble {
        Some(Stumble::Silent) => std::future::pending().await,
        Some(Stumble::Break) => switch.set(Plan::Reset),
        Some(Stumble::Cut) => switch.set(Plan::Cut),
        Some(Stumble::Answer(..)) | None => {}
    }
    response(200, &[], answer.to_string().into())
}
