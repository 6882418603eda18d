//! What did people change over the file? Each change in force with who made it, since when and until when, and what the file says.

use serde::Deserialize;

use crate::domain::format::{counted, time};
use crate::domain::{ChangeLine, ChangeRow, Setting};
use crate::store::BookRow;

use super::open::{ViewError, Views};

/// What of a book's memory this view reads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Memory {
    changes: Vec<ChangeLine>,
}

/// The answer to `/changes [book]`.
///
/// # Errors
/// When there is no such book, nothing has run yet, or the store cannot be read.
pub fn over_file(views: &Views, book: Option<&str>) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in scene.books_named(book)? {
        let changes = changes_of(row);
        let name = row.book.name;
        if changes.is_empty() {
            lines.push(format!("{name} is as the file says: nobody changed anything over it"));
            continue;
        }
        let zone = views.zone_of(row);
        lines.push(format!("{name}: {} over the file", counted(changes.len() as u64, "change")));
        for ChangeLine { row, now, file, is_beneath } in changes {
            let ChangeRow { setting, person, since, until, .. } = row;
            let until =
                until.map_or("until somebody takes it back".to_owned(), |at| format!("until {}", time(at, zone)));
            let again = if is_beneath { " again once the later change is over" } else { "" };
            lines.push(format!("{}: {now}{again}; the file says {file}", setting.what()));
            lines.push(format!("  by {person} since {}, {until}{}", time(since, zone), back(&setting)));
        }
    }
    Ok(lines.join("\n"))
}

/// What takes a change back, where that is a line of its own.
fn back(setting: &Setting) -> String {
    let line = match setting {
        Setting::Risk { .. } => "/setrisk usual".to_owned(),
        Setting::Limit { name, .. } => format!("/limit {name} usual"),
        Setting::Enabled { strategy, .. } => format!("/enable {strategy}"),
        Setting::Param { strategy, name, .. } => format!("/param {strategy} {name} usual"),
        Setting::Watched { symbol, watched } => format!("/{} {symbol}", if *watched { "unwatch" } else { "watch" }),
        Setting::Pinned { symbol, pinned } => format!("/pin {symbol}{}", if *pinned { " off" } else { "" }),
        Setting::Schedule { strategy, .. } => format!("/schedule set {strategy} usual"),
        Setting::Strategy(new) => format!("/strategy drop {}", new.name),
        Setting::Dropped { .. } => return String::new(),
    };
    format!(" · {line} takes it back")
}

/// The changes of a book in force.
pub(super) fn changes_of(row: &BookRow) -> Vec<ChangeLine> {
    let memory: Memory = serde_json::from_str(&row.memory).unwrap_or_default();
    memory.changes
}

/// ` (chat)` where a person changed such a setting, for the lines of other views.
pub(super) fn mark(changes: &[ChangeLine], is: impl Fn(&Setting) -> bool) -> &'static str {
    if changes.iter().any(|line| is(&line.row.setting)) { " (chat)" } else { "" }
}
