//! What is said of a drill? A line for each way, how the message looks there, and what to do where it did not arrive.

use std::fmt::Write as _;

use chrono_tz::Tz;
use serde::Serialize;

use crate::channels::{Budget, html, plain};
use crate::config::{Config, DeadEnd, policy};
use crate::domain::format::{age, counted};
use crate::domain::{ChannelKind, Event, Lane, Message, NoticeId};
use crate::notify::{Telling, told};
use crate::store::{LaneState, Reader, TraceRow};

use super::AppError;
use super::drill::{Sent, is_delivered, is_held};
use super::shell::print;

/// How wide the bare text of a message is shown.
const WIDTH: usize = 80;

/// How messages are shown to whom.
pub(super) struct Shows<'a> {
    pub(super) config: &'a Config,
    /// The zone of readers who have none.
    pub(super) zone: Tz,
    /// How everything of the market is marked.
    pub(super) mark: &'static str,
    /// What readers set for themselves.
    pub(super) reader: Reader,
}

impl Shows<'_> {
    /// The parts in which a lane shows an event.
    fn parts(&self, lane: Lane, event: &Event) -> Vec<String> {
        let set = self.reader.preferences(lane.who.as_str()).unwrap_or_default();
        let reader = policy(self.config, lane, self.zone).preferring(&set);
        let telling = Telling { style: reader.style, ..Telling::plain(reader.zone, self.mark) };
        let message = Message { blocks: told(event, &telling), ..Message::default() };
        match lane.channel {
            ChannelKind::Telegram => html(&message, Budget::TEXT),
            ChannelKind::Terminal
            | ChannelKind::Discord
            | ChannelKind::Sms
            | ChannelKind::Email
            | ChannelKind::Ntfy
            | ChannelKind::Webhook => vec![plain(&message, WIDTH)],
        }
    }
}

/// What became of the drill on one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// The channel took it, and that is where it is read.
    Arrived,
    /// Twilio took it, and does not say yet whether the phone has it.
    Taken,
    /// A filter kept it.
    HeldBack,
    /// It will not be tried again.
    GivenUp,
    /// It has not got through by now.
    NotYet,
}

impl Outcome {
    /// Nothing went wrong.
    const fn is_sent(self) -> bool {
        matches!(self, Self::Arrived | Self::Taken)
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Taken => "taken",
            Self::HeldBack => "held back",
            Self::GivenUp => "given up",
            Self::NotYet => "not arrived",
        }
    }
}

/// One way.
#[derive(Debug, Serialize)]
struct Way {
    lane: String,
    outcome: Outcome,
    /// What the channel or the filter said.
    why: Option<String>,
    /// From commit to receipt.
    latency_ms: Option<i64>,
    /// How far the service's clock is ahead of ours, where it tells.
    skew_ms: Option<i64>,
    /// What the service calls the message.
    id: Option<String>,
    /// In which form the channel took it.
    form: Option<String>,
    /// What to do.
    hint: Option<String>,
    /// The message in its parts, as the channel gets it.
    parts: Vec<String>,
}

impl Way {
    /// A way that failed before may not have been tried with this message yet: what it said then holds.
    fn of(row: &TraceRow, lanes: &[LaneState], parts: Vec<String>) -> Self {
        let last = row.attempts.last();
        let said = last.and_then(|last| last.detail.clone());
        let failing = || lanes.iter().find(|state| state.lane == row.lane && state.failures > 0);
        let (outcome, why) = match row.state.as_str() {
            "sent" => match &row.service {
                Some(said) if is_delivered(row) => {
                    (Outcome::Arrived, Some(format!("Twilio says: {said}; the time is that of its taking it")))
                }
                Some(said) => (Outcome::Taken, Some(taken_words(said))),
                None => (Outcome::Arrived, row.verdict.clone().filter(|_| row.attempts.is_empty())),
            },
            "dead" => (Outcome::GivenUp, row.verdict.clone().or(said)),
            "skipped" => (Outcome::HeldBack, row.verdict.clone()),
            _ if is_held(row) => (Outcome::HeldBack, row.verdict.clone()),
            _ => {
                let waits = row.verdict.clone().filter(|_| row.attempts.is_empty());
                let untold = if row.attempts.is_empty() { "nobody has tried to send it" } else { "it is being sent" };
                let before = || failing().map_or(untold, |state| &state.why).to_owned();
                (Outcome::NotYet, Some(said.or(waits).unwrap_or_else(before)))
            }
        };
        let ended = last.and_then(|last| last.ended).or(row.settled);
        let form = last.and_then(|last| last.detail.clone());
        let is_sent = outcome.is_sent();
        Self {
            lane: row.lane.clone(),
            outcome,
            latency_ms: ended.filter(|_| is_sent).map(|ended| ended.since(row.created)),
            skew_ms: last.and_then(|last| last.skew_ms),
            id: row.remote.clone(),
            form: form.or_else(|| usual_form(&row.lane)).filter(|_| is_sent),
            hint: why.as_deref().filter(|_| !is_sent).map(|why| advice(&row.lane, outcome, why)),
            why,
            parts,
        }
    }
}

impl Way {
    /// What became of it, in one line.
    fn words(&self) -> String {
        let mut text = self.outcome.words().to_owned();
        if let Some(ms) = self.latency_ms {
            let _ = write!(text, " after {ms} ms");
        }
        let (form, why) = (self.form.as_deref(), self.why.as_deref());
        for said in [form, why].into_iter().flatten() {
            let _ = write!(text, ", {said}");
        }
        match self.skew_ms {
            None => {}
            // A service tells the time to the second.
            Some(skew) if skew.abs() <= 1_000 => text.push_str(", its clock agrees with ours"),
            Some(skew) => {
                let way = if skew < 0 { "behind" } else { "ahead of" };
                let _ = write!(text, ", its clock is {} {way} ours", age(skew.abs()));
            }
        }
        text
    }
}

/// What is known of a short message that Twilio only took; `said` is its word for that.
fn taken_words(said: &str) -> String {
    format!(
        "Twilio says: {said}. Whether it arrived has not come yet; it needs PUBLIC_URL and HTTP_LISTEN, and a bot that runs"
    )
}

/// In which form a channel takes messages where it said nothing else.
fn usual_form(lane: &str) -> Option<String> {
    let form = match lane.parse::<Lane>().ok()?.channel {
        ChannelKind::Telegram => "as rich text",
        ChannelKind::Discord => "as an embed",
        ChannelKind::Terminal => "as text",
        ChannelKind::Sms => "as a short message",
        ChannelKind::Ntfy => "as a push message",
        ChannelKind::Email => "as a letter",
        ChannelKind::Webhook => "as JSON",
    };
    Some(form.to_owned())
}

/// What to do about a way that did not take the drill. What was said begins with the words of its kind of error.
fn advice(lane: &str, outcome: Outcome, why: &str) -> String {
    let who = lane.split(':').next().unwrap_or(lane);
    let lower = why.to_lowercase();
    let begins = |words: &str| lower.starts_with(words);
    if outcome == Outcome::HeldBack {
        return format!("{who}'s own settings keep it: quiet, tell or /mute; test again when they do not");
    }
    let channel = lane.parse::<Lane>().ok().map(|lane| lane.channel);
    if begins("this way is closed") && channel != Some(ChannelKind::Telegram) {
        return mend(channel, who);
    }
    if begins("this way is closed") {
        return if lower.contains("unauthorized") || lower.ends_with(": not found") {
            "the token is not valid any more: get it from @BotFather and type it into \"bellwether setup\"".to_owned()
        } else if lower.contains("chat not found") {
            format!("there is no such chat: \"bellwether pair {who}\" binds the right one")
        } else {
            format!(
                "{who} opens the chat with the bot, unblocks it and presses Start; in a group, lets it in and write"
            )
        };
    }
    if begins("could not reach it") {
        return format!(
            "look at the network, at {} and at CA_FILE if they are set; then test again",
            variable(channel)
        );
    }
    if begins("asked to wait") || begins("rate: ") {
        return "the service takes nothing now: test again after that".to_owned();
    }
    if begins("no answer") {
        let place = match channel {
            Some(ChannelKind::Email) => "the mailbox",
            Some(ChannelKind::Sms) => "the phone",
            _ => "the chat",
        };
        return format!("look in {place} whether it is there; then test again");
    }
    if begins("the service took it and could not") {
        return format!("look at the phone of {who}: docs/SMS.md tells what the carriers' errors mean");
    }
    if begins("it is being sent") {
        let address = variable(channel);
        return format!("the service takes its time to answer: test again, and look at {address} if it is so again");
    }
    if begins("nobody has tried") {
        return "\"bellwether health\" tells whether the bot is well; a bot that runs without a terminal shows nothing there"
            .to_owned();
    }
    "the service takes this message in no form: \"bellwether trace\" with its number tells what it said".to_owned()
}

/// Where a service's address is set.
fn variable(channel: Option<ChannelKind>) -> &'static str {
    match channel {
        Some(ChannelKind::Telegram) | None => "TELEGRAM_API_URL",
        Some(ChannelKind::Discord) => "DISCORD_API_URL",
        Some(ChannelKind::Sms) => "TWILIO_API_URL",
        Some(ChannelKind::Email) => "SMTP_URL",
        Some(ChannelKind::Ntfy) => "NTFY_URL",
        Some(ChannelKind::Webhook) => "WEBHOOK_URL",
        Some(ChannelKind::Terminal) => "the terminal",
    }
}

/// What to do about a way that is closed, other than Telegram's.
fn mend(channel: Option<ChannelKind>, who: &str) -> String {
    match channel {
        Some(ChannelKind::Discord) => format!(
            "look at DISCORD_BOT_TOKEN, at the bot's permissions in that channel, and whether {who} shares a server with it: docs/DISCORD.md \
             tells what each word means"
        ),
        Some(ChannelKind::Sms) => {
            format!(
                "look at the variables that begin with TWILIO_ and at the phone of {who}: docs/SMS.md tells what each word means"
            )
        }
        Some(ChannelKind::Email) => {
            format!("look at SMTP_URL, at EMAIL_FROM and at the address of {who}: docs/EMAIL.md tells more")
        }
        other => format!("look at {}: it takes nothing as it is", variable(other)),
    }
}

/// What is said of a drill.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The drill's number; none where nothing could be sent.
    notice: Option<String>,
    /// True if it arrived or was taken on every way, or no service is set up, and each route reaches somebody.
    pub(super) well: bool,
    ways: Vec<Way>,
    /// Services that are not set up, each with what turns it on.
    off: Vec<&'static str>,
    /// Routes that do not lead everywhere where they say.
    dead_ends: Vec<String>,
}

impl Report {
    pub(super) fn new(sent: &Sent, shows: &Shows<'_>, off: Vec<&'static str>) -> Self {
        let parts = |row: &TraceRow| row.lane.parse().map(|lane| shows.parts(lane, &sent.event)).unwrap_or_default();
        let ways: Vec<Way> = sent.rows.iter().map(|row| Way::of(row, &sent.lanes, parts(row))).collect();
        let well = ways.iter().all(|way| way.outcome.is_sent());
        Self { notice: Some(sent.notice.to_string()), well, ways, off, dead_ends: Vec::new() }
    }

    /// No service is set up.
    pub(super) fn nothing(off: Vec<&'static str>) -> Self {
        Self { notice: None, well: true, ways: Vec::new(), off, dead_ends: Vec::new() }
    }

    /// With these routes told; if that counts, one that reaches nobody is no better than a way on which nothing arrives.
    pub(super) fn with_ends(mut self, ends: &[DeadEnd], counts: bool) -> Self {
        self.well &= !counts || !ends.iter().any(|end| end.is_whole);
        self.dead_ends = ends.iter().map(ToString::to_string).collect();
        self
    }

    pub(super) fn print(&self, json: bool) -> Result<(), AppError> {
        if json {
            let text = serde_json::to_string_pretty(self).map_err(|error| AppError::failed(error.to_string()))?;
            print(&text);
        } else {
            print(&self.words());
        }
        Ok(())
    }

    fn words(&self) -> String {
        let mut text = self.table();
        for way in &self.ways {
            let _ = write!(text, "\n{} gets:\n", way.lane);
            for line in way.parts.iter().flat_map(|part| part.lines()) {
                let _ = writeln!(text, "  {line}");
            }
        }
        if self.notice.is_none() {
            text.push_str("Nothing to test: no service is set up; the terminal is the bot's, while it runs\n");
        }
        for line in &self.off {
            let _ = writeln!(text, "{line}");
        }
        for end in &self.dead_ends {
            let _ = writeln!(text, "warning: {end}");
        }
        text.trim_end().to_owned()
    }

    /// A line a way, and what to do about it below.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        let Some(notice) = &self.notice else { return text };
        let wide = self.ways.iter().map(|way| way.lane.len()).max().unwrap_or_default().max(4);
        let shown = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let _ = writeln!(text, "Drill {notice}");
        let _ = writeln!(text, "{:<wide$}  {:<11}  {:>6}  {:>7}  id", "way", "outcome", "ms", "clock s");
        for way in &self.ways {
            // A service tells the time to the second.
            let (ms, skew) = (shown(way.latency_ms), shown(way.skew_ms.map(|skew| skew / 1_000)));
            let id = way.id.as_deref().unwrap_or("-");
            let _ = writeln!(text, "{:<wide$}  {:<11}  {ms:>6}  {skew:>7}  {id}", way.lane, way.outcome.words());
            if let Some(form) = &way.form {
                let _ = writeln!(text, "  {form}");
            }
            if let Some(why) = &way.why {
                let _ = writeln!(text, "  {why}");
            }
            if let Some(hint) = &way.hint {
                let _ = writeln!(text, "  hint: {hint}");
            }
        }
        text
    }
}

/// What became of a drill, as it is told in the chat in which it was asked for: a line for each way whose reader may be named there.
pub(super) fn chat_words(
    notice: NoticeId,
    rows: &[TraceRow],
    lanes: &[LaneState],
    is_shown: impl Fn(&str) -> bool,
) -> String {
    let ways: Vec<Way> = rows.iter().map(|row| Way::of(row, lanes, Vec::new())).collect();
    let count = |ways: &[&Way], outcome| ways.iter().filter(|way| way.outcome == outcome).count();
    let arrived = |ways: &[&Way]| count(ways, Outcome::Arrived);
    let (shown, others): (Vec<&Way>, Vec<&Way>) = ways.iter().partition(|way| is_shown(&way.lane));
    let all = counted(ways.len() as u64, "way");
    let mut text = format!("Drill {notice} arrived on {} of {all}", arrived(&shown) + arrived(&others));
    let taken = count(&shown, Outcome::Taken) + count(&others, Outcome::Taken);
    if taken > 0 {
        let _ = write!(text, ", taken by Twilio on {taken}");
    }
    for way in shown {
        let _ = write!(text, "\n{}: {}", way.lane, way.words());
        if let Some(hint) = &way.hint {
            let _ = write!(text, "\n{hint}");
        }
    }
    if !others.is_empty() {
        let all = counted(others.len() as u64, "way");
        let _ = write!(text, "\n{all} to others: {} arrived", arrived(&others));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::notify::SendError;

    #[test]
    fn each_kind_of_error_has_its_advice() {
        let shut = |said: &str| SendError::Shut(said.to_owned());
        for (error, want) in [
            (shut("Forbidden: bot was blocked by the user"), "ana opens the chat with the bot"),
            (shut("Unauthorized"), "@BotFather"),
            (shut("Bad Request: chat not found"), "bellwether pair ana"),
            (SendError::Unreachable("refused".to_owned()), "look at the network"),
            (SendError::Throttled(Duration::from_mins(1)), "test again after that"),
            (SendError::Unknown("cut".to_owned()), "look in the chat"),
            (SendError::Rejected("Bad Request".to_owned()), "bellwether trace"),
        ] {
            let said = advice("ana:telegram", Outcome::NotYet, &error.to_string());
            assert!(said.contains(want), "{error}: {said}");
        }
        assert!(advice("ana:telegram", Outcome::HeldBack, "quiet hours").contains("quiet"));
    }
}
