//! What was run? The book's settings in words, for page and JSON: whoever reads the result must be able to run it again.

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::domain::format::money;
use crate::domain::{Ratio, Timeframe};
use crate::risk::{LIMITS, LimitSpec, Limits, Sizing};

use super::Report;

/// Settings that are limits by their kind and are told apart from them.
const TOLD_APART: [&str; 3] = ["fee_bps", "slippage_bps", "fixed_units"];

/// What was asked for beside the book: which prices, and what to choose from. As written by whoever asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The folder or file of the prices.
    pub data: String,
    /// The bars; none for the finest there are.
    pub timeframe: Option<Timeframe>,
    /// Where trading may begin.
    pub from: Option<Timestamp>,
    /// Where the prices end.
    pub to: Option<Timestamp>,
    /// Parameters as `key=value`, or as a list of values to choose from.
    pub set: Vec<String>,
}

impl Asked {
    fn stretch(&self) -> String {
        match (self.from, self.to) {
            (None, None) => "all there is".to_owned(),
            (Some(from), None) => format!("from {from}"),
            (None, Some(to)) => format!("to {to}"),
            (Some(from), Some(to)) => format!("{from} to {to}"),
        }
    }
}

impl Report<'_> {
    /// The strategies with their parameters: `sma_cross (fast 20, slow 50)`.
    pub(super) fn strategies(&self) -> Vec<String> {
        let strategies = &self.settings.strategies;
        let words = strategies.iter().map(|strategy| {
            let kinds = strategy.kind.params.iter().map(|param| param.kind);
            let values = strategy.values.iter().zip(kinds);
            let values: Vec<String> =
                values.map(|((name, value), kind)| format!("{name} {}", kind.written(value))).collect();
            let on = strategy.timeframe.map(|timeframe| format!(" on {timeframe} bars")).unwrap_or_default();
            format!("{}{on} ({})", strategy.name, values.join(", "))
        });
        words.collect()
    }

    /// The names of the strategies.
    pub(super) fn strategy_words(&self) -> String {
        let names: Vec<&str> = self.settings.strategies.iter().map(|strategy| strategy.name.as_str()).collect();
        if names.is_empty() { "no strategy".to_owned() } else { names.join(", ") }
    }

    /// Names and values, in the order of the page.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let settings = self.settings;
        let limits = &settings.limits;
        let asked = &self.asked;
        let symbols: Vec<String> = settings.symbols.iter().map(ToString::to_string).collect();
        let chosen = match (&self.walk_forward, asked.set.is_empty()) {
            (None, _) => String::new(),
            (Some(_), true) => "; nothing varies".to_owned(),
            (Some(_), false) => format!("; what varies was chosen for each window from {}", asked.set.join(", ")),
        };
        let changed: Vec<String> = self.changed().map(|(limit, value)| format!("{} {value}", limit.key)).collect();
        let limits_set = if changed.is_empty() { String::new() } else { format!("; {}", changed.join(", ")) };
        let units = self.units().map(|units| format!(", {units} units each")).unwrap_or_default();
        vec![
            ("Symbols", symbols.join(", ")),
            ("Data", asked.data.clone()),
            ("Bars", asked.timeframe.map_or_else(|| "the finest there are".to_owned(), |it| it.to_string())),
            ("Stretch", asked.stretch()),
            ("Strategies", self.strategies().join("; ") + &chosen),
            ("Capital", format!("{} {}", money(self.desk.book.capital), self.desk.book.currency)),
            ("Sizing", settings.sizing.as_str().to_owned() + &units),
            ("Fee", bps(limits.fee_bps)),
            ("Slippage", bps(limits.slippage_bps)),
            ("Stops", yes(limits.stops).to_owned()),
            ("Limits", if limits.enforced { "enforced" } else { "lifted" }.to_owned() + &limits_set),
            ("Days end at midnight of", settings.zone.to_string()),
        ]
    }

    /// The quantity of every entry, where it is the same.
    fn units(&self) -> Option<Ratio> {
        (self.settings.sizing == Sizing::Fixed).then_some(self.settings.limits.fixed_units)
    }

    /// The limits that are not the usual ones, with their values as they are written.
    fn changed(&self) -> impl Iterator<Item = (&'static LimitSpec, Ratio)> {
        let (limits, usual) = (&self.settings.limits, Limits::default());
        let own = LIMITS.iter().filter(|limit| !TOLD_APART.contains(&limit.key));
        own.filter_map(move |limit| {
            let value = limits.get(limit.key).filter(|value| usual.get(limit.key) != Some(*value))?;
            Some((limit, limit.kind.written(value)))
        })
    }

    /// The same for programs.
    pub(super) fn settings_json(&self) -> Value {
        let settings = self.settings;
        let strategies = settings.strategies.iter().map(|strategy| {
            let values = strategy.values.iter().map(|(name, value)| (name.to_owned(), json!(value.to_f64())));
            json!({ "name": strategy.name, "parameters": values.collect::<Map<_, _>>() })
        });
        let limits = &settings.limits;
        let asked = &self.asked;
        let changed = self.changed().map(|(limit, value)| (limit.key.to_owned(), json!(value.to_f64())));
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        json!({
            "symbols": settings.symbols,
            "data": asked.data,
            "timeframe": asked.timeframe.map(|timeframe| timeframe.to_string()),
            "from": time(asked.from),
            "to": time(asked.to),
            "set": asked.set,
            "strategies": strategies.collect::<Vec<_>>(),
            "sizing": settings.sizing.as_str(),
            "fee_bps": in_bps(limits.fee_bps),
            "slippage_bps": in_bps(limits.slippage_bps),
            "stops": limits.stops,
            "limits": limits.enforced,
            "limits_changed": changed.collect::<Map<_, _>>(),
            "units": self.units().map(Ratio::to_f64),
            "zone": settings.zone.to_string(),
        })
    }
}

fn in_bps(ratio: Ratio) -> f64 {
    ratio.scaled(10_000, 1).unwrap_or(Ratio::MAX).to_f64()
}

fn bps(ratio: Ratio) -> String {
    format!("{} basis points of the value", in_bps(ratio))
}

const fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
