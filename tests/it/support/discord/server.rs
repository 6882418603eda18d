//! How does a request become an answer? The HTTP side: who calls, how often, and the faults that are played on the way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::{body::Body, routing};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

use super::control;
use super::faults::{Fault, Kind};
use super::forms::{Form, REQUEST_BYTES};
use super::gateway;
use super::log::Begun;
use super::rates::INVALID_MAX;
use super::refusal::{Answer, Refusal};
use super::rest::Route;
use super::wire::{Doors, Plan, Switch};
use super::world::World;

const API: &str = "/api/v10";

/// The world, and the bell that rings when something in it changes.
pub(super) struct Hub {
    world: Mutex<World>,
    pub(super) changed: watch::Sender<u64>,
    address: SocketAddr,
}

impl Hub {
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Where the gateway is, or where it is taken up again.
    pub(super) fn gateway(&self, path: &str) -> String {
        format!("ws://{}/{path}", self.address)
    }

    fn settle(&self, seq: u64, outcome: Value) {
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
    let hub = Hub { world: Mutex::new(World::new(token)), changed: watch::Sender::new(0), address };
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
        .route("/gateway", routing::any(gateway::open))
        .route("/gateway/", routing::any(gateway::open))
        .route("/resume", routing::any(gateway::open))
        .route("/resume/", routing::any(gateway::open))
        .fallback(bot)
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .with_state(hub)
}

fn page(hub: &Hub, status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    let date = chrono::DateTime::from_timestamp(hub.lock().clock.date(), 0).unwrap_or_default();
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let head = Response::builder().status(status).header(header::CONTENT_TYPE, kind).header(header::DATE, date);
    head.body(body.into()).unwrap_or_default()
}

fn html(hub: &Hub, status: u16) -> Response<Body> {
    page(hub, status, "text/html", format!("<html>\r\n<body><h1>{status}</h1></body>\r\n</html>\r\n"))
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
    let path = request.uri().path().to_owned();
    let route = path.strip_prefix(API).and_then(|path| Route::of(request.method().as_str(), path));
    let Some(route) = route else {
        let begun = Begun { name: "unknown".to_owned(), params: json!({ "path": path }), ..Begun::default() };
        let at_ns = hub.lock().clock.running_ns();
        let seq = hub.lock().log.open(at_ns, begun);
        let answer = Err(Refusal::not_found());
        hub.settle(seq, outcome(&answer));
        return answered(&hub, None, &answer);
    };
    let at_ns = hub.lock().clock.running_ns();
    let begun = |form: &Form| Begun {
        name: route.name.to_owned(),
        http: route.http.to_owned(),
        template: route.template.to_owned(),
        channel: route.channel(),
        params: form.json.clone(),
        files: form.files.iter().map(|(name, _)| name.clone()).collect(),
    };
    if hub.lock().faults.take(route.name, true).is_some() {
        let seq = hub.lock().log.open(at_ns, begun(&Form::default()));
        hub.settle(seq, json!({ "kind": "fault", "fault": "refuse", "effect": false }));
        switch.set(Plan::Reset);
        return Response::default();
    }
    let (agent, authorization) = (text(&request, header::USER_AGENT), text(&request, header::AUTHORIZATION));
    let query = request.uri().query().unwrap_or_default().to_owned();
    let form = Form::read(request).await;
    let seq = hub.lock().log.open(at_ns, begun(form.as_ref().unwrap_or(&Form::default())));
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
        if let Some(record) = world.log.record(seq) {
            record.violation = violation;
        }
        let fault = refusal.is_none().then(|| world.faults.take(route.name, false)).flatten();
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
    let gateway = hub.gateway("gateway");
    hub.lock().call(route, query, form, &gateway)
}

/// What a fault answers without asking the call itself.
fn scripted(hub: &Hub, fault: &Fault, route: &Route) -> Option<Refusal> {
    match fault.kind {
        Kind::Throttle => {
            let mut world = hub.lock();
            let (now, told) = (world.clock.now_ms(), fault.retry_ms.unwrap_or(0));
            let kept = fault.enforced_ms.unwrap_or(told);
            world.rates.impose(route.name, route.major(), fault.scope() == "global", told, kept, now);
            Some(Refusal::too_many(told, fault.scope()))
        }
        Kind::Refusal => Some(Refusal::new(fault.status, fault.code, &fault.message)),
        _ => None,
    }
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
    let mut response = match fault.kind {
        Kind::Status => html(hub, fault.status),
        Kind::Hang => {
            match fault.ms {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => std::future::pending().await,
            }
            if fault.effect() { answered(hub, Some(route), &answer) } else { html(hub, 504) }
        }
        Kind::Throttle if fault.retry_ms.is_none() => {
            let words = "{\"message\": \"You are being rate limited.\"}";
            page(hub, 429, "application/json", words)
        }
        _ => answered(hub, Some(route), &answer),
    };
    switch.set(match fault.kind {
        Kind::ResetBefore | Kind::ResetAfter => Plan::Reset,
        Kind::CutJson => Plan::Cut,
        Kind::Slow => Plan::Drip { bytes: fault.bytes, pause: Duration::from_millis(fault.ms.unwrap_or(20)) },
        _ => Plan::Pass,
    });
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
