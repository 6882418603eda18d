//! What do we watch?

use super::open::{ViewError, Views};
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
        for sector in sectors {
            let named = if sector.is_empty() { "No sector" } else { sector };
            let members = list.iter().filter(|item| item.sector == sector);
            let members: Vec<String> =
                members.map(|item| format!("{} {}", item.symbol, scene.price_words(item.symbol))).collect();
            lines.push(format!("{named}: {}", members.join(" · ")));
        }
    }
    Ok(lines.join("\n"))
}
