//! How does the gateway talk? Hello, heartbeats, a session that begins or is taken up, events, and every way in which it ends.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::Uri;
use axum::response::Response;
use serde_json::{Value, json};

use super::fake::log::Begun;
use super::server::Hub;
use super::sessions::Act;
use super::world::{APPLICATION, ME};

const PAYLOAD_BYTES: usize = 4_096;
const SENDS_PER_MINUTE: usize = 120;

pub(super) async fn open(State(hub): State<Arc<Hub>>, uri: Uri, upgrade: WebSocketUpgrade) -> Response {
    let via = uri.path().trim_matches('/').to_owned();
    upgrade.on_upgrade(move |socket| async move {
        let mut one = {
            let mut world = hub.lock();
            world.sessions.connections += 1;
            let number = world.sessions.connections;
            note(&hub, "gateway_connect", json!({ "via": via }));
            Connection { hub: Arc::clone(&hub), number, session: None, sent: 0, sends: Vec::new(), via, mute: false }
        };
        hub.ring();
        one.serve(socket).await;
        one.leave();
        hub.ring();
    })
}

/// Writes down something that is no request.
fn note(hub: &Hub, name: &str, params: Value) {
    let mut log = hub.log();
    let at_ns = log.now_ns();
    let seq = log.open(at_ns, Begun { method: name.to_owned(), params, ..Begun::default() });
    log.settle(seq, json!({ "kind": "accepted" }));
}

struct Connection {
    hub: Arc<Hub>,
    number: u64,
    session: Option<String>,
    /// The place in the session up to which it was told.
    sent: u64,
    sends: Vec<u64>,
    via: String,
    mute: bool,
}

/// What is to be said next.
enum Say {
    Text(String),
    Close(u16),
    /// The end without a word.
    Gone,
}

impl Connection {
    async fn serve(&mut self, mut socket: WebSocket) {
        let (mute, beat) = {
            let world = self.hub.lock();
            (world.sessions.mute, world.sessions.heartbeat_ms)
        };
        self.mute = mute;
        let hello = json!({ "op": 10, "s": null, "t": null, "d": { "heartbeat_interval": beat, "_trace": [] } });
        if !mute && socket.send(Message::Text(hello.to_string().into())).await.is_err() {
            return;
        }
        let mut changed = self.hub.changed.subscribe();
        // A client that does not beat is not there.
        let mut patience = Duration::from_millis(beat * 3);
        loop {
            for say in self.due() {
                let said = match say {
                    Say::Text(text) => socket.send(Message::Text(text.into())).await,
                    Say::Gone => return,
                    Say::Close(code) => {
                        let frame = CloseFrame { code, reason: "".into() };
                        let _ = socket.send(Message::Close(Some(frame))).await;
                        return;
                    }
                };
                if said.is_err() {
                    return;
                }
            }
            tokio::select! {
                came = tokio::time::timeout(patience, socket.recv()) => {
                    let Ok(came) = came else {
                        let _ = socket.send(Message::Close(Some(CloseFrame { code: 4009, reason: "".into() }))).await;
                        return;
                    };
                    patience = Duration::from_millis(beat * 3);
                    let answers = match came {
                        Some(Ok(Message::Text(text))) => self.heard(&text),
                        Some(Ok(Message::Close(frame))) => {
                            self.closed(frame.map_or(1005, |frame| frame.code));
                            return;
                        }
                        Some(Ok(_)) => Vec::new(),
                        Some(Err(_)) | None => return,
                    };
                    for say in answers {
                        match say {
                            Say::Text(text) if socket.send(Message::Text(text.clone().into())).await.is_ok() => {}
                            Say::Close(code) => {
                                let frame = CloseFrame { code, reason: "".into() };
                                let _ = socket.send(Message::Close(Some(frame))).await;
                                return;
                            }
                            _ => return,
                        }
                    }
                }
                _ = changed.changed() => {}
            }
        }
    }

    /// What happened, and what a test wants done.
    fn due(&mut self) -> Vec<Say> {
        let mut world = self.hub.lock();
        let mut says = Vec::new();
        if let Some((up_to, act)) = world.sessions.act.filter(|(up_to, _)| self.number <= *up_to && !self.mute) {
            let _ = up_to;
            match act {
                Act::Drop => return vec![Say::Gone],
                Act::Reconnect => says.push(Say::Text(json!({ "op": 7, "d": null, "s": null, "t": null }).to_string())),
                Act::Invalid { resumable } => {
                    if !resumable && let Some(name) = self.session.take() {
                        world.sessions.all.remove(&name);
                    }
                    says.push(Say::Text(json!({ "op": 9, "d": resumable, "s": null, "t": null }).to_string()));
                }
                Act::Close { code } => return vec![Say::Close(code)],
                Act::Mute => self.mute = true,
            }
            world.sessions.act = None;
        }
        if self.mute {
            return Vec::new();
        }
        let Some(session) = self.session.as_ref().and_then(|name| world.sessions.all.get(name)) else { return says };
        if session.connection != Some(self.number) {
            return vec![Say::Close(4005)];
        }
        let sent = self.sent;
        for (seq, text) in session.events.iter().filter(|(seq, _)| *seq > sent) {
            self.sent = *seq;
            says.push(Say::Text(text.clone()));
        }
        says
    }

    /// Answers what the client says.
    fn heard(&mut self, text: &str) -> Vec<Say> {
        if self.mute {
            return Vec::new();
        }
        let hub = Arc::clone(&self.hub);
        let mut world = hub.lock();
        let now = world.clock.now_ms();
        self.sends.retain(|at| at + 60_000 > now);
        self.sends.push(now);
        if self.sends.len() > SENDS_PER_MINUTE {
            return vec![Say::Close(4008)];
        }
        let Ok(said) = serde_json::from_str::<Value>(text) else { return vec![Say::Close(4002)] };
        if text.len() > PAYLOAD_BYTES {
            return vec![Say::Close(4002)];
        }
        match said["op"].as_u64() {
            Some(1) => vec![Say::Text(json!({ "op": 11, "d": null, "s": null, "t": null }).to_string())],
            Some(2 | 6) if self.session.is_some() => vec![Say::Close(4005)],
            Some(op @ (2 | 6)) => {
                let token = said["d"]["token"].as_str().unwrap_or_default();
                let is_right = token.trim_start_matches("Bot ") == world.token;
                let name = if op == 2 { "gateway_identify" } else { "gateway_resume" };
                let noted = json!({ "via": self.via, "seq": said["d"]["seq"], "intents": said["d"]["intents"] });
                note(&hub, name, noted);
                if let Some(code) = world.sessions.close_with.take() {
                    return vec![Say::Close(code)];
                }
                if !is_right {
                    return vec![Say::Close(4004)];
                }
                if op == 6 && world.sessions.ignore_resume {
                    drop(world);
                    hub.ring();
                    return Vec::new();
                }
                drop(world);
                let says = if op == 2 { self.identify(&said["d"]) } else { self.resume(&said["d"]) };
                hub.ring();
                says
            }
            Some(3 | 4 | 8) if self.session.is_some() => Vec::new(),
            Some(_) if self.session.is_none() => vec![Say::Close(4003)],
            _ => vec![Say::Close(4001)],
        }
    }

    fn identify(&mut self, given: &Value) -> Vec<Say> {
        let mut world = self.hub.lock();
        let Some(intents) = given["intents"].as_u64() else { return vec![Say::Close(4013)] };
        if !given["properties"].is_object() {
            return vec![Say::Close(4002)];
        }
        // Members, presences and content are privileged: nobody allowed them.
        if intents & ((1 << 1) | (1 << 8) | (1 << 15)) != 0 {
            return vec![Say::Close(4014)];
        }
        let now = world.clock.now_ms();
        let Some(name) = world.sessions.begin(self.number, intents, now) else {
            "the token was reset".clone_into(&mut world.token);
            return vec![Say::Close(4004)];
        };
        let me = world.users.get(&ME).map(super::world::User::json);
        let guilds: Vec<u64> = world.guilds.keys().copied().collect();
        let ready = json!({
            "v": 10, "user": me, "session_id": name, "session_type": "normal", "private_channels": [],
            "resume_gateway_url": world.gateway("resume"), "shard": [0, 1],
            "guilds": guilds.iter().map(|id| json!({ "id": id.to_string(), "unavailable": true })).collect::<Vec<_>>(),
            "application": { "id": APPLICATION.to_string(), "flags": 0 }, "_trace": [],
        });
        if let Some(session) = world.sessions.all.get_mut(&name) {
            session.push("READY", &ready);
        }
        self.session = Some(name);
        Vec::new()
    }

    fn resume(&mut self, given: &Value) -> Vec<Say> {
        let mut world = self.hub.lock();
        let name = given["session_id"].as_str().unwrap_or_default().to_owned();
        let seq = given["seq"].as_u64().unwrap_or(0);
        if !world.sessions.resume(&name, seq, self.number) {
            return vec![Say::Text(json!({ "op": 9, "d": false, "s": null, "t": null }).to_string())];
        }
        if let Some(session) = world.sessions.all.get_mut(&name) {
            session.push("RESUMED", &json!({ "_trace": [] }));
        }
        (self.session, self.sent) = (Some(name), seq);
        Vec::new()
    }

    /// The client closed: with 1000 or 1001 its session is over.
    fn closed(&mut self, code: u16) {
        let mut world = self.hub.lock();
        note(&self.hub, "gateway_closed", json!({ "code": code }));
        if matches!(code, 1000 | 1001)
            && let Some(name) = self.session.take()
        {
            world.sessions.all.remove(&name);
        }
    }

    fn leave(&self) {
        let mut world = self.hub.lock();
        let Some(session) = self.session.as_ref().and_then(|name| world.sessions.all.get_mut(name)) else { return };
        if session.connection == Some(self.number) {
            session.connection = None;
        }
    }
}
