//! What of it moves together? Correlations of what is held, as a matrix, with the pair that matters most.

use std::fmt::Write as _;

use crate::domain::{CorrelationFigures, Ratio};

use super::limits::limit_of_figures;
use super::measured::Measured;
use super::open::{ViewError, Views};

/// The answer to `/correlation [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn correlation(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    Measured::each(views, book, |measured| lines(&measured))
}

fn lines(measured: &Measured<'_>) -> Vec<String> {
    let (name, correlation) = (measured.row.book.name, &measured.figures.correlation);
    if correlation.symbols.len() < 2 {
        return vec![format!("{name} holds nothing to compare: {} · {}", correlation.basis, measured.as_of())];
    }
    let limit = limit_of_figures(&measured.figures, "correlation_max").map(|one| one.limit).unwrap_or_default();
    let mut lines = vec![closest_line(measured, limit)];
    lines.push(format!("{}; ? is too little in common", correlation.basis));
    if correlation.left_out > 0 {
        lines.push(format!("The {} largest; {} smaller left out", correlation.symbols.len(), correlation.left_out));
    }
    lines.extend(matrix(correlation));
    let shorts = measured.figures.symbols.iter().any(|one| one.quantity.units() < 0);
    if shorts {
        lines.push("Of a long and a short the limit takes the opposite sign: they lose at different times".to_owned());
    }
    lines
}

fn closest_line(measured: &Measured<'_>, limit: Ratio) -> String {
    let (name, figures) = (measured.row.book.name, &measured.figures);
    let Some((one, other, share)) = figures.correlation.closest else {
        return format!("{name}: too few returns to compare what it holds · {}", measured.as_of());
    };
    let side = |symbol| figures.symbols.iter().find(|held| held.symbol == symbol).map_or("", |held| held.side());
    let sides = if side(one) == side(other) {
        format!("both {}", side(one))
    } else {
        format!("{} and {}, sign turned", side(one), side(other))
    };
    let over = if share > limit { " (OVER: entries like these are refused)" } else { "" };
    format!(
        "{name}: {one} and {other} are most alike, {share:.2} ({sides}), limit {limit:.2}{over} · {}",
        measured.as_of()
    )
}

/// One row a symbol against those before it; columns go by number, so that the lines stay short.
fn matrix(correlation: &CorrelationFigures) -> Vec<String> {
    let columns = correlation.symbols.len() - 1;
    let mut heads = format!("  {:<12}", "");
    for number in 1..=columns {
        let _ = write!(heads, "{number:>5}");
    }
    let mut lines = vec![heads];
    for (index, (symbol, row)) in correlation.symbols.iter().zip(&correlation.rows).enumerate() {
        let mut line = format!("  {:>2} {:<9}", index + 1, symbol.as_str());
        for share in row {
            let _ = write!(line, "{:>5}", share.map_or_else(|| "?".to_owned(), short));
        }
        lines.push(line);
    }
    lines
}

/// `.83`, `-.12`, `1.0`.
fn short(share: Ratio) -> String {
    let text = format!("{share:.2}");
    match text.as_str() {
        "1.00" | "-1.00" => text[..text.len() - 1].to_owned(),
        _ => text.replacen("0.", ".", 1),
    }
}
