//! How does a request become an answer? The HTTP side: paths, the long poll, and the faults that are played on the way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{Response, header};
use axum::{body::Body, routing};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::chats::chat_id;
use super::control;
use super::faults::{Fault, Kind};
use super::flood::Lane;
use super::log::Outcome;
use super::methods::{lanes, spelled};
use super::params::Params;
use super::refusal::{Answer, Refusal};
use super::wire::{Doors, Plan, Switch};
use super::world::World;

/// More than a document may have, so that its refusal is Telegram's own.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// The world, and the bell that rings when something in it changes.
pub(super) struct Hub {
    world: Mutex<World>,
    pub(super) changed: watch::Sender<u64>,
    token: String,
}

impl Hub {
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn settle(&self, seq: u64, outcome: Outcome) {
        {
            let mut world = self.lock();
            let done = world.clock.running_ns();
            if let Some(record) = world.log.record(seq) {
                record.outcome = outcome;
                record.done_ns = Some(done);
            }
        }
        self.ring();
    }
}

/// A server that runs until this is dropped; its connections end with it.
pub(crate) struct Running {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl std::fmt::Display for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.address.fmt(f)
    }
}

/// Starts a server for the bot of this token. Port 0 is any port.
///
/// # Errors
/// The port cannot be had.
pub(crate) fn start(port: u16, token: &str) -> io::Result<Running> {
    let doors = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    doors.set_nonblocking(true)?;
    let address = doors.local_addr()?;
    let bot = token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or(1);
    let hub = Hub { world: Mutex::new(World::new(bot)), changed: watch::Sender::new(0), token: token.to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        runtime.block_on(async move {
            let Ok(doors) = tokio::net::TcpListener::from_std(doors) else { return };
            let app = app(Arc::new(hub)).into_make_service_with_connect_info::<Switch>();
            tokio::select! {
                _ = axum::serve(Doors(doors), app) => {}
                _ = stopped => {}
            }
        });
    });
    Ok(Running { address, _stop: stop })
}

fn app(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/control/{what}", routing::any(control::control))
        .route("/control/chat/{id}", routing::get(control::chat))
        .fallback(bot)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(hub)
}

fn page(hub: &Hub, status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    let date = chrono::DateTime::from_timestamp(hub.lock().clock.date(), 0).unwrap_or_default();
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let head = Response::builder().status(status).header(header::CONTENT_TYPE, kind).header(header::DATE, date);
    head.body(body.into()).unwrap_or_default()
}

fn answered(hub: &Hub, answer: &Answer) -> Response<Body> {
    let (status, body) = match answer {
        Ok(result) => (200, json!({ "ok": true, "result": result })),
        Err(refusal) => (refusal.code, refusal.body()),
    };
    let text = match answer {
        Ok(Value::Array(updates)) if updates.iter().any(|one| one.get("update_id").is_some()) => {
            format!("{{\"ok\":true,\"result\":{}}}", super::updates::written(updates))
        }
        _ => body.to_string(),
    };
    let mut response = page(hub, status, "application/json", text);
    if let Some(seconds) = body["parameters"]["retry_after"].as_u64() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The messages an answer is about.
fn messages(result: &Value) -> Vec<i64> {
    let one = |value: &Value| value.get("chat").and(value["message_id"].as_i64());
    result.as_array().map_or_else(|| one(result).into_iter().collect(), |all| all.iter().filter_map(one).collect())
}

fn outcome(answer: &Answer) -> Outcome {
    match answer {
        Ok(result) => Outcome::Accepted { messages: messages(result) },
        Err(Refusal { code, description, .. }) => Outcome::Rejected { code: *code, description: description.clone() },
    }
}

/// Token and method of a path; a token may come with its colon escaped.
fn named(path: &str, before: &str) -> Option<(String, String)> {
    let (token, rest) = path.strip_prefix(before)?.split_once('/')?;
    Some((token.replace("%3A", ":").replace("%3a", ":"), rest.to_owned()))
}

async fn bot(
    State(hub): State<Arc<Hub>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if let Some((token, file)) = named(&path, "/file/bot") {
        let found = hub.lock().files.download(&file).filter(|_| token == hub.token);
        return match found {
            Some(bytes) => page(&hub, 200, "application/octet-stream", bytes),
            None => answered(&hub, &Err(Refusal::no_method())),
        };
    }
    let Some((token, name)) = named(&path, "/bot") else { return answered(&hub, &Err(Refusal::no_method())) };
    let method = spelled(&name).unwrap_or(name.as_str());
    let at_ns = hub.lock().clock.running_ns();
    if hub.lock().faults.refused(method) {
        let seq = hub.lock().log.open(at_ns, method, json!({}));
        hub.settle(seq, Outcome::Faulted { fault: "refuse".to_owned(), messages: None });
        switch.set(Plan::Reset);
        return Response::default();
    }
    let params = match Params::read(request).await {
        Ok(params) => params,
        Err(refusal) => {
            let seq = hub.lock().log.open(at_ns, method, json!({}));
            let answer = Err(refusal);
            hub.settle(seq, outcome(&answer));
            return answered(&hub, &answer);
        }
    };
    let seq = hub.lock().log.open(at_ns, method, params.shown());
    hub.ring();
    if token != hub.token {
        let answer = Err(Refusal::unauthorized());
        hub.settle(seq, outcome(&answer));
        return answered(&hub, &answer);
    }
    serve(&hub, &switch, seq, method, &params).await
}

/// Past the waits, through the faults, to the method.
async fn serve(hub: &Hub, switch: &Switch, seq: u64, method: &str, params: &Params) -> Response<Body> {
    let (refusal, fault) = {
        let mut world = hub.lock();
        let now = world.clock.now_ms();
        let entry = world.flood.enter(&lanes(method, params), now);
        if let Some(record) = world.log.record(seq) {
            record.violation = entry.violation;
        }
        let fault = entry.refusal.is_none().then(|| world.faults.of_request(method, chat_id(params))).flatten();
        (entry.refusal, fault)
    };
    if let Some(fault) = fault {
        return play(hub, switch, seq, &fault, method, params).await;
    }
    let answer = match refusal {
        Some(refusal) => Err(refusal),
        None => perform(hub, method, params).await,
    };
    hub.settle(seq, outcome(&answer));
    answered(hub, &answer)
}

async fn perform(hub: &Hub, method: &str, params: &Params) -> Answer {
    if method == "getUpdates" { poll(hub, params).await } else { hub.lock().call(method, params) }
}

/// What a fault answers without asking the method.
fn scripted(hub: &Hub, fault: &Fault, method: &str, params: &Params) -> Option<Refusal> {
    let text = fault.description.as_deref();
    match fault.kind {
        Kind::Throttle => {
            let mut world = hub.lock();
            let now = world.clock.now_ms();
            let lane = match (chat_id(params), lanes(method, params).len()) {
                (Some(chat), 3) => Lane::Chat(chat),
                _ => Lane::Method(method.to_owned()),
            };
            let kept = fault.enforced_s.or(fault.retry_after).unwrap_or(0);
            Some(world.flood.impose(lane, fault.retry_after, kept, now))
        }
        Kind::Conflict => Some(Refusal::other_poller()),
        Kind::Unauthorized => Some(Refusal::unauthorized()),
        Kind::BadRequest => Some(Refusal { description: text?.to_owned(), ..Refusal::bad("") }),
        _ => None,
    }
}

async fn play(hub: &Hub, switch: &Switch, seq: u64, fault: &Fault, method: &str, params: &Params) -> Response<Body> {
    let told = match scripted(hub, fault, method, params) {
        None if fault.kind == Kind::BadRequest => Some(Refusal::bad("scripted by the test")),
        told => told,
    };
    let answer = match told {
        Some(refusal) => Err(refusal),
        None if fault.effect() => perform(hub, method, params).await,
        None => Ok(Value::Null),
    };
    let effect = fault.effect() && answer.is_ok();
    let messages = effect.then(|| messages(answer.as_ref().unwrap_or(&Value::Null)));
    hub.settle(seq, Outcome::Faulted { fault: fault.name().to_owned(), messages });
    let html = |status| {
        let body =
            format!("<html>\r\n<head><title>{status}</title></head>\r\n<body><h1>{status}</h1></body>\r\n</html>\r\n");
        page(hub, status, "text/html", body)
    };
    let mut response = match fault.kind {
        Kind::Status => html(fault.status),
        Kind::Hang => {
            match fault.ms {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => std::future::pending().await,
            }
            if fault.effect() { answered(hub, &answer) } else { html(504) }
        }
        _ => answered(hub, &answer),
    };
    switch.set(match fault.kind {
        Kind::ResetBefore | Kind::ResetAfter => Plan::Reset,
        Kind::CutJson => Plan::Cut,
        Kind::Slow => Plan::Drip { bytes: fault.bytes, pause: Duration::from_millis(fault.ms.unwrap_or(20)) },
        _ => Plan::Pass,
    });
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}

/// Waits for updates as long as it is asked to, or until another poll or a webhook ends it.
async fn poll(hub: &Hub, params: &Params) -> Answer {
    let mut changed = hub.changed.subscribe();
    let turn = {
        let mut world = hub.lock();
        let now = world.clock.now_ms();
        if !world.profile.webhook.is_empty() {
            let why =
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
            return Err(Refusal::conflict(why));
        }
        if let Some(kinds) = params.get("allowed_updates").and_then(Value::as_array) {
            world.queue.allow(kinds);
        }
        world.queue.confirm(params.int("offset").unwrap_or(0), now);
        world.queue.turn += 1;
        world.queue.turn
    };
    hub.ring();
    let limit = params.int("limit").filter(|limit| (1..=100).contains(limit)).unwrap_or(100) as usize;
    let end = Instant::now() + Duration::from_secs(params.int("timeout").unwrap_or(0).clamp(0, 50) as u64);
    loop {
        {
            let mut world = hub.lock();
            if !world.profile.webhook.is_empty() {
                return Err(Refusal::conflict("terminated by setWebhook request"));
            }
            if world.queue.turn != turn {
                return Err(Refusal::other_poller());
            }
            let batch = batch(&mut world, limit);
            if !batch.is_empty() || Instant::now() >= end {
                return Ok(Value::Array(batch));
            }
        }
        let _ = tokio::time::timeout_at(end, changed.changed()).await;
    }
}

fn batch(world: &mut World, limit: usize) -> Vec<Value> {
    let mut batch = world.queue.first(limit);
    if batch.is_empty() {
        return batch;
    }
    let Some(fault) = world.faults.of_batch() else { return batch };
    match fault.kind {
        Kind::DuplicateUpdate => {
            batch = batch.into_iter().flat_map(|update| std::iter::repeat_n(update, fault.copies)).collect();
        }
        Kind::RepeatUpdate => batch.splice(0..0, world.queue.confirmed()).for_each(drop),
        Kind::Disorder => batch.reverse(),
        _ => {}
    }
    batch
}
