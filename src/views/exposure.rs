//! Where is the money at work? Long and short, by symbol, sector and asset class, each against its limit.

use crate::domain::{GroupFigures, RiskFigures, Sides};

use super::limits::limit_of_figures;
use super::measured::Measured;
use super::open::{ViewError, Views, amount};
use crate::domain::format::{money, percent, signed, signed_percent};

/// The answer to `/exposure [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn exposure(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    Measured::each(views, book, |measured| lines(&measured))
}

fn lines(measured: &Measured<'_>) -> Vec<String> {
    let Measured { row, figures, .. } = measured;
    let (equity, held) = (figures.equity, figures.held);
    let allowed = |key| limit_of_figures(figures, key).map(|one| percent(one.limit)).unwrap_or_default();
    let mut lines = vec![format!(
        "{} has {} at work: {} of equity, limit {} · {}",
        row.book.name,
        amount(held.gross(), &row.book.currency),
        percent(held.gross().share_of(equity)),
        allowed("exposure_pct"),
        measured.as_of()
    )];
    lines.push(format!(
        "Long {} ({}), short {} ({}) · net {} ({}), limit {} · leverage {:.2}x, limit {:.2}x",
        money(held.long),
        percent(held.long.share_of(equity)),
        money(held.short),
        percent(held.short.share_of(equity)),
        signed(held.net()),
        signed_percent(held.net().share_of(equity)),
        allowed("net_pct"),
        figures.leverage,
        limit_of_figures(figures, "leverage_max").map_or_else(Default::default, |one| one.limit)
    ));
    lines.extend(waiting_line(figures));
    if figures.symbols.is_empty() {
        return lines;
    }
    lines.push(format!("By symbol, limit {}", allowed("position_pct")));
    for one in &figures.symbols {
        let (symbol, value, share) = (one.symbol.as_str(), money(one.value.abs()), percent(one.share.abs()));
        lines.push(format!("  {symbol:<12} {:<5} {value:>12} {share:>8}", one.side()));
    }
    lines.push(format!("By sector, both sides together, limit {}", allowed("sector_pct")));
    lines.extend(figures.sectors.iter().map(|group| group_line(group, "no sector known")));
    lines.push("By asset class".to_owned());
    lines.extend(figures.classes.iter().map(|group| group_line(group, "no class known")));
    lines
}

/// What entries that wait would add, if any do.
fn waiting_line(figures: &RiskFigures) -> Option<String> {
    let gross = limit_of_figures(figures, "exposure_pct").and_then(|one| one.value)?;
    let waits = gross > figures.held.gross().share_of(figures.equity);
    waits.then(|| format!("With entries that wait for their fill: {} of equity", percent(gross)))
}

fn group_line(group: &GroupFigures, unknown: &str) -> String {
    let name = if group.name.is_empty() { unknown } else { &group.name };
    let share = percent(group.share);
    format!("  {name:<18} {:>12} {share:>8}{}", money(group.held.gross()), sides(group.held))
}

/// The two sides, where there are two or only the short one.
fn sides(held: Sides) -> String {
    if held.short.is_zero() {
        String::new()
    } else {
        format!(" · long {}, short {}", money(held.long), money(held.short))
    }
}
