//! Why was nothing bought? The first rule that did not hold, or every check that refused.

use crate::domain::{EventKind, Symbol};

use super::open::{ViewError, Views};
use super::why::check_lines;
use crate::domain::format::{quantity, time};

/// How many refusals are told.
const REFUSALS_SHOWN: usize = 2;

/// The answer to `/whynot SYMBOL`.
///
/// # Errors
/// When the symbol is not watched, or the store cannot be read.
pub fn whynot(views: &Views, symbol: Symbol) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let zone = views.zone()?;
    let mut lines = Vec::new();
    if let Some(mark) = scene.mark(symbol).filter(|mark| mark.ended) {
        lines.push(format!(
            "The prices of {symbol} ended at {}: nothing is decided on it any more",
            time(mark.at, zone)
        ));
    }
    for row in scene.books.iter().filter(|row| row.book.position(symbol).is_some()) {
        lines.push(format!("{} holds {symbol} already; /why {symbol} tells why", row.book.name));
    }
    for step in views.reader().last_steps(symbol)? {
        let (book, strategy, at) = (step.book, step.strategy, time(step.at, zone));
        lines.push(match step.rule {
            Some(rule) => format!(
                "{book}: {strategy} did nothing with {symbol} at {at}\n  did not hold: {rule} ({:.4} against {:.4})",
                step.value, step.limit
            ),
            None => format!("{book}: {strategy} wanted {symbol} at {at}"),
        });
    }
    let rows = views.reader().journal_of_symbol(symbol)?;
    let mut refusals = rows.iter().filter_map(|row| match &row.event.kind {
        EventKind::ProposalRefused { proposal, refusals } => Some((row, proposal, refusals)),
        _ => None,
    });
    for (row, proposal, refusals) in refusals.by_ref().take(REFUSALS_SHOWN) {
        lines.push(format!(
            "Refused at {}: {} asked to {} {} {symbol}",
            time(row.event.at, zone),
            proposal.strategy,
            proposal.side,
            quantity(proposal.quantity)
        ));
        lines.extend(check_lines(refusals));
    }
    if lines.is_empty() {
        let what = format!("{symbol} is not watched, or no bar of it has come yet; /watchlist lists what is watched");
        return Err(ViewError::Nothing(what));
    }
    Ok(lines.join("\n"))
}
