//! What was run? The book's settings in words, for page and JSON: whoever reads the result must be able to run it again.

use serde_json::{Map, Value, json};

use crate::domain::Ratio;
use crate::domain::format::money;

use super::Report;

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
        let symbols: Vec<String> = settings.symbols.iter().take(12).map(ToString::to_string).collect();
        let more = settings.symbols.len().saturating_sub(symbols.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let chosen = if self.walk_forward.is_some() { "; what varies was chosen for each window" } else { "" };
        vec![
            ("Symbols", symbols.join(", ") + &more),
            ("Strategies", self.strategies().join("; ") + chosen),
            ("Capital", format!("{} {}", money(self.desk.book.capital), self.desk.book.currency)),
            ("Sizing", settings.sizing.as_str().to_owned()),
            ("Fee", bps(limits.fee_bps)),
            ("Slippage", bps(limits.slippage_bps)),
            ("Stops", yes(limits.stops).to_owned()),
            ("Limits", if limits.enforced { "enforced" } else { "lifted" }.to_owned()),
            ("Days end at midnight of", settings.zone.to_string()),
        ]
    }

    /// The same for programs.
    pub(super) fn settings_json(&self) -> Value {
        let settings = self.settings;
        let strategies = settings.strategies.iter().map(|strategy| {
            let values = strategy.values.iter().map(|(name, value)| (name.to_owned(), json!(value.to_f64())));
            json!({ "name": strategy.name, "parameters": values.collect::<Map<_, _>>() })
        });
        let limits = &settings.limits;
        json!({
            "symbols": settings.symbols,
            "strategies": strategies.collect::<Vec<_>>(),
            "sizing": settings.sizing.as_str(),
            "fee_bps": in_bps(limits.fee_bps),
            "slippage_bps": in_bps(limits.slippage_bps),
            "stops": limits.stops,
            "limits": limits.enforced,
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
