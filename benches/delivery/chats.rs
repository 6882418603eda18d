//! What stands at the other end of a chat? The fakes of Telegram and of Discord, which keep their logs alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bellwether::channels::{
    Answers, Discord, DiscordClient, DiscordLane, DiscordTarget, Target, Telegram, TelegramClient, TelegramLane,
};
use bellwether::notify::Channel;
use serde_json::{Value, json};

use crate::far::{Arrived, Far, Tools, Trouble, http, now};
use crate::support::fake::client::Fake;
use crate::support::{discord, telegram};

/// Who reads there.
const ANA: i64 = 501;

/// When a fake began to count, from the quickest of some calls; `call` gives its count at the call.
fn started(call: impl Fn() -> u64) -> Instant {
    let one = || {
        let begun = now();
        let at = Duration::from_nanos(call());
        let took = begun.elapsed();
        (took, (begun + took / 2).checked_sub(at).expect("it started before"))
    };
    (0..30).map(|_| one()).min_by_key(|(took, _)| *took).expect("some").1
}

fn seq(entry: Option<&Value>) -> usize {
    entry.and_then(|entry| entry["seq"].as_u64()).unwrap_or(0) as usize
}

fn at_ns(entry: &Value) -> u64 {
    entry["at_ns"].as_u64().expect("a time")
}

/// As people read it: Discord does not show what says that the next sign is no markup.
fn read(entry: &Value) -> String {
    entry["params"].to_string().replace(r"\\", "")
}

fn took_effect(entry: &Value) -> bool {
    entry["outcome"]["kind"] == "accepted" || entry["outcome"]["effect"] == true
}

/// A chat, whose fake keeps a log of requests.
struct OnChat<W> {
    name: &'static str,
    fake: Fake<W>,
    /// The method that sends a message, and under what the log names what it sent.
    sends: &'static str,
    sent: &'static str,
    /// The setting that it keeps to how much it takes.
    limits: &'static str,
    /// The adapter as the program makes it, for the server at this address.
    open: Box<dyn Fn(String, Tools) -> Arc<dyn Channel> + Send + Sync>,
    /// Sets its clock.
    at: fn(&Fake<W>, i64),
    started: Instant,
    /// The newest entry of its log that is known.
    newest: AtomicUsize,
}

pub(crate) fn on_telegram() -> Arc<dyn Far> {
    let fake = telegram::Fake::start();
    fake.control("settings", &json!({ "flood": false }));
    fake.control("join", &json!({ "from": ANA, "quiet": true }));
    let started = started(|| {
        fake.call("getMe", &json!({})).expect("answered");
        at_ns(fake.log(0).last().expect("logged"))
    });
    Arc::new(OnChat {
        name: "telegram",
        fake,
        sends: "sendMessage",
        sent: "message_ids",
        limits: "flood",
        open: Box::new(|url, tools| {
            let token = telegram::Fake::token().into();
            let client = TelegramClient::new(Some(url), token, http(tools.patience), tools.clock);
            let target = Target { chat: ANA, topics: Vec::new() };
            Arc::new(TelegramLane::new(Telegram::new(client.expect("an address")), target, Arc::new(|_, _| {})))
        }),
        at: |_, _| {},
        started,
        newest: AtomicUsize::new(0),
    })
}

pub(crate) fn on_discord() -> Arc<dyn Far> {
    let fake = discord::Fake::start();
    fake.control("settings", &json!({ "rates": false }));
    let channel = fake.join(ANA);
    let started = started(|| {
        fake.call("GET", "/users/@me", &Value::Null);
        at_ns(fake.log().last().expect("logged"))
    });
    Arc::new(OnChat {
        name: "discord",
        fake,
        sends: "create_message",
        sent: "message_id",
        limits: "rates",
        open: Box::new(move |url, tools| {
            let token = discord::Fake::token().into();
            let client = DiscordClient::new(Some(url), token, http(tools.patience), tools.clock);
            let target = DiscordTarget { channel, user: None, topics: Vec::new(), threads: false };
            Arc::new(DiscordLane::new(Discord::new(client.expect("a client")), target, Answers::default()))
        }),
        at: |fake, ms| {
            let now = fake.control("clock", &json!({ "stopped": true }))["now_ms"].as_i64().expect("a time");
            if ms > now {
                fake.control("clock", &json!({ "advance_ms": ms - now }));
            }
        },
        started,
        newest: AtomicUsize::new(0),
    })
}

impl<W> OnChat<W> {
    fn since(&self, after: usize) -> Vec<Value> {
        self.fake.since(after as u64)
    }

    fn came(&self, entry: &Value) -> Instant {
        self.started + Duration::from_nanos(at_ns(entry))
    }
}

impl<W: Send> Far for OnChat<W> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn channel(&self, tools: Tools) -> Arc<dyn Channel> {
        (self.open)(self.fake.url(), tools)
    }

    fn mark(&self) -> usize {
        let known = self.newest.load(Ordering::SeqCst);
        self.newest.fetch_max(seq(self.since(known).last()), Ordering::SeqCst);
        self.newest.load(Ordering::SeqCst)
    }

    fn arrived(&self, after: usize) -> Vec<Arrived> {
        let log = self.since(after);
        let told = log.iter().filter(|entry| entry["method"] == self.sends && took_effect(entry));
        told.map(|entry| Arrived {
            id: entry["outcome"][self.sent].to_string(),
            text: read(entry),
            at: self.came(entry),
        })
        .collect()
    }

    fn fails(&self, trouble: Trouble) {
        let kind = if trouble == Trouble::Hangs { "hang" } else { "reset_before" };
        self.fake.control("fault", &json!({ "kind": kind, "times": 0, "effect": false }));
    }

    fn said(&self, after: usize) -> String {
        self.since(after).iter().map(read).collect()
    }

    fn at(&self, ms: i64) {
        (self.at)(&self.fake, ms);
    }

    fn throttles(&self) {
        self.fake.control("fault", &json!({ "kind": "throttle", "method": self.sends, "retry_ms": 1_000 }));
    }

    fn asked(&self, after: usize) -> Vec<(Instant, bool)> {
        let log = self.since(after);
        let asked = log.iter().filter(|entry| entry["method"] == self.sends);
        asked.map(|entry| (self.came(entry), entry["outcome"]["kind"] == "fault")).collect()
    }

    fn limits(&self, on: bool) {
        self.fake.control("settings", &json!({ self.limits: on }));
    }
}
