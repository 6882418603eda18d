//! Is everything well? Each part with the age of its last success.

use serde::Serialize;

use crate::clock::DAY_MS;
use crate::domain::Severity;
use crate::store::{LaneCounts, schema_version};

use super::open::{ViewError, Views};
use super::parts::{Part, PartHealth, parts};
use crate::domain::format::{age, counted, time};

/// The state of each part, as `bellwether health --json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct HealthReport {
    /// True if nothing is wrong.
    pub well: bool,
    /// True if a bot runs.
    pub running: bool,
    /// Seconds since the runner last showed itself.
    pub beat_age_s: Option<i64>,
    /// The last cycle.
    pub cycle: u64,
    /// The market's time.
    pub market_time: Option<String>,
    /// The schema of the database.
    pub schema: i64,
    /// Each part with the age of its last success; of the ways to people, those that the asker may see.
    pub parts: Vec<PartHealth>,
    /// Books and their states.
    pub books: Vec<(String, String)>,
    /// Symbols whose prices are missing or in doubt.
    pub prices_in_doubt: Vec<String>,
    /// Positions without a working stop.
    pub unprotected: Vec<String>,
    /// Deliveries by lane, of the lanes that the asker may see.
    pub lanes: Vec<LaneCounts>,
    /// Warnings of the last day; none for those who may not see all books.
    pub warnings: Option<u64>,
    /// Criticals of the last day, likewise.
    pub criticals: Option<u64>,
}

/// Looks at each part.
///
/// # Errors
/// When the store cannot be read.
pub fn health_report(views: &Views) -> Result<HealthReport, ViewError> {
    let reader = views.reader();
    let (running, beat) = (views.is_running(), views.beat_age_ms()?);
    let books = reader.books()?;
    let unprotected: Vec<String> = books
        .iter()
        .flat_map(|row| row.book.positions.iter().filter(|held| held.protection.is_none()))
        .map(|held| held.symbol.to_string())
        .collect();
    let doubt = |mark: &crate::store::MarkRow| mark.lock.is_some() || mark.stale.is_some();
    let marks = reader.marks()?;
    let prices_in_doubt: Vec<String> =
        marks.iter().filter(|mark| doubt(mark)).map(|mark| mark.symbol.to_string()).collect();
    let mut lanes = reader.lane_counts()?;
    lanes.retain(|counts| views.asker().may_see_way(&counts.lane));
    let mut parts = parts(views)?;
    let parts_well = parts.iter().all(|part| part.well);
    // How the ways to others are is theirs to see, and the owners'.
    parts.retain(|part| !matches!(&part.part, Part::Lane(lane) if !views.asker().may_see_way(lane)));
    let progress = reader.progress()?;
    let day_ago = views.wall().plus_ms(-DAY_MS);
    Ok(HealthReport {
        well: parts_well && unprotected.is_empty() && prices_in_doubt.is_empty(),
        running,
        beat_age_s: beat.map(|beat| beat / 1000),
        cycle: progress.map_or(0, |progress| progress.cycle.0),
        market_time: progress.map(|progress| progress.market.to_string()),
        schema: schema_version(),
        parts,
        books: books.iter().map(|row| (row.book.name.to_string(), row.state.to_string())).collect(),
        prices_in_doubt,
        unprotected,
        lanes,
        warnings: reader.journal_count(Severity::Warning, day_ago)?,
        criticals: reader.journal_count(Severity::Critical, day_ago)?,
    })
}

fn line(part: &PartHealth) -> String {
    let name = part.part.to_string();
    let ill = if part.well { "" } else { "NOT WELL, " };
    let last = part.age_s.map_or_else(String::new, |seconds| format!(" · {} ago", age(seconds * 1000)));
    format!("{name}: {ill}{}{last}", part.words)
}

/// The answer to `/health`.
///
/// # Errors
/// When the store cannot be read.
pub fn health(views: &Views) -> Result<String, ViewError> {
    let report = health_report(views)?;
    let mut lines: Vec<String> = report.parts.iter().map(line).collect();
    if let Some(progress) = views.reader().progress()? {
        lines.push(format!("Prices: market time {}", time(progress.market, views.zone()?)));
    }
    for (name, state) in &report.books {
        lines.push(format!("Book {name}: {state}"));
    }
    for LaneCounts { lane, accepted, sent, skipped, dead, open } in &report.lanes {
        lines.push(format!(
            "Lane {lane}: {accepted} accepted = {sent} delivered + {skipped} held back + {dead} given up + {open} waiting"
        ));
    }
    if !report.prices_in_doubt.is_empty() {
        lines.push(format!("Prices missing or in doubt: {}", report.prices_in_doubt.join(", ")));
    }
    if !report.unprotected.is_empty() {
        lines.push(format!("ALARM, no working stop: {}", report.unprotected.join(", ")));
    }
    if let (Some(warnings), Some(criticals)) = (report.warnings, report.criticals) {
        let (warnings, criticals) = (counted(warnings, "warning"), counted(criticals, "critical notice"));
        lines.push(format!("Last 24 hours: {warnings}, {criticals}"));
    }
    for row in
        views.reader().journal_told(50)?.iter().filter(|row| row.event.kind.severity() >= Severity::Warning).take(3)
    {
        lines.push(format!("  {} {}", time(row.wall, views.zone()?), row.event.kind.name().replace('_', " ")));
    }
    Ok(lines.join("\n"))
}
