//! What would a bad time cost? Each scenario of the table put on what is held, or one of them in detail.

use crate::domain::{AssetClass, BenchmarkFigures, Money, Ratio, RiskFigures, StressFigures, SymbolFigures};
use crate::stats::{self, Exposed, Scenario, Shocked, scenario, scenarios};

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
    let worst =
        report.worst.map(|(symbol, change)| format!(" · worst {symbol} {}", signed(change))).unwrap_or_default();
    format!("  {:<12} {:>12}{} · {title}{worst}", report.scenario, signed(report.change), share_words(report))
}

fn one(views: &Views, scenario: &'static Scenario, book: Option<&str>) -> Result<String, ViewError> {
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
        lines.extend(position_lines(scenario, figures));
        if figures.symbols.iter().any(|one| one.class == AssetClass::UsEquity) {
            let BenchmarkFigures { name, basis, .. } = &figures.benchmark;
            lines.push(format!("A share's beta is to {name}, {basis}; it is multiplied by what the market lost"));
        }
        lines.push(scenario.basis.clone());
        lines
    })
}

/// Each position in the scenario, the worst first.
fn position_lines(scenario: &'static Scenario, figures: &RiskFigures) -> Vec<String> {
    let exposed: Vec<Exposed<'_>> = figures.symbols.iter().map(Exposed::from).collect();
    let report = stats::stress(scenario, &exposed, figures.equity.to_f64());
    let mut positions: Vec<(&Shocked, &SymbolFigures)> = report.positions.iter().zip(&figures.symbols).collect();
    positions.sort_by(|a, b| a.0.change.total_cmp(&b.0.change));
    let line = |(one, held): (&Shocked, &SymbolFigures)| {
        let shock = signed_percent(Ratio::from_f64(one.shock).unwrap_or_default());
        let (value, change) = (money(held.value.abs()), signed(Money::from_f64(one.change).unwrap_or_default()));
        let rule = one.rule.words();
        format!("  {:<8} {:<5} {value:>10} · price {shock} by {rule} · {change}", one.symbol, held.side())
    };
    positions.into_iter().map(line).collect()
}
