//! What do we watch?

use super::open::{ViewError, Views};
use super::over_file::changes_of;
use super::screener::screening_of;
use crate::domain::Setting;
use crate::domain::format::counted;

/// The answer to `/watchlist`.
///
/// # Errors
/// When the store cannot be read.
pub fn watchlist(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in &scene.books {
        let (source, list) = views.reader().watchlist(row.book.name)?;
        let mut sectors: Vec<&str> = list.iter().map(|item| item.sector.as_str()).collect();
        sectors.sort_unstable();
        sectors.dedup();
        lines.push(format!("{} watches {} ({source})", row.book.name, counted(list.len() as u64, "symbol")));
        let changes = changes_of(row);
        let screening = screening_of(row);
        let is_out = |symbol| screening.as_ref().is_some_and(|last| last.leaves_out(symbol));
        if let Some(screening) = &screening {
            let entered = screening.watched();
            lines.push(format!("{entered} of {} may be entered; /screener says which and why", screening.rows.len()));
        }
        for sector in sectors {
            let named = if sector.is_empty() { "No sector" } else { sector };
            let members = list.iter().filter(|item| item.sector == sector);
            let members = members.map(|item| {
                let out = if is_out(item.symbol) { " (out)" } else { "" };
                format!("{} {}{out}", item.symbol, scene.price_words(item.symbol))
            });
            let members: Vec<String> = members.collect();
            lines.push(format!("{named}: {}", members.join(" · ")));
        }
        for (watched, words) in [(true, "Watched by a word in chat"), (false, "No longer watched, by a word in chat")] {
            let symbols = changes.iter().filter_map(|line| match line.row.setting {
                Setting::Watched { symbol, watched: is } if is == watched => Some(symbol),
                _ => None,
            });
            let symbols: Vec<String> =
                symbols.map(|symbol| format!("{symbol} {}", scene.price_words(symbol))).collect();
            if !symbols.is_empty() {
                lines.push(format!("{words}: {}", symbols.join(" · ")));
            }
        }
    }
    Ok(lines.join("\n"))
}
