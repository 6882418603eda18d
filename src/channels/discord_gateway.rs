//! What happens on Discord as it happens? One connection to its gateway, taken up again where it broke off, and begun anew only as often as
//! the budget has it.
//!
//! Calling [`Gateway::next`] again says that what it gave before is kept: only then is the place in the stream moved past it, so that a
//! crash in between hears it once more.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout_at};
use twilight_gateway::{ConfigBuilder, Intents, Message, Session, Shard, ShardId};

use crate::clock::Timestamp;

use super::discord::Discord;
use super::discord_answer::{DiscordError, DiscordRefusal};
use super::discord_update::{Overheard, overheard};
use super::gateway_memory::{GatewayMemory, KeptSession, Shared, Turnstile};
use super::http_client::init_tls;
use super::identify_budget::{IdentifyBudget, Leave};

/// How long the first word of the gateway may take, with the connection before it, and how long a session may take to begin after it.
const HELLO: Duration = Duration::from_secs(20);
/// The same for a session that begins anew: it is counted, so the next one is not begun lightly.
const IDENTIFY: Duration = Duration::from_mins(11);
/// A connection is silent when nothing came for two heartbeats and this.
const SLACK: Duration = Duration::from_secs(5);
/// The longest heartbeat that is believed.
const BEAT_MAX: Duration = Duration::from_mins(2);
/// How the waits between tries grow.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_mins(1);
/// Losses without a session in between until the connection is built anew, by an address that is asked for again.
const LOSSES_MAX: u32 = 3;
/// How often it is kept that the gateway is heard, in milliseconds.
const HEARD_MS: i64 = 60_000;

/// What the gateway has to say.
#[derive(Debug)]
pub enum GatewayEvent {
    /// Something was heard.
    Overheard(Box<Overheard>),
    /// It is heard from now on.
    Ready {
        /// What happened meanwhile came, too.
        resumed: bool,
        /// How long it was not heard; none at the first start of all.
        silent_for: Option<Duration>,
    },
    /// It is not heard any more; told once, until it is heard again.
    Lost {
        /// Why.
        why: String,
    },
    /// It will not be heard.
    Refused {
        /// Why.
        why: String,
        /// Until somebody mends it and starts anew; else until there is room in the budget.
        for_good: bool,
    },
}

/// What was said of not being heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Lost,
    Spent,
}

/// The ear on Discord.
pub struct Gateway {
    discord: Discord,
    token: SecretString,
    shared: Arc<Shared>,
    shard: Option<Box<Shard<Turnstile>>>,
    /// How long the connection may stay silent now.
    patience: Duration,
    /// The session is there by then.
    begins_by: Option<Instant>,
    /// Nothing is tried before then.
    not_before: Option<Instant>,
    /// The session and place that are kept when the next event is asked for.
    passed: Option<KeptSession>,
    is_heard: bool,
    told: Told,
    is_over: bool,
    /// Losses since a session was there.
    losses: u32,
    /// When it was heard last, on the steady clock.
    heard: Option<Duration>,
}

impl Gateway {
    /// Hears what the bot of this token hears. What `memory` holds is taken up.
    pub fn new(discord: Discord, token: SecretString, memory: GatewayMemory) -> Self {
        let shared = Shared::new(discord.client().clock().clone(), memory);
        Self {
            discord,
            token,
            shared: Arc::new(shared),
            shard: None,
            patience: HELLO,
            begins_by: None,
            not_before: None,
            passed: None,
            is_heard: false,
            told: Told::Nothing,
            is_over: false,
            losses: 0,
            heard: None,
        }
    }

    /// The next event; waits for it as long as it takes. It may be given up at any time and asked for again.
    pub async fn next(&mut self) -> GatewayEvent {
        if let Some(passed) = self.passed.take() {
            let now = self.shared.clock.now();
            self.shared.keep(|kept| (kept.session, kept.heard_ms) = (Some(passed), Some(now.ms())));
        }
        loop {
            if self.is_over {
                std::future::pending::<()>().await;
            }
            if let Some(until) = self.not_before {
                sleep_until(until).await;
                self.not_before = None;
            }
            let event = if self.shard.is_none() { self.build().await } else { self.listen().await };
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// Builds the connection: asks where the gateway is, and takes up the session that is kept.
    async fn build(&mut self) -> Option<GatewayEvent> {
        let session = self.session();
        if session.is_none() {
            let now = self.shared.clock.now();
            let leave = IdentifyBudget::kept(&self.shared.kept().identifies, now).look(now);
            if leave != Leave::Now {
                return self.wait_for(leave);
            }
        }
        let told = match self.discord.gateway().await {
            Ok(told) => told,
            Err(DiscordError::Refused { kind: DiscordRefusal::Unauthorized, words, .. }) => {
                self.is_over = true;
                return Some(GatewayEvent::Refused { why: words, for_good: true });
            }
            Err(error) => {
                let asked = if let DiscordError::Throttled { retry_after } = &error { *retry_after } else { RETRY };
                return self.lose(error.to_string(), asked);
            }
        };
        let limit = &told["session_start_limit"];
        if session.is_none() && limit["remaining"] == 0 {
            let wait = Duration::from_millis(limit["reset_after"].as_u64().unwrap_or(60_000));
            return self.refuse(wait, "Discord lets no more sessions begin");
        }
        let Some(url) = told["url"].as_str().filter(|url| is_gateway(url)) else {
            return self.lose("Discord names no gateway".to_owned(), RETRY);
        };
        init_tls();
        // Words that are written to the bot alone come whole without any privilege.
        let intents = Intents::GUILDS | Intents::DIRECT_MESSAGES;
        let mut config = ConfigBuilder::new(self.token.expose_secret().to_owned(), intents)
            .proxy_url(url.trim_end_matches('/').to_owned())
            .queue(Turnstile(self.shared.clone()));
        if let Some(session) = session {
            config = config.session(Session::new(session.sequence, session.id));
            if is_gateway(&session.resume_url) {
                config = config.resume_url(session.resume_url.trim_end_matches('/').to_owned());
            }
        }
        self.shard = Some(Box::new(Shard::with_config(ShardId::ONE, config.build())));
        (self.patience, self.begins_by) = (HELLO, None);
        None
    }

    /// The session that is kept, if it is this bot's.
    fn session(&self) -> Option<KeptSession> {
        self.shared.kept().session.clone().filter(|session| session.bot == self.discord.bot())
    }

    /// Takes the next message of the connection.
    async fn listen(&mut self) -> Option<GatewayEvent> {
        let (shard, is_heard) = (self.shard.as_mut()?, self.is_heard);
        let kept = &self.shared;
        // The library connects again without a word: that it has to is seen from its state.
        let next = poll_fn(|context| match shard.poll_next_unpin(context) {
            Poll::Ready(came) => Poll::Ready(Some(came)),
            Poll::Pending if kept.held().is_some() => Poll::Ready(None),
            Poll::Pending if is_heard && !shard.state().is_identified() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let silent = Instant::now() + self.patience;
        let came = timeout_at(self.begins_by.map_or(silent, |by| by.min(silent)), next).await;
        let held = self.shared.held().take();
        if let Some((leave, _)) = held {
            self.shard = None;
            return self.wait_for(leave);
        }
        match came {
            Err(_) if self.begins_by.is_some_and(|end| Instant::now() >= end) => {
                self.shard = None;
                self.shared.keep(|kept| kept.session = None);
                self.lose("the session did not begin".to_owned(), RETRY)
            }
            Err(_) => {
                // Whatever it is, it is not alive.
                self.shard = None;
                self.lose("the gateway fell silent".to_owned(), RETRY)
            }
            Ok(None) => self.lose("the gateway's connection ended".to_owned(), RETRY),
            Ok(Some(None)) => {
                self.is_over = true;
                Some(GatewayEvent::Refused { why: "the gateway closed for good".to_owned(), for_good: true })
            }
            Ok(Some(Some(Err(error)))) => {
                // Its words may quote the event.
                tracing::debug!(kind = ?std::mem::discriminant(error.kind()), "the gateway's connection failed");
                self.lose("no connection to the gateway".to_owned(), RETRY)
            }
            Ok(Some(Some(Ok(Message::Close(frame))))) => {
                let code = frame.as_ref().map_or(1006, |frame| frame.code);
                if is_fatal(code) {
                    (self.is_over, self.shard) = (true, None);
                    self.shared.keep(|kept| kept.session = None);
                    return Some(GatewayEvent::Refused { why: fatal_words(code), for_good: true });
                }
                self.lose(format!("the gateway closed the connection ({code})"), RETRY)
            }
            Ok(Some(Some(Ok(Message::Text(text))))) => self.hear(&text),
        }
    }

    /// Reads one message.
    fn hear(&mut self, text: &str) -> Option<GatewayEvent> {
        let now = self.shared.clock.now();
        let Ok(message) = serde_json::from_str::<Value>(text) else { return None };
        let before = self.heard;
        if self.is_heard {
            self.heard = Some(self.shared.clock.steady());
            self.keep_heard(now);
        }
        match message["op"].as_u64() {
            Some(10) => {
                let beat = Duration::from_millis(message["d"]["heartbeat_interval"].as_u64().unwrap_or(45_000));
                self.patience = beat.min(BEAT_MAX) * 2 + SLACK;
                self.begins_by = Some(Instant::now() + self.beginning());
                None
            }
            Some(0) => {
                let name = message["t"].as_str().unwrap_or_default();
                if self.begins_by.is_some() {
                    // What was missed may come for a while first.
                    self.begins_by = Some(Instant::now() + self.beginning());
                }
                match name {
                    "READY" | "RESUMED" => Some(self.ready(name == "RESUMED", before, now)),
                    _ => self.event(name, &message["d"]),
                }
            }
            Some(9) if message["d"] == false => {
                self.shared.keep(|kept| kept.session = None);
                // A new one begins on the same connection.
                self.begins_by = self.begins_by.map(|_| Instant::now() + IDENTIFY);
                None
            }
            _ => None,
        }
    }

    fn ready(&mut self, resumed: bool, before: Option<Duration>, now: Timestamp) -> GatewayEvent {
        let steady = self.shared.clock.steady();
        let kept_ms = self.shared.kept().heard_ms;
        let of_last_run =
            kept_ms.map(|ms| Duration::from_millis(now.since(Timestamp::from_ms(ms)).max(0).unsigned_abs()));
        let silent_for = before.map(|heard| steady.saturating_sub(heard)).or(of_last_run);
        (self.is_heard, self.told, self.losses) = (true, Told::Nothing, 0);
        self.begins_by = None;
        self.heard = Some(steady);
        if let Some(session) = self.current() {
            // The library would open what the server names, so it has to be an address.
            if !is_gateway(&session.resume_url) {
                self.shard = None;
            }
            self.shared.keep(|kept| (kept.session, kept.heard_ms) = (Some(session), Some(now.ms())));
        }
        GatewayEvent::Ready { resumed, silent_for }
    }

    fn event(&mut self, name: &str, event: &Value) -> Option<GatewayEvent> {
        match overheard(name, event) {
            Ok(Some(heard)) => {
                self.passed = self.current();
                Some(GatewayEvent::Overheard(Box::new(heard)))
            }
            Ok(None) => None,
            Err(why) => {
                tracing::warn!(kind = name, why, "an event of Discord's gateway cannot be read: it is passed over");
                None
            }
        }
    }

    /// How long the session may take to begin: one that is taken up needs no leave.
    fn beginning(&self) -> Duration {
        let resumes = self.shard.as_ref().is_some_and(|shard| shard.session().is_some());
        if resumes { HELLO } else { IDENTIFY }
    }

    /// The session and the place in it, as they are now.
    fn current(&self) -> Option<KeptSession> {
        let shard = self.shard.as_ref()?;
        let session = shard.session()?;
        Some(KeptSession {
            id: session.id().to_owned(),
            sequence: session.sequence(),
            resume_url: shard.resume_url().unwrap_or_default().to_owned(),
            bot: self.discord.bot(),
        })
    }

    /// Keeps now and then that it is heard, so that the next run knows how long it was not.
    fn keep_heard(&self, now: Timestamp) {
        let is_old = self.shared.kept().heard_ms.is_none_or(|ms| now.since(Timestamp::from_ms(ms)) >= HEARD_MS);
        if is_old {
            self.shared.keep(|kept| kept.heard_ms = Some(now.ms()));
        }
    }

    /// It is lost: tried again after a wait that grows, and told once.
    fn lose(&mut self, why: String, asked: Duration) -> Option<GatewayEvent> {
        (self.is_heard, self.patience, self.begins_by) = (false, HELLO, None);
        let growing = RETRY.saturating_mul(1 << self.losses.min(6)).min(RETRY_MAX);
        self.losses += 1;
        if self.losses.is_multiple_of(LOSSES_MAX) {
            self.shard = None;
        }
        // The library waits by itself before it connects.
        let wait = if self.losses == 1 && self.shard.is_some() { Duration::ZERO } else { growing.max(asked) };
        self.not_before = Some(Instant::now() + wait);
        if self.told != Told::Nothing {
            return None;
        }
        self.told = Told::Lost;
        Some(GatewayEvent::Lost { why })
    }

    /// A session may not begin now: there is no connection meanwhile.
    fn wait_for(&mut self, leave: Leave) -> Option<GatewayEvent> {
        match leave {
            Leave::Now => None,
            Leave::After(wait) => {
                self.not_before = Some(Instant::now() + wait);
                None
            }
            Leave::Spent(wait) => self.refuse(wait, "the sessions of the day are spent"),
        }
    }

    /// No session may begin for so long; told once.
    fn refuse(&mut self, wait: Duration, why: &str) -> Option<GatewayEvent> {
        self.is_heard = false;
        self.not_before = Some(Instant::now() + wait.max(RETRY));
        if std::mem::replace(&mut self.told, Told::Spent) == Told::Spent {
            return None;
        }
        let why = format!("{why}: there is room again in {} min", wait.as_secs().div_ceil(60));
        Some(GatewayEvent::Refused { why, for_good: false })
    }
}

fn is_gateway(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "ws" | "wss") && url.has_host() && url.query().is_none())
}

/// After these nobody is to connect again: the token, the shard, the version or the intents are wrong.
const fn is_fatal(code: u16) -> bool {
    matches!(code, 4004 | 4010..=4014)
}

fn fatal_words(code: u16) -> String {
    let why = match code {
        4004 => "the token is wrong or was reset",
        4010 | 4011 => "the bot is in too many servers for one connection",
        4012 => "this version of the gateway is not served any more",
        4013 | 4014 => "the intents are not allowed",
        _ => "it may not connect",
    };
    format!("the gateway closed the connection for good ({code}): {why}")
}
