//! What is there? Everything the fake knows, behind one lock.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::fake::clock::FakeClock;
use super::faults::Faults;
use super::interactions::Interaction;
use super::rates::Rates;
use super::refusal::Refusal;
use super::sessions::Sessions;

pub(super) const EPOCH_MS: u64 = 1_420_070_400_000;
/// The bot and its application.
pub(super) const ME: u64 = 900_000_000_000_000_001;
pub(super) const APPLICATION: u64 = 900_000_000_000_000_002;

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) bot: bool,
    /// They share a server with the bot and let it write.
    pub(super) open: bool,
}

impl User {
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(), "username": self.name, "global_name": self.name, "discriminator": "0",
            "avatar": null, "bot": self.bot, "public_flags": 0, "flags": 0, "system": false,
        })
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Channel {
    pub(super) id: u64,
    pub(super) guild: Option<u64>,
    /// Whom the bot is alone with there.
    pub(super) recipient: Option<u64>,
    /// The channel of a thread.
    pub(super) parent: Option<u64>,
    pub(super) name: String,
    pub(super) messages: Vec<Message>,
    /// What writing there is refused with.
    pub(super) refuses: Option<u32>,
    pub(super) no_threads: bool,
}

impl Channel {
    pub(super) fn json(&self, users: &BTreeMap<u64, User>) -> Value {
        if let Some(recipient) = self.recipient {
            let recipients: Vec<Value> = users.get(&recipient).map(User::json).into_iter().collect();
            return json!({ "id": self.id.to_string(), "type": 1, "recipients": recipients, "last_message_id": null,
                "flags": 0 });
        }
        let kind = if self.parent.is_some() { 11 } else { 0 };
        let mut channel = json!({
            "id": self.id.to_string(), "type": kind, "guild_id": self.guild.map(|id| id.to_string()), "name": self.name,
            "position": 0, "permission_overwrites": [], "nsfw": false, "parent_id": self.parent.map(|id| id.to_string()),
            "flags": 0, "last_message_id": null, "rate_limit_per_user": 0, "topic": null,
        });
        if self.parent.is_some() {
            channel["thread_metadata"] = json!({ "archived": false, "auto_archive_duration": 1440, "locked": false,
                "archive_timestamp": "2026-11-21T10:00:00.000000+00:00" });
            channel["owner_id"] = json!(ME.to_string());
            channel["message_count"] = json!(0);
            channel["member_count"] = json!(1);
        }
        channel
    }
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: u64,
    pub(super) created_ms: u64,
    pub(super) author: u64,
    pub(super) nonce: Option<String>,
    /// Who alone sees it.
    pub(super) only_for: Option<u64>,
    pub(super) json: Value,
}

pub(crate) struct World {
    pub(super) clock: FakeClock,
    address: SocketAddr,
    pub(super) token: String,
    pub(super) users: BTreeMap<u64, User>,
    pub(super) channels: BTreeMap<u64, Channel>,
    pub(super) guilds: BTreeMap<u64, String>,
    /// Commands of servers, and under 0 those that are everywhere.
    pub(super) commands: BTreeMap<u64, Vec<Value>>,
    pub(super) interactions: BTreeMap<u64, Interaction>,
    pub(super) sessions: Sessions,
    pub(super) rates: Rates,
    pub(super) faults: Faults,
    /// How long a nonce is known, in milliseconds.
    pub(super) nonce_ms: u64,
    /// Changes of messages older than an hour that are taken yet.
    pub(super) old_edits: u32,
    next: u64,
}

impl World {
    pub(super) fn new(token: &str, address: SocketAddr) -> Self {
        let me = User { id: ME, name: "bellwether".to_owned(), bot: true, open: true };
        Self {
            clock: FakeClock::new(),
            address,
            token: token.to_owned(),
            users: BTreeMap::from([(ME, me)]),
            channels: BTreeMap::new(),
            guilds: BTreeMap::new(),
            commands: BTreeMap::new(),
            interactions: BTreeMap::new(),
            sessions: Sessions::default(),
            rates: Rates::new(),
            faults: Faults::new(),
            nonce_ms: 3 * 60_000,
            old_edits: 5,
            next: 0,
        }
    }

    /// Where the gateway is, or where it is taken up again.
    pub(super) fn gateway(&self, path: &str) -> String {
        format!("ws://{}/{path}", self.address)
    }

    /// A number that nothing else has, with the time in it.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        ((self.clock.now_ms() - EPOCH_MS) << 22) | (self.next & 0x3f_ffff)
    }

    /// A time as Discord writes it.
    pub(super) fn stamp(&self) -> String {
        let now = chrono::DateTime::from_timestamp_millis(self.clock.now_ms() as i64).unwrap_or_default();
        now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
    }

    pub(super) fn channel(&self, id: u64) -> Result<&Channel, Refusal> {
        self.channels.get(&id).ok_or_else(|| Refusal::new(404, 10_003, "Unknown Channel"))
    }

    /// The channel in which the bot is alone with somebody.
    pub(super) fn dm(&mut self, user: u64) -> u64 {
        let known = self.channels.values().find(|channel| channel.recipient == Some(user)).map(|channel| channel.id);
        known.unwrap_or_else(|| {
            let id = self.number();
            self.channels.insert(id, Channel { id, recipient: Some(user), ..Channel::default() });
            id
        })
    }

    /// Says something to everybody who listens at the gateway.
    pub(super) fn tell(&mut self, kind: &str, data: &Value) {
        self.sessions.tell(kind, data);
    }
}
