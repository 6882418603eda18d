//! What would a bad time cost? Each scenario of the table put on what is held, or one of them in detail.

use std::cmp::Reverse;

use crate::domain::{AssetClass, Money, RiskFigures, ShockFigures, StressFigures};
use crate::stats::{Scenario, scenario, scenarios};

use super::measured::Measured;
use super::open::{ViewError, Views, amount};
use crate::domain::format::{money, signed, signed_percent};

/// The answer to `/stress [scenario] [book]`; a single word may be either.
///
/// # Errors
/// When there is no such scenario or book, nothing has run yet, or the store cannot be read.
pub fn stress(views: &Views, args: &[&str]) -> Result<String, ViewError> {
    let named = |text: &&str| scenario(&text.to_ascii_lowercase());
    match args {
        [] => table(views, None),
        [word] => match named(word) {
            Some(found) => one(views, found, None),
            None if views.scene()?.books_named(Some(word)).is_ok() => table(views, Some(word)),
            None => Err(unknown(word)),
        },
        [word, book, ..] => one(views, named(word).ok_or_else(|| unknown(word))?, Some(book)),
    }
}

fn unknown(word: &str) -> ViewError {
    let names: Vec<&str> = scenarios().iter().map(|scenario| scenario.name.as_str()).collect();
    let word = word.escape_debug();
    ViewError::Nothing(format!("there is no scenario and no book \"{word}\": scenarios are {}", names.join(", ")))
}

fn table(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    Measured::each(views, book, |measured| {
        let (row, figures) = (measured.row, &measured.figures);
        let worst = figures.stress.iter().min_by_key(|report| report.change);
        let Some(worst) = worst.filter(|_| !figures.symbols.is_empty()) else { return vec![nothing_held(&measured)] };
        let mut lines = vec![format!(
            "{} would change by {}{} at worst, if {} came again · {}",
            row.book.name,
            signed_amount(worst, &row.book.currency),
            share_words(worst),
            worst.scenario,
            measured.as_of()
        )];
        lines.extend(figures.stress.iter().map(scenario_line));
        lines.push("What happened once is no forecast. /stress NAME shows each position".to_owned());
        lines
    })
}

fn nothing_held(measured: &Measured<'_>) -> String {
    format!("{} holds nothing: no scenario costs it anything · {}", measured.row.book.name, measured.as_of())
}

fn signed_amount(report: &StressFigures, currency: &str) -> String {
    format!("{} {currency}", signed(report.change))
}

fn share_words(report: &StressFigures) -> String {
    report.share.map(|share| format!(" ({})", signed_percent(share))).unwrap_or_default()
}

fn scenario_line(report: &StressFigures) -> String {
    let title = scenario(&report.scenario).map_or("", |scenario| scenario.title.as_str());
    let worst = report.positions.iter().filter(|one| one.change < Money::ZERO).min_by_key(|one| one.change);
    let worst = worst.map(|one| format!(" · worst {} {}", one.symbol, signed(one.change))).unwrap_or_default();
    format!("  {:<12} {:>12}{} · {title}{worst}", report.scenario, signed(report.change), share_words(report))
}

fn one(views: &Views, scenario: &Scenario, book: Option<&str>) -> Result<String, ViewError> {
    Measured::each(views, book, |measured| {
        let (row, figures) = (measured.row, &measured.figures);
        let report = figures.stress.iter().find(|report| report.scenario == scenario.name);
        let Some(report) = report.filter(|_| !figures.symbols.is_empty()) else { return vec![nothing_held(&measured)] };
        let mut lines = vec![format!(
            "{} would change by {}{} in {}: {} · {}",
            row.book.name,
            signed_amount(report, &row.book.currency),
            share_words(report),
            scenario.name,
            scenario.title,
            measured.as_of()
        )];
        let after = figures.equity.plus(report.change).unwrap_or_default();
        lines.push(format!("Equity after it {}", amount(after, &row.book.currency)));
        let mut positions: Vec<&ShockFigures> = report.positions.iter().collect();
        positions.sort_by_key(|one| (one.change, Reverse(one.symbol)));
        lines.extend(positions.into_iter().map(|one| position_line(one, figures)));
        if figures.symbols.iter().any(|one| one.class == AssetClass::UsEquity) {
            lines.push(format!("Beta is to {}, times what the market lost", figures.benchmark.basis));
        }
        lines.push(scenario.basis.clone());
        lines
    })
}

fn position_line(one: &ShockFigures, figures: &RiskFigures) -> String {
    let held = figures.symbols.iter().find(|held| held.symbol == one.symbol);
    let what = held.map(|held| format!("{:<5} {:>10}", held.side(), money(held.value.abs()))).unwrap_or_default();
    let change = signed(one.change);
    format!("  {:<8} {what} · price {} by {} · {change}", one.symbol, signed_percent(one.shock), one.rule)
}
