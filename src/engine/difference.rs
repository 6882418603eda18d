//! What is different in a changed configuration? Each difference in words, and what cannot change while it runs.

use std::fmt::Display;

use crate::domain::format::percent;
use crate::domain::{Label, Ratio, Regime, Symbol, Timeframe};
use crate::risk::{LIMITS, Limits, Sizing};
use crate::strategy::Selector;

use super::{DeskSettings, Schedule, ScreenerSettings, StrategySettings};

/// What is different between two settings of a book.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// What changes, in words.
    pub(super) changes: Vec<String>,
    /// What would have to change and cannot without a restart, in words.
    pub(super) restart: Vec<String>,
}

impl Difference {
    /// Compares a book's settings. `serves` tells which bars the feed gives.
    pub(super) fn between(old: &DeskSettings, new: &DeskSettings, serves: impl Fn(Timeframe) -> bool) -> Self {
        let mut all = Words { book: old.name, lines: Vec::new() };
        all.note("capital", &old.capital, &new.capital);
        all.note("currency", &old.currency, &new.currency);
        all.note("zone", &old.zone, &new.zone);
        if old.symbols != new.symbols {
            all.say("its symbols");
        }
        for timeframe in new.timeframes().filter(|timeframe| !serves(*timeframe)) {
            all.say(&format!("{timeframe} bars, which nobody asked for at the start"));
        }
        for pin in new.pins.iter().filter(|pin| !old.pins.contains(pin) && !old.symbols.contains(pin)) {
            all.say(&format!("the pin {pin}, which is not on its list"));
        }
        let restart = std::mem::take(&mut all.lines);
        all.limits("", &old.limits, &new.limits);
        all.note("daily_loss", &old.daily_loss.as_str(), &new.daily_loss.as_str());
        all.note("sizing", &old.sizing.as_str(), &new.sizing.as_str());
        all.note("the size of a trade", &percent(old.risk), &percent(new.risk));
        all.list(&old.symbols, &new.symbols);
        all.symbols(old, new);
        all.selector(old, new);
        all.note("pins", &symbols_listed(&old.pins), &symbols_listed(&new.pins));
        all.note("bans", &symbols_listed(&old.bans), &symbols_listed(&new.bans));
        all.screener(old.screener, new.screener);
        all.strategies(&old.strategies, &new.strategies);
        Self { changes: all.lines, restart }
    }
}

/// Lines that each begin with the book.
struct Words {
    book: Label,
    lines: Vec<String>,
}

impl Words {
    fn say(&mut self, what: &str) {
        self.lines.push(format!("{}: {what}", self.book));
    }

    fn note<T: Display + PartialEq>(&mut self, what: &str, old: &T, new: &T) {
        if old != new {
            self.say(&format!("{what} {old} -> {new}"));
        }
    }

    fn list(&mut self, old: &[Symbol], new: &[Symbol]) {
        new.iter().filter(|symbol| !old.contains(symbol)).for_each(|symbol| self.say(&format!("watches {symbol}")));
        let gone = old.iter().filter(|symbol| !new.contains(symbol));
        gone.for_each(|symbol| self.say(&format!("no longer watches {symbol}")));
    }

    fn limits(&mut self, whose: &str, old: &Limits, new: &Limits) {
        for spec in LIMITS {
            if let (Some(old), Some(new)) = (old.get(spec.key), new.get(spec.key)) {
                self.note(&format!("{whose}{}", spec.key), &spec.kind.written(old), &spec.kind.written(new));
            }
        }
    }

    /// What holds for single symbols, where it is not simply what changes for the whole book.
    fn symbols(&mut self, old: &DeskSettings, new: &DeskSettings) {
        let mut named: Vec<Symbol> = old.overrides.iter().chain(&new.overrides).map(|terms| terms.symbol).collect();
        named.sort_unstable();
        named.dedup();
        for symbol in named {
            let ((was, was_sized), (is, is_sized)) = (old.terms_of(symbol), new.terms_of(symbol));
            for spec in LIMITS {
                let [was, of_book, is, of_new_book] =
                    [was, &old.limits, is, &new.limits].map(|limits| limits.get(spec.key).unwrap_or_default());
                if was != is && (was, is) != (of_book, of_new_book) {
                    self.note(&format!("{symbol} {}", spec.key), &spec.kind.written(was), &spec.kind.written(is));
                }
            }
            if (was_sized, is_sized) != (old.sizing, new.sizing) {
                self.note(&format!("{symbol} sizing"), &Sizing::as_str(was_sized), &Sizing::as_str(is_sized));
            }
        }
    }

    fn selector(&mut self, old: &DeskSettings, new: &DeskSettings) {
        match (&old.selector, &new.selector) {
            (None, None) => return,
            (Some(_), None) => return self.say("no selector any more: every strategy may always enter"),
            (None, Some(selector)) => {
                let rows: Vec<String> =
                    Regime::ALL.iter().map(|regime| format!("{regime} {}", row_words(selector, *regime))).collect();
                self.say(&format!("a selector: {}", rows.join("; ")));
            }
            (Some(was), Some(is)) => {
                for regime in Regime::ALL {
                    self.note(&format!("selector {regime}"), &row_words(was, regime), &row_words(is, regime));
                }
            }
        }
        let bars = |timeframe: Option<Timeframe>| timeframe.map_or("finest".to_owned(), |it| it.to_string());
        self.note("selector timeframe", &bars(old.regime_timeframe), &bars(new.regime_timeframe));
    }

    fn screener(&mut self, old: Option<ScreenerSettings>, new: Option<ScreenerSettings>) {
        match (old, new) {
            (None, None) => {}
            (Some(_), None) => self.say("no screener any more: everything on its list may be entered"),
            (None, Some(new)) => self.say(&format!("a screener: the best {} at {}", new.rules.top, time_of_day(new))),
            (Some(old), Some(new)) => {
                self.note("screener at", &time_of_day(old), &time_of_day(new));
                let (old, new) = (old.rules, new.rules);
                self.note("screener top", &old.top, &new.top);
                self.note("screener volume_min", &old.volume_min, &new.volume_min);
                self.note("screener price_min", &old.price_min, &new.price_min);
                self.note("screener atr_min", &old.atr_min, &new.atr_min);
                self.note("screener relative_strength_min", &old.strength_min, &new.strength_min);
            }
        }
    }

    fn strategies(&mut self, old: &[StrategySettings], new: &[StrategySettings]) {
        for gone in old.iter().filter(|gone| new.iter().all(|stays| stays.name != gone.name)) {
            self.say(&format!("strategy {} removed", gone.name));
        }
        for strategy in new {
            match old.iter().find(|was| was.name == strategy.name) {
                None => self.say(&format!("strategy {} added, {}", strategy.name, described(strategy))),
                Some(was) => self.strategy(was, strategy),
            }
        }
        let names = |list: &[StrategySettings], other: &[StrategySettings]| -> Vec<Label> {
            let both = list.iter().map(|it| it.name).filter(|name| other.iter().any(|it| it.name == *name));
            both.collect()
        };
        let (was, is) = (names(old, new), names(new, old));
        if was != is {
            self.note("precedence", &listed(&was), &listed(&is));
        }
    }

    fn strategy(&mut self, old: &StrategySettings, new: &StrategySettings) {
        let name = new.name;
        let enabled = |strategy: &StrategySettings| if strategy.enabled { "enabled" } else { "disabled" };
        self.note(name.as_str(), &enabled(old), &enabled(new));
        for (param, (old, new)) in
            new.kind.params.iter().zip(old.values.iter().map(|it| it.1).zip(new.values.iter().map(|it| it.1)))
        {
            self.note(&format!("{name} {}", param.name), &param.kind.written(old), &param.kind.written(new));
        }
        self.note(&format!("{name} min_confidence"), &old.min_confidence, &new.min_confidence);
        self.note(&format!("{name} tif"), &old.tif.as_str(), &new.tif.as_str());
        self.note(&format!("{name} runs"), &when(old), &when(new));
    }
}

/// A strategy in words: when it runs, and what else is not usual.
pub(super) fn described(strategy: &StrategySettings) -> String {
    let symbols = if strategy.symbols.is_empty() {
        String::new()
    } else {
        format!(", for {} alone", symbols_listed(&strategy.symbols))
    };
    let size = if strategy.risk == Ratio::ONE {
        String::new()
    } else {
        format!(", at {} of the size", percent(strategy.risk))
    };
    format!("{}{symbols}{size}", when(strategy))
}

/// When a strategy runs, in words.
pub(super) fn when(strategy: &StrategySettings) -> String {
    let bars = strategy.timeframe.map_or("the finest bars".to_owned(), |it| format!("{it} bars"));
    match &strategy.schedule {
        None => format!("at the end of {bars}"),
        Some(schedule) => {
            let also = if strategy.outside_session { ", also outside sessions" } else { "" };
            format!("{} on {bars}{also}", Schedule::words(schedule))
        }
    }
}

/// Who may enter in a regime, and how large.
fn row_words(selector: &Selector, regime: Regime) -> String {
    let rows = selector.rows.iter().filter(|row| row.regime == regime);
    let rows: Vec<String> = rows
        .map(|row| {
            let size = if row.size == Ratio::ONE { String::new() } else { format!(" at {} of the size", row.size) };
            format!("{}{size}", listed(&row.strategies))
        })
        .collect();
    if rows.is_empty() { "nobody".to_owned() } else { rows.join(", ") }
}

fn time_of_day(screener: ScreenerSettings) -> String {
    screener.at.format("%H:%M").to_string()
}

fn symbols_listed(symbols: &[Symbol]) -> String {
    let symbols: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    if symbols.is_empty() { "none".to_owned() } else { symbols.join(", ") }
}

fn listed(names: &[Label]) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    let names: Vec<&str> = names.iter().map(Label::as_str).collect();
    names.join(", ")
}
