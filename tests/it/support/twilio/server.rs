//! How does a request become an answer? The account, its messages, and the faults that are played on the way.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::{Router, routing};
use base64::Engine as _;
use serde_json::{Value, json};

use super::control::control;
use super::fake::hub::{self, Running};
use super::fake::page::page as dated;
use super::fake::wire::{Plan, Switch};
use super::limits::{Refused, check, refused};
use super::posting::tell_fate;
use super::world::{Asked, Fault, Form, Sent, World};

const BODY_BYTES: usize = 1 << 20;

pub(super) type Hub = hub::Hub<World>;

/// Starts a server for an account. Port 0 is any port.
///
/// # Errors
/// The port cannot be had.
pub(crate) fn start(port: u16, sid: &str, token: &str) -> io::Result<Running<World>> {
    let app = |hub| Router::new().route("/control/{what}", routing::any(control)).fallback(api).with_state(hub);
    hub::start(port, |_| World::new(sid, token), app)
}

fn page(hub: &Hub, status: u16, kind: &str, body: String) -> Response<Body> {
    let mut response = dated(hub.lock().now() / 1_000, status, kind, body);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn answered(hub: &Hub, answer: &Result<(u16, Value), Refused>) -> Response<Body> {
    match answer {
        Ok((status, body)) => page(hub, *status, "application/json", body.to_string()),
        Err(Refused { status, code, words }) => {
            let more = format!("https://www.twilio.com/docs/errors/{code}");
            let body = json!({ "code": code, "message": words, "more_info": more, "status": status });
            page(hub, *status, "application/json", body.to_string())
        }
    }
}

async fn api(
    State(hub): State<Arc<Hub>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    let text =
        |name: header::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let method = head.method.as_str();
    let given =
        if method == "GET" { head.uri.query().unwrap_or_default() } else { std::str::from_utf8(&bytes).unwrap_or("%") };
    let form = Form::read(given);
    let is_form = method == "GET" || text(header::CONTENT_TYPE) == "application/x-www-form-urlencoded";
    let path = head.uri.path().to_owned();
    let fault = {
        let mut world = hub.lock();
        let deaf = world.deaf && method == "POST";
        world.faults.pop_front().or(deaf.then_some(Fault::Status { status: 503, done: false }))
    };
    let mut sent = None;
    let done = !matches!(
        fault,
        Some(
            Fault::ResetBefore
                | Fault::Hang { done: false }
                | Fault::Status { done: false, .. }
                | Fault::Throttle { .. }
                | Fault::Refuse { .. }
        )
    );
    let answer = match &form {
        _ if !is_authorized(&hub, text(header::AUTHORIZATION)) => refused(401, 20003, "Authenticate"),
        Some(form) if is_form && done => call(&hub, method, &path, form, &mut sent),
        Some(_) if is_form => Ok((500, Value::Null)),
        _ => refused(400, 20001, "That is no form"),
    };
    let status = answer.as_ref().map_or_else(|refused| refused.status, |(status, _)| *status);
    let shown = form.unwrap_or_default().json();
    #[expect(clippy::disallowed_methods, reason = "a server of its own reads the machine's clock")]
    let at = Instant::now();
    hub.lock().asked.push(Asked { method: method.to_owned(), path, form: shown, status, at });
    hub.ring();
    if let Some(sent) = sent {
        tell_fate(&hub, &sent);
    }
    match fault {
        Some(fault) => play(&hub, &switch, fault, &answer).await,
        None => answered(&hub, &answer),
    }
}

fn is_authorized(hub: &Hub, shown: &str) -> bool {
    let world = hub.lock();
    let wanted = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", world.sid, world.token));
    shown == format!("Basic {wanted}")
}

fn call(hub: &Hub, method: &str, path: &str, form: &Form, taken: &mut Option<Sent>) -> Result<(u16, Value), Refused> {
    let mut world = hub.lock();
    let account = format!("/2010-04-01/Accounts/{}", world.sid);
    match (method, path.strip_prefix(&account)) {
        ("GET", Some(".json")) => {
            Ok((200, json!({ "sid": world.sid, "status": world.account, "friendly_name": "test", "type": "Full" })))
        }
        ("POST", Some("/Messages.json")) => {
            check(&world, form)?;
            let sent = world.take(form);
            *taken = Some(sent.clone());
            Ok((201, world.json(&sent)))
        }
        ("GET", Some("/Messages.json")) => list(&world, form),
        _ => refused(404, 20404, format!("The requested resource {path} was not found")),
    }
}

/// The messages of a list, newest first. What waits in the queue was not sent on any day.
fn list(world: &World, form: &Form) -> Result<(u16, Value), Refused> {
    const KNOWN: [&str; 8] = ["To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"];
    if let Some(name) = form.names().find(|name| !KNOWN.contains(name)) {
        return refused(400, 20001, format!("Invalid parameter {name}"));
    }
    let size: usize = match form.get("PageSize").map(str::parse) {
        None => 50,
        Some(Ok(size @ 1..=1_000)) => size,
        Some(_) => return refused(400, 20001, "Invalid PageSize"),
    };
    let day = match form.get("DateSent>").map(|day| chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d")) {
        Some(Err(_)) => return refused(400, 20001, "Invalid DateSent"),
        day => day.and_then(Result::ok),
    };
    let fits = |sent: &&Sent| {
        let sent_on = chrono::DateTime::from_timestamp_millis(sent.made_ms).unwrap_or_default().date_naive();
        let waits = sent.status == "queued" || sent.status == "accepted";
        form.get("To").is_none_or(|to| to == sent.to) && day.is_none_or(|day| !waits && sent_on >= day)
    };
    let messages: Vec<Value> =
        world.messages.iter().rev().filter(fits).take(size).map(|sent| world.json(sent)).collect();
    Ok((200, json!({ "messages": messages, "page": 0, "page_size": size, "next_page_uri": null })))
}

async fn play(hub: &Hub, switch: &Switch, fault: Fault, answer: &Result<(u16, Value), Refused>) -> Response<Body> {
    match fault {
        Fault::ResetBefore | Fault::ResetAfter => switch.set(Plan::Reset),
        Fault::CutJson => switch.set(Plan::Cut),
        Fault::Slow => switch.set(Plan::Drip { bytes: 16, pause: Duration::from_millis(2) }),
        Fault::Hang { .. } => std::future::pending().await,
        Fault::Status { status, .. } => {
            return page(hub, status, "text/html", format!("<html><body><h1>{status}</h1></body></html>"));
        }
        Fault::Throttle { retry_after } => {
            let mut response = answered(hub, &refused(429, 20429, "Too Many Requests"));
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            return response;
        }
        Fault::Refuse { status, code } => return answered(hub, &refused(status, code, "scripted by the test")),
    }
    answered(hub, answer)
}
