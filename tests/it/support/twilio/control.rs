//! How does a script set up the world? What phones text, what becomes of messages, what goes wrong, and what can be read back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::fake::control::{Reply, reply};
use super::posting::{Post, Spoilt};
use super::server::Hub;
use super::world::Fault;

pub(super) async fn control(State(hub): State<Arc<Hub>>, Path(what): Path<String>, body: Bytes) -> Reply {
    let given: Value = if body.is_empty() { json!({}) } else { serde_json::from_slice(&body).unwrap_or_default() };
    let done = match what.as_str() {
        "log" => Ok(log(&hub)),
        "wait" => wait(&hub, &given).await,
        "text" | "status" => posted(&hub, &what, &given).await,
        "fault" => script(&hub, given),
        "set" => set(&hub, &given),
        _ => Err(format!("there is no control call {what}")),
    };
    hub.ring();
    reply(done)
}

/// Messages and requests so far.
fn log(hub: &Hub) -> Value {
    let world = hub.lock();
    let messages: Vec<Value> = world.messages.iter().map(|sent| world.json(sent)).collect();
    let asked = |asked: &super::world::Asked| json!({ "method": asked.method, "path": asked.path, "form": asked.form, "status": asked.status });
    json!({ "messages": messages, "asked": world.asked.iter().map(asked).collect::<Vec<_>>() })
}

/// Waits for so many messages whose text contains something.
async fn wait(hub: &Hub, given: &Value) -> Result<Value, String> {
    let (count, text) = (given["count"].as_u64().unwrap_or(1), given["text"].as_str().unwrap_or_default());
    let patience = Duration::from_millis(given["timeout_ms"].as_u64().unwrap_or(10_000));
    let mut changed = hub.changed.subscribe();
    let enough = changed
        .wait_for(|_| hub.lock().messages.iter().filter(|sent| sent.body.contains(text)).count() as u64 >= count);
    let came = tokio::time::timeout(patience, enough).await.is_ok();
    if came { Ok(log(hub)) } else { Err(format!("timeout: {}", log(hub))) }
}

async fn posted(hub: &Hub, what: &str, given: &Value) -> Result<Value, String> {
    let spoilt: Spoilt = serde_json::from_value(given.get("spoilt").cloned().unwrap_or_else(|| json!("no")))
        .map_err(|error| error.to_string())?;
    let text = |name: &str| given[name].as_str().map(str::to_owned).ok_or_else(|| format!("{name} is missing"));
    let post: Post = {
        let mut world = hub.lock();
        if what == "text" {
            let sid = given["sid"].as_str().map_or_else(|| world.name(), str::to_owned);
            world.text(&sid, &text("from")?, &text("body")?, spoilt)
        } else {
            let code = given["code"].as_u64().and_then(|code| u32::try_from(code).ok());
            world
                .fate(&text("sid")?, &text("status")?, code, spoilt)
                .ok_or("no such message, or it named no address")?
        }
    };
    let answer = tokio::task::spawn_blocking(move || post.go()).await.map_err(|error| error.to_string())?;
    let (status, body) = answer.ok_or("nobody answered")?;
    Ok(json!({ "status": status, "body": body }))
}

fn script(hub: &Hub, given: Value) -> Result<Value, String> {
    let times = given["times"].as_u64().unwrap_or(1);
    let fault: Fault = serde_json::from_value(given).map_err(|error| error.to_string())?;
    hub.lock().faults.extend((0..times).map(|_| fault));
    Ok(json!({}))
}

fn set(hub: &Hub, given: &Value) -> Result<Value, String> {
    let mut world = hub.lock();
    for (key, value) in given.as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default().to_owned();
        match key.as_str() {
            "public" => world.public = text,
            "deliver_to" => world.deliver_to = text,
            "account" => world.account = text,
            "deaf" => world.deaf = value.as_bool().unwrap_or_default(),
            "trial" => world.trial = value.as_bool().unwrap_or_default(),
            "queue_max" => world.queue_max = value.as_u64().unwrap_or_default() as usize,
            "fates" => world.fates = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?,
            "refusals" => world.refusals = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?,
            _ => return Err(format!("there is no setting {key}")),
        }
    }
    Ok(json!({}))
}
