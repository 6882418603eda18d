//! How does a message get into a channel on Discord? As embeds, sent one after the other, each under a name that Discord takes once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::clock::Timestamp;
use crate::domain::{ALONE, INTERACTION, Label, Severity};
use crate::notify::{Abilities, Allowance, Channel, Failure, HAD_ARRIVED, Post, Receipt, SendError};

use super::answers::Answers;
use super::delivery_id::delivery_id;
use super::discord::{Discord, Dispatch, Posted};
use super::discord_answer::{DiscordError, DiscordRefusal, elsewhere, failed};
use super::parts::Parts;
use super::render_discord::{Sheet, pressed, sheets};

/// A channel's headers tell its true rate; mostly it takes five messages in five seconds.
const CHANNEL: Allowance = Allowance { burst: 5, refill: Duration::from_secs(1) };
/// The whole bot may make fifty calls a second; some are left for what is answered.
const BOT: Allowance = Allowance { burst: 40, refill: Duration::from_millis(25) };
/// So long after the first try Discord surely knows a message again by its name, in milliseconds.
const NAMED_MS: i64 = 2 * 60_000;
/// How far Discord's clock may be behind ours, in milliseconds.
const SKEW_MS: i64 = 5_000;
/// Turns that one message may take: a thread that is gone, a file that is too large, a form that is refused.
const TURNS_MAX: usize = 4;
/// Of a delivery's name this much goes into the nonce, which has at most 25 characters.
const NONCE_DIGITS: usize = 20;
/// Threads that are known to be there.
const THREADS_MAX: usize = 200;
/// What a lane on Discord can do.
pub(super) const ABILITIES: Abilities = Abilities { edits: true, buttons: true, finds: true, allowance: Some(CHANNEL) };

/// Where a lane leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscordTarget {
    /// The channel, or the one in which somebody is alone with the bot.
    pub channel: i64,
    /// Whose lane it is, where others may read the channel: what they alone are to see goes where they are alone with the bot.
    pub user: Option<i64>,
    /// The threads of books.
    pub topics: Vec<(Label, i64)>,
    /// What follows upon a message stands in a thread below it.
    pub threads: bool,
}

/// Where one message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) channel: i64,
    reply_to: Option<i64>,
    /// Where this takes nothing, nothing else does.
    stays: bool,
}

impl Spot {
    fn of(channel: i64, reply_to: Option<i64>) -> Self {
        Self { channel, reply_to, stays: false }
    }

    pub(super) fn only(channel: i64) -> Self {
        Self { channel, reply_to: None, stays: true }
    }
}

/// A channel on Discord as a channel.
pub struct DiscordLane {
    pub(super) discord: Discord,
    pub(super) target: DiscordTarget,
    pub(super) answers: Answers,
    key: [u8; 32],
    pub(super) parts: Parts<i64>,
    /// Where the user is alone with the bot.
    alone: OnceCell<i64>,
    /// Threads that were begun or found, newest last.
    threads: Mutex<VecDeque<i64>>,
    /// The delivery for which no thread could be begun in time: all of it goes into the channel.
    threadless: Mutex<Option<i64>>,
    /// The delivery at which Discord failed in a way that says little, and when first.
    doubtful: Mutex<Option<(i64, Timestamp)>>,
}

impl DiscordLane {
    /// Sends to this channel, and answers interactions by their tokens.
    pub fn new(discord: Discord, target: DiscordTarget, answers: Answers) -> Self {
        Self {
            discord,
            target,
            answers,
            key: [0; 32],
            parts: Parts::default(),
            alone: OnceCell::new(),
            threads: Mutex::default(),
            threadless: Mutex::default(),
            doubtful: Mutex::default(),
        }
    }

    /// The same, with names for messages that only the database of this key gives: a new one counts deliveries from one again.
    #[must_use]
    pub fn named_by(self, key: [u8; 32]) -> Self {
        Self { key, ..self }
    }

    /// Where a message goes: below the one that it belongs to, and what is for one alone where nobody else reads it.
    async fn spot(&self, post: &Post) -> Result<Spot, SendError> {
        let is_private = |to: &str| to == ALONE || to.starts_with(INTERACTION);
        if let Some(user) = self.target.user.filter(|_| post.reply_to.as_deref().is_some_and(is_private)) {
            let alone = self.alone.get_or_try_init(|| self.discord.open_dm(user)).await;
            return alone.map(|alone| Spot::only(*alone)).map_err(elsewhere);
        }
        let topic = post.book.and_then(|book| self.target.topics.iter().find(|(name, _)| *name == book));
        let usual = Spot::of(topic.map_or(self.target.channel, |(_, topic)| *topic), None);
        let Some(remote) = post.reply_to.as_deref().and_then(Remote::read) else { return Ok(usual) };
        let channel = remote.channel.unwrap_or(self.target.channel);
        let below = Spot::of(channel, Some(remote.message));
        if !self.target.threads || channel != self.target.channel {
            // In the thread of a message nothing needs a reference.
            let is_thread = self.target.threads && !self.target.topics.iter().any(|(_, topic)| *topic == channel);
            return Ok(if is_thread { Spot::of(channel, None) } else { below });
        }
        let thread = Spot::of(remote.message, None);
        if *self.threadless() == Some(post.delivery) {
            return Ok(below);
        }
        if self.knows_thread(remote.message) {
            return Ok(thread);
        }
        let lines = post.message.plain_lines();
        let name = lines.first().map(String::as_str).unwrap_or_default();
        match self.discord.begin_thread(channel, remote.message, name).await {
            Ok(()) | Err(DiscordError::Refused { kind: DiscordRefusal::ThreadExists, .. }) => {
                let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
                if threads.len() >= THREADS_MAX {
                    threads.pop_front();
                }
                threads.push_back(remote.message);
                Ok(thread)
            }
            Err(DiscordError::Refused { words, .. }) => {
                tracing::debug!(words, "no thread below a message: it is answered in the channel");
                Ok(below)
            }
            // The channel takes it meanwhile, where threads come too fast.
            Err(DiscordError::Throttled { .. }) => {
                *self.threadless() = Some(post.delivery);
                Ok(below)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn knows_thread(&self, thread: i64) -> bool {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).contains(&thread)
    }

    fn threadless(&self) -> MutexGuard<'_, Option<i64>> {
        self.threadless.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The messages among which an earlier try may have left this one, and where they are; none where it goes again by its name.
    async fn earlier(&self, post: &Post, sheets: &[Sheet], spot: Spot) -> Result<(Spot, Vec<Posted>), SendError> {
        let doubt = *self.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
        let doubt = doubt.filter(|(delivery, _)| *delivery == post.delivery).map(|(_, since)| since);
        let Some(since) = post.again.into_iter().chain(doubt).min() else { return Ok((spot, Vec::new())) };
        if self.target.threads && !spot.stays && spot.channel != self.target.channel {
            // Its thread may not have been there then: the channel took it.
            let channel = Spot::of(self.target.channel, None);
            let there = self.left_in(channel, since).await?;
            let is_there = |(index, sheet)| found(&there, post, &Part { index, sheet, is_last: false }).is_some();
            if sheets.iter().enumerate().any(is_there) {
                return Ok((channel, there));
            }
        }
        let is_named = self.discord.client().now().since(since) < NAMED_MS;
        Ok((spot, if is_named { Vec::new() } else { self.left_in(spot, since).await? }))
    }

    /// Our own messages there since then.
    async fn left_in(&self, spot: Spot, since: Timestamp) -> Result<Vec<Posted>, SendError> {
        let me = self.discord.myself().await.map_err(failed)?.user;
        let mut latest = self.discord.latest(spot.channel).await.map_err(|error| self.failed_at(spot, error))?;
        latest.retain(|message| message.author == me && message.sent_ms >= since.ms() - SKEW_MS);
        // The oldest of several: the others answer or repeat it.
        latest.reverse();
        Ok(latest)
    }

    /// Sends one part: its number, and what was unusual about it.
    pub(super) async fn part(&self, post: &Post, part: &Part<'_>, spot: &mut Spot) -> Result<Arrived, SendError> {
        let mut dispatch = self.dispatch(post, part);
        let mut detail = None;
        for _ in 0..TURNS_MAX {
            dispatch.reply_to = spot.reply_to.filter(|_| part.index == 0);
            let error = match self.discord.send(spot.channel, &dispatch).await {
                Ok(sent) => return Ok(Arrived { message: sent.value, skew_ms: sent.skew_ms, detail }),
                Err(error) => error,
            };
            let DiscordError::Refused { kind, words, .. } = &error else { return Err(self.doubted(post, error)) };
            match kind {
                DiscordRefusal::ChannelGone | DiscordRefusal::NoThread | DiscordRefusal::Forbidden
                    if spot.channel != self.target.channel && !spot.stays =>
                {
                    tracing::debug!(words, "a thread takes nothing: the channel does");
                    self.threads.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| *known != spot.channel);
                    *spot = Spot::of(self.target.channel, None);
                }
                DiscordRefusal::TooLarge if dispatch.file.is_some() => {
                    dispatch.file = None;
                    detail = Some("without its file, which is too large".to_owned());
                }
                DiscordRefusal::BadForm if detail.is_none() => {
                    tracing::error!(words, "a message was rendered in a way that Discord does not take");
                    detail = Some(format!("as bare text, since its form was refused: {words}"));
                    (dispatch.sheet, dispatch.rows) = (dispatch.sheet.bare(), Vec::new());
                }
                _ => return Err(self.failed_at(*spot, error)),
            }
        }
        Err(SendError::Rejected("Discord takes it in no form".to_owned()))
    }

    /// What is to be done about an error there: a place of its own that takes nothing says nothing about the lane.
    pub(super) fn failed_at(&self, spot: Spot, error: DiscordError) -> SendError {
        if spot.stays && spot.channel != self.target.channel { elsewhere(error) } else { failed(error) }
    }

    pub(super) fn dispatch<'a>(&self, post: &'a Post, part: &Part<'a>) -> Dispatch<'a> {
        let to = self.target.channel.to_string();
        let id = delivery_id(&self.key, post, &to, self.discord.client().now());
        Dispatch {
            sheet: part.sheet.clone(),
            rows: if part.is_last { pressed(&post.keys) } else { Vec::new() },
            file: post.message.file.as_ref().filter(|_| part.index == 0),
            silent: post.silent,
            reply_to: None,
            nonce: Some(format!("{}-{}", &id[..NONCE_DIGITS], part.index)),
            yields: post.number.is_some() && post.severity != Severity::Critical,
        }
    }

    /// A failing server has most likely not done it; should it be asked again much later, the channel is looked at first.
    fn doubted(&self, post: &Post, error: DiscordError) -> SendError {
        if matches!(error, DiscordError::Server { .. }) {
            let mut doubtful = self.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
            if doubtful.is_none_or(|(delivery, _)| delivery != post.delivery) {
                *doubtful = Some((post.delivery, self.discord.client().now()));
            }
        }
        failed(error)
    }
}

/// One part of a message.
pub(super) struct Part<'a> {
    pub(super) index: usize,
    pub(super) sheet: &'a Sheet,
    pub(super) is_last: bool,
}

/// A part that is there.
pub(super) struct Arrived {
    pub(super) message: i64,
    skew_ms: Option<i64>,
    detail: Option<String>,
}

/// The parts of a message; one without text where there is only a file.
pub(super) fn parts_of(post: &Post) -> Vec<Sheet> {
    let mut parts = sheets(&post.message, post.number, post.severity);
    if parts.is_empty() && post.message.file.is_some() {
        parts.push(Sheet::default());
    }
    parts
}

/// What an earlier try left of this part.
fn found(earlier: &[Posted], post: &Post, part: &Part<'_>) -> Option<i64> {
    let same = |message: &&Posted| {
        if let Some(number) = post.number {
            let is_it = message.footer.split(' ').next() == Some(&number.to_string());
            // It may read otherwise now, but it leads with its number.
            is_it && (part.index == 0 || message.footer == part.sheet.footer())
        } else {
            // It may say now, below, that it comes late or again.
            let (title, description) = part.sheet.words();
            let (there, here) = (message.description.trim(), description.trim());
            let goes_on = here.strip_prefix(there).is_some_and(|more| more.is_empty() || more.starts_with('\n'));
            !part.sheet.is_empty() && message.title == title.trim() && goes_on && (here.is_empty() || !there.is_empty())
        }
    };
    earlier.iter().find(same).map(|message| message.id)
}

#[async_trait]
impl Channel for DiscordLane {
    fn abilities(&self) -> Abilities {
        ABILITIES
    }

    fn service_allowance(&self) -> Option<Allowance> {
        Some(BOT)
    }

    /// Discord refuses to show that something is being written where it would refuse a message.
    async fn probe(&self) -> Option<Result<(), Failure>> {
        let tried = self.discord.typing(self.target.channel).await;
        Some(tried.map_err(|error| Failure::from(failed(error))))
    }

    async fn send(&self, post: &Post) -> Result<Receipt, Failure> {
        if let Some(edited) = &post.edit {
            return self.edit(post, edited).await.map_err(Failure::from);
        }
        let sheets = parts_of(post);
        if let Some(interaction) = post.reply_to.as_deref().and_then(interaction)
            && let Some(receipt) = self.answered(post, &sheets, interaction).await?
        {
            return Ok(receipt);
        }
        let spot = self.spot(post).await?;
        let (mut spot, earlier) = self.earlier(post, &sheets, spot).await?;
        let mut there = self.parts.arrived(post);
        let mut receipt = Receipt { remote: there.first().map(|first| self.named(*first, spot)), ..Receipt::default() };
        for (index, sheet) in sheets.iter().enumerate().skip(post.parts_done as usize) {
            let part = Part { index, sheet, is_last: index + 1 == sheets.len() };
            let message = if let Some(message) = found(&earlier, post, &part) {
                receipt.detail.get_or_insert_with(|| HAD_ARRIVED.to_owned());
                message
            } else {
                let sent = self.part(post, &part, &mut spot).await;
                let sent = sent.map_err(|what| Failure { parts: index as u32, what })?;
                (receipt.skew_ms, receipt.detail) = (sent.skew_ms, receipt.detail.or(sent.detail));
                sent.message
            };
            receipt.remote.get_or_insert_with(|| self.named(message, spot));
            there.push(message);
            self.parts.note_arrived(post, &there);
        }
        self.parts.keep(there);
        Ok(receipt)
    }
}

impl DiscordLane {
    /// What a message is called: `17`, or `17@3` in the thread 3.
    fn named(&self, message: i64, spot: Spot) -> String {
        if spot.channel == self.target.channel { message.to_string() } else { format!("{message}@{}", spot.channel) }
    }
}

/// A message as a receipt names it.
pub(super) struct Remote {
    pub(super) message: i64,
    pub(super) channel: Option<i64>,
}

impl Remote {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (message, channel) = text.split_once('@').map_or((text, None), |(message, at)| (message, Some(at)));
        let message = message.parse().ok()?;
        Some(Self { message, channel: channel.map(str::parse).transpose().ok()? })
    }
}

pub(super) fn interaction(remote: &str) -> Option<u64> {
    remote.strip_prefix(INTERACTION)?.parse().ok()
}
