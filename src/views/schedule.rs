//! When do the strategies run?

use serde::Deserialize;

use crate::domain::{Setting, TimetableRow};
use crate::store::BookRow;

use super::open::{ViewError, Views};
use super::over_file::{changes_of, mark};
use crate::domain::format::time;

/// What of a book's memory this view reads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Memory {
    timetable: Vec<TimetableRow>,
}

/// The answer to `/schedule`.
///
/// # Errors
/// When the store cannot be read or nothing has run yet.
pub fn schedule(views: &Views) -> Result<String, ViewError> {
    let scene = views.scene()?;
    let mut lines = Vec::new();
    for row in &scene.books {
        let zone = views.zone_of(row);
        let at = |instant| time(instant, zone);
        let changes = changes_of(row);
        lines.push(format!("{}, market time {}", row.book.name, at(scene.progress.market)));
        for TimetableRow { strategy, timeframe, schedule, outside_session, next, last } in timetable_of(row) {
            let bars = timeframe.map_or("the finest bars".to_owned(), |timeframe| format!("{timeframe} bars"));
            let is_set = |set: &Setting| matches!(set, Setting::Schedule { .. } | Setting::Strategy(_));
            let strategy =
                format!("{strategy}{}", mark(&changes, |set| is_set(set) && set.strategy() == Some(strategy)));
            let last = last.map_or("has not run yet".to_owned(), |last| format!("last run {}", at(last)));
            lines.push(match schedule {
                None => format!("  {strategy}: at the end of {bars} · {last}"),
                Some(words) => {
                    let session =
                        if outside_session { "also while a market is closed" } else { "while a market is open" };
                    let next = next.map_or("no next run is known".to_owned(), |next| format!("next {}", at(next)));
                    format!("  {strategy}: {words}, {session}, on {bars} · {next} · {last}")
                }
            });
        }
    }
    Ok(lines.join("\n"))
}

/// When the strategies of a book run.
pub(super) fn timetable_of(row: &BookRow) -> Vec<TimetableRow> {
    serde_json::from_str::<Memory>(&row.memory).unwrap_or_default().timetable
}
