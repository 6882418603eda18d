//! When did the bot run?

use super::open::{ViewError, Views};
use crate::domain::format::{age, time};

/// How many runs are listed.
const RUNS_SHOWN: u32 = 10;

/// The answer to `/runs`.
///
/// # Errors
/// When the store cannot be read.
pub fn runs(views: &Views) -> Result<String, ViewError> {
    let runs = views.reader().runs(RUNS_SHOWN)?;
    if runs.is_empty() {
        return Ok("nothing has run yet".to_owned());
    }
    let zone = views.zone()?;
    let lines: Vec<String> = runs
        .iter()
        .map(|run| {
            let lasted = run.ended.map(|ended| format!(" · {}", age(ended.since(run.started)))).unwrap_or_default();
            let cycles = if run.cycles.1 >= run.cycles.0 {
                format!("cycles {} to {}", run.cycles.0, run.cycles.1)
            } else {
                "no cycles".to_owned()
            };
            let dry = if run.dry_run { " · dry run" } else { "" };
            let market = run.market.map(|at| format!(" · market time {}", time(at, zone))).unwrap_or_default();
            format!(
                "{} {} · {} · {cycles}{market}{lasted} · {}{dry} · {}",
                run.id,
                run.outcome,
                run.mode,
                run.feed,
                time(run.started, zone)
            )
        })
        .collect();
    Ok(lines.join("\n"))
}
