//! Which symbols may a book enter? Those on its list, of these the ones its screener chose, and over both a person's pins and bans.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::domain::{Manual, ScreenVerdict, Screening, Symbol};

use super::DeskSettings;
use super::desk::Desk;

/// The rule of the list.
const NOT_LISTED: &str = "the symbol is on the book's list";

/// The symbols of one book, one a lane.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    lanes: Vec<Watched>,
}

/// A symbol and what is said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    /// The symbol.
    pub(super) symbol: Symbol,
    /// True if it is on the book's list.
    pub(super) listed: bool,
    /// False if the screener looked at it and did not choose it.
    pub(super) chosen: bool,
    /// A person's word on it.
    pub(super) manual: Option<Manual>,
}

impl Watched {
    /// True if the screener looks at it.
    pub(super) fn is_looked_at(self) -> bool {
        self.listed || self.manual == Some(Manual::Pinned)
    }
}

impl Watch {
    /// The whole list of a book, but for what is banned.
    pub(super) fn new(settings: &DeskSettings, lanes: impl Iterator<Item = Symbol>) -> Self {
        let watched = |symbol| {
            let manual = match (settings.bans.contains(&symbol), settings.pins.contains(&symbol)) {
                (true, _) => Some(Manual::Banned),
                (false, true) => Some(Manual::Pinned),
                (false, false) => None,
            };
            Watched { symbol, listed: settings.symbols.contains(&symbol), chosen: true, manual }
        };
        Self { lanes: lanes.map(watched).collect() }
    }

    /// All symbols, one a lane.
    pub(super) fn lanes(&self) -> &[Watched] {
        &self.lanes
    }

    /// True if a lane is on the list or pinned.
    pub(super) fn lists(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|watched| watched.is_looked_at())
    }

    /// Narrows the list to what a screener chose. What it did not look at stays.
    pub(super) fn choose(&mut self, screening: &Screening) {
        let out = |verdict| matches!(verdict, ScreenVerdict::Failed { .. } | ScreenVerdict::Outranked { .. });
        let rows: HashMap<Symbol, bool> =
            screening.rows.iter().map(|row| (row.symbol, row.watched && !out(row.verdict))).collect();
        for lane in &mut self.lanes {
            lane.chosen = rows.get(&lane.symbol).copied().unwrap_or(true);
        }
    }

    /// The rule that keeps the book from entering a lane's symbol; none if it may.
    pub(super) fn against(&self, lane: usize) -> Option<&'static str> {
        let Some(watched) = self.lanes.get(lane) else { return Some(NOT_LISTED) };
        match watched.manual {
            Some(Manual::Banned) => Some("the symbol is not banned"),
            None if !watched.listed => Some(NOT_LISTED),
            None if !watched.chosen => Some("the screener has chosen the symbol"),
            Some(Manual::Pinned) | None => None,
        }
    }
}

impl Desk {
    /// Puts list, pins, bans and screener of the settings in force, with what the screener last found.
    pub(super) fn rewatch(&mut self) {
        let lanes: Vec<Symbol> = self.watch.lanes.iter().map(|watched| watched.symbol).collect();
        self.watch = Watch::new(&self.settings, lanes.into_iter());
        self.screening.take_if(|_| self.settings.screener.is_none());
        if let Some(screening) = &self.screening {
            self.watch.choose(screening);
        }
        self.screen_due = Timestamp::from_ms(i64::MIN);
    }
}
