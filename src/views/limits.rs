//! How far are we from our limits? Each limit with what is used and what is left, the nearest first, then all other settings.

use std::cmp::Reverse;

use crate::domain::{LimitFigures, LimitUnit, Ratio, RiskFigures, Setting};
use crate::store::BookRow;

use super::measured::Measured;
use super::open::{ViewError, Views};
use super::over_file::{changes_of, mark};
use crate::domain::format::{money, percent};

/// A limit of which this share is used is marked.
const NEAR: Ratio = Ratio::from_percent(80);

/// Where the settings that nothing is measured against are shown; what stands in no row comes last.
const SETTINGS: &[(&str, &[&str])] = &[
    (
        "Sizes",
        &[
            "risk_per_trade_pct",
            "fraction_pct",
            "volatility_target_pct",
            "kelly_share_pct",
            "kelly_cap_pct",
            "kelly_floor_pct",
            "fixed_units",
        ],
    ),
    ("Stops", &["stop_atr", "target_atr", "trailing"]),
    ("Told", &["alert_day_pct", "alert_position_pct"]),
    (
        "Pauses and locks",
        &[
            "daily_loss_near_pct",
            "breaker_atr",
            "breaker_bars",
            "cooldown_bars",
            "stops_max",
            "stops_window_bars",
            "losing_streak",
            "low_profit_trades",
            "low_profit_pct",
            "lock_bars",
        ],
    ),
    (
        "Prices",
        &["data_age_bars", "price_move_pct", "lock_move_pct", "lock_sessions", "correlation_bars", "liquidity_pct"],
    ),
    (
        "Costs",
        &[
            "fee_bps",
            "slippage_bps",
            "impact_bps",
            "volume_share_pct",
            "latency_ms",
            "borrow_pct",
            "funding_bps",
            "maintenance_pct",
        ],
    ),
];

/// The answer to `/limits [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn limits(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in scene.books_named(book)? {
        let measured = Measured::of(views, &scene, row)?;
        let changes = changes_of(row);
        let mark = |key: &str| mark(&changes, |set| matches!(set, Setting::Limit { name, .. } if name == key));
        lines.extend(measured.as_ref().map_or_else(
            || vec![format!("{} has no risk figures yet: its next cycle measures what is used", row.book.name)],
            |measured| limit_lines(measured, mark),
        ));
        lines.extend(setting_lines(row, measured.as_ref().map(|measured| &measured.figures), mark));
    }
    Ok(lines.join("\n"))
}

fn limit_lines(measured: &Measured<'_>, chat: impl Fn(&str) -> &'static str) -> Vec<String> {
    let sorted = nearest_first(&measured.figures);
    let near = sorted.iter().filter(|limit| limit.used() >= Some(NEAR)).count();
    let name = measured.row.book.name;
    let first = match near {
        0 => format!("{name} uses less than {} of each limit", percent(NEAR)),
        _ => format!("{name} has used {} or more of {near} of {} limits, marked !", percent(NEAR), sorted.len()),
    };
    let mut lines = vec![format!("{first} · {}", measured.as_of())];
    lines.push("Nearest first; working entries are counted in".to_owned());
    lines.extend(sorted.iter().map(|limit| {
        let mark = if limit.used() >= Some(NEAR) { '!' } else { ' ' };
        format!("{mark} {}{}", limit_words(limit), chat(&limit.key))
    }));
    lines
}

/// The limits of which most is used first; those that nothing can be measured against last.
pub(super) fn nearest_first(figures: &RiskFigures) -> Vec<&LimitFigures> {
    let mut sorted: Vec<&LimitFigures> = figures.limits.iter().collect();
    sorted.sort_by_key(|limit| Reverse(limit.used()));
    sorted
}

/// A limit of some figures, by its key.
pub(super) fn limit_of_figures<'a>(figures: &'a RiskFigures, key: &str) -> Option<&'a LimitFigures> {
    figures.limits.iter().find(|limit| limit.key == key)
}

/// A limit in words: `position size (AAPL) 18.5 % of 20.0 % · 1.5 % left, 150.00`.
pub(super) fn limit_words(limit: &LimitFigures) -> String {
    let of = if limit.of.is_empty() { String::new() } else { format!(" ({})", limit.of) };
    let worded = |value: Ratio| match limit.unit {
        LimitUnit::Share => percent(value),
        LimitUnit::Count => format!("{value:.0}"),
        LimitUnit::Times => format!("{value:.2}x"),
        LimitUnit::Correlation => format!("{value:.2}"),
    };
    let (Some(value), Some(unused)) = (limit.value, limit.unused()) else {
        return format!("{} nothing to measure, limit {}", limit.name, worded(limit.limit));
    };
    let left = if unused < Ratio::ZERO { "OVER" } else { "left" };
    let amount = limit.unused_money().map(|amount| format!(", {}", money(amount.abs()))).unwrap_or_default();
    format!("{}{of} {} of {} · {} {left}{amount}", limit.name, worded(value), worded(limit.limit), worded(unused.abs()))
}

/// All settings of the book that no line above has, as they are written in the configuration.
fn setting_lines(row: &BookRow, figures: Option<&RiskFigures>, mark: impl Fn(&str) -> &'static str) -> Vec<String> {
    let all = settings_of(row);
    let measured = |key: &str| figures.is_some_and(|figures| limit_of_figures(figures, key).is_some());
    let worded = |key: &str| {
        let value: Ratio = all.get(key)?.as_str()?.parse().ok()?;
        Some(format!("{key} {}{}", written(key, value), mark(key)))
    };
    let grouped: Vec<&str> = SETTINGS.iter().flat_map(|(_, keys)| keys.iter().copied()).collect();
    let others: Vec<&str> =
        all.keys().map(String::as_str).filter(|key| !measured(key) && !grouped.contains(key)).collect();
    let rows = SETTINGS.iter().map(|(title, keys)| (*title, keys.to_vec())).chain([("Others", others)]);
    let line = |(title, keys): (&str, Vec<&str>)| {
        let words: Vec<String> = keys.into_iter().filter_map(worded).collect();
        (!words.is_empty()).then(|| format!("{title}: {}", words.join(" · ")))
    };
    rows.filter_map(line).collect()
}

/// The limits of a book by their keys.
pub(super) fn settings_of(row: &BookRow) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(&row.limits).unwrap_or_default()
}

/// A setting as it is written: percent and basis points by the end of its key.
fn written(key: &str, value: Ratio) -> Ratio {
    let factor = if key.ends_with("_pct") {
        100
    } else if key.ends_with("_bps") {
        10_000
    } else {
        1
    };
    value.scaled(factor, 1).unwrap_or(Ratio::MAX)
}
