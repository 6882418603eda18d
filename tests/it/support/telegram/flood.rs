//! May the bot write now? Exact windows for a chat, a group and the bot as a whole, and the waits that were imposed.

use std::collections::{BTreeMap, VecDeque};

use super::refusal::Refusal;

/// Messages a private chat takes at once before one a second is the pace.
const BURST: u64 = 5;
const SECOND_MS: u64 = 1000;
const GROUP_PER_MINUTE: usize = 20;
const BOT_PER_SECOND: usize = 30;

/// Who has to wait.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    Chat(i64),
    Bot,
    Method(String),
}

/// A time in which requests are forbidden. What was told and what is kept differ where the server lies.
#[derive(Debug, Clone)]
struct Wait {
    told_s: Option<u64>,
    told_until: u64,
    kept_until: u64,
}

#[derive(Debug)]
pub(super) struct Flood {
    pub(super) on: bool,
    /// Per private chat: when its bucket is full again.
    full_at: BTreeMap<i64, u64>,
    groups: BTreeMap<i64, VecDeque<u64>>,
    bot: VecDeque<u64>,
    waits: BTreeMap<Lane, Wait>,
}

/// What a request meets at the door.
pub(super) struct Entry {
    /// It came before the time it was told to wait for.
    pub(super) violation: bool,
    pub(super) refusal: Option<Refusal>,
}

fn told(seconds: Option<u64>) -> Refusal {
    seconds.map_or_else(Refusal::too_many_untold, Refusal::too_many)
}

/// Milliseconds until `count` more fit into a sliding window.
fn window_wait(stamps: &mut VecDeque<u64>, window_ms: u64, most: usize, count: usize, now: u64) -> u64 {
    while stamps.front().is_some_and(|stamp| stamp + window_ms <= now) {
        stamps.pop_front();
    }
    let over = (stamps.len() + count).saturating_sub(most);
    if over == 0 { 0 } else { stamps.get(over - 1).map_or(window_ms, |stamp| stamp + window_ms - now) }
}

impl Flood {
    pub(super) fn new() -> Self {
        Self {
            on: true,
            full_at: BTreeMap::new(),
            groups: BTreeMap::new(),
            bot: VecDeque::new(),
            waits: BTreeMap::new(),
        }
    }

    /// Imposes a wait: what the bot is told (nothing, if it is not told) and what is kept.
    pub(super) fn impose(&mut self, lane: Lane, told_s: Option<u64>, kept_s: u64, now: u64) -> Refusal {
        let until = |seconds: u64| now.saturating_add(seconds.saturating_mul(SECOND_MS));
        let wait = Wait { told_s, told_until: until(told_s.unwrap_or(0)), kept_until: until(kept_s) };
        self.waits.insert(lane, wait);
        told(told_s)
    }

    /// Looks whether one of the lanes has to wait.
    pub(super) fn enter(&mut self, lanes: &[Lane], now: u64) -> Entry {
        let mut entry = Entry { violation: false, refusal: None };
        for lane in lanes {
            let Some(wait) = self.waits.get_mut(lane) else { continue };
            if now >= wait.told_until && now >= wait.kept_until {
                self.waits.remove(lane);
                continue;
            }
            entry.violation |= now < wait.told_until;
            if now < wait.kept_until {
                let honest = wait.told_until == wait.kept_until;
                let left = (wait.kept_until - now).div_ceil(SECOND_MS);
                let seconds = if honest { Some(left) } else { wait.told_s };
                if now >= wait.told_until {
                    wait.told_until = now.saturating_add(wait.told_s.unwrap_or(0).saturating_mul(SECOND_MS));
                }
                entry.refusal = Some(told(seconds));
            }
        }
        entry
    }

    /// Takes the place of `count` messages in a chat.
    ///
    /// # Errors
    /// 429 with the seconds to wait, which are kept from then on.
    pub(super) fn spend(&mut self, chat: i64, count: usize, now: u64) -> Result<(), Refusal> {
        if !self.on {
            return Ok(());
        }
        let wait = window_wait(&mut self.bot, SECOND_MS, BOT_PER_SECOND, count, now);
        if wait > 0 {
            return Err(self.refuse(Lane::Bot, wait, now));
        }
        if chat < 0 {
            let stamps = self.groups.entry(chat).or_default();
            let wait = window_wait(stamps, 60 * SECOND_MS, GROUP_PER_MINUTE, count, now);
            if wait > 0 {
                return Err(self.refuse(Lane::Chat(chat), wait, now));
            }
            stamps.extend(std::iter::repeat_n(now, count));
        } else {
            // An album never needs more than a full bucket.
            let cost = (count as u64).min(BURST);
            let full_at = self.full_at.get(&chat).copied().unwrap_or(0).max(now) + cost * SECOND_MS;
            let wait = full_at.saturating_sub(now + BURST * SECOND_MS);
            if wait > 0 {
                return Err(self.refuse(Lane::Chat(chat), wait, now));
            }
            self.full_at.insert(chat, full_at);
        }
        self.bot.extend(std::iter::repeat_n(now, count));
        Ok(())
    }

    fn refuse(&mut self, lane: Lane, wait_ms: u64, now: u64) -> Refusal {
        let seconds = wait_ms.div_ceil(SECOND_MS);
        self.impose(lane, Some(seconds), seconds, now)
    }
}
