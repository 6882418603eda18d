//! How does a request become an answer? The HTTP side: paths, the long poll, and the faults that are played on the way.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{Response, header};
use axum::{body::Body, routing};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::chats::chat_id;
use super::control::{chat, control};
use super::fake::hub::{self, Running};
use super::fake::log::Begun;
use super::fake::page;
use super::fake::wire::{Plan, Switch};
use super::faults::{Fault, Kind, Own};
use super::flood::Lane;
use super::methods::{lanes, spelled};
use super::params::{Params, int_of};
use super::refusal::{Answer, Refusal};
use super::world::World;

/// More than a document may have, so that its refusal is Telegram's own.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// The bot of the tests.
pub(crate) const TOKEN: &str = "123456:TEST-token-of-the-fake";

pub(super) type Hub = hub::Hub<World>;

/// Starts a server for the bot of this token. Port 0 is any port.
///
/// # Errors
/// The port cannot be had.
pub(crate) fn start(port: u16, token: &str) -> io::Result<Running<World>> {
    hub::start(port, |_| World::new(token), app)
}

fn app(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/control/{what}", routing::any(control))
        .route("/control/chat/{id}", routing::get(chat))
        .fallback(bot)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(hub)
}

fn page(hub: &Hub, status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    page::page(hub.lock().clock.date(), status, kind, body)
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

fn outcome(answer: &Answer) -> Value {
    match answer {
        Ok(result) => json!({ "kind": "accepted", "message_ids": messages(result) }),
        Err(refusal) => json!({ "kind": "rejected", "code": refusal.code, "description": refusal.description }),
    }
}

/// Token and method of a path; a token may come with its colon escaped.
fn named(path: &str, before: &str) -> Option<(String, String)> {
    let (token, rest) = path.strip_prefix(before)?.split_once('/')?;
    Some((token.replace("%3A", ":").replace("%3a", ":"), rest.to_owned()))
}

fn is_known(hub: &Hub, token: &str) -> bool {
    hub.lock().token == token
}

async fn bot(
    State(hub): State<Arc<Hub>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if let Some((token, file)) = named(&path, "/file/bot") {
        let found = if is_known(&hub, &token) { hub.lock().files.download(&file) } else { None };
        return match found {
            Some(bytes) => page(&hub, 200, "application/octet-stream", bytes),
            None => answered(&hub, &Err(Refusal::no_method())),
        };
    }
    let Some((token, name)) = named(&path, "/bot") else { return answered(&hub, &Err(Refusal::no_method())) };
    let method = spelled(&name).unwrap_or(name.as_str());
    let at_ns = hub.log().now_ns();
    if hub.lock().faults.refuses(method) {
        let seq = hub.log().open(at_ns, begun(method, json!({})));
        hub.settle(seq, json!({ "kind": "fault", "fault": "refuse", "effect": false, "message_ids": null }));
        switch.set(Plan::Reset);
        return Response::default();
    }
    let params = Params::read(request).await;
    let shown = params.as_ref().map_or_else(|_| json!({}), Params::shown);
    let seq = hub.log().open(at_ns, begun(method, shown));
    hub.ring();
    let is_known = is_known(&hub, &token);
    let params = match params {
        Ok(params) if is_known => params,
        refused => {
            let answer = Err(refused.err().unwrap_or_else(Refusal::unauthorized));
            hub.settle(seq, outcome(&answer));
            return answered(&hub, &answer);
        }
    };
    serve(&hub, &switch, seq, method, &params).await
}

/// A request as the log has it.
fn begun(method: &str, params: Value) -> Begun {
    Begun {
        method: method.to_owned(),
        place: int_of(&params["chat_id"]).map(|chat| chat.to_string()),
        text: params["text"].as_str().or(params["caption"].as_str()).unwrap_or_default().to_owned(),
        params,
        ..Begun::default()
    }
}

/// Past the waits, through the faults, to the method.
async fn serve(hub: &Hub, switch: &Switch, seq: u64, method: &str, params: &Params) -> Response<Body> {
    let (refusal, fault) = {
        let mut world = hub.lock();
        let now = world.clock.now_ms();
        let entry = world.flood.enter(&lanes(method, params), now);
        hub.log().violates(seq, entry.violation);
        let chat = chat_id(params);
        let fault = entry.refusal.is_none().then(|| world.faults.of_request(method, |own| own.is_for(chat))).flatten();
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
fn scripted(hub: &Hub, fault: &Own, method: &str, params: &Params) -> Option<Refusal> {
    match fault.kind? {
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
        Kind::BadRequest => Some(match &fault.description {
            Some(text) => Refusal { description: text.clone(), ..Refusal::bad("") },
            None => Refusal::bad("scripted by the test"),
        }),
        _ => None,
    }
}

async fn play(hub: &Hub, switch: &Switch, seq: u64, fault: &Fault, method: &str, params: &Params) -> Response<Body> {
    let answer = match scripted(hub, &fault.own, method, params) {
        Some(refusal) => Err(refusal),
        None if fault.effect() => perform(hub, method, params).await,
        None => Ok(Value::Null),
    };
    let effect = fault.effect() && answer.is_ok();
    let messages = effect.then(|| messages(answer.as_ref().unwrap_or(&Value::Null)));
    hub.settle(seq, json!({ "kind": "fault", "fault": fault.name(), "effect": effect, "message_ids": messages }));
    let html = |status| page::html(hub.lock().clock.date(), status);
    fault.spoil(switch, || answered(hub, &answer), html).await
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
    let Some(fault) = world.faults.of_request("getUpdates", Own::is_of_batches) else { return batch };
    match fault.own.kind {
        Some(Kind::DuplicateUpdate) => {
            batch = batch.into_iter().flat_map(|update| std::iter::repeat_n(update, fault.own.copies)).collect();
        }
        Some(Kind::RepeatUpdate) => batch.splice(0..0, world.queue.confirmed()).for_each(drop),
        Some(Kind::Disorder) => batch.reverse(),
        _ => {}
    }
    batch
}
