//! Who listens at the gateway, and what did they hear? Sessions outlive their connections and are taken up again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

const DAY_MS: u64 = 24 * 60 * 60_000;
/// Sessions that may begin in a day before the token is reset.
pub(super) const IDENTIFIES_MAX: usize = 1_000;
/// Events that wait for a session to be taken up again.
const REPLAY_MAX: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    pub(super) seq: u64,
    /// Events by their place, as they went or will go.
    pub(super) events: Vec<(u64, String)>,
    /// The connection that has it.
    pub(super) connection: Option<u64>,
    pub(super) intents: u64,
}

/// What a test does to the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub(super) enum Act {
    /// The connection ends without a word.
    Drop,
    /// Op 7.
    Reconnect,
    /// Op 9.
    Invalid {
        /// The session can be taken up again.
        resumable: bool,
    },
    /// A close with this code.
    Close {
        /// The code.
        code: u16,
    },
    /// Nothing is heard or said any more, and the connection stays.
    Mute,
}

#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) all: BTreeMap<String, Session>,
    /// When sessions began, in milliseconds.
    identifies: Vec<u64>,
    pub(super) heartbeat_ms: u64,
    /// Says nothing to new connections.
    pub(super) mute: bool,
    /// Closes the next ones with this code when they identify or resume.
    pub(super) close_with: Option<u16>,
    /// Sessions are forgotten: taking one up fails.
    pub(super) forget: bool,
    /// What asks to take one up is left without an answer.
    pub(super) ignore_resume: bool,
    /// What is to be done, and up to which connection.
    pub(super) act: Option<(u64, Act)>,
    pub(super) connections: u64,
    next: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            all: BTreeMap::new(),
            identifies: Vec::new(),
            heartbeat_ms: 41_250,
            mute: false,
            close_with: None,
            forget: false,
            ignore_resume: false,
            act: None,
            connections: 0,
            next: 0,
        }
    }
}

impl Sessions {
    /// Tells an event to every session, whether it is connected or not.
    pub(super) fn tell(&mut self, kind: &str, data: &Value) {
        for session in self.all.values_mut() {
            let in_guild = !data["guild_id"].is_null();
            let wanted = match kind {
                "MESSAGE_CREATE" => session.intents & (if in_guild { 1 << 9 } else { 1 << 12 }) != 0,
                "THREAD_CREATE" | "GUILD_CREATE" => session.intents & 1 != 0,
                _ => true,
            };
            if wanted {
                session.push(kind, data);
            }
        }
    }

    /// Begins a session: its name, or nothing where too many began today.
    pub(super) fn begin(&mut self, connection: u64, intents: u64, now: u64) -> Option<String> {
        self.identifies.retain(|at| at + DAY_MS > now);
        self.identifies.push(now);
        if self.identifies.len() > IDENTIFIES_MAX {
            return None;
        }
        self.next += 1;
        let name = format!("session{:016x}", self.next);
        let session = Session { connection: Some(connection), intents, ..Session::default() };
        self.all.insert(name.clone(), session);
        Some(name)
    }

    pub(super) fn begun(&self) -> usize {
        self.identifies.len()
    }

    /// Takes a session up where it was left.
    pub(super) fn resume(&mut self, name: &str, seq: u64, connection: u64) -> bool {
        if self.forget {
            self.all.remove(name);
        }
        let Some(session) = self.all.get_mut(name).filter(|session| seq <= session.seq) else { return false };
        session.connection = Some(connection);
        true
    }
}

impl Session {
    pub(super) fn push(&mut self, kind: &str, data: &Value) {
        self.seq += 1;
        let text = json!({ "op": 0, "t": kind, "s": self.seq, "d": data }).to_string();
        self.events.push((self.seq, text));
        if self.events.len() > REPLAY_MAX {
            self.events.remove(0);
        }
    }
}
