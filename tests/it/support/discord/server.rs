//! How does a request become an answer? The HTTP side: who calls, how often, and the faults that are played on the way.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::{body::Body, routing};
use serde_json::{Map, Value, json};

use super::control::control;
use super::fake::hub::{self, Running};
use super::fake::log::Begun;
use super::fake::page;
use super::fake::wire::{Plan, Switch};
use super::faults::{Fault, Kind};
use super::forms::{Form, REQUEST_BYTES};
use super::gateway;
use super::rates::INVALID_MAX;
use super::refusal::{Answer, Refusal};
use super::rest::Route;
use super::world::World;

const API: &str = "/api/v10";

/// The bot of the tests.
pub(crate) const TOKEN: &str = "TEST.token-of.the-fake";

pub(super) type Hub = hub::Hub<World>;

/// Starts a server for the bot of this token. Port 0 is any port.
///
/// # Errors
/// The port cannot be had.
pub(crate) fn start(port: u16, token: &str) -> io::Result<Running<World>> {
    hub::start(port, |address| World::new(token, address), app)
}

fn app(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/control/{what}", routing::any(control))
        .route("/gateway", routing::any(gateway::open))
        .route("/gateway/", routing::any(gateway::open))
        .route("/resume", routing::any(gateway::open))
        .route("/resume/", routing::any(gateway::open))
        .fallback(bot)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .with_state(hub)
}

fn page(hub: &Hub, status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    page::page(hub.lock().clock.date(), status, kind, body)
}

fn html(hub: &Hub, status: u16) -> Response<Body> {
    page::html(hub.lock().clock.date(), status)
}

/// The answer with what its head says about rates.
fn answered(hub: &Hub, route: Option<&Route>, answer: &Answer) -> Response<Body> {
    let mut response = match answer {
        Ok(Value::Null) => page(hub, 204, "text/html; charset=utf-8", ""),
        Ok(value) => page(hub, 200, "application/json", value.to_string()),
        Err(refusal) => page(hub, refusal.status, "application/json", refusal.body().to_string()),
    };
    let head = route.and_then(|route| {
        let world = hub.lock();
        world.rates.head(route.name, route.major(), world.clock.now_ms())
    });
    let mut say = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    if let Some(head) = head {
        say("x-ratelimit-bucket", head.bucket);
        say("x-ratelimit-limit", head.limit.to_string());
        say("x-ratelimit-remaining", head.remaining.to_string());
        say("x-ratelimit-reset-after", format!("{:.3}", head.reset_ms as f64 / 1000.0));
    }
    if let Err(Refusal { wait: Some((ms, scope)), .. }) = answer {
        say("retry-after", ms.div_ceil(1000).to_string());
        say("x-ratelimit-scope", (*scope).to_owned());
        if *scope == "global" {
            say("x-ratelimit-global", "true".to_owned());
        } else {
            say("x-ratelimit-reset-after", format!("{:.3}", *ms as f64 / 1000.0));
        }
    }
    response
}

fn outcome(answer: &Answer) -> Value {
    match answer {
        Ok(value) => json!({ "kind": "accepted", "message_id": value["id"] }),
        Err(refusal) => json!({ "kind": "rejected", "status": refusal.status, "code": refusal.code,
            "field": refusal.field.as_ref().map(|(field, fault)| format!("{field}: {fault}")) }),
    }
}

async fn bot(
    State(hub): State<Arc<Hub>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response<Body> {
    let (path, at_ns) = (request.uri().path().to_owned(), hub.log().now_ns());
    let route = path.strip_prefix(API).and_then(|path| Route::of(request.method().as_str(), path));
    let Some(route) = route else {
        let begun = Begun { method: "unknown".to_owned(), params: json!({ "path": path }), ..Begun::default() };
        let seq = hub.log().open(at_ns, begun);
        let answer = Err(Refusal::not_found());
        hub.settle(seq, outcome(&answer));
        return answered(&hub, None, &answer);
    };
    let begun = |form: &Form| Begun {
        method: route.name.to_owned(),
        params: form.json.clone(),
        place: route.channel().map(|id| id.to_string()),
        text: form.json.to_string(),
        more: Map::from_iter([
            ("http".to_owned(), json!(route.http)),
            ("template".to_owned(), json!(route.template)),
            ("channel".to_owned(), json!(route.channel().map(|id| id.to_string()))),
            ("files".to_owned(), form.files.iter().map(|(name, _)| json!(name)).collect()),
        ]),
    };
    if hub.lock().faults.refuses(route.name) {
        let seq = hub.log().open(at_ns, begun(&Form::default()));
        hub.settle(seq, json!({ "kind": "fault", "fault": "refuse", "effect": false }));
        switch.set(Plan::Reset);
        return Response::default();
    }
    let (agent, authorization) = (text(&request, header::USER_AGENT), text(&request, header::AUTHORIZATION));
    let query = request.uri().query().unwrap_or_default().to_owned();
    let form = Form::read(request).await;
    let seq = hub.log().open(at_ns, begun(form.as_ref().unwrap_or(&Form::default())));
    hub.ring();
    let token = hub.lock().token.clone();
    let allowed = route.is_interaction() || authorization == format!("Bot {token}");
    let early = match (&form, allowed) {
        // Whoever comes with the token of a webhook may call itself what it likes.
        _ if !agent.starts_with("DiscordBot (") && !route.is_interaction() => {
            Some(Refusal::new(403, 40_333, "internal network error"))
        }
        (_, false) => Some(Refusal::unauthorized()),
        (Err(refusal), _) => Some(refusal.clone()),
        _ => None,
    };
    if let Some(refusal) = early {
        count(&hub, &refusal);
        let answer = Err(refusal);
        hub.settle(seq, outcome(&answer));
        return answered(&hub, None, &answer);
    }
    serve(&hub, &switch, seq, &route, &query, &form.unwrap_or_default()).await
}

fn text(request: &Request, name: header::HeaderName) -> String {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn count(hub: &Hub, refusal: &Refusal) {
    let mut world = hub.lock();
    let now = world.clock.now_ms();
    world.rates.count(refusal.status, refusal.wait.map(|(_, scope)| scope), now);
}

/// Past the limits, through the faults, to the call itself.
async fn serve(hub: &Hub, switch: &Switch, seq: u64, route: &Route, query: &str, form: &Form) -> Response<Body> {
    let (refusal, fault) = {
        let mut world = hub.lock();
        let now = world.clock.now_ms();
        if world.rates.invalid() >= INVALID_MAX {
            drop(world);
            hub.settle(seq, json!({ "kind": "rejected", "status": 429, "code": 0, "field": "barred" }));
            return html(hub, 429);
        }
        let (violation, refusal) = world.rates.enter(route.name, route.major(), route.is_interaction(), now);
        hub.log().violates(seq, violation);
        let fault = refusal.is_none().then(|| world.faults.of_request(route.name, |_| true)).flatten();
        (refusal, fault)
    };
    if let Some(fault) = fault {
        return play(hub, switch, seq, &fault, (route, query, form)).await;
    }
    let answer = match refusal {
        Some(refusal) => Err(refusal),
        None => perform(hub, route, query, form),
    };
    if let Err(refusal) = &answer {
        count(hub, refusal);
    }
    hub.settle(seq, outcome(&answer));
    answered(hub, Some(route), &answer)
}

fn perform(hub: &Hub, route: &Route, query: &str, form: &Form) -> Answer {
    hub.lock().call(route, query, form)
}

/// What a fault answers without asking the call itself.
fn scripted(hub: &Hub, fault: &Fault, route: &Route) -> Option<Refusal> {
    let own = &fault.own;
    Some(match own.kind? {
        Kind::Throttle => {
            let mut world = hub.lock();
            let (now, told) = (world.clock.now_ms(), own.retry_ms.unwrap_or(0));
            let kept = own.enforced_ms.unwrap_or(told);
            world.rates.impose(route.name, route.major(), own.scope() == "global", told, kept, now);
            Refusal::too_many(told, own.scope())
        }
        Kind::Refusal => Refusal::new(fault.how.status, own.code, &own.message),
    })
}

async fn play(
    hub: &Hub,
    switch: &Switch,
    seq: u64,
    fault: &Fault,
    (route, query, form): (&Route, &str, &Form),
) -> Response<Body> {
    let answer = match scripted(hub, fault, route) {
        Some(refusal) => {
            count(hub, &refusal);
            Err(refusal)
        }
        None if fault.effect() => perform(hub, route, query, form),
        None => Ok(Value::Null),
    };
    let effect = fault.effect() && answer.is_ok();
    hub.settle(seq, json!({ "kind": "fault", "fault": fault.name(), "effect": effect }));
    let is_untold = fault.own.kind == Some(Kind::Throttle) && fault.own.retry_ms.is_none();
    let answered = || {
        if is_untold {
            page(hub, 429, "application/json", "{\"message\": \"You are being rate limited.\"}")
        } else {
            answered(hub, Some(route), &answer)
        }
    };
    fault.spoil(switch, answered, |status| html(hub, status)).await
}
