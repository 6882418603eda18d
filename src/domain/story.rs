//! Which events belong together? What begins, goes on and ends is one story, told in one place.

use super::{Event, EventKind, LockCause};

/// The story that an event is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What it is about, such as `trade main AAPL`. The same words later, after it has ended, are another episode.
    pub key: String,
    /// Which part of it this is.
    pub part: StoryPart,
}

/// A part of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoryPart {
    /// It begins, or grows worse.
    Begins,
    /// Something in it changed.
    GoesOn,
    /// It is over.
    Ends,
}

impl Event {
    /// The story it belongs to, if it belongs to one.
    pub fn story(&self) -> Option<Story> {
        use StoryPart::{Begins, Ends, GoesOn};
        let book = self.book.map(|book| book.to_string()).unwrap_or_default();
        let trade = |symbol| format!("trade {book} {symbol}");
        let (key, part) = match &self.kind {
            EventKind::PositionOpened { fill, .. } => (trade(fill.symbol), Begins),
            EventKind::PositionScaled { symbol, .. } | EventKind::StopMoved { symbol, .. } => (trade(*symbol), GoesOn),
            EventKind::PositionClosed { trade: closed, .. } => (trade(closed.symbol), Ends),
            EventKind::TradingHalted { .. } | EventKind::TradingReduced { .. } => (format!("trading {book}"), Begins),
            EventKind::TradingResumed { .. } => (format!("trading {book}"), Ends),
            EventKind::FeedStale { symbol, .. } => (format!("feed {symbol}"), Begins),
            EventKind::FeedRecovered { symbol, .. } => (format!("feed {symbol}"), Ends),
            EventKind::SymbolLocked { symbol, .. } => (format!("lock {symbol}"), Begins),
            EventKind::SymbolUnlocked { symbol, .. } => (format!("lock {symbol}"), Ends),
            // A short rest after a stop is over by itself, and nobody is told of it.
            EventKind::EntryLocked { lock } if lock.cause == LockCause::Cooldown => return None,
            EventKind::EntryLocked { lock } => (format!("entry {book} {}", lock.symbol), Begins),
            EventKind::EntryUnlocked { symbol, .. } => (format!("entry {book} {symbol}"), Ends),
            EventKind::LaneDied { lane, .. } => (format!("lane {lane}"), Begins),
            EventKind::LaneRecovered { lane, .. } => (format!("lane {lane}"), Ends),
            EventKind::HealthDegraded { part, .. } => (format!("health {part}"), Begins),
            EventKind::HealthRestored { part, .. } => (format!("health {part}"), Ends),
            _ => return None,
        };
        Some(Story { key, part })
    }
}
