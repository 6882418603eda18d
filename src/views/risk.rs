//! What can we lose? One book on a page: stops, a bad day, a bad time, and what stands nearest to a limit.

use crate::domain::{BenchmarkFigures, Money, Ratio, RiskFigures, SymbolFigures, TailLoss};

use super::limits::{limit_words, nearest_first};
use super::measured::Measured;
use super::open::{ViewError, Views, amount};
use crate::domain::format::{money, percent, price, signed, signed_percent};

/// The answer to `/risk [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn risk(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    Measured::each(views, book, |measured| lines(&measured))
}

fn lines(measured: &Measured<'_>) -> Vec<String> {
    let Measured { row, figures, .. } = measured;
    let currency = &row.book.currency;
    let first = if figures.symbols.is_empty() {
        format!("{} holds nothing, so nothing is at risk · {}", row.book.name, measured.as_of())
    } else {
        format!(
            "{} loses {} ({} of equity) if every stop fills · {}",
            row.book.name,
            amount(figures.open_risk, currency),
            percent(figures.open_risk.share_of(figures.equity)),
            measured.as_of()
        )
    };
    let mut lines = vec![first, size_line(figures)];
    if !figures.symbols.is_empty() {
        lines.extend(tail_lines(figures));
        lines.push(beta_line(figures));
        lines.extend(worst_line(figures));
        lines.extend(closest_line(figures));
    }
    if let Some(nearest) = nearest_first(figures).first() {
        lines.push(format!("Nearest limit: {} · /limits", limit_words(nearest)));
    }
    lines.extend(figures.symbols.iter().map(|one| symbol_line(one, figures.equity)));
    lines
}

fn size_line(figures: &RiskFigures) -> String {
    let (gross, net) = (figures.held.gross(), figures.held.net());
    format!(
        "Long {}, short {} · gross {}, net {} · leverage {:.2}x · cash {} · equity {}",
        money(figures.held.long),
        money(figures.held.short),
        percent(gross.share_of(figures.equity)),
        signed_percent(net.share_of(figures.equity)),
        figures.leverage,
        money(figures.cash),
        money(figures.equity)
    )
}

fn tail_lines(figures: &RiskFigures) -> Vec<String> {
    let tail = &figures.tail;
    if tail.losses.is_empty() {
        return vec![format!("Value at risk not known: {}", tail.basis)];
    }
    let mut lines = vec![format!("Value at risk of what is held now, {}", tail.basis)];
    let worded = |share: Option<Ratio>| {
        let loss = |share| figures.equity.times(share).unwrap_or(Money::ZERO);
        share.map_or_else(
            || "unknown".to_owned(),
            |share| format!("{} ({})", signed(loss(share)), signed_percent(share)),
        )
    };
    for TailLoss { confidence, historical, parametric, shortfall, parametric_shortfall } in &tail.losses {
        let (history, curve) = (worded(*historical), worded(*parametric));
        lines.push(format!("  {confidence} %: {history} by history, {curve} by a normal curve"));
        lines.push(format!("    beyond it on average: {}, {}", worded(*shortfall), worded(*parametric_shortfall)));
    }
    lines
}

fn beta_line(figures: &RiskFigures) -> String {
    let BenchmarkFigures { name, basis, beta } = &figures.benchmark;
    match beta {
        Some(beta) => format!("Beta {beta:.2} to {name}, {basis}"),
        None => format!("Beta to {name} not known: {basis}"),
    }
}

/// The scenario that would cost most.
fn worst_line(figures: &RiskFigures) -> Option<String> {
    let worst = figures.stress.iter().min_by_key(|one| one.change)?;
    let share = worst.share.map(|share| format!(" ({})", signed_percent(share))).unwrap_or_default();
    Some(format!("Worst scenario: {} {}{share} · /stress {}", worst.scenario, signed(worst.change), worst.scenario))
}

fn closest_line(figures: &RiskFigures) -> Option<String> {
    let (one, other, share) = figures.correlation.closest?;
    Some(format!("Most alike: {one} and {other}, correlation {share:.2} · /correlation"))
}

fn symbol_line(one: &SymbolFigures, equity: Money) -> String {
    let stop = one.stop.map_or_else(|| "NO STOP, all of it".to_owned(), |stop| format!("stop {},", price(stop)));
    let beta = one.beta.map(|beta| format!(" · beta {beta:.2}")).unwrap_or_default();
    format!(
        "  {:<8} {:<5} {:>10} {:>7} · {stop} at risk {} ({}){beta}",
        one.symbol,
        one.side(),
        money(one.value.abs()),
        percent(one.share.abs()),
        money(one.risk),
        percent(one.risk.share_of(equity))
    )
}
