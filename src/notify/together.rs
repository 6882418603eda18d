//! How is a whole story told in one message? Its last state first, then what led to it; what is over already is told as over.

use chrono_tz::Tz;

use crate::clock::Timestamp;
use crate::domain::format::{age, counted, price, time};
use crate::domain::{Block, Event, EventKind, Line, Side, Span, StoryPart, Style};

use super::living::open_trade;
use super::telling::{Said, Telling, Words, quoting};
use super::told;

/// Earlier facts that are told one by one.
const EARLIER_MAX: usize = 6;

/// Several events of one story, oldest first, as one message.
pub fn story_blocks(events: &[Event], telling: &Telling) -> Vec<Block> {
    let Some((last, before)) = events.split_last() else { return Vec::new() };
    // An episode that began and ended here is told as one fact; where the story began twice, the later time counts.
    let begun = before.iter().rposition(|event| part(event) == Some(StoryPart::Begins));
    let over = begun.filter(|_| part(last) == Some(StoryPart::Ends)).and_then(|begun| {
        let whole = Words::of(last, telling).over(&events[begun], last)?;
        Some((telling.finished(whole.blocks()), begun))
    });
    let (mut blocks, earlier) = match over {
        Some((blocks, begun)) => {
            let between = &before[begun + 1..];
            (blocks, before[..begun].iter().chain(between).collect::<Vec<_>>())
        }
        None => match begun.and_then(|begun| Some((open_trade(&events[begun..], telling)?, begun))) {
            Some((blocks, begun)) => (blocks, before[..begun].iter().collect()),
            None => (told(last, telling), before.iter().collect()),
        },
    };
    // Where the stop was is no news once it is elsewhere, or nothing is held; nor is a rest that another one followed.
    let is_past = |kind: &EventKind| matches!(kind, EventKind::StopMoved { .. } | EventKind::EntryLocked { .. });
    let earlier: Vec<&Event> = earlier.into_iter().filter(|event| !is_past(&event.kind)).collect();
    blocks.extend(earlier_lines(&earlier, telling));
    blocks
}

fn part(event: &Event) -> Option<StoryPart> {
    event.story().map(|story| story.part)
}

/// What came before, each fact with its time; the latest first, like the message itself.
fn earlier_lines(earlier: &[&Event], telling: &Telling) -> Vec<Block> {
    let line = |event: &&Event| {
        let mut spans = vec![Span::Text(format!("Before, {}: ", time(instant(event), telling.zone)))];
        spans.extend(fact(event, telling));
        Block::Line(Line(spans))
    };
    let mut lines: Vec<Block> = earlier.iter().rev().take(EARLIER_MAX).map(line).collect();
    if earlier.len() > EARLIER_MAX {
        let more = format!("and {} before that", counted((earlier.len() - EARLIER_MAX) as u64, "message"));
        lines.push(Block::Line(Line::from(more)));
    }
    telling.restyled(lines)
}

/// When it happened as its own words tell it: a fill has the time of its bar, and not of the cycle that saw it.
fn instant(event: &Event) -> Timestamp {
    match &event.kind {
        EventKind::PositionOpened { fill, .. } | EventKind::OrderFilled { fill, .. } => fill.at,
        EventKind::PositionClosed { trade, .. } => trade.closed,
        _ => event.at,
    }
}

/// The title of an event as spans, in the canonical style.
pub(super) fn fact(event: &Event, telling: &Telling) -> Vec<Span> {
    let canonical = Telling { style: Style::default(), ..*telling };
    match told(event, &canonical).into_iter().next() {
        Some(Block::Title(line)) => line.0,
        _ => Vec::new(),
    }
}

/// The time of the day, with its date where that is not the day of `last`.
pub(super) fn day_time(at: Timestamp, last: Timestamp, zone: Tz) -> String {
    let (local, reference) = (at.utc().with_timezone(&zone), last.utc().with_timezone(&zone));
    let form = if local.date_naive() == reference.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    local.format(form).to_string()
}

impl Words<'_> {
    /// What began and ended while nobody could be told.
    fn over(&self, begun: &Event, ended: &Event) -> Option<Said> {
        let span = |since: Timestamp| {
            let times = [day_time(since, ended.at, self.telling.zone), day_time(ended.at, ended.at, self.telling.zone)];
            format!("{} ({})", age(ended.at.since(since)), times.join(" to "))
        };
        let book = &self.book;
        Some(match (&begun.kind, &ended.kind) {
            (EventKind::PositionOpened { fill, strategy, because, .. }, EventKind::PositionClosed { trade, .. }) => {
                let done = if fill.side == Side::Sell { "sold short" } else { "bought" };
                let (symbol, entry, exit) = (trade.symbol, price(trade.entry_price), price(trade.exit_price));
                let (result, mark) = (self.result_of(trade), self.telling.mark);
                let EventKind::PositionClosed { day, day_share, equity, .. } = &ended.kind else { return None };
                let held = age(trade.closed.since(trade.opened));
                Said::fact(&format!("{symbol} {done} at {entry} and closed at {exit} · {result} after {held} · {mark}"))
                    .and(&format!("{strategy}: {because} · {}", self.time(fill.at)))
                    .and(&self.closed_how(trade))
                    .and(&self.closed_day(*day, *day_share, *equity))
            }
            (EventKind::FeedStale { symbol, since }, EventKind::FeedRecovered { bars_missing, .. }) => {
                Said::fact(&format!("Prices of {symbol} were stale for {}", span(*since)))
                    .and(&format!("Nothing was entered on it meanwhile; missing: {}", counted(*bars_missing, "bar")))
            }
            (EventKind::SymbolLocked { symbol, before, after, .. }, EventKind::SymbolUnlocked { reason, .. }) => {
                let (before, after) = (price(*before), price(*after));
                let why = Self::symbol_unlocked(*symbol, reason).text();
                Said::fact(&format!("{symbol} was locked for {}", span(begun.at)))
                    .and(&format!("It had moved from {before} to {after}; nothing of it was traded meanwhile"))
                    .and(&why)
            }
            (EventKind::EntryLocked { lock }, EventKind::EntryUnlocked { person, .. }) => {
                let symbol = lock.symbol;
                Said::fact(&format!("{book} kept out of {symbol} for {}", span(begun.at)))
                    .and(&format!("It may enter it again, said {person}"))
            }
            (EventKind::TradingHalted { .. } | EventKind::TradingReduced { .. }, EventKind::TradingResumed { .. }) => {
                let was = if matches!(begun.kind, EventKind::TradingHalted { .. }) { "halted" } else { "reducing" };
                let why = Words::of(begun, self.telling).say(&begun.kind).text();
                Said::fact(&format!("{book} was {was} for {} and is running again", span(begun.at)))
                    .and(&format!("It had begun so: {why}"))
            }
            (EventKind::LaneDied { lane, why, .. }, EventKind::LaneRecovered { waiting, .. }) => {
                let came = (*waiting > 0).then(|| format!("{} waited and come now", counted(*waiting, "message")));
                Said::fact(&format!("Nothing reached {lane} for {}", span(begun.at)))
                    .and_theirs("It had said: ", why)
                    .and_some(came)
            }
            (EventKind::HealthDegraded { part, why }, EventKind::HealthRestored { .. }) => {
                let after = format!(" was not well for {} and is again", span(begun.at));
                Said::title(quoting("", part, &after)).and_theirs("It had said: ", why)
            }
            _ => return None,
        })
    }
}
