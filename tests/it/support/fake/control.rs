//! How does a test script a world? A JSON object to a path under `/control/`, and JSON back.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Json;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::hub::Hub;
use super::log::Wanted;

pub(crate) type Reply = (StatusCode, Json<Value>);

/// What a control call gives back, or why it could not be done.
pub(crate) type Done = Result<Value, String>;

pub(crate) fn reply(done: Done) -> Reply {
    match done {
        Ok(mut body) => {
            if body.is_object() {
                body["ok"] = json!(true);
            }
            (StatusCode::OK, Json(body))
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "ok": false, "error": error }))),
    }
}

/// Does what a call asks for: waits for requests, shows them, or lets the world `act`.
pub(crate) async fn control<W>(
    hub: &Hub<W>,
    what: &str,
    body: &[u8],
    act: impl FnOnce(&mut W, &str, &Value) -> Done,
) -> Reply {
    let given: Value = if body.is_empty() { json!({}) } else { serde_json::from_slice(body).unwrap_or_default() };
    if !given.is_object() {
        return reply(Err("the body must be a JSON object".to_owned()));
    }
    match what {
        "wait" => wait(hub, given).await,
        "log" => reply(Ok(Value::Array(hub.log().since(given["since"].as_u64().unwrap_or(0))))),
        what => {
            let done = act(&mut hub.lock(), what, &given);
            hub.ring();
            reply(done)
        }
    }
}

async fn wait<W>(hub: &Hub<W>, given: Value) -> Reply {
    let wanted: Wanted = match serde_json::from_value(given) {
        Ok(wanted) => wanted,
        Err(error) => return reply(Err(error.to_string())),
    };
    let end = Instant::now() + Duration::from_millis(wanted.timeout_ms.unwrap_or(10_000));
    let mut changed = hub.changed.subscribe();
    loop {
        let rung = *changed.borrow_and_update();
        let (entries, last) = {
            let log = hub.log();
            (log.matching(&wanted), log.last())
        };
        let missing = wanted.count.unwrap_or(1).saturating_sub(entries.len());
        if missing == 0 {
            return reply(Ok(json!({ "entries": entries, "last": last })));
        }
        if Instant::now() >= end {
            let body = json!({ "ok": false, "error": "timeout", "entries": entries, "last": last });
            return (StatusCode::REQUEST_TIMEOUT, Json(body));
        }
        // Each request that is still missing rings at least once.
        let enough = changed.wait_for(|count| *count >= rung + missing as u64);
        let _ = tokio::time::timeout_at(end, enough).await;
    }
}
